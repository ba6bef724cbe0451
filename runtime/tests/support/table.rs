//! Tables in the documents that tests write.

use std::fs;
use std::path::Path;

/// One cell.
pub fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// Compares what a test found with the document of this name; `TEPUI_REWRITE=1` writes it anew.
pub fn kept(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs")
        .join(name);
    if std::env::var_os("TEPUI_REWRITE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, found).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let old = "is old: TEPUI_REWRITE=1 writes it anew";
    assert_eq!(kept, found, "{} {old}", path.display());
}

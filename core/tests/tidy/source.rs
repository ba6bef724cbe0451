//! The workspace's source files.

use std::fs;
use std::path::{Path, PathBuf};

/// Where Rust sources are.
const PACKAGES: [&str; 5] = ["core", "sim", "runtime", "benches", "reports"];

/// One Rust file, its path relative to the workspace, with `/`.
pub struct Source {
    pub path: String,
    pub text: String,
}

impl Source {
    /// All of the workspace, by path.
    pub fn all() -> Vec<Source> {
        let sources: Vec<Source> = files(&PACKAGES, &["rs"])
            .into_iter()
            .map(|path| Source {
                text: fs::read_to_string(workspace().join(&path)).unwrap(),
                path,
            })
            .collect();
        assert!(sources.len() > 40, "the workspace's sources were not found");
        sources
    }
}

/// The workspace's folder.
pub fn workspace() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap().to_path_buf()
}

/// The files below `roots` with one of these extensions, sorted; a root that is not there has
/// none.
pub fn files(roots: &[&str], extensions: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting: Vec<PathBuf> = roots.iter().map(|root| workspace().join(root)).collect();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let name = path.file_name().and_then(|name| name.to_str());
            // Whatever a build leaves behind is not ours to tidy.
            if name.is_some_and(|name| name == "target" || name.starts_with('.')) {
                continue;
            }
            let entries = fs::read_dir(&path).unwrap();
            waiting.extend(entries.map(|entry| entry.unwrap().path()));
        } else if path
            .extension()
            .and_then(|extension| extension.to_str())
            .is_some_and(|extension| extensions.contains(&extension))
        {
            let relative = path.strip_prefix(workspace()).unwrap();
            found.push(relative.to_str().unwrap().replace('\\', "/"));
        }
    }
    found.sort();
    found
}

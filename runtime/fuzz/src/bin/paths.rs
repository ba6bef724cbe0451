//! Names of files in sandboxes: none of them may lead out, whatever links a task puts there.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::LazyLock;
use tempfile::TempDir;
use tepui_runtime::container::sandbox::WorkDir;
use tepui_runtime::http::agent::paths;

const SECRET: &str = "outside";

/// A work directory with one sandbox, in which there are a file and links to all that is outside.
static HOST: LazyLock<(TempDir, WorkDir, PathBuf)> = LazyLock::new(|| {
    let folder = TempDir::new().expect("a temporary folder");
    let work_dir = WorkDir::create(&folder.path().join("work")).expect("a work directory");
    let run = work_dir
        .root()
        .join("slaves/A/frameworks/F/executors/E/runs/C");
    fs::create_dir_all(run.join("sub")).expect("a sandbox");
    fs::write(folder.path().join("secret"), SECRET).expect("a file outside");
    fs::write(work_dir.root().join("secret"), SECRET).expect("a file outside");
    fs::write(run.join("f"), "inside").expect("a file inside");
    symlink(folder.path().join("secret"), run.join("l")).expect("a link");
    symlink("../../../../../../../../secret", run.join("m")).expect("a link");
    symlink("/", run.join("r")).expect("a link");
    symlink("..", run.join("sub/u")).expect("a link");
    (folder, work_dir, run)
});

fuzz_target!(|text: &str| {
    let (_, work_dir, run) = &*HOST;
    let below = format!("{}/{text}", run.display());
    let short = format!("/frameworks/F/executors/E/runs/C/{text}");
    for path in [text, &below, &short] {
        if let Ok(mut file) = paths::open_file(work_dir, "A", path) {
            let mut read = String::new();
            let taken = (&mut file).take(64).read_to_string(&mut read);
            assert!(taken.is_err() || read != SECRET, "{path}");
        }
        if let Ok(entries) = paths::list(work_dir, "A", path) {
            assert!(
                entries.iter().all(|entry| !entry.path.ends_with("/secret")),
                "{path}"
            );
        }
    }
});

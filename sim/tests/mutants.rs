//! Planted bugs must fit the tree: a patch that no longer applies tries nothing, and nobody would
//! notice before the next time that all of them are searched for.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The lines that a hunk wants to find.
#[derive(Debug, Default)]
struct Hunk {
    before: Vec<String>,
    changes: bool,
}

/// The hunks of a patch, by the file that they are about.
fn hunks(patch: &str) -> BTreeMap<String, Vec<Hunk>> {
    let mut files: BTreeMap<String, Vec<Hunk>> = BTreeMap::new();
    let mut file = None;
    for line in patch.lines() {
        if line.starts_with("--- ") {
            continue;
        }
        if let Some(name) = line.strip_prefix("+++ b/") {
            file = Some(files.entry(name.to_owned()).or_default());
            continue;
        }
        let Some(hunks) = file.as_mut() else {
            continue;
        };
        if line.starts_with("@@ ") {
            hunks.push(Hunk::default());
            continue;
        }
        let hunk = hunks.last_mut().expect("lines follow the head of a hunk");
        match line.split_at_checked(1) {
            Some((" ", text)) => hunk.before.push(text.to_owned()),
            Some(("-", text)) => {
                hunk.before.push(text.to_owned());
                hunk.changes = true;
            }
            Some(("+", _)) => hunk.changes = true,
            _ => hunk.before.push(String::new()),
        }
    }
    files
}

/// What is wrong with a patch.
fn faults(patch: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for field in ["What: ", "Breaks: ", "Run: "] {
        let value = patch.lines().find_map(|line| line.strip_prefix(field));
        match (field, value) {
            (_, None) => faults.push(format!("it has no line '{field}..'")),
            ("Run: ", Some(name)) if !root().join(name).is_file() => {
                faults.push(format!("there is no {name}"));
            }
            _ => {}
        }
    }
    let files = hunks(patch);
    if files.values().all(Vec::is_empty) {
        faults.push(String::from("it changes nothing"));
    }
    for (name, hunks) in &files {
        let text = fs::read_to_string(root().join(name)).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        for (number, hunk) in hunks.iter().enumerate() {
            let mut places = lines.windows(hunk.before.len().max(1));
            if !hunk.changes || !places.any(|place| place == hunk.before) {
                faults.push(format!("hunk {} does not fit {name}", number + 1));
            }
        }
    }
    faults
}

#[test]
fn every_planted_bug_fits_the_tree() {
    let folder = fs::read_dir(root().join("sim/mutants")).expect("the folder is there");
    let mut count = 0;
    for entry in folder {
        let path = entry.expect("it can be listed").path();
        let patch = fs::read_to_string(&path).expect("a patch is text");
        let faults = faults(&patch);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        assert!(faults.is_empty(), "{name}: make it anew: {faults:#?}");
        count += 1;
    }
    assert!(count >= 55, "only {count} patches were found");
}

#[test]
fn a_patch_that_does_not_fit_is_found() {
    let head = "What: x\nBreaks: A1\nRun: scenarios/swarm/log_only_3.yaml\n\n";
    let patch = |line: &str| {
        format!("{head}--- a/Cargo.toml\n+++ b/Cargo.toml\n@@ -1,1 +1,1 @@\n-{line}\n+x\n")
    };
    assert!(faults(&patch("[workspace]")).is_empty());
    assert_eq!(faults(&patch("[work]")).len(), 1);
    assert_eq!(faults("What: x\nBreaks: A1\nRun: nowhere.yaml\n").len(), 2);
}

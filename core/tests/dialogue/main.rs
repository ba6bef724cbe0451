//! Dialogues: commands and what the machines answer, as text that is reviewed and serves as
//! documentation of the protocol.
//!
//! A block is a line of command, a line `----`, the answer, and an empty line. Lines that begin
//! with `#` are for people. `TEPUI_REWRITE=1 cargo test -p tepui-core --test dialogue` writes the
//! answers anew.

mod log;
mod registry;

use std::fs;
use std::path::Path;

/// Runs every dialogue of a folder, each in a world of its own.
fn run<World>(folder: &str, start: fn() -> World, say: fn(&mut World, &[&str]) -> String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/dialogue")
        .join(folder);
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "there are no dialogues");
    for path in paths {
        let written = fs::read_to_string(&path).unwrap();
        let mut world = start();
        let spoken = speak(&written, |words| say(&mut world, words));
        if spoken == written {
            continue;
        }
        if std::env::var_os("TEPUI_REWRITE").is_some() {
            fs::write(&path, spoken).unwrap();
            continue;
        }
        panic!(
            "{} went another way:\n{}",
            path.display(),
            difference(&written, &spoken)
        );
    }
}

/// The dialogue with the answers that are given now.
fn speak(written: &str, mut say: impl FnMut(&[&str]) -> String) -> String {
    let mut spoken = String::new();
    let mut lines = written.lines();
    while let Some(line) = lines.next() {
        if line.is_empty() || line.starts_with('#') {
            spoken.push_str(line);
            spoken.push('\n');
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        spoken.push_str(&format!("{line}\n----\n{}\n", say(&words)));
        // The old answer, up to the empty line, is passed over.
        for old in lines.by_ref() {
            if old.is_empty() {
                break;
            }
        }
    }
    spoken
}

/// The first line that differs, with what should have been there.
fn difference(written: &str, spoken: &str) -> String {
    let mut lines = written.lines().zip(spoken.lines()).enumerate();
    match lines.find(|(_, (written, spoken))| written != spoken) {
        Some((index, (written, spoken))) => {
            format!(
                "line {}\n  written: {written}\n  spoken:  {spoken}",
                index + 1
            )
        }
        None => String::from("one is longer than the other"),
    }
}

#[test]
fn an_answer_that_changed_is_found() {
    let written = "# note\n\nask\n----\nyes\n\n";
    assert_eq!(speak(written, |_| String::from("yes\n")), written);
    let spoken = speak(written, |_| String::from("no\n"));
    let expected = "line 5\n  written: yes\n  spoken:  no";
    assert_eq!(difference(written, &spoken), expected);
}

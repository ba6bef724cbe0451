//! House rules, as a test over the whole workspace's sources.
//!
//! What breaks a rule today and is not yet mended is listed in [`allowed`]; those lists may only
//! shrink.

mod allowed;
mod functions;
mod modules;
mod source;
mod words;

use modules::Reached;
use source::{Source, files, workspace};
use std::collections::BTreeMap;
use std::fs;

const FILE_LINES_SOFT: usize = 500;
const FILE_LINES_HARD: usize = 800;
const LINE_CHARS_MAX: usize = 100;
const FUNCTION_LINES_MAX: usize = 70;
const SCENARIO_HEADER_CHARS_MIN: usize = 60;

/// Compares what was found with what is allowed for now: nothing more, and nothing that is not
/// needed any more.
fn ratchet(rule: &str, bound: usize, found: &BTreeMap<String, usize>, allowed: &[(&str, usize)]) {
    let mut problems = Vec::new();
    let allowed: BTreeMap<&str, usize> = allowed.iter().copied().collect();
    for (what, size) in found {
        match allowed.get(what.as_str()) {
            Some(most) if size <= most => {}
            Some(most) => problems.push(format!("{what}: {size}, allowed for now {most}")),
            None => problems.push(format!("{what}: {size}, at most {bound}")),
        }
    }
    for what in allowed.keys() {
        if !found.contains_key(*what) {
            problems.push(format!("{what}: mended, take it off the list"));
        }
    }
    assert!(problems.is_empty(), "{rule}:\n  {}", problems.join("\n  "));
}

fn none(rule: &str, problems: &[String]) {
    assert!(problems.is_empty(), "{rule}:\n  {}", problems.join("\n  "));
}

fn by_path() -> BTreeMap<String, String> {
    let sources = Source::all().into_iter();
    sources.map(|source| (source.path, source.text)).collect()
}

#[test]
fn files_are_short() {
    let mut long = BTreeMap::new();
    let mut too_long = Vec::new();
    for source in Source::all() {
        let lines = source.text.lines().count();
        if lines > FILE_LINES_HARD {
            too_long.push(format!("{}: {lines} lines: split it", source.path));
        } else if lines > FILE_LINES_SOFT {
            long.insert(source.path, lines);
        }
    }
    none("files over the hard cap of 800 lines", &too_long);
    let allowed = allowed::LONG_FILES;
    ratchet("lines of a file", FILE_LINES_SOFT, &long, allowed);
}

#[test]
fn lines_are_short() {
    let mut found = BTreeMap::new();
    for source in Source::all() {
        let long = source.text.lines();
        let long = long.filter(|line| line.chars().count() > LINE_CHARS_MAX);
        let count = long.count();
        if count > 0 {
            found.insert(source.path, count);
        }
    }
    ratchet(
        "lines of more than 100 characters",
        0,
        &found,
        allowed::LONG_LINES,
    );
}

#[test]
fn functions_are_short() {
    let mut found = BTreeMap::new();
    for source in Source::all() {
        for (name, lines) in functions::lengths(&source.text) {
            if lines > FUNCTION_LINES_MAX {
                let longest = found.entry(format!("{} {name}", source.path)).or_insert(0);
                *longest = lines.max(*longest);
            }
        }
    }
    let allowed = allowed::LONG_FUNCTIONS;
    ratchet("lines of a function", FUNCTION_LINES_MAX, &found, allowed);
}

#[test]
fn the_core_names_nothing_impure() {
    let mut found = BTreeMap::new();
    let reached = modules::reached(&by_path());
    for source in Source::all() {
        let always = reached.get(&source.path) == Some(&Reached::Always);
        if !source.path.starts_with("core/src/") || !always {
            continue;
        }
        for (line, problem) in words::impure(&source.text) {
            found.insert(format!("{}:{line}: {problem}", source.path), 1);
        }
    }
    ratchet("banned in the core", 0, &found, allowed::IMPURE);
}

#[test]
fn nothing_unfinished_or_local_is_left_behind() {
    let mut problems = Vec::new();
    for source in Source::all() {
        for (line, problem) in words::unfinished(&source.text) {
            problems.push(format!("{}:{line}: {problem}", source.path));
        }
    }
    for path in files(
        &["scenarios", "core", "sim", "runtime", "README.md"],
        &["yaml", "md"],
    ) {
        let text = fs::read_to_string(workspace().join(&path)).unwrap();
        for (line, problem) in words::local(&text) {
            problems.push(format!("{path}:{line}: {problem}"));
        }
    }
    none("left behind", &problems);
}

#[test]
fn every_file_is_reached() {
    let all = by_path();
    let reached = modules::reached(&all);
    let dead: Vec<String> = all
        .keys()
        .filter(|path| !reached.contains_key(*path))
        .map(|path| format!("{path}: no `mod` leads to it"))
        .collect();
    none("dead files", &dead);
}

#[test]
fn every_scenario_says_what_breaks_and_what_must_hold() {
    let mut problems = Vec::new();
    for path in files(&["scenarios"], &["yaml", "yml"]) {
        let text = fs::read_to_string(workspace().join(&path)).unwrap();
        let header: String = text
            .lines()
            .map_while(|line| line.strip_prefix('#'))
            .collect();
        let chars = header.chars().count();
        if chars < SCENARIO_HEADER_CHARS_MIN {
            problems.push(format!(
                "{path}: its opening comment has {chars} characters; say what breaks and what \
                 must hold"
            ));
        }
    }
    none("scenarios without a header", &problems);
}

#[test]
#[should_panic(expected = "mended, take it off the list")]
fn a_mended_exception_must_go() {
    ratchet("rule", 1, &BTreeMap::new(), &[("gone.rs", 2)]);
}

#[test]
#[should_panic(expected = "b.rs: 3, allowed for now 2")]
fn an_exception_may_not_grow() {
    let found = BTreeMap::from([("b.rs".to_string(), 3)]);
    ratchet("rule", 1, &found, &[("b.rs", 2)]);
}

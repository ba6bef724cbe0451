//! Which files a `mod` leads to.

use std::collections::BTreeMap;

/// How a file is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// Only when tests are built.
    ForTests,
    /// In every build.
    Always,
}

/// All files that are reached from the roots of crates: libraries, binaries, integration tests
/// and benchmarks.
pub fn reached(sources: &BTreeMap<String, String>) -> BTreeMap<String, Reached> {
    let roots = sources.keys().filter(|path| is_root(path));
    let mut waiting: Vec<(String, Reached)> = roots
        .map(|path| match path.split('/').nth(1) {
            Some("tests") => (path.clone(), Reached::ForTests),
            _ => (path.clone(), Reached::Always),
        })
        .collect();
    let mut reached = BTreeMap::new();
    while let Some((path, how)) = waiting.pop() {
        let Some(text) = sources.get(&path) else {
            continue;
        };
        if reached.get(&path).is_some_and(|before| *before >= how) {
            continue;
        }
        reached.insert(path.clone(), how);
        let folder = children_folder(&path);
        for (name, declared) in declared(text) {
            let how = how.min(declared);
            waiting.push((format!("{folder}/{name}.rs"), how));
            waiting.push((format!("{folder}/{name}/mod.rs"), how));
        }
    }
    reached
}

fn is_root(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    match parts[..] {
        [_, "build.rs"] | [_, "src", "lib.rs" | "main.rs"] => true,
        [_, "src", "bin", _] | [_, "tests" | "benches" | "examples", _] => true,
        [_, "tests" | "benches" | "examples", _, "main.rs"] => true,
        // The package of benchmarks keeps them beside its manifest.
        ["benches", file] => file.ends_with(".rs"),
        // What searches for bad input is a package of its own.
        [_, "fuzz", "src", "lib.rs"] | [_, "fuzz", "src", "bin", _] => true,
        _ => false,
    }
}

/// Where the modules that a file declares are.
fn children_folder(path: &str) -> String {
    let (folder, file) = path.rsplit_once('/').unwrap();
    if is_root(path) || file == "mod.rs" {
        folder.to_string()
    } else {
        format!("{folder}/{}", file.trim_end_matches(".rs"))
    }
}

fn declared(text: &str) -> Vec<(&str, Reached)> {
    let mut declared = Vec::new();
    let mut how = Reached::Always;
    for line in text.lines() {
        if line.trim_start().starts_with("#[cfg(test)]") {
            how = Reached::ForTests;
        } else if let Some(name) = module(line) {
            declared.push((name, how));
            how = Reached::Always;
        } else if !line.trim_start().starts_with("#[") {
            how = Reached::Always;
        }
    }
    declared
}

/// The name in a line like `pub(crate) mod name;`.
fn module(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = match line.strip_prefix("pub") {
        Some(rest) => rest.split_once("mod ").map(|(_, rest)| rest)?,
        None => line.strip_prefix("mod ")?,
    };
    line.strip_suffix(';')
}

#[test]
fn only_what_a_mod_names_is_reached() {
    let sources: BTreeMap<String, String> = [
        (
            "x/src/lib.rs",
            "mod a;\npub(crate) mod b;\n#[cfg(test)]\nmod tests;",
        ),
        ("x/src/a.rs", "mod inner;\nmod inline {\n}"),
        ("x/src/a/inner.rs", ""),
        ("x/src/b/mod.rs", "pub mod c;"),
        ("x/src/b/c.rs", ""),
        ("x/src/tests.rs", ""),
        ("x/src/dead.rs", ""),
        ("x/src/a/dead.rs", ""),
        ("x/tests/y.rs", "mod help;"),
        ("x/tests/help/mod.rs", ""),
        ("x/tests/z/main.rs", "mod more;"),
        ("x/tests/z/more.rs", ""),
        ("x/tests/z/dead.rs", ""),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_string(), text.to_string()))
    .collect();
    let reached = reached(&sources);
    let dead: Vec<&String> = sources
        .keys()
        .filter(|p| !reached.contains_key(*p))
        .collect();
    assert_eq!(reached["x/src/tests.rs"], Reached::ForTests);
    assert_eq!(reached["x/src/b/c.rs"], Reached::Always);
    assert_eq!(
        dead,
        ["x/src/a/dead.rs", "x/src/dead.rs", "x/tests/z/dead.rs"]
    );
}

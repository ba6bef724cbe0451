//! The README's list of guarantees is the tables of invariants, word for word.
//!
//! `TEPUI_REWRITE=1 cargo test -p tepui-core --test guarantees` writes it anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use tepui_core::frameworks::batch::Batch;
use tepui_core::frameworks::execute::Execute;
use tepui_core::frameworks::service::Service;
use tepui_core::invariant::Invariant;
use tepui_core::scheduler::Logic;
use tepui_core::{agent, allocator, log, master, registry, scheduler};

const OPEN: &str = "<!-- guarantees -->\n";
const CLOSE: &str = "<!-- /guarantees -->";

/// What users read of an invariant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Guarantee {
    id: &'static str,
    why: &'static str,
}

fn of<S: ?Sized>(table: &[Invariant<S>]) -> Vec<Guarantee> {
    let rows = table.iter();
    rows.map(|Invariant { id, why, .. }| Guarantee { id, why })
        .collect()
}

/// Every table, in the order in which the README lists them.
fn guarantees() -> Vec<Guarantee> {
    [
        of(log::invariants::INVARIANTS),
        of(registry::INVARIANTS),
        of(registry::REGISTRAR_INVARIANTS),
        of(master::INVARIANTS),
        of(master::leading::INVARIANTS),
        of(allocator::INVARIANTS),
        of(agent::INVARIANTS),
        of(scheduler::INVARIANTS),
        of(Service::INVARIANTS),
        of(Batch::INVARIANTS),
        of(Execute::INVARIANTS),
    ]
    .concat()
}

fn table() -> String {
    let mut table = String::from("| invariant | what it promises |\n|---|---|\n");
    for Guarantee { id, why } in guarantees() {
        table.push_str(&format!("| `{id}` | {} |\n", sentence(why)));
    }
    table
}

fn sentence(why: &str) -> String {
    let (first, rest) = why.split_at(why.chars().next().map_or(0, char::len_utf8));
    let stop = if why.ends_with('.') { "" } else { "." };
    format!("{}{rest}{stop}", first.to_uppercase())
}

fn workspace() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap().to_path_buf()
}

#[test]
fn the_readme_lists_what_the_code_checks() {
    let path = workspace().join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(OPEN).expect("the README has the marker");
    let (listed, after) = rest.split_once(CLOSE).expect("the README has both markers");
    let table = table();
    if listed == table {
        return;
    }
    if std::env::var_os("TEPUI_REWRITE").is_some() {
        return fs::write(&path, format!("{before}{OPEN}{table}{CLOSE}{after}")).unwrap();
    }
    let listed: BTreeSet<&str> = listed.lines().collect();
    let checked: BTreeSet<&str> = table.lines().collect();
    panic!(
        "the README's guarantees are not the invariants of the code; in the code only: \
         {:#?}; in the README only: {:#?}; write the list anew with\n  \
         TEPUI_REWRITE=1 cargo test -p tepui-core --test guarantees",
        checked.difference(&listed).collect::<Vec<_>>(),
        listed.difference(&checked).collect::<Vec<_>>(),
    );
}

#[test]
fn ids_are_unique_and_reasons_fit_a_table() {
    let mut ids = BTreeSet::new();
    for Guarantee { id, why } in guarantees() {
        assert!(ids.insert(id), "{id} is declared twice");
        let (part, promise) = id.split_once('.').unwrap_or_default();
        let named = |text: &str| {
            let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            !text.is_empty() && text.chars().all(letter)
        };
        assert!(named(part) && named(promise), "{id} is not part.promise");
        let fits = why.len() > 10 && !why.contains(['|', '\n']);
        assert!(fits, "{id}: '{why}' does not fit a table");
    }
}

/// A table that nobody lists guards nothing that users know of.
#[test]
fn no_table_is_forgotten() {
    let listed: BTreeSet<&str> = guarantees().into_iter().map(|g| g.id).collect();
    let mut waiting = vec![workspace().join("core/src")];
    let mut declared = 0;
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(
                fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        if !text.contains(": &[Invariant<") {
            continue;
        }
        for line in text.lines() {
            let Some(rest) = line.trim_start().strip_prefix("id: \"") else {
                continue;
            };
            let id = rest.split('"').next().unwrap();
            assert!(
                listed.contains(id),
                "{}: {id} is in no list",
                path.display()
            );
            declared += 1;
        }
    }
    assert_eq!(declared, listed.len());
}

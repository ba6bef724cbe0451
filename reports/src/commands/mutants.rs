//! Planted bugs: does the simulator find them, and after how many seeds?
//!
//! A mutant is a patch in `sim/mutants/` whose text, before the difference, says what it plants
//! and which scenario is to find it:
//!
//! ```text
//! What: a promise is forgotten at restart
//! Breaks: A2
//! Run: scenarios/swarm/log_only_5.yaml
//! ```
//!
//! Each is applied to a scratch copy of the tree, never to the tree itself.

use super::{Error, at};
use crate::{Provenance, Report};
use clap::Args;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use tepui_sim::draw::Table;

/// What to plant and how long to look.
#[derive(Args, Debug)]
pub struct Options {
    /// The folder of patches.
    #[arg(long, default_value = "sim/mutants")]
    patches: PathBuf,
    /// Only patches whose name contains this.
    #[arg(long)]
    only: Option<String>,
    /// Give up a search after this many seeds.
    #[arg(long, default_value_t = 5_000)]
    seeds: u64,
    /// Searches for each bug, each from another seed; the table shows their median.
    #[arg(long, default_value_t = 5)]
    repeats: u64,
    /// Where the scratch copy and its build live.
    #[arg(long, default_value = "target/mutants")]
    scratch: PathBuf,
}

struct Mutant {
    name: String,
    patch: PathBuf,
    what: String,
    breaks: String,
    scenario: String,
}

struct Found {
    seeds: Vec<u64>,
    by: Vec<String>,
    missed: u64,
}

/// One line of `tepui sim run --json`.
#[derive(Deserialize)]
struct Outcome {
    verdict: String,
    #[serde(default)]
    violations: Vec<ViolationLine>,
}

#[derive(Deserialize)]
struct ViolationLine {
    invariant: String,
    #[serde(default)]
    found: String,
}

impl ViolationLine {
    /// Which promise was broken. A machine that ends itself over one of its own names it in its
    /// last words: `master-2 broke master.no-double-offer: ..`.
    fn promise(&self) -> &str {
        let last_words = self.found.split_once(" broke ");
        match last_words.and_then(|(_, rest)| rest.split_once(':')) {
            Some((name, _)) if self.invariant == "no-panic" => name,
            _ => &self.invariant,
        }
    }
}

/// Plants, searches and writes `mutants.md`.
///
/// # Errors
/// When a patch is stale, the scratch copy does not build, or a bug was not found.
pub fn run(options: &Options, out: &Path) -> Result<(), Error> {
    let mutants = read_mutants(options)?;
    let source = options.scratch.join("source");
    copy_tree(&source)?;
    let results = out.join("mutants.json");
    let mut rows = read_rows(&results)?;
    for (index, mutant) in mutants.iter().enumerate() {
        eprintln!(
            "[{}/{}] {}: {}",
            index + 1,
            mutants.len(),
            mutant.name,
            mutant.what
        );
        let started = Instant::now();
        apply(&source, mutant, false)?;
        let result = build(&source).and_then(|program| search(options, &source, &program, mutant));
        apply(&source, mutant, true)?;
        let found = result?;
        eprintln!("    {} ({:.0?})", describe(&found), started.elapsed());
        rows.insert(mutant.name.clone(), row(mutant, &found));
        // After each, so that a run that is cut short has not run for nothing.
        write(&rows, &results, out)?;
    }
    let unfound: Vec<&String> = rows
        .iter()
        .filter(|(_, row)| row.missed > 0)
        .map(|(n, _)| n)
        .collect();
    if unfound.is_empty() {
        return Ok(());
    }
    Err(Error(format!(
        "not always found within the given seeds: {unfound:?}"
    )))
}

/// What is known of one bug, kept from run to run so that a few can be tried again by themselves.
#[derive(Deserialize, Serialize)]
struct Row {
    what: String,
    breaks: String,
    scenario: String,
    median: Option<u64>,
    range: String,
    missed: u64,
    by: Vec<String>,
    commit: String,
}

fn row(mutant: &Mutant, found: &Found) -> Row {
    Row {
        what: mutant.what.clone(),
        breaks: mutant.breaks.clone(),
        scenario: mutant.scenario.clone(),
        median: median(found),
        range: range(found),
        missed: found.missed,
        by: found.by.clone(),
        commit: Provenance::here("").commit,
    }
}

fn read_rows(path: &Path) -> Result<BTreeMap<String, Row>, Error> {
    match fs::read(path) {
        Ok(text) => at(path.display(), serde_json::from_slice(&text)),
        Err(_) => Ok(BTreeMap::new()),
    }
}

fn write(rows: &BTreeMap<String, Row>, results: &Path, out: &Path) -> Result<(), Error> {
    let command = "cargo run --release -p tepui-reports -- mutants";
    let mut report = Report::new("Planted bugs", Provenance::here(command));
    report.text(
        "Each bug was planted alone in a scratch copy and searched for a few times, each time \
         from another seed. Those called cure take out what a scenario is there for.",
    );
    let mut table = Table::new(&[
        "patch",
        "bug",
        "breaks",
        "scenario",
        "seeds (median)",
        "range",
        "found by",
        "commit",
    ]);
    for (name, row) in rows {
        table.row([
            name.clone(),
            row.what.clone(),
            row.breaks.clone(),
            format!("`{}`", row.scenario),
            row.median
                .map_or_else(|| "not found".to_owned(), |seeds| seeds.to_string()),
            row.range.clone(),
            row.by.join(", "),
            row.commit.clone(),
        ]);
    }
    report.table(table);
    at(out.display(), report.write(out, "mutants"))?;
    let text = at("the results", serde_json::to_string_pretty(rows))?;
    at(results.display(), fs::write(results, text + "\n"))
}

fn read_mutants(options: &Options) -> Result<Vec<Mutant>, Error> {
    let mut patches: Vec<PathBuf> = at(options.patches.display(), fs::read_dir(&options.patches))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "patch")
        })
        .collect();
    patches.sort();
    let mut mutants = Vec::new();
    for patch in patches {
        let mutant = read_mutant(&patch)?;
        if options
            .only
            .as_ref()
            .is_none_or(|only| mutant.name.contains(only))
        {
            mutants.push(mutant);
        }
    }
    if mutants.is_empty() {
        return Err(Error(format!(
            "no patch to plant in {}",
            options.patches.display()
        )));
    }
    Ok(mutants)
}

fn read_mutant(patch: &Path) -> Result<Mutant, Error> {
    let text = at(patch.display(), fs::read_to_string(patch))?;
    let header = text.split("\n--- ").next().unwrap_or_default();
    let field = |name: &str| {
        let value = header
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.map(str::to_owned).ok_or_else(|| {
            Error(format!(
                "{}: no line '{name}: ..' above the patch",
                patch.display()
            ))
        })
    };
    Ok(Mutant {
        name: patch
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        patch: at(patch.display(), fs::canonicalize(patch))?,
        what: field("What")?,
        breaks: field("Breaks")?,
        scenario: field("Run")?,
    })
}

/// Copies what git knows of the tree, so that edits not yet committed count but builds do not.
fn copy_tree(to: &Path) -> Result<(), Error> {
    if to.exists() {
        at(to.display(), fs::remove_dir_all(to))?;
    }
    let list = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .output()?;
    if !list.status.success() {
        return Err(Error(
            "git does not list the tree: run this from a checkout".to_owned(),
        ));
    }
    for name in list
        .stdout
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
    {
        let name = PathBuf::from(String::from_utf8_lossy(name).into_owned());
        // A file that was deleted but is still in the index is not part of the tree.
        if name.is_file() {
            let target = to.join(&name);
            fs::create_dir_all(target.parent().unwrap_or(to))?;
            at(target.display(), fs::copy(&name, &target))?;
        }
    }
    Ok(())
}

fn apply(source: &Path, mutant: &Mutant, reverse: bool) -> Result<(), Error> {
    let mut command = Command::new("patch");
    command
        .args([
            "-p1",
            "--quiet",
            "--no-backup-if-mismatch",
            "--fuzz=0",
            "-i",
        ])
        .arg(&mutant.patch);
    if reverse {
        command.arg("--reverse");
    }
    let status = at(
        "patch",
        command.current_dir(source).stdout(Stdio::null()).status(),
    )?;
    if status.success() {
        return Ok(());
    }
    Err(Error(format!(
        "{}: does not apply to this tree any more: make it anew",
        mutant.name
    )))
}

fn build(source: &Path) -> Result<PathBuf, Error> {
    let status = Command::new("cargo")
        .args([
            "build",
            "--quiet",
            "--profile",
            "mutants",
            "-p",
            "tepui-sim",
            "--example",
            "sim",
        ])
        .env("CARGO_TARGET_DIR", "../target")
        .env("CARGO_INCREMENTAL", "1")
        .env("RUSTFLAGS", "-A warnings")
        .current_dir(source)
        .status()?;
    if !status.success() {
        return Err(Error(
            "the tree with the bug in it does not build".to_owned(),
        ));
    }
    Ok(fs::canonicalize(
        source.join("../target/mutants/examples/sim"),
    )?)
}

fn search(
    options: &Options,
    source: &Path,
    program: &Path,
    mutant: &Mutant,
) -> Result<Found, Error> {
    let mut found = Found {
        seeds: Vec::new(),
        by: Vec::new(),
        missed: 0,
    };
    for repeat in 0..options.repeats {
        let first = repeat * 1_000_000;
        let seeds = format!("{first}..{}", first + options.seeds);
        let output = Command::new(program)
            .args([
                "run",
                &mutant.scenario,
                "--json",
                "--until-failure",
                "--seeds",
                &seeds,
            ])
            .current_dir(source)
            .stderr(Stdio::null())
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let outcomes = text.lines().map(serde_json::from_str::<Outcome>);
        let outcomes: Vec<Outcome> = at("the simulator's JSON", outcomes.collect())?;
        let Some(at) = outcomes
            .iter()
            .position(|outcome| outcome.verdict != "passed")
        else {
            found.missed += 1;
            continue;
        };
        found.seeds.push(at as u64 + 1);
        let by = outcomes[at]
            .violations
            .first()
            .map_or(outcomes[at].verdict.as_str(), ViolationLine::promise);
        if !found.by.iter().any(|known| known == by) {
            found.by.push(by.to_owned());
        }
    }
    found.seeds.sort_unstable();
    Ok(found)
}

fn median(found: &Found) -> Option<u64> {
    let searches = found.seeds.len() + found.missed as usize;
    found.seeds.get(searches / 2).copied()
}

fn range(found: &Found) -> String {
    match (found.seeds.first(), found.seeds.last(), found.missed) {
        (Some(least), Some(most), 0) => format!("{least} to {most}"),
        (Some(least), _, missed) => format!("{least} to never ({missed} searches)"),
        _ => "never".to_owned(),
    }
}

fn describe(found: &Found) -> String {
    match median(found) {
        Some(seeds) => format!(
            "found after {seeds} seeds (median) by {}",
            found.by.join(", ")
        ),
        None => "not found".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_ends_itself_names_the_promise() {
        let line = |invariant: &str, found: &str| ViolationLine {
            invariant: invariant.to_owned(),
            found: found.to_owned(),
        };
        let named = line("no-panic", "master-2 broke master.no-double-offer: cpus:9");
        assert_eq!(named.promise(), "master.no-double-offer");
        let unnamed = line("no-panic", "index out of bounds");
        assert_eq!(unnamed.promise(), "no-panic");
    }

    #[test]
    fn a_missed_search_counts_as_longer_than_any_that_found() {
        let found = Found {
            seeds: vec![3, 9],
            by: vec![],
            missed: 1,
        };
        assert_eq!(median(&found), Some(9));
        let mostly_missed = Found {
            seeds: vec![3],
            by: vec![],
            missed: 2,
        };
        assert_eq!(
            (median(&mostly_missed), range(&mostly_missed).as_str()),
            (None, "3 to never (2 searches)")
        );
    }
}

//! The planner on a small made-up trace that lies in the project: the same figures for everyone,
//! and reports that are the same to the byte.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use tepui_core::placement::Policy;
use tepui_sim::capacity::cli;
use tepui_sim::capacity::generate;
use tepui_sim::capacity::input::{Mapping, read};
use tepui_sim::capacity::random::SplitMix64;
use tepui_sim::capacity::replay::replay;
use tepui_sim::capacity::workload::{Order, Workload};
use tepui_sim::draw::{Cell, Table};

/// What draws the trace, and its sizes: `tepui plan generate --seed 4 --out scenarios/capacity`.
const SEED: u64 = 4;
const MACHINES: usize = 60;
const TASKS: usize = 600;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/capacity")
}

fn small() -> Workload {
    let [machines, tasks] = ["machines.csv", "tasks.csv"].map(|name| folder().join(name));
    read(&machines, &tasks, &Mapping::default()).unwrap()
}

/// Compares with a file of the project, or writes it where `TEPUI_REWRITE` asks for that.
fn is_kept(name: &str, found: &str) {
    let path = folder().join(name);
    if std::env::var_os("TEPUI_REWRITE").is_some() {
        fs::create_dir_all(folder()).unwrap();
        fs::write(&path, found).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == found,
        "{} differs; if it should, TEPUI_REWRITE=1 cargo test -p tepui-sim --test planning \
         writes it",
        path.display()
    );
}

#[test]
fn the_trace_is_the_one_that_its_seed_draws() {
    is_kept("machines.csv", &generate::machines(SEED, MACHINES).csv());
    is_kept("tasks.csv", &generate::tasks(SEED, TASKS).csv());
}

/// The order that a seed draws, as the command line draws it.
fn order(workload: &Workload, seed: u64) -> Order {
    let mut random = SplitMix64::new(seed);
    Order {
        arrivals: random.shuffled(workload.tasks.len()),
        machines: random.shuffled(workload.machines.len()),
    }
}

#[test]
fn all_policies_replay_it_to_the_kept_figures() {
    let workload = small();
    let measure = workload.measure();
    let mut table = Table::new(&[
        "policy",
        "seed",
        "failed",
        "allocated_gpu_milli",
        "f_count",
        "alloc_pct_at_90",
        "frag_pct_at_90",
    ]);
    let mut allocated: BTreeMap<Policy, i64> = BTreeMap::new();
    for policy in Policy::all() {
        for seed in 1..=3 {
            let order = order(&workload, seed);
            let replayed = replay(&workload, &order, &measure, policy, seed);
            *allocated.entry(policy).or_default() += replayed.allocated_gpu_milli;
            // Tasks are large here: not every load is one that somebody sees.
            let (_, at) = replayed.loads.range(..=90).next_back().unwrap();
            table.row([
                Cell::from(policy.to_string()),
                Cell::from(seed as usize),
                Cell::from(replayed.failed),
                Cell::from(replayed.allocated_gpu_milli),
                Cell::from(replayed.f_count),
                Cell::number(at.alloc_pct, 2),
                Cell::number(at.frag_pct, 2),
            ]);
        }
    }
    assert_eq!(allocated.len(), 10);
    for policy in [Policy::Fgd, Policy::FgdX, Policy::FgdQ40] {
        assert!(allocated[&policy] > allocated[&Policy::Random], "{policy}");
        assert!(
            allocated[&policy] > allocated[&Policy::WorstFit],
            "{policy}"
        );
    }
    is_kept("expected.csv", &table.csv());
}

/// Runs a command of the planner on the trace, its report in a folder of its own.
fn report(command: &[&str], run: &str) -> BTreeMap<String, Vec<u8>> {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("planning-{}-{run}", command[0]));
    let mut typed: Vec<OsString> = command.iter().map(OsString::from).collect();
    for (flag, name) in [("--nodes", "machines.csv"), ("--tasks", "tasks.csv")] {
        typed.extend([OsString::from(flag), folder().join(name).into()]);
    }
    let _ = fs::remove_dir_all(&out);
    fs::create_dir_all(&out).unwrap();
    for (flag, name) in [("--html", "page.html"), ("--csv", ""), ("--png", "")] {
        typed.extend([OsString::from(flag), out.join(name).into()]);
    }
    let done = cli::run(typed, &|_, _| Err("no master is asked".to_owned()));
    assert_eq!(
        format!("{done:?}"),
        format!("{:?}", std::process::ExitCode::SUCCESS)
    );
    let files = fs::read_dir(&out).unwrap().map(|file| file.unwrap().path());
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read(path).unwrap())
    };
    files.map(read).collect()
}

#[test]
fn reports_are_whole_and_the_same_to_the_byte() {
    let commands: [&[&str]; 4] = [
        &["replay", "--seeds", "1..2"],
        &["fit", "--load", "80"],
        &["fragmentation", "--load", "90"],
        &[
            "compact",
            "--load",
            "40",
            "--seeds",
            "1..3",
            "--policy",
            "FGD,FirstFit",
        ],
    ];
    for command in commands {
        let [first, again] = ["first", "again"].map(|run| report(command, run));
        assert!(first == again, "{command:?}: another report of the same");
        let page = String::from_utf8(first["page.html"].clone()).unwrap();
        assert!(
            page.contains("<svg") && page.contains("<table>"),
            "{command:?}"
        );
        assert!(
            page.contains(&format!("tepui plan {}", command[0])),
            "{command:?}"
        );
        // Names of formats are no addresses that anything is fetched from.
        let page = page.replace("http://www.w3.org/2000/svg", "");
        for fetched in [
            "http:", "https:", "src=", "url(", "@import", "<link", "<script",
        ] {
            assert!(!page.contains(fetched), "{command:?}: {fetched}");
        }
        let pictures = first.iter().filter(|(name, _)| name.ends_with(".png"));
        assert!(pictures.clone().count() > 0, "{command:?}");
        assert!(
            pictures
                .clone()
                .all(|(_, bytes)| bytes.starts_with(b"\x89PNG"))
        );
        let tables = first.iter().filter(|(name, _)| name.ends_with(".csv"));
        assert!(tables.clone().count() > 0, "{command:?}");
        for (name, bytes) in tables {
            let lines = bytes.split(|byte| *byte == b'\n').count();
            assert!(lines > 2, "{command:?}: {name} holds nothing");
        }
    }
}

#[test]
fn what_is_stranded_is_told_by_rack_and_zone_and_kind() {
    let files = report(&["fragmentation", "--load", "100"], "groups");
    let groups = String::from_utf8(files["groups.csv"].clone()).unwrap();
    for attribute in ["rack", "zone", "kind of machine"] {
        let rows = groups
            .lines()
            .map(|line| line.split(',').collect::<Vec<_>>());
        let own = rows.filter(|row| row[0] == attribute);
        let machines: usize = own.map(|row| row[2].parse::<usize>().unwrap()).sum();
        assert_eq!(machines, MACHINES, "{attribute}");
    }
    assert!(groups.contains("kind of machine,8 × A100,"));
    let page = String::from_utf8(files["page.html"].clone()).unwrap();
    assert!(page.contains("<h2>By rack</h2>") && page.contains("<h2>By zone</h2>"));
}

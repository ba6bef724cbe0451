//! Thousands of seeds of the random-fault scenarios, and how fast they were tried.

use super::{Error, at};
use crate::{Provenance, Report};
use clap::Args;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tepui_sim::draw::Table;

/// Three and five masters, twenty agents and more.
const SWARMS: [&str; 2] = [
    "scenarios/swarm/random_faults_3.yaml",
    "scenarios/swarm/random_faults_5.yaml",
];

/// What to run.
#[derive(Args, Debug)]
pub struct Options {
    /// Scenario files.
    #[arg(default_values = SWARMS)]
    files: Vec<PathBuf>,
    /// Seeds for each file.
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// Threads.
    #[arg(long, default_value_t = 2)]
    jobs: u32,
}

/// One line of `tepui sim run --json`.
#[derive(Deserialize)]
struct Outcome {
    seed: u64,
    verdict: String,
    events: u64,
    messages: u64,
    faults: u64,
    simulated_s: f64,
    #[serde(default)]
    probes: BTreeMap<String, u64>,
}

#[derive(Default)]
struct Sum {
    seeds: u64,
    failed: Vec<u64>,
    events: u64,
    messages: u64,
    faults: u64,
    simulated_s: f64,
    probes: BTreeMap<String, u64>,
    cpu: Duration,
    wall: Duration,
}

/// Runs the swarms and writes `swarm.md`.
///
/// # Errors
/// When the simulator cannot be built or run, or a seed did not pass.
pub fn run(options: &Options, out: &Path) -> Result<(), Error> {
    let program = super::build_tepui()?;
    let command = format!(
        "cargo run --release -p tepui-reports -- swarm --seeds {} --jobs {}",
        options.seeds, options.jobs
    );
    let mut report = Report::new("Swarm", Provenance::here(&command));
    let mut figures = Table::new(&[
        "scenario",
        "seeds",
        "passed",
        "events",
        "events per second per core",
        "messages per second per core",
        "simulated cluster-hours per CPU-minute",
        "faults per simulated minute",
        "CPU time",
        "wall time",
    ]);
    let mut probes = Table::new(&["scenario", "rare path", "times taken"]);
    let mut failures = Vec::new();
    for file in &options.files {
        let sum = run_file(options, &program, file)?;
        figures.row(row(file, &sum));
        for (probe, count) in &sum.probes {
            probes.row([name(file), probe.clone(), count.to_string()]);
        }
        if let Some(seed) = sum.failed.first() {
            failures.push(format!("tepui sim run {} --seed {seed}", file.display()));
        }
    }
    report.text(
        "Every seed draws another cluster's life: processes, hosts, disks, clocks and the network \
         fail at random, then a quorum is healed and everything must converge.",
    );
    report.table(figures);
    report.text("How often rare paths were taken, over all seeds:");
    report.table(probes);
    at(out.display(), report.write(out, "swarm"))?;
    if failures.is_empty() {
        return Ok(());
    }
    Err(Error(format!(
        "seeds that did not pass; repeat with: {}",
        failures.join("; ")
    )))
}

fn name(file: &Path) -> String {
    file.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn row(file: &Path, sum: &Sum) -> [String; 10] {
    let cpu_s = sum.cpu.as_secs_f64();
    let minutes = sum.simulated_s / 60.0;
    [
        name(file),
        sum.seeds.to_string(),
        (sum.seeds - sum.failed.len() as u64).to_string(),
        sum.events.to_string(),
        format!("{:.0}", sum.events as f64 / cpu_s),
        format!("{:.0}", sum.messages as f64 / cpu_s),
        format!("{:.1}", (minutes / 60.0) / (cpu_s / 60.0)),
        format!("{:.1}", sum.faults as f64 / minutes),
        format!("{cpu_s:.0} s"),
        format!("{:.0} s", sum.wall.as_secs_f64()),
    ]
}

fn run_file(options: &Options, program: &Path, file: &Path) -> Result<Sum, Error> {
    let before = children_cpu();
    let started = Instant::now();
    let mut child = Command::new(program)
        .args([
            "sim",
            "run",
            "--json",
            "--seeds",
            &format!("0..{}", options.seeds),
        ])
        .args(["--jobs", &options.jobs.to_string()])
        .arg(file)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut sum = Sum::default();
    let lines = child.stdout.take().map(BufReader::new);
    for line in lines.into_iter().flat_map(BufRead::lines) {
        let outcome: Outcome = at("tepui sim run --json", serde_json::from_str(&line?))?;
        sum.seeds += 1;
        if outcome.verdict != "passed" {
            sum.failed.push(outcome.seed);
        }
        sum.events += outcome.events;
        sum.messages += outcome.messages;
        sum.faults += outcome.faults;
        sum.simulated_s += outcome.simulated_s;
        for (probe, count) in outcome.probes {
            *sum.probes.entry(probe).or_default() += count;
        }
    }
    child.wait()?;
    sum.wall = started.elapsed();
    sum.cpu = children_cpu().saturating_sub(before);
    if sum.seeds != options.seeds {
        return Err(Error(format!(
            "{}: {} of {} seeds ran",
            file.display(),
            sum.seeds,
            options.seeds
        )));
    }
    Ok(sum)
}

/// What all children that ended have computed.
fn children_cpu() -> Duration {
    use nix::sys::resource::{UsageWho, getrusage};
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("every process has a usage");
    let time = |t: nix::sys::time::TimeVal| {
        Duration::from_micros(t.tv_sec() as u64 * 1_000_000 + t.tv_usec() as u64)
    };
    time(usage.user_time()) + time(usage.system_time())
}

//! Reading the state of a large cluster.

use super::{Error, Figures, at};
use crate::{Provenance, Report};
use clap::Args;
use serde::Deserialize;
use std::path::Path;
use tepui_sim::draw::{Plot, Shape, Table};

/// How large the cluster is.
#[derive(Args, Debug)]
pub struct Options {
    /// Agents.
    #[arg(long, default_value_t = 10_000)]
    agents: u32,
    /// Tasks that they run together.
    #[arg(long, default_value_t = 100_000)]
    tasks: u32,
    /// Schedulers that are subscribed.
    #[arg(long, default_value_t = 500)]
    schedulers: u32,
    /// How often the state is read.
    #[arg(long, default_value_t = 30)]
    reads: u32,
}

/// What `tepui measure state` writes.
#[derive(Deserialize)]
struct Measured {
    state_bytes: u64,
    state: Figures,
    calls_idle: Figures,
    calls_during_state: Figures,
    bytes_per_agent: u64,
    bytes_per_task: u64,
    bytes_per_scheduler: u64,
    master_bytes: u64,
}

/// Mesos 1.12.0 on this kind of machine, with 1,000 tasks.
const MESOS_TASKS: u32 = 1_000;
const MESOS_STATE_BYTES: u64 = 720_049;
const MESOS_STATE_P50_MS: f64 = 11.8;
/// What its master's memory grew by with these tasks: 19.5 MB from 5.9 MB.
const MESOS_BYTES_PER_TASK: u64 = (19_500_000 - 5_900_000) / 1_000;

fn flags(options: &Options) -> Vec<String> {
    let numbers = [
        ("--agents", options.agents),
        ("--tasks", options.tasks),
        ("--schedulers", options.schedulers),
        ("--reads", options.reads),
    ];
    let pairs = numbers.map(|(name, number)| [name.to_owned(), number.to_string()]);
    pairs.into_iter().flatten().collect()
}

fn measure(options: &Options) -> Result<Measured, Error> {
    let flags = flags(options);
    let mut arguments = vec!["state"];
    arguments.extend(flags.iter().map(String::as_str));
    super::measure(&arguments)
}

/// Measures and writes `state.md`.
///
/// # Errors
/// When the master does not come to know all of the cluster.
pub fn run(options: &Options, out: &Path) -> Result<(), Error> {
    let small = Options {
        agents: 1,
        tasks: MESOS_TASKS,
        schedulers: 1,
        reads: options.reads,
    };
    let small = measure(&small)?;
    let large = measure(options)?;
    let options_text = flags(options).join(" ");
    let command = format!("cargo run --release -p tepui-reports -- state {options_text}");
    let mut report = Report::new("State of a large cluster", Provenance::here(&command));
    report.text(format!(
        "One master as a real process; {} agents that are connections, each back with its tasks \
         as after an election, {} tasks together; {} schedulers subscribed over HTTP. `GET \
         /state` is read {} times, one after another, each through a new connection and to its \
         last byte. Meanwhile, and before that while nothing else is asked, another client makes \
         small calls that the node itself answers (`GET_WEIGHTS`). The size at which Mesos 1.12.0 \
         was measured on this kind of machine stands beside it; Mesos handles nothing else while \
         it writes its state.",
        options.agents, options.tasks, options.schedulers, options.reads
    ));
    reads(options, &small, &large, &mut report);
    meanwhile(&large, &mut report);
    memory(&large, &mut report);
    at(out.display(), report.write(out, "state"))
}

fn reads(options: &Options, small: &Measured, large: &Measured, report: &mut Report) {
    let mut table = Table::new(&["`GET /state`", "bytes", "p50 ms", "p99 ms", "MB/s at p50"]);
    let mut row = |name: String, bytes: u64, p50: f64, p99: Option<f64>| {
        table.row([
            name,
            bytes.to_string(),
            format!("{p50:.2}"),
            p99.map_or_else(String::new, |p99| format!("{p99:.2}")),
            format!("{:.0}", bytes as f64 / 1e3 / p50),
        ]);
    };
    let (tasks, state) = (MESOS_TASKS, MESOS_STATE_BYTES);
    let name = format!("Mesos, {tasks} completed tasks");
    row(name, state, MESOS_STATE_P50_MS, None);
    for (tasks, measured) in [(tasks, small), (options.tasks, large)] {
        let state = &measured.state;
        let name = format!("Tepui, {tasks} running tasks");
        row(name, measured.state_bytes, state.p50_ms, Some(state.p99_ms));
    }
    report.table(table);
}

fn meanwhile(measured: &Measured, report: &mut Report) {
    let mut table = Table::new(&["small calls, ms", "p50", "p99", "longest"]);
    let rows = [
        ("idle", &measured.calls_idle),
        ("while the state is read", &measured.calls_during_state),
    ];
    let mut bars = Vec::new();
    for (name, figures) in rows {
        table.row([
            name.to_owned(),
            format!("{:.2}", figures.p50_ms),
            format!("{:.2}", figures.p99_ms),
            format!("{:.2}", figures.max_ms),
        ]);
        bars.push((format!("small calls, {name}, p50"), figures.p50_ms));
        bars.push((format!("small calls, {name}, p99"), figures.p99_ms));
    }
    bars.push(("GET /state, p50".to_owned(), measured.state.p50_ms));
    bars.push(("GET /state, p99".to_owned(), measured.state.p99_ms));
    report.table(table);
    report.plot(
        "state",
        Plot {
            title: "Reading the state, and what others wait meanwhile".to_owned(),
            x: "ms".to_owned(),
            y: String::new(),
            shape: Shape::Bars(bars),
        },
    );
}

fn memory(measured: &Measured, report: &mut Report) {
    let mut table = Table::new(&["memory of the master, bytes", "Tepui", "Mesos"]);
    let rows = [
        (
            "each agent, with its connection",
            measured.bytes_per_agent,
            None,
        ),
        (
            "each task",
            measured.bytes_per_task,
            Some(MESOS_BYTES_PER_TASK),
        ),
        (
            "each subscribed scheduler",
            measured.bytes_per_scheduler,
            None,
        ),
        ("all of it, after the reads", measured.master_bytes, None),
    ];
    for (name, bytes, mesos) in rows {
        let mesos = mesos.map_or_else(String::new, |bytes| bytes.to_string());
        table.row([name.to_owned(), bytes.to_string(), mesos]);
    }
    report.table(table);
}

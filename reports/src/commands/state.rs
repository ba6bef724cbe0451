//! Reading the state of a large cluster.

use super::{Error, Figures, at};
use crate::{Provenance, Report, Table};
use clap::Args;
use serde::Deserialize;
use std::path::Path;

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

/// Measures and writes `state.md`.
///
/// # Errors
/// When the master does not come to know all of the cluster.
pub fn run(options: &Options, out: &Path) -> Result<(), Error> {
    let Options {
        agents,
        tasks,
        schedulers,
        reads,
    } = options;
    let numbers = [agents, tasks, schedulers, reads].map(ToString::to_string);
    let names = ["--agents", "--tasks", "--schedulers", "--reads"];
    let flags = names.iter().zip(&numbers);
    let flags: Vec<&str> = flags.flat_map(|(name, number)| [*name, number]).collect();
    let mut arguments = vec!["state"];
    arguments.extend(&flags);
    let measured: Measured = super::measure(&arguments)?;
    let options = flags.join(" ");
    let command = format!("cargo run --release -p tepui-reports -- state {options}");
    let mut report = Report::new("State of a large cluster", Provenance::here(&command));
    report.text(format!(
        "One master as a real process; {agents} agents that are connections, each back with its \
         tasks as after an election, {tasks} tasks together; {schedulers} schedulers subscribed \
         over HTTP. `GET /state` is read {reads} times, one after another, each through a new \
         connection and to its last byte: {:.1} MB. Meanwhile, and before that while nothing else \
         is asked, another client makes small calls that the node itself answers \
         (`GET_WEIGHTS`). Mesos 1.12.0 on this kind of machine answers with 720,049 bytes for \
         1,000 tasks in 11.8 ms (p50), and handles nothing else meanwhile.",
        measured.state_bytes as f64 / 1e6
    ));
    tabulate(&measured, &mut report);
    at(out.display(), report.write(out, "state"))
}

fn tabulate(measured: &Measured, report: &mut Report) {
    let mut times = Table::new(&["ms", "p50", "p99", "longest"]);
    let rows = [
        ("`GET /state`", &measured.state),
        ("small calls, idle", &measured.calls_idle),
        (
            "small calls, while the state is read",
            &measured.calls_during_state,
        ),
    ];
    for (name, figures) in rows {
        times.row([
            name.to_owned(),
            format!("{:.2}", figures.p50_ms),
            format!("{:.2}", figures.p99_ms),
            format!("{:.2}", figures.max_ms),
        ]);
    }
    report.table(times);
    let mut memory = Table::new(&["memory of the master", "bytes"]);
    let rows = [
        ("each agent, with its connection", measured.bytes_per_agent),
        ("each task", measured.bytes_per_task),
        ("each subscribed scheduler", measured.bytes_per_scheduler),
        ("all of it, after the reads", measured.master_bytes),
    ];
    for (name, bytes) in rows {
        memory.row([name.to_owned(), bytes.to_string()]);
    }
    report.table(memory);
}

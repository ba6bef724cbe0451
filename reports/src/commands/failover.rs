//! `kill -9` of the leader on a real cluster, beside Mesos'.

use super::{Error, Figures, at};
use crate::{Provenance, Report};
use clap::Args;
use serde::Deserialize;
use std::path::Path;
use tepui_sim::draw::{Plot, Shape, Table};

/// How often to kill.
#[derive(Args, Debug)]
pub struct Options {
    /// How often the leader is killed.
    #[arg(long, default_value_t = 20)]
    kills: u32,
    /// Agents.
    #[arg(long, default_value_t = 2)]
    agents: u32,
    /// Tasks that run meanwhile.
    #[arg(long, default_value_t = 20)]
    tasks: u32,
}

/// What `tepui measure failover` writes.
#[derive(Deserialize)]
struct Measured {
    new_leader: Figures,
    agents_back: Figures,
    scheduler_subscribed: Figures,
    first_offer: Figures,
    tasks_lost: u64,
}

/// The median and the range of what Mesos took, in ms.
#[derive(Clone, Copy)]
struct Mesos {
    median: f64,
    range: (f64, f64),
}

const fn mesos(median: f64, low: f64, high: f64) -> Option<Mesos> {
    Some(Mesos {
        median,
        range: (low, high),
    })
}

/// Mesos 1.12.0, three masters, replicated log, ZooKeeper with its default session of 10 s:
/// median and range, in ms after the kill. Its first offer was not measured.
const MESOS_MS: [(&str, Option<Mesos>); 4] = [
    ("new leader", mesos(9_500.0, 8_500.0, 10_500.0)),
    ("agents back", mesos(10_100.0, 8_800.0, 10_900.0)),
    ("scheduler subscribed", mesos(9_600.0, 8_700.0, 10_400.0)),
    ("first offer", None),
];

/// What p99 should be below.
const GOAL_P99_MS: f64 = 1_000.0;

/// Measures and writes `failover.md`.
///
/// # Errors
/// When the cluster does not come back, or a task was lost.
pub fn run(options: &Options, out: &Path) -> Result<(), Error> {
    let Options {
        kills,
        agents,
        tasks,
    } = options;
    let (kills, agents, tasks) = (kills.to_string(), agents.to_string(), tasks.to_string());
    let arguments = [
        "failover", "--kills", &kills, "--agents", &agents, "--tasks", &tasks,
    ];
    let measured: Measured = super::measure(&arguments)?;
    let options = format!("--kills {kills} --agents {agents} --tasks {tasks}");
    let command = format!("cargo run --release -p tepui-reports -- failover {options}");
    let mut report = Report::new("Failover", Provenance::here(&command));
    report.text(format!(
        "Three masters and {agents} agents as real processes on loopback, {tasks} tasks running; \
         kill -9 of the leader, {kills} times. Times from the kill, in ms. Mesos 1.12.0 with \
         ZooKeeper was measured on this kind of machine. Tasks lost: {}.",
        measured.tasks_lost
    ));
    tabulate(&measured, &mut report);
    at(out.display(), report.write(out, "failover"))?;
    if measured.tasks_lost == 0 {
        return Ok(());
    }
    Err(Error(format!("{} tasks were lost", measured.tasks_lost)))
}

fn tabulate(measured: &Measured, report: &mut Report) {
    let mut table = Table::new(&[
        "until",
        "Tepui p50",
        "Tepui p99",
        "Tepui range",
        "Mesos median",
        "Mesos range",
        "times faster (p50)",
        "p99 under 1 s",
    ]);
    let series = [
        &measured.new_leader,
        &measured.agents_back,
        &measured.scheduler_subscribed,
        &measured.first_offer,
    ];
    let mut bars = Vec::new();
    for ((name, mesos), ours) in MESOS_MS.iter().zip(series) {
        table.row([
            (*name).to_owned(),
            format!("{:.0}", ours.p50_ms),
            format!("{:.0}", ours.p99_ms),
            format!("{:.0} to {:.0}", ours.min_ms, ours.max_ms),
            mesos.map_or_else(|| "not measured".to_owned(), |m| format!("{:.0}", m.median)),
            mesos.map_or_else(String::new, |m| {
                format!("{:.0} to {:.0}", m.range.0, m.range.1)
            }),
            mesos.map_or_else(String::new, |m| format!("{:.0}", m.median / ours.p50_ms)),
            if ours.p99_ms < GOAL_P99_MS {
                "yes"
            } else {
                "no"
            }
            .to_owned(),
        ]);
        bars.push((format!("Tepui, {name}, p50"), ours.p50_ms));
        bars.push((format!("Tepui, {name}, p99"), ours.p99_ms));
        bars.extend(mesos.map(|m| (format!("Mesos, {name}, median"), m.median)));
    }
    report.table(table);
    report.plot(
        "failover",
        Plot {
            title: "From the leader's death".to_owned(),
            x: "ms".to_owned(),
            y: String::new(),
            shape: Shape::Bars(bars),
        },
    );
}

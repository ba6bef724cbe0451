//! Durable appends to the log of three masters on one disk, beside etcd's.

use super::{Error, Figures, at};
use crate::plot::{Plot, Shape};
use crate::{Provenance, Report, Table};
use clap::Args;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// How to measure.
#[derive(Args, Debug)]
pub struct Options {
    /// How long each run takes.
    #[arg(long, default_value_t = 5)]
    seconds: u32,
    /// A folder on the disk to measure.
    #[arg(long, default_value = "target")]
    folder: PathBuf,
}

/// What `tepui measure append` writes.
#[derive(Deserialize)]
struct Measured {
    /// One block and one sync, with nothing else under way.
    fdatasync: Figures,
    rows: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    writers: u64,
    value_bytes: u64,
    appends_per_second: f64,
    latency: Figures,
}

/// etcd 3.4, three nodes on one disk of this kind of machine: writers, writes a second.
const ETCD: [(u64, f64); 2] = [(1, 1_292.0), (16, 4_555.0)];
/// How many times etcd's rate is wanted.
const GOAL_TIMES: f64 = 5.0;
/// How many syncs one writer's median append should take at most.
const GOAL_SYNCS: f64 = 3.0;

/// Measures and writes `append.md`.
///
/// # Errors
/// When the masters do not elect a leader or the disk fails.
pub fn run(options: &Options, out: &Path) -> Result<(), Error> {
    let seconds = options.seconds.to_string();
    let folder = options.folder.display().to_string();
    let measured: Measured = super::measure(&[
        "append",
        "--writers",
        "1,16,64",
        "--seconds",
        &seconds,
        "--folder",
        &folder,
    ])?;
    let command = format!("cargo run --release -p tepui-reports -- append --seconds {seconds}");
    let mut report = Report::new("Durable appends", Provenance::here(&command));
    report.text(format!(
        "Three masters' logs over loopback, each with its own journal on one disk; values of {} \
         bytes; an append is done when a quorum has it on disk. One write with fdatasync to a \
         preallocated file took {:.3} ms (p50) in the same run. etcd 3.4 with three nodes on one \
         disk was measured on this kind of machine.",
        measured.rows.first().map_or(0, |run| run.value_bytes),
        measured.fdatasync.p50_ms
    ));
    let mut table = Table::new(&[
        "writers",
        "appends/s",
        "p50 ms",
        "p99 ms",
        "syncs (p50)",
        "etcd writes/s",
        "times etcd",
        "goal reached",
    ]);
    let mut bars = Vec::new();
    for run in &measured.rows {
        let syncs = run.latency.p50_ms / measured.fdatasync.p50_ms;
        let etcd = ETCD
            .iter()
            .find(|(writers, _)| *writers == run.writers)
            .map(|(_, rate)| *rate);
        let times = etcd.map(|rate| run.appends_per_second / rate);
        let reached = times.is_none_or(|times| times >= GOAL_TIMES)
            && (run.writers > 1 || syncs <= GOAL_SYNCS);
        table.row([
            run.writers.to_string(),
            format!("{:.0}", run.appends_per_second),
            format!("{:.3}", run.latency.p50_ms),
            format!("{:.3}", run.latency.p99_ms),
            format!("{syncs:.1}"),
            etcd.map_or_else(|| "not measured".to_owned(), |rate| format!("{rate:.0}")),
            times.map_or_else(String::new, |times| format!("{times:.1}")),
            if reached { "yes" } else { "no" }.to_owned(),
        ]);
        bars.extend(etcd.map(|rate| (format!("etcd, {} writers", run.writers), rate)));
        bars.push((
            format!("Tepui, {} writers", run.writers),
            run.appends_per_second,
        ));
    }
    report.table(table);
    report.plot(
        "append",
        Plot {
            title: "Durable appends, three nodes on one disk".to_owned(),
            x: "appends per second".to_owned(),
            y: String::new(),
            shape: Shape::Bars(bars),
        },
    );
    at(out.display(), report.write(out, "append"))
}

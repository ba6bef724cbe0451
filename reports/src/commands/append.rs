//! Durable appends to the log of three masters on one disk, beside etcd's.

use super::{Error, Figures, at};
use crate::{Provenance, Report};
use clap::Args;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use tepui_sim::draw::{Plot, Shape, Table};

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
    /// The same on three files at once, until two are done.
    quorum_fdatasync: Figures,
    rows: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    writers: u64,
    value_bytes: u64,
    appends_per_second: f64,
    latency: Figures,
    user_ms: f64,
    kernel_ms: f64,
}

/// etcd 3.4, three nodes on one disk of this kind of machine: writers, writes a second.
/// The last is that of `etcdctl check perf` at its large load.
const ETCD: [(u64, f64); 3] = [(1, 1_292.0), (16, 4_555.0), (64, 4_794.0)];
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
         disk was measured on this kind of machine; beside 64 writers stands its best figure, that \
         of `etcdctl check perf` at its large load.",
        measured.rows.first().map_or(0, |run| run.value_bytes),
        measured.fdatasync.p50_ms
    ));
    report.table(table(&measured));
    if let Some(why) = what_holds_one_writer_back(&measured) {
        report.text(why);
    }
    report.plot(
        "append",
        Plot {
            title: "Durable appends, three nodes on one disk".to_owned(),
            x: "appends per second".to_owned(),
            y: String::new(),
            shape: Shape::Bars(bars(&measured)),
        },
    );
    at(out.display(), report.write(out, "append"))
}

fn etcd_rate(writers: u64) -> Option<f64> {
    let mut known = ETCD.iter().filter(|(count, _)| *count == writers);
    known.next().map(|(_, rate)| *rate)
}

fn table(measured: &Measured) -> Table {
    let mut table = Table::new(&[
        "writers",
        "appends/s",
        "p50 ms",
        "p99 ms",
        "syncs (p50)",
        "etcd writes/s",
        "times etcd",
        "CPU us, own",
        "CPU us, kernel",
        "goal reached",
    ]);
    for run in &measured.rows {
        let syncs = run.latency.p50_ms / measured.fdatasync.p50_ms;
        let etcd = etcd_rate(run.writers);
        let times = etcd.map(|rate| run.appends_per_second / rate);
        let reached = times.is_some_and(|times| times >= GOAL_TIMES)
            && (run.writers > 1 || syncs <= GOAL_SYNCS);
        table.row([
            run.writers.to_string(),
            format!("{:.0}", run.appends_per_second),
            format!("{:.3}", run.latency.p50_ms),
            format!("{:.3}", run.latency.p99_ms),
            format!("{syncs:.1}"),
            etcd.map_or_else(|| "not measured".to_owned(), |rate| format!("{rate:.0}")),
            times.map_or_else(String::new, |times| format!("{times:.1}")),
            format!("{:.0}", run.user_ms * 1e3),
            format!("{:.0}", run.kernel_ms * 1e3),
            if reached { "yes" } else { "no" }.to_owned(),
        ]);
    }
    table
}

fn bars(measured: &Measured) -> Vec<(String, f64)> {
    let mut bars = Vec::new();
    for run in &measured.rows {
        let (etcd, writers) = (etcd_rate(run.writers), writers(run.writers));
        bars.extend(etcd.map(|rate| (format!("etcd, {writers}"), rate)));
        bars.push((format!("Tepui, {writers}"), run.appends_per_second));
    }
    bars
}

fn writers(count: u64) -> String {
    if count == 1 {
        String::from("1 writer")
    } else {
        format!("{count} writers")
    }
}

/// Where a single writer's time goes, if it misses five times etcd's rate.
fn what_holds_one_writer_back(measured: &Measured) -> Option<String> {
    let one = measured.rows.iter().find(|run| run.writers == 1)?;
    let etcd = etcd_rate(1)?;
    if one.appends_per_second >= etcd * GOAL_TIMES {
        return None;
    }
    let us = |ms: f64| ms * 1e3;
    let (disk, all) = (us(measured.quorum_fdatasync.p50_ms), us(one.latency.p50_ms));
    let wanted = 1e6 / (etcd * GOAL_TIMES);
    Some(format!(
        "What holds one writer back: an append that waits for nobody leaves nothing to share. \
         Three threads that do nothing but sync a block each at the same moment on this disk wait \
         {disk:.0} us (p50) until two are done, since the device flushes for one after another; \
         the goal leaves {wanted:.0} us for an append, so {:.0} us for all else. All else takes \
         {:.0} us here: the request to the followers and their answer over loopback, and the \
         hand-overs between the node's, the link's and the journal's threads, {:.0} us of CPU \
         time in the kernel and {:.0} us of our own on the cores that all three masters and the \
         writer share. The leader's own sync overlaps with the followers'; nobody waits for the \
         third.",
        wanted - disk,
        all - disk,
        us(one.kernel_ms),
        us(one.user_ms),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(appends_per_second: f64) -> Measured {
        let figures = |p50_ms| Figures {
            min_ms: p50_ms,
            p50_ms,
            p99_ms: p50_ms,
            max_ms: p50_ms,
        };
        Measured {
            fdatasync: figures(0.07),
            quorum_fdatasync: figures(0.11),
            rows: vec![Run {
                writers: 1,
                value_bytes: 200,
                appends_per_second,
                latency: figures(0.2),
                user_ms: 0.02,
                kernel_ms: 0.17,
            }],
        }
    }

    #[test]
    fn a_missed_goal_is_explained_by_what_was_measured() {
        let why = what_holds_one_writer_back(&measured(5_000.0)).unwrap();
        for part in [
            "wait 110 us",
            "leaves 155 us",
            "so 45 us",
            "takes 90 us",
            "170 us of CPU",
        ] {
            assert!(why.contains(part), "{part} in {why}");
        }
        assert!(what_holds_one_writer_back(&measured(6_500.0)).is_none());
    }
}

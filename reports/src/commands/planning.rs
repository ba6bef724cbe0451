//! How fast capacity is planned, on the published trace of a real GPU cluster.

use super::{Error, at};
use crate::{Provenance, Report};
use clap::Args;
use std::path::{Path, PathBuf};
use std::time::Instant;
use tepui_core::placement::{Measure, Policy};
use tepui_sim::capacity::compact::{Compaction, nearest_rank};
use tepui_sim::capacity::input::{Mapping, read, read_arrivals, read_order};
use tepui_sim::capacity::parallel::in_parallel;
use tepui_sim::capacity::placer::Placer;
use tepui_sim::capacity::random::SplitMix64;
use tepui_sim::capacity::replay::replay;
use tepui_sim::capacity::workload::{Order, Workload};
use tepui_sim::draw::{Cell, Plot, Shape, Table};

/// Where the trace is, and how often each thing is measured.
#[derive(Args, Debug)]
pub struct Options {
    /// The folder with openb's machines, tasks and orders.
    #[arg(long, default_value = "../shared/traces/openb")]
    trace: PathBuf,
    /// How often each is measured; the median counts.
    #[arg(long, default_value_t = 9)]
    repeats: usize,
}

/// Goals on the machine that the project is measured on.
const GOAL_REPLAY_MS: f64 = 30.0;
const GOAL_ALL_MS: f64 = 3_000.0;
const GOAL_COMPACT_MS: f64 = 2_000.0;

/// What the interpreted reference implementation takes at least, caching by shape.
const REFERENCE_REPLAY_MS: f64 = 300.0;

/// Up to which load, in percent of all GPUs, tasks are compacted.
const COMPACTED_LOAD: u32 = 60;

/// A trace with the order in which its tasks come.
struct Trace {
    workload: Workload,
    order: Order,
    measure: Measure,
}

fn load(folder: &Path, nodes: &str) -> Result<Trace, Error> {
    let machines = folder.join(format!("openb_node_list_{nodes}_node.csv"));
    let tasks = folder.join("openb_pod_list_default.csv");
    let workload = at("openb", read(&machines, &tasks, &Mapping::default()))?;
    let path = folder.join("orders/default_seed42.json");
    // The published order is of the machines with GPUs.
    let order = match nodes {
        "gpu" => read_order(&path, &workload),
        _ => read_arrivals(&path, &workload),
    };
    let order = at("openb", order)?;
    let measure = workload.measure();
    Ok(Trace {
        workload,
        order,
        measure,
    })
}

/// The median of a few measurements, in milliseconds.
fn median_ms(repeats: usize, mut work: impl FnMut()) -> f64 {
    let mut nanos: Vec<usize> = (0..repeats.max(1))
        .map(|_| {
            let began = Instant::now();
            work();
            began.elapsed().as_nanos() as usize
        })
        .collect();
    nanos.sort_unstable();
    nearest_rank(&nanos, 50) as f64 / 1e6
}

/// One thing that was measured.
struct Figure {
    what: String,
    took_ms: f64,
    goal_ms: f64,
}

/// Measures and writes `planning.md`.
///
/// # Errors
/// When the trace is not there.
pub fn run(options: &Options, out: &Path) -> Result<(), Error> {
    let gpu = load(&options.trace, "gpu")?;
    let all = load(&options.trace, "all")?;
    let figures = [
        one_replay(options, &gpu),
        all_replays(options, &gpu),
        compaction(options, &all),
    ];
    let command = "cargo run --release -p tepui-reports -- planning";
    let mut report = Report::new("Capacity planning", Provenance::here(command));
    report.text(format!(
        "On openb, the published trace of a GPU cluster (Weng et al., USENIX ATC 2023): {} \
         machines with {} GPUs, of which compaction also takes those without GPUs. Medians of {} \
         measurements, reading the files not counted; the reference is an independent \
         implementation in an interpreted language that caches scores by shape.",
        Cell::from(gpu.workload.machines.len()).shown(),
        Cell::from(gpu.workload.gpu_milli() / 1000).shown(),
        options.repeats
    ));
    let mut table = Table::new(&["what", "ms", "goal, ms", "reached"]);
    let mut bars = vec![(
        "Reference, one replay, at least".to_owned(),
        REFERENCE_REPLAY_MS,
    )];
    for figure in &figures {
        let reached = figure.took_ms <= figure.goal_ms;
        table.row([
            Cell::from(figure.what.as_str()),
            Cell::number(figure.took_ms, 1),
            Cell::number(figure.goal_ms, 0),
            Cell::from(if reached { "yes" } else { "no" }),
        ]);
        bars.push((format!("Tepui, {}", figure.what), figure.took_ms));
    }
    report.table(table);
    report.plot(
        "planning",
        Plot {
            title: "Planning on openb".to_owned(),
            x: "ms".to_owned(),
            y: String::new(),
            shape: Shape::Bars(bars),
        },
    );
    scores(&gpu, &mut report);
    at(out.display(), report.write(out, "planning"))
}

fn one_replay(options: &Options, trace: &Trace) -> Figure {
    let Trace {
        workload,
        order,
        measure,
    } = trace;
    let took_ms = median_ms(options.repeats, || {
        let replayed = replay(workload, order, measure, Policy::FgdQ40, 1);
        assert_eq!(replayed.arrivals, order.arrivals.len());
    });
    let arrivals = Cell::from(order.arrivals.len()).shown();
    Figure {
        what: format!("one replay, {arrivals} arrivals, FGDq40"),
        took_ms,
        goal_ms: GOAL_REPLAY_MS,
    }
}

fn all_replays(options: &Options, trace: &Trace) -> Figure {
    const SEEDS: u64 = 10;
    let workload = &trace.workload;
    let mut runs = Vec::new();
    for seed in 1..=SEEDS {
        let mut random = SplitMix64::new(seed);
        let order = Order {
            // As many arrivals as the published order has: some tasks come twice.
            arrivals: trace.order.arrivals.clone(),
            machines: random.shuffled(workload.machines.len()),
        };
        runs.extend(Policy::all().map(|policy| (policy, seed, order.clone())));
    }
    let took_ms = median_ms(options.repeats.min(3), || {
        let done = in_parallel(&runs, |(policy, seed, order)| {
            replay(workload, order, &trace.measure, *policy, *seed).failed
        });
        assert!(
            done.iter().all(|failed| *failed > 0),
            "more is asked for than there is"
        );
    });
    Figure {
        what: format!("{} replays: ten policies, ten seeds", runs.len()),
        took_ms,
        goal_ms: GOAL_ALL_MS,
    }
}

fn compaction(options: &Options, trace: &Trace) -> Figure {
    let seeds: Vec<u64> = (1..=11).collect();
    let (policy, load) = (Policy::FirstFit, COMPACTED_LOAD);
    let Trace {
        workload,
        order,
        measure,
    } = trace;
    let compaction = Compaction::new(workload, order, measure, policy, load);
    let took_ms = median_ms(options.repeats.min(3), || {
        let machines = in_parallel(&seeds, |seed| compaction.machines(*seed));
        assert!(
            machines.iter().all(Option::is_some),
            "all of it fits at first"
        );
    });
    let machines = Cell::from(workload.machines.len()).shown();
    Figure {
        what: format!("compaction of {machines} machines, {} tries", seeds.len()),
        took_ms,
        goal_ms: GOAL_COMPACT_MS,
    }
}

/// Says what keeps the cost of scores down, counted.
fn scores(trace: &Trace, report: &mut Report) {
    let Trace {
        workload,
        order,
        measure,
    } = trace;
    let mut table = Table::new(&[
        "policy",
        "scores if all machines were asked",
        "scores",
        "saved",
    ]);
    for policy in [Policy::FirstFit, Policy::Fgd, Policy::FgdQ40] {
        let free = workload.free(&order.machines);
        let asked_all = order.arrivals.len() as f64 * free.len() as f64;
        let mut placer = Placer::new(policy, free, &workload.shapes, measure, 1);
        for task in &order.arrivals {
            placer.place(workload.shape_of[*task]);
        }
        let scored = placer.scored() as f64;
        table.row([
            Cell::from(policy.to_string()),
            Cell::number(asked_all, 0),
            Cell::number(scored, 0),
            Cell::from(format!("{:.1} %", 100.0 - 100.0 * scored / asked_all)),
        ]);
    }
    report.text(
        "What is done about the cost of scores: a placement changes one machine, so for each \
         shape of task a tournament tree over all machines is kept, and brought up to date only \
         with the machines that changed since a task of that shape came last. A machine's \
         fragment is kept too, so that a score measures only what would be after the placement; \
         classes that need the same of a GPU are measured together. The plain search over all \
         machines, and the measure by its definition, class by class, are kept as oracles of the \
         tests, which compare every placement.",
    );
    report.table(table);
}

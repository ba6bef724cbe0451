//! Tasks that come and go on a cluster under the core's own allocator, to compare orders of agents.
//!
//! There is no network and there are no masters here: the allocator is asked for a cycle once a
//! second, and frameworks answer within it as `frameworks::batch` does, each with the oldest of
//! its tasks that fit, offer by offer in the order in which they come. What is compared is what
//! the order of agents does to that.
//!
//! GPUs are whole, as agents offer them: a task that wants a share of one takes one. Tasks are
//! drawn from the list, one after the other; they come at such a pace, and last so long, that
//! their GPUs would come to a given load of the cluster if all found a place.

mod cluster;
mod load;

use super::error::PlanError;
use super::parallel::in_parallel;
use super::report::agent_order::Run;
use super::workload::Workload;
use crate::progress;
use cluster::Cluster;
use load::Load;
use std::time::Duration;
use tepui_core::allocator::{AgentOrder, INVARIANTS};
use tepui_core::invariant::{self, Cost};
use tepui_core::placement::{Measure, Models, Shape, WHOLE_GPU_MILLI, typical};

/// The time between two cycles.
const CYCLE: Duration = Duration::from_secs(1);
/// Every so many cycles the allocator's invariants are checked.
const CHECK_EVERY: u64 = 120;
/// So many points of a run are kept to draw it.
const POINTS: u64 = 60;

/// What to run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// In which order agents are served.
    pub order: AgentOrder,
    /// How many frameworks share the cluster; each has a role of its own.
    pub frameworks: usize,
    /// Of all GPUs, in percent, if every task found a place.
    pub load_percent: u32,
    /// The mean time that tasks run, in seconds; they run up to twice as long.
    pub mean_s: u64,
    /// How long a task waits before its launch has failed, in seconds.
    pub patience_s: u64,
    /// Draws tasks, times and, where agents are drawn, these.
    pub seed: u64,
}

impl Options {
    /// Until tasks end as often as they come.
    fn warm_up_s(&self) -> u64 {
        2 * self.mean_s
    }

    /// The whole run: as long again, and twice.
    fn end_s(&self) -> u64 {
        6 * self.mean_s
    }

    fn check(&self) -> Result<(), PlanError> {
        let bounds = [
            ("--frameworks", self.frameworks as u64, 1_000),
            ("--load", u64::from(self.load_percent), 1_000),
            ("--mean", self.mean_s, 100_000),
            ("--patience", self.patience_s, 1_000_000),
        ];
        match bounds
            .iter()
            .find(|(_, value, most)| value == &0 || value > most)
        {
            Some((name, value, most)) => {
                let text = format!("{name} {value} is not between 1 and {most}");
                Err(PlanError::Mismatch(text))
            }
            None => Ok(()),
        }
    }
}

/// A cluster at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Seconds since the beginning.
    pub at_s: u64,
    /// How much of all GPUs is in use, in percent.
    pub alloc_pct: f64,
    /// How much of all GPUs is idle and of no use to typical tasks, in percent.
    pub frag_pct: f64,
    /// The same, of what is idle.
    pub frag_idle_pct: f64,
    /// How many tasks wait.
    pub waiting: usize,
    /// By how much, in percent of the cluster, the largest dominant share of those frameworks that
    /// have tasks waiting is above the smallest.
    pub spread_pct: f64,
}

/// How it went, once as many tasks ended as came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// How many tasks came.
    pub arrived: u64,
    /// How many of these waited too long and were given up.
    pub failed: u64,
    /// How many of these wanted more than one GPU.
    pub failed_large: u64,
    /// How many of those that came did.
    pub arrived_large: u64,
    /// How long those that were launched had waited, in all.
    pub waited_s: u64,
    /// How many offers were made.
    pub offers: u64,
    /// Means over all cycles.
    pub mean: Point,
    /// Some moments, from the beginning on.
    pub points: Vec<Point>,
    /// How often all of the allocator's invariants were checked, and held.
    pub checks: u64,
}

fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

impl Outcome {
    /// How many of the launches failed, in percent.
    #[must_use]
    pub fn failed_pct(&self) -> f64 {
        percent(self.failed, self.arrived)
    }

    /// The same, of tasks that want more than one GPU.
    #[must_use]
    pub fn failed_large_pct(&self) -> f64 {
        percent(self.failed_large, self.arrived_large)
    }

    /// How long those that were launched had waited, in the mean.
    #[must_use]
    pub fn wait_s(&self) -> f64 {
        let launched = self.arrived.saturating_sub(self.failed).max(1);
        self.waited_s as f64 / launched as f64
    }
}

/// Runs all, on all cores; outcomes come in the order of the options.
///
/// # Errors
/// As [`run`].
pub fn run_all(workload: &Workload, all: &[Options]) -> Result<Vec<Run>, PlanError> {
    let bar = progress::bar("orders", all.len() as u64, "runs");
    let done = in_parallel(all, |options| {
        let outcome = run(workload, options);
        bar.inc(1);
        outcome.map(|outcome| (*options, outcome))
    });
    bar.finish_and_clear();
    done.into_iter().collect()
}

/// Runs one order.
///
/// # Errors
/// When options make no sense, or the list has no task that wants GPUs.
pub fn run(workload: &Workload, options: &Options) -> Result<Outcome, PlanError> {
    options.check()?;
    let shapes: Vec<Shape> = workload.shapes.iter().map(whole).collect();
    let measure = measure(workload, &shapes);
    let mut load = Load::new(workload, &shapes, options)?;
    let mut cluster = Cluster::new(workload, &shapes, options)?;
    let mut outcome = Outcome::default();
    let mut sums = Sums::default();
    let every = (options.end_s() / POINTS).max(1);
    for second in 0..options.end_s() {
        let counts = second >= options.warm_up_s();
        for arrival in load.until(second) {
            let large = shapes[arrival.shape].gpus > 1;
            if counts {
                outcome.arrived += 1;
                outcome.arrived_large += u64::from(large);
            }
            cluster.arrive(arrival);
        }
        let cycle = cluster.cycle(second, options.patience_s);
        let point = cluster.look(second, &measure);
        if counts {
            outcome.failed += cycle.given_up;
            outcome.failed_large += cycle.given_up_large;
            outcome.waited_s += cycle.waited_s;
            outcome.offers += cycle.offers;
            sums.add(&point);
        }
        if second % every == 0 {
            outcome.points.push(point);
        }
        if second % CHECK_EVERY == 0 {
            let broken = invariant::check(INVARIANTS, cluster.allocator(), Cost::Linear);
            assert!(broken.is_empty(), "{broken:?}");
            outcome.checks += 1;
        }
    }
    outcome.mean = sums.mean();
    Ok(outcome)
}

/// With whole GPUs.
fn whole(shape: &Shape) -> Shape {
    Shape {
        gpu_milli: if shape.gpus > 0 { WHOLE_GPU_MILLI } else { 0 },
        ..*shape
    }
}

/// Of the list's tasks, each as it is launched.
fn measure(workload: &Workload, shapes: &[Shape]) -> Measure {
    let all = workload.shape_of.iter().map(|shape| &shapes[*shape]);
    let classes = typical(all, |models: Models| workload.models_text(models));
    let models = workload
        .machines
        .iter()
        .map(|machine| machine.capacity.model);
    Measure::new(&classes, models)
}

#[derive(Debug, Default)]
struct Sums {
    count: f64,
    point: Point,
}

impl Sums {
    fn add(&mut self, point: &Point) {
        self.count += 1.0;
        self.point.alloc_pct += point.alloc_pct;
        self.point.frag_pct += point.frag_pct;
        self.point.frag_idle_pct += point.frag_idle_pct;
        self.point.waiting += point.waiting;
        self.point.spread_pct += point.spread_pct;
    }

    fn mean(&self) -> Point {
        let count = self.count.max(1.0);
        Point {
            at_s: 0,
            alloc_pct: self.point.alloc_pct / count,
            frag_pct: self.point.frag_pct / count,
            frag_idle_pct: self.point.frag_idle_pct / count,
            waiting: (self.point.waiting as f64 / count).round() as usize,
            spread_pct: self.point.spread_pct / count,
        }
    }
}

//! Runs a workload's arrivals through a policy, once: nobody leaves, nothing is tried twice.

use super::drf::{Appetite, Offers};
use super::error::PlanError;
use super::offered;
use super::placer::Placer;
use super::task::Task;
use super::workload::{Order, Workload};
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;
use tepui_core::placement::{Measure, Policy};
use tepui_core::resources::Role;

/// How arrivals can be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReplayPolicy {
    /// Each on the machine with the best score.
    Placed(Policy),
    /// By their frameworks, on what the allocator offers to those.
    Drf,
}

impl ReplayPolicy {
    /// All that place single tasks; offers take many times as long, and are asked for by name.
    pub fn usual() -> impl Iterator<Item = ReplayPolicy> {
        Policy::all().map(ReplayPolicy::Placed)
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = ReplayPolicy> {
        ReplayPolicy::usual().chain([ReplayPolicy::Drf])
    }
}

impl fmt::Display for ReplayPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReplayPolicy::Placed(policy) => policy.fmt(f),
            ReplayPolicy::Drf => f.write_str("DRF"),
        }
    }
}

impl FromStr for ReplayPolicy {
    type Err = String;

    fn from_str(text: &str) -> Result<ReplayPolicy, String> {
        if text.eq_ignore_ascii_case("drf") {
            return Ok(ReplayPolicy::Drf);
        }
        let policy: Result<Policy, _> = text.parse();
        let policy = policy.map_err(|unknown| format!("{unknown}, DRF"))?;
        Ok(ReplayPolicy::Placed(policy))
    }
}

/// What a cluster was like while the load was about this.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AtLoad {
    /// How much of all GPUs was allocated, in percent.
    pub alloc_pct: f64,
    /// How much of all GPUs was fragments, in percent.
    pub frag_pct: f64,
    /// How much of what was idle was fragments, in percent.
    pub frag_idle_pct: f64,
}

/// How a policy did.
#[derive(Clone, Debug, PartialEq)]
pub struct Replayed {
    /// Which.
    pub policy: ReplayPolicy,
    /// How many tasks came.
    pub arrivals: usize,
    /// How many fitted nowhere.
    pub failed: usize,
    /// What the others took of GPUs.
    pub allocated_gpu_milli: i64,
    /// The fragments at the end, in milli times the typical tasks' count.
    pub f_count: i64,
    /// By load, in percent of all GPUs that arrived.
    pub loads: BTreeMap<u32, AtLoad>,
}

/// The sums of one load's figures.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    count: u32,
    /// Of percents with two decimals each, as those were published.
    allocated: f64,
    /// Of percents.
    fragment: f64,
    fragment_of_idle: f64,
}

/// 100 times a part of a whole, to the nearest integer, halves to even.
fn percent(part: i64, whole: i64) -> u32 {
    let (quotient, rest) = (100 * part / whole, 100 * part % whole);
    let up = 2 * rest > whole || 2 * rest == whole && quotient % 2 == 1;
    (quotient + i64::from(up)) as u32
}

/// With two decimals.
fn hundredths(value: f64) -> f64 {
    (100.0 * value).round() / 100.0
}

/// What is counted while tasks come.
struct Tally<'a> {
    measure: &'a Measure,
    /// Of all GPUs.
    capacity: i64,
    arrived: i64,
    allocated: i64,
    failed: usize,
    buckets: BTreeMap<u32, Bucket>,
}

impl<'a> Tally<'a> {
    fn new(workload: &Workload, measure: &'a Measure) -> Tally<'a> {
        Tally {
            measure,
            capacity: workload.gpu_milli(),
            arrived: 0,
            allocated: 0,
            failed: 0,
            buckets: BTreeMap::new(),
        }
    }

    /// A task came that asks for so much of GPUs, and the cluster's fragment is this now.
    fn note(&mut self, gpu_milli: i64, fragment: i64) {
        self.arrived += gpu_milli;
        if self.capacity == 0 {
            return;
        }
        let (allocated, capacity) = (self.allocated, self.capacity);
        let bucket = percent(self.arrived, capacity);
        let bucket = self.buckets.entry(bucket).or_default();
        bucket.count += 1;
        bucket.allocated += hundredths(100.0 * allocated as f64 / capacity as f64);
        bucket.fragment += 100.0 * (fragment as f64 / self.measure.count as f64) / capacity as f64;
        if allocated < capacity {
            let idle = (capacity - allocated) as f64 * self.measure.count as f64;
            bucket.fragment_of_idle += fragment as f64 / idle;
        }
    }

    fn replayed(self, policy: ReplayPolicy, order: &Order, fragment: i64) -> Replayed {
        let at_load = |bucket: Bucket| {
            let mean = |sum: f64| sum / f64::from(bucket.count);
            AtLoad {
                alloc_pct: mean(bucket.allocated),
                frag_pct: mean(bucket.fragment),
                frag_idle_pct: 100.0 * mean(bucket.fragment_of_idle),
            }
        };
        let buckets = self.buckets.into_iter();
        Replayed {
            policy,
            arrivals: order.arrivals.len(),
            failed: self.failed,
            allocated_gpu_milli: self.allocated,
            f_count: fragment,
            loads: buckets
                .map(|(load, bucket)| (load, at_load(bucket)))
                .collect(),
        }
    }
}

/// Replays all arrivals through a placement policy.
#[must_use]
pub fn replay(
    workload: &Workload,
    order: &Order,
    measure: &Measure,
    policy: Policy,
    seed: u64,
) -> Replayed {
    let mut placer = Placer::of(workload, &order.machines, measure, policy, seed);
    let mut tally = Tally::new(workload, measure);
    for task in &order.arrivals {
        let shape = workload.shape_of[*task];
        let gpu_milli = workload.shapes[shape].gpu_milli_total();
        match placer.place(shape) {
            Some(_) => tally.allocated += gpu_milli,
            None => tally.failed += 1,
        }
        tally.note(gpu_milli, placer.fragment());
    }
    tally.replayed(ReplayPolicy::Placed(policy), order, placer.fragment())
}

/// Replays all arrivals through offers. They come in bursts of `burst`, so that frameworks compete;
/// all of a burst is counted with what the cluster is like after it.
///
/// # Errors
/// When the workload is more than the allocator counts, or a role is none.
pub fn replay_offers(
    workload: &Workload,
    order: &Order,
    measure: &Measure,
    burst: NonZeroUsize,
    seed: u64,
) -> Result<Replayed, PlanError> {
    let free = workload.free(&order.machines);
    let mut fragments: Vec<i64> = free.iter().map(|free| measure.of(free)).collect();
    let mut fragment: i64 = fragments.iter().sum();
    let (roles, framework_of) = frameworks(workload)?;
    let appetite = Appetite::AllThatFits;
    let reserved = order
        .machines
        .iter()
        .map(|place| &workload.machines[*place].reserved);
    let machines = free.into_iter().zip(reserved).collect();
    let mut offers = Offers::new(machines, &roles, &workload.shapes, appetite, seed)?;
    let mut tally = Tally::new(workload, measure);
    for burst in order.arrivals.chunks(burst.get()) {
        for task in burst {
            offers.arrive(framework_of[*task], workload.shape_of[*task]);
        }
        tally.failed += offers.settle(|launch, free| {
            tally.allocated += workload.shapes[launch.shape].gpu_milli_total();
            let after = measure.of(free);
            fragment += after - std::mem::replace(&mut fragments[launch.place], after);
        });
        for task in burst {
            let shape = &workload.shapes[workload.shape_of[*task]];
            tally.note(shape.gpu_milli_total(), fragment);
        }
    }
    Ok(tally.replayed(ReplayPolicy::Drf, order, fragment))
}

/// Who comes with which tasks: a framework for each application of each role. The roles of the
/// frameworks, and the framework of each task.
fn frameworks(workload: &Workload) -> Result<(Vec<Role>, Vec<usize>), PlanError> {
    let key = |task: &Task| (task.role.clone(), task.application.clone());
    let mut numbers: BTreeMap<_, usize> = workload.tasks.iter().map(|t| (key(t), 0)).collect();
    let mut roles = Vec::new();
    for ((role, _), number) in &mut numbers {
        *number = roles.len();
        roles.push(offered::role(role)?);
    }
    let of = workload.tasks.iter().map(|task| numbers[&key(task)]);
    Ok((roles, of.collect()))
}

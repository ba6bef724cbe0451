//! Runs a workload's arrivals through a policy, once: nobody leaves, nothing is tried twice.

use super::placer::Placer;
use super::workload::{Order, Workload};
use std::collections::BTreeMap;
use tepui_core::placement::{Measure, Policy};

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
    pub policy: Policy,
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

/// Replays all arrivals.
#[must_use]
pub fn replay(
    workload: &Workload,
    order: &Order,
    measure: &Measure,
    policy: Policy,
    seed: u64,
) -> Replayed {
    let free = workload.free(&order.machines);
    let mut placer = Placer::new(policy, free, &workload.shapes, measure, seed);
    let capacity = workload.gpu_milli();
    let (mut arrived, mut allocated, mut failed) = (0, 0, 0);
    let mut buckets: BTreeMap<u32, Bucket> = BTreeMap::new();
    for task in &order.arrivals {
        let shape = workload.shape_of[*task];
        let gpu_milli = workload.shapes[shape].gpu_milli_total();
        arrived += gpu_milli;
        match placer.place(shape) {
            Some(_) => allocated += gpu_milli,
            None => failed += 1,
        }
        if capacity == 0 {
            continue;
        }
        let bucket = buckets.entry(percent(arrived, capacity)).or_default();
        bucket.count += 1;
        bucket.allocated += hundredths(100.0 * allocated as f64 / capacity as f64);
        let fragment = placer.fragment() as f64 / measure.count as f64;
        bucket.fragment += 100.0 * fragment / capacity as f64;
        if allocated < capacity {
            let idle = (capacity - allocated) as f64 * measure.count as f64;
            bucket.fragment_of_idle += placer.fragment() as f64 / idle;
        }
    }
    let at_load = |bucket: Bucket| {
        let mean = |sum: f64| sum / f64::from(bucket.count);
        AtLoad {
            alloc_pct: mean(bucket.allocated),
            frag_pct: mean(bucket.fragment),
            frag_idle_pct: 100.0 * mean(bucket.fragment_of_idle),
        }
    };
    Replayed {
        policy,
        arrivals: order.arrivals.len(),
        failed,
        allocated_gpu_milli: allocated,
        f_count: placer.fragment(),
        loads: buckets
            .into_iter()
            .map(|(load, bucket)| (load, at_load(bucket)))
            .collect(),
    }
}

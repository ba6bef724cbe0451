//! How much more fits, and what the totals would have promised.

use super::occupied::Occupied;
use super::rules::Demand;
use super::snapshot::Snapshot;
use super::workload::{Order, Workload};
use std::collections::BTreeMap;
use tepui_core::placement::{Free, Shape, WHOLE_GPU_MILLI, times};

pub use tepui_core::placement::{Lacks, on_machine};

/// How many more tasks of one shape fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headroom {
    /// The shape, and who asks for it if that decides.
    pub demand: Demand,
    /// How many tasks have it.
    pub count: usize,
    /// How many more really fit.
    pub fit_more: i64,
    /// How many more the sums of what is free suggest.
    pub by_totals: i64,
    /// On how many machines each resource is the first that runs out.
    pub lacks: BTreeMap<Lacks, usize>,
}

/// How many more fit on all machines together.
#[must_use]
pub fn fit_more(free: &[Free], shape: &Shape) -> i64 {
    free.iter().map(|free| on_machine(free, shape).0).sum()
}

/// How many more the totals promise.
#[must_use]
pub fn by_totals(free: &[Free], shape: &Shape) -> i64 {
    let sum = |of: fn(&Free) -> i64| free.iter().map(of).sum::<i64>();
    let bounds = [
        times(sum(|free| free.cpu_milli), shape.cpu_milli),
        times(sum(|free| free.memory_mib), shape.memory_mib),
        times(sum(|free| free.disk_mib), shape.disk_mib),
        times(sum(|free| free.ports), shape.ports),
        times(sum(|free| free.gpu_milli), shape.gpu_milli_total()),
    ];
    bounds.into_iter().min().unwrap_or(0)
}

/// The shapes of the first arrivals, up to a load.
pub fn up_to_load<'a>(
    workload: &'a Workload,
    order: &'a Order,
    load: u32,
) -> impl Iterator<Item = usize> + 'a {
    arrivals_up_to_load(workload, order, 0, load).map(|task| workload.shape_of[task])
}

/// The first arrivals, up to a load, of which so many GPU milli are there already: places in the
/// list of tasks.
pub fn arrivals_up_to_load<'a>(
    workload: &'a Workload,
    order: &'a Order,
    there: i64,
    load: u32,
) -> impl Iterator<Item = usize> + 'a {
    let bound = workload.gpu_milli() * i64::from(load);
    order
        .arrivals
        .iter()
        .copied()
        .scan(there, move |arrived, task| {
            // The one that reaches the load is still among them.
            let goes_on = bound == 0 || 100 * *arrived < bound;
            let shape = workload.shape_of[task];
            *arrived += workload.shapes[shape].gpu_milli_total();
            goes_on.then_some(task)
        })
}

/// The headroom of a cluster for each shape of a workload, the commonest first.
#[must_use]
pub fn headroom(snapshot: &Snapshot, workload: &Workload) -> Vec<Headroom> {
    let occupied = Occupied::of(snapshot);
    let mut counts = vec![0; workload.shapes.len()];
    for shape in &workload.shape_of {
        counts[*shape] += 1;
    }
    let demands = workload.demands.iter().zip(counts);
    let mut all: Vec<Headroom> = demands
        .map(|(demand, count)| {
            let tenant = occupied.tenant(demand);
            Headroom {
                demand: demand.clone(),
                count,
                fit_more: occupied.fit_more(&tenant),
                by_totals: occupied.by_totals(&tenant),
                lacks: occupied.runs_out(&tenant),
            }
        })
        .collect();
    all.sort_by(|left, right| (right.count, &left.demand).cmp(&(left.count, &right.demand)));
    all
}

/// What a whole GPU is, for those who count in GPUs.
#[must_use]
pub fn whole_gpus(milli: i64) -> f64 {
    milli as f64 / f64::from(WHOLE_GPU_MILLI)
}

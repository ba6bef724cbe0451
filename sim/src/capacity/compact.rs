//! How many machines a workload needs (Verma et al., "Large-scale cluster management at Google
//! with Borg", EuroSys 2015, 5.1): machines are taken away at random until it does not fit any
//! more, several times over.

use super::bounds::{Bound, by_shape, least_machines};
use super::fit::up_to_load;
use super::machine::Machine;
use super::placer::Placer;
use super::random::SplitMix64;
use super::workload::{Order, Workload};
use std::collections::BTreeMap;
use tepui_core::placement::{Free, Measure, Policy};

/// How many of a thousand tasks may stay without a place.
const PENDING_PER_MILLE: usize = 2;

/// Which constraints are given up so that a few applications do not hold machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Soft {
    /// Those of applications with more instances than half of the machines: Borg's rule.
    Large,
    /// All.
    All,
}

/// The workload without the constraints that turn soft, and of how many applications these are.
#[must_use]
pub fn soften(workload: &Workload, soft: Soft) -> (Workload, usize) {
    let mut instances: BTreeMap<&str, usize> = BTreeMap::new();
    for task in &workload.tasks {
        *instances.entry(&task.application).or_insert(0) += 1;
    }
    let half = workload.machines.len() / 2;
    let stays = |application: &str| {
        let count = instances.get(application).copied().unwrap_or(0);
        soft == Soft::Large && count <= half
    };
    let mut constraints = workload.constraints.clone();
    constraints.retain(|application, _| stays(application));
    let fewer = workload.constraints.len() - constraints.len();
    let softer = Workload::ruled(
        workload.machines.clone(),
        workload.tasks.clone(),
        workload.models.clone(),
        workload.roles.clone(),
        constraints,
    );
    (softer, fewer)
}

/// A workload to be compacted.
#[derive(Debug)]
pub struct Compaction<'a> {
    workload: &'a Workload,
    measure: &'a Measure,
    policy: Policy,
    shapes: Vec<usize>,
}

impl<'a> Compaction<'a> {
    /// Of the arrivals up to a load.
    #[must_use]
    pub fn new(
        workload: &'a Workload,
        order: &Order,
        measure: &'a Measure,
        policy: Policy,
        load: u32,
    ) -> Compaction<'a> {
        Compaction {
            workload,
            measure,
            policy,
            shapes: up_to_load(workload, order, load).collect(),
        }
    }

    /// How many tasks there are.
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.shapes.len()
    }

    /// How many of them may stay without a place.
    #[must_use]
    pub fn allowed_pending(&self) -> usize {
        self.tasks() * PENDING_PER_MILLE / 1000
    }

    /// How many machines are needed at least, whoever places the tasks and whichever machines stay;
    /// nothing if not even all of them are enough.
    #[must_use]
    pub fn bound(&self) -> Option<Bound> {
        let shapes = self.shapes.iter();
        let tasks = by_shape(shapes.map(|shape| &self.workload.shapes[*shape]));
        let machines: Vec<Free> = self.workload.machines.iter().map(Machine::free).collect();
        least_machines(&tasks, &machines, self.allowed_pending())
    }

    /// How many machines are needed when they are taken away in the order that `seed` draws;
    /// nothing if not even all of them are enough.
    #[must_use]
    pub fn machines(&self, seed: u64) -> Option<usize> {
        let all = self.workload.machines.len();
        let kept = SplitMix64::new(seed).shuffled(all);
        if !self.is_enough(&kept) {
            return None;
        }
        let (mut too_few, mut enough) = (0, all);
        while enough - too_few > 1 {
            let middle = usize::midpoint(too_few, enough);
            if self.is_enough(&kept[..middle]) {
                enough = middle;
            } else {
                too_few = middle;
            }
        }
        Some(enough)
    }

    fn is_enough(&self, kept: &[usize]) -> bool {
        let mut kept = kept.to_vec();
        kept.sort_unstable();
        let mut placer = Placer::of(self.workload, &kept, self.measure, self.policy, 0);
        let mut pending = 0;
        for shape in &self.shapes {
            if placer.place(*shape).is_none() {
                pending += 1;
                if pending > self.allowed_pending() {
                    return false;
                }
            }
        }
        true
    }
}

/// The value at a percentile, by the nearest rank.
///
/// # Panics
/// Without values.
#[must_use]
pub fn nearest_rank(values: &[usize], percent: usize) -> usize {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (percent * sorted.len()).div_ceil(100).max(1);
    sorted[rank - 1]
}

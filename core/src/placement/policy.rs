//! Where a task goes: the machine with the highest score; among equals, the first in order.
//!
//! Scores are those of Weng et al. (ATC 2023, section 6), in integers, as their schedulers compute
//! them: fractions are cut off.

use super::free::{Devices, Free};
use super::measure::Measure;
use super::shape::{Shape, WHOLE_GPU_MILLI};
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;
use thiserror::Error;

/// A machine of the usual large size, by which policies scale: 128 cpus and 8 GPUs.
pub(super) const USUAL_CPU_MILLI: f64 = 128_000.0;
pub(super) const USUAL_GPU_MILLI: i64 = 8_000;

/// How much two placements' fragments may differ under [`Policy::FgdQ40`] and count as equal.
pub(super) const QUANTUM_MILLI: i64 = 40;

const WHOLE_GPU: f64 = WHOLE_GPU_MILLI as f64;

/// How machines are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Policy {
    /// Any that fits, and any device of it.
    Random,
    /// The first that fits.
    FirstFit,
    /// The one with the least left.
    BestFit,
    /// The one with the most left.
    WorstFit,
    /// The one whose free resources are most unlike what is asked for.
    DotProd,
    /// GPUs that are in use first, then machines in use.
    GpuPacking,
    /// Machines with tasks of the same kind.
    GpuClustering,
    /// The least growth of fragments, as published: through a sigmoid, in 100 steps.
    Fgd,
    /// The least growth of fragments, exactly.
    FgdX,
    /// The least growth of fragments, in steps of 40 milli: then the order decides.
    FgdQ40,
}

/// Policies with their names.
const NAMES: [(Policy, &str); 10] = [
    (Policy::Random, "Random"),
    (Policy::FirstFit, "FirstFit"),
    (Policy::BestFit, "BestFit"),
    (Policy::WorstFit, "WorstFit"),
    (Policy::DotProd, "DotProd"),
    (Policy::GpuPacking, "GpuPacking"),
    (Policy::GpuClustering, "GpuClustering"),
    (Policy::Fgd, "FGD"),
    (Policy::FgdX, "FGDx"),
    (Policy::FgdQ40, "FGDq40"),
];

impl Policy {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Policy> {
        NAMES.iter().map(|(policy, _)| *policy)
    }

    /// The score of a machine on which the task fits, and the devices that the task would take
    /// there. `before` is the machine's fragment; only the policies that heed it look at it.
    #[must_use]
    pub fn score(
        self,
        free: &Free,
        shape: &Shape,
        measure: &Measure,
        before: i64,
    ) -> (i64, Devices) {
        let usual = || free.usual_devices(shape);
        match self {
            Policy::Random | Policy::FirstFit => (0, usual()),
            Policy::BestFit => (best_fit(free, shape), usual()),
            Policy::WorstFit => (-best_fit(free, shape), usual()),
            Policy::DotProd => (dot_product(free, shape), usual()),
            Policy::GpuPacking => (packing(free, shape), usual()),
            Policy::GpuClustering => (clustering(free, shape), usual()),
            Policy::Fgd | Policy::FgdX | Policy::FgdQ40 => {
                self.least_growth(free, shape, measure, before)
            }
        }
    }

    fn least_growth(
        self,
        free: &Free,
        shape: &Shape,
        measure: &Measure,
        before: i64,
    ) -> (i64, Devices) {
        if self == Policy::Fgd {
            return best_devices(free, shape, |after| {
                let less = (before - measure.of(after)) as f64 / measure.count as f64;
                let less_gpus = less / WHOLE_GPU;
                (100.0 * (1.0 / (1.0 + libm::exp(-less_gpus)))) as i64
            });
        }
        let (less, devices) = best_devices(free, shape, |after| before - measure.of(after));
        match self {
            Policy::FgdQ40 => (less.div_euclid(QUANTUM_MILLI * measure.count), devices),
            _ => (less, devices),
        }
    }
}

/// The devices that leave the best, as `score` judges it, and that score: of those a share could
/// take, the first of the best.
///
/// # Panics
/// Where the task does not fit.
pub fn best_devices(free: &Free, shape: &Shape, score: impl Fn(&Free) -> i64) -> (i64, Devices) {
    let score = |devices: Devices| {
        let mut after = *free;
        after.take(shape, devices);
        score(&after)
    };
    if !shape.is_share() {
        let devices = free.usual_devices(shape);
        return (score(devices), devices);
    }
    let mut best: Option<(i64, Devices)> = None;
    for (index, device) in free.devices().iter().enumerate() {
        // As much is free on an earlier one: the same score, and the earlier one wins.
        let again = free.devices()[..index].contains(device);
        if *device < shape.gpu_milli || again {
            continue;
        }
        let devices = Devices(1 << index);
        let score = score(devices);
        if best.is_none_or(|(best, _)| score > best) {
            best = Some((score, devices));
        }
    }
    best.expect("asked only where the task fits")
}

fn best_fit(free: &Free, shape: &Shape) -> i64 {
    let cpu_left = (free.cpu_milli - shape.cpu_milli) as f64;
    let gpu_left = (free.gpu_milli - shape.gpu_milli_total()) as f64;
    let left = 0.5 * cpu_left / USUAL_CPU_MILLI + 0.5 * gpu_left / USUAL_GPU_MILLI as f64;
    (100.0 * (1.0 - left)) as i64
}

fn dot_product(free: &Free, shape: &Shape) -> i64 {
    let cpu = |milli: i64| milli as f64 / USUAL_CPU_MILLI;
    let gpu = |milli: i64| milli as f64 / USUAL_GPU_MILLI as f64;
    let product = cpu(free.cpu_milli) * cpu(shape.cpu_milli)
        + gpu(free.gpu_milli) * gpu(shape.gpu_milli_total());
    (100.0 * (1.0 - product / 2.0)) as i64
}

fn packing(free: &Free, shape: &Shape) -> i64 {
    if shape.gpus == 0 {
        return 0;
    }
    let idle = free
        .devices()
        .iter()
        .filter(|d| **d == WHOLE_GPU_MILLI)
        .count() as i64;
    if idle == free.devices().len() as i64 {
        return (33 - idle).max(idle);
    }
    let mut devices: Vec<i32> = free.devices().to_vec();
    devices.sort_unstable();
    let enough = devices.iter().filter(|free| **free >= shape.gpu_milli);
    let used: Vec<i32> = enough.take(shape.gpus as usize).copied().collect();
    let whole = used.iter().filter(|free| **free == WHOLE_GPU_MILLI).count() as i64;
    if whole > 0 {
        return (50 - whole).max(33);
    }
    let percent: i64 = used.iter().map(|free| i64::from(*free) / 10).sum();
    (100 - percent / 10).max(50)
}

fn clustering(free: &Free, shape: &Shape) -> i64 {
    if shape.gpus == 0 {
        return 0;
    }
    let company = match free.kinds.like_and_unlike(shape) {
        (true, false) => 75,
        (true, true) => 50,
        (false, false) => 25,
        (false, true) => 0,
    };
    25 * (USUAL_GPU_MILLI - free.gpu_milli) / USUAL_GPU_MILLI + company
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = NAMES.iter().find(|(policy, _)| policy == self);
        f.write_str(found.map_or("", |(_, name)| name))
    }
}

/// There is no such policy.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no policy '{given}': use one of {names}")]
pub struct UnknownPolicy {
    given: String,
    names: String,
}

impl FromStr for Policy {
    type Err = UnknownPolicy;

    fn from_str(text: &str) -> Result<Policy, UnknownPolicy> {
        let found = NAMES
            .iter()
            .find(|(_, name)| name.eq_ignore_ascii_case(text));
        found
            .map(|(policy, _)| *policy)
            .ok_or_else(|| UnknownPolicy {
                given: text.to_string(),
                names: NAMES.map(|(_, name)| name).join(", "),
            })
    }
}

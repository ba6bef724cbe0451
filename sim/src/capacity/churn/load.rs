//! Which tasks come when, and how long they last.

use super::Options;
use crate::capacity::error::PlanError;
use crate::capacity::random::SplitMix64;
use crate::capacity::workload::Workload;
use tepui_core::placement::Shape;

/// Times are counted in these, so that no rounding depends on the machine.
const MICROS: u64 = 1_000_000;

/// A task that comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// Its shape's place.
    pub(super) shape: usize,
    /// Whose it is.
    pub(super) framework: usize,
    /// When it comes, in seconds.
    pub(super) at_s: u64,
    /// How long it runs, in seconds.
    pub(super) lasts_s: u64,
}

/// All that come.
#[derive(Debug)]
pub(super) struct Load<'a> {
    shape_of: &'a [usize],
    random: SplitMix64,
    frameworks: usize,
    mean_s: u64,
    /// Twice the mean time between two arrivals: they are uniform in between.
    gap_max: u64,
    next: u64,
}

impl<'a> Load<'a> {
    pub(super) fn new(
        workload: &'a Workload,
        shapes: &[Shape],
        options: &Options,
    ) -> Result<Load<'a>, PlanError> {
        let of_task = workload
            .shape_of
            .iter()
            .map(|shape| u64::from(shapes[*shape].gpus));
        let wanted: u64 = of_task.sum();
        let gpus: u64 = workload
            .machines
            .iter()
            .map(|m| m.capacity.gpus as u64)
            .sum();
        if wanted == 0 || gpus == 0 {
            let text = "orders are compared by GPUs: the lists need tasks and machines with some";
            return Err(PlanError::Mismatch(text.to_owned()));
        }
        // As many GPUs are in use as come in the mean time that a task runs.
        let tasks = workload.shape_of.len() as u64;
        let busy = gpus * u64::from(options.load_percent) * tasks;
        let gap = (options.mean_s * MICROS).saturating_mul(100 * wanted) / busy;
        Ok(Load {
            shape_of: &workload.shape_of,
            random: SplitMix64::new(options.seed),
            frameworks: options.frameworks,
            mean_s: options.mean_s,
            gap_max: (2 * gap).max(1),
            next: 0,
        })
    }

    /// Those that come before the end of a second.
    pub(super) fn until(&mut self, second: u64) -> Vec<Arrival> {
        let mut arrivals = Vec::new();
        while self.next < (second + 1) * MICROS {
            let task = self.random.below(self.shape_of.len());
            arrivals.push(Arrival {
                shape: self.shape_of[task],
                framework: self.random.below(self.frameworks),
                at_s: second,
                lasts_s: 1 + self.random.draw() % (2 * self.mean_s),
            });
            self.next += 1 + self.random.draw() % self.gap_max;
        }
        arrivals
    }
}

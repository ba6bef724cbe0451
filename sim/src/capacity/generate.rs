//! A small cluster and its tasks, made up: for those who have no trace at hand.
//!
//! Machines of a few kinds in racks and zones, and tasks of which most share a GPU or take one, as
//! on clusters whose traces were published. The same seed gives the same lists.

use super::random::SplitMix64;
use crate::draw::{Cell, Table};

/// How many machines stand in a rack, and how many racks in a zone.
const MACHINES_PER_RACK: usize = 5;
const RACKS_PER_ZONE: usize = 4;

/// A kind of machine, or of task, and how often it comes among a hundred.
struct Kind<T: 'static> {
    percent: usize,
    of: T,
}

/// Cpus, GiB, GPUs, model.
type MachineKind = (i64, i64, usize, &'static str);

const MACHINES: [Kind<MachineKind>; 4] = [
    Kind {
        percent: 35,
        of: (96, 512, 8, "A100"),
    },
    Kind {
        percent: 25,
        of: (32, 128, 2, "T4"),
    },
    Kind {
        percent: 20,
        of: (48, 256, 4, "V100"),
    },
    Kind {
        percent: 20,
        of: (64, 256, 0, ""),
    },
];

/// GPUs, the choices of how much of each, of cpus for each task, and of GiB.
type TaskKind = (usize, &'static [i64], &'static [i64], &'static [i64]);

const TASKS: [Kind<TaskKind>; 6] = [
    Kind {
        percent: 45,
        of: (1, &[150, 250, 300, 500, 650], &[2, 4, 6, 8], &[4, 8, 16]),
    },
    Kind {
        percent: 24,
        of: (1, &[1000], &[4, 8, 12, 16], &[16, 32, 48]),
    },
    Kind {
        percent: 4,
        of: (2, &[1000], &[8, 16], &[32, 64]),
    },
    Kind {
        percent: 2,
        of: (4, &[1000], &[24, 32], &[128]),
    },
    Kind {
        percent: 1,
        of: (8, &[1000], &[64, 88], &[256]),
    },
    Kind {
        percent: 24,
        of: (0, &[0], &[1, 2, 4, 8], &[2, 4, 16]),
    },
];

/// Of a hundred tasks with GPUs, how many ask for certain models, and for which.
const PICKY_PERCENT: usize = 15;
const PICKS: [&str; 3] = ["A100", "V100|A100", "T4"];

fn draw<'a, T>(kinds: &'a [Kind<T>], random: &mut SplitMix64) -> &'a T {
    let mut at = random.below(100);
    for kind in kinds {
        match at.checked_sub(kind.percent) {
            Some(rest) => at = rest,
            None => return &kind.of,
        }
    }
    &kinds[0].of
}

fn pick(choices: &[i64], random: &mut SplitMix64) -> i64 {
    choices[random.below(choices.len())]
}

/// The list of machines, as comma-separated values are made of it.
#[must_use]
pub fn machines(seed: u64, count: usize) -> Table {
    let mut random = SplitMix64::new(seed);
    let mut table = Table::new(&[
        "sn",
        "cpu_milli",
        "memory_mib",
        "gpu",
        "model",
        "attributes",
    ]);
    for number in 0..count {
        let (cpus, gib, gpus, model) = *draw(&MACHINES, &mut random);
        let rack = number / MACHINES_PER_RACK;
        let zone = rack / RACKS_PER_ZONE;
        table.row([
            Cell::from(format!("machine-{number:04}")),
            Cell::from(1000 * cpus),
            Cell::from(1024 * gib),
            Cell::from(gpus),
            Cell::from(model),
            Cell::from(format!("rack=r{rack};zone=z{zone}")),
        ]);
    }
    table
}

/// The list of tasks.
#[must_use]
pub fn tasks(seed: u64, count: usize) -> Table {
    let mut random = SplitMix64::new(seed);
    let mut table = Table::new(&[
        "name",
        "cpu_milli",
        "memory_mib",
        "num_gpu",
        "gpu_milli",
        "gpu_spec",
    ]);
    for number in 0..count {
        let (gpus, milli, cpus, gib) = *draw(&TASKS, &mut random);
        let is_picky = gpus > 0 && gpus < 8 && random.below(100) < PICKY_PERCENT;
        // Small machines cannot have many GPUs.
        let picks = if gpus > 2 { &PICKS[..2] } else { &PICKS[..] };
        let spec = match is_picky {
            true => picks[random.below(picks.len())],
            false => "",
        };
        table.row([
            Cell::from(format!("task-{number:05}")),
            Cell::from(1000 * pick(cpus, &mut random)),
            Cell::from(1024 * pick(gib, &mut random)),
            Cell::from(gpus),
            Cell::from(pick(milli, &mut random)),
            Cell::from(spec),
        ]);
    }
    table
}

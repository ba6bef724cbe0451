//! How many machines a workload needs at the very least, whoever places it.
//!
//! A [`Scale`] weighs tasks and what is free on machines so that tasks which fit on a machine never
//! weigh more than it: then all tasks together cannot weigh more than all machines do. The plain
//! sums are such scales. So are those that round: a task larger than half of the largest machine
//! keeps other large ones off, so it may weigh as much as all of it (Martello and Toth, "Lower
//! bounds and reduction procedures for the bin packing problem", 1990, L2; Fekete and Schepers,
//! "New classes of fast lower bounds for bin packing problems", 2001, for the general form), and of
//! tasks above a size a machine holds a whole number.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use tepui_core::placement::{Free, Models, Shape, WHOLE_GPU_MILLI};

/// The most sizes at which a quantity is rounded; evenly chosen among more.
const THRESHOLDS_MAX: usize = 24;

/// What is weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantity {
    /// Thousandths of a cpu.
    Cpu,
    /// Memory.
    Memory,
    /// Disk.
    Disk,
    /// Ports.
    Ports,
    /// GPUs of which a task takes more than half: nobody else does of the same one.
    WholeGpus,
    /// Milli of GPUs, each rounded by itself.
    GpuMilli,
}

const QUANTITIES: [Quantity; 6] = [
    Quantity::Cpu,
    Quantity::Memory,
    Quantity::Disk,
    Quantity::Ports,
    Quantity::WholeGpus,
    Quantity::GpuMilli,
];

/// How sizes are rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rounding {
    /// What leaves less than `small` of `full` weighs `full`, what is less than `small` nothing.
    Large {
        /// At most half of `full`.
        small: i64,
        /// Nothing is larger.
        full: i64,
    },
    /// What is at least so large weighs one.
    Count(i64),
}

/// Which tasks and machines are weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Among {
    /// All.
    All,
    /// Tasks that use GPUs, and machines that have some free.
    Gpus,
    /// Tasks that must have one of these models, and machines that do.
    Models(Models),
}

/// One way of weighing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scale {
    /// Whom.
    pub among: Among,
    /// What of them.
    pub quantity: Quantity,
    /// And how.
    pub rounding: Rounding,
}

impl Rounding {
    fn of_item(self, size: i64) -> i64 {
        match self {
            Rounding::Large { small, full } if size > full - small => full,
            Rounding::Large { small, .. } if size >= small => size,
            Rounding::Large { .. } => 0,
            Rounding::Count(least) => i64::from(size >= least),
        }
    }

    fn of_room(self, size: i64) -> i64 {
        match self {
            Rounding::Large { small, full } if size > full - small => full,
            Rounding::Large { small, .. } if size >= small => size,
            Rounding::Large { .. } => 0,
            Rounding::Count(least) => size / least,
        }
    }
}

impl Quantity {
    fn of_task(self, shape: &Shape) -> i64 {
        match self {
            Quantity::Cpu => shape.cpu_milli,
            Quantity::Memory => shape.memory_mib,
            Quantity::Disk => shape.disk_mib,
            Quantity::Ports => shape.ports,
            Quantity::WholeGpus if 2 * shape.gpu_milli > WHOLE_GPU_MILLI => i64::from(shape.gpus),
            Quantity::WholeGpus => 0,
            Quantity::GpuMilli => i64::from(shape.gpu_milli),
        }
    }

    fn of_room(self, free: &Free) -> i64 {
        match self {
            Quantity::Cpu => free.cpu_milli,
            Quantity::Memory => free.memory_mib,
            Quantity::Disk => free.disk_mib,
            Quantity::Ports => free.ports,
            Quantity::WholeGpus => {
                let more_than_half = |device: &&i32| 2 * **device > WHOLE_GPU_MILLI;
                free.devices().iter().filter(more_than_half).count() as i64
            }
            Quantity::GpuMilli => i64::from(WHOLE_GPU_MILLI),
        }
    }
}

impl Scale {
    /// What a task weighs.
    #[must_use]
    pub fn of_task(&self, shape: &Shape) -> i64 {
        let counts = match self.among {
            Among::All => true,
            Among::Gpus => shape.gpus > 0,
            Among::Models(models) => {
                let some = shape.gpus > 0 && shape.models.0 != 0;
                some && shape.models.0 & !models.0 == 0
            }
        };
        let size = self.rounding.of_item(self.quantity.of_task(shape));
        match self.quantity {
            _ if !counts => 0,
            Quantity::GpuMilli => size * i64::from(shape.gpus),
            _ => size,
        }
    }

    /// The most that tasks can weigh which fit into this.
    #[must_use]
    pub fn of_room(&self, free: &Free) -> i64 {
        let some = free.gpu_milli > 0;
        let counts = match self.among {
            Among::All => true,
            Among::Gpus => some,
            Among::Models(models) => some && models.0 & free.model.0 != 0,
        };
        match self.quantity {
            _ if !counts => 0,
            Quantity::GpuMilli => {
                let devices = free.devices().iter();
                devices
                    .map(|device| self.rounding.of_room(i64::from(*device)))
                    .sum()
            }
            quantity => self.rounding.of_room(quantity.of_room(free)),
        }
    }

    /// Whether it adds up what there is, without rounding.
    #[must_use]
    pub fn is_sum(&self) -> bool {
        matches!(self.rounding, Rounding::Large { small: 0, .. })
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, unit) = match self.quantity {
            Quantity::Cpu => ("cpus", " milli"),
            Quantity::Memory => ("mem", " MiB"),
            Quantity::Disk => ("disk", " MiB"),
            Quantity::Ports => ("ports", ""),
            Quantity::WholeGpus => ("gpus taken by one task each", ""),
            Quantity::GpuMilli => ("gpus", " milli"),
        };
        f.write_str(name)?;
        match self.among {
            Among::All => {}
            Among::Gpus => f.write_str(" of tasks with GPUs")?,
            Among::Models(_) => f.write_str(" of tasks that need certain GPU models")?,
        }
        match self.rounding {
            Rounding::Large { small: 0, .. } => Ok(()),
            Rounding::Large { small, full } => {
                write!(f, ", no two of which share{unit} {full} but for {small}")
            }
            Rounding::Count(least) => write!(f, ", tasks of at least {least}{unit} counted"),
        }
    }
}

/// All scales that may tell something about these tasks on machines with so much free.
#[must_use]
pub fn scales(tasks: &BTreeMap<Shape, usize>, rooms: &[Free]) -> Vec<Scale> {
    let mut all = Vec::new();
    let mut groups = vec![Among::All];
    if tasks.keys().any(|shape| shape.gpus > 0) {
        groups.push(Among::Gpus);
    }
    let picky = tasks
        .keys()
        .filter(|shape| shape.gpus > 0 && shape.models.0 != 0);
    let models: BTreeSet<Models> = picky.map(|shape| shape.models).collect();
    groups.extend(models.into_iter().map(Among::Models));
    for among in groups {
        for quantity in QUANTITIES {
            let full = rooms
                .iter()
                .map(|free| quantity.of_room(free))
                .max()
                .unwrap_or(0);
            let plain = Rounding::Large { small: 0, full };
            let plain = Scale {
                among,
                quantity,
                rounding: plain,
            };
            let counted = tasks.keys().filter(|shape| plain.of_task(shape) > 0);
            let sizes: BTreeSet<i64> = counted.map(|shape| quantity.of_task(shape)).collect();
            if sizes.is_empty() {
                continue;
            }
            let roundings = roundings(&sizes, full);
            all.extend(roundings.map(|rounding| Scale { rounding, ..plain }));
        }
    }
    all
}

fn roundings(sizes: &BTreeSet<i64>, full: i64) -> impl Iterator<Item = Rounding> {
    // Between these nothing changes: a task begins to count as small, or as large.
    let as_small = sizes.iter().copied();
    let as_large = sizes.iter().map(|size| full - size + 1);
    let small: BTreeSet<i64> = as_small
        .chain(as_large)
        .filter(|small| *small > 0 && 2 * small <= full)
        .collect();
    let small = [0].into_iter().chain(some_of(&small));
    let large = small.map(move |small| Rounding::Large { small, full });
    large.chain(some_of(sizes).map(Rounding::Count))
}

/// At most so many of some sizes, the least and the greatest among them.
fn some_of(sizes: &BTreeSet<i64>) -> impl Iterator<Item = i64> + use<> {
    let sizes: Vec<i64> = sizes.iter().copied().collect();
    let count = sizes.len().min(THRESHOLDS_MAX);
    let last = sizes.len().saturating_sub(1);
    (0..count).map(move |index| sizes[index * last / (count - 1).max(1)])
}

/// How many machines are needed at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// So many.
    pub machines: usize,
    /// What shows it; nothing when the machines of several GPU models were added up.
    pub by: Option<Scale>,
}

/// How many of these machines are needed at least for all but `pending` of these tasks. `None` if
/// not even all of them are enough.
#[must_use]
pub fn least_machines(
    tasks: &BTreeMap<Shape, usize>,
    rooms: &[Free],
    pending: usize,
) -> Option<Bound> {
    let mut best = Bound {
        machines: 0,
        by: None,
    };
    let mut by_model: BTreeMap<Models, usize> = BTreeMap::new();
    for scale in scales(tasks, rooms) {
        let machines = least_by(&scale, tasks, rooms, pending)?;
        if machines > best.machines {
            best = Bound {
                machines,
                by: Some(scale),
            };
        }
        if let Among::Models(models) = scale.among
            && models.0.count_ones() == 1
        {
            let most = by_model.entry(models).or_default();
            *most = machines.max(*most);
        }
    }
    // Machines with GPUs of one model are not those with GPUs of another.
    let added: usize = by_model.values().sum();
    if added > best.machines {
        best = Bound {
            machines: added,
            by: None,
        };
    }
    Some(best)
}

fn least_by(
    scale: &Scale,
    tasks: &BTreeMap<Shape, usize>,
    rooms: &[Free],
    pending: usize,
) -> Option<usize> {
    let mut weights: Vec<(i64, usize)> = tasks
        .iter()
        .map(|(shape, count)| (scale.of_task(shape), *count))
        .collect();
    weights.sort_unstable_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let (mut left_out, mut need) = (pending, 0);
    for (weight, count) in weights {
        let without = count.min(left_out);
        left_out -= without;
        need += weight * (count - without) as i64;
    }
    let mut rooms: Vec<i64> = rooms.iter().map(|free| scale.of_room(free)).collect();
    rooms.sort_unstable_by_key(|room| std::cmp::Reverse(*room));
    let mut machines = 0;
    for room in rooms {
        if need <= 0 {
            break;
        }
        need -= room;
        machines += 1;
    }
    (need <= 0).then_some(machines)
}

/// How many tasks of each shape there are.
pub fn by_shape<'a>(shapes: impl IntoIterator<Item = &'a Shape>) -> BTreeMap<Shape, usize> {
    let mut counts = BTreeMap::new();
    for shape in shapes {
        *counts.entry(*shape).or_insert(0) += 1;
    }
    counts
}

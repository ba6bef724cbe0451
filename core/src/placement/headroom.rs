//! How many more tasks fit on one machine.

use super::free::Free;
use super::shape::Shape;
use alloc::vec::Vec;

/// Which resource keeps more tasks of a shape off a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lacks {
    /// Cpus.
    Cpu,
    /// Memory.
    Memory,
    /// Disk.
    Disk,
    /// Ports.
    Ports,
    /// GPUs with enough free.
    Gpu,
    /// A GPU of a model that will do.
    Model,
}

/// How many more tasks of a shape fit on one machine, and what then runs out first.
#[must_use]
pub fn on_machine(free: &Free, shape: &Shape) -> (i64, Lacks) {
    if shape.gpus > 0 && !shape.models.allow(free.model) {
        return (0, Lacks::Model);
    }
    let bounds = [
        (times(free.cpu_milli, shape.cpu_milli), Lacks::Cpu),
        (times(free.memory_mib, shape.memory_mib), Lacks::Memory),
        (times(free.disk_mib, shape.disk_mib), Lacks::Disk),
        (times(free.ports, shape.ports), Lacks::Ports),
        (by_devices(free, shape), Lacks::Gpu),
    ];
    let least = bounds.iter().min_by_key(|(count, _)| *count);
    *least.expect("there are some")
}

/// How often what is asked for is there.
#[must_use]
pub fn times(free: i64, asked: i64) -> i64 {
    match asked {
        0 => i64::MAX,
        asked => free.max(0) / asked,
    }
}

/// How many groups of GPUs, each with enough free, there are; and no more than all that is free of
/// them is for, where a part of it is reserved for others.
fn by_devices(free: &Free, shape: &Shape) -> i64 {
    if shape.gpus == 0 {
        return i64::MAX;
    }
    let milli = shape.gpu_milli.max(1);
    let slots: Vec<i64> = free
        .devices()
        .iter()
        .map(|d| i64::from(d / milli))
        .collect();
    let gpus = i64::from(shape.gpus);
    // So many tasks fit if each of their GPUs finds a slot on another device: a device serves a
    // task at most once.
    let fits =
        |tasks: i64| slots.iter().map(|slots| (*slots).min(tasks)).sum::<i64>() >= tasks * gpus;
    let most: i64 = slots.iter().sum::<i64>() / gpus;
    let most = most.min(times(free.gpu_milli, shape.gpu_milli_total()));
    let (mut yes, mut no) = (0, most + 1);
    while no - yes > 1 {
        let middle = i64::midpoint(yes, no);
        if fits(middle) {
            yes = middle;
        } else {
            no = middle;
        }
    }
    yes
}

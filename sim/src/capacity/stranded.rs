//! What is idle and of no use, machine by machine and resource by resource, and why.
//!
//! The measure of fragmentation weighs GPUs over all tasks that usually come. This asks a plainer
//! question, of every resource: how much of what is idle could none of the usual tasks use, even
//! if from now on only the one kind came that can use the most of it? That is stranded. It is
//! blamed on the resource that keeps the usual tasks which ask for it off the machine.

use super::fit::{Lacks, on_machine};
use std::collections::BTreeMap;
use tepui_core::placement::{Capacity, Free, Shape};

/// What machines have, by its place in all lists of amounts.
pub const RESOURCES: [&str; 5] = ["cpus", "mem", "disk", "ports", "gpus"];

/// GPUs among them.
pub const GPUS: usize = 4;

/// How many resources there are.
pub const COUNT: usize = RESOURCES.len();

/// How much of all tasks the usual shapes cover, in percent, as for the measure of fragmentation.
const COVERED_PERCENT: usize = 95;

/// What a machine has of each resource: milli of cpus and GPUs, MiB of memory and disk.
#[must_use]
pub fn has(capacity: &Capacity) -> [i64; COUNT] {
    [
        capacity.cpu_milli,
        capacity.memory_mib,
        capacity.disk_mib,
        capacity.ports,
        capacity.gpu_milli(),
    ]
}

/// What is idle of each.
#[must_use]
pub fn idle(free: &Free) -> [i64; COUNT] {
    [
        free.cpu_milli,
        free.memory_mib,
        free.disk_mib,
        free.ports,
        free.gpu_milli,
    ]
}

fn asked(shape: &Shape) -> [i64; COUNT] {
    [
        shape.cpu_milli,
        shape.memory_mib,
        shape.disk_mib,
        shape.ports,
        shape.gpu_milli_total(),
    ]
}

/// The commonest shapes of tasks, which together cover at least 95 % of them, with how many each.
#[must_use]
pub fn usual<'a>(shapes: impl IntoIterator<Item = &'a Shape>) -> Vec<(Shape, usize)> {
    let mut counts: BTreeMap<Shape, usize> = BTreeMap::new();
    let mut total = 0;
    for shape in shapes {
        *counts.entry(*shape).or_default() += 1;
        total += 1;
    }
    let mut all: Vec<(Shape, usize)> = counts.into_iter().collect();
    all.sort_by(|left, right| (right.1, left.0).cmp(&(left.1, right.0)));
    let mut covered = 0;
    all.retain(|(_, count)| {
        let is_needed = covered * 100 < COVERED_PERCENT * total;
        covered += count;
        is_needed
    });
    all
}

/// What of one machine is stranded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranded {
    /// How much of each resource.
    pub amounts: [i64; COUNT],
    /// What keeps the usual tasks that ask for it off the machine, where some is stranded.
    pub because: [Option<Lacks>; COUNT],
}

/// What of a machine is stranded for these tasks.
#[must_use]
pub fn on(free: &Free, usual: &[(Shape, usize)]) -> Stranded {
    let idle = idle(free);
    let mut usable = [0; COUNT];
    let mut blamed: [BTreeMap<Lacks, usize>; COUNT] = Default::default();
    for (shape, count) in usual {
        let asked = asked(shape);
        let (fits, lacks) = on_machine(free, shape);
        for resource in (0..COUNT).filter(|resource| asked[*resource] > 0) {
            usable[resource] = usable[resource].max(fits.saturating_mul(asked[resource]));
            *blamed[resource].entry(lacks).or_default() += count;
        }
    }
    let mut stranded = Stranded {
        amounts: [0; COUNT],
        because: [None; COUNT],
    };
    for resource in 0..COUNT {
        let left = idle[resource] - usable[resource].min(idle[resource]);
        stranded.amounts[resource] = left;
        if left > 0 {
            let most = blamed[resource]
                .iter()
                .max_by_key(|(lacks, n)| (**n, std::cmp::Reverse(**lacks)));
            stranded.because[resource] = most.map(|(lacks, _)| *lacks);
        }
    }
    stranded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(cpu_milli: i64, memory_mib: i64, gpus: usize) -> Free {
        Free::all_of(&Capacity {
            cpu_milli,
            memory_mib,
            gpus,
            ..Capacity::default()
        })
    }

    fn shape(cpu_milli: i64, memory_mib: i64, gpus: u32) -> Shape {
        Shape {
            cpu_milli,
            memory_mib,
            gpus,
            gpu_milli: if gpus > 0 { 1000 } else { 0 },
            ..Shape::default()
        }
    }

    #[test]
    fn gpus_without_cpus_are_stranded_and_the_cpus_are_blamed() {
        let usual = [(shape(4000, 100, 1), 10), (shape(1000, 100, 0), 5)];
        let found = on(&machine(3000, 10_000, 2), &usual);
        // Small tasks take the cpus; nothing can take the GPUs, nor much of the memory.
        assert_eq!(found.amounts, [0, 9_700, 0, 0, 2000]);
        assert_eq!(found.because[4], Some(Lacks::Cpu));
        assert_eq!(found.because[1], Some(Lacks::Cpu));
        assert_eq!(found.because[0], None);
    }

    #[test]
    fn what_the_one_kind_can_use_is_not_stranded() {
        let usual = [(shape(1000, 1000, 1), 1)];
        let found = on(&machine(2000, 2000, 2), &usual);
        assert_eq!(found.amounts, [0; COUNT]);
        assert_eq!(found.because, [None; COUNT]);
    }

    #[test]
    fn usual_shapes_are_the_commonest() {
        let (often, seldom) = (shape(1, 1, 0), shape(2, 1, 0));
        let all = [vec![often; 96], vec![seldom; 4]].concat();
        assert_eq!(usual(&all), [(often, 96)]);
        assert_eq!(usual(&[seldom, often]), [(often, 1), (seldom, 1)]);
        assert_eq!(usual(&[]), []);
    }
}

//! Shapes and capacities of what masters and agents write: lists of resources.
//!
//! GPUs are whole there, and of no model that a master knows of: which machine has which is said
//! by attributes, which frameworks heed. Amounts of a machine are cut to whole MiB and GPUs, those
//! of a task rounded up to them, so that what fits here fits there.

use super::free::{Capacity, GPUS_MAX};
use super::shape::{Shape, WHOLE_GPU_MILLI};
use crate::resources::{CPUS, DENSE, DISK, GPUS, MEM, Quantities, Resources, Value};

/// Thousandths in one: scalar resources are counted in them.
const MILLI: i64 = 1000;
/// The largest amount that is told apart, so that sums of a machine's never overflow.
const AMOUNT_MAX: i64 = 1 << 40;

impl Capacity {
    /// Of these columns of [`Quantities`]; without ports.
    #[must_use]
    pub fn of_columns(columns: &[i64; DENSE]) -> Capacity {
        let whole = |column: usize| (columns[column] / MILLI).min(AMOUNT_MAX);
        Capacity {
            cpu_milli: columns[CPUS].min(AMOUNT_MAX),
            memory_mib: whole(MEM),
            disk_mib: whole(DISK),
            ports: 0,
            gpus: whole(GPUS).min(GPUS_MAX as i64) as usize,
            ..Capacity::default()
        }
    }

    /// Of these resources, whatever they are reserved for.
    #[must_use]
    pub fn of(resources: &Resources) -> Capacity {
        Capacity {
            ports: ports(resources),
            ..Capacity::of_columns(resources.quantities().dense())
        }
    }
}

impl Shape {
    /// Of a task that uses these resources.
    #[must_use]
    pub fn of(resources: &Resources) -> Shape {
        let quantities: Quantities = resources.quantities();
        let columns = quantities.dense();
        let whole = |column: usize| ((columns[column] + MILLI - 1) / MILLI).min(AMOUNT_MAX);
        let gpus = whole(GPUS).min(i64::from(u32::MAX)) as u32;
        Shape {
            cpu_milli: columns[CPUS].min(AMOUNT_MAX),
            memory_mib: whole(MEM),
            disk_mib: whole(DISK),
            ports: ports(resources),
            gpus,
            gpu_milli: if gpus > 0 { WHOLE_GPU_MILLI } else { 0 },
            ..Shape::default()
        }
    }
}

fn ports(resources: &Resources) -> i64 {
    let ranges = resources.iter().filter(|item| item.name() == "ports");
    let count = ranges.map(|item| match &item.value {
        Value::Ranges(ranges) => ranges.count(),
        Value::Scalar(_) | Value::Set(_) => 0,
    });
    i64::try_from(count.sum::<u64>()).unwrap_or(AMOUNT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_are_rounded_down_and_tasks_up() {
        let both: Resources = "cpus:1.5;mem:32.5;disk:10;gpus:2;ports:[1-3,7-7]"
            .parse()
            .unwrap();
        let capacity = Capacity::of(&both);
        assert_eq!((capacity.memory_mib, capacity.gpus), (32, 2));
        let shape = Shape::of(&both);
        assert_eq!((shape.memory_mib, shape.gpu_milli_total()), (33, 2_000));
        assert_eq!((capacity.ports, shape.ports), (4, 4));
        assert_eq!((capacity.cpu_milli, shape.cpu_milli), (1_500, 1_500));
        assert_eq!(Capacity::of(&"gpus:99".parse().unwrap()).gpus, GPUS_MAX);
        assert_eq!(Shape::of(&"cpus:1".parse().unwrap()).gpu_milli, 0);
    }
}

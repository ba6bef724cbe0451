//! Amounts of what machines have and tasks ask for, by resource.

use std::fmt;
use std::ops::{AddAssign, Index, IndexMut, SubAssign};
use tepui_core::placement::{Capacity, Free, Shape};

/// What can run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// In thousandths of a cpu.
    Cpu,
    /// In MiB.
    Memory,
    /// In MiB.
    Disk,
    /// Whole ports.
    Ports,
    /// In thousandths of a GPU.
    Gpu,
}

impl Resource {
    /// All of them, in order.
    pub const ALL: [Resource; 5] = [
        Resource::Cpu,
        Resource::Memory,
        Resource::Disk,
        Resource::Ports,
        Resource::Gpu,
    ];

    /// As Mesos calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Resource::Cpu => "cpus",
            Resource::Memory => "mem",
            Resource::Disk => "disk",
            Resource::Ports => "ports",
            Resource::Gpu => "gpus",
        }
    }

    /// How many of our units are one of those that people write.
    #[must_use]
    pub fn units(self) -> i64 {
        match self {
            Resource::Cpu | Resource::Gpu => 1000,
            Resource::Memory | Resource::Disk | Resource::Ports => 1,
        }
    }

    /// An amount in the units that people write: cpus, MiB, ports, GPUs.
    #[must_use]
    pub fn shown(self, amount: i64) -> f64 {
        amount as f64 / self.units() as f64
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An amount of each resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Amounts([i64; 5]);

impl Amounts {
    /// All of a capacity.
    #[must_use]
    pub fn of_capacity(capacity: &Capacity) -> Amounts {
        Amounts([
            capacity.cpu_milli,
            capacity.memory_mib,
            capacity.disk_mib,
            capacity.ports,
            capacity.gpu_milli(),
        ])
    }

    /// What one task asks for.
    #[must_use]
    pub fn of_shape(shape: &Shape) -> Amounts {
        Amounts([
            shape.cpu_milli,
            shape.memory_mib,
            shape.disk_mib,
            shape.ports,
            shape.gpu_milli_total(),
        ])
    }

    /// What is free.
    #[must_use]
    pub fn of_free(free: &Free) -> Amounts {
        Amounts([
            free.cpu_milli,
            free.memory_mib,
            free.disk_mib,
            free.ports,
            free.gpu_milli,
        ])
    }

    /// Resources with their amounts, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Resource, i64)> {
        Resource::ALL.into_iter().zip(self.0)
    }

    /// Whether there is nothing of anything.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0 == [0; 5]
    }

    /// Whether it has at least as much of everything.
    #[must_use]
    pub fn contains(&self, other: &Amounts) -> bool {
        self.0.iter().zip(other.0).all(|(own, other)| *own >= other)
    }

    /// What both have of each.
    #[must_use]
    pub fn min(&self, other: &Amounts) -> Amounts {
        let mut least = *self;
        for (own, other) in least.0.iter_mut().zip(other.0) {
            *own = (*own).min(other);
        }
        least
    }
}

impl Index<Resource> for Amounts {
    type Output = i64;

    fn index(&self, resource: Resource) -> &i64 {
        &self.0[resource as usize]
    }
}

impl IndexMut<Resource> for Amounts {
    fn index_mut(&mut self, resource: Resource) -> &mut i64 {
        &mut self.0[resource as usize]
    }
}

impl AddAssign for Amounts {
    fn add_assign(&mut self, other: Amounts) {
        for (own, other) in self.0.iter_mut().zip(other.0) {
            *own += other;
        }
    }
}

impl SubAssign for Amounts {
    fn sub_assign(&mut self, other: Amounts) {
        for (own, other) in self.0.iter_mut().zip(other.0) {
            *own -= other;
        }
    }
}

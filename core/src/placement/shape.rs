//! What tasks ask for, as far as it matters where they fit.

use core::fmt;

/// Milli of a whole GPU.
pub const WHOLE_GPU_MILLI: i32 = 1000;

/// Which GPU models a task may use: a bit for each model of the cluster. Empty: any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Models(pub u64);

impl Models {
    /// Whether a machine with this one model will do.
    #[must_use]
    pub fn allow(self, model: Models) -> bool {
        self.0 == 0 || self.0 & model.0 != 0
    }
}

/// What a task asks for. Tasks of the same shape fit into the same places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shape {
    /// Thousandths of a cpu.
    pub cpu_milli: i64,
    /// MiB of memory.
    pub memory_mib: i64,
    /// MiB of disk.
    pub disk_mib: i64,
    /// How many ports, whichever.
    pub ports: i64,
    /// How many GPUs.
    pub gpus: u32,
    /// How much of each of them, at most 1000; 0 without GPUs.
    pub gpu_milli: i32,
    /// Which GPUs.
    pub models: Models,
}

impl Shape {
    /// Whether it takes a part of one GPU.
    #[must_use]
    pub fn is_share(&self) -> bool {
        self.gpus == 1 && self.gpu_milli < WHOLE_GPU_MILLI
    }

    /// All that it takes of GPUs.
    #[must_use]
    pub fn gpu_milli_total(&self) -> i64 {
        i64::from(self.gpus) * i64::from(self.gpu_milli)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} cpus, {} MiB",
            self.cpu_milli as f64 / 1000.0,
            self.memory_mib
        )?;
        if self.disk_mib > 0 {
            write!(f, ", {} MiB of disk", self.disk_mib)?;
        }
        if self.ports > 0 {
            write!(f, ", {} ports", self.ports)?;
        }
        match self.gpus {
            0 => Ok(()),
            1 if self.is_share() => write!(f, ", {} milli of a GPU", self.gpu_milli),
            1 => write!(f, ", 1 GPU"),
            gpus => write!(f, ", {gpus} GPUs"),
        }
    }
}

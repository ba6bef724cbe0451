//! What machines have, and what of it is free.

use super::shape::{Models, Shape, WHOLE_GPU_MILLI};

/// The most GPUs that a machine can have.
pub const GPUS_MAX: usize = 16;

/// What a machine has while nothing runs on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capacity {
    /// Thousandths of a cpu.
    pub cpu_milli: i64,
    /// MiB of memory.
    pub memory_mib: i64,
    /// MiB of disk.
    pub disk_mib: i64,
    /// How many ports.
    pub ports: i64,
    /// How many GPUs, at most [`GPUS_MAX`].
    pub gpus: usize,
    /// Of which model: one bit, or none.
    pub model: Models,
}

impl Capacity {
    /// What all its GPUs have together.
    #[must_use]
    pub fn gpu_milli(&self) -> i64 {
        self.gpus as i64 * i64::from(WHOLE_GPU_MILLI)
    }
}

/// Of which kinds the GPU tasks on a machine are: shares, and whole GPUs by their number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Kinds([u16; GPUS_MAX + 1]);

impl Kinds {
    fn of(shape: &Shape) -> Option<usize> {
        match shape.gpus {
            0 => None,
            1 if shape.is_share() => Some(0),
            gpus => Some(gpus as usize),
        }
    }

    /// Whether there is a task of this shape's kind, and whether there is one of another.
    #[must_use]
    pub fn like_and_unlike(&self, shape: &Shape) -> (bool, bool) {
        let own = Kinds::of(shape);
        let mut found = (false, false);
        for (kind, count) in self.0.iter().enumerate() {
            if *count > 0 && own == Some(kind) {
                found.0 = true;
            } else if *count > 0 {
                found.1 = true;
            }
        }
        found
    }
}

/// What is free on a capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Free {
    /// Thousandths of a cpu.
    pub cpu_milli: i64,
    /// MiB.
    pub memory_mib: i64,
    /// MiB.
    pub disk_mib: i64,
    /// How many.
    pub ports: i64,
    /// Of all its GPUs together.
    pub gpu_milli: i64,
    /// The model of its GPUs.
    pub model: Models,
    devices: [i32; GPUS_MAX],
    count: u8,
    /// Of what kinds its GPU tasks are.
    pub kinds: Kinds,
}

/// Which GPUs of a machine a task takes: a bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Devices(pub u32);

impl Free {
    /// All of a capacity.
    #[must_use]
    pub fn all_of(capacity: &Capacity) -> Free {
        assert!(capacity.gpus <= GPUS_MAX, "inputs are checked");
        let mut devices = [0; GPUS_MAX];
        devices[..capacity.gpus].fill(WHOLE_GPU_MILLI);
        Free {
            cpu_milli: capacity.cpu_milli,
            memory_mib: capacity.memory_mib,
            disk_mib: capacity.disk_mib,
            ports: capacity.ports,
            gpu_milli: capacity.gpu_milli(),
            model: capacity.model,
            devices,
            count: capacity.gpus as u8,
            kinds: Kinds::default(),
        }
    }

    /// What is free of each GPU.
    #[must_use]
    pub fn devices(&self) -> &[i32] {
        &self.devices[..usize::from(self.count)]
    }

    /// Whether a task fits.
    #[must_use]
    pub fn fits(&self, shape: &Shape) -> bool {
        self.memory_mib >= shape.memory_mib
            && self.disk_mib >= shape.disk_mib
            && self.ports >= shape.ports
            && self.runs(shape)
    }

    /// Whether a task fits as far as cpus and GPUs go; memory is no part of fragmentation.
    #[must_use]
    pub fn runs(&self, shape: &Shape) -> bool {
        if self.cpu_milli < shape.cpu_milli {
            return false;
        }
        if shape.gpus == 0 {
            return true;
        }
        if !shape.models.allow(self.model) {
            return false;
        }
        let enough = |free: &&i32| **free >= shape.gpu_milli;
        self.devices().iter().filter(enough).count() >= shape.gpus as usize
    }

    /// The devices that a task takes where the policy has no wish of its own: whole GPUs from the
    /// lowest index on, a share from the tightest that has it.
    #[must_use]
    pub fn usual_devices(&self, shape: &Shape) -> Devices {
        if shape.gpus == 0 {
            return Devices::default();
        }
        let fitting = self.devices().iter().enumerate();
        let fitting = fitting.filter(|(_, free)| **free >= shape.gpu_milli);
        if shape.is_share() {
            let tightest = fitting.min_by_key(|(index, free)| (**free, *index));
            return tightest.map_or(Devices::default(), |(index, _)| Devices(1 << index));
        }
        let taken = fitting.take(shape.gpus as usize);
        Devices(taken.fold(0, |bits, (index, _)| bits | 1 << index))
    }

    /// Takes what a task needs.
    pub fn take(&mut self, shape: &Shape, devices: Devices) {
        assert_eq!(
            devices.0.count_ones(),
            shape.gpus,
            "as many GPUs as asked for"
        );
        self.change(shape, devices, 1);
        if let Some(kind) = Kinds::of(shape) {
            self.kinds.0[kind] += 1;
        }
    }

    /// Gives back what a task had.
    pub fn give_back(&mut self, shape: &Shape, devices: Devices) {
        self.change(shape, devices, -1);
        if let Some(kind) = Kinds::of(shape) {
            self.kinds.0[kind] -= 1;
        }
    }

    fn change(&mut self, shape: &Shape, devices: Devices, sign: i64) {
        self.cpu_milli -= sign * shape.cpu_milli;
        self.memory_mib -= sign * shape.memory_mib;
        self.disk_mib -= sign * shape.disk_mib;
        self.ports -= sign * shape.ports;
        self.gpu_milli -= sign * shape.gpu_milli_total();
        let mut bits = devices.0;
        while bits != 0 {
            let device = &mut self.devices[bits.trailing_zeros() as usize];
            *device -= sign as i32 * shape.gpu_milli;
            assert!(
                (0..=WHOLE_GPU_MILLI).contains(device),
                "no GPU is used twice"
            );
            bits &= bits - 1;
        }
        let least = self
            .cpu_milli
            .min(self.memory_mib)
            .min(self.disk_mib)
            .min(self.ports);
        assert!(least >= 0, "nothing is used twice");
    }
}

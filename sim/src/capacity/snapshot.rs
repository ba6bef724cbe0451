//! A cluster as it is at one moment: its machines, and what runs on each.
//!
//! All inputs come to this: a live master's state, one that was saved, a YAML file, or a list of
//! machines that was filled by a policy.

use super::constraints::Constraint;
use super::machine::Machine;
use super::roles::Roles;
use super::task::Task;
use super::workload::Workload;
use std::collections::BTreeMap;
use std::sync::Arc;
use tepui_core::placement::{Devices, Free};

/// A task on its machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Which.
    pub task: Task,
    /// The machine's place in [`Snapshot::machines`].
    pub machine: usize,
    /// Which GPUs of it.
    pub devices: Devices,
}

/// A cluster at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Sorted by name.
    pub machines: Vec<Machine>,
    /// The names of GPU models, as in [`Workload::models`](super::workload::Workload::models).
    pub models: Vec<String>,
    /// Sorted by the names of tasks.
    pub running: Vec<Running>,
    /// What is set for roles.
    pub roles: Roles,
    /// Which machines an application's instances may share or must share, by its name.
    pub constraints: BTreeMap<Arc<str>, Vec<Constraint>>,
}

impl Snapshot {
    /// What is free, machine by machine.
    #[must_use]
    pub fn free(&self) -> Vec<Free> {
        let mut free: Vec<Free> = self.machines.iter().map(Machine::free).collect();
        for running in &self.running {
            free[running.machine].take(&running.task.shape, running.devices);
        }
        free
    }

    /// Its machines, empty, and its tasks as arrivals.
    #[must_use]
    pub fn workload(&self) -> Workload {
        let tasks = self.running.iter().map(|running| running.task.clone());
        Workload {
            roles: self.roles.clone(),
            constraints: self.constraints.clone(),
            ..Workload::new(self.machines.clone(), tasks.collect(), self.models.clone())
        }
    }
}

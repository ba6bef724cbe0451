//! A cluster as it is at one moment: its machines, and what runs on each.
//!
//! All inputs come to this: a live master's state, one that was saved, a YAML file, or a list of
//! machines that was filled by a policy.

use super::constraints::Constraint;
use super::fit::arrivals_up_to_load;
use super::machine::Machine;
use super::placer::Placer;
use super::roles::Roles;
use super::task::Task;
use super::workload::{Order, Workload};
use std::collections::BTreeMap;
use std::sync::Arc;
use tepui_core::placement::{Devices, Free, Measure, Policy};

/// A task on its machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Running {
    /// Which.
    pub task: Task,
    /// The machine's place in [`Snapshot::machines`].
    pub machine: usize,
    /// Which GPUs of it.
    pub devices: Devices,
    /// It cannot run elsewhere: it holds a persistent volume, or a reservation, of this machine.
    pub pinned: bool,
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
    /// A cluster that a policy filled with the arrivals up to a load, and the tasks that found no
    /// place.
    #[must_use]
    pub fn filled(
        workload: &Workload,
        order: &Order,
        measure: &Measure,
        policy: Policy,
        (load, seed): (u32, u64),
    ) -> (Snapshot, Vec<Task>) {
        let free = workload.free(&order.machines);
        let mut placer = Placer::new(policy, free, &workload.shapes, measure, seed);
        let (mut running, mut pending) = (Vec::new(), Vec::new());
        for arrival in arrivals_up_to_load(workload, order, load) {
            let task = workload.tasks[arrival].clone();
            match placer.place(workload.shape_of[arrival]) {
                None => pending.push(task),
                Some(placement) => running.push(Running {
                    task,
                    machine: order.machines[placement.place],
                    devices: placement.devices,
                    pinned: false,
                }),
            }
        }
        running.sort_by(|left, right| left.task.name.cmp(&right.task.name));
        let snapshot = Snapshot {
            machines: workload.machines.clone(),
            models: workload.models.clone(),
            running,
            roles: workload.roles.clone(),
            constraints: workload.constraints.clone(),
        };
        (snapshot, pending)
    }

    /// What is free, machine by machine.
    #[must_use]
    pub fn free(&self) -> Vec<Free> {
        let mut free: Vec<Free> = self.machines.iter().map(Machine::free).collect();
        for running in &self.running {
            free[running.machine].take(&running.task.shape, running.devices);
        }
        free
    }

    /// Its machines, empty, and its tasks as arrivals: the `n`th task is that of the `n`th of
    /// [`Snapshot::running`].
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

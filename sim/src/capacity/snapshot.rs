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
    /// Empty machines that a policy filled with arrivals up to a load, and the tasks that found no
    /// place.
    #[must_use]
    pub fn filled(
        workload: &Workload,
        order: &Order,
        measure: &Measure,
        policy: Policy,
        seeded: (u32, u64),
    ) -> (Snapshot, Vec<Task>) {
        let empty = Snapshot {
            machines: workload.machines.clone(),
            models: workload.models.clone(),
            running: Vec::new(),
            roles: workload.roles.clone(),
            constraints: workload.constraints.clone(),
        };
        empty.filled_up(workload, order, measure, policy, seeded)
    }

    /// The cluster after a policy placed arrivals until the GPU milli of all tasks are `load`
    /// percent of all; without GPUs, after all arrivals. And the tasks that found no place.
    #[must_use]
    pub fn filled_up(
        mut self,
        arrivals: &Workload,
        order: &Order,
        measure: &Measure,
        policy: Policy,
        (load, seed): (u32, u64),
    ) -> (Snapshot, Vec<Task>) {
        let mut placer = Placer::of(arrivals, &order.machines, measure, policy, seed);
        let mut place_of = vec![0; order.machines.len()];
        for (place, machine) in order.machines.iter().enumerate() {
            place_of[*machine] = place;
        }
        let mut running_milli = 0;
        for running in &self.running {
            placer.put_other(&running.task, place_of[running.machine], running.devices);
            running_milli += running.task.shape.gpu_milli_total();
        }
        let mut pending = Vec::new();
        for arrival in arrivals_up_to_load(arrivals, order, running_milli, load) {
            let task = arrivals.tasks[arrival].clone();
            match placer.place(arrivals.shape_of[arrival]) {
                None => pending.push(task),
                Some(placement) => self.running.push(Running {
                    task,
                    machine: order.machines[placement.place],
                    devices: placement.devices,
                    pinned: false,
                }),
            }
        }
        let running = &mut self.running;
        running.sort_by(|left, right| left.task.name.cmp(&right.task.name));
        (self, pending)
    }

    /// What is free, machine by machine, whoever may use it.
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
        Workload::ruled(
            self.machines.clone(),
            tasks.collect(),
            self.models.clone(),
            self.roles.clone(),
            self.constraints.clone(),
        )
    }
}

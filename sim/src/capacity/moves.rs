//! Moving tasks: which may be moved, what that costs, and whether a list of moves can be carried
//! out one after another.

use super::error::PlanError;
use super::roles;
use super::rules::Demand;
use super::snapshot::Snapshot;
use std::collections::BTreeSet;
use tepui_core::placement::{Devices, Shape};
use thiserror::Error;

/// One task goes from one machine to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// The task's place in [`Snapshot::running`].
    pub task: usize,
    /// The place of the machine in [`Snapshot::machines`] that it leaves.
    pub from: usize,
    /// That of the machine where it goes.
    pub to: usize,
    /// The GPUs that it takes there.
    pub devices: Devices,
}

/// Why a list of moves cannot be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Blocked {
    /// The task does not run where it should leave.
    #[error("move {0}: the task does not run there")]
    NotThere(usize),
    /// It has no room where it should go, or may not go there.
    #[error("move {0}: the task has no room there, or may not go there")]
    NoRoom(usize),
}

impl Blocked {
    /// Which of the moves, counted from 0.
    #[must_use]
    pub fn number(self) -> usize {
        match self {
            Blocked::NotThere(number) | Blocked::NoRoom(number) => number,
        }
    }
}

/// Carries out moves in order. Each task starts at its new place before it ends at its old one, so
/// that there is never less of it than before.
///
/// # Errors
/// Names the first move that cannot be, counted from 0.
pub fn carry_out(snapshot: &Snapshot, moves: &[Move]) -> Result<Snapshot, Blocked> {
    let mut after = snapshot.clone();
    let (mut free, mut rules) = (snapshot.free(), snapshot.rules());
    for (number, step) in moves.iter().enumerate() {
        let running = after.running.get_mut(step.task);
        let running = running.filter(|running| running.machine == step.from);
        let running = running.ok_or(Blocked::NotThere(number))?;
        let shape = &running.task.shape;
        let there = free.get_mut(step.to).filter(|_| step.to != step.from);
        let there = there.ok_or(Blocked::NoRoom(number))?;
        let tenant = rules.tenant(&Demand::of(&running.task));
        let enough = |device: usize| there.devices().get(device) >= Some(&shape.gpu_milli);
        let mut named = (0..u32::BITS as usize).filter(|bit| step.devices.0 >> bit & 1 == 1);
        let asked = step.devices.0.count_ones() == shape.gpus;
        if !asked || !rules.allows(step.to, there, &tenant) || !named.all(enough) {
            return Err(Blocked::NoRoom(number));
        }
        there.take(shape, step.devices);
        rules.add(step.to, &tenant);
        free[step.from].give_back(shape, running.devices);
        rules.remove(step.from, &tenant);
        running.machine = step.to;
        running.devices = step.devices;
    }
    Ok(after)
}

/// What moving one task costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CostBy {
    /// All the same.
    #[default]
    Tasks,
    /// By the MiB of memory that must be filled again.
    Memory,
    /// As its owner said; 1 where nothing was said.
    Given,
}

/// What is left alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exempt {
    /// Applications whose tasks stay where they are.
    pub applications: Vec<String>,
    /// Roles whose tasks stay where they are.
    pub roles: Vec<String>,
    /// Machines, by name, that neither give nor take a task.
    pub machines: Vec<String>,
}

/// What may be moved, and what that costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Whether each running task may be moved.
    pub movable: Vec<bool>,
    /// Whether each machine takes tasks.
    pub open: Vec<bool>,
    /// Whether each machine is left alone.
    pub exempt: Vec<bool>,
    /// What moving each running task costs, at least 1.
    pub cost: Vec<i64>,
}

impl Terms {
    /// For all that runs.
    ///
    /// # Errors
    /// When something exempt is not there: it may be misspelt.
    pub fn new(snapshot: &Snapshot, exempt: &Exempt, by: CostBy) -> Result<Terms, PlanError> {
        let tasks = || snapshot.running.iter().map(|running| &running.task);
        let known = |what: &str, wanted: &[String], there: BTreeSet<&str>| match wanted
            .iter()
            .find(|name| !there.contains(name.as_str()))
        {
            None => Ok(()),
            Some(name) => Err(PlanError::Mismatch(format!(
                "no {what} is called '{name}': there are {}",
                some_of(&there)
            ))),
        };
        let applications = tasks().map(|task| &*task.application);
        known("application", &exempt.applications, applications.collect())?;
        let named = tasks().map(|task| roles::named(&task.role));
        known("role", &exempt.roles, named.collect())?;
        let machines = snapshot
            .machines
            .iter()
            .map(|machine| machine.name.as_str());
        known("agent", &exempt.machines, machines.collect())?;
        let holds = |list: &[String], name: &str| list.iter().any(|one| one == name);
        let machines = snapshot.machines.iter();
        let left_alone = machines.map(|machine| holds(&exempt.machines, &machine.name));
        let left_alone: Vec<bool> = left_alone.collect();
        let takes = snapshot.machines.iter().zip(&left_alone);
        let takes = takes.map(|(machine, left_alone)| !machine.closed && !left_alone);
        let movable = snapshot.running.iter().map(|running| {
            !running.pinned
                && !left_alone[running.machine]
                && !holds(&exempt.applications, &running.task.application)
                && !holds(&exempt.roles, roles::named(&running.task.role))
        });
        let cost = tasks().map(|task| match by {
            CostBy::Tasks => 1,
            CostBy::Memory => task.shape.memory_mib.max(1),
            CostBy::Given => task.cost.max(1),
        });
        Ok(Terms {
            movable: movable.collect(),
            cost: cost.collect(),
            open: takes.collect(),
            exempt: left_alone,
        })
    }
}

/// A few of many names, to choose from.
fn some_of(names: &BTreeSet<&str>) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().filter(|name| !name.is_empty()).take(SHOWN);
    let mut text = shown.copied().collect::<Vec<&str>>().join(", ");
    match names.len() {
        0 => text += "none",
        many if many > SHOWN => text += &format!(" and {} more", many - SHOWN),
        _ => {}
    }
    text
}

/// The tasks on each machine, as places in [`Snapshot::running`].
#[must_use]
pub fn tasks_by_machine(snapshot: &Snapshot) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new(); snapshot.machines.len()];
    for (task, running) in snapshot.running.iter().enumerate() {
        all[running.machine].push(task);
    }
    all
}

/// Sorts tasks as they had better be placed: those first that fit into the fewest places.
pub fn largest_first<'a>(tasks: &mut [usize], shape: impl Fn(usize) -> &'a Shape) {
    let size = |task: usize| {
        let shape = shape(task);
        (shape.gpu_milli_total(), shape.cpu_milli, shape.memory_mib)
    };
    tasks.sort_by_key(|task| (std::cmp::Reverse(size(*task)), *task));
}

//! What operators read of what operators have set.

use super::super::Leading;
use crate::ids::FrameworkId;
use crate::model::{InverseOfferStatus, MachineId, MachineMode, Quota};
use crate::registry::OperatorState;
use crate::resources::{Quantities, Resource, Role, Scalar, Value};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// A role: one that a framework is in, that something is reserved for, that has a weight or a
/// quota, or that lies above such a one. Amounts include those of the roles below it; ranges and
/// sets count what is in them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoleView {
    /// Its name.
    pub role: Role,
    /// Its weight; 1 unless an operator said otherwise.
    pub weight: Scalar,
    /// The frameworks that take part in it or hold something in it.
    pub frameworks: Vec<FrameworkId>,
    /// Its quota; default unless an operator said otherwise.
    pub quota: Quota,
    /// What counts towards that: what is in use, and what is reserved.
    pub consumed: Quantities,
    /// What is in use.
    pub allocated: Quantities,
    /// What is offered.
    pub offered: Quantities,
    /// What is reserved.
    pub reserved: Quantities,
}

/// How far maintenance is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MaintenanceStatus {
    /// Machines that frameworks are asked to leave, and what these answered.
    pub draining: Vec<(MachineId, Vec<InverseOfferStatus>)>,
    /// Machines that are down.
    pub down: Vec<MachineId>,
}

/// Amounts of one role, those below it left out.
#[derive(Default)]
struct Sums {
    frameworks: BTreeSet<FrameworkId>,
    unreserved: Quantities,
    allocated: Quantities,
    offered: Quantities,
    reserved: Quantities,
}

/// Adds an item; ranges and sets count what is in them.
fn add(sum: &mut Quantities, item: &Resource) {
    let units = match &item.value {
        Value::Scalar(scalar) => return sum.add_milli(&item.kind.name, scalar.milli()),
        Value::Ranges(ranges) => ranges.count(),
        Value::Set(set) => set.as_slice().len() as u64,
    };
    let milli = i64::try_from(units)
        .unwrap_or(i64::MAX)
        .saturating_mul(1000);
    sum.add_milli(&item.kind.name, milli);
}

impl Leading {
    /// What operators have set, as it is in the registry: quotas, weights, the schedule of
    /// maintenance, machines, and marks on agents.
    #[must_use]
    pub const fn operator_state(&self) -> &OperatorState {
        &self.operator.state
    }

    /// What maintenance has led to.
    #[must_use]
    pub fn maintenance_status(&self) -> MaintenanceStatus {
        let state = &self.operator.state;
        let mut status = MaintenanceStatus::default();
        let mut answers: BTreeMap<&MachineId, Vec<InverseOfferStatus>> = BTreeMap::new();
        if !state.machines.is_empty() {
            for (index, agent) in self.agents.arena.iter() {
                let machine = state.machine_of(&agent.info.hostname, &agent.info.ip);
                if let Some((id, _)) = machine {
                    let theirs = self.operator.inverse.answers(index);
                    answers.entry(id).or_default().extend(theirs);
                }
            }
        }
        for (id, machine) in &state.machines {
            match machine.mode {
                MachineMode::Down => status.down.push(id.clone()),
                MachineMode::Draining => {
                    let answers = answers.remove(id).unwrap_or_default();
                    status.draining.push((id.clone(), answers));
                }
            }
        }
        status
    }

    /// All roles, by name. It looks at every agent, task and offer once.
    #[must_use]
    pub fn roles(&self) -> Vec<RoleView> {
        let sums = self.role_sums();
        let state = &self.operator.state;
        let mut known: BTreeSet<Role> = BTreeSet::new();
        let named = sums
            .keys()
            .chain(state.weights.keys())
            .chain(state.quotas.keys());
        for role in named {
            let mut next = Some(role.clone());
            // Each step goes one level up, and the depth of a role is bounded by its length.
            while let Some(role) = next.filter(|role| !known.contains(role)) {
                next = role.parent();
                known.insert(role);
            }
        }
        let views = known.into_iter().map(|role| {
            let mut view = RoleView {
                weight: state
                    .weights
                    .get(&role)
                    .copied()
                    .unwrap_or(Scalar::from_units(1)),
                quota: state.quotas.get(&role).cloned().unwrap_or_default(),
                frameworks: Vec::new(),
                consumed: Quantities::ZERO,
                allocated: Quantities::ZERO,
                offered: Quantities::ZERO,
                reserved: Quantities::ZERO,
                role,
            };
            // Roles below it follow it, but not at once: `a`, `a-b`, `a/c`.
            let alike = sums.range(&view.role..);
            let alike = alike.take_while(|(role, _)| role.as_str().starts_with(view.role.as_str()));
            for (role, sums) in alike.filter(|(role, _)| view.role.covers(role)) {
                if *role == view.role {
                    view.frameworks = sums.frameworks.iter().cloned().collect();
                }
                view.allocated.add(&sums.allocated);
                view.offered.add(&sums.offered);
                view.reserved.add(&sums.reserved);
                view.consumed.add(&sums.unreserved);
                view.consumed.add(&sums.reserved);
            }
            view
        });
        views.collect()
    }

    fn role_sums(&self) -> BTreeMap<Role, Sums> {
        let mut sums: BTreeMap<Role, Sums> = BTreeMap::new();
        for (_, framework) in self.frameworks.arena.iter() {
            for role in &framework.info.roles {
                let entry = sums.entry(role.clone()).or_default();
                entry.frameworks.insert(framework.id.clone());
            }
        }
        for offered in self.offers.by_number.values() {
            let entry = sums.entry(offered.offer.role.clone()).or_default();
            for item in &offered.offer.resources {
                add(&mut entry.offered, item);
            }
        }
        for (_, agent) in self.agents.arena.iter() {
            for item in &agent.total {
                if let Some(role) = item.kind.reserved_role() {
                    add(&mut sums.entry(role.clone()).or_default().reserved, item);
                }
            }
            let tasks = agent.tasks.iter().map(|task| &self.tasks[*task]);
            let tasks = tasks.filter(|task| task.charged);
            let tasks = tasks.map(|task| (task.framework, &task.info.resources));
            let executors = agent.executors.iter().filter(|(_, e)| e.charged);
            let executors = executors.map(|(key, e)| (key.0, &e.info.resources));
            for (framework, resources) in tasks.chain(executors) {
                let framework = &self.frameworks.arena[framework];
                let role = super::super::tasks::role_of(resources, &framework.info);
                let entry = sums.entry(role).or_default();
                entry.frameworks.insert(framework.id.clone());
                for item in resources {
                    add(&mut entry.allocated, item);
                    if item.kind.reservations.is_empty() {
                        add(&mut entry.unreserved, item);
                    }
                }
            }
        }
        sums
    }
}

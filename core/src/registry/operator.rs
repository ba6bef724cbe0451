//! What operators have set, and how it changes.

use super::operation::{Operation, Reject};
use super::registry::{AgentStanding, Registry};
use crate::ids::AgentId;
use crate::model::{
    AgentMark, DrainInfo, DrainState, Machine, MachineId, MachineMode, Quota, Window,
};
use crate::resources::{Role, Scalar};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// All that operators have set, as the registry keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorState {
    /// Quotas of top-level roles; none is the default.
    pub quotas: BTreeMap<Role, Quota>,
    /// Weights of roles, where one was ever set.
    pub weights: BTreeMap<Role, Scalar>,
    /// When machines will be away.
    pub schedule: Vec<Window>,
    /// The machines of the schedule.
    pub machines: BTreeMap<MachineId, Machine>,
    /// Agents, admitted or unreachable, that are drained or deactivated.
    pub marks: BTreeMap<AgentId, AgentMark>,
}

impl OperatorState {
    /// The machine on which a host of this name and address stands, by any entry that names it.
    /// Where several do, one that is down counts.
    #[must_use]
    pub fn machine_of(&self, hostname: &str, ip: &str) -> Option<(&MachineId, &Machine)> {
        let name = |hostname: &str, ip: &str| MachineId {
            hostname: hostname.into(),
            ip: ip.into(),
        };
        let names = [name(hostname, ip), name(hostname, ""), name("", ip)];
        let found = names
            .iter()
            .filter(|name| !(name.hostname.is_empty() && name.ip.is_empty()))
            .filter_map(|name| self.machines.get_key_value(name));
        found.reduce(|best, next| match next.1.mode {
            MachineMode::Down => next,
            MachineMode::Draining => best,
        })
    }
}

impl OperatorState {
    /// Follows an operation that is legal where it stands in the log. Agents that are forgotten
    /// lose their marks through [`OperatorState::forget`].
    pub fn note(&mut self, operation: &Operation) {
        match operation {
            Operation::UpdateQuota { quotas } => self.note_quotas(quotas),
            Operation::UpdateWeights { weights } => self.weights.extend(weights.iter().cloned()),
            Operation::UpdateSchedule { windows } => self.note_schedule(windows),
            Operation::StartMaintenance { machines } => {
                for id in machines {
                    if let Some(machine) = self.machines.get_mut(id) {
                        machine.mode = MachineMode::Down;
                    }
                }
            }
            Operation::StopMaintenance { machines } => self.note_up(machines),
            Operation::DrainAgent { agent_id, config } => {
                let (state, config) = (DrainState::Draining, *config);
                let drain = Some(DrainInfo { state, config });
                self.marks.insert(agent_id.clone(), AgentMark { drain });
            }
            Operation::MarkDrained { agent_id } => {
                let mark = self.marks.get_mut(agent_id);
                if let Some(drain) = mark.and_then(|mark| mark.drain.as_mut()) {
                    drain.state = DrainState::Drained;
                }
            }
            Operation::DeactivateAgent { agent_id } => {
                self.marks.entry(agent_id.clone()).or_default();
            }
            Operation::ReactivateAgent { agent_id }
            | Operation::MarkGone { agent_id, .. }
            | Operation::RemoveAgent { agent_id } => self.forget(agent_id),
            _ => {}
        }
    }

    /// Nothing is said of this agent any more.
    pub fn forget(&mut self, agent_id: &AgentId) {
        self.marks.remove(agent_id);
    }

    fn note_quotas(&mut self, quotas: &[(Role, Quota)]) {
        for (role, quota) in quotas {
            if quota.is_default() {
                self.quotas.remove(role);
            } else {
                self.quotas.insert(role.clone(), quota.clone());
            }
        }
    }

    fn note_schedule(&mut self, windows: &[Window]) {
        let before = core::mem::take(&mut self.machines);
        for window in windows {
            for id in &window.machines {
                let mode = before.get(id).map(|machine| machine.mode);
                let machine = Machine {
                    mode: mode.unwrap_or(MachineMode::Draining),
                    unavailability: window.unavailability,
                };
                self.machines.insert(id.clone(), machine);
            }
        }
        let windows = windows.iter().filter(|window| !window.machines.is_empty());
        self.schedule = windows.cloned().collect();
    }

    fn note_up(&mut self, machines: &[MachineId]) {
        for id in machines {
            self.machines.remove(id);
        }
        for window in &mut self.schedule {
            window.machines.retain(|id| !machines.contains(id));
        }
        self.schedule.retain(|window| !window.machines.is_empty());
    }
}

impl Registry {
    /// What is wrong with what operators have set, if anything is.
    pub(super) fn operator_flaw(&self) -> Option<String> {
        let state = &self.operator;
        let stranger = state
            .marks
            .keys()
            .find(|id| refuse_unknown(self, id).is_err());
        if let Some(id) = stranger {
            return Some(format!("a mark on agent {id}, which is not of the cluster"));
        }
        let mut quotas = state.quotas.iter();
        if let Some((role, quota)) = quotas.find(|(role, quota)| !may_have(role, quota)) {
            return Some(format!("role {role} has {quota:?}"));
        }
        if let Some((role, _)) = state.weights.iter().find(|(_, weight)| weight.is_zero()) {
            return Some(format!("role {role} has no weight"));
        }
        let scheduled = state.schedule.iter().flat_map(|window| &window.machines);
        let set: BTreeSet<&MachineId> = scheduled.clone().collect();
        let is_same = set.iter().copied().eq(state.machines.keys());
        if !is_same || set.len() != scheduled.count() {
            return Some(String::from("the machines are not those of the schedule"));
        }
        None
    }
}

/// Whether `role` may have a quota, and this one.
fn may_have(role: &Role, quota: &Quota) -> bool {
    role.parent().is_none() && !quota.is_default() && quota.limits.contains(&quota.guarantees)
}

/// Whether what an operator asked for is legal now.
pub(super) fn check(registry: &Registry, operation: &Operation) -> Result<(), Reject> {
    let state = &registry.operator;
    match operation {
        Operation::UpdateQuota { quotas } => {
            let mut quotas = quotas.iter();
            let wrong = quotas.find(|(role, quota)| !quota.is_default() && !may_have(role, quota));
            wrong.map_or(Ok(()), |(role, _)| Err(Reject::RoleSetting(role.clone())))
        }
        Operation::UpdateWeights { weights } => {
            let wrong = weights.iter().find(|(_, weight)| weight.is_zero());
            wrong.map_or(Ok(()), |(role, _)| Err(Reject::RoleSetting(role.clone())))
        }
        Operation::UpdateSchedule { windows } => check_schedule(state, windows),
        Operation::StartMaintenance { machines } => {
            require_mode(state, machines, MachineMode::Draining)
        }
        Operation::StopMaintenance { machines } => require_mode(state, machines, MachineMode::Down),
        Operation::DrainAgent { agent_id, .. } | Operation::DeactivateAgent { agent_id } => {
            refuse_unknown(registry, agent_id)
        }
        Operation::MarkDrained { agent_id } => {
            refuse_unknown(registry, agent_id)?;
            let drain = state.marks.get(agent_id).and_then(|mark| mark.drain);
            match drain.map(|drain| drain.state) {
                Some(DrainState::Draining) => Ok(()),
                _ => Err(Reject::NotDraining(agent_id.clone())),
            }
        }
        Operation::ReactivateAgent { agent_id } => {
            refuse_unknown(registry, agent_id)?;
            let marked = state.marks.contains_key(agent_id);
            let unmarked = || Reject::NotDeactivated(agent_id.clone());
            marked.then_some(()).ok_or_else(unmarked)
        }
        _ => Ok(()),
    }
}

/// A machine that is down cannot be taken off the schedule, only up.
fn check_schedule(state: &OperatorState, windows: &[Window]) -> Result<(), Reject> {
    let mut seen: BTreeSet<&MachineId> = BTreeSet::new();
    for id in windows.iter().flat_map(|window| &window.machines) {
        let nameless = id.hostname.is_empty() && id.ip.is_empty();
        if nameless || !seen.insert(id) {
            return Err(Reject::MachineTwice(id.clone()));
        }
    }
    let mut machines = state.machines.iter();
    let lost = machines.find(|(id, m)| m.mode == MachineMode::Down && !seen.contains(id));
    lost.map_or(Ok(()), |(id, _)| Err(Reject::MachineMode(id.clone())))
}

/// Whether all of `machines` are in `mode`.
fn require_mode(
    state: &OperatorState,
    machines: &[MachineId],
    mode: MachineMode,
) -> Result<(), Reject> {
    let found = |id: &MachineId| state.machines.get(id).map(|machine| machine.mode);
    match machines.iter().find(|id| found(id) != Some(mode)) {
        Some(id) => Err(Reject::MachineMode(id.clone())),
        None => Ok(()),
    }
}

fn refuse_unknown(registry: &Registry, id: &AgentId) -> Result<(), Reject> {
    match registry.standing(id) {
        AgentStanding::Admitted | AgentStanding::Unreachable(_) => Ok(()),
        AgentStanding::Gone(_) => Err(Reject::Gone(id.clone())),
        AgentStanding::Unknown => Err(Reject::NotAdmitted(id.clone())),
    }
}

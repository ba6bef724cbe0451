//! Machines that will be away, and those that are.

use super::super::agents::Pending;
use super::super::{Effect, Leading};
use crate::ids::{AgentId, Peer};
use crate::message::agent::ToAgent;
use crate::message::operator::Refusal;
use crate::model::{AgentInfo, MachineId, MachineMode, Window};
use crate::outbox::Outbox;
use crate::registry::Operation;
use crate::time::Now;
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::Ipv4Addr;

/// What agents on machines that are down are told.
const DOWN: &str = "an operator took the machine down";

fn invalid(why: impl Into<String>) -> Refusal {
    Refusal::Invalid(why.into())
}

fn check_machine(id: &MachineId) -> Result<(), Refusal> {
    if id.hostname.is_empty() && id.ip.is_empty() {
        let why = "Both 'hostname' and 'ip' for a machine are empty";
        return Err(invalid(why));
    }
    if !id.ip.is_empty() && id.ip.parse::<Ipv4Addr>().is_err() {
        let why = alloc::format!("Failed to parse the IP: '{}' is none", id.ip);
        return Err(invalid(why));
    }
    Ok(())
}

fn check_once<'a>(id: &'a MachineId, seen: &mut BTreeSet<&'a MachineId>) -> Result<(), Refusal> {
    check_machine(id)?;
    if seen.insert(id) {
        return Ok(());
    }
    Err(invalid(alloc::format!(
        "Machine '{id}' appears more than once in the schedule"
    )))
}

impl Leading {
    pub(super) fn check_schedule(&self, windows: &[Window]) -> Result<Operation, Refusal> {
        let mut seen = BTreeSet::new();
        for window in windows {
            if window.machines.is_empty() {
                return Err(invalid(
                    "List of machines in the maintenance window is empty",
                ));
            }
            if window.unavailability.duration_nanos.is_some_and(|d| d < 0) {
                return Err(invalid("Unavailability 'duration' is negative"));
            }
            for id in &window.machines {
                check_once(id, &mut seen)?;
            }
        }
        let mut known = self.operator.state.machines.iter();
        let lost = known.find(|(id, m)| m.mode == MachineMode::Down && !seen.contains(id));
        if let Some((id, _)) = lost {
            return Err(invalid(alloc::format!(
                "Machine '{id}' is deactivated and cannot be removed from the schedule"
            )));
        }
        let windows = windows.to_vec();
        Ok(Operation::UpdateSchedule { windows })
    }

    pub(super) fn check_start(&self, machines: &[MachineId]) -> Result<Operation, Refusal> {
        self.check_modes(machines, MachineMode::Draining, |id| {
            alloc::format!("Machine '{id}' is not in DRAINING mode and cannot be brought down")
        })?;
        let machines = machines.to_vec();
        Ok(Operation::StartMaintenance { machines })
    }

    pub(super) fn check_stop(&self, machines: &[MachineId]) -> Result<Operation, Refusal> {
        self.check_modes(machines, MachineMode::Down, |id| {
            alloc::format!("Machine '{id}' is not in DOWN mode and cannot be brought up")
        })?;
        let machines = machines.to_vec();
        Ok(Operation::StopMaintenance { machines })
    }

    fn check_modes(
        &self,
        machines: &[MachineId],
        mode: MachineMode,
        otherwise: impl Fn(&MachineId) -> String,
    ) -> Result<(), Refusal> {
        if machines.is_empty() {
            return Err(invalid("List of machines is empty"));
        }
        let mut seen = BTreeSet::new();
        for id in machines {
            check_once(id, &mut seen)?;
        }
        for id in machines {
            match self.operator.state.machines.get(id) {
                None => {
                    return Err(invalid(alloc::format!(
                        "Machine '{id}' is not part of a maintenance schedule"
                    )));
                }
                Some(machine) if machine.mode != mode => return Err(invalid(otherwise(id))),
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Machines came on the schedule, went off it, or will be away at another time.
    pub(super) fn on_schedule_updated(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        let agents: Vec<_> = self.agents.arena.iter().map(|(index, _)| index).collect();
        for index in agents {
            self.reschedule(now, index, fx);
        }
    }

    /// Machines went down: nothing of them is offered, and their agents are looked at one by one.
    pub(super) fn on_machines_down(&mut self, fx: &mut Outbox<Effect>) {
        let agents = self.agents.arena.iter();
        let down: Vec<_> = agents
            .filter(|(_, agent)| self.is_down(&agent.info))
            .map(|(index, agent)| (index, agent.id.clone()))
            .collect();
        for (index, id) in down {
            // It is removed once that is stored; what it has is not offered until then.
            self.set_aside(index, fx);
            self.operator.due.insert(id);
        }
    }

    /// Whether an agent's machine is down.
    pub(in crate::master::leading) fn is_down(&self, info: &AgentInfo) -> bool {
        if self.operator.state.machines.is_empty() {
            return false;
        }
        let machine = self.operator.state.machine_of(&info.hostname, &info.ip);
        machine.is_some_and(|(_, machine)| machine.mode == MachineMode::Down)
    }

    /// Removes an agent whose machine is down.
    pub(super) fn take_down(&mut self, id: &AgentId, fx: &mut Outbox<Effect>) {
        let Some(index) = self.agents.find(id) else {
            return;
        };
        let agent = &self.agents.arena[index];
        if !self.is_down(&agent.info) || self.agents.pending.contains_key(id) {
            return;
        }
        self.shut_down_agent(id, agent.peer, DOWN, fx);
        let agent_id = id.clone();
        self.store(Pending::Remove, Operation::RemoveAgent { agent_id }, fx);
    }

    /// An agent whose machine is down asks to be of the cluster.
    pub(in crate::master::leading) fn refuse_down(
        &mut self,
        id: Option<&AgentId>,
        peer: Option<Peer>,
        fx: &mut Outbox<Effect>,
    ) {
        match id {
            Some(id) => self.shut_down_agent(id, peer, DOWN, fx),
            None => {
                let message = DOWN.to_string();
                if let Some(peer) = peer {
                    let message = ToAgent::Shutdown { message };
                    fx.push(Effect::ToAgent { peer, message });
                }
            }
        }
        let Some(agent_id) = id.cloned() else { return };
        let admitted =
            self.agents.find(&agent_id).is_some() || self.agents.recovered.contains_key(&agent_id);
        if admitted && !self.agents.pending.contains_key(&agent_id) {
            self.store(Pending::Remove, Operation::RemoveAgent { agent_id }, fx);
        }
    }
}

//! What operators were told is done stays done, whoever leads.

use super::Broken;
use std::collections::{BTreeMap, BTreeSet};
use tepui_core::ids::AgentId;
use tepui_core::message::operator::{Amount, QuotaConfig, Request, RequestId};
use tepui_core::model::{MachineId, MachineMode, Offer};
use tepui_core::registry::Registry;
use tepui_core::resources::Role;

/// What an operator may be sure of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aside {
    Deactivated,
    Drained,
    Gone,
}

/// What a request is about. Requests about the same thing cross each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Agent(AgentId),
    Quota(String),
    Weight(String),
    Machine(MachineId),
}

/// All that operators were told.
#[derive(Debug, Default)]
pub struct OperatorChecker {
    /// Taken in by the present leader, and not answered yet.
    open: BTreeMap<RequestId, Request>,
    aside: BTreeMap<AgentId, Aside>,
    down: BTreeSet<MachineId>,
    quotas: BTreeMap<String, QuotaConfig>,
    weights: BTreeMap<String, f64>,
    /// The registry's version when it was last looked at; none after an answer.
    looked_at: Option<u64>,
}

impl OperatorChecker {
    /// A master takes a request in: what it may change is not sure any more.
    pub fn on_request(&mut self, id: RequestId, request: &Request) {
        match request {
            Request::ReactivateAgent { agent_id }
                if self.aside.get(agent_id) != Some(&Aside::Gone) =>
            {
                self.aside.remove(agent_id);
            }
            Request::StopMaintenance { machines } => {
                self.down.retain(|machine| !machines.contains(machine));
            }
            Request::UpdateQuota { configs, .. } => {
                for config in configs {
                    self.quotas.remove(&config.role);
                }
            }
            Request::UpdateWeights { weights } => {
                for config in weights {
                    self.weights.remove(&config.role);
                }
            }
            _ => {}
        }
        self.open.insert(id, request.clone());
    }

    /// Another leader serves. What it does not know was never done; what it knows, was.
    pub fn on_leader(&mut self) {
        self.open.clear();
        self.looked_at = None;
    }

    /// A request is answered.
    pub fn on_answer(&mut self, id: RequestId, is_done: bool) {
        let Some(request) = self.open.remove(&id) else {
            return;
        };
        let crossed: BTreeSet<Subject> = self.open.values().flat_map(subjects).collect();
        let is_sure = subjects(&request).iter().all(|s| !crossed.contains(s));
        if !is_done || !is_sure {
            return;
        }
        self.looked_at = None;
        match request {
            Request::DeactivateAgent { agent_id } => {
                self.aside.entry(agent_id).or_insert(Aside::Deactivated);
            }
            Request::DrainAgent { agent_id, .. } => {
                let aside = self.aside.entry(agent_id).or_insert(Aside::Drained);
                if *aside == Aside::Deactivated {
                    *aside = Aside::Drained;
                }
            }
            Request::MarkAgentGone { agent_id } => {
                self.aside.insert(agent_id, Aside::Gone);
            }
            Request::StartMaintenance { machines } => self.down.extend(machines),
            Request::UpdateQuota { configs, .. } => {
                let configs = configs.into_iter();
                let by_role = configs.map(|config| (config.role.clone(), config));
                self.quotas.extend(by_role);
            }
            Request::UpdateWeights { weights } => {
                let by_role = weights.into_iter().map(|c| (c.role, c.weight));
                self.weights.extend(by_role);
            }
            _ => {}
        }
    }

    /// Whether nothing was ever asked.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.aside.is_empty()
            && self.down.is_empty()
            && self.quotas.is_empty()
            && self.weights.is_empty()
    }

    /// A master offers something.
    ///
    /// # Errors
    /// When an operator was told that nothing of that agent is offered.
    pub fn on_offer(&self, offer: &Offer) -> Result<(), Broken> {
        let name = "operators.set-aside-is-not-offered";
        let aside = self.aside.get(&offer.agent_id);
        Broken::unless(aside.is_none(), name, || {
            let (agent, aside) = (&offer.agent_id, aside.expect("it is not none"));
            format!("{agent} is offered, though an operator was told that it is {aside:?}")
        })?;
        let machine = MachineId {
            hostname: offer.hostname.clone(),
            ip: String::new(),
        };
        Broken::unless(!self.down.contains(&machine), name, || {
            format!("{machine} is offered, though an operator was told that it is down")
        })
    }

    /// A master launches something on an agent.
    ///
    /// # Errors
    /// When an operator was told that the agent is drained or gone.
    pub fn on_launch(&self, agent_id: &AgentId) -> Result<(), Broken> {
        let aside = self.aside.get(agent_id);
        Broken::unless(aside.is_none(), "operators.set-aside-is-not-used", || {
            format!("something is launched on {agent_id}, which is {aside:?}")
        })
    }

    /// What the leader's registry says after an input.
    ///
    /// # Errors
    /// When it does not know what an operator was told is done.
    pub fn on_registry(&mut self, registry: &Registry) -> Result<(), Broken> {
        if self.looked_at == Some(registry.version()) {
            return Ok(());
        }
        self.looked_at = Some(registry.version());
        // An agent that was removed is forgotten, with all that was said of it.
        self.aside.retain(|id, _| {
            registry.admitted().contains_key(id)
                || registry.unreachable().contains_key(id)
                || registry.gone().contains_key(id)
        });
        for (id, aside) in &self.aside {
            let state = registry.operator();
            let mark = state.marks.get(id);
            let is_gone = registry.gone().contains_key(id);
            let kept = match aside {
                _ if is_gone => true,
                Aside::Gone => false,
                Aside::Drained => mark.is_some_and(|mark| mark.drain.is_some()),
                Aside::Deactivated => mark.is_some(),
            };
            Broken::unless(kept, "operators.done-is-kept", || {
                format!("{id} was said to be {aside:?}, its mark is {mark:?}")
            })?;
        }
        for machine in &self.down {
            let mode = registry.operator().machines.get(machine).map(|m| m.mode);
            let kept = mode == Some(MachineMode::Down);
            Broken::unless(kept, "operators.done-is-kept", || {
                format!("{machine} was said to be down, it is {mode:?}")
            })?;
        }
        self.check_roles(registry)
    }

    fn check_roles(&self, registry: &Registry) -> Result<(), Broken> {
        let state = registry.operator();
        let role = |name: &str| Role::new(name).expect("the registry took it");
        for (name, config) in &self.quotas {
            let quota = state.quotas.get(&role(name));
            let guaranteed = |amount: &Amount| {
                let milli = quota.map_or(0, |quota| quota.guarantees.milli(&amount.name));
                milli == milli_of(amount)
            };
            let limited = |amount: &Amount| {
                let milli = quota.and_then(|quota| quota.limits.milli(&amount.name));
                milli == Some(milli_of(amount))
            };
            let kept =
                config.guarantees.iter().all(guaranteed) && config.limits.iter().all(limited);
            Broken::unless(kept, "operators.done-is-kept", || {
                format!("{config:?} was said to be in force, it is {quota:?}")
            })?;
        }
        for (name, weight) in &self.weights {
            let stored = state.weights.get(&role(name)).map(|weight| weight.milli());
            let kept = stored == Some((weight * 1000.0).round() as i64);
            Broken::unless(kept, "operators.done-is-kept", || {
                format!("{name} was said to weigh {weight}, it weighs {stored:?} thousandths")
            })?;
        }
        Ok(())
    }
}

fn milli_of(amount: &Amount) -> i64 {
    (amount.value * 1000.0).round() as i64
}

fn subjects(request: &Request) -> Vec<Subject> {
    match request {
        Request::MarkAgentGone { agent_id }
        | Request::DrainAgent { agent_id, .. }
        | Request::DeactivateAgent { agent_id }
        | Request::ReactivateAgent { agent_id } => vec![Subject::Agent(agent_id.clone())],
        Request::StartMaintenance { machines } | Request::StopMaintenance { machines } => {
            machines.iter().cloned().map(Subject::Machine).collect()
        }
        Request::UpdateQuota { configs, .. } => {
            let roles = configs.iter().map(|config| config.role.clone());
            roles.map(Subject::Quota).collect()
        }
        Request::UpdateWeights { weights } => {
            let roles = weights.iter().map(|config| config.role.clone());
            roles.map(Subject::Weight).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(number: u32) -> AgentId {
        AgentId::new(&format!("a-S{number}")).expect("a good id")
    }

    #[test]
    fn what_is_done_is_sure_until_it_may_have_changed() {
        let mut checker = OperatorChecker::default();
        let agent_id = agent(1);
        let deactivate = Request::DeactivateAgent {
            agent_id: agent_id.clone(),
        };
        let reactivate = Request::ReactivateAgent {
            agent_id: agent_id.clone(),
        };
        checker.on_request(RequestId(1), &deactivate);
        assert!(checker.on_launch(&agent_id).is_ok());
        checker.on_answer(RequestId(1), true);
        assert!(checker.on_launch(&agent_id).is_err());
        checker.on_request(RequestId(2), &reactivate);
        assert!(checker.on_launch(&agent_id).is_ok());
        checker.on_request(RequestId(3), &deactivate);
        checker.on_answer(RequestId(3), true);
        let found = checker.on_launch(&agent_id);
        assert!(
            found.is_ok(),
            "the reactivation may come after it: {found:?}"
        );
        checker.on_leader();
        checker.on_request(RequestId(4), &deactivate);
        checker.on_answer(RequestId(4), false);
        assert!(checker.on_launch(&agent_id).is_ok(), "it was refused");
    }

    #[test]
    fn a_mark_that_the_registry_lost_is_found() {
        let mut checker = OperatorChecker::default();
        let registry = Registry::default();
        let machine = MachineId {
            hostname: String::from("agent-1"),
            ip: String::new(),
        };
        let machines = vec![machine];
        checker.on_request(RequestId(1), &Request::StartMaintenance { machines });
        assert!(checker.on_registry(&registry).is_ok());
        checker.on_answer(RequestId(1), true);
        assert!(checker.on_registry(&registry).is_err());
    }
}

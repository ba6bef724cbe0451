//! Operators: they ask whoever leads, and ask again until they are answered.

use super::{Planned, Run};
use crate::machine::SimNode;
use crate::node::NodeIndex;
use crate::scenario::OperatorStep;
use crate::time::SimTime;
use crate::world::Delivery;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tepui_core::ids::AgentId;
use tepui_core::message::operator::{
    Amount, Answer, QuotaConfig, Refusal, Request, RequestId, WeightConfig,
};
use tepui_core::model::{DrainConfig, MachineId, Unavailability, Window};

/// An operator that is not answered, or told to come back later, asks again after this.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long machines are said to be away; they return when the operator says so.
pub(super) const MAINTENANCE_LASTS: Duration = Duration::from_secs(60);

/// Something that an operator wants, and goes on wanting until the answer is final.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) what: Want,
    /// Under which id it was asked last.
    pub(super) asked: Option<RequestId>,
}

#[derive(Clone, Debug)]
pub(super) enum Want {
    /// This very request.
    Ask(Request),
    /// The schedule as it is wanted now.
    Schedule,
    /// These machines up, and their agents started.
    Up(Vec<NodeIndex>),
}

/// What a wish is about: some wait for earlier ones about the same.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Subject {
    Agent(AgentId),
    Maintenance,
    Quota(String),
    Other,
}

impl Want {
    fn subject(&self) -> Subject {
        match self {
            Want::Schedule | Want::Up(_) | Want::Ask(Request::StartMaintenance { .. }) => {
                Subject::Maintenance
            }
            Want::Ask(
                Request::DrainAgent { agent_id, .. }
                | Request::DeactivateAgent { agent_id }
                | Request::ReactivateAgent { agent_id }
                | Request::MarkAgentGone { agent_id },
            ) => Subject::Agent(agent_id.clone()),
            Want::Ask(Request::UpdateQuota { configs, .. }) => {
                Subject::Quota(configs[0].role.clone())
            }
            Want::Ask(_) => Subject::Other,
        }
    }

    /// Whether it undoes, or builds on, what was wanted before.
    pub(super) fn comes_after(&self) -> bool {
        match self {
            Want::Schedule | Want::Up(_) => true,
            Want::Ask(Request::StartMaintenance { .. } | Request::ReactivateAgent { .. }) => true,
            Want::Ask(Request::UpdateQuota { configs, .. }) => {
                configs[0].guarantees.is_empty() && configs[0].limits.is_empty()
            }
            Want::Ask(_) => false,
        }
    }
}

/// What operators want, and what they believe.
#[derive(Debug, Default)]
pub(super) struct Operators {
    last: u64,
    pub(super) wishes: BTreeMap<u64, Wish>,
    next_wish: u64,
    /// The schedule as operators want it.
    pub(super) schedule: BTreeMap<NodeIndex, Unavailability>,
    /// Agents that were set aside, machines that were taken down, and roles with quota: to be
    /// undone when everything is healed.
    pub(super) aside: BTreeSet<AgentId>,
    pub(super) down: BTreeSet<NodeIndex>,
    pub(super) quotas: BTreeSet<String>,
}

impl Run<'_> {
    /// Whether nothing that operators want is open.
    pub(super) fn operators_are_done(&self) -> Result<(), String> {
        match self.operators.wishes.values().next() {
            None => Ok(()),
            Some(wish) => Err(format!(
                "{} requests of operators are open, such as {:?}",
                self.operators.wishes.len(),
                wish.what
            )),
        }
    }

    /// Does what a step says. False when it found nobody.
    pub(super) fn on_operator_step(&mut self, step: &OperatorStep) -> bool {
        if let Some(quota) = &step.quota {
            let (guarantee, limit) = (amounts(&quota.guarantee), amounts(&quota.limit));
            self.set_quota(&quota.role, guarantee, limit);
            return true;
        }
        if let Some(weights) = &step.weights {
            for (role, weight) in weights {
                self.set_weight(role, *weight);
            }
            return true;
        }
        let targets = step.targets();
        let nodes = self.resolve(targets[0]);
        if nodes.is_empty() {
            return false;
        }
        if step.maintenance.is_some() {
            let now = self.world.now;
            self.operators.schedule.clear();
            self.schedule(&nodes, now, MAINTENANCE_LASTS);
        } else if step.machines_down.is_some() {
            self.take_down(&nodes);
        } else if step.machines_up.is_some() {
            self.take_up(nodes);
        } else {
            return self.mark(step, &nodes);
        }
        true
    }

    /// Agents are drained, deactivated, taken into use again, or given up.
    fn mark(&mut self, step: &OperatorStep, nodes: &[NodeIndex]) -> bool {
        let agents = self.agent_ids(nodes);
        if agents.len() < nodes.len() {
            return false;
        }
        let config = DrainConfig {
            max_grace_period: step.max_grace.map(|span| span.0),
            mark_gone: step.then_gone,
        };
        for agent_id in agents {
            let request = if step.drain.is_some() {
                Request::DrainAgent { agent_id, config }
            } else if step.deactivate.is_some() {
                Request::DeactivateAgent { agent_id }
            } else if step.reactivate.is_some() {
                Request::ReactivateAgent { agent_id }
            } else {
                assert!(step.mark_gone.is_some(), "the scenario was checked");
                Request::MarkAgentGone { agent_id }
            };
            self.wish(Want::Ask(request));
        }
        true
    }

    /// The ids of agents, as the leader's registry has them.
    pub(super) fn agent_ids(&self, nodes: &[NodeIndex]) -> Vec<AgentId> {
        let Some(registry) = self.leader().and_then(|leader| self.world.registry(leader)) else {
            return Vec::new();
        };
        let unreachable = registry.unreachable().iter();
        let unreachable = unreachable.map(|(id, u)| (id, &u.admission));
        let known: Vec<_> = registry.admitted().iter().chain(unreachable).collect();
        let find = |node: &NodeIndex| {
            let name = &self.world.node(*node).name;
            let mut known = known.iter();
            let found = known.find(|(_, admission)| admission.info.hostname == *name);
            found.map(|(id, _)| AgentId::clone(id))
        };
        nodes.iter().filter_map(find).collect()
    }

    pub(super) fn set_quota(&mut self, role: &str, guarantees: Vec<Amount>, limits: Vec<Amount>) {
        if guarantees.is_empty() && limits.is_empty() {
            self.operators.quotas.remove(role);
        } else {
            self.operators.quotas.insert(role.to_owned());
        }
        let configs = vec![QuotaConfig {
            role: role.to_owned(),
            guarantees,
            limits,
        }];
        let force = true;
        self.wish(Want::Ask(Request::UpdateQuota { configs, force }));
    }

    pub(super) fn set_weight(&mut self, role: &str, weight: f64) {
        let role = role.to_owned();
        let weights = vec![WeightConfig { role, weight }];
        self.wish(Want::Ask(Request::UpdateWeights { weights }));
    }

    pub(super) fn schedule(&mut self, nodes: &[NodeIndex], start: SimTime, lasts: Duration) {
        let start_nanos = start.0 as i64;
        let duration_nanos = i64::try_from(lasts.as_nanos()).ok();
        let unavailability = Unavailability {
            start_nanos,
            duration_nanos,
        };
        for node in nodes {
            self.operators.schedule.insert(*node, unavailability);
        }
        self.wish(Want::Schedule);
    }

    pub(super) fn take_down(&mut self, nodes: &[NodeIndex]) {
        self.operators.down.extend(nodes);
        let machines = self.machines_of(nodes);
        self.wish(Want::Ask(Request::StartMaintenance { machines }));
    }

    pub(super) fn take_up(&mut self, nodes: Vec<NodeIndex>) {
        self.wish(Want::Up(nodes));
    }

    fn machines_of(&self, nodes: &[NodeIndex]) -> Vec<MachineId> {
        let machine = |node: &NodeIndex| MachineId {
            hostname: self.world.node(*node).name.clone(),
            ip: String::new(),
        };
        nodes.iter().map(machine).collect()
    }

    pub(super) fn wish(&mut self, what: Want) {
        let number = self.operators.next_wish;
        self.operators.next_wish += 1;
        let asked = None;
        self.operators.wishes.insert(number, Wish { what, asked });
        self.ask(number);
    }

    /// Asks whoever leads, and looks again later.
    pub(super) fn ask(&mut self, number: u64) {
        let Some(wish) = self.operators.wishes.get(&number) else {
            return;
        };
        let request = match &wish.what {
            Want::Ask(request) => request.clone(),
            Want::Schedule => self.wanted_schedule(),
            Want::Up(nodes) => {
                let machines = self.machines_of(nodes);
                Request::StopMaintenance { machines }
            }
        };
        let now = self.world.now;
        let subject = wish.what.subject();
        let mut earlier = self.operators.wishes.range(..number);
        let waits =
            wish.what.comes_after() && earlier.any(|(_, wish)| wish.what.subject() == subject);
        if let Some(leader) = self.leader().filter(|_| !waits) {
            self.operators.last += 1;
            let id = RequestId(self.operators.last);
            self.announce(&format!("an operator asks: {id}, {request:?}"));
            let wish = self.operators.wishes.get_mut(&number);
            wish.expect("it was just there").asked = Some(id);
            let delivery = Delivery::Operator { id, request };
            self.world.plan_local(now, leader, delivery);
        }
        self.plan(now + PATIENCE, Planned::Operator(number));
    }

    fn wanted_schedule(&self) -> Request {
        let entry = |(node, unavailability): (&NodeIndex, &Unavailability)| Window {
            machines: self.machines_of(&[*node]),
            unavailability: *unavailability,
        };
        let windows = self.operators.schedule.iter().map(entry).collect();
        Request::UpdateMaintenanceSchedule { windows }
    }

    /// A master answers.
    pub(super) fn on_operator_answer(&mut self, id: RequestId, answer: &Result<Answer, Refusal>) {
        let wishes = &self.operators.wishes;
        let mut found = wishes.iter().filter(|(_, wish)| wish.asked == Some(id));
        let Some((number, wish)) = found.next().map(|(n, wish)| (*n, wish.clone())) else {
            return;
        };
        let later = match answer {
            Ok(_) => false,
            Err(Refusal::NotLeading { .. } | Refusal::Busy(_)) => true,
            // Whoever drains waits for the end.
            Err(Refusal::Invalid(why)) => {
                why.contains("still in the DRAINING") && self.may_end(&wish.what)
            }
            Err(_) => false,
        };
        if later {
            return;
        }
        self.operators.wishes.remove(&number);
        match wish.what {
            Want::Up(nodes) => {
                self.are_up(&nodes);
                if answer.is_err() {
                    // They were never down: they go off the schedule as any other.
                    self.wish(Want::Schedule);
                }
            }
            Want::Ask(Request::DrainAgent { agent_id, .. })
            | Want::Ask(Request::DeactivateAgent { agent_id }) => {
                self.operators.aside.insert(agent_id);
            }
            Want::Ask(Request::ReactivateAgent { agent_id }) => {
                self.operators.aside.remove(&agent_id);
            }
            Want::Ask(_) | Want::Schedule => {}
        }
    }

    /// Whether an agent that is drained may still say that it is empty: not one whose disk, and
    /// with it its id, was lost.
    fn may_end(&self, want: &Want) -> bool {
        let Want::Ask(Request::ReactivateAgent { agent_id }) = want else {
            return false;
        };
        !self.healing
            || self.world.indices().any(|node| {
                let machine = self.world.node(node).machine.as_ref();
                matches!(machine, Some(SimNode::Agent(agent))
                    if agent.checkpoint().agent_id.as_ref() == Some(agent_id))
            })
    }

    /// The machines are in use again: their agents are started.
    fn are_up(&mut self, nodes: &[NodeIndex]) {
        for node in nodes {
            self.operators.schedule.remove(node);
            self.operators.down.remove(node);
            self.world.nodes[node.slot()].left = false;
            self.world.start(*node);
        }
    }
}

fn amounts(amounts: &BTreeMap<String, f64>) -> Vec<Amount> {
    let each = amounts.iter().map(|(name, value)| Amount {
        name: name.clone(),
        value: *value,
    });
    each.collect()
}

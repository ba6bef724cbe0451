//! Operators: each asks whoever leads, and asks again until he is answered.

use super::{Planned, Run, Undo};
use crate::machine::SimNode;
use crate::node::{NodeIndex, Process, Role};
use crate::observe::Told;
use crate::scenario::{OperatorStep, QuotaStep, Target};
use crate::world::Delivery;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tepui_core::ids::AgentId;
use tepui_core::message::operator::{Amount, QuotaConfig, Request, RequestId, WeightConfig};
use tepui_core::model::{DrainConfig, MachineId, Unavailability, Window};

/// Who got no answer, or one that says to try again, asks again after this.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often somebody asks before he gives up.
const TRIES_MAX: u32 = 60;

/// Requests that are not answered yet.
#[derive(Debug, Default)]
pub(super) struct Operators {
    next: u64,
    open: BTreeMap<RequestId, (Request, u32)>,
    /// Agents that were drained at random, to be used again.
    aside: BTreeSet<NodeIndex>,
    /// Roles that were given a quota at random, to be taken away.
    bound: BTreeSet<String>,
}

impl Run<'_> {
    /// Has an operator ask for what a step says. False when it found nobody to ask for.
    pub(super) fn ask(&mut self, step: &OperatorStep) -> bool {
        if self.leader().is_none() {
            return false;
        }
        let requests = self.requests(step);
        let found = !requests.is_empty();
        for request in requests {
            self.announce(&format!("an operator asks for {}", request.name()));
            self.send_request(request, 0);
        }
        found
    }

    fn requests(&mut self, step: &OperatorStep) -> Vec<Request> {
        if let Some(quota) = &step.quota {
            return vec![update_quota(quota)];
        }
        if let Some(weights) = &step.weights {
            let weights = weights.iter().map(|(role, weight)| WeightConfig {
                role: role.clone(),
                weight: *weight,
            });
            let weights = weights.collect();
            return vec![Request::UpdateWeights { weights }];
        }
        let config = DrainConfig {
            max_grace_period: step.max_grace.map(|span| span.0),
            mark_gone: step.then_gone,
        };
        if let Some(target) = &step.drain {
            return self.each(target, |agent_id| Request::DrainAgent { agent_id, config });
        }
        if let Some(target) = &step.deactivate {
            return self.each(target, |agent_id| Request::DeactivateAgent { agent_id });
        }
        if let Some(target) = &step.reactivate {
            return self.each(target, |agent_id| Request::ReactivateAgent { agent_id });
        }
        if let Some(target) = &step.mark_gone {
            return self.each(target, |agent_id| Request::MarkAgentGone { agent_id });
        }
        let machines = |run: &mut Self, target: &Option<Target>| {
            let target = target.as_ref()?;
            let machines = run.machine_ids(target);
            (!machines.is_empty()).then_some(machines)
        };
        if let Some(machines) = machines(self, &step.maintenance) {
            let unavailability = Unavailability::default();
            let windows = vec![Window {
                machines,
                unavailability,
            }];
            return vec![Request::UpdateMaintenanceSchedule { windows }];
        }
        if let Some(machines) = machines(self, &step.machines_down) {
            return vec![Request::StartMaintenance { machines }];
        }
        let up = machines(self, &step.machines_up);
        up.map(|machines| Request::StopMaintenance { machines })
            .into_iter()
            .collect()
    }

    /// One request for each agent of a target that has an id.
    fn each(&mut self, target: &Target, request: impl Fn(AgentId) -> Request) -> Vec<Request> {
        let nodes = self.resolve(target);
        let ids = nodes.iter().filter_map(|node| self.agent_id(*node));
        ids.map(request).collect()
    }

    /// As the agent knows it, or, of one that does not run, as the leader knows its host.
    fn agent_id(&self, node: NodeIndex) -> Option<AgentId> {
        if let Some(SimNode::Agent(agent)) = &self.world.node(node).machine {
            return agent.agent_id().cloned();
        }
        let leader = self.leader()?;
        let Some(SimNode::Master(master)) = &self.world.node(leader).machine else {
            return None;
        };
        let name = &self.world.node(node).name;
        let registry = master.registry();
        let admitted = registry.admitted().iter();
        let unreachable = registry.unreachable().iter();
        let unreachable = unreachable.map(|(id, marked)| (id, &marked.admission));
        let mut known = admitted.chain(unreachable);
        let found = known.find(|(_, admission)| admission.info.hostname == *name);
        found.map(|(id, _)| id.clone())
    }

    fn machine_ids(&mut self, target: &Target) -> Vec<MachineId> {
        let nodes = self.resolve(target);
        let agents = nodes
            .into_iter()
            .filter(|node| self.world.node(*node).role == Role::Agent);
        let names = agents.map(|node| self.world.node(node).name.clone());
        let names = names.map(|hostname| MachineId {
            hostname,
            ip: String::new(),
        });
        names.collect()
    }

    fn send_request(&mut self, request: Request, tries: u32) {
        self.operators.next += 1;
        let id = RequestId(self.operators.next);
        let leader = self.leader();
        let leader = leader.filter(|node| self.world.node(*node).process != Process::Down);
        if let Some(leader) = leader {
            let delivery = Delivery::Operator {
                id,
                request: request.clone(),
            };
            let now = self.world.now;
            self.world.plan_local(now, leader, delivery);
        }
        self.operators.open.insert(id, (request, tries));
        let at = self.world.now + PATIENCE;
        self.plan(at, Planned::Operator(id));
    }

    /// Operators at random: what they do is taken back some time later.
    pub(super) fn random_request(&mut self, kind: &str, nodes: Vec<NodeIndex>, lasts: Duration) {
        if self.leader().is_none() {
            return;
        }
        if kind == "drain" {
            let drawn = self.world.streams.faults.below(3);
            for node in nodes {
                let Some(agent_id) = self.agent_id(node) else {
                    continue;
                };
                let config = DrainConfig {
                    max_grace_period: (drawn == 0).then_some(Duration::from_secs(1)),
                    mark_gone: false,
                };
                let request = match drawn {
                    2 => Request::DeactivateAgent { agent_id },
                    _ => Request::DrainAgent { agent_id, config },
                };
                let names = self.names(&[node]);
                self.announce(&format!(
                    "an operator asks for {} of {names}",
                    request.name()
                ));
                self.operators.aside.insert(node);
                self.send_request(request, 0);
                self.later(Some(lasts), Undo::Reactivate(node));
            }
            return;
        }
        let roles = self.plan.frameworks.iter();
        let roles: Vec<String> = roles.map(|f| f.spec.info.roles[0].to_string()).collect();
        let Some(last) = u64::try_from(roles.len())
            .ok()
            .and_then(|n| n.checked_sub(1))
        else {
            return;
        };
        let streams = &mut self.world.streams.faults;
        let role = roles[streams.below(last + 1) as usize].clone();
        let cpus = streams.below(8) as f64;
        if kind == "weight" {
            let weight = cpus + 0.5;
            let weights = vec![WeightConfig { role, weight }];
            return self.send_request(Request::UpdateWeights { weights }, 0);
        }
        let amount = |value| BTreeMap::from([(String::from("cpus"), value)]);
        let step = QuotaStep {
            role: role.clone(),
            guarantee: amount(cpus),
            limit: amount(cpus + streams.below(8) as f64),
        };
        self.announce(&format!("an operator gives {role} a quota"));
        self.operators.bound.insert(role);
        self.send_request(update_quota(&step), 0);
        self.later(Some(lasts), Undo::Unbind);
    }

    /// Takes an agent that was drained at random into use again.
    pub(super) fn reactivate(&mut self, node: NodeIndex) {
        if self.operators.aside.remove(&node)
            && let Some(agent_id) = self.agent_id(node)
        {
            self.send_request(Request::ReactivateAgent { agent_id }, 0);
        }
    }

    /// Takes quotas away that were given at random.
    pub(super) fn unbind(&mut self) {
        for role in std::mem::take(&mut self.operators.bound) {
            let step = QuotaStep {
                role,
                ..QuotaStep::default()
            };
            self.send_request(update_quota(&step), 0);
        }
    }

    /// What operators did at random is taken back when everything is healed.
    pub(super) fn heal_operators(&mut self) {
        for node in self.operators.aside.clone() {
            self.reactivate(node);
        }
        self.unbind();
    }

    /// An operator looks whether he was answered. What was refused for good is not asked again.
    pub(super) fn on_operator(&mut self, id: RequestId) {
        let Some((request, tries)) = self.operators.open.remove(&id) else {
            return;
        };
        let told = self.world.observer.answers.remove(&id);
        let settled = match told {
            Some(Told::Done) => true,
            // An agent cannot be used again while it is still being emptied.
            Some(Told::Refused) => !matches!(request, Request::ReactivateAgent { .. }),
            Some(Told::Again) | None => false,
        };
        if !settled && tries < TRIES_MAX {
            self.send_request(request, tries + 1);
        }
    }
}

fn update_quota(step: &QuotaStep) -> Request {
    let amounts = |amounts: &BTreeMap<String, f64>| {
        let amounts = amounts.iter().map(|(name, value)| Amount {
            name: name.clone(),
            value: *value,
        });
        amounts.collect()
    };
    let config = QuotaConfig {
        role: step.role.clone(),
        guarantees: amounts(&step.guarantee),
        limits: amounts(&step.limit),
    };
    Request::UpdateQuota {
        configs: vec![config],
        force: true,
    }
}

//! What operators ask for at random, how it is undone, and how a cluster is put in order.

use super::operators::{MAINTENANCE_LASTS, Want};
use super::{Planned, Run};
use crate::node::{NodeIndex, Role};
use crate::scenario::{Rate, Target, Workload};
use crate::time::SimTime;
use std::collections::BTreeSet;
use std::time::Duration;
use tepui_core::ids::AgentId;
use tepui_core::message::operator::{Amount, Request};
use tepui_core::model::{DrainConfig, ResourceOperation};
use tepui_core::resources::{
    Disk, Reservation, ReservationType, Resource, ResourceKind, Resources, Role as CoreRole,
    Scalar, Value, Volume,
};

impl Run<'_> {
    /// One random request, and what undoes it later.
    pub(super) fn random_request(&mut self, kind: &str, rate: &Rate, lasts: Duration) {
        let target = rate.of.clone().unwrap_or(Target::Random(1, Role::Agent));
        let nodes = match kind {
            "quota" | "weight" => Vec::new(),
            _ => self.resolve(&target),
        };
        let nodes: Vec<NodeIndex> = nodes.into_iter().take(1).collect();
        let agents = self.agent_ids(&nodes);
        let undo_at = self.world.now + lasts;
        match (kind, agents.first().cloned()) {
            ("quota", _) => self.random_quota(undo_at),
            ("weight", _) => {
                if let Some(role) = self.random_role() {
                    let weight = 1 + self.world.streams.faults.below(8);
                    self.set_weight(&role, weight as f64 / 2.0);
                }
            }
            ("maintenance", _) => {
                let now = self.world.now;
                for node in nodes {
                    if !self.operators.schedule.contains_key(&node) {
                        self.schedule(&[node], now, MAINTENANCE_LASTS);
                        self.plan(now + lasts / 2, Planned::Down(node));
                        self.plan(undo_at, Planned::Up(node));
                    }
                }
            }
            ("mark_gone", Some(agent_id)) => {
                self.wish(Want::Ask(Request::MarkAgentGone { agent_id }));
            }
            ("deactivate", Some(agent_id)) => {
                let request = Request::DeactivateAgent {
                    agent_id: agent_id.clone(),
                };
                self.wish(Want::Ask(request));
                self.plan(undo_at, Planned::Reactivate(agent_id));
            }
            ("drain", Some(agent_id)) => {
                let seconds = self.world.streams.faults.below(5);
                let config = DrainConfig {
                    max_grace_period: seconds.checked_sub(1).map(Duration::from_secs),
                    mark_gone: false,
                };
                let request = Request::DrainAgent {
                    agent_id: agent_id.clone(),
                    config,
                };
                self.wish(Want::Ask(request));
                self.plan(undo_at, Planned::Reactivate(agent_id));
            }
            ("reserve", Some(agent_id)) => self.random_reservation(&agent_id, undo_at),
            _ => {}
        }
    }

    /// Space is reserved and made into a volume: two requests, of which the second may come too
    /// early or too late, as may those that undo them.
    fn random_reservation(&mut self, agent_id: &AgentId, undo_at: SimTime) {
        let Some(role) = self.random_role() else {
            return;
        };
        let faults = &mut self.world.streams.faults;
        let id = format!("operators-{}", faults.below(1 << 32));
        let size = Scalar::from_units(8 << faults.below(4));
        let mut kind = ResourceKind::plain("disk");
        kind.reservations.push(Reservation {
            kind: ReservationType::Dynamic,
            role: CoreRole::new(&role).expect("scenarios are checked"),
            principal: None,
            labels: Vec::new(),
        });
        let single = |kind: &ResourceKind| {
            let item = Resource::new(kind.clone(), Value::Scalar(size));
            Resources::new([item]).expect("it is one item")
        };
        let resources = single(&kind);
        kind.disk = Some(Disk {
            volume: Some(Volume::new(&id, "data")),
            source: None,
        });
        let volumes = single(&kind);
        let source = Resources::EMPTY;
        let reserve = ResourceOperation::Reserve {
            source,
            resources: resources.clone(),
        };
        let create = ResourceOperation::Create {
            volumes: volumes.clone(),
        };
        for operation in [reserve, create] {
            let agent_id = agent_id.clone();
            self.wish(Want::Ask(Request::Operate {
                agent_id,
                operation,
            }));
        }
        let destroy = ResourceOperation::Destroy { volumes };
        let unreserve = ResourceOperation::Unreserve { resources };
        for operation in [destroy, unreserve] {
            self.plan(undo_at, Planned::Unmake(agent_id.clone(), operation));
        }
    }

    fn random_role(&mut self) -> Option<String> {
        let roles = self.plan.scenario.workload.iter().map(|entry| match entry {
            Workload::Service(s) => &s.framework.role,
            Workload::Batch(b) => &b.framework.role,
            Workload::Execute(e) => &e.framework.role,
            Workload::Reserver(r) => &r.framework.role,
            Workload::Append(_) => unreachable!("a log has no frameworks"),
        });
        let roles: BTreeSet<&String> = roles.filter(|role| *role != "*").collect();
        let place = self.world.streams.faults.below(roles.len().max(1) as u64);
        roles.into_iter().nth(place as usize).cloned()
    }

    fn random_quota(&mut self, undo_at: SimTime) {
        let Some(role) = self.random_role() else {
            return;
        };
        let faults = &mut self.world.streams.faults;
        let guaranteed = faults.below(9);
        let limit = guaranteed + faults.below(9);
        let is_limited = faults.chance(1, 2);
        let cpus = |value: u64| {
            let name = String::from("cpus");
            let value = value as f64;
            Amount { name, value }
        };
        let guarantees = if guaranteed == 0 {
            None
        } else {
            Some(cpus(guaranteed))
        };
        let limits = is_limited.then(|| cpus(limit));
        self.set_quota(&role, Vec::from_iter(guarantees), Vec::from_iter(limits));
        self.plan(undo_at, Planned::NoQuota(role));
    }

    /// Something that was asked for at random is undone.
    pub(super) fn undo_request(&mut self, what: Planned) {
        if self.healing {
            return;
        }
        match what {
            Planned::Down(node) => self.take_down(&[node]),
            Planned::Up(node) => self.take_up(vec![node]),
            Planned::Reactivate(agent_id) => {
                self.wish(Want::Ask(Request::ReactivateAgent { agent_id }));
            }
            Planned::NoQuota(role) => self.set_quota(&role, Vec::new(), Vec::new()),
            Planned::Unmake(agent_id, operation) => {
                self.wish(Want::Ask(Request::Operate {
                    agent_id,
                    operation,
                }));
            }
            other => unreachable!("{other:?} is nothing that operators do"),
        }
    }

    /// Everything is healed: machines go up, agents are taken into use again, quotas go.
    pub(super) fn put_in_order(&mut self) {
        if !self.plan.scenario.has_random_requests() {
            return;
        }
        // What was not asked yet never is, unless it undoes something.
        let undoes = |want: &Want| {
            want.comes_after() && !matches!(want, Want::Ask(Request::StartMaintenance { .. }))
        };
        let wishes = &mut self.operators.wishes;
        wishes.retain(|_, wish| wish.asked.is_some() || undoes(&wish.what));
        for wish in wishes.values() {
            if let Want::Ask(
                Request::DrainAgent { agent_id, .. } | Request::DeactivateAgent { agent_id },
            ) = &wish.what
            {
                self.operators.aside.insert(agent_id.clone());
            }
        }
        for node in self.world.indices() {
            // Whoever was sent away starts anew, as another agent.
            let node_state = &mut self.world.nodes[node.slot()];
            if node_state.role == Role::Agent && std::mem::take(&mut node_state.left) {
                self.world.start(node);
            }
        }
        let down: Vec<NodeIndex> = self.operators.down.iter().copied().collect();
        for node in down {
            self.take_up(vec![node]);
        }
        for agent_id in self.operators.aside.clone() {
            self.wish(Want::Ask(Request::ReactivateAgent { agent_id }));
        }
        for role in self.operators.quotas.clone() {
            self.set_quota(&role, Vec::new(), Vec::new());
        }
    }
}

//! The allocator against its slow model, under random sequences of all verbs.

mod action;

use self::action::{Action, REFINED, REFUSALS, REVOCABLE, ROLES, TOTALS, action};
use super::model::{Model, ModelAgent, ModelFramework};
use super::{
    AgentIndex, AgentOrder, Allocation, Allocator, FrameworkIndex, INVARIANTS, Options, Takes,
};
use crate::ids::{AgentId, FrameworkId};
use crate::invariant::{Cost, check};
use crate::model::Quota;
use crate::placement::{Class, Models, WHOLE_GPU_MILLI};
use crate::resources::{Reservation, ReservationType, Resources, Role, Scalar, Value};
use crate::rng::Rng;
use crate::time::Time;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;
use proptest::prelude::*;

fn roles_of(mask: u8) -> Vec<Role> {
    let chosen = ROLES
        .iter()
        .enumerate()
        .filter(|(bit, _)| mask >> bit & 1 == 1);
    chosen.map(|(_, role)| Role::new(role).unwrap()).collect()
}

struct Pair {
    real: Allocator,
    model: Model,
    now: Time,
    named: u32,
    /// How many of [`TOTALS`] agents choose from.
    totals: usize,
}

impl Pair {
    fn new(seed: u64) -> Pair {
        Pair::ordered(seed, AgentOrder::default())
    }

    fn ordered(seed: u64, agent_order: AgentOrder) -> Pair {
        let rng = Rng::from_seed(seed, "allocator");
        let options = Options {
            agent_order,
            ..Options::default()
        };
        Pair {
            real: Allocator::new(options.clone(), rng.clone()),
            model: Model::new(options, rng),
            now: Time::ZERO,
            named: 0,
            totals: TOTALS.len() - 1,
        }
    }

    fn agent(&self, choice: usize) -> Option<AgentIndex> {
        let count = self.model.agents.len();
        self.model
            .agents
            .keys()
            .nth(choice.checked_rem(count)?)
            .copied()
    }

    fn framework(&self, choice: usize) -> Option<FrameworkIndex> {
        let count = self.model.frameworks.len();
        self.model
            .frameworks
            .keys()
            .nth(choice.checked_rem(count)?)
            .copied()
    }

    /// Nothing happens where there is nobody to choose.
    fn run(&mut self, action: &Action) -> Option<()> {
        match *action {
            Action::AddAgent { total, ref claims } => self.add_agent(total, claims),
            Action::RemoveAgent(agent) => {
                let agent = self.agent(agent)?;
                self.real.remove_agent(agent).unwrap();
                self.model.remove_agent(agent);
            }
            Action::SetAgentActive(agent, active) => {
                let agent = self.agent(agent)?;
                match active {
                    true => self.real.activate_agent(agent).unwrap(),
                    false => self.real.deactivate_agent(agent).unwrap(),
                }
                self.model.agents.get_mut(&agent)?.active = active;
            }
            Action::UpdateTotal(agent, total) => {
                let (agent, total) = (self.agent(agent)?, self.total(total));
                self.real.update_agent_total(agent, total.clone()).unwrap();
                self.model.agents.get_mut(&agent)?.total = total;
            }
            Action::SetWeight(role, milli) => {
                let role = Role::new(ROLES[role % ROLES.len()]).unwrap();
                let weight = Scalar::from_milli(i64::from(milli)).unwrap();
                self.real.set_weight(&role, weight).unwrap();
                self.model.weights.insert(role, weight);
            }
            Action::Recover { held, part, refuse } => {
                let at = held.checked_rem(self.model.held.len())?;
                self.recover(at, part, REFUSALS[refuse % REFUSALS.len()]);
            }
            Action::RecoverAll { refuse } => {
                while !self.model.held.is_empty() {
                    self.recover(0, false, REFUSALS[refuse % REFUSALS.len()]);
                }
            }
            Action::Claim {
                framework,
                role,
                agent,
            } => self.claim(framework, role, agent)?,
            Action::Allocate { after_ms } => {
                self.now = self.now + Duration::from_millis(after_ms);
                let mut out = Vec::new();
                self.real.allocate(self.now, &mut out);
                let mut theirs = self.model.allocate(self.now);
                // Parts of one agent stay in the order in which they were handed out.
                if self.real.agent_order().is_random() {
                    out.sort_by_key(|allocation| allocation.agent);
                    theirs.sort_by_key(|allocation| allocation.agent);
                }
                assert_eq!(out, theirs);
            }
            _ => self.run_framework(action)?,
        }
        Some(())
    }

    fn claim(&mut self, framework: usize, role: usize, agent: usize) -> Option<()> {
        let (framework, agent) = (self.framework(framework)?, self.agent(agent)?);
        let role = Role::new(ROLES[role % ROLES.len()]).unwrap();
        let resources = half(&self.model.free(agent).allocatable_to(&role));
        self.real
            .claim(framework, &role, agent, &resources)
            .unwrap();
        if !resources.is_empty() {
            self.model.held.push(Allocation {
                framework,
                role,
                agent,
                resources,
            });
        }
        Some(())
    }

    /// Few roles, and more often cpus alone than with memory.
    fn set_quota(&mut self, role: usize, guarantee: u32, limit: Option<u32>) {
        let role = Role::new(["a", "e", "*"][role % 3]).unwrap();
        let mut quota = Quota::default();
        let guarantee = guarantee / 1_000 * 1_000;
        let guarantee = limit.map_or(guarantee, |limit| guarantee.min(limit));
        quota
            .guarantees
            .add_milli(&"cpus".into(), i64::from(guarantee));
        if guarantee > 3_000 {
            quota.guarantees.add_milli(&"mem".into(), 2_000_000);
        }
        if let Some(limit) = limit {
            let limit = Scalar::from_milli(i64::from(limit)).unwrap();
            quota.limits.set("cpus", limit);
        }
        let change = [(role.clone(), quota.clone())];
        self.real.set_quotas(&change).unwrap();
        self.model.quotas.insert(role.clone(), quota.clone());
        if quota.is_default() {
            self.model.quotas.remove(&role);
        }
    }

    fn run_framework(&mut self, action: &Action) -> Option<()> {
        match *action {
            Action::AddFramework { roles, suppressed } => {
                self.named += 1;
                let id = FrameworkId::new(&format!("f{}", self.named * 7 % 10)).ok()?;
                let (roles, suppressed) = (roles_of(roles), roles_of(suppressed));
                let Ok(framework) = self.real.add_framework(id.clone(), &roles, &suppressed) else {
                    let known = |other: &ModelFramework| other.id == id.as_str();
                    assert!(self.model.frameworks.values().any(known));
                    return None;
                };
                self.real.activate_framework(framework).unwrap();
                let (id, active, roles) = (id.as_str().into(), true, wanted(&roles, &suppressed));
                let takes = Takes::EVERYTHING;
                let known = ModelFramework {
                    id,
                    active,
                    roles,
                    takes,
                };
                self.model.frameworks.insert(framework, known);
            }
            Action::RemoveFramework(framework) => {
                let framework = self.framework(framework)?;
                self.real.remove_framework(framework).unwrap();
                self.model.frameworks.remove(&framework);
                self.model.forget_filters(framework, &[]);
            }
            Action::SetFrameworkActive(framework, active) => {
                let framework = self.framework(framework)?;
                match active {
                    true => self.real.activate_framework(framework).unwrap(),
                    false => {
                        self.real.deactivate_framework(framework).unwrap();
                        self.model.forget_filters(framework, &[]);
                    }
                }
                self.model.frameworks.get_mut(&framework)?.active = active;
            }
            Action::UpdateRoles(framework, roles, suppressed) => {
                let framework = self.framework(framework)?;
                let (roles, suppressed) = (roles_of(roles), roles_of(suppressed));
                self.real
                    .update_framework(framework, &roles, &suppressed)
                    .unwrap();
                self.model.frameworks.get_mut(&framework)?.roles = wanted(&roles, &suppressed);
            }
            Action::Suppress(framework, roles) | Action::Revive(framework, roles) => {
                let (framework, named) = (self.framework(framework)?, roles_of(roles));
                let suppress = matches!(action, Action::Suppress(..));
                if suppress {
                    self.real.suppress(framework, &named).unwrap();
                } else {
                    self.real.revive(framework, &named).unwrap();
                    self.model.forget_filters(framework, &named);
                }
                for (role, suppressed) in &mut self.model.frameworks.get_mut(&framework)?.roles {
                    if named.is_empty() || named.contains(role) {
                        *suppressed = suppress;
                    }
                }
            }
            _ => self.run_wish(action)?,
        }
        Some(())
    }

    fn run_wish(&mut self, action: &Action) -> Option<()> {
        match *action {
            Action::SetQuota {
                role,
                guarantee,
                limit,
            } => self.set_quota(role, guarantee, limit),
            Action::SetTypical(ref tasks) => {
                let classes = tasks.iter().map(|(cpus, gpus)| Class {
                    cpu_milli: i64::from(*cpus) * 500,
                    gpu_milli: if *gpus > 0 { WHOLE_GPU_MILLI } else { 0 },
                    gpus: u32::from(*gpus),
                    models: Models::default(),
                    count: i64::from(*cpus) + 1,
                });
                self.model.typical = classes.collect();
                self.real.set_typical(&self.model.typical);
            }
            Action::SetRemote(agent, remote) => {
                let agent = self.agent(agent)?;
                self.real.set_agent_remote(agent, remote).unwrap();
                self.model.agents.get_mut(&agent)?.remote = remote;
            }
            Action::SetTakes(framework, bits) => {
                let framework = self.framework(framework)?;
                let bit = |at: u8| bits >> at & 1 == 1;
                let takes = Takes {
                    gpus: bit(0),
                    remote: bit(1),
                    revocable: bit(2),
                    shared: bit(3),
                    refined: bit(4),
                };
                self.real.set_takes(framework, takes).unwrap();
                self.model.frameworks.get_mut(&framework)?.takes = takes;
            }
            _ => unreachable!("the other verbs are about agents and roles"),
        }
        Some(())
    }

    fn add_agent(&mut self, total: usize, claims: &[(usize, usize)]) {
        let total = self.total(total);
        self.named += 1;
        let id = AgentId::new(&format!("agent-{}", self.named)).unwrap();
        let mut used = Vec::new();
        for (framework, role) in claims {
            if let Some(framework) = self.framework(*framework) {
                let role = Role::new(ROLES[role % ROLES.len()]).unwrap();
                // The second claim makes for more than the agent has.
                let some = total.filter(|item| item.value.scalar().is_some());
                used.push((framework, role.clone(), some.allocatable_to(&role)));
            }
        }
        let agent = self
            .real
            .add_agent(id.clone(), total.clone(), &used)
            .unwrap();
        self.model.agents.insert(
            agent,
            ModelAgent {
                id,
                total,
                active: true,
                remote: false,
            },
        );
        for (framework, role, resources) in used {
            if !resources.is_empty() {
                self.model.held.push(Allocation {
                    framework,
                    role,
                    agent,
                    resources,
                });
            }
        }
    }

    fn recover(&mut self, at: usize, part: bool, refuse_s: u64) {
        let Allocation {
            framework,
            role,
            agent,
            resources,
        } = self.model.held[at].clone();
        let mut back = resources;
        if part {
            back = half(&back);
        }
        let refuse = Duration::from_secs(refuse_s);
        let marked = back.allocated_to(&role);
        self.real
            .recover_resources(self.now, framework, &role, agent, marked, Some(refuse))
            .unwrap();
        self.model.recover(self.now, at, &back, refuse);
    }

    fn total(&self, choice: usize) -> Resources {
        let text = TOTALS[choice % self.totals];
        let total: Resources = text.parse().unwrap();
        match text {
            REFINED => odd(&total, false),
            REVOCABLE => odd(&total, true),
            _ => total,
        }
    }

    fn check(&self) {
        let broken = check(INVARIANTS, &self.real, Cost::Linear);
        assert!(broken.is_empty(), "{broken:?}");
        for agent in self.model.agents.keys() {
            assert_eq!(self.real.free(*agent), Some(&self.model.free(*agent)));
        }
    }
}

fn wanted(roles: &[Role], suppressed: &[Role]) -> alloc::collections::BTreeMap<Role, bool> {
    roles
        .iter()
        .map(|role| (role.clone(), suppressed.contains(role)))
        .collect()
}

fn odd(total: &Resources, revocable: bool) -> Resources {
    let mut items = Vec::new();
    for item in total.iter() {
        let (mut plain, mut odd) = (item.clone(), item.clone());
        let milli = item.value.scalar().unwrap().milli();
        plain.value = Value::Scalar(Scalar::from_milli(milli / 2).unwrap());
        odd.value = plain.value.clone();
        if item.kind.reservations.is_empty() {
            odd.kind.revocable = revocable;
        } else {
            odd.kind.reservations.push(Reservation {
                kind: ReservationType::Dynamic,
                ..Reservation::fixed(Role::new("a/b").unwrap())
            });
        }
        items.extend([plain, odd]);
    }
    Resources::new(items).unwrap()
}

/// Half of each scalar, and none or all of the rest.
fn half(all: &Resources) -> Resources {
    Resources::new(all.iter().cloned().map(|mut item| {
        if let Value::Scalar(scalar) = item.value {
            item.value = Value::Scalar(Scalar::from_milli(scalar.milli() / 2).unwrap());
        }
        item
    }))
    .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn it_allocates_as_the_slow_model_does(
        seed: u64,
        actions in prop::collection::vec(action(), 1..60),
    ) {
        let mut pair = Pair::new(seed);
        for action in &actions {
            let _ = pair.run(action);
            pair.model.forget_left_roles();
            pair.check();
        }
    }

    #[test]
    fn what_may_be_taken_back_goes_to_those_who_take_it(
        seed: u64,
        actions in prop::collection::vec(action(), 1..60),
    ) {
        let mut pair = Pair::new(seed);
        pair.totals = TOTALS.len();
        for action in actions.iter().filter(|action| !matches!(action, Action::SetQuota { .. })) {
            let _ = pair.run(action);
            pair.model.forget_left_roles();
            pair.check();
        }
    }

    /// Who gets what is decided as ever, whichever agents are served first.
    #[test]
    fn every_order_of_agents_is_the_slow_models(
        seed: u64,
        order in prop::sample::select(AgentOrder::all().collect::<Vec<_>>()),
        actions in prop::collection::vec(action(), 1..60),
    ) {
        let mut pair = Pair::ordered(seed, order);
        for action in &actions {
            let _ = pair.run(action);
            pair.model.forget_left_roles();
            pair.check();
        }
    }

    /// Whatever a decline says, what is declined is offered again, to others at once.
    #[test]
    fn one_framework_that_refuses_everything_starves_nobody(seed: u64, refuse_s in 0..100_u64) {
        let mut pair = Pair::new(seed);
        for action in [
            Action::AddAgent { total: 0, claims: vec![] },
            Action::AddFramework { roles: 1, suppressed: 0 },
            Action::AddFramework { roles: 1, suppressed: 0 },
        ] {
            pair.run(&action).unwrap();
        }
        let picky = *pair.model.frameworks.keys().next().unwrap();
        let mut served = 0;
        for _ in 0..4 {
            pair.run(&Action::Allocate { after_ms: 1_000 }).unwrap();
            let was_picky = pair.model.held[0].framework == picky;
            served += u32::from(!was_picky);
            pair.recover(0, false, if was_picky { refuse_s } else { 0 });
        }
        prop_assert!(served >= 2);
    }
}

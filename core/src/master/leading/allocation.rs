//! The leader's side of the allocator: it speaks of the leader's own agents and frameworks.

use super::agents::Agent;
use super::arena::Index;
use super::config::Config;
use super::frameworks::Framework;
use crate::allocator::{self, AgentIndex, Allocator, FrameworkIndex, Options, Takes};
use crate::ids::AgentId;
use crate::model::{Filters, FrameworkInfo, Quota};
use crate::placement::{Mix, Shape};
use crate::resources::{Conversion, Quantities, Resources, Role, Scalar};
use crate::rng::Rng;
use crate::time::Time;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

const KNOWN: &str = "indices are dropped with what they name";

/// What one agent has free for one framework in one of its roles.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) framework: Index<Framework>,
    pub(super) agent: Index<Agent>,
    pub(super) role: Role,
    pub(super) resources: Resources,
}

/// Nothing is offered until either is reached.
#[derive(Clone, Copy, Debug)]
struct Pause {
    agents: usize,
    until: Time,
}

/// Who has what, and who is next. Whatever is offered or used counts as allocated. What the
/// allocator does not take, being full, is known to the leader all the same but offered nothing.
#[derive(Clone, Debug)]
pub(super) struct Allocation {
    allocator: Allocator,
    agents: BTreeMap<Index<Agent>, AgentIndex>,
    frameworks: BTreeMap<Index<Framework>, FrameworkIndex>,
    agent_names: BTreeMap<AgentIndex, Index<Agent>>,
    framework_names: BTreeMap<FrameworkIndex, Index<Framework>>,
    /// Something came free by itself, and is not to wait for the next regular cycle.
    freed: bool,
    /// Something was booked that no cycle handed out, or what there is changed: a role may be
    /// beyond its limits.
    pressed: bool,
    pause: Option<Pause>,
    /// The tasks that use resources.
    mix: Mix,
    now: Time,
    scratch: Vec<allocator::Allocation>,
}

impl Allocation {
    pub(super) fn new(rng: &Rng, config: &Config) -> Allocation {
        let options = Options {
            allocation_interval: config.allocation_interval,
            agent_order: config.agent_order,
            ..Options::default()
        };
        Allocation {
            allocator: Allocator::new(options, rng.fork("allocator")),
            agents: BTreeMap::new(),
            frameworks: BTreeMap::new(),
            agent_names: BTreeMap::new(),
            framework_names: BTreeMap::new(),
            freed: false,
            pressed: false,
            pause: None,
            mix: Mix::default(),
            now: Time::ZERO,
            scratch: Vec::new(),
        }
    }

    /// The moment at which everything until the next call of this happens.
    pub(super) fn advance(&mut self, now: Time) {
        self.now = now;
    }

    /// When the next cycle is due, at `soon` at the earliest: what happens at once is looked at
    /// together.
    pub(super) fn due(&self, soon: Time) -> Option<Time> {
        if let Some(pause) = self.pause {
            return Some(pause.until.max(soon));
        }
        let regular = self.allocator.deadline().map(|at| at.max(soon));
        if self.freed { Some(soon) } else { regular }
    }

    /// Offers nothing until so many agents are known, or until then.
    pub(super) fn pause(&mut self, agents: usize, until: Time) {
        self.pause = (agents > 0).then_some(Pause { agents, until });
    }

    /// Adds a framework, or describes it anew. Returns whether the allocator took it.
    pub(super) fn put_framework(
        &mut self,
        index: Index<Framework>,
        info: &FrameworkInfo,
        suppressed: &BTreeSet<Role>,
        active: bool,
    ) -> bool {
        let suppressed: Vec<Role> = suppressed.iter().cloned().collect();
        let name = match self.frameworks.get(&index).copied() {
            Some(name) => {
                let updated = self
                    .allocator
                    .update_framework(name, &info.roles, &suppressed);
                if updated.is_err() {
                    return false;
                }
                name
            }
            None => {
                let id = info
                    .id
                    .clone()
                    .expect("a framework that is known has an id");
                let added = self.allocator.add_framework(id, &info.roles, &suppressed);
                let Ok(name) = added else {
                    return false;
                };
                self.frameworks.insert(index, name);
                self.framework_names.insert(name, index);
                name
            }
        };
        let takes = Takes::of(&info.capabilities);
        self.allocator.set_takes(name, takes).expect(KNOWN);
        let done = if active {
            self.allocator.activate_framework(name)
        } else {
            self.allocator.deactivate_framework(name)
        };
        done.expect(KNOWN);
        true
    }

    pub(super) fn deactivate_framework(&mut self, index: Index<Framework>) {
        if let Some(name) = self.frameworks.get(&index) {
            self.allocator.deactivate_framework(*name).expect(KNOWN);
        }
    }

    pub(super) fn remove_framework(&mut self, index: Index<Framework>) {
        if let Some(name) = self.frameworks.remove(&index) {
            self.framework_names.remove(&name);
            self.allocator.remove_framework(name).expect(KNOWN);
        }
    }

    /// Adds an agent that offers nothing yet. Returns whether the allocator took it.
    pub(super) fn add_agent(
        &mut self,
        index: Index<Agent>,
        id: AgentId,
        total: &Resources,
    ) -> bool {
        let Ok(name) = self.allocator.add_agent(id, total.clone(), &[]) else {
            return false;
        };
        self.allocator.deactivate_agent(name).expect(KNOWN);
        self.agents.insert(index, name);
        self.agent_names.insert(name, index);
        self.pause = self.pause.filter(|pause| self.agents.len() < pause.agents);
        // What of it is reserved counts towards limits.
        self.pressed = true;
        true
    }

    pub(super) fn change_agent_total(&mut self, index: Index<Agent>, total: &Resources) -> bool {
        let Some(name) = self.agents.get(&index) else {
            return false;
        };
        let total = total.clone();
        self.pressed = true;
        self.allocator.update_agent_total(*name, total).is_ok()
    }

    pub(super) fn set_agent_active(&mut self, index: Index<Agent>, active: bool) {
        let Some(name) = self.agents.get(&index).copied() else {
            return;
        };
        let done = if active {
            self.allocator.activate_agent(name)
        } else {
            self.allocator.deactivate_agent(name)
        };
        done.expect(KNOWN);
    }

    pub(super) fn set_agent_remote(&mut self, index: Index<Agent>, remote: bool) {
        if let Some(name) = self.agents.get(&index) {
            self.allocator.set_agent_remote(*name, remote).expect(KNOWN);
        }
    }

    pub(super) fn remove_agent(&mut self, index: Index<Agent>) {
        if let Some(name) = self.agents.remove(&index) {
            self.agent_names.remove(&name);
            self.allocator.remove_agent(name).expect(KNOWN);
        }
    }

    /// Books as used what was not offered before. Returns whether all of it was free.
    pub(super) fn charge(
        &mut self,
        framework: Index<Framework>,
        agent: Index<Agent>,
        role: &Role,
        resources: &Resources,
    ) -> bool {
        let names = (self.frameworks.get(&framework), self.agents.get(&agent));
        let (Some(framework), Some(agent)) = names else {
            return false;
        };
        let claimed = self.allocator.claim(*framework, role, *agent, resources);
        self.pressed = true;
        claimed.is_ok()
    }

    /// Converts what a framework was offered, or, without one, what is free. Returns whether all
    /// of it was there.
    pub(super) fn convert(
        &mut self,
        agent: Index<Agent>,
        holder: Option<(Index<Framework>, &Role)>,
        conversions: &[Conversion],
    ) -> bool {
        let Some(agent) = self.agents.get(&agent) else {
            return false;
        };
        let holder = match holder {
            Some((framework, role)) => match self.frameworks.get(&framework) {
                Some(name) => Some((*name, role)),
                None => return false,
            },
            None => None,
        };
        let done = self.allocator.convert(*agent, holder, conversions);
        // What is reserved counts towards limits.
        self.pressed = true;
        done.is_ok()
    }

    /// Takes back what was offered or used. With filters it was refused, and is not offered to
    /// the same framework for that long; without, it came free by itself.
    pub(super) fn recover(
        &mut self,
        framework: Index<Framework>,
        agent: Index<Agent>,
        role: &Role,
        resources: &Resources,
        filters: Option<Filters>,
    ) {
        let names = (self.frameworks.get(&framework), self.agents.get(&agent));
        let (Some(framework), Some(agent)) = names else {
            return;
        };
        let refuse = filters.map(|filters| filters.refuse);
        let resources = resources.clone();
        self.allocator
            .recover_resources(self.now, *framework, role, *agent, resources, refuse)
            .expect("only what was taken comes back");
        self.freed |= filters.is_none();
    }

    /// A task uses resources from now on.
    pub(super) fn add_to_mix(&mut self, task: &Resources) {
        self.mix.add(Shape::of(task));
    }

    /// A task uses its resources no more.
    pub(super) fn take_from_mix(&mut self, task: &Resources) {
        self.mix.remove(&Shape::of(task));
    }

    /// The tasks that use resources.
    pub(super) fn mix(&self) -> &Mix {
        &self.mix
    }

    pub(super) fn suppress(&mut self, index: Index<Framework>, roles: &[Role]) {
        if let Some(name) = self.frameworks.get(&index) {
            self.allocator.suppress(*name, roles).expect(KNOWN);
        }
    }

    pub(super) fn revive(&mut self, index: Index<Framework>, roles: &[Role]) {
        if let Some(name) = self.frameworks.get(&index) {
            self.allocator.revive(*name, roles).expect(KNOWN);
        }
    }

    pub(super) fn free(&self, agent: Index<Agent>) -> Option<&Resources> {
        self.allocator.free(*self.agents.get(&agent)?)
    }

    pub(super) fn set_weight(&mut self, role: &Role, weight: Scalar) {
        let set = self.allocator.set_weight(role, weight);
        set.expect("the registry holds no weight of nothing");
    }

    pub(super) fn set_quotas(&mut self, quotas: &[(Role, Quota)]) {
        let set = self.allocator.set_quotas(quotas);
        set.expect("the registry holds only quotas that a role may have");
        if !self.allocator.has_quota() {
            self.pause = None;
        }
    }

    /// Whether some role may have come to be beyond its limits since this was asked last.
    pub(super) fn take_pressed(&mut self) -> bool {
        core::mem::take(&mut self.pressed) && self.allocator.has_quota()
    }

    /// What guarantees lack beyond what is free.
    pub(super) fn headroom_lacking(&mut self) -> Quantities {
        self.allocator.headroom_lacking()
    }

    /// The allocator, for whoever checks it.
    pub(super) fn allocator(&self) -> &Allocator {
        &self.allocator
    }

    /// Hands out what is free.
    pub(super) fn allocate(&mut self) -> Vec<Grant> {
        if self.pause.is_some_and(|pause| self.now < pause.until) {
            return Vec::new();
        }
        self.pause = None;
        self.freed = false;
        self.allocator.heed(&self.mix);
        let mut scratch = core::mem::take(&mut self.scratch);
        self.allocator.allocate(self.now, &mut scratch);
        let grants = scratch.drain(..).map(|allocation| Grant {
            framework: self.framework_names[&allocation.framework],
            agent: self.agent_names[&allocation.agent],
            role: allocation.role,
            resources: allocation.resources,
        });
        let grants = grants.collect();
        self.scratch = scratch;
        grants
    }
}

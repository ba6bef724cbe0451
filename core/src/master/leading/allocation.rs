//! The leader's side of the allocator.

use super::agents::Agent;
use super::arena::Index;
use super::frameworks::Framework;
use crate::model::{AgentInfo, Filters, FrameworkInfo};
use crate::resources::{Resources, Role};
use crate::rng::Rng;
use crate::time::Time;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

#[derive(Clone, Debug)]
struct AgentBooks {
    total: Resources,
    free: Resources,
    active: bool,
}

#[derive(Clone, Debug)]
struct FrameworkBooks {
    info: Arc<FrameworkInfo>,
    suppressed: BTreeSet<Role>,
    active: bool,
}

/// A grant of the allocator.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) framework: Index<Framework>,
    pub(super) agent: Index<Agent>,
    pub(super) role: Role,
    pub(super) resources: Resources,
}

type FilterKey = (Index<Framework>, Role, Index<Agent>);

#[derive(Clone, Debug)]
pub(super) struct Allocation {
    agents: BTreeMap<Index<Agent>, AgentBooks>,
    frameworks: BTreeMap<Index<Framework>, FrameworkBooks>,
    filters: BTreeMap<FilterKey, Time>,
    interval: Duration,
    dirty: bool,
    now: Time,
    rng: Rng,
}

impl Allocation {
    pub(super) fn new(rng: &Rng, interval: Duration) -> Allocation {
        Allocation {
            agents: BTreeMap::new(),
            frameworks: BTreeMap::new(),
            filters: BTreeMap::new(),
            interval,
            dirty: false,
            now: Time::ZERO,
            rng: rng.fork("allocator"),
        }
    }

    pub(super) fn advance(&mut self, now: Time) {
        self.now = now;
    }

    pub(super) fn due(&self, soon: Time) -> Option<Time> {
        if self.dirty {
            return Some(soon);
        }
        self.filters.values().min().copied()
    }

    pub(super) fn change_agent_total(&mut self, index: Index<Agent>, info: &AgentInfo) {
        if let Some(agent) = self.agents.get_mut(&index) {
            let used = agent
                .total
                .checked_sub(&agent.free)
                .expect("free is a part");
            agent.total = info.resources.clone();
            agent.free = agent.total.checked_sub(&used).unwrap_or_default();
        }
    }

    pub(super) fn put_framework(
        &mut self,
        index: Index<Framework>,
        info: &Arc<FrameworkInfo>,
        suppressed: &BTreeSet<Role>,
        active: bool,
    ) {
        let books = FrameworkBooks {
            info: info.clone(),
            suppressed: suppressed.clone(),
            active,
        };
        self.frameworks.insert(index, books);
        self.dirty = true;
    }

    pub(super) fn deactivate_framework(&mut self, index: Index<Framework>) {
        if let Some(framework) = self.frameworks.get_mut(&index) {
            framework.active = false;
        }
        self.filters.retain(|key, _| key.0 != index);
    }

    pub(super) fn remove_framework(&mut self, index: Index<Framework>) {
        self.frameworks.remove(&index);
        self.filters.retain(|key, _| key.0 != index);
    }

    pub(super) fn add_agent(&mut self, index: Index<Agent>, info: &AgentInfo) {
        let books = AgentBooks {
            total: info.resources.clone(),
            free: info.resources.clone(),
            active: true,
        };
        self.agents.insert(index, books);
        self.dirty = true;
    }

    pub(super) fn set_agent_active(&mut self, index: Index<Agent>, active: bool) {
        if let Some(agent) = self.agents.get_mut(&index) {
            agent.active = active;
            self.dirty |= active;
        }
    }

    pub(super) fn remove_agent(&mut self, index: Index<Agent>) {
        self.agents.remove(&index);
        self.filters.retain(|key, _| key.2 != index);
    }

    pub(super) fn charge(
        &mut self,
        _framework: Index<Framework>,
        agent: Index<Agent>,
        _role: &Role,
        resources: &Resources,
    ) -> bool {
        let Some(books) = self.agents.get_mut(&agent) else {
            return false;
        };
        match books.free.checked_sub(resources) {
            Ok(rest) => {
                books.free = rest;
                true
            }
            Err(_) => false,
        }
    }

    pub(super) fn recover(
        &mut self,
        framework: Index<Framework>,
        agent: Index<Agent>,
        role: &Role,
        resources: &Resources,
        filters: Option<Filters>,
    ) {
        let Some(books) = self.agents.get_mut(&agent) else {
            return;
        };
        books.free = books
            .free
            .checked_add(resources)
            .expect("only what was taken comes back");
        self.dirty = true;
        if let Some(filters) = filters
            && !filters.refuse.is_zero()
        {
            let until = self.now + filters.refuse.max(self.interval);
            self.filters.insert((framework, role.clone(), agent), until);
        }
    }

    pub(super) fn suppress(&mut self, index: Index<Framework>, roles: &[Role]) {
        if let Some(framework) = self.frameworks.get_mut(&index) {
            framework.suppressed.extend(roles.iter().cloned());
        }
    }

    pub(super) fn revive(&mut self, index: Index<Framework>, roles: &[Role]) {
        if let Some(framework) = self.frameworks.get_mut(&index) {
            for role in roles {
                framework.suppressed.remove(role);
            }
        }
        self.filters
            .retain(|key, _| key.0 != index || !roles.contains(&key.1));
        self.dirty = true;
    }

    pub(super) fn free(&self, agent: Index<Agent>) -> Option<&Resources> {
        self.agents.get(&agent).map(|books| &books.free)
    }

    pub(super) fn total(&self, agent: Index<Agent>) -> Option<&Resources> {
        self.agents.get(&agent).map(|books| &books.total)
    }

    pub(super) fn allocate(&mut self) -> Vec<Grant> {
        let now = self.now;
        self.filters.retain(|_, until| *until > now);
        self.dirty = false;
        let mut grants = Vec::new();
        let mut order: Vec<_> = self.frameworks.keys().copied().collect();
        for (agent, books) in &mut self.agents {
            if !books.active {
                continue;
            }
            self.rng.shuffle(&mut order);
            for framework in &order {
                let holder = &self.frameworks[framework];
                if !holder.active {
                    continue;
                }
                for role in &holder.info.roles {
                    let filtered = self
                        .filters
                        .contains_key(&(*framework, role.clone(), *agent));
                    let resources = books.free.allocatable_to(role);
                    if filtered || holder.suppressed.contains(role) || resources.is_empty() {
                        continue;
                    }
                    if let Ok(rest) = books.free.checked_sub(&resources) {
                        books.free = rest;
                        grants.push(Grant {
                            framework: *framework,
                            agent: *agent,
                            role: role.clone(),
                            resources,
                        });
                    }
                }
            }
        }
        grants
    }
}

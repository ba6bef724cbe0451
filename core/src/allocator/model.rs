//! The allocator as one would write it down: no caches, no marks, everything looked at in every
//! cycle and every share added up anew. For tests.

use super::cycle::mix;
use super::filter::expiry;
use super::order::Place;
use super::quota::{add_item, is_bounded};
use super::quota_cycle::{Stage, cut};
use super::{AgentIndex, Allocation, FrameworkIndex, Options, Takes};
use crate::ids::AgentId;
use crate::model::Quota;
use crate::placement::{Class, Measure, Models};
use crate::resources::{Quantities, Resources, Role, Scalar};
use crate::rng::Rng;
use crate::time::Time;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::time::Duration;

#[derive(Clone, Debug)]
pub(super) struct ModelAgent {
    pub(super) id: AgentId,
    pub(super) total: Resources,
    pub(super) active: bool,
    pub(super) remote: bool,
}

#[derive(Clone, Debug)]
pub(super) struct ModelFramework {
    pub(super) id: String,
    pub(super) active: bool,
    /// Subscribed roles, and whether they are suppressed.
    pub(super) roles: BTreeMap<Role, bool>,
    pub(super) takes: Takes,
}

#[derive(Clone, Debug)]
struct ModelFilter {
    agent: AgentIndex,
    framework: FrameworkIndex,
    role: Role,
    refused: Resources,
    expires: Time,
    cycle: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Model {
    options: Options,
    rng: Rng,
    /// The classes of the tasks that are typical.
    pub(super) typical: Vec<Class>,
    pub(super) agents: BTreeMap<AgentIndex, ModelAgent>,
    pub(super) frameworks: BTreeMap<FrameworkIndex, ModelFramework>,
    pub(super) weights: BTreeMap<Role, Scalar>,
    pub(super) quotas: BTreeMap<Role, Quota>,
    /// All that is in anyone's hands.
    pub(super) held: Vec<Allocation>,
    filters: Vec<ModelFilter>,
    /// How often each node of the tree was served.
    counts: BTreeMap<Vec<String>, u64>,
    cycle: u64,
}

impl Model {
    pub(super) fn new(options: Options, rng: Rng) -> Model {
        Model {
            options,
            rng,
            typical: Vec::new(),
            agents: BTreeMap::new(),
            frameworks: BTreeMap::new(),
            weights: BTreeMap::new(),
            quotas: BTreeMap::new(),
            held: Vec::new(),
            filters: Vec::new(),
            counts: BTreeMap::new(),
            cycle: 0,
        }
    }

    pub(super) fn free(&self, agent: AgentIndex) -> Resources {
        let total = &self.agents[&agent].total;
        let mut free = total.clone();
        for held in self.held.iter().filter(|held| held.agent == agent) {
            free = free
                .checked_sub(&free.intersection(&held.resources))
                .unwrap();
        }
        free
    }

    fn sum_held(&self, which: impl Fn(&Allocation) -> bool) -> Quantities {
        let mut sum = Quantities::ZERO;
        for held in self.held.iter().filter(|held| which(held)) {
            sum.add(&held.resources.quantities());
        }
        sum
    }

    /// Whether a client is there: it takes part, or holds something.
    fn exists(&self, framework: FrameworkIndex, role: &Role) -> bool {
        let known = self.frameworks.get(&framework);
        known.is_some_and(|known| {
            let mine = |held: &Allocation| held.framework == framework && held.role == *role;
            known.roles.contains_key(role) || !self.sum_held(mine).is_zero()
        })
    }

    /// The names from the root to a client.
    fn path(&self, framework: FrameworkIndex, role: &Role) -> Vec<String> {
        let mut path: Vec<String> = role.parts().map(ToString::to_string).collect();
        path.push(".".to_string());
        path.push(self.frameworks[&framework].id.clone());
        path
    }

    /// A node that nobody is below of is gone, and its count with it.
    pub(super) fn forget_counts(&mut self) {
        let mut paths = Vec::new();
        for (framework, known) in &self.frameworks {
            let held = self.held.iter().map(|held| &held.role);
            for role in known.roles.keys().chain(held) {
                if self.exists(*framework, role) {
                    paths.push(self.path(*framework, role));
                }
            }
        }
        self.counts
            .retain(|node, _| paths.iter().any(|path| path.starts_with(node)));
    }

    /// The weighted dominant share of a node, as numerator and denominator.
    fn share(&self, node: &[String]) -> (u128, u128) {
        let below = |held: &Allocation| {
            self.frameworks.contains_key(&held.framework)
                && self.path(held.framework, &held.role).starts_with(node)
        };
        let allocated = self.sum_held(below);
        let mut totals = Quantities::ZERO;
        for agent in self.agents.values() {
            totals.add(&agent.total.quantities());
        }
        let role = Role::new(&node.join("/")).ok();
        let weight = role.and_then(|role| self.weights.get(&role).copied());
        let weight = weight.unwrap_or(Scalar::from_units(1)).milli() as u128;
        let fractions = totals
            .iter()
            .map(|(name, total)| (allocated.milli(name) as u128, total as u128 * weight));
        fractions.fold((0, 1), |best, next| {
            if next.0 * best.1 > best.0 * next.1 {
                next
            } else {
                best
            }
        })
    }

    fn compare(&self, a: &[String], b: &[String]) -> Ordering {
        let parting = a.iter().zip(b).position(|(a, b)| a != b).unwrap();
        let (a, b) = (&a[..=parting], &b[..=parting]);
        let ((an, ad), (bn, bd)) = (self.share(a), self.share(b));
        let count = |node: &[String]| self.counts.get(node).copied().unwrap_or(0);
        (an * bd)
            .cmp(&(bn * ad))
            .then(count(a).cmp(&count(b)))
            .then(a.cmp(b))
    }

    fn is_enough(&self, offer: &Resources) -> bool {
        let least = &self.options.min_allocatable;
        least.iter().any(|least| offer.quantities().contains(least))
    }

    /// What `agent` would offer to a client now, if anything.
    fn offer(
        &self,
        agent: AgentIndex,
        framework: FrameworkIndex,
        role: &Role,
        stage: Stage,
    ) -> Option<Resources> {
        let takes = self.frameworks[&framework].takes;
        let host = &self.agents[&agent];
        if !takes.gpus && !host.total.scalar("gpus").is_zero() || !takes.remote && host.remote {
            return None;
        }
        let offer = self.within_quota(&self.free(agent), role, takes, stage)?;
        let filtered = self.filters.iter().any(|filter| {
            (filter.agent, filter.framework) == (agent, framework)
                && filter.role == *role
                && filter.refused.contains(&offer)
        });
        (self.agents[&agent].active && self.is_enough(&offer) && !filtered).then_some(offer)
    }

    /// What is free, unreserved and can be handed out, on agents that take part.
    fn headroom(&self) -> Quantities {
        let mut sum = Quantities::ZERO;
        for (agent, _) in self.agents.iter().filter(|(_, agent)| agent.active) {
            let free = self.free(*agent);
            free.iter()
                .filter(|item| is_bounded(item))
                .for_each(|item| add_item(&mut sum, item));
        }
        sum
    }

    /// What a role and those below it hold, and what is reserved for them and free.
    pub(super) fn consumed(&self, role: &Role) -> Quantities {
        let known = |held: &Allocation| self.frameworks.contains_key(&held.framework);
        let mut sum = self.sum_held(|held| role.covers(&held.role) && known(held));
        for agent in self.agents.keys() {
            for item in &self.free(*agent) {
                if item
                    .kind
                    .reserved_role()
                    .is_some_and(|owner| role.covers(owner))
                {
                    add_item(&mut sum, item);
                }
            }
        }
        sum
    }

    fn unmet(&self, role: &Role) -> Quantities {
        let guarantees = &self.quotas[role].guarantees;
        guarantees.saturating_sub(&self.consumed(role))
    }

    /// What of `free` a role may have by quota; nothing in the first stage if that does not help
    /// its guarantees.
    fn within_quota(
        &self,
        free: &Resources,
        role: &Role,
        takes: Takes,
        stage: Stage,
    ) -> Option<Resources> {
        let taken = free.filter(|item| takes.takes(&item.kind));
        if self.quotas.is_empty() {
            return (stage == Stage::Everyone).then(|| taken.allocatable_to(role));
        }
        let top = role.top();
        let mut required = Quantities::ZERO;
        for other in self.quotas.keys() {
            required.add(&self.unmet(other));
        }
        let surplus = self.headroom().saturating_sub(&required);
        let own = match self.quotas.get(&top) {
            Some(_) if stage == Stage::Guarantees => self.unmet(&top),
            _ => Quantities::ZERO,
        };
        let (mut there, mut amounts) = (Quantities::ZERO, Quantities::ZERO);
        free.iter()
            .filter(|item| is_bounded(item))
            .for_each(|item| add_item(&mut there, item));
        let mut helps = false;
        for (name, there) in there.iter() {
            let own = own.milli(name).min(there);
            helps |= own > 0;
            let limits = self.quotas.get(&top).map(|quota| &quota.limits);
            let limit = limits
                .and_then(|limits| limits.milli(name))
                .unwrap_or(i64::MAX);
            let room = (limit - self.consumed(&top).milli(name)).max(0);
            let amount = own
                + (there - own)
                    .min(surplus.milli(name))
                    .min((room - own).max(0));
            amounts.add_milli(&name.into(), amount);
        }
        let offer = cut(&taken, role, &amounts, &mut Quantities::ZERO.clone());
        (helps || stage == Stage::Everyone).then_some(offer)
    }

    fn next(&self, agent: AgentIndex, stage: Stage) -> Option<Allocation> {
        let mut best: Option<(Vec<String>, Allocation)> = None;
        for (framework, known) in self.frameworks.iter().filter(|(_, known)| known.active) {
            for (role, _) in known.roles.iter().filter(|(_, suppressed)| !**suppressed) {
                let Some(resources) = self.offer(agent, *framework, role, stage) else {
                    continue;
                };
                let path = self.path(*framework, role);
                let is_first = match &best {
                    Some((other, _)) => self.compare(&path, other) == Ordering::Less,
                    None => true,
                };
                if is_first {
                    let (framework, role) = (*framework, role.clone());
                    let allocation = Allocation {
                        framework,
                        role,
                        agent,
                        resources,
                    };
                    best = Some((path, allocation));
                }
            }
        }
        best.map(|(_, allocation)| allocation)
    }

    pub(super) fn allocate(&mut self, now: Time) -> Vec<Allocation> {
        let cycle = self.cycle;
        self.filters
            .retain(|filter| filter.expires > now || filter.cycle == cycle);
        let seed = self.rng.next_u64();
        let mut out = Vec::new();
        if self.quotas.is_empty() {
            self.serve_all(seed, Stage::Everyone, &mut out);
        } else {
            self.serve_all(seed, Stage::Guarantees, &mut out);
            self.serve_all(mix(seed), Stage::Everyone, &mut out);
        }
        self.cycle += 1;
        self.forget_counts();
        out
    }

    fn serve_all(&mut self, seed: u64, stage: Stage, out: &mut Vec<Allocation>) {
        for agent in self.order(seed) {
            while let Some(allocation) = self.next(agent, stage) {
                let path = self.path(allocation.framework, &allocation.role);
                for end in 1..=path.len() {
                    *self.counts.entry(path[..end].to_vec()).or_default() += 1;
                }
                // What one client is handed of one agent in one cycle is one.
                let same = |other: &&mut Allocation| {
                    let name = |a: &Allocation| (a.framework, a.agent, a.role.clone());
                    name(other) == name(&allocation)
                };
                self.held.push(allocation.clone());
                match out.iter_mut().find(same) {
                    Some(before) => {
                        let both = before.resources.checked_add(&allocation.resources);
                        before.resources = both.unwrap();
                    }
                    None => out.push(allocation),
                }
            }
        }
    }

    /// The order of agents at this moment.
    fn order(&self, seed: u64) -> Vec<AgentIndex> {
        let mut order: Vec<AgentIndex> = self.agents.keys().copied().collect();
        let by = self.options.agent_order;
        if by.is_random() {
            let drawn = |slot: u32| (mix(seed ^ u64::from(slot)) << 24) | u64::from(slot);
            order.sort_by_key(|agent| drawn(agent.slot));
            return order;
        }
        let typical = Measure::new(&self.typical, [Models::default()]);
        let place = |agent: AgentIndex| -> (Place, u32) {
            let free = self.free(agent).exclusive().quantities();
            let place = by.place(&self.agents[&agent].id, free.dense(), &typical);
            (place, agent.slot)
        };
        order.sort_by_key(|agent| place(*agent));
        order
    }

    /// Takes back the `at`th thing held, or `part` of it.
    pub(super) fn recover(&mut self, now: Time, at: usize, part: &Resources, refuse: Duration) {
        let held = &mut self.held[at];
        held.resources = held.resources.checked_sub(part).unwrap();
        let Allocation {
            framework,
            role,
            agent,
            ..
        } = held.clone();
        if self.held[at].resources.is_empty() {
            self.held.remove(at);
        }
        let active = self
            .frameworks
            .get(&framework)
            .is_some_and(|known| known.active);
        let exists = self
            .frameworks
            .get(&framework)
            .is_some_and(|known| known.roles.contains_key(&role));
        if active && exists && !refuse.is_zero() && !part.is_empty() {
            let expires = expiry(now, refuse.max(self.options.allocation_interval));
            let filter = ModelFilter {
                agent,
                framework,
                role,
                refused: part.clone(),
                expires,
                cycle: self.cycle,
            };
            // Filters of equal content and end are one.
            for other in &mut self.filters {
                if other.agent == agent && other.expires == expires && other.refused == *part {
                    other.cycle = self.cycle;
                }
            }
            self.filters.push(filter);
        }
        self.forget_counts();
    }

    pub(super) fn forget_filters(&mut self, framework: FrameworkIndex, roles: &[Role]) {
        self.filters.retain(|filter| {
            filter.framework != framework || !(roles.is_empty() || roles.contains(&filter.role))
        });
    }

    pub(super) fn remove_agent(&mut self, agent: AgentIndex) {
        self.agents.remove(&agent);
        self.held.retain(|held| held.agent != agent);
        self.filters.retain(|filter| filter.agent != agent);
        self.forget_counts();
    }

    /// Filters of a role that a framework has left are gone.
    pub(super) fn forget_left_roles(&mut self) {
        self.filters.retain(|filter| {
            let known = self.frameworks.get(&filter.framework);
            known.is_some_and(|known| known.roles.contains_key(&filter.role))
        });
        self.forget_counts();
    }
}

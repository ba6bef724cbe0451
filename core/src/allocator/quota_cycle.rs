//! One allocation cycle while some role has quota.
//!
//! In the first stage agents are handed to roles whose guarantees lack something that the agent
//! has; in the second to everyone. In both a role is handed no more than its limits leave, and
//! nobody, beyond his own guarantee, what others lack: offers are cut to fit. What is reserved,
//! and what is not counted in amounts, is never cut.

use super::bits::Bits;
use super::cycle::{KINDS, mix};
use super::quota::{UNBOUND, add_item, is_bounded};
use super::{AgentIndex, Allocation, Allocator};
use crate::resources::{DiskSourceKind, Quantities, Resource, Resources, Role, Scalar, Value};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

/// Which stage of a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Only roles whose guarantees lack something.
    Guarantees,
    /// Everyone.
    Everyone,
}

/// How much of an agent's free and unreserved scalars a client may have.
#[derive(Clone, Debug)]
pub(super) struct Allowance {
    pub(super) amounts: Quantities,
    /// Whether that is less than there is.
    pub(super) cut: bool,
}

/// An offer that fits.
struct Fitting {
    resources: Resources,
    /// Of that, what counts towards limits and headroom.
    bounded: Quantities,
}

/// Where what was handed out in this cycle is in the result, by agent and client.
type Places = BTreeMap<(u32, u32), usize>;

impl Allocator {
    /// As [`Allocator::allocate`], for the agents in `slots`.
    pub(super) fn allocate_within_quota(&mut self, seed: u64, out: &mut Vec<Allocation>) {
        self.refresh_quota();
        if self.quota.moved && self.quota.has_grown() {
            let mut again = core::mem::take(&mut self.quota.held_back);
            again.retain_all(&self.available);
            self.dirty.add_all(&again);
            self.quota.held_back = again;
        }
        let everyone = !self.woken.is_empty();
        let slots = if everyone {
            &self.available
        } else {
            &self.dirty
        };
        let slots: Vec<u32> = slots.iter().collect();
        let mut places = Places::new();
        if !self.quota.lacking.is_empty() {
            for slot in self.ordered(seed, &slots) {
                self.serve_within_quota(slot, Stage::Guarantees, &mut places, out);
            }
        }
        // In another order, since the first stage has taken from the first agents.
        for slot in self.ordered(mix(seed), &slots) {
            self.serve_within_quota(slot, Stage::Everyone, &mut places, out);
        }
        self.quota.settle();
    }

    /// The order of a stage: drawn, or by what agents have free now.
    fn ordered(&mut self, seed: u64, slots: &[u32]) -> Vec<u32> {
        if self.options.agent_order.is_random() {
            return shuffled(seed, slots);
        }
        self.in_order(slots)
    }

    fn serve_within_quota(
        &mut self,
        slot: u32,
        stage: Stage,
        places: &mut Places,
        out: &mut Vec<Allocation>,
    ) {
        let mut eligible = core::mem::take(&mut self.eligible);
        let mut held_back = false;
        // Each hand-over exhausts an amount of the agent or of a role, or a reservation, of what
        // somebody takes.
        let agent = self.agents.at(slot);
        let kinds = if agent.peculiar.items { KINDS } else { 1 };
        let rounds = 2 + agent.free.len() * (1 + self.quota.bounds.len()) * kinds;
        for _ in 0..rounds {
            if !self.available.has(slot) {
                break;
            }
            self.collect_eligible(slot, &mut eligible);
            let woken = self.dirty.has(slot) || eligible.meets(&self.woken);
            if !woken {
                // It did not change, and is of no use to anyone for whom something did.
                held_back |= self.quota.held_back.has(slot);
                break;
            }
            if stage == Stage::Guarantees {
                eligible.retain_all(&self.quota.lacking);
            }
            let fit = self.first_that_fits(slot, stage, &mut eligible, &mut held_back);
            let Some((client, fitting)) = fit else {
                break;
            };
            self.give_part(slot, client, fitting, places, out);
        }
        self.eligible = eligible;
        if stage == Stage::Everyone {
            let held_back = held_back && self.available.has(slot);
            self.quota.held_back.put(slot, held_back);
        }
    }

    /// The client whose turn it is among those for whom something is left that they may have.
    fn first_that_fits(
        &self,
        slot: u32,
        stage: Stage,
        eligible: &mut Bits,
        held_back: &mut bool,
    ) -> Option<(u32, Fitting)> {
        let agent = self.agents.at(slot);
        let plain = agent.reserved.is_empty() && !agent.peculiar.items;
        let candidates = eligible.count();
        for _ in 0..candidates {
            let client = self.tree.first_of(eligible)?;
            let bound = self.clients.at(client).bound;
            let allowance = self.allowance(slot, bound, stage);
            *held_back |= allowance.as_ref().is_none_or(|allowance| allowance.cut);
            let fitting = allowance.map(|allowance| self.fit(slot, client, &allowance));
            let enough = fitting.filter(|fitting| {
                let quantities = fitting.resources.exclusive().quantities();
                self.is_allocatable(&quantities)
            });
            match enough {
                Some(fitting) if !self.refused(slot, client, &fitting.resources) => {
                    return Some((client, fitting));
                }
                Some(_) => {
                    eligible.unset(client);
                }
                // It would be the same for all others under the same quota.
                None if plain && bound == UNBOUND => eligible.retain_all(&self.quota.bound_clients),
                None if plain => eligible.remove_all(&self.quota.bounds[bound as usize].clients),
                None => {
                    eligible.unset(client);
                }
            }
        }
        None
    }

    fn refused(&self, slot: u32, client: u32, offer: &Resources) -> bool {
        let filters = &self.agents.at(slot).filters;
        filters.blocks(client, offer, |_| true)
    }

    /// How much a client under `bound` may have of an agent; nothing in the first stage when that
    /// does not help its role's guarantees.
    pub(super) fn allowance(&self, slot: u32, bound: u32, stage: Stage) -> Option<Allowance> {
        let mut free = Quantities::ZERO;
        let items = self.agents.at(slot).free.iter();
        items
            .filter(|item| is_bounded(item))
            .for_each(|item| add_item(&mut free, item));
        let surplus = self.quota.surplus();
        let bound = self.quota.bounds.get(bound as usize);
        let mut amounts = Quantities::ZERO;
        let mut helps = false;
        for item in self
            .agents
            .at(slot)
            .free
            .iter()
            .filter(|item| is_bounded(item))
        {
            let name = &item.kind.name;
            if amounts.milli(name) > 0 {
                // Another kind of the same name: both are in the sum.
                continue;
            }
            let there = free.milli(name);
            let own = match (stage, bound) {
                (Stage::Guarantees, Some(bound)) => there.min(bound.unmet.milli(name)),
                _ => 0,
            };
            helps |= own > 0;
            let room = bound.and_then(|bound| {
                let limit = bound.quota.limits.milli(name)?;
                Some((limit - bound.consumed.milli(name)).max(0))
            });
            let more = (there - own).min(surplus.milli(name));
            let more = room.map_or(more, |room| more.min((room - own).max(0)));
            amounts.add_milli(name, own + more);
        }
        let cut = amounts != free;
        (helps || stage == Stage::Everyone).then_some(Allowance { amounts, cut })
    }

    /// What a client may have of an agent, cut to its allowance.
    fn fit(&self, slot: u32, client: u32, allowance: &Allowance) -> Fitting {
        let entry = self.clients.at(client);
        let role: &Role = &entry.role;
        let agent = self.agents.at(slot);
        let free = &agent.free;
        let mut bounded = Quantities::ZERO;
        if agent.peculiar.items {
            let takes = self.frameworks.at(entry.framework.slot).takes;
            let taken = free.filter(|item| takes.takes(&item.kind));
            let resources = cut(&taken, role, &allowance.amounts, &mut bounded);
            return Fitting { resources, bounded };
        }
        if !allowance.cut {
            let resources = free.allocatable_to(role);
            bounded.clone_from(&allowance.amounts);
            return Fitting { resources, bounded };
        }
        let resources = cut(free, role, &allowance.amounts, &mut bounded);
        Fitting { resources, bounded }
    }

    fn give_part(
        &mut self,
        slot: u32,
        client: u32,
        fitting: Fitting,
        places: &mut Places,
        out: &mut Vec<Allocation>,
    ) {
        let Fitting {
            mut resources,
            bounded,
        } = fitting;
        if places.contains_key(&(slot, client)) {
            // The client holds a copy of what is shared already.
            resources = resources.exclusive();
        }
        let quantities = resources.exclusive().quantities();
        let generation = self.clients.generation(client);
        let entry = self.clients.at(client);
        let (leaf, bound) = (entry.node, entry.bound);
        let agent = self.agents.at_mut(slot);
        agent
            .take(&resources)
            .expect("it was cut out of what is free");
        agent.hold(client, generation, &quantities);
        if !self.is_allocatable(&self.agents.at(slot).free_quantities) {
            self.available.unset(slot);
        }
        match places.get(&(slot, client)) {
            Some(place) => {
                let before = &mut out[*place].resources;
                let both = before.checked_add(&resources);
                *before = both.expect("both are parts of one agent");
            }
            None => {
                places.insert((slot, client), out.len());
                out.push(Allocation {
                    framework: entry.framework,
                    role: entry.role.clone(),
                    agent: AgentIndex {
                        slot,
                        generation: self.agents.generation(slot),
                    },
                    resources,
                });
            }
        }
        self.tree.hand_over(leaf, &quantities);
        let unmet = self.quota.bounds.get(bound as usize);
        let unmet = unmet.map(|bound| bound.unmet.clone()).unwrap_or_default();
        self.recount(slot);
        self.refresh_bound(bound);
        self.check_grant(bound, &bounded, &unmet);
    }

    /// Looks, by the sums after it, at whether a hand-over was within quota.
    fn check_grant(&mut self, bound: u32, granted: &Quantities, unmet: &Quantities) {
        for (name, granted) in granted.iter() {
            if let Some(bound) = self.quota.bounds.get(bound as usize)
                && let Some(limit) = bound.quota.limits.milli(name)
                && bound.consumed.milli(name) > limit
            {
                let consumed = bound.consumed.milli(name);
                let what = format!("{consumed} of {name} in {}, limit {limit}", bound.role);
                self.quota.breach.limit = Some(what);
            }
            let (free, required) = (&self.quota.free, &self.quota.required);
            if granted > unmet.milli(name) && free.milli(name) < required.milli(name) {
                let (free, required) = (free.milli(name), required.milli(name));
                let what = format!("{free} of {name} is left for guarantees of {required}");
                self.quota.breach.guarantee = Some(what);
            }
        }
    }
}

/// The order of a stage: numbers drawn for the agents, that depend on nothing but the seed and the
/// slot, so that agents left out do not matter.
fn shuffled(seed: u64, slots: &[u32]) -> Vec<u32> {
    let mut order: Vec<u32> = slots.to_vec();
    order.sort_by_key(|slot| super::cycle::key(seed, *slot));
    order
}

/// What `role` may have of `free` within `amounts`; adds up what counts in `bounded`.
pub(super) fn cut(
    free: &Resources,
    role: &Role,
    amounts: &Quantities,
    bounded: &mut Quantities,
) -> Resources {
    let parts = free.iter().filter_map(|item| {
        if !is_bounded(item) {
            return item.kind.is_allocatable_to(role).then(|| item.clone());
        }
        let left = amounts.milli(&item.kind.name) - bounded.milli(&item.kind.name);
        let part = shrunk(item, left)?;
        add_item(bounded, &part);
        Some(part)
    });
    Resources::new(parts).expect("parts of what fits together fit together")
}

/// As much of a scalar as `left`, or nothing. A whole disk is not divided.
fn shrunk(item: &Resource, left: i64) -> Option<Resource> {
    let Value::Scalar(scalar) = item.value else {
        return None;
    };
    if scalar.milli() <= left {
        return Some(item.clone());
    }
    let source = item
        .kind
        .disk
        .as_ref()
        .and_then(|disk| disk.source.as_ref());
    let kind = source.map(|source| source.kind);
    let whole = matches!(kind, Some(DiskSourceKind::Mount | DiskSourceKind::Block));
    if left <= 0 || whole {
        return None;
    }
    let mut part = item.clone();
    part.value = Value::Scalar(Scalar::from_milli(left).ok()?);
    Some(part)
}

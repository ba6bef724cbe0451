//! One allocation cycle.

use super::bits::Bits;
use super::{AgentIndex, Allocation, Allocator};
use crate::resources::{DENSE, Quantities, Resource, Value};
use crate::time::Time;
use alloc::vec::Vec;

/// The low bits of a candidate's key are its slot, the high ones are drawn.
const SLOT_BITS: u32 = 24;

/// Revocable or not, shared or not, refined or not.
pub(super) const KINDS: usize = 8;

const _: () = assert!(super::AGENTS_MAX <= 1 << SLOT_BITS);

/// An agent to look at.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    slot: u32,
    choice: Choice,
}

/// What is decided about a candidate.
#[derive(Clone, Debug)]
enum Choice {
    /// It has nothing reserved and nobody filters it, so all that is free, of which these are the
    /// amounts, goes to whoever is first.
    Simple {
        columns: [i64; DENSE],
        client: Option<u32>,
    },
    /// It is looked at more closely, and served on the spot.
    Complex,
}

impl Allocator {
    /// When the next cycle is due; none while there is nothing to do. At once (a moment that has
    /// passed) after agents or frameworks came, otherwise at the pace of the allocation interval.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        let Some(last) = self.last_cycle else {
            return (self.urgent || !self.dirty.is_empty()).then_some(Time::ZERO);
        };
        if self.urgent {
            return Some(last);
        }
        let next = last + self.options.allocation_interval;
        let held_back = self.quota.moved && !self.quota.held_back.is_empty();
        let idle = self.dirty.is_empty() && self.late.is_empty() && self.woken.is_empty();
        if held_back || !idle {
            return Some(next);
        }
        self.expiries.first().map(|(expires, _)| next.max(*expires))
    }

    /// Runs one cycle: appends to `out` an allocation for all that is free and that anybody may
    /// and wants to have; at most one per agent and role. Under a random order of agents that
    /// within `out` means nothing; under another it is that of the agents.
    pub fn allocate(&mut self, now: Time, out: &mut Vec<Allocation>) {
        self.expire(now);
        self.tree.refresh();
        // Always one draw, so that what was drawn before does not depend on what was to do.
        let seed = self.rng.next_u64();
        if self.quota.is_on() {
            self.allocate_within_quota(seed, out);
        } else {
            self.allocate_freely(seed, out);
        }
        self.dirty.clear();
        self.woken.clear();
        self.cycle += 1;
        self.last_cycle = Some(now);
        self.urgent = false;
        assert!(self.tree.is_sorted(), "a cycle leaves no work");
    }

    /// While no role has quota.
    fn allocate_freely(&mut self, seed: u64, out: &mut Vec<Allocation>) {
        let mut candidates = core::mem::take(&mut self.candidates);
        self.gather(&mut candidates);
        if self.options.agent_order.is_random() {
            self.decide(seed, &mut candidates, out);
            for candidate in &candidates {
                self.deliver(candidate, out);
            }
        } else {
            self.serve_in_order(&candidates, out);
        }
        candidates.clear();
        self.candidates = candidates;
    }

    /// Drops the filters that are over.
    fn expire(&mut self, now: Time) {
        let mut slots = core::mem::take(&mut self.late);
        while let Some((expires, slot)) = self.expiries.first().copied() {
            if expires > now {
                break;
            }
            self.expiries.pop_first();
            slots.push(slot);
        }
        slots.sort_unstable();
        slots.dedup();
        for slot in slots {
            if self.agents.find(slot).is_none() {
                continue;
            }
            let mut ended = Bits::new();
            let filters = &mut self.agents.at_mut(slot).filters;
            if filters.expire(now, self.cycle, &mut ended) {
                self.late.push(slot);
            }
            for client in ended.iter().filter(|client| !filters.has(*client)) {
                self.clients.at_mut(client).filtered.unset(slot);
            }
            if !ended.is_empty() && self.available.has(slot) {
                self.dirty.set(slot);
            }
        }
    }

    /// Collects the agents to look at. Memory is read in the order in which it lies there; the
    /// decisions, which come in a random order, are made on these copies.
    fn gather(&mut self, candidates: &mut Vec<Candidate>) {
        let everyone = !self.woken.is_empty();
        let slots = if everyone {
            &self.available
        } else {
            &self.dirty
        };
        for slot in slots.iter() {
            let agent = self.agents.at(slot);
            let columns = agent.free_quantities.columns();
            let plain = agent.reserved.is_empty() && agent.peculiar.is_none();
            let simple = plain && agent.filters.groups.is_empty();
            candidates.push(Candidate {
                slot,
                choice: match columns {
                    Some(columns) if simple => Choice::Simple {
                        columns,
                        client: None,
                    },
                    _ => Choice::Complex,
                },
            });
        }
    }

    /// Decides who gets what, agents in the order of numbers drawn for them. A number depends on
    /// nothing but the cycle's seed and the slot, so that agents left out do not matter.
    fn decide(&mut self, seed: u64, candidates: &mut [Candidate], out: &mut Vec<Allocation>) {
        let mut order = core::mem::take(&mut self.order);
        order.extend(candidates.iter().enumerate().map(|(at, candidate)| {
            (mix(seed ^ u64::from(candidate.slot)) << SLOT_BITS) | at as u64
        }));
        order.sort_unstable();
        for key in order.drain(..) {
            let at = (key & ((1 << SLOT_BITS) - 1)) as usize;
            let slot = candidates[at].slot;
            match &mut candidates[at].choice {
                Choice::Simple { columns, client } => {
                    *client = self.tree.first();
                    if let Some(client) = *client {
                        let leaf = self.clients.at(client).node;
                        self.tree
                            .hand_over(leaf, &Quantities::from_columns(*columns));
                    }
                }
                Choice::Complex => self.serve(slot, out),
            }
        }
        self.order = order;
    }

    /// Decides who gets what, agents in the order of a policy, each served on the spot.
    fn serve_in_order(&mut self, candidates: &[Candidate], out: &mut Vec<Allocation>) {
        let mut ranked = core::mem::take(&mut self.ranked);
        for (at, candidate) in candidates.iter().enumerate() {
            ranked.push((self.place(candidate.slot), candidate.slot, at as u32));
        }
        ranked.sort_unstable();
        for (_, slot, at) in ranked.drain(..) {
            match &candidates[at as usize].choice {
                Choice::Simple { columns, .. } => {
                    let Some(client) = self.tree.first() else {
                        continue;
                    };
                    let quantities = self.give(slot, client, out);
                    assert_eq!(quantities.dense(), columns, "nothing else takes of it");
                    let leaf = self.clients.at(client).node;
                    self.tree.hand_over(leaf, &quantities);
                }
                Choice::Complex => self.serve(slot, out),
            }
        }
        self.ranked = ranked;
    }

    /// Hands out what one agent with reservations or filters has free, part by part.
    fn serve(&mut self, slot: u32, out: &mut Vec<Allocation>) {
        // Each hand-over takes all that is reserved for at least one more role, or all of one more
        // of the kinds that not everybody takes.
        let agent = self.agents.at(slot);
        let kinds = if agent.peculiar.items { KINDS } else { 1 };
        let parts = (agent.reserved.len() + 1) * kinds;
        for _ in 0..parts {
            let Some(client) = self.choose(slot) else {
                return;
            };
            let quantities = self.give(slot, client, out);
            self.tree
                .hand_over(self.clients.at(client).node, &quantities);
        }
    }

    /// Hands over what was decided for an agent that has neither.
    fn deliver(&mut self, candidate: &Candidate, out: &mut Vec<Allocation>) {
        let Choice::Simple { columns, client } = &candidate.choice else {
            return;
        };
        if let Some(client) = client {
            let quantities = self.give(candidate.slot, *client, out);
            assert_eq!(
                quantities.dense(),
                columns,
                "nothing changed since it was decided"
            );
        }
    }

    fn give(&mut self, slot: u32, client: u32, out: &mut Vec<Allocation>) -> Quantities {
        assert!(
            self.active.has(client),
            "only who takes part is offered anything"
        );
        let entry = self.clients.at(client);
        let takes = self.frameworks.at(entry.framework.slot).takes;
        let agent = self.agents.at_mut(slot);
        let (resources, quantities) = agent.take_for(&entry.role, takes);
        assert!(!resources.is_empty(), "checked when the client was chosen");
        agent.hold(client, self.clients.generation(client), &quantities);
        if agent.free.is_empty() || !self.is_allocatable(&self.agents.at(slot).free_quantities) {
            self.available.unset(slot);
        }
        out.push(Allocation {
            framework: entry.framework,
            role: entry.role.clone(),
            agent: AgentIndex {
                slot,
                generation: self.agents.generation(slot),
            },
            resources,
        });
        quantities
    }

    /// The client to be offered what is free on an agent, if any may and wants to have it.
    fn choose(&mut self, slot: u32) -> Option<u32> {
        if !self.available.has(slot) {
            return None;
        }
        let mut eligible = core::mem::take(&mut self.eligible);
        self.collect_eligible(slot, &mut eligible);
        // An agent that did not change was of no use to anyone who was awake.
        let skip = !self.dirty.has(slot) && !self.woken.is_empty() && !eligible.meets(&self.woken);
        let chosen = if skip {
            None
        } else {
            self.tree.first_of(&eligible)
        };
        self.eligible = eligible;
        chosen
    }

    /// Who may and wants to have something of what is free on an agent.
    pub(super) fn collect_eligible(&mut self, slot: u32, eligible: &mut Bits) {
        eligible.clear();
        if self.agents.at(slot).peculiar.items {
            // Everybody is offered something else of it.
            for client in self.active.iter() {
                eligible.put(client, self.is_eligible(slot, client));
            }
            return;
        }
        let unreserved = self.unreserved(slot);
        let is_enough = self.is_allocatable(&unreserved);
        let agent = self.agents.at_mut(slot);
        if is_enough {
            eligible.copy_from(&self.active);
            agent
                .filters
                .remove_blocked(eligible, &agent.free, agent.version);
        }
        // Those who may have reserved parts are offered more than the others.
        let mut special = Bits::new();
        for reserved in &self.agents.at(slot).reserved {
            special.add_all(self.reservations.clients(*reserved));
        }
        special.retain_all(&self.active);
        for client in special.iter() {
            eligible.put(client, self.is_eligible(slot, client));
        }
        self.retain_takers(slot, eligible);
    }

    fn unreserved(&self, slot: u32) -> Quantities {
        let agent = self.agents.at(slot);
        if agent.reserved.is_empty() {
            return agent.free_quantities.clone();
        }
        sum(agent
            .free
            .iter()
            .filter(|item| item.kind.reservations.is_empty()))
    }

    /// Whether an active client may and wants to have something of an agent: the rule itself.
    pub(super) fn is_eligible(&self, slot: u32, client: u32) -> bool {
        let agent = self.agents.at(slot);
        let entry = self.clients.at(client);
        let takes = self.frameworks.at(entry.framework.slot).takes;
        let offered =
            |item: &Resource| item.kind.is_allocatable_to(&entry.role) && takes.takes(&item.kind);
        let exclusive = |item: &&Resource| offered(item) && !item.kind.shared;
        let quantities = sum(agent.free.iter().filter(exclusive));
        takes.takes_of(agent)
            && self.is_allocatable(&quantities)
            && !agent.filters.blocks(client, &agent.free, offered)
    }
}

fn sum<'a>(items: impl Iterator<Item = &'a Resource>) -> Quantities {
    let mut sum = Quantities::ZERO;
    for item in items {
        if let Value::Scalar(scalar) = item.value {
            sum.add_milli(&item.kind.name, scalar.milli());
        }
    }
    sum
}

/// The place of an agent in the order of a cycle.
pub(super) fn key(seed: u64, slot: u32) -> u64 {
    (mix(seed ^ u64::from(slot)) << SLOT_BITS) | u64::from(slot)
}

/// The finaliser of `SplitMix64` (Steele, Lea and Flood, OOPSLA 2014): spreads a counter.
pub(super) fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

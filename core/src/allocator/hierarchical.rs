//! What the allocator knows.

use super::agent::Agent;
use super::bits::Bits;
use super::client::{Client, Framework, Reservations};
use super::cycle::Candidate;
use super::order::{Place, Places};
use super::quota::Quotas;
use super::slots::Slots;
use super::takes::Takers;
use super::tree::Tree;
use super::{AgentIndex, AllocatorError, FrameworkIndex, Options};
use crate::ids::{AgentId, FrameworkId};
use crate::resources::{Quantities, Resources, Role};
use crate::rng::Rng;
use crate::time::Time;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// See the [module](super).
#[derive(Clone, Debug)]
pub struct Allocator {
    pub(super) options: Options,
    pub(super) rng: Rng,
    pub(super) agents: Slots<Agent>,
    pub(super) frameworks: Slots<Framework>,
    pub(super) framework_ids: BTreeSet<FrameworkId>,
    pub(super) clients: Slots<Client>,
    pub(super) tree: Tree,
    pub(super) reservations: Reservations,
    pub(super) quota: Quotas,
    pub(super) takers: Takers,
    /// Clients that take part.
    pub(super) active: Bits,
    /// Clients for which agents that did not change must be considered: new, revived, ...
    pub(super) woken: Bits,
    /// Active agents that have enough free for an offer.
    pub(super) available: Bits,
    /// Available agents of which some client may be in want that was not, or could not be served,
    /// when they were last looked at.
    pub(super) dirty: Bits,
    /// When filters end, by agent. May name what is no more.
    pub(super) expiries: BTreeSet<(Time, u32)>,
    /// Agents with filters that are over, but were not used yet.
    pub(super) late: Vec<u32>,
    /// How many cycles were run.
    pub(super) cycle: u64,
    pub(super) last_cycle: Option<Time>,
    /// Something happened that should not wait for the next regular cycle.
    pub(super) urgent: bool,
    pub(super) candidates: Vec<Candidate>,
    pub(super) order: Vec<u64>,
    /// Where agents come in an order that is not drawn.
    pub(super) places: Places,
    /// Place, slot, and where among the candidates.
    pub(super) ranked: Vec<(Place, u32, u32)>,
    pub(super) eligible: Bits,
}

impl Allocator {
    /// Knows nobody; `rng` decides the order of agents where no policy does.
    #[must_use]
    pub fn new(options: Options, rng: Rng) -> Allocator {
        Allocator {
            options,
            rng,
            agents: Slots::new(),
            frameworks: Slots::new(),
            framework_ids: BTreeSet::new(),
            clients: Slots::new(),
            tree: Tree::new(),
            reservations: Reservations::new(),
            quota: Quotas::default(),
            takers: Takers::new(),
            active: Bits::new(),
            woken: Bits::new(),
            available: Bits::new(),
            dirty: Bits::new(),
            expiries: BTreeSet::new(),
            late: Vec::new(),
            cycle: 0,
            last_cycle: None,
            urgent: false,
            candidates: Vec::new(),
            order: Vec::new(),
            places: Places::new(),
            ranked: Vec::new(),
            eligible: Bits::new(),
        }
    }

    /// The id behind an index, while the framework is known.
    #[must_use]
    pub fn framework_id(&self, framework: FrameworkIndex) -> Option<&FrameworkId> {
        let slot = self.framework_slot(framework).ok()?;
        Some(&self.frameworks.at(slot).id)
    }

    /// The id behind an index, while the agent is known.
    #[must_use]
    pub fn agent_id(&self, agent: AgentIndex) -> Option<&AgentId> {
        Some(&self.agents.at(self.agent_slot(agent).ok()?).ledger.id)
    }

    /// What an agent has free.
    #[must_use]
    pub fn free(&self, agent: AgentIndex) -> Option<&Resources> {
        Some(&self.agents.at(self.agent_slot(agent).ok()?).free)
    }

    /// What a framework holds in a role, offered or in use.
    #[must_use]
    pub fn held(&self, framework: FrameworkIndex, role: &Role) -> Option<&Quantities> {
        let slot = self.framework_slot(framework).ok()?;
        let client = self.frameworks.at(slot).client(role)?;
        Some(&self.tree.nodes.at(self.clients.at(client).node).allocated)
    }

    /// A role's weighted dominant share, for people.
    #[must_use]
    pub fn role_share(&self, role: &Role) -> Option<f64> {
        self.tree.role_share(role)
    }

    pub(super) fn framework_slot(&self, framework: FrameworkIndex) -> Result<u32, AllocatorError> {
        let FrameworkIndex { slot, generation } = framework;
        let live = self.frameworks.is_live(slot, generation);
        live.then_some(slot).ok_or(AllocatorError::UnknownFramework)
    }

    pub(super) fn agent_slot(&self, agent: AgentIndex) -> Result<u32, AllocatorError> {
        let AgentIndex { slot, generation } = agent;
        let live = self.agents.is_live(slot, generation);
        live.then_some(slot).ok_or(AllocatorError::UnknownAgent)
    }
}

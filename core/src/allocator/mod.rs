//! Who is offered what: hierarchical dominant resource fairness over a tree of roles.
//!
//! [`Allocator`] keeps the books of every agent and hands all that an agent has free to one
//! framework at a time, always the one whose share is smallest at that moment (Ghodsi et al.,
//! "Dominant Resource Fairness", NSDI 2011, in the shape of Mesos' hierarchical allocator). It is a
//! plain struct with verbs that the leading master calls; it has no effects and asks for nothing
//! but the moment.
//!
//! # Rules
//!
//! - An allocation is all of one agent's free resources that one role may have: what is
//!   unreserved, and what is reserved for it or an ancestor. What is offered counts as allocated.
//! - Shares are exact. Totals are those of all agents, active or not; an unallocated reservation
//!   is in nobody's share.
//! - A shared volume is always free, in however many hands it is, and is in nobody's share.
//! - Agents are served in an order drawn anew for each cycle from the allocator's own stream, or,
//!   by [`Options::agent_order`], in that of a placement policy.
//! - A cycle looks only at agents and clients for which something changed; the outcome is that of
//!   looking at all of them, which the property tests check against a model that does.
//!
//! - Quota of a top-level role binds all below it: what its guarantee lacks is kept free for it and
//!   handed to it first, and it is handed nothing beyond its limits.
//!
//! # How the master uses it
//!
//! Call [`Allocator::allocate`] when [`Allocator::deadline`] is due and turn each [`Allocation`]
//! into an offer. Whatever ends an offer or a task (decline, the unused part of an accept, rescind,
//! terminal update) goes back through [`Allocator::recover_resources`]. Resources are named as the
//! agent lists them: the role that they are allocated to is said beside them, and a mark of
//! allocation inside them is ignored.

mod agent;
mod agents;
mod bits;
mod client;
mod convert;
mod cycle;
mod figures;
mod filter;
mod frameworks;
mod hierarchical;
mod invariants;
mod order;
mod quota;
mod quota_cycle;
mod recover;
mod share;
mod slots;
mod takes;
mod tree;

use crate::ids::{AgentId, FrameworkId};
use crate::resources::{ConversionError, Quantities, Resources, ResourcesError, Role, Scalar};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use client::FrameworkIndex;
pub use figures::{Figures, RoleFigures};
pub use hierarchical::Allocator;
pub use invariants::INVARIANTS;
pub use order::{AgentOrder, CLASSES_MAX, UnknownOrder};
pub use takes::Takes;

/// The most agents of one cluster.
pub const AGENTS_MAX: usize = 1 << 20;
/// The most pairs of framework and role.
pub const CLIENTS_MAX: usize = 1 << 20;

/// Names an agent to the allocator; given by [`Allocator::add_agent`], never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AgentIndex {
    slot: u32,
    generation: u32,
}

/// How the allocator is set up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// The time between two regular cycles, and the shortest filter.
    pub allocation_interval: Duration,
    /// An offer must contain one of these, so that nobody is bothered with crumbs.
    pub min_allocatable: Vec<Quantities>,
    /// In which order agents are served.
    pub agent_order: AgentOrder,
}

impl Default for Options {
    /// Mesos' defaults: a second, a hundredth of a CPU or 32 MB, and a random order.
    fn default() -> Options {
        let at_least = |name: &str, milli| {
            let mut least = Quantities::ZERO;
            least.add_milli(&Arc::from(name), milli);
            least
        };
        Options {
            allocation_interval: Duration::from_secs(1),
            min_allocatable: [at_least("cpus", 10), at_least("mem", 32_000)].into(),
            agent_order: AgentOrder::default(),
        }
    }
}

/// All that one agent has free for one framework in one role: the content of an offer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Allocation {
    /// To whom.
    pub framework: FrameworkIndex,
    /// In which of its roles.
    pub role: Role,
    /// On which agent.
    pub agent: AgentIndex,
    /// What; as the agent lists it, not marked as allocated.
    pub resources: Resources,
}

/// Why a verb was refused. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AllocatorError {
    /// An agent that was removed.
    #[error("the agent is not known to the allocator (any more)")]
    UnknownAgent,
    /// A framework that was removed.
    #[error("the framework is not known to the allocator (any more)")]
    UnknownFramework,
    /// A second framework of the same id.
    #[error("framework {0} is known to the allocator already")]
    FrameworkTwice(FrameworkId),
    /// Resources to be recovered or claimed that are not where they should be.
    #[error("not all of these resources of agent {0} are in those hands")]
    NotHeld(AgentId),
    /// With this agent the cluster would have more of something than 64 bits count.
    #[error("the resources of agent {0} are too large to be counted with those of the others")]
    TooLarge(AgentId),
    /// More than [`AGENTS_MAX`] or [`CLIENTS_MAX`].
    #[error("more than {0} are too many")]
    Many(usize),
    /// A quota for a role that may not have it, or that guarantees more than it allows.
    #[error("role {0} cannot have this quota")]
    Quota(Role),
    /// A weight of zero.
    #[error("a weight of {0} is not allowed: it must be more than 0")]
    Weight(Scalar),
    /// See [`ResourcesError`].
    #[error(transparent)]
    Resources(#[from] ResourcesError),
    /// See [`ConversionError`].
    #[error(transparent)]
    Conversion(#[from] ConversionError),
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

//! The agents that a leader knows, by what the registry says of them.

use super::arena::{Arena, Index};
use super::frameworks::Framework;
use super::remembered::Remembered;
use super::tasks::Task;
use crate::ids::{AgentId, ExecutorId, OperationUuid, Peer};
use crate::message::agent::{AgentRun, Reregistration};
use crate::message::operator::RequestId;
use crate::model::{AgentInfo, ExecutorInfo};
use crate::registry::{Admission, Registry, Unreachable};
use crate::resources::Resources;
use crate::time::Wall;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;

/// How many agents that said farewell are remembered, to refuse what still comes from them.
const REMOVED_MAX: usize = 16_384;

/// An agent that this leader has heard of since its election.
#[derive(Clone, Debug)]
pub(super) struct Agent {
    pub(super) id: AgentId,
    /// As the registry has it.
    pub(super) info: Arc<AgentInfo>,
    pub(super) run: AgentRun,
    /// The connection through which it registered last.
    pub(super) peer: Option<Peer>,
    /// The newest connection through which it ever registered. Drivers number connections as they
    /// come in: what arrives late through an older one is stale.
    pub(super) newest: Option<Peer>,
    pub(super) ping: Ping,
    pub(super) tasks: BTreeSet<Index<Task>>,
    /// Command tasks' own executors are not among them.
    pub(super) executors: BTreeMap<(Index<Framework>, ExecutorId), Executor>,
    /// By number.
    pub(super) offers: BTreeSet<u64>,
    /// Those of which there is still something to say.
    pub(super) operations: BTreeSet<OperationUuid>,
    /// What of it is offered and accounted for, with the reservations and volumes made of it: all,
    /// unless that is beyond counting.
    pub(super) total: Resources,
    /// It came back with less than it had, while that may have been in use.
    pub(super) shrank: bool,
    pub(super) registered_at: Wall,
    pub(super) reregistered_at: Option<Wall>,
    /// Since when this leader has it drained.
    pub(super) drain_started_at: Option<Wall>,
}

/// An executor that runs on an agent, with or without tasks.
#[derive(Clone, Debug)]
pub(super) struct Executor {
    /// With its resources marked as allocated to a role.
    pub(super) info: Arc<ExecutorInfo>,
    /// Whether its resources are on the agent's account.
    pub(super) charged: bool,
}

/// Whether it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ping {
    /// A ping is under way.
    pub(super) waits: bool,
    /// How many in a row stayed unanswered.
    pub(super) missed: u32,
    /// Its place in the queue of removals.
    pub(super) removal: Option<u64>,
}

/// An operation about one agent that the registry has not stored yet. There is at most one for
/// each agent, so that none can overtake another.
#[derive(Clone, Debug)]
pub(super) enum Pending {
    /// A first registration.
    Admit {
        run: AgentRun,
        /// Reservations and volumes that it brings with it.
        kept: Resources,
        /// Where to answer; `None` when that connection broke meanwhile.
        peer: Option<Peer>,
    },
    /// Silent for too long. Whoever returns meanwhile is held until it is stored.
    MarkUnreachable { held: Option<Returning> },
    /// Back from being unreachable, or forgotten.
    MarkReachable { returning: Returning },
    /// Back, and describes itself anew.
    Update { returning: Returning },
    /// An operator gave it up, or it is drained for that.
    MarkGone { asked: Option<RequestId> },
    /// An operator drains it, deactivates it or takes that back, or it is drained.
    Mark { asked: Option<RequestId> },
    /// It said farewell.
    Remove,
}

/// An agent that is coming back.
#[derive(Clone, Debug)]
pub(super) struct Returning {
    /// `None` when that connection broke meanwhile.
    pub(super) peer: Option<Peer>,
    pub(super) report: Arc<Reregistration>,
    /// It asked to be registered anew and is to be told its id.
    pub(super) tell_id: bool,
}

impl Pending {
    /// Where the agent waits for an answer.
    pub(super) fn peer(&self) -> Option<Peer> {
        match self {
            Pending::Admit { peer, .. } => *peer,
            Pending::MarkUnreachable { held } => held.as_ref().and_then(|held| held.peer),
            Pending::MarkReachable { returning } | Pending::Update { returning } => returning.peer,
            Pending::MarkGone { .. } | Pending::Mark { .. } | Pending::Remove => None,
        }
    }

    /// Whether it decides if the agent, and what runs there, is of the cluster.
    fn is_transition(&self) -> bool {
        !matches!(self, Pending::Mark { .. })
    }

    /// Who asked for it, if an operator did.
    pub(super) fn asked(&self) -> Option<RequestId> {
        match self {
            Pending::MarkGone { asked } | Pending::Mark { asked } => *asked,
            _ => None,
        }
    }

    /// That connection broke.
    pub(super) fn forget_peer(&mut self) {
        match self {
            Pending::Admit { peer, .. } => *peer = None,
            Pending::MarkUnreachable { held: Some(held) } => held.peer = None,
            Pending::MarkReachable { returning } | Pending::Update { returning } => {
                returning.peer = None;
            }
            Pending::MarkUnreachable { held: None }
            | Pending::MarkGone { .. }
            | Pending::Mark { .. }
            | Pending::Remove => {}
        }
    }
}

/// All agents. `recovered` and the arena together are the registry's admitted ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Agents {
    pub(super) arena: Arena<Agent>,
    pub(super) by_id: BTreeMap<AgentId, Index<Agent>>,
    /// Admitted under an earlier leader, not heard of since.
    pub(super) recovered: BTreeMap<AgentId, Arc<Admission>>,
    /// Returned to this leader, but they have not answered it yet: their reports may have been
    /// long on their way, through connections that they have closed since, so that an earlier
    /// leader may have told newer things.
    pub(super) unconfirmed: BTreeSet<AgentId>,
    pub(super) unreachable: BTreeMap<AgentId, Unreachable>,
    pub(super) gone: BTreeMap<AgentId, Wall>,
    pub(super) pending: BTreeMap<AgentId, Pending>,
    /// Whose pending operation is to be answered on which connection.
    pub(super) waiting: BTreeMap<Peer, AgentId>,
    /// First registrations of all that are admitted, unreachable, or being admitted.
    pub(super) registrations: BTreeMap<u64, AgentId>,
    nonces: BTreeMap<AgentId, u64>,
    removed: Remembered<AgentId>,
    /// The number of the next new agent.
    pub(super) next: u64,
    /// Agents to be marked unreachable, in the order in which they fell silent.
    pub(super) removals: BTreeMap<u64, AgentId>,
    pub(super) removals_next: u64,
}

impl Agents {
    pub(super) fn recover(registry: &Registry) -> Agents {
        let mut agents = Agents {
            recovered: registry.admitted().clone(),
            unreachable: registry.unreachable().clone(),
            gone: registry.gone().clone(),
            ..Agents::default()
        };
        let unreachable = registry.unreachable().iter();
        let admissions = registry
            .admitted()
            .iter()
            .chain(unreachable.map(|(id, marked)| (id, &marked.admission)));
        for (id, admission) in admissions {
            if let Some(nonce) = admission.nonce {
                agents.registrations.insert(nonce, id.clone());
                agents.nonces.insert(id.clone(), nonce);
            }
        }
        agents
    }

    pub(super) fn find(&self, id: &AgentId) -> Option<Index<Agent>> {
        self.by_id.get(id).copied()
    }

    /// Whether something about this agent is not decided yet, so that silence is the only honest
    /// answer to a question about its tasks.
    pub(super) fn is_in_transition(&self, id: &AgentId) -> bool {
        self.recovered.contains_key(id)
            || self.pending.get(id).is_some_and(Pending::is_transition)
            || self.unconfirmed.contains(id)
    }

    /// Whether that holds for any agent that may have tasks.
    pub(super) fn any_in_transition(&self) -> bool {
        !self.recovered.is_empty()
            || !self.unconfirmed.is_empty()
            || self
                .pending
                .values()
                .any(|pending| pending.is_transition() && !matches!(pending, Pending::Admit { .. }))
    }

    pub(super) fn remember_nonce(&mut self, id: &AgentId, nonce: u64) {
        self.registrations.insert(nonce, id.clone());
        self.nonces.insert(id.clone(), nonce);
    }

    pub(super) fn forget_nonce(&mut self, id: &AgentId) {
        if let Some(nonce) = self.nonces.remove(id) {
            self.registrations.remove(&nonce);
        }
    }

    pub(super) fn nonce(&self, id: &AgentId) -> Option<u64> {
        self.nonces.get(id).copied()
    }

    pub(super) fn is_removed(&self, id: &AgentId) -> bool {
        self.removed.contains(id)
    }

    pub(super) fn remember_removed(&mut self, id: AgentId) {
        self.removed.insert(id, REMOVED_MAX);
    }

    /// Forgets that an agent fell silent.
    pub(super) fn cancel_removal(&mut self, index: Index<Agent>) -> bool {
        let ping = &mut self.arena[index].ping;
        ping.missed = 0;
        ping.waits = false;
        match ping.removal.take() {
            Some(place) => self.removals.remove(&place).is_some(),
            None => false,
        }
    }
}

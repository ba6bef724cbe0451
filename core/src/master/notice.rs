use super::leading;
use crate::ids::MasterId;
use crate::log::{self, Ballot};
use crate::registry::Ending;
use alloc::string::String;
use core::fmt;
use serde::{Deserialize, Serialize};

/// What a master has to tell for the timeline and for coverage; data, and droppable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Notice {
    /// Of the log.
    Log(log::Notice),
    /// Of the leader: agents, frameworks, offers and tasks.
    Cluster(leading::Notice),
    /// Who leads, as far as this master knows.
    LeaderChanged {
        /// None while nobody is known.
        leader: Option<MasterId>,
    },
    /// This master was elected and records itself as the leader.
    Elected {
        /// Its ballot.
        ballot: Ballot,
    },
    /// This master is recorded as the leader and serves.
    Leading {
        /// Its ballot.
        ballot: Ballot,
        /// The registry's version.
        version: u64,
        /// How many agents it has to hear from.
        agents: u64,
    },
    /// This master no longer leads and forgot all that it needed for it.
    Demoted {
        /// Its ballot.
        ballot: Ballot,
        /// Why.
        why: log::Demotion,
    },
    /// The registrar ended; the master steps down.
    RegistrarEnded {
        /// Why.
        why: Ending,
    },
    /// The leader cannot go on.
    SteppingDown {
        /// Why, for people.
        why: String,
    },
    /// A batch of operations is durable and applied.
    Stored {
        /// How many operations.
        operations: u64,
        /// The registry's version now.
        version: u64,
    },
    /// An operation came to its turn and was rejected.
    OperationRejected {
        /// Which, and why; for people.
        why: String,
    },
}

/// One line of a timeline, without the time.
impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::Log(notice) => notice.fmt(f),
            Notice::Cluster(notice) => notice.fmt(f),
            Notice::LeaderChanged {
                leader: Some(leader),
            } => write!(f, "follows {leader}"),
            Notice::LeaderChanged { leader: None } => write!(f, "knows of no leader"),
            Notice::Elected { ballot } => write!(f, "elected under ballot {ballot}"),
            Notice::Leading {
                ballot,
                version,
                agents,
            } => write!(
                f,
                "leads under ballot {ballot}; registry version {version}, {agents} agents"
            ),
            Notice::Demoted { ballot, why } => {
                write!(f, "no longer leads under ballot {ballot}: {why}")
            }
            Notice::RegistrarEnded { why } => write!(f, "the registrar ended: {why}"),
            Notice::SteppingDown { why } => write!(f, "steps down: {why}"),
            Notice::Stored {
                operations,
                version,
            } => write!(
                f,
                "{operations} operations stored; registry version {version}"
            ),
            Notice::OperationRejected { why } => write!(f, "the registry rejected {why}"),
        }
    }
}

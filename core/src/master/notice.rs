use super::leading;
use crate::ids::MasterId;
use crate::log::{self, Ballot};
use crate::registry::Ending;
use alloc::string::String;
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
    /// A batch of operations is durable and applied.
    Stored {
        /// How many operations.
        operations: u64,
        /// The registry's version now.
        version: u64,
    },
    /// An operation came to its turn and was rejected.
    OperationRejected {
        /// What for people.
        why: String,
    },
}

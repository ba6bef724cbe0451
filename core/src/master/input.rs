use crate::durable::WriteSequence;
use crate::ids::{MasterId, Peer};
use crate::log;
use crate::message::{agent, operator, scheduler};
use serde::{Deserialize, Serialize};

/// What may happen to a master.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// The deadline came.
    Tick,
    /// Another master says something; may come late, twice or never.
    FromMaster {
        /// Who.
        from: MasterId,
        /// What.
        message: log::Message,
    },
    /// The connection to another master broke. Only a hint.
    LinkBroken {
        /// To whom.
        with: MasterId,
    },
    /// An agent says something.
    FromAgent {
        /// On which connection.
        peer: Peer,
        /// What.
        message: agent::ToMaster,
    },
    /// A scheduler says something.
    FromScheduler {
        /// On which connection.
        peer: Peer,
        /// What.
        message: scheduler::ToMaster,
    },
    /// A connection of an agent or a scheduler broke.
    Disconnected {
        /// Which.
        peer: Peer,
    },
    /// Writes are on disk.
    Persisted {
        /// Of which lane.
        lane: log::Lane,
        /// Up to which.
        up_to: WriteSequence,
    },
    /// An operator asks for something; answered exactly once, by
    /// [`Effect::ToOperator`](super::Effect::ToOperator).
    Operator {
        /// Names the request, in the answer.
        id: operator::RequestId,
        /// What.
        request: operator::Request,
    },
}

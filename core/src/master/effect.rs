use super::notice::Notice;
use crate::durable::WriteSequence;
use crate::ids::{MasterId, Peer};
use crate::log;
use crate::message::{agent, operator, scheduler};
use crate::model::MasterInfo;
use alloc::sync::Arc;
use serde::{Deserialize, Serialize};

/// What a master wants done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Effect {
    /// Say something to another master; may be lost.
    ToMaster {
        /// To whom.
        to: MasterId,
        /// What.
        message: log::Message,
    },
    /// Say something to an agent.
    ToAgent {
        /// On which connection.
        peer: Peer,
        /// What.
        message: agent::ToAgent,
    },
    /// Say something to a scheduler.
    ToScheduler {
        /// On which connection.
        peer: Peer,
        /// What.
        message: scheduler::ToScheduler,
    },
    /// Close a connection; nothing more is wanted of it, and no `Disconnected` follows.
    Close {
        /// Which.
        peer: Peer,
    },
    /// Write, and say `Persisted` when it is durable.
    Persist {
        /// Where.
        lane: log::Lane,
        /// Its number in that lane.
        sequence: WriteSequence,
        /// What.
        write: log::Write,
    },
    /// Whom to keep links to; said at the start and whenever it changes.
    Membership(Arc<[MasterInfo]>),
    /// A line for the timeline; may be dropped.
    Notice(Notice),
    /// This master must not go on.
    Halt(log::Fatal),
    /// Answer an operator: what was asked for is done, and durable, or is not.
    ToOperator {
        /// To which request.
        id: operator::RequestId,
        /// What.
        answer: Result<operator::Answer, operator::Refusal>,
    },
}

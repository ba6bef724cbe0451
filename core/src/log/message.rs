//! What masters say to each other about the log. Small, because millions are handled; what is
//! large is boxed or shared.

use super::action::Action;
use super::ballot::{Ballot, Position};
use super::life::{Incarnation, Life, Lives};
use super::replica::Status;
use crate::ids::MasterId;
use crate::log::membership::Membership;
use crate::time::Time;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// One message between two masters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// The leader is alive, and this is learned.
    Heartbeat {
        /// The leader's.
        ballot: Ballot,
        /// The leader's own clock, echoed; the base of its lease.
        sent: Time,
        /// Everything up to here is chosen.
        learned_through: Position,
    },
    /// A voting replica heard a [`Message::Heartbeat`].
    HeartbeatAck {
        /// Echoed.
        ballot: Ballot,
        /// Echoed.
        sent: Time,
        /// What the follower has learned.
        learned_through: Position,
        /// The follower's.
        incarnation: Incarnation,
    },
    /// "Would you vote for me?" Changes nothing at anybody.
    PreVote {
        /// Echoed by the answer.
        attempt: u64,
        /// What the asker has learned.
        learned_through: Position,
    },
    /// The answer to a [`Message::PreVote`].
    PreVoteReply {
        /// Echoed.
        attempt: u64,
        /// False while a live leader is heard, or when the answerer has no vote.
        granted: bool,
        /// Who leads, as far as the answerer knows.
        leader: Option<MasterId>,
        /// The highest ballot that the answerer knows of.
        highest: Ballot,
        /// The answerer's first position that is not truncated.
        begin: Position,
        /// What the answerer has learned.
        learned_through: Position,
    },
    /// Phase one, for all positions from `first` on; asked again with a later `first` for the
    /// next chunk of the answer.
    Prepare {
        /// The candidate's.
        ballot: Ballot,
        /// The first position that the candidate has not learned.
        first: Position,
    },
    /// The answer to a [`Message::Prepare`].
    Promise(Box<Promise>),
    /// Phase two, for consecutive positions.
    Accept {
        /// The leader's.
        ballot: Ballot,
        /// The position of the first action.
        first: Position,
        /// Everything up to here is chosen.
        learned_through: Position,
        /// One a position.
        actions: Arc<[Action]>,
    },
    /// All of an [`Message::Accept`] is on the sender's disk.
    Accepted {
        /// Echoed.
        ballot: Ballot,
        /// Echoed.
        first: Position,
        /// How many positions.
        count: u32,
        /// The sender's.
        incarnation: Incarnation,
    },
    /// The sender has promised a higher ballot.
    Nack {
        /// The refused one.
        ballot: Ballot,
        /// The higher one.
        promised: Ballot,
    },
    /// Everything up to `through` is chosen; said at once when no write is about to say so.
    Learned {
        /// The leader's.
        ballot: Ballot,
        /// Up to and including.
        through: Position,
    },
    /// "What was learned from `first` on?"
    Fetch {
        /// The first wanted position.
        first: Position,
    },
    /// The answer to a [`Message::Fetch`].
    Fetched {
        /// The position of the first action.
        first: Position,
        /// What the sender has learned.
        learned_through: Position,
        /// One a position, all learned.
        actions: Arc<[Action]>,
    },
    /// The other answer: that position was truncated; take the snapshot.
    Truncated {
        /// Echoed.
        first: Position,
        /// What the sender's snapshot covers.
        through: Position,
        /// What the sender has learned.
        learned_through: Position,
    },
    /// "Send me your snapshot from `offset` on."
    FetchSnapshot {
        /// Which one; the sender answers with a later one if it no longer has it.
        through: Position,
        /// In bytes.
        offset: u64,
    },
    /// A piece of a snapshot.
    SnapshotChunk(Box<SnapshotChunk>),
    /// A replica without a vote asks how its peers are.
    StatusRequest {
        /// The asker's; echoed, so that answers to a former life are recognised.
        incarnation: Incarnation,
    },
    /// The answer to a [`Message::StatusRequest`].
    StatusReply {
        /// Echoed.
        incarnation: Incarnation,
        /// The answerer's, durable.
        status: Status,
        /// Who leads, as far as the answerer knows.
        leader: Option<MasterId>,
        /// What the answerer has learned.
        learned_through: Position,
    },
    /// A replica that lost its votes asks the leader to be fenced in.
    Join {
        /// The new life.
        incarnation: Incarnation,
    },
    /// The leader asks a voter to record a joiner's new life.
    Fence {
        /// The leader's.
        ballot: Ballot,
        /// Who joins.
        joiner: MasterId,
        /// Its new life.
        life: Life,
    },
    /// The new life is recorded, durably, under the promise of that ballot.
    Fenced(Box<Fenced>),
    /// The joiner may vote once it has learned enough.
    Grant(Box<Grant>),
    /// A vote of a former life was met: whoever still lives it must join anew.
    Superseded {
        /// The void life.
        incarnation: Incarnation,
    },
}

/// The answer to a [`Message::Prepare`]: one chunk of what the acceptor has accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// Echoed.
    pub ballot: Ballot,
    /// Echoed.
    pub first: Position,
    /// Where the next chunk starts; none when this is the last.
    pub next: Option<Position>,
    /// The acceptor's first position that is not truncated.
    pub begin: Position,
    /// What the acceptor has learned: entries up to here are chosen.
    pub learned_through: Position,
    /// The acceptor's highest accepted position.
    pub end: Position,
    /// Whose promise it is.
    pub incarnation: Incarnation,
    /// Whose promises are void.
    pub lives: Lives,
    /// What stands there.
    pub entries: Vec<PromisedEntry>,
}

/// One accepted position in a [`Promise`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromisedEntry {
    /// Where.
    pub position: Position,
    /// At which ballot it was accepted.
    pub ballot: Ballot,
    /// What.
    pub action: Action,
}

/// The answer to a [`Message::Fence`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fenced {
    /// Echoed.
    pub ballot: Ballot,
    /// Echoed.
    pub joiner: MasterId,
    /// Echoed.
    pub life: Life,
    /// The answerer's own life.
    pub incarnation: Incarnation,
    /// All that the answerer knows, for the joiner, who forgot.
    pub lives: Lives,
}

/// The leader's word that a joiner's new life is fenced in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The leader's; the joiner promises at least this.
    pub ballot: Ballot,
    /// Which life.
    pub incarnation: Incarnation,
    /// The joiner votes only when it has learned everything up to here.
    pub end: Position,
    /// What the fencing quorum knows of lives.
    pub lives: Lives,
}

/// A piece of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotChunk {
    /// What the snapshot covers.
    pub through: Position,
    /// The masters as of then.
    pub membership: Membership,
    /// Where this piece starts, in bytes.
    pub offset: u64,
    /// How long the whole is, in bytes.
    pub total_bytes: u64,
    /// The piece.
    #[serde(with = "crate::wire::bytes")]
    pub bytes: Vec<u8>,
}

const _: () = assert!(size_of::<Message>() <= 64);

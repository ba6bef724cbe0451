//! What a replica writes, and what it gets back after a restart.

use super::action::Action;
use super::ballot::{Ballot, Position};
use super::life::{Incarnation, Life, Lives};
use super::membership::Membership;
use super::replica::Status;
use crate::ids::MasterId;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// The two things on a master's disk. Writes of one lane become durable in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Lane {
    /// The journal: every [`Write`] but snapshots, appended.
    Log,
    /// The latest [`Snapshot`], replaced as a whole.
    Snapshot,
}

/// One durable record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Write {
    /// Who this disk is, and how far it has got.
    Standing {
        /// Its life.
        incarnation: Incarnation,
        /// Its status.
        status: Status,
    },
    /// No ballot below this one is answered any more.
    Promise {
        /// The promised one.
        ballot: Ballot,
    },
    /// Values accepted at consecutive positions; a promise of that ballot as well.
    Accept {
        /// At which ballot.
        ballot: Ballot,
        /// The position of the first action.
        first: Position,
        /// What was learned by then.
        learned_through: Position,
        /// One a position.
        actions: Arc<[Action]>,
    },
    /// Learned values fetched from a peer, at consecutive positions.
    Learn {
        /// The position of the first action.
        first: Position,
        /// One a position.
        actions: Arc<[Action]>,
    },
    /// Everything accepted up to here is learned.
    Learned {
        /// Up to and including.
        through: Position,
    },
    /// A joiner's new life, and a promise of the leader's ballot.
    Fence {
        /// The leader's.
        ballot: Ballot,
        /// Who joins.
        joiner: MasterId,
        /// Its new life.
        life: Life,
    },
    /// This replica was fenced in and has caught up: it votes.
    Joined {
        /// Promised from now on.
        ballot: Ballot,
        /// Which life.
        incarnation: Incarnation,
        /// What the fencing quorum knew.
        lives: Box<Lives>,
    },
    /// Stands for everything written to the log lane before it: the driver starts a new file
    /// with it and may delete the old one once it is durable.
    Checkpoint(Box<Checkpoint>),
    /// The only write of the snapshot lane: replaces the snapshot before it.
    Snapshot(Box<Snapshot>),
}

impl Write {
    /// Whether all that was written to the log lane before it may be forgotten.
    #[must_use]
    pub fn is_checkpoint(&self) -> bool {
        matches!(self, Write::Checkpoint(_))
    }
}

/// The whole of a replica but the snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Its life.
    pub incarnation: Incarnation,
    /// Its status.
    pub status: Status,
    /// The promised ballot.
    pub promised: Ballot,
    /// What it knows of lives.
    pub lives: Lives,
    /// The first position that is not truncated.
    pub begin: Position,
    /// What it has learned.
    pub learned_through: Position,
    /// From `begin` on; holes are none.
    pub entries: Vec<Option<(Ballot, Action)>>,
}

/// A state machine's bytes as of a position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The last applied position.
    pub through: Position,
    /// The masters as of then.
    pub membership: Membership,
    /// The state machine's bytes.
    #[serde(with = "crate::wire::bytes")]
    pub state: Arc<[u8]>,
}

/// What the driver found on disk. The default is an empty disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovered {
    /// The valid records of the log lane, in order, up to the first damage.
    pub writes: Vec<Write>,
    /// The latest snapshot.
    pub snapshot: Option<Snapshot>,
    /// A record or snapshot that was acknowledged and cannot be read.
    pub damage: Option<Damage>,
}

/// Bit rot. A torn tail is not damage: it was never acknowledged, and the journal cuts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// Where in the file.
    pub at_bytes: u64,
    /// What is wrong with it.
    pub why: String,
}

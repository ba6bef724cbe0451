//! What goes in and what comes out of a [`super::Node`].

use super::action::Action;
use super::ballot::{Ballot, Position};
use super::life::Incarnation;
use super::message::Message;
use super::replica::Status;
use super::write::{Lane, Write};
use crate::durable::WriteSequence;
use crate::ids::MasterId;
use alloc::string::String;
use alloc::sync::Arc;
use serde::{Deserialize, Serialize};

/// What may happen to a node of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// Time passed.
    Tick,
    /// A peer spoke.
    Received {
        /// Who.
        from: MasterId,
        /// What.
        message: Message,
    },
    /// A connection broke. Only a hint: it hastens suspicion.
    LinkBroken {
        /// To whom.
        with: MasterId,
    },
    /// All writes of a lane up to `up_to` are durable.
    Persisted {
        /// Which lane.
        lane: Lane,
        /// Up to and including.
        up_to: WriteSequence,
    },
    /// The owner wants a value appended. Answered by [`Effect::Appended`] or
    /// [`Effect::Rejected`], exactly once in a run.
    Append {
        /// Names it in the answer.
        token: u64,
        /// What.
        #[serde(with = "crate::wire::bytes")]
        value: Arc<[u8]>,
    },
    /// The owner cannot lead: a leader or candidate gives up, as if somebody else were elected,
    /// and does not campaign again before an election timeout. Ignored by a follower.
    StepDown,
    /// The answer to [`Effect::TakeSnapshot`].
    SnapshotTaken {
        /// Echoed.
        through: Position,
        /// The state machine's bytes as of then.
        #[serde(with = "crate::wire::bytes")]
        state: Arc<[u8]>,
    },
}

/// What a node of the log wants done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// Send; may be lost, doubled, late.
    Send {
        /// To whom; never to itself.
        to: MasterId,
        /// What.
        message: Message,
    },
    /// Write, and say [`Input::Persisted`] when it is durable.
    Persist {
        /// Where.
        lane: Lane,
        /// Its number in that lane, from 1 in each run.
        sequence: WriteSequence,
        /// What.
        write: Write,
    },
    /// A learned entry: in order, without gaps, once in a run. The state machine applies it, on
    /// the leader and on followers alike.
    Apply {
        /// Where.
        position: Position,
        /// What.
        action: Action,
    },
    /// The state machine is to be replaced by this.
    InstallSnapshot {
        /// The last position that is in it.
        through: Position,
        /// What an answer to [`Effect::TakeSnapshot`] once was.
        #[serde(with = "crate::wire::bytes")]
        state: Arc<[u8]>,
    },
    /// The owner is asked for the state machine's bytes as of `through`, the position applied
    /// last; it answers when it likes with [`Input::SnapshotTaken`].
    TakeSnapshot {
        /// The position applied last.
        through: Position,
    },
    /// This master leads: all holes are filled, and everything below is applied.
    Elected {
        /// Its ballot; an epoch for everything it does.
        ballot: Ballot,
        /// The last position applied.
        through: Position,
    },
    /// This master no longer leads and is to stop acting at once.
    Demoted {
        /// The ballot it led with.
        ballot: Ballot,
        /// Why.
        why: Demotion,
    },
    /// Who leads, as far as this master knows; for redirects only.
    LeaderChanged {
        /// None while nobody is known.
        leader: Option<MasterId>,
    },
    /// An append is chosen, and was applied just before.
    Appended {
        /// Which.
        token: u64,
        /// Where.
        position: Position,
    },
    /// An append is not done.
    Rejected {
        /// Which.
        token: u64,
        /// Why.
        why: Reject,
    },
    /// A line for the timeline; may be dropped.
    Notice(Notice),
    /// This node must not go on.
    Halt(Fatal),
}

const _: () = assert!(size_of::<Effect>() <= 72);

/// Why an append was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reject {
    /// This master does not lead; nothing was proposed.
    NotLeading {
        /// Who does, as far as it knows.
        leader: Option<MasterId>,
    },
    /// Too many appends wait; nothing was proposed.
    Overloaded,
    /// The value is larger than the configuration allows; nothing was proposed.
    TooLarge {
        /// What is allowed.
        bytes_max: u64,
    },
    /// It was proposed and the leader was demoted: it may or may not come to be learned.
    Unknown,
}

/// Why a leader or candidate gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Demotion {
    /// Somebody promised a higher ballot.
    Superseded {
        /// Which.
        by: Ballot,
    },
    /// No quorum answered for the length of a lease.
    LeaseExpired,
    /// A write was not chosen in time: its fate is unknown (MESOS-1038).
    StoreTimeout,
    /// No quorum promised in time.
    CampaignTimeout,
    /// A peer has truncated what this candidate has yet to learn.
    Behind,
    /// This replica's own life was declared void.
    LostVotes,
    /// The owner asked for it.
    SteppedDown,
}

/// Why a node must not go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fatal {
    /// The journal is damaged and there is no peer to repair it from.
    Unrepairable {
        /// Where in the file.
        at_bytes: u64,
        /// What is wrong.
        why: String,
    },
    /// A learned record or a snapshot is not one that this build reads. Told by the owner of the
    /// state machine.
    Unreadable {
        /// Where.
        position: Position,
        /// What is wrong.
        why: String,
    },
    /// A peer says that another value was learned here. Never seen unless disks or peers lie.
    Diverged {
        /// Where.
        position: Position,
        /// Who said so.
        from: MasterId,
    },
}

/// What is worth a line in a timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// The replica's status changed, durably.
    StatusChanged {
        /// To what.
        status: Status,
    },
    /// A leader is suspected; peers are asked whether they would vote.
    Suspecting {
        /// Who was heard last.
        leader: Option<MasterId>,
    },
    /// A campaign begins.
    Campaigning {
        /// With this ballot.
        ballot: Ballot,
    },
    /// A campaign failed.
    CampaignFailed {
        /// With this ballot.
        ballot: Ballot,
        /// Why.
        why: Demotion,
    },
    /// A quorum promised; what they accepted is proposed again.
    Filling {
        /// The first position.
        first: Position,
        /// The last.
        last: Position,
    },
    /// Nobody of a quorum accepted anything here: it becomes a NOP.
    HoleFilled {
        /// Where.
        position: Position,
    },
    /// This master follows another.
    FollowingLeader {
        /// Its ballot.
        ballot: Ballot,
    },
    /// A write for a learned position changed nothing (MESOS-1271).
    LateWriteIgnored {
        /// Where.
        position: Position,
    },
    /// A fetch reached what it was for.
    CaughtUp {
        /// Up to here.
        through: Position,
    },
    /// A peer's snapshot replaced the state.
    SnapshotInstalled {
        /// What it covers.
        through: Position,
    },
    /// A snapshot is durable and the entries that it covers are gone.
    Truncated {
        /// The first position left.
        begin: Position,
    },
    /// This replica joins as a new life, and why.
    Joining {
        /// The new life.
        incarnation: Incarnation,
        /// The leader's word, a former status or the damage found.
        why: String,
    },
    /// A quorum recorded a joiner's new life.
    Fenced {
        /// Who joins.
        joiner: MasterId,
        /// Its new life.
        incarnation: Incarnation,
    },
    /// A vote of a former life was not counted.
    VoidVoteIgnored {
        /// Whose.
        from: MasterId,
    },
    /// A damaged journal was replaced by what peers know.
    CorruptRecordRepaired {
        /// Up to here.
        through: Position,
    },
}

//! The replicated log: Multi-Paxos over positions (Lamport, "Paxos Made Simple", 2001, section
//! 3), on which the registry stands.
//!
//! # Story
//!
//! A master that suspects its leader asks for pre-votes ([`crate::election`]) and campaigns: one
//! implicit prepare at a new [`Ballot`] covers every position from its first unlearned one. Of a
//! quorum's promises it adopts, position by position, what was learned, else what was accepted
//! at the highest ballot, else a NOP, and proposes all of it again. Only when all of that is
//! chosen and applied is it elected. From then on appends are batched into accepts, several of
//! them in flight; what a quorum has on disk is chosen, learned in order, applied by everybody
//! and announced on the back of the next message. What a replica lacks it fetches from any peer;
//! what peers have truncated it takes as a snapshot.
//!
//! Learned is a prefix: everything up to [`Node::learned_through`] is learned, nothing beyond.
//!
//! # What keeps it safe
//!
//! - *A ballot is used once.* It contains its proposer, and the proposer's own promise, durable,
//!   is among those it waits for: after a restart it will choose a higher one.
//! - *To accept is to promise* ([`replica`]).
//! - *Nothing that vouches for a write leaves before the write is durable*, the own vote
//!   included.
//! - *Time is never trusted.* Leases, suspicion and pre-votes decide who tries, not who wins.
//!
//! # A replica that lost its disk
//!
//! It has forgotten what it promised and accepted. If it voted again as if nothing had happened,
//! two quorums that met only in it would not meet at all. So it comes back as a new
//! *incarnation*: a number that it draws and writes before anything else. It asks the leader, at
//! ballot `f`, to join. The leader has a majority of the masters, none of them the joiner,
//! durably record the joiner's new life, each while its promise is at most `f` (and raises it to
//! `f`). Then it grants the vote, with `end`, the highest position it has proposed. The joiner
//! promises at least `f`, learns everything up to `end`, and only then votes.
//!
//! Why nothing is lost with the old life, which we call D, and the new one D'. Let F be the
//! majority that recorded D'.
//!
//! - *What D accepted at a ballot up to `f`.* If it was chosen, the leader of `f` knows of it,
//!   by its own phase one or because it proposed it; so it is at a position up to `end`, and D'
//!   has learned it before it votes.
//! - *What D accepted at a ballot `b` above `f`.* The proposer of `b` first had promises from a
//!   majority, while D lived, and so before F recorded D'. One of them is in F and had promised
//!   `b > f`; but then it would not have recorded D' for `f`. There is no such `b`.
//! - *What D promised at a ballot `b` above `f`, to a candidate X that has no majority yet.* This
//!   is what fencing alone leaves open: X holds D's promise at `b`; D loses its disk; D' is
//!   fenced in at `f < b`; then B, of F, promises `b` as well. X would count D and B. Meanwhile a
//!   candidate at `y`, with `f < y < b`, counts D', which knows nothing of `b`, and C; both go
//!   on, and two values are chosen. Here, promises carry the incarnations that the acceptor has
//!   recorded. Any majority for `b` meets F in somebody who promised `b` after recording D', or
//!   who was itself fenced in later and was given the record with its grant; so X learns that
//!   the promise by D is void, and does not count it. Leaders discard acceptances and answers to
//!   heartbeats in the same way.
//! - *One who recorded D' and then loses its own disk.* Its fence needs a majority that shares a
//!   member with F other than itself (two majorities of which both lack one master share
//!   another), and the grant carries what all of them recorded.
//!
//! A replica whose journal is corrupt keeps what it learned, which is true whoever says it, and
//! takes the same path. Where no majority without the joiner exists, it waits. All of this holds
//! as long as a majority keeps its disks; and, as in any such system, no longer.

pub mod action;
pub mod ballot;
mod campaign;
pub mod config;
mod coordinator;
pub mod effect;
mod entries;
mod fences;
mod fetch;
pub mod invariants;
pub mod life;
pub mod membership;
pub mod message;
pub mod node;
mod out;
mod pipeline;
mod recover;
pub mod replica;
mod show;
pub mod write;

pub use action::Action;
pub use ballot::{Ballot, Position};
pub use config::{Config, ConfigError};
pub use effect::{Demotion, Effect, Fatal, Input, Notice, Reject};
pub use entries::Entry;
pub use life::{Incarnation, Life, Lives, Stamp};
pub use membership::{MasterInfo, Membership, MembershipError, Votes};
pub use message::Message;
pub use node::Node;
pub use replica::Status;
pub use write::{Checkpoint, Damage, Lane, Recovered, Snapshot, Write};

#[cfg(test)]
mod tests;

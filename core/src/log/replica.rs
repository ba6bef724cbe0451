//! The durable part of a master's log: what it promised, accepted and learned.

use serde::{Deserialize, Serialize};

/// How far a replica has got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Status {
    /// A disk never used, or lost: nothing is known, and no vote is given.
    #[default]
    Empty,
    /// All masters were seen to be new: this one may vote as soon as the others know it too.
    Starting,
    /// A full member: promises and accepts.
    Voting,
    /// Its votes are lost; it joins as a new incarnation, and gives no vote until then.
    Recovering,
}

//! The two numbers everything is ordered by: where in the log, and who proposes.

use crate::ids::MasterId;
use core::fmt;
use serde::{Deserialize, Serialize};

/// A place in the log, from 1. Zero means "nothing yet".
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Position(pub u64);

impl Position {
    /// Before the first entry.
    pub const ZERO: Position = Position(0);
    /// The first entry.
    pub const FIRST: Position = Position(1);

    /// The place after this one.
    #[must_use]
    pub const fn next(self) -> Position {
        Position(self.0 + 1)
    }

    /// The place before this one; zero stays zero.
    #[must_use]
    pub const fn previous(self) -> Position {
        Position(self.0.saturating_sub(1))
    }

    /// The place `count` after this one.
    #[must_use]
    pub const fn after(self, count: u64) -> Position {
        Position(self.0.saturating_add(count))
    }

    /// How many places this is beyond `earlier`; zero when it is not.
    #[must_use]
    pub const fn beyond(self, earlier: Position) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A proposal number. The proposer is part of it, so that two coordinators never share one; the
/// order of the fields is the order of ballots. Round 0 is nobody's.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Ballot {
    /// Grows with every campaign.
    pub round: u64,
    /// Breaks ties, and says who may use this ballot.
    pub proposer: MasterId,
}

impl Ballot {
    /// Lower than every real ballot.
    pub const NONE: Ballot = Ballot {
        round: 0,
        proposer: MasterId(0),
    };
}

impl fmt::Display for Ballot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.round, self.proposer.0)
    }
}

//! Incarnations: which life of a replica a vote comes from.
//!
//! A replica that lost its disk has forgotten what it promised and accepted. It comes back as a
//! new *incarnation*; the votes of the old one are void. See [`crate::log`] for the argument.

use super::ballot::Ballot;
use crate::ids::MasterId;
use alloc::collections::BTreeMap;
use serde::{Deserialize, Serialize};

/// One life of a replica's disk: drawn at random when the disk is first used.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Incarnation(pub u64);

/// Orders the fences of one replica: by the leader's ballot, then by that leader's own count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stamp {
    /// The ballot of the leader that fenced.
    pub ballot: Ballot,
    /// The how-manieth fence of that leader.
    pub count: u64,
}

/// The latest life of a replica that a fence made known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Life {
    /// When it was fenced; the order of lives.
    pub fenced: Stamp,
    /// Whose votes count from then on.
    pub incarnation: Incarnation,
}

/// What a replica, a candidate or a leader knows of lives. A replica that was never fenced is
/// not in it: its first life counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lives(BTreeMap<MasterId, Life>);

impl Lives {
    /// Whether a vote by `incarnation` of `master` is void.
    #[must_use]
    pub fn supersede(&self, master: MasterId, incarnation: Incarnation) -> bool {
        self.0
            .get(&master)
            .is_some_and(|life| life.incarnation != incarnation)
    }

    /// Keeps the later of what is known and `life`; says whether anything changed.
    pub fn record(&mut self, master: MasterId, life: Life) -> bool {
        let known = self.0.entry(master).or_default();
        if life.fenced <= known.fenced {
            return false;
        }
        *known = life;
        true
    }

    /// Takes in everything that `other` knows.
    pub fn merge(&mut self, other: &Lives) {
        for (master, life) in &other.0 {
            self.record(*master, *life);
        }
    }

    /// The latest known life of `master`, if it was ever fenced.
    #[must_use]
    pub fn life(&self, master: MasterId) -> Option<Life> {
        self.0.get(&master).copied()
    }

    /// Whether no replica was ever fenced.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(round: u64, count: u64, incarnation: u64) -> Life {
        Life {
            fenced: Stamp {
                ballot: Ballot {
                    round,
                    proposer: MasterId(1),
                },
                count,
            },
            incarnation: Incarnation(incarnation),
        }
    }

    #[test]
    fn the_later_fence_wins_in_any_order_of_arrival() {
        let (mut a, mut b) = (Lives::default(), Lives::default());
        a.record(MasterId(4), life(3, 1, 30));
        a.record(MasterId(4), life(3, 2, 31));
        b.record(MasterId(4), life(3, 2, 31));
        assert!(!b.record(MasterId(4), life(3, 1, 30)));
        assert_eq!(a, b);
        assert!(a.supersede(MasterId(4), Incarnation(30)));
        assert!(!a.supersede(MasterId(4), Incarnation(31)));
        assert!(!a.supersede(MasterId(5), Incarnation(30)));
    }
}

//! Who votes. Every count of a quorum goes through [`Membership`], so that changing the masters
//! of a running cluster touches one type.

use crate::ids::MasterId;
pub use crate::model::MasterInfo;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The most masters of one cluster: votes are bits of a word.
pub const MASTERS_MAX: usize = 32;

/// Why a list of masters is no membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MembershipError {
    /// No master at all.
    #[error("a cluster needs at least one master")]
    Empty,
    /// More than [`MASTERS_MAX`].
    #[error("{0} masters are too many: at most {MASTERS_MAX}")]
    Many(usize),
    /// The same number twice.
    #[error("{0} is listed twice")]
    Twice(MasterId),
}

/// The masters of a cluster, sorted; an entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    epoch: u64,
    masters: Vec<MasterInfo>,
}

impl Membership {
    /// Sorts and checks `masters`. Epoch 0 is what configuration says, before the log says so.
    ///
    /// # Errors
    /// When the list is empty, too long, or names a master twice.
    pub fn new(epoch: u64, mut masters: Vec<MasterInfo>) -> Result<Membership, MembershipError> {
        masters.sort_by_key(|master| master.id);
        if masters.is_empty() {
            return Err(MembershipError::Empty);
        }
        if masters.len() > MASTERS_MAX {
            return Err(MembershipError::Many(masters.len()));
        }
        if let Some(pair) = masters.windows(2).find(|pair| pair[0].id == pair[1].id) {
            return Err(MembershipError::Twice(pair[0].id));
        }
        Ok(Membership { epoch, masters })
    }

    /// Counts changes of the membership.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The same masters at another epoch.
    #[must_use]
    pub fn at_epoch(&self, epoch: u64) -> Membership {
        Membership {
            epoch,
            masters: self.masters.clone(),
        }
    }

    /// All masters, by number.
    #[must_use]
    pub fn masters(&self) -> &[MasterInfo] {
        &self.masters
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.masters.len()
    }

    /// More than half.
    #[must_use]
    pub fn quorum(&self) -> usize {
        self.masters.len() / 2 + 1
    }

    /// Whether `master` votes here.
    #[must_use]
    pub fn contains(&self, master: MasterId) -> bool {
        self.index(master).is_some()
    }

    /// Every other master, by number.
    pub fn others(&self, me: MasterId) -> impl Iterator<Item = MasterId> + '_ {
        self.masters
            .iter()
            .map(|master| master.id)
            .filter(move |id| *id != me)
    }

    /// Whether `votes` are a quorum.
    #[must_use]
    pub fn is_quorum(&self, votes: Votes) -> bool {
        votes.count() >= self.quorum()
    }

    /// The place of `master` in the list.
    #[must_use]
    pub fn index(&self, master: MasterId) -> Option<usize> {
        self.masters.iter().position(|other| other.id == master)
    }

    /// Adds the vote of `master`; a stranger's changes nothing.
    pub fn vote(&self, votes: &mut Votes, master: MasterId) {
        if let Some(index) = self.index(master) {
            votes.0 |= 1 << index;
        }
    }

    /// Takes back the vote of `master`.
    pub fn unvote(&self, votes: &mut Votes, master: MasterId) {
        if let Some(index) = self.index(master) {
            votes.0 &= !(1 << index);
        }
    }

    /// Whether `master` is among `votes`.
    #[must_use]
    pub fn voted(&self, votes: Votes, master: MasterId) -> bool {
        self.index(master)
            .is_some_and(|index| votes.0 & (1 << index) != 0)
    }
}

/// Who voted: a set, so that a duplicate is one vote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Votes(u32);

impl Votes {
    /// How many different masters.
    #[must_use]
    pub fn count(self) -> usize {
        self.0.count_ones() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;

    fn masters(count: u32) -> Membership {
        let infos = (1..=count).rev().map(|id| MasterInfo {
            id: MasterId(id),
            address: format!("10.0.0.{id}:5050"),
        });
        Membership::new(0, infos.collect()).unwrap()
    }

    #[test]
    fn a_quorum_is_more_than_half_and_counts_nobody_twice() {
        for (count, quorum) in [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)] {
            let membership = masters(count);
            assert_eq!(membership.quorum(), quorum);
            let mut votes = Votes::default();
            for _ in 0..quorum {
                membership.vote(&mut votes, MasterId(1));
            }
            assert_eq!(membership.is_quorum(votes), quorum == 1);
            membership.vote(&mut votes, MasterId(99));
            assert_eq!(votes.count(), 1);
            (2..=quorum as u32).for_each(|id| membership.vote(&mut votes, MasterId(id)));
            assert!(membership.is_quorum(votes));
        }
    }

    #[test]
    fn bad_lists_are_refused() {
        assert_eq!(Membership::new(0, Vec::new()), Err(MembershipError::Empty));
        let one = masters(1).masters()[0].clone();
        assert_eq!(
            Membership::new(0, alloc::vec![one.clone(), one.clone()]),
            Err(MembershipError::Twice(one.id))
        );
        let many = (0..33).map(|id| MasterInfo {
            id: MasterId(id),
            address: String::new(),
        });
        assert_eq!(
            Membership::new(0, many.collect()),
            Err(MembershipError::Many(33))
        );
    }
}

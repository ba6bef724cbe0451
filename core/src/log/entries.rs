//! The live part of the log in memory: a ring of consecutive positions, so that the cost of an
//! entry depends neither on how long the log is nor on where it starts (MESOS-993, MESOS-1014).

use super::action::Action;
use super::ballot::{Ballot, Position};
use alloc::collections::VecDeque;

/// What a replica knows of one position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The highest ballot at which this replica accepted here; [`Ballot::NONE`] if it only
    /// learned the value from a peer.
    pub ballot: Ballot,
    /// The value.
    pub action: Action,
}

/// Positions from `begin` on. Holes are none; the last one is never a hole.
#[derive(Clone, Debug)]
pub struct Entries {
    begin: Position,
    ring: VecDeque<Option<Entry>>,
}

impl Entries {
    /// An empty log that starts at `begin`.
    #[must_use]
    pub fn new(begin: Position) -> Entries {
        assert!(begin > Position::ZERO, "positions start at 1");
        Entries {
            begin,
            ring: VecDeque::new(),
        }
    }

    /// The first position that is not truncated.
    #[must_use]
    pub fn begin(&self) -> Position {
        self.begin
    }

    /// The last position with an entry; the one before `begin` when there is none.
    #[must_use]
    pub fn end(&self) -> Position {
        Position(self.begin.0 - 1 + self.ring.len() as u64)
    }

    /// How many positions there are, holes included.
    #[must_use]
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.ring.len()
    }

    /// What stands at `position`.
    #[must_use]
    pub fn at(&self, position: Position) -> Option<&Entry> {
        let offset = position.0.checked_sub(self.begin.0)?;
        self.ring.get(usize::try_from(offset).ok()?)?.as_ref()
    }

    /// Puts an entry at `position`, which must not be truncated. The caller bounds how far
    /// beyond the end that may be.
    pub fn put(&mut self, position: Position, entry: Entry) {
        assert!(position >= self.begin, "a truncated position is final");
        let offset = position.beyond(self.begin) as usize;
        if offset == self.ring.len() {
            self.ring.push_back(Some(entry));
            return;
        }
        if offset > self.ring.len() {
            self.ring.resize(offset + 1, None);
        }
        self.ring[offset] = Some(entry);
    }

    /// Forgets everything before `begin`.
    pub fn truncate_before(&mut self, begin: Position) {
        assert!(begin >= self.begin, "truncation never goes back");
        let count = begin.beyond(self.begin);
        if count >= self.ring.len() as u64 {
            self.ring.clear();
        } else {
            self.ring.drain(..count as usize);
        }
        self.begin = begin;
        self.trim();
    }

    /// Forgets everything after `end`.
    pub fn truncate_after(&mut self, end: Position) {
        let keep = end.next().beyond(self.begin) as usize;
        self.ring.truncate(keep);
        self.trim();
    }

    /// Forgets at which ballots was accepted: the votes of a former life.
    pub fn forget_ballots(&mut self) {
        for entry in self.ring.iter_mut().flatten() {
            entry.ballot = Ballot::NONE;
        }
    }

    /// All positions from `first` on that have an entry, in order.
    pub fn from(&self, first: Position) -> impl Iterator<Item = (Position, &Entry)> + '_ {
        let skip = first.beyond(self.begin).min(self.ring.len() as u64) as usize;
        self.ring
            .range(skip..)
            .enumerate()
            .filter_map(move |(i, slot)| {
                let position = self.begin.after((skip + i) as u64);
                slot.as_ref().map(|entry| (position, entry))
            })
    }

    /// All positions, holes included, in order.
    pub fn slots(&self) -> impl Iterator<Item = Option<&Entry>> + '_ {
        self.ring.iter().map(Option::as_ref)
    }

    fn trim(&mut self) {
        while matches!(self.ring.back(), Some(None)) {
            self.ring.pop_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    fn entry(round: u64) -> Entry {
        Entry {
            ballot: Ballot {
                round,
                ..Ballot::NONE
            },
            action: Action::Nop,
        }
    }

    #[test]
    fn a_log_that_starts_at_a_billion_costs_what_it_holds() {
        let mut entries = Entries::new(Position(1_000_000_000));
        entries.put(Position(1_000_000_002), entry(1));
        assert_eq!(entries.len(), 3);
        assert_eq!(entries.end(), Position(1_000_000_002));
        assert_eq!(entries.at(Position(1_000_000_001)), None);
        assert_eq!(entries.at(Position(1)), None);
        let all: Vec<_> = entries.from(Position(5)).map(|(p, _)| p.0).collect();
        assert_eq!(all, vec![1_000_000_002]);
    }

    #[test]
    fn both_ends_can_be_cut_and_the_last_is_never_a_hole() {
        let mut entries = Entries::new(Position(1));
        for position in [1, 2, 5, 9] {
            entries.put(Position(position), entry(position));
        }
        entries.truncate_after(Position(8));
        assert_eq!(entries.end(), Position(5));
        entries.truncate_before(Position(3));
        assert_eq!((entries.begin(), entries.len()), (Position(3), 3));
        entries.truncate_before(Position(40));
        assert_eq!((entries.end(), entries.len()), (Position(39), 0));
        entries.truncate_after(Position(7));
        assert_eq!(entries.end(), Position(39));
    }
}

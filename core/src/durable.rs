//! What waits for the disk. The core withholds every reply that vouches for a write until the
//! write is durable, so that drivers obey no rule about order.

use alloc::collections::VecDeque;
use serde::{Deserialize, Serialize};

/// Numbers the writes of one lane, from 1, without gaps.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct WriteSequence(pub u64);

impl WriteSequence {
    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> WriteSequence {
        WriteSequence(self.0 + 1)
    }
}

/// Things that may happen only once a write is durable, in the order of their writes.
#[derive(Clone, Debug)]
pub struct Parked<T> {
    issued: WriteSequence,
    durable: WriteSequence,
    waiting: VecDeque<(WriteSequence, T)>,
}

impl<T> Default for Parked<T> {
    fn default() -> Self {
        Parked {
            issued: WriteSequence::default(),
            durable: WriteSequence::default(),
            waiting: VecDeque::new(),
        }
    }
}

impl<T> Parked<T> {
    /// Numbers a new write.
    pub fn issue(&mut self) -> WriteSequence {
        self.issued = self.issued.next();
        self.issued
    }

    /// The newest write's number.
    #[must_use]
    pub fn issued(&self) -> WriteSequence {
        self.issued
    }

    /// Everything up to here is on disk.
    #[must_use]
    pub fn durable(&self) -> WriteSequence {
        self.durable
    }

    /// Holds `item` until every write issued so far is durable. Returns it at once when nothing
    /// is under way.
    pub fn park(&mut self, item: T) -> Option<T> {
        if self.durable == self.issued && self.waiting.is_empty() {
            return Some(item);
        }
        self.waiting.push_back((self.issued, item));
        None
    }

    /// The driver says that all writes up to `up_to` are durable. An old or repeated word does
    /// nothing; one about a write never issued is a driver's bug.
    pub fn persisted(&mut self, up_to: WriteSequence) {
        assert!(
            up_to <= self.issued,
            "a write was acknowledged that was never issued"
        );
        self.durable = self.durable.max(up_to);
    }

    /// Takes out the next item whose write is durable.
    pub fn pop(&mut self) -> Option<T> {
        let (sequence, _) = self.waiting.front()?;
        if *sequence > self.durable {
            return None;
        }
        self.waiting.pop_front().map(|(_, item)| item)
    }

    /// Whether an item waits whose write is durable.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let front = self.waiting.front();
        front.is_some_and(|(sequence, _)| *sequence <= self.durable)
    }

    /// How many items wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_before_its_write_is_durable() {
        let mut parked = Parked::default();
        assert_eq!(parked.park("free"), Some("free"));
        let first = parked.issue();
        assert_eq!(parked.park("a"), None);
        let second = parked.issue();
        assert_eq!(parked.park("b"), None);
        assert_eq!(parked.pop(), None);
        parked.persisted(first);
        assert_eq!((parked.pop(), parked.pop()), (Some("a"), None));
        parked.persisted(second);
        parked.persisted(first);
        assert_eq!((parked.pop(), parked.pop()), (Some("b"), None));
    }
}

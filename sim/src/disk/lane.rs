//! One lane of a node's disk: writes in order, one sync under way at a time, everything that
//! waits meanwhile goes into the next (group commit).

use std::collections::VecDeque;
use tepui_core::durable::WriteSequence;

/// Writes that are not durable yet.
#[derive(Debug)]
pub struct Lane<W> {
    writes: VecDeque<(WriteSequence, W)>,
    /// How many of the front the sync under way covers.
    syncing: usize,
}

impl<W> Default for Lane<W> {
    fn default() -> Self {
        Lane {
            writes: VecDeque::new(),
            syncing: 0,
        }
    }
}

impl<W> Lane<W> {
    /// Takes a write; true when a sync is to be started because none is under way.
    pub fn push(&mut self, sequence: WriteSequence, write: W) -> bool {
        if let Some((last, _)) = self.writes.back() {
            assert_eq!(last.next(), sequence, "writes of a lane have no gaps");
        }
        self.writes.push_back((sequence, write));
        self.syncing == 0
    }

    /// Starts a sync of everything that waits. Returns how many writes it covers.
    pub fn start(&mut self) -> usize {
        assert_eq!(self.syncing, 0, "one sync at a time");
        self.syncing = self.writes.len();
        self.syncing
    }

    /// The sync is done: hands its writes to `keep`, in order, and says up to where all is
    /// durable. The caller starts the next one if [`Self::waits`].
    pub fn finish(&mut self, mut keep: impl FnMut(W)) -> WriteSequence {
        assert!(self.syncing > 0, "a sync that ends was started");
        let mut up_to = WriteSequence::default();
        for (sequence, write) in self.writes.drain(..self.syncing) {
            up_to = sequence;
            keep(write);
        }
        self.syncing = 0;
        up_to
    }

    /// Whether writes wait for the next sync.
    #[must_use]
    pub fn waits(&self) -> bool {
        !self.writes.is_empty()
    }

    /// How many writes would be lost by a crash now, at worst.
    #[must_use]
    pub fn unsynced(&self) -> usize {
        self.writes.len()
    }

    /// The writes that are not durable, in order.
    pub fn under_way(&self) -> impl Iterator<Item = &W> {
        self.writes.iter().map(|(_, write)| write)
    }

    /// The process or the host died: the first `survivors` writes happened to reach the disk, the
    /// rest is lost. Returns the first that was lost.
    pub fn crash(&mut self, survivors: usize, mut keep: impl FnMut(W)) -> Option<W> {
        let mut writes = self.writes.drain(..).map(|(_, write)| write);
        for write in writes.by_ref().take(survivors) {
            keep(write);
        }
        let lost = writes.next();
        drop(writes);
        self.syncing = 0;
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_during_a_sync_goes_into_the_next() {
        let mut lane = Lane::default();
        assert!(lane.push(WriteSequence(1), 'a'));
        assert_eq!(lane.start(), 1);
        assert!(!lane.push(WriteSequence(2), 'b'));
        assert!(!lane.push(WriteSequence(3), 'c'));
        let mut disk = String::new();
        assert_eq!(lane.finish(|w| disk.push(w)), WriteSequence(1));
        assert!(lane.waits());
        assert_eq!(lane.start(), 2);
        assert_eq!(lane.finish(|w| disk.push(w)), WriteSequence(3));
        assert_eq!(disk, "abc");
        assert!(!lane.waits());
    }

    #[test]
    fn a_crash_keeps_a_prefix() {
        let mut lane = Lane::default();
        for (i, write) in (1..).zip(['a', 'b', 'c']) {
            lane.push(WriteSequence(i), write);
        }
        lane.start();
        let mut disk = String::new();
        assert_eq!(lane.crash(2, |w| disk.push(w)), Some('c'));
        assert_eq!(disk, "ab");
        assert_eq!(lane.unsynced(), 0);
        assert!(
            lane.push(WriteSequence(1), 'd'),
            "a new run counts from one"
        );
    }
}

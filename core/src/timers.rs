//! Deadlines by key, so that fifty thousand pings cost the driver one sleep.

use crate::time::Time;
use alloc::collections::{BTreeMap, BTreeSet};

/// At most one deadline for each key.
#[derive(Clone, Debug)]
pub struct Timers<K> {
    by_key: BTreeMap<K, Time>,
    by_time: BTreeSet<(Time, K)>,
}

impl<K: Ord + Clone> Default for Timers<K> {
    fn default() -> Self {
        Timers {
            by_key: BTreeMap::new(),
            by_time: BTreeSet::new(),
        }
    }
}

impl<K: Ord + Clone> Timers<K> {
    /// Sets or moves the deadline of `key`.
    pub fn set(&mut self, key: K, at: Time) {
        if let Some(before) = self.by_key.insert(key.clone(), at) {
            if before == at {
                return;
            }
            self.by_time.remove(&(before, key.clone()));
        }
        self.by_time.insert((at, key));
    }

    /// Forgets the deadline of `key`, if there is one.
    pub fn cancel(&mut self, key: &K) {
        if let Some(at) = self.by_key.remove(key) {
            self.by_time.remove(&(at, key.clone()));
        }
    }

    /// When `key` is due.
    #[must_use]
    pub fn at(&self, key: &K) -> Option<Time> {
        self.by_key.get(key).copied()
    }

    /// The earliest deadline.
    #[must_use]
    pub fn next(&self) -> Option<Time> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes out the earliest key that is due at `now`, ties in key order.
    pub fn pop_due(&mut self, now: Time) -> Option<K> {
        let (at, _) = self.by_time.first()?;
        if *at > now {
            return None;
        }
        let (_, key) = self.by_time.pop_first()?;
        self.by_key.remove(&key);
        Some(key)
    }

    /// How many keys wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether no key waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_deadline_fires_once_at_its_new_time() {
        let mut timers = Timers::default();
        timers.set("ping", Time::from_nanos(5));
        timers.set("ping", Time::from_nanos(9));
        timers.set("retry", Time::from_nanos(7));
        assert_eq!(timers.next(), Some(Time::from_nanos(7)));
        assert_eq!(timers.pop_due(Time::from_nanos(6)), None);
        assert_eq!(timers.pop_due(Time::from_nanos(9)), Some("retry"));
        assert_eq!(timers.pop_due(Time::from_nanos(9)), Some("ping"));
        assert!(timers.is_empty());
    }

    #[test]
    fn a_cancelled_deadline_never_fires() {
        let mut timers = Timers::default();
        timers.set(1, Time::from_nanos(5));
        timers.cancel(&1);
        assert_eq!(timers.pop_due(Time::MAX), None);
        assert_eq!(timers.len(), 0);
    }
}

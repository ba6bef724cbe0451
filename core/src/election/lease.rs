//! A leader's right to act: renewed by a quorum's answers, it runs out by itself.

use crate::ids::MasterId;
use crate::log::{Membership, Votes};
use crate::time::Time;
use alloc::collections::BTreeMap;
use core::time::Duration;

/// Counted on the leader's own clock, from when the answered heartbeats were sent, so that
/// neither delay nor skew lengthens it (Gray and Cheriton, "Leases", 1989).
#[derive(Clone, Debug)]
pub struct Lease {
    length: Duration,
    /// When the latest heartbeat that each follower answered was sent.
    answered: BTreeMap<MasterId, Time>,
    until: Time,
}

impl Lease {
    /// A lease that begins now: a quorum has just promised.
    #[must_use]
    pub fn new(now: Time, length: Duration) -> Lease {
        Lease {
            length,
            answered: BTreeMap::new(),
            until: now + length,
        }
    }

    /// When it runs out.
    #[must_use]
    pub fn until(&self) -> Time {
        self.until
    }

    /// `from` answered a heartbeat that was sent at `sent`.
    pub fn on_answer(&mut self, now: Time, membership: &Membership, from: MasterId, sent: Time) {
        if sent > now || !membership.contains(from) {
            return;
        }
        let known = self.answered.entry(from).or_insert(sent);
        if *known > sent {
            return;
        }
        *known = sent;
        self.renew(now, membership);
    }

    /// The lease lasts from the latest moment that a quorum has answered since.
    pub fn renew(&mut self, now: Time, membership: &Membership) {
        let mut best = None;
        for since in self.answered.values().copied().chain([now]) {
            let mut votes = Votes::default();
            for master in membership.masters() {
                let answered = self.answered.get(&master.id);
                if answered.is_some_and(|at| *at >= since) {
                    membership.vote(&mut votes, master.id);
                }
            }
            if membership.is_quorum(votes) {
                best = best.max(Some(since));
            }
        }
        if let Some(since) = best {
            self.until = self.until.max(since + self.length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MasterInfo;
    use alloc::string::String;

    fn at(ms: u64) -> Time {
        Time::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn it_lasts_from_the_latest_sending_that_a_quorum_answered() {
        let masters = (1..=5).map(|id| MasterInfo {
            id: MasterId(id),
            address: String::new(),
        });
        let membership = Membership::new(0, masters.collect()).unwrap();
        let mut lease = Lease::new(at(0), Duration::from_millis(100));
        assert_eq!(lease.until(), at(100));
        lease.on_answer(at(60), &membership, MasterId(1), at(60));
        lease.on_answer(at(61), &membership, MasterId(2), at(50));
        assert_eq!(lease.until(), at(100), "two of five are no quorum");
        lease.on_answer(at(62), &membership, MasterId(2), at(40));
        lease.on_answer(at(63), &membership, MasterId(9), at(60));
        assert_eq!(
            lease.until(),
            at(100),
            "old answers and strangers do not count"
        );
        lease.on_answer(at(64), &membership, MasterId(3), at(40));
        assert_eq!(lease.until(), at(140));
        lease.on_answer(at(65), &membership, MasterId(4), at(99));
        assert_eq!(lease.until(), at(140), "an answer from the future is none");
        lease.on_answer(at(66), &membership, MasterId(4), at(60));
        assert_eq!(lease.until(), at(150));
    }
}

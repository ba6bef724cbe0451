//! How agents and schedulers find the leading master: ask any master of a list, follow its
//! redirect, back off when nobody knows.

use crate::model::MasterInfo;
use crate::rng::Rng;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

/// How long to wait before asking again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// After the first failure, at most this; drawn at random, so that a mass of agents spreads.
    pub first: Duration,
    /// Doubling ends here.
    pub most: Duration,
}

/// Chooses the next master to ask. It never opens connections; its owner does.
#[derive(Clone, Debug)]
pub struct Detector {
    masters: Vec<String>,
    next: usize,
    hint: Option<String>,
    failures: u32,
    /// In a row, without a wait.
    redirects: usize,
    backoff: Backoff,
    rng: Rng,
}

impl Detector {
    /// `masters` are addresses `host:port`, at least one.
    #[must_use]
    pub fn new(masters: Vec<String>, backoff: Backoff, mut rng: Rng) -> Detector {
        assert!(
            !masters.is_empty(),
            "without a master's address nobody can be asked"
        );
        // Everybody starts at a master of his own choice, so that no single one takes the rush.
        let next = rng.below(masters.len() as u64) as usize;
        Detector {
            masters,
            next,
            hint: None,
            failures: 0,
            redirects: 0,
            backoff,
            rng,
        }
    }

    /// Whom to ask now: the leader that the last answer named, else the next of the list.
    pub fn target(&mut self) -> String {
        if let Some(hint) = self.hint.take() {
            return hint;
        }
        let address = self.masters[self.next].clone();
        self.next = (self.next + 1) % self.masters.len();
        address
    }

    /// The answer was "I do not lead". Returns how long to wait before asking [`Self::target`]:
    /// nothing when the answer named another leader, unless redirects go in circles.
    pub fn on_redirect(&mut self, leader: Option<&MasterInfo>) -> Duration {
        let circles = self.redirects >= self.masters.len();
        match leader {
            Some(leader) if !circles => {
                self.hint = Some(leader.address.clone());
                self.redirects += 1;
                Duration::ZERO
            }
            _ => self.on_failure(),
        }
    }

    /// Nobody answered, or the connection broke. Returns how long to wait before asking again:
    /// random, doubling once every master of the list has failed.
    pub fn on_failure(&mut self) -> Duration {
        self.hint = None;
        self.redirects = 0;
        let round = self.failures / self.masters.len() as u32;
        self.failures = self.failures.saturating_add(1);
        let longest = self
            .backoff
            .first
            .saturating_mul(1 << round.min(16))
            .min(self.backoff.most);
        self.rng.between(longest / 4, longest)
    }

    /// The leader took us: failures are forgotten.
    pub fn on_accepted(&mut self) {
        self.failures = 0;
        self.redirects = 0;
        self.hint = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::MasterId;
    use alloc::vec;

    fn detector() -> Detector {
        let backoff = Backoff {
            first: Duration::from_millis(100),
            most: Duration::from_secs(1),
        };
        Detector::new(
            vec![String::from("a:1"), String::from("b:1")],
            backoff,
            Rng::from_seed(1, "detector"),
        )
    }

    #[test]
    fn a_redirect_is_followed_at_once() {
        let mut detector = detector();
        detector.target();
        let leader = MasterInfo {
            id: MasterId(9),
            address: String::from("z:1"),
        };
        assert_eq!(detector.on_redirect(Some(&leader)), Duration::ZERO);
        assert_eq!(detector.target(), "z:1");
    }

    #[test]
    fn a_redirect_after_a_long_search_is_followed_at_once_too() {
        let mut detector = detector();
        for _ in 0..9 {
            detector.target();
            detector.on_failure();
        }
        let leader = MasterInfo {
            id: MasterId(9),
            address: String::from("z:1"),
        };
        assert_eq!(detector.on_redirect(Some(&leader)), Duration::ZERO);
        assert_eq!(detector.target(), "z:1");
    }

    #[test]
    fn redirects_in_circles_are_slowed_down() {
        let mut detector = detector();
        let leader = MasterInfo {
            id: MasterId(9),
            address: String::from("z:1"),
        };
        let waits: Vec<_> = (0..5)
            .map(|_| detector.on_redirect(Some(&leader)))
            .collect();
        assert!(waits.iter().any(|wait| *wait > Duration::ZERO));
    }

    #[test]
    fn waits_grow_to_the_cap_and_every_master_is_asked() {
        let mut detector = detector();
        let mut asked: Vec<_> = (0..2).map(|_| detector.target()).collect();
        asked.sort();
        assert_eq!(asked, ["a:1", "b:1"]);
        for _ in 0..40 {
            assert!(detector.on_failure() <= Duration::from_secs(1));
        }
        assert!(detector.on_failure() >= Duration::from_millis(250));
        detector.on_accepted();
        assert!(detector.on_failure() <= Duration::from_millis(100));
    }
}

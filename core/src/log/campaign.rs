//! Phase one: a candidate collects what was accepted before it.
//!
//! One implicit prepare covers every position from the candidate's first unlearned one. Each
//! acceptor answers in chunks; its promise counts once it is complete.

use super::action::Action;
use super::ballot::{Ballot, Position};
use super::config::Config;
use super::life::{Incarnation, Lives};
use super::membership::{Membership, Votes};
use super::message::Promise;
use crate::ids::MasterId;
use crate::time::Time;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// How far one acceptor's answer has come.
#[derive(Clone, Debug)]
struct Progress {
    /// The first position of the chunk that is awaited.
    awaited: Position,
    /// The last chunk has come.
    complete: bool,
    incarnation: Incarnation,
    end: Position,
}

/// The best value known for a position. The order of the fields is the order of preference: a
/// learned value, else that of the highest ballot.
#[derive(Clone, Debug)]
struct Adopted {
    learned: bool,
    ballot: Ballot,
    action: Action,
}

/// What a promise leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Not an answer to anything asked.
    Ignored,
    /// Ask the same acceptor for the chunk from here.
    More(Position),
    /// Wait for others.
    Wait,
    /// The acceptor has truncated what the candidate has yet to learn, or has learned far more.
    Behind,
    /// A quorum has promised all it knows.
    Ready,
}

/// A candidate's phase one.
#[derive(Clone, Debug)]
pub(super) struct Campaign {
    ballot: Ballot,
    first: Position,
    pub retry_at: Time,
    pub give_up_at: Time,
    progress: BTreeMap<MasterId, Progress>,
    adopted: BTreeMap<Position, Adopted>,
    /// What all promises together know of lives.
    pub lives: Lives,
}

impl Campaign {
    pub fn new(ballot: Ballot, first: Position, retry_at: Time, give_up_at: Time) -> Campaign {
        Campaign {
            ballot,
            first,
            retry_at,
            give_up_at,
            progress: BTreeMap::new(),
            adopted: BTreeMap::new(),
            lives: Lives::default(),
        }
    }

    /// The first position that the candidate had not learned when it began.
    pub fn first(&self) -> Position {
        self.first
    }

    /// The chunk awaited from `master`; none once its answer is complete.
    pub fn awaited(&self, master: MasterId) -> Option<Position> {
        match self.progress.get(&master) {
            None => Some(self.first),
            Some(progress) if progress.complete => None,
            Some(progress) => Some(progress.awaited),
        }
    }

    /// Takes in one chunk of a promise.
    pub fn on_promise(
        &mut self,
        membership: &Membership,
        config: &Config,
        from: MasterId,
        promise: Promise,
    ) -> Step {
        if promise.ballot != self.ballot || self.awaited(from) != Some(promise.first) {
            return Step::Ignored;
        }
        let forward = promise.next.is_none_or(|next| next > promise.first);
        if !forward || promise.end.beyond(promise.learned_through) > config.gap_max {
            // No acceptor of ours says this.
            return Step::Ignored;
        }
        if promise.begin > self.first || promise.learned_through.beyond(self.first) > config.gap_max
        {
            return Step::Behind;
        }
        self.lives.merge(&promise.lives);
        for entry in promise.entries {
            let learned = entry.position <= promise.learned_through;
            if entry.position >= self.first {
                self.adopt(entry.position, learned, entry.ballot, entry.action);
            }
        }
        let progress = Progress {
            awaited: promise.next.unwrap_or(promise.first),
            complete: promise.next.is_none(),
            incarnation: promise.incarnation,
            end: promise.end,
        };
        self.progress.insert(from, progress);
        if let Some(next) = promise.next {
            return Step::More(next);
        }
        if self.is_ready(membership, config.me) {
            Step::Ready
        } else {
            Step::Wait
        }
    }

    /// Prefers a learned value to all others, then the highest ballot. A value reported by a
    /// life that turns out to be void is no harm: it was truly accepted at that ballot.
    fn adopt(&mut self, position: Position, learned: bool, ballot: Ballot, action: Action) {
        let better = match self.adopted.get(&position) {
            None => true,
            Some(known) => (learned, ballot) > (known.learned, known.ballot),
        };
        if better {
            let adopted = Adopted {
                learned,
                ballot,
                action,
            };
            self.adopted.insert(position, adopted);
        }
    }

    /// A quorum of complete promises by lives that are not void, the candidate's own among them:
    /// its own promise is what keeps it from using this ballot again after a restart.
    fn is_ready(&self, membership: &Membership, me: MasterId) -> bool {
        let mut votes = Votes::default();
        for (master, progress) in &self.progress {
            if progress.complete && !self.lives.supersede(*master, progress.incarnation) {
                membership.vote(&mut votes, *master);
            }
        }
        membership.is_quorum(votes) && membership.voted(votes, me)
    }

    /// What is to be proposed again, from the first unlearned position on; holes are none.
    pub fn plan(&self) -> Vec<Option<Action>> {
        let ends = self.progress.values().map(|progress| progress.end);
        let last = self.adopted.keys().next_back().copied();
        let end = ends.max().max(last).unwrap_or(Position::ZERO);
        let mut plan = Vec::new();
        let mut position = self.first;
        while position <= end {
            let adopted = self.adopted.get(&position);
            plan.push(adopted.map(|adopted| adopted.action.clone()));
            position = position.next();
        }
        plan
    }
}

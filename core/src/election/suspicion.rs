//! When a follower suspects its leader, and whom it asks before it campaigns.

use crate::ids::MasterId;
use crate::log::{Ballot, Config, Membership, Position, Votes};
use crate::rng::Rng;
use crate::time::Time;
use core::time::Duration;

/// What an answer to a pre-vote leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreVoteStep {
    /// Not an answer to the question that is open.
    Ignored,
    /// Wait for others.
    Wait,
    /// A quorum would vote, and the candidate has learned enough: campaign.
    Campaign,
    /// A quorum would vote, but this peer has learned what the candidate must have first.
    CatchUp(MasterId, Position),
}

/// The open question.
#[derive(Clone, Copy, Debug)]
struct PreVote {
    votes: Votes,
    give_up_at: Time,
    /// The voter that has learned most.
    ahead: Option<(Position, MasterId)>,
    /// Some voter has truncated what the candidate lacks, or has learned far more.
    must_catch_up: bool,
}

/// One master's view of who leads.
#[derive(Clone, Debug)]
pub struct Election {
    rng: Rng,
    /// Who leads, for redirects; perhaps by hearsay.
    leader: Option<MasterId>,
    /// The leader that this master hears itself.
    following: Ballot,
    heard: Option<Time>,
    timeout: Duration,
    suspect_at: Time,
    /// The highest ballot ever met.
    highest: Ballot,
    attempt: u64,
    pre_vote: Option<PreVote>,
    /// Nobody was heard since the last question.
    suspected: bool,
}

impl Election {
    /// Nobody was heard yet; a lone master suspects at once.
    #[must_use]
    pub fn new(now: Time, config: &Config, membership: &Membership, mut rng: Rng) -> Election {
        let timeout = rng.between(config.election_timeout_min, config.election_timeout_max);
        let lone = membership.count() == 1;
        Election {
            leader: None,
            following: Ballot::NONE,
            heard: None,
            timeout,
            suspect_at: if lone { now } else { now + timeout },
            highest: Ballot::NONE,
            attempt: rng.next_u64() >> 1,
            pre_vote: None,
            suspected: false,
            rng,
        }
    }

    /// Who leads, as far as this master knows.
    #[must_use]
    pub fn leader(&self) -> Option<MasterId> {
        self.leader
    }

    /// Sets who leads; says whether that is news.
    pub fn set_leader(&mut self, leader: Option<MasterId>) -> bool {
        let news = self.leader != leader;
        self.leader = leader;
        news
    }

    /// The ballot of the leader that was heard last.
    #[must_use]
    pub fn following(&self) -> Ballot {
        self.following
    }

    /// The highest ballot ever met.
    #[must_use]
    pub fn highest(&self) -> Ballot {
        self.highest
    }

    /// A ballot was met: the next campaign will be higher.
    pub fn meet(&mut self, ballot: Ballot) {
        self.highest = self.highest.max(ballot);
    }

    /// A living leader spoke. Says whether it is a new one.
    pub fn hear(&mut self, now: Time, config: &Config, ballot: Ballot) -> bool {
        assert!(ballot >= self.following, "a stale leader is not heard");
        let news = ballot > self.following || self.heard.is_none();
        if news {
            self.meet(ballot);
            self.following = ballot;
            let (low, high) = (config.election_timeout_min, config.election_timeout_max);
            self.timeout = self.rng.between(low, high);
        }
        self.heard = Some(now);
        self.suspect_at = now + self.timeout;
        self.pre_vote = None;
        self.suspected = false;
        news
    }

    /// Whether a living leader was heard so lately that nobody else should campaign.
    #[must_use]
    pub fn hears_leader(&self, now: Time, config: &Config) -> bool {
        self.heard
            .is_some_and(|heard| now.since(heard) < config.election_timeout_min)
    }

    /// The connection to `with` broke: if that is the leader, it is suspected soon.
    pub fn on_link_broken(&mut self, now: Time, config: &Config, with: MasterId) {
        if self.heard.is_none() || self.following.proposer != with {
            return;
        }
        self.heard = None;
        let delay = self
            .rng
            .between(Duration::ZERO, config.link_broken_delay_max);
        self.suspect_at = self.suspect_at.min(now + delay);
    }

    /// Somebody else got this master's promise or pre-vote: let it try first.
    pub fn yield_to_other(&mut self, now: Time, config: &Config, wait: Duration) {
        let spread = self.rng.between(Duration::ZERO, config.campaign_retry);
        self.suspect_at = self.suspect_at.max(now + wait + spread);
    }

    /// Forgets the leader's liveness and tries again soon.
    pub fn retry_soon(&mut self, now: Time, config: &Config) {
        let (low, high) = (config.campaign_retry / 2, config.campaign_retry);
        self.suspect_at = now + self.rng.between(low, high);
        self.pre_vote = None;
    }

    /// Tries again at once: what was missing has been learned.
    pub fn retry_now(&mut self, now: Time) {
        if self.pre_vote.is_none() {
            self.suspect_at = now;
        }
    }

    /// When this master next suspects, or gives up asking.
    #[must_use]
    pub fn deadline(&self) -> Time {
        match self.pre_vote {
            Some(pre_vote) => pre_vote.give_up_at,
            None => self.suspect_at,
        }
    }

    /// Whether a question is open.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        self.pre_vote.is_some()
    }

    /// The leader is no longer believed alive. Says whether that is news.
    pub fn suspect(&mut self) -> bool {
        self.heard = None;
        !core::mem::replace(&mut self.suspected, true)
    }

    /// Opens a new question and returns its number.
    pub fn ask(&mut self, now: Time, config: &Config) -> u64 {
        self.attempt += 1;
        let (low, high) = (config.campaign_retry / 2, config.campaign_retry);
        self.pre_vote = Some(PreVote {
            votes: Votes::default(),
            give_up_at: now + self.rng.between(low, high),
            ahead: None,
            must_catch_up: false,
        });
        self.attempt
    }

    /// Closes the question, whatever came of it.
    pub fn close(&mut self) {
        self.pre_vote = None;
    }

    /// A peer, or this master itself, would vote for it.
    pub fn on_granted(
        &mut self,
        membership: &Membership,
        config: &Config,
        learned_through: Position,
        voter: Voter,
    ) -> PreVoteStep {
        self.meet(voter.highest);
        let open = self
            .pre_vote
            .as_mut()
            .filter(|_| voter.attempt == self.attempt);
        let Some(pre_vote) = open else {
            return PreVoteStep::Ignored;
        };
        membership.vote(&mut pre_vote.votes, voter.from);
        let truncated = voter.begin > learned_through.next();
        let far = voter.learned_through.beyond(learned_through) > config.chunk_entries_max as u64;
        pre_vote.must_catch_up |= truncated || far;
        let ahead = (voter.learned_through, voter.from);
        pre_vote.ahead = pre_vote.ahead.max(Some(ahead));
        if !membership.is_quorum(pre_vote.votes) {
            return PreVoteStep::Wait;
        }
        match pre_vote.ahead {
            Some((through, peer)) if pre_vote.must_catch_up && through > learned_through => {
                PreVoteStep::CatchUp(peer, through)
            }
            _ => PreVoteStep::Campaign,
        }
    }
}

/// What a granted pre-vote says.
#[derive(Clone, Copy, Debug)]
pub struct Voter {
    /// Who.
    pub from: MasterId,
    /// To which question.
    pub attempt: u64,
    /// The highest ballot that it knows of.
    pub highest: Ballot,
    /// Its first position that is not truncated.
    pub begin: Position,
    /// What it has learned.
    pub learned_through: Position,
}

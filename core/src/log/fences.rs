//! The leader's side of a join: have a quorum of others record the joiner's new life.

use super::ballot::{Ballot, Position};
use super::life::{Incarnation, Life, Lives, Stamp};
use super::membership::{Membership, Votes};
use super::message::{Fenced, Grant};
use crate::ids::MasterId;
use crate::time::Time;
use alloc::collections::BTreeMap;

/// One joiner.
#[derive(Clone, Debug)]
pub(super) struct Round {
    pub life: Life,
    votes: Votes,
    lives: Lives,
    /// Set once a quorum has recorded the life.
    granted: bool,
    pub resend_at: Time,
}

/// All joiners of one leader, at most one round each.
#[derive(Clone, Debug, Default)]
pub(super) struct Fences {
    rounds: BTreeMap<MasterId, Round>,
    count: u64,
}

/// What the leader does about a [`super::Message::Join`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joining {
    /// Ask everybody else to record this life.
    Fence(Life),
    /// A quorum already has.
    Granted,
    /// That is under way.
    Wait,
}

impl Fences {
    /// A replica asks to join as `incarnation`.
    pub fn on_join(
        &mut self,
        membership: &Membership,
        ballot: Ballot,
        joiner: MasterId,
        incarnation: Incarnation,
        resend_at: Time,
    ) -> Joining {
        if let Some(round) = self.rounds.get(&joiner)
            && round.life.incarnation == incarnation
        {
            return match round.granted {
                true => Joining::Granted,
                false => Joining::Wait,
            };
        }
        // A replica that joins has forgotten whatever it recorded for others.
        for round in self.rounds.values_mut().filter(|round| !round.granted) {
            membership.unvote(&mut round.votes, joiner);
        }
        self.count += 1;
        let life = Life {
            fenced: Stamp {
                ballot,
                count: self.count,
            },
            incarnation,
        };
        let round = Round {
            life,
            votes: Votes::default(),
            lives: Lives::default(),
            granted: false,
            resend_at,
        };
        self.rounds.insert(joiner, round);
        Joining::Fence(life)
    }

    /// A voter has recorded a life. True when that makes a quorum of others.
    pub fn on_fenced(&mut self, membership: &Membership, from: MasterId, fenced: &Fenced) -> bool {
        let Some(round) = self.rounds.get_mut(&fenced.joiner) else {
            return false;
        };
        if round.life != fenced.life || from == fenced.joiner || round.granted {
            return false;
        }
        membership.vote(&mut round.votes, from);
        round.lives.merge(&fenced.lives);
        assert!(
            !membership.voted(round.votes, fenced.joiner),
            "no joiner vouches for itself"
        );
        round.granted = membership.is_quorum(round.votes);
        round.granted
    }

    /// The leader's word to a joiner whose round is done.
    pub fn grant(&self, joiner: MasterId, ballot: Ballot, end: Position) -> Option<Grant> {
        let round = self.rounds.get(&joiner).filter(|round| round.granted)?;
        Some(Grant {
            ballot,
            incarnation: round.life.incarnation,
            end,
            lives: round.lives.clone(),
        })
    }

    /// Rounds that have no quorum yet and are due to be asked again, with who has answered.
    pub fn due(
        &mut self,
        now: Time,
        next: Time,
    ) -> impl Iterator<Item = (MasterId, Life, Votes)> + '_ {
        self.rounds.iter_mut().filter_map(move |(joiner, round)| {
            if round.granted || round.resend_at > now {
                return None;
            }
            round.resend_at = next;
            Some((*joiner, round.life, round.votes))
        })
    }

    /// When the next round is due to be asked again.
    pub fn resend_at(&self) -> Option<Time> {
        let open = self.rounds.values().filter(|round| !round.granted);
        open.map(|round| round.resend_at).min()
    }
}

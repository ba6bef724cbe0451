//! A replica without a vote: automatic initialisation, and joining as a new life.

use super::Node;
use crate::ids::MasterId;
use crate::log::effect::{Demotion, Fatal, Notice};
use crate::log::life::Incarnation;
use crate::log::message::{Grant, Message};
use crate::log::out::Out;
use crate::log::replica::Status;
use crate::time::Time;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;

/// What a replica without a vote has heard.
#[derive(Clone, Debug)]
pub(in crate::log) struct Joiner {
    retry_at: Time,
    /// The peers' durable statuses, as said to this life.
    statuses: BTreeMap<MasterId, Status>,
    granted: Option<Grant>,
    /// The journal was damaged, and what peers know replaces it.
    repairing: bool,
}

impl Joiner {
    pub fn new(now: Time, repairing: bool) -> Joiner {
        Joiner {
            retry_at: now,
            statuses: BTreeMap::new(),
            granted: None,
            repairing,
        }
    }
}

impl Node {
    pub(super) fn tick_joining(&mut self, out: &mut Out<'_>) {
        if self.replica.status == Status::Voting || out.now < self.joiner.retry_at {
            return;
        }
        let (low, high) = (self.config.recovery_retry / 2, self.config.recovery_retry);
        self.joiner.retry_at = out.now + self.rng.between(low, high);
        let incarnation = self.replica.incarnation;
        let request = Message::StatusRequest { incarnation };
        out.send_others(&self.replica.membership, &request);
        // A grant by a leader of the past may name an end that is never reached.
        let granted = self.joiner.granted.as_ref();
        let stale = granted.is_none_or(|grant| grant.ballot < self.election.following());
        if self.replica.status == Status::Recovering && stale {
            let join = Message::Join { incarnation };
            out.send_others(&self.replica.membership, &join);
        }
        self.consider_status(out);
    }

    pub(super) fn joining_deadline(&self) -> Option<Time> {
        (self.replica.status != Status::Voting).then_some(self.joiner.retry_at)
    }

    pub(super) fn on_status_request(
        &mut self,
        from: MasterId,
        incarnation: Incarnation,
        out: &mut Out<'_>,
    ) {
        let reply = Message::StatusReply {
            incarnation,
            status: self.replica.status,
            leader: self.election.leader(),
            learned_through: self.replica.learned_through,
        };
        out.send(from, reply);
    }

    pub(super) fn on_status_reply(&mut self, from: MasterId, message: &Message, out: &mut Out<'_>) {
        let Message::StatusReply {
            incarnation,
            status,
            leader,
            learned_through,
        } = *message
        else {
            return;
        };
        // An answer to a former life tells of a time when this disk still had its votes.
        if self.replica.status == Status::Voting || incarnation != self.replica.incarnation {
            return;
        }
        self.joiner.statuses.insert(from, status);
        if leader.is_some() && !self.election.hears_leader(out.now, &self.config) {
            self.set_leader(leader, out);
        }
        if learned_through > self.replica.learned_through {
            self.fetch.want(from, learned_through);
            self.drive_fetch(out);
        }
        self.consider_status(out);
    }

    /// Automatic initialisation. `Empty` becomes `Starting` only when every master is seen to be
    /// new, which cannot be once anybody has voted; from then on this disk is known never to
    /// have voted, and may do so as soon as everybody else knows the same of itself.
    fn consider_status(&mut self, out: &mut Out<'_>) {
        if self.replica.next_status.is_some() {
            return;
        }
        let others = self.replica.membership.count() - 1;
        let statuses = || self.joiner.statuses.values().copied();
        let any = |status: Status| statuses().any(|other| other == status);
        let all_known = self.joiner.statuses.len() == others;
        let next = match self.replica.status {
            Status::Empty if any(Status::Voting) || any(Status::Recovering) => Status::Recovering,
            Status::Empty if all_known => Status::Starting,
            Status::Starting if any(Status::Voting) => Status::Voting,
            Status::Starting if all_known && !any(Status::Empty) => Status::Voting,
            _ => return,
        };
        if next == Status::Recovering {
            out.notice(Notice::Joining {
                incarnation: self.replica.incarnation,
                why: String::from("others have voted, and this disk is new"),
            });
        }
        self.replica.set_status(next, None, out);
    }

    pub(super) fn on_status_changed(&mut self, out: &mut Out<'_>) {
        match self.replica.status {
            Status::Voting => {
                self.joiner.statuses.clear();
                self.joiner.granted = None;
                if self.joiner.repairing {
                    self.joiner.repairing = false;
                    let through = self.replica.learned_through;
                    out.notice(Notice::CorruptRecordRepaired { through });
                }
                if !self.election.hears_leader(out.now, &self.config) {
                    self.election.retry_soon(out.now, &self.config);
                }
                if self.replica.membership.count() == 1 {
                    self.election.retry_now(out.now);
                }
            }
            Status::Empty | Status::Starting | Status::Recovering => {
                self.joiner.retry_at = out.now;
                self.consider_status(out);
            }
        }
    }

    /// A quorum has recorded this life. The vote comes with the last entry that the life before
    /// may have helped to choose.
    pub(super) fn on_grant(&mut self, grant: Grant, out: &mut Out<'_>) {
        let wanted = self.replica.status == Status::Recovering
            && self.replica.next_status.is_none()
            && grant.incarnation == self.replica.incarnation;
        if !wanted {
            return;
        }
        let better = match &self.joiner.granted {
            None => true,
            Some(known) => grant.ballot > known.ballot,
        };
        if better {
            self.election.meet(grant.ballot);
            self.joiner.granted = Some(grant);
        }
        self.consider_voting(out);
    }

    /// Votes once everything up to the granted end is learned.
    pub(super) fn consider_voting(&mut self, out: &mut Out<'_>) {
        if self.replica.status != Status::Recovering || self.replica.next_status.is_some() {
            return;
        }
        let Some(grant) = &self.joiner.granted else {
            return;
        };
        if self.replica.learned_through < grant.end {
            return;
        }
        assert_eq!(
            grant.incarnation, self.replica.incarnation,
            "grants name a life"
        );
        self.replica.join(grant.ballot, &grant.lives, out);
    }

    /// The leader met a vote of a void life. Only the very life that is void believes it.
    pub(super) fn on_superseded(
        &mut self,
        from: MasterId,
        incarnation: Incarnation,
        out: &mut Out<'_>,
    ) {
        let mine = incarnation == self.replica.incarnation;
        if mine && self.replica.status == Status::Voting && self.replica.next_status.is_none() {
            self.lose_votes(&format!("{from} says that its life is void"), out);
        }
    }

    fn lose_votes(&mut self, why: &str, out: &mut Out<'_>) {
        if self.replica.next_status.is_some() {
            return;
        }
        self.demote(Demotion::LostVotes, out);
        let incarnation = Incarnation(self.rng.next_u64());
        if incarnation == self.replica.incarnation {
            return;
        }
        let why = String::from(why);
        out.notice(Notice::Joining { incarnation, why });
        self.joiner = Joiner::new(out.now, false);
        self.replica.begin_anew(incarnation, out);
    }

    /// Without peers nothing can be repaired.
    pub(in crate::log) fn unrepairable(at_bytes: u64, why: String) -> Fatal {
        Fatal::Unrepairable { at_bytes, why }
    }
}

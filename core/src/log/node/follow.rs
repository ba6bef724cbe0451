//! What every master does: follow a leader, answer candidates, suspect, catch up, serve.

use super::Node;
use crate::election::{PreVoteStep, Voter};
use crate::ids::MasterId;
use crate::log::action::Action;
use crate::log::ballot::{Ballot, Position};
use crate::log::effect::{Effect, Notice};
use crate::log::life::Life;
use crate::log::message::Message;
use crate::log::out::Out;
use crate::log::replica::Status;
use crate::time::Time;
use alloc::sync::Arc;
use alloc::vec::Vec;

impl Node {
    pub(super) fn set_leader(&mut self, leader: Option<MasterId>, out: &mut Out<'_>) {
        if self.election.set_leader(leader) {
            out.fx.push(Effect::LeaderChanged { leader });
        }
    }

    /// Whether a message of the leader of `ballot` is to be obeyed. A stale leader is told so.
    fn meet_leader(&mut self, from: MasterId, ballot: Ballot, out: &mut Out<'_>) -> bool {
        if ballot.proposer != from {
            return false;
        }
        if from == out.me {
            return self.proposing() == Some(ballot);
        }
        let mut floor = self.election.following();
        if self.replica.status == Status::Voting {
            floor = floor.max(self.replica.promised);
        }
        if ballot < floor {
            let promised = floor;
            out.send(from, Message::Nack { ballot, promised });
            return false;
        }
        self.yield_to(ballot, out);
        if self.election.hear(out.now, &self.config, ballot) {
            out.notice(Notice::FollowingLeader { ballot });
        }
        self.set_leader(Some(from), out);
        true
    }

    pub(super) fn on_heartbeat(
        &mut self,
        from: MasterId,
        ballot: Ballot,
        sent: Time,
        learned_through: Position,
        out: &mut Out<'_>,
    ) {
        if !self.meet_leader(from, ballot, out) {
            return;
        }
        self.learn(from, ballot, learned_through, out);
        // A replica without a vote is no part of the quorum that a lease stands on.
        if self.replica.status == Status::Voting {
            let ack = Message::HeartbeatAck {
                ballot,
                sent,
                learned_through: self.replica.learned_through,
                incarnation: self.replica.incarnation,
            };
            out.send(from, ack);
        }
    }

    pub(super) fn on_learned(
        &mut self,
        from: MasterId,
        ballot: Ballot,
        through: Position,
        out: &mut Out<'_>,
    ) {
        if self.meet_leader(from, ballot, out) {
            self.learn(from, ballot, through, out);
        }
    }

    /// Learns what was accepted at `ballot`, and fetches what was not.
    fn learn(&mut self, from: MasterId, ballot: Ballot, through: Position, out: &mut Out<'_>) {
        if through <= self.replica.learned_through {
            return;
        }
        if !self.replica.learn(ballot, through, out) {
            self.fetch.want(from, through);
            self.drive_fetch(out);
        }
        self.after_apply(out);
        self.consider_voting(out);
    }

    pub(super) fn on_accept(
        &mut self,
        from: MasterId,
        ballot: Ballot,
        first: Position,
        learned_through: Position,
        actions: &Arc<[Action]>,
        out: &mut Out<'_>,
    ) {
        if !self.meet_leader(from, ballot, out) {
            return;
        }
        match self
            .replica
            .on_accept(from, ballot, first, actions, &self.config, out)
        {
            Ok(raised) => {
                if raised {
                    self.yield_to(ballot, out);
                }
            }
            Err(fatal) => {
                self.halt(fatal, out);
                return;
            }
        }
        if from != out.me {
            self.learn(from, ballot, learned_through, out);
        }
    }

    pub(super) fn on_prepare(
        &mut self,
        from: MasterId,
        ballot: Ballot,
        first: Position,
        out: &mut Out<'_>,
    ) {
        if ballot.proposer != from {
            return;
        }
        self.election.meet(ballot);
        let raised = self
            .replica
            .on_prepare(from, ballot, first, &self.config, out);
        if raised && from != out.me {
            self.yield_to(ballot, out);
            // The candidate gets the time of an election before anybody else tries.
            let wait = self.config.election_timeout_min;
            self.election.close();
            self.election.yield_to_other(out.now, &self.config, wait);
        }
    }

    pub(super) fn on_fence(
        &mut self,
        from: MasterId,
        ballot: Ballot,
        joiner: MasterId,
        life: Life,
        out: &mut Out<'_>,
    ) {
        if !self.meet_leader(from, ballot, out) || !self.replica.membership.contains(joiner) {
            return;
        }
        if self.replica.on_fence(from, ballot, joiner, life, out) {
            self.yield_to(ballot, out);
        }
    }

    /// Refused by whoever hears a live leader, leads or campaigns: a master that only lost touch
    /// with the leader, or comes back, disturbs nobody, and learns who leads.
    pub(super) fn on_pre_vote(&mut self, from: MasterId, attempt: u64, out: &mut Out<'_>) {
        let granted = self.replica.status == Status::Voting
            && self.coordinator.is_none()
            && !self.election.hears_leader(out.now, &self.config);
        let highest = self.election.highest().max(self.replica.promised);
        let leading = self
            .coordinator
            .as_ref()
            .is_some_and(|c| c.leading().is_some());
        let hears = self.election.hears_leader(out.now, &self.config);
        let leader = match (leading, hears) {
            (true, _) => Some(out.me),
            (false, true) => self.election.leader(),
            (false, false) => None,
        };
        let reply = Message::PreVoteReply {
            attempt,
            granted,
            leader,
            highest,
            begin: self.replica.entries.begin(),
            learned_through: self.replica.learned_through,
        };
        out.send(from, reply);
        if granted && !self.election.is_asking() {
            let wait = self.config.campaign_retry / 2;
            self.election.yield_to_other(out.now, &self.config, wait);
        }
    }

    pub(super) fn on_pre_vote_reply(
        &mut self,
        from: MasterId,
        message: &Message,
        out: &mut Out<'_>,
    ) {
        let Message::PreVoteReply {
            attempt,
            granted,
            leader,
            highest,
            begin,
            learned_through,
        } = *message
        else {
            return;
        };
        self.fetch_known(from, learned_through);
        if !granted {
            self.election.meet(highest);
            if leader.is_some() && !self.election.hears_leader(out.now, &self.config) {
                self.set_leader(leader, out);
            }
            if learned_through > self.replica.learned_through {
                self.fetch.want(from, learned_through);
                self.drive_fetch(out);
            }
            return;
        }
        let voter = Voter {
            from,
            attempt,
            highest,
            begin,
            learned_through,
        };
        self.on_voter(voter, out);
    }

    fn on_voter(&mut self, voter: Voter, out: &mut Out<'_>) {
        let membership = &self.replica.membership;
        let learned = self.replica.learned_through;
        match self
            .election
            .on_granted(membership, &self.config, learned, voter)
        {
            PreVoteStep::Ignored | PreVoteStep::Wait => {}
            PreVoteStep::Campaign => {
                // Whoever was said to lead is not heard by a quorum.
                self.set_leader(None, out);
                self.campaign(out);
            }
            PreVoteStep::CatchUp(peer, through) => {
                self.election.retry_soon(out.now, &self.config);
                self.fetch.want(peer, through);
                self.drive_fetch(out);
            }
        }
    }

    /// Asks whether the others would vote. Changes nothing at anybody.
    fn ask_pre_vote(&mut self, out: &mut Out<'_>) {
        let leader = self.election.leader();
        if self.election.suspect() {
            out.notice(Notice::Suspecting { leader });
            self.set_leader(None, out);
        }
        let attempt = self.election.ask(out.now, &self.config);
        let learned_through = self.replica.learned_through;
        let message = Message::PreVote {
            attempt,
            learned_through,
        };
        out.send_others(&self.replica.membership, &message);
        let myself = Voter {
            from: out.me,
            attempt,
            highest: self.replica.promised,
            begin: self.replica.entries.begin(),
            learned_through,
        };
        self.on_voter(myself, out);
    }

    pub(super) fn tick_following(&mut self, out: &mut Out<'_>) {
        if self.fetch.retry_at().is_some_and(|at| out.now >= at) {
            self.drive_fetch(out);
        }
        let may_ask = self.replica.status == Status::Voting && self.coordinator.is_none();
        if !may_ask || out.now < self.election.deadline() {
            return;
        }
        // A question that got no quorum is asked anew; its length was drawn at random.
        self.ask_pre_vote(out);
    }

    pub(super) fn following_deadline(&self) -> Option<Time> {
        let may_ask = self.replica.status == Status::Voting && self.coordinator.is_none();
        let election = may_ask.then(|| self.election.deadline());
        [election, self.fetch.retry_at()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Remembers what a peer has, without asking for it.
    pub(super) fn fetch_known(&mut self, from: MasterId, learned_through: Position) {
        self.fetch.know(from, learned_through);
    }

    /// Fetches the next piece of what lacks, unless a snapshot is being installed.
    pub(super) fn drive_fetch(&mut self, out: &mut Out<'_>) {
        let learned_through = self.replica.learned_through;
        if !self.compaction.is_installing(learned_through) {
            self.fetch.drive(learned_through, &self.config, out);
        }
    }

    pub(super) fn on_fetch(&mut self, from: MasterId, first: Position, out: &mut Out<'_>) {
        let learned_through = self.replica.learned_through;
        if first < self.replica.entries.begin() {
            // Never a NOP that only looks like one (MESOS-7973).
            let through = self.compaction.through();
            let reply = Message::Truncated {
                first,
                through,
                learned_through,
            };
            out.send(from, reply);
            return;
        }
        let mut actions = Vec::new();
        let mut bytes = 0;
        for (position, entry) in self.replica.entries.from(first) {
            bytes += entry.action.weight_bytes();
            let full = actions.len() >= self.config.chunk_entries_max
                || (bytes > self.config.chunk_bytes_max && !actions.is_empty());
            if full || position > learned_through {
                break;
            }
            actions.push(entry.action.clone());
        }
        let reply = Message::Fetched {
            first,
            learned_through,
            actions: Arc::from(actions),
        };
        out.send(from, reply);
    }

    pub(super) fn on_fetched(
        &mut self,
        from: MasterId,
        first: Position,
        learned_through: Position,
        actions: &Arc<[Action]>,
        out: &mut Out<'_>,
    ) {
        let awaited = self.fetch.on_answer(from, learned_through);
        if !actions.is_empty() {
            self.replica.learn_fetched(first, actions, out);
        }
        if awaited {
            self.drive_fetch(out);
        }
        self.after_apply(out);
        self.consider_voting(out);
        if !self.fetch.is_active() && awaited && !self.election.hears_leader(out.now, &self.config)
        {
            self.election.retry_now(out.now);
        }
    }

    pub(super) fn on_truncated(
        &mut self,
        from: MasterId,
        through: Position,
        learned_through: Position,
        out: &mut Out<'_>,
    ) {
        let awaited = self.fetch.on_answer(from, learned_through);
        if awaited && through > self.replica.learned_through {
            self.fetch.on_truncated(from, through, &self.config, out);
        }
    }
}

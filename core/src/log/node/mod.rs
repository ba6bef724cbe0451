//! One master's part of the log, composed of its machines.
//!
//! This file takes inputs in and hands them on; [`elect`] and [`lead`] are what a coordinator
//! does, [`follow`] what everybody does, [`join`] what a replica without a vote does and
//! [`fence`] what its leader does about it, [`compact`] what keeps the log short.

mod compact;
mod elect;
mod fence;
mod follow;
mod join;
mod lead;

use super::ballot::{Ballot, Position};
use super::config::Config;
use super::coordinator::Coordinator;
use super::effect::{Effect, Fatal, Input, Reject};
use super::entries::Entry;
use super::fetch::Fetch;
use super::life::{Incarnation, Lives};
use super::membership::Membership;
use super::message::Message;
use super::out::Out;
use super::recover;
use super::replica::{Replica, Status};
use super::write::{Lane, Recovered};
use crate::election::Election;
use crate::ids::MasterId;
use crate::invariant::{self, Cost};
use crate::log::invariants::INVARIANTS;
use crate::machine::Machine;
use crate::outbox::Outbox;
use crate::rng::Rng;
use crate::time::{Now, Time};
use alloc::collections::VecDeque;
use compact::Compaction;
use join::Joiner;

/// A node answers itself at most this often within one input.
const LOOPBACK_MAX: usize = 1 << 16;

/// One master's log: election, replica, coordinator, catch-up and recovery.
#[derive(Clone, Debug)]
pub struct Node {
    pub(super) config: Config,
    pub(super) replica: Replica,
    pub(super) election: Election,
    pub(super) coordinator: Option<Coordinator>,
    pub(super) fetch: Fetch,
    pub(super) joiner: Joiner,
    pub(super) compaction: Compaction,
    rng: Rng,
    /// Letters to itself; empty between inputs.
    loopback: VecDeque<Message>,
    /// When what is learned is written down at the latest.
    flush_at: Option<Time>,
    halted: bool,
}

impl Node {
    /// Builds the node from what is on its disk and pushes what follows from it: the snapshot
    /// and everything learned, to be applied, and first writes. All randomness of the node comes
    /// from `rng`, which must differ from one start to the next: a new life draws its name from
    /// it.
    ///
    /// `config` must have passed [`Config::validate`].
    #[must_use]
    pub fn recover(
        config: Config,
        mut rng: Rng,
        recovered: Recovered,
        now: Now,
        fx: &mut Outbox<Effect>,
    ) -> Node {
        assert_eq!(
            config.validate(),
            Ok(()),
            "a configuration is checked first"
        );
        let mut loopback = VecDeque::new();
        let mut out = Out {
            me: config.me,
            now: now.mono,
            fx,
            loopback: &mut loopback,
        };
        let restored = recover::restore(&config, &mut rng, recovered, &mut out);
        let membership = &restored.replica.membership;
        let election = Election::new(now.mono, &config, membership, rng.fork("election"));
        let mut node = Node {
            replica: restored.replica,
            election,
            coordinator: None,
            fetch: Fetch::default(),
            joiner: Joiner::new(now.mono, restored.repairing),
            compaction: Compaction::new(restored.snapshot),
            rng,
            loopback: VecDeque::new(),
            flush_at: None,
            halted: restored.halted,
            config,
        };
        node.after_apply(&mut out);
        assert!(out.loopback.is_empty(), "a restart says nothing to itself");
        node
    }

    /// This master.
    #[must_use]
    pub fn me(&self) -> MasterId {
        self.config.me
    }

    /// How it is configured.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// How far this replica has got, durably.
    #[must_use]
    pub fn status(&self) -> Status {
        self.replica.status
    }

    /// This replica's life.
    #[must_use]
    pub fn incarnation(&self) -> Incarnation {
        self.replica.incarnation
    }

    /// What this replica knows of lives.
    #[must_use]
    pub fn lives(&self) -> &Lives {
        &self.replica.lives
    }

    /// The masters as the log knows them.
    #[must_use]
    pub fn membership(&self) -> &Membership {
        &self.replica.membership
    }

    /// No ballot below this one is answered any more.
    #[must_use]
    pub fn promised(&self) -> Ballot {
        self.replica.promised
    }

    /// The first position that is not truncated.
    #[must_use]
    pub fn begin(&self) -> Position {
        self.replica.entries.begin()
    }

    /// The highest accepted or learned position.
    #[must_use]
    pub fn end(&self) -> Position {
        self.replica.end()
    }

    /// Everything up to here is learned and applied.
    #[must_use]
    pub fn learned_through(&self) -> Position {
        self.replica.learned_through
    }

    /// What stands at `position` here, if it is not truncated; learned if it is not beyond
    /// [`Node::learned_through`].
    #[must_use]
    pub fn entry(&self, position: Position) -> Option<&Entry> {
        self.replica.entries.at(position)
    }

    /// The ballot that this master acts with as the leader, and since when.
    #[must_use]
    pub fn acting(&self) -> Option<(Ballot, Time)> {
        let coordinator = self.coordinator.as_ref()?;
        let since = coordinator.leading()?.acting_since?;
        Some((coordinator.ballot, since))
    }

    /// The ballot that this master campaigns or leads with.
    #[must_use]
    pub fn proposing(&self) -> Option<Ballot> {
        self.coordinator
            .as_ref()
            .map(|coordinator| coordinator.ballot)
    }

    /// Who leads, as far as this master knows.
    #[must_use]
    pub fn leader(&self) -> Option<MasterId> {
        self.election.leader()
    }

    /// Whether the node stopped for good.
    #[must_use]
    pub fn is_halted(&self) -> bool {
        self.halted
    }

    /// How many messages are in flight as the leader, and how many appends wait for the window.
    #[must_use]
    pub fn window(&self) -> (usize, usize) {
        let leading = self.coordinator.as_ref().and_then(Coordinator::leading);
        leading.map_or((0, 0), |leading| {
            let pipeline = &leading.pipeline;
            (pipeline.in_flight_count(), pipeline.queued_count())
        })
    }

    pub(super) fn halt(&mut self, fatal: Fatal, out: &mut Out<'_>) {
        self.halted = true;
        out.fx.push(Effect::Halt(fatal));
    }

    fn dispatch(&mut self, input: Input, out: &mut Out<'_>) {
        match input {
            Input::Tick => self.on_tick(out),
            Input::Received { from, message } => {
                if from != out.me && self.replica.membership.contains(from) {
                    self.on_message(from, message, out);
                }
            }
            Input::LinkBroken { with } => {
                self.election.on_link_broken(out.now, &self.config, with);
            }
            Input::Persisted { lane, up_to } => match lane {
                Lane::Log => {
                    if self.replica.on_persisted(up_to, out) {
                        self.on_status_changed(out);
                    }
                }
                Lane::Snapshot => self.on_snapshot_persisted(up_to, out),
            },
            Input::Append { token, value } => self.on_append(token, value, out),
            Input::StepDown => self.step_down(out),
            Input::SnapshotTaken { through, state } => {
                self.on_snapshot_taken(through, state, out);
            }
        }
    }

    pub(super) fn on_message(&mut self, from: MasterId, message: Message, out: &mut Out<'_>) {
        match message {
            Message::Heartbeat {
                ballot,
                sent,
                learned_through,
            } => self.on_heartbeat(from, ballot, sent, learned_through, out),
            Message::HeartbeatAck {
                ballot,
                sent,
                learned_through,
                incarnation,
            } => {
                self.fetch_known(from, learned_through);
                self.on_heartbeat_ack(from, ballot, sent, incarnation, out);
            }
            Message::PreVote { attempt, .. } => self.on_pre_vote(from, attempt, out),
            Message::PreVoteReply { .. } => self.on_pre_vote_reply(from, &message, out),
            Message::Prepare { ballot, first } => self.on_prepare(from, ballot, first, out),
            Message::Promise(promise) => self.on_promise(from, *promise, out),
            Message::Accept {
                ballot,
                first,
                learned_through,
                actions,
            } => self.on_accept(from, ballot, first, learned_through, &actions, out),
            Message::Accepted {
                ballot,
                first,
                count,
                incarnation,
            } => self.on_accepted(from, ballot, (first, count), incarnation, out),
            Message::Nack { ballot, promised } => self.on_nack(ballot, promised, out),
            Message::Learned { ballot, through } => self.on_learned(from, ballot, through, out),
            Message::Fetch { first } => self.on_fetch(from, first, out),
            Message::Fetched {
                first,
                learned_through,
                actions,
            } => self.on_fetched(from, first, learned_through, &actions, out),
            Message::Truncated {
                through,
                learned_through,
                ..
            } => self.on_truncated(from, through, learned_through, out),
            Message::FetchSnapshot { through, offset } => {
                self.on_fetch_snapshot(from, through, offset, out);
            }
            Message::SnapshotChunk(chunk) => self.on_snapshot_chunk(from, &chunk, out),
            Message::StatusRequest { incarnation } => {
                self.on_status_request(from, incarnation, out);
            }
            Message::StatusReply { .. } => self.on_status_reply(from, &message, out),
            Message::Join { incarnation } => self.on_join(from, incarnation, out),
            Message::Fence {
                ballot,
                joiner,
                life,
            } => self.on_fence(from, ballot, joiner, life, out),
            Message::Fenced(fenced) => self.on_fenced(from, &fenced, out),
            Message::Grant(grant) => self.on_grant(*grant, out),
            Message::Superseded { incarnation } => self.on_superseded(from, incarnation, out),
        }
    }

    fn on_tick(&mut self, out: &mut Out<'_>) {
        self.tick_leading(out);
        self.tick_following(out);
        self.tick_joining(out);
        if self.flush_at.is_some_and(|at| out.now >= at) {
            self.flush_at = None;
            self.replica.flush_learned(out);
        }
    }

    /// What follows from anything having been applied: a snapshot may be due, and what is
    /// learned is to be written down some time.
    pub(super) fn after_apply(&mut self, out: &mut Out<'_>) {
        if self.replica.learned_written < self.replica.learned_through {
            self.flush_at = self.flush_at.or(Some(out.now + self.config.learned_flush));
        } else {
            self.flush_at = None;
        }
        self.consider_snapshot(out);
    }

    fn settle(&mut self, out: &mut Out<'_>) {
        for _ in 0..LOOPBACK_MAX {
            let Some(message) = out.loopback.pop_front() else {
                return;
            };
            if self.halted {
                out.loopback.clear();
                return;
            }
            let me = out.me;
            self.on_message(me, message, out);
        }
        panic!("a node talked to itself without end");
    }

    fn assert_invariants(&self) {
        let broken = invariant::check(INVARIANTS, self, Cost::Constant);
        assert!(broken.is_empty(), "{}: {broken:?}", self.config.me);
    }
}

impl Machine for Node {
    type Input = Input;
    type Effect = Effect;

    fn handle(&mut self, now: Now, input: Input, fx: &mut Outbox<Effect>) {
        if self.halted {
            if let Input::Append { token, .. } = input {
                let why = Reject::NotLeading { leader: None };
                fx.push(Effect::Rejected { token, why });
            }
            return;
        }
        let mut loopback = core::mem::take(&mut self.loopback);
        let mut out = Out {
            me: self.config.me,
            now: now.mono,
            fx,
            loopback: &mut loopback,
        };
        // A leader that slept through its lease stops before it does anything else.
        self.check_lease(&mut out);
        self.dispatch(input, &mut out);
        self.settle(&mut out);
        self.loopback = loopback;
        self.assert_invariants();
    }

    fn deadline(&self) -> Option<Time> {
        if self.halted {
            return None;
        }
        let deadlines = [
            self.leading_deadline(),
            self.following_deadline(),
            self.joining_deadline(),
            self.flush_at,
        ];
        deadlines.into_iter().flatten().min()
    }
}

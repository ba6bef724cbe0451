//! The driver's state, its way to the leader, and its deadlines.

use super::calls::{Outgoing, Stopping};
use super::reconcile::Reconciler;
use super::updates::Updates;
use super::{Config, Effect, Event, LinkEnd, Notice};
use crate::detector::{Backoff, Detector};
use crate::durable::{Parked, WriteSequence};
use crate::ids::{AgentId, FrameworkId, Peer, TaskId};
use crate::message::scheduler::{Call, CallId, ToMaster};
use crate::model::{FrameworkInfo, MasterInfo};
use crate::outbox::Outbox;
use crate::resources::Role;
use crate::rng::Rng;
use crate::time::{Now, Time};
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// What the driver has done so far in this run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Subscriptions that a master took.
    pub subscriptions: u64,
    /// Updates (those with an id) that the logic handled.
    pub updates_handled: u64,
    /// Updates that came again after they had been handled.
    pub updates_again: u64,
    /// Acknowledgements decided on; some may have been dropped with their connection.
    pub acknowledgements: u64,
    /// Calls dropped because there was no subscription, or too many waited for the disk.
    pub calls_dropped: u64,
}

/// Where the driver is on its way to the leader.
#[derive(Clone, Debug)]
pub(super) enum Link {
    /// Not before `until`.
    Waiting { until: Time },
    /// Opening a connection.
    Connecting { peer: Peer, until: Time },
    /// Waiting for the answer to this SUBSCRIBE.
    Subscribing {
        peer: Peer,
        call: CallId,
        until: Time,
    },
    /// Subscribed; silence after `until` means a dead connection.
    Subscribed {
        peer: Peer,
        heartbeat: Duration,
        until: Time,
    },
    /// The end.
    Ended,
}

/// A framework's link to whichever master leads.
#[derive(Clone, Debug)]
pub struct SchedulerDriver {
    pub(super) config: Config,
    pub(super) info: Arc<FrameworkInfo>,
    pub(super) detector: Detector,
    rng: Rng,
    pub(super) link: Link,
    pub(super) master: Option<MasterInfo>,
    peers: u64,
    calls: u64,
    /// SUBSCRIBEs in a row that were not answered.
    pub(super) unanswered: u32,
    pub(super) suppressed: BTreeSet<Role>,
    pub(super) outgoing: Parked<Outgoing>,
    /// The write that makes the id durable, if this run made it.
    pub(super) id_write: WriteSequence,
    pub(super) updates: Updates,
    pub(super) reconciler: Reconciler,
    pub(super) stopping: Option<Stopping>,
    pub(super) counters: Counters,
}

impl SchedulerDriver {
    /// Starts to look for the leader at once. `info` carries the id where there is one already;
    /// `masters` are addresses, at least one.
    #[must_use]
    pub fn new(
        config: Config,
        info: FrameworkInfo,
        masters: Vec<String>,
        rng: &Rng,
        now: Now,
    ) -> SchedulerDriver {
        let backoff = Backoff {
            first: config.detection_backoff_factor,
            most: config.detection_backoff_max,
        };
        SchedulerDriver {
            detector: Detector::new(masters, backoff, rng.fork("detector")),
            rng: rng.fork("driver"),
            updates: Updates::new(config.completed_tasks_max),
            link: Link::Waiting { until: now.mono },
            config,
            info: Arc::new(info),
            master: None,
            peers: 0,
            calls: 0,
            unanswered: 0,
            suppressed: BTreeSet::new(),
            outgoing: Parked::default(),
            id_write: WriteSequence::default(),
            reconciler: Reconciler::default(),
            stopping: None,
            counters: Counters::default(),
        }
    }

    /// The framework's id, once a master gave one.
    #[must_use]
    pub fn framework_id(&self) -> Option<&FrameworkId> {
        self.info.id.as_ref()
    }

    /// How the framework describes itself.
    #[must_use]
    pub fn info(&self) -> &FrameworkInfo {
        &self.info
    }

    /// Whether a master took the framework and the connection is believed alive.
    #[must_use]
    pub fn is_subscribed(&self) -> bool {
        matches!(self.link, Link::Subscribed { .. })
    }

    /// Whether the machine is over.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        matches!(self.link, Link::Ended)
    }

    /// Whether it is on its way out: nothing more is handed to the logic.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_some()
    }

    /// Who leads, while subscribed.
    #[must_use]
    pub fn master(&self) -> Option<&MasterInfo> {
        self.master.as_ref()
    }

    /// What was done so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// How many tasks the master has not answered for since the last subscription.
    #[must_use]
    pub fn unreconciled(&self) -> usize {
        self.reconciler.open()
    }

    /// The connection in use, open or being opened.
    pub(super) fn peer(&self) -> Option<Peer> {
        match self.link {
            Link::Connecting { peer, .. }
            | Link::Subscribing { peer, .. }
            | Link::Subscribed { peer, .. } => Some(peer),
            Link::Waiting { .. } | Link::Ended => None,
        }
    }

    /// When [`Self::on_tick`] is next due.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        let link = match self.link {
            Link::Waiting { until }
            | Link::Connecting { until, .. }
            | Link::Subscribing { until, .. }
            | Link::Subscribed { until, .. } => Some(until),
            Link::Ended => return None,
        };
        let stopping = self.stopping.as_ref().map(|stopping| stopping.deadline);
        [link, stopping, self.reconciler.deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// The time has come, or not yet.
    pub(super) fn on_tick(
        &mut self,
        now: Now,
        events: &mut Outbox<Event>,
        fx: &mut Outbox<Effect>,
    ) {
        if self.stopping_is_late(now) {
            self.exit(fx);
            return;
        }
        match self.link {
            Link::Waiting { until } if until <= now.mono => self.connect(now, fx),
            Link::Connecting { until, .. } if until <= now.mono => {
                self.lose(now, LinkEnd::Unreachable, events, fx);
            }
            Link::Subscribing { until, .. } if until <= now.mono => {
                self.unanswered = self.unanswered.saturating_add(1);
                self.lose(now, LinkEnd::Unanswered, events, fx);
            }
            Link::Subscribed { until, .. } if until <= now.mono => {
                self.lose(now, LinkEnd::Silent, events, fx);
            }
            _ => {}
        }
        self.ask_again(now, events, fx);
    }

    fn connect(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        let address = self.detector.target();
        let peer = Peer::Outbound(self.peers);
        self.peers += 1;
        self.link = Link::Connecting {
            peer,
            until: now.mono + self.config.connect_timeout,
        };
        fx.push(Effect::Notice(Notice::Connecting {
            address: address.clone(),
        }));
        fx.push(Effect::Connect { peer, address });
    }

    /// A connection is open: subscribes on it, with the id where there is one.
    pub(super) fn on_connected(&mut self, now: Now, peer: Peer, fx: &mut Outbox<Effect>) {
        let Link::Connecting { peer: wanted, .. } = self.link else {
            return;
        };
        if wanted != peer {
            return;
        }
        let call = self.next_call();
        let patience = self
            .config
            .registration_backoff_factor
            .saturating_mul(1 << self.unanswered.min(16))
            .min(self.config.registration_backoff_max);
        // At random, so that a thousand schedulers whose subscriptions overwhelmed a new leader
        // do not come back in one rush.
        let patience = self.rng.between(patience / 2, patience);
        self.link = Link::Subscribing {
            peer,
            call,
            until: now.mono + patience,
        };
        let message = ToMaster {
            id: call,
            framework_id: self.info.id.clone(),
            call: Call::Subscribe {
                framework: Arc::clone(&self.info),
                suppressed_roles: self.suppressed.iter().cloned().collect(),
            },
        };
        fx.push(Effect::ToMaster { peer, message });
    }

    /// A connection broke. Names of old connections mean nothing any more.
    pub(super) fn on_disconnected(
        &mut self,
        now: Now,
        peer: Peer,
        events: &mut Outbox<Event>,
        fx: &mut Outbox<Effect>,
    ) {
        if self.peer() != Some(peer) {
            return;
        }
        let why = match self.link {
            Link::Connecting { .. } => LinkEnd::Unreachable,
            _ => LinkEnd::Broken,
        };
        self.lose(now, why, events, fx);
    }

    /// Gives the connection up and decides when to look again.
    pub(super) fn lose(
        &mut self,
        now: Now,
        why: LinkEnd,
        events: &mut Outbox<Event>,
        fx: &mut Outbox<Effect>,
    ) {
        let backoff = self.detector.on_failure();
        let wait = if self.is_subscribed() {
            // The leader was there a moment ago; its successor is being elected. The others of
            // the list are asked at once.
            self.rng
                .between(Duration::ZERO, self.config.reconnect_jitter)
        } else {
            backoff
        };
        self.lose_for(now, wait, why, events, fx);
    }

    /// Gives the connection up for exactly `wait`.
    pub(super) fn lose_for(
        &mut self,
        now: Now,
        wait: Duration,
        why: LinkEnd,
        events: &mut Outbox<Event>,
        fx: &mut Outbox<Effect>,
    ) {
        let was_subscribed = self.is_subscribed();
        if let Some(peer) = self.peer() {
            // Also of a broken one: a connection that is half dead must not keep its file.
            fx.push(Effect::Close { peer });
        }
        self.link = Link::Waiting {
            until: now.mono + wait,
        };
        self.master = None;
        self.reconciler.stop();
        if was_subscribed {
            events.push(Event::Disconnected);
        }
        fx.push(Effect::Notice(Notice::Disconnected {
            why,
            retry_in: wait,
        }));
        assert!(self.peer().is_none());
    }

    pub(super) fn next_call(&mut self) -> CallId {
        self.calls += 1;
        CallId(self.calls)
    }

    /// Begins to ask about `tasks`, which are all that the logic believes alive.
    pub(super) fn reconcile(
        &mut self,
        now: Now,
        tasks: Vec<(TaskId, Option<AgentId>)>,
        events: &mut Outbox<Event>,
        fx: &mut Outbox<Effect>,
    ) {
        assert!(self.is_subscribed());
        self.reconciler.start(tasks);
        self.call(Call::Reconcile { tasks: Vec::new() }, events, fx);
        self.arm_reconciler(now);
        self.report_reconciled(events, fx);
    }

    pub(super) fn report_reconciled(
        &mut self,
        events: &mut Outbox<Event>,
        fx: &mut Outbox<Effect>,
    ) {
        if let Some((tasks, rounds)) = self.reconciler.take_completed() {
            fx.push(Effect::Notice(Notice::Reconciled { tasks, rounds }));
            events.push(Event::Reconciled);
        }
    }

    pub(super) fn arm_reconciler(&mut self, now: Now) {
        let config = &self.config;
        let wait = self.reconciler.wait(
            config.reconcile_backoff_factor,
            config.reconcile_backoff_max,
            config.reconcile_interval_factor,
            config.reconcile_interval,
        );
        self.reconciler
            .set_deadline(wait.map(|wait| now.mono + wait));
    }
}

use super::{Config, Effect, Input};
use crate::ids::{ContainerId, ExecutorId, FrameworkId, Peer, TaskId, UpdateId};
use crate::message::executor::{Call, Event, ToAgent};
use crate::model::{TaskInfo, TaskStatus};
use crate::outbox::Outbox;
use crate::rng::Rng;
use crate::time::{Now, Time};
use crate::timers::Timers;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// How many updates may wait for the agent's acknowledgement.
pub const UNACKNOWLEDGED_MAX: usize = 1 << 16;

/// How many of them one retry sends again.
const RETRIED_MAX: usize = 64;

/// Which executor this is; from its environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Whose.
    pub framework_id: FrameworkId,
    /// Which.
    pub executor_id: ExecutorId,
    /// Which run of it.
    pub container_id: ContainerId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// Waits for the timer.
    Idle,
    /// A connection is being opened.
    Connecting(Peer),
    /// The subscription is sent.
    Subscribing(Peer),
    /// The agent listens.
    Subscribed(Peer),
    /// Refused, or the agent stayed away for too long.
    GivenUp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// To connect, or to lose patience with a connection.
    Link,
    /// To give up.
    Recovery,
    /// To send updates again.
    Retry,
}

/// An executor's side of the executor API.
#[derive(Clone, Debug)]
pub struct ExecutorDriver {
    config: Config,
    identity: Identity,
    rng: Rng,
    link: Link,
    peers: u64,
    failures: u32,
    timers: Timers<Timer>,
    /// Launches seen, until the first update of each is acknowledged.
    tasks: BTreeMap<TaskId, Arc<TaskInfo>>,
    updates: VecDeque<Arc<TaskStatus>>,
    /// How many of those the subscription under way tells of.
    told: usize,
}

impl ExecutorDriver {
    /// A driver that subscribes with its first tick.
    #[must_use]
    pub fn new(config: Config, identity: Identity, rng: Rng, now: Now) -> ExecutorDriver {
        let mut timers = Timers::default();
        timers.set(Timer::Link, now.mono);
        timers.set(Timer::Recovery, now.mono + config.recovery_timeout);
        ExecutorDriver {
            config,
            identity,
            rng,
            link: Link::Idle,
            peers: 0,
            failures: 0,
            timers,
            tasks: BTreeMap::new(),
            updates: VecDeque::new(),
            told: 0,
        }
    }

    /// When it is next to be given a tick.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        self.timers.next()
    }

    /// Whether it was refused or the agent stayed away for too long: all tasks are to be ended.
    #[must_use]
    pub fn has_given_up(&self) -> bool {
        self.link == Link::GivenUp
    }

    /// Whether the agent has every update.
    #[must_use]
    pub fn is_flushed(&self) -> bool {
        self.updates.is_empty()
    }

    /// Handles one input. Returns what the agent says, if that concerns the executor's logic.
    pub fn handle(&mut self, now: Now, input: Input, fx: &mut Outbox<Effect>) -> Option<Event> {
        match input {
            Input::Tick => {
                self.on_tick(now, fx);
                None
            }
            Input::Connected { peer } => {
                if self.link == Link::Connecting(peer) {
                    self.subscribe(now, peer, fx);
                }
                None
            }
            Input::Disconnected { peer } => {
                self.on_disconnected(now, peer);
                None
            }
            Input::FromAgent { peer, event } => self.on_agent(now, peer, event, fx),
            Input::ProcessStarted { .. }
            | Input::ProcessExited { .. }
            | Input::Watch { .. }
            | Input::Checked { .. } => None,
        }
    }

    /// Sends an update, now and again until the agent has it. Returns false, and does nothing,
    /// when too many wait already and this is not a task's last.
    pub fn update(&mut self, now: Now, status: Arc<TaskStatus>, fx: &mut Outbox<Effect>) -> bool {
        assert!(status.update_id.is_some(), "an update needs an id");
        if self.updates.len() >= UNACKNOWLEDGED_MAX && !status.state.is_terminal() {
            return false;
        }
        self.updates.push_back(Arc::clone(&status));
        self.send(Call::Update { status }, fx);
        if self.timers.at(&Timer::Retry).is_none() {
            let deadline = now.mono + self.config.update_retry;
            self.timers.set(Timer::Retry, deadline);
        }
        true
    }

    /// Sends something to the scheduler, if the agent listens; nobody acknowledges it.
    pub fn message(&mut self, data: Arc<[u8]>, fx: &mut Outbox<Effect>) {
        self.send(Call::Message { data }, fx);
    }

    fn send(&self, call: Call, fx: &mut Outbox<Effect>) {
        if let Link::Subscribed(peer) = self.link {
            fx.push(self.to_agent(peer, call));
        }
    }

    fn to_agent(&self, peer: Peer, call: Call) -> Effect {
        let message = ToAgent {
            framework_id: self.identity.framework_id.clone(),
            executor_id: self.identity.executor_id.clone(),
            container_id: self.identity.container_id.clone(),
            call,
        };
        Effect::ToAgent { peer, message }
    }

    fn on_tick(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        // Three timers; one that is set again is due later.
        for _ in 0..3 {
            match self.timers.pop_due(now.mono) {
                None => return,
                Some(Timer::Recovery) => self.give_up(),
                Some(Timer::Retry) => self.retry(now, fx),
                Some(Timer::Link) => match self.link {
                    Link::Idle => {
                        self.peers += 1;
                        let peer = Peer::Outbound(self.peers);
                        self.link = Link::Connecting(peer);
                        let patience = now.mono + self.config.connect_timeout;
                        self.timers.set(Timer::Link, patience);
                        fx.push(Effect::Connect { peer });
                    }
                    Link::Connecting(peer) | Link::Subscribing(peer) => {
                        fx.push(Effect::Close { peer });
                        self.reconnect(now);
                    }
                    Link::Subscribed(_) | Link::GivenUp => {}
                },
            }
        }
    }

    fn subscribe(&mut self, now: Now, peer: Peer, fx: &mut Outbox<Effect>) {
        self.link = Link::Subscribing(peer);
        self.told = self.updates.len();
        let patience = now.mono + self.config.connect_timeout;
        self.timers.set(Timer::Link, patience);
        let call = Call::Subscribe {
            unacknowledged_tasks: self.tasks.values().cloned().collect(),
            unacknowledged_updates: self.updates.iter().cloned().collect(),
        };
        fx.push(self.to_agent(peer, call));
    }

    fn on_disconnected(&mut self, now: Now, peer: Peer) {
        match self.link {
            Link::Subscribed(ours) if ours == peer => {
                let deadline = now.mono + self.config.recovery_timeout;
                self.timers.set(Timer::Recovery, deadline);
                self.reconnect(now);
            }
            Link::Connecting(ours) | Link::Subscribing(ours) if ours == peer => {
                self.reconnect(now);
            }
            _ => {}
        }
    }

    /// Waits a little, longer with each failure, before the next attempt.
    fn reconnect(&mut self, now: Now) {
        self.link = Link::Idle;
        let longest = self
            .config
            .reconnect_backoff
            .saturating_mul(1 << self.failures.min(16))
            .min(self.config.reconnect_backoff_max);
        self.failures = self.failures.saturating_add(1);
        let wait = self.rng.between(Duration::ZERO, longest);
        self.timers.set(Timer::Link, now.mono + wait);
    }

    fn give_up(&mut self) {
        self.link = Link::GivenUp;
        self.timers = Timers::default();
    }

    fn retry(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        if self.updates.is_empty() {
            return;
        }
        let deadline = now.mono + self.config.update_retry;
        self.timers.set(Timer::Retry, deadline);
        for status in self.updates.iter().take(RETRIED_MAX) {
            let status = Arc::clone(status);
            self.send(Call::Update { status }, fx);
        }
    }

    fn on_agent(
        &mut self,
        now: Now,
        peer: Peer,
        event: Event,
        fx: &mut Outbox<Effect>,
    ) -> Option<Event> {
        let ours = match self.link {
            Link::Subscribing(ours) | Link::Subscribed(ours) => ours == peer,
            _ => false,
        };
        if !ours {
            return None;
        }
        match &event {
            Event::Subscribed { .. } => {
                self.link = Link::Subscribed(peer);
                self.failures = 0;
                self.timers.cancel(&Timer::Link);
                self.timers.cancel(&Timer::Recovery);
                // What was said since the subscription left must not be overtaken by what follows.
                for status in self.updates.iter().skip(self.told) {
                    let status = Arc::clone(status);
                    self.send(Call::Update { status }, fx);
                }
                if !self.updates.is_empty() {
                    let deadline = now.mono + self.config.update_retry;
                    self.timers.set(Timer::Retry, deadline);
                }
            }
            Event::Launch { task } => {
                self.tasks.insert(task.task_id.clone(), Arc::clone(task));
            }
            Event::LaunchGroup { tasks } => {
                let seen = tasks.iter().map(|t| (t.task_id.clone(), Arc::clone(t)));
                self.tasks.extend(seen);
            }
            Event::Acknowledged { task_id, update_id } => {
                self.on_acknowledged(task_id, *update_id);
            }
            Event::Error { .. } => self.give_up(),
            Event::Heartbeat => return None,
            Event::Kill { .. } | Event::Message { .. } | Event::Shutdown => {}
        }
        Some(event)
    }

    fn on_acknowledged(&mut self, task_id: &TaskId, update_id: UpdateId) {
        let same = |status: &Arc<TaskStatus>| {
            status.task_id == *task_id && status.update_id == Some(update_id)
        };
        if let Some(place) = self.updates.iter().position(same) {
            self.updates.remove(place);
            self.tasks.remove(task_id);
        }
    }
}

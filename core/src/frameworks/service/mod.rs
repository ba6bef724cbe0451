//! Keeps a number of instances of a task running: spread, restarted with back-off, scaled.
//!
//! An *instance* is a number below the wanted count; a *run* is one task of it. Every run has a
//! serial that is written down before its launch leaves, so that no task id is ever used twice,
//! also not after a restart or by an instance that was scaled away and back.
//!
//! **The rule of one run an instance.** A second task of an instance is launched only when the
//! master said that the first is over or unknown, or when its agent has been unreachable for
//! [`Config::unreachable_replace_after`]. When such a task turns up again it is taken back if its
//! instance has none, and killed otherwise.

mod config;
mod invariants;
mod lifecycle;
mod placement;
mod record;
mod updates;

pub use config::Config;
pub use record::Request;

use super::offers::Interest;
use super::strays::Strays;
use crate::ids::{AgentId, TaskId};
use crate::invariant::Invariant;
use crate::model::TaskState;
use crate::outbox::Outbox;
use crate::scheduler::{Action, ConfigError, Event, Logic, Notice};
use crate::time::{Now, Time};
use crate::timers::Timers;
use crate::wire::{self, DecodeError};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use placement::Census;
use record::{Record, Snapshot};
use serde::{Deserialize, Serialize};

/// So many timers are handled in one tick; the next follows at once.
const TIMERS_PER_TICK: usize = 1_000;

/// One task of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Unique for ever.
    pub serial: u64,
    /// Where.
    pub agent_id: AgentId,
    /// That agent's host.
    pub hostname: String,
    /// The newest state that the master told.
    pub state: TaskState,
    group: String,
    running_since: Option<Time>,
}

/// One of the wanted number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instance {
    /// Its task, if it has one.
    pub run: Option<Run>,
    /// Runs in a row that ended early.
    pub failures: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// The instance may be started again.
    Start(u32),
    /// The instance has been out of reach long enough.
    Replace(u32),
}

/// What a service has done in this run of its scheduler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Tasks launched.
    pub launched: u64,
    /// Tasks of wanted instances that ended.
    pub ended: u64,
    /// Tasks given up because their agents were unreachable for too long.
    pub replaced: u64,
    /// Tasks that turned up again and were taken back.
    pub adopted: u64,
    /// KILL calls.
    pub kills: u64,
}

/// The logic.
#[derive(Clone, Debug)]
pub struct Service {
    config: Config,
    wanted: u32,
    /// Exactly those below `wanted`.
    instances: BTreeMap<u32, Instance>,
    /// The last serial given out.
    serial: u64,
    /// Instances without a run that may be launched now.
    waiting: BTreeSet<u32>,
    /// Tasks that are to end. An instance's own task is among them only while an operator has it
    /// restarted.
    strays: Strays,
    timers: Timers<Timer>,
    census: Census,
    running: u32,
    subscribed: bool,
    interest: Interest,
    settled: bool,
    counters: Counters,
}

impl Service {
    /// A service that has never run.
    ///
    /// # Errors
    /// Names the setting that makes no sense.
    pub fn new(config: Config) -> Result<Service, ConfigError> {
        config.validate()?;
        let mut service = Service {
            wanted: 0,
            instances: BTreeMap::new(),
            serial: 0,
            waiting: BTreeSet::new(),
            strays: Strays::new(config.kill_retry_interval, config.task.kill_grace),
            timers: Timers::default(),
            census: Census::default(),
            running: 0,
            subscribed: false,
            interest: Interest::default(),
            settled: false,
            counters: Counters::default(),
            config,
        };
        service.resize(service.config.instances);
        Ok(service)
    }

    /// How many instances are wanted.
    #[must_use]
    pub fn wanted(&self) -> u32 {
        self.wanted
    }

    /// How many wanted instances have a task that is RUNNING, as far as the master told.
    #[must_use]
    pub fn running(&self) -> u32 {
        self.running
    }

    /// Every wanted instance, by number.
    #[must_use]
    pub fn instances(&self) -> &BTreeMap<u32, Instance> {
        &self.instances
    }

    /// The id of an instance's task.
    #[must_use]
    pub fn task_id(&self, instance: u32, run: &Run) -> TaskId {
        self.config.task.task_id(u64::from(instance), run.serial)
    }

    /// How many tasks are being killed.
    #[must_use]
    pub fn strays(&self) -> usize {
        self.strays.len()
    }

    /// Whether every wanted instance runs and nothing else does.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.running == self.wanted && self.strays.is_empty()
    }

    /// What was done so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Wants offers exactly while an instance waits for one.
    fn update_interest(&mut self, out: &mut Outbox<Action>) {
        if !self.subscribed {
            return;
        }
        let wants = !self.waiting.is_empty();
        self.interest.update(wants, out);
        let settled = self.is_settled();
        if settled && !self.settled {
            out.push(Action::Notice(Notice::Settled));
        }
        self.settled = settled;
    }

    fn persist(record: &Record, out: &mut Outbox<Action>) {
        out.push(Action::Persist(wire::encode(record)));
    }
}

impl Logic for Service {
    fn on_event(&mut self, now: Now, event: &Event, out: &mut Outbox<Action>) {
        match event {
            Event::Subscribed { .. } => {
                self.subscribed = true;
                self.strays.hurry();
            }
            Event::Disconnected => self.subscribed = false,
            Event::Offers(offers) => self.on_offers(offers, out),
            Event::Update { status } => self.on_update(now, status, out),
            Event::LaunchDropped { task_ids } => {
                for task_id in task_ids {
                    self.on_dropped(task_id, out);
                }
            }
            Event::Rescind { .. }
            | Event::Message { .. }
            | Event::Failure { .. }
            | Event::InverseOffers(_)
            | Event::RescindInverseOffer { .. }
            | Event::Operation { .. }
            | Event::Reconciled => {}
        }
        self.update_interest(out);
    }

    fn on_tick(&mut self, now: Now, out: &mut Outbox<Action>) {
        for _ in 0..TIMERS_PER_TICK {
            let Some(timer) = self.timers.pop_due(now.mono) else {
                break;
            };
            match timer {
                Timer::Start(instance) => {
                    self.waiting.insert(instance);
                }
                Timer::Replace(instance) => self.replace(instance, out),
            }
        }
        self.counters.kills += self.strays.on_tick(now, self.subscribed, out);
        self.update_interest(out);
    }

    fn deadline(&self) -> Option<Time> {
        let deadlines = [self.timers.next(), self.strays.deadline()];
        deadlines.into_iter().flatten().min()
    }

    fn on_request(&mut self, _now: Now, body: &[u8], out: &mut Outbox<Action>) {
        let refuse = |why: String| Action::Notice(Notice::RequestRefused { why });
        match wire::decode(body) {
            Ok(Request::Scale { instances }) => match config::check_instances(instances) {
                Ok(()) => {
                    Service::persist(&Record::Scaled { instances }, out);
                    self.resize(instances);
                }
                Err(error) => out.push(refuse(format!("{error}"))),
            },
            Ok(Request::Restart { instance }) => {
                if !self.restart(instance) {
                    out.push(refuse(format!("instance {instance} has no task")));
                }
            }
            Err(error) => out.push(refuse(format!("{error}"))),
        }
        self.update_interest(out);
    }

    fn tasks(&self) -> Vec<(TaskId, Option<AgentId>)> {
        let runs = self.instances.iter().filter_map(|(number, instance)| {
            let run = instance.run.as_ref()?;
            Some((self.task_id(*number, run), Some(run.agent_id.clone())))
        });
        runs.chain(self.strays.tasks()).collect()
    }

    fn snapshot(&self) -> Vec<u8> {
        wire::encode(&self.to_snapshot())
    }

    fn restore(&mut self, _now: Now, snapshot: &[u8]) -> Result<(), DecodeError> {
        let snapshot: Snapshot = wire::decode(snapshot)?;
        self.become_snapshot(snapshot);
        Ok(())
    }

    fn replay(&mut self, _now: Now, record: &[u8]) -> Result<(), DecodeError> {
        match wire::decode(record)? {
            Record::Launched(launches) => {
                for launch in launches {
                    self.place_run(launch);
                }
            }
            Record::Adopted(launch) => self.place_run(launch),
            Record::Ended { instance, serial } => {
                if self.take_run(instance, serial).is_some() {
                    self.waiting.insert(instance);
                }
            }
            Record::Scaled { instances } => self.resize(instances),
        }
        Ok(())
    }

    const INVARIANTS: &'static [Invariant<Service>] = invariants::INVARIANTS;
}

#[cfg(test)]
mod tests;

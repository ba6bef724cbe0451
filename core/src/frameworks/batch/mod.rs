//! Works jobs off: each arrives, runs once to its end, and is started again a number of times
//! where it failed or was lost.
//!
//! A *job* is a number in the order of arrival; a *start* is one task of it, numbered within the
//! job and written down before its launch leaves, so that no task id is ever used twice. A job
//! that finished is never started again: its end is durable before the update that told it is
//! acknowledged. A start that certainly never ran (its launch was dropped, or its agent is there
//! and never heard of it) is not counted among the retries.
//!
//! When a task that had been given up turns up again, its job takes it back if it has no other
//! one, is finished by it if it finished, and has it killed otherwise.

mod arrivals;
mod config;
mod invariants;
mod lifecycle;
mod record;
mod updates;

pub use arrivals::{Arrivals, Job, Random};
pub use config::Config;

use super::offers::Interest;
use super::strays::Strays;
use crate::ids::{AgentId, TaskId};
use crate::invariant::Invariant;
use crate::model::TaskState;
use crate::outbox::Outbox;
use crate::rng::Rng;
use crate::scheduler::{Action, ConfigError, Event, Exit, Logic, Notice};
use crate::time::{Now, Time};
use crate::timers::Timers;
use crate::wire::{self, DecodeError};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::time::Duration;
use record::{Record, Snapshot};
use serde::{Deserialize, Serialize};

/// So many timers are handled in one tick; the next follows at once.
const TIMERS_PER_TICK: usize = 1_000;

/// A job that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Outstanding {
    /// When this scheduler first saw it.
    since: Time,
    /// Starts so far; the number of the newest.
    attempts: u64,
    /// Starts that failed or were lost.
    failures: u32,
    /// Whether a start was ever seen RUNNING, so that the wait was counted.
    ran: bool,
    run: Option<Run>,
}

/// The newest start of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    attempt: u64,
    agent_id: AgentId,
    state: TaskState,
    /// Whether this scheduler ever saw it started.
    started: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// The next job is due.
    Arrive,
    /// The job may be started again.
    Retry(u64),
    /// The job's task has been out of reach long enough.
    Replace(u64),
}

/// What has become of the jobs, over all runs of the scheduler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Jobs that arrived.
    pub arrived: u64,
    /// Jobs that finished.
    pub done: u64,
    /// Jobs that were given up.
    pub failed: u64,
    /// Starts that failed or were lost and were followed by another.
    pub retried: u64,
}

/// How long jobs waited from their arrival until they ran, in this run of the scheduler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Jobs that ran.
    pub jobs: u64,
    /// All their waits together.
    pub sum: Duration,
    /// The longest.
    pub max: Duration,
}

/// The logic.
#[derive(Clone, Debug)]
pub struct Batch {
    config: Config,
    rng: Rng,
    outstanding: BTreeMap<u64, Outstanding>,
    /// Jobs without a run that may be started now, in order of arrival.
    waiting: BTreeSet<u64>,
    strays: Strays,
    timers: Timers<Timer>,
    totals: Totals,
    waits: Waiting,
    /// The next job is due but there are too many.
    held: bool,
    begun: bool,
    subscribed: bool,
    interest: Interest,
    settled: bool,
}

impl Batch {
    /// A scheduler that has never run; `rng` is the jobs' own stream and must be the same after
    /// each restart.
    ///
    /// # Errors
    /// Names the setting that makes no sense.
    pub fn new(config: Config, rng: &Rng) -> Result<Batch, ConfigError> {
        config.validate()?;
        Ok(Batch {
            rng: rng.fork("jobs"),
            outstanding: BTreeMap::new(),
            waiting: BTreeSet::new(),
            strays: Strays::new(config.kill_retry_interval, config.task.kill_grace),
            timers: Timers::default(),
            totals: Totals::default(),
            waits: Waiting::default(),
            held: false,
            begun: false,
            subscribed: false,
            interest: Interest::default(),
            settled: false,
            config,
        })
    }

    /// What has become of the jobs.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// How long they waited.
    #[must_use]
    pub fn waits(&self) -> Waiting {
        self.waits
    }

    /// How many jobs are not over.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.outstanding.len()
    }

    /// Whether all jobs that will ever arrive are over.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let all = self.config.arrivals.total();
        self.outstanding.is_empty() && all.is_some_and(|all| self.totals.arrived >= all)
    }

    /// The job of a task's id, for those who watch.
    #[must_use]
    pub fn job_of(&self, task_id: &TaskId) -> Option<u64> {
        self.config.task.parse(task_id).map(|(job, _)| job)
    }

    fn task_id(&self, job: u64, attempt: u64) -> TaskId {
        self.config.task.task_id(job, attempt)
    }

    fn persist(record: &Record, out: &mut Outbox<Action>) {
        out.push(Action::Persist(wire::encode(record)));
    }

    /// Arms the arrival of the next job.
    fn expect_next(&mut self, now: Now) {
        if let Some(gap) = self.config.arrivals.gap(self.totals.arrived, &self.rng) {
            self.timers.set(Timer::Arrive, now.mono + gap);
        }
    }

    fn on_subscribed(&mut self, now: Now) {
        self.subscribed = true;
        self.strays.hurry();
        if !self.begun {
            self.begun = true;
            self.expect_next(now);
        }
    }

    /// Wants offers exactly while a job waits for one; ends with the last job.
    fn update_interest(&mut self, out: &mut Outbox<Action>) {
        if !self.subscribed {
            return;
        }
        let wants = !self.waiting.is_empty();
        self.interest.update(wants, out);
        let settled = self.is_done() && self.strays.is_empty();
        if settled && !self.settled {
            out.push(Action::Notice(Notice::Settled));
            if self.config.exit_when_done {
                out.push(Action::Stop {
                    teardown: true,
                    exit: Exit::SUCCESS,
                });
            }
        }
        self.settled = settled;
    }
}

impl Logic for Batch {
    fn on_event(&mut self, now: Now, event: &Event, out: &mut Outbox<Action>) {
        match event {
            Event::Subscribed { .. } => self.on_subscribed(now),
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
                Timer::Arrive => self.on_arrival(now, out),
                Timer::Retry(job) => {
                    self.waiting.insert(job);
                }
                Timer::Replace(job) => self.replace(now, job, out),
            }
        }
        self.strays.on_tick(now, self.subscribed, out);
        self.update_interest(out);
    }

    fn deadline(&self) -> Option<Time> {
        let deadlines = [self.timers.next(), self.strays.deadline()];
        deadlines.into_iter().flatten().min()
    }

    fn tasks(&self) -> Vec<(TaskId, Option<AgentId>)> {
        let runs = self.outstanding.iter().filter_map(|(job, outstanding)| {
            let run = outstanding.run.as_ref()?;
            let agent_id = Some(run.agent_id.clone());
            Some((self.task_id(*job, run.attempt), agent_id))
        });
        runs.chain(self.strays.tasks()).collect()
    }

    fn snapshot(&self) -> Vec<u8> {
        wire::encode(&self.to_snapshot())
    }

    fn restore(&mut self, now: Now, snapshot: &[u8]) -> Result<(), DecodeError> {
        let snapshot: Snapshot = wire::decode(snapshot)?;
        self.become_snapshot(now, snapshot);
        Ok(())
    }

    fn replay(&mut self, now: Now, record: &[u8]) -> Result<(), DecodeError> {
        match wire::decode(record)? {
            Record::Arrived => self.arrive(now),
            Record::Launched(launches) => {
                for launch in launches {
                    self.set_run(launch);
                }
            }
            Record::Adopted(launch) => self.set_run(launch),
            Record::Ended { job, attempt, how } => {
                self.end_run(job, attempt, how);
                if self.outstanding.contains_key(&job) {
                    self.waiting.insert(job);
                }
            }
        }
        Ok(())
    }

    const INVARIANTS: &'static [Invariant<Batch>] = invariants::INVARIANTS;
}

#[cfg(test)]
mod tests;

//! How jobs arrive, start and end.

use super::record::{self, Launch, Outcome, Record, Snapshot};
use super::{Batch, Outstanding, Run, Timer};
use crate::frameworks::Room;
use crate::frameworks::offers::answer;
use crate::model::{Filters, Offer, TaskInfo, TaskState};
use crate::outbox::Outbox;
use crate::resources::Resources;
use crate::scheduler::{Action, KillCause, Notice};
use crate::time::Now;
use crate::timers::Timers;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

impl Batch {
    /// The next job is due: it arrives, unless there are too many already.
    pub(super) fn on_arrival(&mut self, now: Now, out: &mut Outbox<Action>) {
        self.held = self.outstanding.len() >= self.config.outstanding_max;
        if self.held {
            return;
        }
        self.arrive(now);
        Batch::persist(&Record::Arrived, out);
        self.expect_next(now);
    }

    pub(super) fn arrive(&mut self, now: Now) {
        let job = self.totals.arrived;
        self.totals.arrived += 1;
        self.waiting.insert(job);
        let outstanding = Outstanding {
            since: now.mono,
            attempts: 0,
            failures: 0,
            ran: false,
            run: None,
        };
        let before = self.outstanding.insert(job, outstanding);
        assert!(before.is_none(), "a job arrives once");
    }

    /// The job's newest start is this one; what it had before is given up.
    pub(super) fn set_run(&mut self, launch: Launch) {
        let Some(outstanding) = self.outstanding.get_mut(&launch.job) else {
            return;
        };
        outstanding.attempts = outstanding.attempts.max(launch.attempt);
        outstanding.run = Some(Run {
            attempt: launch.attempt,
            agent_id: launch.agent_id,
            state: TaskState::Staging,
            started: false,
        });
        self.waiting.remove(&launch.job);
        self.timers.cancel(&Timer::Retry(launch.job));
        self.timers.cancel(&Timer::Replace(launch.job));
    }

    /// Ends the job's start; the job too, where it is over. Where it is not, the caller says when
    /// it is started again.
    pub(super) fn end_run(&mut self, job: u64, attempt: u64, how: Outcome) {
        let Some(outstanding) = self.outstanding.get_mut(&job) else {
            return;
        };
        if outstanding
            .run
            .as_ref()
            .is_some_and(|run| run.attempt == attempt)
        {
            outstanding.run = None;
            self.timers.cancel(&Timer::Replace(job));
        }
        match how {
            Outcome::Dropped => {}
            Outcome::Retry => {
                outstanding.failures = outstanding.failures.saturating_add(1);
                self.totals.retried += 1;
            }
            Outcome::Finished | Outcome::Failed => {
                self.totals.done += u64::from(how == Outcome::Finished);
                self.totals.failed += u64::from(how == Outcome::Failed);
                // A start that goes on although the job is over.
                if let Some(run) = outstanding.run.take() {
                    let task_id = self.config.task.task_id(job, run.attempt);
                    let agent_id = Some(run.agent_id);
                    self.strays.add(task_id, agent_id, KillCause::Replaced);
                }
                self.outstanding.remove(&job);
                self.waiting.remove(&job);
                self.timers.cancel(&Timer::Retry(job));
                self.timers.cancel(&Timer::Replace(job));
                if core::mem::take(&mut self.held) {
                    self.timers.set(Timer::Arrive, crate::time::Time::ZERO);
                }
            }
        }
    }

    /// Starts what waits, first come first served; gives back the rest.
    pub(super) fn on_offers(&mut self, offers: &[Arc<Offer>], out: &mut Outbox<Action>) {
        let mut tasks: Vec<Vec<Arc<TaskInfo>>> = vec![Vec::new(); offers.len()];
        let mut launches = Vec::new();
        let alike = self.config.arrivals.are_alike();
        for (offer, tasks) in offers.iter().zip(&mut tasks) {
            let mut room = Room::new(&offer.resources);
            // What does not fit need not be tried again on the same offer.
            let mut too_large: Vec<Resources> = Vec::new();
            let mut next = self.waiting.first().copied();
            while let Some(job) = next {
                let wanted = self.config.arrivals.resources(job);
                let wanted = wanted.unwrap_or(&self.config.task.resources);
                let is_known = too_large.contains(wanted);
                let taken = if is_known { None } else { room.take(wanted) };
                if let Some(resources) = taken {
                    let (launch, task) = self.start(job, offer, resources, out);
                    tasks.push(task);
                    launches.push(launch);
                } else if alike {
                    break;
                } else if !is_known {
                    too_large.push(wanted.clone());
                }
                next = self.waiting.range(job + 1..).next().copied();
            }
        }
        if !launches.is_empty() {
            Batch::persist(&Record::Launched(launches), out);
        }
        let filters = if self.waiting.is_empty() {
            Filters {
                refuse: self.config.refuse,
            }
        } else {
            Filters::DEFAULT
        };
        answer(offers, tasks, filters, out);
    }

    /// Starts a job on an offer, with what was cut out of it.
    fn start(
        &mut self,
        job: u64,
        offer: &Offer,
        resources: Resources,
        out: &mut Outbox<Action>,
    ) -> (Launch, Arc<TaskInfo>) {
        let launch = Launch {
            job,
            attempt: self.outstanding[&job].attempts + 1,
            agent_id: offer.agent_id.clone(),
        };
        let task_id = self.task_id(job, launch.attempt);
        out.push(Action::Notice(Notice::Launching {
            task_id: task_id.clone(),
            agent_id: offer.agent_id.clone(),
            hostname: offer.hostname.clone(),
        }));
        let arrivals = &self.config.arrivals;
        let command = arrivals.command(job, launch.attempt, &self.rng);
        let task = self.config.task.task(task_id, command, offer, resources);
        self.set_run(launch.clone());
        (launch, task)
    }

    pub(super) fn to_snapshot(&self) -> Snapshot {
        let outstanding = self.outstanding.iter().map(|(job, outstanding)| {
            let run = outstanding.run.as_ref().map(|run| Launch {
                job: *job,
                attempt: run.attempt,
                agent_id: run.agent_id.clone(),
            });
            record::Outstanding {
                job: *job,
                attempts: outstanding.attempts,
                failures: outstanding.failures,
                run,
            }
        });
        Snapshot {
            totals: self.totals,
            outstanding: outstanding.collect(),
            strays: self.strays.tasks(),
        }
    }

    pub(super) fn become_snapshot(&mut self, now: Now, snapshot: Snapshot) {
        self.outstanding.clear();
        self.waiting.clear();
        self.strays.clear();
        self.timers = Timers::default();
        self.totals = snapshot.totals;
        for read in snapshot.outstanding {
            let outstanding = Outstanding {
                since: now.mono,
                attempts: read.attempts,
                failures: read.failures,
                ran: false,
                run: None,
            };
            self.outstanding.insert(read.job, outstanding);
            self.waiting.insert(read.job);
            if let Some(launch) = read.run {
                self.set_run(launch);
            }
        }
        for (task_id, agent_id) in snapshot.strays {
            self.strays.add(task_id, agent_id, KillCause::Replaced);
        }
    }
}

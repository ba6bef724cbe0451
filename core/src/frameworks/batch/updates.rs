//! What the master says of tasks, and what follows from it.

use super::record::{Launch, Outcome, Record};
use super::{Batch, Run, Timer};
use crate::ids::TaskId;
use crate::model::{TaskState, TaskStatus};
use crate::outbox::Outbox;
use crate::scheduler::{Action, KillCause, Notice};
use crate::time::Now;

impl Batch {
    pub(super) fn on_update(&mut self, now: Now, status: &TaskStatus, out: &mut Outbox<Action>) {
        let Some((job, attempt)) = self.config.task.parse(&status.task_id) else {
            self.on_foreign(status, out);
            return;
        };
        let outstanding = self.outstanding.get(&job);
        let run = outstanding.and_then(|outstanding| outstanding.run.as_ref());
        if run.is_none_or(|run| run.attempt != attempt) {
            self.on_earlier(now, job, attempt, status, out);
            return;
        }
        if !self.note_state(now, job, status.state) {
            return;
        }
        out.push(Action::Notice(Notice::task(status)));
        if status.state == TaskState::Finished {
            self.finish(job, attempt, Outcome::Finished, out);
        } else if is_over(status.state) {
            self.fail(now, job, attempt, out);
        }
    }

    /// Takes over a new state of the job's run; false where it says nothing new.
    fn note_state(&mut self, now: Now, job: u64, state: TaskState) -> bool {
        use TaskState as S;
        let Some(outstanding) = self.outstanding.get_mut(&job) else {
            return false;
        };
        let Some(run) = outstanding.run.as_mut() else {
            return false;
        };
        let behind = matches!(run.state, S::Running | S::Killing)
            && matches!(state, S::Staging | S::Starting);
        if run.state == state || behind {
            return false;
        }
        run.state = state;
        run.started |= matches!(state, S::Starting | S::Running | S::Killing);
        if state == S::Running && !outstanding.ran {
            outstanding.ran = true;
            let wait = now.mono.since(outstanding.since);
            self.waits.jobs += 1;
            self.waits.sum = self.waits.sum.saturating_add(wait);
            self.waits.max = self.waits.max.max(wait);
        }
        if state == S::Unreachable {
            let at = now.mono + self.config.unreachable_replace_after;
            self.timers.set(Timer::Replace(job), at);
        } else {
            self.timers.cancel(&Timer::Replace(job));
        }
        true
    }

    /// The job is over for good.
    fn finish(&mut self, job: u64, attempt: u64, how: Outcome, out: &mut Outbox<Action>) {
        let Some(outstanding) = self.outstanding.get(&job) else {
            return;
        };
        let attempts = u32::try_from(outstanding.attempts).unwrap_or(u32::MAX);
        self.end_run(job, attempt, how);
        Batch::persist(&Record::Ended { job, attempt, how }, out);
        out.push(Action::Notice(Notice::JobOver {
            job,
            finished: how == Outcome::Finished,
            attempts,
        }));
    }

    /// The job's start failed or was lost: it is started again, or given up.
    fn fail(&mut self, now: Now, job: u64, attempt: u64, out: &mut Outbox<Action>) {
        let Some(outstanding) = self.outstanding.get(&job) else {
            return;
        };
        let never_ran = outstanding.run.as_ref().is_some_and(never_ran);
        if outstanding.failures >= self.config.retries_max && !never_ran {
            self.finish(job, attempt, Outcome::Failed, out);
            return;
        }
        let (how, doublings) = if never_ran {
            (Outcome::Dropped, 0)
        } else {
            (Outcome::Retry, outstanding.failures.min(16))
        };
        self.end_run(job, attempt, how);
        Batch::persist(&Record::Ended { job, attempt, how }, out);
        let wait = self
            .config
            .retry_backoff_factor
            .saturating_mul(1 << doublings)
            .min(self.config.retry_backoff_max);
        self.timers.set(Timer::Retry(job), now.mono + wait);
        out.push(Action::Notice(Notice::BackingOff {
            task_id: self.task_id(job, attempt),
            wait,
        }));
    }

    /// The job's task has been out of reach for too long: it counts as lost.
    pub(super) fn replace(&mut self, now: Now, job: u64, out: &mut Outbox<Action>) {
        let outstanding = self.outstanding.get(&job);
        let Some(run) = outstanding.and_then(|outstanding| outstanding.run.as_ref()) else {
            return;
        };
        if run.state != TaskState::Unreachable {
            return;
        }
        let attempt = run.attempt;
        let task_id = self.task_id(job, attempt);
        out.push(Action::Notice(Notice::Replacing { task_id }));
        self.fail(now, job, attempt, out);
    }

    /// The launch never left: that was no start.
    pub(super) fn on_dropped(&mut self, task_id: &TaskId, out: &mut Outbox<Action>) {
        let Some((job, attempt)) = self.config.task.parse(task_id) else {
            return;
        };
        let outstanding = self.outstanding.get(&job);
        let run = outstanding.and_then(|outstanding| outstanding.run.as_ref());
        if run.is_none_or(|run| run.attempt != attempt) {
            return;
        }
        let how = Outcome::Dropped;
        self.end_run(job, attempt, how);
        Batch::persist(&Record::Ended { job, attempt, how }, out);
        self.waiting.insert(job);
    }

    /// Of a start that was given up, or of a job that is over.
    fn on_earlier(
        &mut self,
        now: Now,
        job: u64,
        attempt: u64,
        status: &TaskStatus,
        out: &mut Outbox<Action>,
    ) {
        if is_over(status.state) {
            self.strays.remove(&status.task_id);
            // It did what was wanted, if nothing else has: the job is not to run again.
            if status.state == TaskState::Finished {
                self.finish(job, attempt, Outcome::Finished, out);
            }
            return;
        }
        if status.state == TaskState::Unreachable {
            self.strays.remove(&status.task_id);
            return;
        }
        if self.strays.contains(&status.task_id) {
            return;
        }
        let free = self.outstanding.get(&job);
        let free = free.is_some_and(|outstanding| outstanding.run.is_none());
        let (true, Some(agent_id)) = (free, &status.agent_id) else {
            self.kill(status, KillCause::Replaced);
            return;
        };
        let launch = Launch {
            job,
            attempt,
            agent_id: agent_id.clone(),
        };
        Batch::persist(&Record::Adopted(launch.clone()), out);
        self.set_run(launch);
        self.note_state(now, job, status.state);
        let task_id = status.task_id.clone();
        out.push(Action::Notice(Notice::Adopted { task_id }));
    }

    fn on_foreign(&mut self, status: &TaskStatus, _out: &mut Outbox<Action>) {
        if is_over(status.state) || status.state == TaskState::Unreachable {
            self.strays.remove(&status.task_id);
        } else if !self.strays.contains(&status.task_id) {
            self.kill(status, KillCause::Unknown);
        }
    }

    fn kill(&mut self, status: &TaskStatus, why: KillCause) {
        let agent_id = status.agent_id.clone();
        self.strays.add(status.task_id.clone(), agent_id, why);
    }
}

/// Whether it is certain that the start never became a process.
fn never_ran(run: &Run) -> bool {
    use TaskState as S;
    !run.started && matches!(run.state, S::Dropped | S::Unknown | S::Gone)
}

/// Whether nothing more is to be expected of the task, as far as the master can tell.
fn is_over(state: TaskState) -> bool {
    state.is_terminal() || state == TaskState::Unknown
}

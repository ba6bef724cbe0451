//! What the master says of tasks, and what follows from it.

use super::record::{Launch, Record};
use super::{Run, Service, Timer};
use crate::ids::TaskId;
use crate::model::{TaskState, TaskStatus};
use crate::outbox::Outbox;
use crate::scheduler::{Action, KillCause, Notice};
use crate::time::Now;
use alloc::string::String;
use core::time::Duration;

impl Service {
    pub(super) fn on_update(&mut self, now: Now, status: &TaskStatus, out: &mut Outbox<Action>) {
        let over = status.state.is_terminal() || status.state == TaskState::Unknown;
        let Some((number, serial)) = self.current(&status.task_id) else {
            self.on_foreign(now, status, over, out);
            return;
        };
        if !self.note_state(now, number, status.state) {
            return;
        }
        out.push(Action::Notice(Notice::task(status)));
        if over {
            self.end(now, number, serial, &status.task_id, out);
        }
    }

    /// The instance and serial of a task that is some instance's own.
    fn current(&self, task_id: &TaskId) -> Option<(u32, u64)> {
        let (number, serial) = self.config.task.parse(task_id)?;
        let number = u32::try_from(number).ok()?;
        let run = self.instances.get(&number)?.run.as_ref()?;
        (run.serial == serial).then_some((number, serial))
    }

    /// Takes over a new state; false where it says nothing new.
    fn note_state(&mut self, now: Now, number: u32, state: TaskState) -> bool {
        use TaskState as S;
        let instance = self.instances.get_mut(&number);
        let Some(run) = instance.and_then(|instance| instance.run.as_mut()) else {
            return false;
        };
        // An answer that was on its way while the task went on.
        let behind = matches!(run.state, S::Running | S::Killing)
            && matches!(state, S::Staging | S::Starting);
        if run.state == state || behind {
            return false;
        }
        let before = core::mem::replace(&mut run.state, state);
        if state == S::Running && run.running_since.is_none() {
            run.running_since = Some(now.mono);
        }
        self.running += u32::from(state == S::Running);
        self.running -= u32::from(before == S::Running);
        if state == S::Unreachable {
            let at = now.mono + self.config.unreachable_replace_after;
            self.timers.set(Timer::Replace(number), at);
        } else {
            self.timers.cancel(&Timer::Replace(number));
        }
        true
    }

    /// The instance's task is over: another one follows, at once where this one ran well.
    fn end(
        &mut self,
        now: Now,
        number: u32,
        serial: u64,
        task_id: &TaskId,
        out: &mut Outbox<Action>,
    ) {
        // A restart that was asked for is not the instance's failure.
        let asked_for = self.strays.contains(task_id);
        let Some(run) = self.take_run(number, serial) else {
            return;
        };
        self.counters.ended += 1;
        Service::persist(
            &Record::Ended {
                instance: number,
                serial,
            },
            out,
        );
        let wait = self.back_off(now, number, &run, asked_for);
        if wait.is_zero() {
            self.waiting.insert(number);
            return;
        }
        self.timers.set(Timer::Start(number), now.mono + wait);
        out.push(Action::Notice(Notice::BackingOff {
            task_id: task_id.clone(),
            wait,
        }));
    }

    /// How long the instance waits after `run`.
    fn back_off(&mut self, now: Now, number: u32, run: &Run, asked_for: bool) -> Duration {
        let config = &self.config;
        let Some(instance) = self.instances.get_mut(&number) else {
            return Duration::ZERO;
        };
        let settled = run
            .running_since
            .is_some_and(|since| now.mono.since(since) >= config.settled_after);
        if settled || asked_for {
            instance.failures = 0;
            return Duration::ZERO;
        }
        let doublings = instance.failures.min(16);
        instance.failures = instance.failures.saturating_add(1);
        config
            .restart_backoff_factor
            .saturating_mul(1 << doublings)
            .min(config.restart_backoff_max)
    }

    /// The launch never left: it did not run and did not fail either.
    pub(super) fn on_dropped(&mut self, task_id: &TaskId, out: &mut Outbox<Action>) {
        let Some((number, serial)) = self.current(task_id) else {
            return;
        };
        self.take_run(number, serial);
        self.waiting.insert(number);
        Service::persist(
            &Record::Ended {
                instance: number,
                serial,
            },
            out,
        );
    }

    /// Of a task that is no instance's: given up, scaled away, or from before a lost disk.
    fn on_foreign(&mut self, now: Now, status: &TaskStatus, over: bool, out: &mut Outbox<Action>) {
        let task_id = &status.task_id;
        if over || status.state == TaskState::Unreachable {
            self.strays.remove(task_id);
            return;
        }
        if self.strays.contains(task_id) || self.adopt(now, status, out) {
            return;
        }
        let ours = self.config.task.parse(task_id);
        let known = ours.is_some_and(|(_, serial)| serial <= self.serial);
        // An id that a lost disk no longer knows of must not be given out again.
        self.serial = self.serial.max(ours.map_or(0, |(_, serial)| serial));
        let why = if known {
            KillCause::Replaced
        } else {
            KillCause::Unknown
        };
        let agent_id = status.agent_id.clone();
        self.strays.add(task_id.clone(), agent_id, why);
    }

    /// Takes a live task back for an instance that has none.
    fn adopt(&mut self, now: Now, status: &TaskStatus, out: &mut Outbox<Action>) -> bool {
        let Some((number, serial)) = self.config.task.parse(&status.task_id) else {
            return false;
        };
        let Ok(instance) = u32::try_from(number) else {
            return false;
        };
        let free = self.instances.get(&instance);
        let free = free.is_some_and(|instance| instance.run.is_none());
        let (true, Some(agent_id)) = (free, &status.agent_id) else {
            return false;
        };
        let launch = Launch {
            instance,
            serial,
            agent_id: agent_id.clone(),
            hostname: String::new(),
            group: String::new(),
        };
        Service::persist(&Record::Adopted(launch.clone()), out);
        self.place_run(launch);
        self.note_state(now, instance, status.state);
        self.counters.adopted += 1;
        let task_id = status.task_id.clone();
        out.push(Action::Notice(Notice::Adopted { task_id }));
        true
    }
}

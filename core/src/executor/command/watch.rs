//! How a task is watched while it runs: Mesos' checks and health checks, and the time that it
//! may take at most.
//!
//! When to look and what follows is decided here; looking is the driver's. What a check saw is
//! not read: it is told to the scheduler whenever it is other than before.

use super::{CommandExecutor, Phase, Timer};
use crate::executor::Effect;
use crate::ids::TaskId;
use crate::model::{Reason, TaskState};
use crate::outbox::Outbox;
use crate::time::{Now, Time};
use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CheckKind {
    /// Whether the task is well; one that is not for too long is killed.
    Health,
    /// Anything: what was seen is the scheduler's to judge.
    Check,
}

/// When a task's health is looked at, and what is made of that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthPolicy {
    /// Before the first look.
    pub delay: Duration,
    /// From one look's end to the next.
    pub interval: Duration,
    /// How long, from the task's start, a failure before the first success does not count.
    pub grace: Duration,
    /// So many failures in a row are too many.
    pub failures_max: u32,
}

/// When a task is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckPolicy {
    /// Before the first look.
    pub delay: Duration,
    /// From one look's end to the next.
    pub interval: Duration,
    /// What its statuses say as long as nothing was seen.
    #[serde(with = "crate::wire::bytes")]
    pub unknown: Arc<[u8]>,
}

/// How a task is watched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Whether it is well.
    pub health: Option<HealthPolicy>,
    /// What there is to see.
    pub check: Option<CheckPolicy>,
    /// How long it may run.
    pub completion: Option<Duration>,
}

/// A watched task.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    watch: Watch,
    since: Time,
    /// Whether it never was well so far.
    initial: bool,
    failures: u32,
    healthy: Option<bool>,
    seen: Arc<[u8]>,
    /// Whether it ran for too long.
    pub(super) overdue: bool,
}

impl CommandExecutor {
    /// A task that is being started is to be watched once it runs.
    pub(super) fn watch(&mut self, now: Now, task_id: &TaskId, watch: Watch) {
        let Some(task) = self.tasks.get_mut(task_id) else {
            return;
        };
        if task.phase != Phase::Starting {
            return;
        }
        let unknown = watch.check.as_ref().map(|check| Arc::clone(&check.unknown));
        task.watched = Some(Watched {
            watch,
            since: now.mono,
            initial: true,
            failures: 0,
            healthy: None,
            seen: unknown.unwrap_or_default(),
            overdue: false,
        });
    }

    /// A watched task runs.
    pub(super) fn start_watching(&mut self, now: Now, task_id: &TaskId) {
        let task = self.tasks.get_mut(task_id);
        let Some(watched) = task.and_then(|task| task.watched.as_mut()) else {
            return;
        };
        watched.since = now.mono;
        let watch = &watched.watch;
        let health = watch.health.as_ref().map(|health| health.delay);
        let check = watch.check.as_ref().map(|check| check.delay);
        let timer = |kind| Timer::Check(task_id.clone(), kind);
        let due = [
            health.map(|delay| (timer(CheckKind::Health), delay)),
            check.map(|delay| (timer(CheckKind::Check), delay)),
            watch
                .completion
                .map(|most| (Timer::Completion(task_id.clone()), most)),
        ];
        for (timer, after) in due.into_iter().flatten() {
            self.timers.set(timer, now.mono + after);
        }
    }

    /// A task that ends, or is over, is not looked at any more.
    pub(super) fn stop_watching(&mut self, task_id: &TaskId) {
        for kind in [CheckKind::Health, CheckKind::Check] {
            self.timers.cancel(&Timer::Check(task_id.clone(), kind));
        }
        self.timers.cancel(&Timer::Completion(task_id.clone()));
    }

    fn is_watched(&self, task_id: &TaskId) -> bool {
        let task = self.tasks.get(task_id);
        task.is_some_and(|task| task.phase == Phase::Running && task.kill.is_none())
    }

    /// It is time for a look.
    pub(super) fn look(&mut self, task_id: TaskId, kind: CheckKind, fx: &mut Outbox<Effect>) {
        if self.is_watched(&task_id) {
            fx.push(Effect::Check { task_id, kind });
        }
    }

    /// What came of a look: whether it went well, and what was seen.
    pub(super) fn on_checked(
        &mut self,
        now: Now,
        (task_id, kind): (&TaskId, CheckKind),
        (passed, seen): (bool, &Arc<[u8]>),
        fx: &mut Outbox<Effect>,
    ) {
        if !self.is_watched(task_id) {
            return;
        }
        let task = self.tasks.get_mut(task_id);
        let Some(watched) = task.and_then(|task| task.watched.as_mut()) else {
            return;
        };
        let interval = match kind {
            CheckKind::Health => watched.watch.health.as_ref().map(|health| health.interval),
            CheckKind::Check => watched.watch.check.as_ref().map(|check| check.interval),
        };
        let Some(interval) = interval else {
            return;
        };
        let (reason, kills) = match kind {
            CheckKind::Health => match watched.judge(now, passed) {
                None => (None, false),
                Some(kills) => (Some(Reason::TaskHealthCheckStatusUpdated), kills),
            },
            CheckKind::Check if watched.seen == *seen => (None, false),
            CheckKind::Check => {
                watched.seen = Arc::clone(seen);
                (Some(Reason::TaskCheckStatusUpdated), false)
            }
        };
        let timer = Timer::Check(task_id.clone(), kind);
        self.timers.set(timer, now.mono + interval);
        if reason.is_some() {
            let told = (TaskState::Running, reason, String::new());
            self.tell(now, task_id, told, fx);
        }
        if kills {
            self.unhealthy = true;
            self.kill(now, task_id, None, fx);
        }
    }

    /// A task ran for longer than it may.
    pub(super) fn overdue(&mut self, now: Now, task_id: &TaskId, fx: &mut Outbox<Effect>) {
        if !self.is_watched(task_id) {
            return;
        }
        let task = self.tasks.get_mut(task_id);
        if let Some(watched) = task.and_then(|task| task.watched.as_mut()) {
            watched.overdue = true;
            self.kill(now, task_id, Some(Duration::ZERO), fx);
        }
    }

    /// What a status says besides: whether the task is well, and what was seen.
    pub(super) fn attached(&self, task_id: &TaskId, state: TaskState) -> (Option<bool>, Arc<[u8]>) {
        let unhealthy = (state.is_terminal() && self.unhealthy).then_some(false);
        let task = self.tasks.get(task_id);
        let Some(watched) = task.and_then(|task| task.watched.as_ref()) else {
            return (unhealthy, Arc::default());
        };
        if state == TaskState::Running {
            return (watched.healthy, Arc::clone(&watched.seen));
        }
        let check = watched.watch.check.as_ref();
        let unknown = check.map(|check| Arc::clone(&check.unknown));
        (unhealthy, unknown.unwrap_or_default())
    }
}

impl Watched {
    /// Takes one look at the health in: whether the task is to be killed, if that is to be told.
    fn judge(&mut self, now: Now, passed: bool) -> Option<bool> {
        let policy = self.watch.health.as_ref()?;
        if passed {
            let news = self.initial || self.failures > 0;
            self.initial = false;
            self.failures = 0;
            self.healthy = Some(true);
            return news.then_some(false);
        }
        let graced = policy.grace > Duration::ZERO && now.mono <= self.since + policy.grace;
        if self.initial && graced {
            return None;
        }
        self.failures = self.failures.saturating_add(1);
        self.healthy = Some(false);
        Some(self.failures >= policy.failures_max)
    }
}

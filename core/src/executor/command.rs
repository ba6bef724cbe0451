use super::{Config, Effect, ExecutorDriver, Identity, Input};
use crate::ids::{AgentId, TaskId, UpdateId};
use crate::machine::Machine;
use crate::message::executor::Event;
use crate::model::{Reason, TaskInfo, TaskState};
use crate::outbox::Outbox;
use crate::rng::Rng;
use crate::time::{Now, Time};
use crate::timers::Timers;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;
use serde::{Deserialize, Serialize};

mod tell;
mod watch;

use tell::ended_with;
use watch::Watched;
pub use watch::{CheckKind, CheckPolicy, HealthPolicy, Watch};

/// How long an executor lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// Runs one command task and ends with it.
    Single,
    /// Runs groups of tasks and ends with the last of them: Mesos' default executor.
    Groups,
    /// Runs tasks until it is told to end.
    Shared,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Its process was asked for.
    Starting,
    /// Its process runs.
    Running,
    /// Its process is over, and its last update is on its way.
    Ended,
}

#[derive(Clone, Debug)]
struct Task {
    info: Arc<TaskInfo>,
    phase: Phase,
    /// Since when it is to be dead, once it was killed.
    kill: Option<Time>,
    /// Tasks with the same number end together.
    group: Option<u64>,
    last_update: Option<UpdateId>,
    watched: Option<Watched>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// SIGTERM was not enough.
    Force(TaskId),
    /// A task is to be looked at.
    Check(TaskId, CheckKind),
    /// A task should have ended by itself by now.
    Completion(TaskId),
    /// All should have ended by now.
    Shutdown,
    /// The last update should have been acknowledged by now.
    Linger,
}

/// The agent's own executor: each task is one process of the driver's.
#[derive(Clone, Debug)]
pub struct CommandExecutor {
    config: Config,
    identity: Identity,
    mode: Mode,
    rng: Rng,
    driver: ExecutorDriver,
    tasks: BTreeMap<TaskId, Task>,
    timers: Timers<Timer>,
    agent_id: Option<AgentId>,
    tells_killing: bool,
    shutdown_grace: Duration,
    groups: u64,
    /// Whether there was a task, ever.
    used: bool,
    /// Whether a task was killed because it was not well.
    unhealthy: bool,
    shutting_down: bool,
    over: bool,
}

impl CommandExecutor {
    /// An executor that subscribes with its first input. Give `rng` a stream of its own: it
    /// draws the ids of updates.
    #[must_use]
    pub fn new(
        config: Config,
        identity: Identity,
        mode: Mode,
        rng: &Rng,
        now: Now,
    ) -> CommandExecutor {
        let rng = rng.fork(identity.container_id.as_str());
        let driver = ExecutorDriver::new(config.clone(), identity.clone(), rng.fork("driver"), now);
        CommandExecutor {
            shutdown_grace: config.shutdown_grace,
            config,
            identity,
            mode,
            rng: rng.fork("updates"),
            driver,
            tasks: BTreeMap::new(),
            timers: Timers::default(),
            agent_id: None,
            tells_killing: false,
            groups: 0,
            used: false,
            unhealthy: false,
            shutting_down: false,
            over: false,
        }
    }

    /// Whether it has asked to exit.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Which executor this is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    fn on_event(&mut self, now: Now, event: Event, fx: &mut Outbox<Effect>) {
        match event {
            Event::Subscribed {
                executor,
                framework,
                agent,
                ..
            } => {
                self.agent_id.clone_from(&agent.id);
                self.tells_killing = framework.capabilities.task_killing_state;
                if let Some(grace) = executor.shutdown_grace {
                    self.shutdown_grace = grace;
                }
            }
            Event::Launch { task } => self.launch(now, task, None, fx),
            Event::LaunchGroup { tasks } => {
                self.groups += 1;
                let group = Some(self.groups);
                for task in tasks {
                    self.launch(now, task, group, fx);
                }
            }
            Event::Kill { task_id, grace } => self.kill(now, &task_id, grace, fx),
            Event::Acknowledged { task_id, update_id } => {
                let over =
                    |task: &Task| task.phase == Phase::Ended && task.last_update == Some(update_id);
                if self.tasks.get(&task_id).is_some_and(over) {
                    self.tasks.remove(&task_id);
                }
            }
            Event::Shutdown => self.shutdown(now, fx),
            Event::Error { .. } | Event::Message { .. } | Event::Heartbeat => {}
        }
    }

    fn launch(
        &mut self,
        now: Now,
        info: Arc<TaskInfo>,
        group: Option<u64>,
        fx: &mut Outbox<Effect>,
    ) {
        if self.tasks.contains_key(&info.task_id) {
            return;
        }
        let task = Task {
            info: Arc::clone(&info),
            phase: Phase::Starting,
            kill: None,
            group,
            last_update: None,
            watched: None,
        };
        let task_id = info.task_id.clone();
        self.tasks.insert(task_id.clone(), task);
        let refused = if self.shutting_down {
            Some("the executor is shutting down")
        } else if self.mode == Mode::Single && self.used {
            Some("this executor runs a single task")
        } else {
            None
        };
        self.used = true;
        if let Some(why) = refused {
            let told = (TaskState::Failed, None, String::from(why));
            self.end(now, &task_id, told, fx);
            return;
        }
        self.tell(
            now,
            &task_id,
            (TaskState::Starting, None, String::new()),
            fx,
        );
        fx.push(Effect::Start { task: info });
    }

    fn on_started(&mut self, now: Now, task_id: &TaskId, fx: &mut Outbox<Effect>) {
        let Some(task) = self.tasks.get_mut(task_id) else {
            return;
        };
        if task.phase != Phase::Starting {
            return;
        }
        task.phase = Phase::Running;
        match task.kill {
            None => {
                self.tell(now, task_id, (TaskState::Running, None, String::new()), fx);
                self.start_watching(now, task_id);
            }
            // The kill came while there was no process to signal.
            Some(deadline) => {
                let task_id = task_id.clone();
                let force = deadline <= now.mono;
                fx.push(Effect::Signal { task_id, force });
            }
        }
    }

    fn on_exited(
        &mut self,
        now: Now,
        task_id: &TaskId,
        status: Option<i32>,
        message: &str,
        fx: &mut Outbox<Effect>,
    ) {
        let Some(task) = self.tasks.get(task_id) else {
            return;
        };
        if task.phase == Phase::Ended {
            return;
        }
        let killed = task.kill.is_some();
        let overdue = task.watched.as_ref().is_some_and(|watched| watched.overdue);
        let told = match status {
            Some(status) if overdue => {
                let reason = Some(Reason::MaxCompletionTimeReached);
                (TaskState::Failed, reason, ended_with(status))
            }
            Some(status) if killed => (TaskState::Killed, None, ended_with(status)),
            Some(0) => (TaskState::Finished, None, ended_with(0)),
            Some(status) => (TaskState::Failed, None, ended_with(status)),
            None if killed => (TaskState::Killed, None, String::from(message)),
            None if task.phase == Phase::Running => {
                (TaskState::Failed, None, String::from(message))
            }
            None => {
                let reason = Some(Reason::CommandExecutorFailed);
                let text = format!("the command could not be started: {message}");
                (TaskState::Failed, reason, text)
            }
        };
        self.end(now, task_id, told, fx);
    }

    /// A task is over: its last update goes out, and the rest of its group ends.
    fn end(
        &mut self,
        now: Now,
        task_id: &TaskId,
        told: (TaskState, Option<Reason>, String),
        fx: &mut Outbox<Effect>,
    ) {
        let ended_well = told.0 == TaskState::Finished;
        self.timers.cancel(&Timer::Force(task_id.clone()));
        self.stop_watching(task_id);
        self.tell(now, task_id, told, fx);
        let Some(task) = self.tasks.get_mut(task_id) else {
            return;
        };
        task.phase = Phase::Ended;
        let Some(group) = task.group.filter(|_| !ended_well) else {
            return;
        };
        let others: alloc::vec::Vec<_> = self
            .tasks
            .iter()
            .filter(|(_, task)| task.group == Some(group) && task.phase != Phase::Ended)
            .map(|(task_id, _)| task_id.clone())
            .collect();
        for task_id in others {
            self.kill(now, &task_id, None, fx);
        }
    }

    fn kill(
        &mut self,
        now: Now,
        task_id: &TaskId,
        grace: Option<Duration>,
        fx: &mut Outbox<Effect>,
    ) {
        let Some(task) = self.tasks.get_mut(task_id) else {
            return;
        };
        if task.phase == Phase::Ended {
            return;
        }
        let grace = grace.or(task.info.kill_grace);
        let deadline = now.mono + grace.unwrap_or(self.config.kill_grace);
        let first = task.kill.is_none();
        // A second kill may hasten the end, never put it off.
        let deadline = task.kill.map_or(deadline, |before| before.min(deadline));
        task.kill = Some(deadline);
        let running = task.phase == Phase::Running;
        let overdue = task.watched.as_ref().is_some_and(|watched| watched.overdue);
        let timer = Timer::Force(task_id.clone());
        self.timers.set(timer, deadline);
        self.stop_watching(task_id);
        if first && self.tells_killing && !overdue {
            let told = (TaskState::Killing, None, String::new());
            self.tell(now, task_id, told, fx);
        }
        if first && running {
            let task_id = task_id.clone();
            let force = deadline <= now.mono;
            fx.push(Effect::Signal { task_id, force });
        }
    }

    fn force(&mut self, now: Now, task_id: &TaskId, fx: &mut Outbox<Effect>) {
        let Some(task) = self.tasks.get(task_id) else {
            return;
        };
        if task.phase == Phase::Running {
            let task_id = task_id.clone();
            fx.push(Effect::Signal {
                task_id,
                force: true,
            });
        }
        if task.phase != Phase::Ended {
            // Not even that may do at once: a process in the kernel dies when it returns.
            let again = now.mono + self.config.kill_grace.max(Duration::from_secs(1));
            self.timers.set(Timer::Force(task_id.clone()), again);
        }
    }

    fn shutdown(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        if self.shutting_down {
            return;
        }
        self.shutting_down = true;
        self.timers
            .set(Timer::Shutdown, now.mono + self.shutdown_grace);
        let all: alloc::vec::Vec<_> = self.tasks.keys().cloned().collect();
        for task_id in all {
            self.kill(now, &task_id, None, fx);
        }
    }

    /// Ends everything at once, unheard.
    fn exit(&mut self, fx: &mut Outbox<Effect>) {
        for (task_id, task) in &self.tasks {
            if task.phase == Phase::Running {
                let task_id = task_id.clone();
                fx.push(Effect::Signal {
                    task_id,
                    force: true,
                });
            }
        }
        self.over = true;
        self.timers = Timers::default();
        fx.push(Effect::Exit);
    }

    fn on_tick(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        let due = self.timers.len();
        for _ in 0..due {
            match self.timers.pop_due(now.mono) {
                None => return,
                Some(Timer::Force(task_id)) => self.force(now, &task_id, fx),
                Some(Timer::Check(task_id, kind)) => self.look(task_id, kind, fx),
                Some(Timer::Completion(task_id)) => self.overdue(now, &task_id, fx),
                Some(Timer::Shutdown | Timer::Linger) => {
                    self.exit(fx);
                    return;
                }
            }
        }
    }

    /// Exits when there is nothing left to do, or nobody left to do it for.
    fn settle(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        if self.over {
            return;
        }
        if self.driver.has_given_up() {
            self.exit(fx);
            return;
        }
        let ends = self.shutting_down || (self.mode != Mode::Shared && self.used);
        let done = self.tasks.values().all(|task| task.phase == Phase::Ended);
        if !ends || !done {
            return;
        }
        if self.driver.is_flushed() {
            self.exit(fx);
        } else if self.timers.at(&Timer::Linger).is_none() {
            let deadline = now.mono + self.config.recovery_timeout;
            self.timers.set(Timer::Linger, deadline);
        }
    }
}

impl Machine for CommandExecutor {
    type Input = Input;
    type Effect = Effect;

    fn handle(&mut self, now: Now, input: Input, fx: &mut Outbox<Effect>) {
        if self.over {
            return;
        }
        match &input {
            Input::ProcessStarted { task_id, .. } => self.on_started(now, task_id, fx),
            Input::ProcessExited {
                task_id,
                status,
                message,
            } => self.on_exited(now, task_id, *status, message, fx),
            Input::Watch { task_id, watch } => self.watch(now, task_id, watch.clone()),
            Input::Checked {
                task_id,
                kind,
                passed,
                seen,
            } => self.on_checked(now, (task_id, *kind), (*passed, seen), fx),
            Input::Tick => self.on_tick(now, fx),
            Input::Connected { .. } | Input::Disconnected { .. } | Input::FromAgent { .. } => {}
        }
        if self.over {
            return;
        }
        if let Some(event) = self.driver.handle(now, input, fx) {
            self.on_event(now, event, fx);
        }
        self.settle(now, fx);
    }

    fn deadline(&self) -> Option<Time> {
        if self.over {
            return None;
        }
        let deadlines = [self.driver.deadline(), self.timers.next()];
        deadlines.into_iter().flatten().min()
    }
}

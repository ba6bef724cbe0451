//! What frameworks are told about tasks, against what really runs on the hosts.

use super::Broken;
use std::collections::{BTreeMap, BTreeSet};
use tepui_core::ids::{FrameworkId, TaskId, UpdateId};
use tepui_core::model::TaskState;

/// A task, by its framework.
type TaskKey = (FrameworkId, TaskId);

/// What is known of one task.
#[derive(Clone, Copy, Debug, Default)]
struct Task {
    /// Processes of it that run now.
    processes: u32,
    /// What its scheduler heard last.
    told: Option<TaskState>,
    /// How far it has come, by what its agent said.
    step: u8,
}

/// All tasks of a run.
#[derive(Debug, Default)]
pub struct TaskChecker {
    tasks: BTreeMap<TaskKey, Task>,
    running_told: usize,
    running: usize,
    /// Launches of each instance or job: what is between the name and the serial of an id.
    launches: BTreeMap<(FrameworkId, String), u32>,
    restarts: u64,
    /// Updates that a master told their agent are taken, and that the agent has not forgotten yet.
    acknowledged: BTreeSet<UpdateId>,
    /// Whether GONE says only that the task's agent was sent away, as after maintenance began.
    pub gone_may_run: bool,
}

impl TaskChecker {
    /// A master tells an agent that an update was taken.
    pub fn on_acknowledge(&mut self, update: UpdateId) {
        self.acknowledged.insert(update);
    }

    /// An agent forgets an update since it was acknowledged.
    ///
    /// # Errors
    /// When nobody has acknowledged it.
    pub fn on_acknowledged(&mut self, update: UpdateId) -> Result<(), Broken> {
        let known = self.acknowledged.remove(&update);
        Broken::unless(known, "tasks.updates-until-acknowledged", || {
            format!("update {update} is forgotten, but nobody has acknowledged it")
        })
    }

    /// How many processes of tasks run now.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running
    }

    /// How many tasks their schedulers believe to be running.
    #[must_use]
    pub fn running_told(&self) -> usize {
        self.running_told
    }

    /// How often an instance or job was started again.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// The tasks of frameworks that are `alive` whose scheduler believes something else than what
    /// is true: that one runs that does not, or the other way round.
    #[must_use]
    pub fn disagreements(&self, alive: impl Fn(&FrameworkId) -> bool) -> Vec<String> {
        let differs = |task: &Task| match task.told {
            Some(TaskState::Running) => task.processes == 0,
            Some(TaskState::Unreachable) => task.processes > 0,
            Some(state) if state.is_terminal() => task.processes > 0,
            _ => false,
        };
        let found = self.tasks.iter().filter(|(_, task)| differs(task));
        found
            .filter(|((framework, _), _)| alive(framework))
            .map(|((framework, id), task)| {
                let told = task.told.map_or("nothing", TaskState::name);
                let runs = if task.processes > 0 {
                    "runs"
                } else {
                    "does not run"
                };
                format!("{framework}/{id} {runs}, its scheduler was told {told}")
            })
            .collect()
    }

    /// A process of a task starts.
    ///
    /// # Errors
    /// When another one of the same task runs, or its scheduler was told that it is over.
    pub fn on_start(&mut self, framework: &FrameworkId, id: &TaskId) -> Result<(), Broken> {
        self.count_launch(framework, id);
        let task = self
            .tasks
            .entry((framework.clone(), id.clone()))
            .or_default();
        task.processes += 1;
        self.running += 1;
        let (processes, told) = (task.processes, task.told);
        Broken::unless(processes == 1, "tasks.never-two-live-runs", || {
            format!("{processes} processes of {framework}/{id} run at once")
        })?;
        Broken::unless(
            !told.is_some_and(|told| is_final(told) && !may_run(told, self.gone_may_run)),
            "tasks.terminal-is-final",
            || format!("{framework}/{id} starts after its scheduler was told {told:?}"),
        )
    }

    fn count_launch(&mut self, framework: &FrameworkId, id: &TaskId) {
        let Some((instance, _)) = id.as_str().rsplit_once('.') else {
            return;
        };
        let key = (framework.clone(), instance.to_owned());
        let launches = self.launches.entry(key).or_default();
        *launches += 1;
        self.restarts += u64::from(*launches > 1);
    }

    /// A process of a task is over.
    pub fn on_end(&mut self, framework: &FrameworkId, id: &TaskId) {
        let key = (framework.clone(), id.clone());
        let task = self.tasks.get_mut(&key).expect("what ends has started");
        assert!(task.processes > 0, "a process ends once");
        task.processes -= 1;
        self.running -= 1;
    }

    /// A scheduler is told something of a task.
    ///
    /// # Errors
    /// When a task that was over comes back, or one is called over while it runs.
    pub fn on_told(
        &mut self,
        framework: &FrameworkId,
        id: &TaskId,
        state: TaskState,
    ) -> Result<(), Broken> {
        let task = self
            .tasks
            .entry((framework.clone(), id.clone()))
            .or_default();
        let early = self.gone_may_run;
        let is_final = |state: TaskState| is_final(state) && !may_run(state, early);
        let before = task.told.replace(state);
        self.running_told += usize::from(state == TaskState::Running);
        self.running_told -= usize::from(before == Some(TaskState::Running));
        if let Some(before) = before {
            let stays = !is_final(before) || before == state;
            Broken::unless(stays, "tasks.terminal-is-final", || {
                format!("{framework}/{id}: {state} after {before}")
            })?;
        }
        if let Some(step) = step_of(state).filter(|_| !may_run(state, early)) {
            let before = std::mem::replace(&mut task.step, step);
            Broken::unless(step >= before, "tasks.updates-in-order", || {
                format!("{framework}/{id} is called {state} after something later")
            })?;
        }
        let runs = task.processes > 0;
        Broken::unless(
            !(is_final(state) && runs),
            "tasks.no-false-terminal",
            || format!("{framework}/{id} is called {state}, but its process runs"),
        )
    }
}

/// The order in which an agent's states come; what masters make of a partition stands outside.
fn step_of(state: TaskState) -> Option<u8> {
    match state {
        TaskState::Staging => Some(1),
        TaskState::Starting => Some(2),
        TaskState::Running => Some(3),
        TaskState::Killing => Some(4),
        state if is_final(state) => Some(5),
        _ => None,
    }
}

/// Whether GONE is said of a task that may run: its agent was sent away, and has not ended yet.
fn may_run(state: TaskState, gone_may_run: bool) -> bool {
    gone_may_run && state == TaskState::Gone
}

/// Over, and never to come back. LOST and GONE_BY_OPERATOR may: their agent may return.
fn is_final(state: TaskState) -> bool {
    state.is_terminal() && !matches!(state, TaskState::Lost | TaskState::GoneByOperator)
}

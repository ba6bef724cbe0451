//! Tasks: what the leader says of them, run and killed.

use super::executors::ExecutorState;
use super::node::{AgentNode, Drain, Stage, Timer};
use super::status::Told;
use super::{Effect, Notice, Probe, Write};
use crate::ids::{ExecutorId, FrameworkId, TaskId};
use crate::message::agent::ToAgent;
use crate::message::executor::Event;
use crate::model::{DrainConfig, ExecutorInfo, FrameworkInfo, Reason, TaskInfo, TaskState};
use crate::outbox::Outbox;
use crate::resources::Resources;
use crate::time::Now;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

impl AgentNode {
    /// Does what the leader says, on the connection through which it took the agent.
    pub(super) fn obey(&mut self, now: Now, message: ToAgent, fx: &mut Outbox<Effect>) {
        match message {
            ToAgent::Acknowledge {
                framework_id,
                task_id,
                update_id,
            } => self.on_acknowledge(now, &framework_id, &task_id, update_id, fx),
            ToAgent::AcknowledgeOperation { uuid, update_id } => {
                self.on_operation_acknowledged(uuid, update_id, fx);
            }
            _ if self.stage != Stage::Serving => {
                self.refuse("the agent is shutting down".into(), fx);
            }
            ToAgent::Run {
                framework,
                tasks,
                group,
            } => self.on_run(now, &framework, &tasks, group, fx),
            ToAgent::Kill {
                framework_id,
                task_id,
                grace,
            } => self.on_kill(now, &framework_id, &task_id, grace, fx),
            ToAgent::ShutdownExecutor {
                framework_id,
                executor_id,
            } => {
                let record = self.checkpoint.executor(&framework_id, &executor_id);
                if let Some(container_id) = record.map(|record| record.container_id.clone()) {
                    self.end_executor(now, &container_id, None, fx);
                }
            }
            ToAgent::ShutdownFramework { framework_id } => {
                self.on_shutdown_framework(now, &framework_id, fx);
            }
            ToAgent::UpdateFramework { framework } => {
                let known = |id: &FrameworkId| self.checkpoint.frameworks.contains_key(id);
                if framework.id.as_ref().is_some_and(known) {
                    self.see_framework(&framework, fx);
                }
            }
            ToAgent::FrameworkMessage {
                framework_id,
                executor_id,
                data,
            } => {
                let record = self.checkpoint.executor(&framework_id, &executor_id);
                if let Some(container_id) = record.map(|record| record.container_id.clone()) {
                    self.tell(&container_id, Event::Message { data }, fx);
                }
            }
            ToAgent::Drain { config } => self.on_drain(now, config, fx),
            ToAgent::Operate {
                uuid,
                operation_id,
                framework_id,
                operation,
            } => self.on_operation(now, (uuid, operation_id), framework_id, operation, fx),
            ToAgent::NotLeading { .. }
            | ToAgent::Registered { .. }
            | ToAgent::Reregistered { .. }
            | ToAgent::Ping { .. }
            | ToAgent::Shutdown { .. } => {
                fx.push(Effect::Notice(Notice::Probe(Probe::NotObeyed)));
            }
        }
    }

    /// Remembers how a framework describes itself.
    fn see_framework(&mut self, framework: &Arc<FrameworkInfo>, fx: &mut Outbox<Effect>) {
        let Some(framework_id) = framework.id.clone() else {
            return;
        };
        let record = self.checkpoint.frameworks.get(&framework_id);
        if record.and_then(|record| record.info.as_ref()) == Some(framework) {
            return;
        }
        let info = Arc::clone(framework);
        self.persist(Write::FrameworkSeen { framework_id, info }, fx);
    }

    fn on_run(
        &mut self,
        now: Now,
        framework: &Arc<FrameworkInfo>,
        tasks: &[Arc<TaskInfo>],
        group: bool,
        fx: &mut Outbox<Effect>,
    ) {
        // Whoever is given something to run is not drained any more.
        self.drain = None;
        let Some(framework_id) = framework.id.clone() else {
            self.refuse("a framework without an id wants to run tasks".into(), fx);
            return;
        };
        if tasks.is_empty() || self.is_torn_down(&framework_id) {
            return;
        }
        self.see_framework(framework, fx);
        if group {
            self.run_together(now, &framework_id, tasks, true, fx);
        } else {
            for task in tasks {
                self.run_together(now, &framework_id, core::slice::from_ref(task), false, fx);
            }
        }
    }

    /// Takes on tasks of one executor, all or none of them.
    fn run_together(
        &mut self,
        now: Now,
        framework_id: &FrameworkId,
        tasks: &[Arc<TaskInfo>],
        group: bool,
        fx: &mut Outbox<Effect>,
    ) {
        let known = |task: &Arc<TaskInfo>| {
            let task = self.checkpoint.task(framework_id, &task.task_id);
            task.is_some()
        };
        if tasks.iter().any(known) {
            fx.push(Effect::Notice(Notice::Probe(Probe::RunRepeated)));
            return;
        }
        let (executor, command) = match self.executor_for(framework_id, tasks, group) {
            Ok(executor) => executor,
            Err(told) => {
                for task in tasks {
                    self.end_task(now, framework_id, &task.task_id, told, fx);
                }
                return;
            }
        };
        let running = self
            .checkpoint
            .executor(framework_id, &executor.executor_id);
        let running = running.map(|record| record.container_id.clone());
        let container_id = match &running {
            Some(container_id) => container_id.clone(),
            None => self.launch_executor(now, &executor, command, fx),
        };
        let ids: Vec<_> = tasks.iter().map(|task| task.task_id.clone()).collect();
        for task in tasks {
            let write = Write::TaskLaunched {
                framework_id: framework_id.clone(),
                task: Arc::clone(task),
                executor_id: executor.executor_id.clone(),
                group: group.then(|| ids[0].clone()),
            };
            self.persist(write, fx);
            fx.push(Effect::Notice(Notice::TaskAccepted {
                framework_id: framework_id.clone(),
                task_id: task.task_id.clone(),
            }));
        }
        if running.is_none() {
            self.launch_container(&container_id, &executor, command, tasks, fx);
        } else if self
            .runs
            .get(&container_id)
            .is_some_and(|run| run.peer.is_some())
        {
            self.hand_over(&container_id, framework_id, &ids, fx);
        }
    }

    /// Which executor is to run these tasks, and whether it is the agent's own.
    fn executor_for(
        &self,
        framework_id: &FrameworkId,
        tasks: &[Arc<TaskInfo>],
        group: bool,
    ) -> Result<(Arc<ExecutorInfo>, bool), Told<'static>> {
        let invalid = |why| Err((TaskState::Error, Reason::TaskInvalid, why));
        let dropped = |reason, why| {
            let state = TaskState::Dropped.told_to(self.is_partition_aware(framework_id));
            Err((state, reason, why))
        };
        let first = &tasks[0];
        let distinct = |(i, task): (usize, &Arc<TaskInfo>)| {
            tasks[..i].iter().all(|other| other.task_id != task.task_id)
        };
        if !tasks.iter().enumerate().all(distinct) {
            return invalid("the group names a task twice");
        }
        if tasks
            .iter()
            .any(|task| Some(&task.agent_id) != self.checkpoint.agent_id.as_ref())
        {
            return dropped(Reason::AgentUnknown, "the task is meant for another agent");
        }
        if !tasks.iter().all(|task| self.has_kept(&task.resources)) {
            let why = "the agent has no such reservation or volume";
            return dropped(Reason::ResourcesUnknown, why);
        }
        if self.checkpoint.tasks().count() + tasks.len() > self.config.tasks_max {
            return dropped(Reason::ResourcesUnknown, "the agent has too many tasks");
        }
        let (executor, command) = match (&first.executor, &first.command) {
            (Some(executor), _) => (Arc::clone(executor), false),
            (None, Some(_)) if !group => (command_executor(framework_id, first), true),
            (None, Some(_)) => return invalid("a group needs an executor"),
            (None, None) => return invalid("the task has neither a command nor an executor"),
        };
        if executor.framework_id != *framework_id {
            return invalid("the executor is of another framework");
        }
        let same = |task: &Arc<TaskInfo>| {
            let id = task.executor.as_ref().map(|executor| &executor.executor_id);
            command || id == Some(&executor.executor_id)
        };
        if !tasks.iter().all(same) {
            return invalid("the tasks of one group need one executor");
        }
        let Some(record) = self
            .checkpoint
            .executor(framework_id, &executor.executor_id)
        else {
            return Ok((executor, command));
        };
        let run = self.runs.get(&record.container_id);
        if record.terminating || run.is_none_or(|run| run.state == ExecutorState::Terminating) {
            return dropped(Reason::ExecutorTerminated, "the executor is ending");
        }
        if command || record.command {
            return invalid("another executor of that id runs already");
        }
        Ok((executor, false))
    }

    fn on_kill(
        &mut self,
        now: Now,
        framework_id: &FrameworkId,
        task_id: &TaskId,
        grace: Option<Duration>,
        fx: &mut Outbox<Effect>,
    ) {
        let Some(task) = self.checkpoint.task(framework_id, task_id) else {
            self.answer_unknown(now, framework_id, task_id, fx);
            return;
        };
        let Some(launched) = task.launched.as_ref().filter(|_| task.is_live()) else {
            return;
        };
        let (executor_id, before) = (launched.executor_id.clone(), task.kill);
        let own_grace = launched.info.kill_grace;
        let record = self.checkpoint.executor(framework_id, &executor_id);
        let record = record.expect("a live task has its executor");
        let (container_id, command) = (record.container_id.clone(), record.command);
        let run = self.runs.get(&container_id);
        let run = run.expect("an executor's record has its run");
        if run.state == ExecutorState::Registering {
            self.kill_unlaunched(now, framework_id, task_id, fx);
            self.end_if_unused(now, &container_id, fx);
            return;
        }
        let connected = run.peer.is_some();
        let is_running = run.state == ExecutorState::Running;
        if before.is_none_or(|before| before.grace != grace) {
            let write = Write::KillRequested {
                framework_id: framework_id.clone(),
                task_id: task_id.clone(),
                grace,
            };
            self.persist(write, fx);
        }
        let task_id = task_id.clone();
        if connected {
            self.tell(&container_id, Event::Kill { task_id, grace }, fx);
        }
        if command && is_running {
            // The executor escalates by itself; should it hang, its container is destroyed. As
            // there, a second kill may hasten the end, never put it off.
            let patience = grace.or(own_grace).unwrap_or(self.config.kill_grace);
            let patience = patience.saturating_add(self.config.executor_shutdown_grace);
            let timer = Timer::Executor(container_id);
            let set = self.timers.at(&timer).filter(|_| before.is_some());
            let at = now.mono + patience;
            self.timers.set(timer, set.map_or(at, |set| set.min(at)));
        }
    }

    /// Ends a task that no executor has seen, and the others of its group.
    pub(super) fn kill_unlaunched(
        &mut self,
        now: Now,
        framework_id: &FrameworkId,
        task_id: &TaskId,
        fx: &mut Outbox<Effect>,
    ) {
        fx.push(Effect::Notice(Notice::Probe(Probe::KilledBeforeLaunch)));
        let task = self.checkpoint.task(framework_id, task_id);
        let group = task.and_then(|task| task.launched.as_ref()?.group.clone());
        let mut together = alloc::vec![task_id.clone()];
        if let Some(framework) = self.checkpoint.frameworks.get(framework_id) {
            let of_group = framework.tasks.iter().filter(|(id, task)| {
                let same = |launched: &super::checkpoint::Launched| launched.group == group;
                group.is_some() && *id != task_id && task.launched.as_ref().is_some_and(same)
            });
            together.extend(of_group.map(|(id, _)| id.clone()));
        }
        for task_id in together {
            let told = (
                TaskState::Killed,
                Reason::TaskKilledDuringLaunch,
                "killed before it was launched",
            );
            self.end_task(now, framework_id, &task_id, told, fx);
        }
    }

    /// An operator wants the agent to be empty: every task is killed, in no more time than that
    /// allows. Those that are being killed already go on so, unless that takes longer.
    fn on_drain(&mut self, now: Now, config: DrainConfig, fx: &mut Outbox<Effect>) {
        if self.checkpoint.frameworks.is_empty() {
            return;
        }
        let since = self.drain.map_or(now.wall, |drain| drain.since);
        self.drain = Some(Drain { config, since });
        let tasks = self.checkpoint.tasks();
        let live: Vec<_> = tasks
            .filter(|(_, _, task)| task.is_live())
            .filter_map(|(framework_id, task_id, task)| {
                let own = task.launched.as_ref()?.info.kill_grace;
                let said = task.kill.and_then(|kill| kill.grace).or(own);
                let max = config.max_grace_period;
                let grace = max.filter(|max| said.is_none_or(|said| said > *max));
                if task.kill.is_some() && (grace.is_none() || said.is_none()) {
                    return None;
                }
                Some((framework_id.clone(), task_id.clone(), grace))
            })
            .collect();
        for (framework_id, task_id, grace) in live {
            self.on_kill(now, &framework_id, &task_id, grace, fx);
        }
    }

    /// A framework was torn down: its tasks and updates are forgotten at once (MESOS-9434), its
    /// executors end.
    fn on_shutdown_framework(&mut self, now: Now, f: &FrameworkId, fx: &mut Outbox<Effect>) {
        let Some(framework) = self.checkpoint.frameworks.get(f) else {
            return;
        };
        let tasks: Vec<_> = framework.tasks.keys().cloned().collect();
        let executors = framework.executors.values();
        let containers: Vec<_> = executors.map(|e| e.container_id.clone()).collect();
        for task_id in &tasks {
            self.stop_flight(f, task_id);
        }
        let framework_id = f.clone();
        self.persist(Write::FrameworkTornDown { framework_id }, fx);
        for container_id in containers {
            self.end_executor(now, &container_id, None, fx);
        }
    }

    pub(super) fn is_torn_down(&self, framework_id: &FrameworkId) -> bool {
        let framework = self.checkpoint.frameworks.get(framework_id);
        framework.is_some_and(|framework| framework.torn_down)
    }

    /// What the framework says; frameworks that are not known here are taken to be, as the
    /// master translates for those that are not.
    pub(super) fn is_partition_aware(&self, framework_id: &FrameworkId) -> bool {
        let framework = self.checkpoint.frameworks.get(framework_id);
        framework
            .and_then(|framework| framework.info.as_ref())
            .is_none_or(|info| info.capabilities.partition_aware)
    }
}

/// The executor of a command task: the agent's own, named after the task as in Mesos.
fn command_executor(framework_id: &FrameworkId, task: &TaskInfo) -> Arc<ExecutorInfo> {
    let id = ExecutorId::new(task.task_id.as_str());
    Arc::new(ExecutorInfo {
        executor_id: id.expect("a task's id is as good as an executor's"),
        framework_id: framework_id.clone(),
        command: task.command.clone().unwrap_or_default(),
        resources: Resources::default(),
        name: command_executor_name(task),
        data: Arc::from([]),
        shutdown_grace: None,
        verbatim: Arc::default(),
    })
}

/// What Mesos calls a command task's executor: its pages and tools know it by that.
fn command_executor_name(task: &TaskInfo) -> String {
    /// Longer commands are cut, as in Mesos.
    const SHOWN_MAX: usize = 15;
    let command = task.command.as_ref();
    let text = command.map_or_else(String::new, |command| match command.shell {
        true => command.value.clone(),
        false => alloc::format!("[{}, {}]", command.value, command.arguments.join(", ")),
    });
    let shown = if text.chars().count() > SHOWN_MAX {
        let cut: String = text.chars().take(SHOWN_MAX - 3).collect();
        cut + "..."
    } else {
        text
    };
    let how = command
        .filter(|command| command.shell)
        .map_or("", |_| "sh -c ");
    let quote = if how.is_empty() { "" } else { "'" };
    let id = &task.task_id;
    alloc::format!("Command Executor (Task: {id}) (Command: {how}{quote}{shown}{quote})")
}

//! Executors as their containers: launched, ended, destroyed, exited.

use super::executors::{ExecutorRun, ExecutorState};
use super::node::{AgentNode, Timer};
use super::{ContainerLaunch, Effect, Notice, Probe, Write};
use crate::ids::{ContainerId, ExecutorId, FrameworkId, UpdateId};
use crate::message::agent::ToMaster;
use crate::message::executor::Event;
use crate::model::{ExecutorInfo, Reason, TaskInfo, TaskState};
use crate::outbox::Outbox;
use crate::time::Now;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

impl AgentNode {
    /// Starts a new run of an executor. Its container is asked for once this write and all
    /// before it are durable.
    pub(super) fn launch_executor(
        &mut self,
        now: Now,
        executor: &Arc<ExecutorInfo>,
        command: bool,
        fx: &mut Outbox<Effect>,
    ) -> ContainerId {
        let id = UpdateId::draw(&mut self.rng).to_string();
        let container_id = ContainerId::new(&id).expect("a uuid is an id");
        let write = Write::ExecutorLaunched {
            executor: Arc::clone(executor),
            container_id: container_id.clone(),
            command,
        };
        self.persist(write, fx);
        let run = ExecutorRun::new(
            &executor.framework_id,
            &executor.executor_id,
            ExecutorState::Registering,
        );
        self.runs.insert(container_id.clone(), run);
        self.timers.set(
            Timer::Executor(container_id.clone()),
            now.mono + self.config.executor_registration_timeout,
        );
        fx.push(Effect::Notice(Notice::ExecutorLaunched {
            framework_id: executor.framework_id.clone(),
            executor_id: executor.executor_id.clone(),
            container_id: container_id.clone(),
        }));
        container_id
    }

    /// Asks for an executor's container, sized for the executor and its first tasks.
    pub(super) fn launch_container(
        &mut self,
        container_id: &ContainerId,
        executor: &Arc<ExecutorInfo>,
        command: bool,
        tasks: &[Arc<TaskInfo>],
        fx: &mut Outbox<Effect>,
    ) {
        let agent_id = self.checkpoint.agent_id.clone();
        let framework = self.checkpoint.frameworks.get(&executor.framework_id);
        let info = framework.and_then(|framework| framework.info.as_ref());
        let resources = tasks
            .iter()
            .try_fold(executor.resources.unallocated(), |sum, task| {
                sum.checked_add(&task.resources.unallocated())
            });
        let user = executor.command.user.clone();
        let launch = ContainerLaunch {
            container_id: container_id.clone(),
            agent_id: agent_id.expect("only a registered agent is told to run something"),
            framework_id: executor.framework_id.clone(),
            executor_id: executor.executor_id.clone(),
            command: (!command).then(|| executor.command.clone()),
            executor: Arc::clone(executor),
            task: tasks.first().filter(|_| command).map(Arc::clone),
            user: user.unwrap_or_else(|| info.map(|i| i.user.clone()).unwrap_or_default()),
            resources: resources.unwrap_or_else(|_| executor.resources.clone()),
            checkpoint: info.is_some_and(|info| info.checkpoint),
        };
        self.say(Effect::Launch(Arc::new(launch)), fx);
    }

    /// Ends an executor: politely when it listens, then by force.
    pub(super) fn end_executor(
        &mut self,
        now: Now,
        container_id: &ContainerId,
        why: Option<(Reason, String)>,
        fx: &mut Outbox<Effect>,
    ) {
        let Some(run) = self.runs.get_mut(container_id) else {
            return;
        };
        if run.state == ExecutorState::Terminating {
            return;
        }
        run.state = ExecutorState::Terminating;
        run.why = why;
        let polite = run.peer.is_some();
        let (framework_id, executor_id) = (run.framework_id.clone(), run.executor_id.clone());
        let record = self.checkpoint.executor(&framework_id, &executor_id);
        let own_grace = record.and_then(|record| record.info.shutdown_grace);
        let write = Write::ExecutorTerminating {
            framework_id,
            executor_id,
        };
        self.persist(write, fx);
        if polite {
            self.tell(container_id, Event::Shutdown, fx);
            let grace = own_grace.unwrap_or(self.config.executor_shutdown_grace);
            let timer = Timer::Executor(container_id.clone());
            self.timers.set(timer, now.mono + grace);
        } else {
            self.destroy(now, container_id, fx);
        }
    }

    /// Kills a container, again and again until it is over.
    pub(super) fn destroy(
        &mut self,
        now: Now,
        container_id: &ContainerId,
        fx: &mut Outbox<Effect>,
    ) {
        if let Some(run) = self.runs.get_mut(container_id) {
            run.state = ExecutorState::Terminating;
            let timer = Timer::Executor(container_id.clone());
            self.timers.set(timer, now.mono + self.config.destroy_retry);
        }
        let container_id = container_id.clone();
        self.say(Effect::Destroy { container_id }, fx);
    }

    /// An executor took too long for whatever it was to do.
    pub(super) fn on_executor_timer(
        &mut self,
        now: Now,
        container_id: &ContainerId,
        fx: &mut Outbox<Effect>,
    ) {
        let Some(run) = self.runs.get_mut(container_id) else {
            return;
        };
        if run.state == ExecutorState::Registering {
            let message = String::from("the executor did not register in time");
            run.why = Some((Reason::ExecutorRegistrationTimeout, message));
        }
        self.destroy(now, container_id, fx);
    }

    /// An executor that runs nothing and never will is ended, so that a kill that came before
    /// its first task leaves nothing behind (MESOS-7863). One that ran something stays, as its
    /// framework may want it again.
    pub(super) fn end_if_unused(
        &mut self,
        now: Now,
        container_id: &ContainerId,
        fx: &mut Outbox<Effect>,
    ) {
        let Some(run) = self.runs.get(container_id) else {
            return;
        };
        let tasks = self
            .checkpoint
            .live_tasks_of(&run.framework_id, &run.executor_id);
        let record = self
            .checkpoint
            .executor(&run.framework_id, &run.executor_id);
        let single = record.is_some_and(|record| record.command);
        if tasks.is_empty() && (single || !run.used) {
            self.end_executor(now, container_id, None, fx);
        }
    }

    /// A container runs. One that nobody waits for any more, because it was to be destroyed before
    /// it was there, is destroyed now.
    pub(super) fn on_container_started(
        &mut self,
        container_id: &ContainerId,
        fx: &mut Outbox<Effect>,
    ) {
        if let Some(run) = self.runs.get_mut(container_id) {
            run.started = true;
            return;
        }
        fx.push(Effect::Notice(Notice::Probe(Probe::OrphanDestroyed)));
        let container_id = container_id.clone();
        self.say(Effect::Destroy { container_id }, fx);
    }

    /// A container is over: its tasks get their last updates, its resources are free.
    pub(super) fn on_container_exited(
        &mut self,
        now: Now,
        container_id: &ContainerId,
        status: Option<i32>,
        message: &str,
        fx: &mut Outbox<Effect>,
    ) {
        let Some(run) = self.runs.remove(container_id) else {
            return;
        };
        self.timers.cancel(&Timer::Executor(container_id.clone()));
        if let Some(peer) = run.peer {
            self.executor_peers.remove(&peer);
            self.say(Effect::Close { peer }, fx);
        }
        let why = run.why.clone().unwrap_or_else(|| {
            if run.started {
                let ended = status.map_or_else(
                    || String::from("the executor ended"),
                    |status| alloc::format!("the executor ended with status {status}"),
                );
                let text = [ended.as_str(), message].map(str::trim);
                let text: Vec<_> = text.into_iter().filter(|part| !part.is_empty()).collect();
                (Reason::ExecutorTerminated, text.join(": "))
            } else {
                (Reason::ContainerLaunchFailed, message.to_string())
            }
        });
        self.forget_executor(now, &run.framework_id, &run.executor_id, &why, status, fx);
        self.finish_recovery_early(now, fx);
        self.exit_if_ended(fx);
    }

    /// Last updates for the tasks of an executor that is over, and the end of its record.
    pub(super) fn forget_executor(
        &mut self,
        now: Now,
        framework_id: &FrameworkId,
        executor_id: &ExecutorId,
        why: &(Reason, String),
        status: Option<i32>,
        fx: &mut Outbox<Effect>,
    ) {
        for task_id in self.checkpoint.live_tasks_of(framework_id, executor_id) {
            let task = self.checkpoint.task(framework_id, &task_id);
            let killed = task.is_some_and(|task| task.kill.is_some());
            let state = match (killed, why.0) {
                (true, _) => TaskState::Killed,
                (false, Reason::AgentRestarted) => {
                    TaskState::Gone.told_to(self.is_partition_aware(framework_id))
                }
                (false, _) => TaskState::Failed,
            };
            let told = (state, why.0, why.1.as_str());
            self.end_task(now, framework_id, &task_id, told, fx);
        }
        let record = self.checkpoint.executor(framework_id, executor_id);
        let is_command = record.is_some_and(|record| record.command);
        let torn_down = self.is_torn_down(framework_id);
        let write = Write::ExecutorExited {
            framework_id: framework_id.clone(),
            executor_id: executor_id.clone(),
        };
        self.persist(write, fx);
        fx.push(Effect::Notice(Notice::ExecutorExited {
            framework_id: framework_id.clone(),
            executor_id: executor_id.clone(),
            status,
        }));
        if !is_command && !torn_down {
            let message = ToMaster::ExecutorExited {
                framework_id: framework_id.clone(),
                executor_id: executor_id.clone(),
                status: status.unwrap_or(-1),
            };
            self.tell_master(message, fx);
        }
    }
}

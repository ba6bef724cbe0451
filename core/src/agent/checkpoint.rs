//! What an agent must not forget, as a fold over its journal's writes.
//!
//! The live agent changes this state only by applying a [`Write`] that it hands to its driver at
//! the same time, so that recovery, which applies the same writes, cannot differ. Updates of all
//! frameworks are kept, also of those that do not ask for checkpointing: a power cut must not
//! lose an update that was acknowledged to its executor.

use super::Write;
use super::updates::{Acknowledged, Stream, Verdict};
use crate::ids::{AgentId, ContainerId, ExecutorId, FrameworkId, OperationUuid, TaskId};
use crate::log::Ballot;
use crate::message::agent::{AgentRun, OperationReport};
use crate::model::{AgentInfo, ExecutorInfo, FrameworkInfo, TaskInfo};
use crate::resources::Resources;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// All that survives a restart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Given by the master that admitted the agent.
    pub agent_id: Option<AgentId>,
    /// How the agent described itself last.
    pub info: Option<Arc<AgentInfo>>,
    /// How often the process began.
    pub run: AgentRun,
    /// Names the first registration; drawn by the first run.
    pub nonce: Option<u64>,
    /// Of the last run.
    pub boot_id: String,
    /// The highest under which the agent was registered.
    pub ballot: Ballot,
    /// All that have something here.
    pub frameworks: BTreeMap<FrameworkId, FrameworkRecord>,
    /// Numbers tasks in the order of their launch.
    pub launches: u64,
    /// What of its resources came to be at run time: reservations and volumes.
    pub kept: Resources,
    /// Operations of whose outcome nobody has acknowledged to hear.
    pub operations: BTreeMap<OperationUuid, Arc<OperationReport>>,
}

/// What one framework has here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FrameworkRecord {
    /// `None` when only answers about unknown tasks wait here.
    pub info: Option<Arc<FrameworkInfo>>,
    /// Executors whose containers are not over.
    pub executors: BTreeMap<ExecutorId, ExecutorRecord>,
    /// Tasks that are not over, or whose updates are not all acknowledged.
    pub tasks: BTreeMap<TaskId, TaskRecord>,
    /// Whether it was torn down and only waits for its executors to end.
    pub torn_down: bool,
}

/// One run of an executor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExecutorRecord {
    /// Its description.
    pub info: Arc<ExecutorInfo>,
    /// Its run.
    pub container_id: ContainerId,
    /// Whether it is the agent's own command executor.
    pub command: bool,
    /// Whether it was told to end.
    pub terminating: bool,
}

/// A kill that is not done yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KillRecord {
    /// Between SIGTERM and SIGKILL, if the scheduler said.
    pub grace: Option<Duration>,
}

/// A task that the agent was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Launched {
    /// Its description.
    pub info: Arc<TaskInfo>,
    /// What runs it.
    pub executor_id: ExecutorId,
    /// The first task of its group, if it is of one.
    pub group: Option<TaskId>,
    /// Its place in the order of launches.
    pub order: u64,
}

/// One task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskRecord {
    /// `None` for a task that the agent never had, or refused, and only gives notice of.
    pub launched: Option<Launched>,
    /// Set once it is to end.
    pub kill: Option<KillRecord>,
    /// Its updates.
    pub updates: Stream,
}

impl TaskRecord {
    /// Whether the task may still run.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.updates.latest().is_terminal()
    }
}

impl Checkpoint {
    /// The state after these writes. What follows a torn end is not given to it.
    #[must_use]
    pub fn replay(writes: &[Write]) -> Checkpoint {
        let mut checkpoint = Checkpoint::default();
        for write in writes {
            checkpoint.apply(write);
        }
        checkpoint
    }

    /// Applies one write. A write about something unknown changes nothing.
    pub fn apply(&mut self, write: &Write) {
        match write {
            Write::Started {
                run,
                boot_id,
                nonce,
                info,
            } => {
                self.run = *run;
                self.boot_id.clone_from(boot_id);
                self.nonce = Some(*nonce);
                self.info = Some(Arc::clone(info));
                // A cut between a framework's first write and its first task leaves it idle.
                let used = |f: &FrameworkRecord| !f.executors.is_empty() || !f.tasks.is_empty();
                self.frameworks.retain(|_, framework| used(framework));
            }
            Write::Registered { agent_id, ballot } => {
                self.agent_id = Some(agent_id.clone());
                self.ballot = self.ballot.max(*ballot);
            }
            Write::Retired => {
                *self = Checkpoint {
                    run: self.run,
                    kept: core::mem::take(&mut self.kept),
                    ..Checkpoint::default()
                };
            }
            Write::Snapshot(snapshot) => *self = Checkpoint::clone(snapshot),
            Write::OperationSettled { report, kept } => {
                self.operations.insert(report.uuid, Arc::clone(report));
                self.kept = kept.clone();
            }
            Write::OperationAcknowledged { uuid } => {
                self.operations.remove(uuid);
            }
            Write::ExecutorLaunched {
                executor,
                container_id,
                command,
            } => {
                let record = ExecutorRecord {
                    info: Arc::clone(executor),
                    container_id: container_id.clone(),
                    command: *command,
                    terminating: false,
                };
                self.framework_mut(&executor.framework_id)
                    .executors
                    .insert(executor.executor_id.clone(), record);
            }
            Write::FrameworkSeen { framework_id, info } => {
                self.framework_mut(framework_id).info = Some(Arc::clone(info));
            }
            Write::TaskLaunched { .. }
            | Write::KillRequested { .. }
            | Write::UpdateReceived { .. }
            | Write::UpdateAcknowledged { .. } => self.apply_to_task(write),
            Write::ExecutorTerminating { .. }
            | Write::ExecutorExited { .. }
            | Write::FrameworkTornDown { .. } => self.apply_to_framework(write),
        }
    }

    fn apply_to_task(&mut self, write: &Write) {
        match write {
            Write::TaskLaunched {
                framework_id,
                task,
                executor_id,
                group,
            } => {
                self.launches += 1;
                let launched = Launched {
                    info: Arc::clone(task),
                    executor_id: executor_id.clone(),
                    group: group.clone(),
                    order: self.launches,
                };
                let record = TaskRecord {
                    launched: Some(launched),
                    ..TaskRecord::default()
                };
                self.framework_mut(framework_id)
                    .tasks
                    .insert(task.task_id.clone(), record);
            }
            Write::KillRequested {
                framework_id,
                task_id,
                grace,
            } => {
                if let Some(task) = self.task_mut(framework_id, task_id) {
                    task.kill = Some(KillRecord { grace: *grace });
                }
            }
            Write::UpdateReceived {
                framework_id,
                status,
            } => {
                let tasks = &mut self.framework_mut(framework_id).tasks;
                let task = tasks.entry(status.task_id.clone()).or_default();
                let verdict = task.updates.receive(status);
                debug_assert_eq!(verdict, Verdict::New, "judged before it was written");
            }
            Write::UpdateAcknowledged {
                framework_id,
                task_id,
                update_id,
            } => {
                let ended = self
                    .task_mut(framework_id, task_id)
                    .map(|task| task.updates.acknowledge(*update_id));
                if ended == Some(Acknowledged::Ended) {
                    self.framework_mut(framework_id).tasks.remove(task_id);
                    self.forget_idle(framework_id);
                }
            }
            _ => unreachable!("not about a task"),
        }
    }

    fn apply_to_framework(&mut self, write: &Write) {
        let (Write::ExecutorTerminating { framework_id, .. }
        | Write::ExecutorExited { framework_id, .. }
        | Write::FrameworkTornDown { framework_id }) = write
        else {
            unreachable!("not about a framework")
        };
        let Some(framework) = self.frameworks.get_mut(framework_id) else {
            return;
        };
        match write {
            Write::ExecutorTerminating { executor_id, .. } => {
                if let Some(executor) = framework.executors.get_mut(executor_id) {
                    executor.terminating = true;
                }
            }
            Write::ExecutorExited { executor_id, .. } => {
                framework.executors.remove(executor_id);
            }
            _ => {
                framework.torn_down = true;
                framework.tasks.clear();
            }
        }
        self.forget_idle(framework_id);
    }

    /// A framework with nothing left here is forgotten.
    fn forget_idle(&mut self, framework_id: &FrameworkId) {
        let idle = self
            .frameworks
            .get(framework_id)
            .is_some_and(|f| f.executors.is_empty() && f.tasks.is_empty());
        if idle {
            self.frameworks.remove(framework_id);
        }
    }

    fn framework_mut(&mut self, framework_id: &FrameworkId) -> &mut FrameworkRecord {
        self.frameworks.entry(framework_id.clone()).or_default()
    }

    fn task_mut(&mut self, framework: &FrameworkId, task: &TaskId) -> Option<&mut TaskRecord> {
        self.frameworks.get_mut(framework)?.tasks.get_mut(task)
    }

    /// One task.
    #[must_use]
    pub fn task(&self, framework: &FrameworkId, task: &TaskId) -> Option<&TaskRecord> {
        self.frameworks.get(framework)?.tasks.get(task)
    }

    /// One executor.
    #[must_use]
    pub fn executor(
        &self,
        framework: &FrameworkId,
        executor: &ExecutorId,
    ) -> Option<&ExecutorRecord> {
        self.frameworks.get(framework)?.executors.get(executor)
    }

    /// All tasks, by framework and id.
    pub fn tasks(&self) -> impl Iterator<Item = (&FrameworkId, &TaskId, &TaskRecord)> {
        self.frameworks
            .iter()
            .flat_map(|(framework_id, framework)| {
                framework
                    .tasks
                    .iter()
                    .map(move |(task_id, task)| (framework_id, task_id, task))
            })
    }

    /// All executors, by framework and id.
    pub fn executors(&self) -> impl Iterator<Item = (&FrameworkId, &ExecutorId, &ExecutorRecord)> {
        self.frameworks
            .iter()
            .flat_map(|(framework_id, framework)| {
                framework
                    .executors
                    .iter()
                    .map(move |(executor_id, executor)| (framework_id, executor_id, executor))
            })
    }

    /// The live tasks of one executor, in the order of their launch.
    #[must_use]
    pub fn live_tasks_of(&self, framework: &FrameworkId, executor: &ExecutorId) -> Vec<TaskId> {
        let Some(record) = self.frameworks.get(framework) else {
            return Vec::new();
        };
        let mut live: Vec<_> = record
            .tasks
            .iter()
            .filter(|(_, task)| task.is_live())
            .filter_map(|(task_id, task)| Some((task.launched.as_ref()?, task_id)))
            .filter(|(launched, _)| launched.executor_id == *executor)
            .map(|(launched, task_id)| (launched.order, task_id.clone()))
            .collect();
        live.sort();
        live.into_iter().map(|(_, task_id)| task_id).collect()
    }
}

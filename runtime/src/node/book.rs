//! What people and tools ask of an agent, kept beside the machine: all that runs here, and what
//! ran here before, within bounds.
//!
//! It is a fold over the agent's own journal, so that it is true after a restart as well, and
//! readers never wait for the machine nor make it wait.

use crate::mesos::protobuf;
use crate::mesos::v1::{self, executor_info::Type};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tepui_core::agent::Write;
use tepui_core::ids::{AgentId, ContainerId, ExecutorId, FrameworkId, TaskId};
use tepui_core::model::{AgentInfo, ExecutorInfo, FrameworkInfo, TaskInfo, TaskState, TaskStatus};

mod counts;

pub use counts::Counts;

/// How many frameworks that are over are remembered, as in Mesos.
const COMPLETED_FRAMEWORKS_MAX: usize = 50;

/// How many executors that are over are remembered of each framework, as in Mesos.
const COMPLETED_EXECUTORS_MAX: usize = 150;

/// How many tasks that are over are remembered of each executor, as in Mesos.
const COMPLETED_TASKS_MAX: usize = 200;

/// One task.
#[derive(Clone, Debug)]
pub struct TaskEntry {
    /// Its description.
    pub info: Arc<TaskInfo>,
    /// What was said of it, oldest first; of several that say the same state only the last.
    pub statuses: Vec<Arc<TaskStatus>>,
    /// How many statuses came.
    received: usize,
    /// How many of those the scheduler has.
    acknowledged: usize,
}

impl TaskEntry {
    /// Its newest state.
    #[must_use]
    pub fn state(&self) -> TaskState {
        let newest = self.statuses.last();
        newest.map_or(TaskState::Staging, |status| status.state)
    }

    /// Whether the scheduler knows of its end.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.state().is_terminal() && self.acknowledged >= self.received
    }
}

/// One run of an executor.
#[derive(Clone, Debug)]
pub struct ExecutorEntry {
    /// Its description.
    pub info: Arc<ExecutorInfo>,
    /// Its run.
    pub container_id: ContainerId,
    /// Whether it is the agent's own command executor.
    pub command: bool,
    /// What kind of executor it says it is.
    pub kind: Option<Type>,
    /// Its first process, if that was seen.
    pub pid: Option<u32>,
    /// Whether it ever listened: until then its tasks wait.
    pub subscribed: bool,
    /// Whether it was told to end.
    pub terminating: bool,
    /// Its tasks, in the order of their ids.
    pub tasks: BTreeMap<TaskId, TaskEntry>,
    /// Tasks that are over and acknowledged, oldest first.
    pub completed_tasks: VecDeque<TaskEntry>,
}

/// One framework.
#[derive(Clone, Debug, Default)]
pub struct FrameworkEntry {
    /// Its description, if it was told.
    pub info: Option<Arc<FrameworkInfo>>,
    /// Executors that run.
    pub executors: BTreeMap<ExecutorId, ExecutorEntry>,
    /// Executors that are over, oldest first.
    pub completed_executors: VecDeque<ExecutorEntry>,
}

/// All of it.
#[derive(Clone, Debug)]
pub struct Book {
    /// The agent's id, once it has one.
    pub agent_id: Option<AgentId>,
    /// How it describes itself.
    pub info: Option<Arc<AgentInfo>>,
    /// Whether a leader holds it registered.
    pub registered: bool,
    /// Frameworks that have something here.
    pub frameworks: BTreeMap<FrameworkId, FrameworkEntry>,
    /// Frameworks that had something here, oldest first.
    pub completed_frameworks: VecDeque<(FrameworkId, FrameworkEntry)>,
    /// Whose living containers they are.
    containers: BTreeMap<ContainerId, (FrameworkId, ExecutorId)>,
    /// What was counted since the process began.
    pub counts: Counts,
    /// When the process began.
    pub started_at: SystemTime,
}

impl Default for Book {
    fn default() -> Book {
        Book {
            agent_id: None,
            info: None,
            registered: false,
            frameworks: BTreeMap::new(),
            completed_frameworks: VecDeque::new(),
            containers: BTreeMap::new(),
            counts: Counts::default(),
            started_at: SystemTime::now(),
        }
    }
}

/// The book as its writer and its readers share it.
#[derive(Clone, Debug, Default)]
pub struct SharedBook {
    book: Arc<Mutex<Book>>,
}

impl SharedBook {
    /// Reads or changes it. Nothing that waits belongs under this lock.
    pub fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// What a journal says.
    #[must_use]
    pub fn replay(writes: &[Write]) -> Book {
        let mut book = Book::default();
        for write in writes {
            book.apply(write);
        }
        // What an earlier process counted is not this one's.
        book.counts = Counts::default();
        book
    }

    /// Takes in one write.
    pub fn apply(&mut self, write: &Write) {
        self.counts.apply(write);
        match write {
            Write::Started { info, .. } => self.info = Some(Arc::clone(info)),
            Write::Registered { agent_id, .. } => self.agent_id = Some(agent_id.clone()),
            Write::FrameworkSeen { framework_id, info } => {
                self.framework(framework_id).info = Some(Arc::clone(info));
            }
            Write::ExecutorLaunched {
                executor,
                container_id,
                command,
            } => self.open_executor(executor, container_id, *command),
            Write::TaskLaunched {
                framework_id,
                task,
                executor_id,
                ..
            } => self.open_task(framework_id, executor_id, task),
            Write::UpdateReceived {
                framework_id,
                status,
            } => self.add_status(framework_id, status),
            Write::UpdateAcknowledged {
                framework_id,
                task_id,
                ..
            } => self.acknowledge(framework_id, task_id),
            Write::ExecutorTerminating {
                framework_id,
                executor_id,
            } => {
                if let Some(executor) = self.executor_mut(framework_id, executor_id) {
                    executor.terminating = true;
                }
            }
            Write::ExecutorExited {
                framework_id,
                executor_id,
            } => self.close_executor(framework_id, executor_id),
            Write::FrameworkTornDown { framework_id } => self.close_if_idle(framework_id),
            Write::Snapshot(checkpoint) => self.take_snapshot(checkpoint),
            Write::Retired => {
                self.agent_id = None;
                self.frameworks.clear();
            }
            _ => {}
        }
    }

    /// A container's first process was seen.
    pub fn set_pid(&mut self, container_id: &ContainerId, pid: u32) {
        let Some((framework_id, executor_id)) = self.containers.get(container_id).cloned() else {
            return;
        };
        if let Some(executor) = self.executor_mut(&framework_id, &executor_id) {
            executor.pid = Some(pid);
        }
    }

    /// An executor listens.
    pub fn set_subscribed(&mut self, f: &FrameworkId, e: &ExecutorId) {
        if let Some(executor) = self.executor_mut(f, e) {
            executor.subscribed = true;
        }
    }

    /// One living executor.
    #[must_use]
    pub fn executor(&self, f: &FrameworkId, e: &ExecutorId) -> Option<&ExecutorEntry> {
        self.frameworks.get(f)?.executors.get(e)
    }

    fn executor_mut(&mut self, f: &FrameworkId, e: &ExecutorId) -> Option<&mut ExecutorEntry> {
        self.frameworks.get_mut(f)?.executors.get_mut(e)
    }

    fn framework(&mut self, id: &FrameworkId) -> &mut FrameworkEntry {
        if !self.frameworks.contains_key(id) {
            // One that comes back goes on where it was.
            let before = self
                .completed_frameworks
                .iter()
                .position(|(old, _)| old == id);
            let entry = before.and_then(|at| self.completed_frameworks.remove(at));
            let entry = entry.map(|(_, entry)| entry).unwrap_or_default();
            self.frameworks.insert(id.clone(), entry);
        }
        self.frameworks.entry(id.clone()).or_default()
    }

    fn open_executor(
        &mut self,
        executor: &Arc<ExecutorInfo>,
        container_id: &ContainerId,
        command: bool,
    ) {
        let described: v1::ExecutorInfo = protobuf::decode(&executor.verbatim).unwrap_or_default();
        let entry = ExecutorEntry {
            kind: described.r#type,
            info: Arc::clone(executor),
            container_id: container_id.clone(),
            command,
            pid: None,
            subscribed: false,
            terminating: false,
            tasks: BTreeMap::new(),
            completed_tasks: VecDeque::new(),
        };
        let whose = (executor.framework_id.clone(), executor.executor_id.clone());
        self.containers.insert(container_id.clone(), whose);
        self.framework(&executor.framework_id)
            .executors
            .insert(executor.executor_id.clone(), entry);
    }

    fn open_task(&mut self, f: &FrameworkId, e: &ExecutorId, task: &Arc<TaskInfo>) {
        let entry = TaskEntry {
            info: Arc::clone(task),
            statuses: Vec::new(),
            received: 0,
            acknowledged: 0,
        };
        if let Some(executor) = self.executor_mut(f, e) {
            executor.tasks.insert(task.task_id.clone(), entry);
        }
    }

    fn add_status(&mut self, framework_id: &FrameworkId, status: &Arc<TaskStatus>) {
        let named = status.executor_id.as_ref();
        let executor = self.executor_of(framework_id, named, &status.task_id);
        let Some(task) = executor.and_then(|e| e.tasks.get_mut(&status.task_id)) else {
            return;
        };
        if task.state() == status.state {
            task.statuses.pop();
        }
        task.statuses.push(Arc::clone(status));
        task.received += 1;
    }

    fn acknowledge(&mut self, framework_id: &FrameworkId, task_id: &TaskId) {
        let Some(executor) = self.executor_of(framework_id, None, task_id) else {
            return;
        };
        if let Some(task) = executor.tasks.get_mut(task_id) {
            task.acknowledged += 1;
        }
        executor.complete(task_id);
    }

    /// The executor that has this task: a living one, or one that is over while its last updates
    /// are not.
    fn executor_of(
        &mut self,
        framework_id: &FrameworkId,
        named: Option<&ExecutorId>,
        task_id: &TaskId,
    ) -> Option<&mut ExecutorEntry> {
        let framework = match self.frameworks.get_mut(framework_id) {
            Some(framework) => framework,
            None => {
                let mut over = self.completed_frameworks.iter_mut();
                &mut over.find(|(id, _)| id == framework_id)?.1
            }
        };
        // A command task's executor has the task's name: nobody has to look through thousands.
        let named = named
            .cloned()
            .or_else(|| ExecutorId::new(task_id.as_str()).ok())?;
        let has = |executor: &ExecutorEntry| executor.tasks.contains_key(task_id);
        if framework.executors.get(&named).is_some_and(has) {
            return framework.executors.get_mut(&named);
        }
        let living = framework.executors.values_mut();
        let over = framework.completed_executors.iter_mut().rev();
        living.chain(over).find(|executor| has(executor))
    }

    fn close_executor(&mut self, framework_id: &FrameworkId, executor_id: &ExecutorId) {
        let Some(framework) = self.frameworks.get_mut(framework_id) else {
            return;
        };
        if let Some(executor) = framework.executors.remove(executor_id) {
            self.containers.remove(&executor.container_id);
            push_within(
                &mut framework.completed_executors,
                executor,
                COMPLETED_EXECUTORS_MAX,
            );
        }
        self.close_if_idle(framework_id);
    }

    fn close_if_idle(&mut self, framework_id: &FrameworkId) {
        let idle = |framework: &FrameworkEntry| framework.executors.is_empty();
        if !self.frameworks.get(framework_id).is_some_and(idle) {
            return;
        }
        if let Some(framework) = self.frameworks.remove(framework_id) {
            let over = (framework_id.clone(), framework);
            push_within(
                &mut self.completed_frameworks,
                over,
                COMPLETED_FRAMEWORKS_MAX,
            );
        }
    }

    /// A snapshot in a journal that is read from its start stands for all before it.
    fn take_snapshot(&mut self, checkpoint: &tepui_core::agent::Checkpoint) {
        if !self.frameworks.is_empty() || self.agent_id.is_some() {
            return;
        }
        self.agent_id.clone_from(&checkpoint.agent_id);
        self.info.clone_from(&checkpoint.info);
        for (framework_id, framework) in &checkpoint.frameworks {
            self.framework(framework_id)
                .info
                .clone_from(&framework.info);
            for executor in framework.executors.values() {
                self.open_executor(&executor.info, &executor.container_id, executor.command);
            }
            for task in framework.tasks.values() {
                if let Some(launched) = &task.launched {
                    self.open_task(framework_id, &launched.executor_id, &launched.info);
                    for status in task.updates.pending() {
                        self.add_status(framework_id, status);
                    }
                }
            }
        }
    }
}

impl ExecutorEntry {
    /// Moves a task that is over, and known to be, to those.
    fn complete(&mut self, task_id: &TaskId) {
        if !self.tasks.get(task_id).is_some_and(TaskEntry::is_completed) {
            return;
        }
        if let Some(task) = self.tasks.remove(task_id) {
            push_within(&mut self.completed_tasks, task, COMPLETED_TASKS_MAX);
        }
    }
}

fn push_within<T>(list: &mut VecDeque<T>, item: T, most: usize) {
    list.push_back(item);
    if list.len() > most {
        list.pop_front();
    }
}

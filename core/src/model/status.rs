use super::TaskState;
use crate::ids::{AgentId, ExecutorId, FrameworkId, TaskId, UpdateId};
use crate::time::Wall;
use alloc::string::String;
use alloc::sync::Arc;
use serde::{Deserialize, Serialize};

/// Who said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// The master.
    Master,
    /// The agent.
    Agent,
    /// The executor.
    Executor,
}

/// Why, with Mesos' names (`REASON_` and the variant in capitals).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Reason {
    /// The agent is not connected.
    AgentDisconnected,
    /// The agent was removed.
    AgentRemoved,
    /// An operator removed the agent.
    AgentRemovedByOperator,
    /// The agent came back.
    AgentReregistered,
    /// The agent restarted.
    AgentRestarted,
    /// The agent does not know the task's host.
    AgentUnknown,
    /// The command executor could not run the command.
    CommandExecutorFailed,
    /// The container could not be started.
    ContainerLaunchFailed,
    /// The executor never registered.
    ExecutorRegistrationTimeout,
    /// The executor did not come back after the agent's restart.
    ExecutorReregistrationTimeout,
    /// The executor ended.
    ExecutorTerminated,
    /// The executor is gone or refuses.
    ExecutorUnregistered,
    /// The framework was torn down.
    FrameworkRemoved,
    /// The offer was not valid any more.
    InvalidOffers,
    /// Killed before it was launched.
    TaskKilledDuringLaunch,
    /// An answer to a reconciliation.
    Reconciliation,
    /// More was asked for than there is.
    ResourcesUnknown,
    /// Its description was wrong.
    TaskInvalid,
    /// Not allowed.
    TaskUnauthorized,
    /// The agent does not know it.
    TaskUnknown,
    /// The master failed over before it heard of it.
    MasterDisconnected,
}

/// What is said of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskStatus {
    /// Which task.
    pub task_id: TaskId,
    /// Its state.
    pub state: TaskState,
    /// Who said so.
    pub source: Source,
    /// Why.
    pub reason: Option<Reason>,
    /// For people.
    pub message: String,
    /// Where it runs.
    pub agent_id: Option<AgentId>,
    /// What runs it.
    pub executor_id: Option<ExecutorId>,
    /// When it was said.
    pub timestamp: Wall,
    /// Names the update, to be acknowledged; `None` for answers and for what a master makes up,
    /// which nobody acknowledges.
    pub update_id: Option<UpdateId>,
    /// Whether its health check passes, if it has one.
    pub healthy: Option<bool>,
    /// From the executor to the scheduler, unread.
    #[serde(with = "crate::wire::bytes")]
    pub data: Arc<[u8]>,
    /// Since when its agent is unreachable.
    pub unreachable_at: Option<Wall>,
}

/// A status on its way from an agent to a scheduler.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatusUpdate {
    /// Whose task.
    pub framework_id: FrameworkId,
    /// What is said.
    pub status: Arc<TaskStatus>,
    /// The task's newest state on the agent, which may be ahead of `status`, the oldest that
    /// nobody acknowledged yet.
    pub latest_state: TaskState,
}

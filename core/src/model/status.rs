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
    /// The container used more than it may.
    ContainerLimitation,
    /// The container used more disk than it may.
    ContainerLimitationDisk,
    /// The container used more memory than it may.
    ContainerLimitationMemory,
    /// The container made way for another.
    ContainerPreempted,
    /// The container could not be given its new resources.
    ContainerUpdateFailed,
    /// The task took longer than it may.
    MaxCompletionTimeReached,
    /// Old sandboxes could not be cleared away.
    GcError,
    /// The framework's id was wrong.
    InvalidFrameworkId,
    /// What carries the container's input and output ended.
    IoSwitchboardExited,
    /// The agent is being drained.
    AgentDraining,
    /// The result of the task's check changed.
    TaskCheckStatusUpdated,
    /// The result of the task's health check changed.
    TaskHealthCheckStatusUpdated,
    /// The description of its task group was wrong.
    TaskGroupInvalid,
    /// Its task group is not allowed.
    TaskGroupUnauthorized,
}

impl Reason {
    /// All of them, in the order of the declaration.
    pub const ALL: [Reason; 35] = {
        use Reason as R;
        [
            R::AgentDisconnected,
            R::AgentRemoved,
            R::AgentRemovedByOperator,
            R::AgentReregistered,
            R::AgentRestarted,
            R::AgentUnknown,
            R::CommandExecutorFailed,
            R::ContainerLaunchFailed,
            R::ExecutorRegistrationTimeout,
            R::ExecutorReregistrationTimeout,
            R::ExecutorTerminated,
            R::ExecutorUnregistered,
            R::FrameworkRemoved,
            R::InvalidOffers,
            R::TaskKilledDuringLaunch,
            R::Reconciliation,
            R::ResourcesUnknown,
            R::TaskInvalid,
            R::TaskUnauthorized,
            R::TaskUnknown,
            R::MasterDisconnected,
            R::ContainerLimitation,
            R::ContainerLimitationDisk,
            R::ContainerLimitationMemory,
            R::ContainerPreempted,
            R::ContainerUpdateFailed,
            R::MaxCompletionTimeReached,
            R::GcError,
            R::InvalidFrameworkId,
            R::IoSwitchboardExited,
            R::AgentDraining,
            R::TaskCheckStatusUpdated,
            R::TaskHealthCheckStatusUpdated,
            R::TaskGroupInvalid,
            R::TaskGroupUnauthorized,
        ]
    };

    /// Mesos' v1 name, such as `REASON_TASK_INVALID`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        use Reason as R;
        match self {
            R::AgentDisconnected => "REASON_AGENT_DISCONNECTED",
            R::AgentRemoved => "REASON_AGENT_REMOVED",
            R::AgentRemovedByOperator => "REASON_AGENT_REMOVED_BY_OPERATOR",
            R::AgentReregistered => "REASON_AGENT_REREGISTERED",
            R::AgentRestarted => "REASON_AGENT_RESTARTED",
            R::AgentUnknown => "REASON_AGENT_UNKNOWN",
            R::CommandExecutorFailed => "REASON_COMMAND_EXECUTOR_FAILED",
            R::ContainerLaunchFailed => "REASON_CONTAINER_LAUNCH_FAILED",
            R::ExecutorRegistrationTimeout => "REASON_EXECUTOR_REGISTRATION_TIMEOUT",
            R::ExecutorReregistrationTimeout => "REASON_EXECUTOR_REREGISTRATION_TIMEOUT",
            R::ExecutorTerminated => "REASON_EXECUTOR_TERMINATED",
            R::ExecutorUnregistered => "REASON_EXECUTOR_UNREGISTERED",
            R::FrameworkRemoved => "REASON_FRAMEWORK_REMOVED",
            R::InvalidOffers => "REASON_INVALID_OFFERS",
            R::TaskKilledDuringLaunch => "REASON_TASK_KILLED_DURING_LAUNCH",
            R::Reconciliation => "REASON_RECONCILIATION",
            R::ResourcesUnknown => "REASON_RESOURCES_UNKNOWN",
            R::TaskInvalid => "REASON_TASK_INVALID",
            R::TaskUnauthorized => "REASON_TASK_UNAUTHORIZED",
            R::TaskUnknown => "REASON_TASK_UNKNOWN",
            R::MasterDisconnected => "REASON_MASTER_DISCONNECTED",
            R::ContainerLimitation => "REASON_CONTAINER_LIMITATION",
            R::ContainerLimitationDisk => "REASON_CONTAINER_LIMITATION_DISK",
            R::ContainerLimitationMemory => "REASON_CONTAINER_LIMITATION_MEMORY",
            R::ContainerPreempted => "REASON_CONTAINER_PREEMPTED",
            R::ContainerUpdateFailed => "REASON_CONTAINER_UPDATE_FAILED",
            R::MaxCompletionTimeReached => "REASON_MAX_COMPLETION_TIME_REACHED",
            R::GcError => "REASON_GC_ERROR",
            R::InvalidFrameworkId => "REASON_INVALID_FRAMEWORKID",
            R::IoSwitchboardExited => "REASON_IO_SWITCHBOARD_EXITED",
            R::AgentDraining => "REASON_AGENT_DRAINING",
            R::TaskCheckStatusUpdated => "REASON_TASK_CHECK_STATUS_UPDATED",
            R::TaskHealthCheckStatusUpdated => "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED",
            R::TaskGroupInvalid => "REASON_TASK_GROUP_INVALID",
            R::TaskGroupUnauthorized => "REASON_TASK_GROUP_UNAUTHORIZED",
        }
    }
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
    /// The status as its sender wrote it (Mesos' v1 protobuf form), unread by the core: labels,
    /// the state of the container, of a check and of a limit are in here. Empty if there is none.
    #[serde(with = "crate::wire::bytes")]
    pub verbatim: Arc<[u8]>,
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

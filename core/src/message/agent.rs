//! Between an agent and the leading master, over a connection that the agent opened.
//!
//! Messages of one connection arrive in order; they may stop arriving at any point. The agent
//! obeys only the connection through which it registered last, and never goes back to a leader of
//! a lower ballot than one it registered with before (MESOS-858).

use crate::ids::{AgentId, ExecutorId, FrameworkId, OperationId, OperationUuid, TaskId, UpdateId};
use crate::log::Ballot;
use crate::model::{
    AgentInfo, DrainConfig, ExecutorInfo, FrameworkInfo, MasterInfo, OperationStatus,
    ResourceOperation, StatusUpdate, TaskInfo, TaskState,
};
use crate::resources::Resources;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// A task as the agent that runs it reports it on re-registration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskReport {
    /// Whose.
    pub framework_id: FrameworkId,
    /// Its description.
    pub info: Arc<TaskInfo>,
    /// The state of the oldest update that nobody acknowledged, or the newest state.
    pub state: TaskState,
    /// That update's id, if one waits.
    pub unacknowledged: Option<UpdateId>,
    /// Its newest state.
    pub latest_state: TaskState,
}

/// An operation on resources, as the agent that did it, or could not, tells of it until that is
/// acknowledged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OperationReport {
    /// Which.
    pub uuid: OperationUuid,
    /// Whose; `None` for an operator's.
    pub framework_id: Option<FrameworkId>,
    /// What was to be done.
    pub operation: Arc<ResourceOperation>,
    /// How it went, under the framework's name for it if it has one.
    pub status: OperationStatus,
}

/// Numbers the runs of an agent's process: a later run supersedes an earlier one (MESOS-7187).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct AgentRun(pub u64);

/// All that a new leader needs to know of an agent that it finds already admitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reregistration {
    /// With its id.
    pub info: Arc<AgentInfo>,
    /// Which run of the agent's process speaks.
    pub run: AgentRun,
    /// Every task that is not over, and those whose last update nobody acknowledged.
    pub tasks: Vec<TaskReport>,
    /// Its executors, command executors left out.
    pub executors: Vec<Arc<ExecutorInfo>>,
    /// The frameworks of those, so that a new leader can answer before they return.
    pub frameworks: Vec<Arc<FrameworkInfo>>,
    /// What of its resources came to be at run time: reservations and volumes.
    pub kept: Resources,
    /// Operations of whose outcome nobody has acknowledged to hear.
    pub operations: Vec<Arc<OperationReport>>,
}

/// From the agent to a master.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToMaster {
    /// A new agent asks to be admitted.
    Register {
        /// Without an id.
        info: Arc<AgentInfo>,
        /// Which run of the agent's process asks; with `nonce`, names this first registration, so
        /// that a duplicate gets the same id (exactly one admission).
        run: AgentRun,
        /// Drawn once by the agent and kept until it is admitted.
        nonce: u64,
        /// Reservations and volumes that outlived an earlier life of the agent.
        kept: Resources,
    },
    /// An agent that has an id is back.
    Reregister(Arc<Reregistration>),
    /// The answer to a ping.
    Pong,
    /// Something is said of a task.
    Update(StatusUpdate),
    /// From an executor to its scheduler, unread.
    ExecutorMessage {
        /// Whose.
        framework_id: FrameworkId,
        /// From which executor.
        executor_id: ExecutorId,
        /// What.
        #[serde(with = "crate::wire::bytes")]
        data: Arc<[u8]>,
    },
    /// An executor ended.
    ExecutorExited {
        /// Whose.
        framework_id: FrameworkId,
        /// Which.
        executor_id: ExecutorId,
        /// Its wait status: exit code, or 128 + signal.
        status: i32,
    },
    /// The agent is being shut down for good by its operator.
    Unregister,
    /// How an operation on its resources went.
    Operation(Arc<OperationReport>),
}

/// From a master to the agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToAgent {
    /// This master does not lead.
    NotLeading {
        /// Who does, if known.
        leader: Option<MasterInfo>,
    },
    /// Admitted, durably.
    Registered {
        /// The new id; the same as before when the registration was a duplicate.
        agent_id: AgentId,
        /// The leader's ballot, for the agent to tell old leaders from new ones.
        ballot: Ballot,
        /// How long without a ping until the agent looks for the master again.
        ping_timeout: Duration,
    },
    /// Taken back, durably where the registry had to change.
    Reregistered {
        /// The leader's ballot.
        ballot: Ballot,
        /// How long without a ping until the agent looks for the master again.
        ping_timeout: Duration,
        /// Tasks that the master knows on this agent but that the agent did not report; the
        /// agent decides (a launch may still be under way) and answers with updates.
        reconcile: Vec<(FrameworkId, TaskId)>,
    },
    /// Are you there?
    Ping {
        /// Whether the master holds the agent registered; if not, it must register again.
        registered: bool,
    },
    /// Run these, in order; all of one framework, each list of one executor.
    Run {
        /// Whose.
        framework: Arc<FrameworkInfo>,
        /// What. More than one is a task group only if `group`.
        tasks: Vec<Arc<TaskInfo>>,
        /// Whether they start and end together.
        group: bool,
    },
    /// End this task.
    Kill {
        /// Whose.
        framework_id: FrameworkId,
        /// Which.
        task_id: TaskId,
        /// Overrides the task's own grace period.
        grace: Option<Duration>,
    },
    /// End this executor and its tasks.
    ShutdownExecutor {
        /// Whose.
        framework_id: FrameworkId,
        /// Which.
        executor_id: ExecutorId,
    },
    /// End everything of this framework and forget its updates: it was torn down.
    ShutdownFramework {
        /// Which.
        framework_id: FrameworkId,
    },
    /// The framework's description changed, or its scheduler failed over.
    UpdateFramework {
        /// The new one.
        framework: Arc<FrameworkInfo>,
    },
    /// The scheduler has this update.
    Acknowledge {
        /// Whose.
        framework_id: FrameworkId,
        /// Which task.
        task_id: TaskId,
        /// Which update.
        update_id: UpdateId,
    },
    /// From a scheduler to its executor, unread.
    FrameworkMessage {
        /// Whose.
        framework_id: FrameworkId,
        /// To which executor.
        executor_id: ExecutorId,
        /// What.
        #[serde(with = "crate::wire::bytes")]
        data: Arc<[u8]>,
    },
    /// End everything and stop: the agent was removed for good.
    Shutdown {
        /// Why.
        message: String,
    },
    /// End all tasks: the agent is being drained. Said again whenever it returns.
    Drain {
        /// How.
        config: DrainConfig,
    },
    /// Make of these resources something else.
    Operate {
        /// Names it for masters and the agent.
        uuid: OperationUuid,
        /// The framework's name for it.
        operation_id: Option<OperationId>,
        /// Whose; `None` for an operator's.
        framework_id: Option<FrameworkId>,
        /// What is to be done.
        operation: Arc<ResourceOperation>,
    },
    /// The outcome of an operation was heard.
    AcknowledgeOperation {
        /// Which operation.
        uuid: OperationUuid,
        /// Which word of it.
        update_id: UpdateId,
    },
}

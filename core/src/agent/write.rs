use super::Checkpoint;
use crate::ids::{AgentId, ContainerId, ExecutorId, FrameworkId, OperationUuid, TaskId, UpdateId};
use crate::log::Ballot;
use crate::message::agent::{AgentRun, OperationReport};
use crate::model::{AgentInfo, ExecutorInfo, FrameworkInfo, TaskInfo, TaskStatus};
use crate::resources::Resources;
use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// One record of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Write {
    /// The process began.
    Started {
        /// Which run of it.
        run: AgentRun,
        /// Which boot of the host.
        boot_id: String,
        /// Names the first registration.
        nonce: u64,
        /// How the agent describes itself now.
        info: Arc<AgentInfo>,
    },
    /// A leader took the agent.
    Registered {
        /// Under which id.
        agent_id: AgentId,
        /// Which leader; one with a lower ballot is never obeyed again.
        ballot: Ballot,
    },
    /// A framework that has something here, or its new description.
    FrameworkSeen {
        /// Which.
        framework_id: FrameworkId,
        /// How it describes itself.
        info: Arc<FrameworkInfo>,
    },
    /// An executor is to be started.
    ExecutorLaunched {
        /// Which.
        executor: Arc<ExecutorInfo>,
        /// This run of it.
        container_id: ContainerId,
        /// Whether it is the agent's own command executor.
        command: bool,
    },
    /// A task was taken on.
    TaskLaunched {
        /// Whose.
        framework_id: FrameworkId,
        /// What.
        task: Arc<TaskInfo>,
        /// By which executor.
        executor_id: ExecutorId,
        /// The first task of its group, if it is of one.
        group: Option<TaskId>,
    },
    /// A task is to end.
    KillRequested {
        /// Whose.
        framework_id: FrameworkId,
        /// Which.
        task_id: TaskId,
        /// Between SIGTERM and SIGKILL, if the scheduler said.
        grace: Option<Duration>,
    },
    /// An update goes into its task's stream; also one for a task that the agent never had.
    UpdateReceived {
        /// Whose.
        framework_id: FrameworkId,
        /// What.
        status: Arc<TaskStatus>,
    },
    /// The scheduler has the update.
    UpdateAcknowledged {
        /// Whose.
        framework_id: FrameworkId,
        /// Which task.
        task_id: TaskId,
        /// Which update.
        update_id: UpdateId,
    },
    /// An executor was told to end.
    ExecutorTerminating {
        /// Whose.
        framework_id: FrameworkId,
        /// Which.
        executor_id: ExecutorId,
    },
    /// An executor's container is over.
    ExecutorExited {
        /// Whose.
        framework_id: FrameworkId,
        /// Which.
        executor_id: ExecutorId,
    },
    /// A framework was torn down: its tasks and updates are forgotten, its executors end.
    FrameworkTornDown {
        /// Which.
        framework_id: FrameworkId,
    },
    /// The agent is not what it was any more; all but the count of its runs is forgotten, and
    /// what of its resources came to be at run time: volumes hold data.
    Retired,
    /// All before this is replaced by it.
    Snapshot(Arc<Checkpoint>),
    /// An operation on its resources was done, or could not be.
    OperationSettled {
        /// What is told of it.
        report: Arc<OperationReport>,
        /// What there is now that came to be at run time.
        kept: Resources,
    },
    /// The outcome of an operation was heard.
    OperationAcknowledged {
        /// Which.
        uuid: OperationUuid,
    },
}

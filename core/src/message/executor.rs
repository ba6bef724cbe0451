//! Mesos' v1 executor API as data: calls to the agent, events from it.

use crate::ids::{ContainerId, ExecutorId, FrameworkId, TaskId, UpdateId};
use crate::model::{AgentInfo, ExecutorInfo, FrameworkInfo, TaskInfo, TaskStatus};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// From an executor to its agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToAgent {
    /// Whose executor calls.
    pub framework_id: FrameworkId,
    /// Which executor.
    pub executor_id: ExecutorId,
    /// Which run of it; from its environment. A call of an old run is refused.
    pub container_id: ContainerId,
    /// What.
    pub call: Call,
}

/// What an executor asks of its agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Call {
    /// Makes this connection the executor's event stream, first or after the agent's restart.
    Subscribe {
        /// Tasks whose launch the executor has seen but whose first update nobody acknowledged.
        unacknowledged_tasks: Vec<Arc<TaskInfo>>,
        /// Updates that nobody acknowledged, oldest first.
        unacknowledged_updates: Vec<Arc<TaskStatus>>,
    },
    /// Something is said of a task; with an update id, to be acknowledged by the agent.
    Update {
        /// What.
        status: Arc<TaskStatus>,
    },
    /// To the scheduler, unread.
    Message {
        /// What.
        #[serde(with = "crate::wire::bytes")]
        data: Arc<[u8]>,
    },
}

/// What an agent tells an executor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The first event of every stream.
    Subscribed {
        /// The executor itself.
        executor: Arc<ExecutorInfo>,
        /// Its framework.
        framework: Arc<FrameworkInfo>,
        /// Its agent.
        agent: Arc<AgentInfo>,
        /// Its run.
        container_id: ContainerId,
    },
    /// Run this.
    Launch {
        /// What.
        task: Arc<TaskInfo>,
    },
    /// Run these, which start and end together.
    LaunchGroup {
        /// What.
        tasks: Vec<Arc<TaskInfo>>,
    },
    /// End this.
    Kill {
        /// Which.
        task_id: TaskId,
        /// Overrides the task's own grace period.
        grace: Option<Duration>,
    },
    /// The agent holds this update, durably where the framework checkpoints.
    Acknowledged {
        /// Which task.
        task_id: TaskId,
        /// Which update.
        update_id: UpdateId,
    },
    /// From the scheduler, unread.
    Message {
        /// What.
        #[serde(with = "crate::wire::bytes")]
        data: Arc<[u8]>,
    },
    /// End all tasks and exit.
    Shutdown,
    /// The subscription is refused.
    Error {
        /// Why.
        message: String,
    },
    /// Still there.
    Heartbeat,
}

use super::{CheckKind, Watch};
use crate::ids::{Peer, TaskId};
use crate::message::executor;
use crate::model::TaskInfo;
use alloc::string::String;
use alloc::sync::Arc;
use serde::{Deserialize, Serialize};

/// What may happen to an executor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// The deadline came.
    Tick,
    /// The connection to the agent is open.
    Connected {
        /// Which.
        peer: Peer,
    },
    /// The connection broke, or could not be opened.
    Disconnected {
        /// Which.
        peer: Peer,
    },
    /// The agent says something.
    FromAgent {
        /// On which connection.
        peer: Peer,
        /// What.
        event: executor::Event,
    },
    /// A task's process runs.
    ProcessStarted {
        /// Which task.
        task_id: TaskId,
        /// Its process.
        pid: u32,
    },
    /// A task's process is over, or could not be started.
    ProcessExited {
        /// Which task.
        task_id: TaskId,
        /// Exit code, or 128 + signal; `None` when it never started.
        status: Option<i32>,
        /// For people.
        message: String,
    },
    /// A task that is about to start is to be watched.
    Watch {
        /// Which task.
        task_id: TaskId,
        /// How.
        watch: Watch,
    },
    /// A task was looked at.
    Checked {
        /// Which task.
        task_id: TaskId,
        /// For what.
        kind: CheckKind,
        /// Whether it is well.
        passed: bool,
        /// What was seen, as its statuses are to carry it (Mesos' v1 protobuf form).
        #[serde(with = "crate::wire::bytes")]
        seen: Arc<[u8]>,
    },
}

/// What an executor wants done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Effect {
    /// Open a connection to the agent; answered by `Connected` or `Disconnected`.
    Connect {
        /// The name of the new connection.
        peer: Peer,
    },
    /// Close a connection.
    Close {
        /// Which.
        peer: Peer,
    },
    /// Say something to the agent.
    ToAgent {
        /// On which connection.
        peer: Peer,
        /// What.
        message: executor::ToAgent,
    },
    /// Start a task's process; answered by `ProcessStarted` or `ProcessExited`.
    Start {
        /// The task.
        task: Arc<TaskInfo>,
    },
    /// Signal a task's whole process group: SIGTERM first, SIGKILL when `force`.
    Signal {
        /// Which task.
        task_id: TaskId,
        /// Whether it cannot be caught.
        force: bool,
    },
    /// Look at a task; answered by `Checked`, after the check's own time-out at the latest.
    Check {
        /// Which task.
        task_id: TaskId,
        /// For what.
        kind: CheckKind,
    },
    /// End the executor's process, once everything was sent.
    Exit,
}

use super::{Fatal, Notice, Write};
use crate::durable::WriteSequence;
use crate::ids::{AgentId, ContainerId, ExecutorId, FrameworkId, Peer};
use crate::message::{agent, executor};
use crate::model::{CommandInfo, ExecutorInfo, TaskInfo};
use crate::resources::Resources;
use alloc::string::String;
use alloc::sync::Arc;
use serde::{Deserialize, Serialize};

/// All that the driver needs to start one executor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContainerLaunch {
    /// This run.
    pub container_id: ContainerId,
    /// On which agent; for the sandbox's path and the environment.
    pub agent_id: AgentId,
    /// Whose.
    pub framework_id: FrameworkId,
    /// Which executor.
    pub executor_id: ExecutorId,
    /// What to start; `None` for the agent's own command executor.
    pub command: Option<CommandInfo>,
    /// The executor as it was described.
    pub executor: Arc<ExecutorInfo>,
    /// The task that the command executor is started for.
    pub task: Option<Arc<TaskInfo>>,
    /// The user to run as.
    pub user: String,
    /// What the container may use at first.
    pub resources: Resources,
    /// Whether the executor is to survive the agent's restart.
    pub checkpoint: bool,
}

/// What an agent wants done. `Persist` and `Notice` leave at once; everything else leaves once all
/// writes issued before it are durable, so that nobody ever sees what a power cut could undo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Effect {
    /// Open a connection to a master; answered by `Connected` or `Disconnected`.
    Connect {
        /// The name of the new connection.
        peer: Peer,
        /// `host:port`.
        address: String,
    },
    /// Close a connection; nothing more is wanted of it.
    Close {
        /// Which.
        peer: Peer,
    },
    /// Say something to a master.
    ToMaster {
        /// On which connection.
        peer: Peer,
        /// What.
        message: agent::ToMaster,
    },
    /// Say something to an executor.
    ToExecutor {
        /// On which connection.
        peer: Peer,
        /// What.
        event: executor::Event,
    },
    /// Start a container; answered by `ContainerStarted` or `ContainerExited`.
    Launch(Arc<ContainerLaunch>),
    /// Kill a container with all its processes; answered by `ContainerExited`.
    Destroy {
        /// Which.
        container_id: ContainerId,
    },
    /// Delete whatever is in these persistent volumes: they are new, or no more.
    WipeVolumes {
        /// Which.
        volumes: Resources,
    },
    /// Append to the journal; answered by `Persisted`. A `Write::Snapshot` replaces all before it.
    Persist {
        /// Its number.
        sequence: WriteSequence,
        /// What.
        write: Write,
    },
    /// Something happened.
    Notice(Notice),
    /// The agent was shut down for good and all its containers are over: end the process.
    Exit,
    /// The agent cannot go on: end the process with this error.
    Halt(Fatal),
}

use crate::durable::WriteSequence;
use crate::ids::{ContainerId, Peer};
use crate::message::{agent, executor};
use serde::{Deserialize, Serialize};

/// What may happen to an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// The deadline came.
    Tick,
    /// A connection that the agent asked for is open.
    Connected {
        /// Which.
        peer: Peer,
    },
    /// A connection broke, or could not be opened.
    Disconnected {
        /// Which.
        peer: Peer,
    },
    /// A master says something.
    FromMaster {
        /// On which connection.
        peer: Peer,
        /// What.
        message: agent::ToAgent,
    },
    /// An executor says something; its first call on a connection is a subscription.
    FromExecutor {
        /// On which connection.
        peer: Peer,
        /// What.
        message: executor::ToAgent,
    },
    /// A container runs.
    ContainerStarted {
        /// Which.
        container_id: ContainerId,
        /// Its first process, for people; recovery finds containers by their id.
        pid: u32,
    },
    /// A container is over, with all its processes; also when it could not be started.
    ContainerExited {
        /// Which.
        container_id: ContainerId,
        /// Exit code, or 128 + signal; `None` when nobody could tell or it never started.
        status: Option<i32>,
        /// For people: why it could not be started, or what ended it.
        message: alloc::string::String,
    },
    /// Writes are on disk.
    Persisted {
        /// Up to which.
        up_to: WriteSequence,
    },
    /// The operator wants the agent gone for good: end all tasks, tell the master, exit.
    Shutdown,
}

//! What a service keeps on disk.

use crate::ids::{AgentId, TaskId};
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Record {
    /// These instances are being launched.
    Launched(Vec<Launch>),
    /// An instance's task is over.
    Ended { instance: u32, serial: u64 },
    /// An instance's task came back after it had been given up.
    Adopted(Launch),
    /// Another number is wanted.
    Scaled { instances: u32 },
}

/// A task and its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Launch {
    pub(super) instance: u32,
    pub(super) serial: u64,
    pub(super) agent_id: AgentId,
    pub(super) hostname: String,
    /// The value of the attribute over which instances spread.
    pub(super) group: String,
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Snapshot {
    pub(super) wanted: u32,
    pub(super) serial: u64,
    pub(super) runs: Vec<Launch>,
    /// Tasks that are to end.
    pub(super) strays: Vec<(TaskId, Option<AgentId>)>,
}

/// What the operator of a service may ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Keep so many instances from now on.
    Scale {
        /// How many.
        instances: u32,
    },
    /// Start an instance anew: its task is killed, another one follows.
    Restart {
        /// Which.
        instance: u32,
    },
}

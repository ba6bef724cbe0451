//! What a batch scheduler keeps on disk.

use super::Totals;
use crate::ids::{AgentId, TaskId};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Record {
    /// The next job is there.
    Arrived,
    /// These jobs are being started.
    Launched(Vec<Launch>),
    /// A task came back after it had been given up.
    Adopted(Launch),
    /// A start is over.
    Ended {
        job: u64,
        attempt: u64,
        how: Outcome,
    },
}

/// How a start of a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Outcome {
    /// It finished, and the job with it.
    Finished,
    /// It did not; the job is started again.
    Retry,
    /// It did not, and neither will the job.
    Failed,
    /// It never began.
    Dropped,
}

/// A start of a job, and its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Launch {
    pub(super) job: u64,
    pub(super) attempt: u64,
    pub(super) agent_id: AgentId,
}

/// A job that is not over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Outstanding {
    pub(super) job: u64,
    pub(super) attempts: u64,
    pub(super) failures: u32,
    pub(super) run: Option<Launch>,
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Snapshot {
    pub(super) totals: Totals,
    pub(super) outstanding: Vec<Outstanding>,
    pub(super) strays: Vec<(TaskId, Option<AgentId>)>,
}

//! What a scheduler keeps on disk, and what it is after a restart.

use crate::ids::FrameworkId;
use crate::wire::DecodeError;
use alloc::sync::Arc;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One durable record. A restarted scheduler is rebuilt from all of them in order, or from the
/// newest [`Write::Snapshot`] and what follows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Write {
    /// The master gave this id. On disk before anything is done under it: a scheduler that
    /// forgot its id would come back as another framework, and the first would keep its offers
    /// and tasks as a ghost (Chronos 520).
    Framework(FrameworkId),
    /// A record of the framework's logic, in its own encoding.
    Logic(#[serde(with = "crate::wire::bytes")] Arc<[u8]>),
    /// All that the records before it said: they may be deleted once this one is durable.
    Snapshot {
        /// The id, if there is one yet.
        framework_id: Option<FrameworkId>,
        /// The logic's whole state, in its own encoding.
        #[serde(with = "crate::wire::bytes")]
        logic: Arc<[u8]>,
    },
}

impl Write {
    /// Whether the records before this one may be deleted once it is durable.
    #[must_use]
    pub const fn supersedes_all_before(&self) -> bool {
        matches!(self, Write::Snapshot { .. })
    }
}

/// Why a scheduler could not be rebuilt.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("record {index} of the scheduler's log cannot be read: {why}")]
pub struct RecoverError {
    /// Which of the records handed in, from 0.
    pub index: usize,
    /// What is wrong with it.
    pub why: DecodeError,
}

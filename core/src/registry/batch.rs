use super::operation::{Operation, Reject};
use crate::log::Ballot;
use crate::wire::{self, DecodeError};
use alloc::sync::Arc;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One record of the log: operations that take effect together, or not at all.
///
/// The version is the compare-and-swap: a batch that was made from an older registry is void on
/// every replica, so of two leaders' batches made from the same registry only one takes effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// The registry's version that the author had when it made the batch.
    pub expected_version: u64,
    /// The author's.
    pub ballot: Ballot,
    /// What to change, in order. Each may be rejected by itself.
    pub operations: Vec<Operation>,
}

impl Batch {
    /// The record.
    #[must_use]
    pub fn encode(&self) -> Arc<[u8]> {
        Arc::from(wire::encode(self))
    }

    /// Reads a record back.
    ///
    /// # Errors
    /// When the bytes are not exactly one batch of a version that this build reads.
    pub fn decode(bytes: &[u8]) -> Result<Batch, DecodeError> {
        wire::decode(bytes)
    }
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It counted; what became of each operation.
    Effective(Vec<Result<(), Reject>>),
    /// It changed nothing, on any replica.
    Void(Void),
}

/// Why a batch had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
pub enum Void {
    /// The registry had changed since the batch was made.
    #[error("made from version {expected} of the registry, which is at {found}")]
    Version {
        /// The batch's.
        expected: u64,
        /// The registry's.
        found: u64,
    },
    /// Its author is not the leader of record.
    #[error("made under ballot {ballot}, which is not the leader's")]
    NotLeader {
        /// The batch's.
        ballot: Ballot,
    },
}

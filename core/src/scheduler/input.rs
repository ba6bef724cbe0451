use crate::durable::WriteSequence;
use crate::ids::Peer;
use crate::message::scheduler;
use alloc::sync::Arc;
use serde::{Deserialize, Serialize};

/// What may happen to a framework's node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// The deadline came.
    Tick,
    /// A connection that was asked for is open.
    Connected {
        /// Which.
        peer: Peer,
    },
    /// A connection broke, or could not be opened.
    Disconnected {
        /// Which.
        peer: Peer,
    },
    /// The master says something.
    FromMaster {
        /// On which connection.
        peer: Peer,
        /// What.
        message: scheduler::ToScheduler,
    },
    /// Writes are on disk.
    Persisted {
        /// Up to which.
        up_to: WriteSequence,
    },
    /// The framework's own operator wants something; encoded by the framework's request type.
    Request {
        /// What.
        #[serde(with = "crate::wire::bytes")]
        body: Arc<[u8]>,
    },
    /// The process is told to end.
    Stop {
        /// Whether the framework ends with it, or waits for its next scheduler.
        teardown: bool,
    },
}

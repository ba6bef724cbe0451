use core::time::Duration;
use serde::{Deserialize, Serialize};

/// Bounds and time-outs of the registrar and of the registry's garbage collection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long one batch may take to be stored; after that its fate is unknown and the master
    /// steps down (Mesos' `registry_store_timeout`).
    pub store_timeout: Duration,
    /// How many operations may wait behind the batch in flight.
    pub operations_queued_max: usize,
    /// How many operations one batch holds at most.
    pub batch_operations_max: usize,
    /// How large one batch's record is at most, in bytes.
    pub batch_bytes_max: usize,
    /// How often the leader looks for what may be forgotten.
    pub gc_interval: Duration,
    /// Unreachable and gone agents are forgotten at this age.
    pub gc_age_max: Duration,
    /// At most so many unreachable and so many gone agents are remembered.
    pub gc_count_max: usize,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            store_timeout: Duration::from_secs(20),
            operations_queued_max: 131_072,
            batch_operations_max: 4_096,
            batch_bytes_max: 1 << 20,
            gc_interval: Duration::from_secs(15 * 60),
            gc_age_max: Duration::from_secs(14 * 24 * 60 * 60),
            gc_count_max: 102_400,
        }
    }
}

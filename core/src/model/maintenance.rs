use serde::{Deserialize, Serialize};

/// When a machine will be away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unavailability {
    /// From when, in nanoseconds since the Unix epoch.
    pub start_nanos: i64,
    /// For how long; for ever when it is not said.
    pub duration_nanos: Option<i64>,
}

//! What must never be seen, whatever breaks.

mod log;
mod operator;
mod positions;
mod quota;
mod registry;
mod table;
mod tasks;
mod volumes;

pub use log::LogChecker;
pub use operator::OperatorChecker;
pub use quota::QuotaChecker;
pub use registry::RegistryChecker;
pub use table::{CLUSTER_INVARIANTS, known_invariants};
pub use tasks::TaskChecker;
pub use volumes::VolumeChecker;

use crate::time::SimTime;

/// A broken promise of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When it was seen.
    pub at: SimTime,
    /// Where.
    pub node: String,
    /// Which promise.
    pub invariant: String,
    /// What was found.
    pub found: String,
}

/// What a checker found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which promise.
    pub invariant: &'static str,
    /// What was found.
    pub found: String,
}

impl Broken {
    /// Breaks `invariant` unless `holds`.
    ///
    /// # Errors
    /// When it does not hold.
    pub fn unless(
        holds: bool,
        invariant: &'static str,
        found: impl FnOnce() -> String,
    ) -> Result<(), Broken> {
        if holds {
            return Ok(());
        }
        Err(Broken {
            invariant,
            found: found(),
        })
    }
}

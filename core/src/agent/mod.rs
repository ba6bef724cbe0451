//! The agent: runs executors and tasks, keeps their status updates until they are acknowledged,
//! and recovers both after a restart.
//!
//! - [`AgentNode`] is the machine; [`Input`] and [`Effect`] are what its driver sees.
//! - `registration` finds the leader and stays with it.
//! - `tasks`, `executors` and `containers` do what the leader says; `status` is the status
//!   update manager, and [`updates`] its data.
//! - `operations` changes what its resources are: reservations and volumes.
//! - [`Checkpoint`] is all that survives a restart, a fold over the journal's [`Write`]s;
//!   `recovery` picks it up again.
//!
//! Nothing but writes and notices leaves while a write is under way: whatever the agent says, it
//! will still know after a power cut.

mod checkpoint;
mod config;
mod containers;
mod effect;
mod executors;
mod input;
mod invariants;
mod node;
mod notice;
mod operations;
mod recovery;
mod registration;
mod status;
mod tasks;
pub mod updates;
mod write;

#[cfg(test)]
mod tests;

pub use checkpoint::{
    Checkpoint, ExecutorRecord, FrameworkRecord, KillRecord, Launched, TaskRecord,
};
pub use config::{Config, ConfigError, EXECUTOR_REREGISTRATION_TIMEOUT_MAX};
pub use effect::{ContainerLaunch, Effect};
pub use executors::ExecutorState;
pub use input::Input;
pub use invariants::INVARIANTS;
pub use node::{AgentNode, Drain, EFFECTS_MAX};
pub use notice::{Fatal, LostMaster, Notice, Probe};
pub use operations::OPERATIONS_MAX;
pub use recovery::Recovered;
pub use write::Write;

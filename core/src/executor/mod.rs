//! Executors: what runs tasks on behalf of an agent.
//!
//! [`ExecutorDriver`] is an executor's side of the executor API: it subscribes, survives its
//! agent's restart, sends again what was not acknowledged, and gives up when the agent stays away
//! for too long. [`CommandExecutor`] is the agent's own executor on top of it: one process for
//! each task, watched by Mesos' checks and health checks. It runs a single command task and ends
//! with it, or, shared, serves all tasks of one executor id until it is told to end.

mod command;
mod config;
mod driver;
mod effect;

#[cfg(test)]
mod tests;

pub use command::{CheckKind, CheckPolicy, CommandExecutor, HealthPolicy, Mode, Watch};
pub use config::Config;
pub use driver::{ExecutorDriver, Identity, UNACKNOWLEDGED_MAX};
pub use effect::{Effect, Input};

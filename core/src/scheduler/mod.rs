//! The scheduler's side of the scheduler API as a machine: [`SchedulerDriver`] finds the leader,
//! subscribes, follows a failover, acknowledges and reconciles; a [`Logic`] decides what to run.
//! [`FrameworkNode`] is the two of them together, and what the runtime and the simulator drive.
//!
//! What the driver promises to a logic, and to the master about it:
//!
//! - The framework's id is durable before anything is done under it.
//! - An update is handed over once, and acknowledged only after it was handled and what the logic
//!   wrote down about it is durable. An update that comes again is acknowledged again, no more.
//! - What an old connection still delivers is ignored; calls without a subscription are dropped.
//! - After every subscription every task that the logic believes alive is asked about until the
//!   master answered for it.

mod calls;
mod config;
mod driver;
mod effect;
mod input;
mod invariants;
mod logic;
mod node;
mod notice;
mod reconcile;
mod stream;
mod updates;
mod write;

pub use config::{Config, ConfigError};
pub(crate) use config::{ordered, positive};

pub use driver::{Counters, SchedulerDriver};
pub use effect::{Effect, Exit};
pub use input::Input;
pub use invariants::INVARIANTS;
pub use logic::{Action, Event, Logic};
pub use node::FrameworkNode;
pub use notice::{CallKind, KillCause, LinkEnd, Notice};
pub use write::{RecoverError, Write};

#[cfg(test)]
mod tests;

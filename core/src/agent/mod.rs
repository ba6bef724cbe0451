//! The agent: runs executors and tasks, keeps their status updates until they are acknowledged,
//! and recovers both after a restart.

mod effect;
mod input;

pub use effect::{ContainerLaunch, Effect};
pub use input::Input;

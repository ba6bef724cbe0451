//! The master: one replica of the log and of the registry, and, only while it leads, everything
//! that acts on agents and frameworks.

mod carry;
mod config;
mod effect;
mod input;
mod invariants;
mod leadership;
pub mod leading;
mod node;
mod notice;
mod standing;

pub use config::{Config, ConfigError};
pub use effect::Effect;
pub use input::Input;
pub use invariants::INVARIANTS;
pub use node::MasterNode;
pub use notice::Notice;

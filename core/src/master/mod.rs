//! The master: one replica of the log and of the registry, and, only while it leads, everything
//! that acts on agents and frameworks.

mod effect;
mod input;
pub mod leading;
mod notice;

pub use effect::Effect;
pub use input::Input;
pub use notice::Notice;

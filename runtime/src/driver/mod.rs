//! Drives one machine: hands it inputs and moments, performs its effects.

pub mod clock;
pub mod node_loop;

pub use clock::Clock;
pub use node_loop::{Driven, Ended, Event, Handle, NodeLoop, Ports};

//! Seeded, deterministic simulator: replays YAML failure scenarios against the core.

pub mod capacity;
pub mod checker;
pub mod cli;
pub mod clock;
pub mod disk;
pub mod draw;
pub mod hash;
pub mod host;
pub mod kind;
pub mod machine;
pub mod net;
pub mod node;
pub mod observe;
mod progress;
pub mod queue;
pub mod record;
pub mod replica;
pub mod run;
mod say;
pub mod scenario;
pub mod slab;
pub mod time;
pub mod units;
pub mod world;

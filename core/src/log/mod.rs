//! The replicated log (in progress: see the list of modules).

pub mod action;
pub mod ballot;
mod campaign;
pub mod config;
mod coordinator;
pub mod effect;
mod entries;
mod fences;
mod fetch;
pub mod invariants;
pub mod life;
pub mod membership;
pub mod message;
pub mod node;
mod out;
mod pipeline;
mod recover;
pub mod replica;
pub mod write;

pub use action::Action;
pub use ballot::{Ballot, Position};
pub use config::{Config, ConfigError};
pub use effect::{Demotion, Effect, Fatal, Input, Notice, Reject};
pub use entries::Entry;
pub use life::{Incarnation, Life, Lives, Stamp};
pub use membership::{MasterInfo, Membership, MembershipError, Votes};
pub use message::Message;
pub use node::Node;
pub use replica::Status;
pub use write::{Checkpoint, Damage, Lane, Recovered, Snapshot, Write};

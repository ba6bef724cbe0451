//! The registry: what masters must agree on about the cluster and remember for ever, kept in the
//! replicated log as operations.
//!
//! It holds who leads, which agents are admitted, unreachable or gone, what operators have set
//! (quotas, weights, maintenance, agents that are drained or deactivated), and nothing that agents
//! can tell a new leader themselves: neither tasks nor offers.
//!
//! - [`Registry`] is the state. Every replica has one and applies the same batches to it.
//! - [`Operation`] is one change, [`Batch`] several under one compare-and-swap.
//! - [`Registrar`] exists only while a master leads: it has one batch in flight, and the first
//!   failure ends it and with it the leadership.
//! - A [`snapshot`] replaces the log's beginning.
//!
//! What is still to come becomes a variant at the end of [`Operation`] and a field of
//! [`Registry`]; the version in every envelope of [`crate::wire`] tells old records from new ones.

mod batch;
mod config;
mod invariants;
mod operation;
mod operator;
mod registrar;
#[expect(
    clippy::module_inception,
    reason = "the state is named after what it is"
)]
mod registry;
pub mod snapshot;

pub use batch::{Batch, Outcome, Void};
pub use config::Config;
pub use invariants::INVARIANTS;
pub use operation::{Operation, Reject};
pub use operator::OperatorState;
pub use registrar::{Effect, Ending, REGISTRAR_INVARIANTS, Refused, Registrar};
pub use registry::{Admission, AgentStanding, Leader, Registry, Unreachable};

#[cfg(test)]
mod tests;

//! Capacity: what really fits into a cluster, what is stranded there, and what can be switched
//! off.
//!
//! Totals lie: whether a task fits is decided by single machines, not by sums. So everything here
//! places tasks one by one, by a [`Policy`](tepui_core::placement::Policy), on a model of the
//! cluster's machines.

pub mod amounts;
pub mod bounds;
pub mod churn;
pub mod cli;
pub mod compact;
pub mod constraints;
pub mod defragment;
pub mod drain;
pub mod drf;
pub mod error;
pub mod fit;
pub mod generate;
pub mod grow;
pub mod index;
pub mod input;
pub mod machine;
pub mod moves;
pub mod occupied;
pub mod offered;
pub mod parallel;
pub mod placer;
pub mod random;
pub mod release;
pub mod replay;
pub mod report;
pub mod roles;
mod room;
pub mod rules;
pub mod snapshot;
pub mod stranded;
pub mod task;
pub mod wanted;
pub mod what_if;
pub mod workload;

pub use error::PlanError;

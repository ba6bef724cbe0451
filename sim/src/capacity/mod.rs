//! Capacity: what really fits into a cluster, what is stranded there, and what can be switched
//! off.
//!
//! Totals lie: whether a task fits is decided by single machines, not by sums. So everything here
//! places tasks one by one, by a [`Policy`], on a model of the cluster's machines.

pub mod classes;
pub mod cli;
pub mod compact;
pub mod error;
pub mod fit;
pub mod fragmentation;
pub mod index;
pub mod input;
pub mod live;
pub mod machine;
pub mod placer;
pub mod policy;
pub mod random;
pub mod replay;
pub mod task;
pub mod workload;

pub use error::PlanError;
pub use policy::Policy;

//! The messages of Mesos' v1 API, by subject. Names and numbers are Mesos' own; what is nested in
//! a message `TaskStatus` there is in the module `task_status` here.

mod check;
mod command;
mod container;
mod framework;
mod ids;
mod node;
mod offers;
mod operation;
mod provider;
mod resources;
mod snmp;
mod statistics;
mod task;
mod volumes;

pub mod agent;
pub mod allocator;
pub mod executor;
pub mod maintenance;
pub mod master;
pub mod quota;
pub mod scheduler;

pub use check::*;
pub use command::*;
pub use container::*;
pub use framework::*;
pub use ids::*;
pub use node::*;
pub use offers::*;
pub use operation::*;
pub use provider::*;
pub use resources::*;
pub use snmp::*;
pub use statistics::*;
pub use task::*;
pub use volumes::*;

//! The runtime: drives the pure core's machines on real clocks, disks, sockets and processes.
//!
//! # Map
//!
//! - [`driver`]: the node loop, the only place that calls `Machine::handle`.
//! - [`cli`]: flags, environment variables and the subcommands.

pub mod cli;
pub mod driver;

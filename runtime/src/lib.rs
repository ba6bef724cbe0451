//! The runtime: drives the pure core's machines on real clocks, disks, sockets and processes.
//!
//! # Map
//!
//! - [`driver`]: the node loop, the only place that calls `Machine::handle`.
//! - [`disk`]: the journal and files replaced as a whole.
//! - [`net`]: one port for native connections and HTTP; links between masters.
//! - [`node`]: every machine of the core with the ports that its effects need.
//! - [`http`]: what operators ask, on the same port.
//! - [`container`]: executors and tasks as processes, their sandboxes and their end.
//! - [`measure`]: figures of real clusters.
//! - [`mesos`]: the v1 API of Mesos as data, and its codecs.
//! - `zookeeper`: names the leader where clients of Mesos look for it.
//! - [`cli`]: flags, environment variables and the subcommands.

pub mod cli;
pub mod container;
pub mod disk;
pub mod driver;
pub mod http;
pub mod measure;
pub mod mesos;
pub mod net;
pub mod node;
#[cfg(feature = "zookeeper")]
pub mod zookeeper;

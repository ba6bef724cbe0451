//! Containers as process trees: sandboxes, executors as processes of their own, reaping, and the
//! certain end of a whole tree. Resource limits and namespaces come on top of this.

pub mod direct;
mod download;
pub mod entry;
pub mod environment;
pub mod fetcher;
pub mod kind;
pub mod launch;
pub mod nested;
pub mod pid_file;
pub mod proc_fs;
pub mod reaper;
pub mod sandbox;
pub mod session;
mod start;
pub mod sweeper;
pub mod tree;
pub mod usage;
pub mod user;
pub mod volumes;

pub use launch::Containers;
pub use reaper::Reaper;

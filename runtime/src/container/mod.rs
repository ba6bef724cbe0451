//! Containers as process trees: sandboxes, executors as processes of their own, reaping, and the
//! certain end of a whole tree. Resource limits and namespaces come on top of this.

pub mod entry;
pub mod launch;
pub mod pid_file;
pub mod proc_fs;
pub mod reaper;
pub mod sandbox;
pub mod tree;

pub use launch::Containers;
pub use reaper::Reaper;

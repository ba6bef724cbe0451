//! Masters together: elected, killed, cut off, restarted; with agents and schedulers that follow
//! a script.

mod allocation;
mod cluster;
mod leadership;
mod registry;
mod script;

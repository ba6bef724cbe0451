//! Tepui's whole control plane, as one pure, sans-IO state machine.
//!
//! # Map
//!
//! - The kernel every machine stands on: [`machine`], [`outbox`], [`time`], [`timers`], [`rng`],
//!   [`durable`], [`invariant`], [`ids`], [`wire`].
//! - Plain data: [`model`] (agents, frameworks, tasks, offers), [`resources`] and what nodes say
//!   to each other, [`message`].
//! - Where tasks fit and had better go: [`placement`].
//! - Masters: [`log`] (the replicated log), [`registry`] (what they agree on, and how),
//!   [`master`].
//! - Agents: [`agent`]; executors: [`executor`]; schedulers: [`scheduler`], and on it
//!   [`frameworks`]. All find the leader through [`detector`].
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod agent;
pub mod allocator;
pub mod detector;
pub mod durable;
pub mod election;
pub mod executor;
pub mod frameworks;
pub mod ids;
pub mod invariant;
pub mod journal;
pub mod log;
pub mod machine;
pub mod master;
pub mod message;
pub mod model;
pub mod outbox;
pub mod placement;
pub mod registry;
pub mod resources;
pub mod rng;
pub mod scheduler;
pub mod time;
pub mod timers;
pub mod wire;

//! Tepui's whole control plane, as one pure, sans-IO state machine.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod durable;
pub mod ids;
pub mod invariant;
pub mod machine;
pub mod outbox;
pub mod rng;
pub mod time;
pub mod timers;
pub mod wire;

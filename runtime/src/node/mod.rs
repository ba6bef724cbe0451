//! The nodes: each machine of the core with the ports that its effects need.

pub mod agent;
pub mod book;
pub mod counters;
pub mod direct;
pub mod executor;
pub mod framework;
pub mod master;

use crate::driver::Driven;
use std::fs::File;
use std::io::{self, Read};
use tepui_core::agent::AgentNode;
use tepui_core::executor::CommandExecutor;
use tepui_core::master::MasterNode;
use tepui_core::rng::Rng;
use tepui_core::scheduler::{FrameworkNode, Logic};

/// What one input may cause in an executor: an update for every task it runs, and their retries.
const EXECUTOR_EFFECTS_MAX: usize = 1 << 18;

/// What one input may cause in a framework, whose calls are bounded by its configuration.
const FRAMEWORK_EFFECTS_MAX: usize = 1 << 18;

impl Driven for MasterNode {
    const EFFECTS_MAX: usize = MasterNode::EFFECTS_MAX;

    fn tick() -> tepui_core::master::Input {
        tepui_core::master::Input::Tick
    }
}

impl Driven for AgentNode {
    const EFFECTS_MAX: usize = tepui_core::agent::EFFECTS_MAX;

    fn tick() -> tepui_core::agent::Input {
        tepui_core::agent::Input::Tick
    }
}

impl Driven for CommandExecutor {
    const EFFECTS_MAX: usize = EXECUTOR_EFFECTS_MAX;

    fn tick() -> tepui_core::executor::Input {
        tepui_core::executor::Input::Tick
    }
}

impl<F: Logic> Driven for FrameworkNode<F> {
    const EFFECTS_MAX: usize = FRAMEWORK_EFFECTS_MAX;

    fn tick() -> tepui_core::scheduler::Input {
        tepui_core::scheduler::Input::Tick
    }
}

/// A stream of randomness that no other run of any node has.
///
/// # Errors
/// When the host has no entropy.
pub fn fresh_rng(name: &str) -> io::Result<Rng> {
    let mut seed = [0; 8];
    File::open("/dev/urandom")?.read_exact(&mut seed)?;
    Ok(Rng::from_seed(u64::from_le_bytes(seed), name))
}

//! The hidden `tepui command-executor`: runs one command task for an agent, in a process of its
//! own that outlives the agent's restarts.

use super::Failure;
use clap::Args;
use std::process::ExitCode;

/// Flags of the command executor; the rest comes in the environment, as for any executor.
#[derive(Clone, Debug, Args)]
pub struct Flags {}

/// Runs until the task is over and its last update acknowledged.
///
/// # Errors
/// When the environment is not that of an executor.
pub fn run(_flags: &Flags) -> Result<ExitCode, Failure> {
    Err(Failure::run("the command executor is not built yet"))
}

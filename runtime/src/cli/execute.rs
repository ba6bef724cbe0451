//! `tepui execute`: one command on the cluster, its output here, its exit status ours.

use super::Failure;
use super::flags::{Logging, address};
use clap::Args;
use std::process::ExitCode;

/// Flags of `tepui execute`.
#[derive(Clone, Debug, Args)]
pub struct Flags {
    /// Masters to ask for the leader: host:port[,host:port..].
    #[arg(long, env = "TEPUI_MASTER", value_delimiter = ',', value_parser = address, required = true)]
    pub(crate) master: Vec<String>,
    /// What to run, a line for the shell.
    #[arg(long, env = "TEPUI_COMMAND")]
    pub(crate) command: String,
    /// The task's name.
    #[arg(long, env = "TEPUI_NAME", default_value = "execute")]
    pub(crate) name: String,
    /// What each task uses.
    #[arg(long, env = "TEPUI_RESOURCES", default_value = "cpus:1;mem:128")]
    pub(crate) resources: String,
    /// A variable for the task's environment, NAME=VALUE; may be repeated.
    #[arg(long, value_parser = variable)]
    pub(crate) env: Vec<(String, String)>,
    /// The role in which to take offers.
    #[arg(long, env = "TEPUI_ROLE", default_value = "*")]
    pub(crate) role: String,
    /// How many tasks to run; the exit status is the first one's that is not 0.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) instances: u32,
    #[command(flatten)]
    pub(crate) logging: Logging,
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("'{text}' must be NAME=VALUE")),
    }
}

/// Runs the command and waits for its end.
///
/// # Errors
/// When a flag is wrong or the cluster cannot be asked.
pub fn run(flags: &Flags) -> Result<ExitCode, Failure> {
    super::logging::start(&flags.logging, "execute")?;
    Err(Failure::run("execute is not built yet"))
}

//! `tepui agent`.

use super::Failure;
use super::flags::{Kept, Listen, Logging, address, duration};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Flags of `tepui agent`.
#[derive(Clone, Debug, Args)]
pub struct Flags {
    #[command(flatten)]
    pub(crate) listen: Listen,
    /// The port to listen on.
    #[arg(long, env = "TEPUI_PORT", default_value_t = 5051)]
    pub(crate) port: u16,
    /// Masters to ask for the leader: host:port[,host:port..].
    #[arg(long, env = "TEPUI_MASTER", value_delimiter = ',', value_parser = address, required = true)]
    pub(crate) master: Vec<String>,
    /// What the host offers, as in cpus:4;mem:4096;ports:[31000-32000]; what is not named is
    /// detected.
    #[arg(long, env = "TEPUI_RESOURCES", default_value = "")]
    pub(crate) resources: String,
    /// What frameworks may select by, as in rack:r1;zone:a.
    #[arg(long, env = "TEPUI_ATTRIBUTES", default_value = "")]
    pub(crate) attributes: String,
    /// Where checkpoints and sandboxes are kept.
    #[arg(long = "work_dir", env = "TEPUI_WORK_DIR")]
    pub(crate) work_dir: PathBuf,
    /// How long an executor may take to register [default: 1mins].
    #[arg(
        long = "executor_registration_timeout",
        env = "TEPUI_EXECUTOR_REGISTRATION_TIMEOUT",
        value_parser = duration
    )]
    pub(crate) executor_registration_timeout: Option<Duration>,
    /// How long an executor may take to come back after the agent's restart [default: 2secs].
    #[arg(
        long = "executor_reregistration_timeout",
        env = "TEPUI_EXECUTOR_REREGISTRATION_TIMEOUT",
        value_parser = duration
    )]
    pub(crate) executor_reregistration_timeout: Option<Duration>,
    /// How long an executor may take to end when told to [default: 5secs].
    #[arg(
        long = "executor_shutdown_grace_period",
        env = "TEPUI_EXECUTOR_SHUTDOWN_GRACE_PERIOD",
        value_parser = duration
    )]
    pub(crate) executor_shutdown_grace_period: Option<Duration>,
    /// On SIGTERM kill all containers as well, instead of leaving them to the next run.
    #[arg(long = "kill_on_exit", hide = true)]
    pub(crate) kill_on_exit: bool,
    #[command(flatten)]
    pub(crate) logging: Logging,
    #[command(flatten)]
    pub(crate) kept: Kept,
}

/// Runs one agent until it is told to stop.
///
/// # Errors
/// When a flag is wrong, or the node cannot start or go on.
pub fn run(flags: &Flags) -> Result<ExitCode, Failure> {
    super::logging::start(&flags.logging, "agent")?;
    Err(Failure::run("agents are not built yet"))
}

//! `tepui local`: a whole cluster on this host, as separate processes of this same binary.

use super::Failure;
use super::flags::Logging;
use clap::Args;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;

/// Flags of `tepui local`.
#[derive(Clone, Debug, Args)]
pub struct Flags {
    /// How many masters; an odd number.
    #[arg(long, env = "TEPUI_LOCAL_MASTERS", default_value_t = 3,
          value_parser = clap::value_parser!(u16).range(1..=9))]
    pub(crate) masters: u16,
    /// How many agents.
    #[arg(long, env = "TEPUI_LOCAL_AGENTS", default_value_t = 2,
          value_parser = clap::value_parser!(u16).range(0..=1_000))]
    pub(crate) agents: u16,
    /// The first master's port; the others, then the agents, take the ports that follow.
    #[arg(long, env = "TEPUI_PORT", default_value_t = 5050)]
    pub(crate) port: u16,
    /// The address to listen on.
    #[arg(long, env = "TEPUI_IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub(crate) ip: IpAddr,
    /// What each agent offers, as in cpus:4;mem:4096; detected and shared out unless given.
    #[arg(long, env = "TEPUI_RESOURCES")]
    pub(crate) resources: Option<String>,
    /// Where everything is kept; a temporary folder, removed at the end, unless given.
    #[arg(long = "work_dir", env = "TEPUI_WORK_DIR")]
    pub(crate) work_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) logging: Logging,
}

/// Runs the cluster until it is told to stop.
///
/// # Errors
/// When a port is taken or a node ends by itself.
pub fn run(flags: &Flags) -> Result<ExitCode, Failure> {
    super::logging::start(&flags.logging, "local")?;
    Err(Failure::run("local clusters are not built yet"))
}

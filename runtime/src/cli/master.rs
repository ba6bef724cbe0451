//! `tepui master`.

use super::Failure;
use super::flags::{Kept, Listen, Logging, address, duration};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// One master of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its number.
    pub id: u32,
    /// `host:port`.
    pub address: String,
}

fn member(text: &str) -> Result<Member, String> {
    let (id, at) = text
        .split_once('=')
        .ok_or_else(|| format!("'{text}' must be ID=HOST:PORT"))?;
    let id = id
        .parse::<u32>()
        .map_err(|_| format!("'{id}' is not a master's number"))?;
    let address = address(at)?;
    Ok(Member { id, address })
}

/// Flags of `tepui master`.
#[derive(Clone, Debug, Args)]
pub struct Flags {
    #[command(flatten)]
    pub(crate) listen: Listen,
    /// The port to listen on.
    #[arg(long, env = "TEPUI_PORT", default_value_t = 5050)]
    pub(crate) port: u16,
    /// This master's number, which must be in --masters.
    #[arg(long, env = "TEPUI_ID", default_value_t = 1)]
    pub(crate) id: u32,
    /// All masters: 1=host:port,2=host:port,3=host:port. A single master needs no list.
    #[arg(long, env = "TEPUI_MASTERS", value_delimiter = ',', value_parser = member)]
    pub(crate) masters: Vec<Member>,
    /// Must be the majority of --masters when given; Mesos needs it, Tepui counts.
    #[arg(long, env = "TEPUI_QUORUM")]
    pub(crate) quorum: Option<usize>,
    /// Where the replicated log is kept.
    #[arg(long = "work_dir", env = "TEPUI_WORK_DIR")]
    pub(crate) work_dir: PathBuf,
    /// The cluster's name, for people.
    #[arg(long, env = "TEPUI_CLUSTER", default_value = "")]
    pub(crate) cluster: String,
    /// How long an agent may take to answer a ping [default: 15secs].
    #[arg(long = "agent_ping_timeout", env = "TEPUI_AGENT_PING_TIMEOUT", value_parser = duration)]
    pub(crate) agent_ping_timeout: Option<Duration>,
    /// How many pings in a row an agent may miss before it is unreachable [default: 5].
    #[arg(
        long = "max_agent_ping_timeouts",
        env = "TEPUI_MAX_AGENT_PING_TIMEOUTS",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub(crate) max_agent_ping_timeouts: Option<u32>,
    /// How long a new leader waits for an agent of the registry [default: 10mins].
    #[arg(
        long = "agent_reregister_timeout",
        env = "TEPUI_AGENT_REREGISTER_TIMEOUT",
        value_parser = duration
    )]
    pub(crate) agent_reregister_timeout: Option<Duration>,
    /// How often resources are allocated at most [default: 1secs].
    #[arg(long = "allocation_interval", env = "TEPUI_ALLOCATION_INTERVAL", value_parser = duration)]
    pub(crate) allocation_interval: Option<Duration>,
    /// How long a framework may sit on an offer [default: for ever].
    #[arg(long = "offer_timeout", env = "TEPUI_OFFER_TIMEOUT", value_parser = duration)]
    pub(crate) offer_timeout: Option<Duration>,
    #[command(flatten)]
    pub(crate) logging: Logging,
    #[command(flatten)]
    pub(crate) kept: Kept,
}

impl Flags {
    /// The members, checked: each number once, this master among them, the quorum a majority.
    ///
    /// # Errors
    /// Says which flag is wrong and what it should be.
    pub(crate) fn members(&self) -> Result<Vec<Member>, Failure> {
        if self.masters.is_empty() {
            let host = self.listen.advertised_host();
            let port = self.listen.advertise_port.unwrap_or(self.port);
            return Ok(vec![Member {
                id: self.id,
                address: format!("{host}:{port}"),
            }]);
        }
        let mut members = self.masters.clone();
        members.sort_by_key(|member| member.id);
        if let Some(pair) = members.windows(2).find(|pair| pair[0].id == pair[1].id) {
            let id = pair[0].id;
            return Err(Failure::usage(format!(
                "--masters names master {id} twice: give each its own number"
            )));
        }
        if !members.iter().any(|member| member.id == self.id) {
            return Err(Failure::usage(format!(
                "--id={} is not in --masters: add {}=HOST:PORT or choose another number",
                self.id, self.id
            )));
        }
        let majority = members.len() / 2 + 1;
        match self.quorum {
            Some(quorum) if quorum != majority => Err(Failure::usage(format!(
                "--quorum={quorum} does not fit {} masters: leave it out or say {majority}",
                members.len()
            ))),
            _ => Ok(members),
        }
    }
}

/// Runs one master until it is told to stop.
///
/// # Errors
/// When a flag is wrong, or the node cannot start or go on.
pub fn run(flags: &Flags) -> Result<ExitCode, Failure> {
    let _members = flags.members()?;
    super::logging::start(&flags.logging, "master")?;
    Err(Failure::run("masters are not built yet"))
}

//! The hidden `tepui command-executor`: runs one command task for an agent, in a process of its
//! own that outlives the agent's restarts.

use super::Failure;
use super::flags::duration;
use crate::container::Reaper;
use crate::container::entry::{
    self, ADDRESS_FILE_VARIABLE, CONTAINER_VARIABLE, GROUPS, MODE_VARIABLE, USER_VARIABLE,
};
use crate::driver::{Clock, Ended, Handle, NodeLoop};
use crate::net::Links;
use crate::node::executor::ExecutorPorts;
use crate::node::executor::checks::Checks;
use crate::node::fresh_rng;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tepui_core::executor::{CommandExecutor, Config, Identity, Mode};
use tepui_core::ids::{ContainerId, ExecutorId, FrameworkId};
use tokio::sync::Notify;

/// How long what was said last may take to reach the agent.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(5);

/// Flags of the command executor; the rest comes in the environment, as for any executor.
#[derive(Clone, Debug, Args)]
pub struct Flags {}

/// Flags of `tepui launch`, by which the agent starts an executor that is not ours.
#[derive(Clone, Debug, Args)]
pub struct LaunchFlags {}

/// Changes into the executor's program.
///
/// # Errors
/// Always: on success this process is another program.
pub fn launch(_flags: &LaunchFlags) -> Result<ExitCode, Failure> {
    Err(Failure::run(entry::launch()))
}

fn variable(name: &str) -> Result<String, Failure> {
    std::env::var(name).map_err(|_| {
        Failure::usage(format!(
            "{name} is not set: this command is started by an agent, not by hand"
        ))
    })
}

fn identity() -> Result<Identity, Failure> {
    let bad = |error: tepui_core::ids::IdError| Failure::usage(error.to_string());
    Ok(Identity {
        framework_id: FrameworkId::new(&variable("MESOS_FRAMEWORK_ID")?).map_err(bad)?,
        executor_id: ExecutorId::new(&variable("MESOS_EXECUTOR_ID")?).map_err(bad)?,
        container_id: ContainerId::new(&variable(CONTAINER_VARIABLE)?).map_err(bad)?,
    })
}

/// Runs until the task is over and its last update acknowledged.
///
/// # Errors
/// When the environment is not that of an executor.
pub fn run(_flags: &Flags) -> Result<ExitCode, Failure> {
    let identity = identity()?;
    entry::enter().map_err(Failure::run)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::run(format!("cannot start: {error}")))?;
    let result = runtime.block_on(serve(identity));
    // A task's process that cannot be ended must not keep its executor.
    runtime.shutdown_background();
    result
}

/// What the agent says of times.
fn config() -> Config {
    let mut config = Config::default();
    let said = |name: &str| duration(&variable(name).ok()?).ok();
    if let Some(timeout) = said("MESOS_RECOVERY_TIMEOUT") {
        config.recovery_timeout = timeout;
    }
    if let Some(grace) = said("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD") {
        config.shutdown_grace = grace;
    }
    config
}

async fn serve(identity: Identity) -> Result<ExitCode, Failure> {
    let failed = |error: std::io::Error| Failure::run(format!("cannot start: {error}"));
    let clock = Clock::start();
    let reaper = Reaper::start().map_err(failed)?;
    let (node, inputs) = Handle::queue();
    let mode = match std::env::var(MODE_VARIABLE).as_deref() {
        Ok(GROUPS) => Mode::Groups,
        _ => Mode::Single,
    };
    let user = std::env::var(USER_VARIABLE).ok();
    let ports = ExecutorPorts {
        checks: Checks::new(reaper.clone(), user.clone(), node.clone()),
        address_file: PathBuf::from(variable(ADDRESS_FILE_VARIABLE)?),
        endpoint: variable("MESOS_AGENT_ENDPOINT")?,
        sandbox: PathBuf::from(variable("MESOS_SANDBOX")?),
        user,
        apart: mode == Mode::Groups,
        reaper,
        agents: Links::default(),
        node,
        last_link: None,
        groups: Arc::new(Mutex::default()),
    };
    let rng = fresh_rng("executor").map_err(failed)?;
    let machine = CommandExecutor::new(config(), identity, mode, &rng, clock.now());
    let mut node_loop = NodeLoop::new(machine, ports);
    let ended = node_loop.run(clock, inputs, Arc::new(Notify::new())).await;
    let (_, mut ports) = node_loop.into_parts();
    ports.agents.close_all();
    if let Some(link) = ports.last_link.take() {
        // An agent that does not read any more is told by the container's end.
        let _ = tokio::time::timeout(LEAVE_TIMEOUT, link).await;
    }
    match ended {
        Ended::Done | Ended::Stopped => Ok(ExitCode::SUCCESS),
        Ended::Failed(message) => Err(Failure::run(message)),
    }
}

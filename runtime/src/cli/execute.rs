//! `tepui execute`: one command on the cluster, its output here, its exit status ours.

use super::flags::{Kept, Logging};
use super::output::{Source, follow};
use super::process::{self, Signals};
use super::{Failure, logging};
use crate::driver::{Clock, Handle, NodeLoop};
use crate::net::find::Masters;
use crate::node::framework::FrameworkPorts;
use crate::node::fresh_rng;
use clap::Args;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tepui_core::frameworks::TaskTemplate;
use tepui_core::frameworks::execute::{self, Execute};
use tepui_core::model::{Capabilities, CommandInfo, FrameworkInfo};
use tepui_core::resources::{Resources, Role};
use tepui_core::scheduler::{Config, FrameworkNode, Input, LinkEnd, Notice};
use tokio::sync::{Notify, mpsc, watch};

/// Flags of `tepui execute`.
#[derive(Clone, Debug, Args)]
pub struct Flags {
    /// Where the leader is found: host:port[,host:port..] of any masters,
    /// zk://host:port[,host:port..]/path, or file:///path of a file that holds either.
    #[arg(long, env = "TEPUI_MASTER")]
    pub(crate) master: Masters,
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
    /// The least severe messages to log.
    #[arg(long = "logging_level", env = "TEPUI_LOGGING_LEVEL", default_value = "WARNING",
          value_parser = ["DEBUG", "INFO", "WARNING", "ERROR"], ignore_case = true)]
    pub(crate) logging_level: String,
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("'{text}' must be NAME=VALUE")),
    }
}

/// How long what was said last may take to reach the master.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(5);

/// How many notices wait to be shown.
const NOTICES_MAX: usize = 4_096;

/// Runs the command and waits for its end.
///
/// # Errors
/// When a flag is wrong or the cluster cannot be asked.
pub fn run(flags: &Flags) -> Result<ExitCode, Failure> {
    let logic = flags.logic()?;
    let info = flags.framework()?;
    let logging = Logging {
        logging_level: flags.logging_level.clone(),
        logging_format: String::from("text"),
        log_dir: None,
    };
    logging::start(&logging, "execute")?;
    process::block_on(2, serve(flags, logic, info))
}

impl Flags {
    fn logic(&self) -> Result<Execute, Failure> {
        let resources = Resources::parse(&self.resources, &Role::any())
            .map_err(|error| Failure::usage(format!("--resources: {error}")))?;
        let mut command = CommandInfo::shell(&self.command);
        command.environment = self.env.clone();
        let task = TaskTemplate {
            name: self.name.clone(),
            resources,
            command,
            ..TaskTemplate::default()
        };
        let config = execute::Config {
            task,
            instances: self.instances,
            ..execute::Config::default()
        };
        Execute::new(config).map_err(|error| Failure::usage(format!("--{error}")))
    }

    fn framework(&self) -> Result<FrameworkInfo, Failure> {
        let role =
            Role::new(&self.role).map_err(|error| Failure::usage(format!("--role: {error}")))?;
        let user = nix::unistd::User::from_uid(nix::unistd::geteuid());
        let user = user.ok().flatten().map(|user| user.name);
        let hostname = nix::unistd::gethostname().ok();
        Ok(FrameworkInfo {
            id: None,
            user: user.unwrap_or_default(),
            name: String::from("tepui-execute"),
            roles: vec![role],
            failover_timeout: Duration::ZERO,
            checkpoint: true,
            capabilities: Capabilities {
                partition_aware: true,
                multi_role: true,
                ..Capabilities::default()
            },
            principal: None,
            hostname: hostname
                .and_then(|name| name.into_string().ok())
                .unwrap_or_default(),
            webui_url: None,
            verbatim: Arc::default(),
        })
    }
}

async fn serve(flags: &Flags, logic: Execute, info: FrameworkInfo) -> Result<ExitCode, Failure> {
    let clock = Clock::start();
    let kept = Kept {
        end_with_parent: false,
    };
    let mut signals = Signals::listen(&kept)?;
    let (node, inputs) = Handle::queue();
    let (notices, shown) = mpsc::channel(NOTICES_MAX);
    let ports = FrameworkPorts::new(flags.master.clone(), node.clone(), notices);
    let rng = fresh_rng("execute").map_err(|error| Failure::run(error.to_string()))?;
    let masters = flags.master.addresses().to_vec();
    let config = Config::default();
    let machine = FrameworkNode::new(config, info, logic, &rng, masters, clock.now());
    let mut node_loop = NodeLoop::new(machine, ports);
    let showing = tokio::spawn(show(flags.master.clone(), shown));
    let mut running = Box::pin(node_loop.run(clock, inputs, Arc::new(Notify::new())));
    let mut interrupted = false;
    loop {
        tokio::select! {
            _ = &mut running => break,
            _ = signals.next() => {
                if interrupted {
                    return Err(Failure::run("ended without waiting for the task's end"));
                }
                interrupted = true;
                eprintln!("tepui: ending the task; once more ends without waiting for it");
                node.input(Input::Stop { teardown: true }).await;
            }
        }
    }
    drop(running);
    let (_, mut ports) = node_loop.into_parts();
    ports.masters.close_all();
    if let Some(link) = ports.last_link.take() {
        // A master that does not read any more notices the end of the connection.
        let _ = tokio::time::timeout(LEAVE_TIMEOUT, link).await;
    }
    let exit = ports.exit.take();
    // Nothing more is noticed: what the tasks wrote is read to its end.
    drop(ports);
    showing
        .await
        .map_err(|error| Failure::run(error.to_string()))?;
    if interrupted {
        return Ok(ExitCode::from(INTERRUPTED));
    }
    let exit = exit.ok_or_else(|| Failure::run("ended before its task"))?;
    if exit.code != 0 && !exit.message.is_empty() {
        eprintln!("tepui: {}", exit.message);
    }
    Ok(ExitCode::from(exit.code))
}

/// What a shell says of a command that was ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// Shows what happens to the tasks, and their output, until nothing more is noticed.
async fn show(masters: Masters, mut notices: mpsc::Receiver<Notice>) {
    let mut framework = None;
    // Said once for each time without a leader, not for every attempt.
    let mut without_master = false;
    let mut following = BTreeMap::new();
    while let Some(notice) = notices.recv().await {
        match notice {
            Notice::Subscribed {
                framework_id,
                master,
            } => {
                eprintln!("tepui: subscribed as {framework_id} at {master}");
                framework = Some(framework_id);
                without_master = false;
            }
            Notice::Disconnected { why, .. } if !without_master && why != LinkEnd::NotLeading => {
                without_master = true;
                eprintln!(
                    "tepui: looking for the leader at {}: {why}",
                    masters.addresses().join(", ")
                );
            }
            Notice::Task {
                task_id,
                state,
                agent_id,
                message,
                ..
            } => {
                let why = if message.is_empty() {
                    String::new()
                } else {
                    format!(": {message}")
                };
                eprintln!("tepui: {task_id} is {state}{why}");
                let source = framework.clone().zip(agent_id);
                if let Some((framework_id, agent_id)) = source
                    && !following.contains_key(&task_id)
                {
                    let source = Source {
                        masters: masters.clone(),
                        framework_id,
                        task_id: task_id.clone(),
                        agent_id,
                    };
                    let (over, is_over) = watch::channel(false);
                    let task = tokio::spawn(follow(source, is_over));
                    following.insert(task_id.clone(), (over, task));
                }
                if state.is_terminal()
                    && let Some((over, _)) = following.get(&task_id)
                {
                    over.send_replace(true);
                }
            }
            other => tracing::info!("{other}"),
        }
    }
    for (over, task) in following.into_values() {
        over.send_replace(true);
        // It gives up by itself when the agent does not answer.
        let _ = task.await;
    }
}

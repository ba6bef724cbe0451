//! `tepui local`: a whole cluster on this host, as separate processes of this same binary.

use super::flags::{Kept, Logging};
use super::process::{self, Signals, Told, WorkDirLock};
use super::{Failure, detect, logging};
use crate::http::client;
use clap::Args;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::OpenOptions;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::Duration;
use tepui_core::allocator::AgentOrder;
use tokio::process::{Child, Command};

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
    /// In which order masters offer agents: random, firstfit, bestfit, worstfit, dotprod,
    /// gpupacking, fgd, fgdx or fgdq40 [default: random].
    #[arg(long = "agent_order", env = "TEPUI_AGENT_ORDER")]
    pub(crate) agent_order: Option<AgentOrder>,
    /// Where everything is kept; a temporary folder, removed at the end, unless given.
    #[arg(long = "work_dir", env = "TEPUI_WORK_DIR")]
    pub(crate) work_dir: Option<PathBuf>,
    /// Where the stock web interface is installed.
    #[arg(long = "webui_dir", env = "TEPUI_WEBUI_DIR")]
    pub(crate) webui_dir: Option<PathBuf>,
    /// Where to name the leader in ZooKeeper: zk://host:port[,host:port..]/path.
    #[cfg(feature = "zookeeper")]
    #[arg(long, env = "TEPUI_ZK")]
    pub(crate) zk: Option<String>,
    #[command(flatten)]
    pub(crate) logging: Logging,
}

/// How long the cluster may take until tasks can be launched.
const READY_TIMEOUT: Duration = Duration::from_secs(60);

/// Between two looks at a cluster that starts.
const READY_PAUSE: Duration = Duration::from_millis(20);

/// How long a node may take to end when told to.
const STOP_TIMEOUT: Duration = Duration::from_secs(15);

/// How much of its log is shown of a node that ended by itself.
const TAIL_LINES: usize = 10;

/// Agents look this far beyond the masters' ports for free ones.
const PORTS_TRIED_MAX: u16 = 2_000;

/// Runs the cluster until it is told to stop.
///
/// # Errors
/// When a port is taken or a node ends by itself.
pub fn run(flags: &Flags) -> Result<ExitCode, Failure> {
    logging::start(&flags.logging, "local")?;
    process::block_on(1, serve(flags))
}

async fn serve(flags: &Flags) -> Result<ExitCode, Failure> {
    let kept = Kept {
        end_with_parent: false,
    };
    let mut signals = Signals::listen(&kept)?;
    let ports = Ports::choose(flags)?;
    // Removed at the end, when it is ours.
    let (folder, _temporary) = match &flags.work_dir {
        Some(folder) => (folder.clone(), None),
        None => {
            let made = tempfile::Builder::new()
                .prefix("tepui-local-")
                .tempdir()
                .map_err(|error| Failure::run(format!("cannot make a folder: {error}")))?;
            (made.path().to_owned(), Some(made))
        }
    };
    let _lock = WorkDirLock::take(&folder)?;
    let mut cluster = Cluster {
        nodes: Vec::new(),
        host: flags.host(),
    };
    let told = async {
        loop {
            if signals.next().await == Told::Stop {
                return;
            }
        }
    };
    let result = tokio::select! {
        () = told => Ok(ExitCode::SUCCESS),
        failure = live(flags, &ports, &folder, &mut cluster) => Err(failure),
    };
    cluster.stop().await;
    result
}

/// Starts everything and watches it for ever; returns why it could not go on.
async fn live(flags: &Flags, ports: &Ports, folder: &Path, cluster: &mut Cluster) -> Failure {
    if let Err(failure) = cluster.start(flags, ports, folder) {
        return failure;
    }
    match tokio::time::timeout(READY_TIMEOUT, cluster.ready(ports)).await {
        Ok(Ok(())) => {}
        Ok(Err(failure)) => return failure,
        Err(_) => {
            return Failure::run(format!(
                "the cluster was not ready within {} s: see {}",
                READY_TIMEOUT.as_secs(),
                folder.join("logs").display()
            ));
        }
    }
    eprintln!("tepui: logs and sandboxes are in {}", folder.display());
    println!("ready http://{}:{}", cluster.host, ports.masters[0]);
    // A pipe without a reader is no reason to end.
    let _ = std::io::stdout().flush();
    cluster.watch().await
}

impl Flags {
    #[cfg(feature = "zookeeper")]
    fn zk(&self) -> Option<String> {
        self.zk.as_ref().map(|zk| format!("--zk={zk}"))
    }

    #[cfg(not(feature = "zookeeper"))]
    fn zk(&self) -> Option<String> {
        None
    }

    fn host(&self) -> String {
        match self.ip {
            IpAddr::V4(ip) if ip.is_unspecified() => String::from("127.0.0.1"),
            IpAddr::V6(ip) if ip.is_unspecified() => String::from("[::1]"),
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        }
    }

    /// What one agent offers: its share of the host, unless the operator says.
    fn resources(&self) -> String {
        if let Some(resources) = &self.resources {
            return resources.clone();
        }
        let share = |total: u64| (total / u64::from(self.agents.max(1))).max(1);
        format!(
            "cpus:{};mem:{};disk:{}",
            share(detect::cpus() as u64),
            share(detect::memory_offered_mb()),
            share(detect::disk_offered_mb(Path::new("/"))),
        )
    }
}

/// The ports of all nodes.
#[derive(Debug)]
struct Ports {
    masters: Vec<u16>,
    agents: Vec<u16>,
}

impl Ports {
    fn choose(flags: &Flags) -> Result<Ports, Failure> {
        let masters: Vec<u16> = (0..flags.masters)
            .map_while(|n| flags.port.checked_add(n))
            .collect();
        if masters.len() < usize::from(flags.masters) {
            return Err(Failure::usage(format!(
                "--port={}: {} masters need ports up to 65535; choose a lower one",
                flags.port, flags.masters
            )));
        }
        for port in &masters {
            if let Err(error) = TcpListener::bind((flags.ip, *port)) {
                return Err(Failure::run(format!(
                    "port {port} for a master cannot be used: {error}; stop what listens there \
                     (another 'tepui local'?) or choose other ports with --port"
                )));
            }
        }
        let first = flags.port.saturating_add(flags.masters);
        let agents: Vec<u16> = (first..=u16::MAX)
            .take(usize::from(PORTS_TRIED_MAX))
            .filter(|port| TcpListener::bind((flags.ip, *port)).is_ok())
            .take(usize::from(flags.agents))
            .collect();
        if agents.len() < usize::from(flags.agents) {
            return Err(Failure::run(format!(
                "there are not {} free ports from {first} on; choose another --port",
                flags.agents
            )));
        }
        Ok(Ports { masters, agents })
    }
}

#[derive(Debug)]
struct Node {
    name: String,
    is_agent: bool,
    child: Child,
    log: PathBuf,
    ended: bool,
}

#[derive(Debug)]
struct Cluster {
    nodes: Vec<Node>,
    host: String,
}

impl Cluster {
    fn start(&mut self, flags: &Flags, ports: &Ports, folder: &Path) -> Result<(), Failure> {
        let host = &self.host;
        let list = |with_ids: bool| {
            let one = |(n, port): (usize, &u16)| match with_ids {
                true => format!("{}={host}:{port}", n + 1),
                false => format!("{host}:{port}"),
            };
            let all: Vec<String> = ports.masters.iter().enumerate().map(one).collect();
            all.join(",")
        };
        let (members, masters) = (list(true), list(false));
        for (n, port) in ports.masters.iter().enumerate() {
            let mut arguments = vec![
                String::from("master"),
                format!("--id={}", n + 1),
                format!("--masters={members}"),
                format!("--port={port}"),
            ];
            arguments.extend(flags.zk());
            if let Some(order) = flags.agent_order {
                arguments.push(format!("--agent_order={order}"));
            }
            if let Some(folder) = &flags.webui_dir {
                arguments.push(format!("--webui_dir={}", folder.display()));
            }
            self.spawn(flags, folder, format!("master-{}", n + 1), &arguments)?;
        }
        for (n, port) in ports.agents.iter().enumerate() {
            let arguments = [
                String::from("agent"),
                format!("--master={masters}"),
                format!("--port={port}"),
                format!("--resources={}", flags.resources()),
                String::from("--kill_on_exit"),
            ];
            self.spawn(flags, folder, format!("agent-{}", n + 1), &arguments)?;
        }
        Ok(())
    }

    fn spawn(
        &mut self,
        flags: &Flags,
        folder: &Path,
        name: String,
        arguments: &[String],
    ) -> Result<(), Failure> {
        let failed = |error: std::io::Error| {
            Failure::run(format!(
                "cannot start {name} in {}: {error}",
                folder.display()
            ))
        };
        let logs = folder.join("logs");
        std::fs::create_dir_all(&logs).map_err(failed)?;
        let log = logs.join(format!("{name}.log"));
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(failed)?;
        let child = Command::new("/proc/self/exe")
            .arg0("tepui")
            .args(arguments)
            .arg(format!("--ip={}", flags.ip))
            .arg(format!("--work_dir={}", folder.join(&name).display()))
            .arg(format!("--logging_level={}", flags.logging.logging_level))
            .arg(format!("--logging_format={}", flags.logging.logging_format))
            .arg("--end_with_parent")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            // Ctrl-C at the terminal is for this process, which ends the others in order.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        self.nodes.push(Node {
            is_agent: name.starts_with("agent"),
            name,
            child,
            log,
            ended: false,
        });
        Ok(())
    }

    /// Returns once tasks can be launched: somebody leads, and every agent is registered.
    async fn ready(&mut self, ports: &Ports) -> Result<(), Failure> {
        loop {
            if let Some(node) = self.ended_node() {
                return Err(Failure::run(format!(
                    "{} ended: {}",
                    node.name,
                    tail(&node.log)
                )));
            }
            if self.answers(ports).await {
                return Ok(());
            }
            tokio::time::sleep(READY_PAUSE).await;
        }
    }

    async fn answers(&self, ports: &Ports) -> bool {
        const METRICS: &str = "/metrics/snapshot";
        let leads = |address: String| async move {
            let answer = client::get(&address, "/state").await;
            answer.is_ok_and(|answer| answer.status.is_success())
        };
        if !leads(format!("{}:{}", self.host, ports.masters[0])).await {
            return false;
        }
        for port in &ports.agents {
            let Ok(answer) = client::get(&format!("{}:{port}", self.host), METRICS).await else {
                return false;
            };
            let metrics = serde_json::from_slice::<serde_json::Value>(&answer.body);
            if metrics.is_ok_and(|metrics| metrics["slave/registered"] != 1.0) {
                return false;
            }
        }
        true
    }

    fn ended_node(&mut self) -> Option<&Node> {
        for node in &mut self.nodes {
            if !node.ended && !matches!(node.child.try_wait(), Ok(None)) {
                node.ended = true;
                return Some(node);
            }
        }
        None
    }

    /// Tells of nodes that end by themselves; returns when no master is left.
    async fn watch(&mut self) -> Failure {
        loop {
            if let Some(node) = self.ended_node() {
                eprintln!("tepui: {} ended by itself: {}", node.name, tail(&node.log));
            }
            if self.nodes.iter().all(|node| node.ended || node.is_agent) {
                return Failure::run("all masters ended by themselves");
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Ends everything: agents with their tasks first, while there are masters to tell.
    async fn stop(&mut self) {
        for agents in [true, false] {
            let group = self.nodes.iter_mut().filter(|node| node.is_agent == agents);
            let mut group: Vec<&mut Node> = group.filter(|node| !node.ended).collect();
            for node in &group {
                if let Some(pid) = node.child.id().and_then(|id| Pid::from_raw(id as i32)) {
                    // It may have ended this very moment.
                    let _ = kill_process(pid, Signal::TERM);
                }
            }
            for node in &mut group {
                let ended = tokio::time::timeout(STOP_TIMEOUT, node.child.wait()).await;
                if ended.is_err() {
                    eprintln!("tepui: {} does not end; killed", node.name);
                    // Only a process that is gone cannot be killed.
                    let _ = node.child.kill().await;
                }
                node.ended = true;
            }
        }
    }
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(TAIL_LINES);
    format!("\n{}", lines[from..].join("\n"))
}

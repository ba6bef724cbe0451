//! `tepui agent`.

mod texts;

use super::flags::{Kept, Listen, Logging, domain, duration};
use super::logging::Verbosity;
use super::process::{self, Signals, Told, WorkDirLock};
use super::{Failure, detect, logging};
use crate::container::launch::Settings;
use crate::container::nested::Nested;
use crate::container::sandbox::WorkDir;
use crate::container::{Containers, Reaper, proc_fs};
use crate::disk::Wal;
use crate::driver::{Clock, Ended, Handle, NodeLoop};
use crate::http;
use crate::http::connections::Connections;
use crate::http::executor::{ExecutorApi, Streams};
use crate::mesos::limits::{self, Limits};
use crate::net::find::Masters;
use crate::net::listener::{InboundNames, Incoming, accept, listen};
use crate::net::{Kind, Links};
use crate::node::agent::{AgentPorts, forward_reports, serve_executor};
use crate::node::book::{Book, SharedBook};
use crate::node::fresh_rng;
use clap::Args;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tepui_core::agent::{AgentNode, Config, Input, Recovered, Write};
use tepui_core::durable::WriteSequence;
use tepui_core::model::{AgentInfo, Domain};
use tepui_core::resources::Attributes;
use tepui_core::wire;
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// Flags of `tepui agent`.
#[derive(Clone, Debug, Args)]
pub struct Flags {
    #[command(flatten)]
    pub(crate) listen: Listen,
    /// The port to listen on.
    #[arg(long, env = "TEPUI_PORT", default_value_t = 5051)]
    pub(crate) port: u16,
    /// Where the leader is found: host:port[,host:port..] of any masters,
    /// zk://host:port[,host:port..]/path, or file:///path of a file that holds either.
    #[arg(long, env = "TEPUI_MASTER")]
    pub(crate) master: Masters,
    /// What the host offers, as in cpus:4;mem:4096;ports:[31000-32000]; what is not named is
    /// detected.
    #[arg(long, env = "TEPUI_RESOURCES", default_value = "")]
    pub(crate) resources: String,
    /// What frameworks may select by, as in rack:r1;zone:a.
    #[arg(long, env = "TEPUI_ATTRIBUTES", default_value = "")]
    pub(crate) attributes: String,
    /// Where the host stands, for frameworks that spread: a DomainInfo in JSON.
    #[arg(long, env = "TEPUI_DOMAIN", value_parser = domain)]
    pub(crate) domain: Option<Domain>,
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
    /// How long an executor waits for its agent to come back.
    #[arg(
        long = "recovery_timeout",
        env = "TEPUI_RECOVERY_TIMEOUT",
        default_value = "15mins",
        value_parser = duration
    )]
    pub(crate) recovery_timeout: Duration,
    /// How often an executor is told that the agent is still there.
    #[arg(
        long = "http_heartbeat_interval",
        env = "TEPUI_HTTP_HEARTBEAT_INTERVAL",
        default_value = "30secs",
        value_parser = duration
    )]
    pub(crate) http_heartbeat_interval: Duration,
    /// On SIGTERM kill all containers as well, instead of leaving them to the next run.
    #[arg(long = "kill_on_exit", hide = true)]
    pub(crate) kill_on_exit: bool,
    #[command(flatten)]
    pub(crate) logging: Logging,
    #[command(flatten)]
    pub(crate) limits: Limits,
    #[command(flatten)]
    pub(crate) kept: Kept,
}

/// How much the journal of an agent holds before it must grow.
const JOURNAL_BYTES: u64 = 1 << 20;

/// More often would only be noise.
const HEARTBEAT_MIN: Duration = Duration::from_millis(100);

/// Runs one agent until it is told to stop.
///
/// # Errors
/// When a flag is wrong, or the node cannot start or go on.
pub fn run(flags: &Flags) -> Result<ExitCode, Failure> {
    let info = flags.info()?;
    limits::set(flags.limits);
    logging::start(&flags.logging, "agent")?;
    process::block_on(2, serve(flags, info))
}

impl Flags {
    /// How the agent describes itself.
    fn info(&self) -> Result<AgentInfo, Failure> {
        let attributes = Attributes::parse(&self.attributes)
            .map_err(|error| Failure::usage(format!("--attributes: {error}")))?;
        Ok(AgentInfo {
            id: None,
            hostname: self.listen.host_name(),
            ip: self.listen.advertised_ip(),
            port: self.listen.advertise_port.unwrap_or(self.port),
            resources: detect::resources(&self.resources, &self.work_dir)?,
            attributes,
            domain: self.domain.clone(),
        })
    }

    fn config(&self) -> Config {
        let mut config = Config {
            masters: self.master.addresses().to_vec(),
            ..Config::default()
        };
        let set = |place: &mut Duration, flag: Option<Duration>| *place = flag.unwrap_or(*place);
        set(
            &mut config.executor_registration_timeout,
            self.executor_registration_timeout,
        );
        set(
            &mut config.executor_reregistration_timeout,
            self.executor_reregistration_timeout,
        );
        set(
            &mut config.executor_shutdown_grace,
            self.executor_shutdown_grace_period,
        );
        config
    }

    /// Where others reach the agent.
    fn address(&self) -> String {
        let port = self.listen.advertise_port.unwrap_or(self.port);
        format!("{}:{port}", self.listen.advertised_host())
    }

    /// Where tasks, which share this host's network, are reached.
    fn task_ip(&self) -> IpAddr {
        self.listen.advertise_ip.unwrap_or(match self.listen.ip {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        })
    }

    /// What every container of the agent needs to know.
    fn settings(&self, work_dir: &WorkDir, book: &SharedBook) -> Settings {
        let config = self.config();
        Settings {
            work_dir: work_dir.clone(),
            endpoint: self.endpoint(),
            variables: Vec::new(),
            shutdown_grace: config.executor_shutdown_grace,
            recovery_timeout: self.recovery_timeout,
            reregistration_timeout: config.executor_reregistration_timeout,
            book: book.clone(),
        }
    }

    /// Where executors are served.
    fn executors(&self, node: &Handle<AgentNode>, book: &SharedBook) -> ExecutorApi {
        ExecutorApi {
            node: node.clone(),
            links: Links::default(),
            names: InboundNames::default(),
            book: book.clone(),
            ip: self.task_ip(),
            streams: Streams::default(),
            heartbeat: self.http_heartbeat_interval.max(HEARTBEAT_MIN),
        }
    }

    /// What is served, besides executors.
    fn served(&self, shared: &Shared<'_>) -> http::agent::AgentHttp {
        http::agent::AgentHttp {
            node: shared.node.clone(),
            work_dir: shared.work_dir.clone(),
            book: shared.book.clone(),
            flags: Arc::new(self.as_text()),
            masters: self.master.clone(),
            address: self.address(),
            log_file: self.logging.log_file("agent"),
            logging: Verbosity::default(),
            executors: shared.containers.clone(),
            nested: Nested::new(shared.work_dir.clone(), shared.containers.reaper()),
            recovery_secs: shared.began.elapsed().as_secs_f64(),
        }
    }

    /// Where executors, which run on this host, reach the agent.
    fn endpoint(&self) -> String {
        let ip = match self.listen.ip {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        SocketAddr::new(ip, self.port).to_string()
    }
}

/// What the parts of an agent share.
struct Shared<'a> {
    node: &'a Handle<AgentNode>,
    work_dir: &'a WorkDir,
    book: &'a SharedBook,
    containers: &'a Containers,
    began: Instant,
}

async fn serve(flags: &Flags, info: AgentInfo) -> Result<ExitCode, Failure> {
    let clock = Clock::start();
    let mut signals = Signals::listen(&flags.kept)?;
    let _lock = WorkDirLock::take(&flags.work_dir)?;
    let listener = listen(flags.listen.ip, flags.port).await;
    let listener = listener.map_err(Failure::run)?;
    let failed = |error: std::io::Error| Failure::run(format!("cannot start: {error}"));
    let work_dir = WorkDir::create(&flags.work_dir).map_err(failed)?;
    fs::write(work_dir.address_file(), flags.endpoint()).map_err(failed)?;
    let reaper = Reaper::start().map_err(failed)?;
    let book = SharedBook::default();
    let began = Instant::now();
    let (containers, reports) = Containers::new(flags.settings(&work_dir, &book), reaper);
    let live_containers = containers.recover().await.map_err(failed)?;
    let progress = Arc::new(Notify::new());
    let (journal, writes) = open_journal(&work_dir, &progress)?;
    *book.lock() = Book::replay(&writes);
    for (container_id, pid) in containers.pids() {
        book.lock().set_pid(&container_id, pid);
    }
    let recovered = Recovered {
        writes,
        live_containers,
        boot_id: proc_fs::boot_id().map_err(failed)?,
    };
    let (node, inputs) = Handle::queue();
    let executors = flags.executors(&node, &book);
    let ports = AgentPorts {
        journal,
        containers: containers.clone(),
        found: flags.master.clone(),
        masters: Links::default(),
        api: executors.clone(),
        node: node.clone(),
        told: WriteSequence::default(),
        book: book.clone(),
    };
    let rng = fresh_rng("agent").map_err(failed)?;
    let machine = AgentNode::recover(flags.config(), rng, info, clock.now(), recovered);
    let mut node_loop = NodeLoop::new(machine, ports);
    tokio::spawn(forward_reports(reports, node.clone()));
    let served = flags.served(&Shared {
        node: &node,
        work_dir: &work_dir,
        book: &book,
        containers: &containers,
        began,
    });
    let accepting = tokio::spawn(accept_all(listener, served, executors));
    tracing::info!(ip = %flags.listen.ip, port = flags.port, "agent serves");
    let mut running = Box::pin(node_loop.run(clock, inputs, progress));
    let ended = loop {
        tokio::select! {
            ended = &mut running => break ended,
            told = signals.next() => match told {
                Told::Retire => {
                    node.input(Input::Shutdown).await;
                }
                Told::Stop => {
                    node.stop().await;
                    break running.await;
                }
            },
        }
    };
    accepting.abort();
    if flags.kill_on_exit {
        containers.destroy_all().await;
    }
    match ended {
        Ended::Stopped | Ended::Done => {
            tracing::info!(containers = containers.count(), "agent stopped");
            Ok(ExitCode::SUCCESS)
        }
        Ended::Failed(message) => Err(Failure::run(message)),
    }
}

/// Serves all that comes in.
async fn accept_all(listener: TcpListener, agent: http::agent::AgentHttp, executors: ExecutorApi) {
    let router = http::agent::router(&agent, &executors);
    let places = Connections::new(process::http_connections());
    accept(listener, move |incoming| {
        let (router, executors) = (router.clone(), executors.clone());
        let places = places.clone();
        let peer = executors.names.next();
        async move {
            match incoming {
                Incoming::Native(hello, stream) if hello.kind == Kind::Executor => {
                    serve_executor(peer, stream, executors).await;
                }
                Incoming::Native(hello, _) => {
                    tracing::warn!(kind = ?hello.kind, "refused a connection: this is an agent");
                }
                Incoming::Http(stream) => http::serve(stream, router, places).await,
            }
        }
    })
    .await;
}

fn open_journal(work_dir: &WorkDir, progress: &Arc<Notify>) -> Result<(Wal, Vec<Write>), Failure> {
    let folder = work_dir.checkpoints();
    let (journal, found) = Wal::open(&folder, JOURNAL_BYTES, Arc::clone(progress))
        .map_err(|error| Failure::run(error.to_string()))?;
    let remedy = "end its tasks and remove --work_dir to start as a new agent";
    if let Some((at_bytes, why)) = found.damage {
        return Err(Failure::run(format!(
            "the agent's checkpoints are damaged at byte {at_bytes}: {why}; {remedy}"
        )));
    }
    let mut writes = Vec::with_capacity(found.payloads.len());
    for (index, payload) in found.payloads.iter().enumerate() {
        let write = wire::decode(payload).map_err(|error| {
            let folder = folder.display();
            Failure::run(format!("record {index} in {folder}: {error}; {remedy}"))
        })?;
        writes.push(write);
    }
    Ok((journal, writes))
}

//! `tepui master`.

mod texts;
mod tuning;

use super::flags::{Kept, Listen, Logging, address, domain, duration};
use super::process::{self, Signals, WorkDirLock};
use super::{Failure, logging};
use crate::disk::replaced::Content;
use crate::disk::{ReplacedFile, Wal};
use crate::driver::{Clock, Ended, Handle, NodeLoop};
use crate::http;
use crate::http::classic::metrics::RegistrySize;
use crate::http::connections::Connections;
use crate::http::leader::Leader;
use crate::http::operator::{Events, Requests};
use crate::http::scheduler::{SchedulerHttp, Streams};
use crate::mesos::limits::{self, Limits};
use crate::net::Links;
use crate::net::listener::{InboundNames, Incoming, accept, listen};
use crate::net::masters::MasterLinks;
use crate::node::counters::Counters;
use crate::node::fresh_rng;
use crate::node::master::{MasterPeers, MasterPorts, Wakers, forward_broken};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tepui_core::allocator::AgentOrder;
use tepui_core::durable::WriteSequence;
use tepui_core::ids::MasterId;
use tepui_core::log::{Damage, Recovered, Write};
use tepui_core::master::{Config, MasterNode};
use tepui_core::model::{Domain, MasterInfo};
use tepui_core::rng::Rng;
use tepui_core::wire;
use tokio::sync::{Notify, mpsc};
use tuning::Tuning;

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
    /// Where the masters stand, a DomainInfo in JSON: agents of other regions are offered only to
    /// frameworks that are region-aware.
    #[arg(long, env = "TEPUI_DOMAIN", value_parser = domain)]
    pub(crate) domain: Option<Domain>,
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
    /// In which order agents are offered: random, firstfit, bestfit, worstfit, dotprod, gpupacking,
    /// fgd, fgdx or fgdq40 [default: random].
    #[arg(long = "agent_order", env = "TEPUI_AGENT_ORDER")]
    pub(crate) agent_order: Option<AgentOrder>,
    /// How long a framework may sit on an offer [default: for ever].
    #[arg(long = "offer_timeout", env = "TEPUI_OFFER_TIMEOUT", value_parser = duration)]
    pub(crate) offer_timeout: Option<Duration>,
    /// Where to name the leader in ZooKeeper, for clients that look there:
    /// zk://host:port[,host:port..]/path. Masters elect without it.
    #[cfg(feature = "zookeeper")]
    #[arg(long, env = "TEPUI_ZK")]
    pub(crate) zk: Option<crate::zookeeper::Address>,
    /// After how long without a word ZooKeeper drops a master's node.
    #[cfg(feature = "zookeeper")]
    #[arg(
        long = "zk_session_timeout",
        env = "TEPUI_ZK_SESSION_TIMEOUT",
        value_parser = duration,
        default_value = "10secs"
    )]
    pub(crate) zk_session_timeout: Duration,
    /// Where the stock web interface is installed.
    #[arg(long = "webui_dir", env = "TEPUI_WEBUI_DIR")]
    pub(crate) webui_dir: Option<PathBuf>,
    /// Whether metrics name every framework.
    #[arg(
        long = "publish_per_framework_metrics",
        env = "TEPUI_PUBLISH_PER_FRAMEWORK_METRICS",
        action = clap::ArgAction::Set,
        num_args = 0..=1,
        default_missing_value = "true",
        default_value_t = true
    )]
    pub(crate) publish_per_framework_metrics: bool,
    #[command(flatten)]
    pub(crate) tuning: Tuning,
    #[command(flatten)]
    pub(crate) logging: Logging,
    #[command(flatten)]
    pub(crate) limits: Limits,
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

#[cfg(feature = "zookeeper")]
impl Flags {
    /// What names this master in ZooKeeper while it leads, if that is wanted.
    fn bridge(&self) -> Result<Option<crate::zookeeper::Bridge>, Failure> {
        let Some(address) = &self.zk else {
            return Ok(None);
        };
        let members = self.members()?;
        let me = members.iter().find(|member| member.id == self.id);
        let me = me.expect("the list was checked to have this master");
        Ok(Some(crate::zookeeper::Bridge {
            address: address.clone(),
            session_timeout: self.zk_session_timeout,
            me: MasterInfo {
                id: MasterId(me.id),
                address: me.address.clone(),
            },
            members: members
                .iter()
                .map(|member| member.address.clone())
                .collect(),
        }))
    }
}

/// How much the journal of a master holds before it must grow.
const JOURNAL_BYTES: u64 = 8 << 20;

/// How many broken links wait to be told.
const BROKEN_MAX: usize = 64;

/// Runs one master until it is told to stop.
///
/// # Errors
/// When a flag is wrong, or the node cannot start or go on.
pub fn run(flags: &Flags) -> Result<ExitCode, Failure> {
    let config = flags.config()?;
    limits::set(flags.limits);
    logging::start(&flags.logging, &flags.name())?;
    process::block_on(2, serve(flags, config))
}

impl Flags {
    /// The machine's configuration, checked.
    fn config(&self) -> Result<Config, Failure> {
        let members = self.members()?.into_iter().map(|member| MasterInfo {
            id: MasterId(member.id),
            address: member.address,
        });
        let wrong = |error: tepui_core::master::ConfigError| Failure::usage(error.to_string());
        let mut config = Config::new(MasterId(self.id), members.collect()).map_err(wrong)?;
        let leading = &mut config.leading;
        let set = |place: &mut Duration, flag: Option<Duration>| *place = flag.unwrap_or(*place);
        set(&mut leading.agent_ping_timeout, self.agent_ping_timeout);
        set(&mut leading.allocation_interval, self.allocation_interval);
        set(
            &mut leading.agent_reregister_timeout,
            self.agent_reregister_timeout,
        );
        leading.max_agent_ping_timeouts = self
            .max_agent_ping_timeouts
            .unwrap_or(leading.max_agent_ping_timeouts);
        leading.agent_order = self.agent_order.unwrap_or(leading.agent_order);
        leading.offer_timeout = self.offer_timeout.or(leading.offer_timeout);
        leading.region = self.domain.as_ref().map(|domain| domain.region.clone());
        self.tuning.apply(&mut config);
        config.validate().map_err(wrong)?;
        Ok(config)
    }
}

impl Flags {
    fn name(&self) -> String {
        format!("master-{}", self.id)
    }

    fn about(&self, config: &Config) -> http::master::About {
        let since = SystemTime::UNIX_EPOCH.elapsed();
        http::master::About {
            cluster: self.cluster.clone(),
            flags: texts::of(self, config),
            log_file: self.logging.log_file(&self.name()),
            webui_dir: self.webui_dir.clone(),
            per_framework_metrics: self.publish_per_framework_metrics,
            started_at: since.map_or(0.0, |since| since.as_secs_f64()),
        }
    }
}

async fn serve(flags: &Flags, config: Config) -> Result<ExitCode, Failure> {
    let clock = Clock::start();
    let mut signals = Signals::listen(&flags.kept)?;
    let _lock = WorkDirLock::take(&flags.work_dir)?;
    let listener = listen(flags.listen.ip, flags.port).await;
    let listener = listener.map_err(Failure::run)?;
    let progress = Arc::new(Notify::new());
    let disk = open_disk(&flags.work_dir, &progress)?;
    let (node, inputs) = Handle::queue();
    let (broken, was_broken) = mpsc::channel(BROKEN_MAX);
    let wakers = Wakers::default();
    let rng = fresh_rng("master").map_err(|error| Failure::run(error.to_string()))?;
    let recovered = disk.recovered;
    let (journal, snapshot) = (disk.journal, disk.snapshot);
    let links = MasterLinks::new(MasterId(flags.id), broken);
    let ports = ports(journal, snapshot, links, &wakers, &rng);
    let peers = MasterPeers {
        node: node.clone(),
        agents: ports.agents.clone(),
        schedulers: ports.schedulers.clone(),
        wakers,
    };
    let names = InboundNames::default();
    let api = SchedulerHttp {
        node: node.clone(),
        leader: ports.leader.clone(),
        streams: ports.streams.clone(),
        names: names.clone(),
    };
    #[cfg(feature = "zookeeper")]
    if let Some(bridge) = flags.bridge()? {
        tokio::spawn(bridge.run(ports.leader.clone()));
    }
    let pages = pages(flags.about(&config), &node, &ports);
    let mut node_loop = NodeLoop::built(ports, |fx| {
        MasterNode::recover(config, &rng, clock.now(), recovered, fx)
    });
    tokio::spawn(forward_broken(was_broken, node.clone()));
    let router = http::master::router(&pages).merge(http::scheduler::router(api));
    let places = Connections::new(process::http_connections());
    let accepting = tokio::spawn(accept(listener, move |incoming| {
        let (peers, router, peer) = (peers.clone(), router.clone(), names.next());
        let places = places.clone();
        async move {
            match incoming {
                Incoming::Native(hello, stream) => peers.serve(hello.kind, peer, stream).await,
                Incoming::Http(stream) => http::serve(stream, router, places).await,
            }
        }
    }));
    tracing::info!(id = flags.id, ip = %flags.listen.ip, port = flags.port, "master serves");
    let mut running = Box::pin(node_loop.run(clock, inputs, progress));
    let ended = tokio::select! {
        ended = &mut running => ended,
        _ = signals.next() => {
            // Links break at once, so that the others need not wait for silence.
            node.stop().await;
            running.await
        }
    };
    accepting.abort();
    match ended {
        Ended::Stopped | Ended::Done => {
            tracing::info!("master stopped");
            Ok(ExitCode::SUCCESS)
        }
        Ended::Failed(message) => Err(Failure::run(message)),
    }
}

/// What the machine's effects go to, before anything is connected.
fn ports(
    journal: Wal,
    snapshot: ReplacedFile,
    masters: MasterLinks<tepui_core::log::Message>,
    wakers: &Wakers,
    rng: &Rng,
) -> MasterPorts {
    MasterPorts {
        journal,
        snapshot,
        masters,
        wakers: Arc::clone(wakers),
        agents: Links::default(),
        schedulers: Links::default(),
        streams: Streams::new(rng),
        leader: Leader::default(),
        requests: Requests::default(),
        events: Events::default(),
        counters: Counters::default(),
        told_log: WriteSequence::default(),
        told_snapshot: WriteSequence::default(),
    }
}

/// What operators ask of this master.
fn pages(
    about: http::master::About,
    node: &Handle<MasterNode>,
    ports: &MasterPorts,
) -> http::master::MasterHttp {
    http::master::MasterHttp {
        node: node.clone(),
        leader: ports.leader.clone(),
        about: Arc::new(about),
        counters: ports.counters.clone(),
        requests: ports.requests.clone(),
        events: ports.events.clone(),
        logging: logging::Verbosity::default(),
        registry_size: RegistrySize::default(),
    }
}

struct Disk {
    journal: Wal,
    snapshot: ReplacedFile,
    recovered: Recovered,
}

fn open_disk(work_dir: &Path, progress: &Arc<Notify>) -> Result<Disk, Failure> {
    let failed = |error: crate::disk::DiskError| Failure::run(error.to_string());
    let folder = work_dir.join("log");
    let (journal, found) =
        Wal::open(&folder, JOURNAL_BYTES, Arc::clone(progress)).map_err(failed)?;
    let path = folder.join("snapshot");
    let (snapshot, content) = ReplacedFile::open(&path, Arc::clone(progress)).map_err(failed)?;
    let mut recovered = Recovered::default();
    let mut damage = found.damage;
    for (index, payload) in found.payloads.iter().enumerate() {
        match wire::decode(payload) {
            Ok(write) => recovered.writes.push(write),
            Err(error) => {
                // Its checksum is right: another build wrote it, and no peer can repair that.
                let why = format!("record {index} of the journal cannot be read: {error}");
                return Err(Failure::run(why));
            }
        }
    }
    match content {
        Content::Missing => {}
        Content::Whole(payload) => match wire::decode(&payload) {
            Ok(Write::Snapshot(snapshot)) => recovered.snapshot = Some(*snapshot),
            Ok(_) => damage = Some((0, format!("{} holds no snapshot", path.display()))),
            Err(error) => {
                return Err(Failure::run(format!("{}: {error}", path.display())));
            }
        },
        Content::Damaged(why) => damage = damage.or(Some((0, why))),
    }
    recovered.damage = damage.map(|(at_bytes, why)| {
        tracing::error!(at_bytes, %why, "the disk is damaged");
        Damage { at_bytes, why }
    });
    if found.torn_bytes > 0 {
        tracing::info!(bytes = found.torn_bytes, "cut a torn tail off the journal");
    }
    Ok(Disk {
        journal,
        snapshot,
        recovered,
    })
}

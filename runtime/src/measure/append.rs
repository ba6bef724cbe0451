//! How fast three masters on one disk make appends durable: the log alone, with the journals,
//! links and loops of real masters.

use super::cluster::free_ports;
use super::{Figures, synced};
use crate::disk::{ReplacedFile, Wal};
use crate::driver::{Clock, Driven, Ended, Handle, NodeLoop, Ports};
use crate::net::listener::{Incoming, accept, listen};
use crate::net::masters::MasterLinks;
use crate::net::{FrameReader, Kind};
use crate::node::fresh_rng;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tepui_core::durable::WriteSequence;
use tepui_core::ids::MasterId;
use tepui_core::log::{self, Config, Effect, Input, Lane};
use tepui_core::model::MasterInfo;
use tepui_core::time::Now;
use tokio::sync::{Notify, mpsc, oneshot};

/// How long a leader may take to be found.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much a journal holds before it must grow: rotation is measured, growth is not.
const JOURNAL_BYTES: u64 = 64 << 20;

impl Driven for log::Node {
    const EFFECTS_MAX: usize = 1 << 20;

    fn tick() -> Input {
        Input::Tick
    }
}

/// Appends that wait, by token.
type Waiting = Arc<Mutex<BTreeMap<u64, oneshot::Sender<bool>>>>;

struct LogPorts {
    journal: Wal,
    snapshot: ReplacedFile,
    masters: MasterLinks<log::Message>,
    waiting: Waiting,
    leads: Arc<AtomicBool>,
    node: Handle<log::Node>,
    told: [WriteSequence; 2],
}

impl Ports<log::Node> for LogPorts {
    fn perform(&mut self, _now: Now, effect: Effect) -> ControlFlow<Ended> {
        match effect {
            Effect::Send { to, message } => self.masters.send(to, message),
            Effect::Persist {
                lane: Lane::Log,
                sequence,
                write,
            } => {
                let starts_over = write.is_checkpoint();
                self.journal.append(sequence, &write, starts_over);
            }
            Effect::Persist {
                lane: Lane::Snapshot,
                sequence,
                write,
            } => self.snapshot.replace(sequence, &write),
            Effect::Elected { .. } => self.leads.store(true, Ordering::Release),
            Effect::Demoted { .. } => self.leads.store(false, Ordering::Release),
            Effect::Appended { token, .. } => self.answer(token, true),
            Effect::Rejected { token, .. } => self.answer(token, false),
            Effect::TakeSnapshot { through } => {
                // The values are not kept: what is measured is the log.
                let node = self.node.clone();
                tokio::spawn(async move {
                    let state = Arc::from(&b"nothing"[..]);
                    node.input(Input::SnapshotTaken { through, state }).await;
                });
            }
            Effect::Halt(fatal) => return ControlFlow::Break(Ended::Failed(format!("{fatal:?}"))),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn flush(&mut self) {
        self.journal.flush();
    }

    fn persisted(&mut self) -> Result<Option<Input>, Ended> {
        let failed = |error: crate::disk::DiskError| Ended::Failed(error.to_string());
        let durable = [
            (Lane::Log, self.journal.durable().map_err(failed)?),
            (Lane::Snapshot, self.snapshot.durable().map_err(failed)?),
        ];
        for ((lane, up_to), told) in durable.into_iter().zip(&mut self.told) {
            if up_to > *told {
                *told = up_to;
                return Ok(Some(Input::Persisted { lane, up_to }));
            }
        }
        Ok(None)
    }
}

impl LogPorts {
    fn answer(&self, token: u64, done: bool) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = waiting.remove(&token) {
            // A writer that has ended does not care.
            let _ = answer.send(done);
        }
    }
}

/// One master's log.
struct Replica {
    node: Handle<log::Node>,
    waiting: Waiting,
    leads: Arc<AtomicBool>,
}

async fn start(me: MasterId, members: &[MasterInfo], folder: &Path) -> Result<Replica, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let folder = folder.join(me.to_string());
    let progress = Arc::new(Notify::new());
    let (journal, _) =
        Wal::open(&folder, JOURNAL_BYTES, Arc::clone(&progress)).map_err(|e| text(&e))?;
    let (snapshot, _) = ReplacedFile::open(&folder.join("snapshot"), Arc::clone(&progress))
        .map_err(|e| text(&e))?;
    let config = Config::new(me, members.to_vec()).map_err(|e| text(&e))?;
    let (node, inputs) = Handle::queue();
    let (broken, mut was_broken) = mpsc::channel(64);
    let mut masters = MasterLinks::new(me, broken);
    masters.keep(members.iter().map(|m| (m.id, m.address.clone())));
    let waiting = Waiting::default();
    let leads = Arc::new(AtomicBool::new(false));
    let ports = LogPorts {
        journal,
        snapshot,
        masters,
        waiting: Arc::clone(&waiting),
        leads: Arc::clone(&leads),
        node: node.clone(),
        told: Default::default(),
    };
    let clock = Clock::start();
    let rng = fresh_rng("append").map_err(|e| text(&e))?;
    let recovered = log::Recovered::default();
    let mut node_loop = NodeLoop::built(ports, |fx| {
        log::Node::recover(config, rng, recovered, clock.now(), fx)
    });
    tokio::spawn(async move { node_loop.run(clock, inputs, progress).await });
    let told = node.clone();
    tokio::spawn(async move {
        while let Some(with) = was_broken.recv().await {
            told.input(Input::LinkBroken { with }).await;
        }
    });
    let port = port_of(members, me);
    let listener = listen(IpAddr::V4(Ipv4Addr::LOCALHOST), port).await?;
    let heard = node.clone();
    tokio::spawn(accept(listener, move |incoming| {
        let node = heard.clone();
        async move {
            if let Incoming::Native(hello, stream) = incoming
                && let Kind::Master(from) = hello.kind
            {
                hear(from, stream.reader, node).await;
            }
        }
    }));
    Ok(Replica {
        node,
        waiting,
        leads,
    })
}

async fn hear<R: tokio::io::AsyncRead + Unpin>(
    from: MasterId,
    mut reader: FrameReader<R>,
    node: Handle<log::Node>,
) {
    while let Ok(Some(message)) = reader.next().await {
        node.input(Input::Received { from, message }).await;
    }
}

fn port_of(members: &[MasterInfo], me: MasterId) -> u16 {
    let address = members.iter().find(|member| member.id == me);
    let port = address.and_then(|member| member.address.rsplit(':').next()?.parse().ok());
    port.expect("an address that was made here")
}

/// What one number of writers achieved.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// How many writers, each with one append under way.
    pub writers: usize,
    /// The size of each value.
    pub value_bytes: usize,
    /// Durable appends.
    pub appends_per_second: f64,
    /// From the append to the word that it is chosen.
    pub latency: Figures,
    /// What an append cost the three masters and the writers in CPU time of their own.
    pub user_ms: f64,
    /// What it cost in the kernel: the disk, the sockets, waking threads.
    pub kernel_ms: f64,
}

/// All of it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// A write of one block and `fdatasync`, preallocated, with nothing else under way.
    pub fdatasync: Figures,
    /// The same by three threads at once, each to a file of its own, until two are done: what the
    /// disk takes for an append, with no network and no handing over from thread to thread.
    pub quorum_fdatasync: Figures,
    /// One for each number of writers.
    pub rows: Vec<Row>,
}

/// Measures for each number of writers, for `seconds` each, in a folder of the disk to measure.
///
/// # Errors
/// When the logs cannot start or nobody leads.
pub async fn measure(
    writers: &[usize],
    seconds: u64,
    value_bytes: usize,
    folder: &Path,
) -> Result<Report, String> {
    let folder = tempfile::tempdir_in(folder).map_err(|error| error.to_string())?;
    let text = |error: std::io::Error| error.to_string();
    let alone = synced::by_threads(1, folder.path()).map_err(text)?;
    let together = synced::by_threads(3, folder.path()).map_err(text)?;
    let ports = free_ports(3).map_err(|error| error.to_string())?;
    let members: Vec<MasterInfo> = (1..)
        .zip(&ports)
        .map(|(id, port)| MasterInfo {
            id: MasterId(id),
            address: format!("127.0.0.1:{port}"),
        })
        .collect();
    let mut replicas = Vec::new();
    for member in &members {
        replicas.push(start(member.id, &members, folder.path()).await?);
    }
    let started = Instant::now();
    let leader = loop {
        if let Some(leader) = replicas.iter().find(|r| r.leads.load(Ordering::Acquire)) {
            break leader;
        }
        if started.elapsed() > PATIENCE {
            return Err(String::from("nobody leads"));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let mut rows = Vec::new();
    let tokens = Arc::new(AtomicU64::new(0));
    for count in writers {
        rows.push(row(leader, *count, seconds, value_bytes, &tokens).await?);
    }
    Ok(Report {
        fdatasync: Figures::of(alone),
        quorum_fdatasync: Figures::of(together),
        rows,
    })
}

async fn row(
    leader: &Replica,
    writers: usize,
    seconds: u64,
    value_bytes: usize,
    tokens: &Arc<AtomicU64>,
) -> Result<Row, String> {
    let before = cpu_ms()?;
    let start = Instant::now();
    let end = start + Duration::from_secs(seconds);
    let mut tasks = Vec::new();
    for _ in 0..writers {
        let (node, waiting) = (leader.node.clone(), Arc::clone(&leader.waiting));
        let tokens = Arc::clone(tokens);
        let value: Arc<[u8]> = Arc::from(vec![7; value_bytes]);
        tasks.push(tokio::spawn(async move {
            let mut latencies = Vec::new();
            while Instant::now() < end {
                let token = tokens.fetch_add(1, Ordering::Relaxed);
                let (done, is_done) = oneshot::channel();
                waiting
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(token, done);
                let asked = Instant::now();
                let value = Arc::clone(&value);
                node.input(Input::Append { token, value }).await;
                if is_done.await != Ok(true) {
                    return Err(String::from("an append was refused: the leader changed"));
                }
                latencies.push(asked.elapsed());
            }
            Ok(latencies)
        }));
    }
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.map_err(|error| error.to_string())??);
    }
    let elapsed = start.elapsed().as_secs_f64();
    let after = cpu_ms()?;
    let each = |before: f64, after: f64| (after - before) / all.len().max(1) as f64;
    Ok(Row {
        writers,
        value_bytes,
        appends_per_second: all.len() as f64 / elapsed,
        user_ms: each(before.0, after.0),
        kernel_ms: each(before.1, after.1),
        latency: Figures::of(all),
    })
}

/// What this process has computed so far, itself and in the kernel.
fn cpu_ms() -> Result<(f64, f64), String> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).map_err(|error| error.to_string())?;
    let ms = |time: TimeVal| time.num_microseconds() as f64 / 1e3;
    Ok((ms(usage.user_time()), ms(usage.system_time())))
}

//! The agent's containers: started, watched, killed, found again after a restart.

use super::entry::CONTAINER_VARIABLE;
use super::kind::Kind;
use super::pid_file::PidFile;
use super::proc_fs::Process;
use super::reaper::{Child, ExitStatus, Reaper};
use super::sandbox::WorkDir;
use super::sweeper;
use super::tree::Tree;
use super::volumes;
use crate::driver::Handle;
use crate::node::book::SharedBook;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tepui_core::agent::ContainerLaunch;
use tepui_core::executor::CommandExecutor;
use tepui_core::ids::ContainerId;
use tepui_core::resources::Resources;
use tokio::io::unix::AsyncFd;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};

/// How many reports wait for the agent's machine.
const REPORTS_MAX: usize = 1_024;

/// How many containers are started at the same time.
const STARTS_MAX: usize = 4;

/// How many containers have their files fetched at the same time.
const FETCHES_MAX: usize = 16;

/// What is told of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// It runs.
    Started {
        /// Which.
        container_id: ContainerId,
        /// Its first process.
        pid: u32,
    },
    /// It is over with all its processes, or never started.
    Exited {
        /// Which.
        container_id: ContainerId,
        /// Exit code or 128 + signal, if anybody could tell.
        status: Option<ExitStatus>,
        /// For people.
        message: String,
    },
}

/// What every container of an agent needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where sandboxes go.
    pub work_dir: WorkDir,
    /// `host:port` where the agent listens for executors.
    pub endpoint: String,
    /// Variables for every executor.
    pub variables: Vec<(String, String)>,
    /// How long an executor may take to end, unless it says.
    pub shutdown_grace: Duration,
    /// How long an executor waits for its agent to come back.
    pub recovery_timeout: Duration,
    /// How long the agent waits for its executors when it came back.
    pub reregistration_timeout: Duration,
    /// Where it is counted what was fetched.
    pub book: SharedBook,
}

#[derive(Debug)]
enum Run {
    Starting {
        doomed: bool,
    },
    Running(Tree),
    /// Its executor is part of this process; so far it has no process of its own.
    Direct {
        executor: Handle<CommandExecutor>,
        processes: Option<Tree>,
    },
}

/// The agent's containers.
#[derive(Clone, Debug)]
pub struct Containers {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    settings: Settings,
    reaper: Reaper,
    runs: Mutex<BTreeMap<ContainerId, Run>>,
    reports: mpsc::Sender<Report>,
    turns: Semaphore,
    fetching_turns: Semaphore,
}

enum Watched {
    Child(Child),
    Found(Process),
}

impl Containers {
    /// None yet. What is told of them comes through the receiver.
    #[must_use]
    pub fn new(settings: Settings, reaper: Reaper) -> (Containers, mpsc::Receiver<Report>) {
        let (reports, received) = mpsc::channel(REPORTS_MAX);
        let shared = Shared {
            settings,
            reaper,
            runs: Mutex::default(),
            reports,
            turns: Semaphore::new(STARTS_MAX),
            fetching_turns: Semaphore::new(FETCHES_MAX),
        };
        let containers = Containers {
            shared: Arc::new(shared),
        };
        (containers, received)
    }

    /// Starts one; what comes of it is reported.
    pub fn launch(&self, launch: Arc<ContainerLaunch>) {
        let container_id = launch.container_id.clone();
        let former = self
            .runs()
            .insert(container_id.clone(), Run::Starting { doomed: false });
        assert!(former.is_none(), "{container_id:?} was launched twice");
        let containers = self.clone();
        tokio::spawn(async move {
            // More at once would only make each slower, and the process full of threads.
            let turn = containers.turn(&launch).await;
            let starting = containers.clone();
            let started = tokio::task::spawn_blocking(move || starting.start(&launch)).await;
            drop(turn);
            match started {
                Ok(Ok(child)) => containers.started(container_id, child).await,
                Ok(Err(message)) => containers.over(container_id, None, message).await,
                Err(panic) => containers.over(container_id, None, panic.to_string()).await,
            }
        });
    }

    /// Signals one's first process and its group; SIGKILL ends all of it. False when there is
    /// none of that id.
    #[must_use]
    pub fn signal(&self, container_id: &ContainerId, signal: i32) -> bool {
        let tree = match self.runs().get(container_id) {
            Some(Run::Running(tree)) => tree.clone(),
            Some(Run::Starting { .. }) => return true,
            Some(Run::Direct { .. }) => {
                self.destroy(container_id);
                return true;
            }
            None => return false,
        };
        let group = i32::try_from(tree.root).ok().and_then(Pid::from_raw);
        match (Signal::from_named_raw(signal), group) {
            (Some(Signal::KILL), _) => self.destroy(container_id),
            // It may have ended by itself meanwhile.
            (Some(signal), Some(group)) => drop(kill_process_group(group, signal)),
            _ => {}
        }
        true
    }

    /// Deletes whatever is in these volumes.
    pub fn wipe(&self, doomed: &Resources) {
        let root = self.shared.settings.work_dir.root().to_owned();
        if let Err(error) = volumes::wipe(&root, doomed) {
            tracing::error!("cannot delete the data of {doomed}: {error}");
        }
    }

    /// Kills one with all its processes; its end is reported.
    pub fn destroy(&self, container_id: &ContainerId) {
        let tree = match self.runs().get_mut(container_id) {
            Some(Run::Running(tree)) => Some(tree.clone()),
            Some(Run::Direct { executor, .. }) => {
                let executor = executor.clone();
                tokio::spawn(async move { executor.stop().await });
                return;
            }
            Some(Run::Starting { doomed }) => {
                *doomed = true;
                return;
            }
            None => None,
        };
        let containers = self.clone();
        let container_id = container_id.clone();
        tokio::spawn(async move {
            match tree {
                Some(tree) => kill(tree).await,
                None => {
                    let message = String::from("there is no such container");
                    containers.over(container_id, None, message).await;
                }
            }
        });
    }

    /// Finds what a former run of the agent left running and watches it. Returns their ids.
    ///
    /// # Errors
    /// When the pid files cannot be read.
    pub async fn recover(&self) -> io::Result<Vec<ContainerId>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.shared.settings.work_dir.pid_files())? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let id = name.and_then(|name| ContainerId::new(name).ok());
            let (Some(container_id), Some(file)) = (id, PidFile::read(&path)) else {
                // Its process' number was not known yet, or there was none.
                if let Some(container_id) = name.and_then(|name| ContainerId::new(name).ok()) {
                    // No process has this number, and no session: only the mark counts.
                    let (root, root_start_ticks) = (u32::MAX, 0);
                    let marker = marker(&container_id);
                    kill(Tree {
                        root,
                        root_start_ticks,
                        marker,
                    })
                    .await;
                }
                fs::remove_file(&path)?;
                continue;
            };
            let tree = Tree {
                root: file.pid,
                root_start_ticks: file.start_ticks,
                marker: marker(&container_id),
            };
            match file.process() {
                Some(process) => {
                    self.runs().insert(container_id.clone(), Run::Running(tree));
                    let containers = self.clone();
                    let id = container_id.clone();
                    tokio::spawn(async move {
                        containers.watch(id, Watched::Found(process)).await;
                    });
                    found.push(container_id);
                }
                None => {
                    // Its first process is gone; whatever it left behind goes too.
                    kill(tree).await;
                    fs::remove_file(&path)?;
                }
            }
        }
        Ok(found)
    }

    /// Kills all of them and returns when they are gone.
    pub async fn destroy_all(&self) {
        /// A thousand times the time that one takes.
        const ROUNDS_MAX: usize = 2_000;
        for _ in 0..ROUNDS_MAX {
            let mut trees = Vec::new();
            for run in self.runs().values_mut() {
                match run {
                    Run::Direct { executor, .. } => {
                        let executor = executor.clone();
                        tokio::spawn(async move { executor.stop().await });
                    }
                    Run::Running(tree) => trees.push(tree.clone()),
                    Run::Starting { doomed } => *doomed = true,
                }
            }
            if self.runs().is_empty() {
                return;
            }
            for tree in trees {
                kill(tree).await;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tracing::error!("some containers did not end");
    }

    /// The first processes of those that run.
    #[must_use]
    pub fn pids(&self) -> Vec<(ContainerId, u32)> {
        let running = |(id, run): (&ContainerId, &Run)| match run {
            Run::Running(tree) => Some((id.clone(), tree.root)),
            Run::Starting { .. } | Run::Direct { .. } => None,
        };
        self.runs().iter().filter_map(running).collect()
    }

    /// Who waits for children of this process.
    #[must_use]
    pub fn reaper(&self) -> Reaper {
        self.shared.reaper.clone()
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.runs().len()
    }

    fn runs(&self) -> MutexGuard<'_, BTreeMap<ContainerId, Run>> {
        self.shared
            .runs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn started(&self, container_id: ContainerId, child: Child) {
        let pid = child.pid;
        // A child that is over already has lost its start time, and needs none: only what it
        // left in its session is still to be ended.
        let root_start_ticks = Process::read(pid).map_or(0, |process| process.start_ticks);
        let tree = Tree {
            root: pid,
            root_start_ticks,
            marker: marker(&container_id),
        };
        let former = self
            .runs()
            .insert(container_id.clone(), Run::Running(tree.clone()));
        let started = Report::Started {
            container_id: container_id.clone(),
            pid,
        };
        self.report(started).await;
        if matches!(former, Some(Run::Starting { doomed: true })) {
            kill(tree).await;
        }
        self.watch(container_id, Watched::Child(child)).await;
    }

    async fn watch(&self, container_id: ContainerId, watched: Watched) {
        let (mut status, mut is_child) = (None, false);
        match watched {
            Watched::Child(child) => {
                status = child.exited.await.ok();
                is_child = true;
            }
            Watched::Found(process) => {
                // Not a child of this run of the agent: its status is not ours to read.
                if let Err(error) = gone(process).await {
                    tracing::warn!(%container_id, %error, "lost sight of a container");
                }
            }
        }
        let tree = match self.runs().get(&container_id) {
            Some(Run::Running(tree)) => Some(tree.clone()),
            _ => None,
        };
        // What a child of ours leaves behind falls to us.
        if let Some(tree) = tree.filter(|_| !is_child || self.shared.reaper.has_orphans()) {
            kill(tree).await;
        }
        let message = match status {
            Some(status) if status > 128 => format!("ended by signal {}", status - 128),
            Some(status) => format!("exited with status {status}"),
            None => String::from("ended; its status is not known"),
        };
        self.over(container_id, status, message).await;
    }

    async fn over(&self, container_id: ContainerId, status: Option<ExitStatus>, message: String) {
        let pid_file = self.shared.settings.work_dir.pid_file(&container_id);
        // One that never started has none.
        let _ = fs::remove_file(pid_file);
        self.runs().remove(&container_id);
        self.report(Report::Exited {
            container_id,
            status,
            message,
        })
        .await;
    }

    /// What every container needs to know.
    pub(super) fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// Waits until another container may be started. One that wants files may take long, and
    /// does not hold up those that do not.
    pub(super) async fn turn(&self, launch: &ContainerLaunch) -> Option<SemaphorePermit<'_>> {
        let turns = match Kind::of(launch).uris.is_empty() {
            true => &self.shared.turns,
            false => &self.shared.fetching_turns,
        };
        turns.acquire().await.ok()
    }

    /// A container whose executor is part of this process.
    pub(super) fn enter_direct(&self, id: &ContainerId, executor: Handle<CommandExecutor>) {
        let former = self.runs().insert(
            id.clone(),
            Run::Direct {
                executor,
                processes: None,
            },
        );
        assert!(former.is_none(), "{id:?} was launched twice");
    }

    /// The first process of a direct container is known. False when the container is over
    /// already: then nobody else will end the process.
    #[must_use]
    pub(super) fn set_tree(&self, id: &ContainerId, tree: &Tree) -> bool {
        match self.runs().get_mut(id) {
            Some(Run::Direct { processes, .. }) => {
                *processes = Some(tree.clone());
                true
            }
            _ => false,
        }
    }

    /// Ends what is left of a direct container, and reports its end.
    pub(super) async fn end(&self, id: &ContainerId, status: Option<ExitStatus>, why: String) {
        let tree = match self.runs().get(id) {
            Some(Run::Direct { processes, .. }) => processes.clone(),
            _ => None,
        };
        let running = status.is_none();
        if let Some(tree) = tree.filter(|_| running || self.shared.reaper.has_orphans()) {
            kill(tree).await;
        }
        self.over(id.clone(), status, why).await;
    }

    pub(super) async fn report(&self, report: Report) {
        // Nobody listens once the agent is on its way out.
        let _ = self.shared.reports.send(report).await;
    }
}

pub(super) fn marker(container_id: &ContainerId) -> String {
    format!("{CONTAINER_VARIABLE}={container_id}")
}

async fn kill(tree: Tree) {
    let root = tree.root;
    if let Err(error) = sweeper::kill(tree).await {
        tracing::error!(pid = root, %error, "a container did not end");
    }
}

/// Waits until a process that is not our child is gone.
async fn gone(process: Process) -> io::Result<()> {
    let raw = i32::try_from(process.pid).map_err(io::Error::other)?;
    let pid = Pid::from_raw(raw).ok_or(io::ErrorKind::InvalidInput)?;
    let descriptor = match pidfd_open(pid, PidfdFlags::NONBLOCK) {
        Ok(descriptor) => descriptor,
        Err(rustix::io::Errno::SRCH) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    // The descriptor may be that of a later process of the same number.
    if Process::read(process.pid).is_none_or(|now| now.start_ticks != process.start_ticks) {
        return Ok(());
    }
    #[expect(
        deprecated,
        reason = "sound for a descriptor that is owned; the new one is unsafe"
    )]
    let ended = AsyncFd::with_interest(descriptor, tokio::io::Interest::READABLE)?;
    ended.readable().await?.retain_ready();
    Ok(())
}

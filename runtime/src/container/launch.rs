//! The agent's containers: started, watched, killed, found again after a restart.

use super::entry::{
    ADDRESS_FILE_VARIABLE, AGENT_PID_VARIABLE, CONTAINER_VARIABLE, GROUPS, LAUNCH_VARIABLE,
    MODE_VARIABLE, PID_FILE_VARIABLE, USER_VARIABLE,
};
use super::environment;
use super::fetcher::Fetcher;
use super::kind::Program;
use super::pid_file::PidFile;
use super::proc_fs::Process;
use super::reaper::{Child, ExitStatus, Reaper};
use super::sandbox::WorkDir;
use super::sweeper;
use super::tree::Tree;
use super::user::User;
use crate::node::book::SharedBook;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tepui_core::agent::ContainerLaunch;
use tepui_core::ids::ContainerId;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;

/// How many reports wait for the agent's machine.
const REPORTS_MAX: usize = 1_024;

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
    Starting { doomed: bool },
    Running(Tree),
}

/// The agent's containers.
#[derive(Clone, Debug)]
pub struct Containers {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    settings: Settings,
    binary: PathBuf,
    reaper: Reaper,
    runs: Mutex<BTreeMap<ContainerId, Run>>,
    reports: mpsc::Sender<Report>,
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
            // Not current_exe: that names a deleted file once the binary was replaced.
            binary: PathBuf::from("/proc/self/exe"),
            reaper,
            runs: Mutex::default(),
            reports,
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
            let starting = containers.clone();
            let started = tokio::task::spawn_blocking(move || starting.start(&launch)).await;
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

    /// Kills one with all its processes; its end is reported.
    pub fn destroy(&self, container_id: &ContainerId) {
        let tree = match self.runs().get_mut(container_id) {
            Some(Run::Running(tree)) => Some(tree.clone()),
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
                // A file that was being written when its process died names nothing that runs.
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
            Run::Starting { .. } => None,
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
        let status = match watched {
            Watched::Child(child) => child.exited.await.ok(),
            Watched::Found(process) => {
                // Not a child of this run of the agent: its status is not ours to read.
                if let Err(error) = gone(process).await {
                    tracing::warn!(%container_id, %error, "lost sight of a container");
                }
                None
            }
        };
        let tree = match self.runs().get(&container_id) {
            Some(Run::Running(tree)) => Some(tree.clone()),
            _ => None,
        };
        if let Some(tree) = tree {
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

    async fn report(&self, report: Report) {
        // Nobody listens once the agent is on its way out.
        let _ = self.shared.reports.send(report).await;
    }

    fn start(&self, launch: &ContainerLaunch) -> Result<Child, String> {
        let settings = &self.shared.settings;
        let sandbox = settings
            .work_dir
            .create_sandbox(launch)
            .map_err(|error| format!("cannot create the sandbox: {error}"))?;
        let user = User::named(Some(&launch.user))?;
        user.give(&sandbox)?;
        let program = Program::of(launch);
        self.fetch(&program, &sandbox, user)?;
        let mut command = Command::new(&self.shared.binary);
        command.arg0("tepui");
        let (stdout, stderr) = match &program {
            Program::Custom { command: info, .. } => {
                let text = serde_json::to_string(info).map_err(|error| error.to_string())?;
                command.arg("launch").env(LAUNCH_VARIABLE, text);
                ("stdout", "stderr")
            }
            Program::Groups { .. } => {
                command.arg("command-executor").env(MODE_VARIABLE, GROUPS);
                ("stdout", "stderr")
            }
            // The task's own output goes to stdout and stderr; what the executor has to say of
            // itself must not get between.
            Program::Command { .. } => {
                command.arg("command-executor");
                ("executor.log", "executor.log")
            }
        };
        for (name, _) in std::env::vars_os() {
            let ours = name.to_string_lossy();
            if NOT_INHERITED.iter().any(|prefix| ours.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        let pid_file = settings.work_dir.pid_file(&launch.container_id);
        command
            .envs(settings.variables.iter().map(|(name, value)| (name, value)))
            .envs(environment::of_executor(launch, settings, &sandbox))
            .env(ADDRESS_FILE_VARIABLE, settings.work_dir.address_file())
            .env(USER_VARIABLE, &launch.user)
            .env(PID_FILE_VARIABLE, pid_file)
            .env(AGENT_PID_VARIABLE, std::process::id().to_string())
            .env(CONTAINER_VARIABLE, launch.container_id.as_str())
            .current_dir(&sandbox)
            .stdin(Stdio::null())
            .stdout(append(&sandbox.join(stdout))?)
            .stderr(append(&sandbox.join(stderr))?);
        self.shared
            .reaper
            .spawn(&mut command)
            .map_err(|error| format!("cannot start the executor: {error}"))
    }

    fn fetch(&self, program: &Program, sandbox: &Path, user: User) -> Result<(), String> {
        let uris = program.uris();
        if uris.is_empty() {
            return Ok(());
        }
        let fetcher = Fetcher {
            reaper: self.shared.reaper.clone(),
            sandbox: sandbox.to_owned(),
            user: Arc::new(user),
        };
        let fetched = fetcher.fetch(uris);
        self.shared
            .settings
            .book
            .lock()
            .counts
            .count_fetch(fetched.is_ok());
        fetched
    }
}

/// What an agent's own environment has that no executor is to see.
const NOT_INHERITED: [&str; 3] = ["TEPUI_", "MESOS_", "LIBPROCESS_"];

fn marker(container_id: &ContainerId) -> String {
    format!("{CONTAINER_VARIABLE}={container_id}")
}

fn append(path: &Path) -> Result<File, String> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|error| format!("cannot open {}: {error}", path.display()))
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

//! Containers that are no executors': nested into an executor's, or standing alone, started and
//! ended through the agent's operator API. They do not outlive the agent: who debugs through it
//! wants nothing left behind.

use super::entry::{CONTAINER_VARIABLE, program};
use super::proc_fs::Process;
use super::reaper::{ExitStatus, Reaper};
use super::sandbox::WorkDir;
use super::session::Session;
use super::tree::{Tree, adopters};
use super::user::User;
use crate::mesos::v1;
use rustix::process::{Pid, Signal, kill_process_group};
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tepui_core::model::CommandInfo;
use tokio::sync::watch;

/// How many there may be, over ones that nobody removed included.
const CONTAINERS_MAX: usize = 10_000;

/// Marks every process of such a container.
const NESTED_VARIABLE: &str = "TEPUI_NESTED_ID";

/// A container by its ancestors, outermost first, and its own id.
pub type Name = Vec<String>;

/// What is to be started.
#[derive(Debug)]
pub struct Wanted {
    /// Its name.
    pub name: Name,
    /// Where the container around it has its sandbox; none where it stands alone.
    pub around: Option<PathBuf>,
    /// What to run.
    pub command: CommandInfo,
    /// Whose account to use unless the command says.
    pub user: String,
    /// Whether its input and output go through the agent.
    pub session: bool,
}

/// Why something cannot be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NestedError {
    /// There is no such container.
    Unknown,
    /// There is one of that name already.
    Exists,
    /// It still runs.
    Running,
    /// Anything else.
    Failed(String),
}

/// One container.
#[derive(Clone, Debug)]
struct Entry {
    sandbox: PathBuf,
    tree: Tree,
    ended: watch::Receiver<Option<ExitStatus>>,
    session: Option<Session>,
}

/// All of them.
#[derive(Clone, Debug)]
pub struct Nested {
    work_dir: WorkDir,
    reaper: Reaper,
    table: Arc<Mutex<BTreeMap<Name, Entry>>>,
}

impl Nested {
    /// None yet.
    #[must_use]
    pub fn new(work_dir: WorkDir, reaper: Reaper) -> Nested {
        Nested {
            work_dir,
            reaper,
            table: Arc::default(),
        }
    }

    fn table(&self) -> MutexGuard<'_, BTreeMap<Name, Entry>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entry(&self, name: &[String]) -> Result<Entry, NestedError> {
        self.table().get(name).cloned().ok_or(NestedError::Unknown)
    }

    /// Whether there is one of this name, and where its sandbox is.
    #[must_use]
    pub fn sandbox(&self, name: &[String]) -> Option<PathBuf> {
        self.table().get(name).map(|entry| entry.sandbox.clone())
    }

    /// Starts one. Blocks.
    ///
    /// # Errors
    /// When there is one of that name, or it cannot be started.
    pub fn launch(&self, wanted: &Wanted) -> Result<(), NestedError> {
        let (Some(own), false) = (wanted.name.last(), self.table().contains_key(&wanted.name))
        else {
            return Err(NestedError::Exists);
        };
        if self.table().len() >= CONTAINERS_MAX {
            let message = format!("there are {CONTAINERS_MAX} containers already");
            return Err(NestedError::Failed(message));
        }
        let around = wanted.around.clone();
        let around = around.unwrap_or_else(|| self.work_dir.root().to_owned());
        let sandbox = around.join("containers").join(own);
        let started = self.start(wanted, &sandbox).map_err(NestedError::Failed)?;
        let (entry, end, exited) = started;
        self.table().insert(wanted.name.clone(), entry);
        let adopters = adopters(std::process::id());
        let (nested, name) = (self.clone(), wanted.name.clone());
        tokio::spawn(async move {
            let status = exited.await.unwrap_or(128 + 9);
            // What it left behind goes too, and what is nested in it.
            let trees = nested.trees_from(&name);
            let kill = move || trees.iter().try_for_each(|tree| tree.kill(&adopters));
            let killed = tokio::task::spawn_blocking(kill).await;
            if let Ok(Err(error)) = killed {
                tracing::warn!(%error, "a nested container did not end");
            }
            // Nobody may be waiting.
            let _ = end.send(Some(status));
        });
        Ok(())
    }

    /// One, and those nested in it.
    fn trees_from(&self, name: &[String]) -> Vec<Tree> {
        let table = self.table();
        let inner = table.iter().filter(|(other, _)| other.starts_with(name));
        inner.map(|(_, entry)| entry.tree.clone()).collect()
    }

    fn start(&self, wanted: &Wanted, sandbox: &PathBuf) -> Result<Started, String> {
        let user = User::named(wanted.command.user.as_deref().or(Some(&wanted.user)))?;
        fs::create_dir_all(sandbox)
            .map_err(|error| format!("cannot create the sandbox: {error}"))?;
        user.give(sandbox)?;
        let mut command = program(&wanted.command, Some(&wanted.user))?;
        let name = wanted.name.join(".");
        for (variable, _) in std::env::vars_os() {
            let ours = variable.to_string_lossy();
            if ours.starts_with("TEPUI_") || ours.starts_with("LIBPROCESS_") {
                command.env_remove(&variable);
            }
        }
        command
            .env("MESOS_SANDBOX", sandbox)
            .env(NESTED_VARIABLE, &name)
            .current_dir(sandbox)
            .process_group(0);
        // It ends with the container around it.
        if let Some(outermost) = wanted.name.first().filter(|_| wanted.around.is_some()) {
            command.env(CONTAINER_VARIABLE, outermost);
        }
        let session = match wanted.session {
            true => Some(Session::connect(&mut command)?),
            false => {
                redirect(&mut command, sandbox)?;
                None
            }
        };
        let child = self.reaper.spawn(&mut command);
        // Its ends of the pipes close with it, so that their readers see the end.
        drop(command);
        let child = child.map_err(|error| format!("cannot run the command: {error}"))?;
        let (end, ended) = watch::channel(None);
        let entry = Entry {
            sandbox: sandbox.clone(),
            tree: Tree {
                root: child.pid,
                root_start_ticks: Process::read(child.pid).map_or(0, |found| found.start_ticks),
                marker: format!("{NESTED_VARIABLE}={name}"),
            },
            ended,
            session,
        };
        Ok((entry, end, child.exited))
    }

    /// Waits for one's end.
    ///
    /// # Errors
    /// When there is no such container.
    pub async fn wait(&self, name: &[String]) -> Result<ExitStatus, NestedError> {
        let mut ended = self.entry(name)?.ended;
        let status = ended.wait_for(Option::is_some).await;
        status
            .ok()
            .and_then(|status| *status)
            .ok_or_else(|| NestedError::Failed(String::from("its end was not seen")))
    }

    /// Signals one; SIGKILL ends all of it.
    ///
    /// # Errors
    /// When there is no such container.
    pub fn kill(&self, name: &[String], signal: i32) -> Result<(), NestedError> {
        let entry = self.entry(name)?;
        if entry.ended.borrow().is_some() {
            return Ok(());
        }
        let signal = Signal::from_named_raw(signal)
            .ok_or_else(|| NestedError::Failed(format!("there is no signal {signal}")))?;
        let root = i32::try_from(entry.tree.root).ok().and_then(Pid::from_raw);
        if let Some(group) = root {
            // It may have ended by itself meanwhile.
            let _ = kill_process_group(group, signal);
        }
        if signal == Signal::KILL {
            let adopters = adopters(std::process::id());
            tokio::task::spawn_blocking(move || entry.tree.kill(&adopters));
        }
        Ok(())
    }

    /// Forgets one that is over, with its sandbox.
    ///
    /// # Errors
    /// When it still runs.
    pub fn remove(&self, name: &[String]) -> Result<(), NestedError> {
        let entry = self.entry(name)?;
        if entry.ended.borrow().is_none() {
            return Err(NestedError::Running);
        }
        // What was nested in it ended with it.
        self.table().retain(|other, _| !other.starts_with(name));
        match fs::remove_dir_all(&entry.sandbox) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(NestedError::Failed(
                format!("cannot remove its sandbox: {error}"),
            )),
            _ => Ok(()),
        }
    }

    /// The input and output of one.
    ///
    /// # Errors
    /// When there is no such container, or its output goes into files.
    pub fn session(&self, name: &[String]) -> Result<Session, NestedError> {
        let session = self.entry(name)?.session;
        session.ok_or_else(|| {
            NestedError::Failed(String::from("its input and output are not attached"))
        })
    }

    /// Those that run, for people.
    #[must_use]
    pub fn shown(
        &self,
        nested: bool,
        alone: bool,
    ) -> Vec<v1::agent::response::get_containers::Container> {
        let table = self.table();
        let running = table.iter().filter(|(name, entry)| {
            let wanted = if name.len() > 1 { nested } else { alone };
            wanted && entry.ended.borrow().is_none()
        });
        running
            .map(|(name, entry)| {
                let container_id = wire_id(name);
                v1::agent::response::get_containers::Container {
                    container_id: container_id.clone(),
                    container_status: Some(Box::new(v1::ContainerStatus {
                        container_id,
                        executor_pid: Some(entry.tree.root),
                        ..v1::ContainerStatus::default()
                    })),
                    ..v1::agent::response::get_containers::Container::default()
                }
            })
            .collect()
    }
}

/// What starting one comes to: the entry, and both ends of its end.
type Started = (
    Entry,
    watch::Sender<Option<ExitStatus>>,
    tokio::sync::oneshot::Receiver<ExitStatus>,
);

/// A name as the API writes it.
fn wire_id(name: &[String]) -> Option<v1::ContainerId> {
    name.iter().fold(None, |parent, id| {
        Some(v1::ContainerId {
            value: Some(id.clone()),
            parent: parent.map(Box::new),
        })
    })
}

fn redirect(command: &mut Command, sandbox: &std::path::Path) -> Result<(), String> {
    let open = |name: &str| {
        let path = sandbox.join(name);
        let opened = OpenOptions::new().create(true).append(true).open(&path);
        opened.map_err(|error| format!("cannot open {}: {error}", path.display()))
    };
    let (stdout, stderr) = (open("stdout")?, open("stderr")?);
    command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
    Ok(())
}

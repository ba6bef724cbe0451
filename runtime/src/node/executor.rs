//! The command executor's ports: its agent, and one process for each task.

pub mod checks;

use crate::container::Reaper;
use crate::container::entry::{
    ADDRESS_FILE_VARIABLE, AGENT_PID_VARIABLE, CONTAINER_VARIABLE, MODE_VARIABLE,
    PID_FILE_VARIABLE, USER_VARIABLE, program,
};
use crate::container::fetcher::Fetcher;
use crate::container::kind::nested_id;
use crate::container::proc_fs::Process;
use crate::container::tree::Tree;
use crate::container::user::User;
use crate::container::volumes;
use crate::driver::{Ended, Handle, Ports};
use crate::mesos::{protobuf, v1};
use crate::net::dial::{Call, dial};
use crate::net::find::Target;
use crate::net::{Kind, Links};
use rustix::process::{Pid, Signal, kill_process_group};
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use tepui_core::executor::{CommandExecutor, Effect, Input};
use tepui_core::ids::{ContainerId, TaskId};
use tepui_core::message::executor;
use tepui_core::model::TaskInfo;
use tepui_core::time::Now;
use tokio::task::JoinHandle;

/// What the agent tells its executor only.
const NOT_FOR_TASKS: [&str; 5] = [
    MODE_VARIABLE,
    PID_FILE_VARIABLE,
    AGENT_PID_VARIABLE,
    USER_VARIABLE,
    ADDRESS_FILE_VARIABLE,
];

/// Performs a command executor's effects.
#[derive(Debug)]
pub struct ExecutorPorts {
    /// Where the agent says at which address it listens; it may be another after a restart.
    pub address_file: PathBuf,
    /// Where it listened when this executor was started.
    pub endpoint: String,
    /// Where tasks run and their output goes.
    pub sandbox: PathBuf,
    /// Whose account tasks use unless they say otherwise.
    pub user: Option<String>,
    /// Whether each task has a folder of its own below the sandbox.
    pub apart: bool,
    /// Waits for tasks' processes and adopts their orphans.
    pub reaper: Reaper,
    /// Connections to the agent.
    pub agents: Links<executor::ToAgent>,
    /// Where inputs go.
    pub node: Handle<CommandExecutor>,
    /// The last connection, to see what was said last leave.
    pub last_link: Option<JoinHandle<()>>,
    /// Looks at tasks that want that.
    pub checks: checks::Checks,
    /// The leader of each task's process group.
    pub groups: Arc<Mutex<BTreeMap<TaskId, u32>>>,
}

impl Ports<CommandExecutor> for ExecutorPorts {
    fn perform(&mut self, _now: Now, effect: Effect) -> ControlFlow<Ended> {
        match effect {
            Effect::Connect { peer } => {
                let call = Call {
                    kind: Kind::Executor,
                    peer,
                    connected: |peer| Input::Connected { peer },
                    disconnected: |peer| Input::Disconnected { peer },
                    heard: |peer, event| Input::FromAgent { peer, event },
                };
                let target = Target::known(self.agent_address());
                let link = dial(target, &call, &self.agents, self.node.clone());
                self.last_link = Some(link);
            }
            Effect::Close { peer } => self.agents.close(peer),
            Effect::ToAgent { peer, message } => self.agents.send(peer, message),
            Effect::Start { task } => self.start(task),
            Effect::Signal { task_id, force } => self.signal(&task_id, force),
            Effect::Check { task_id, kind } => self.checks.look(&task_id, kind),
            Effect::Exit => return ControlFlow::Break(Ended::Done),
        }
        ControlFlow::Continue(())
    }
}

impl ExecutorPorts {
    fn agent_address(&self) -> String {
        match fs::read_to_string(&self.address_file) {
            Ok(text) if !text.trim().is_empty() => text.trim().to_owned(),
            _ => self.endpoint.clone(),
        }
    }

    fn start(&self, task: Arc<TaskInfo>) {
        let (node, reaper) = (self.node.clone(), self.reaper.clone());
        let (sandbox, user) = (self.sandbox.clone(), self.user.clone());
        let apart = self.apart;
        let work_dir = self.address_file.ancestors().nth(2).map(Path::to_owned);
        let (groups, checks) = (Arc::clone(&self.groups), self.checks.clone());
        tokio::spawn(async move {
            let task_id = task.task_id.clone();
            let (entering, starter) = (checks.clone(), node.clone());
            let runtime = tokio::runtime::Handle::current();
            let starting = tokio::task::spawn_blocking(move || {
                let sandbox = match apart {
                    true => own_sandbox(
                        &task,
                        &sandbox,
                        user.as_deref(),
                        &reaper,
                        work_dir.as_deref(),
                    )?,
                    false => sandbox,
                };
                let mut command = task_program(&task, &sandbox, user.as_deref())?;
                if let Some(watch) = entering.enter(&task, &sandbox) {
                    let task_id = task.task_id.clone();
                    runtime.block_on(starter.input(Input::Watch { task_id, watch }));
                }
                reaper
                    .spawn(&mut command)
                    .map_err(|error| format!("cannot run the command: {error}"))
            });
            let started = starting
                .await
                .unwrap_or_else(|panic| Err(panic.to_string()));
            let (status, message) = match started {
                Err(message) => (None, message),
                Ok(child) => {
                    let pid = child.pid;
                    lock(&groups).insert(task_id.clone(), pid);
                    let input = Input::ProcessStarted {
                        task_id: task_id.clone(),
                        pid,
                    };
                    node.input(input).await;
                    let status = child.exited.await.ok();
                    lock(&groups).remove(&task_id);
                    (status, describe(status))
                }
            };
            checks.forget(&task_id);
            node.input(Input::ProcessExited {
                task_id,
                status,
                message,
            })
            .await;
        });
    }

    fn signal(&self, task_id: &TaskId, force: bool) {
        let Some(leader) = lock(&self.groups).get(task_id).copied() else {
            return;
        };
        if force {
            tokio::task::spawn_blocking(move || {
                // First the tree, as long as it hangs together: what left the group is in it.
                kill_descendants(leader);
                signal_group(leader, Signal::KILL);
            });
        } else {
            signal_group(leader, Signal::TERM);
        }
    }
}

fn lock(groups: &Mutex<BTreeMap<TaskId, u32>>) -> std::sync::MutexGuard<'_, BTreeMap<TaskId, u32>> {
    groups.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn describe(status: Option<i32>) -> String {
    match status {
        Some(status) if status > 128 => format!("terminated with signal {}", status - 128),
        Some(status) => format!("exited with status {status}"),
        None => String::from("ended; its status is not known"),
    }
}

/// Makes a folder for one task of a group, as in Mesos: `containers/<id>`, to which the link
/// `tasks/<task id>` leads; with the files that it wants.
fn own_sandbox(
    task: &TaskInfo,
    sandbox: &Path,
    user: Option<&str>,
    reaper: &Reaper,
    work_dir: Option<&Path>,
) -> Result<PathBuf, String> {
    let info = task.command.as_ref();
    let user = User::named(info.and_then(|info| info.user.as_deref()).or(user))?;
    let failed = |error: io::Error| format!("cannot create the task's sandbox: {error}");
    let around = std::env::var(CONTAINER_VARIABLE).unwrap_or_default();
    let around = ContainerId::new(&around).map_err(|error| error.to_string())?;
    let container = nested_id(&around, &task.task_id);
    let (containers, tasks) = (sandbox.join("containers"), sandbox.join("tasks"));
    let own = containers.join(&container);
    for folder in [&containers, &tasks, &own] {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    user.give(&own)?;
    let target = Path::new("../containers").join(&container);
    symlink(target, tasks.join(task.task_id.as_str())).map_err(failed)?;
    let described: v1::TaskInfo = protobuf::decode(&task.verbatim).unwrap_or_default();
    if let Some(work_dir) = work_dir {
        volumes::link(work_dir, &own, &task.resources, &user)?;
    }
    let uris = described
        .command
        .map(|command| command.uris)
        .unwrap_or_default();
    let fetcher = Fetcher {
        reaper: reaper.clone(),
        sandbox: own.clone(),
        user: Arc::new(user),
    };
    fetcher.fetch(&uris)?;
    Ok(own)
}

fn task_program(
    task: &TaskInfo,
    sandbox: &Path,
    user: Option<&str>,
) -> Result<std::process::Command, String> {
    let info = task.command.as_ref().ok_or("the task has no command")?;
    let mut command = program(info, user)?;
    let output = |name: &str| {
        let path = sandbox.join(name);
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(|error| format!("cannot open {}: {error}", path.display()))
    };
    for ours in NOT_FOR_TASKS {
        command.env_remove(ours);
    }
    command
        .env("MESOS_TASK_ID", task.task_id.as_str())
        .env("MESOS_SANDBOX", sandbox)
        .env("MESOS_DIRECTORY", sandbox)
        .current_dir(sandbox)
        .stdin(Stdio::null())
        .stdout(output("stdout")?)
        .stderr(output("stderr")?)
        .process_group(0);
    Ok(command)
}

pub(super) fn signal_group(leader: u32, signal: Signal) {
    if let Some(group) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        // The group may have ended by itself meanwhile.
        let _ = kill_process_group(group, signal);
    }
}

fn kill_descendants(leader: u32) {
    let Some(process) = Process::read(leader) else {
        return;
    };
    let tree = Tree {
        root: leader,
        root_start_ticks: process.start_ticks,
        marker: String::new(),
    };
    // Without adopters only true descendants are found; the container's own end gets the rest.
    if let Err(error) = tree.kill(&[]) {
        tracing::warn!(%error, "a task did not end");
    }
}

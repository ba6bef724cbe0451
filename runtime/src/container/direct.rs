//! Containers whose executor is part of the agent: each is its task's process and nothing else.
//!
//! A command task needs an executor that outlives its agent only where its framework wants that.
//! Where it does not, a process for the executor would cost more than the task.

use super::entry::{CONTAINER_VARIABLE, program};
use super::environment;
use super::launch::{Containers, Report, marker};
use super::pid_file::PidFile;
use super::proc_fs::{self, Process};
use super::reaper::{Child, ExitStatus};
use super::start::append;
use super::tree::{Tree, adopters};
use crate::driver::Handle;
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::sync::Arc;
use tepui_core::agent::ContainerLaunch;
use tepui_core::executor::CommandExecutor;
use tepui_core::model::TaskInfo;

/// What an agent's own environment has that no task is to see.
pub(super) const NOT_INHERITED: [&str; 3] = ["TEPUI_", "MESOS_", "LIBPROCESS_"];

impl Containers {
    /// A container whose executor is `executor`, a part of this process.
    pub fn open_direct(&self, launch: &ContainerLaunch, executor: Handle<CommandExecutor>) {
        self.enter_direct(&launch.container_id, executor);
    }

    /// Starts the process of a direct container's task, and reports it.
    ///
    /// # Errors
    /// Says why it cannot be started.
    pub async fn start_direct(
        &self,
        launch: &Arc<ContainerLaunch>,
        task: &Arc<TaskInfo>,
    ) -> Result<Child, String> {
        let turn = self.turn(launch).await;
        let (containers, launch, task) = (self.clone(), Arc::clone(launch), Arc::clone(task));
        let container_id = launch.container_id.clone();
        let starting = tokio::task::spawn_blocking(move || containers.spawn_direct(&launch, &task));
        let child = starting.await.map_err(|panic| panic.to_string())??;
        drop(turn);
        let started = Report::Started {
            container_id,
            pid: child.pid,
        };
        self.report(started).await;
        Ok(child)
    }

    fn spawn_direct(&self, launch: &ContainerLaunch, task: &TaskInfo) -> Result<Child, String> {
        let settings = self.settings();
        let (sandbox, _) = self.prepare(launch)?;
        let info = task.command.as_ref().ok_or("the task has no command")?;
        let mut command = program(info, Some(&launch.user))?;
        for (name, _) in std::env::vars_os() {
            let ours = name.to_string_lossy();
            if NOT_INHERITED.iter().any(|prefix| ours.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        command
            .envs(settings.variables.iter().map(|(name, value)| (name, value)))
            .envs(environment::of_executor(launch, settings, &sandbox))
            .envs(info.environment.iter().map(|(name, value)| (name, value)))
            .env("MESOS_TASK_ID", task.task_id.as_str())
            .env(CONTAINER_VARIABLE, launch.container_id.as_str())
            .current_dir(&sandbox)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(append(&sandbox.join("stdout"))?)
            .stderr(append(&sandbox.join("stderr"))?);
        let path = settings.work_dir.pid_file(&launch.container_id);
        // An agent that dies before the number is known finds the container by its mark.
        let unknown = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
        fs::write(&path, "").map_err(unknown)?;
        let child = self.reaper().spawn(&mut command);
        let child = child.map_err(|error| {
            // Nothing to find.
            let _ = fs::remove_file(&path);
            format!("cannot run the command: {error}")
        })?;
        settings
            .book
            .lock()
            .set_pid(&launch.container_id, child.pid);
        let start_ticks = Process::read(child.pid).map_or(0, |process| process.start_ticks);
        let boot_id = proc_fs::boot_id().map_err(unknown)?;
        let file = PidFile {
            pid: child.pid,
            start_ticks,
            boot_id,
        };
        file.write(&path).map_err(unknown)?;
        let tree = Tree {
            root: child.pid,
            root_start_ticks: start_ticks,
            marker: marker(&launch.container_id),
        };
        if self.set_tree(&launch.container_id, &tree) {
            return Ok(child);
        }
        let _ = fs::remove_file(&path);
        tree.kill(&adopters(std::process::id()))?;
        Err(String::from("the container was destroyed meanwhile"))
    }

    /// Ends what is left of a direct container, and reports its end.
    pub async fn close_direct(&self, launch: &ContainerLaunch, status: Option<ExitStatus>) {
        let message = match status {
            Some(status) => format!("exited with status {status}"),
            None => String::from("ended"),
        };
        self.end(&launch.container_id, status, message).await;
    }
}

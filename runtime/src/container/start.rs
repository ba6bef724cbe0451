//! How a container's first process is started, in a sandbox with all that is to be in it.

use super::Containers;
use super::direct::NOT_INHERITED;
use super::entry::{
    ADDRESS_FILE_VARIABLE, AGENT_PID_VARIABLE, CONTAINER_VARIABLE, GROUPS, LAUNCH_VARIABLE,
    MODE_VARIABLE, PID_FILE_VARIABLE, USER_VARIABLE,
};
use super::environment;
use super::fetcher::Fetcher;
use super::kind::{Kind, Program};
use super::reaper::Child;
use super::user::User;
use super::volumes;
use std::fs::{File, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use tepui_core::agent::ContainerLaunch;

/// This program. Not `current_exe`: that names a deleted file once the binary was replaced.
const BINARY: &str = "/proc/self/exe";

impl Containers {
    pub(super) fn start(&self, launch: &ContainerLaunch) -> Result<Child, String> {
        let settings = self.settings();
        let (sandbox, kind) = self.prepare(launch)?;
        let mut command = Command::new(BINARY);
        command.arg0("tepui");
        let (stdout, stderr) = match &kind.program {
            Program::Custom(info) => {
                let text = serde_json::to_string(info).map_err(|error| error.to_string())?;
                command.arg("launch").env(LAUNCH_VARIABLE, text);
                ("stdout", "stderr")
            }
            Program::Groups => {
                command.arg("command-executor").env(MODE_VARIABLE, GROUPS);
                ("stdout", "stderr")
            }
            // The task's own output goes to stdout and stderr; what the executor has to say of
            // itself must not get between.
            Program::Command => {
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
        let child = self
            .reaper()
            .spawn(&mut command)
            .map_err(|error| format!("cannot start the executor: {error}"))?;
        // Before it can say anything: what it says is told with its number.
        settings
            .book
            .lock()
            .set_pid(&launch.container_id, child.pid);
        Ok(child)
    }

    /// Makes a container's sandbox, with all that is to be in it.
    pub(super) fn prepare(&self, launch: &ContainerLaunch) -> Result<(PathBuf, Kind), String> {
        let settings = self.settings();
        let sandbox = settings
            .work_dir
            .create_sandbox(launch)
            .map_err(|error| format!("cannot create the sandbox: {error}"))?;
        let user = User::named(Some(&launch.user))?;
        user.give(&sandbox)?;
        let kind = Kind::of(launch);
        volumes::link(settings.work_dir.root(), &sandbox, &launch.resources, &user)?;
        if !kind.uris.is_empty() {
            let fetcher = Fetcher {
                reaper: self.reaper(),
                sandbox: sandbox.clone(),
                user: Arc::new(user),
            };
            let fetched = fetcher.fetch(&kind.uris);
            settings.book.lock().counts.count_fetch(fetched.is_ok());
            fetched?;
        }
        Ok((sandbox, kind))
    }
}

pub(super) fn append(path: &Path) -> Result<File, String> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|error| format!("cannot open {}: {error}", path.display()))
}

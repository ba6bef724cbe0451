//! The first steps of a container's first process, which is this same binary: its own session,
//! its pid file, and, for executors that are not ours, the change into their program.

use super::pid_file::PidFile;
use super::user::User;
use rustix::process::{Signal, getppid, set_parent_process_death_signal, setsid};
use std::env;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use tepui_core::model::CommandInfo;

/// Names the pid file to write.
pub const PID_FILE_VARIABLE: &str = "TEPUI_PID_FILE";

/// The agent's process number, to notice an agent that died meanwhile.
pub const AGENT_PID_VARIABLE: &str = "TEPUI_AGENT_PID";

/// Marks every process of the container.
pub const CONTAINER_VARIABLE: &str = "TEPUI_CONTAINER_ID";

/// Names the file in which the agent says at which address it listens.
pub const ADDRESS_FILE_VARIABLE: &str = "TEPUI_ADDRESS_FILE";

/// What `tepui launch` is to change into, as JSON.
pub const LAUNCH_VARIABLE: &str = "TEPUI_LAUNCH";

/// How the agent's own executor is to live; one command task is the default.
pub const MODE_VARIABLE: &str = "TEPUI_EXECUTOR_MODE";

/// The [`MODE_VARIABLE`] of the executor of task groups.
pub const GROUPS: &str = "groups";

/// Whom it is to run as.
pub const USER_VARIABLE: &str = "TEPUI_LAUNCH_USER";

/// Enters the container. From its return on the process outlives its agent.
///
/// # Errors
/// When the agent is gone already, or the pid file cannot be written.
pub fn enter() -> Result<(), String> {
    let variable = |name: &str| env::var(name).map_err(|_| format!("{name} is not set"));
    let pid_file = PathBuf::from(variable(PID_FILE_VARIABLE)?);
    let agent: u32 = variable(AGENT_PID_VARIABLE)?
        .parse()
        .map_err(|_| format!("{AGENT_PID_VARIABLE} is not a process number"))?;
    // Until the file is written an agent that dies takes this process with it.
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(describe("prctl"))?;
    let parent = getppid().map_or(0, |pid| pid.as_raw_nonzero().get().unsigned_abs());
    if parent != agent {
        return Err(String::from("the agent that started this is gone"));
    }
    setsid().map_err(describe("setsid"))?;
    PidFile::of_this_process()
        .and_then(|file| file.write(&pid_file))
        .map_err(|error| format!("cannot write {}: {error}", pid_file.display()))?;
    set_parent_process_death_signal(None).map_err(describe("prctl"))
}

fn describe(what: &'static str) -> impl Fn(rustix::io::Errno) -> String {
    move |error| format!("{what}: {error}")
}

/// Enters the container and changes into the executor's program. Returns only an error.
#[must_use]
pub fn launch() -> String {
    let command = || -> Result<Command, String> {
        enter()?;
        let text =
            env::var(LAUNCH_VARIABLE).map_err(|_| format!("{LAUNCH_VARIABLE} is not set"))?;
        let info = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let user = env::var(USER_VARIABLE).ok();
        let mut command = program(&info, user.as_deref())?;
        for ours in [
            PID_FILE_VARIABLE,
            AGENT_PID_VARIABLE,
            LAUNCH_VARIABLE,
            USER_VARIABLE,
            ADDRESS_FILE_VARIABLE,
        ] {
            command.env_remove(ours);
        }
        Ok(command)
    };
    match command() {
        Err(error) => error,
        Ok(mut command) => {
            let program = command.get_program().to_string_lossy().into_owned();
            let error: io::Error = command.exec();
            format!("cannot run {program}: {error}")
        }
    }
}

/// A command as the host is to run it. `user` is whose account to use where the command names
/// none; it counts only for root.
///
/// # Errors
/// When the user is unknown.
pub fn program(info: &CommandInfo, user: Option<&str>) -> Result<Command, String> {
    let mut command;
    if info.shell {
        command = Command::new("/bin/sh");
        command.arg0("sh").arg("-c").arg(&info.value);
    } else {
        command = Command::new(&info.value);
        if let Some((name, arguments)) = info.arguments.split_first() {
            command.arg0(name).args(arguments);
        }
    }
    command.envs(info.environment.iter().map(|(name, value)| (name, value)));
    User::named(info.user.as_deref().or(user))?.become_in(&mut command);
    Ok(command)
}

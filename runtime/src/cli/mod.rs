//! The command line: one binary, one subcommand for each role. Flags keep Mesos' names and their
//! underscores; each can be given as a variable `TEPUI_<FLAG>` as well, or as `MESOS_<FLAG>`.

pub mod agent;
pub mod detect;
pub mod execute;
pub mod executor;
pub mod flags;
pub mod local;
mod log_lines;
pub mod logging;
pub mod master;
pub mod measure;
pub mod output;
pub mod process;

use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::env::var_os;
use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

/// What ended a command before its work was done.
#[derive(Debug)]
pub struct Failure {
    /// What went wrong, where, and what to do about it.
    pub message: String,
    /// The process' exit code, never 0.
    pub code: u8,
}

impl Failure {
    /// A bad flag or variable: the same exit code as clap's own complaints.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure {
            message: message.into(),
            code: 2,
        }
    }

    /// Anything that went wrong while running.
    #[must_use]
    pub fn run(message: impl Into<String>) -> Failure {
        Failure {
            message: message.into(),
            code: 1,
        }
    }
}

/// A cluster kernel for Linux hosts: Mesos' two-level scheduling around one pure, simulated core.
#[derive(Debug, Parser)]
#[command(name = "tepui", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run one master.
    Master(Box<master::Flags>),
    /// Run one agent on this host.
    Agent(Box<agent::Flags>),
    /// Run a whole cluster on this host, as separate processes.
    Local(Box<local::Flags>),
    /// Run one command on a cluster, show its output and exit with its status.
    Execute(Box<execute::Flags>),
    /// Replay failure scenarios against the core, in simulated time.
    #[command(disable_help_flag = true)]
    Sim {
        /// Handed to the simulator; `tepui sim --help` lists them.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Plan capacity: what really fits, what is stranded, what can be switched off.
    #[command(disable_help_flag = true)]
    Plan {
        /// Handed to the planner; `tepui plan --help` lists them.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Measure real clusters on this host.
    #[command(hide = true)]
    Measure(Box<measure::Flags>),
    /// Changes into an executor that is not ours; started by agents.
    #[command(hide = true)]
    Launch(Box<executor::LaunchFlags>),
    /// The agent's own executor of command tasks; started by agents.
    #[command(hide = true)]
    #[command(name = "command-executor")]
    Executor(Box<executor::Flags>),
}

/// Runs the process: parses the arguments, runs the subcommand, reports what failed.
#[must_use]
pub fn main() -> ExitCode {
    // Every command task starts one of these, and needs nothing of the command line.
    let mut arguments = std::env::args_os().skip(1);
    let whole = (arguments.next(), arguments.next());
    if whole == (Some(OsString::from("command-executor")), None) {
        return finish(executor::run(&executor::Flags {}));
    }
    finish(match arguments_given().command {
        Command::Master(flags) => master::run(&flags),
        Command::Agent(flags) => agent::run(&flags),
        Command::Local(flags) => local::run(&flags),
        Command::Execute(flags) => execute::run(&flags),
        Command::Measure(flags) => measure::run(&flags),
        Command::Launch(flags) => executor::launch(&flags),
        Command::Executor(flags) => executor::run(&flags),
        Command::Sim { arguments } => Ok(tepui_sim::cli::run(arguments)),
        Command::Plan { arguments } => Ok(tepui_sim::capacity::cli::run(arguments, &ask_master)),
    })
}

/// Asks a master for a page.
fn ask_master(address: &str, path: &str) -> Result<Vec<u8>, String> {
    let mut page = Err(String::from("nobody asked"));
    let asked = process::block_on(1, async {
        page = crate::http::client::get(address, path).await;
        Ok(ExitCode::SUCCESS)
    });
    asked.map_err(|failure| failure.message)?;
    let page = page?;
    if page.status.is_success() {
        return Ok(page.body.to_vec());
    }
    Err(format!("{address} answers {} to {path}", page.status))
}

/// What the command line says, and the environment where it says nothing.
fn arguments_given() -> Arguments {
    let command = Arguments::command().mut_subcommands(|role| role.mut_args(with_mesos_variable));
    let matches = command.get_matches();
    // The matches are of the same command.
    Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// A flag that is read from Mesos' variable, if that is set and ours is not.
fn with_mesos_variable(flag: Arg) -> Arg {
    let ours = flag.get_env().and_then(OsStr::to_str);
    let name = ours.and_then(|ours| ours.strip_prefix("TEPUI_"));
    let theirs = name.map(|name| format!("MESOS_{name}"));
    let set = |variable: Option<&str>| variable.is_some_and(|name| var_os(name).is_some());
    match theirs {
        Some(theirs) if !set(ours) && set(Some(&theirs)) => flag.env(theirs),
        _ => flag,
    }
}

fn finish(result: Result<ExitCode, Failure>) -> ExitCode {
    logging::flush();
    result.unwrap_or_else(|failure| {
        eprintln!("tepui: {}", failure.message);
        ExitCode::from(failure.code)
    })
}

//! The hidden `tepui measure`: figures of real clusters on this host, as JSON.

use super::{Failure, process};
use crate::measure::{append, failover, launch, state};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Flags of `tepui measure`.
#[derive(Clone, Debug, Args)]
pub struct Flags {
    #[command(subcommand)]
    what: What,
    /// Write the figures here instead of to standard output.
    #[arg(long, global = true)]
    output: Option<PathBuf>,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// Kill -9 the leader of three masters: until a new leader, agents, scheduler, first offer.
    Failover {
        /// How often.
        #[arg(long, default_value_t = 20)]
        kills: usize,
        /// How many agents.
        #[arg(long, default_value_t = 2)]
        agents: usize,
        /// How many tasks run meanwhile.
        #[arg(long, default_value_t = 20)]
        tasks: u64,
    },
    /// Launch tasks on a running cluster through the scheduler API.
    Launch {
        /// The leader's host:port.
        #[arg(long)]
        master: String,
        /// How many tasks.
        #[arg(long, default_value_t = 1_000)]
        tasks: usize,
        /// What runs them.
        #[arg(long, default_value = "cmd")]
        mode: launch::Mode,
        /// How many may be in flight; 0 for all.
        #[arg(long, default_value_t = 0)]
        window: usize,
    },
    /// Read the state of a large cluster, and what that does to other calls.
    State {
        /// How many agents.
        #[arg(long, default_value_t = 10_000)]
        agents: usize,
        /// How many tasks they run together.
        #[arg(long, default_value_t = 100_000)]
        tasks: usize,
        /// How many schedulers subscribe.
        #[arg(long, default_value_t = 500)]
        schedulers: usize,
        /// How often the state is read.
        #[arg(long, default_value_t = 30)]
        reads: usize,
    },
    /// What `launch --mode=exec` has the agent start.
    Executor,
    /// Append to the log of three masters on one disk.
    Append {
        /// How many writers, one run for each number.
        #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64])]
        writers: Vec<usize>,
        /// How long each run takes.
        #[arg(long, default_value_t = 5)]
        seconds: u64,
        /// The size of each value.
        #[arg(long = "value_bytes", default_value_t = 200)]
        value_bytes: usize,
        /// A folder on the disk to measure.
        #[arg(long, default_value = "/tmp")]
        folder: PathBuf,
    },
}

/// Measures.
///
/// # Errors
/// When what is measured does not work.
pub fn run(flags: &Flags) -> Result<ExitCode, Failure> {
    process::block_on(4, async {
        let output = flags.output.as_deref();
        let written = match &flags.what {
            What::Failover {
                kills,
                agents,
                tasks,
            } => {
                let report = failover::measure(*kills, *agents, *tasks).await;
                failover::write(&report.map_err(Failure::run)?, output)
            }
            What::Launch {
                master,
                tasks,
                mode,
                window,
            } => {
                let report = launch::measure(&launch::Plan {
                    master: master.clone(),
                    tasks: *tasks,
                    mode: *mode,
                    window: *window,
                });
                failover::write(&report.map_err(Failure::run)?, output)
            }
            What::State {
                agents,
                tasks,
                schedulers,
                reads,
            } => {
                let plan = state::Plan {
                    agents: *agents,
                    tasks: *tasks,
                    schedulers: *schedulers,
                    reads: *reads,
                };
                let report = state::measure(&plan).await;
                failover::write(&report.map_err(Failure::run)?, output)
            }
            What::Executor => launch::executor::run(),
            What::Append {
                writers,
                seconds,
                value_bytes,
                folder,
            } => {
                let report = append::measure(writers, *seconds, *value_bytes, folder).await;
                failover::write(&report.map_err(Failure::run)?, output)
            }
        };
        written.map_err(Failure::run)?;
        Ok(ExitCode::SUCCESS)
    })
}

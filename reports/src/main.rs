//! Makes the reports in `reports/published/`, each by one command.

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use tepui_reports::commands::{
    self, agent_order, allocation, append, failover, launch, mutants, planning, speed, state, swarm,
};

/// Makes the reports: measures, sets the figures beside their peers, draws.
#[derive(Parser)]
#[command(name = "tepui-reports")]
struct Arguments {
    /// Where the reports are written.
    #[arg(long, global = true, default_value = "reports/published")]
    out: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compares the orders in which agents are offered, on tasks that come and go.
    AgentOrder(agent_order::Options),
    /// Measures the allocation cycle and sets it beside Mesos'.
    Allocation(allocation::Options),
    /// Measures durable appends to three masters' logs and sets them beside etcd's.
    Append(append::Options),
    /// Kills the leader of a real cluster and sets the times beside Mesos'.
    Failover(failover::Options),
    /// Launches tasks through the scheduler API and sets the figures beside Mesos'.
    Launch(launch::Options),
    /// Plants each bug of `sim/mutants` in a scratch copy and counts the seeds until it is found.
    Mutants(mutants::Options),
    /// Measures the planner on a published trace, and checks its goals.
    Planning(planning::Options),
    /// Measures how many events the simulator handles a second.
    Speed(speed::Options),
    /// Reads the state of a large cluster again and again, and says what that does to other calls.
    State(state::Options),
    /// Runs thousands of seeds with random faults and says how fast.
    Swarm(swarm::Options),
}

fn main() -> ExitCode {
    let Arguments { out, command } = Arguments::parse();
    let result = match command {
        Command::AgentOrder(options) => agent_order::run(&options, &out),
        Command::Allocation(options) => allocation::run(&options, &out),
        Command::Append(options) => append::run(&options, &out),
        Command::Failover(options) => failover::run(&options, &out),
        Command::Launch(options) => launch::run(&options, &out),
        Command::Mutants(options) => mutants::run(&options, &out),
        Command::Planning(options) => planning::run(&options, &out),
        Command::Speed(options) => speed::run(&options, &out),
        Command::State(options) => state::run(&options, &out),
        Command::Swarm(options) => swarm::run(&options, &out),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(commands::Error(why)) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

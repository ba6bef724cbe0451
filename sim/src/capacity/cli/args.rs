//! Flags.

use super::agent_order::AgentOrders;
use super::compact::SoftName;
use super::generate::Generate;
use super::grow::Grow;
use super::outputs::Outputs;
use super::rearrange::Rearrange;
use super::source::{Filling, Source};
use super::what_if::WhatIf;
use crate::capacity::replay::ReplayPolicy;
use crate::capacity::wanted::Wanted;
use clap::{Args, Parser, Subcommand};
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use tepui_core::placement::Policy;

/// Plan capacity: what really fits, what is stranded, what can be switched off.
#[derive(Debug, Parser)]
#[command(name = "tepui plan", max_term_width = 100)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a workload through placement policies and compare them.
    Replay(Replay),
    /// How many more tasks of each shape fit, and what runs out first.
    Fit(Fit),
    /// How much of what is free is of no use to the tasks that come, machine by machine.
    Fragmentation(Fragmentation),
    /// How many machines a workload needs, which could be switched off now, and what moves free.
    Compact(Compact),
    /// The cheapest mix of machine types for a workload, now and as it grows.
    Grow(Grow),
    /// What becomes of what runs when machines are lost or added, applications grow, or weights and
    /// quota change.
    WhatIf(WhatIf),
    /// Make up a small cluster and its tasks, to try the others with.
    #[command(hide = true)]
    Generate(Generate),
    /// Let tasks come and go under the allocator, and compare the orders in which it offers agents.
    AgentOrder(AgentOrders),
}

impl Command {
    pub(super) fn outputs(&mut self) -> Option<&mut Outputs> {
        Some(match self {
            Command::Replay(arguments) => &mut arguments.outputs,
            Command::Fit(arguments) => &mut arguments.outputs,
            Command::Fragmentation(arguments) => &mut arguments.outputs,
            Command::Compact(arguments) => &mut arguments.outputs,
            Command::Grow(arguments) => &mut arguments.outputs,
            Command::WhatIf(arguments) => &mut arguments.outputs,
            Command::AgentOrder(arguments) => &mut arguments.outputs,
            Command::Generate(_) => return None,
        })
    }
}

#[derive(Debug, Args)]
pub(super) struct Replay {
    #[command(flatten)]
    pub(super) input: Source,
    /// Which policies; all that place single tasks by default. DRF has frameworks, one for each
    /// application of each role, place their tasks on what the allocator offers them.
    #[arg(long, value_delimiter = ',', value_name = "P,..")]
    pub(super) policy: Vec<ReplayPolicy>,
    /// How many tasks come at once under DRF: their frameworks compete for the same offers. One at
    /// a time is closest to the other policies, and slow.
    #[arg(long, value_name = "COUNT", default_value = "10")]
    pub(super) burst: NonZeroUsize,
    /// Draws the order, if none is given, and what the policy Random does.
    #[arg(long, default_value_t = 1, conflicts_with = "seeds")]
    seed: u64,
    /// Many seeds: from A to B, both of them included.
    #[arg(long, value_name = "A..B", value_parser = parse_seeds)]
    seeds: Option<RangeInclusive<u64>>,
    /// One JSON object for each policy and seed on standard output, and nothing else there.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) outputs: Outputs,
}

impl Replay {
    pub(super) fn policies(&self) -> Vec<ReplayPolicy> {
        match self.policy.is_empty() {
            true => ReplayPolicy::usual().collect(),
            false => self.policy.clone(),
        }
    }

    pub(super) fn seeds(&self) -> RangeInclusive<u64> {
        self.seeds.clone().unwrap_or(self.seed..=self.seed)
    }
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 all that was wanted fits, 1 bad flags or input, 2 it does \
                        not."
)]
pub(super) struct Fit {
    #[command(flatten)]
    pub(super) input: Source,
    /// Whose tasks they are to be: what is reserved for others is not for them.
    #[arg(long, default_value = "*")]
    pub(super) role: String,
    #[command(flatten)]
    pub(super) filling: Filling,
    /// What is to fit: `cpus=1.5,mem=2048,disk=100,ports=1,gpus=0.5,count=10`, and, each if it
    /// matters, `model=A|B`, `role=web`, `app=shop`, `constraint=hostname:UNIQUE`; may be given
    /// more than once, and then all of it is to fit together. Without, each shape of the tasks is
    /// tried by itself.
    #[arg(long = "shape", value_name = "SHAPE")]
    pub(super) shapes: Vec<Wanted>,
    /// A whole release as YAML, which is to fit together: a list of applications with name,
    /// instances, shape, role and constraints.
    #[arg(long, value_name = "FILE", conflicts_with = "shapes")]
    pub(super) release: Option<PathBuf>,
    /// One JSON object on standard output, and nothing else there.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) outputs: Outputs,
}

#[derive(Debug, Args)]
pub(super) struct Fragmentation {
    #[command(flatten)]
    pub(super) input: Source,
    #[command(flatten)]
    pub(super) filling: Filling,
    /// How many machines to show, those with the most fragments first.
    #[arg(long, default_value_t = 20)]
    pub(super) top: usize,
    /// One JSON object on standard output, and nothing else there.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) outputs: Outputs,
}

#[derive(Debug, Args)]
pub(super) struct Compact {
    #[command(flatten)]
    pub(super) input: Source,
    /// Of the arrivals until this much of all GPUs, in percent, was asked for; all without.
    #[arg(long, value_name = "PERCENT")]
    pub(super) load: Option<u32>,
    /// How tasks are placed; all but Random by default.
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "P,..",
        default_value = "FirstFit"
    )]
    pub(super) policy: Vec<Policy>,
    /// Each seed takes machines away in another order: from A to B, both of
    /// them included.
    #[arg(long, value_name = "A..B", value_parser = parse_seeds, default_value = "1..11")]
    pub(super) seeds: RangeInclusive<u64>,
    /// Give up constraints, so that a few applications do not hold machines: those of applications
    /// with more instances than half of the machines, or all.
    #[arg(long, value_enum, num_args = 0..=1, default_missing_value = "large",
          conflicts_with_all = ["drain", "moves"])]
    pub(super) soft_constraints: Option<SoftName>,
    /// One JSON object for each policy on standard output, and nothing else there.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) outputs: Outputs,
    #[command(flatten)]
    pub(super) rearrange: Rearrange,
}

pub(super) fn parse_seeds(text: &str) -> Result<RangeInclusive<u64>, String> {
    let wrong = || format!("'{text}' is no range of seeds: write 1..11");
    let (first, end) = text.split_once("..").ok_or_else(wrong)?;
    let first: u64 = first.trim().parse().map_err(|_| wrong())?;
    let end: u64 = end.trim().parse().map_err(|_| wrong())?;
    if first > end {
        return Err(format!("'{text}' holds no seed: the end must not be less"));
    }
    Ok(first..=end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}

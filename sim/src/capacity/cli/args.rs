//! Flags.

use super::grow::Grow;
use super::outputs::Outputs;
use super::rearrange::Rearrange;
use crate::capacity::error::PlanError;
use crate::capacity::input::{self, Mapping};
use crate::capacity::random::SplitMix64;
use crate::capacity::replay::ReplayPolicy;
use crate::capacity::workload::{Order, Workload};
use crate::draw::Cell;
use clap::{Args, Parser, Subcommand};
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use tepui_core::placement::{Measure, Models, Policy, Shape};

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
}

impl Command {
    pub(super) fn outputs(&mut self) -> &mut Outputs {
        match self {
            Command::Replay(arguments) => &mut arguments.outputs,
            Command::Fit(arguments) => &mut arguments.outputs,
            Command::Fragmentation(arguments) => &mut arguments.outputs,
            Command::Compact(arguments) => &mut arguments.outputs,
            Command::Grow(arguments) => &mut arguments.outputs,
        }
    }
}

/// Machines and tasks.
#[derive(Debug, Args)]
pub(super) struct Input {
    /// Machines, as comma-separated values: sn, `cpu_milli`, `memory_mib`, gpu, model.
    #[arg(long, value_name = "FILE")]
    nodes: Option<PathBuf>,
    /// Tasks, as comma-separated values: name, `cpu_milli`, `memory_mib`, `num_gpu`, `gpu_milli`,
    /// `gpu_spec`.
    #[arg(long, value_name = "FILE")]
    tasks: Option<PathBuf>,
    /// In which order tasks come and machines win ties: JSON with `arrivals` and `nodes`, places in
    /// the lists sorted by name. By default the seed draws it.
    #[arg(long, value_name = "FILE")]
    order: Option<PathBuf>,
    /// The name of a column that is not called as above; may be given more than once.
    #[arg(long = "column", value_name = "USUAL=THEIRS", value_parser = parse_column)]
    columns: Vec<(String, String)>,
}

impl Input {
    pub(super) fn read(&self) -> Result<(Workload, Measure), PlanError> {
        let mapping = Mapping(self.columns.clone());
        let (Some(nodes), Some(tasks)) = (&self.nodes, &self.tasks) else {
            let text = "--nodes and --tasks are needed together";
            return Err(PlanError::Mismatch(text.to_owned()));
        };
        let workload = input::read(nodes, tasks, &mapping)?;
        let measure = workload.measure();
        Ok((workload, measure))
    }

    /// Which files there are, and what is in them.
    pub(super) fn described(&self, workload: &Workload) -> Vec<(String, String)> {
        let shown = |path: &PathBuf| path.display().to_string();
        let machines = Cell::from(workload.machines.len()).shown();
        let gpus = Cell::from(workload.gpu_milli() / 1000).shown();
        let tasks = Cell::from(workload.tasks.len()).shown();
        let mut inputs = Vec::new();
        if let Some(path) = &self.nodes {
            inputs.push((shown(path), format!("{machines} machines, {gpus} GPUs")));
        }
        if let Some(path) = &self.tasks {
            let shapes = Cell::from(workload.shapes.len()).shown();
            inputs.push((shown(path), format!("{tasks} tasks of {shapes} shapes")));
        }
        if let Some(path) = &self.order {
            inputs.push((shown(path), "the order of arrivals".to_owned()));
        }
        inputs
    }

    /// The order that was given, or one that a seed draws.
    pub(super) fn order(&self, workload: &Workload, seed: u64) -> Result<Order, PlanError> {
        match &self.order {
            Some(path) => input::read_order(path, workload),
            None => {
                let mut random = SplitMix64::new(seed);
                Ok(Order {
                    arrivals: random.shuffled(workload.tasks.len()),
                    machines: random.shuffled(workload.machines.len()),
                })
            }
        }
    }

    /// In which order tasks come, where the machines' order does not matter.
    pub(super) fn arrivals(&self, workload: &Workload, seed: u64) -> Result<Order, PlanError> {
        match &self.order {
            Some(path) => input::read_arrivals(path, workload),
            None => self.order(workload, seed),
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Replay {
    #[command(flatten)]
    pub(super) input: Input,
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
    pub(super) input: Input,
    /// Ask this master what is free on its agents now, instead of reading files.
    #[arg(long, value_name = "HOST:PORT", conflicts_with_all = ["nodes", "tasks", "order", "load"],
          requires = "shapes")]
    pub(super) from: Option<String>,
    /// Whose tasks they are to be: what is reserved for others is not for them.
    #[arg(long, default_value = "*")]
    pub(super) role: String,
    /// Place arrivals until this much of all GPUs, in percent, was asked for; all of them without.
    #[arg(long, value_name = "PERCENT")]
    pub(super) load: Option<u32>,
    /// How they are placed.
    #[arg(long, default_value = "FirstFit")]
    pub(super) policy: Policy,
    /// Draws the order, if none is given.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// What is to fit: `cpus=1.5,mem=2048,disk=100,ports=1,gpus=0.5,count=10`; may be given more
    /// than once, and then all of it is to fit together. Without, each shape of the workload is
    /// tried by itself.
    #[arg(long = "shape", value_name = "SHAPE", value_parser = parse_wanted)]
    pub(super) shapes: Vec<Wanted>,
    /// One JSON object on standard output, and nothing else there.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) outputs: Outputs,
}

#[derive(Debug, Args)]
pub(super) struct Fragmentation {
    #[command(flatten)]
    pub(super) input: Input,
    /// Place arrivals until this much of all GPUs, in percent, was asked for; all of them without.
    #[arg(long, value_name = "PERCENT")]
    pub(super) load: Option<u32>,
    /// How they are placed.
    #[arg(long, default_value = "FirstFit")]
    pub(super) policy: Policy,
    /// Draws the order, if none is given.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
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
    pub(super) input: Input,
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
    /// One JSON object for each policy on standard output, and nothing else there.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) outputs: Outputs,
    #[command(flatten)]
    pub(super) rearrange: Rearrange,
}

/// A shape and how many of it are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) shape: Shape,
    pub(super) count: Option<i64>,
}

fn parse_column(text: &str) -> Result<(String, String), String> {
    let (usual, theirs) = text
        .split_once('=')
        .ok_or_else(|| format!("'{text}' names no two columns: write memory_mib=ram"))?;
    Ok((usual.to_owned(), theirs.to_owned()))
}

fn parse_seeds(text: &str) -> Result<RangeInclusive<u64>, String> {
    let wrong = || format!("'{text}' is no range of seeds: write 1..11");
    let (first, end) = text.split_once("..").ok_or_else(wrong)?;
    let first: u64 = first.trim().parse().map_err(|_| wrong())?;
    let end: u64 = end.trim().parse().map_err(|_| wrong())?;
    if first > end {
        return Err(format!("'{text}' holds no seed: the end must not be less"));
    }
    Ok(first..=end)
}

pub(super) fn parse_wanted(text: &str) -> Result<Wanted, String> {
    let mut wanted = Wanted {
        shape: Shape::default(),
        count: None,
    };
    for part in text.split(',') {
        let wrong = || format!("'{part}' is no part of a shape: write cpus=1.5,mem=2048,count=10");
        let (name, value) = part.split_once('=').ok_or_else(wrong)?;
        let value: f64 = value.trim().parse().map_err(|_| wrong())?;
        if !(0.0..=1e12).contains(&value) {
            return Err(format!("'{part}' is too small or too large"));
        }
        let (whole, milli) = (value.ceil() as i64, (value * 1000.0).round() as i64);
        let shape = &mut wanted.shape;
        match name.trim() {
            "cpus" => shape.cpu_milli = milli,
            "mem" => shape.memory_mib = whole,
            "disk" => shape.disk_mib = whole,
            "ports" => shape.ports = whole,
            "gpus" if milli > 0 && milli < 1000 => {
                shape.gpus = 1;
                shape.gpu_milli = milli as i32;
            }
            "gpus" if milli % 1000 == 0 && milli <= 16_000 => {
                shape.gpus = (milli / 1000) as u32;
                shape.gpu_milli = if milli > 0 { 1000 } else { 0 };
            }
            "gpus" => {
                return Err(format!(
                    "'{part}': a part of one GPU, or up to 16 whole ones"
                ));
            }
            "count" => wanted.count = Some(whole),
            _ => return Err(wrong()),
        }
    }
    wanted.shape.models = Models::default();
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_read() {
        let wanted = parse_wanted("cpus=1.5,mem=2048,gpus=0.25,count=3").unwrap();
        assert_eq!(wanted.count, Some(3));
        assert_eq!(wanted.shape.cpu_milli, 1500);
        assert_eq!((wanted.shape.gpus, wanted.shape.gpu_milli), (1, 250));
        assert_eq!(parse_wanted("gpus=4").unwrap().shape.gpus, 4);
        for bad in [
            "", "cpus", "cpus=x", "gpus=1.5", "gpus=17", "mem=-1", "cpu=1",
        ] {
            assert!(parse_wanted(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn flags_are_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}

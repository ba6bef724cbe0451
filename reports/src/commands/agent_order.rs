//! What the order in which agents are offered does to fragmentation and failed launches.

use super::{Error, at};
use crate::{Provenance, Report};
use clap::Args;
use std::path::{Path, PathBuf};
use tepui_sim::capacity::churn::{self, Options as Churn};
use tepui_sim::capacity::input::{self, Mapping};
use tepui_sim::capacity::report::agent_order::Compared;

/// What to compare.
#[derive(Args, Debug)]
pub struct Options {
    /// Machines, as `tepui plan` reads them.
    #[arg(
        long,
        default_value = "../shared/traces/openb/openb_node_list_gpu_node.csv"
    )]
    nodes: PathBuf,
    /// Tasks; each list is compared by itself.
    #[arg(long, value_delimiter = ',', default_value = TASKS)]
    tasks: Vec<PathBuf>,
    /// Orders of agents.
    #[arg(long = "agent_order", value_delimiter = ',', default_value = ORDERS)]
    orders: Vec<String>,
    /// Loads, in percent of all GPUs.
    #[arg(long = "load", value_delimiter = ',', default_value = "80,90,95,100")]
    loads: Vec<u32>,
    /// How many frameworks share the cluster.
    #[arg(long, default_value_t = 10)]
    frameworks: usize,
    /// How long tasks run in the mean, in seconds.
    #[arg(long, default_value_t = 300)]
    mean: u64,
    /// How long a task waits before its launch has failed, in seconds.
    #[arg(long, default_value_t = 30)]
    patience: u64,
    /// How many seeds, from 1 on.
    #[arg(long, default_value_t = 3)]
    seeds: u64,
}

const ORDERS: &str = "random,firstfit,bestfit,worstfit,dotprod,gpupacking,fgd";
const TASKS: &str = "../shared/traces/openb/openb_pod_list_default.csv,\
                     ../shared/traces/openb/openb_pod_list_multigpu50.csv";

/// Runs all of it and writes `agent-order.md`.
///
/// # Errors
/// When the lists are not there, or an order is none.
pub fn run(options: &Options, out: &Path) -> Result<(), Error> {
    let mut report = Report::new("Order of agents", Provenance::here(&command(options)));
    for tasks in &options.tasks {
        let workload = input::read(&options.nodes, tasks, &Mapping::default())?;
        let runs = churn::run_all(&workload, &all(options)?)?;
        let compared = Compared {
            machines: workload.machines.len(),
            runs: &runs,
        };
        let name = tasks.file_stem().unwrap_or_default().to_string_lossy();
        report.text(format!("{name}. {}", compared.method()));
        report.table(compared.table());
        for figure in compared.figures() {
            report.text(figure.reading);
            report.plot(&format!("{}-{name}", figure.name), figure.plot);
        }
    }
    at(out.display(), report.write(out, "agent-order"))
}

fn all(options: &Options) -> Result<Vec<Churn>, Error> {
    let mut all = Vec::new();
    for load_percent in &options.loads {
        for order in &options.orders {
            for seed in 1..=options.seeds {
                all.push(Churn {
                    order: at("--agent_order", order.parse())?,
                    frameworks: options.frameworks,
                    load_percent: *load_percent,
                    mean_s: options.mean,
                    patience_s: options.patience,
                    seed,
                });
            }
        }
    }
    Ok(all)
}

fn command(options: &Options) -> String {
    let list = |parts: Vec<String>| parts.join(",");
    let tasks = options.tasks.iter().map(|path| path.display().to_string());
    let loads = options.loads.iter().map(u32::to_string);
    format!(
        "cargo run --release -p tepui-reports -- agent-order --nodes {} --tasks {} --agent_order \
         {} --load {} --frameworks {} --mean {} --patience {} --seeds {}",
        options.nodes.display(),
        list(tasks.collect()),
        options.orders.join(","),
        list(loads.collect()),
        options.frameworks,
        options.mean,
        options.patience,
        options.seeds
    )
}

//! What the order in which agents are offered does to fragmentation and failed launches.

use super::{Error, at};
use crate::plot::{Plot, Series, Shape};
use crate::{Provenance, Report, Table};
use clap::Args;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What to compare.
#[derive(Args, Debug)]
pub struct Options {
    /// Machines, as `tepui plan` reads them.
    #[arg(
        long,
        default_value = "../shared/traces/openb/openb_node_list_gpu_node.csv"
    )]
    nodes: PathBuf,
    /// Tasks.
    #[arg(
        long,
        default_value = "../shared/traces/openb/openb_pod_list_multigpu50.csv"
    )]
    tasks: PathBuf,
    /// Orders of agents.
    #[arg(long = "agent_order", value_delimiter = ',', default_value = ORDERS)]
    orders: Vec<String>,
    /// Loads, in percent of all GPUs.
    #[arg(long = "load", value_delimiter = ',', default_value = "80,90,95,100")]
    loads: Vec<u32>,
    /// Seeds, from A to B, both of them included.
    #[arg(long, value_name = "A..B", default_value = "1..3")]
    seeds: String,
    /// The program to ask; built for release unless given.
    #[arg(long)]
    program: Option<PathBuf>,
}

const ORDERS: &str = "random,firstfit,bestfit,worstfit,dotprod,gpupacking,fgd,fgdq40";

/// One line of `tepui plan agent-order --json`.
#[derive(Debug, Deserialize)]
struct Run {
    order: String,
    load: u32,
    frameworks: u32,
    arrived: u64,
    failed_pct: f64,
    failed_large_pct: f64,
    wait_s: f64,
    invariant_checks: u64,
    mean: Point,
    points: Vec<Point>,
}

#[derive(Debug, Deserialize)]
struct Point {
    at_s: f64,
    alloc_pct: f64,
    frag_pct: f64,
    frag_idle_pct: f64,
    share_spread_pct: f64,
}

/// A figure of all seeds of an order at a load.
type Figure = fn(&Run) -> f64;

const FIGURES: [(&str, Figure); 7] = [
    ("failed launches %", |run| run.failed_pct),
    ("of tasks with 2 GPUs or more %", |run| run.failed_large_pct),
    ("GPUs allocated %", |run| run.mean.alloc_pct),
    ("fragments, % of all GPUs", |run| run.mean.frag_pct),
    ("% of idle GPUs", |run| run.mean.frag_idle_pct),
    ("wait s", |run| run.wait_s),
    ("spread of shares %", |run| run.mean.share_spread_pct),
];

/// Runs all of it and writes `agent-order.md`.
///
/// # Errors
/// When the program cannot be built or run, or the lists are not there.
pub fn run(options: &Options, out: &Path) -> Result<(), Error> {
    let runs = ask(options)?;
    let Some(first) = runs.first() else {
        return Err(Error("there is nothing to compare".to_owned()));
    };
    let name = |path: &Path| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let mut report = Report::new("Order of agents", Provenance::here(&command(options)));
    report.text(format!(
        "Tasks of {} come and go on the machines of {} under the core's allocator: {} frameworks \
         with a role each, a cycle a second, tasks that run 5 minutes in the mean and whose \
         launch has failed when they waited 30 s. GPUs are whole, as agents offer them. Load is \
         what their GPUs would come to if all found a place; figures are means over the seeds \
         and over four mean running times, after two to warm up. Fragments are idle GPUs of no \
         use to the typical tasks (Weng et al., ATC 2023). The spread of shares is by how much \
         the largest dominant share of those frameworks that wait for something is above the \
         smallest: what an order that harmed fairness would raise. All invariants of the \
         allocator, those of its shares among them, held each time they were checked.",
        name(&options.tasks),
        name(&options.nodes),
        first.frameworks
    ));
    report.table(table(options, &runs));
    for (file, title, y, figure) in [
        (
            "agent-order",
            "Failed launches by load",
            "launches that failed, %",
            FIGURES[0].1,
        ),
        (
            "agent-order-fragments",
            "Fragments by load",
            "idle GPUs of no use to typical tasks, % of all GPUs",
            FIGURES[3].1,
        ),
    ] {
        if options.loads.len() > 1 {
            report.plot(file, by_load(options, &runs, (title, y), figure));
        }
    }
    report.plot("agent-order-time", over_time(options, &runs));
    at(out.display(), report.write(out, "agent-order"))
}

fn flags(options: &Options) -> Vec<String> {
    let loads: Vec<String> = options.loads.iter().map(u32::to_string).collect();
    let pairs = [
        ("--nodes", options.nodes.display().to_string()),
        ("--tasks", options.tasks.display().to_string()),
        ("--agent_order", options.orders.join(",")),
        ("--load", loads.join(",")),
        ("--seeds", options.seeds.clone()),
    ];
    let pairs = pairs.map(|(name, value)| [name.to_owned(), value]);
    pairs.into_iter().flatten().collect()
}

fn command(options: &Options) -> String {
    let flags = flags(options).join(" ");
    format!("cargo run --release -p tepui-reports -- agent-order {flags}")
}

fn ask(options: &Options) -> Result<Vec<Run>, Error> {
    let program = match &options.program {
        Some(program) => program.clone(),
        None => super::build_tepui()?,
    };
    let mut plan = Command::new(program);
    let plan = plan
        .args(["plan", "agent-order", "--json"])
        .args(flags(options));
    let output = at("tepui plan agent-order", plan.output())?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(Error(format!("tepui plan agent-order: {}", why.trim())));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().map(serde_json::from_str);
    at("tepui plan agent-order", lines.collect())
}

fn mean(runs: &[Run], order: &str, load: u32, figure: Figure) -> f64 {
    let same = |run: &&Run| run.order == order && run.load == load;
    let all: Vec<f64> = runs.iter().filter(same).map(figure).collect();
    all.iter().sum::<f64>() / all.len().max(1) as f64
}

fn table(options: &Options, runs: &[Run]) -> Table {
    let mut headers = vec!["load", "order", "launches", "checks of invariants"];
    headers.extend(FIGURES.iter().map(|(name, _)| *name));
    let mut table = Table::new(&headers);
    for load in &options.loads {
        for order in &options.orders {
            let same = |run: &&Run| run.order == *order && run.load == *load;
            let sum = |of: fn(&Run) -> u64| runs.iter().filter(same).map(of).sum::<u64>();
            let mut row = vec![
                load.to_string(),
                order.clone(),
                sum(|run| run.arrived).to_string(),
                sum(|run| run.invariant_checks).to_string(),
            ];
            let figures = FIGURES.iter();
            row.extend(figures.map(|(_, of)| format!("{:.2}", mean(runs, order, *load, *of))));
            table.row(row);
        }
    }
    table
}

fn by_load(options: &Options, runs: &[Run], (title, y): (&str, &str), figure: Figure) -> Plot {
    let series = options.orders.iter().map(|order| Series {
        name: order.clone(),
        points: options
            .loads
            .iter()
            .map(|load| (f64::from(*load), mean(runs, order, *load, figure)))
            .collect(),
    });
    Plot {
        title: title.to_owned(),
        x: "load, % of all GPUs".to_owned(),
        y: y.to_owned(),
        shape: Shape::Plain(series.collect()),
    }
}

/// The first seed of each order at the highest load.
fn over_time(options: &Options, runs: &[Run]) -> Plot {
    let most = options.loads.iter().max().copied().unwrap_or_default();
    let series = options.orders.iter().filter_map(|order| {
        let run = runs
            .iter()
            .find(|run| run.order == *order && run.load == most)?;
        let points = run.points.iter().map(|point| (point.at_s, point.frag_pct));
        Some(Series {
            name: order.clone(),
            points: points.collect(),
        })
    });
    Plot {
        title: format!("Fragments over time at load {most}"),
        x: "seconds".to_owned(),
        y: "% of all GPUs".to_owned(),
        shape: Shape::Plain(series.collect()),
    }
}

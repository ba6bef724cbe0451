//! `tepui plan agent-order`

use super::args::parse_seeds;
use super::outputs::Outputs;
use super::source::Source;
use super::{Ask, Done};
use crate::capacity::churn::{Options, Outcome, Point, run_all};
use crate::capacity::report::agent_order::Compared;
use crate::say::{say, say_part};
use clap::Args;
use serde_json::{Value, json};
use std::ops::RangeInclusive;
use std::process::ExitCode;
use tepui_core::allocator::AgentOrder;

#[derive(Debug, Args)]
pub(super) struct AgentOrders {
    #[command(flatten)]
    input: Source,
    /// Orders of agents.
    #[arg(
        long = "agent_order",
        value_name = "ORDER,..",
        value_delimiter = ',',
        default_value = "random,bestfit,fgd"
    )]
    orders: Vec<AgentOrder>,
    /// What the GPUs of all tasks would come to, in percent of the cluster's, if all found a place.
    #[arg(
        long = "load",
        value_name = "PERCENT,..",
        value_delimiter = ',',
        default_value = "95"
    )]
    loads: Vec<u32>,
    /// How many frameworks share the cluster, each with a role of its own.
    #[arg(long, default_value_t = 10)]
    frameworks: usize,
    /// How long tasks run in the mean, in seconds.
    #[arg(long, default_value_t = 300)]
    mean: u64,
    /// How long a task waits before its launch has failed, in seconds.
    #[arg(long, default_value_t = 30)]
    patience: u64,
    /// Many seeds: from A to B, both of them included.
    #[arg(long, value_name = "A..B", value_parser = parse_seeds, default_value = "1..1")]
    seeds: RangeInclusive<u64>,
    /// One JSON object for each run on standard output, and nothing else there.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) outputs: Outputs,
}

pub(super) fn run(arguments: &AgentOrders, ask: Ask<'_>) -> Done {
    let (workload, _) = arguments.input.read(ask)?;
    let mut runs = Vec::new();
    for load_percent in &arguments.loads {
        for order in &arguments.orders {
            for seed in arguments.seeds.clone() {
                runs.push(Options {
                    order: *order,
                    frameworks: arguments.frameworks,
                    load_percent: *load_percent,
                    mean_s: arguments.mean,
                    patience_s: arguments.patience,
                    seed,
                });
            }
        }
    }
    let done = run_all(&workload, &runs)?;
    let compared = Compared {
        machines: workload.machines.len(),
        runs: &done,
    };
    if arguments.json {
        for (options, outcome) in &done {
            say!("{}", line(options, outcome));
        }
    } else {
        say_part!("{}", compared.table().plain());
    }
    let inputs = arguments.input.described(&workload);
    arguments.outputs.write(inputs, || compared.report())?;
    Ok(ExitCode::SUCCESS)
}

fn thousandths(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

fn point(point: &Point) -> Value {
    json!({
        "at_s": point.at_s,
        "alloc_pct": thousandths(point.alloc_pct),
        "frag_pct": thousandths(point.frag_pct),
        "frag_idle_pct": thousandths(point.frag_idle_pct),
        "waiting": point.waiting,
        "share_spread_pct": thousandths(point.spread_pct),
    })
}

fn line(options: &Options, outcome: &Outcome) -> Value {
    json!({
        "order": options.order.to_string(),
        "load": options.load_percent,
        "seed": options.seed,
        "frameworks": options.frameworks,
        "arrived": outcome.arrived,
        "failed": outcome.failed,
        "failed_pct": thousandths(outcome.failed_pct()),
        "arrived_large": outcome.arrived_large,
        "failed_large": outcome.failed_large,
        "failed_large_pct": thousandths(outcome.failed_large_pct()),
        "wait_s": thousandths(outcome.wait_s()),
        "offers": outcome.offers,
        "invariant_checks": outcome.checks,
        "mean": point(&outcome.mean),
        "points": outcome.points.iter().map(point).collect::<Vec<_>>(),
    })
}

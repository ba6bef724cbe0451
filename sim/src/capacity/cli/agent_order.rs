//! `tepui plan agent-order`

use super::args::AgentOrders;
use super::{Done, in_parallel, show};
use crate::capacity::churn::{Options, Outcome, Point, run as churn};
use serde_json::{Value, json};
use std::process::ExitCode;

pub(super) fn run(arguments: &AgentOrders) -> Done {
    let (workload, _) = arguments.input.read()?;
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
    let done = in_parallel(&runs, |options| churn(&workload, options));
    let done: Vec<Outcome> = done.into_iter().collect::<Result<_, _>>()?;
    if arguments.json {
        for (options, outcome) in runs.iter().zip(&done) {
            println!("{}", line(options, outcome));
        }
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "{} machines with {} GPUs; {} frameworks; tasks run {} s in the mean and wait {} s at most",
        workload.machines.len(),
        workload.gpu_milli() / 1000,
        arguments.frameworks,
        arguments.mean,
        arguments.patience
    );
    let headers = [
        "load",
        "order",
        "seed",
        "arrived",
        "failed",
        "failed %",
        "large %",
        "alloc %",
        "frag %",
        "frag % of idle",
        "wait s",
        "share spread %",
    ];
    let rows = runs
        .iter()
        .zip(&done)
        .map(|(options, outcome)| row(options, outcome));
    show::table(&headers, &rows.collect::<Vec<_>>());
    Ok(ExitCode::SUCCESS)
}

fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

fn wait_s(outcome: &Outcome) -> f64 {
    let launched = outcome.arrived.saturating_sub(outcome.failed).max(1);
    outcome.waited_s as f64 / launched as f64
}

fn row(options: &Options, outcome: &Outcome) -> Vec<String> {
    let mean = &outcome.mean;
    let figures = [
        percent(outcome.failed, outcome.arrived),
        percent(outcome.failed_large, outcome.arrived_large),
        mean.alloc_pct,
        mean.frag_pct,
        mean.frag_idle_pct,
        wait_s(outcome),
        mean.spread_pct,
    ];
    let mut row = vec![
        options.load_percent.to_string(),
        options.order.to_string(),
        options.seed.to_string(),
        outcome.arrived.to_string(),
        outcome.failed.to_string(),
    ];
    row.extend(figures.iter().map(|figure| format!("{figure:.2}")));
    row
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
        "failed_pct": thousandths(percent(outcome.failed, outcome.arrived)),
        "arrived_large": outcome.arrived_large,
        "failed_large": outcome.failed_large,
        "failed_large_pct": thousandths(percent(outcome.failed_large, outcome.arrived_large)),
        "wait_s": thousandths(wait_s(outcome)),
        "offers": outcome.offers,
        "invariant_checks": outcome.checks,
        "mean": point(&outcome.mean),
        "points": outcome.points.iter().map(point).collect::<Vec<_>>(),
    })
}

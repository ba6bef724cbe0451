//! `tepui plan replay`

use super::args::Replay;
use super::{Done, in_parallel, show};
use crate::capacity::replay::{AtLoad, Replayed, replay};
use serde_json::{Map, Value, json};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tepui_core::placement::Policy;

/// The loads that people are shown.
const SHOWN: [u32; 4] = [80, 90, 100, 130];

pub(super) fn run(arguments: &Replay) -> Done {
    let (workload, measure) = arguments.input.read()?;
    let mut orders = Vec::new();
    for seed in arguments.seeds() {
        orders.push((seed, arguments.input.order(&workload, seed)?));
    }
    let mut runs = Vec::new();
    for policy in arguments.policies() {
        runs.extend(orders.iter().map(|(seed, order)| (policy, *seed, order)));
    }
    let done = in_parallel(&runs, |(policy, seed, order)| {
        let began = Instant::now();
        let replayed = replay(&workload, order, &measure, *policy, *seed);
        (replayed, began.elapsed())
    });
    if arguments.json {
        for ((_, seed, _), (replayed, _)) in runs.iter().zip(&done) {
            println!("{}", line(replayed, *seed));
        }
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "{} machines with {} GPUs; {} arrivals; {} typical classes of tasks",
        workload.machines.len(),
        workload.gpu_milli() / 1000,
        orders.first().map_or(0, |(_, order)| order.arrivals.len()),
        measure.classes().len()
    );
    let rows: Vec<Vec<String>> = arguments
        .policies()
        .iter()
        .map(|policy| row(*policy, &done))
        .collect();
    let allocated = SHOWN.map(|load| format!("alloc % at {load}"));
    let fragments = SHOWN.map(|load| format!("frag % at {load}"));
    let mut headers = vec!["policy", "failed"];
    headers.extend(allocated.iter().map(String::as_str));
    headers.extend(fragments.iter().map(String::as_str));
    headers.push("ms");
    show::table(&headers, &rows);
    Ok(ExitCode::SUCCESS)
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn line(replayed: &Replayed, seed: u64) -> Value {
    let loads = replayed.loads.iter().map(|(load, at)| {
        let figures = json!({
            "load": load,
            "alloc_pct": hundredths(at.alloc_pct),
            "frag_pct": hundredths(at.frag_pct),
            "frag_idle_pct": (at.frag_idle_pct * 1000.0).round() / 1000.0,
        });
        (load.to_string(), figures)
    });
    json!({
        "policy": replayed.policy.to_string(),
        "seed": seed,
        "arrivals": replayed.arrivals,
        "failed": replayed.failed,
        "allocated_gpu_milli": replayed.allocated_gpu_milli,
        "f_count": replayed.f_count,
        "loads": loads.collect::<Map<String, Value>>(),
    })
}

/// One policy, the means of all its seeds.
fn row(policy: Policy, done: &[(Replayed, Duration)]) -> Vec<String> {
    let runs: Vec<_> = done
        .iter()
        .filter(|(run, _)| run.policy == policy)
        .collect();
    let mean = |of: &dyn Fn(&Replayed) -> Option<f64>| {
        let all: Vec<f64> = runs.iter().filter_map(|(run, _)| of(run)).collect();
        (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
    };
    let text = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.2}"));
    let at = |load: u32, of: fn(&AtLoad) -> f64| mean(&|run| run.loads.get(&load).map(of));
    let mut row = vec![policy.to_string()];
    let failed = mean(&|run| Some(run.failed as f64)).unwrap_or(0.0);
    row.push(format!("{failed:.0}"));
    row.extend(SHOWN.map(|load| text(at(load, |at| at.alloc_pct))));
    row.extend(SHOWN.map(|load| text(at(load, |at| at.frag_pct))));
    let took: Duration = runs.iter().map(|(_, took)| *took).sum();
    row.push(format!(
        "{:.1}",
        took.as_secs_f64() * 1e3 / runs.len().max(1) as f64
    ));
    row
}

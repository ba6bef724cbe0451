//! `tepui plan replay`

use super::args::Replay;
use super::{Ask, Done, in_parallel};
use crate::capacity::replay::{ReplayPolicy, Replayed, replay, replay_offers};
use crate::capacity::report::replay::Compared;
use crate::draw::{Cell, Table};
use crate::progress;
use crate::say::{say, say_part};
use serde_json::{Map, Value, json};
use std::process::ExitCode;
use std::time::{Duration, Instant};

pub(super) fn run(arguments: &Replay, ask: Ask<'_>) -> Done {
    let (workload, measure) = arguments.input.read(ask)?;
    let mut orders = Vec::new();
    for seed in arguments.seeds() {
        orders.push((seed, arguments.input.order(&workload, seed)?));
    }
    let mut wanted = Vec::new();
    for policy in arguments.policies() {
        wanted.extend(orders.iter().map(|(seed, order)| (policy, *seed, order)));
    }
    let bar = progress::bar("replaying", wanted.len() as u64, "runs");
    let done = in_parallel(&wanted, |(policy, seed, order)| {
        let began = Instant::now();
        let replayed = match *policy {
            ReplayPolicy::Placed(policy) => Ok(replay(&workload, order, &measure, policy, *seed)),
            ReplayPolicy::Drf => replay_offers(&workload, order, &measure, arguments.burst, *seed),
        };
        bar.inc(1);
        replayed.map(|replayed| ((*seed, replayed), began.elapsed()))
    });
    bar.finish_and_clear();
    let done: Vec<_> = done.into_iter().collect::<Result<_, _>>()?;
    let (runs, took): (Vec<(u64, Replayed)>, Vec<Duration>) = done.into_iter().unzip();
    let policies = arguments.policies();
    let compared = Compared {
        machines: workload.machines.len(),
        gpu_milli: workload.gpu_milli(),
        policies: &policies,
        runs: &runs,
    };
    let inputs = arguments.input.described(&workload);
    arguments.outputs.write(inputs, || compared.report())?;
    if arguments.json {
        for (seed, replayed) in &runs {
            say!("{}", line(replayed, *seed));
        }
        return Ok(ExitCode::SUCCESS);
    }
    say!("{}", compared.summary());
    say!("{} typical classes of tasks", measure.classes().len());
    say_part!("\n{}", compared.table().plain());
    say_part!("\n{}", times(&policies, &runs, &took).plain());
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

/// How long a run of each policy took here: the only figures that differ from run to run, and so
/// they stand apart, and in no report.
fn times(policies: &[ReplayPolicy], runs: &[(u64, Replayed)], took: &[Duration]) -> Table {
    let mut table = Table::new(&["time taken, ms", "mean", "shortest"]);
    for policy in policies {
        let own = runs.iter().zip(took);
        let own = own.filter(|((_, run), _)| run.policy == *policy);
        let own: Vec<f64> = own.map(|(_, took)| took.as_secs_f64() * 1e3).collect();
        let mean = own.iter().sum::<f64>() / own.len().max(1) as f64;
        let shortest = own.iter().copied().fold(f64::INFINITY, f64::min);
        table.row([
            Cell::from(policy.to_string()),
            Cell::number(mean, 1),
            Cell::number(shortest, 1),
        ]);
    }
    table
}

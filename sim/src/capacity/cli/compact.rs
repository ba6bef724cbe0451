//! `tepui plan compact`

use super::args::Compact;
use super::{Done, in_parallel, show};
use crate::capacity::compact::{Compaction, nearest_rank};
use crate::capacity::error::PlanError;
use serde_json::json;
use std::process::ExitCode;

/// All arrivals: more than any load that can be meant.
const ALL: u32 = u32::MAX;

pub(super) fn run(arguments: &Compact) -> Done {
    let (workload, measure) = arguments.input.read()?;
    let order = arguments
        .input
        .arrivals(&workload, *arguments.seeds.start())?;
    let load = arguments.load.unwrap_or(ALL);
    let seeds: Vec<u64> = arguments.seeds.clone().collect();
    let mut rows = Vec::new();
    for policy in &arguments.policy {
        let compaction = Compaction::new(&workload, &order, &measure, *policy, load);
        let machines = in_parallel(&seeds, |seed| compaction.machines(*seed));
        let machines: Option<Vec<usize>> = machines.into_iter().collect();
        let Some(machines) = machines else {
            return Err(PlanError::Mismatch(format!(
                "{policy}: more than {} of {} tasks fit on no machine even now; take a \
                 lower --load",
                compaction.allowed_pending(),
                compaction.tasks()
            )));
        };
        let (median, p90) = (nearest_rank(&machines, 50), nearest_rank(&machines, 90));
        if arguments.json {
            let line = json!({
                "policy": policy.to_string(),
                "load": arguments.load,
                "tasks": compaction.tasks(),
                "allow_pending": compaction.allowed_pending(),
                "seeds": seeds,
                "machines": machines,
                "median": median,
                "p90": p90,
            });
            println!("{line}");
            continue;
        }
        rows.push(vec![
            policy.to_string(),
            compaction.tasks().to_string(),
            median.to_string(),
            p90.to_string(),
            format!("{:.1}", 100.0 * p90 as f64 / workload.machines.len() as f64),
        ]);
    }
    if !arguments.json {
        println!(
            "of {} machines, taken away in {} random orders, these are needed:",
            workload.machines.len(),
            seeds.len()
        );
        show::table(
            &["policy", "tasks", "median", "p90", "% of all at p90"],
            &rows,
        );
    }
    Ok(ExitCode::SUCCESS)
}

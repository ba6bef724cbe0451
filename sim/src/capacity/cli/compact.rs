//! `tepui plan compact`

use super::args::Compact;
use super::{Done, in_parallel, rearrange};
use crate::capacity::compact::{Compaction, nearest_rank};
use crate::capacity::error::PlanError;
use crate::capacity::report::compact::{Compacted, Needed};
use crate::progress;
use serde_json::json;
use std::process::ExitCode;

/// All arrivals: more than any load that can be meant.
const ALL: u32 = u32::MAX;

pub(super) fn run(arguments: &Compact) -> Done {
    if arguments.rearrange.is_wanted() {
        return rearrange::run(arguments);
    }
    let (workload, measure) = arguments.input.read()?;
    let order = arguments
        .input
        .arrivals(&workload, *arguments.seeds.start())?;
    let load = arguments.load.unwrap_or(ALL);
    let seeds: Vec<u64> = arguments.seeds.clone().collect();
    let mut all = Vec::new();
    let tries = seeds.len() * arguments.policy.len();
    let bar = progress::bar("compacting", tries as u64, "tries");
    for policy in &arguments.policy {
        let compaction = Compaction::new(&workload, &order, &measure, *policy, load);
        let machines = in_parallel(&seeds, |seed| {
            let machines = compaction.machines(*seed);
            bar.inc(1);
            machines
        });
        let machines: Option<Vec<usize>> = machines.into_iter().collect();
        let Some(machines) = machines else {
            return Err(PlanError::Mismatch(format!(
                "{policy}: more than {} of {} tasks fit on no machine even now; take a \
                 lower --load",
                compaction.allowed_pending(),
                compaction.tasks()
            )));
        };
        let bound = compaction.bound();
        let least = bound.map(|bound| bound.machines);
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
                "bound": least,
                "bound_by": bound.and_then(|bound| bound.by).map(|scale| scale.to_string()),
            });
            println!("{line}");
        }
        all.push(Needed {
            policy: *policy,
            tasks: compaction.tasks(),
            allow_pending: compaction.allowed_pending(),
            machines,
            median,
            p90,
            bound,
        });
    }
    bar.finish_and_clear();
    let compacted = Compacted {
        machines: workload.machines.len(),
        load: arguments.load,
        seeds: &seeds,
        needed: &all,
    };
    let inputs = arguments.input.described(&workload);
    arguments.outputs.write(inputs, || compacted.report())?;
    if !arguments.json {
        println!(
            "of {} machines, taken away in {} random orders, these are needed:",
            workload.machines.len(),
            seeds.len()
        );
        print!("{}", compacted.table().plain());
    }
    Ok(ExitCode::SUCCESS)
}

//! `tepui plan compact`

use super::args::Compact;
use super::{Ask, Done, in_parallel, rearrange};
use crate::capacity::compact::{Compaction, Soft, nearest_rank, soften};
use crate::capacity::error::PlanError;
use crate::capacity::report::compact::{Compacted, Needed};
use crate::progress;
use crate::say::{say, say_part};
use clap::ValueEnum;
use serde_json::{Value, json};
use std::process::ExitCode;

/// All arrivals: more than any load that can be meant.
const ALL: u32 = u32::MAX;

pub(super) fn run(arguments: &Compact, ask: Ask<'_>) -> Done {
    if arguments.rearrange.is_wanted() {
        return rearrange::run(arguments, ask);
    }
    let (mut workload, measure) = arguments.input.read(ask)?;
    let mut soft = None;
    if let Some(which) = arguments.soft_constraints {
        let (softer, applications) = soften(&workload, which.into());
        workload = softer;
        soft = Some(applications);
    }
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
        let needed = Needed {
            policy: *policy,
            tasks: compaction.tasks(),
            allow_pending: compaction.allowed_pending(),
            median: nearest_rank(&machines, 50),
            p90: nearest_rank(&machines, 90),
            bound: compaction.bound(),
            machines,
        };
        if arguments.json {
            say!("{}", line(&needed, (arguments.load, soft), &seeds));
        }
        all.push(needed);
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
        say!(
            "of {} machines, taken away in {} random orders, these are needed:",
            workload.machines.len(),
            seeds.len()
        );
        say_part!("{}", compacted.table().plain());
    }
    Ok(ExitCode::SUCCESS)
}

/// Which constraints turn soft.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum SoftName {
    /// Those of applications with more instances than half of the machines.
    Large,
    /// All.
    All,
}

impl From<SoftName> for Soft {
    fn from(name: SoftName) -> Soft {
        match name {
            SoftName::Large => Soft::Large,
            SoftName::All => Soft::All,
        }
    }
}

fn line(needed: &Needed, (load, soft): (Option<u32>, Option<usize>), seeds: &[u64]) -> Value {
    let by = needed.bound.and_then(|bound| bound.by);
    json!({
        "policy": needed.policy.to_string(),
        "load": load,
        "tasks": needed.tasks,
        "allow_pending": needed.allow_pending,
        "seeds": seeds,
        "machines": needed.machines,
        "median": needed.median,
        "p90": needed.p90,
        "soft_applications": soft,
        "bound": needed.bound.map(|bound| bound.machines),
        "bound_by": by.map(|scale| scale.to_string()),
    })
}

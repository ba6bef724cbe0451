//! `tepui plan fit`

use super::args::{Fit, Wanted};
use super::{Ask, Done, EXIT_DOES_NOT_FIT};
use crate::capacity::error::PlanError;
use crate::capacity::fit::{self, Headroom, Lacks, whole_gpus};
use crate::capacity::live;
use crate::capacity::report::fit as report;
use crate::capacity::report::fit::Fitted;
use crate::capacity::workload::Workload;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;
use tepui_core::placement::{Free, Shape};

pub(super) fn run(arguments: &Fit, ask: Ask<'_>) -> Done {
    if let Some(master) = &arguments.from {
        let address = master.trim_start_matches("http://").trim_end_matches('/');
        let answer = ask(address, "/slaves").map_err(PlanError::Mismatch)?;
        let agents = live::agents(&answer, &arguments.role)?;
        let free: Vec<Free> = agents.iter().map(|agent| agent.free).collect();
        let holds = format!("{} agents, as {} may use them", free.len(), arguments.role);
        return wanted(arguments, &free, vec![(master.clone(), holds)]);
    }
    let (workload, measure) = arguments.input.read()?;
    let order = arguments.input.order(&workload, arguments.seed)?;
    let load = arguments.load.unwrap_or(u32::MAX);
    let seeded = (load, arguments.seed);
    let placer = fit::fill(&workload, &order, &measure, arguments.policy, seeded);
    if arguments.shapes.is_empty() {
        let all = fit::headroom(&workload, placer.free());
        show_all(arguments, &workload, &all, placer.free())?;
        return Ok(ExitCode::SUCCESS);
    }
    let inputs = arguments.input.described(&workload);
    wanted(arguments, placer.free(), inputs)
}

fn class(workload: &Workload, headroom: &Headroom) -> Value {
    let shape = &headroom.shape;
    json!({
        "cpu_milli": shape.cpu_milli,
        "memory_mib": shape.memory_mib,
        "num_gpu": shape.gpus,
        "gpu_milli": shape.gpu_milli,
        "gpu_spec": workload.models_text(shape.models),
        "count": headroom.count,
        "fit_more": headroom.fit_more,
        "by_totals": headroom.by_totals,
    })
}

fn show_all(
    arguments: &Fit,
    workload: &Workload,
    all: &[Headroom],
    free: &[Free],
) -> Result<(), PlanError> {
    let shapes: Vec<Fitted> = all
        .iter()
        .map(|one| Fitted {
            shape: described(workload, &one.shape),
            in_workload: Some(one.count),
            wanted: None,
            fit_more: one.fit_more,
            by_totals: one.by_totals,
            runs_out: by_name(&runs_out(free, &one.shape)),
        })
        .collect();
    let report = report::Headroom {
        machines: free.len(),
        shapes: &shapes,
    };
    let inputs = arguments.input.described(workload);
    arguments.outputs.write(inputs, || report.report())?;
    if arguments.json {
        let classes: Vec<Value> = all.iter().map(|one| class(workload, one)).collect();
        let answer = json!({
            "policy": arguments.policy.to_string(),
            "load": arguments.load,
            "classes": classes,
        });
        println!("{answer}");
    } else {
        print!("{}", report.table().plain());
    }
    Ok(())
}

/// A shape in words, its models among them.
fn described(workload: &Workload, shape: &Shape) -> String {
    match workload.models_text(shape.models) {
        models if models.is_empty() => shape.to_string(),
        models => format!("{shape} ({models})"),
    }
}

/// On how many machines each resource is the first that runs out.
fn runs_out(free: &[Free], shape: &Shape) -> BTreeMap<Lacks, usize> {
    let mut lacks = BTreeMap::new();
    for free in free {
        *lacks.entry(fit::on_machine(free, shape).1).or_insert(0) += 1;
    }
    lacks
}

fn by_name(lacks: &BTreeMap<Lacks, usize>) -> BTreeMap<String, usize> {
    let named = lacks.iter().map(|(l, n)| (name(*l).to_owned(), *n));
    named.collect()
}

/// What was found for one wanted shape.
struct Found {
    wanted: Wanted,
    fit: i64,
    by_totals: i64,
    /// On how many machines each resource is the one that runs out.
    lacks: BTreeMap<Lacks, usize>,
}

/// Places one shape after another; what an earlier one takes is gone for the later ones.
fn wanted(arguments: &Fit, free: &[Free], inputs: Vec<(String, String)>) -> Done {
    let machines = free.len();
    let mut free = free.to_vec();
    let mut all = Vec::new();
    for wanted in &arguments.shapes {
        let shape = &wanted.shape;
        if *shape == Shape::default() {
            let text = "a shape that asks for nothing fits without end: name cpus, mem or gpus";
            return Err(PlanError::Mismatch(text.to_owned()));
        }
        let by_totals = fit::by_totals(&free, shape);
        let lacks = runs_out(&free, shape);
        let most = wanted.count.unwrap_or(i64::MAX);
        let mut fit = 0;
        for free in &mut free {
            while fit < most && free.fits(shape) {
                free.take(shape, free.usual_devices(shape));
                fit += 1;
            }
        }
        all.push(Found {
            wanted: *wanted,
            fit,
            by_totals,
            lacks,
        });
    }
    let fits = |found: &Found| found.wanted.count.is_none_or(|count| found.fit >= count);
    let all_fit = all.iter().all(fits);
    arguments.outputs.write(inputs, || {
        let shapes: Vec<Fitted> = all.iter().map(fitted).collect();
        let report = report::Headroom {
            machines,
            shapes: &shapes,
        };
        report.report()
    })?;
    if arguments.json {
        let shapes: Vec<Value> = all.iter().map(line).collect();
        println!("{}", json!({ "fits": all_fit, "shapes": shapes }));
    } else {
        all.iter().for_each(print);
    }
    match all_fit {
        true => Ok(ExitCode::SUCCESS),
        false => Ok(ExitCode::from(EXIT_DOES_NOT_FIT)),
    }
}

fn fitted(found: &Found) -> Fitted {
    Fitted {
        shape: found.wanted.shape.to_string(),
        in_workload: None,
        wanted: found.wanted.count,
        fit_more: found.fit,
        by_totals: found.by_totals,
        runs_out: by_name(&found.lacks),
    }
}

fn name(lacks: Lacks) -> &'static str {
    match lacks {
        Lacks::Cpu => "cpus",
        Lacks::Memory => "mem",
        Lacks::Disk => "disk",
        Lacks::Ports => "ports",
        Lacks::Gpu => "gpus",
        Lacks::Model => "gpu_model",
    }
}

fn line(found: &Found) -> Value {
    let shape = &found.wanted.shape;
    let lacks: BTreeMap<&str, usize> = found.lacks.iter().map(|(l, n)| (name(*l), *n)).collect();
    json!({
        "cpus": shape.cpu_milli as f64 / 1000.0,
        "mem": shape.memory_mib,
        "disk": shape.disk_mib,
        "ports": shape.ports,
        "gpus": whole_gpus(shape.gpu_milli_total()),
        "count": found.wanted.count,
        "fit_more": found.fit,
        "by_totals": found.by_totals,
        "runs_out": lacks,
    })
}

fn print(found: &Found) {
    let of = match found.wanted.count {
        Some(count) => format!(" of {count}"),
        None => String::new(),
    };
    println!(
        "{}: {}{of} fit; the totals promise {}",
        found.wanted.shape, found.fit, found.by_totals
    );
    for (lacks, machines) in &found.lacks {
        println!("  {} run out first on {machines} machines", name(*lacks));
    }
}

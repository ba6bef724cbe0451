//! `tepui plan fit`

use super::args::Fit;
use super::{Ask, Done, EXIT_DOES_NOT_FIT};
use crate::capacity::amounts::Resource;
use crate::capacity::error::PlanError;
use crate::capacity::fit::{self, Headroom, Lacks, whole_gpus};
use crate::capacity::input::{self, ModelNames};
use crate::capacity::occupied::WhyNot;
use crate::capacity::release::{Found, place_all};
use crate::capacity::report::fit as report;
use crate::capacity::report::fit::Fitted;
use crate::capacity::rules::{Demand, Obstacle};
use crate::capacity::wanted::Wanted;
use crate::capacity::workload::Workload;
use crate::say::{say, say_part};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;

pub(super) fn run(arguments: &Fit, ask: Ask<'_>) -> Done {
    let given = arguments.input.given(ask, arguments.filling.policy)?;
    let (mut snapshot, _) = arguments.input.filled(&given, &arguments.filling)?;
    // Counting what a large cluster runs takes longer than the answer.
    let inputs = match arguments.outputs.are_wanted() {
        true => arguments.input.described(&given.workload()),
        false => Vec::new(),
    };
    let wanted = match &arguments.release {
        Some(release) => input::read_release(release)?,
        None => arguments.shapes.clone(),
    };
    if wanted.is_empty() {
        let workload = given.workload();
        let all = fit::headroom(&snapshot, &workload);
        show_all(arguments, &workload, &all)?;
        return Ok(ExitCode::SUCCESS);
    }
    let machines = snapshot.machines.len();
    let mut models = ModelNames(std::mem::take(&mut snapshot.models));
    let found = place_all(&mut snapshot, &wanted, &arguments.role, &mut models);
    let found = found.map_err(PlanError::Mismatch)?;
    let fits = found.iter().all(Found::fits);
    arguments.outputs.write(inputs, || {
        let shapes: Vec<Fitted> = found.iter().map(fitted).collect();
        let report = report::Headroom {
            machines,
            shapes: &shapes,
        };
        report.report()
    })?;
    if arguments.json {
        let shapes: Vec<Value> = found.iter().map(line).collect();
        say!("{}", json!({ "fits": fits, "shapes": shapes }));
    } else {
        found.iter().for_each(print);
    }
    match fits {
        true => Ok(ExitCode::SUCCESS),
        false => Ok(ExitCode::from(EXIT_DOES_NOT_FIT)),
    }
}

fn class(workload: &Workload, headroom: &Headroom) -> Value {
    let shape = &headroom.demand.shape;
    let mut class = json!({
        "cpu_milli": shape.cpu_milli,
        "memory_mib": shape.memory_mib,
        "disk_mib": shape.disk_mib,
        "ports": shape.ports,
        "num_gpu": shape.gpus,
        "gpu_milli": shape.gpu_milli,
        "gpu_spec": workload.models_text(shape.models),
        "count": headroom.count,
        "fit_more": headroom.fit_more,
        "by_totals": headroom.by_totals,
    });
    for (key, text) in [
        ("role", &headroom.demand.role),
        ("application", &headroom.demand.application),
    ] {
        if !text.is_empty() {
            class[key] = json!(text);
        }
    }
    class
}

fn show_all(arguments: &Fit, workload: &Workload, all: &[Headroom]) -> Result<(), PlanError> {
    let shapes: Vec<Fitted> = all
        .iter()
        .map(|one| Fitted {
            shape: described(workload, &one.demand),
            in_workload: Some(one.count),
            wanted: None,
            fit_more: one.fit_more,
            by_totals: one.by_totals,
            runs_out: by_name(&one.lacks),
        })
        .collect();
    let report = report::Headroom {
        machines: workload.machines.len(),
        shapes: &shapes,
    };
    let inputs = arguments.input.described(workload);
    arguments.outputs.write(inputs, || report.report())?;
    if arguments.json {
        let classes: Vec<Value> = all.iter().map(|one| class(workload, one)).collect();
        let answer = json!({
            "policy": arguments.filling.policy.to_string(),
            "load": arguments.filling.load,
            "classes": classes,
        });
        say!("{answer}");
    } else {
        say_part!("{}", report.table().plain());
    }
    Ok(())
}

/// A shape in words: its models, and whose it is where that decides, among them.
fn described(workload: &Workload, demand: &Demand) -> String {
    let whose = [&demand.application, &demand.role];
    let whose = whose.into_iter().filter(|text| !text.is_empty());
    let mut text: String = whose.map(|text| format!("{text}: ")).collect();
    text += &demand.shape.to_string();
    match workload.models_text(demand.shape.models) {
        models if models.is_empty() => text,
        models => format!("{text} ({models})"),
    }
}

fn by_name(lacks: &BTreeMap<Lacks, usize>) -> BTreeMap<String, usize> {
    let named = lacks.iter().map(|(l, n)| (name(*l).to_owned(), *n));
    named.collect()
}

fn fitted(found: &Found) -> Fitted {
    let shape = &found.wanted.shape;
    Fitted {
        shape: match &*found.wanted.application {
            "" => shape.to_string(),
            application => format!("{application} ({shape})"),
        },
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
    let Wanted { shape, count, .. } = &found.wanted;
    let lacks = found.lacks.iter();
    let lacks: Map<String, Value> = lacks.map(|(l, n)| (name(*l).into(), json!(n))).collect();
    let why = &found.why;
    let obstacles = why.obstacles.iter();
    let obstacles: Map<String, Value> = obstacles.map(|(o, n)| (o.to_string(), json!(n))).collect();
    let missing = why.shortfalls.iter().map(|(resource, short)| {
        let figures = json!({
            "machines": short.machines,
            "alone": short.alone,
            "least": resource.shown(short.least),
            "median": resource.shown(short.median),
        });
        (resource.to_string(), figures)
    });
    json!({
        "application": &*found.wanted.application,
        "role": &*found.role,
        "cpus": shape.cpu_milli as f64 / 1000.0,
        "mem": shape.memory_mib,
        "disk": shape.disk_mib,
        "ports": shape.ports,
        "gpus": whole_gpus(shape.gpu_milli_total()),
        "count": count,
        "fit_more": found.fit,
        "by_totals": found.by_totals,
        "runs_out": lacks,
        "machines": why.machines,
        "would_take_one_more": why.would_take,
        "obstacles": obstacles,
        "missing": missing.collect::<Map<String, Value>>(),
    })
}

fn print(found: &Found) {
    let wanted = &found.wanted;
    let of = wanted
        .count
        .map_or(String::new(), |count| format!(" of {count}"));
    let name = match &*wanted.application {
        "" => wanted.shape.to_string(),
        application => format!("{application} ({})", wanted.shape),
    };
    say!(
        "{name}: {}{of} fit; the totals promise {}",
        found.fit,
        found.by_totals
    );
    let why = &found.why;
    match why.would_take {
        0 => say!("  one more fits on none of {} machines:", why.machines),
        take => say!(
            "  one more fits on {take} of {} machines; on the others:",
            why.machines
        ),
    }
    for (obstacle, machines) in &why.obstacles {
        say!("    {}", reason(obstacle, *machines, why));
    }
}

/// A line that says what is in the way.
fn reason(obstacle: &Obstacle, machines: usize, why: &WhyNot) -> String {
    let missing = |resource: &Resource| match why.shortfalls.get(resource) {
        None => String::new(),
        Some(short) => {
            let unit = match resource {
                Resource::Memory | Resource::Disk => " MiB",
                _ => "",
            };
            let (least, median) = (resource.shown(short.least), resource.shown(short.median));
            format!(
                "; {least}{unit} more is needed at least, {median}{unit} at the median; on {} \
                 nothing else is in the way",
                short.alone
            )
        }
    };
    match obstacle {
        Obstacle::Closed => format!("{machines} take no more tasks"),
        Obstacle::Short(resource) => {
            format!("{resource}: too little on {machines}{}", missing(resource))
        }
        Obstacle::Model => format!("{machines} have no GPU of a model that will do"),
        Obstacle::Reserved(resource) => format!(
            "{resource}: on {machines} enough is free, but reserved for other roles{}",
            missing(resource)
        ),
        Obstacle::Constraint(constraint) => {
            format!("{machines} are not allowed by the constraint {constraint}")
        }
        Obstacle::Limit(role, resource) => {
            format!("the limit of role {role} on {resource} is reached, for {machines}")
        }
    }
}

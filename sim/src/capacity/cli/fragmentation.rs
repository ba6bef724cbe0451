//! `tepui plan fragmentation`

use super::args::Fragmentation;
use super::{Ask, Done};
use crate::capacity::report::fragmentation::{Fragmented, OfMachine};
use crate::capacity::stranded::{self, RESOURCES};
use crate::say::{say, say_part};
use serde_json::{Map, Value, json};
use std::process::ExitCode;

pub(super) fn run(arguments: &Fragmentation, ask: Ask<'_>) -> Done {
    let given = arguments.input.given(ask, arguments.filling.policy)?;
    let (snapshot, _) = arguments.input.filled(&given, &arguments.filling)?;
    let workload = given.workload();
    let measure = workload.measure();
    let usual = stranded::usual(workload.tasks.iter().map(|task| &task.shape));
    let count = measure.count.max(1) as f64;
    let mut f_count = 0;
    let mut machines = Vec::new();
    for (machine, free) in snapshot.machines.iter().zip(snapshot.free()) {
        // What takes no more tasks is no more idle than it is in use.
        if machine.closed {
            continue;
        }
        let fragment = measure.of(&free);
        f_count += fragment;
        let model = workload.models_text(machine.capacity.model);
        let fragment_milli = fragment as f64 / count;
        let found = OfMachine::new(machine, &model, (&free, fragment_milli), &usual);
        machines.push(found);
    }
    let fragmented = Fragmented {
        machines: &machines,
        top: arguments.top,
    };
    let inputs = arguments.input.described(&workload);
    arguments.outputs.write(inputs, || fragmented.report())?;
    if arguments.json {
        say!("{}", answer(arguments, &fragmented, f_count));
        return Ok(ExitCode::SUCCESS);
    }
    for line in fragmented.summary() {
        say!("{line}");
    }
    say_part!("\n{}", fragmented.table().plain());
    Ok(ExitCode::SUCCESS)
}

fn percent(part: f64, whole: f64) -> f64 {
    100.0 * part / whole.max(1.0)
}

fn answer(arguments: &Fragmentation, found: &Fragmented<'_>, f_count: i64) -> Value {
    let all = found.sum();
    let (has, idle) = (all.has[stranded::GPUS], all.idle[stranded::GPUS]);
    let line = |machine: &&OfMachine| {
        json!({
            "name": machine.name,
            "frag_gpu_milli": machine.fragment_milli,
            "idle_gpu_milli": machine.idle[stranded::GPUS],
            "idle_cpu_milli": machine.idle[0],
            "idle_memory_mib": machine.idle[1],
            "stranded": by_resource(machine.stranded.map(Value::from)),
        })
    };
    let groups = found.groups().into_iter().map(|(attribute, values)| {
        let values = values.into_iter().map(|(value, sum)| {
            let sum = json!({
                "machines": sum.machines,
                "idle": by_resource(sum.idle.map(whole)),
                "stranded": by_resource(sum.stranded.map(whole)),
                "frag_gpu_milli": sum.fragment_milli,
            });
            (value, sum)
        });
        (attribute, Value::from(values.collect::<Map<_, _>>()))
    });
    json!({
        "policy": arguments.filling.policy.to_string(),
        "load": arguments.filling.load,
        "f_count": f_count,
        "frag_gpu_milli": all.fragment_milli,
        "frag_pct": percent(all.fragment_milli, has),
        "frag_idle_pct": percent(all.fragment_milli, idle),
        "idle_gpu_milli": whole(idle),
        "idle": by_resource(all.idle.map(whole)),
        "stranded": by_resource(all.stranded.map(whole)),
        "groups": groups.collect::<Map<_, _>>(),
        "machines": found.worst().iter().map(line).collect::<Vec<_>>(),
    })
}

/// Sums of integers, as integers.
fn whole(sum: f64) -> Value {
    Value::from(sum as i64)
}

/// Cpus and GPUs in milli, memory and disk in MiB.
fn by_resource(amounts: [Value; stranded::COUNT]) -> Map<String, Value> {
    let names = RESOURCES.iter().map(|name| (*name).to_owned());
    names.zip(amounts).collect()
}

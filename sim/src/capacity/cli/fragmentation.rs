//! `tepui plan fragmentation`

use super::args::Fragmentation;
use super::{Done, show};
use crate::capacity::fit::{self, whole_gpus};
use serde_json::{Value, json};
use std::process::ExitCode;
use tepui_core::placement::Free;

pub(super) fn run(arguments: &Fragmentation) -> Done {
    let (workload, measure) = arguments.input.read()?;
    let order = arguments.input.order(&workload, arguments.seed)?;
    let load = arguments.load.unwrap_or(u32::MAX);
    let seeded = (load, arguments.seed);
    let placer = fit::fill(&workload, &order, &measure, arguments.policy, seeded);
    let count = measure.count as f64;
    let milli = |fragment: i64| fragment as f64 / count;
    let (idle, all) = (sum(placer.free()), workload.gpu_milli());
    let mut machines: Vec<(i64, usize)> = placer.fragments().iter().copied().zip(0..).collect();
    machines.sort_by_key(|(fragment, place)| (std::cmp::Reverse(*fragment), *place));
    machines.truncate(arguments.top);
    let named = |place: usize| &workload.machines[order.machines[place]];
    let percent = |part: f64, whole: i64| 100.0 * part / (whole as f64).max(1.0);
    let fragment = milli(placer.fragment());
    if arguments.json {
        let line = |(fragment, place): &(i64, usize)| {
            let free = &placer.free()[*place];
            json!({
                "name": named(*place).name,
                "frag_gpu_milli": milli(*fragment),
                "idle_gpu_milli": free.gpu_milli,
                "idle_cpu_milli": free.cpu_milli,
                "idle_memory_mib": free.memory_mib,
            })
        };
        let machines: Vec<Value> = machines.iter().map(line).collect();
        let answer = json!({
            "policy": arguments.policy.to_string(),
            "load": arguments.load,
            "f_count": placer.fragment(),
            "frag_gpu_milli": fragment,
            "frag_pct": percent(fragment, all),
            "frag_idle_pct": percent(fragment, idle),
            "idle_gpu_milli": idle,
            "machines": machines,
        });
        println!("{answer}");
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "{:.1} of {} GPUs are idle; of these {:.1} ({:.1} %) are of no use to the tasks that come",
        whole_gpus(idle),
        all / 1000,
        fragment / 1000.0,
        percent(fragment, idle)
    );
    let row = |(fragment, place): &(i64, usize)| {
        let free = &placer.free()[*place];
        vec![
            named(*place).name.clone(),
            format!("{:.2}", milli(*fragment) / 1000.0),
            format!("{:.2}", whole_gpus(free.gpu_milli)),
            format!("{:.1}", free.cpu_milli as f64 / 1000.0),
            free.memory_mib.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = machines.iter().map(row).collect();
    show::table(
        &[
            "machine",
            "stranded GPUs",
            "idle GPUs",
            "idle cpus",
            "idle MiB",
        ],
        &rows,
    );
    Ok(ExitCode::SUCCESS)
}

fn sum(free: &[Free]) -> i64 {
    free.iter().map(|free| free.gpu_milli).sum()
}

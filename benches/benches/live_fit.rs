//! How long it takes to say what fits on a large cluster, from the file of its master's `/state`
//! on: 10,000 agents and 100,000 tasks. The goal is half a second.

use criterion::Criterion;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tepui_sim::capacity::input::{Given, Pages};
use tepui_sim::capacity::occupied::Occupied;
use tepui_sim::capacity::rules::Demand;
use tepui_sim::capacity::wanted::Wanted;

const AGENTS: usize = 10_000;
const TASKS: usize = 100_000;
const FRAMEWORKS: usize = 100;

/// Agents as a master lists them.
fn agent(number: usize) -> String {
    let (rack, zone, used) = (number % 200, number % 3, TASKS / AGENTS);
    let (cpus, mem) = (0.5 * used as f64, 1024 * used);
    format!(
        r#"{{"id":"f981f135-5d3b-418d-ac44-3312c433fac3-S{number}","hostname":"host-{number}",
"port":5051,"attributes":{{"rack":"r{rack}","zone":"z{zone}"}},"pid":"slave(1)@host-{number}:5051",
"registered_time":1795149071.799843,"resources":{{"disk":1000000.0,"mem":131072.0,"gpus":0.0,
"cpus":32.0,"ports":"[31000-32000]"}},"used_resources":{{"disk":0.0,"mem":{mem}.0,"gpus":0.0,
"cpus":{cpus:.1},"ports":"[31500-31509]"}},"offered_resources":{{"disk":0.0,"mem":0.0,"gpus":0.0,
"cpus":0.0}},"reserved_resources":{{}},"unreserved_resources":{{"disk":1000000.0,"mem":131072.0,
"gpus":0.0,"cpus":32.0,"ports":"[31000-32000]"}},"active":true,"deactivated":false,
"version":"1.12.0","capabilities":["MULTI_ROLE","HIERARCHICAL_ROLE","RESERVATION_REFINEMENT",
"RESOURCE_PROVIDER","RESIZE_VOLUME","AGENT_OPERATION_FEEDBACK","AGENT_DRAINING"]}}"#
    )
}

/// Tasks with one status each.
fn task(number: usize) -> String {
    let (agent, port, app) = (number % AGENTS, 31_500 + number / AGENTS, number % 50);
    format!(
        r#"{{"id":"app-{app}.instance-{number:08}","name":"app-{app}","framework_id":
"f981f135-5d3b-418d-ac44-3312c433fac3-0000","executor_id":"",
"slave_id":"f981f135-5d3b-418d-ac44-3312c433fac3-S{agent}","state":"TASK_RUNNING",
"resources":{{"disk":0.0,"mem":1024.0,"gpus":0.0,"cpus":0.5,"ports":"[{port}-{port}]"}},
"role":"*","statuses":[{{"state":"TASK_RUNNING","timestamp":1795149077.515368,
"container_status":{{"container_id":{{"value":"836b3b67-d971-4245-8d89-d6eca795cea1"}},
"network_infos":[{{"ip_addresses":[{{"protocol":"IPv4","ip_address":"127.0.0.1"}}]}}]}}}}]}}"#
    )
}

/// A state of some 60 MB, in a file.
fn state() -> PathBuf {
    let mut text = String::from(r#"{"version":"1.12.0","slaves":["#);
    let agents: Vec<String> = (0..AGENTS).map(agent).collect();
    text += &agents.join(",");
    text += r#"],"frameworks":["#;
    for framework in 0..FRAMEWORKS {
        let comma = if framework > 0 { "," } else { "" };
        let of = (framework..TASKS).step_by(FRAMEWORKS);
        let tasks: Vec<String> = of.map(task).collect();
        let tasks = tasks.join(",");
        write!(
            text,
            r#"{comma}{{"id":"f-{framework}","name":"marathon-{framework}","tasks":[{tasks}],
"completed_tasks":[],"executors":[]}}"#
        )
        .expect("texts take everything");
    }
    text += r#"],"completed_frameworks":[]}"#;
    let path = std::env::temp_dir().join(format!("tepui-live-fit-{}.json", std::process::id()));
    std::fs::write(&path, text).expect("the folder for temporary files takes a file");
    path
}

fn read(path: &Path) -> Given {
    let body = std::fs::read(path).expect("it was just written");
    let mut pages = Pages::default();
    pages.add("state", &body).expect("it is a state");
    pages.given().expect("it lists agents")
}

/// How many more fit, and why no more.
fn fit(given: &Given, wanted: &str) -> i64 {
    let wanted: Wanted = wanted.parse().expect("it is a shape");
    let mut snapshot = given.snapshot.clone();
    if !wanted.constraints.is_empty() {
        let constraints = wanted.constraints.clone();
        snapshot.constraints.insert("new".into(), constraints);
    }
    let mut occupied = Occupied::of(&snapshot);
    let tenant = occupied.tenant(&Demand {
        shape: wanted.shape,
        role: "*".into(),
        application: "new".into(),
    });
    let promised = occupied.by_totals(&tenant);
    black_box((promised, occupied.runs_out(&tenant)));
    let placed = occupied.place(&tenant, i64::MAX);
    black_box(occupied.why_not(&tenant));
    placed
}

fn main() {
    let path = state();
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(5))
        .without_plots()
        .configure_from_args();
    let mut group = criterion.benchmark_group("live_fit");
    group.bench_function("read", |bencher| bencher.iter(|| read(&path)));
    for (name, wanted) in [
        ("plain", "cpus=1.5,mem=4096"),
        ("unique", "cpus=1.5,mem=4096,constraint=hostname:UNIQUE"),
        ("group_by", "cpus=1.5,mem=4096,constraint=rack:GROUP_BY:200"),
    ] {
        group.bench_function(format!("read_and_fit_{name}"), |bencher| {
            bencher.iter(|| fit(&read(&path), wanted));
        });
    }
    group.finish();
    criterion.final_summary();
    let _ = std::fs::remove_file(&path);
}

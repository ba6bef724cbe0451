//! The order of agents and the metrics of what still fits, on a real master.

mod support;

use serde_json::{Value, json};
use std::path::Path;
use support::framework::{Framework, amount, task};
use support::{Running, free_ports, http_json, tepui, until};

/// Two agents, of which the second has too few cpus for its GPUs.
const AGENTS: [&str; 2] = [
    "cpus:4;mem:1024;disk:512;gpus:2",
    "cpus:1;mem:2048;disk:512;gpus:2",
];

fn start(folder: &Path, order: &str) -> (String, Vec<Running>) {
    let ports = free_ports(1 + AGENTS.len());
    let address = format!("127.0.0.1:{}", ports[0]);
    let mut master = tepui();
    master
        .args(["master", &format!("--agent_order={order}")])
        .arg(format!("--port={}", ports[0]))
        .arg(format!("--work_dir={}", folder.join("master").display()));
    let mut running = vec![Running::start(&mut master, &folder.join("master.log"))];
    for (number, resources) in AGENTS.iter().enumerate() {
        let name = format!("agent-{number}");
        let mut agent = tepui();
        agent
            .arg("agent")
            .arg(format!("--port={}", ports[1 + number]))
            .arg(format!("--master={address}"))
            .arg(format!("--work_dir={}", folder.join(&name).display()))
            .arg(format!("--resources={resources}"));
        let log = folder.join(format!("{name}.log"));
        running.push(Running::start(&mut agent, &log));
    }
    until("all agents are there", || {
        let slaves = http_json(&address, "/slaves")?;
        (slaves["slaves"].as_array()?.len() == AGENTS.len()).then_some(())
    });
    (address, running)
}

fn cpus(offer: &Value) -> f64 {
    let resources = offer["resources"].as_array().unwrap();
    let cpus = resources.iter().find(|item| item["name"] == "cpus");
    cpus.unwrap()["scalar"]["value"].as_f64().unwrap()
}

#[test]
fn offers_come_in_order_and_metrics_say_what_still_fits() {
    let folder = tempfile::tempdir().unwrap();
    let (master, _running) = start(folder.path(), "WorstFit");
    let flags = http_json(&master, "/flags").unwrap();
    assert_eq!(flags["flags"]["agent_order"], "worstfit", "{flags}");
    let info = json!({ "user": "root", "name": "placement", "roles": ["*"],
                       "capabilities": [{ "type": "MULTI_ROLE" }, { "type": "GPU_RESOURCES" }] });
    let mut framework = Framework::subscribe(&master, &info);
    let event = framework.next("OFFERS");
    let offers = event["offers"]["offers"].as_array().unwrap();
    let order: Vec<f64> = offers.iter().map(cpus).collect();
    assert_eq!(order, [4.0, 1.0], "the one with the most left comes first");

    let mut first = task(
        "t",
        "sleep 1000",
        &[
            amount("cpus", 1.5),
            amount("mem", 64.0),
            amount("gpus", 1.0),
        ],
    );
    first["agent_id"] = offers[0]["agent_id"].clone();
    let launch = json!({ "type": "LAUNCH", "launch": { "task_infos": [first] } });
    framework.accept(&offers[0], &json!([launch]));
    framework.until("t", "TASK_RUNNING");

    let metrics = http_json(&master, "/metrics/snapshot").unwrap();
    // Left are 2.5 cpus with one GPU, where one more fits, and 1 cpu with two, where none does.
    for (name, value) in [
        ("fragmentation/gpu_milli", 2_000.0),
        ("fragmentation/gpu_milli_idle", 3_000.0),
        ("fragmentation/gpu_percent", 2.0 / 3.0),
        ("stranded/cpus", 1.0),
        ("stranded/cpus_idle", 3.5),
        ("stranded/cpus_percent", 1.0 / 3.5),
        ("stranded/gpus", 2.0),
        ("stranded/mem", 2_048.0),
        ("stranded/mem_idle", 3_008.0),
        ("stranded/disk", 512.0),
        ("stranded/ports", 1_001.0),
        ("headroom/cpus_1.5_mem_64_gpus_1/fits", 1.0),
        ("headroom/cpus_1.5_mem_64_gpus_1/tasks", 1.0),
        ("headroom/shapes", 1.0),
        ("headroom/shapes_full", 0.0),
        ("headroom/least_fits", 1.0),
    ] {
        assert_eq!(
            metrics[format!("allocator/{name}")],
            value,
            "{name}: {metrics}"
        );
    }
}

#[test]
fn an_unknown_order_is_refused_with_those_there_are() {
    for command in ["master", "local"] {
        let mut wrong = tepui();
        wrong.args([command, "--work_dir=/nowhere", "--agent_order=tetris"]);
        let output = wrong.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{said}");
        assert!(
            said.contains("there is no order of agents 'tetris'"),
            "{said}"
        );
        assert!(said.contains("random, firstfit, bestfit"), "{said}");
    }
}

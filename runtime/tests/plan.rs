//! What the planner says of a live cluster, and what then really runs there.

mod support;

use serde_json::{Value, json};
use std::path::Path;
use support::framework::{Framework, task};
use support::{Running, free_ports, http_json, tepui, until};

const SHAPE: &str = "cpus=0.5,mem=64";

/// A master and an agent with room for four tasks.
fn start(folder: &Path) -> (String, Vec<Running>) {
    let ports = free_ports(2);
    let address = format!("127.0.0.1:{}", ports[0]);
    let mut master = tepui();
    master
        .arg("master")
        .arg(format!("--port={}", ports[0]))
        .arg(format!("--work_dir={}", folder.join("master").display()));
    let mut running = vec![Running::start(&mut master, &folder.join("master.log"))];
    let mut agent = tepui();
    agent
        .arg("agent")
        .arg(format!("--port={}", ports[1]))
        .arg(format!("--master={address}"))
        .arg(format!("--work_dir={}", folder.join("agent").display()))
        .arg("--resources=cpus:2.3;mem:1024;disk:1024;ports:[]");
    running.push(Running::start(&mut agent, &folder.join("agent.log")));
    until("the agent is there", || {
        let slaves = http_json(&address, "/slaves")?;
        (slaves["slaves"].as_array()?.len() == 1).then_some(())
    });
    (address, running)
}

/// What `tepui plan fit` says, and its exit status.
fn fit(master: &str, shape: &str) -> (Value, Option<i32>) {
    let mut plan = tepui();
    plan.args(["plan", "fit", "--json", "--from", master, "--shape", shape]);
    let output = plan.output().unwrap();
    let said = serde_json::from_slice(&output.stdout);
    (said.unwrap_or(Value::Null), output.status.code())
}

#[test]
fn as_many_run_as_were_promised() {
    let folder = tempfile::tempdir().unwrap();
    let (master, _running) = start(folder.path());
    let (said, status) = fit(&master, SHAPE);
    assert_eq!(status, Some(0), "{said}");
    assert_eq!(said["shapes"][0]["fit_more"], 4, "{said}");
    assert_eq!(said["shapes"][0]["by_totals"], 4, "{said}");
    assert_eq!(fit(&master, &format!("{SHAPE},count=4")).1, Some(0));
    assert_eq!(fit(&master, &format!("{SHAPE},count=5")).1, Some(2));

    let info = json!({ "user": "root", "name": "plan", "roles": ["*"],
                       "capabilities": [{ "type": "MULTI_ROLE" }] });
    let mut framework = Framework::subscribe(&master, &info);
    let amount = |name: &str, value: f64| {
        let scalar = json!({ "value": value });
        json!({ "name": name, "type": "SCALAR", "scalar": scalar })
    };
    let resources = [amount("cpus", 0.5), amount("mem", 64.0)];
    let names: Vec<String> = (0..4).map(|number| format!("t{number}")).collect();
    let launched = names
        .iter()
        .map(|name| task(name, "sleep 1000", &resources));
    framework.launch(&launched.collect::<Vec<Value>>());
    for name in &names {
        framework.until(name, "TASK_RUNNING");
    }
    let (said, status) = fit(&master, &format!("{SHAPE},count=1"));
    assert_eq!(status, Some(2), "{said}");
    assert_eq!(said["shapes"][0]["fit_more"], 0, "{said}");
    assert_eq!(said["shapes"][0]["runs_out"]["cpus"], 1, "{said}");
}

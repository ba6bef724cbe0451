//! What the planner says of a live cluster, and what then really runs there.

mod support;

use serde_json::{Value, json};
use std::path::Path;
use support::framework::{Framework, task};
use support::{Running, free_ports, http_get, http_json, tepui, until};

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
    let missing = &said["shapes"][0]["missing"]["cpus"];
    assert_eq!(
        (&missing["machines"], &missing["least"]),
        (&json!(1), &json!(0.2))
    );
    // The 0.3 cpus that are left, for one of each host.
    let unique = "cpus=0.1,constraint=hostname:UNIQUE";
    let (said, _) = fit(&master, unique);
    assert_eq!(said["shapes"][0]["fit_more"], 1, "{said}");
    assert_eq!(
        said["shapes"][0]["obstacles"]["constraint hostname:UNIQUE"],
        1
    );
    every_command_takes_a_live_cluster(&master);
    a_saved_state_is_as_good(&master, folder.path());
}

/// What a command says of a live cluster on which four tasks run.
fn of_live(master: &str, arguments: &[&str]) -> Value {
    let mut plan = tepui();
    plan.arg("plan").args(arguments);
    plan.args(["--json", "--from", master]);
    let output = plan.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}{wrong}");
    serde_json::from_str(said.lines().next().unwrap()).unwrap()
}

fn every_command_takes_a_live_cluster(master: &str) {
    let fit = of_live(master, &["fit"]);
    assert_eq!(fit["classes"][0]["cpu_milli"], 500, "{fit}");
    assert_eq!(fit["classes"][0]["count"], 4, "{fit}");
    let fragmentation = of_live(master, &["fragmentation"]);
    assert_eq!(fragmentation["idle"]["cpus"], 300, "{fragmentation}");
    // Too little for one more of what runs there.
    assert_eq!(fragmentation["stranded"]["cpus"], 300, "{fragmentation}");
    let replay = of_live(master, &["replay", "--policy", "BestFit"]);
    assert_eq!(
        (&replay["arrivals"], &replay["failed"]),
        (&json!(4), &json!(0))
    );
    let compact = of_live(master, &["compact", "--seeds", "1..3"]);
    assert_eq!(compact["machines"], json!([1, 1, 1]), "{compact}");
}

fn a_saved_state_is_as_good(master: &str, folder: &Path) {
    let mut plan = tepui();
    plan.args(["plan", "fit", "--json", "--shape", "cpus=0.1"]);
    for page in ["state", "slaves", "roles"] {
        let path = folder.join(page);
        let body = http_get(master, &format!("/{page}")).unwrap();
        std::fs::write(&path, body).unwrap();
        plan.arg("--state").arg(path);
    }
    let output = plan.output().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["shapes"][0]["fit_more"], 3, "{said}");
    let mut both = tepui();
    both.args([
        "plan", "fit", "--from", master, "--state", "x", "--shape", "cpus=1",
    ]);
    let output = both.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(wrong.contains("name one cluster"), "{wrong}");
}

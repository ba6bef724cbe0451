//! Agents: what runs on them comes from frameworks that speak the v1 scheduler API, as the
//! captured ones did.

use super::differences::{Kind, agent::DIFFERENCES};
use super::support::framework::{Framework, amount, task};
use super::support::{http_json, shared, until};
use super::{Answer, Capture, Cluster, Request, ask, captures, compare, here, is_listed};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// All captures of agents, and what was found.
struct Comparison {
    folder: PathBuf,
    used: BTreeSet<usize>,
    unlisted: Vec<String>,
    compared: usize,
}

impl Comparison {
    fn compare(&mut self, capture: &Capture, answer: &Answer) {
        self.compared += 1;
        for (kind, what) in compare(capture, answer) {
            self.judge(&capture.name, kind, &what);
        }
    }

    fn judge(&mut self, name: &str, kind: Kind, what: &str) {
        if !is_listed(DIFFERENCES, (name, kind, what), &mut self.used) {
            self.unlisted.push(format!("{name}: {kind:?}: {what}"));
        }
    }

    /// Asks the agent what was asked in this scene's captures. Not all of them are always there.
    fn scene(&mut self, cluster: &Cluster, scene: &str) {
        for page in ["state", "containers"] {
            self.one(cluster, &format!("ext.{scene}.agent.{page}"));
        }
        for part in [
            "STATE",
            "CONTAINERS",
            "AGENT",
            "TASKS",
            "EXECUTORS",
            "OPERATIONS",
        ] {
            self.one(cluster, &format!("ext.{scene}.agent.v1.GET_{part}"));
        }
    }

    fn one(&mut self, cluster: &Cluster, name: &str) {
        if let Some(capture) = Capture::read(&self.folder, name) {
            let answer = ask(&cluster.agent, &capture.request);
            self.compare(&capture, &answer);
        }
    }

    /// Asks the master for what was asked for then, of the agent that is here now.
    fn replay(&self, cluster: &Cluster, name: &str) {
        let capture = Capture::read(&self.folder, name).expect("a capture is missing");
        let slaves = http_json(&cluster.master, "/slaves").unwrap();
        let id = slaves["slaves"][0]["id"].as_str().unwrap();
        let mut request = capture.request;
        let body = String::from_utf8(request.body).unwrap();
        let at = body.find("-S0").expect("it names an agent") - 36;
        request.body = body.replace(&body[at..at + 39], id).into();
        let answer = ask(&cluster.master, &request);
        let text = String::from_utf8_lossy(&answer.body);
        assert_eq!(answer.status, capture.status, "{name}: {text}");
    }

    fn finish(self) {
        println!("{} captures compared", self.compared);
        assert!(self.compared > 60, "the captures are incomplete");
        assert!(
            self.unlisted.is_empty(),
            "{} unlisted differences:\n{}",
            self.unlisted.len(),
            self.unlisted.join("\n")
        );
        let idle = DIFFERENCES.iter().enumerate();
        let idle: Vec<_> = idle.filter(|(at, _)| !self.used.contains(at)).collect();
        assert!(idle.is_empty(), "listed, but no longer so: {idle:#?}");
    }
}

/// The framework that ran the captured tasks.
fn info() -> Value {
    let kinds = [
        "RESERVATION_REFINEMENT",
        "TASK_KILLING_STATE",
        "REVOCABLE_RESOURCES",
        "PARTITION_AWARE",
    ];
    let capabilities = kinds.map(|kind| json!({ "type": kind }));
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap();
    json!({
        "user": user.map(|user| user.name),
        "name": "mesos-execute instance",
        "checkpoint": false,
        "role": "*",
        "capabilities": capabilities,
    })
}

fn state(cluster: &Cluster) -> Value {
    http_json(&cluster.agent, "/state").unwrap()
}

/// Two frameworks whose tasks are over, and one whose task runs.
fn run_commands(cluster: &Cluster) -> Framework {
    for (at, (name, line)) in [("hi", "echo hi"), ("sleep2", "sleep 0.2")]
        .iter()
        .enumerate()
    {
        let mut over = Framework::subscribe(&cluster.master, &info());
        // It leaves without a word of its task's end, as the captured ones did.
        over.acknowledges = false;
        over.launch(&[task(
            name,
            line,
            &[amount("cpus", 1.0), amount("mem", 128.0)],
        )]);
        over.until(name, "TASK_FINISHED");
        assert_eq!(over.call("TEARDOWN", Value::Null), 202);
        until("the framework is over", || {
            let state = http_json(&cluster.agent, "/state")?;
            let over = state["completed_frameworks"].as_array()?.len();
            (over == at + 1).then_some(())
        });
    }
    let mut framework = Framework::subscribe(&cluster.master, &info());
    let mut ports = json!({ "name": "ports", "type": "RANGES" });
    ports["ranges"] = json!({ "range": [{ "begin": 31500, "end": 31501 }] });
    let resources = [amount("cpus", 0.5), amount("mem", 64.0), ports];
    let mut runner = task("runner", "echo running; sleep 1000", &resources);
    runner["command"]["environment"] =
        json!({ "variables": [{ "name": "FOO", "type": "VALUE", "value": "bar" }] });
    framework.launch(&[runner]);
    framework.until("runner", "TASK_RUNNING");
    until("it has said something", || {
        let state = http_json(&cluster.agent, "/state")?;
        let folder = &state["frameworks"][0]["executors"][0]["directory"];
        let written = fs::read_to_string(Path::new(folder.as_str()?).join("stdout"));
        written.ok().filter(|text| !text.is_empty())
    });
    framework
}

/// A call's paths with our ids.
fn call_here(body: &[u8], sandbox: &str) -> Vec<u8> {
    let Ok(mut call) = serde_json::from_slice::<Value>(body) else {
        return body.to_vec();
    };
    for part in ["list_files", "read_file"] {
        let Some(path) = call[part]["path"].as_str() else {
            continue;
        };
        let (_, run) = path.split_once("/runs/").expect("a sandbox's path");
        // What is behind the container's id, which has 36 characters.
        call[part]["path"] = format!("{sandbox}{}", &run[36..]).into();
    }
    call.to_string().into_bytes()
}

fn commands(comparison: &mut Comparison) {
    let cluster = Cluster::start();
    let _framework = run_commands(&cluster);
    let sandbox = cluster.sandbox();
    let mut captures = captures(&comparison.folder);
    let of_agent = |name: &str| name.starts_with("agent.") || name.starts_with("err.agent");
    captures.retain(|capture| of_agent(&capture.name));
    for capture in &captures {
        let request = Request {
            path: here(&capture.request.path, &sandbox),
            body: match capture.request.path.as_str() {
                "/api/v1" => call_here(&capture.request.body, &sandbox),
                _ => capture.request.body.clone(),
            },
            ..capture.request.clone()
        };
        comparison.compare(capture, &ask(&cluster.agent, &request));
    }
}

/// A group of two tasks that end only when there is a file of this name.
fn run_group(cluster: &Cluster, stop: &Path) -> Framework {
    let mut framework = Framework::subscribe(&cluster.master, &info());
    framework.acknowledges = false;
    let stop = stop.display();
    let line = format!("trap '' TERM; while [ ! -e {stop} ]; do sleep 0.1; done; kill -9 $$");
    let resources = [amount("cpus", 0.1), amount("mem", 32.0)];
    let group = ["tg-a", "tg-b"].map(|name| {
        let mut task = task(name, &line, &resources);
        task["name"] = name.trim_start_matches("tg-").into();
        task
    });
    let [a, mut b] = group;
    b["labels"] = json!({ "labels": [{ "key": "x", "value": "y" }] });
    let executor = json!({
        "type": "DEFAULT",
        "executor_id": { "value": "default-executor" },
        "resources": [amount("cpus", 0.1), amount("mem", 32.0), amount("disk", 32.0)],
    });
    framework.launch_group(&executor, &[a, b]);
    for task in ["tg-a", "tg-b"] {
        for state in ["TASK_STARTING", "TASK_RUNNING"] {
            let status = framework.until(task, state);
            framework.acknowledge(&status);
        }
    }
    framework
}

fn groups(comparison: &mut Comparison) {
    let cluster = Cluster::start();
    let stop = cluster.folder.path().join("stop");
    let mut framework = run_group(&cluster, &stop);
    comparison.scene(&cluster, "taskgroup");

    let slaves = http_json(&cluster.master, "/slaves").unwrap();
    let drain = json!({
        "type": "DRAIN_AGENT",
        "drain_agent": {
            "agent_id": { "value": slaves["slaves"][0]["id"] },
            // No other form of it counts.
            "max_grace_period": { "seconds": 1000 },
        },
    });
    post(&cluster.master, &drain);
    for task in ["tg-a", "tg-b"] {
        let status = framework.until(task, "TASK_KILLING");
        assert_eq!(status["reason"], "REASON_AGENT_DRAINING");
        framework.acknowledge(&status);
    }
    comparison.scene(&cluster, "draining");

    fs::write(&stop, "").unwrap();
    for task in ["tg-a", "tg-b"] {
        let status = framework.until(task, "TASK_KILLED");
        framework.acknowledge(&status);
    }
    assert_eq!(framework.call("TEARDOWN", Value::Null), 202);
    until("the framework is over", || {
        let over = !state(&cluster)["completed_frameworks"]
            .as_array()?
            .is_empty();
        over.then_some(())
    });
    comparison.scene(&cluster, "drained");
    let reactivate = json!({
        "type": "REACTIVATE_AGENT",
        "reactivate_agent": { "agent_id": { "value": slaves["slaves"][0]["id"] } },
    });
    until("the agent is drained", || {
        (post(&cluster.master, &reactivate) == 200).then_some(())
    });
    until("the agent knows of it", || {
        state(&cluster)["drain_config"].is_null().then_some(())
    });
    comparison.scene(&cluster, "drain_idle");
}

fn post(address: &str, call: &Value) -> u16 {
    let kind = String::from("application/json");
    let names = ["Content-Type", "Accept"];
    let request = Request {
        method: String::from("POST"),
        path: String::from("/api/v1"),
        headers: names.map(|name| (name.to_owned(), kind.clone())).into(),
        body: call.to_string().into_bytes(),
    };
    ask(address, &request).status
}

fn reservations(comparison: &mut Comparison) {
    let cluster = Cluster::start();
    for name in ["RESERVE", "CREATE_VOLUMES", "reserve_http"] {
        comparison.replay(&cluster, &format!("ext.op.{name}"));
        // What the next one needs must have come back from the agent.
        until("the master knows of it", || {
            let master = http_json(&cluster.master, "/slaves")?;
            let (ours, theirs) = (state(&cluster), &master["slaves"][0]);
            let full = "reserved_resources_full";
            let some = ours[full].as_object()?.len() == theirs[full].as_object()?.len();
            some.then_some(())
        });
    }
    until("the agent has all of it", || {
        let reserved = state(&cluster);
        let reserved = &reserved["reserved_resources_full"];
        let all = reserved["gr"].as_array()?.len() == 3 && reserved["old"].is_array();
        all.then_some(())
    });
    comparison.scene(&cluster, "reserved");
    for name in ["DESTROY_VOLUMES", "UNRESERVE", "DEACTIVATE"] {
        until("what was asked for before is done", || {
            let unread = state(&cluster)["reserved_resources_full"]["gr"].clone();
            let count = unread.as_array().map_or(0, Vec::len);
            (name != "UNRESERVE" || count == 2).then_some(())
        });
        comparison.replay(&cluster, &format!("ext.op.{name}"));
    }
    until("the agent has let go of it", || {
        let gone = state(&cluster)["reserved_resources"]["gr"].is_null();
        gone.then_some(())
    });
    comparison.scene(&cluster, "deactivated");
}

#[test]
fn agents_answer_in_the_shape_of_mesos_own() {
    let Some(folder) = shared("golden") else {
        return;
    };
    let mut comparison = Comparison {
        folder,
        used: BTreeSet::new(),
        unlisted: Vec::new(),
        compared: 0,
    };
    commands(&mut comparison);
    groups(&mut comparison);
    reservations(&mut comparison);
    comparison.finish();
}

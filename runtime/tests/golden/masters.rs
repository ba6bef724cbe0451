//! Masters: what their clusters went through is done again with real calls, and every page is
//! asked for in the same situation.

use super::differences::Kind;
use super::differences::master::{DIFFERENCES, NOT_COMPARED};
use super::support::framework::{Framework, amount, task};
use super::support::{http_json, processes_with, shared, until};
use super::{
    Answer, Capture, Cluster, Request, ask, captures, compare, is_listed, is_of_agent, streams,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The pages that were captured in every situation, if they were at all.
const PAGES: [&str; 14] = [
    "state",
    "slaves",
    "slaves.t0",
    "slaves.t3",
    "roles",
    "frameworks",
    "tasks",
    "state_summary",
    "v1.GET_AGENTS",
    "v1.GET_TASKS",
    "v1.GET_FRAMEWORKS",
    "v1.GET_ROLES",
    "v1.GET_OPERATIONS",
    "v1.GET_STATE",
];

/// All captures of masters, and what was found.
pub struct Comparison {
    pub folder: PathBuf,
    used: BTreeSet<usize>,
    unlisted: Vec<String>,
    pub compared: BTreeSet<String>,
}

impl Comparison {
    fn compare(&mut self, capture: &Capture, answer: &Answer) {
        self.compared.insert(capture.name.clone());
        for (kind, what) in compare(capture, answer) {
            self.judge(&capture.name, kind, &what);
        }
    }

    /// A difference: it is listed, or it is not.
    pub fn judge(&mut self, name: &str, kind: Kind, what: &str) {
        if !is_listed(DIFFERENCES, (name, kind, what), &mut self.used) {
            self.unlisted.push(format!("{name}: {kind:?}: {what}"));
        }
    }

    /// Asks the master for what was asked for then, in this situation.
    fn scene(&mut self, cluster: &Cluster, scene: &str) {
        for page in PAGES {
            let name = format!("ext.{scene}.master.{page}");
            if let Some(capture) = Capture::read(&self.folder, &name) {
                self.compare(&capture, &ask(&cluster.master, &capture.request));
            }
        }
    }

    /// Asks the master for what was asked for then, of the agent that is here now.
    fn replay(&mut self, cluster: &Cluster, name: &str) {
        let name = format!("ext.op.{name}");
        let mut capture = Capture::read(&self.folder, &name).expect("a capture is missing");
        let body = String::from_utf8(capture.request.body).unwrap();
        let at = body.find("-S0").expect("it names an agent") - 36;
        let (theirs, ours) = (&body[at..at + 39], agent_id(cluster));
        let here = |text: &str| {
            let text = text.replace(theirs, &ours);
            text.replace("127.0.0.1:19051", &cluster.agent)
        };
        capture.text = capture.text.as_deref().map(here);
        capture.request.body = here(&body).into_bytes();
        self.compare(&capture, &ask(&cluster.master, &capture.request));
    }

    /// Captures of masters, and of sessions, that nothing was compared with, although no reason
    /// is known for that.
    fn forgotten(&self) -> Vec<String> {
        let files = fs::read_dir(&self.folder).unwrap().flatten();
        let names = files.filter_map(|file| file.file_name().into_string().ok());
        let captures = names.filter_map(|name| {
            let ends = [".meta.json", ".raw", ".out"];
            let mut ends = ends.iter().filter_map(|end| name.strip_suffix(*end));
            ends.next().map(str::to_owned)
        });
        let of_agents = |name: &String| is_of_agent(name) || name.contains(".agent.");
        let mut forgotten: Vec<_> = captures
            .filter(|name| !of_agents(name) && !self.compared.contains(name))
            .filter(|name| !NOT_COMPARED.iter().any(|(known, _)| known == name))
            .collect();
        forgotten.sort();
        forgotten
    }

    fn finish(self) {
        println!("{} captures of masters compared", self.compared.len());
        for (name, why) in NOT_COMPARED {
            println!("not compared: {name}: {why}");
        }
        assert!(self.compared.len() > 150, "the captures are incomplete");
        assert_eq!(self.forgotten(), Vec::<String>::new(), "not compared");
        assert!(
            self.unlisted.is_empty(),
            "{} unlisted differences:\n{}",
            self.unlisted.len(),
            self.unlisted.join("\n")
        );
        let idle = DIFFERENCES.iter().enumerate();
        let idle = idle.filter(|(at, _)| !self.used.contains(at));
        let idle: Vec<_> = idle.map(|(_, listed)| listed.to_string()).collect();
        assert!(
            idle.is_empty(),
            "listed, but no longer so:\n{}",
            idle.join("\n")
        );
    }
}

pub fn agent_id(cluster: &Cluster) -> String {
    let slaves = http_json(&cluster.master, "/slaves").unwrap();
    let id = &slaves["slaves"][0]["id"];
    id.as_str().expect("an agent is registered").to_owned()
}

/// The framework that ran the captured tasks.
pub fn info() -> Value {
    let kinds = [
        "RESERVATION_REFINEMENT",
        "TASK_KILLING_STATE",
        "REVOCABLE_RESOURCES",
        "PARTITION_AWARE",
    ];
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap();
    json!({
        "user": user.map(|user| user.name),
        "name": "mesos-execute instance",
        "checkpoint": false,
        "failover_timeout": 0.0,
        "role": "*",
        "capabilities": kinds.map(|kind| json!({ "type": kind })),
    })
}

/// A framework leaves, and is over.
fn leave(cluster: &Cluster, framework: Framework) {
    let id = framework.id.clone();
    drop(framework);
    until("the framework is over", || {
        let page = http_json(&cluster.master, "/frameworks")?;
        let mut over = page["completed_frameworks"].as_array()?.iter();
        over.any(|one| one["id"] == id.as_str()).then_some(())
    });
}

/// A task that wants so many CPUs and so much memory.
pub fn task_of(name: &str, line: &str, cpus: f64, mem: f64) -> Value {
    task(name, line, &[amount("cpus", cpus), amount("mem", mem)])
}

/// Two frameworks whose tasks are over, and one whose task runs.
pub fn run_commands(cluster: &Cluster) -> Framework {
    for (name, line) in [("hi", "echo hi"), ("sleep2", "sleep 0.2")] {
        let mut over = Framework::subscribe(&cluster.master, &info());
        // It leaves without a word of its task's end, as the captured ones did.
        over.acknowledges = false;
        over.launch(&[task_of(name, line, 1.0, 128.0)]);
        over.until(name, "TASK_FINISHED");
        leave(cluster, over);
    }
    let mut framework = Framework::subscribe(&cluster.master, &info());
    let mut ports = json!({ "name": "ports", "type": "RANGES" });
    ports["ranges"] = json!({ "range": [{ "begin": 31500, "end": 31501 }] });
    let resources = [amount("cpus", 0.5), amount("mem", 64.0), ports];
    framework.launch(&[task("runner", "sleep 1000", &resources)]);
    framework.until("runner", "TASK_RUNNING");
    framework
}

fn commands(comparison: &mut Comparison) {
    let cluster = Cluster::start();
    let mut framework = run_commands(&cluster);
    // What is left is offered to it, and it wants none of it.
    let offer = framework.offer();
    let decline = json!({
        "offer_ids": [offer["id"]],
        "filters": { "refuse_seconds": 1000 },
    });
    assert_eq!(framework.call("DECLINE", decline), 202);
    let mut captures = captures(&comparison.folder);
    captures.retain(|capture| !is_of_agent(&capture.name));
    for capture in &captures {
        comparison.compare(capture, &ask(&cluster.master, &capture.request));
    }
}

fn reservations(comparison: &mut Comparison) {
    let cluster = Cluster::start();
    comparison.replay(&cluster, "RESERVE");
    comparison.replay(&cluster, "RESERVE_too_much");
    comparison.replay(&cluster, "CREATE_VOLUMES");
    comparison.replay(&cluster, "CREATE_VOLUMES_dup");
    comparison.replay(&cluster, "reserve_http");
    comparison.scene(&cluster, "reserved");
    comparison.replay(&cluster, "DESTROY_VOLUMES");
    comparison.replay(&cluster, "UNRESERVE");
    comparison.replay(&cluster, "UNRESERVE_again");
    comparison.replay(&cluster, "DEACTIVATE");
    comparison.scene(&cluster, "deactivated");
    comparison.replay(&cluster, "REACTIVATE2");
    comparison.replay(&cluster, "DRAIN_again");
    until("the agent is drained", || {
        let slaves = http_json(&cluster.master, "/slaves")?;
        let drained = slaves["slaves"][0]["drain_info"]["state"] == "DRAINED";
        drained.then_some(())
    });
    comparison.replay(&cluster, "REACTIVATE");
}

/// An agent on which nothing runs.
fn drains(comparison: &mut Comparison) {
    let cluster = Cluster::start();
    comparison.replay(&cluster, "DRAIN_string");
    comparison.replay(&cluster, "DRAIN_seconds");
    comparison.scene(&cluster, "drain_idle");
    // The agent says so itself, and takes its time.
    until("the agent is drained", || {
        let agents = http_json(&cluster.master, "/slaves")?;
        let state = &agents["slaves"][0]["drain_info"]["state"];
        (state == "DRAINED").then_some(())
    });
    comparison.replay(&cluster, "REACTIVATE3");
}

/// A group of two tasks that end only when there is a file of this name.
fn run_group(cluster: &Cluster, stop: &Path) -> Framework {
    let mut framework = Framework::subscribe(&cluster.master, &info());
    let stop = stop.display();
    let line = format!("trap '' TERM; while [ ! -e {stop} ]; do sleep 0.1; done; kill -9 $$");
    let resources = [amount("cpus", 0.1), amount("mem", 32.0)];
    let mut a = task("tg-a", &line, &resources);
    let mut b = task("tg-b", &line, &resources);
    a["name"] = "a".into();
    b["name"] = "b".into();
    b["labels"] = json!({ "labels": [{ "key": "x", "value": "y" }] });
    let executor = json!({
        "type": "DEFAULT",
        "executor_id": { "value": "default-executor" },
        "resources": [amount("cpus", 0.1), amount("mem", 32.0), amount("disk", 32.0)],
    });
    framework.launch_group(&executor, &[a, b]);
    for task in ["tg-a", "tg-b"] {
        framework.until(task, "TASK_RUNNING");
    }
    framework
}

fn groups(comparison: &mut Comparison) {
    let cluster = Cluster::start();
    let stop = cluster.folder.path().join("stop");
    let mut framework = run_group(&cluster, &stop);
    comparison.scene(&cluster, "taskgroup");
    // The captured scene came before the agent did anything: here it takes its time.
    let mut capture = Capture::read(&comparison.folder, "ext.op.DRAIN_AGENT").unwrap();
    let call = json!({
        "type": "DRAIN_AGENT",
        "drain_agent": {
            "agent_id": { "value": agent_id(&cluster) },
            "max_grace_period": { "seconds": 600 },
        },
    });
    capture.request.body = call.to_string().into_bytes();
    comparison.compare(&capture, &ask(&cluster.master, &capture.request));
    for task in ["tg-a", "tg-b"] {
        framework.until(task, "TASK_KILLING");
    }
    comparison.scene(&cluster, "draining");
    fs::write(&stop, "").unwrap();
}

/// An agent that goes away with a task, is missed, and given up.
fn losses(comparison: &mut Comparison) {
    let flags = ["--agent_ping_timeout=2secs", "--max_agent_ping_timeouts=2"];
    let mut cluster = Cluster::start_with(&flags);
    let mut framework = Framework::subscribe(&cluster.master, &info());
    framework.launch(&[task_of("lostme", "sleep 1000", 0.5, 64.0)]);
    framework.until("lostme", "TASK_RUNNING");
    // Something was reserved for good before.
    comparison.replay(&cluster, "reserve_http");
    let id = agent_id(&cluster);
    cluster.running[1].kill();
    leave(&cluster, framework);
    comparison.scene(&cluster, "agent_disconnected");
    until("the agent is unreachable", || {
        let state = http_json(&cluster.master, "/state")?;
        (state["unreachable_slaves"] == 1.0).then_some(())
    });
    comparison.scene(&cluster, "agent_unreachable");
    let mut capture = Capture::read(&comparison.folder, "ext.op.MARK_GONE").unwrap();
    let call = json!({
        "type": "MARK_AGENT_GONE",
        "mark_agent_gone": { "agent_id": { "value": id } },
    });
    capture.request = Request {
        body: call.to_string().into_bytes(),
        ..capture.request
    };
    comparison.compare(&capture, &ask(&cluster.master, &capture.request));
    comparison.scene(&cluster, "agent_gone");
    // What the agent ran outlives it, and waits for it to come back.
    let folder = cluster.folder.path().join("agent");
    for (pid, _) in processes_with(&folder.display().to_string()) {
        let pid = nix::unistd::Pid::from_raw(pid as i32);
        // It may have ended meanwhile.
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
    }
}

#[test]
fn masters_answer_in_the_shape_of_mesos_own() {
    let Some(folder) = shared("golden") else {
        return;
    };
    let mut comparison = Comparison {
        folder,
        used: BTreeSet::new(),
        unlisted: Vec::new(),
        compared: BTreeSet::new(),
    };
    commands(&mut comparison);
    reservations(&mut comparison);
    drains(&mut comparison);
    groups(&mut comparison);
    losses(&mut comparison);
    streams::of_schedulers(&mut comparison);
    streams::of_operators(&mut comparison);
    comparison.finish();
}

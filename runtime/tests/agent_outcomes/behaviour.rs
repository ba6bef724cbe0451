//! What runs on an agent is watched, ended and told as frameworks expect.

use super::support::framework::{Framework, amount, task};
use super::support::outcomes::speak;
use super::{Cluster, little};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use tepui_runtime::mesos::media::Codec;
use tepui_runtime::mesos::v1::master::{Call, Response};

const NOW: f64 = 0.0;

fn health(more: &Value) -> Value {
    let mut check = json!({
        "delay_seconds": NOW,
        "interval_seconds": 0.1,
        "grace_period_seconds": NOW,
        "consecutive_failures": 2,
    });
    check
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    check
}

fn check(more: &Value) -> Value {
    let mut check = json!({ "delay_seconds": NOW, "interval_seconds": 0.1 });
    check
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    check
}

/// The next status of this task for which something holds.
fn until(framework: &mut Framework, task: &str, fits: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..1_000 {
        let status = framework.until_any(task);
        if fits(&status) {
            return status;
        }
        let state = status["state"].as_str().unwrap();
        let going = ["TASK_STARTING", "TASK_RUNNING", "TASK_KILLING"].contains(&state);
        assert!(going, "{status}");
    }
    panic!("{task} says too much");
}

/// An HTTP server whose answers have the status that is set.
fn server() -> (u16, Arc<AtomicU16>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let status = Arc::new(AtomicU16::new(200));
    let answered = Arc::clone(&status);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request);
            let status = answered.load(Ordering::Relaxed);
            let _ = write!(stream, "HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n");
        }
    });
    (port, status)
}

#[test]
fn a_task_whose_health_check_fails_is_killed() {
    let cluster = Cluster::start();
    let mut framework = cluster.framework();
    let flag = cluster.folder().join("well");
    fs::write(&flag, "").unwrap();
    let line = format!("test -e {}", flag.display());
    let mut runner = task("t", "sleep 1000", &little());
    runner["health_check"] = health(&json!({ "type": "COMMAND", "command": { "value": line } }));
    framework.launch(&[runner]);
    let well = until(&mut framework, "t", |status| status["healthy"] == true);
    assert_eq!(well["state"], "TASK_RUNNING");
    assert_eq!(well["reason"], "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED");
    assert!(well["container_status"]["container_id"].is_object());
    fs::remove_file(&flag).unwrap();
    until(&mut framework, "t", |status| {
        status["state"] == "TASK_KILLING"
    });
    let over = until(&mut framework, "t", |status| {
        status["state"] == "TASK_KILLED"
    });
    assert_eq!(over["healthy"], false);
}

#[test]
fn health_is_looked_at_over_http_and_tcp() {
    let cluster = Cluster::start();
    let mut framework = cluster.framework();
    let (port, status) = server();
    let mut web = task("web", "sleep 1000", &little());
    let http = json!({ "type": "HTTP", "http": { "port": port, "path": "/health" } });
    web["health_check"] = health(&http);
    framework.launch(&[web]);
    until(&mut framework, "web", |status| status["healthy"] == true);
    status.store(503, Ordering::Relaxed);
    until(&mut framework, "web", |status| {
        status["state"] == "TASK_KILLED"
    });

    let closed = super::support::free_ports(1)[0];
    for (name, port, state) in [
        ("open", port, "TASK_RUNNING"),
        ("closed", closed, "TASK_KILLED"),
    ] {
        let mut runner = task(name, "sleep 1000", &little());
        runner["health_check"] = health(&json!({ "type": "TCP", "tcp": { "port": port } }));
        framework.launch(&[runner]);
        let healthy = state == "TASK_RUNNING";
        until(&mut framework, name, |status| {
            status["state"] == state && status["healthy"] == healthy
        });
    }
}

#[test]
fn checks_tell_what_they_see() {
    let cluster = Cluster::start();
    let mut framework = cluster.framework();
    let (port, _) = server();
    let flag = cluster.folder().join("code");
    fs::write(&flag, "7").unwrap();
    let line = format!("exit $(cat {})", flag.display());
    let mut runner = task("c", "sleep 1000", &little());
    let command = json!({ "command": { "value": line } });
    runner["check"] = check(&json!({ "type": "COMMAND", "command": command }));
    framework.launch(&[runner]);
    let unknown = framework.until("c", "TASK_RUNNING");
    assert_eq!(
        unknown["check_status"],
        json!({ "type": "COMMAND", "command": {} })
    );
    let code = |status: &Value| status["check_status"]["command"]["exit_code"].clone();
    let seven = until(&mut framework, "c", |status| code(status) == 7);
    assert_eq!(seven["reason"], "REASON_TASK_CHECK_STATUS_UPDATED");
    fs::write(&flag, "0").unwrap();
    until(&mut framework, "c", |status| code(status) == 0);

    let mut runner = task("h", "sleep 1000", &little());
    runner["check"] = check(&json!({ "type": "HTTP", "http": { "port": port } }));
    framework.launch(&[runner]);
    let seen = |status: &Value| status["check_status"]["http"]["status_code"] == 200;
    until(&mut framework, "h", seen);
    let mut runner = task("p", "sleep 1000", &little());
    runner["check"] = check(&json!({ "type": "TCP", "tcp": { "port": port } }));
    framework.launch(&[runner]);
    let seen = |status: &Value| status["check_status"]["tcp"]["succeeded"] == true;
    until(&mut framework, "p", seen);
}

#[test]
fn a_task_ends_when_its_time_is_over() {
    let cluster = Cluster::start();
    let mut framework = cluster.framework();
    let mut runner = task("long", "sleep 1000", &little());
    runner["max_completion_time"] = json!({ "nanoseconds": 300_000_000_u64 });
    framework.launch(&[runner]);
    let over = until(&mut framework, "long", |status| {
        status["state"] == "TASK_FAILED"
    });
    assert_eq!(over["reason"], "REASON_MAX_COMPLETION_TIME_REACHED");
}

#[test]
fn a_group_ends_with_its_first_failure_and_knows_its_health() {
    let cluster = Cluster::start();
    let mut framework = cluster.framework();
    let executor = json!({
        "type": "DEFAULT",
        "executor_id": { "value": "default" },
        "resources": [amount("cpus", 0.1), amount("mem", 32.0), amount("disk", 32.0)],
    });
    let flag = cluster.folder().join("fail");
    let line = format!(
        "while [ ! -e {} ]; do sleep 0.05; done; exit 3",
        flag.display()
    );
    let fails = task("fails", &line, &little());
    let stays = task("stays", "sleep 1000", &little());
    framework.launch_group(&executor, &[fails, stays]);
    framework.until("fails", "TASK_RUNNING");
    framework.until("stays", "TASK_RUNNING");
    fs::write(&flag, "").unwrap();
    until(&mut framework, "fails", |status| {
        status["state"] == "TASK_FAILED"
    });
    until(&mut framework, "stays", |status| {
        status["state"] == "TASK_KILLED"
    });
    framework.next("FAILURE");

    let mut ill = task("ill", "sleep 1000", &little());
    let command = json!({ "type": "COMMAND", "command": { "value": "false" } });
    ill["health_check"] = health(&command);
    let well = task("well", "sleep 1000", &little());
    framework.launch_group(&executor, &[ill, well]);
    for name in ["ill", "well"] {
        let over = until(&mut framework, name, |s| s["state"] == "TASK_KILLED");
        assert_eq!(over["healthy"], false, "{over}");
    }
}

#[test]
fn a_kill_policy_says_how_long_a_task_may_take() {
    let cluster = Cluster::start();
    let mut framework = cluster.framework();
    let stubborn = "trap '' TERM; echo up; while true; do sleep 0.05; done";
    let mut runner = task("stubborn", stubborn, &little());
    runner["kill_policy"] = json!({ "grace_period": { "nanoseconds": 3_600_000_000_000_u64 } });
    framework.launch(&[runner]);
    framework.until("stubborn", "TASK_RUNNING");
    let kill = |framework: &Framework, nanoseconds: u64| {
        let part = json!({
            "task_id": { "value": "stubborn" },
            "kill_policy": { "grace_period": { "nanoseconds": nanoseconds } },
        });
        assert_eq!(framework.call("KILL", part), 202);
    };
    let part = json!({ "task_id": { "value": "stubborn" } });
    assert_eq!(framework.call("KILL", part), 202);
    framework.until("stubborn", "TASK_KILLING");
    kill(&framework, 100_000_000);
    let over = framework.until("stubborn", "TASK_KILLED");
    assert_eq!(over["message"], "Command terminated with signal Killed");
}

/// What a custom executor finds in its environment.
fn environment(cluster: &Cluster, checkpoint: bool) -> Vec<(String, String)> {
    let mut info = cluster.info();
    info["checkpoint"] = checkpoint.into();
    let mut framework = Framework::subscribe(&cluster.master, &info);
    let mut runner = task("t", "", &little());
    runner.as_object_mut().unwrap().remove("command");
    let variables = json!([{ "name": "FOO", "type": "VALUE", "value": "bar" }]);
    runner["executor"] = json!({
        "executor_id": { "value": "e" },
        "command": {
            "value": "env > env.part; mv env.part env.txt; sleep 1000",
            "environment": { "variables": variables },
        },
        "resources": little(),
        "shutdown_grace_period": { "nanoseconds": 7_000_000_000_u64 },
    });
    framework.launch(&[runner]);
    let executor = cluster.executor();
    let sandbox = executor["directory"].as_str().unwrap().to_owned();
    let text = super::until("the executor wrote its environment", || {
        fs::read_to_string(Path::new(&sandbox).join("env.txt")).ok()
    });
    let id = framework.id.clone();
    assert_eq!(framework.call("TEARDOWN", Value::Null), 202);
    let mut found: Vec<(String, String)> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .filter(|(name, _)| {
            ["MESOS_", "LIBPROCESS_", "FOO"]
                .iter()
                .any(|own| name.starts_with(own))
        })
        .map(|(name, value)| {
            let value = value.replace(&sandbox, "SANDBOX").replace(&id, "FRAMEWORK");
            (name.to_owned(), value.replace(&cluster.agent, "AGENT"))
        })
        .collect();
    found.sort();
    super::until("the framework is over", || {
        let state = super::http_json(&cluster.agent, "/state")?;
        state["frameworks"].as_array()?.is_empty().then_some(())
    });
    found
}

#[test]
fn executors_find_what_they_expect_in_their_environment() {
    let cluster = Cluster::start();
    let slaves = super::http_json(&cluster.master, "/slaves").unwrap();
    let agent_id = slaves["slaves"][0]["id"].as_str().unwrap();
    let always = [
        ("FOO", "bar"),
        ("LIBPROCESS_PORT", "0"),
        ("MESOS_AGENT_ENDPOINT", "AGENT"),
        ("MESOS_AGENT_ID", agent_id),
        ("MESOS_ALLOCATION_ROLE", "*"),
        ("MESOS_CHECKPOINT", "0"),
        ("MESOS_DIRECTORY", "SANDBOX"),
        ("MESOS_EXECUTOR_ID", "e"),
        ("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "7secs"),
        ("MESOS_FRAMEWORK_ID", "FRAMEWORK"),
        ("MESOS_HTTP_COMMAND_EXECUTOR", "0"),
        ("MESOS_SANDBOX", "SANDBOX"),
        ("MESOS_SLAVE_ID", agent_id),
        ("MESOS_SLAVE_PID", "slave(1)@AGENT"),
    ];
    let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let mut wanted: Vec<_> = always.map(pair).into();
    assert_eq!(environment(&cluster, false), wanted);
    let at = wanted
        .iter()
        .position(|(name, _)| name == "MESOS_CHECKPOINT");
    wanted[at.unwrap()].1 = String::from("1");
    wanted.push(pair(("MESOS_RECOVERY_TIMEOUT", "15mins")));
    wanted.push(pair(("MESOS_SUBSCRIPTION_BACKOFF_MAX", "2secs")));
    wanted.sort();
    assert_eq!(environment(&cluster, true), wanted);
}

#[test]
fn what_ends_because_its_agent_is_drained_says_so() {
    let cluster = Cluster::start();
    let mut framework = cluster.framework();
    framework.launch(&[task("t", "sleep 1000", &little())]);
    framework.until("t", "TASK_RUNNING");
    let drain = json!({
        "type": "DRAIN_AGENT",
        "drain_agent": { "agent_id": framework.agent_id },
    });
    let drain = drain.to_string();
    let (status, body) = speak::<Call, Response>(&cluster.master, "/api/v1", Codec::Json, &drain);
    assert_eq!(status, 200, "{body}");
    for state in ["TASK_KILLING", "TASK_KILLED"] {
        let said = until(&mut framework, "t", |status| status["state"] == state);
        assert_eq!(said["reason"], "REASON_AGENT_DRAINING");
    }
}

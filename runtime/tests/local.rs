//! `tepui local` and `tepui execute`, as people use them.

mod support;

use nix::sys::signal::Signal;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use support::{Running, http_json, processes_with, tepui, until};

struct Local {
    running: Running,
    address: String,
}

impl Local {
    /// All three masters.
    fn masters(&self) -> String {
        let first: u16 = self.address.rsplit(':').next().unwrap().parse().unwrap();
        let all: Vec<_> = (first..first + 3)
            .map(|port| format!("127.0.0.1:{port}"))
            .collect();
        all.join(",")
    }

    /// The number of the master that says of itself that it leads.
    fn leader(&self) -> usize {
        until("a master leads", || {
            let masters = self.masters();
            let leads = |address: &str| {
                let metrics = http_json(address, "/metrics/snapshot");
                metrics.is_some_and(|metrics| metrics["master/elected"] == 1.0)
            };
            masters.split(',').position(leads).map(|place| place + 1)
        })
    }
}

/// Three masters' ports in a row, and the agents' after them, that nobody listens on now. Tests of
/// this file run at once: each takes a stretch of its own.
fn ports_in_a_row(count: u16) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let start = 20_000 + (std::process::id() % 1_000) as u16 * 20;
    (0..1_000)
        .map(|_| start + NEXT.fetch_add(count, Ordering::Relaxed) % 12_000)
        .find(|first| (*first..*first + count).all(free))
        .expect("a stretch of ports is free")
}

fn start(folder: &Path) -> Local {
    let mut command = tepui();
    command
        .arg("local")
        .arg(format!("--port={}", ports_in_a_row(5)))
        .arg(format!("--work_dir={}", folder.join("work").display()))
        .arg("--resources=cpus:2;mem:512;disk:512")
        .stdout(Stdio::piped());
    let mut running = Running::start(&mut command, &folder.join("local.log"));
    let mut lines = BufReader::new(running.child.stdout.take().unwrap()).lines();
    let first = lines.next().expect("it becomes ready").unwrap();
    let address = first.strip_prefix("ready http://").unwrap().to_owned();
    Local { running, address }
}

fn execute(local: &Local, arguments: &[&str]) -> Output {
    let mut command = tepui();
    command
        .arg("execute")
        .arg(format!("--master={}", local.address));
    command.args(arguments).output().unwrap()
}

fn nothing_left(folder: &Path) {
    let text = folder.to_str().unwrap();
    until("all processes are gone", || {
        processes_with(text).is_empty().then_some(())
    });
}

#[test]
fn commands_run_with_their_output_and_their_exit_status() {
    let folder = tempfile::tempdir().unwrap();
    let mut local = start(folder.path());

    let output = execute(&local, &["--command=echo out; echo err >&2; exit 7"]);
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "out\n");
    assert!(String::from_utf8_lossy(&output.stderr).contains("err\n"));

    let output = execute(
        &local,
        &["--command=echo $A-$MESOS_TASK_ID", "--env=A=b", "--name=n"],
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "b-n.0.1\n");

    let output = execute(&local, &["--command=kill -9 $$"]);
    assert_eq!(output.status.code(), Some(137), "{output:?}");

    let output = execute(&local, &["--command=seq 100000"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        output.stdout.iter().filter(|byte| **byte == b'\n').count(),
        100_000
    );

    let output = execute(
        &local,
        &[
            "--command=echo one",
            "--instances=3",
            "--resources=cpus:0.1;mem:16",
        ],
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "one\none\none\n");

    local.running.signal(Signal::SIGTERM);
    assert_eq!(local.running.wait(), 0);
    nothing_left(folder.path());
}

#[test]
fn ctrl_c_ends_a_command_and_its_task() {
    let folder = tempfile::tempdir().unwrap();
    let mut local = start(folder.path());
    let mut command = tepui();
    command
        .arg("execute")
        .arg(format!("--master={}", local.address))
        .arg(format!(
            "--command=echo begun; exec sleep 1000.{}",
            std::process::id()
        ))
        .stdout(Stdio::piped());
    let mut executing = Running::start(&mut command, &folder.path().join("execute.log"));
    let mut lines = BufReader::new(executing.child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "begun");
    executing.signal(Signal::SIGINT);
    assert_eq!(executing.wait(), 130);
    let sleep = format!("1000.{}", std::process::id());
    until("the task is gone", || {
        processes_with(&sleep).is_empty().then_some(())
    });

    local.running.signal(Signal::SIGINT);
    assert_eq!(local.running.wait(), 0);
    nothing_left(folder.path());
}

#[test]
fn a_command_outlives_the_leader() {
    let folder = tempfile::tempdir().unwrap();
    let mut local = start(folder.path());
    let go = folder.path().join("go");
    let line = format!(
        "echo begun; while [ ! -e {} ]; do sleep 0.05; done; exit 5",
        go.display()
    );
    let mut command = tepui();
    command
        .arg("execute")
        .arg(format!("--master={}", local.masters()))
        .arg(format!("--command={line}"))
        .stdout(Stdio::piped());
    let mut executing = Running::start(&mut command, &folder.path().join("execute.log"));
    let mut lines = BufReader::new(executing.child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "begun");

    let leader = local.leader();
    let this = folder.path().to_str().unwrap();
    let wanted = format!("tepui master --id={leader} ");
    let all = processes_with(this);
    let (pid, _) = all
        .iter()
        .find(|(_, line)| line.starts_with(&wanted))
        .unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(*pid as i32), Signal::SIGKILL).unwrap();
    until("another master leads", || {
        (local.leader() != leader).then_some(())
    });
    until("the framework is back", || {
        let log = fs::read_to_string(folder.path().join("execute.log")).ok()?;
        (log.matches("subscribed as").count() == 2).then_some(())
    });
    fs::write(&go, "").unwrap();
    assert_eq!(executing.wait(), 5);
    local.running.signal(Signal::SIGTERM);
    assert_eq!(local.running.wait(), 0);
    nothing_left(folder.path());
}

#[test]
fn nothing_outlives_a_local_cluster_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut local = start(folder.path());
    let mut command = tepui();
    command
        .arg("execute")
        .arg(format!("--master={}", local.address))
        .arg("--command=echo begun; exec sleep 1000")
        .stdout(Stdio::piped());
    let mut executing = Running::start(&mut command, &folder.path().join("execute.log"));
    let mut lines = BufReader::new(executing.child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "begun");
    local.running.kill();
    drop(executing);
    nothing_left(folder.path());
}

#[test]
fn a_taken_port_is_named_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let port = ports_in_a_row(5);
    let _taken = TcpListener::bind(("127.0.0.1", port + 1)).unwrap();
    let output = tepui()
        .arg("local")
        .arg(format!("--port={port}"))
        .arg(format!(
            "--work_dir={}",
            folder.path().join("work").display()
        ))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr);
    let named = message.contains(&format!("port {}", port + 1)) && message.contains("--port");
    assert!(named, "{message}");
    nothing_left(folder.path());
}

#[test]
fn bad_flags_say_which_and_what_to_do() {
    let cases: [(&[&str], &str); 9] = [
        (
            &["agent", "--master=nowhere", "--work_dir=/tmp/x"],
            "HOST:PORT",
        ),
        (
            &[
                "agent",
                "--master=h:1",
                "--work_dir=/tmp/x",
                "--resources=cpus:x",
            ],
            "--resources",
        ),
        (
            &[
                "agent",
                "--master=h:1",
                "--work_dir=/tmp/x",
                "--attributes=:",
            ],
            "--attributes",
        ),
        (
            &[
                "master",
                "--work_dir=/tmp/x",
                "--id=4",
                "--masters=1=h:1,2=h:2,3=h:3",
            ],
            "--id=4",
        ),
        (
            &["master", "--work_dir=/tmp/x", "--masters=1=h:1,1=h:2"],
            "twice",
        ),
        (
            &[
                "master",
                "--work_dir=/tmp/x",
                "--masters=1=h:1,2=h:2",
                "--quorum=1",
            ],
            "say 2",
        ),
        (
            &["master", "--work_dir=/tmp/x", "--agent_ping_timeout=15"],
            "15secs",
        ),
        (
            &["execute", "--master=h:1", "--command=true", "--env=novalue"],
            "NAME=VALUE",
        ),
        (
            &["execute", "--master=h:1", "--command=true", "--resources="],
            "--resources",
        ),
    ];
    for (arguments, expected) in cases {
        let output = tepui().args(arguments).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
}

#[test]
fn flags_are_read_from_mesos_variables_where_ours_say_nothing() {
    let said = |variables: &[(&str, &str)], more: &[&str]| {
        let mut master = tepui();
        master.args(["master", "--work_dir=/nowhere/at/all"]);
        let output = master
            .args(more)
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    let theirs = ("MESOS_PORT", "theirs");
    assert!(said(&[theirs], &[]).contains("'theirs'"));
    assert!(said(&[theirs, ("TEPUI_PORT", "ours")], &[]).contains("'ours'"));
    assert!(said(&[theirs], &["--port=given"]).contains("'given'"));
}

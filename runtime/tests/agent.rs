//! A real agent with real tasks, under a master that the test plays.

mod support;

use nix::sys::signal::Signal;
use std::fs;
use std::path::Path;
use std::time::Duration;
use support::fake_master::{FakeMaster, framework_id, task};
use support::{Running, free_ports, http_get, http_json, processes_with, tepui, until};
use tepui_core::ids::TaskId;
use tepui_core::message::agent::ToAgent;
use tepui_core::model::TaskState;

struct Agent {
    running: Running,
    port: u16,
}

fn start(master: &str, port: u16, folder: &Path, more: &[&str]) -> Agent {
    let mut command = tepui();
    command
        .arg("agent")
        .arg(format!("--master={master}"))
        .arg(format!("--port={port}"))
        .arg(format!("--work_dir={}", folder.join("agent").display()))
        .arg("--resources=cpus:4;mem:1024;disk:1024")
        .arg("--logging_level=DEBUG")
        .args(more);
    Agent {
        running: Running::start(&mut command, &folder.join("agent.log")),
        port,
    }
}

fn only_the_agent_is_left(folder: &Path) {
    let text = folder.to_str().unwrap();
    until("only the agent is left", || {
        (processes_with(text).len() == 1).then_some(())
    });
}

fn nothing_left(folder: &Path) {
    let text = folder.to_str().unwrap();
    let left = || processes_with(text);
    until("all processes are gone", || left().is_empty().then_some(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_runs_in_its_sandbox_and_its_end_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (mut master, address) = FakeMaster::start().await;
    let agent = start(&address, free_ports(1)[0], folder.path(), &[]);
    let mut connection = master.registered().await;
    connection
        .run(vec![
            task("good", "echo $((6*7)); echo warn >&2; pwd"),
            task("bad", "exit 3"),
            task("none", "kill -9 $$"),
        ])
        .await;
    connection.until("good", TaskState::Finished).await;
    let status = connection.until("bad", TaskState::Failed).await;
    assert!(
        status.message.contains("exited with status 3"),
        "{status:?}"
    );
    let status = connection.until("none", TaskState::Failed).await;
    assert!(status.message.contains("signal Killed"), "{status:?}");

    let address = format!("127.0.0.1:{}", agent.port);
    let read = |name: &str| {
        let path = format!("/files/download?path=/frameworks/f1/executors/good/runs/latest/{name}");
        String::from_utf8(http_get(&address, &path).unwrap()).unwrap()
    };
    let stdout = tokio::task::block_in_place(|| read("stdout"));
    let (first, sandbox) = stdout.split_once('\n').unwrap();
    assert_eq!(first, "42");
    assert!(
        sandbox.contains("/slaves/agent-1/frameworks/f1/executors/good/runs/"),
        "{sandbox}"
    );
    assert_eq!(tokio::task::block_in_place(|| read("stderr")), "warn\n");

    let containers = folder.path().join("agent/meta/containers");
    until("no pid file is left", || {
        (fs::read_dir(&containers).unwrap().count() == 0).then_some(())
    });
    let pid = agent.running.child.id();
    until("no zombie is left", || {
        support::zombies_of(pid).is_empty().then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_outlives_its_agent_and_runs_once() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_ports(1)[0];
    let (mut master, address) = FakeMaster::start().await;
    let mut agent = start(&address, port, folder.path(), &[]);
    let mut connection = master.registered().await;
    let (runs, go) = (folder.path().join("runs"), folder.path().join("go"));
    let line = format!(
        "echo run >> {}; while [ ! -e {} ]; do sleep 0.05; done",
        runs.display(),
        go.display()
    );
    connection.run(vec![task("long", &line)]).await;
    connection.until("long", TaskState::Running).await;
    until("the task has begun", || runs.exists().then_some(()));

    for _ in 0..2 {
        agent.running.kill();
        agent = start(&address, port, folder.path(), &[]);
        connection = master.registered().await;
        let report = connection.reported.clone().expect("it was here before");
        assert_eq!(report.tasks.len(), 1);
        assert_eq!(report.tasks[0].latest_state, TaskState::Running);
    }
    fs::write(&go, "").unwrap();
    connection.until("long", TaskState::Finished).await;
    assert_eq!(fs::read_to_string(&runs).unwrap(), "run\n");
    only_the_agent_is_left(folder.path());
    drop(agent);
    nothing_left(folder.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_task_leaves_no_process_however_it_hides() {
    let folder = tempfile::tempdir().unwrap();
    let (mut master, address) = FakeMaster::start().await;
    let agent = start(&address, free_ports(1)[0], folder.path(), &[]);
    let mut connection = master.registered().await;
    // Ignores SIGTERM, and has a daemon with a session of its own and no parent.
    let marker = format!("{}/marker", folder.path().display());
    let line = format!(
        "trap '' TERM; (setsid sh -c 'exec sleep 1000' {marker} &) ; \
         while true; do sleep 0.1; done"
    );
    connection.run(vec![task("stubborn", &line)]).await;
    connection.until("stubborn", TaskState::Running).await;
    until("the daemon runs", || {
        let all = processes_with(folder.path().to_str().unwrap());
        all.iter()
            .any(|(_, line)| line.starts_with("sleep 1000"))
            .then_some(())
    });
    connection
        .say(ToAgent::Kill {
            framework_id: framework_id(),
            task_id: TaskId::new("stubborn").unwrap(),
            grace: Some(Duration::from_millis(200)),
        })
        .await;
    connection.until("stubborn", TaskState::Killed).await;
    only_the_agent_is_left(folder.path());
    drop(agent);
    nothing_left(folder.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_leaves_tasks_to_the_next_run_unless_told_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_ports(1)[0];
    let (mut master, address) = FakeMaster::start().await;
    let mut agent = start(&address, port, folder.path(), &[]);
    let mut connection = master.registered().await;
    connection.run(vec![task("long", "sleep 1000")]).await;
    connection.until("long", TaskState::Running).await;
    agent.running.signal(Signal::SIGTERM);
    assert_eq!(agent.running.wait(), 0);
    assert!(!processes_with(folder.path().to_str().unwrap()).is_empty());

    let mut agent = start(&address, port, folder.path(), &["--kill_on_exit"]);
    let connection = master.registered().await;
    assert_eq!(connection.reported.as_ref().unwrap().tasks.len(), 1);
    let state = http_json_soon(port);
    let executor = &state["frameworks"][0]["executors"][0];
    assert_eq!(executor["tasks"][0]["id"], "long");
    agent.running.signal(Signal::SIGTERM);
    assert_eq!(agent.running.wait(), 0);
    nothing_left(folder.path());
}

fn http_json_soon(port: u16) -> serde_json::Value {
    let address = format!("127.0.0.1:{port}");
    tokio::task::block_in_place(|| until("the agent answers", || http_json(&address, "/state")))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_agents_do_not_share_a_work_directory() {
    let folder = tempfile::tempdir().unwrap();
    let (mut master, address) = FakeMaster::start().await;
    let ports = free_ports(2);
    let _first = start(&address, ports[0], folder.path(), &[]);
    master.registered().await;
    let mut second = start(&address, ports[1], folder.path(), &[]);
    assert_eq!(second.running.wait(), 2);
    assert!(
        second
            .running
            .log_text()
            .contains("in use by another process")
    );
}

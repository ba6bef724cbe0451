//! The v1 executor API.

use super::support::fake_master::{FakeMaster, executor_task, framework_id, task};
use super::support::{PATIENCE, until};
use super::{Agent, Connection, Request};
use serde_json::{Value, json};
use std::fs;
use std::sync::Arc;
use tepui_core::ids::{ExecutorId, TaskId};
use tepui_core::message::agent::{ToAgent, ToMaster};
use tepui_core::model::TaskState;
use tepui_runtime::mesos::{protobuf, v1};
use tokio::time::timeout;

const PATH: &str = "/api/v1/executor";

fn subscribe(unacknowledged: &[Value]) -> String {
    json!({
        "type": "SUBSCRIBE",
        "framework_id": { "value": "f1" },
        "executor_id": { "value": "e1" },
        "subscribe": { "unacknowledged_tasks": null, "unacknowledged_updates": unacknowledged },
    })
    .to_string()
}

fn status(task: &str, state: &str, uuid: &str) -> Value {
    json!({
        "task_id": { "value": task },
        "state": state,
        "source": "SOURCE_EXECUTOR",
        "executor_id": { "value": "e1" },
        "uuid": uuid,
        "timestamp": 1.5,
        "labels": { "labels": [{ "key": "k", "value": "v" }] },
    })
}

fn update(status: &Value) -> String {
    json!({
        "type": "UPDATE",
        "framework_id": { "value": "f1" },
        "executor_id": { "value": "e1" },
        "update": { "status": status },
    })
    .to_string()
}

async fn listen(agent: &Agent, unacknowledged: &[Value]) -> Connection {
    let body = subscribe(unacknowledged);
    until_answered(agent, &body).await
}

/// Subscribes, again as long as the agent does not know the executor yet.
async fn until_answered(agent: &Agent, body: &str) -> Connection {
    for _ in 0..1_000 {
        let mut connection = agent.connect().await;
        let headers = [
            ("Content-Type", "application/json"),
            ("Connection", "close"),
        ];
        connection
            .say(&Request {
                method: "POST",
                path: PATH,
                headers: &headers,
                body,
            })
            .await;
        let answer = connection.head().await;
        if answer.status == 200 {
            assert_eq!(answer.header("content-type"), Some("application/json"));
            return connection;
        }
        assert_eq!(answer.status, 400);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the agent does not take the subscription");
}

async fn next(stream: &mut Connection) -> Value {
    let record = timeout(PATIENCE, stream.record())
        .await
        .expect("an event comes");
    record.expect("the stream goes on")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_executor_is_told_and_tells() {
    let folder = tempfile::tempdir().unwrap();
    let (mut master, address) = FakeMaster::start().await;
    let mut agent = Agent::start(&address, folder.path());
    let mut connection = master.registered().await;
    connection
        .run(vec![executor_task("t1", "e1", "sleep 1000")])
        .await;

    let mut stream = listen(&agent, &[]).await;
    let subscribed = next(&mut stream).await;
    assert_eq!(subscribed["type"], "SUBSCRIBED");
    let told = &subscribed["subscribed"];
    assert_eq!(told["executor_info"]["executor_id"]["value"], "e1");
    assert_eq!(told["framework_info"]["id"]["value"], "f1");
    assert_eq!(told["agent_info"]["id"]["value"], "agent-1");
    assert!(told["container_id"]["value"].is_string());
    let launch = next(&mut stream).await;
    assert_eq!(launch["launch"]["task"]["task_id"]["value"], "t1");
    // The executor's own process may start later than we speak in its name.
    let mut seen = false;
    for _ in 0..1_000 {
        let listed = agent.post("/api/v1", r#"{"type":"GET_CONTAINERS"}"#).await;
        seen = String::from_utf8_lossy(&listed.body).contains("executor_pid");
        if seen {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(seen, "the process never starts");

    let running = status("t1", "TASK_RUNNING", "AAAAAAAAQACAAAAAAAAAAQ==");
    assert_eq!(agent.post(PATH, &update(&running)).await.status, 202);
    let acknowledged = next(&mut stream).await;
    assert_eq!(
        acknowledged["acknowledged"]["uuid"],
        "AAAAAAAAQACAAAAAAAAAAQ=="
    );
    let seen = connection.until("t1", TaskState::Running).await;
    let more: v1::TaskStatus = protobuf::decode(&seen.verbatim).unwrap();
    assert_eq!(more.labels.unwrap().labels.len(), 1);
    let container = more.container_status.unwrap();
    assert!(container.executor_pid.is_some(), "{container:?}");

    messages_pass(&agent, &mut connection, &mut stream).await;

    // After the agent's restart the executor tells what it does not know to be told.
    let port = agent.port;
    drop(agent);
    agent = Agent::start_on(&address, folder.path(), port);
    let finished = status("t1", "TASK_FINISHED", "AAAAAAAAQACAAAAAAAAAAg==");
    let mut stream = listen(&agent, &[json!({ "status": finished })]).await;
    assert_eq!(next(&mut stream).await["type"], "SUBSCRIBED");
    assert_eq!(next(&mut stream).await["type"], "ACKNOWLEDGED");
    let mut connection = master.registered().await;
    connection.until("t1", TaskState::Finished).await;

    connection
        .say(ToAgent::ShutdownExecutor {
            framework_id: framework_id(),
            executor_id: ExecutorId::new("e1").unwrap(),
        })
        .await;
    assert_eq!(next(&mut stream).await["type"], "SHUTDOWN");
}

async fn messages_pass(
    agent: &Agent,
    connection: &mut super::support::fake_master::Connection,
    stream: &mut Connection,
) {
    let call = json!({
        "type": "MESSAGE",
        "framework_id": { "value": "f1" },
        "executor_id": { "value": "e1" },
        "message": { "data": "cGluZw==" },
    });
    assert_eq!(agent.post(PATH, &call.to_string()).await.status, 202);
    loop {
        if let ToMaster::ExecutorMessage { data, .. } = connection.hear().await {
            assert_eq!(&*data, b"ping");
            break;
        }
    }
    connection
        .say(ToAgent::FrameworkMessage {
            framework_id: framework_id(),
            executor_id: ExecutorId::new("e1").unwrap(),
            data: Arc::from(*b"pong"),
        })
        .await;
    assert_eq!(next(stream).await["message"]["data"], "cG9uZw==");
    connection
        .say(ToAgent::Kill {
            framework_id: framework_id(),
            task_id: TaskId::new("t1").unwrap(),
            grace: None,
        })
        .await;
    assert_eq!(next(stream).await["kill"]["task_id"]["value"], "t1");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_make_no_sense_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut master, address) = FakeMaster::start().await;
    let agent = Agent::start(&address, folder.path());
    let mut connection = master.registered().await;
    let unknown = agent.post(PATH, &subscribe(&[])).await;
    assert_eq!(
        (unknown.status, unknown.text().as_str()),
        (400, "Framework cannot be found")
    );
    connection
        .run(vec![executor_task("t1", "e1", "sleep 1000")])
        .await;
    let running = status("t1", "TASK_RUNNING", "AAAAAAAAQACAAAAAAAAAAQ==");
    let early = until("the executor is known", || {
        let answer = tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(agent.post(PATH, &update(&running)))
        });
        (answer.status != 400).then_some(answer)
    });
    assert_eq!(
        (early.status, early.text().as_str()),
        (403, "Executor is not subscribed")
    );
    let mut stream = listen(&agent, &[]).await;
    next(&mut stream).await;
    next(&mut stream).await;
    let staging = status("t1", "TASK_STAGING", "AAAAAAAAQACAAAAAAAAAAQ==");
    let short = status("t1", "TASK_RUNNING", "AAAA");
    for (body, text) in [
        ("{".to_owned(), "Failed to parse body into JSON"),
        ("{}".to_owned(), ""),
        (update(&staging), "TASK_STAGING"),
        (update(&short), "Not a valid UUID"),
        (
            subscribe(&[]).replace("e1", "../e1"),
            "Executor cannot be found",
        ),
    ] {
        let answer = agent.post(PATH, &body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.text().contains(text), "{body}: {}", answer.text());
    }
    assert_eq!(agent.post(PATH, &update(&running)).await.status, 202);
    connection.until("t1", TaskState::Running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_fetched_before_a_task_starts() {
    let folder = tempfile::tempdir().unwrap();
    let (mut master, address) = FakeMaster::start().await;
    let _agent = Agent::start(&address, folder.path());
    let mut connection = master.registered().await;
    let source = folder.path().join("script.sh");
    fs::write(&source, "echo fetched").unwrap();
    let mut info = (*task("t1", "cat some/where/run.sh; ./some/where/run.sh")).clone();
    let uri = v1::command_info::Uri {
        value: Some(source.display().to_string()),
        executable: Some(true),
        output_file: Some("some/where/run.sh".to_owned()),
        ..v1::command_info::Uri::default()
    };
    let mut wire = tepui_runtime::mesos::convert::task::to_v1(&info);
    wire.command.as_mut().unwrap().uris.push(uri);
    info.verbatim = protobuf::encode(&wire).into();
    let mut missing = info.clone();
    missing.task_id = TaskId::new("t2").unwrap();
    wire.command.as_mut().unwrap().uris[0].value = Some("/no/such/file".to_owned());
    missing.verbatim = protobuf::encode(&wire).into();
    connection
        .run(vec![Arc::new(info), Arc::new(missing)])
        .await;
    connection.until("t1", TaskState::Finished).await;
    let failed = connection.until("t2", TaskState::Failed).await;
    assert!(failed.message.contains("/no/such/file"), "{failed:?}");
}

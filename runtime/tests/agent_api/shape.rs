//! Every capture of a real agent against ours: status, and keys and types of the JSON.

use super::support::fake_master::{FakeMaster, framework_id, task};
use super::support::golden::Golden;
use super::{Agent, Answer, Request};
use serde_json::Value;
use std::collections::BTreeSet;
use tepui_core::message::agent::ToAgent;
use tepui_core::model::TaskState;

/// What differs on purpose: the capture, the path in it, and why.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    (
        "agent.get.state_json",
        "status",
        "old tools use the old names, which Mesos has dropped",
    ),
    (
        "agent.get.monitor_statistics_json",
        "status",
        "old tools use the old names, which Mesos has dropped",
    ),
    (
        "*",
        "flags",
        "flags are our own; those of Mesos that have no counterpart are left out",
    ),
    (
        "*",
        "containerizer/",
        "there is one way of running containers, without images",
    ),
    (
        "*",
        "command.value",
        "our command executor has its own program",
    ),
    ("*", ".health_check", "shown only where a task has one"),
    (
        "agent.v1.GET_FRAMEWORKS",
        ".offer_filters",
        "shown only where a framework has some",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn answers_have_the_shape_of_a_real_agents() {
    let Some(golden) = Golden::find() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (mut master, address) = FakeMaster::start().await;
    let agent = Agent::start(&address, folder.path());
    let mut connection = master.registered().await;
    connection.run(vec![task("hi", "echo hi")]).await;
    connection.until("hi", TaskState::Finished).await;
    connection
        .say(ToAgent::ShutdownFramework {
            framework_id: framework_id(),
        })
        .await;
    connection
        .run_as("f2", vec![task("runner", "echo running; sleep 1000")])
        .await;
    connection.until("runner", TaskState::Running).await;
    let sandbox = "/frameworks/f2/executors/runner/runs/latest";

    let mut problems = Vec::new();
    let names = golden.exchanges("agent.");
    let errors = golden.exchanges("err.agent_");
    for name in names.iter().chain(&errors) {
        let exchange = golden.exchange(name);
        let headers: Vec<(&str, &str)> = exchange
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let answer = agent
            .ask(&Request {
                method: &exchange.method,
                path: &here(&exchange.path, sandbox),
                headers: &headers,
                body: &here(exchange.body.as_deref().unwrap_or_default(), sandbox),
            })
            .await;
        compare(&golden, name, exchange.status, &answer, &mut problems);
    }
    problems.retain(|problem| !is_meant(problem));
    assert!(problems.is_empty(), "\n  {}", problems.join("\n  "));
}

/// A request with the captured sandbox's path made ours.
fn here(text: &str, sandbox: &str) -> String {
    let Some(start) = ["%2Ftmp%2Fpeer", "/var/lib/mesos/agent/slaves", "/tmp/peer"]
        .into_iter()
        .find_map(|begin| text.find(begin))
    else {
        return text.to_owned();
    };
    let id = "c182a9cb-e4ff-466d-92c6-1e292a171ac2";
    let end = text.rfind(id).expect("a sandbox's path ends so") + id.len();
    let tail = text[end..].replace("%2F", "/");
    format!("{}{sandbox}{tail}", &text[..start])
}

fn is_meant(problem: &str) -> bool {
    DIFFERENCES.iter().any(|(name, path, _)| {
        let of_name = *name == "*" || problem.starts_with(&format!("{name}:"));
        of_name && problem.contains(path)
    })
}

fn compare(golden: &Golden, name: &str, status: u16, answer: &Answer, problems: &mut Vec<String>) {
    if answer.status != status {
        let text = answer.text();
        problems.push(format!(
            "{name}: status {} instead of {status}: {text}",
            answer.status
        ));
        return;
    }
    if !golden.bodies(name).iter().any(|body| body == name) {
        return;
    }
    let theirs = shape_of(&golden.json(name));
    let ours: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let ours = shape_of(&ours);
    for missing in theirs.difference(&ours) {
        problems.push(format!("{name}: {missing} is not there"));
    }
    for more in ours.difference(&theirs) {
        problems.push(format!("{name}: {more} is only ours"));
    }
}

/// Paths of all values with their types; elements of one list count as one.
fn shape_of(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk(value, "", &mut found);
    found
}

fn walk(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "double",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(items) => {
            for item in items {
                walk(item, &format!("{path}[]"), found);
            }
            "list"
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                // Names that are values: paths of sandboxes.
                let name = if name.starts_with('/') { "PATH" } else { name };
                walk(value, &format!("{path}.{name}"), found);
            }
            "object"
        }
    };
    found.insert(format!("{path}: {kind}"));
}

//! The agent's operator API.

use super::support::framework::task;
use super::support::outcomes::{CODECS, Step, Table, step};
use super::{Cluster, containers, little};
use serde_json::json;
use tepui_runtime::mesos::v1::agent::{Call, Response};

/// Where operators speak.
pub const PATH: &str = "/api/v1";

/// What stands above the table.
const HEAD: &str = "\
# The operator API of agents

`POST /api/v1` (also `/api/v1/operator`, and both below `/slave(1)`), in JSON and protobuf. Made \
by the test\n`agent_outcomes`, which goes through all of it once in each codec against real \
processes and fails\nwhen the codecs disagree. `ATTACH_CONTAINER_INPUT` is a stream of records \
(`application/recordio`\nwith `Message-Content-Type`); a stream that comes back is one too where \
`Accept` asks for it (with\n`Message-Accept`).

| Call | Case | Outcome |
|---|---|---|
";

fn plain(kind: &str, contains: &[&str]) -> Step {
    step("-", &json!({ "type": kind }).to_string(), 200, contains)
}

fn reads() -> Vec<Step> {
    let metrics = r#"{"type":"GET_METRICS","get_metrics":{"timeout":{"nanoseconds":5000000000}}}"#;
    let without = "Expecting 'get_metrics' to be present";
    vec![
        step("no type", "{}", 400, &["Expecting 'type' to be present"]),
        plain("GET_HEALTH", &[r#""healthy":true"#]),
        plain("GET_FLAGS", &[r#""name":"port""#]),
        plain("GET_VERSION", &[r#""version":"1."#]),
        plain("GET_LOGGING_LEVEL", &[r#""level":"#]),
        step("with a timeout", metrics, 200, &["slave/cpus_total"]),
        step(
            "without its part",
            r#"{"type":"GET_METRICS"}"#,
            400,
            &[without],
        ),
        step("for a minute", &logging(1, 60_000_000_000), 200, &[]),
        step(
            "is set",
            r#"{"type":"GET_LOGGING_LEVEL"}"#,
            200,
            &[r#""level":1"#],
        ),
        step("back to usual", &logging(0, 1), 200, &[]),
        step(
            "without its part",
            r#"{"type":"SET_LOGGING_LEVEL"}"#,
            400,
            &["Expecting 'set_logging_level' to be present"],
        ),
        plain("GET_AGENT", &["agent_info"]),
        plain(
            "GET_STATE",
            &["get_tasks", "get_executors", "get_frameworks"],
        ),
        plain("GET_FRAMEWORKS", &[r#""name":"outcomes""#]),
        plain("GET_EXECUTORS", &[r#""executor_id":{"value":"runner"}"#]),
        plain("GET_TASKS", &["launched_tasks", "TASK_RUNNING"]),
        plain("GET_OPERATIONS", &["get_operations"]),
        plain("GET_RESOURCE_PROVIDERS", &["get_resource_providers"]),
        plain("GET_CONTAINERS", &["executor_pid", "resource_statistics"]),
        plain("PRUNE_IMAGES", &[]),
    ]
}

fn logging(level: u32, nanoseconds: u64) -> String {
    let call = json!({
        "type": "SET_LOGGING_LEVEL",
        "set_logging_level": { "level": level, "duration": { "nanoseconds": nanoseconds } },
    });
    call.to_string()
}

fn files(sandbox: &str) -> Vec<Step> {
    let list = |path: &str| json!({ "type": "LIST_FILES", "list_files": { "path": path } });
    let read = |path: &str, offset: u64| {
        let part = json!({ "path": path, "offset": offset });
        json!({ "type": "READ_FILE", "read_file": part })
    };
    let stdout = format!("{sandbox}/stdout");
    let folder = "Cannot read a directory.";
    vec![
        step("a sandbox", &list(sandbox).to_string(), 200, &["/stdout"]),
        step("not there", &list("/nosuch").to_string(), 404, &[]),
        step(
            "out of the sandbox",
            &list(&format!("{sandbox}/../..")).to_string(),
            404,
            &[],
        ),
        step(
            "without its part",
            r#"{"type":"LIST_FILES"}"#,
            400,
            &["Expecting 'list_files' to be present"],
        ),
        // `running` in base64.
        step(
            "a file",
            &read(&stdout, 0).to_string(),
            200,
            &["cnVubmluZwo="],
        ),
        step(
            "behind its end",
            &read(&stdout, 999).to_string(),
            200,
            &["size"],
        ),
        step("a folder", &read(sandbox, 0).to_string(), 400, &[folder]),
        step("not there", &read("/nosuch", 0).to_string(), 404, &[]),
        step(
            "without its part",
            r#"{"type":"READ_FILE"}"#,
            400,
            &["Expecting 'read_file' to be present"],
        ),
    ]
}

fn providers() -> Vec<Step> {
    let call = |kind: &str, part: serde_json::Value| {
        let mut call = json!({ "type": kind });
        call[kind.to_lowercase()] = part;
        call.to_string()
    };
    let info = json!({ "info": { "type": "org.example", "name": "p" } });
    let unknown = "Unknown local resource provider type 'org.example'";
    let add = call("ADD_RESOURCE_PROVIDER_CONFIG", info.clone());
    let update = call("UPDATE_RESOURCE_PROVIDER_CONFIG", info);
    let own = json!({ "type": "org.example", "name": "p" });
    let remove = call("REMOVE_RESOURCE_PROVIDER_CONFIG", own);
    let id = json!({ "resource_provider_id": { "value": "p" } });
    let gone = call("MARK_RESOURCE_PROVIDER_GONE", id);
    vec![
        step("of no known type", &add, 400, &[unknown]),
        step("of no known type", &update, 400, &[unknown]),
        step("not there", &remove, 200, &[]),
        step("not there", &gone, 200, &[]),
        step(
            "without its part",
            r#"{"type":"MARK_RESOURCE_PROVIDER_GONE"}"#,
            400,
            &["Expecting 'mark_resource_provider_gone' to be present"],
        ),
    ]
}

#[test]
fn every_call_of_operators_has_its_outcomes_in_both_codecs() {
    let cluster = Cluster::start();
    let mut framework = cluster.framework();
    framework.launch(&[task("runner", "echo running; sleep 1000", &little())]);
    framework.until("runner", "TASK_RUNNING");
    let executor = cluster.executor();
    let sandbox = executor["directory"].as_str().unwrap();
    let container = executor["container"].as_str().unwrap();
    let mut table = Table::new(HEAD);
    let general = |text: &str| text.trim().replace(container, "CONTAINER");
    for codec in CODECS {
        let at = (cluster.agent.as_str(), PATH);
        let mut run = |steps: &[Step]| table.steps::<Call, Response>(at, codec, steps, &general);
        run(&reads());
        run(&files(sandbox));
        run(&containers::nested(container));
        run(&containers::alone());
        containers::streams(&mut table, &cluster.agent, codec, container);
        table.steps::<Call, Response>(at, codec, &providers(), &general);
    }
    table.finish("agent-api.md");
}

//! What is asked, in order: each codec goes through all of it and leaves things as they were.

use super::support::outcomes::{Step, settles, step};
use serde_json::{Value, json};

/// What stands above the table.
pub const HEAD: &str = "\
# The operator API of masters

`POST /api/v1` (also `/api/v1/operator`, and both below `/master`), in JSON and protobuf. Made by \
the test\n`operator_api`, which goes through all of it once in each codec against real processes \
and fails when\nthe codecs disagree. Masters that do not lead answer 307 with the leader's \
address, or 503.

| Call | Case | Outcome |
|---|---|---|
";

/// All of it.
pub fn steps(agent: &str) -> Vec<Step> {
    let mut all = reads();
    all.extend(of_process());
    all.extend(roles());
    all.extend(maintenance());
    all.extend(resources(agent));
    all.extend(agents(agent));
    all
}

fn reads() -> Vec<Step> {
    let plain = |name: &'static str, contains: &[&str]| {
        step("-", &format!(r#"{{"type":"{name}"}}"#), 200, contains)
    };
    vec![
        plain("GET_HEALTH", &[r#""healthy":true"#]),
        plain("GET_FLAGS", &[r#""name":"port""#]),
        plain("GET_VERSION", &[r#""version":"1."#]),
        plain("GET_LOGGING_LEVEL", &[r#""level":"#]),
        plain(
            "GET_MASTER",
            &[r#""pid":"master@127.0.0.1:"#, "elected_time"],
        ),
        plain(
            "GET_STATE",
            &["get_agents", "get_tasks", "get_frameworks", "get_executors"],
        ),
        plain(
            "GET_AGENTS",
            &[r#""active":true"#, "total_resources", "agent_info"],
        ),
        plain("GET_FRAMEWORKS", &["get_frameworks"]),
        plain("GET_EXECUTORS", &["get_executors"]),
        plain("GET_OPERATIONS", &["get_operations"]),
        plain("GET_TASKS", &["get_tasks"]),
        plain("GET_ROLES", &["get_roles"]),
    ]
}

fn of_process() -> Vec<Step> {
    let log = r#"{"type":"READ_FILE","read_file":{"path":"/nosuch","offset":0}}"#;
    vec![
        step("no type", "{}", 400, &["Expecting 'type' to be present"]),
        step(
            "with a timeout",
            r#"{"type":"GET_METRICS","get_metrics":{"timeout":{"nanoseconds":5000000000}}}"#,
            200,
            &["master/elected", "master/cpus_total"],
        ),
        step(
            "without its part",
            r#"{"type":"GET_METRICS"}"#,
            400,
            &["Expecting 'get_metrics' to be present"],
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
            "a path that is not there",
            r#"{"type":"LIST_FILES","list_files":{"path":"/"}}"#,
            404,
            &[],
        ),
        step("a path that is not there", log, 404, &[]),
    ]
}

fn logging(level: u32, nanoseconds: u64) -> String {
    let call = json!({
        "type": "SET_LOGGING_LEVEL",
        "set_logging_level": { "level": level, "duration": { "nanoseconds": nanoseconds } },
    });
    call.to_string()
}

fn roles() -> Vec<Step> {
    let quota = |limits: &str| {
        let config = format!(r#"{{"role":"r1"{limits}}}"#);
        format!(r#"{{"type":"UPDATE_QUOTA","update_quota":{{"quota_configs":[{config}]}}}}"#)
    };
    let cpus = json!({ "name": "cpus", "type": "SCALAR", "scalar": { "value": 0.5 } });
    let old = json!({
        "type": "SET_QUOTA",
        "set_quota": { "quota_request": { "role": "r2", "guarantee": [cpus] } },
    });
    let old = &old.to_string();
    let none = r#"{"type":"SET_QUOTA","set_quota":{"quota_request":{"role":"r2","guarantee":[]}}}"#;
    let remove = r#"{"type":"REMOVE_QUOTA","remove_quota":{"role":"r2"}}"#;
    let weight = |weight: &str| {
        let info = format!(r#"{{"role":"r1","weight":{weight}}}"#);
        format!(r#"{{"type":"UPDATE_WEIGHTS","update_weights":{{"weight_infos":[{info}]}}}}"#)
    };
    let read = r#"{"type":"GET_QUOTA"}"#;
    vec![
        step("none", read, 200, &["get_quota"]),
        step(
            "guarantee and limit",
            &quota(r#","guarantees":{"cpus":{"value":1}},"limits":{"cpus":{"value":2}}"#),
            200,
            &[],
        ),
        step(
            "is set",
            read,
            200,
            &[r#""role":"r1""#, r#""limits":{"cpus":{"value":2.0}}"#],
        ),
        step(
            "more guaranteed than allowed",
            &quota(r#","guarantees":{"cpus":{"value":2}},"limits":{"cpus":{"value":1}}"#),
            400,
            &[],
        ),
        step("nothing: takes it away", &quota(""), 200, &[]),
        step(
            "without anything",
            none,
            400,
            &["QuotaInfo with empty 'guarantee'"],
        ),
        step("-", old, 200, &[]),
        step("a second time", old, 400, &["already has quota"]),
        step("-", remove, 200, &[]),
        step("a second time", remove, 400, &["no quota"]),
        step("-", &weight("2.5"), 200, &[]),
        step(
            "is set",
            r#"{"type":"GET_WEIGHTS"}"#,
            200,
            &[r#""weight":2.5"#],
        ),
        step(
            "not positive",
            &weight("-1"),
            400,
            &["Weights must be positive"],
        ),
        step("back to 1", &weight("1"), 200, &[]),
    ]
}

fn maintenance() -> Vec<Step> {
    let machine = r#"{"hostname":"far.example","ip":"10.9.8.7"}"#;
    let schedule = |machines: &str| {
        let machines: Value = serde_json::from_str(&format!("[{machines}]")).unwrap();
        let start = json!({ "start": { "nanoseconds": 4_102_444_800_000_000_000_u64 } });
        let call = json!({
            "type": "UPDATE_MAINTENANCE_SCHEDULE",
            "update_maintenance_schedule": {
                "schedule": {
                    "windows": [{ "machine_ids": machines, "unavailability": start }],
                },
            },
        });
        call.to_string()
    };
    let machines = |name: &str, part: &str| {
        format!(r#"{{"type":"{name}","{part}":{{"machines":[{machine}]}}}}"#)
    };
    let start = machines("START_MAINTENANCE", "start_maintenance");
    let stop = machines("STOP_MAINTENANCE", "stop_maintenance");
    let status = r#"{"type":"GET_MAINTENANCE_STATUS"}"#;
    let read = r#"{"type":"GET_MAINTENANCE_SCHEDULE"}"#;
    vec![
        step("nothing planned", read, 200, &["schedule"]),
        step(
            "a machine that is not planned",
            &start,
            400,
            &["not part of a maintenance schedule"],
        ),
        step(
            "a window without machines",
            &schedule(""),
            400,
            &["is empty"],
        ),
        step("one window", &schedule(machine), 200, &[]),
        step("is planned", read, 200, &["far.example"]),
        step("before its window", status, 200, &["draining_machines"]),
        step("-", &start, 200, &[]),
        step("while it is down", status, 200, &["down_machines"]),
        step("-", &stop, 200, &[]),
        step("a machine that is up", &stop, 400, &[]),
    ]
}

fn resources(agent: &str) -> Vec<Step> {
    let call = |kind: &str, id: &str, list: &str, items: &str| {
        let part = kind.to_lowercase();
        format!(
            r#"{{"type":"{kind}","{part}":{{"agent_id":{{"value":"{id}"}},"{list}":[{items}]}}}}"#
        )
    };
    let disk = |more: &str, amount: u32| {
        let reserved = r#""reservations":[{"type":"DYNAMIC","role":"web"}]"#;
        let amount = format!(r#""type":"SCALAR","scalar":{{"value":{amount}}}"#);
        format!(r#"{{"name":"disk",{amount},{reserved}{more}}}"#)
    };
    let volume = disk(
        r#","disk":{"persistence":{"id":"v1"},"volume":{"mode":"RW","container_path":"data"}}"#,
        16,
    );
    let reserve = |id: &str, amount| call("RESERVE_RESOURCES", id, "resources", &disk("", amount));
    let unreserve = call("UNRESERVE_RESOURCES", agent, "resources", &disk("", 32));
    let create = call("CREATE_VOLUMES", agent, "volumes", &volume);
    let destroy = call("DESTROY_VOLUMES", agent, "volumes", &volume);
    vec![
        step(
            "an agent that is not there",
            &reserve("nope", 32),
            400,
            &["No agent found"],
        ),
        step(
            "more than there is",
            &reserve(agent, 4096),
            409,
            &["does not contain"],
        ),
        step("-", &reserve(agent, 32), 202, &[]),
        settles(step("-", &create, 202, &[])),
        step("a second time", &create, 400, &["not unique"]),
        settles(step("-", &destroy, 202, &[])),
        settles(step("-", &unreserve, 202, &[])),
        step("a second time", &unreserve, 409, &["does not contain"]),
    ]
}

fn agents(agent: &str) -> Vec<Step> {
    let call = |kind: &str, id: &str, more: &str| {
        let part = kind.to_lowercase();
        format!(r#"{{"type":"{kind}","{part}":{{"agent_id":{{"value":"{id}"}}{more}}}}}"#)
    };
    let teardown = r#"{"type":"TEARDOWN","teardown":{"framework_id":{"value":"nope"}}}"#;
    let drained = settles(step(
        "once it is drained",
        &call("REACTIVATE_AGENT", agent, ""),
        200,
        &[],
    ));
    vec![
        step(
            "a framework that is not there",
            teardown,
            400,
            &["No framework found with specified ID"],
        ),
        step(
            "an agent that is not there",
            &call("MARK_AGENT_GONE", "nope", ""),
            404,
            &["Agent 'nope' not found"],
        ),
        step(
            "an agent that is not there",
            &call("DRAIN_AGENT", "nope", ""),
            400,
            &["Unknown agent"],
        ),
        step("-", &call("DEACTIVATE_AGENT", agent, ""), 200, &[]),
        step(
            "is deactivated",
            r#"{"type":"GET_AGENTS"}"#,
            200,
            &[r#""active":false,"deactivated":true"#],
        ),
        step("-", &call("REACTIVATE_AGENT", agent, ""), 200, &[]),
        step(
            "with a grace period",
            &call("DRAIN_AGENT", agent, r#","max_grace_period":{"seconds":5}"#),
            200,
            &[],
        ),
        drained,
    ]
}

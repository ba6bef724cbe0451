//! One case for each refusal, and good descriptions that pass.

use super::{group, grouped, launched};
use crate::mesos::json;
use crate::mesos::v1::{ExecutorInfo, TaskInfo};

fn task(parts: &str) -> TaskInfo {
    let comma = if parts.is_empty() { "" } else { "," };
    let text = format!(
        r#"{{"name":"t","task_id":{{"value":"t"}},"agent_id":{{"value":"s"}}{comma}{parts}}}"#
    );
    json::decode(text.as_bytes()).unwrap()
}

fn executor(parts: &str) -> ExecutorInfo {
    let text = format!(r#"{{"executor_id":{{"value":"e"}}{parts}}}"#);
    json::decode(text.as_bytes()).unwrap()
}

fn refused(parts: &str, why: &str) {
    let error = launched(&task(parts)).unwrap_err();
    assert_eq!(error.to_string(), why, "{parts}");
}

#[test]
fn good_descriptions_pass() {
    for parts in [
        "",
        r#""command":{"value":"true","environment":{"variables":[{"name":"A","value":"b"}]}}"#,
        r#""executor":{"executor_id":{"value":"e"},"command":{"value":"x"}}"#,
        r#""executor":{"type":"CUSTOM","executor_id":{"value":"e"},"command":{"value":"x"}}"#,
        r#""health_check":{"type":"HTTP","http":{"port":80,"path":"/"},"delay_seconds":0}"#,
        r#""health_check":{"command":{"value":"true"}}"#,
        r#""check":{"type":"TCP","tcp":{"port":1}}"#,
        r#""container":{"type":"MESOS","volumes":[{"mode":"RW","container_path":"a",
            "host_path":"b"}]}"#,
        r#""limits":{"mem":{"value":64}},"resources":[{"name":"mem","type":"SCALAR",
            "scalar":{"value":32}}]"#,
        r#""kill_policy":{"grace_period":{"nanoseconds":0}}"#,
    ] {
        assert_eq!(launched(&task(parts)), Ok(()), "{parts}");
    }
}

#[test]
fn times_and_limits_are_checked() {
    refused(
        r#""kill_policy":{"grace_period":{"nanoseconds":-1}}"#,
        "Task's 'kill_policy.grace_period' must be non-negative",
    );
    refused(
        r#""max_completion_time":{"nanoseconds":-1}"#,
        "Task's `max_completion_time` must be non-negative",
    );
    refused(
        r#""limits":{"disk":{"value":1}}"#,
        "Only cpus and mem may be included in a task's resource limits",
    );
    refused(
        r#""limits":{"cpus":{"value":1}}"#,
        "When a CPU limit is specified, a CPU request must also be specified",
    );
    refused(
        r#""limits":{"mem":{"value":1}},"resources":[{"name":"mem","type":"SCALAR",
            "scalar":{"value":32}}]"#,
        "The memory limit must be greater than or equal to the memory request",
    );
}

#[test]
fn checks_are_checked() {
    refused(
        r#""check":{}"#,
        "Task uses invalid check: CheckInfo must specify 'type'",
    );
    refused(
        r#""check":{"type":"COMMAND"}"#,
        "Task uses invalid check: Expecting 'command' to be set for COMMAND check",
    );
    refused(
        r#""check":{"type":"HTTP","http":{"port":80,"path":"x"}}"#,
        "Task uses invalid check: The path 'x' of HTTP check must start with '/'",
    );
    refused(
        r#""check":{"type":"TCP","tcp":{"port":80},"timeout_seconds":-1}"#,
        "Task uses invalid check: Expecting 'timeout_seconds' to be non-negative",
    );
    refused(
        r#""health_check":{}"#,
        "Task uses invalid health check: HealthCheck must specify 'type'",
    );
    refused(
        r#""health_check":{"type":"COMMAND","command":{"shell":false}}"#,
        "Task uses invalid health check: Command health check must contain 'executable path'",
    );
    refused(
        r#""health_check":{"type":"HTTP","http":{"port":80,"scheme":"ftp"}}"#,
        "Task uses invalid health check: Unsupported HTTP health check scheme: 'ftp'",
    );
}

#[test]
fn commands_and_containers_are_checked() {
    refused(
        r#""command":{"environment":{"variables":[{"name":"A"}]}}"#,
        "Task's `CommandInfo` is invalid: Environment variable 'A' of type 'VALUE' must have a \
         value set",
    );
    refused(
        r#""command":{"environment":{"variables":[{"name":"A","type":"SECRET","value":"b"}]}}"#,
        "Task's `CommandInfo` is invalid: Environment variable 'A' of type 'SECRET' must have a \
         secret set",
    );
    refused(
        r#""container":{"type":"DOCKER"}"#,
        "Task's `ContainerInfo` is invalid: DockerInfo 'docker' is not set for DOCKER typed \
         ContainerInfo",
    );
    refused(
        r#""container":{"type":"MESOS","volumes":[{"mode":"RW","container_path":"a"}]}"#,
        "Task's `ContainerInfo` is invalid: Invalid volume: Only one of them should be set: \
         'host_path', 'image' and 'source'",
    );
    refused(
        r#""container":{"type":"MESOS","linux_info":{"share_cgroups":false}}"#,
        "Only tasks in a task group may have 'share_cgroups' set to 'false'",
    );
}

#[test]
fn executors_are_checked() {
    refused(
        r#""executor":{"type":"DEFAULT","executor_id":{"value":"e"}}"#,
        "'ExecutorInfo.type' must be 'CUSTOM'",
    );
    refused(
        r#""executor":{"executor_id":{"value":"e"}}"#,
        "'ExecutorInfo.command' must be set",
    );
    refused(
        r#""executor":{"executor_id":{"value":"e"},"command":{"value":"x"},
            "shutdown_grace_period":{"nanoseconds":-5}}"#,
        "ExecutorInfo's 'shutdown_grace_period' must be non-negative",
    );
}

#[test]
fn groups_are_checked() {
    let default = executor(r#","type":"DEFAULT""#);
    assert_eq!(group(&default, &[task(""), task("")]), Ok(()));
    let why = |info: &ExecutorInfo, tasks: &[TaskInfo]| group(info, tasks).unwrap_err().to_string();
    assert_eq!(why(&executor(""), &[]), "'ExecutorInfo.type' must be set");
    assert_eq!(
        why(
            &executor(r#","type":"DEFAULT","command":{"value":"x"}"#),
            &[]
        ),
        "'ExecutorInfo.command' must not be set for 'DEFAULT' executor"
    );
    let own = task(r#""container":{"type":"MESOS","linux_info":{"share_cgroups":false}}"#);
    assert_eq!(grouped(&own), Ok(()));
    assert!(why(&default, &[own, task("")]).starts_with("If set, the value of 'share_cgroups'"));
    let docker = task(r#""container":{"type":"DOCKER","docker":{"image":"i"}}"#);
    let error = grouped(&docker).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Docker ContainerInfo is not supported on the task"
    );
}

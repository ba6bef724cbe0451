//! What JSON in and out must be like.

use super::*;
use crate::mesos::v1::scheduler::{Call, Event, call, event};
use crate::mesos::v1::{Resource, TaskStatus, master};

fn refusal(text: &str) -> String {
    decode::<master::Call>(text.as_bytes())
        .unwrap_err()
        .to_string()
}

#[test]
fn refusals_say_what_mesos_says() {
    let near = "Failed to parse body into JSON: syntax error at line 1 near: ";
    assert_eq!(refusal("{"), near);
    assert_eq!(refusal(""), near);
    assert_eq!(refusal("{\"a\":x}"), format!("{near}x}}"));
    let convert = "Failed to convert JSON into Call protobuf:";
    assert_eq!(refusal("[]"), format!("{convert} Expecting a JSON object"));
    assert_eq!(
        refusal("{\"type\":9999}"),
        format!("{convert} Not expecting a JSON number for field 'type'")
    );
    assert_eq!(
        refusal("{\"list_files\":{\"path\":5}}"),
        format!("{convert} Not expecting a JSON number for field 'path'")
    );
    assert_eq!(
        refusal("{\"list_files\":{}}"),
        format!("{convert} Missing required fields: list_files.path")
    );
    assert_eq!(
        refusal("{\"list_files\":{\"path\":5}} x"),
        "Failed to parse body into JSON: syntax error at line 1 near: x"
    );
}

#[test]
fn what_mesos_lets_pass_is_let_pass() {
    let text = r#"{"type": "NO_SUCH", "zzz": {"a": [1, {}]}, "framework_id": null,
        "accept": {"offer_ids": {"value": "o"}, "operations": null,
                   "filters": {"refuse_seconds": "2.5"}},
        "kill": {"task_id": {"value": "t"}, "kill_policy": {"grace_period": {"nanoseconds": "7"}}},
        "reconcile": {"tasks": [null, {"task_id": {"value": "r"}}]},
        "message": {"agent_id": {"value": "a"}, "executor_id": {"value": "e"}, "data": "aGk"}}"#;
    let call: Call = decode(text.as_bytes()).unwrap();
    assert_eq!(call.r#type, None);
    assert_eq!(call.framework_id, None);
    let accept = call.accept.unwrap();
    assert_eq!(accept.offer_ids[0].value.as_deref(), Some("o"));
    assert!(accept.operations.is_empty());
    assert_eq!(accept.filters.unwrap().refuse_seconds, Some(2.5));
    let policy = call.kill.unwrap().kill_policy.unwrap();
    assert_eq!(policy.grace_period.unwrap().nanoseconds, Some(7));
    assert_eq!(call.reconcile.unwrap().tasks.len(), 1);
    assert_eq!(call.message.unwrap().data, Some(b"hi".to_vec()));
}

#[test]
fn a_required_enumeration_must_be_known() {
    let status = r#"{"task_id": {"value": "t"}, "state": "TASK_FLYING"}"#;
    let error = decode::<TaskStatus>(status.as_bytes()).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("Failed to find enum for 'TASK_FLYING'")
    );
}

#[test]
fn maps_are_objects() {
    let text = r#"{"role": "r", "limits": {"cpus": {"value": 2}, "mem": null}}"#;
    let config: crate::mesos::v1::quota::QuotaConfig = decode(text.as_bytes()).unwrap();
    assert_eq!(config.limits["cpus"].value, Some(2.0));
    assert_eq!(config.limits.len(), 1);
    let shown = r#"{"role":"r","limits":{"cpus":{"value":2.0}}}"#;
    assert_eq!(String::from_utf8(encode(&config)).unwrap(), shown);
}

#[test]
fn events_look_as_mesos_prints_them() {
    let event = Event {
        r#type: Some(event::Type::Subscribed),
        subscribed: Some(event::Subscribed {
            heartbeat_interval_seconds: Some(15.0),
            ..Default::default()
        }),
        ..Default::default()
    };
    let shown = r#"{"type":"SUBSCRIBED","subscribed":{"heartbeat_interval_seconds":15.0}}"#;
    assert_eq!(String::from_utf8(encode(&event)).unwrap(), shown);
}

#[test]
fn what_is_absent_but_means_something_is_printed() {
    let subscribe = call::Subscribe {
        framework_info: Some(Default::default()),
        ..Default::default()
    };
    let shown = r#"{"framework_info":{"failover_timeout":0.0,"checkpoint":false}}"#;
    assert_eq!(String::from_utf8(encode(&subscribe)).unwrap(), shown);
    assert_eq!(encode(&Resource::default()), b"{}");
}

#[test]
fn doubles_have_a_point() {
    let cases = [
        (4096.0, "4096.0"),
        (0.1, "0.1"),
        (-0.5, "-0.5"),
        (0.0, "0.0"),
        (0.000_003, "0.000003"),
        (1_795_149_101.182_116_7, "1795149101.1821167"),
        (1e20, "100000000000000000000.0"),
        (1e21, "1e21"),
        (2.5e-7, "2.5e-7"),
    ];
    for (value, text) in cases {
        assert_eq!(String::from_utf8(to_vec(&value)).unwrap(), text);
    }
}

//! What goes to the core must come back.

use super::resources::Form;
use super::*;
use crate::mesos::v1::scheduler::Call as V1Call;
use crate::mesos::{json, v1};
use std::time::Duration;
use tepui_core::message::Reject;
use tepui_core::message::scheduler::Call;
use tepui_core::model::{Filters, OfferOperation, TaskState};
use tepui_core::resources::ReservationType;
use tepui_core::time::Wall;

fn read<M: Message>(text: &str) -> M {
    json::decode(text.as_bytes()).unwrap()
}

fn call(text: &str) -> Result<scheduler::Called, Reject> {
    scheduler::call_to_core(&read::<V1Call>(text))
}

fn refusal(text: &str) -> String {
    call(text).unwrap_err().to_string()
}

#[test]
fn calls_are_checked_in_the_words_of_mesos() {
    let prefix = "Failed to validate scheduler::Call: ";
    let cases = [
        ("{}", "Expecting 'type' to be present"),
        (r#"{"type":"FOO"}"#, "Expecting 'type' to be present"),
        (
            r#"{"type":"SUBSCRIBE"}"#,
            "Expecting 'subscribe' to be present",
        ),
        (
            r#"{"type":"REVIVE"}"#,
            "Expecting 'framework_id' to be present",
        ),
        (
            r#"{"type":"ACCEPT","framework_id":{"value":"f"}}"#,
            "Expecting 'accept' to be present",
        ),
        (
            r#"{"type":"SUBSCRIBE","framework_id":{"value":"a"},
                "subscribe":{"framework_info":{"user":"root","name":"x"}}}"#,
            "'framework_id' differs from 'subscribe.framework_info.id'",
        ),
        (
            r#"{"type":"ACKNOWLEDGE","framework_id":{"value":"f"},"acknowledge":
                {"agent_id":{"value":"x"},"task_id":{"value":"t"},"uuid":"AAAA"}}"#,
            "Not a valid UUID",
        ),
    ];
    for (text, problem) in cases {
        assert_eq!(refusal(text), format!("{prefix}{problem}"), "{text}");
    }
}

#[test]
fn a_framework_comes_back_as_it_was_with_the_id_that_it_got() {
    let text = r#"{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"u","name":"n",
        "roles":["a","b/c"],"failover_timeout":2.5,"capabilities":[{"type":"MULTI_ROLE"}],
        "labels":{"labels":[{"key":"k"}]}},"suppressed_roles":["b/c"]}}"#;
    let called = call(text).unwrap();
    let Call::Subscribe {
        framework,
        suppressed_roles,
    } = called.call
    else {
        panic!("{called:?}");
    };
    assert_eq!(framework.failover_timeout, Duration::from_millis(2500));
    assert_eq!(framework.roles.len(), 2);
    assert_eq!(suppressed_roles[0].as_str(), "b/c");
    let mut framework = framework.as_ref().clone();
    framework.id = Some(tepui_core::ids::FrameworkId::new("f1").unwrap());
    let back = framework::to_v1(&framework);
    assert_eq!(back.id.unwrap().value.as_deref(), Some("f1"));
    assert_eq!(back.labels.unwrap().labels.len(), 1);
    framework.verbatim = Arc::from([]);
    assert_eq!(framework::to_v1(&framework).roles, ["a", "b/c"]);
}

#[test]
fn who_may_not_subscribe_is_told_so_on_the_stream() {
    let roles = r#"{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"u","name":"n",
        "roles":["a"]}}}"#;
    assert!(matches!(call(roles), Err(Reject::Refused(_))));
    let suppressed = r#"{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"u","name":"n",
        "role":"a"},"suppressed_roles":["b"]}}"#;
    assert!(matches!(call(suppressed), Err(Reject::Refused(_))));
}

#[test]
fn a_task_that_cannot_be_read_does_not_stop_the_others() {
    let text = r#"{"type":"ACCEPT","framework_id":{"value":"f"},"accept":{
        "offer_ids":[{"value":"o"}],"operations":[{"type":"LAUNCH","launch":{"task_infos":[
            {"name":"t","task_id":{"value":"a/b"},"agent_id":{"value":"s"}},
            {"name":"t","task_id":{"value":"t"},"agent_id":{"value":"s"},
             "command":{"value":"true","uris":[{"value":"http://x"}]},
             "kill_policy":{"grace_period":{"nanoseconds":5000000000}},
             "resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":0.1}}]},
            {"name":"t","task_id":{"value":"u"},"agent_id":{"value":"s"},
             "resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":-1}}]}]}},
          {"type":"CREATE_DISK","id":{"value":"op"}}],
        "filters":{"refuse_seconds":-3}}}"#;
    let Ok(Call::Accept {
        operations,
        filters,
        ..
    }) = call(text).map(|called| called.call)
    else {
        panic!("the call is a good one");
    };
    assert_eq!(filters, Filters::DEFAULT);
    let OfferOperation::Malformed {
        tasks,
        group: false,
    } = &operations[0]
    else {
        panic!("{operations:?}");
    };
    assert_eq!((tasks[0].task_id.as_str(), tasks[0].id()), ("a/b", None));
    assert!(tasks[1].why.starts_with("Task uses invalid resources: "));
    let launched = operations[1].tasks();
    assert_eq!(launched.len(), 1);
    assert_eq!(launched[0].kill_grace, Some(Duration::from_secs(5)));
    let back = task::to_v1(&launched[0]);
    assert_eq!(back.command.unwrap().uris.len(), 1);
    assert!(matches!(
        operations[2],
        OfferOperation::MalformedResources { id: Some(_), .. }
    ));
}

const RESOURCES: [&str; 5] = [
    r#"{"name":"cpus","type":"SCALAR","scalar":{"value":1.5},"role":"*"}"#,
    r#"{"name":"cpus","type":"SCALAR","scalar":{"value":1},"role":"r"}"#,
    r#"{"name":"mem","type":"SCALAR","scalar":{"value":1},"role":"r",
        "reservation":{"principal":"p","labels":{"labels":[{"key":"k","value":"v"}]}}}"#,
    r#"{"name":"ports","type":"RANGES","ranges":{"range":[{"begin":1,"end":2}]},
        "reservations":[{"type":"STATIC","role":"r"},{"type":"DYNAMIC","role":"r/s"}],
        "allocation_info":{"role":"r/s/t"}}"#,
    r#"{"name":"disk","type":"SCALAR","scalar":{"value":1},"role":"r","reservation":{},
        "reservations":[{"type":"DYNAMIC","role":"r"}],
        "disk":{"persistence":{"id":"v"},"source":{"type":"MOUNT","mount":{"root":"/m"}}}}"#,
];

#[test]
fn all_three_forms_of_reservations_are_read_and_mean_the_same() {
    for text in RESOURCES {
        let resource: v1::Resource = read(text);
        let core = resources::resource_to_core(&resource).unwrap();
        for form in [Form::Old, Form::Refined, Form::Both] {
            let back = resources::resource_to_v1(&core, form);
            assert_eq!(
                resources::resource_to_core(&back).unwrap(),
                core,
                "{back:?}"
            );
        }
    }
    let fixed = resources::resource_to_core(&read(RESOURCES[1])).unwrap();
    assert_eq!(fixed.kind.reservations[0].kind, ReservationType::Static);
    let dynamic = resources::resource_to_core(&read(RESOURCES[2])).unwrap();
    assert_eq!(dynamic.kind.reservations[0].kind, ReservationType::Dynamic);
}

#[test]
fn schedulers_of_old_find_a_role_on_every_resource() {
    let core = resources::to_core(&[read(RESOURCES[0])]).unwrap();
    let old = resources::to_v1(&core, Form::Old);
    assert_eq!(old[0].role.as_deref(), Some("*"));
    assert_eq!(resources::to_v1(&core, Form::Refined)[0].role, None);
}

#[test]
fn reservations_that_contradict_themselves_are_refused() {
    let bad = [
        r#""role":"*","reservation":{}"#,
        r#""role":"a","reservations":[{"type":"DYNAMIC","role":"b"}]"#,
        r#""reservations":[{"role":"b"}]"#,
        r#""role":"a","reservation":{"type":"DYNAMIC"}"#,
    ];
    for rest in bad {
        let text = format!(r#"{{"name":"x","type":"SCALAR","scalar":{{"value":1}},{rest}}}"#);
        assert!(resources::resource_to_core(&read(&text)).is_err(), "{rest}");
    }
}

#[test]
fn what_the_core_changes_of_a_status_wins_and_the_rest_stays() {
    let text = r#"{"task_id":{"value":"t"},"state":"TASK_RUNNING","timestamp":1795149101.182,
        "source":"SOURCE_EXECUTOR","uuid":"7RhLlyqETs+Lk4lJdBx3zw==","message":"m",
        "container_status":{"executor_pid":7},"labels":{"labels":[{"key":"k"}]}}"#;
    let status: v1::TaskStatus = read(text);
    let mut core = status::to_core(&status).unwrap();
    assert_eq!(core.timestamp, Wall(1_795_149_101_182));
    assert_eq!(status::to_v1(&core), status);
    core.state = TaskState::Lost;
    core.update_id = None;
    let back = status::to_v1(&core);
    assert_eq!(back.state, Some(v1::TaskState::Lost));
    assert_eq!(back.uuid, None);
    assert_eq!(back.container_status, status.container_status);
}

#[test]
fn states_and_reasons_have_the_same_names_on_both_sides() {
    for state in TaskState::ALL {
        let theirs = task::state_to_v1(state);
        assert_eq!(theirs.name(), state.name());
        assert_eq!(task::state_to_core(theirs), state);
    }
    for (_, number) in v1::task_status::Reason::ALL {
        let theirs = v1::task_status::Reason::from_number(*number).unwrap();
        let ours = status::reason_to_core(theirs).unwrap();
        assert_eq!(status::reason_to_v1(ours), Some(theirs));
    }
}

#[test]
fn an_address_is_a_number_as_mesos_writes_it() {
    assert_eq!(agent::ip_number("127.0.0.1"), 16_777_343);
    assert_eq!(agent::split_address("h:5050"), ("h", 5050));
}

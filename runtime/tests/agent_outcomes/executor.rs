//! The executor API: the test speaks for executors whose own programs only sleep.

use super::support::framework::{Framework, task};
use super::support::outcomes::{CODECS, Exchange, Table, encoded, kinds};
use super::support::until;
use super::{Cluster, amount, little};
use serde_json::{Value, json};
use tepui_runtime::mesos::media::Codec;
use tepui_runtime::mesos::v1::executor::{Call, Event};

const PATH: &str = "/api/v1/executor";

/// What stands above the table.
const HEAD: &str = "\
# The executor API of agents

`POST /api/v1/executor` (also below `/slave(1)`), in JSON and protobuf. Made by the test \
`agent_outcomes`,\nwhich goes through all of it once in each codec against real processes and \
fails when the codecs\ndisagree. The event `ERROR` comes only to an executor whose container \
ended while it subscribed.

| Call or event | Case | Outcome |
|---|---|---|
";

/// One executor of one framework, and what is said for it.
struct Speaker<'a> {
    table: &'a mut Table,
    agent: &'a str,
    codec: Codec,
    framework: String,
    executor: &'static str,
}

impl Speaker<'_> {
    fn call(&self, kind: &str, part: &Value) -> String {
        let mut call = json!({
            "type": kind,
            "framework_id": { "value": self.framework },
            "executor_id": { "value": self.executor },
        });
        if !part.is_null() {
            call[kind.to_lowercase()] = part.clone();
        }
        call.to_string()
    }

    fn post(&self, call: &str) -> Exchange {
        let body = encoded::<Call>(self.codec, call);
        Exchange::begin(self.agent, PATH, &kinds(self.codec), &body)
    }

    /// A call that is refused, or only taken.
    fn says(&mut self, case: &str, call: &str, status: u16) {
        let mut answer = self.post(call);
        let text = String::from_utf8(answer.rest()).unwrap();
        assert_eq!(answer.status, status, "{case}: {text}");
        let call: Value = serde_json::from_str(call).unwrap();
        let kind = format!("`{}`", call["type"].as_str().unwrap_or("-"));
        let text = text.replace(&self.framework, "FRAMEWORK");
        self.table
            .row(self.codec, &kind, case, &format!("{status} {text}"));
    }

    fn told(&mut self, event: &Value, case: &str, what: &str) {
        let kind = format!("event `{}`", event["type"].as_str().unwrap());
        self.table.row(self.codec, &kind, case, what);
    }

    fn subscribe(&self, tasks: &[Value], updates: &[Value]) -> Exchange {
        let updates = updates.iter().map(|status| json!({ "status": status }));
        let part = json!({
            "unacknowledged_tasks": tasks,
            "unacknowledged_updates": updates.collect::<Vec<_>>(),
        });
        let call = self.call("SUBSCRIBE", &part);
        let stream = until("the subscription is taken", || {
            let answer = self.post(&call);
            (answer.status == 200).then_some(answer)
        });
        let kind = stream.header("content-type");
        assert_eq!(kind, Some(self.codec.media_type()));
        stream
    }

    fn next(&self, stream: &mut Exchange, kind: &str) -> Value {
        loop {
            let event = stream.record::<Event>(self.codec).expect("an event");
            if event["type"] == kind {
                return event;
            }
            assert_eq!(event["type"], "HEARTBEAT", "{event}");
        }
    }

    fn status(&self, task: &str, state: &str, uuid: &str) -> Value {
        json!({
            "task_id": { "value": task },
            "state": state,
            "source": "SOURCE_EXECUTOR",
            "executor_id": { "value": self.executor },
            "uuid": uuid,
            "timestamp": 1.5,
        })
    }

    fn update(&self, status: &Value) -> String {
        self.call("UPDATE", &json!({ "status": status }))
    }
}

const FIRST: &str = "AAAAAAAAQACAAAAAAAAAAQ==";
const SECOND: &str = "AAAAAAAAQACAAAAAAAAAAg==";

/// Before there is a stream.
fn early(speaker: &mut Speaker<'_>) {
    let none = Value::Null;
    let empty = json!({});
    let ids = json!({
        "framework_id": { "value": speaker.framework },
        "executor_id": { "value": speaker.executor },
    });
    speaker.says("no type", &ids.to_string(), 400);
    let own = speaker.framework.clone();
    let call = speaker.call("SUBSCRIBE", &empty);
    speaker.says(
        "a framework that is not there",
        &call.replace(&own, "nope"),
        400,
    );
    let named = format!("\"{}\"", speaker.executor);
    speaker.says(
        "an executor that is not there",
        &call.replace(&named, "\"nope\""),
        400,
    );
    let without = speaker.call("SUBSCRIBE", &none);
    speaker.says("without its part", &without, 400);
    for (kind, part) in [
        (
            "UPDATE",
            json!({ "status": speaker.status("t1", "TASK_RUNNING", FIRST) }),
        ),
        ("MESSAGE", json!({ "data": "cGluZw==" })),
        ("HEARTBEAT", none),
    ] {
        let call = speaker.call(kind, &part);
        speaker.says("before it subscribed", &call, 403);
    }
}

/// Updates of a task, good and bad.
fn updates(speaker: &mut Speaker<'_>, stream: &mut Exchange, framework: &mut Framework) {
    let good = speaker.status("t1", "TASK_RUNNING", FIRST);
    let with = |key: &str, value: Value| {
        let mut status = good.clone();
        status[key] = value;
        status
    };
    for (case, status) in [
        ("TASK_STAGING", with("state", json!("TASK_STAGING"))),
        ("no uuid", with("uuid", Value::Null)),
        ("a uuid of four bytes", with("uuid", json!("AAAAAA=="))),
        ("of another source", with("source", json!("SOURCE_MASTER"))),
        (
            "of another executor",
            with("executor_id", json!({ "value": "nope" })),
        ),
    ] {
        let call = speaker.update(&status);
        speaker.says(case, &call, 400);
    }
    let without = speaker.call("UPDATE", &Value::Null);
    speaker.says("without its part", &without, 400);
    let call = speaker.update(&good);
    speaker.says("-", &call, 202);
    let event = speaker.next(stream, "ACKNOWLEDGED");
    assert_eq!(event["acknowledged"]["uuid"], FIRST);
    speaker.told(
        &event,
        "after UPDATE",
        "with the task's id and the update's uuid",
    );
    speaker.says("a second time", &call, 202);
    let event = speaker.next(stream, "ACKNOWLEDGED");
    assert_eq!(event["acknowledged"]["uuid"], FIRST);
    speaker.told(&event, "after an UPDATE that was there before", "again");
    framework.until("t1", "TASK_RUNNING");
}

fn messages(speaker: &mut Speaker<'_>, stream: &mut Exchange, framework: &mut Framework) {
    let call = speaker.call("MESSAGE", &json!({ "data": "cGluZw==" }));
    speaker.says("-", &call, 202);
    assert_eq!(framework.next("MESSAGE")["message"]["data"], "cGluZw==");
    let call = speaker.call("MESSAGE", &Value::Null);
    speaker.says("without its part", &call, 400);
    let call = speaker.call("HEARTBEAT", &Value::Null);
    speaker.says("-", &call, 202);
    let part = json!({
        "agent_id": framework.agent_id,
        "executor_id": { "value": speaker.executor },
        "data": "cG9uZw==",
    });
    assert_eq!(framework.call("MESSAGE", part), 202);
    let event = speaker.next(stream, "MESSAGE");
    assert_eq!(event["message"]["data"], "cG9uZw==");
    speaker.told(&event, "the scheduler's MESSAGE", "with its data");
    let part = json!({
        "task_id": { "value": "t1" },
        "kill_policy": { "grace_period": { "nanoseconds": 7_000_000_000_u64 } },
    });
    assert_eq!(framework.call("KILL", part), 202);
    let event = speaker.next(stream, "KILL");
    let grace = &event["kill"]["kill_policy"]["grace_period"];
    assert_eq!(grace["nanoseconds"], 7_000_000_000_u64);
    speaker.told(&event, "the scheduler's KILL", "with its kill policy");
}

/// One task, one executor, from its first word to its last.
fn alone(speaker: &mut Speaker<'_>, framework: &mut Framework) {
    let mut stream = speaker.subscribe(&[], &[]);
    let status = format!("{}, and a stream of events", stream.status);
    speaker
        .table
        .row(speaker.codec, "`SUBSCRIBE`", "-", &status);
    let event = speaker.next(&mut stream, "SUBSCRIBED");
    let told = &event["subscribed"];
    assert_eq!(
        told["executor_info"]["executor_id"]["value"],
        speaker.executor
    );
    assert_eq!(told["framework_info"]["name"], "outcomes");
    assert!(told["agent_info"]["id"]["value"].is_string());
    assert!(told["container_id"]["value"].is_string());
    let what = "with the executor, the framework, the agent and the container's id";
    speaker.told(&event, "after SUBSCRIBE", what);
    let event = speaker.next(&mut stream, "LAUNCH");
    let launched = event["launch"]["task"].clone();
    assert_eq!(launched["task_id"]["value"], "t1");
    speaker.told(&event, "a task that waited", "with the task");
    let event = speaker.next(&mut stream, "HEARTBEAT");
    speaker.told(&event, "now and then", "and nothing more");
    updates(speaker, &mut stream, framework);

    // The former stream ends, and what it missed is told again.
    let second = speaker.status("t1", "TASK_RUNNING", SECOND);
    let mut again = speaker.subscribe(&[launched], &[second]);
    let former = "200, and the former stream ends";
    speaker
        .table
        .row(speaker.codec, "`SUBSCRIBE`", "a second time", former);
    while let Some(event) = stream.record::<Event>(speaker.codec) {
        assert_eq!(event["type"], "HEARTBEAT", "{event}");
    }
    speaker.next(&mut again, "SUBSCRIBED");
    let event = speaker.next(&mut again, "ACKNOWLEDGED");
    assert_eq!(event["acknowledged"]["uuid"], SECOND);
    speaker.told(
        &event,
        "an unacknowledged update of SUBSCRIBE",
        "as after UPDATE",
    );
    framework.until("t1", "TASK_RUNNING");
    messages(speaker, &mut again, framework);
    ends(speaker, framework);
}

/// Another stream, and the end.
fn ends(speaker: &mut Speaker<'_>, framework: &mut Framework) {
    let gone = json!({
        "task_id": { "value": "t0" },
        "name": "t0",
        "agent_id": framework.agent_id,
    });
    let mut third = speaker.subscribe(&[gone], &[]);
    speaker.next(&mut third, "SUBSCRIBED");
    let event = speaker.next(&mut third, "KILL");
    assert_eq!(event["kill"]["task_id"]["value"], "t0");
    let case = "an unacknowledged task of SUBSCRIBE that is over";
    speaker.told(&event, case, "with the task's id");
    let event = speaker.next(&mut third, "KILL");
    assert_eq!(event["kill"]["task_id"]["value"], "t1");
    speaker.told(
        &event,
        "a kill that the former stream may have lost",
        "again",
    );

    let part = json!({
        "agent_id": framework.agent_id,
        "executor_id": { "value": speaker.executor },
    });
    assert_eq!(framework.call("SHUTDOWN", part), 202);
    let event = speaker.next(&mut third, "SHUTDOWN");
    speaker.told(&event, "the scheduler's SHUTDOWN", "and nothing more");
    // Its program was ended when the grace period was over.
    framework.until("t1", "TASK_KILLED");
}

/// A group.
fn group(speaker: &mut Speaker<'_>, framework: &mut Framework) {
    let mut executor = executor_info(speaker.executor);
    executor["type"] = json!("CUSTOM");
    let tasks = ["g1", "g2"].map(|name| task(name, "true", &little()));
    framework.launch_group(&executor, &tasks);
    let mut stream = speaker.subscribe(&[], &[]);
    speaker.next(&mut stream, "SUBSCRIBED");
    let event = speaker.next(&mut stream, "LAUNCH_GROUP");
    let tasks = &event["launch_group"]["task_group"]["tasks"];
    assert_eq!(tasks.as_array().map(Vec::len), Some(2), "{tasks}");
    speaker.told(&event, "a group that waited", "with all tasks");
    assert_eq!(framework.call("TEARDOWN", Value::Null), 202);
    let event = speaker.next(&mut stream, "SHUTDOWN");
    speaker.told(&event, "the framework is over", "and nothing more");
}

fn executor_info(name: &str) -> Value {
    json!({
        "executor_id": { "value": name },
        "command": { "value": "sleep 1000" },
        // The least with which the executor of a group is taken.
        "resources": [amount("cpus", 0.1), amount("mem", 32.0), amount("disk", 1.0)],
    })
}

#[test]
fn every_call_and_event_of_executors_has_its_outcomes_in_both_codecs() {
    let cluster = Cluster::start();
    let mut table = Table::new(HEAD);
    for codec in CODECS {
        let mut framework = cluster.framework();
        let mut first = task("t1", "", &little());
        first.as_object_mut().unwrap().remove("command");
        first["executor"] = executor_info("e1");
        framework.launch(&[first]);
        let mut speaker = Speaker {
            table: &mut table,
            agent: &cluster.agent,
            codec,
            framework: framework.id.clone(),
            executor: "e1",
        };
        cluster.executor();
        early(&mut speaker);
        alone(&mut speaker, &mut framework);
        speaker.executor = "e2";
        group(&mut speaker, &mut framework);
        until("the framework is over", || {
            let state = super::http_json(&cluster.agent, "/state")?;
            state["frameworks"].as_array()?.is_empty().then_some(())
        });
    }
    table.finish("executor-api.md");
}

//! What concerns tasks: launched, well or badly, killed, asked after.

use super::session::{Session, accept, acknowledgement};
use serde_json::{Value, json};

pub fn scalar(name: &str, value: f64) -> Value {
    json!({ "name": name, "type": "SCALAR", "scalar": { "value": value } })
}

/// A task that sleeps, with `changes`; null takes a field away.
pub fn task(agent: &str, id: &str, changes: Value) -> Value {
    let mut task = json!({
        "name": id,
        "task_id": { "value": id },
        "agent_id": { "value": agent },
        "resources": [scalar("cpus", 0.1), scalar("mem", 32.0)],
        "command": { "value": "sleep 1000" },
    });
    for (name, value) in changes.as_object().unwrap() {
        task[name] = value.clone();
    }
    task
}

fn launch(tasks: Vec<Value>) -> Value {
    json!([{ "type": "LAUNCH", "launch": { "task_infos": tasks } }])
}

const INVALID: &[&str] = &["UPDATE TASK_ERROR REASON_TASK_INVALID"];

/// All of it; leaves the task `long` running.
pub fn rows(session: &mut Session) {
    good(session);
    offers(session);
    descriptions(session);
    places(session);
    kills(session);
    questions(session);
}

fn good(session: &mut Session) {
    let agent = session.place.agent.clone();
    let long = vec![task(&agent, "long", json!({}))];
    let told = session.accept("a task", launch(long), &["UPDATE TASK_STARTING"]);
    let status = &told[0]["update"]["status"];
    let strange = json!({ "agent_id": status["agent_id"], "task_id": status["task_id"],
        "uuid": "AAAAAAAAQACAAAAAAAAAAA==" });
    let call = json!({ "type": "ACKNOWLEDGE", "acknowledge": strange });
    session.say("of an update that was not sent", call, &[]);
    let call = acknowledgement(status);
    let told = session.say(
        "of an update: the next one follows",
        call,
        &["UPDATE TASK_RUNNING"],
    );
    session.acknowledge(&told[0]);
    let call = acknowledgement(status);
    session.say("a second time", call, &[]);
    let call = json!({ "type": "ACKNOWLEDGE", "acknowledge": {
        "agent_id": status["agent_id"], "task_id": status["task_id"], "uuid": "AAAA" } });
    session.say("without a UUID of 16 bytes", call, &[]);
    let exits = json!({ "command": { "value": "exit 3" } });
    let exits = vec![task(&agent, "exits", exits)];
    let first = session.accept(
        "a task that fails",
        launch(exits),
        &["UPDATE TASK_STARTING"],
    );
    session.acknowledge(&first[0]);
    session.until("TASK_FAILED");
}

fn offers(session: &mut Session) {
    let agent = session.place.agent.clone();
    let one = |id: &str| launch(vec![task(&agent, id, json!({}))]);
    let dropped: &[&str] = &["UPDATE TASK_DROPPED REASON_INVALID_OFFERS"];
    let call = accept(&[&json!({ "id": { "value": "nosuch" } })], one("no-offer"));
    session.say("an offer that is not there", call, dropped);
    session.say("no offer", accept(&[], one("no-offer")), dropped);
    let offer = session.offer(|_| true);
    let twice = accept(&[&offer, &offer], one("twice"));
    session.say("an offer named twice", twice, dropped);
    let offer = session.offer(|_| true);
    session.say("nothing: as a decline", accept(&[&offer], json!([])), &[]);
    let call = accept(&[&offer], one("used"));
    session.say("an offer that was used", call, dropped);
    let call = json!({ "type": "ACCEPT" });
    session.say("without its part", call, &[]);
    let offer = session.offer(|_| true);
    let filters = json!({ "refuse_seconds": 0 });
    let call = json!({ "type": "DECLINE", "decline": {
        "offer_ids": [offer["id"]], "filters": filters } });
    session.say("an offer", call.clone(), &[]);
    session.say("an offer that was declined", call, &[]);
    session.say("without its part", json!({ "type": "DECLINE" }), &[]);
    let one_of = json!([{ "type": "UNKNOWN" }]);
    session.accept("an operation of no known type", one_of, &[]);
}

fn descriptions(session: &mut Session) {
    let agent = session.place.agent.clone();
    let mut bad = |case: &str, id: &str, changes: Value| {
        let tasks = launch(vec![task(&agent, id, changes)]);
        session.accept(case, tasks, INVALID);
    };
    bad("an id with a slash", "a/b", json!({}));
    bad("the id of a task that runs", "long", json!({}));
    bad(
        "another agent",
        "other",
        json!({ "agent_id": { "value": "nosuch" } }),
    );
    bad("no resources", "none", json!({ "resources": [] }));
    bad(
        "more than is offered",
        "large",
        json!({ "resources": [scalar("cpus", 1000.0)] }),
    );
    bad(
        "a negative amount",
        "negative",
        json!({ "resources": [scalar("cpus", -1.0)] }),
    );
    bad(
        "neither command nor executor",
        "nothing",
        json!({ "command": null }),
    );
    bad(
        "a variable without a value",
        "variable",
        json!({ "command": { "value": "true",
            "environment": { "variables": [{ "name": "X" }] } } }),
    );
    bad(
        "a health check without a type",
        "health",
        json!({ "health_check": { "delay_seconds": 1 } }),
    );
    bad(
        "a check over HTTP without its part",
        "check",
        json!({ "check": { "type": "HTTP" } }),
    );
    bad(
        "a negative grace period",
        "grace",
        json!({ "kill_policy": { "grace_period": { "nanoseconds": -1 } } }),
    );
}

fn places(session: &mut Session) {
    let agent = session.place.agent.clone();
    let framework = json!({ "value": session.framework_id });
    let small = vec![
        scalar("cpus", 0.1),
        scalar("mem", 32.0),
        scalar("disk", 8.0),
    ];
    let executor = |id: &str, framework: Value, resources: &[Value]| {
        json!({ "type": "DEFAULT", "executor_id": { "value": id }, "framework_id": framework,
            "resources": resources })
    };
    let group = |executor: Value, tasks: Vec<Value>| {
        json!([{ "type": "LAUNCH_GROUP", "launch_group": {
            "executor": executor, "task_group": { "tasks": tasks } } }])
    };
    let one = |id: &str| vec![task(&agent, id, json!({}))];
    let own = executor("group", framework.clone(), &small);
    let invalid: &[&str] = &["UPDATE TASK_ERROR REASON_TASK_GROUP_INVALID"];
    let strange = executor("group", json!({ "value": "nosuch" }), &small);
    let call = group(strange, one("strange"));
    session.accept("another framework's executor", call, invalid);
    let poor = executor("group", framework, &small[..2]);
    session.accept(
        "an executor without disk",
        group(poor, one("poor")),
        invalid,
    );
    let twins = [one("twin"), one("twin")].concat();
    let both = [invalid[0], invalid[0]];
    session.accept("two tasks of one id", group(own.clone(), twins), &both);
    let call = group(own, one("grouped"));
    let first = session.accept("a task group", call, &["UPDATE TASK_STARTING"]);
    session.acknowledge(&first[0]);
    session.until("TASK_RUNNING");
    let to = json!({ "agent_id": { "value": agent }, "executor_id": { "value": "group" },
        "data": "aGVsbG8=" });
    session.say(
        "to an executor",
        json!({ "type": "MESSAGE", "message": to }),
        &[],
    );
    let to = json!({ "agent_id": { "value": "nosuch" }, "executor_id": { "value": "group" },
        "data": "aGVsbG8=" });
    let call = json!({ "type": "MESSAGE", "message": to });
    session.say("to an agent that is not there", call, &[]);
    session.say("without its part", json!({ "type": "MESSAGE" }), &[]);
    let whose = json!({ "agent_id": { "value": agent }, "executor_id": { "value": "nosuch" } });
    let call = json!({ "type": "SHUTDOWN", "shutdown": whose });
    session.say("an executor that is not there", call, &[]);
    session.say("without its part", json!({ "type": "SHUTDOWN" }), &[]);
}

fn kills(session: &mut Session) {
    let agent = session.place.agent.clone();
    let kill = |id: &str, agent: Value| {
        let task = json!({ "value": id });
        json!({ "type": "KILL", "kill": { "task_id": task, "agent_id": agent } })
    };
    let here = json!({ "value": agent });
    let call = kill("nosuch", Value::Null);
    session.say("a task that is not there", call, &["UPDATE TASK_UNKNOWN"]);
    let call = kill("nosuch", here.clone());
    session.say(
        "a task that its agent does not have",
        call,
        &["UPDATE TASK_GONE"],
    );
    session.say("without its part", json!({ "type": "KILL" }), &[]);
    let call = kill("grouped", here);
    let told = session.say("a task", call, &["UPDATE TASK_KILL"]);
    session.acknowledge(&told[0]);
    if told[0]["update"]["status"]["state"] == "TASK_KILLING" {
        session.until("TASK_KILLED");
    }
    let ended: &[&str] = &["FAILURE of executor group"];
    session.row("-", "the last task of an executor's has ended", "", ended);
}

fn questions(session: &mut Session) {
    let agent = session.place.agent.clone();
    let ask = |tasks: Value| json!({ "type": "RECONCILE", "reconcile": { "tasks": tasks } });
    let running: &[&str] = &["UPDATE TASK_RUNNING REASON_RECONCILIATION"];
    session.say("all tasks", ask(json!([])), running);
    let call = ask(json!([{ "task_id": { "value": "long" } }]));
    session.say("a task", call, running);
    let unknown = json!([{ "task_id": { "value": "nosuch" } }]);
    session.say(
        "a task that is not there",
        ask(unknown),
        &["UPDATE TASK_UNKNOWN"],
    );
    let call = ask(json!([{ "task_id": { "value": "nosuch" }, "agent_id": { "value": agent } }]));
    session.say(
        "a task that its agent does not have",
        call,
        &["UPDATE TASK_GONE"],
    );
    let elsewhere = json!([{ "task_id": { "value": "x" }, "agent_id": { "value": "nosuch" } }]);
    let call = ask(elsewhere);
    session.say(
        "a task of an agent that is not there",
        call,
        &["UPDATE TASK_UNKNOWN"],
    );
    session.say("without its part", json!({ "type": "RECONCILE" }), &[]);
}

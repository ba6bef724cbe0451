//! What schedulers are told that no call of theirs asked for, and what they answer to it.

use super::session::Session;
use super::support::client::{Request, ask};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

fn operate(session: &Session, call: &Value) {
    let headers = [("Content-Type", "application/json")];
    let request = Request {
        method: String::from("POST"),
        path: String::from("/api/v1"),
        headers: headers
            .map(|(name, value)| (name.into(), value.into()))
            .to_vec(),
        body: call.to_string().into_bytes(),
    };
    let answer = ask(&session.place.address, &request);
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, 200, "{call}: {body}");
}

/// Plans maintenance of the agent's machine in so many hours; none takes it away.
fn plan(session: &Session, hours: Option<u64>) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let windows = hours.map(|hours| {
        let start = now.as_nanos() as u64 + hours * 3_600_000_000_000;
        json!({
            "machine_ids": [{ "hostname": "127.0.0.1", "ip": "127.0.0.1" }],
            "unavailability": { "start": { "nanoseconds": start } },
        })
    });
    let windows: Vec<Value> = windows.into_iter().collect();
    let call = json!({ "type": "UPDATE_MAINTENANCE_SCHEDULE",
        "update_maintenance_schedule": { "schedule": { "windows": windows } } });
    operate(session, &call);
}

fn inverse(events: &[Value]) -> Value {
    let found = events
        .iter()
        .find(|event| event["type"] == "INVERSE_OFFERS");
    found.unwrap()["inverse_offers"]["inverse_offers"][0]["id"].clone()
}

/// Maintenance of the machine on which the framework has tasks.
pub fn maintenance(session: &mut Session) {
    session.offer(|_| true);
    assert_eq!(session.send(json!({ "type": "SUPPRESS" })).0, 202);
    let answer = |kind: &str, id: &Value| {
        let mut call = json!({ "type": kind });
        let filters = json!({ "refuse_seconds": 3600 });
        call[kind.to_lowercase()] = json!({ "inverse_offer_ids": [id], "filters": filters });
        call
    };
    plan(session, Some(24));
    let both: &[&str] = &["INVERSE_OFFERS", "RESCIND"];
    let told = session.row("-", "an operator plans maintenance", "", both);
    let id = inverse(&told);
    session.say("-", answer("ACCEPT_INVERSE_OFFERS", &id), &[]);
    session.say("a second time", answer("ACCEPT_INVERSE_OFFERS", &id), &[]);
    session.say(
        "without its part",
        json!({ "type": "ACCEPT_INVERSE_OFFERS" }),
        &[],
    );
    plan(session, Some(48));
    let again: &[&str] = &["INVERSE_OFFERS"];
    let told = session.row("-", "an operator plans it for another time", "", again);
    session.say("-", answer("DECLINE_INVERSE_OFFERS", &inverse(&told)), &[]);
    let strange = json!({ "value": "nosuch" });
    session.say(
        "one that is not there",
        answer("DECLINE_INVERSE_OFFERS", &strange),
        &[],
    );
    session.say(
        "without its part",
        json!({ "type": "DECLINE_INVERSE_OFFERS" }),
        &[],
    );
    plan(session, Some(72));
    session.row("-", "an operator plans it for another time", "", again);
    plan(session, None);
    let gone: &[&str] = &["RESCIND_INVERSE_OFFER"];
    session.row("-", "an operator plans no maintenance any more", "", gone);
    assert_eq!(session.send(json!({ "type": "REVIVE" })).0, 202);
    session.offer(|_| true);
}

/// The agent goes for good; the framework had an offer and the task `long` there.
pub fn gone(session: &mut Session) {
    let agent = json!({ "value": session.place.agent });
    let call = json!({ "type": "MARK_AGENT_GONE", "mark_agent_gone": { "agent_id": agent } });
    operate(session, &call);
    let told: &[&str] = &[
        "FAILURE of the agent",
        "RESCIND",
        "UPDATE TASK_GONE_BY_OPERATOR",
    ];
    session.row("-", "an operator marks the agent gone", "", told);
}

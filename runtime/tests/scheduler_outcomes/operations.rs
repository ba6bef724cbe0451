//! What concerns reservations and volumes, with and without the scheduler's own names for them.

use super::session::Session;
use super::tasks::scalar;
use serde_json::{Value, json};

/// Reserved disk; a volume if it has an id.
fn disk(amount: f64, role: &str, volume: Option<&str>) -> Value {
    let mut disk = scalar("disk", amount);
    disk["reservations"] = json!([{ "type": "DYNAMIC", "role": role }]);
    if let Some(id) = volume {
        disk["disk"] = json!({
            "persistence": { "id": id },
            "volume": { "mode": "RW", "container_path": "data" },
        });
    }
    disk
}

fn operation(kind: &str, id: Option<&str>, part: Value) -> Value {
    let mut operation = json!({ "type": kind });
    operation[kind.to_lowercase()] = part;
    if let Some(id) = id {
        operation["id"] = json!({ "value": id });
    }
    json!([operation])
}

fn about(kind: &str, id: Option<&str>, resource: Value) -> Value {
    let list = if ["CREATE", "DESTROY"].contains(&kind) {
        "volumes"
    } else {
        "resources"
    };
    let mut part = json!({});
    part[list] = json!([resource]);
    operation(kind, id, part)
}

fn has(offer: &Value, amount: f64, volume: Option<&str>) -> bool {
    let resources = offer["resources"].as_array().unwrap();
    resources.iter().any(|one| {
        one["name"] == "disk"
            && one.get("reservations").is_some()
            && one["scalar"]["value"] == amount
            && one["disk"]["persistence"]["id"].as_str() == volume
    })
}

const FINISHED: &[&str] = &["UPDATE_OPERATION_STATUS OPERATION_FINISHED"];
const ERROR: &[&str] = &["UPDATE_OPERATION_STATUS OPERATION_ERROR"];

/// All of it; leaves nothing reserved.
pub fn rows(session: &mut Session) {
    reserve(session);
    feedback(session);
    volumes(session);
    resize(session);
    back(session);
}

fn reserve(session: &mut Session) {
    let plain = about("RESERVE", None, disk(64.0, "dev", None));
    session.accept("disk, without an id: the next offer has it", plain, &[]);
    let bad = [
        (
            "for another role, without an id",
            None,
            disk(64.0, "ops", None),
            &[][..],
        ),
        (
            "for another role",
            Some("bad-1"),
            disk(64.0, "ops", None),
            ERROR,
        ),
        (
            "more than is offered",
            Some("bad-2"),
            disk(9999.0, "dev", None),
            ERROR,
        ),
        (
            "what is not reserved",
            Some("bad-3"),
            scalar("disk", 1.0),
            ERROR,
        ),
    ];
    for (case, id, resource, expected) in bad {
        let call = about("RESERVE", id, resource);
        session.accept_where(case, call, expected, |offer| has(offer, 64.0, None));
    }
    let more = about("RESERVE", Some("more"), disk(64.0, "dev", None));
    let told = session.accept("disk, with an id", more, FINISHED);
    let status = &told[0]["update_operation_status"]["status"];
    let agent = json!({ "value": session.place.agent });
    let acknowledge = |id: &str, uuid: &Value| {
        json!({ "type": "ACKNOWLEDGE_OPERATION_STATUS", "acknowledge_operation_status": {
            "agent_id": agent, "operation_id": { "value": id }, "uuid": uuid } })
    };
    session.say(
        "an operation that is not there",
        acknowledge("nosuch", &status["uuid"]["value"]),
        &[],
    );
    session.say(
        "the outcome of an operation",
        acknowledge("more", &status["uuid"]["value"]),
        &[],
    );
    session.say(
        "a second time",
        acknowledge("more", &status["uuid"]["value"]),
        &[],
    );
    session.say(
        "without a UUID of 16 bytes",
        acknowledge("more", &json!("AAAA")),
        &[],
    );
    let call = json!({ "type": "ACKNOWLEDGE_OPERATION_STATUS" });
    session.say("without its part", call, &[]);
}

/// Acknowledges the outcome of the operation of this id, without a row.
fn known(session: &Session, told: &[Value]) {
    let status = &told[0]["update_operation_status"]["status"];
    let call = json!({ "type": "ACKNOWLEDGE_OPERATION_STATUS", "acknowledge_operation_status": {
        "agent_id": { "value": session.place.agent },
        "operation_id": status["operation_id"], "uuid": status["uuid"]["value"] } });
    assert_eq!(session.send(call).0, 202);
}

fn feedback(session: &mut Session) {
    let agent = json!({ "value": session.place.agent });
    let ask = |operations: Value| {
        json!({ "type": "RECONCILE_OPERATIONS",
            "reconcile_operations": { "operations": operations } })
    };
    session.say("all, when there is none", ask(json!([])), &[]);
    let unknown: &[&str] = &["UPDATE_OPERATION_STATUS OPERATION_UNKNOWN"];
    let one = json!([{ "operation_id": { "value": "nosuch" } }]);
    session.say("one that is not there", ask(one), unknown);
    let one = json!([{ "operation_id": { "value": "nosuch" }, "agent_id": agent }]);
    session.say("one that its agent does not know", ask(one), unknown);
    let strange = json!({ "value": "nosuch" });
    let one = json!([{ "operation_id": { "value": "nosuch" }, "agent_id": strange }]);
    session.say("one of an agent that is not there", ask(one), unknown);
    session.say(
        "without its part",
        json!({ "type": "RECONCILE_OPERATIONS" }),
        &[],
    );
}

fn volumes(session: &mut Session) {
    let reserved = |offer: &Value| has(offer, 128.0, None);
    let create =
        |id: Option<&str>, amount, volume| about("CREATE", id, disk(amount, "dev", Some(volume)));
    let call = create(Some("bad-4"), 9999.0, "v1");
    session.accept_where("more than is reserved", call, ERROR, reserved);
    let call = about("CREATE", Some("bad-5"), disk(32.0, "dev", None));
    session.accept_where("what is no volume", call, ERROR, reserved);
    let call = create(Some("v1"), 32.0, "v1");
    let told = session.accept_where("a volume, with an id", call, FINISHED, reserved);
    let ask = json!({ "type": "RECONCILE_OPERATIONS",
        "reconcile_operations": { "operations": [] } });
    session.say("all, one not acknowledged yet", ask, FINISHED);
    known(session, &told);
    let there = |offer: &Value| has(offer, 32.0, Some("v1"));
    let call = create(Some("bad-6"), 32.0, "v1");
    session.accept_where("a second time", call, ERROR, there);
    let call = create(None, 16.0, "v2");
    session.accept_where(
        "a volume, without an id: the next offer has it",
        call,
        &[],
        there,
    );
    let call = about("DESTROY", Some("bad-7"), disk(32.0, "dev", Some("v9")));
    session.accept_where("a volume that is not there", call, ERROR, there);
    let call = about("DESTROY", None, disk(16.0, "dev", Some("v2")));
    let both = |offer: &Value| has(offer, 16.0, Some("v2"));
    session.accept_where("a volume, without an id", call, &[], both);
}

fn resize(session: &mut Session) {
    let grow = |id: Option<&str>, amount: f64, addition: f64| {
        operation(
            "GROW_VOLUME",
            id,
            json!({
            "volume": disk(amount, "dev", Some("v1")), "addition": disk(addition, "dev", None) }),
        )
    };
    let shrink = |id: Option<&str>, amount: f64, less: f64| {
        operation(
            "SHRINK_VOLUME",
            id,
            json!({
            "volume": disk(amount, "dev", Some("v1")), "subtract": { "value": less } }),
        )
    };
    let there = |offer: &Value| has(offer, 32.0, Some("v1")) && has(offer, 96.0, None);
    let bad = grow(Some("bad-8"), 32.0, 9999.0);
    session.accept_where("by more than is reserved", bad, ERROR, there);
    let call = grow(Some("grow"), 32.0, 16.0);
    let told = session.accept_where("by what is reserved, with an id", call, FINISHED, there);
    known(session, &told);
    let more = |offer: &Value| has(offer, 48.0, Some("v1"));
    let call = grow(None, 48.0, 16.0);
    session.accept_where("by what is reserved, without an id", call, &[], more);
    let grown = |offer: &Value| has(offer, 64.0, Some("v1"));
    let bad = shrink(Some("bad-9"), 64.0, 64.0);
    session.accept_where("by all of it", bad, ERROR, grown);
    let call = shrink(None, 64.0, 32.0);
    session.accept_where("by a part of it", call, &[], grown);
}

fn back(session: &mut Session) {
    let volume = |offer: &Value| has(offer, 32.0, Some("v1"));
    let bad = about("UNRESERVE", Some("bad-10"), disk(32.0, "dev", Some("v1")));
    session.accept_where("a volume", bad, ERROR, volume);
    let call = about("DESTROY", Some("v1-gone"), disk(32.0, "dev", Some("v1")));
    let told = session.accept_where("a volume, with an id", call, FINISHED, volume);
    known(session, &told);
    let reserved = |offer: &Value| has(offer, 128.0, None);
    let bad = about("UNRESERVE", Some("bad-11"), disk(9999.0, "dev", None));
    session.accept_where("more than is reserved", bad, ERROR, reserved);
    let call = about("UNRESERVE", Some("back"), disk(64.0, "dev", None));
    let told = session.accept_where("disk, with an id", call, FINISHED, reserved);
    known(session, &told);
    let call = about("UNRESERVE", None, disk(64.0, "dev", None));
    let rest = |offer: &Value| has(offer, 64.0, None);
    session.accept_where("disk, without an id", call, &[], rest);
}

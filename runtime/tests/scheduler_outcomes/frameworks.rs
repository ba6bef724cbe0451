//! What concerns frameworks themselves: subscriptions, descriptions, what they want, their end.

use super::client::{Exchange, Stream};
use super::session::{Place, Row, Session, shown};
use serde_json::{Value, json};

pub const CAPABILITIES: [&str; 8] = [
    "MULTI_ROLE",
    "PARTITION_AWARE",
    "RESERVATION_REFINEMENT",
    "SHARED_RESOURCES",
    "REVOCABLE_RESOURCES",
    "GPU_RESOURCES",
    "TASK_KILLING_STATE",
    "REGION_AWARE",
];

/// A framework of these roles.
pub fn info(roles: &[&str]) -> Value {
    let capabilities: Vec<Value> = CAPABILITIES
        .iter()
        .map(|name| json!({ "type": name }))
        .collect();
    json!({ "user": "root", "name": "outcomes", "roles": roles, "failover_timeout": 600,
        "capabilities": capabilities })
}

fn with(mut info: Value, field: &str, value: Value) -> Value {
    info[field] = value;
    info
}

fn subscribe(info: &Value, more: Value) -> Value {
    let mut call = json!({ "type": "SUBSCRIBE", "subscribe": { "framework_info": info } });
    if let Some(id) = info.get("id") {
        call["framework_id"] = id.clone();
    }
    for (name, value) in more.as_object().unwrap() {
        call["subscribe"][name] = value.clone();
    }
    call
}

/// A call that opens no stream, or one that ends at once.
fn refused(place: &Place, case: &str, stream: Option<&str>, call: &Value) -> Row {
    let exchange = Exchange::begin(&place.address, place.codec, stream, call);
    let status = exchange.status;
    let (answer, events) = if status == 200 {
        let mut stream = Stream::open(exchange, place.codec);
        let events = [stream.next(), stream.next()];
        assert!(
            shown(&events[0]).starts_with("ERROR"),
            "{case}: {}",
            events[0]
        );
        (String::from("200"), events.each_ref().map(shown).join(", "))
    } else {
        (format!("{status} {}", exchange.text()), String::new())
    };
    Row {
        call: call["type"].as_str().unwrap().to_owned(),
        case: case.to_owned(),
        answer: answer.trim().to_owned(),
        events,
    }
}

/// Subscriptions that fail.
pub fn strangers(place: &Place) -> Vec<Row> {
    let plain = json!({ "user": "root", "name": "x" });
    let bad = |case: &str, info: Value| refused(place, case, None, &subscribe(&info, json!({})));
    let stream = Some("00000000-0000-4000-8000-000000000000");
    let differs = json!({ "type": "SUBSCRIBE", "framework_id": { "value": "a" },
        "subscribe": { "framework_info": with(plain.clone(), "id", json!({ "value": "b" })) } });
    let suppressed = subscribe(&info(&["dev"]), json!({ "suppressed_roles": ["ops"] }));
    let own = subscribe(&info(&["dev"]), json!({}));
    vec![
        refused(
            place,
            "without its part",
            None,
            &json!({ "type": "SUBSCRIBE" }),
        ),
        refused(place, "with a stream's id", stream, &own),
        refused(place, "with two ids that differ", None, &differs),
        bad(
            "`roles` without MULTI_ROLE",
            with(plain.clone(), "roles", json!(["a", "b"])),
        ),
        bad(
            "`role` with MULTI_ROLE",
            with(info(&[]), "role", json!("dev")),
        ),
        bad("a role twice", info(&["dev", "dev"])),
        bad("a role that is none", info(&["-dev"])),
        bad(
            "a role that is none, alone",
            with(plain.clone(), "role", json!("a b")),
        ),
        bad(
            "a negative time-out",
            with(plain, "failover_timeout", json!(-1.0)),
        ),
        refused(
            place,
            "a suppressed role that it is not in",
            None,
            &suppressed,
        ),
    ]
}

/// A good subscription, and calls that go astray.
pub fn begin(place: &Place) -> Session {
    let mut session = Session::subscribe(place, &info(&["dev"]));
    session.rows.push(Row {
        call: String::from("SUBSCRIBE"),
        case: String::from("a new framework"),
        answer: String::from("200"),
        events: String::from("SUBSCRIBED, HEARTBEAT, OFFERS"),
    });
    assert_eq!(shown(&session.stream.first()), "HEARTBEAT");
    session.is_offered();
    let revive = json!({ "type": "REVIVE", "framework_id": { "value": session.framework_id } });
    let stranger = json!({ "type": "REVIVE", "framework_id": { "value": "nosuch" } });
    let wrong = Some("00000000-0000-4000-8000-000000000000");
    let nobody = json!({ "type": "REVIVE" });
    for (case, stream, call) in [
        ("without a framework's id", wrong, &nobody),
        ("of a framework that is not there", wrong, &stranger),
        ("without a stream's id", None, &revive),
        ("with another stream's id", wrong, &revive),
    ] {
        let mut row = refused(place, case, stream, call);
        row.call = String::from("any but SUBSCRIBE");
        row.answer = session.general(&row.answer);
        session.rows.push(row);
    }
    session
}

/// What a framework wants, and how it describes itself.
pub fn wishes(session: &mut Session) {
    let of = |kind: &str, roles: Value| {
        let mut call = json!({ "type": kind });
        call[kind.to_lowercase()] = json!({ "roles": roles });
        call
    };
    session.say("all roles: no offers come", of("SUPPRESS", json!([])), &[]);
    session.say(
        "a role that it is not in: nothing",
        of("SUPPRESS", json!(["ops"])),
        &[],
    );
    session.say("a role that is none", of("SUPPRESS", json!(["-x"])), &[]);
    session.say(
        "a role that it is not in: nothing",
        of("REVIVE", json!(["ops"])),
        &[],
    );
    session.say("a role that is none", of("REVIVE", json!(["-x"])), &[]);
    session.say("all roles: offers come", of("REVIVE", json!([])), &[]);
    session.is_offered();
    let request = json!({ "requests": [{ "resources": [] }] });
    session.say("-", json!({ "type": "REQUEST", "request": request }), &[]);
    session.say("without its part", json!({ "type": "REQUEST" }), &[]);
    let id = json!({ "value": session.framework_id });
    let update = |info: Value, more: Value| {
        let mut part = json!({ "framework_info": info });
        for (name, value) in more.as_object().unwrap() {
            part[name] = value.clone();
        }
        json!({ "type": "UPDATE_FRAMEWORK", "update_framework": part })
    };
    let own = |roles: &[&str]| with(info(roles), "id", id.clone());
    let bad = [
        ("another user", with(own(&["dev"]), "user", json!("nobody"))),
        (
            "another checkpointing",
            with(own(&["dev"]), "checkpoint", json!(true)),
        ),
        (
            "another principal",
            with(own(&["dev"]), "principal", json!("else")),
        ),
        (
            "another framework's id",
            with(own(&["dev"]), "id", json!({ "value": "nosuch" })),
        ),
        ("a role twice", own(&["dev", "dev"])),
    ];
    for (case, info) in bad {
        session.say(case, update(info, json!({})), &[]);
    }
    let suppressed = json!({ "suppressed_roles": ["ops"] });
    let call = update(own(&["dev"]), suppressed.clone());
    session.say("a suppressed role that it is not in", call, &[]);
    session.say(
        "without its part",
        json!({ "type": "UPDATE_FRAMEWORK" }),
        &[],
    );
    session.say(
        "one role more, suppressed",
        update(own(&["dev", "ops"]), suppressed),
        &[],
    );
    session.say("the roles of before", update(own(&["dev"]), json!({})), &[]);
}

/// Subscriptions of the same framework again, and its end.
pub fn end(mut session: Session) -> Vec<Row> {
    let place = session.place.clone();
    let own = with(
        info(&["dev"]),
        "id",
        json!({ "value": session.framework_id }),
    );
    let mut rows = Vec::new();
    let call = subscribe(&with(own.clone(), "principal", json!("else")), json!({}));
    let principal = refused(&place, "its own id, another principal", None, &call);
    let mut second = Session::subscribe(&place, &own);
    let error: &[&str] = &["ERROR"];
    session.ends(
        "SUBSCRIBE",
        "its own id: what the stream before is told",
        "200",
        error,
    );
    rows.append(&mut session.rows);
    rows.push(principal);
    let (status, text) = session.send(json!({ "type": "REVIVE" }));
    rows.push(Row {
        call: String::from("any but SUBSCRIBE"),
        case: String::from("with the stream before's id"),
        answer: session
            .general(&format!("{status} {text}"))
            .replace(&second.stream.id, "STREAM"),
        events: String::new(),
    });
    let (status, text) = second.send(json!({ "type": "TEARDOWN" }));
    second.ends("TEARDOWN", "-", &format!("{status} {text}"), &[]);
    let (status, text) = second.send(json!({ "type": "TEARDOWN" }));
    let answer = format!("{status} {text}");
    second.row("TEARDOWN", "a second time", &answer, &[]);
    rows.append(&mut second.rows);
    rows.push(refused(
        &place,
        "a removed framework's id",
        None,
        &subscribe(&own, json!({})),
    ));
    let unknown = with(
        info(&["dev"]),
        "id",
        json!({ "value": "of-an-earlier-master" }),
    );
    let earlier = Session::subscribe(&place, &unknown);
    assert_eq!(earlier.framework_id, "of-an-earlier-master");
    rows.push(Row {
        call: String::from("SUBSCRIBE"),
        case: String::from("an id that the master does not know"),
        answer: String::from("200"),
        events: String::from("SUBSCRIBED, HEARTBEAT, OFFERS"),
    });
    assert_eq!(earlier.send(json!({ "type": "TEARDOWN" })).0, 202);
    rows
}

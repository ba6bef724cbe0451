//! Requests and answers of a real Mesos, through our codecs.

use crate::golden::{Exchange, Golden};
use serde_json::Value;
use tepui_runtime::mesos::media::{self, Headers, Refusal};
use tepui_runtime::mesos::reflect::Message;
use tepui_runtime::mesos::v1::{agent, executor, master, scheduler};
use tepui_runtime::mesos::{convert, json};

/// How far we come with a request by the codec alone.
fn refused<M: Message>(exchange: &Exchange) -> Option<Refusal> {
    let headers = Headers {
        content_type: exchange.header("Content-Type"),
        accept: exchange.header("Accept"),
        ..Headers::default()
    };
    if exchange.method != "POST" {
        return Some(Refusal::method("POST", &exchange.method));
    }
    let media = match media::negotiate(headers) {
        Ok(media) => media,
        Err(refusal) => return Some(refusal),
    };
    let body = exchange.body.as_deref().unwrap_or_default();
    media.request.decode::<M>(body.as_bytes()).err()
}

/// Whether Mesos refused a request for how it was written, not for what it asked for.
fn is_of_the_codec(text: &str) -> bool {
    let starts = [
        "Failed to parse",
        "Failed to convert",
        "Expecting 'Content-Type'",
        "Expecting 'Accept'",
        "405 Method Not Allowed",
    ];
    starts.iter().any(|start| text.starts_with(start))
}

#[test]
fn requests_are_read_or_refused_as_mesos_does() {
    let Some(golden) = Golden::find() else { return };
    let (mut read, mut no) = (0, 0);
    for name in golden.exchanges("") {
        let exchange = golden.exchange(&name);
        let of_agents = name.starts_with("agent.") || name.contains(".agent.");
        let refusal = match exchange.path.as_str() {
            "/api/v1/executor" => refused::<executor::Call>(&exchange),
            "/api/v1" if name.starts_with("err.agent_op") || of_agents => {
                // Agents name a third type, which has its own test.
                refused::<agent::Call>(&exchange)
            }
            "/api/v1" => refused::<master::Call>(&exchange),
            _ => continue,
        };
        let theirs = exchange.text.as_deref().unwrap_or_default();
        if is_of_the_codec(theirs) && exchange.status != 405 {
            let refusal = refusal.unwrap_or_else(|| panic!("{name}: we take it"));
            assert_eq!(
                (refusal.status, refusal.text.as_str()),
                (exchange.status, theirs)
            );
            no += 1;
        } else if exchange.method == "POST" {
            assert_eq!(refusal, None, "{name}");
            read += 1;
        }
    }
    assert!(read > 80 && no >= 10, "{read} read, {no} refused");
}

#[test]
fn calls_of_schedulers_are_read_or_refused_as_mesos_does() {
    let Some(golden) = Golden::find() else { return };
    let calls = golden.json("scheduler.calls");
    let mut checked = 0;
    for call in calls.as_array().unwrap() {
        let label = call["label"].as_str().unwrap();
        let header = |name: &str| call["request_headers"][name].as_str();
        // What is not JSON stands there in quotes.
        let body = match &call["request"] {
            Value::String(text) => text.trim_matches('\'').to_owned(),
            value => value.to_string(),
        };
        let headers = Headers {
            content_type: header("Content-Type"),
            accept: header("Accept"),
            ..Headers::default()
        };
        let ours = media::negotiate(headers)
            .and_then(|media| media.request.decode::<scheduler::Call>(body.as_bytes()))
            .and_then(|call| {
                let read = convert::scheduler::call_to_core(&call);
                read.map_err(|reject| Refusal::bad(reject.to_string()))
            });
        let status = call["status"].as_u64().unwrap();
        let theirs = call["body"].as_str().unwrap_or_default();
        if theirs.starts_with("Failed to validate") || is_of_the_codec(theirs) && status != 405 {
            let ours = ours.expect_err(label);
            assert_eq!(
                (u64::from(ours.status), ours.text.as_str()),
                (status, theirs)
            );
            checked += 1;
        } else if status < 300 {
            assert!(ours.is_ok(), "{label}: {ours:?}");
            checked += 1;
        }
    }
    assert!(checked >= 30, "only {checked} were checked");
}

/// That a captured body, read and written again, is the same in every key, order and value.
fn assert_same<M: Message>(name: &str, theirs: &[u8]) {
    let message: M = json::decode(theirs).unwrap_or_else(|error| panic!("{name}: {error}"));
    let ours = json::encode(&message);
    let theirs = with_nearest_decimals(theirs);
    if ours != theirs {
        let value = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
        assert_eq!(value(&ours), value(&theirs), "{name}");
        let text = String::from_utf8_lossy;
        panic!(
            "{name}: the same values, but in another order or another way of writing:\n{}\n{}",
            text(&ours),
            text(&theirs)
        );
    }
}

/// A JSON text with every fraction written as the nearest of its shortest decimals.
///
/// Mesos writes doubles by Grisu2 (Loitsch, "Printing floating-point numbers quickly and
/// accurately with integers", 2010, section 5): it always reads back as the same double, but in
/// about one case of a thousand it is not the decimal nearest to it, nor the shortest.
fn with_nearest_decimals(text: &[u8]) -> Vec<u8> {
    let mut written = Vec::with_capacity(text.len());
    let (mut rest, mut quoted) = (text, false);
    while let Some(&byte) = rest.first() {
        let is_number = |byte: &&u8| byte.is_ascii_digit() || b"+-.eE".contains(*byte);
        let number = if quoted {
            0
        } else {
            rest.iter().take_while(is_number).count()
        };
        let token = std::str::from_utf8(&rest[..number]).unwrap();
        match token.parse::<f64>() {
            Ok(value) if token.contains('.') => {
                written.extend_from_slice(serde_json::to_string(&value).unwrap().as_bytes());
                rest = &rest[number..];
            }
            // Letters of `true` and `false` look like exponents; they are copied as they are.
            _ => {
                let escaped = quoted && byte == b'\\';
                quoted ^= byte == b'"';
                let length = if escaped { 2 } else { number.max(1) }.min(rest.len());
                written.extend_from_slice(&rest[..length]);
                rest = &rest[length..];
            }
        }
    }
    written
}

#[test]
fn fractions_are_compared_by_value_and_all_else_by_its_bytes() {
    let same = |left: &str, right: &str| {
        with_nearest_decimals(left.as_bytes()) == with_nearest_decimals(right.as_bytes())
    };
    assert!(same(
        r#"{"at":1795149101.1821168}"#,
        r#"{"at":1795149101.1821167}"#
    ));
    assert!(!same(
        r#"{"at":1795149101.18211}"#,
        r#"{"at":1795149101.18212}"#
    ));
    assert!(!same(r#"{"a\"1.0":1}"#, r#"{"a\"1.00":1}"#));
    assert!(!same(r#"{"a":true,"b":1}"#, r#"{"b":1,"a":true}"#));
}

#[test]
fn streams_are_written_byte_for_byte_as_by_mesos() {
    let Some(golden) = Golden::find() else { return };
    for file in [
        "scheduler.stream.raw",
        "scheduler.resubscribe.raw",
        "scheduler.resubscribe_after_teardown.raw",
        "scheduler.resubscribe_completed.raw",
    ] {
        for record in golden.records(file) {
            assert_same::<scheduler::Event>(file, &record);
        }
    }
    let file = "operator.subscribe.stream.raw";
    for record in golden.records(file) {
        assert_same::<master::Event>(file, &record);
    }
}

#[test]
fn answers_to_operators_are_written_with_the_same_keys_and_values() {
    let Some(golden) = Golden::find() else { return };
    let mut checked = 0;
    for name in golden.bodies("") {
        let theirs = golden.json(&name);
        let bytes = theirs.to_string();
        let ours = if name.contains("master.v1.") {
            json::encode(&json::decode::<master::Response>(bytes.as_bytes()).unwrap())
        } else if name.contains("agent.v1.") {
            json::encode(&json::decode::<agent::Response>(bytes.as_bytes()).unwrap())
        } else {
            continue;
        };
        let ours: Value = serde_json::from_slice(&ours).unwrap();
        assert_eq!(ours, theirs, "{name}");
        checked += 1;
    }
    assert!(checked > 50, "only {checked} were checked");
}

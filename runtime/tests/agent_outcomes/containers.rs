//! Containers of the operator API: started, waited for, killed, removed, attached to.

use super::operator::PATH;
use super::support::outcomes::{Exchange, Step, Table, encoded, kinds, settles, speak, step};
use serde_json::{Value, json};
use std::io::Write;
use std::net::TcpStream;
use tepui_runtime::mesos::media::Codec;
use tepui_runtime::mesos::recordio;
use tepui_runtime::mesos::v1::agent::{Call, ProcessIo, Response};

const RECORDIO: &str = "application/recordio";

fn id(name: &str, parent: Option<&str>) -> Value {
    match parent {
        None => json!({ "value": name }),
        Some(parent) => json!({ "value": name, "parent": { "value": parent } }),
    }
}

fn call(kind: &str, id: &Value, more: &Value) -> String {
    let mut part = more.clone();
    part["container_id"] = id.clone();
    let mut call = json!({ "type": kind });
    call[kind.to_lowercase()] = part;
    call.to_string()
}

fn runs(line: &str) -> Value {
    json!({ "command": { "value": line } })
}

/// Within an executor's container.
pub fn nested(container: &str) -> Vec<Step> {
    let own = |name: &str| id(name, Some(container));
    let none = json!({});
    let launch = |id: &Value, line: &str| call("LAUNCH_NESTED_CONTAINER", id, &runs(line));
    let wait = |name: &str| call("WAIT_NESTED_CONTAINER", &own(name), &none);
    let kill = |name: &str, more: &Value| call("KILL_NESTED_CONTAINER", &own(name), more);
    let remove = |name: &str| call("REMOVE_NESTED_CONTAINER", &own(name), &none);
    let shown = json!({ "type": "GET_CONTAINERS", "get_containers": { "show_nested": true } });
    let mut inner = own("n1");
    inner = json!({ "value": "n2", "parent": inner });
    let long = "sleep 1000";
    let parent = "container_id.parent' to be present";
    let bad = "'ContainerID.value' 'a b' contains invalid characters";
    vec![
        step("-", &launch(&own("n1"), long), 200, &[]),
        step("a second time", &launch(&own("n1"), long), 202, &[]),
        step("within a nested one", &launch(&inner, "exit 0"), 200, &[]),
        step(
            "without a parent",
            &launch(&id("n3", None), long),
            400,
            &[parent],
        ),
        step(
            "a parent that is not there",
            &launch(&id("n3", Some("nope")), long),
            400,
            &["Unable to locate"],
        ),
        step("a bad name", &launch(&own("a b"), long), 400, &[bad]),
        step(
            "without its part",
            r#"{"type":"LAUNCH_NESTED_CONTAINER"}"#,
            400,
            &["Expecting 'launch_nested_container' to be present"],
        ),
        step(
            "with nested ones",
            &shown.to_string(),
            200,
            &[r#""parent":"#],
        ),
        step("not there", &wait("nope"), 404, &["cannot be found"]),
        step("not there", &kill("nope", &none), 404, &["cannot be found"]),
        step("that runs", &remove("n1"), 500, &["has not terminated yet"]),
        step("-", &kill("n1", &none), 200, &[]),
        step(
            "ended by a signal",
            &wait("n1"),
            200,
            &[r#""exit_status":9"#],
        ),
        step("-", &remove("n1"), 200, &[]),
        step("not there", &remove("n1"), 200, &[]),
        step("-", &launch(&own("n4"), "exit 3"), 200, &[]),
        step("exited", &wait("n4"), 200, &[r#""exit_status":768"#]),
        step("-", &remove("n4"), 200, &[]),
        step("-", &launch(&own("n5"), long), 200, &[]),
        step(
            "with a signal",
            &kill("n5", &json!({ "signal": 15 })),
            200,
            &[],
        ),
        step("ended by it", &wait("n5"), 200, &[r#""exit_status":15"#]),
        step("-", &remove("n5"), 200, &[]),
    ]
}

/// Alone, or by the calls that do not care.
pub fn alone() -> Vec<Step> {
    let own = id("alone", None);
    let none = json!({});
    let launch = call("LAUNCH_CONTAINER", &own, &runs("sleep 1000"));
    let wait = call("WAIT_CONTAINER", &own, &none);
    let remove = call("REMOVE_CONTAINER", &own, &none);
    let shown = json!({ "type": "GET_CONTAINERS", "get_containers": { "show_standalone": true } });
    let unknown = id("nope", None);
    let attach = call("ATTACH_CONTAINER_OUTPUT", &unknown, &none);
    let input = json!({
        "type": "ATTACH_CONTAINER_INPUT",
        "attach_container_input": { "type": "CONTAINER_ID", "container_id": unknown },
    });
    let cannot = &["cannot be found"];
    vec![
        step("-", &launch, 200, &[]),
        step("a second time", &launch, 202, &[]),
        step(
            "with those alone",
            &shown.to_string(),
            200,
            &[r#""value":"alone""#],
        ),
        step(
            "not there",
            &call("WAIT_CONTAINER", &unknown, &none),
            404,
            cannot,
        ),
        step(
            "not there",
            &call("KILL_CONTAINER", &unknown, &none),
            404,
            cannot,
        ),
        step("that runs", &remove, 500, &["has not terminated yet"]),
        step("-", &call("KILL_CONTAINER", &own, &none), 200, &[]),
        step("ended by a signal", &wait, 200, &[r#""exit_status":9"#]),
        settles(step("-", &remove, 200, &[])),
        step("not there", &attach, 404, cannot),
        step("no stream", &input.to_string(), 415, &[RECORDIO]),
    ]
}

/// A request whose body is a stream of records.
struct Input {
    stream: TcpStream,
    codec: Codec,
}

impl Input {
    fn open(address: &str, codec: Codec) -> Input {
        let kind = codec.media_type();
        let headers = [
            ("Content-Type", RECORDIO),
            ("Message-Content-Type", kind),
            ("Accept", kind),
        ];
        let stream = Exchange::open(address, PATH, &headers, None);
        Input { stream, codec }
    }

    fn send(&mut self, input: &Value) {
        let call = json!({ "type": "ATTACH_CONTAINER_INPUT", "attach_container_input": input });
        let record = recordio::encode(&encoded::<Call>(self.codec, &call.to_string()));
        let mut chunk = format!("{:x}\r\n", record.len()).into_bytes();
        chunk.extend(record);
        chunk.extend(b"\r\n");
        self.stream.write_all(&chunk).unwrap();
    }

    fn end(mut self) -> Exchange {
        self.stream.write_all(b"0\r\n\r\n").unwrap();
        Exchange::answered(self.stream)
    }
}

/// The bytes that a stream of output carries until `enough` are there, by the output's name.
fn output(stream: &mut Exchange, codec: Codec, kind: &str, enough: usize) -> String {
    let mut text = Vec::new();
    while text.len() < enough {
        let record = stream.record::<ProcessIo>(codec).expect("more output");
        assert_eq!(record["type"], "DATA");
        assert_eq!(record["data"]["type"], kind, "{record}");
        let data: ProcessIo =
            tepui_runtime::mesos::json::decode(record.to_string().as_bytes()).unwrap();
        text.extend(data.data.unwrap().data.unwrap());
    }
    String::from_utf8(text).unwrap()
}

/// Sessions: a container whose input and output go through the agent.
pub fn streams(table: &mut Table, address: &str, codec: Codec, container: &str) {
    let own = id("session", Some(container));
    let launch = call(
        "LAUNCH_NESTED_CONTAINER_SESSION",
        &own,
        &runs("cat; echo over >&2"),
    );
    let mut session = begin(address, codec, &launch, false);
    table.row(
        codec,
        "`LAUNCH_NESTED_CONTAINER_SESSION`",
        "-",
        &format!("{}, its output as it comes", session.status),
    );
    let attach = call("ATTACH_CONTAINER_OUTPUT", &own, &json!({}));
    let mut attached = begin(address, codec, &attach, true);
    assert_eq!(attached.header("content-type"), Some(RECORDIO));
    let kind = attached.header("message-content-type");
    assert_eq!(kind, Some(codec.media_type()));
    let said = format!("{}, its output as it comes", attached.status);
    table.row(codec, "`ATTACH_CONTAINER_OUTPUT`", "a session", &said);

    let mut input = Input::open(address, codec);
    input.send(&json!({ "type": "CONTAINER_ID", "container_id": own }));
    let control = json!({ "type": "HEARTBEAT", "heartbeat": {
        "interval": { "nanoseconds": 30_000_000_000_u64 },
    } });
    input.send(&json!({
        "type": "PROCESS_IO",
        "process_io": { "type": "CONTROL", "control": control },
    }));
    // `hello` in base64.
    input.send(&data("aGVsbG8="));
    assert_eq!(output(&mut session, codec, "STDOUT", 5), "hello");
    assert_eq!(output(&mut attached, codec, "STDOUT", 5), "hello");
    input.send(&data(""));
    assert_eq!(output(&mut session, codec, "STDERR", 5), "over\n");
    let end = input.end();
    table.row(
        codec,
        "`ATTACH_CONTAINER_INPUT`",
        "a session: its input, until an empty record",
        &end.status.to_string(),
    );
    assert!(session.record::<ProcessIo>(codec).is_none(), "it goes on");
    table.row(
        codec,
        "`LAUNCH_NESTED_CONTAINER_SESSION`",
        "its end",
        "the end of the stream",
    );
    finish(address, codec, &own);
    refused_streams(table, address, codec);
    ends_with_its_connection(table, address, codec, container);
}

fn data(bytes: &str) -> Value {
    let data = json!({ "type": "STDIN", "data": bytes });
    json!({ "type": "PROCESS_IO", "process_io": { "type": "DATA", "data": data } })
}

fn refused_streams(table: &mut Table, address: &str, codec: Codec) {
    let mut input = Input::open(address, codec);
    input.send(&json!({ "type": "CONTAINER_ID", "container_id": id("nope", None) }));
    refuse(
        table,
        codec,
        ("`ATTACH_CONTAINER_INPUT`", "not there"),
        input.end(),
        404,
    );
    let mut input = Input::open(address, codec);
    input.send(&data("aGVsbG8="));
    let case = "no container named first";
    refuse(
        table,
        codec,
        ("`ATTACH_CONTAINER_INPUT`", case),
        input.end(),
        400,
    );
    let health = r#"{"type":"GET_HEALTH"}"#;
    let streamed = begin(address, codec, health, true);
    refuse(table, codec, ("`GET_HEALTH`", "as a stream"), streamed, 406);
}

/// Nobody listens any more: the session's container ends.
fn ends_with_its_connection(table: &mut Table, address: &str, codec: Codec, container: &str) {
    let own = id("left", Some(container));
    let launch = call(
        "LAUNCH_NESTED_CONTAINER_SESSION",
        &own,
        &runs("echo up; sleep 1000"),
    );
    let mut session = begin(address, codec, &launch, false);
    assert_eq!(output(&mut session, codec, "STDOUT", 3), "up\n");
    drop(session);
    let wait = call("WAIT_NESTED_CONTAINER", &own, &json!({}));
    let (status, body) = speak::<Call, Response>(address, PATH, codec, &wait);
    assert_eq!(status, 200, "{body}");
    assert!(body.contains(r#""exit_status":9"#), "{body}");
    table.row(
        codec,
        "`LAUNCH_NESTED_CONTAINER_SESSION`",
        "its connection breaks",
        "the container is killed",
    );
    finish(address, codec, &own);
}

fn begin(address: &str, codec: Codec, call: &str, records: bool) -> Exchange {
    let body = encoded::<Call>(codec, call);
    let kind = codec.media_type();
    let streaming = [
        ("Content-Type", kind),
        ("Accept", RECORDIO),
        ("Message-Accept", kind),
    ];
    match records {
        true => Exchange::begin(address, PATH, &streaming, &body),
        false => Exchange::begin(address, PATH, &kinds(codec), &body),
    }
}

fn refuse(
    table: &mut Table,
    codec: Codec,
    (call, case): (&str, &str),
    mut answer: Exchange,
    status: u16,
) {
    let text = String::from_utf8(answer.rest()).unwrap();
    assert_eq!(answer.status, status, "{call}, {case}: {text}");
    table.row(codec, call, case, &format!("{status} {}", text.trim()));
}

/// Waits for a session's end, so that its name is free again.
fn finish(address: &str, codec: Codec, own: &Value) {
    for kind in ["WAIT_NESTED_CONTAINER", "REMOVE_NESTED_CONTAINER"] {
        let call = call(kind, own, &json!({}));
        let (status, body) = speak::<Call, Response>(address, PATH, codec, &call);
        assert_eq!(status, 200, "{kind}: {body}");
    }
}

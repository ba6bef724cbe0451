//! The scheduler API of a real master, spoken byte by byte.

mod support;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use support::{PATIENCE, Running, free_ports, http_json, shared, tepui, until};

const PATH: &str = "/api/v1/scheduler";
const JSON: &str = "application/json";

struct Master {
    _running: Running,
    _folder: tempfile::TempDir,
    address: String,
}

fn master() -> Master {
    let folder = tempfile::tempdir().unwrap();
    let port = free_ports(1)[0];
    let mut command = tepui();
    command
        .arg("master")
        .arg(format!("--port={port}"))
        .arg(format!(
            "--work_dir={}",
            folder.path().join("work").display()
        ));
    let running = Running::start(&mut command, &folder.path().join("master.log"));
    let address = format!("127.0.0.1:{port}");
    until("the master leads", || {
        let metrics = http_json(&address, "/metrics/snapshot")?;
        (metrics["master/elected"] == 1.0).then_some(())
    });
    Master {
        _running: running,
        _folder: folder,
        address,
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

/// One connection, with its answer's head read.
struct Exchange {
    reader: BufReader<TcpStream>,
    status: u16,
    headers: BTreeMap<String, String>,
}

impl Exchange {
    fn begin(address: &str, method: &str, headers: &[(&str, &str)], body: &[u8]) -> Exchange {
        Exchange::begin_at(address, method, PATH, headers, body)
    }

    fn begin_at(
        address: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Exchange {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n");
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        Exchange::read_head(BufReader::new(stream))
    }

    fn read_head(mut reader: BufReader<TcpStream>) -> Exchange {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        Exchange {
            reader,
            status,
            headers,
        }
    }

    fn answer(mut self) -> Answer {
        let length = self.headers.get("content-length");
        let length = length.map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body).unwrap();
        Answer {
            status: self.status,
            headers: self.headers,
            body: String::from_utf8(body).unwrap(),
        }
    }

    /// One HTTP chunk; nothing after the last.
    fn chunk(&mut self) -> Option<Vec<u8>> {
        let mut line = String::new();
        self.reader.read_line(&mut line).ok()?;
        let length = usize::from_str_radix(line.trim_end(), 16).ok()?;
        let mut bytes = vec![0; length + 2];
        self.reader.read_exact(&mut bytes).ok()?;
        assert_eq!(bytes.split_off(length), b"\r\n");
        (length > 0).then_some(bytes)
    }

    /// The one record of the next chunk.
    fn event(&mut self) -> Option<Value> {
        let bytes = self.chunk()?;
        let place = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        let length: usize = std::str::from_utf8(&bytes[..place])
            .unwrap()
            .parse()
            .unwrap();
        let record = &bytes[place + 1..];
        assert_eq!(record.len(), length, "one record in each chunk");
        Some(serde_json::from_slice(record).unwrap())
    }

    /// The next event of this type, others passed over.
    fn event_of(&mut self, kind: &str) -> Value {
        loop {
            let event = self.event().expect("the stream goes on");
            if event["type"] == kind {
                return event;
            }
        }
    }
}

fn ask(address: &str, method: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    Exchange::begin(address, method, headers, body).answer()
}

/// A scheduler that is subscribed.
struct Scheduler {
    address: String,
    stream: Exchange,
    stream_id: String,
    framework_id: String,
}

impl Scheduler {
    fn subscribe(address: &str, info: &Value) -> Scheduler {
        let mut call = json!({ "type": "SUBSCRIBE", "subscribe": { "framework_info": info } });
        if let Some(id) = info.get("id") {
            call["framework_id"] = id.clone();
        }
        let headers = [
            ("Content-Type", JSON),
            ("Accept", JSON),
            ("Connection", "close"),
        ];
        let body = call.to_string();
        let mut stream = Exchange::begin(address, "POST", &headers, body.as_bytes());
        assert_eq!(stream.status, 200);
        assert_eq!(stream.headers["transfer-encoding"], "chunked");
        assert_eq!(stream.headers["content-type"], JSON);
        let first = stream.event().unwrap();
        assert_eq!(first["type"], "SUBSCRIBED");
        let id = &first["subscribed"]["framework_id"]["value"];
        Scheduler {
            address: address.to_owned(),
            stream_id: stream.headers["mesos-stream-id"].clone(),
            framework_id: id.as_str().unwrap().to_owned(),
            stream,
        }
    }

    fn call(&self, mut call: Value) -> Answer {
        call["framework_id"] = json!({ "value": self.framework_id });
        let headers = [("Content-Type", JSON), ("Mesos-Stream-Id", &self.stream_id)];
        ask(&self.address, "POST", &headers, call.to_string().as_bytes())
    }

    /// Asks for tasks that nobody knows; each gives an update.
    fn reconcile(&self, count: usize) -> Answer {
        let task = |n: usize| json!({ "task_id": { "value": format!("unknown-{n}") } });
        let tasks: Vec<Value> = (0..count).map(task).collect();
        self.call(json!({ "type": "RECONCILE", "reconcile": { "tasks": tasks } }))
    }
}

fn info(name: &str) -> Value {
    json!({ "user": "root", "name": name, "roles": ["*"], "failover_timeout": 600,
            "capabilities": [{ "type": "MULTI_ROLE" }] })
}

/// The framework and the stream of the captured session.
const GOLDEN_FRAMEWORK: &str = "f981f135-5d3b-418d-ac44-3312c433fac3-0003";
const GOLDEN_STREAM: &str = "c6b30809-9581-4a2a-a148-04e70de38f7d";

#[test]
fn malformed_calls_are_answered_as_captured() {
    let Some(golden) = shared("golden") else {
        return;
    };
    let text = std::fs::read_to_string(golden.join("scheduler.calls.json")).unwrap();
    let master = master();
    let scheduler = Scheduler::subscribe(&master.address, &info("golden"));
    let text = text
        .replace(GOLDEN_FRAMEWORK, &scheduler.framework_id)
        .replace(GOLDEN_STREAM, &scheduler.stream_id);
    let calls: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut tried = 0;
    for call in calls {
        let label = call["label"].as_str().unwrap();
        if !label.starts_with("err_") {
            continue;
        }
        let method = if label.starts_with("err_get") {
            "GET"
        } else {
            "POST"
        };
        let headers: Vec<(&str, &str)> = call["request_headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect();
        let body = match &call["request"] {
            // Not JSON: captured as it would be written in Python.
            Value::String(raw) => raw.trim_matches('\'').to_owned(),
            value => value.to_string(),
        };
        let answer = ask(&master.address, method, &headers, body.as_bytes());
        let expected = (
            call["status"].as_u64().unwrap(),
            call["body"].as_str().unwrap(),
        );
        assert_eq!(
            (u64::from(answer.status), answer.body.as_str()),
            expected,
            "{label}"
        );
        for pair in call["headers"].as_array().unwrap() {
            let name = pair[0].as_str().unwrap().to_lowercase();
            let value = match name.as_str() {
                "date" => continue,
                // Identifiers of another length are in the text.
                "content-length" => expected.1.len().to_string(),
                _ => pair[1].as_str().unwrap().to_owned(),
            };
            assert_eq!(answer.headers[&name], value, "{label}");
        }
        tried += 1;
    }
    assert!(tried > 20, "only {tried} captures of malformed calls");
}

#[test]
fn a_subscription_streams_one_record_in_each_chunk() {
    let master = master();
    let mut scheduler = Scheduler::subscribe(&master.address, &info("stream"));
    assert_eq!(
        scheduler.stream.event().unwrap(),
        json!({ "type": "HEARTBEAT" })
    );
    assert_eq!(scheduler.reconcile(2).status, 202);
    let update = scheduler.stream.event_of("UPDATE");
    assert_eq!(update["update"]["status"]["state"], "TASK_LOST");

    // The same framework again, through another connection.
    let mut again = info("stream");
    again["id"] = json!({ "value": scheduler.framework_id });
    let taker = Scheduler::subscribe(&master.address, &again);
    assert_eq!(taker.framework_id, scheduler.framework_id);
    let error = scheduler.stream.event_of("ERROR");
    assert_eq!(error["error"]["message"], "Framework failed over");
    assert_eq!(scheduler.stream.event(), None, "the old stream ends");
    assert_eq!(
        scheduler.reconcile(1).status,
        400,
        "the old stream takes no calls"
    );

    let mut stream = taker.stream;
    let taker = Scheduler {
        stream: stream_of_nothing(&master.address),
        ..taker
    };
    let torn = taker.call(json!({ "type": "TEARDOWN" }));
    assert_eq!((torn.status, torn.body.as_str()), (202, ""));
    while let Some(event) = stream.event() {
        assert_ne!(
            event["type"], "ERROR",
            "a teardown ends the stream without an event"
        );
    }
    let headers = [("Content-Type", JSON), ("Accept", JSON)];
    let call = json!({ "type": "SUBSCRIBE", "framework_id": again["id"],
                       "subscribe": { "framework_info": again } });
    let body = call.to_string();
    let mut refused = Exchange::begin(&master.address, "POST", &headers, body.as_bytes());
    assert_eq!(refused.status, 200);
    let error = refused.event().unwrap();
    assert_eq!(error["error"]["message"], "Framework has been removed");
    assert_eq!(refused.event(), None);
}

/// Any exchange that is over.
fn stream_of_nothing(address: &str) -> Exchange {
    Exchange::begin(address, "GET", &[], b"")
}

#[test]
fn a_slow_reader_is_cut_off_and_delays_nobody() {
    let master = master();
    let slow = Scheduler::subscribe(&master.address, &info("slow"));
    let mut quick = Scheduler::subscribe(&master.address, &info("quick"));
    let refused = until("the slow reader is cut off", || {
        let answer = slow.reconcile(10_000);
        // Others go on meanwhile.
        assert_eq!(quick.reconcile(1).status, 202);
        quick.stream.event_of("UPDATE");
        (answer.status != 202).then_some(answer)
    });
    assert_eq!(
        (refused.status, refused.body.as_str()),
        (403, "Framework is not subscribed")
    );
    // It may come back.
    let mut again = info("slow");
    again["id"] = json!({ "value": slow.framework_id });
    let back = Scheduler::subscribe(&master.address, &again);
    assert_eq!(back.reconcile(1).status, 202);
}

#[test]
fn a_chunked_body_and_a_large_one() {
    let master = master();
    let call = json!({ "type": "SUBSCRIBE", "subscribe": { "framework_info": info("chunked") } });
    let mut stream = TcpStream::connect(&master.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let body = call.to_string();
    let (first, second) = body.split_at(body.len() / 2);
    let request = format!(
        "POST /master{PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: {JSON}\r\n\
         Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
        first.len(),
        second.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut exchange = Exchange::read_head(BufReader::new(stream));
    assert_eq!(exchange.status, 200);
    assert_eq!(exchange.event().unwrap()["type"], "SUBSCRIBED");

    let mut stream = TcpStream::connect(&master.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: {JSON}\r\nContent-Length: {}\r\n\r\n",
        1_u64 << 40
    );
    stream.write_all(head.as_bytes()).unwrap();
    assert_eq!(Exchange::read_head(BufReader::new(stream)).status, 413);
}

#[test]
fn operators_hear_of_a_framework_once_and_then_of_its_changes() {
    let master = master();
    let headers = [("Content-Type", JSON), ("Accept", JSON)];
    let body = br#"{"type":"SUBSCRIBE"}"#;
    let mut heard = Exchange::begin_at(&master.address, "POST", "/api/v1", &headers, body);
    assert_eq!(heard.event().unwrap()["type"], "SUBSCRIBED");
    let mut next = || loop {
        let event = heard.event().expect("the stream goes on");
        let kind = event["type"].as_str().unwrap().to_owned();
        if kind.starts_with("FRAMEWORK") {
            let name = |field: &str| event[field]["framework"]["framework_info"]["name"].clone();
            return (kind.clone(), name(&kind.to_lowercase()));
        }
    };
    let first = Scheduler::subscribe(&master.address, &info("first"));
    assert_eq!(next(), ("FRAMEWORK_ADDED".to_owned(), json!("first")));
    let mut again = info("second");
    again["id"] = json!({ "value": first.framework_id });
    let second = Scheduler::subscribe(&master.address, &again);
    assert_eq!(next(), ("FRAMEWORK_UPDATED".to_owned(), json!("second")));
    again["name"] = json!("third");
    let call = json!({ "type": "UPDATE_FRAMEWORK",
                       "update_framework": { "framework_info": again } });
    assert_eq!(second.call(call).status, 200);
    assert_eq!(next(), ("FRAMEWORK_UPDATED".to_owned(), json!("third")));
}

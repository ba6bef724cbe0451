//! Tables of calls and their outcomes in the documentation, made by tests that go through all of
//! it in each codec.

use super::until;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use tepui_runtime::mesos::json;
use tepui_runtime::mesos::media::Codec;
use tepui_runtime::mesos::reflect::Message;

/// In which all of it is said.
pub const CODECS: [Codec; 2] = [Codec::Json, Codec::Protobuf];

/// One call with its outcome.
pub struct Step {
    /// What is tried.
    pub name: &'static str,
    /// As JSON.
    pub call: String,
    /// The status of its answer.
    pub status: u16,
    /// What its answer has in it, as JSON.
    pub contains: Vec<String>,
    /// Whether it waits for something under way.
    pub settles: bool,
}

/// One call with its outcome.
pub fn step(name: &'static str, call: &str, status: u16, contains: &[&str]) -> Step {
    Step {
        name,
        call: call.to_owned(),
        status,
        contains: contains.iter().map(|part| (*part).to_owned()).collect(),
        settles: false,
    }
}

/// The same call, again until it has this outcome.
pub fn settles(step: Step) -> Step {
    Step {
        settles: true,
        ..step
    }
}

/// A table: a row for each call and case, in each codec.
pub struct Table {
    head: &'static str,
    rows: [Vec<[String; 3]>; 2],
}

impl Table {
    /// Nothing yet, below these lines.
    pub fn new(head: &'static str) -> Table {
        Table {
            head,
            rows: [Vec::new(), Vec::new()],
        }
    }

    /// What came of one call.
    pub fn row(&mut self, codec: Codec, call: &str, case: &str, outcome: &str) {
        let row = [call, case, outcome].map(|cell| cell.trim().replace('|', "\\|"));
        let at = usize::from(codec == Codec::Protobuf);
        self.rows[at].push(row);
    }

    /// Goes through calls in one codec. `general` leaves out what is of the run.
    pub fn steps<C: Message, R: Message>(
        &mut self,
        (address, path): (&str, &str),
        codec: Codec,
        steps: &[Step],
        general: &dyn Fn(&str) -> String,
    ) {
        for step in steps {
            let run = || speak::<C, R>(address, path, codec, &step.call);
            let (status, body) = match step.settles {
                false => run(),
                true => until(step.name, || {
                    let outcome = run();
                    (outcome.0 == step.status).then_some(outcome)
                }),
            };
            let (name, call) = (step.name, &step.call);
            assert_eq!(status, step.status, "{name} ({codec:?}): {call}: {body}");
            for part in &step.contains {
                let found = body.contains(part);
                assert!(found, "{name} ({codec:?}): {part} not in {body}");
            }
            let kind: Value = serde_json::from_str(call).unwrap();
            let text = if status >= 400 {
                general(&body)
            } else {
                String::new()
            };
            let kind = format!("`{}`", kind["type"].as_str().unwrap_or("-"));
            self.row(codec, &kind, name, &format!("{status} {text}"));
        }
    }

    /// Both codecs must have said the same, and `docs/<file>` must be that; `TEPUI_REWRITE=1`
    /// writes it anew.
    pub fn finish(self, file: &str) {
        let [json, protobuf] = &self.rows;
        assert_eq!(json.len(), protobuf.len());
        let mut table = String::from(self.head);
        for (row, other) in json.iter().zip(protobuf) {
            assert_eq!(row, other, "the codecs disagree");
            let [call, case, outcome] = row;
            writeln!(table, "| {call} | {case} | {outcome} |").unwrap();
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("docs")
            .join(file);
        if std::env::var_os("TEPUI_REWRITE").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &table).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        let path = path.display();
        assert_eq!(kept, table, "{path} is old: TEPUI_REWRITE=1 writes it anew");
    }
}

/// A call, and its answer as JSON or text.
pub fn speak<C: Message, R: Message>(
    address: &str,
    path: &str,
    codec: Codec,
    call: &str,
) -> (u16, String) {
    let body = encoded::<C>(codec, call);
    let mut exchange = Exchange::begin(address, path, &kinds(codec), &body);
    let bytes = exchange.rest();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if exchange.status != 200 || bytes.is_empty() || codec == Codec::Json {
        return (exchange.status, text);
    }
    assert_eq!(exchange.header("content-type"), Some(codec.media_type()));
    let read: R = codec.decode(&bytes).unwrap();
    (200, String::from_utf8(json::encode(&read)).unwrap())
}

/// A call that is written as JSON here, as it goes out.
pub fn encoded<C: Message>(codec: Codec, call: &str) -> Vec<u8> {
    match codec {
        Codec::Json => call.as_bytes().to_vec(),
        Codec::Protobuf => codec.encode(&json::decode::<C>(call.as_bytes()).unwrap()),
    }
}

/// The headers of a call that is no stream.
pub fn kinds(codec: Codec) -> [(&'static str, &'static str); 2] {
    ["Content-Type", "Accept"].map(|name| (name, codec.media_type()))
}

/// One request, with its answer's head read.
pub struct Exchange {
    reader: BufReader<TcpStream>,
    /// The answer's status.
    pub status: u16,
    headers: Vec<(String, String)>,
    records: Vec<u8>,
}

impl Exchange {
    /// Posts `body`.
    pub fn begin(address: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Exchange {
        let mut stream = Exchange::open(address, path, headers, Some(body.len()));
        stream.write_all(body).unwrap();
        Exchange::answered(stream)
    }

    /// Opens a request, of which the body follows: in chunks where its length is not known.
    pub fn open(
        address: &str,
        path: &str,
        headers: &[(&str, &str)],
        length: Option<usize>,
    ) -> TcpStream {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(super::PATIENCE)).unwrap();
        let mut head = format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &match length {
            Some(length) => format!("Content-Length: {length}\r\n\r\n"),
            None => String::from("Transfer-Encoding: chunked\r\n\r\n"),
        };
        stream.write_all(head.as_bytes()).unwrap();
        stream
    }

    /// Reads the head of the answer.
    pub fn answered(stream: TcpStream) -> Exchange {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            headers.push((name.to_lowercase(), value.to_owned()));
        }
        Exchange {
            reader,
            status,
            headers,
            records: Vec::new(),
        }
    }

    /// A header of the answer.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The next chunk; nothing at the end.
    pub fn chunk(&mut self) -> Option<Vec<u8>> {
        let mut line = String::new();
        self.reader.read_line(&mut line).ok()?;
        let length = usize::from_str_radix(line.trim_end(), 16).ok()?;
        let mut bytes = vec![0; length + 2];
        self.reader.read_exact(&mut bytes).ok()?;
        bytes.truncate(length);
        (length > 0).then_some(bytes)
    }

    /// All of the body that is left.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        if self.header("transfer-encoding") == Some("chunked") {
            while let Some(chunk) = self.chunk() {
                body.extend(chunk);
            }
            return body;
        }
        // The connection may break where the answer came before the request's end.
        let _ = self.reader.read_to_end(&mut body);
        body
    }

    /// The next record of a stream, as JSON; nothing at the end.
    pub fn record<R: Message>(&mut self, codec: Codec) -> Option<Value> {
        loop {
            if let Some(at) = self.records.iter().position(|byte| *byte == b'\n') {
                let length = std::str::from_utf8(&self.records[..at]).unwrap();
                let end = at + 1 + length.parse::<usize>().unwrap();
                if self.records.len() >= end {
                    let read: R = codec.decode(&self.records[at + 1..end]).unwrap();
                    self.records.drain(..end);
                    return serde_json::from_slice(&json::encode(&read)).ok();
                }
            }
            let chunk = self.chunk()?;
            self.records.extend(chunk);
        }
    }
}

//! A scheduler that speaks either codec, and remembers what it was told.

use super::support::PATIENCE;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};
use tepui_runtime::mesos::v1::scheduler::{Call, Event};
use tepui_runtime::mesos::{json as codec_json, protobuf, recordio};

pub const JSON: &str = "application/json";
pub const PROTOBUF: &str = "application/x-protobuf";

/// How long nothing must come where nothing is expected.
const SILENCE: Duration = Duration::from_millis(100);

/// What is told when a stream ends.
pub const END: &str = "end of stream";

/// An answer, its body still to be read.
pub struct Exchange {
    pub status: u16,
    headers: BTreeMap<String, String>,
    reader: BufReader<TcpStream>,
}

impl Exchange {
    /// Makes a call.
    pub fn begin(address: &str, codec: &str, stream: Option<&str>, call: &Value) -> Exchange {
        let body = match codec {
            JSON => call.to_string().into_bytes(),
            _ => {
                let call: Call = codec_json::decode(call.to_string().as_bytes()).unwrap();
                protobuf::encode(&call)
            }
        };
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let stream = stream.map(|id| format!("Mesos-Stream-Id: {id}\r\n"));
        let head = format!(
            "POST /api/v1/scheduler HTTP/1.1\r\nHost: {address}\r\nContent-Type: {codec}\r\n\
             Accept: {codec}\r\n{}Content-Length: {}\r\n\r\n",
            stream.unwrap_or_default(),
            body.len()
        );
        socket.write_all(head.as_bytes()).unwrap();
        socket.write_all(&body).unwrap();
        let mut reader = BufReader::new(socket);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = BTreeMap::new();
        loop {
            line.clear();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        Exchange {
            status,
            headers,
            reader,
        }
    }

    /// The text of an answer that ends.
    pub fn text(mut self) -> String {
        let length = self.headers.get("content-length");
        let length = length.map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body).unwrap();
        String::from_utf8(body).unwrap()
    }

    fn events(mut self, codec: &'static str, tell: &Sender<Value>) {
        let mut decoder = recordio::Decoder::new(1 << 24);
        while let Some(bytes) = chunk(&mut self.reader) {
            let records = decoder.decode(&bytes).unwrap();
            for record in records {
                let event: Value = match codec {
                    JSON => serde_json::from_slice(&record).unwrap(),
                    _ => {
                        let event: Event = protobuf::decode(&record).unwrap();
                        serde_json::from_slice(&codec_json::encode(&event)).unwrap()
                    }
                };
                if tell.send(event).is_err() {
                    return;
                }
            }
        }
        let _ = tell.send(json!({ "type": END }));
    }
}

/// One HTTP chunk; nothing after the last.
fn chunk(reader: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let length = usize::from_str_radix(line.trim_end(), 16).ok()?;
    let mut bytes = vec![0; length + 2];
    reader.read_exact(&mut bytes).ok()?;
    bytes.truncate(length);
    (length > 0).then_some(bytes)
}

/// A stream of events.
pub struct Stream {
    pub id: String,
    events: Receiver<Value>,
    offers: Vec<Value>,
    /// What came while another event was waited for, in order.
    kept: VecDeque<Value>,
}

impl Stream {
    pub fn open(exchange: Exchange, codec: &'static str) -> Stream {
        assert_eq!(exchange.status, 200);
        assert_eq!(exchange.headers["content-type"], codec);
        let id = exchange.headers["mesos-stream-id"].clone();
        let (tell, events) = channel();
        std::thread::spawn(move || exchange.events(codec, &tell));
        Stream {
            id,
            events,
            offers: Vec::new(),
            kept: VecDeque::new(),
        }
    }

    /// Events that are to be the next ones: who waits for a task's end may hear of its executor's
    /// before it.
    pub fn put_back(&mut self, events: Vec<Value>) {
        for event in events.into_iter().rev() {
            self.kept.push_front(event);
        }
    }

    fn take(&mut self, patience: Duration) -> Option<Value> {
        let event = self.events.recv_timeout(patience).ok()?;
        match event["type"].as_str().unwrap() {
            "OFFERS" => {
                let offers = event["offers"]["offers"].as_array().unwrap();
                self.offers.extend(offers.iter().cloned());
            }
            "RESCIND" => {
                let gone = &event["rescind"]["offer_id"];
                self.offers.retain(|offer| offer["id"] != *gone);
            }
            _ => {}
        }
        Some(event)
    }

    /// The next event but offers and heartbeats.
    pub fn next(&mut self) -> Value {
        if let Some(event) = self.kept.pop_front() {
            return event;
        }
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            match self.take(Duration::from_secs(1)) {
                Some(event) if event["type"] == "OFFERS" || event["type"] == "HEARTBEAT" => {}
                Some(event) => return event,
                None => {}
            }
        }
        panic!("no event comes");
    }

    /// The next event of any type.
    pub fn first(&mut self) -> Value {
        self.take(PATIENCE).expect("an event comes")
    }

    /// Nothing but offers and heartbeats comes.
    pub fn is_silent(&mut self) {
        while let Some(event) = self.take(SILENCE) {
            let usual = event["type"] == "OFFERS" || event["type"] == "HEARTBEAT";
            assert!(usual, "{event} comes unexpected");
        }
    }

    /// An offer of which `good` holds; others are handed to `decline`.
    pub fn offer(&mut self, good: impl Fn(&Value) -> bool, decline: impl Fn(&Value)) -> Value {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            while let Some(offer) = self.offers.pop() {
                if good(&offer) {
                    return offer;
                }
                decline(&offer);
            }
            if let Some(event) = self.take(Duration::from_secs(1)) {
                let usual = ["OFFERS", "HEARTBEAT", "RESCIND"].contains(&kind(&event));
                assert!(usual, "{event} comes before an offer");
            }
        }
        panic!("no such offer comes");
    }

    /// Any offer, if one comes so soon.
    pub fn offer_within(&mut self, patience: Duration) -> Option<Value> {
        let began = Instant::now();
        while self.offers.is_empty() && began.elapsed() < patience {
            self.take(patience);
        }
        self.offers.pop()
    }
}

pub fn kind(event: &Value) -> &str {
    event["type"].as_str().unwrap()
}

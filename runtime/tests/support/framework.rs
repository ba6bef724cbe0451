//! A framework that speaks Mesos' v1 scheduler API, byte by byte.

use super::PATIENCE;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

/// Where schedulers speak.
const PATH: &str = "/api/v1/scheduler";

/// The first lines of a request or of an answer end with an empty one.
fn post(address: &str, stream_id: Option<&str>, body: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let kind = "Content-Type: application/json\r\nAccept: application/json";
    let mut head = format!("POST {PATH} HTTP/1.1\r\nHost: {address}\r\n{kind}\r\n");
    if let Some(id) = stream_id {
        head += &format!("Mesos-Stream-Id: {id}\r\n");
    }
    head += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(head.as_bytes()).unwrap();
    BufReader::new(stream)
}

/// The status, and the value of one header.
fn head(reader: &mut BufReader<TcpStream>, wanted: &str) -> (u16, Option<String>) {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).unwrap().parse().unwrap();
    let mut found = None;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            return (status, found);
        };
        if name.eq_ignore_ascii_case(wanted) {
            found = Some(value.to_owned());
        }
    }
}

/// The record of the next chunk; nothing at the end.
pub fn record(reader: &mut impl BufRead) -> Option<Value> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let length = usize::from_str_radix(line.trim_end(), 16).ok()?;
    if length == 0 {
        return None;
    }
    let mut bytes = vec![0; length + 2];
    reader.read_exact(&mut bytes).ok()?;
    let at = bytes.iter().position(|byte| *byte == b'\n')?;
    serde_json::from_slice(&bytes[at + 1..length]).ok()
}

/// One that is subscribed.
pub struct Framework {
    /// Its id.
    pub id: String,
    /// The agent of the last offer that it took.
    pub agent_id: Value,
    /// Whether it acknowledges what it waits for.
    pub acknowledges: bool,
    address: String,
    stream_id: String,
    stream: TcpStream,
    events: Receiver<Value>,
    /// What came while something else was waited for.
    kept: Vec<Value>,
}

impl Drop for Framework {
    fn drop(&mut self) {
        // Ends the thread that reads.
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }
}

impl Framework {
    /// Subscribes with this `FrameworkInfo`.
    pub fn subscribe(address: &str, info: &Value) -> Framework {
        let body = json!({
            "type": "SUBSCRIBE",
            "framework_id": info.get("id"),
            "subscribe": { "framework_info": info },
        });
        let mut reader = post(address, None, &body.to_string());
        let (status, stream_id) = head(&mut reader, "mesos-stream-id");
        assert_eq!(status, 200, "the master does not take the subscription");
        let stream = reader.get_ref().try_clone().unwrap();
        stream.set_read_timeout(None).unwrap();
        let (sender, events) = channel();
        std::thread::spawn(move || {
            while let Some(event) = record(&mut reader) {
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        let mut framework = Framework {
            id: String::new(),
            agent_id: Value::Null,
            acknowledges: true,
            address: address.to_owned(),
            stream_id: stream_id.expect("a subscription has a stream's id"),
            stream,
            events,
            kept: Vec::new(),
        };
        let subscribed = framework.next("SUBSCRIBED");
        let id = &subscribed["subscribed"]["framework_id"]["value"];
        framework.id = id.as_str().unwrap().to_owned();
        framework
    }

    /// One call: what stands under the name of its type.
    pub fn call(&self, kind: &str, part: Value) -> u16 {
        let mut call = json!({ "type": kind, "framework_id": { "value": self.id } });
        if !part.is_null() {
            call[kind.to_lowercase()] = part;
        }
        let body = call.to_string();
        let mut reader = post(&self.address, Some(&self.stream_id), &body);
        head(&mut reader, "").0
    }

    /// The next event of this type; others are kept for later.
    pub fn next(&mut self, kind: &str) -> Value {
        self.find(kind, |event| event["type"] == kind)
    }

    fn find(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.kept.iter().position(&fits) {
            return self.kept.remove(at);
        }
        let start = Instant::now();
        loop {
            let left = PATIENCE.saturating_sub(start.elapsed());
            let event = self.events.recv_timeout(left);
            let event = event.unwrap_or_else(|_| panic!("waited in vain for {what}"));
            if fits(&event) {
                return event;
            }
            self.kept.push(event);
        }
    }

    /// The next offer.
    pub fn offer(&mut self) -> Value {
        let mut event = self.next("OFFERS");
        let offer = event["offers"]["offers"][0].take();
        self.agent_id = offer["agent_id"].clone();
        offer
    }

    /// Takes an offer with these operations.
    pub fn accept(&self, offer: &Value, operations: &Value) {
        let part = json!({
            "offer_ids": [offer["id"]],
            "operations": operations,
            "filters": { "refuse_seconds": 0 },
        });
        assert_eq!(self.call("ACCEPT", part), 202);
    }

    /// Runs tasks on the next offer; they need not say on which agent.
    pub fn launch(&mut self, tasks: &[Value]) {
        let offer = self.offer();
        let tasks = on_agent(&offer, tasks);
        let launch = json!({ "type": "LAUNCH", "launch": { "task_infos": tasks } });
        self.accept(&offer, &json!([launch]));
    }

    /// Runs a group of tasks on the next offer.
    pub fn launch_group(&mut self, executor: &Value, tasks: &[Value]) {
        let offer = self.offer();
        let mut executor = executor.clone();
        executor["framework_id"] = json!({ "value": self.id });
        let group = json!({ "tasks": on_agent(&offer, tasks) });
        let launch = json!({
            "type": "LAUNCH_GROUP",
            "launch_group": { "executor": executor, "task_group": group },
        });
        self.accept(&offer, &json!([launch]));
    }

    /// Waits until a task says this state; the states before are acknowledged, and this one too
    /// unless [`Framework::acknowledges`] says otherwise.
    pub fn until(&mut self, task: &str, state: &str) -> Value {
        loop {
            let mut event = self.find(&format!("{task}: {state}"), |event| {
                let status = &event["update"]["status"];
                event["type"] == "UPDATE" && status["task_id"]["value"] == task
            });
            let status = event["update"]["status"].take();
            let found = status["state"] == state;
            if self.acknowledges || !found {
                self.acknowledge(&status);
            }
            if found {
                return status;
            }
            let over = ["TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_ERROR"];
            let ended = over.iter().any(|over| status["state"] == *over);
            assert!(!ended, "{task} never was {state}: {status}");
        }
    }

    /// The next status of a task, acknowledged.
    pub fn until_any(&mut self, task: &str) -> Value {
        let mut event = self.find(task, |event| {
            let status = &event["update"]["status"];
            event["type"] == "UPDATE" && status["task_id"]["value"] == task
        });
        let status = event["update"]["status"].take();
        self.acknowledge(&status);
        status
    }

    /// Acknowledges one status, if it wants that.
    pub fn acknowledge(&self, status: &Value) {
        if status["uuid"].is_null() {
            return;
        }
        let part = json!({
            "agent_id": status["agent_id"],
            "task_id": status["task_id"],
            "uuid": status["uuid"],
        });
        assert_eq!(self.call("ACKNOWLEDGE", part), 202);
    }
}

fn on_agent(offer: &Value, tasks: &[Value]) -> Vec<Value> {
    let tasks = tasks.iter().cloned();
    tasks
        .map(|mut task| {
            task["agent_id"] = offer["agent_id"].clone();
            task
        })
        .collect()
}

/// So much of something that is counted.
pub fn amount(name: &str, value: f64) -> Value {
    json!({ "name": name, "type": "SCALAR", "scalar": { "value": value } })
}

/// A task of this name that runs a line for the shell.
pub fn task(name: &str, line: &str, resources: &[Value]) -> Value {
    json!({
        "task_id": { "value": name },
        "name": name,
        "command": { "value": line },
        "resources": resources,
    })
}

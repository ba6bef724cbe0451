//! The sessions of a scheduler and of somebody who listens: the same calls are made again, with
//! our ids, and what comes back is compared, answer by answer and event by event.

use super::differences::Kind;
use super::masters::{Comparison, agent_id, run_commands, task_of};
use super::support::framework::{Framework, record};
use super::support::{PATIENCE, http_json, until};
use super::{Cluster, Request, ask, shape};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, channel};

const SCHEDULER: &str = "/api/v1/scheduler";

/// What was said on one stream so far.
struct Stream {
    id: Option<String>,
    events: Receiver<Value>,
    seen: Vec<Value>,
}

impl Stream {
    fn open(address: &str, path: &str, call: &Value) -> Stream {
        let body = call.to_string();
        let mut stream = TcpStream::connect(address).unwrap();
        let kind = "Content-Type: application/json\r\nAccept: application/json";
        let length = body.len();
        let head = format!("POST {path} HTTP/1.1\r\nHost: {address}\r\n{kind}\r\n");
        let whole = format!("{head}Content-Length: {length}\r\n\r\n{body}");
        stream.write_all(whole.as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        let mut id = None;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("mesos-stream-id") => {
                    id = Some(value.to_owned());
                }
                None if line.trim_end().is_empty() => break,
                _ => {}
            }
        }
        let (sender, events) = channel();
        std::thread::spawn(move || {
            while let Some(event) = record(&mut reader) {
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        Stream {
            id,
            events,
            seen: Vec::new(),
        }
    }

    /// Reads on until there is such an event, and says which it is.
    fn until(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            if let Some(found) = self.seen.iter().find(|event| fits(event)) {
                return found.clone();
            }
            let next = self.events.recv_timeout(PATIENCE);
            self.seen
                .push(next.unwrap_or_else(|_| panic!("waited in vain for {what}")));
        }
    }

    /// All until the stream's end.
    fn all(mut self) -> Vec<Value> {
        while let Ok(event) = self.events.recv_timeout(PATIENCE) {
            self.seen.push(event);
        }
        self.seen
    }

    /// The offer that came as the nth.
    fn offer(&mut self, nth: usize) -> Value {
        loop {
            let offers = self.seen.iter().filter(|event| event["type"] == "OFFERS");
            let mut offers = offers.flat_map(|e| e["offers"]["offers"].as_array().unwrap());
            if let Some(offer) = offers.nth(nth) {
                return offer.clone();
            }
            let next = self.events.recv_timeout(PATIENCE);
            self.seen.push(next.expect("waited in vain for an offer"));
        }
    }
}

/// The events of a captured stream: records in chunks, behind the head of an answer.
fn captured(comparison: &Comparison, name: &str) -> Vec<Value> {
    let bytes = fs::read(comparison.folder.join(format!("{name}.raw"))).unwrap();
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let mut rest = &bytes[head.map_or(0, |at| at + 4)..];
    std::iter::from_fn(|| record(&mut rest)).collect()
}

/// What an event is about, whatever the run.
fn key(event: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let kind = text(&event["type"]);
    let status = &event["update"]["status"];
    let status = match status {
        Value::Null => &event["task_updated"]["status"],
        status => status,
    };
    if status.is_null() {
        return kind;
    }
    let (state, reason) = (text(&status["state"]), text(&status["reason"]));
    let task = text(&status["task_id"]["value"]);
    format!("{kind} {task} {state} {reason}")
}

/// Compares events: what is said of each task in its order, everything else in that of its first
/// coming, since heartbeats and offers depend on the time; and the shape of all of it.
fn compare(comparison: &mut Comparison, name: &str, theirs: &[Value], ours: &[Value]) {
    comparison.compared.insert(name.to_owned());
    let order = |events: &[Value]| {
        let mut order: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for event in events {
            let key = key(event);
            let task = key.split(' ').nth(1).unwrap_or_default().to_owned();
            let list = order.entry(task.clone()).or_default();
            if !task.is_empty() || !list.contains(&key) {
                list.push(key);
            }
        }
        order
    };
    let (their, our) = (order(theirs), order(ours));
    for task in their.keys().chain(our.keys()).collect::<BTreeSet<_>>() {
        let (their, our) = (their.get(task), our.get(task));
        if their != our {
            let what = format!("{their:?} is {our:?} here");
            comparison.judge(name, Kind::Type, &what);
        }
    }
    for event in theirs {
        let key = key(event);
        if let Some(same) = ours.iter().find(|ours| super::streams::key(ours) == key) {
            for (kind, what) in shape::differences(event, same) {
                comparison.judge(name, kind, &format!("{key}: {what}"));
            }
        }
    }
}

/// Their ids, and ours.
struct Ids {
    framework: String,
    streams: BTreeMap<&'static str, String>,
    cluster: BTreeMap<String, String>,
}

const FIRST: &str = "c6b30809-9581-4a2a-a148-04e70de38f7d";
const SECOND: &str = "e9eccce4-5fa6-4de9-8193-c511fa039ea2";
const THEIRS: &str = "f981f135-5d3b-418d-ac44-3312c433fac3";

impl Ids {
    fn here(&self, text: &str) -> String {
        let mut text = text.replace(&format!("{THEIRS}-0003"), &self.framework);
        for (theirs, ours) in &self.cluster {
            text = text.replace(theirs.as_str(), ours);
        }
        for (theirs, ours) in &self.streams {
            text = text.replace(theirs, ours);
        }
        text
    }
}

fn info(id: Option<&str>) -> Value {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap();
    let mut info = json!({
        "user": user.map(|user| user.name),
        "name": "golden",
        "roles": ["*"],
        "failover_timeout": 100.0,
        "capabilities": [{ "type": "MULTI_ROLE" }],
    });
    if let Some(id) = id {
        info["id"] = json!({ "value": id });
    }
    info
}

fn subscribe(cluster: &Cluster, id: Option<&str>) -> Stream {
    let mut call = json!({ "type": "SUBSCRIBE", "subscribe": { "framework_info": info(id) } });
    if let Some(id) = id {
        call["framework_id"] = json!({ "value": id });
    }
    Stream::open(&cluster.master, SCHEDULER, &call)
}

/// Makes one call of the session again, and compares the answer.
fn call_again(comparison: &mut Comparison, cluster: &Cluster, ids: &Ids, call: &Value) {
    let label = call["label"].as_str().unwrap();
    let body = match &call["request"] {
        // Bodies that are no JSON were written down with their quotes.
        Value::String(text) => text.trim_matches('\'').to_owned(),
        body => ids.here(&body.to_string()),
    };
    let headers = call["request_headers"].as_object().unwrap().iter();
    let request = Request {
        method: if label.starts_with("err_get") {
            "GET"
        } else {
            "POST"
        }
        .to_owned(),
        path: SCHEDULER.to_owned(),
        headers: headers
            .map(|(name, value)| (name.clone(), ids.here(value.as_str().unwrap())))
            .collect(),
        body: body.into_bytes(),
    };
    let answer = ask(&cluster.master, &request);
    let name = format!("scheduler.calls.{label}");
    if call["status"] != answer.status {
        let what = format!("{} is {} here", call["status"], answer.status);
        comparison.judge(&name, Kind::Status, &what);
    }
    let theirs = ids.here(call["body"].as_str().unwrap_or_default());
    let ours = String::from_utf8_lossy(&answer.body);
    if theirs != ours {
        comparison.judge(&name, Kind::Reason, &format!("'{theirs}' is '{ours}' here"));
    }
}

/// What a call speaks of must have come to pass here, too; then the ids are ours.
fn await_for(call: &Value, stream: &mut Stream, ids: &mut Ids) {
    let label = call["label"].as_str().unwrap();
    let text = call["request"].to_string();
    for number in 5..10 {
        let theirs = format!("{THEIRS}-O{number}");
        if text.contains(&theirs) {
            let offer = stream.offer(number - 5);
            let ours = offer["id"]["value"].as_str().unwrap().to_owned();
            ids.cluster.insert(theirs, ours);
        }
    }
    let words: Vec<&str> = label.split(' ').collect();
    if let ["ACKNOWLEDGE", task, state] = words[..] {
        let event = stream.until(label, |event| {
            let status = &event["update"]["status"];
            let same = status["task_id"]["value"] == task && status["state"] == state;
            same && !status["uuid"].is_null()
        });
        let theirs = call["request"]["acknowledge"]["uuid"].as_str().unwrap();
        let ours = event["update"]["status"]["uuid"].as_str().unwrap();
        ids.cluster.insert(theirs.to_owned(), ours.to_owned());
    }
}

/// The session of a scheduler, its failover and its end.
pub fn of_schedulers(comparison: &mut Comparison) {
    let cluster = Cluster::start();
    // It has what it wants: all offers are for whoever is compared.
    let runner = run_commands(&cluster);
    assert_eq!(runner.call("SUPPRESS", Value::Null), 202);
    let file = comparison.folder.join("scheduler.calls.json");
    let calls: Vec<Value> = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let mut first = subscribe(&cluster, None);
    let subscribed = first.until("SUBSCRIBED", |event| event["type"] == "SUBSCRIBED");
    let id = subscribed["subscribed"]["framework_id"]["value"]
        .as_str()
        .unwrap();
    let mut ids = Ids {
        framework: id.to_owned(),
        streams: BTreeMap::from([(FIRST, first.id.clone().unwrap())]),
        cluster: BTreeMap::from([
            (format!("{THEIRS}-S0"), agent_id(&cluster)),
            ("127.0.0.1:17051".to_owned(), cluster.agent.clone()),
        ]),
    };
    let mut second = None;
    for call in &calls {
        match call["label"].as_str().unwrap() {
            "OLD_STREAM_after_failover" => {
                let stream = subscribe(&cluster, Some(id));
                ids.streams.insert(SECOND, stream.id.clone().unwrap());
                second = Some(stream);
            }
            // What the refused reservation gave back was offered again before.
            "SUPPRESS" => {
                first.offer(4);
            }
            "TEARDOWN" => {
                let revive = json!({ "type": "REVIVE", "framework_id": { "value": id } });
                revived(&cluster, &ids.streams[SECOND], &revive);
                second.as_mut().unwrap().offer(0);
            }
            _ => {}
        }
        await_for(call, &mut first, &mut ids);
        call_again(comparison, &cluster, &ids, call);
    }
    comparison.compared.insert("scheduler.calls".to_owned());
    let all = first.all();
    let theirs = captured(comparison, "scheduler.stream");
    compare(comparison, "scheduler.stream", &theirs, &all);
    let theirs = captured(comparison, "scheduler.resubscribe");
    compare(
        comparison,
        "scheduler.resubscribe",
        &theirs,
        &second.unwrap().all(),
    );
    // Nothing but the end comes after a teardown, which the end of all events just showed.
    comparison
        .compared
        .insert("scheduler.resubscribe_after_teardown".to_owned());
    let late = subscribe(&cluster, Some(id)).all();
    let theirs = captured(comparison, "scheduler.resubscribe_completed");
    compare(
        comparison,
        "scheduler.resubscribe_completed",
        &theirs,
        &late,
    );
}

fn revived(cluster: &Cluster, stream_id: &str, call: &Value) {
    let kind = "application/json".to_owned();
    let request = Request {
        method: "POST".to_owned(),
        path: SCHEDULER.to_owned(),
        headers: vec![
            ("Content-Type".to_owned(), kind.clone()),
            ("Accept".to_owned(), kind),
            ("Mesos-Stream-Id".to_owned(), stream_id.to_owned()),
        ],
        body: call.to_string().into_bytes(),
    };
    assert_eq!(ask(&cluster.master, &request).status, 202);
}

/// The session of somebody who listens while a task runs and its framework leaves.
pub fn of_operators(comparison: &mut Comparison) {
    let cluster = Cluster::start();
    let _runner = run_commands(&cluster);
    let call = json!({ "type": "SUBSCRIBE" });
    let mut stream = Stream::open(&cluster.master, "/api/v1", &call);
    stream.until("SUBSCRIBED", |event| event["type"] == "SUBSCRIBED");
    let mut framework = Framework::subscribe(&cluster.master, &super::masters::info());
    // It ends once it is known to run: else its end may be told along with its start.
    let go = cluster.folder.path().join("go");
    let line = format!(
        "while [ ! -e {} ]; do sleep 0.1; done; echo hi",
        go.display()
    );
    framework.launch(&[task_of("opstream", &line, 0.5, 64.0)]);
    framework.until("opstream", "TASK_RUNNING");
    fs::write(&go, "").unwrap();
    framework.acknowledges = false;
    framework.until("opstream", "TASK_FINISHED");
    drop(framework);
    stream.until("its end", |event| event["type"] == "FRAMEWORK_REMOVED");
    until("the framework is over", || {
        let page = http_json(&cluster.master, "/frameworks")?;
        (page["completed_frameworks"].as_array()?.len() == 3).then_some(())
    });
    let theirs = captured(comparison, "operator.subscribe.stream");
    compare(
        comparison,
        "operator.subscribe.stream",
        &theirs,
        &stream.seen,
    );
}

/// As with Mesos, an agent's next update says how far the task has come since: whoever listens
/// hears of the end by that word, and gets all that it says.
#[test]
fn an_end_told_along_with_a_start_comes_with_that_word() {
    let cluster = Cluster::start();
    let call = json!({ "type": "SUBSCRIBE" });
    let mut stream = Stream::open(&cluster.master, "/api/v1", &call);
    let mut framework = Framework::subscribe(&cluster.master, &super::masters::info());
    framework.acknowledges = false;
    framework.launch(&[task_of("quick", "true", 0.5, 64.0)]);
    let starting = framework.until("quick", "TASK_STARTING");
    until("the task is over on its agent", || {
        let state = http_json(&cluster.agent, "/state")?;
        state.to_string().contains("TASK_FINISHED").then_some(())
    });
    framework.acknowledge(&starting);
    let told = stream.until("the task's end", |event| {
        event["task_updated"]["state"] == "TASK_FINISHED"
    });
    let status = &told["task_updated"]["status"];
    assert_eq!(status["state"], "TASK_RUNNING");
    assert!(status["uuid"].is_string() && status["executor_id"]["value"] == "quick");
}

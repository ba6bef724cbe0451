//! Every call of a master's v1 operator API, in both codecs, with each of its outcomes; and the
//! table of them in `runtime/docs/operator-api.md`, which `TEPUI_REWRITE=1` writes anew.

mod script;
#[path = "../support/mod.rs"]
mod support;

use script::{Step, steps};
use std::fmt::Write as _;
use std::path::Path;
use support::client::{Answer, Request, ask};
use support::{Running, free_ports, http_json, table, tepui, until};
use tepui_runtime::mesos::v1::master::{Call, Response};
use tepui_runtime::mesos::{json, protobuf};

const JSON: &str = "application/json";
const PROTOBUF: &str = "application/x-protobuf";

fn start(folder: &Path) -> (String, Vec<Running>) {
    let ports = free_ports(2);
    let mut master = tepui();
    master
        .arg("master")
        .arg(format!("--port={}", ports[0]))
        .arg(format!("--work_dir={}", folder.join("master").display()));
    let master = Running::start(&mut master, &folder.join("master.log"));
    let mut agent = tepui();
    agent
        .arg("agent")
        .arg(format!("--port={}", ports[1]))
        .arg(format!("--master=127.0.0.1:{}", ports[0]))
        .arg(format!("--work_dir={}", folder.join("agent").display()))
        .arg("--resources=cpus:2;mem:512;disk:512");
    let agent = Running::start(&mut agent, &folder.join("agent.log"));
    (format!("127.0.0.1:{}", ports[0]), vec![master, agent])
}

fn agent_id(master: &str) -> String {
    until("the agent is registered", || {
        let slaves = http_json(master, "/slaves")?;
        let agent = &slaves["slaves"][0];
        let active = agent["active"] == true;
        active.then(|| agent["id"].as_str().map(str::to_owned))?
    })
}

fn post(master: &str, media_type: &str, body: Vec<u8>) -> Answer {
    let headers = [("Content-Type", media_type), ("Accept", media_type)];
    let request = Request {
        method: "POST".to_owned(),
        path: "/api/v1".to_owned(),
        headers: headers
            .map(|(name, value)| (name.into(), value.into()))
            .to_vec(),
        body,
    };
    ask(master, &request)
}

/// The call in each codec, and its answer as JSON.
fn both(master: &str, step: &Step, codec: &str) -> (u16, String) {
    match codec {
        JSON => {
            let answer = post(master, JSON, step.call.clone().into_bytes());
            (
                answer.status,
                String::from_utf8_lossy(&answer.body).into_owned(),
            )
        }
        _ => {
            let call: Call = json::decode(step.call.as_bytes()).unwrap();
            let answer = post(master, PROTOBUF, protobuf::encode(&call));
            if answer.status != 200 || answer.body.is_empty() {
                return (
                    answer.status,
                    String::from_utf8_lossy(&answer.body).into_owned(),
                );
            }
            assert_eq!(
                answer.content_type.as_deref(),
                Some(PROTOBUF),
                "{}",
                step.name
            );
            let read: Response = protobuf::decode(&answer.body).unwrap();
            (
                answer.status,
                String::from_utf8(json::encode(&read)).unwrap(),
            )
        }
    }
}

/// Ids and addresses are of the run.
fn general(text: &str, agent: &str) -> String {
    let text = text.replace(agent, "AGENT");
    match text.find(" at slave(1)@") {
        Some(at) => {
            let end = text[at..].find(')').map_or(text.len(), |_| text.len());
            let after = text[at..end].split_once("): ").map_or("", |(_, rest)| rest);
            format!("{} ..: {after}", &text[..at])
        }
        None => text,
    }
}

#[test]
fn every_call_has_its_outcomes_in_both_codecs() {
    let folder = tempfile::tempdir().unwrap();
    let (master, _running) = start(folder.path());
    let agent = agent_id(&master);
    let mut text = String::from(script::HEAD);
    let script = steps(&agent);
    let mut outcomes: Vec<Vec<String>> = vec![Vec::new(); script.len()];
    for codec in [JSON, PROTOBUF] {
        for (at, step) in script.iter().enumerate() {
            let run = || both(&master, step, codec);
            let (status, body) = match step.settles {
                false => run(),
                true => until("the call is taken", || {
                    let outcome = run();
                    (outcome.0 == step.status).then_some(outcome)
                }),
            };
            assert_eq!(status, step.status, "{} ({codec}): {body}", step.name);
            for part in &step.contains {
                assert!(
                    body.contains(part),
                    "{} ({codec}): {part} not in {body}",
                    step.name
                );
            }
            let text = if status >= 400 {
                general(&body, &agent)
            } else {
                String::new()
            };
            outcomes[at].push(format!("{status} {text}").trim().to_owned());
        }
    }
    for (step, outcome) in script.iter().zip(&outcomes) {
        assert_eq!(outcome[0], outcome[1], "{}: the codecs disagree", step.name);
        let kind: serde_json::Value = serde_json::from_str(&step.call).unwrap();
        let kind = kind["type"].as_str().unwrap_or("-");
        let shown = table::cell(&outcome[0]);
        writeln!(text, "| `{kind}` | {} | {shown} |", step.name).unwrap();
    }
    table::kept("operator-api.md", &text);
}

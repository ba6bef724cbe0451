//! Every call of a master's v1 operator API, in both codecs, with each of its outcomes; and the
//! table of them in `runtime/docs/operator-api.md`, which `TEPUI_REWRITE=1` writes anew.

mod script;
#[path = "../support/mod.rs"]
mod support;

use script::steps;
use std::path::Path;
use support::outcomes::{CODECS, Table};
use support::{Running, free_ports, http_json, tepui, until};
use tepui_runtime::mesos::v1::master::{Call, Response};

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
    let mut table = Table::new(script::HEAD);
    for codec in CODECS {
        let at = (master.as_str(), "/api/v1");
        let general = |text: &str| general(text, &agent);
        table.steps::<Call, Response>(at, codec, &steps(&agent), &general);
    }
    table.finish("operator-api.md");
}

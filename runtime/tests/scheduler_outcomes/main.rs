//! Every call of the scheduler API, in both codecs, with each of its outcomes against a real
//! master and a real agent; and the table of them in `runtime/docs/scheduler-api.md`, which
//! `TEPUI_REWRITE=1` writes anew.

#![expect(
    clippy::needless_pass_by_value,
    reason = "calls are written where they are made"
)]

mod capabilities;
mod client;
mod frameworks;
mod machines;
mod operations;
mod session;
#[path = "../support/mod.rs"]
mod support;
mod tasks;

use client::{JSON, PROTOBUF};
use session::{Place, Row};
use std::fmt::Write as _;
use std::path::Path;
use support::pair::Pair;
use support::table;

/// What stands above the table.
const HEAD: &str = "\
# The scheduler API of masters

`POST /api/v1/scheduler` (also below `/master`), in JSON and protobuf. Made by the test
`scheduler_outcomes`, which goes through all of it once in each codec against a real master and a
real agent, in this order, and fails when the codecs disagree. Events are those that follow on the
framework's stream, offers and heartbeats left out. Masters that do not lead answer 307 with
the leader's address, or 503.

| Call | Case | Answer | Events |
|---|---|---|---|
";

const DOMAINS: [&str; 2] = ["near", "far"];

/// A master and an agent of these resources, in different regions if the agent is `far`.
fn start(folder: &Path, codec: &'static str, resources: &str, far: bool) -> (Place, Pair) {
    let [near, other] = DOMAINS.map(|region| {
        let name = format!(r#"{{"name":"{region}"}}"#);
        let fault = format!(r#"{{"region":{name},"zone":{name}}}"#);
        format!(r#"--domain={{"fault_domain":{fault}}}"#)
    });
    let resources = format!("--resources={resources}");
    let mut master = vec!["--allocation_interval=50ms"];
    let mut agent = vec!["--kill_on_exit", resources.as_str()];
    if far {
        master.push(&near);
        agent.push(&other);
    }
    let pair = Pair::start(folder, &master, &agent);
    let place = Place {
        address: pair.master.clone(),
        codec,
        agent: pair.agent_id.clone(),
    };
    (place, pair)
}

/// The whole script in one codec.
fn rows(codec: &'static str) -> Vec<Row> {
    let folder = tempfile::tempdir().unwrap();
    let resources = "cpus:4;mem:2048;disk:1024;ports:[31000-32000]";
    let (place, mut pair) = start(folder.path(), codec, resources, false);
    let mut rows = frameworks::strangers(&place);
    let mut session = frameworks::begin(&place);
    frameworks::wishes(&mut session);
    tasks::rows(&mut session);
    operations::rows(&mut session);
    machines::maintenance(&mut session);
    machines::gone(&mut session);
    session.stream.is_silent();
    pair.agent_runs.wait();
    rows.extend(frameworks::end(session));
    rows
}

/// What each capability changes, in one codec.
fn capabilities(codec: &'static str) -> Vec<capabilities::Row> {
    let folder = tempfile::tempdir().unwrap();
    let resources = "cpus:4;mem:2048;disk:1024;disk(dev):64;gpus:1";
    let (place, mut pair) = start(folder.path(), codec, resources, true);
    let rows = capabilities::rows(&place);
    pair.agent_runs.signal(nix::sys::signal::Signal::SIGTERM);
    pair.agent_runs.wait();
    rows
}

const CAPABILITIES: &str = "
## Capabilities

The agent has a GPU and disk reserved for the role `dev`, and stands in another region than the
master. The framework is in the role `dev` and has all other capabilities.

| Capability | With it | Without it |
|---|---|---|
";

#[test]
fn every_call_has_its_outcomes_in_both_codecs() {
    let found = rows(JSON);
    let other = rows(PROTOBUF);
    for (one, other) in found.iter().zip(&other) {
        assert_eq!(one, other, "the codecs disagree");
    }
    assert_eq!(found.len(), other.len());
    let mut text = String::from(HEAD);
    for row in &found {
        let cells = [&row.call, &row.case, &row.answer, &row.events];
        let cells = cells.map(|text| table::cell(text));
        let [call, case, answer, events] = cells;
        let call = if call == "-" {
            call
        } else {
            format!("`{call}`")
        };
        writeln!(text, "| {call} | {case} | {answer} | {events} |").unwrap();
    }
    let found = capabilities(JSON);
    assert_eq!(found, capabilities(PROTOBUF), "the codecs disagree");
    text.push_str(CAPABILITIES);
    for row in &found {
        let [name, with, without] = row.each_ref().map(|text| table::cell(text));
        writeln!(text, "| `{name}` | {with} | {without} |").unwrap();
    }
    table::kept("scheduler-api.md", &text);
}

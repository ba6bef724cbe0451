//! Every call of a master's v1 operator API, in both codecs, with each of its outcomes; and the
//! table of them in `runtime/docs/operator-api.md`, which `TEPUI_REWRITE=1` writes anew.

mod script;
#[path = "../support/mod.rs"]
mod support;

use script::steps;
use support::outcomes::{CODECS, Table};
use support::pair::Pair;
use tepui_runtime::mesos::v1::master::{Call, Response};

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
    let agent = ["--resources=cpus:2;mem:512;disk:512"];
    let pair = Pair::start(folder.path(), &[], &agent);
    let (master, agent) = (&pair.master, &pair.agent_id);
    let mut table = Table::new(script::HEAD);
    for codec in CODECS {
        let at = (master.as_str(), "/api/v1");
        let general = |text: &str| general(text, agent);
        table.steps::<Call, Response>(at, codec, &steps(agent), &general);
    }
    table.finish("operator-api.md");
}

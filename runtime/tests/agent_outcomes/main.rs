//! Every call of an agent's v1 operator API and of its executor API, in both codecs, with each of
//! its outcomes, against real processes; and the tables of them in `runtime/docs`, which
//! `TEPUI_REWRITE=1` writes anew.

mod behaviour;
mod containers;
mod executor;
mod operator;
#[path = "../support/mod.rs"]
mod support;

use serde_json::{Value, json};
use std::path::Path;
use support::framework::{Framework, amount};
use support::pair::Pair;
use support::{http_json, until};

/// A master and an agent.
struct Cluster {
    master: String,
    agent: String,
    _running: Pair,
    folder: tempfile::TempDir,
}

impl Cluster {
    fn start() -> Cluster {
        let folder = tempfile::tempdir().unwrap();
        let resources = "--resources=cpus:2;mem:512;disk:512";
        let agent = [resources, "--http_heartbeat_interval=500ms"];
        let pair = Pair::start(folder.path(), &[], &agent);
        Cluster {
            master: pair.master.clone(),
            agent: pair.agent.clone(),
            _running: pair,
            folder,
        }
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How a framework describes itself.
    fn info(&self) -> Value {
        let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap();
        json!({
            "user": user.map(|user| user.name),
            "name": "outcomes",
            "capabilities": [{ "type": "TASK_KILLING_STATE" }, { "type": "PARTITION_AWARE" }],
        })
    }

    fn framework(&self) -> Framework {
        Framework::subscribe(&self.master, &self.info())
    }

    /// The page of the one executor that runs on the agent.
    fn executor(&self) -> Value {
        until("the executor is there", || {
            let state = http_json(&self.agent, "/state")?;
            let executor = &state["frameworks"][0]["executors"][0];
            executor.is_object().then(|| executor.clone())
        })
    }
}

/// A little of everything that a task needs.
fn little() -> [Value; 2] {
    [amount("cpus", 0.1), amount("mem", 16.0)]
}

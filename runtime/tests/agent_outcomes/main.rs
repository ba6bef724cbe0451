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
use support::{Running, free_ports, http_json, tepui, until};

/// A master and an agent.
struct Cluster {
    master: String,
    agent: String,
    _running: Vec<Running>,
    folder: tempfile::TempDir,
}

impl Cluster {
    fn start() -> Cluster {
        let folder = tempfile::tempdir().unwrap();
        let ports = free_ports(2);
        let at = |name: &str| folder.path().join(name);
        let mut master = tepui();
        master
            .arg("master")
            .arg(format!("--port={}", ports[0]))
            .arg(format!("--work_dir={}", at("master").display()));
        let master = Running::start(&mut master, &at("master.log"));
        let mut agent = tepui();
        agent
            .arg("agent")
            .arg(format!("--port={}", ports[1]))
            .arg(format!("--master=127.0.0.1:{}", ports[0]))
            .arg(format!("--work_dir={}", at("agent").display()))
            .arg("--resources=cpus:2;mem:512;disk:512")
            .arg("--http_heartbeat_interval=500ms");
        let agent = Running::start(&mut agent, &at("agent.log"));
        let cluster = Cluster {
            master: format!("127.0.0.1:{}", ports[0]),
            agent: format!("127.0.0.1:{}", ports[1]),
            _running: vec![master, agent],
            folder,
        };
        until("the agent is registered", || {
            let slaves = http_json(&cluster.master, "/slaves")?;
            (slaves["slaves"][0]["active"] == true).then_some(())
        });
        cluster
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

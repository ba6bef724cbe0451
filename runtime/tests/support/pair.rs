//! A master and its one agent, as processes of their own.

use super::{Running, free_ports, http_json, tepui, until};
use std::path::Path;

/// Both, and where they are.
pub struct Pair {
    /// The master's `host:port`.
    pub master: String,
    /// The agent's `host:port`.
    pub agent: String,
    /// The agent's id.
    pub agent_id: String,
    /// The master's process.
    pub master_runs: Running,
    /// The agent's process.
    pub agent_runs: Running,
}

impl Pair {
    /// Starts both with these flags besides those that lead them to each other, and waits until
    /// the agent is registered. Below `folder` they keep what they keep, and their logs.
    pub fn start(folder: &Path, master_flags: &[&str], agent_flags: &[&str]) -> Pair {
        let [master, agent] = free_ports(2)[..] else {
            unreachable!("as many as asked for");
        };
        let start = |role: &str, port: u16, flags: &[&str]| {
            let mut command = tepui();
            command
                .arg(role)
                .arg(format!("--port={port}"))
                .arg(format!("--work_dir={}", folder.join(role).display()))
                .args(flags);
            Running::start(&mut command, &folder.join(format!("{role}.log")))
        };
        let address = format!("127.0.0.1:{master}");
        let master_runs = start("master", master, master_flags);
        let leads = format!("--master={address}");
        let agent_runs = start("agent", agent, &[&[leads.as_str()], agent_flags].concat());
        let agent_id = until("the agent is registered", || {
            let slaves = http_json(&address, "/slaves")?;
            let agent = &slaves["slaves"][0];
            let active = agent["active"] == true;
            active.then(|| agent["id"].as_str().map(str::to_owned))?
        });
        Pair {
            master: address,
            agent: format!("127.0.0.1:{agent}"),
            agent_id,
            master_runs,
            agent_runs,
        }
    }
}

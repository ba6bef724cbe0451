//! A cluster of real processes on this host, each of which can be killed and started again.

use crate::http::client;
use serde_json::Value;
use std::fs::OpenOptions;
use std::io;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Between two looks at a node.
const LOOK_PAUSE: Duration = Duration::from_millis(2);

/// What a cluster is made of.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The binary.
    pub binary: PathBuf,
    /// Where everything goes.
    pub folder: PathBuf,
    /// How many masters.
    pub masters: usize,
    /// How many agents.
    pub agents: usize,
    /// What each agent offers.
    pub resources: String,
    /// Further flags of masters.
    pub master_flags: Vec<String>,
}

/// One process.
#[derive(Debug)]
struct Node {
    name: String,
    arguments: Vec<String>,
    address: String,
    child: Option<Child>,
}

/// The processes.
#[derive(Debug)]
pub struct Cluster {
    plan: Plan,
    nodes: Vec<Node>,
}

impl Cluster {
    /// Starts all of them on free ports.
    ///
    /// # Errors
    /// When the host refuses.
    pub fn start(plan: Plan) -> io::Result<Cluster> {
        let ports = free_ports(plan.masters + plan.agents)?;
        let (masters, agents) = ports.split_at(plan.masters);
        let addresses: Vec<String> = masters.iter().map(|p| format!("127.0.0.1:{p}")).collect();
        let members: Vec<String> = (1..)
            .zip(&addresses)
            .map(|(id, a)| format!("{id}={a}"))
            .collect();
        let mut nodes = Vec::new();
        for (n, port) in masters.iter().enumerate() {
            let mut arguments = vec![
                String::from("master"),
                format!("--id={}", n + 1),
                format!("--masters={}", members.join(",")),
                format!("--port={port}"),
            ];
            arguments.extend(plan.master_flags.iter().cloned());
            nodes.push((format!("master-{}", n + 1), *port, arguments));
        }
        for (n, port) in agents.iter().enumerate() {
            let arguments = vec![
                String::from("agent"),
                format!("--master={}", addresses.join(",")),
                format!("--port={port}"),
                format!("--resources={}", plan.resources),
                String::from("--kill_on_exit"),
            ];
            nodes.push((format!("agent-{}", n + 1), *port, arguments));
        }
        let node = |(name, port, mut arguments): (String, u16, Vec<String>)| {
            let folder = plan.folder.join(&name);
            arguments.push(format!("--work_dir={}", folder.display()));
            Node {
                name,
                arguments,
                address: format!("127.0.0.1:{port}"),
                child: None,
            }
        };
        let nodes = nodes.into_iter().map(node).collect();
        let mut cluster = Cluster { plan, nodes };
        for index in 0..cluster.nodes.len() {
            cluster.restart(index)?;
        }
        Ok(cluster)
    }

    /// Starts a node that does not run, with the same flags as before.
    ///
    /// # Errors
    /// When the host refuses.
    pub fn restart(&mut self, index: usize) -> io::Result<()> {
        let node = &mut self.nodes[index];
        assert!(node.child.is_none(), "{} runs", node.name);
        let log = self.plan.folder.join(format!("{}.log", node.name));
        let log = OpenOptions::new().create(true).append(true).open(log)?;
        let child = Command::new(&self.plan.binary)
            .arg0("tepui")
            .args(&node.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .process_group(0)
            .spawn()?;
        node.child = Some(child);
        Ok(())
    }

    /// SIGKILL. Returns when it was sent.
    ///
    /// # Errors
    /// When the node does not run.
    pub fn kill(&mut self, index: usize) -> io::Result<Instant> {
        let mut child = self.nodes[index]
            .child
            .take()
            .ok_or(io::ErrorKind::NotFound)?;
        let at = Instant::now();
        child.kill()?;
        child.wait()?;
        Ok(at)
    }

    /// The masters' addresses.
    #[must_use]
    pub fn masters(&self) -> Vec<String> {
        let masters = &self.nodes[..self.plan.masters];
        masters.iter().map(|node| node.address.clone()).collect()
    }

    /// The agents' indices.
    #[must_use]
    pub fn agents(&self) -> std::ops::Range<usize> {
        self.plan.masters..self.nodes.len()
    }

    /// A node's address.
    #[must_use]
    pub fn address(&self, index: usize) -> &str {
        &self.nodes[index].address
    }

    /// The node's metrics, if it runs and answers.
    pub async fn metrics(&self, index: usize) -> Option<Value> {
        self.ask(index, "/metrics/snapshot").await
    }

    /// What the node answers, if it runs and answers with 200.
    pub async fn ask(&self, index: usize, path: &str) -> Option<Value> {
        let node = &self.nodes[index];
        node.child.as_ref()?;
        let answer = client::get(&node.address, path).await.ok()?;
        if !answer.status.is_success() {
            return None;
        }
        serde_json::from_slice(&answer.body).ok()
    }

    /// Which master leads, if any says that it does.
    pub async fn leader(&self) -> Option<usize> {
        for index in 0..self.plan.masters {
            if let Some(metrics) = self.metrics(index).await
                && metrics["master/elected"] == 1.0
            {
                return Some(index);
            }
        }
        None
    }

    /// Waits for a leader.
    ///
    /// # Errors
    /// When there is none in time.
    pub async fn wait_for_leader(&self, patience: Duration) -> Result<(usize, Instant), String> {
        let start = Instant::now();
        loop {
            if let Some(index) = self.leader().await {
                return Ok((index, Instant::now()));
            }
            if start.elapsed() > patience {
                return Err(String::from("nobody leads"));
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
    }

    /// Waits until `leader` counts all agents as registered.
    ///
    /// # Errors
    /// When they do not come in time.
    pub async fn wait_for_agents(
        &self,
        leader: usize,
        patience: Duration,
    ) -> Result<Instant, String> {
        let start = Instant::now();
        loop {
            let metrics = self.metrics(leader).await.unwrap_or_default();
            if metrics["master/slaves_active"] == self.plan.agents as f64 {
                return Ok(Instant::now());
            }
            if start.elapsed() > patience {
                return Err(format!("agents are missing: {metrics}"));
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
    }

    /// Waits until every master votes and has applied as much of the log as the others.
    ///
    /// # Errors
    /// When one lags for too long.
    pub async fn wait_for_replicas(&self, patience: Duration) -> Result<(), String> {
        let start = Instant::now();
        loop {
            let mut applied = Vec::new();
            for index in 0..self.plan.masters {
                let metrics = self.metrics(index).await;
                let voting = metrics.filter(|m| m["registrar/log/recovered"] == 1.0);
                applied.push(voting.map(|metrics| metrics["log/applied"].clone()));
            }
            let level = applied
                .iter()
                .all(|one| one.is_some() && *one == applied[0]);
            if level {
                return Ok(());
            }
            if start.elapsed() > patience {
                return Err(format!("replicas differ: {applied:?}"));
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
    }

    /// What all nodes logged, for people.
    #[must_use]
    pub fn logs(&self) -> String {
        let mut text = String::new();
        for node in &self.nodes {
            let path = self.plan.folder.join(format!("{}.log", node.name));
            let log = std::fs::read_to_string(path).unwrap_or_default();
            text.push_str(&format!("--- {} ---\n{log}", node.name));
        }
        text
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Agents first, so that they end their tasks; by name order they come last.
        for node in self.nodes.iter_mut().rev() {
            let Some(mut child) = node.child.take() else {
                continue;
            };
            if let Some(pid) = rustix::process::Pid::from_raw(child.id() as i32) {
                // One that ended by itself needs no signal.
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            }
            let start = Instant::now();
            while matches!(child.try_wait(), Ok(None)) && start.elapsed().as_secs() < 15 {
                std::thread::sleep(Duration::from_millis(5));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Different ports that nobody listens on now.
///
/// # Errors
/// When there are none.
pub fn free_ports(count: usize) -> io::Result<Vec<u16>> {
    let bind = |_| TcpListener::bind("127.0.0.1:0");
    let listeners: Vec<TcpListener> = (0..count).map(bind).collect::<io::Result<_>>()?;
    let port = |listener: &TcpListener| Ok(listener.local_addr()?.port());
    listeners.iter().map(port).collect()
}

/// The binary that runs now.
#[must_use]
pub fn own_binary() -> &'static Path {
    Path::new("/proc/self/exe")
}

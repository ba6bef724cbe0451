//! A real ZooKeeper, three masters that name their leader there, and an unmodified Mesos client
//! that finds it through `zk://` and again after the leader is killed with -9.
//!
//! ZooKeeper comes from the distribution's package; the client's Python environment is found as
//! in the acceptance tests (`TEPUI_ACCEPT_VENV`). Where one is missing the test says so.
#![cfg(feature = "zookeeper")]

#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use support::{PATIENCE, Running, free_ports, until};
use tepui_runtime::measure::cluster::{Cluster, Plan};
use tepui_runtime::zookeeper::{Address, leader};

/// Where Debian and its children put ZooKeeper and what it needs.
const JARS: &str = "/usr/share/java";

fn jars() -> Option<String> {
    let installed = Path::new(JARS).join("zookeeper.jar").exists();
    let java = Command::new("java").arg("-version").output().is_ok();
    (installed && java).then(|| format!("/etc/zookeeper/conf:{JARS}/*"))
}

struct ZooKeeper {
    port: u16,
    _process: Running,
}

impl ZooKeeper {
    fn start(folder: &Path, jars: &str) -> ZooKeeper {
        let port = free_ports(1)[0];
        let data = folder.join("zookeeper");
        fs::create_dir_all(&data).unwrap();
        let settings = folder.join("zoo.cfg");
        let text = format!(
            "tickTime=500\ndataDir={}\nclientPort={port}\nclientPortAddress=127.0.0.1\n\
             admin.enableServer=false\n",
            data.display()
        );
        fs::write(&settings, text).unwrap();
        let mut command = Command::new("java");
        command
            .args(["-Xmx128m", "-cp", jars])
            .arg("org.apache.zookeeper.server.quorum.QuorumPeerMain")
            .arg(&settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let process = Running::start(&mut command, &folder.join("zookeeper.log"));
        until("ZooKeeper listens", || {
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        ZooKeeper {
            port,
            _process: process,
        }
    }
}

fn venv() -> Option<PathBuf> {
    let folder = std::env::var_os("TEPUI_ACCEPT_VENV").map(PathBuf::from)?;
    let python = folder.join("bin/python");
    python.exists().then_some(python)
}

/// Waits until ZooKeeper names `address`.
async fn named(zookeeper: &Address, address: &str) {
    let start = std::time::Instant::now();
    loop {
        let found = leader(zookeeper, Duration::from_secs(5)).await;
        if found.as_deref() == Ok(address) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{found:?} instead of {address}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn clients_find_the_leader_in_zookeeper_and_again_after_its_death() {
    let Some(jars) = jars() else {
        println!("skipped: no ZooKeeper (Debian's package zookeeper) or no java on this host");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let zookeeper = ZooKeeper::start(folder.path(), &jars);
    let url = format!("zk://127.0.0.1:{}/tepui", zookeeper.port);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(follow(folder.path(), &url));
}

async fn follow(folder: &Path, url: &str) {
    let mut cluster = Cluster::start(Plan {
        binary: PathBuf::from(env!("CARGO_BIN_EXE_tepui")),
        folder: folder.to_owned(),
        masters: 3,
        agents: 1,
        resources: String::from("cpus:4;mem:4096;disk:4096"),
        master_flags: vec![
            format!("--zk={url}"),
            String::from("--zk_session_timeout=4secs"),
        ],
    })
    .unwrap();
    let address: Address = url.parse().unwrap();
    let (first, _) = cluster.wait_for_leader(PATIENCE).await.unwrap();
    named(&address, cluster.address(first)).await;
    cluster.wait_for_agents(first, PATIENCE).await.unwrap();
    let Some(python) = venv() else {
        println!("no client: TEPUI_ACCEPT_VENV names no Python environment; the nodes alone");
        let (second, _) = replace(&mut cluster, first).await;
        named(&address, cluster.address(second)).await;
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/zookeeper/scheduler.py");
    let mut client = Command::new(python)
        .arg(script)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
    let mut expect = |what: &str| {
        let line = lines.next().map(Result::unwrap).unwrap_or_default();
        assert_eq!(line, what, "the client's standard error says why");
    };
    expect("5 tasks run");
    let (second, _) = replace(&mut cluster, first).await;
    named(&address, cluster.address(second)).await;
    expect("subscribed again");
    expect("10 tasks run");
    expect("done");
    assert!(client.wait().unwrap().success());
}

/// Kills the leader and waits for another.
async fn replace(cluster: &mut Cluster, leader: usize) -> (usize, std::time::Instant) {
    cluster.kill(leader).unwrap();
    cluster.wait_for_leader(PATIENCE).await.unwrap()
}

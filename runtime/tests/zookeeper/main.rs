//! A real ZooKeeper, three masters that name their leader there, and an agent, `tepui execute` and
//! an unmodified Mesos client that find it through `zk://` and again after the leader is killed
//! with -9.
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
use support::{PATIENCE, Running, free_ports, http_json, tepui, until};
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
        agents: 0,
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
    let mut agent = agent(folder, url);
    serves(cluster.address(first));
    execute(url);
    if let Some(python) = venv() {
        schedule(&mut cluster, first, &address, python, url).await;
    } else {
        println!("no client: TEPUI_ACCEPT_VENV names no Python environment");
        let (second, _) = replace(&mut cluster, first).await;
        named(&address, cluster.address(second)).await;
    }
    let (leader, _) = cluster.wait_for_leader(PATIENCE).await.unwrap();
    serves(cluster.address(leader));
    // A file may hold what else stands in the flag.
    let file = folder.join("master");
    fs::write(&file, format!("{url}\n")).unwrap();
    execute(&format!("file://{}", file.display()));
    agent.signal(nix::sys::signal::Signal::SIGTERM);
    agent.wait();
}

/// An agent that knows nothing but ZooKeeper's address.
fn agent(folder: &Path, url: &str) -> Running {
    let mut command = tepui();
    command
        .arg("agent")
        .arg(format!("--port={}", free_ports(1)[0]))
        .arg(format!("--master={url}"))
        .arg(format!("--work_dir={}", folder.join("agent").display()))
        .arg("--kill_on_exit")
        .arg("--resources=cpus:4;mem:4096;disk:4096");
    Running::start(&mut command, &folder.join("agent.log"))
}

/// Waits until the agent serves this leader.
fn serves(leader: &str) {
    let look = || {
        let slaves = http_json(leader, "/slaves")?;
        (slaves["slaves"][0]["active"] == true).then_some(())
    };
    // Each look has a runtime of its own, which cannot be within another.
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| until("the agent has found the leader", look));
        looking.join().unwrap();
    });
}

/// A command finds its way through ZooKeeper too, and so does its output.
fn execute(master: &str) {
    let output = tepui()
        .arg("execute")
        .arg(format!("--master={master}"))
        .arg("--resources=cpus:0.1;mem:32")
        .arg("--command=echo found")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "found\n", "{said}");
}

/// An unmodified scheduler, which the leader's death does not stop.
async fn schedule(
    cluster: &mut Cluster,
    first: usize,
    address: &Address,
    python: PathBuf,
    url: &str,
) {
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
    let (second, _) = replace(cluster, first).await;
    named(address, cluster.address(second)).await;
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

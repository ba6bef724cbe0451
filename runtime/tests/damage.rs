//! Bit rot in the middle of a real master's journal: repaired from its peers, or the master stops
//! with a clear message where there are none. It is never served.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use support::{PATIENCE, Running, free_ports, http_json, tepui, until};
use tepui_core::journal::{self, HEADER_BYTES, Tail};
use tepui_runtime::measure::cluster::{Cluster, Plan};

/// The journal in a master's work directory, and which file it is.
fn journal_of(work_dir: &Path) -> (PathBuf, u64) {
    let names = fs::read_dir(work_dir.join("log")).unwrap();
    let paths = names.map(|entry| entry.unwrap().path());
    let numbered = paths.filter_map(|path| {
        let name = path.file_name()?.to_str()?.strip_prefix("journal-")?;
        let file = name.parse::<u64>().ok()?;
        Some((path, file))
    });
    numbered.max_by_key(|(_, file)| *file).unwrap()
}

/// Flips one bit of an early record's payload.
fn rot(work_dir: &Path) {
    let (path, file) = journal_of(work_dir);
    let mut bytes = fs::read(&path).unwrap();
    let scan = journal::scan(&bytes, file);
    assert_eq!(scan.tail, Tail::Clean);
    assert!(
        scan.records.len() >= 4,
        "something must vouch for the damaged record"
    );
    bytes[scan.records[1].at + HEADER_BYTES] ^= 0x10;
    let rotten = journal::scan(&bytes, file);
    assert!(
        matches!(rotten.tail, Tail::Corrupt { .. }),
        "{:?}",
        rotten.tail
    );
    fs::write(&path, &bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_journal_is_repaired_from_peers() {
    let folder = tempfile::tempdir().unwrap();
    let mut cluster = Cluster::start(Plan {
        binary: env!("CARGO_BIN_EXE_tepui").into(),
        folder: folder.path().to_owned(),
        masters: 3,
        agents: 1,
        resources: String::from("cpus:1;mem:64;disk:64"),
        master_flags: Vec::new(),
    })
    .unwrap();
    let (leader, _) = cluster.wait_for_leader(PATIENCE).await.unwrap();
    cluster.wait_for_agents(leader, PATIENCE).await.unwrap();
    cluster.wait_for_replicas(PATIENCE).await.unwrap();
    let before = agents(&cluster, leader).await;
    let victim = (leader + 1) % 3;
    let work_dir = folder.path().join(format!("master-{}", victim + 1));
    cluster.kill(victim).unwrap();
    rot(&work_dir);
    cluster.restart(victim).unwrap();
    cluster.wait_for_replicas(PATIENCE).await.unwrap();
    assert!(cluster.logs().contains("the disk is damaged"));

    // The repaired master is as good as any: with it and only one other there is a leader.
    let other = (leader + 2) % 3;
    cluster.kill(other).unwrap();
    cluster.kill(leader).unwrap();
    cluster.restart(other).unwrap();
    let (new, _) = cluster.wait_for_leader(PATIENCE).await.unwrap();
    cluster.wait_for_agents(new, PATIENCE).await.unwrap();
    assert_eq!(agents(&cluster, new).await, before);
    let (path, file) = journal_of(&work_dir);
    let scan = journal::scan(&fs::read(path).unwrap(), file);
    assert!(
        !matches!(scan.tail, Tail::Corrupt { .. }),
        "{:?}",
        scan.tail
    );
}

/// Who is registered, and with what.
async fn agents(cluster: &Cluster, master: usize) -> Vec<(String, String)> {
    let page = cluster.ask(master, "/slaves").await.unwrap();
    let agents = page["slaves"].as_array().unwrap().iter();
    agents
        .map(|agent| (agent["id"].to_string(), agent["resources"].to_string()))
        .collect()
}

#[test]
fn a_damaged_journal_without_peers_stops_its_master() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_ports(1)[0];
    let work_dir = folder.path().join("master");
    let start = || {
        let mut command = tepui();
        command
            .arg("master")
            .arg(format!("--port={port}"))
            .arg(format!("--work_dir={}", work_dir.display()));
        Running::start(&mut command, &folder.path().join("master.log"))
    };
    for _ in 0..2 {
        let mut master = start();
        until("it leads", || {
            let metrics = http_json(&format!("127.0.0.1:{port}"), "/metrics/snapshot")?;
            (metrics["master/elected"] == 1.0).then_some(())
        });
        master.kill();
    }
    rot(&work_dir);
    for _ in 0..2 {
        let mut master = start();
        assert_eq!(master.wait(), 1);
        let log = master.log_text();
        assert!(log.contains("the journal is damaged at byte"), "{log}");
        assert!(log.contains("restore --work_dir from a copy"), "{log}");
    }
}

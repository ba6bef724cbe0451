//! Three masters and two agents as real processes: 50 tasks, the leader killed with -9 twice, an
//! agent once. No running task is lost or run twice, no acknowledged registry write is lost,
//! offers flow again after each kill.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use support::{PATIENCE, processes_with, until};
use tepui_core::ids::TaskId;
use tepui_core::model::{CommandInfo, TaskState};
use tepui_core::resources::{Resources, Role};
use tepui_runtime::measure::cluster::{Cluster, Plan};
use tepui_runtime::measure::probe::{Running, Template, What};

const TASKS: u64 = 50;

struct Test {
    cluster: Cluster,
    probe: Running,
    launched: u64,
}

impl Test {
    async fn leader(&self) -> usize {
        let (leader, _) = self.cluster.wait_for_leader(PATIENCE).await.unwrap();
        leader
    }

    /// Launches more tasks, and waits until all that were ever launched run.
    async fn launch(&mut self, more: u64) {
        self.launched += more;
        let wanted = self.launched;
        self.probe.launch(more).await;
        let all_run = |_: &What, tasks: &BTreeMap<TaskId, TaskState>| {
            let ended = tasks.iter().find(|(_, state)| state.is_terminal());
            assert_eq!(ended, None, "no task ends by itself");
            let running = tasks.values().filter(|state| **state == TaskState::Running);
            running.count() as u64 == wanted
        };
        self.probe.until(PATIENCE, all_run).await.unwrap();
    }

    /// Waits until the framework is offered something by the new leader.
    async fn offered_again(&mut self, since: Instant) {
        let subscribed = |what: &What, _: &_| matches!(what, What::Subscribed(_));
        let at = self.probe.until(PATIENCE, subscribed).await.unwrap();
        println!("  subscribed after {:?}", at - since);
        let offered = |what: &What, _: &_| matches!(what, What::Offers(_));
        let at = self.probe.until(PATIENCE, offered).await.unwrap();
        println!("  offered after {:?}", at - since);
    }

    async fn kill_leader(&mut self) {
        let before = self.registry(self.leader().await).await;
        self.probe.catch_up();
        let old = self.leader().await;
        let killed = self.cluster.kill(old).unwrap();
        println!("killed the leader, master {}", old + 1);
        let (new, led) = self.cluster.wait_for_leader(PATIENCE).await.unwrap();
        println!("  master {} leads after {:?}", new + 1, led - killed);
        let back = self.cluster.wait_for_agents(new, PATIENCE).await.unwrap();
        println!("  agents are back after {:?}", back - killed);
        self.offered_again(killed).await;
        let after = self.registry(new).await;
        assert_eq!(before.agents, after.agents, "an admission was lost");
        assert!(before.version <= after.version, "a registry write was lost");
        self.cluster.restart(old).unwrap();
        self.cluster.wait_for_replicas(PATIENCE).await.unwrap();
    }

    async fn kill_agent(&mut self) {
        let leader = self.leader().await;
        let before = self.registry(leader).await;
        self.probe.catch_up();
        let agent = self.cluster.agents().start;
        let killed = self.cluster.kill(agent).unwrap();
        println!("killed an agent");
        tokio::time::sleep(Duration::from_millis(300)).await;
        self.cluster.restart(agent).unwrap();
        loop {
            let metrics = self.cluster.ask(agent, "/metrics/snapshot").await;
            if metrics.unwrap_or_default()["slave/registered"] == 1.0 {
                break;
            }
            assert!(killed.elapsed() < PATIENCE, "the agent did not come back");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        println!("  the agent is back after {:?}", killed.elapsed());
        let after = self.registry(leader).await;
        assert_eq!(before.agents, after.agents, "the agent keeps its id");
    }

    async fn registry(&self, leader: usize) -> Registry {
        let slaves = self.cluster.ask(leader, "/slaves").await.unwrap();
        let metrics = self.cluster.metrics(leader).await.unwrap();
        let id = |agent: &serde_json::Value| agent["id"].as_str().unwrap().to_owned();
        Registry {
            version: metrics["registrar/version"].as_f64().unwrap() as u64,
            agents: slaves["slaves"]
                .as_array()
                .unwrap()
                .iter()
                .map(id)
                .collect(),
        }
    }
}

struct Registry {
    version: u64,
    agents: BTreeSet<String>,
}

fn runs(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_nothing_and_offers_flow_again() {
    let folder = tempfile::tempdir().unwrap();
    let (run_folder, go) = (folder.path().join("runs"), folder.path().join("go"));
    fs::create_dir(&run_folder).unwrap();
    let cluster = Cluster::start(Plan {
        binary: env!("CARGO_BIN_EXE_tepui").into(),
        folder: folder.path().to_owned(),
        masters: 3,
        agents: 2,
        resources: String::from("cpus:4;mem:2048;disk:1024"),
        master_flags: Vec::new(),
    })
    .unwrap();
    // One line for each run, however it came to be.
    let line = format!(
        "echo run >> {}/$MESOS_TASK_ID; while [ ! -e {} ]; do sleep 0.2; done",
        run_folder.display(),
        go.display()
    );
    let template = Template {
        resources: Resources::parse("cpus:0.1;mem:16", &Role::any()).unwrap(),
        command: CommandInfo::shell(&line),
    };
    let probe = Running::start(cluster.masters(), template).unwrap();
    let mut test = Test {
        cluster,
        probe,
        launched: 0,
    };
    let leader = test.leader().await;
    let patience = PATIENCE;
    test.cluster
        .wait_for_agents(leader, patience)
        .await
        .unwrap();
    test.launch(20).await;
    test.kill_leader().await;
    test.launch(10).await;
    test.kill_agent().await;
    test.launch(10).await;
    test.kill_leader().await;
    test.launch(TASKS - 40).await;
    for index in 0..5 {
        let found = test.cluster.ask(index, "/debug/invariants").await.unwrap();
        assert_eq!(found, serde_json::json!({ "violations": [] }));
    }

    fs::write(&go, "").unwrap();
    let all_end = |_: &What, tasks: &BTreeMap<TaskId, TaskState>| {
        let finished = tasks.values().filter(|s| **s == TaskState::Finished);
        finished.count() as u64 == TASKS
    };
    test.probe.until(PATIENCE, all_end).await.unwrap();
    let runs = runs(&run_folder);
    assert_eq!(runs.len() as u64, TASKS);
    let twice = runs.iter().find(|(_, text)| *text != "run\n");
    assert_eq!(twice, None, "each task runs once");

    test.probe.teardown().await;
    drop(test);
    let left = || processes_with(folder.path().to_str().unwrap());
    until("all processes are gone", || left().is_empty().then_some(()));
}

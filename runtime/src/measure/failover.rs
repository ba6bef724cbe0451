//! How long a cluster is without a leader, agents, framework and offers when its leader is killed.

use super::Figures;
use super::cluster::{Cluster, Plan, own_binary};
use super::probe::{Running, Template, What};
use serde::Serialize;
use std::path::Path;
use std::time::Duration;
use tepui_core::model::{CommandInfo, TaskState};
use tepui_core::resources::{Resources, Role};

/// How long anything may take before the measurement is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was measured, all from the kill on.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// How often the leader was killed.
    pub kills: usize,
    /// How many agents and tasks there were meanwhile.
    pub agents: usize,
    /// How many tasks ran meanwhile.
    pub tasks: usize,
    /// Until another master leads.
    pub new_leader: Figures,
    /// Until all agents are registered with it.
    pub agents_back: Figures,
    /// Until the scheduler is subscribed.
    pub scheduler_subscribed: Figures,
    /// Until its first offer.
    pub first_offer: Figures,
    /// Tasks that did not run on through all of it; must be 0.
    pub tasks_lost: usize,
}

/// Kills the leader `kills` times.
///
/// # Errors
/// Says what did not come back.
pub async fn measure(kills: usize, agents: usize, tasks: u64) -> Result<Report, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut cluster = Cluster::start(Plan {
        binary: own_binary().to_owned(),
        folder: folder.path().to_owned(),
        masters: 3,
        agents,
        resources: String::from("cpus:8;mem:4096;disk:4096"),
        master_flags: Vec::new(),
    })
    .map_err(|error| error.to_string())?;
    let result = rounds(&mut cluster, kills, agents, tasks).await;
    result.map_err(|error| format!("{error}\n{}", cluster.logs()))
}

async fn rounds(
    cluster: &mut Cluster,
    kills: usize,
    agents: usize,
    tasks: u64,
) -> Result<Report, String> {
    let (mut leader, _) = cluster.wait_for_leader(PATIENCE).await?;
    cluster.wait_for_agents(leader, PATIENCE).await?;
    let template = Template {
        resources: Resources::parse("cpus:0.1;mem:16", &Role::any())
            .map_err(|error| error.to_string())?,
        command: CommandInfo::shell("exec sleep 10000"),
    };
    let mut probe =
        Running::start(cluster.masters(), template).map_err(|error| error.to_string())?;
    probe.launch(tasks).await;
    if tasks > 0 {
        let all_run = |_: &What, all: &std::collections::BTreeMap<_, TaskState>| {
            let running = all.values().filter(|state| **state == TaskState::Running);
            running.count() as u64 == tasks
        };
        probe.until(PATIENCE, all_run).await?;
    }
    let mut series: [Vec<Duration>; 4] = Default::default();
    for _ in 0..kills {
        cluster.wait_for_replicas(PATIENCE).await?;
        // Let the restarted master's links settle: a kill every second is no rest, nor is it one.
        tokio::time::sleep(Duration::from_millis(500)).await;
        probe.catch_up();
        let killed = cluster.kill(leader).map_err(|error| error.to_string())?;
        let old = leader;
        let (new, led) = cluster.wait_for_leader(PATIENCE).await?;
        leader = new;
        let back = cluster.wait_for_agents(leader, PATIENCE).await?;
        let subscribed = |what: &What, _: &_| matches!(what, What::Subscribed(_));
        let subscribed = probe.until(PATIENCE, subscribed).await?;
        let offered = |what: &What, _: &_| matches!(what, What::Offers(_));
        let offered = probe.until(PATIENCE, offered).await?;
        for (series, at) in series.iter_mut().zip([led, back, subscribed, offered]) {
            series.push(at.saturating_duration_since(killed));
        }
        cluster.restart(old).map_err(|error| error.to_string())?;
    }
    probe.catch_up();
    let running = probe.count(TaskState::Running);
    let [new_leader, agents_back, subscribed, first_offer] = series.map(Figures::of);
    Ok(Report {
        kills,
        agents,
        tasks: tasks as usize,
        new_leader,
        agents_back,
        scheduler_subscribed: subscribed,
        first_offer,
        tasks_lost: tasks as usize - running,
    })
}

/// Where the figures of a run go.
///
/// # Errors
/// When they cannot be written.
pub fn write<T: Serialize>(report: &T, path: Option<&Path>) -> Result<(), String> {
    let text = serde_json::to_string_pretty(report).map_err(|error| error.to_string())?;
    match path {
        Some(path) => std::fs::write(path, text + "\n")
            .map_err(|error| format!("cannot write {}: {error}", path.display())),
        None => {
            println!("{text}");
            Ok(())
        }
    }
}

//! `/metrics/snapshot`, with Mesos' names.

mod leader;
mod placement;

use crate::http::ending;
use crate::http::master::MasterHttp;
use crate::http::reply::{Parameters, json};
use axum::extract::{RawQuery, State};
use axum::response::Response;
use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use tepui_core::allocator::Figures;
use tepui_core::ids::AgentId;
use tepui_core::log::Status;
use tepui_core::master::MasterNode;
use tepui_core::master::leading::{AgentPart, FrameworkFigures, Leading, Summary};
use tepui_core::model::{AgentMark, Offer, OperationState, Quota, TaskState};
use tepui_core::placement::Mix;
use tepui_core::registry::{Registrar, Registry};
use tepui_core::resources::{Resources, Role, Value};
use tepui_core::wire;

/// Answers `/metrics/snapshot`.
pub async fn snapshot(State(master): State<MasterHttp>, RawQuery(query): RawQuery) -> Response {
    let asked = Parameters::read(query.as_deref().unwrap_or_default());
    match all(&master).await {
        Some(metrics) => json(&metrics, asked.jsonp()),
        None => ending(),
    }
}

/// What the node says of itself: cheap, whatever the cluster's size.
#[derive(Default)]
struct Seen {
    elected: bool,
    summary: Summary,
    frameworks_connected: usize,
    agents: Vec<AgentPart>,
    offers: Vec<Arc<Offer>>,
    applied: u64,
    leader: u32,
    recovered: bool,
    ensemble_size: usize,
    registry_version: u64,
    /// What it was told of the registry's size, which is counted again for another version only.
    registry_bytes: usize,
    operations_queued: usize,
    removals_waiting: usize,
    marked: BTreeMap<AgentId, AgentMark>,
    quotas: BTreeMap<Role, Quota>,
    allocator: Figures,
    frameworks: Vec<FrameworkFigures>,
    operations: BTreeMap<(&'static str, OperationState), usize>,
    mix: Mix,
}

fn see(node: &MasterNode, size: &RegistrySize) -> Seen {
    let leading = node.leading();
    let agents = leading.map(|leading| leading.snapshot_of_agents().agents);
    let offers = leading.map(|leading| {
        let offers = leading.standing_offers();
        offers.map(|(_, offer)| offer.clone()).collect()
    });
    Seen {
        elected: leading.is_some(),
        summary: leading.map(Leading::summary).unwrap_or_default(),
        frameworks_connected: leading.map_or(0, Leading::frameworks_connected),
        agents: agents.unwrap_or_default(),
        offers: offers.unwrap_or_default(),
        applied: node.applied().0,
        leader: node.leader().map_or(0, |leader| leader.id.0),
        recovered: node.log().status() == Status::Voting,
        ensemble_size: node.log().membership().masters().len(),
        registry_version: node.registry().version(),
        registry_bytes: size.of(node.registry()),
        operations_queued: node.registrar().map_or(0, Registrar::pending),
        removals_waiting: leading.map_or(0, Leading::removals_waiting),
        marked: node.registry().operator().marks.clone(),
        quotas: node.registry().operator().quotas.clone(),
        allocator: leading.map(Leading::allocator_figures).unwrap_or_default(),
        frameworks: leading.map(Leading::framework_figures).unwrap_or_default(),
        operations: leading.map(Leading::operation_counts).unwrap_or_default(),
        mix: leading.map_or_else(Mix::default, |leading| leading.task_mix().clone()),
    }
}

/// How large the registry is, written out: counted once for each version that anybody asks of.
#[derive(Clone, Debug, Default)]
pub struct RegistrySize(Arc<Mutex<(u64, usize)>>);

impl RegistrySize {
    fn of(&self, registry: &Registry) -> usize {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.0 != registry.version() {
            let admitted = registry.admitted().values();
            let unreachable = registry.unreachable().values();
            let bytes = wire::encoded_len(registry.operator())
                + wire::encoded_len(registry.gone())
                + admitted.map(|one| wire::encoded_len(&**one)).sum::<usize>()
                + unreachable.map(wire::encoded_len).sum::<usize>();
            *known = (registry.version(), bytes);
        }
        known.1
    }
}

/// Every metric by its name. `None` when the node has ended.
pub async fn all(master: &MasterHttp) -> Option<BTreeMap<String, f64>> {
    let size = master.registry_size.clone();
    let seen = master.node.inspect(move |node| see(node, &size)).await?;
    let master = master.clone();
    let adding = tokio::task::spawn_blocking(move || {
        let mut metrics = BTreeMap::new();
        let mut add = |name: &str, value: f64| {
            metrics.insert(name.to_owned(), value);
        };
        of_master(&master, &seen, &mut add);
        of_agents(&seen, &mut add);
        of_tasks(&seen.summary, &mut add);
        of_resources(&seen, &mut add);
        leader::tell(&master, &seen, &mut add);
        placement::tell(&seen, &mut add);
        for (name, count) in master.counters.all() {
            add(name, count as f64);
        }
        for name in NEVER {
            add(name, 0.0);
        }
        of_host(&mut add);
        metrics
    });
    adding.await.ok()
}

/// What a master of ours never does, it does zero times: it authenticates nobody and limits no
/// removals of agents that a former leader knew.
/// Its agents say what they have when they register, and neither its allocator nor the leader
/// itself has a queue of its own.
const NEVER: [&str; 13] = [
    "allocator/event_queue_dispatches",
    "allocator/mesos/event_queue_dispatches",
    "master/event_queue_dispatches",
    "master/messages_update_slave",
    "master/http_cache_hits",
    "master/messages_authenticate",
    "master/messages_deactivate_framework",
    "master/recovery_slave_removals",
    "master/slave_removals/reason_registered",
    "master/slave_shutdowns_canceled",
    "master/slave_shutdowns_completed",
    "master/slave_shutdowns_scheduled",
    "master/frameworks_inactive",
];

fn of_master(master: &MasterHttp, seen: &Seen, add: &mut impl FnMut(&str, f64)) {
    let truth = |value: bool| f64::from(u8::from(value));
    add("master/elected", truth(seen.elected));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.map_or(0.0, |since| since.as_secs_f64());
    add(
        "master/uptime_secs",
        (now - master.about.started_at).max(0.0),
    );
    let (waiting, questions) = (master.node.waiting(), master.node.questions());
    let messages = waiting.saturating_sub(questions);
    add("master/event_queue_messages", messages as f64);
    add("master/event_queue_http_requests", questions as f64);
    let listeners = master.events.listeners() as f64;
    add("master/operator_event_stream_subscribers", listeners);
    add("master/outstanding_offers", seen.offers.len() as f64);
    let (all, connected) = (seen.summary.frameworks, seen.frameworks_connected);
    add("master/frameworks_active", connected as f64);
    add("master/frameworks_connected", connected as f64);
    add("master/frameworks_disconnected", (all - connected) as f64);
    add("registrar/version", seen.registry_version as f64);
    add("registrar/registry_size_bytes", seen.registry_bytes as f64);
    add("registrar/queued_operations", seen.operations_queued as f64);
    add("registrar/log/recovered", truth(seen.recovered));
    add("registrar/log/ensemble_size", seen.ensemble_size as f64);
    add("log/applied", seen.applied as f64);
    add("log/leader", f64::from(seen.leader));
}

fn is_active(seen: &Seen, agent: &AgentPart) -> bool {
    agent.connected && !seen.marked.contains_key(&agent.id)
}

fn of_agents(seen: &Seen, add: &mut impl FnMut(&str, f64)) {
    let all = seen.agents.len();
    let connected = seen.agents.iter().filter(|agent| agent.connected).count();
    let active = seen.agents.iter().filter(|agent| is_active(seen, agent));
    let active = active.count();
    add("master/slaves_active", active as f64);
    add("master/slaves_inactive", (all - active) as f64);
    add("master/slaves_connected", connected as f64);
    add("master/slaves_disconnected", (all - connected) as f64);
    add(
        "master/slaves_unreachable",
        seen.summary.agents_unreachable as f64,
    );
    add("master/slaves_missing", seen.summary.agents_missing as f64);
    add("master/slaves_gone", seen.summary.agents_gone as f64);
}

fn of_tasks(summary: &Summary, add: &mut impl FnMut(&str, f64)) {
    const LIVING: [TaskState; 5] = [
        TaskState::Staging,
        TaskState::Starting,
        TaskState::Running,
        TaskState::Killing,
        TaskState::Unreachable,
    ];
    for (state, count) in TaskState::ALL.iter().zip(summary.tasks) {
        if LIVING.contains(state) {
            let name = state.name().to_lowercase().replacen("task_", "tasks_", 1);
            add(&format!("master/{name}"), count as f64);
        }
    }
}

/// How much of one kind there is, apart from what may be taken back, or only that.
fn amount(resources: &Resources, name: &str, revocable: bool) -> f64 {
    let of_name = resources.iter().filter(|i| i.name() == name);
    let amounts = of_name.filter(|i| i.kind.revocable == revocable);
    amounts
        .map(|item| match &item.value {
            Value::Scalar(scalar) => scalar.to_f64(),
            Value::Ranges(_) | Value::Set(_) => 0.0,
        })
        .sum()
}

fn of_resources(seen: &Seen, add: &mut impl FnMut(&str, f64)) {
    for name in ["cpus", "disk", "gpus", "mem"] {
        for revocable in [false, true] {
            let agents = seen.agents.iter().filter(|agent| is_active(seen, agent));
            let (total, free) = agents.fold((0.0, 0.0), |(total, free), agent| {
                let of = |resources| amount(resources, name, revocable);
                (total + of(&agent.total), free + of(&agent.free))
            });
            let offers = seen.offers.iter();
            let offered: f64 = offers.map(|o| amount(&o.resources, name, revocable)).sum();
            // Three decimals are exact; their sums are not.
            let used = ((total - free - offered).max(0.0) * 1e3).round() / 1e3;
            let kind = if revocable { "_revocable" } else { "" };
            add(&format!("master/{name}{kind}_total"), total);
            add(&format!("master/{name}{kind}_used"), used);
            let share = if total > 0.0 { used / total } else { 0.0 };
            add(&format!("master/{name}{kind}_percent"), share);
            if !revocable && name != "gpus" {
                let at = format!("allocator/mesos/resources/{name}");
                add(&format!("{at}/total"), total);
                add(&format!("{at}/offered_or_allocated"), total - free);
            }
        }
    }
}

/// The host's load and memory.
fn of_host(add: &mut impl FnMut(&str, f64)) {
    let host = Host::read();
    add("system/cpus_total", host.cpus as f64);
    for (name, load) in ["1min", "5min", "15min"].iter().zip(host.loads) {
        add(&format!("system/load_{name}"), load);
    }
    add("system/mem_total_bytes", host.memory_bytes as f64);
    add("system/mem_free_bytes", host.free_bytes as f64);
}

struct Host {
    cpus: usize,
    loads: [f64; 3],
    memory_bytes: u64,
    free_bytes: u64,
}

impl Host {
    fn read() -> Host {
        let loads = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let mut loads = loads.split(' ').map(|load| load.parse().unwrap_or(0.0));
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let bytes = |name: &str| {
            let line = memory.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok());
            kib.unwrap_or(0_u64) * 1024
        };
        Host {
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            loads: std::array::from_fn(|_| loads.next().unwrap_or(0.0)),
            memory_bytes: bytes("MemTotal:"),
            free_bytes: bytes("MemFree:"),
        }
    }
}

/// Answers `/system/stats.json`.
pub async fn system_page(RawQuery(query): RawQuery) -> Response {
    let asked = Parameters::read(query.as_deref().unwrap_or_default());
    let host = Host::read();
    let page = serde_json::json!({
        "avg_load_1min": host.loads[0],
        "avg_load_5min": host.loads[1],
        "avg_load_15min": host.loads[2],
        "cpus_total": host.cpus,
        "mem_free_bytes": host.free_bytes,
        "mem_total_bytes": host.memory_bytes,
    });
    json(&page, asked.jsonp())
}

//! `/metrics/snapshot` of an agent, with Mesos' names.

use super::AgentHttp;
use super::state::used;
use crate::http::reply::{Parameters, json};
use crate::node::book::{Book, ExecutorEntry, TaskEntry};
use axum::extract::{RawQuery, State};
use axum::response::Response;
use std::collections::BTreeMap;
use std::fs;
use tepui_core::model::TaskState;
use tepui_core::resources::{Resources, Value};

/// How long the sandbox of an executor that is over is kept at least.
const SANDBOX_AGE_MAX_SECS: f64 = 544_320.0;

/// Answers `/metrics/snapshot`.
pub async fn snapshot(State(agent): State<AgentHttp>, RawQuery(query): RawQuery) -> Response {
    let asked = Parameters::of(query.as_deref());
    json(&all(&agent).await, asked.jsonp())
}

/// Every metric by its name.
pub async fn all(agent: &AgentHttp) -> BTreeMap<String, f64> {
    let registered = agent
        .node
        .inspect(|node| node.registered_with().is_some())
        .await;
    let mut metrics = BTreeMap::new();
    let mut add = |name: &str, value: f64| {
        metrics.insert(name.to_owned(), value);
    };
    {
        let book = agent.book.lock();
        add(
            "slave/registered",
            f64::from(u8::from(registered == Some(true))),
        );
        add(
            "slave/uptime_secs",
            book.started_at
                .elapsed()
                .map_or(0.0, |age| age.as_secs_f64()),
        );
        add("slave/frameworks_active", book.frameworks.len() as f64);
        of_executors(&book, &mut add);
        of_tasks(&book, &mut add);
        of_resources(&book, &mut add);
        let counts = &book.counts;
        add("slave/valid_status_updates", counts.valid_updates as f64);
        add(
            "slave/invalid_status_updates",
            counts.invalid_updates as f64,
        );
        add(
            "slave/valid_framework_messages",
            counts.valid_messages as f64,
        );
        add("slave/container_launch_errors", counts.launch_errors as f64);
        add(
            "containerizer/fetcher/task_fetches_succeeded",
            counts.fetches_succeeded as f64,
        );
        add(
            "containerizer/fetcher/task_fetches_failed",
            counts.fetches_failed as f64,
        );
    }
    // What an agent of ours never does, does zero times.
    for name in NEVER {
        add(name, 0.0);
    }
    add(
        "slave/executor_directory_max_allowed_age_secs",
        SANDBOX_AGE_MAX_SECS,
    );
    add("slave/recovery_time_secs", agent.recovery_secs);
    of_host(&mut add);
    metrics
}

const NEVER: [&str; 14] = [
    "containerizer/fetcher/cache_size_total_bytes",
    "containerizer/fetcher/cache_size_used_bytes",
    "containerizer/mesos/container_destroy_errors",
    "containerizer/mesos/provisioner/bind/remove_rootfs_errors",
    "containerizer/mesos/provisioner/remove_container_errors",
    "gc/path_removals_failed",
    "gc/path_removals_pending",
    "gc/path_removals_succeeded",
    "resource_provider_manager/events/disconnect",
    "resource_provider_manager/events/subscribe",
    "resource_provider_manager/subscribed",
    "slave/executors_preempted",
    "slave/invalid_framework_messages",
    "slave/recovery_errors",
];

fn executors(book: &Book) -> impl Iterator<Item = &ExecutorEntry> {
    book.frameworks
        .values()
        .flat_map(|framework| framework.executors.values())
}

fn of_executors(book: &Book, add: &mut impl FnMut(&str, f64)) {
    let (mut registering, mut running, mut terminating) = (0.0, 0.0, 0.0);
    for executor in executors(book) {
        let place = match (executor.terminating, executor.pid) {
            (true, _) => &mut terminating,
            (false, None) => &mut registering,
            (false, Some(_)) => &mut running,
        };
        *place += 1.0;
    }
    add("slave/executors_registering", registering);
    add("slave/executors_running", running);
    add("slave/executors_terminating", terminating);
    add(
        "slave/executors_terminated",
        book.counts.executors_terminated as f64,
    );
}

fn of_tasks(book: &Book, add: &mut impl FnMut(&str, f64)) {
    let mut living: BTreeMap<TaskState, f64> = BTreeMap::new();
    for task in executors(book).flat_map(|executor| executor.tasks.values()) {
        *living.entry(TaskEntry::state(task)).or_default() += 1.0;
    }
    let living = |state| living.get(&state).copied().unwrap_or(0.0);
    add("slave/tasks_staging", living(TaskState::Staging));
    add("slave/tasks_starting", living(TaskState::Starting));
    add("slave/tasks_running", living(TaskState::Running));
    add("slave/tasks_killing", living(TaskState::Killing));
    let ended = |state| book.counts.ended(state) as f64;
    add("slave/tasks_finished", ended(TaskState::Finished));
    add("slave/tasks_failed", ended(TaskState::Failed));
    add("slave/tasks_killed", ended(TaskState::Killed));
    add("slave/tasks_lost", ended(TaskState::Lost));
    add("slave/tasks_gone", ended(TaskState::Gone));
}

/// How much of one kind there is, apart from what may be taken back, or only that.
fn amount(resources: &Resources, name: &str, revocable: bool) -> f64 {
    let of_name = |item: &&tepui_core::resources::Resource| {
        item.name() == name && item.kind.revocable == revocable
    };
    let amounts = resources
        .iter()
        .filter(of_name)
        .map(|item| match &item.value {
            Value::Scalar(scalar) => scalar.to_f64(),
            _ => 0.0,
        });
    // A sum of nothing is minus zero.
    amounts.sum::<f64>() + 0.0
}

fn of_resources(book: &Book, add: &mut impl FnMut(&str, f64)) {
    let used = used(book);
    let all = book
        .info
        .as_ref()
        .map(|info| info.resources.clone())
        .unwrap_or_default();
    for name in ["cpus", "gpus", "mem", "disk"] {
        for (infix, revocable) in [("", false), ("revocable_", true)] {
            let total = amount(&all, name, revocable);
            let used = amount(&used, name, revocable);
            let share = if total > 0.0 { used / total } else { 0.0 };
            add(&format!("slave/{name}_{infix}total"), total);
            add(&format!("slave/{name}_{infix}used"), used);
            add(&format!("slave/{name}_{infix}percent"), share);
        }
    }
}

/// What the host says of itself.
pub fn of_host(add: &mut impl FnMut(&str, f64)) {
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    add("system/cpus_total", cpus as f64);
    let loads = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mut loads = loads
        .split_ascii_whitespace()
        .map(|text| text.parse().unwrap_or(0.0));
    for name in ["system/load_1min", "system/load_5min", "system/load_15min"] {
        add(name, loads.next().unwrap_or(0.0));
    }
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    for (name, field) in [
        ("system/mem_free_bytes", "MemFree:"),
        ("system/mem_total_bytes", "MemTotal:"),
    ] {
        let line = memory.lines().find_map(|line| line.strip_prefix(field));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok());
        add(name, kilobytes.unwrap_or(0.0) * 1024.0);
    }
}

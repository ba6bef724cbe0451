//! An agent's classic pages: state, containers, what they use, flags, version.

use super::convert;
use super::{AgentHttp, model};
use crate::container::usage::{self, Usage};
use crate::http::reply::{Parameters, json, text};
use crate::mesos::convert::agent::agent_capabilities;
use crate::node::book::{Book, ExecutorEntry};
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json as value};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};
use tepui_core::ids::FrameworkId;
use tepui_core::resources::{Resources, Role};

/// Seconds since the Unix epoch.
#[must_use]
pub fn seconds(time: SystemTime) -> f64 {
    let since = time.duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}

/// `/flags`.
pub async fn flags(State(agent): State<AgentHttp>, RawQuery(query): RawQuery) -> Response {
    json(
        &value!({ "flags": *agent.flags }),
        Parameters::of(query.as_deref()).jsonp(),
    )
}

/// `/version`.
pub async fn version(RawQuery(query): RawQuery) -> Response {
    json(
        &crate::http::version::page(),
        Parameters::of(query.as_deref()).jsonp(),
    )
}

/// `/state`.
pub async fn state(State(agent): State<AgentHttp>, RawQuery(query): RawQuery) -> Response {
    let seen = agent.node.inspect(|node| {
        let registered = node.registered_with().is_some();
        (registered, node.drain(), node.total().clone())
    });
    let Some((registered, drain, total)) = seen.await else {
        return crate::http::ending();
    };
    // Copied under the lock, which is cheap, and shown outside of it.
    let book = agent.book.lock().clone();
    let asked = query.clone();
    let building = tokio::task::spawn_blocking(move || {
        let mut state = page(&agent, &book, &total);
        if !registered {
            state.remove("master_hostname");
        }
        if let Some(drain) = drain {
            let config = model::message(&convert::drain_config(&drain));
            state.insert("drain_config".to_owned(), config);
            let since = value!(drain.since.0 / 1_000);
            state.insert("estimated_drain_start_time_seconds".to_owned(), since);
        }
        json(&state, Parameters::of(asked.as_deref()).jsonp())
    });
    building.await.unwrap_or_else(|_| crate::http::ending())
}

fn page(agent: &AgentHttp, book: &Book, total: &Resources) -> Map<String, Value> {
    let mut page = Map::new();
    if let Value::Object(version) = crate::http::version::page() {
        page.extend(version);
    }
    let mut add = |name: &str, value: Value| page.insert(name.to_owned(), value);
    add("start_time", value!(seconds(book.started_at)));
    if let Some(id) = &book.agent_id {
        add("id", value!(id.as_str()));
    }
    add("pid", value!(agent.pid()));
    if let Some(folder) = agent.log_file.as_ref().and_then(|file| file.parent()) {
        add("log_dir", value!(folder.display().to_string()));
    }
    let capabilities = agent_capabilities()
        .into_iter()
        .filter_map(|found| found.r#type);
    let capabilities: Vec<_> = capabilities
        .map(crate::mesos::v1::agent_info::capability::Type::name)
        .collect();
    add("capabilities", value!(capabilities));
    if let Some(info) = &book.info {
        add("hostname", value!(info.hostname));
        add("attributes", model::attributes(&info.attributes));
        if let Some(domain) = &info.domain {
            let region = value!({ "name": domain.region });
            let zone = value!({ "name": domain.zone });
            add(
                "domain",
                value!({ "fault_domain": { "region": region, "zone": zone } }),
            );
        }
    }
    for (name, value) in resources_of(total, book) {
        add(&name, value);
    }
    add("resource_providers", value!([]));
    let leader = agent.masters.called().unwrap_or_default();
    let leader_host = leader.rsplit_once(':').map_or("", |(host, _)| host);
    add("master_hostname", value!(leader_host));
    add("flags", value!(*agent.flags));
    let root = agent.work_dir.root();
    let agent_id = book.agent_id.as_ref();
    let shown = |(id, entry)| model::framework(id, entry, root, agent_id);
    let living: Vec<Value> = book.frameworks.iter().map(shown).collect();
    let over = book
        .completed_frameworks
        .iter()
        .map(|(id, entry)| (id, entry));
    let over: Vec<Value> = over.map(shown).collect();
    add("frameworks", value!(living));
    add("completed_frameworks", value!(over));
    page
}

/// All resources, those that are reserved, and those that are used.
fn resources_of(all: &Resources, book: &Book) -> Vec<(String, Value)> {
    let used = used(book);
    let full = |resources: &Resources| convert::resources_in_old_form(resources);
    let mut reserved = Map::new();
    let mut reserved_full = Map::new();
    let mut reserved_used = Map::new();
    for role in reserved_roles(all) {
        let of_role = all.reserved_for(&role);
        reserved.insert(role.to_string(), model::amounts(&of_role));
        reserved_full.insert(role.to_string(), full(&of_role));
    }
    for role in reserved_roles(&used) {
        reserved_used.insert(role.to_string(), model::amounts(&used.reserved_for(&role)));
    }
    let named = [
        ("resources", model::amounts(all)),
        ("reserved_resources", Value::Object(reserved)),
        ("unreserved_resources", model::amounts(&all.unreserved())),
        ("reserved_resources_full", Value::Object(reserved_full)),
        ("unreserved_resources_full", full(&all.unreserved())),
        ("reserved_resources_allocated", Value::Object(reserved_used)),
        (
            "unreserved_resources_allocated",
            model::amounts(&used.unreserved()),
        ),
    ];
    named.map(|(name, value)| (name.to_owned(), value)).into()
}

fn reserved_roles(resources: &Resources) -> Vec<Role> {
    let mut roles: Vec<Role> = resources
        .iter()
        .filter_map(|item| item.kind.reserved_role().cloned())
        .collect();
    roles.sort();
    roles.dedup();
    roles
}

/// What all executors and tasks use.
#[must_use]
pub fn used(book: &Book) -> Resources {
    let executors = book.frameworks.values().flat_map(|f| f.executors.values());
    executors.fold(Resources::default(), |sum, executor| {
        sum.checked_add(&model::used_by(executor)).unwrap_or(sum)
    })
}

/// `/containers`: what runs, as what, and what it uses.
pub async fn containers(State(agent): State<AgentHttp>, RawQuery(query): RawQuery) -> Response {
    let given = Parameters::of(query.as_deref());
    let names = ["container_id", "framework_id", "executor_id"];
    let asked = names.map(|name| given.get(name).map(str::to_owned));
    if matches!(
        &asked,
        [Some(_), Some(_), _] | [Some(_), _, Some(_)] | [None, None, Some(_)]
    ) {
        return text(StatusCode::BAD_REQUEST, BAD_QUERY);
    }
    let shown = list(&agent, move |framework_id, executor, usage| {
        let own = [
            executor.container_id.as_str(),
            framework_id.as_str(),
            executor.info.executor_id.as_str(),
        ];
        let mut wanted = asked.iter().zip(own);
        if wanted.any(|(asked, own)| asked.as_ref().is_some_and(|asked| asked != own)) {
            return Value::Null;
        }
        let mut shown = described(framework_id, executor, usage);
        shown["container_id"] = value!(executor.container_id.as_str());
        let mut status = value!({
            "container_id": { "value": executor.container_id.as_str() },
        });
        if let Some(pid) = executor.pid {
            status["executor_pid"] = value!(pid);
        }
        shown["status"] = status;
        shown
    });
    let mut shown = shown.await;
    shown.retain(|entry| !entry.is_null());
    json(&shown, Parameters::of(query.as_deref()).jsonp())
}

/// What `/containers` says to a query that it does not take.
const BAD_QUERY: &str = "Supported query parameters are container_id only, framework_id only, or \
                         executor_id and framework_id only";

/// `/monitor/statistics`: what executors use.
pub async fn statistics(State(agent): State<AgentHttp>, RawQuery(query): RawQuery) -> Response {
    let shown = list(&agent, described).await;
    json(&shown, Parameters::of(query.as_deref()).jsonp())
}

async fn list(
    agent: &AgentHttp,
    show: impl Fn(&FrameworkId, &ExecutorEntry, Option<&Usage>) -> Value + Send + 'static,
) -> Vec<Value> {
    let book = agent.book.lock().clone();
    let listing = tokio::task::spawn_blocking(move || {
        let usages = usages(&book);
        let living = book.frameworks.iter();
        let executors = living.flat_map(|(id, f)| f.executors.values().map(move |e| (id, e)));
        executors
            .map(|(id, executor)| show(id, executor, usages.get(&executor.pid.unwrap_or(0))))
            .collect()
    });
    listing.await.unwrap_or_default()
}

/// What the living containers use, by their first processes.
#[must_use]
pub fn usages(book: &Book) -> BTreeMap<u32, Usage> {
    let executors = book.frameworks.values().flat_map(|f| f.executors.values());
    let roots: Vec<u32> = executors.filter_map(|executor| executor.pid).collect();
    usage::of_trees(&roots)
}

fn described(framework_id: &FrameworkId, e: &ExecutorEntry, usage: Option<&Usage>) -> Value {
    let limits = model::used_by(e);
    let mem_bytes = (limits.scalar("mem").to_f64() * f64::from(1 << 20)) as u64;
    let usage = usage.cloned().unwrap_or_default();
    value!({
        "executor_id": e.info.executor_id.as_str(),
        "executor_name": e.info.name,
        "framework_id": framework_id.as_str(),
        "source": model::source(e),
        "statistics": {
            "cpus_soft_limit": limits.scalar("cpus").to_f64(),
            "cpus_system_time_secs": usage.system_secs,
            "cpus_user_time_secs": usage.user_secs,
            "mem_limit_bytes": mem_bytes,
            "mem_rss_bytes": usage.rss_bytes,
            "mem_soft_limit_bytes": mem_bytes,
            "timestamp": seconds(SystemTime::now()),
        },
    })
}

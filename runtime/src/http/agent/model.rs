//! Parts of the classic state pages, in their old JSON.

use serde_json::{Map, Value, json};
use tepui_core::model::{TaskState, TaskStatus};
use tepui_core::resources::{AttributeValue, Attributes, Resources, Role, Value as Amount};

use crate::mesos::{protobuf, v1};
use crate::node::book::{ExecutorEntry, FrameworkEntry, TaskEntry};
use std::path::Path;
use tepui_core::ids::{AgentId, FrameworkId};

/// What the pages always show, whether there is any of it or not.
const ALWAYS: [&str; 4] = ["disk", "mem", "gpus", "cpus"];

/// Amounts by name; those that may be taken back apart from the others.
#[must_use]
pub fn amounts(resources: &Resources) -> Value {
    let mut sums: Map<String, Value> = ALWAYS
        .iter()
        .map(|name| ((*name).into(), json!(0.0)))
        .collect();
    let flat = resources.flatten();
    for item in flat.iter() {
        let mut name = item.name().to_owned();
        if item.kind.revocable {
            name.push_str("_revocable");
        }
        match &item.value {
            Amount::Scalar(scalar) => {
                let before = sums.get(&name).and_then(Value::as_f64).unwrap_or_default();
                sums.insert(name, json!(before + scalar.to_f64()));
            }
            other => {
                sums.insert(name, json!(other.to_string()));
            }
        }
    }
    Value::Object(sums)
}

/// Attributes by name.
#[must_use]
pub fn attributes(attributes: &Attributes) -> Value {
    let pairs = attributes.iter().map(|attribute| {
        let value = match &attribute.value {
            AttributeValue::Scalar(scalar) => json!(scalar.to_f64()),
            AttributeValue::Ranges(ranges) => json!(ranges.to_string()),
            AttributeValue::Text(text) => json!(&**text),
        };
        (attribute.name.to_string(), value)
    });
    Value::Object(pairs.collect())
}

/// To which role something is allocated.
#[must_use]
pub fn role_of(resources: &Resources) -> Option<&str> {
    let allocated = resources
        .iter()
        .find_map(|item| item.kind.allocation.as_ref());
    allocated.map(Role::as_str)
}

/// A status of a task.
fn status(status: &TaskStatus) -> Value {
    let more: v1::TaskStatus = protobuf::decode(&status.verbatim).unwrap_or_default();
    let mut shown = json!({
        "state": status.state.to_string(),
        "timestamp": status.timestamp.0 as f64 / 1e3,
    });
    if let Some(labels) = &more.labels {
        shown["labels"] = labels_of(labels);
    }
    if let Some(container) = &more.container_status {
        let mut container = message(&**container);
        // The old pages leave this out.
        if let Some(fields) = container.as_object_mut() {
            fields.remove("executor_pid");
        }
        shown["container_status"] = container;
    }
    if let Some(healthy) = status.healthy {
        shown["healthy"] = json!(healthy);
    }
    shown
}

/// A message of the API as the classic pages have it.
pub fn message<M: crate::mesos::reflect::Message>(message: &M) -> Value {
    serde_json::from_slice(&crate::mesos::json::encode(message)).unwrap_or_default()
}

fn labels_of(labels: &v1::Labels) -> Value {
    labels.labels.iter().map(message).collect()
}

/// A task.
#[must_use]
pub fn task(entry: &TaskEntry, framework_id: &FrameworkId, executor: &ExecutorEntry) -> Value {
    let info = &entry.info;
    let executor_id = if executor.command {
        ""
    } else {
        executor.info.executor_id.as_str()
    };
    let statuses: Vec<Value> = entry.statuses.iter().map(|s| status(s)).collect();
    let mut shown = json!({
        "id": info.task_id.as_str(),
        "name": info.name,
        "framework_id": framework_id.as_str(),
        "executor_id": executor_id,
        "slave_id": info.agent_id.as_str(),
        "state": entry.state().to_string(),
        "resources": amounts(&info.resources),
        "role": role_of(&info.resources).unwrap_or("*"),
        "statuses": statuses,
    });
    let more: v1::TaskInfo = protobuf::decode(&info.verbatim).unwrap_or_default();
    if let Some(labels) = &more.labels {
        shown["labels"] = labels_of(labels);
    }
    if let Some(discovery) = &more.discovery {
        shown["discovery"] = message(&**discovery);
    }
    if let Some(container) = &more.container {
        shown["container"] = message(&**container);
    }
    shown
}

/// What an executor itself uses. Of the agent's own, for one command, that is what Mesos says,
/// though its master neither knows nor subtracts it.
#[must_use]
pub fn own_resources(executor: &ExecutorEntry) -> Resources {
    if !executor.command {
        return executor.info.resources.clone();
    }
    let mut tasks = executor.tasks.values().chain(&executor.completed_tasks);
    let role = tasks.find_map(|task| {
        let mut items = task.info.resources.iter();
        items.find_map(|item| item.kind.allocation.clone())
    });
    let own = Resources::parse("cpus:0.1;mem:32", &Role::any()).unwrap_or_default();
    match role {
        Some(role) => own.allocated_to(&role),
        None => own,
    }
}

/// What an executor and its tasks use now.
#[must_use]
pub fn used_by(executor: &ExecutorEntry) -> Resources {
    let mut sum = own_resources(executor);
    for task in executor.tasks.values() {
        if !task.state().is_terminal() {
            // A sum that cannot be made is shown without what does not fit.
            sum = sum.checked_add(&task.info.resources).unwrap_or(sum);
        }
    }
    sum
}

/// Where an executor's sandbox is.
#[must_use]
pub fn directory(
    root: &Path,
    agent_id: Option<&AgentId>,
    framework_id: &FrameworkId,
    executor: &ExecutorEntry,
) -> String {
    format!(
        "{}/slaves/{}/frameworks/{framework_id}/executors/{}/runs/{}",
        root.display(),
        agent_id.map_or("", |id| id.as_str()),
        executor.info.executor_id,
        executor.container_id,
    )
}

/// What a framework says an executor's source is; of a command task, its name.
#[must_use]
pub fn source(executor: &ExecutorEntry) -> String {
    if executor.command {
        return executor.info.executor_id.as_str().to_owned();
    }
    let more: v1::ExecutorInfo = protobuf::decode(&executor.info.verbatim).unwrap_or_default();
    more.source.unwrap_or_default()
}

/// An executor.
#[must_use]
pub fn executor(
    entry: &ExecutorEntry,
    framework_id: &FrameworkId,
    framework: &FrameworkEntry,
    root: &Path,
    agent_id: Option<&AgentId>,
) -> Value {
    let shown = |tasks: Vec<&TaskEntry>| -> Vec<Value> {
        tasks
            .into_iter()
            .map(|t| task(t, framework_id, entry))
            .collect()
    };
    let tasks = entry.tasks.values();
    let (over, live): (Vec<_>, Vec<_>) = tasks.partition(|task| task.state().is_terminal());
    let queued = |task: &&TaskEntry| task.state() == TaskState::Staging && !entry.subscribed;
    let (queued, live): (Vec<_>, Vec<_>) = live.into_iter().partition(queued);
    let completed = entry.completed_tasks.iter().chain(over).collect();
    let default_role = framework.info.as_ref().and_then(|info| info.roles.first());
    let default_role = default_role.map_or("*", |role| role.as_str());
    let first_task = entry.tasks.values().chain(&entry.completed_tasks).next();
    let role = role_of(&entry.info.resources)
        .or_else(|| role_of(&first_task?.info.resources))
        .unwrap_or(default_role);
    let mut page = json!({
        "id": entry.info.executor_id.as_str(),
        "name": entry.info.name,
        "source": source(entry),
        "container": entry.container_id.as_str(),
        "directory": directory(root, agent_id, framework_id, entry),
        "resources": amounts(&used_by(entry)),
        "role": role,
        "tasks": shown(live),
        "queued_tasks": shown(queued),
        "completed_tasks": shown(completed),
    });
    if let Some(kind) = entry.kind {
        page["type"] = json!(kind.name());
    }
    page
}

/// A framework.
#[must_use]
pub fn framework(
    id: &FrameworkId,
    entry: &FrameworkEntry,
    root: &Path,
    agent_id: Option<&AgentId>,
) -> Value {
    let executors = |list: Vec<&ExecutorEntry>| -> Vec<Value> {
        let shown = list
            .into_iter()
            .map(|e| executor(e, id, entry, root, agent_id));
        shown.collect()
    };
    let mut shown = json!({
        "id": id.as_str(),
        "executors": executors(entry.executors.values().collect()),
        "completed_executors": executors(entry.completed_executors.iter().collect()),
    });
    let Some(info) = &entry.info else {
        return shown;
    };
    shown["name"] = json!(info.name);
    shown["user"] = json!(info.user);
    shown["failover_timeout"] = json!(info.failover_timeout.as_secs_f64());
    shown["checkpoint"] = json!(info.checkpoint);
    shown["hostname"] = json!(info.hostname);
    if let Some(principal) = &info.principal {
        shown["principal"] = json!(principal);
    }
    let roles: Vec<_> = info.roles.iter().map(Role::as_str).collect();
    if info.capabilities.multi_role {
        shown["roles"] = json!(roles);
    } else {
        shown["role"] = json!(roles.first().copied().unwrap_or("*"));
    }
    shown
}

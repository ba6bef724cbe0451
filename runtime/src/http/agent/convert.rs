//! The book's entries as messages of the v1 API.

use super::model::message;
use crate::mesos::convert::resources::{self, Form};
use crate::mesos::convert::{agent, ids, status, task, time};
use crate::mesos::{protobuf, v1};
use serde_json::Value;
use tepui_core::agent::Drain;
use tepui_core::ids::{AgentId, ExecutorId, FrameworkId};
use tepui_core::model::{AgentInfo, TaskInfo, TaskState, TaskStatus};
use tepui_core::resources::Resources;

/// Resources as the classic pages list them.
#[must_use]
pub fn resources_in_old_form(resources: &Resources) -> Value {
    let list = resources::to_v1(resources, Form::Both);
    list.iter().map(message).collect()
}

/// The agent, with its id once it has one.
#[must_use]
pub fn agent(info: &AgentInfo, id: Option<&AgentId>) -> v1::AgentInfo {
    let mut shown = agent::to_v1(info);
    shown.id = id.map(ids::agent_id_to_v1);
    shown
}

/// How the agent is drained.
#[must_use]
pub fn drain_config(drain: &Drain) -> v1::DrainConfig {
    let grace = drain.config.max_grace_period;
    v1::DrainConfig {
        max_grace_period: grace.map(time::duration_to_v1),
        mark_gone: Some(drain.config.mark_gone),
    }
}

/// A status.
#[must_use]
pub fn status(status: &TaskStatus) -> v1::TaskStatus {
    status::to_v1(status)
}

/// A task, without its statuses.
#[must_use]
pub fn task(
    info: &TaskInfo,
    framework_id: &FrameworkId,
    executor_id: Option<&ExecutorId>,
    state: TaskState,
) -> v1::Task {
    let more: v1::TaskInfo = protobuf::decode(&info.verbatim).unwrap_or_default();
    v1::Task {
        name: Some(info.name.clone()),
        task_id: Some(ids::task_id_to_v1(&info.task_id)),
        framework_id: Some(ids::framework_id_to_v1(framework_id)),
        executor_id: executor_id.map(ids::executor_id_to_v1),
        agent_id: Some(ids::agent_id_to_v1(&info.agent_id)),
        state: Some(task::state_to_v1(state)),
        resources: resources::to_v1(&info.resources, Form::Refined),
        labels: more.labels,
        discovery: more.discovery,
        container: more.container,
        health_check: more.health_check,
        kill_policy: more.kill_policy,
        limits: more.limits,
        ..v1::Task::default()
    }
}

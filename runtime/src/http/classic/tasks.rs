//! Tasks, executors and offers as the classic pages have them.

use super::amounts::Amounts;
use crate::mesos::convert::time::wall_to_seconds;
use crate::mesos::json::Shown;
use crate::mesos::{protobuf, v1};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::sync::Arc;
use tepui_core::ids::{AgentId, FrameworkId};
use tepui_core::master::leading::{EndedTaskPart, TaskPart};
use tepui_core::model::{ExecutorInfo, Label, Offer, TaskInfo, TaskState, TaskStatus};
use tepui_core::resources::{Resources, Role};

/// A task, whether it is over or not.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// Whose.
    pub framework_id: &'a FrameworkId,
    /// Its description.
    pub info: &'a TaskInfo,
    /// Its newest state.
    pub state: TaskState,
    /// What was said of it, oldest first.
    pub statuses: &'a [Arc<TaskStatus>],
}

impl<'a> Task<'a> {
    /// One that is not forgotten.
    #[must_use]
    pub fn living(framework_id: &'a FrameworkId, task: &'a TaskPart) -> Task<'a> {
        Task {
            framework_id,
            info: &task.info,
            state: task.state,
            statuses: task.statuses(),
        }
    }

    /// One that is over.
    #[must_use]
    pub fn ended(framework_id: &'a FrameworkId, task: &'a EndedTaskPart) -> Task<'a> {
        Task {
            framework_id,
            info: task.info(),
            state: task.state(),
            statuses: task.statuses(),
        }
    }
}

/// Whether a task is shown among those that are out of sight.
#[must_use]
pub fn is_out_of_sight(task: &TaskPart) -> bool {
    task.state == TaskState::Unreachable
}

/// The role that resources are allocated to.
#[must_use]
pub fn role_of(resources: &Resources) -> Option<&str> {
    let mut roles = resources.iter().filter_map(|r| r.kind.allocation.as_ref());
    roles.next().map(Role::as_str)
}

impl Serialize for Task<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let info = self.info;
        let more: v1::TaskInfo = restored(&info.verbatim);
        let executor = info.executor.as_ref();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", info.task_id.as_str())?;
        map.serialize_entry("name", &info.name)?;
        map.serialize_entry("framework_id", self.framework_id.as_str())?;
        let executor_id = executor.map_or("", |executor| executor.executor_id.as_str());
        map.serialize_entry("executor_id", executor_id)?;
        map.serialize_entry("slave_id", info.agent_id.as_str())?;
        map.serialize_entry("state", self.state.name())?;
        map.serialize_entry("resources", &Amounts(&info.resources))?;
        if let Some(role) = role_of(&info.resources) {
            map.serialize_entry("role", role)?;
        }
        map.serialize_entry("statuses", &Statuses(self.statuses))?;
        let command = info.command.as_ref();
        let command = command.or(executor.map(|executor| &executor.command));
        if let Some(user) = command.and_then(|command| command.user.as_ref()) {
            map.serialize_entry("user", user)?;
        }
        if !info.labels.is_empty() {
            map.serialize_entry("labels", &Labels(&info.labels))?;
        }
        if let Some(discovery) = more.discovery.as_deref() {
            map.serialize_entry("discovery", &Shown(discovery))?;
        }
        if let Some(container) = more.container.as_deref() {
            map.serialize_entry("container", &Shown(container))?;
        }
        if let Some(check) = more.health_check.as_deref() {
            map.serialize_entry("health_check", &Shown(check))?;
        }
        map.end()
    }
}

/// What travelled as these bytes; nothing where there are none.
pub(in crate::http) fn restored<M: crate::mesos::reflect::Message>(bytes: &[u8]) -> M {
    match bytes {
        [] => M::default(),
        bytes => protobuf::decode(bytes).unwrap_or_default(),
    }
}

struct Labels<'a>(&'a [Label]);

impl Serialize for Labels<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct One<'a> {
            key: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            value: Option<&'a str>,
        }
        serializer.collect_seq(self.0.iter().map(|label| One {
            key: &label.key,
            value: label.value.as_deref(),
        }))
    }
}

struct Statuses<'a>(&'a [Arc<TaskStatus>]);

impl Serialize for Statuses<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|status| Status(status)))
    }
}

struct Status<'a>(&'a TaskStatus);

impl Serialize for Status<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let status = self.0;
        let more: v1::TaskStatus = restored(&status.verbatim);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("state", status.state.name())?;
        map.serialize_entry("timestamp", &wall_to_seconds(status.timestamp))?;
        if let Some(labels) = &more.labels {
            map.serialize_entry("labels", &List(&labels.labels))?;
        }
        if let Some(container) = more.container_status {
            let mut container = *container;
            // The classic pages never had it.
            container.executor_pid = None;
            map.serialize_entry("container_status", &Shown(&container))?;
        }
        if let Some(healthy) = status.healthy {
            map.serialize_entry("healthy", &healthy)?;
        }
        map.end()
    }
}

/// Messages of the API as a part of a classic page.
pub(in crate::http) struct List<'a, M>(pub(in crate::http) &'a [M]);

impl<M: crate::mesos::reflect::Message> Serialize for List<'_, M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|one| Shown(one)))
    }
}

/// An executor.
#[derive(Clone, Copy, Debug)]
pub struct Executor<'a> {
    /// Its description.
    pub info: &'a ExecutorInfo,
    /// Where it runs.
    pub agent_id: &'a AgentId,
}

impl Serialize for Executor<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let info = self.info;
        let shown = crate::mesos::convert::task::executor_to_v1(info);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("executor_id", info.executor_id.as_str())?;
        map.serialize_entry("name", &info.name)?;
        map.serialize_entry("framework_id", info.framework_id.as_str())?;
        let command = shown.command.unwrap_or_default();
        map.serialize_entry("command", &Command(&command))?;
        map.serialize_entry("resources", &Amounts(&info.resources))?;
        if let Some(role) = role_of(&info.resources) {
            map.serialize_entry("role", role)?;
        }
        if let Some(kind) = shown.r#type {
            map.serialize_entry("type", kind.name())?;
        }
        if let Some(labels) = &shown.labels {
            map.serialize_entry("labels", &List(&labels.labels))?;
        }
        if let Some(discovery) = shown.discovery.as_deref() {
            map.serialize_entry("discovery", &Shown(discovery))?;
        }
        map.serialize_entry("slave_id", self.agent_id.as_str())?;
        map.end()
    }
}

struct Command<'a>(&'a v1::CommandInfo);

impl Serialize for Command<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let command = self.0;
        let mut map = serializer.serialize_map(None)?;
        if let Some(shell) = command.shell {
            map.serialize_entry("shell", &shell)?;
        }
        if let Some(value) = &command.value {
            map.serialize_entry("value", value)?;
        }
        map.serialize_entry("argv", &command.arguments)?;
        if let Some(environment) = &command.environment {
            map.serialize_entry("environment", &Shown(environment))?;
        }
        map.serialize_entry("uris", &List(&command.uris))?;
        map.end()
    }
}

/// An offer.
#[derive(Clone, Copy, Debug)]
pub struct Offered<'a>(pub &'a Offer);

impl Serialize for Offered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Allocation<'a> {
            role: &'a str,
        }
        let offer = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", offer.id.as_str())?;
        map.serialize_entry("framework_id", offer.framework_id.as_str())?;
        let role = offer.role.as_str();
        map.serialize_entry("allocation_info", &Allocation { role })?;
        map.serialize_entry("slave_id", offer.agent_id.as_str())?;
        map.serialize_entry("resources", &Amounts(&offer.resources))?;
        map.end()
    }
}

//! Tasks, executors and commands.

use super::resources::Form;
use super::{ConvertError, filled, ids, resources, restore, time, verbatim};
use crate::mesos::v1;
use crate::mesos::v1::environment;
use std::sync::Arc;
use tepui_core::ids::FrameworkId;
use tepui_core::model::{CommandInfo, ExecutorInfo, Label, MalformedTask, TaskInfo, TaskState};
use tepui_core::resources::Resources;

/// A task as a scheduler describes it; `framework_id` is whose, for an executor that does not
/// say so.
///
/// # Errors
/// What of it cannot be read, with the names that the scheduler gave.
pub fn to_core(info: &v1::TaskInfo, framework_id: &FrameworkId) -> Result<TaskInfo, MalformedTask> {
    read(info, framework_id).map_err(|error| malformed(info, &error))
}

fn read(info: &v1::TaskInfo, framework_id: &FrameworkId) -> Result<TaskInfo, ConvertError> {
    let executor = info.executor.as_deref();
    let executor = executor.map(|executor| executor_to_core(executor, framework_id));
    let invalid =
        |error: ConvertError| ConvertError::new(format!("Task uses invalid resources: {error}"));
    Ok(TaskInfo {
        task_id: ids::task_id(info.task_id.as_ref())?,
        name: info.name.clone().unwrap_or_default(),
        agent_id: ids::agent_id(info.agent_id.as_ref())?,
        resources: resources::to_core(&info.resources).map_err(invalid)?,
        executor: executor.transpose()?.map(Arc::new),
        command: info.command.as_ref().map(command_to_core),
        data: info.data.as_deref().unwrap_or_default().into(),
        labels: labels_to_core(info.labels.as_ref()),
        kill_grace: grace_to_core(info.kill_policy.as_ref()),
        verbatim: verbatim(info),
    })
}

/// A task that cannot be read, or is in one group with one that cannot.
#[must_use]
pub fn malformed(info: &v1::TaskInfo, why: &ConvertError) -> MalformedTask {
    let task_id = info.task_id.as_ref().and_then(|id| id.value.clone());
    let agent_id = info.agent_id.as_ref().and_then(|id| id.value.clone());
    MalformedTask {
        task_id: task_id.unwrap_or_default(),
        agent_id: agent_id.unwrap_or_default(),
        why: why.to_string(),
    }
}

/// A task, as executors and tools see it.
#[must_use]
pub fn to_v1(info: &TaskInfo) -> v1::TaskInfo {
    if info.verbatim.is_empty() {
        return described_to_v1(info);
    }
    let mut out: v1::TaskInfo = restore(&info.verbatim);
    allocate(&mut out.resources, &info.resources);
    if let (Some(theirs), Some(ours)) = (out.executor.as_deref_mut(), &info.executor) {
        theirs.framework_id = Some(ids::framework_id_to_v1(&ours.framework_id));
        allocate(&mut theirs.resources, &ours.resources);
    }
    out
}

fn described_to_v1(info: &TaskInfo) -> v1::TaskInfo {
    let executor = info.executor.as_deref().map(executor_to_v1);
    v1::TaskInfo {
        name: Some(info.name.clone()),
        task_id: Some(ids::task_id_to_v1(&info.task_id)),
        agent_id: Some(ids::agent_id_to_v1(&info.agent_id)),
        resources: resources::to_v1(&info.resources, Form::Refined),
        executor: executor.map(Box::new),
        command: info.command.as_ref().map(command_to_v1),
        kill_policy: info.kill_grace.map(|grace| v1::KillPolicy {
            grace_period: Some(time::duration_to_v1(grace)),
        }),
        data: bytes_to_v1(&info.data),
        labels: labels_to_v1(&info.labels),
        ..Default::default()
    }
}

/// Marks resources, as their sender wrote them, with the role that they were allocated to since.
fn allocate(list: &mut [v1::Resource], ours: &Resources) {
    let role = ours.iter().find_map(|item| item.kind.allocation.as_ref());
    let Some(role) = role else { return };
    for item in list {
        item.allocation_info = Some(v1::resource::AllocationInfo {
            role: Some(role.as_str().to_owned()),
        });
    }
}

/// An executor as a scheduler describes it.
///
/// # Errors
/// When its ids or resources are none.
pub fn executor_to_core(
    info: &v1::ExecutorInfo,
    framework_id: &FrameworkId,
) -> Result<ExecutorInfo, ConvertError> {
    let own = ids::optional_framework_id(info.framework_id.as_ref())?;
    let grace = info.shutdown_grace_period.as_ref();
    let invalid = |error: ConvertError| {
        ConvertError::new(format!("Executor uses invalid resources: {error}"))
    };
    Ok(ExecutorInfo {
        executor_id: ids::executor_id(info.executor_id.as_ref())?,
        framework_id: own.unwrap_or_else(|| framework_id.clone()),
        command: info
            .command
            .as_ref()
            .map(command_to_core)
            .unwrap_or_default(),
        resources: resources::to_core(&info.resources).map_err(invalid)?,
        name: info.name.clone().unwrap_or_default(),
        data: info.data.as_deref().unwrap_or_default().into(),
        shutdown_grace: grace.map(time::duration_to_core),
        verbatim: verbatim(info),
    })
}

/// An executor, as it sees itself and tools see it.
#[must_use]
pub fn executor_to_v1(info: &ExecutorInfo) -> v1::ExecutorInfo {
    let mut out: v1::ExecutorInfo = match info.verbatim.is_empty() {
        true => v1::ExecutorInfo {
            executor_id: Some(ids::executor_id_to_v1(&info.executor_id)),
            command: Some(command_to_v1(&info.command)),
            resources: resources::to_v1(&info.resources, Form::Refined),
            name: filled(&info.name),
            data: bytes_to_v1(&info.data),
            shutdown_grace_period: info.shutdown_grace.map(time::duration_to_v1),
            ..Default::default()
        },
        false => restore(&info.verbatim),
    };
    out.framework_id = Some(ids::framework_id_to_v1(&info.framework_id));
    allocate(&mut out.resources, &info.resources);
    out
}

/// What to run. URIs and secrets stay in the bytes that travel with the task.
#[must_use]
pub fn command_to_core(info: &v1::CommandInfo) -> CommandInfo {
    let variables = info.environment.as_ref().map(|e| e.variables.as_slice());
    let variable = |one: &environment::Variable| {
        let name = one.name.clone().unwrap_or_default();
        (name, one.value.clone().unwrap_or_default())
    };
    CommandInfo {
        shell: info.shell.unwrap_or(true),
        value: info.value.clone().unwrap_or_default(),
        arguments: info.arguments.clone(),
        environment: variables.unwrap_or_default().iter().map(variable).collect(),
        user: info.user.clone(),
    }
}

/// See [`command_to_core`].
#[must_use]
pub fn command_to_v1(command: &CommandInfo) -> v1::CommandInfo {
    let variable = |(name, value): &(String, String)| environment::Variable {
        name: Some(name.clone()),
        r#type: Some(environment::variable::Type::Value),
        value: Some(value.clone()),
        secret: None,
    };
    let variables = command.environment.iter().map(variable).collect();
    v1::CommandInfo {
        environment: (!command.environment.is_empty()).then_some(v1::Environment { variables }),
        shell: Some(command.shell),
        value: filled(&command.value),
        arguments: command.arguments.clone(),
        user: command.user.clone(),
        ..Default::default()
    }
}

/// The time between being told to end and being ended.
#[must_use]
pub fn grace_to_core(policy: Option<&v1::KillPolicy>) -> Option<std::time::Duration> {
    let grace = policy?.grace_period.as_ref()?;
    Some(time::duration_to_core(grace))
}

/// Labels of tasks.
#[must_use]
pub fn labels_to_core(labels: Option<&v1::Labels>) -> Vec<Label> {
    let labels = labels.map(|labels| labels.labels.as_slice());
    let label = |label: &v1::Label| Label {
        key: label.key.clone().unwrap_or_default(),
        value: label.value.clone(),
    };
    labels.unwrap_or_default().iter().map(label).collect()
}

/// See [`labels_to_core`].
#[must_use]
pub fn labels_to_v1(labels: &[Label]) -> Option<v1::Labels> {
    let label = |label: &Label| v1::Label {
        key: Some(label.key.clone()),
        value: label.value.clone(),
    };
    (!labels.is_empty()).then(|| v1::Labels {
        labels: labels.iter().map(label).collect(),
    })
}

/// Bytes, none where they are empty.
#[must_use]
pub fn bytes_to_v1(bytes: &[u8]) -> Option<Vec<u8>> {
    (!bytes.is_empty()).then(|| bytes.to_vec())
}

/// A task's state.
#[must_use]
pub const fn state_to_core(state: v1::TaskState) -> TaskState {
    use v1::TaskState as V;
    match state {
        V::Staging => TaskState::Staging,
        V::Starting => TaskState::Starting,
        V::Running => TaskState::Running,
        V::Killing => TaskState::Killing,
        V::Finished => TaskState::Finished,
        V::Failed => TaskState::Failed,
        V::Killed => TaskState::Killed,
        V::Error => TaskState::Error,
        V::Lost => TaskState::Lost,
        V::Dropped => TaskState::Dropped,
        V::Unreachable => TaskState::Unreachable,
        V::Gone => TaskState::Gone,
        V::GoneByOperator => TaskState::GoneByOperator,
        V::Unknown => TaskState::Unknown,
    }
}

/// See [`state_to_core`].
#[must_use]
pub const fn state_to_v1(state: TaskState) -> v1::TaskState {
    use v1::TaskState as V;
    match state {
        TaskState::Staging => V::Staging,
        TaskState::Starting => V::Starting,
        TaskState::Running => V::Running,
        TaskState::Killing => V::Killing,
        TaskState::Finished => V::Finished,
        TaskState::Failed => V::Failed,
        TaskState::Killed => V::Killed,
        TaskState::Error => V::Error,
        TaskState::Lost => V::Lost,
        TaskState::Dropped => V::Dropped,
        TaskState::Unreachable => V::Unreachable,
        TaskState::Gone => V::Gone,
        TaskState::GoneByOperator => V::GoneByOperator,
        TaskState::Unknown => V::Unknown,
    }
}

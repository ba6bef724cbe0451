//! What is said of tasks.

use super::{ConvertError, filled, ids, restore, task, time, verbatim};
use crate::mesos::v1;
use crate::mesos::v1::task_status;
use tepui_core::model::{MalformedTask, Reason, Source, TaskState, TaskStatus};
use tepui_core::time::Wall;

/// A status as an executor writes it.
///
/// # Errors
/// When an id is none.
pub fn to_core(status: &v1::TaskStatus) -> Result<TaskStatus, ConvertError> {
    let state = status.state.ok_or_else(|| ConvertError::missing("state"))?;
    let uuid = status.uuid.as_deref().filter(|uuid| !uuid.is_empty());
    Ok(TaskStatus {
        task_id: ids::task_id(status.task_id.as_ref())?,
        state: task::state_to_core(state),
        source: source_to_core(status.source),
        reason: status.reason.and_then(reason_to_core),
        message: status.message.clone().unwrap_or_default(),
        agent_id: ids::optional_agent_id(status.agent_id.as_ref())?,
        executor_id: ids::optional_executor_id(status.executor_id.as_ref())?,
        timestamp: time::wall_of_seconds(status.timestamp.unwrap_or(0.0)),
        update_id: uuid.map(|uuid| ids::update_id(Some(uuid))).transpose()?,
        healthy: status.healthy,
        data: status.data.as_deref().unwrap_or_default().into(),
        unreachable_at: status.unreachable_time.as_ref().map(time::wall_to_core),
        verbatim: verbatim(status),
    })
}

/// A status, as schedulers and tools see it.
#[must_use]
pub fn to_v1(status: &TaskStatus) -> v1::TaskStatus {
    v1::TaskStatus {
        task_id: Some(ids::task_id_to_v1(&status.task_id)),
        state: Some(task::state_to_v1(status.state)),
        message: filled(&status.message),
        source: Some(source_to_v1(status.source)),
        reason: status.reason.and_then(reason_to_v1),
        data: task::bytes_to_v1(&status.data),
        agent_id: status.agent_id.as_ref().map(ids::agent_id_to_v1),
        executor_id: status.executor_id.as_ref().map(ids::executor_id_to_v1),
        timestamp: Some(time::wall_to_seconds(status.timestamp)),
        uuid: status.update_id.map(|id| id.0.to_vec()),
        healthy: status.healthy,
        unreachable_time: status.unreachable_at.map(time::wall_to_v1),
        ..restore(&status.verbatim)
    }
}

/// The status of a task whose id is none, which a master makes up.
#[must_use]
pub fn malformed_to_v1(
    task: &MalformedTask,
    state: TaskState,
    reason: Reason,
    now: Wall,
) -> v1::TaskStatus {
    v1::TaskStatus {
        task_id: Some(v1::TaskId {
            value: Some(task.task_id.clone()),
        }),
        state: Some(task::state_to_v1(state)),
        message: filled(&task.why),
        source: Some(task_status::Source::Master),
        reason: reason_to_v1(reason),
        agent_id: filled(&task.agent_id).map(|value| v1::AgentId { value: Some(value) }),
        timestamp: Some(time::wall_to_seconds(now)),
        ..Default::default()
    }
}

/// Who says so; an executor, where that is not said.
const fn source_to_core(source: Option<task_status::Source>) -> Source {
    match source {
        Some(task_status::Source::Master) => Source::Master,
        Some(task_status::Source::Agent) => Source::Agent,
        Some(task_status::Source::Executor) | None => Source::Executor,
    }
}

const fn source_to_v1(source: Source) -> task_status::Source {
    match source {
        Source::Master => task_status::Source::Master,
        Source::Agent => task_status::Source::Agent,
        Source::Executor => task_status::Source::Executor,
    }
}

/// Why; none where the core knows no such reason.
#[must_use]
pub fn reason_to_core(reason: task_status::Reason) -> Option<Reason> {
    let all = Reason::ALL.into_iter();
    all.into_iter().find(|ours| ours.name() == reason.name())
}

/// See [`reason_to_core`].
#[must_use]
pub fn reason_to_v1(reason: Reason) -> Option<task_status::Reason> {
    let all = task_status::Reason::ALL.iter();
    let (_, number) = all.into_iter().find(|(name, _)| *name == reason.name())?;
    task_status::Reason::from_number(*number)
}

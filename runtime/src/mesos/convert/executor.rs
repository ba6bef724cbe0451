//! The executor API.

use super::{ConvertError, agent, framework, ids, status, task, time};
use crate::mesos::v1;
use crate::mesos::v1::executor::{Call as V1Call, Event as V1Event, call, event};
use std::sync::Arc;
use tepui_core::ids::{ExecutorId, FrameworkId};
use tepui_core::message::executor::{Call, Event};

/// A call and which executor makes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Called {
    /// Whose executor calls.
    pub framework_id: FrameworkId,
    /// Which executor.
    pub executor_id: ExecutorId,
    /// What; `None` for a heartbeat, which says only that the executor is there.
    pub call: Option<Call>,
}

/// What the core makes of a call, after the checks that need nothing but the call. The container
/// is not named in it: the agent knows which run of an executor it let in.
///
/// # Errors
/// In the words of Mesos' 400.
pub fn call_to_core(call: &V1Call) -> Result<Called, ConvertError> {
    let invalid = |error: ConvertError| {
        ConvertError::new(format!("Failed to validate Executor::Call: {error}"))
    };
    let Some(r#type) = call.r#type else {
        return Err(invalid(ConvertError::missing("type")));
    };
    let unknown = |_| ConvertError::new("Framework cannot be found");
    let framework_id = ids::framework_id(call.framework_id.as_ref()).map_err(unknown)?;
    let unknown = |_| ConvertError::new("Executor cannot be found");
    let executor_id = ids::executor_id(call.executor_id.as_ref()).map_err(unknown)?;
    let call = match r#type {
        call::Type::Subscribe => {
            let subscribe = call.subscribe.as_ref();
            let subscribe = subscribe.ok_or_else(|| invalid(ConvertError::missing("subscribe")))?;
            Some(subscribe_to_core(subscribe, &framework_id).map_err(invalid)?)
        }
        call::Type::Update => {
            let update = call
                .update
                .as_ref()
                .and_then(|update| update.status.as_ref());
            let update = update.ok_or_else(|| invalid(ConvertError::missing("update")))?;
            check_update(update, &framework_id, &executor_id).map_err(invalid)?;
            let status = Arc::new(status::to_core(update).map_err(invalid)?);
            Some(Call::Update { status })
        }
        call::Type::Message => {
            let message = call.message.as_ref();
            let message = message.ok_or_else(|| invalid(ConvertError::missing("message")))?;
            let data = message.data.as_deref().unwrap_or_default().into();
            Some(Call::Message { data })
        }
        call::Type::Heartbeat | call::Type::Unknown => None,
    };
    Ok(Called {
        framework_id,
        executor_id,
        call,
    })
}

fn subscribe_to_core(
    subscribe: &call::Subscribe,
    framework_id: &FrameworkId,
) -> Result<Call, ConvertError> {
    let tasks = subscribe.unacknowledged_tasks.iter().map(|info| {
        let task = task::to_core(info, framework_id);
        task.map(Arc::new)
            .map_err(|error| ConvertError::new(error.why))
    });
    let updates = subscribe.unacknowledged_updates.iter().map(|update| {
        let status = update.status.as_ref();
        let status = status.ok_or_else(|| ConvertError::missing("status"))?;
        status::to_core(status).map(Arc::new)
    });
    Ok(Call::Subscribe {
        unacknowledged_tasks: tasks.collect::<Result<_, _>>()?,
        unacknowledged_updates: updates.collect::<Result<_, _>>()?,
    })
}

/// What an executor may say of its tasks.
fn check_update(
    status: &v1::TaskStatus,
    framework_id: &FrameworkId,
    executor_id: &ExecutorId,
) -> Result<(), ConvertError> {
    let Some(uuid) = status.uuid.as_deref() else {
        return Err(ConvertError::missing("uuid"));
    };
    ids::update_id(Some(uuid))?;
    let named = status
        .executor_id
        .as_ref()
        .and_then(|id| id.value.as_deref());
    let named = named.filter(|named| *named != executor_id.as_str());
    let problem = if let Some(named) = named {
        format!(
            "ExecutorID in Call: {executor_id} does not match ExecutorID in TaskStatus: {named}"
        )
    } else if status.source != Some(v1::task_status::Source::Executor) {
        format!(
            "Received Call from executor {executor_id} of framework {framework_id} with invalid \
             source, expecting 'SOURCE_EXECUTOR'"
        )
    } else if status.state == Some(v1::TaskState::Staging) {
        format!(
            "Received TASK_STAGING from executor {executor_id} of framework {framework_id} which \
             is not allowed"
        )
    } else {
        return Ok(());
    };
    Err(ConvertError(problem))
}

/// An event, as an executor sees it.
#[must_use]
pub fn event_to_v1(event: &Event) -> V1Event {
    let mut out = V1Event::default();
    match event {
        Event::Subscribed {
            executor,
            framework,
            agent,
            container_id,
        } => {
            out.r#type = Some(event::Type::Subscribed);
            out.subscribed = Some(event::Subscribed {
                executor_info: Some(task::executor_to_v1(executor)),
                framework_info: Some(framework::to_v1(framework)),
                agent_info: Some(agent::to_v1(agent)),
                container_id: Some(ids::container_id_to_v1(container_id)),
            });
        }
        Event::Launch { task } => {
            let task = Some(task::to_v1(task));
            out.r#type = Some(event::Type::Launch);
            out.launch = Some(event::Launch { task });
        }
        Event::LaunchGroup { tasks } => {
            let tasks = tasks.iter().map(|task| task::to_v1(task)).collect();
            out.r#type = Some(event::Type::LaunchGroup);
            out.launch_group = Some(event::LaunchGroup {
                task_group: Some(v1::TaskGroupInfo { tasks }),
            });
        }
        Event::Kill { task_id, grace } => {
            out.r#type = Some(event::Type::Kill);
            out.kill = Some(event::Kill {
                task_id: Some(ids::task_id_to_v1(task_id)),
                kill_policy: grace.map(|grace| v1::KillPolicy {
                    grace_period: Some(time::duration_to_v1(grace)),
                }),
            });
        }
        Event::Acknowledged { task_id, update_id } => {
            out.r#type = Some(event::Type::Acknowledged);
            out.acknowledged = Some(event::Acknowledged {
                task_id: Some(ids::task_id_to_v1(task_id)),
                uuid: Some(update_id.0.to_vec()),
            });
        }
        Event::Message { data } => {
            let data = Some(data.to_vec());
            out.r#type = Some(event::Type::Message);
            out.message = Some(event::Message { data });
        }
        Event::Shutdown => out.r#type = Some(event::Type::Shutdown),
        Event::Error { message } => {
            let message = Some(message.clone());
            out.r#type = Some(event::Type::Error);
            out.error = Some(event::Error { message });
        }
        Event::Heartbeat => out.r#type = Some(event::Type::Heartbeat),
    }
    out
}

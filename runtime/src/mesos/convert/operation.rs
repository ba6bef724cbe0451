//! What schedulers do with offers.

use super::resources::Form;
use super::{ConvertError, checks, filled, ids, resources, task};
use crate::mesos::v1;
use crate::mesos::v1::offer::{Operation, operation, operation::Type};
use std::sync::Arc;
use tepui_core::ids::FrameworkId;
use tepui_core::model::{OfferOperation, OperationState, OperationStatus, ResourceOperation};

/// The operations of one ACCEPT. What of them cannot be read stays in its place, as what it is.
#[must_use]
pub fn list_to_core(list: &[Operation], framework_id: &FrameworkId) -> Vec<OfferOperation> {
    let mut operations = Vec::with_capacity(list.len());
    for operation in list {
        match operation.r#type {
            Some(Type::Launch) => {
                let launch = operation.launch.as_ref();
                let infos = launch.map(|launch| launch.task_infos.as_slice());
                let infos = infos.unwrap_or_default();
                match checks::unnamed(operation, "LAUNCH") {
                    Ok(()) => launch_to_core(infos, framework_id, &mut operations),
                    Err(error) => operations.push(malformed(infos, &error, false)),
                }
            }
            Some(Type::LaunchGroup) => {
                let group = operation.launch_group.as_deref();
                let group = group.map(|group| match checks::unnamed(operation, "LAUNCH_GROUP") {
                    Ok(()) => group_to_core(group, framework_id),
                    Err(error) => malformed(members(group), &error, true),
                });
                operations.extend(group);
            }
            _ => operations.push(resource_operation(operation)),
        }
    }
    operations
}

/// A task that cannot be read does not keep the others from being launched.
fn launch_to_core(
    infos: &[v1::TaskInfo],
    framework_id: &FrameworkId,
    operations: &mut Vec<OfferOperation>,
) {
    let (mut tasks, mut malformed) = (Vec::with_capacity(infos.len()), Vec::new());
    for info in infos {
        let checked = checks::launched(info).map_err(|error| task::malformed(info, &error));
        match task::to_core(info, framework_id).and_then(|task| checked.map(|()| task)) {
            Ok(task) => tasks.push(Arc::new(task)),
            Err(error) => malformed.push(error),
        }
    }
    if !malformed.is_empty() {
        operations.push(OfferOperation::Malformed {
            tasks: malformed,
            group: false,
        });
    }
    operations.push(OfferOperation::Launch(tasks));
}

fn members(group: &operation::LaunchGroup) -> &[v1::TaskInfo] {
    let tasks = group.task_group.as_ref();
    tasks
        .map(|group| group.tasks.as_slice())
        .unwrap_or_default()
}

/// All tasks of a group are launched, or none.
fn group_to_core(group: &operation::LaunchGroup, framework_id: &FrameworkId) -> OfferOperation {
    let infos = members(group);
    let tasks = infos.iter().map(|info| {
        let task = task::to_core(info, framework_id).map_err(|task| ConvertError::new(task.why));
        let task = task.and_then(|task| checks::grouped(info).map(|()| Arc::new(task)));
        let id = info.task_id.as_ref().and_then(|id| id.value.as_deref());
        let id = id.unwrap_or_default();
        task.map_err(|why| ConvertError::new(format!("Task '{id}' is invalid: {why}")))
    });
    let tasks: Result<Vec<_>, ConvertError> = tasks.collect();
    let launch = tasks.and_then(|tasks| {
        let executor = group.executor.as_ref();
        let executor = executor.ok_or_else(|| ConvertError::missing("executor"))?;
        checks::group(executor, infos)?;
        let executor = task::executor_to_core(executor, framework_id)?;
        let executor = Arc::new(executor);
        Ok(OfferOperation::LaunchGroup { executor, tasks })
    });
    launch.unwrap_or_else(|why| malformed(infos, &why, true))
}

fn malformed(infos: &[v1::TaskInfo], why: &ConvertError, group: bool) -> OfferOperation {
    let tasks = infos.iter().map(|info| task::malformed(info, why));
    let tasks = tasks.collect();
    OfferOperation::Malformed { tasks, group }
}

fn resource_operation(operation: &Operation) -> OfferOperation {
    let id = ids::optional_operation_id(operation.id.as_ref());
    match (id, resource_operation_to_core(operation)) {
        (Ok(id), Ok(operation)) => OfferOperation::Resources { id, operation },
        (Ok(id), Err(error)) => OfferOperation::MalformedResources {
            id,
            why: error.to_string(),
        },
        (Err(error), _) => OfferOperation::MalformedResources {
            id: None,
            why: error.to_string(),
        },
    }
}

/// An operation that launches nothing.
///
/// # Errors
/// When its resources make no sense, or it is none that is supported.
pub fn resource_operation_to_core(
    operation: &Operation,
) -> Result<ResourceOperation, ConvertError> {
    let all = |list: Option<&Vec<v1::Resource>>| {
        resources::to_core(list.map(Vec::as_slice).unwrap_or_default())
    };
    let one = |one: Option<&v1::Resource>| {
        resources::to_core(one.map(std::slice::from_ref).unwrap_or_default())
    };
    Ok(match operation.r#type {
        Some(Type::Reserve) => {
            let reserve = operation.reserve.as_ref();
            ResourceOperation::Reserve {
                source: all(reserve.map(|reserve| &reserve.source))?,
                resources: all(reserve.map(|reserve| &reserve.resources))?,
            }
        }
        Some(Type::Unreserve) => ResourceOperation::Unreserve {
            resources: all(operation.unreserve.as_ref().map(|one| &one.resources))?,
        },
        Some(Type::Create) => ResourceOperation::Create {
            volumes: all(operation.create.as_ref().map(|one| &one.volumes))?,
        },
        Some(Type::Destroy) => ResourceOperation::Destroy {
            volumes: all(operation.destroy.as_ref().map(|one| &one.volumes))?,
        },
        Some(Type::GrowVolume) => {
            let grow = operation.grow_volume.as_deref();
            ResourceOperation::Grow {
                volume: one(grow.and_then(|grow| grow.volume.as_ref()))?,
                addition: one(grow.and_then(|grow| grow.addition.as_ref()))?,
            }
        }
        Some(Type::ShrinkVolume) => {
            let shrink = operation.shrink_volume.as_deref();
            let subtract = shrink.and_then(|shrink| shrink.subtract.clone());
            ResourceOperation::Shrink {
                volume: one(shrink.and_then(|shrink| shrink.volume.as_ref()))?,
                subtract: resources::scalar_to_core(&subtract.unwrap_or_default())?,
            }
        }
        Some(other) => {
            let text = format!("{} operations are not supported", other.name());
            return Err(ConvertError::new(text));
        }
        None => return Err(ConvertError::new("Unknown offer operation")),
    })
}

/// An operation, as schedulers and tools see it.
#[must_use]
pub fn resource_operation_to_v1(change: &ResourceOperation, form: Form) -> Operation {
    let all = |resources| resources::to_v1(resources, form);
    let one = |resources| all(resources).into_iter().next();
    let mut out = Operation::default();
    match change {
        ResourceOperation::Reserve { source, resources } => {
            out.r#type = Some(Type::Reserve);
            out.reserve = Some(operation::Reserve {
                source: all(source),
                resources: all(resources),
            });
        }
        ResourceOperation::Unreserve { resources } => {
            let resources = all(resources);
            out.r#type = Some(Type::Unreserve);
            out.unreserve = Some(operation::Unreserve { resources });
        }
        ResourceOperation::Create { volumes } => {
            let volumes = all(volumes);
            out.r#type = Some(Type::Create);
            out.create = Some(operation::Create { volumes });
        }
        ResourceOperation::Destroy { volumes } => {
            let volumes = all(volumes);
            out.r#type = Some(Type::Destroy);
            out.destroy = Some(operation::Destroy { volumes });
        }
        ResourceOperation::Grow { volume, addition } => {
            let (volume, addition) = (one(volume), one(addition));
            out.r#type = Some(Type::GrowVolume);
            out.grow_volume = Some(Box::new(operation::GrowVolume { volume, addition }));
        }
        ResourceOperation::Shrink { volume, subtract } => {
            let (volume, subtract) = (one(volume), Some(resources::scalar_to_v1(*subtract)));
            out.r#type = Some(Type::ShrinkVolume);
            out.shrink_volume = Some(Box::new(operation::ShrinkVolume { volume, subtract }));
        }
    }
    out
}

/// How an operation stands, as schedulers see it.
#[must_use]
pub fn status_to_v1(status: &OperationStatus, form: Form) -> v1::OperationStatus {
    v1::OperationStatus {
        operation_id: status.operation_id.as_ref().map(ids::operation_id_to_v1),
        state: Some(state_to_v1(status.state)),
        message: filled(&status.message),
        converted_resources: resources::to_v1(&status.converted, form),
        uuid: status.update_id.map(|id| v1::Uuid {
            value: Some(id.0.to_vec()),
        }),
        agent_id: status.agent_id.as_ref().map(ids::agent_id_to_v1),
        resource_provider_id: None,
    }
}

/// How an operation stands.
#[must_use]
pub const fn state_to_v1(state: OperationState) -> v1::OperationState {
    use v1::OperationState as V;
    match state {
        OperationState::Pending => V::Pending,
        OperationState::Finished => V::Finished,
        OperationState::Failed => V::Failed,
        OperationState::Error => V::Error,
        OperationState::Dropped => V::Dropped,
        OperationState::Unreachable => V::Unreachable,
        OperationState::GoneByOperator => V::GoneByOperator,
        OperationState::Recovering => V::Recovering,
        OperationState::Unknown => V::Unknown,
    }
}

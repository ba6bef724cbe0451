//! From calls of the v1 operator API to requests of the core.

use super::settings::machine_to_core;
use crate::mesos::convert::offer::unavailability_to_core;
use crate::mesos::convert::{ids, resources};
use crate::mesos::media::Refusal;
use crate::mesos::reflect::{Field, Reflect};
use crate::mesos::v1::master::{Call, call::Type};
use crate::mesos::v1::quota::{QuotaConfig as WireQuota, QuotaRequest};
use crate::mesos::v1::{self, value};
use std::collections::BTreeMap;
use std::time::Duration;
use tepui_core::ids::AgentId;
use tepui_core::message::operator::{Amount, QuotaConfig, Request, WeightConfig};
use tepui_core::model::{DrainConfig, ResourceOperation, Window};
use tepui_core::resources::Resources;

/// Checks that a call has the part that its type needs.
///
/// # Errors
/// Names what is missing.
pub fn check(call: &Call) -> Result<Type, Refusal> {
    let missing = |name: &str| {
        let text = format!("Failed to validate master::Call: Expecting '{name}' to be present");
        Err(Refusal::bad(text))
    };
    let Some(kind) = call.r#type else {
        return missing("type");
    };
    // A part is named as its type is.
    let name = kind.name().to_lowercase();
    let part = call.fields().iter().find(|field| field.name == name);
    let absent = |number| call.field(number).is_none_or(Field::is_absent);
    match part {
        Some(part) if absent(part.number) => missing(&name),
        _ => Ok(kind),
    }
}

/// What the node is asked; `None` for calls that only read.
///
/// # Errors
/// Says what in the call makes no sense.
pub fn request(call: &Call) -> Result<Option<Request>, Refusal> {
    if let Some(request) = of_cluster(call)? {
        return Ok(Some(request));
    }
    if let Some(request) = of_agent(call)? {
        return Ok(Some(request));
    }
    operation(call)
}

/// What concerns roles, machines and frameworks.
fn of_cluster(call: &Call) -> Result<Option<Request>, Refusal> {
    let kind = call.r#type;
    Ok(Some(match call {
        Call {
            update_quota: Some(asked),
            ..
        } if kind == Some(Type::UpdateQuota) => update_quota(&asked.quota_configs, asked.force),
        Call {
            set_quota: Some(asked),
            ..
        } if kind == Some(Type::SetQuota) => {
            set_quota(&asked.quota_request.clone().unwrap_or_default())?
        }
        Call {
            remove_quota: Some(asked),
            ..
        } if kind == Some(Type::RemoveQuota) => Request::RemoveQuota {
            role: asked.role.clone().unwrap_or_default(),
            path: None,
        },
        Call {
            update_weights: Some(asked),
            ..
        } if kind == Some(Type::UpdateWeights) => update_weights(&asked.weight_infos),
        Call {
            update_maintenance_schedule: Some(asked),
            ..
        } if kind == Some(Type::UpdateMaintenanceSchedule) => {
            schedule(&asked.schedule.clone().unwrap_or_default())
        }
        Call {
            start_maintenance: Some(asked),
            ..
        } if kind == Some(Type::StartMaintenance) => Request::StartMaintenance {
            machines: asked.machines.iter().map(machine_to_core).collect(),
        },
        Call {
            stop_maintenance: Some(asked),
            ..
        } if kind == Some(Type::StopMaintenance) => Request::StopMaintenance {
            machines: asked.machines.iter().map(machine_to_core).collect(),
        },
        Call {
            teardown: Some(asked),
            ..
        } if kind == Some(Type::Teardown) => teardown(asked.framework_id.as_ref())?,
        _ => return Ok(None),
    }))
}

/// Sets quotas.
#[must_use]
pub fn update_quota(configs: &[WireQuota], force: Option<bool>) -> Request {
    let amounts = |list: &BTreeMap<String, value::Scalar>| {
        let list = list.iter().map(|(name, scalar)| Amount {
            name: name.clone(),
            value: scalar.value.unwrap_or_default(),
        });
        list.collect()
    };
    let configs = configs.iter().map(|config| QuotaConfig {
        role: config.role.clone().unwrap_or_default(),
        guarantees: amounts(&config.guarantees),
        limits: amounts(&config.limits),
    });
    Request::UpdateQuota {
        configs: configs.collect(),
        force: force.unwrap_or(false),
    }
}

/// The older form.
///
/// # Errors
/// When something else than amounts is to be guaranteed.
pub fn set_quota(asked: &QuotaRequest) -> Result<Request, Refusal> {
    let invalid = |why: &str| Refusal::bad(format!("Failed to validate set quota request: {why}"));
    let mut guarantee = Vec::with_capacity(asked.guarantee.len());
    for resource in &asked.guarantee {
        let scalar = resource.scalar.as_ref().and_then(|scalar| scalar.value);
        let Some(value) = scalar else {
            return Err(invalid("QuotaInfo may not contain non-scalar resources"));
        };
        guarantee.push(Amount {
            name: resource.name.clone().unwrap_or_default(),
            value,
        });
    }
    Ok(Request::SetQuota {
        role: asked.role.clone().unwrap_or_default(),
        guarantee,
        force: asked.force.unwrap_or(false),
    })
}

/// Sets weights.
#[must_use]
pub fn update_weights(infos: &[v1::WeightInfo]) -> Request {
    let weights = infos.iter().map(|info| WeightConfig {
        role: info.role.clone().unwrap_or_default(),
        weight: info.weight.unwrap_or_default(),
    });
    Request::UpdateWeights {
        weights: weights.collect(),
    }
}

/// Replaces the schedule.
#[must_use]
pub fn schedule(asked: &v1::maintenance::Schedule) -> Request {
    let windows = asked.windows.iter().map(|window| {
        let unavailability = window.unavailability.as_ref();
        Window {
            machines: window.machine_ids.iter().map(machine_to_core).collect(),
            unavailability: unavailability
                .map(unavailability_to_core)
                .unwrap_or_default(),
        }
    });
    Request::UpdateMaintenanceSchedule {
        windows: windows.collect(),
    }
}

/// Ends a framework.
///
/// # Errors
/// When the id is none, so that no framework can have it.
pub fn teardown(id: Option<&v1::FrameworkId>) -> Result<Request, Refusal> {
    let unknown = |_| Refusal::bad("No framework found with specified ID");
    let framework_id = ids::framework_id(id).map_err(unknown)?;
    Ok(Request::Teardown { framework_id })
}

/// What concerns one agent as a whole.
fn of_agent(call: &Call) -> Result<Option<Request>, Refusal> {
    Ok(Some(match call.r#type {
        Some(Type::MarkAgentGone) => {
            let id = call.mark_agent_gone.as_ref();
            let id = id.and_then(|asked| asked.agent_id.as_ref());
            let agent_id = ids::agent_id(id).map_err(|_| {
                let named = id.and_then(|id| id.value.as_deref()).unwrap_or_default();
                Refusal {
                    status: 404,
                    text: format!("Agent '{named}' not found"),
                    allow: None,
                }
            })?;
            Request::MarkAgentGone { agent_id }
        }
        Some(Type::DrainAgent) => {
            let asked = call.drain_agent.clone().unwrap_or_default();
            let grace = asked.max_grace_period.as_ref();
            let config = DrainConfig {
                max_grace_period: grace.map(duration),
                mark_gone: asked.mark_gone.unwrap_or(false),
            };
            let agent_id = known(asked.agent_id.as_ref())?;
            Request::DrainAgent { agent_id, config }
        }
        Some(Type::DeactivateAgent) => {
            let asked = call.deactivate_agent.clone().unwrap_or_default();
            let agent_id = known(asked.agent_id.as_ref())?;
            Request::DeactivateAgent { agent_id }
        }
        Some(Type::ReactivateAgent) => {
            let asked = call.reactivate_agent.clone().unwrap_or_default();
            let agent_id = known(asked.agent_id.as_ref())?;
            Request::ReactivateAgent { agent_id }
        }
        _ => return Ok(None),
    }))
}

fn duration(asked: &v1::ProtobufDuration) -> Duration {
    let seconds = u64::try_from(asked.seconds.unwrap_or(0)).unwrap_or(0);
    let nanos = u32::try_from(asked.nanos.unwrap_or(0)).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_nanos(u64::from(nanos))
}

fn known(id: Option<&v1::AgentId>) -> Result<AgentId, Refusal> {
    ids::agent_id(id).map_err(|_| Refusal::bad("Unknown agent"))
}

/// What changes an agent's resources.
fn operation(call: &Call) -> Result<Option<Request>, Refusal> {
    let of = |list: &[v1::Resource]| read_resources(list);
    let (id, operation) = match call.r#type {
        Some(Type::ReserveResources) => {
            let asked = call.reserve_resources.clone().unwrap_or_default();
            let (source, resources) = (of(&asked.source)?, of(&asked.resources)?);
            let reserve = ResourceOperation::Reserve { source, resources };
            (asked.agent_id, reserve)
        }
        Some(Type::UnreserveResources) => {
            let asked = call.unreserve_resources.clone().unwrap_or_default();
            let resources = of(&asked.resources)?;
            (asked.agent_id, ResourceOperation::Unreserve { resources })
        }
        Some(Type::CreateVolumes) => {
            let asked = call.create_volumes.clone().unwrap_or_default();
            let volumes = of(&asked.volumes)?;
            (asked.agent_id, ResourceOperation::Create { volumes })
        }
        Some(Type::DestroyVolumes) => {
            let asked = call.destroy_volumes.clone().unwrap_or_default();
            let volumes = of(&asked.volumes)?;
            (asked.agent_id, ResourceOperation::Destroy { volumes })
        }
        Some(Type::GrowVolume) => {
            let asked = call.grow_volume.clone().unwrap_or_default();
            let volume = of(asked.volume.as_slice())?;
            let addition = of(asked.addition.as_slice())?;
            (asked.agent_id, ResourceOperation::Grow { volume, addition })
        }
        Some(Type::ShrinkVolume) => {
            let asked = call.shrink_volume.clone().unwrap_or_default();
            let volume = of(asked.volume.as_slice())?;
            let subtract = asked.subtract.unwrap_or_default();
            let subtract = resources::scalar_to_core(&subtract);
            let subtract = subtract.map_err(|error| Refusal::bad(error.to_string()))?;
            (
                asked.agent_id,
                ResourceOperation::Shrink { volume, subtract },
            )
        }
        _ => return Ok(None),
    };
    operate(id.as_ref(), operation).map(Some)
}

/// Resources as an operator names them.
///
/// # Errors
/// Says what makes no sense.
pub fn read_resources(list: &[v1::Resource]) -> Result<Resources, Refusal> {
    resources::to_core(list).map_err(|error| Refusal::bad(error.to_string()))
}

/// Changes what an agent has.
///
/// # Errors
/// When the id is none, so that no agent can have it.
pub fn operate(id: Option<&v1::AgentId>, operation: ResourceOperation) -> Result<Request, Refusal> {
    let agent_id =
        ids::agent_id(id).map_err(|_| Refusal::bad("No agent found with specified ID"))?;
    Ok(Request::Operate {
        agent_id,
        operation,
    })
}

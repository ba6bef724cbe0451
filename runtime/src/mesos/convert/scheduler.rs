//! The scheduler API.

use super::resources::{Form, role_to_core};
use super::{ConvertError, agent, framework, ids, offer, operation, status, task};
use crate::mesos::v1::scheduler::{Call as V1Call, Event as V1Event, call, event};
use std::collections::BTreeSet;
use std::sync::Arc;
use tepui_core::ids::{FrameworkId, OfferId};
use tepui_core::message::Reject;
use tepui_core::message::scheduler::{Call, Event};
use tepui_core::model::FrameworkInfo;
use tepui_core::resources::Role;
use tepui_core::time::Wall;

/// A call and who makes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Called {
    /// `None` only on the first subscription.
    pub framework_id: Option<FrameworkId>,
    /// What.
    pub call: Call,
}

fn invalid(error: &ConvertError) -> Reject {
    Reject::Invalid(format!("Failed to validate scheduler::Call: {error}"))
}

fn missing(field: &str) -> Reject {
    invalid(&ConvertError::missing(field))
}

/// What the core makes of a call, after the checks that need nothing but the call.
///
/// # Errors
/// [`Reject::Invalid`] where Mesos answers 400, [`Reject::Refused`] where it opens the stream and
/// says so there, [`Reject::Dropped`] where it takes the call and does nothing.
pub fn call_to_core(call: &V1Call) -> Result<Called, Reject> {
    let Some(r#type) = call.r#type else {
        return Err(missing("type"));
    };
    let framework_id = ids::optional_framework_id(call.framework_id.as_ref());
    if r#type == call::Type::Subscribe {
        return subscribe(call, framework_id);
    }
    let Some(framework_id) = framework_id.map_err(|_| no_such_framework())? else {
        return Err(missing("framework_id"));
    };
    let call = match r#type {
        call::Type::Accept => accept(call, &framework_id)?,
        call::Type::UpdateFramework => update_framework(call)?,
        _ => rest(call, r#type)?,
    };
    Ok(Called {
        framework_id: Some(framework_id),
        call,
    })
}

/// No framework has an id that is none.
fn no_such_framework() -> Reject {
    Reject::NoSuchFramework("Framework cannot be found".to_owned())
}

fn subscribe(
    call: &V1Call,
    framework_id: Result<Option<FrameworkId>, ConvertError>,
) -> Result<Called, Reject> {
    let subscribe = call
        .subscribe
        .as_ref()
        .ok_or_else(|| missing("subscribe"))?;
    let info = subscribe.framework_info.as_ref();
    let info = info.ok_or_else(|| missing("framework_info"))?;
    let value = |id: &Option<crate::mesos::v1::FrameworkId>| {
        let value = id.as_ref().and_then(|id| id.value.clone());
        value.unwrap_or_default()
    };
    if value(&call.framework_id) != value(&info.id) {
        let text = "'framework_id' differs from 'subscribe.framework_info.id'";
        return Err(invalid(&ConvertError::new(text)));
    }
    let refused = |error: ConvertError| Reject::Refused(error.to_string());
    let framework = framework::to_core(info).map_err(refused)?;
    let suppressed = suppressed(&subscribe.suppressed_roles, &framework).map_err(refused)?;
    Ok(Called {
        framework_id: framework_id.map_err(refused)?,
        call: Call::Subscribe {
            framework: Arc::new(framework),
            suppressed_roles: suppressed,
        },
    })
}

fn update_framework(call: &V1Call) -> Result<Call, Reject> {
    let update = call.update_framework.as_ref();
    let update = update.ok_or_else(|| missing("update_framework"))?;
    let info = update.framework_info.as_ref();
    let info = info.ok_or_else(|| missing("framework_info"))?;
    let value = |id: Option<&crate::mesos::v1::FrameworkId>| {
        id.and_then(|id| id.value.clone()).unwrap_or_default()
    };
    if value(call.framework_id.as_ref()) != value(info.id.as_ref()) {
        let text = "'framework_id' differs from 'update_framework.framework_info.id'";
        return Err(invalid(&ConvertError::new(text)));
    }
    let framework = framework::to_core(info).map_err(|error| {
        Reject::Invalid(format!("Supplied FrameworkInfo is not valid: {error}"))
    })?;
    let suppressed = suppressed(&update.suppressed_roles, &framework).map_err(|error| {
        Reject::Invalid(format!("'UpdateFramework' call is not valid: {error}"))
    })?;
    Ok(Call::UpdateFramework {
        framework: Arc::new(framework),
        suppressed_roles: suppressed,
    })
}

/// Those of the framework's roles that are in the list; all that are in it must be.
fn suppressed(texts: &[String], framework: &FrameworkInfo) -> Result<Vec<Role>, ConvertError> {
    let has = |text: &&str| framework.roles.iter().any(|role| role.as_str() == *text);
    let texts: BTreeSet<&str> = texts.iter().map(String::as_str).collect();
    let strange: Vec<&str> = texts.iter().copied().filter(|text| !has(text)).collect();
    if !strange.is_empty() {
        let strange = strange.join(", ");
        return Err(ConvertError(format!(
            "Suppressed roles {{ {strange} }} are not contained in the set of roles"
        )));
    }
    let roles = framework.roles.iter();
    let roles = roles.filter(|role| texts.contains(role.as_str()));
    Ok(roles.cloned().collect())
}

fn accept(call: &V1Call, framework_id: &FrameworkId) -> Result<Call, Reject> {
    let accept = call.accept.as_ref().ok_or_else(|| missing("accept"))?;
    Ok(Call::Accept {
        offer_ids: offer_ids(&accept.offer_ids)?,
        operations: operation::list_to_core(&accept.operations, framework_id),
        filters: offer::filters_to_core(accept.filters.as_ref()),
    })
}

fn offer_ids(list: &[crate::mesos::v1::OfferId]) -> Result<Vec<OfferId>, Reject> {
    let ids = list.iter().map(|id| ids::offer_id(Some(id)));
    ids.collect::<Result<_, _>>()
        .map_err(|error| invalid(&error))
}

/// The roles of a wish. One that is none is as good as one that the framework is not in.
fn roles(texts: &[String]) -> Result<Vec<Role>, Reject> {
    let roles = texts.iter().map(|text| role_to_core(text));
    let roles = roles.collect::<Result<_, _>>();
    roles.map_err(|error: ConvertError| Reject::Dropped(error.to_string()))
}

/// The calls whose parts are ids and roles. What names something that cannot exist is dropped, as
/// is what names something that does not.
fn rest(call: &V1Call, r#type: call::Type) -> Result<Call, Reject> {
    let dropped = |error: ConvertError| Reject::Dropped(error.to_string());
    let no = |field| move || missing(field);
    Ok(match r#type {
        call::Type::Teardown => Call::Teardown,
        call::Type::Decline => {
            let decline = call.decline.as_ref().ok_or_else(no("decline"))?;
            Call::Decline {
                offer_ids: offer_ids(&decline.offer_ids)?,
                filters: offer::filters_to_core(decline.filters.as_ref()),
            }
        }
        call::Type::Revive => Call::Revive {
            roles: roles(call.revive.as_ref().map_or(&[], |one| &one.roles))?,
        },
        call::Type::Suppress => Call::Suppress {
            roles: roles(call.suppress.as_ref().map_or(&[], |one| &one.roles))?,
        },
        call::Type::Kill => {
            let kill = call.kill.as_ref().ok_or_else(no("kill"))?;
            Call::Kill {
                task_id: ids::task_id(kill.task_id.as_ref()).map_err(dropped)?,
                agent_id: ids::optional_agent_id(kill.agent_id.as_ref()).map_err(dropped)?,
                grace: task::grace_to_core(kill.kill_policy.as_ref()),
            }
        }
        call::Type::Shutdown => {
            let shutdown = call.shutdown.as_ref().ok_or_else(no("shutdown"))?;
            Call::Shutdown {
                executor_id: ids::executor_id(shutdown.executor_id.as_ref()).map_err(dropped)?,
                agent_id: ids::agent_id(shutdown.agent_id.as_ref()).map_err(dropped)?,
            }
        }
        call::Type::Message => {
            let message = call.message.as_ref().ok_or_else(no("message"))?;
            Call::Message {
                agent_id: ids::agent_id(message.agent_id.as_ref()).map_err(dropped)?,
                executor_id: ids::executor_id(message.executor_id.as_ref()).map_err(dropped)?,
                data: message.data.as_deref().unwrap_or_default().into(),
            }
        }
        call::Type::Request => {
            call.request.as_ref().ok_or_else(no("request"))?;
            Call::Request
        }
        call::Type::AcceptInverseOffers => {
            let accept = call.accept_inverse_offers.as_ref();
            let accept = accept.ok_or_else(no("accept_inverse_offers"))?;
            Call::AcceptInverseOffers {
                offer_ids: offer_ids(&accept.inverse_offer_ids)?,
                filters: offer::filters_to_core(accept.filters.as_ref()),
            }
        }
        call::Type::DeclineInverseOffers => {
            let decline = call.decline_inverse_offers.as_ref();
            let decline = decline.ok_or_else(no("decline_inverse_offers"))?;
            Call::DeclineInverseOffers {
                offer_ids: offer_ids(&decline.inverse_offer_ids)?,
                filters: offer::filters_to_core(decline.filters.as_ref()),
            }
        }
        _ => words(call, r#type)?,
    })
}

/// The calls about what was said of tasks and operations.
fn words(call: &V1Call, r#type: call::Type) -> Result<Call, Reject> {
    let dropped = |error: ConvertError| Reject::Dropped(error.to_string());
    let no = |field| move || missing(field);
    Ok(match r#type {
        call::Type::Acknowledge => {
            let acknowledge = call.acknowledge.as_ref().ok_or_else(no("acknowledge"))?;
            let update_id = ids::update_id(acknowledge.uuid.as_deref());
            Call::Acknowledge {
                update_id: update_id.map_err(|error| invalid(&error))?,
                agent_id: ids::agent_id(acknowledge.agent_id.as_ref()).map_err(dropped)?,
                task_id: ids::task_id(acknowledge.task_id.as_ref()).map_err(dropped)?,
            }
        }
        call::Type::AcknowledgeOperationStatus => {
            let acknowledge = call.acknowledge_operation_status.as_ref();
            let acknowledge = acknowledge.ok_or_else(no("acknowledge_operation_status"))?;
            let update_id = ids::update_id(acknowledge.uuid.as_deref());
            let update_id = update_id.map_err(|error| invalid(&error))?;
            let agent_id = acknowledge.agent_id.as_ref().ok_or_else(no("agent_id"))?;
            let operation_id = ids::operation_id(acknowledge.operation_id.as_ref());
            Call::AcknowledgeOperationStatus {
                agent_id: ids::agent_id(Some(agent_id)).map_err(dropped)?,
                operation_id: operation_id.map_err(dropped)?,
                update_id,
            }
        }
        call::Type::Reconcile => {
            let reconcile = call.reconcile.as_ref().ok_or_else(no("reconcile"))?;
            let tasks = reconcile.tasks.iter().map(|task| {
                let agent_id = ids::optional_agent_id(task.agent_id.as_ref())?;
                Ok((ids::task_id(task.task_id.as_ref())?, agent_id))
            });
            let tasks = tasks.collect::<Result<_, _>>();
            Call::Reconcile {
                tasks: tasks.map_err(|error| invalid(&error))?,
            }
        }
        call::Type::ReconcileOperations => {
            let reconcile = call.reconcile_operations.as_ref();
            let reconcile = reconcile.ok_or_else(no("reconcile_operations"))?;
            let operations = reconcile.operations.iter().map(|operation| {
                let agent_id = ids::optional_agent_id(operation.agent_id.as_ref())?;
                Ok((
                    ids::operation_id(operation.operation_id.as_ref())?,
                    agent_id,
                ))
            });
            let operations = operations.collect::<Result<_, _>>();
            Call::ReconcileOperations {
                operations: operations.map_err(|error| invalid(&error))?,
            }
        }
        // Mesos takes a call of type UNKNOWN, and does nothing.
        _ => return Err(Reject::Dropped("the call is of no known type".to_owned())),
    })
}

/// An event, as a framework sees it that writes reservations in this form. `now` is the time
/// stamp of what is said here and now.
#[must_use]
pub fn event_to_v1(event: &Event, form: Form, now: Wall) -> V1Event {
    let mut out = V1Event::default();
    match event {
        Event::Subscribed {
            framework_id,
            heartbeat_interval,
            master,
        } => {
            out.r#type = Some(event::Type::Subscribed);
            out.subscribed = Some(event::Subscribed {
                framework_id: Some(ids::framework_id_to_v1(framework_id)),
                heartbeat_interval_seconds: Some(heartbeat_interval.as_secs_f64()),
                master_info: Some(agent::master_to_v1(master)),
            });
        }
        Event::Offers(offers) => {
            let offers = offers.iter().map(|one| offer::to_v1(one, form)).collect();
            out.r#type = Some(event::Type::Offers);
            out.offers = Some(event::Offers { offers });
        }
        Event::InverseOffers(offers) => {
            let offers = offers.iter().map(|one| offer::inverse_to_v1(one, form));
            out.r#type = Some(event::Type::InverseOffers);
            out.inverse_offers = Some(event::InverseOffers {
                inverse_offers: offers.collect(),
            });
        }
        Event::Heartbeat => out.r#type = Some(event::Type::Heartbeat),
        Event::Error { message } => {
            let message = Some(message.clone());
            out.r#type = Some(event::Type::Error);
            out.error = Some(event::Error { message });
        }
        _ => told_to_v1(event, form, now, &mut out),
    }
    out
}

fn told_to_v1(event: &Event, form: Form, now: Wall, out: &mut V1Event) {
    let update = |status, out: &mut V1Event| {
        out.r#type = Some(event::Type::Update);
        out.update = Some(event::Update {
            status: Some(status),
        });
    };
    match event {
        Event::Update { status } => update(status::to_v1(status), out),
        Event::Malformed {
            task,
            state,
            reason,
        } => update(status::malformed_to_v1(task, *state, *reason, now), out),
        Event::Rescind { offer_id } => {
            let offer_id = Some(ids::offer_id_to_v1(offer_id));
            out.r#type = Some(event::Type::Rescind);
            out.rescind = Some(event::Rescind { offer_id });
        }
        Event::RescindInverseOffer { offer_id } => {
            let inverse_offer_id = Some(ids::offer_id_to_v1(offer_id));
            out.r#type = Some(event::Type::RescindInverseOffer);
            out.rescind_inverse_offer = Some(event::RescindInverseOffer { inverse_offer_id });
        }
        Event::Message {
            agent_id,
            executor_id,
            data,
        } => {
            out.r#type = Some(event::Type::Message);
            out.message = Some(event::Message {
                agent_id: Some(ids::agent_id_to_v1(agent_id)),
                executor_id: Some(ids::executor_id_to_v1(executor_id)),
                data: Some(data.to_vec()),
            });
        }
        Event::Failure {
            agent_id,
            executor_id,
            status,
        } => {
            out.r#type = Some(event::Type::Failure);
            out.failure = Some(event::Failure {
                agent_id: Some(ids::agent_id_to_v1(agent_id)),
                executor_id: executor_id.as_ref().map(ids::executor_id_to_v1),
                status: *status,
            });
        }
        Event::UpdateOperationStatus { status } => {
            let status = Some(operation::status_to_v1(status, form));
            out.r#type = Some(event::Type::UpdateOperationStatus);
            out.update_operation_status = Some(event::UpdateOperationStatus { status });
        }
        Event::Subscribed { .. }
        | Event::Offers(_)
        | Event::InverseOffers(_)
        | Event::Heartbeat
        | Event::Error { .. } => {}
    }
}

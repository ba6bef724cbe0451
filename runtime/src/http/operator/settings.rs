//! What operators have set, and drains and quotas as tools see them.

use crate::mesos::convert::ids::framework_id_to_v1;
use crate::mesos::convert::offer::unavailability_to_v1;
use crate::mesos::convert::resources::scalar_to_v1;
use crate::mesos::convert::time::{duration_to_v1, wall_to_v1};
use crate::mesos::v1::allocator::{InverseOfferStatus, inverse_offer_status};
use crate::mesos::v1::maintenance::{ClusterStatus, Schedule, Window, cluster_status};
use crate::mesos::v1::quota::{QuotaConfig, QuotaInfo, QuotaStatus};
use crate::mesos::v1::{self, value};
use std::collections::BTreeMap;
use tepui_core::master::leading::MaintenanceStatus;
use tepui_core::model::{self, DrainState, InverseOfferAnswer, MachineId};
use tepui_core::registry::OperatorState;
use tepui_core::resources::Quantities;

/// How far an agent is drained.
#[must_use]
pub fn drain_to_v1(info: &model::DrainInfo) -> v1::DrainInfo {
    let grace = info.config.max_grace_period;
    v1::DrainInfo {
        state: Some(match info.state {
            DrainState::Draining => v1::DrainState::Draining,
            DrainState::Drained => v1::DrainState::Drained,
        }),
        config: Some(v1::DrainConfig {
            max_grace_period: grace.map(duration_to_v1),
            mark_gone: Some(info.config.mark_gone),
        }),
    }
}

/// A machine, by what it was named.
#[must_use]
pub fn machine_to_v1(id: &MachineId) -> v1::MachineId {
    let filled = |text: &String| (!text.is_empty()).then(|| text.clone());
    v1::MachineId {
        hostname: filled(&id.hostname),
        ip: filled(&id.ip),
    }
}

/// See [`machine_to_v1`].
#[must_use]
pub fn machine_to_core(id: &v1::MachineId) -> MachineId {
    MachineId {
        hostname: id.hostname.clone().unwrap_or_default(),
        ip: id.ip.clone().unwrap_or_default(),
    }
}

/// The schedule of maintenance.
#[must_use]
pub fn schedule(state: &OperatorState) -> Schedule {
    let windows = state.schedule.iter().map(|window| Window {
        machine_ids: window.machines.iter().map(machine_to_v1).collect(),
        unavailability: Some(unavailability_to_v1(window.unavailability)),
    });
    Schedule {
        windows: windows.collect(),
    }
}

/// Where the machines of the schedule stand, and what frameworks said to leaving them; those that
/// are up are not listed.
#[must_use]
pub fn machines(status: &MaintenanceStatus) -> ClusterStatus {
    let draining = status.draining.iter();
    let draining = draining.map(|(id, answers)| cluster_status::DrainingMachine {
        id: Some(machine_to_v1(id)),
        statuses: answers.iter().map(answer_to_v1).collect(),
    });
    ClusterStatus {
        draining_machines: draining.collect(),
        down_machines: status.down.iter().map(machine_to_v1).collect(),
    }
}

fn answer_to_v1(status: &model::InverseOfferStatus) -> InverseOfferStatus {
    InverseOfferStatus {
        status: Some(match status.answer {
            InverseOfferAnswer::Accepted => inverse_offer_status::Status::Accept,
            InverseOfferAnswer::Declined => inverse_offer_status::Status::Decline,
        }),
        framework_id: Some(framework_id_to_v1(&status.framework_id)),
        timestamp: Some(wall_to_v1(status.at)),
    }
}

/// Weights, as far as they were ever set.
#[must_use]
pub fn weights(state: &OperatorState) -> Vec<v1::WeightInfo> {
    let set = state.weights.iter().map(|(role, weight)| v1::WeightInfo {
        weight: Some(weight.to_f64()),
        role: Some(role.to_string()),
    });
    set.collect()
}

fn scalar(amount: f64) -> value::Scalar {
    value::Scalar {
        value: Some(amount),
    }
}

fn guarantees(amounts: &Quantities) -> BTreeMap<String, value::Scalar> {
    let amounts = amounts.iter();
    amounts
        .map(|(name, milli)| (name.to_owned(), scalar(milli as f64 / 1e3)))
        .collect()
}

/// Quotas, in the new form and in the one before it, which knows no limits.
#[must_use]
pub fn quotas(state: &OperatorState) -> QuotaStatus {
    let mut status = QuotaStatus::default();
    for (role, quota) in &state.quotas {
        let resources = quota.guarantees.iter().map(|(name, milli)| v1::Resource {
            name: Some(name.to_owned()),
            r#type: Some(value::Type::Scalar),
            scalar: Some(scalar(milli as f64 / 1e3)),
            ..v1::Resource::default()
        });
        status.infos.push(QuotaInfo {
            role: Some(role.to_string()),
            principal: None,
            guarantee: resources.collect(),
        });
        let limits = quota.limits.iter();
        status.configs.push(QuotaConfig {
            role: Some(role.to_string()),
            guarantees: guarantees(&quota.guarantees),
            limits: limits
                .map(|(name, limit)| (name.to_owned(), scalar_to_v1(limit)))
                .collect(),
        });
    }
    status
}

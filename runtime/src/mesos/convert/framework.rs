//! Frameworks.

use super::resources::role_to_core;
use super::{ConvertError, filled, ids, restore, time, verbatim};
use crate::mesos::v1;
use crate::mesos::v1::framework_info::{Capability, capability::Type};
use std::collections::BTreeSet;
use tepui_core::model::{Capabilities, FrameworkInfo};
use tepui_core::resources::Role;

/// A framework as it describes itself.
///
/// # Errors
/// When it contradicts itself, or a role or its id is none.
pub fn to_core(info: &v1::FrameworkInfo) -> Result<FrameworkInfo, ConvertError> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let capabilities = capabilities_to_core(&info.capabilities);
    let timeout = info.failover_timeout.unwrap_or(0.0);
    let failover_timeout = time::seconds_to_core(timeout).ok_or_else(|| {
        ConvertError::new(format!(
            "The framework failover_timeout ({timeout}) is invalid"
        ))
    })?;
    Ok(FrameworkInfo {
        id: ids::optional_framework_id(info.id.as_ref())?,
        user: text(&info.user),
        name: text(&info.name),
        roles: roles_to_core(info, capabilities)?,
        failover_timeout,
        checkpoint: info.checkpoint.unwrap_or(false),
        capabilities,
        principal: info.principal.clone(),
        hostname: text(&info.hostname),
        webui_url: info.webui_url.clone(),
        verbatim: verbatim(info),
    })
}

/// Frameworks of several roles name them in `roles`, all others the one in `role`.
fn roles_to_core(
    info: &v1::FrameworkInfo,
    capabilities: Capabilities,
) -> Result<Vec<Role>, ConvertError> {
    if !capabilities.multi_role {
        if !info.roles.is_empty() {
            return Err(ConvertError::new(
                "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE \
                 capable",
            ));
        }
        let role = role_to_core(info.role.as_deref().unwrap_or("*"));
        return role.map(|role| vec![role]).map_err(|error| {
            ConvertError(format!("'FrameworkInfo.role' is not a valid role: {error}"))
        });
    }
    if info.role.is_some() {
        return Err(ConvertError::new(
            "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable",
        ));
    }
    roles(&info.roles)
}

fn roles(texts: &[String]) -> Result<Vec<Role>, ConvertError> {
    let mut seen = BTreeSet::new();
    let twice = texts.iter().filter(|text| !seen.insert(text.as_str()));
    let twice: BTreeSet<&str> = twice.map(String::as_str).collect();
    if !twice.is_empty() {
        let twice: Vec<&str> = twice.into_iter().collect();
        return Err(ConvertError(format!(
            "'FrameworkInfo.roles' contains duplicate items: {{ {} }}",
            twice.join(", ")
        )));
    }
    let roles = texts.iter().map(|text| role_to_core(text));
    roles.collect::<Result<_, _>>().map_err(|error| {
        ConvertError(format!(
            "'FrameworkInfo.roles' contains invalid role: {error}"
        ))
    })
}

/// A framework, as tools and executors see it.
#[must_use]
pub fn to_v1(info: &FrameworkInfo) -> v1::FrameworkInfo {
    let mut out: v1::FrameworkInfo = match info.verbatim.is_empty() {
        true => described_to_v1(info),
        false => restore(&info.verbatim),
    };
    out.id = info.id.as_ref().map(ids::framework_id_to_v1);
    out
}

fn described_to_v1(info: &FrameworkInfo) -> v1::FrameworkInfo {
    let names = || info.roles.iter().map(|role| role.as_str().to_owned());
    let multi_role = info.capabilities.multi_role;
    v1::FrameworkInfo {
        user: Some(info.user.clone()),
        name: Some(info.name.clone()),
        id: None,
        failover_timeout: Some(info.failover_timeout.as_secs_f64()),
        checkpoint: Some(info.checkpoint),
        role: if multi_role { None } else { names().next() },
        roles: if multi_role {
            names().collect()
        } else {
            Vec::new()
        },
        hostname: filled(&info.hostname),
        principal: info.principal.clone(),
        webui_url: info.webui_url.clone(),
        capabilities: capabilities_to_v1(info.capabilities),
        ..Default::default()
    }
}

/// What a framework understands; unknown capabilities are none.
#[must_use]
pub fn capabilities_to_core(list: &[Capability]) -> Capabilities {
    let has = |r#type| list.iter().any(|one| one.r#type == Some(r#type));
    Capabilities {
        partition_aware: has(Type::PartitionAware),
        multi_role: has(Type::MultiRole),
        gpu_resources: has(Type::GpuResources),
        task_killing_state: has(Type::TaskKillingState),
        revocable_resources: has(Type::RevocableResources),
        reservation_refinement: has(Type::ReservationRefinement),
        shared_resources: has(Type::SharedResources),
        region_aware: has(Type::RegionAware),
    }
}

/// See [`capabilities_to_core`].
#[must_use]
pub fn capabilities_to_v1(capabilities: Capabilities) -> Vec<Capability> {
    let all = [
        (capabilities.revocable_resources, Type::RevocableResources),
        (capabilities.task_killing_state, Type::TaskKillingState),
        (capabilities.gpu_resources, Type::GpuResources),
        (capabilities.shared_resources, Type::SharedResources),
        (capabilities.partition_aware, Type::PartitionAware),
        (capabilities.multi_role, Type::MultiRole),
        (
            capabilities.reservation_refinement,
            Type::ReservationRefinement,
        ),
        (capabilities.region_aware, Type::RegionAware),
    ];
    let has = all.into_iter().filter(|(has, _)| *has);
    has.map(|(_, r#type)| Capability {
        r#type: Some(r#type),
    })
    .collect()
}

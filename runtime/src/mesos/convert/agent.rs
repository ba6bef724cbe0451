//! Agents and masters.

use super::resources::Form;
use super::{ConvertError, attributes, ids, resources};
use crate::mesos::v1;
use crate::mesos::v1::agent_info::{Capability, capability::Type};
use crate::mesos::v1::domain_info::{FaultDomain, fault_domain};
use crate::mesos::v1::master_info;
use std::net::{IpAddr, Ipv4Addr};
use tepui_core::model::{AgentInfo, Domain, MasterInfo};

/// The version of Mesos whose API we speak.
pub const MESOS_VERSION: &str = "1.12.0";

/// Where the agent's own endpoints are, below its address.
pub const AGENT_PATH: &str = "/slave(1)";

/// An agent as it describes itself.
///
/// # Errors
/// When its resources or attributes make no sense.
pub fn to_core(info: &v1::AgentInfo) -> Result<AgentInfo, ConvertError> {
    let port = info.port.unwrap_or(5051);
    Ok(AgentInfo {
        id: ids::optional_agent_id(info.id.as_ref())?,
        hostname: info.hostname.clone().unwrap_or_default(),
        ip: String::new(),
        port: u16::try_from(port)
            .map_err(|_| ConvertError::new(format!("{port} is not a port")))?,
        resources: resources::to_core(&info.resources)?,
        attributes: attributes::to_core(&info.attributes)?,
        domain: info.domain.as_ref().and_then(domain_to_core),
    })
}

/// See [`to_core`].
#[must_use]
pub fn to_v1(info: &AgentInfo) -> v1::AgentInfo {
    v1::AgentInfo {
        hostname: Some(info.hostname.clone()),
        port: Some(i32::from(info.port)),
        resources: resources::to_v1(&info.resources, Form::Refined),
        attributes: attributes::to_v1(&info.attributes),
        id: info.id.as_ref().map(ids::agent_id_to_v1),
        checkpoint: None,
        domain: info.domain.as_ref().map(domain_to_v1),
    }
}

/// What our agents can do.
#[must_use]
pub fn agent_capabilities() -> Vec<Capability> {
    let all = [
        Type::MultiRole,
        Type::HierarchicalRole,
        Type::ReservationRefinement,
        Type::ResourceProvider,
        Type::ResizeVolume,
        Type::AgentOperationFeedback,
        Type::AgentDraining,
        Type::TaskResourceLimits,
    ];
    let capability = |r#type| Capability {
        r#type: Some(r#type),
    };
    all.map(capability).to_vec()
}

/// Where something stands, if it says so.
#[must_use]
pub fn domain_to_core(info: &v1::DomainInfo) -> Option<Domain> {
    let fault = info.fault_domain.as_ref()?;
    Some(Domain {
        region: fault.region.as_ref()?.name.clone()?,
        zone: fault.zone.as_ref()?.name.clone()?,
    })
}

/// See [`domain_to_core`].
#[must_use]
pub fn domain_to_v1(domain: &Domain) -> v1::DomainInfo {
    v1::DomainInfo {
        fault_domain: Some(FaultDomain {
            region: Some(fault_domain::RegionInfo {
                name: Some(domain.region.clone()),
            }),
            zone: Some(fault_domain::ZoneInfo {
                name: Some(domain.zone.clone()),
            }),
        }),
    }
}

/// Where something is reached, from its host and port.
#[must_use]
pub fn address_to_v1(host: &str, port: u16) -> v1::Address {
    let ip: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    v1::Address {
        hostname: Some(host.to_owned()),
        ip: ip.map(|ip| ip.to_string()),
        port: Some(i32::from(port)),
    }
}

/// The page of an agent.
#[must_use]
pub fn agent_url(host: &str, port: u16) -> v1::Url {
    v1::Url {
        scheme: Some("http".to_owned()),
        address: Some(address_to_v1(host, port)),
        path: Some(AGENT_PATH.to_owned()),
        ..Default::default()
    }
}

/// A master, as schedulers and tools see it.
#[must_use]
pub fn master_to_v1(info: &MasterInfo) -> v1::MasterInfo {
    use master_info::capability::Type;
    let (host, port) = split_address(&info.address);
    let capability = |r#type| master_info::Capability {
        r#type: Some(r#type),
    };
    v1::MasterInfo {
        id: Some(info.id.to_string()),
        ip: Some(ip_number(host)),
        port: Some(u32::from(port)),
        pid: Some(format!("master@{}", info.address)),
        hostname: Some(host.to_owned()),
        version: Some(MESOS_VERSION.to_owned()),
        address: Some(address_to_v1(host, port)),
        domain: None,
        capabilities: [Type::AgentUpdate, Type::AgentDraining, Type::QuotaV2]
            .map(capability)
            .to_vec(),
    }
}

/// The host and port of `host:port`; port 0 where there is none.
#[must_use]
pub fn split_address(address: &str) -> (&str, u16) {
    match address.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().unwrap_or(0)),
        None => (address, 0),
    }
}

/// An IPv4 address as the number that its four bytes are on a little-endian host, as Mesos writes
/// it; 0 for a name or another kind of address.
#[must_use]
pub fn ip_number(host: &str) -> u32 {
    let ip: Option<Ipv4Addr> = host.parse().ok();
    ip.map_or(0, |ip| u32::from_le_bytes(ip.octets()))
}

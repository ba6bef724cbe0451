//! Offers, inverse offers and filters.

use super::resources::Form;
use super::{agent, attributes, ids, resources, time};
use crate::mesos::v1;
use tepui_core::model::{Filters, InverseOffer, Offer, Unavailability};

/// An offer, as its framework sees it.
#[must_use]
pub fn to_v1(offer: &Offer, form: Form) -> v1::Offer {
    let role = offer.role.as_str().to_owned();
    let allocated = offer.resources.unallocated().allocated_to(&offer.role);
    v1::Offer {
        id: Some(ids::offer_id_to_v1(&offer.id)),
        framework_id: Some(ids::framework_id_to_v1(&offer.framework_id)),
        agent_id: Some(ids::agent_id_to_v1(&offer.agent_id)),
        hostname: Some(offer.hostname.clone()),
        url: Some(agent::agent_url(&offer.hostname, offer.port)),
        domain: offer.domain.as_ref().map(agent::domain_to_v1),
        resources: resources::to_v1(&allocated, form),
        attributes: attributes::to_v1(&offer.attributes),
        executor_ids: offer
            .executor_ids
            .iter()
            .map(ids::executor_id_to_v1)
            .collect(),
        unavailability: offer.unavailability.map(unavailability_to_v1),
        allocation_info: Some(v1::resource::AllocationInfo { role: Some(role) }),
    }
}

/// An inverse offer, as its framework sees it.
#[must_use]
pub fn inverse_to_v1(offer: &InverseOffer, form: Form) -> v1::InverseOffer {
    v1::InverseOffer {
        id: Some(ids::offer_id_to_v1(&offer.id)),
        url: Some(agent::agent_url(&offer.hostname, offer.port)),
        framework_id: Some(ids::framework_id_to_v1(&offer.framework_id)),
        agent_id: Some(ids::agent_id_to_v1(&offer.agent_id)),
        unavailability: Some(unavailability_to_v1(offer.unavailability)),
        resources: resources::to_v1(&offer.resources, form),
    }
}

/// When something is away.
#[must_use]
pub fn unavailability_to_v1(unavailability: Unavailability) -> v1::Unavailability {
    let nanoseconds = unavailability.duration_nanos;
    v1::Unavailability {
        start: Some(v1::TimeInfo {
            nanoseconds: Some(unavailability.start_nanos),
        }),
        duration: nanoseconds.map(|nanoseconds| v1::DurationInfo {
            nanoseconds: Some(nanoseconds),
        }),
    }
}

/// See [`unavailability_to_v1`].
#[must_use]
pub fn unavailability_to_core(info: &v1::Unavailability) -> Unavailability {
    let start = info.start.as_ref().and_then(|start| start.nanoseconds);
    let duration = info.duration.as_ref();
    Unavailability {
        start_nanos: start.unwrap_or(0),
        duration_nanos: duration.and_then(|duration| duration.nanoseconds),
    }
}

/// How long not to offer the same again; the default where it is not said or makes no sense.
#[must_use]
pub fn filters_to_core(filters: Option<&v1::Filters>) -> Filters {
    let seconds = filters.and_then(|filters| filters.refuse_seconds);
    match seconds.and_then(time::seconds_to_core) {
        Some(refuse) => Filters {
            refuse: refuse.min(time::DURATION_MAX),
        },
        None => Filters::DEFAULT,
    }
}

/// See [`filters_to_core`].
#[must_use]
pub fn filters_to_v1(filters: Filters) -> v1::Filters {
    v1::Filters {
        refuse_seconds: Some(filters.refuse.as_secs_f64()),
    }
}

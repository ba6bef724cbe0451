//! Frameworks and what they want of offers.

use crate::mesos::v1::{FrameworkId, Labels};

message! {
    FrameworkInfo {
        required user: String = 1;
        required name: String = 2;
        optional id: FrameworkId = 3;
        optional failover_timeout: f64 = 4 [F64(0.0)];
        optional checkpoint: bool = 5 [Bool(false)];
        optional role: String = 6;
        repeated roles: String = 12;
        optional hostname: String = 7;
        optional principal: String = 8;
        optional webui_url: String = 9;
        repeated capabilities: framework_info::Capability = 10;
        optional labels: Labels = 11;
        map offer_filters: OfferFilters = 13;
    }

    OfferFilters {
        optional min_allocatable_resources: offer_filters::MinAllocatableResources = 1;
    }
}

/// What belongs to [`FrameworkInfo`].
pub mod framework_info {
    message! {
        Capability {
            optional r#type: capability::Type = 1;
        }
    }

    /// What belongs to [`Capability`].
    pub mod capability {
        enumeration! {
            Type {
                Unknown = 0 => "UNKNOWN",
                RevocableResources = 1 => "REVOCABLE_RESOURCES",
                TaskKillingState = 2 => "TASK_KILLING_STATE",
                GpuResources = 3 => "GPU_RESOURCES",
                SharedResources = 4 => "SHARED_RESOURCES",
                PartitionAware = 5 => "PARTITION_AWARE",
                MultiRole = 6 => "MULTI_ROLE",
                ReservationRefinement = 7 => "RESERVATION_REFINEMENT",
                RegionAware = 8 => "REGION_AWARE",
            }
        }
    }
}

/// What belongs to [`OfferFilters`].
pub mod offer_filters {
    use crate::mesos::v1;

    message! {
        ResourceQuantities {
            map quantities: v1::value::Scalar = 1;
        }

        MinAllocatableResources {
            repeated quantities: ResourceQuantities = 1;
        }
    }
}

//! Offers, and what schedulers do with them.

use crate::mesos::v1::{
    self, AgentId, Attribute, DomainInfo, ExecutorId, FrameworkId, OfferId, Resource,
    Unavailability, Url,
};

message! {
    Request {
        optional agent_id: AgentId = 1;
        repeated resources: Resource = 2;
    }

    Offer {
        required id: OfferId = 1;
        required framework_id: FrameworkId = 2;
        required agent_id: AgentId = 3;
        required hostname: String = 4;
        optional url: Url = 8;
        optional domain: DomainInfo = 11;
        repeated resources: Resource = 5;
        repeated attributes: Attribute = 7;
        repeated executor_ids: ExecutorId = 6;
        optional unavailability: Unavailability = 9;
        optional allocation_info: v1::resource::AllocationInfo = 10;
    }

    InverseOffer {
        required id: OfferId = 1;
        optional url: Url = 2;
        required framework_id: FrameworkId = 3;
        optional agent_id: AgentId = 4;
        required unavailability: Unavailability = 5;
        repeated resources: Resource = 6;
    }
}

/// What belongs to [`Offer`].
pub mod offer {
    use crate::mesos::v1::OperationId;

    message! {
        Operation {
            optional r#type: operation::Type = 1;
            optional id: OperationId = 12;
            optional launch: operation::Launch = 2;
            optional launch_group: Box<operation::LaunchGroup> = 7;
            optional reserve: operation::Reserve = 3;
            optional unreserve: operation::Unreserve = 4;
            optional create: operation::Create = 5;
            optional destroy: operation::Destroy = 6;
            optional grow_volume: Box<operation::GrowVolume> = 13;
            optional shrink_volume: Box<operation::ShrinkVolume> = 14;
            optional create_disk: Box<operation::CreateDisk> = 15;
            optional destroy_disk: Box<operation::DestroyDisk> = 16;
        }
    }

    /// What belongs to [`Operation`].
    pub mod operation {
        use crate::mesos::v1::{self, ExecutorInfo, Resource, TaskGroupInfo, TaskInfo};

        enumeration! {
            Type {
                Unknown = 0 => "UNKNOWN",
                Launch = 1 => "LAUNCH",
                LaunchGroup = 6 => "LAUNCH_GROUP",
                Reserve = 2 => "RESERVE",
                Unreserve = 3 => "UNRESERVE",
                Create = 4 => "CREATE",
                Destroy = 5 => "DESTROY",
                GrowVolume = 11 => "GROW_VOLUME",
                ShrinkVolume = 12 => "SHRINK_VOLUME",
                CreateDisk = 13 => "CREATE_DISK",
                DestroyDisk = 14 => "DESTROY_DISK",
            }
        }

        message! {
            Launch {
                repeated task_infos: TaskInfo = 1;
            }

            LaunchGroup {
                required executor: ExecutorInfo = 1;
                required task_group: TaskGroupInfo = 2;
            }

            Reserve {
                repeated source: Resource = 2;
                repeated resources: Resource = 1;
            }

            Unreserve {
                repeated resources: Resource = 1;
            }

            Create {
                repeated volumes: Resource = 1;
            }

            Destroy {
                repeated volumes: Resource = 1;
            }

            GrowVolume {
                required volume: Resource = 1;
                required addition: Resource = 2;
            }

            ShrinkVolume {
                required volume: Resource = 1;
                required subtract: v1::value::Scalar = 2;
            }

            CreateDisk {
                required source: Resource = 1;
                required target_type: v1::resource::disk_info::source::Type = 2;
                optional target_profile: String = 3;
            }

            DestroyDisk {
                required source: Resource = 1;
            }
        }
    }
}

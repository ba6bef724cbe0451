//! Masters and agents, and what tools ask of both.

use crate::mesos::v1::{
    Address, AgentId, Attribute, DomainInfo, DurationInfo, FrameworkId, Resource, TimeInfo,
};

enumeration! {
    DrainState {
        Unknown = 0 => "UNKNOWN",
        Draining = 1 => "DRAINING",
        Drained = 2 => "DRAINED",
    }
}

message! {
    MasterInfo {
        required id: String = 1;
        required ip: u32 = 2;
        required port: u32 = 3 [U32(5050)];
        optional pid: String = 4;
        optional hostname: String = 5;
        optional version: String = 6;
        optional address: Address = 7;
        optional domain: DomainInfo = 8;
        repeated capabilities: master_info::Capability = 9;
    }

    AgentInfo {
        required hostname: String = 1;
        optional port: i32 = 8 [I32(5051)];
        repeated resources: Resource = 3;
        repeated attributes: Attribute = 5;
        optional id: AgentId = 6;
        optional checkpoint: bool = 7;
        optional domain: DomainInfo = 10;
    }

    DrainConfig {
        optional max_grace_period: DurationInfo = 1;
        optional mark_gone: bool = 2 [Bool(false)];
    }

    DrainInfo {
        required state: DrainState = 1;
        required config: DrainConfig = 2;
    }

    WeightInfo {
        required weight: f64 = 1;
        optional role: String = 2;
    }

    VersionInfo {
        required version: String = 1;
        optional build_date: String = 2;
        optional build_time: f64 = 3;
        optional build_user: String = 4;
        optional git_sha: String = 5;
        optional git_branch: String = 6;
        optional git_tag: String = 7;
    }

    Flag {
        required name: String = 1;
        optional value: String = 2;
    }

    Role {
        required name: String = 1;
        required weight: f64 = 2;
        repeated frameworks: FrameworkId = 3;
        repeated resources: Resource = 4;
    }

    Metric {
        required name: String = 1;
        optional value: f64 = 2;
    }

    FileInfo {
        required path: String = 1;
        optional nlink: i32 = 2;
        optional size: u64 = 3;
        optional mtime: TimeInfo = 4;
        optional mode: u32 = 5;
        optional uid: String = 6;
        optional gid: String = 7;
    }

    RateLimit {
        optional qps: f64 = 1;
        required principal: String = 2;
        optional capacity: u64 = 3;
    }

    RateLimits {
        repeated limits: RateLimit = 1;
        optional aggregate_default_qps: f64 = 2;
        optional aggregate_default_capacity: u64 = 3;
    }
}

/// What belongs to [`MasterInfo`].
pub mod master_info {
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
                AgentUpdate = 1 => "AGENT_UPDATE",
                AgentDraining = 2 => "AGENT_DRAINING",
                QuotaV2 = 3 => "QUOTA_V2",
            }
        }
    }
}

/// What belongs to [`AgentInfo`].
pub mod agent_info {
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
                MultiRole = 1 => "MULTI_ROLE",
                HierarchicalRole = 2 => "HIERARCHICAL_ROLE",
                ReservationRefinement = 3 => "RESERVATION_REFINEMENT",
                ResourceProvider = 4 => "RESOURCE_PROVIDER",
                ResizeVolume = 5 => "RESIZE_VOLUME",
                AgentOperationFeedback = 6 => "AGENT_OPERATION_FEEDBACK",
                AgentDraining = 7 => "AGENT_DRAINING",
                TaskResourceLimits = 8 => "TASK_RESOURCE_LIMITS",
            }
        }
    }
}

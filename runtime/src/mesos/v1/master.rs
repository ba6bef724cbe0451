//! The v1 operator API of masters.

message! {
    Call {
        optional r#type: call::Type = 1;
        optional get_metrics: call::GetMetrics = 2;
        optional set_logging_level: call::SetLoggingLevel = 3;
        optional list_files: call::ListFiles = 4;
        optional read_file: call::ReadFile = 5;
        optional update_weights: call::UpdateWeights = 6;
        optional reserve_resources: call::ReserveResources = 7;
        optional unreserve_resources: call::UnreserveResources = 8;
        optional create_volumes: call::CreateVolumes = 9;
        optional destroy_volumes: call::DestroyVolumes = 10;
        optional grow_volume: call::GrowVolume = 18;
        optional shrink_volume: call::ShrinkVolume = 19;
        optional update_maintenance_schedule: call::UpdateMaintenanceSchedule = 11;
        optional start_maintenance: call::StartMaintenance = 12;
        optional stop_maintenance: call::StopMaintenance = 13;
        optional drain_agent: call::DrainAgent = 21;
        optional deactivate_agent: call::DeactivateAgent = 22;
        optional reactivate_agent: call::ReactivateAgent = 23;
        optional update_quota: call::UpdateQuota = 20;
        optional teardown: call::Teardown = 16;
        optional mark_agent_gone: call::MarkAgentGone = 17;
        optional set_quota: call::SetQuota = 14;
        optional remove_quota: call::RemoveQuota = 15;
    }

    Response {
        optional r#type: response::Type = 1;
        optional get_health: response::GetHealth = 2;
        optional get_flags: response::GetFlags = 3;
        optional get_version: response::GetVersion = 4;
        optional get_metrics: response::GetMetrics = 5;
        optional get_logging_level: response::GetLoggingLevel = 6;
        optional list_files: response::ListFiles = 7;
        optional read_file: response::ReadFile = 8;
        optional get_state: response::GetState = 9;
        optional get_agents: response::GetAgents = 10;
        optional get_frameworks: response::GetFrameworks = 11;
        optional get_executors: response::GetExecutors = 12;
        optional get_operations: response::GetOperations = 20;
        optional get_tasks: response::GetTasks = 13;
        optional get_roles: response::GetRoles = 14;
        optional get_weights: response::GetWeights = 15;
        optional get_master: response::GetMaster = 16;
        optional get_maintenance_status: response::GetMaintenanceStatus = 17;
        optional get_maintenance_schedule: response::GetMaintenanceSchedule = 18;
        optional get_quota: response::GetQuota = 19;
    }

    Event {
        optional r#type: event::Type = 1;
        optional subscribed: event::Subscribed = 2;
        optional task_added: event::TaskAdded = 3;
        optional task_updated: event::TaskUpdated = 4;
        optional agent_added: event::AgentAdded = 5;
        optional agent_removed: event::AgentRemoved = 6;
        optional framework_added: event::FrameworkAdded = 7;
        optional framework_updated: event::FrameworkUpdated = 8;
        optional framework_removed: event::FrameworkRemoved = 9;
    }
}

/// What belongs to [`Call`].
pub mod call {
    use crate::mesos::v1::{
        self, AgentId, DurationInfo, FrameworkId, MachineId, Resource, WeightInfo,
    };

    enumeration! {
        Type {
            Unknown = 0 => "UNKNOWN",
            GetHealth = 1 => "GET_HEALTH",
            GetFlags = 2 => "GET_FLAGS",
            GetVersion = 3 => "GET_VERSION",
            GetMetrics = 4 => "GET_METRICS",
            GetLoggingLevel = 5 => "GET_LOGGING_LEVEL",
            SetLoggingLevel = 6 => "SET_LOGGING_LEVEL",
            ListFiles = 7 => "LIST_FILES",
            ReadFile = 8 => "READ_FILE",
            GetState = 9 => "GET_STATE",
            GetAgents = 10 => "GET_AGENTS",
            GetFrameworks = 11 => "GET_FRAMEWORKS",
            GetExecutors = 12 => "GET_EXECUTORS",
            GetOperations = 33 => "GET_OPERATIONS",
            GetTasks = 13 => "GET_TASKS",
            GetRoles = 14 => "GET_ROLES",
            GetWeights = 15 => "GET_WEIGHTS",
            UpdateWeights = 16 => "UPDATE_WEIGHTS",
            GetMaster = 17 => "GET_MASTER",
            Subscribe = 18 => "SUBSCRIBE",
            ReserveResources = 19 => "RESERVE_RESOURCES",
            UnreserveResources = 20 => "UNRESERVE_RESOURCES",
            CreateVolumes = 21 => "CREATE_VOLUMES",
            DestroyVolumes = 22 => "DESTROY_VOLUMES",
            GrowVolume = 34 => "GROW_VOLUME",
            ShrinkVolume = 35 => "SHRINK_VOLUME",
            GetMaintenanceStatus = 23 => "GET_MAINTENANCE_STATUS",
            GetMaintenanceSchedule = 24 => "GET_MAINTENANCE_SCHEDULE",
            UpdateMaintenanceSchedule = 25 => "UPDATE_MAINTENANCE_SCHEDULE",
            StartMaintenance = 26 => "START_MAINTENANCE",
            StopMaintenance = 27 => "STOP_MAINTENANCE",
            DrainAgent = 37 => "DRAIN_AGENT",
            DeactivateAgent = 38 => "DEACTIVATE_AGENT",
            ReactivateAgent = 39 => "REACTIVATE_AGENT",
            GetQuota = 28 => "GET_QUOTA",
            UpdateQuota = 36 => "UPDATE_QUOTA",
            SetQuota = 29 => "SET_QUOTA",
            RemoveQuota = 30 => "REMOVE_QUOTA",
            Teardown = 31 => "TEARDOWN",
            MarkAgentGone = 32 => "MARK_AGENT_GONE",
        }
    }

    message! {
        GetMetrics {
            optional timeout: DurationInfo = 1;
        }

        SetLoggingLevel {
            required level: u32 = 1;
            required duration: DurationInfo = 2;
        }

        ListFiles {
            required path: String = 1;
        }

        ReadFile {
            required path: String = 1;
            required offset: u64 = 2;
            optional length: u64 = 3;
        }

        UpdateWeights {
            repeated weight_infos: WeightInfo = 1;
        }

        ReserveResources {
            required agent_id: AgentId = 1;
            repeated source: Resource = 3;
            repeated resources: Resource = 2;
        }

        UnreserveResources {
            required agent_id: AgentId = 1;
            repeated resources: Resource = 2;
        }

        CreateVolumes {
            required agent_id: AgentId = 1;
            repeated volumes: Resource = 2;
        }

        DestroyVolumes {
            required agent_id: AgentId = 1;
            repeated volumes: Resource = 2;
        }

        GrowVolume {
            optional agent_id: AgentId = 1;
            required volume: Resource = 2;
            required addition: Resource = 3;
        }

        ShrinkVolume {
            optional agent_id: AgentId = 1;
            required volume: Resource = 2;
            required subtract: v1::value::Scalar = 3;
        }

        UpdateMaintenanceSchedule {
            required schedule: v1::maintenance::Schedule = 1;
        }

        StartMaintenance {
            repeated machines: MachineId = 1;
        }

        StopMaintenance {
            repeated machines: MachineId = 1;
        }

        DrainAgent {
            required agent_id: AgentId = 1;
            optional max_grace_period: v1::ProtobufDuration = 2;
            optional mark_gone: bool = 3 [Bool(false)];
        }

        DeactivateAgent {
            required agent_id: AgentId = 1;
        }

        ReactivateAgent {
            required agent_id: AgentId = 1;
        }

        UpdateQuota {
            optional force: bool = 1;
            repeated quota_configs: v1::quota::QuotaConfig = 2;
        }

        SetQuota {
            required quota_request: v1::quota::QuotaRequest = 1;
        }

        RemoveQuota {
            required role: String = 1;
        }

        Teardown {
            required framework_id: FrameworkId = 1;
        }

        MarkAgentGone {
            required agent_id: AgentId = 1;
        }
    }
}

/// What belongs to [`Response`].
pub mod response {
    use crate::mesos::v1::{
        self, AgentInfo, FileInfo, Flag, FrameworkInfo, MasterInfo, Metric, Operation, Role, Task,
        VersionInfo, WeightInfo,
    };

    enumeration! {
        Type {
            Unknown = 0 => "UNKNOWN",
            GetHealth = 1 => "GET_HEALTH",
            GetFlags = 2 => "GET_FLAGS",
            GetVersion = 3 => "GET_VERSION",
            GetMetrics = 4 => "GET_METRICS",
            GetLoggingLevel = 5 => "GET_LOGGING_LEVEL",
            ListFiles = 6 => "LIST_FILES",
            ReadFile = 7 => "READ_FILE",
            GetState = 8 => "GET_STATE",
            GetAgents = 9 => "GET_AGENTS",
            GetFrameworks = 10 => "GET_FRAMEWORKS",
            GetExecutors = 11 => "GET_EXECUTORS",
            GetOperations = 19 => "GET_OPERATIONS",
            GetTasks = 12 => "GET_TASKS",
            GetRoles = 13 => "GET_ROLES",
            GetWeights = 14 => "GET_WEIGHTS",
            GetMaster = 15 => "GET_MASTER",
            GetMaintenanceStatus = 16 => "GET_MAINTENANCE_STATUS",
            GetMaintenanceSchedule = 17 => "GET_MAINTENANCE_SCHEDULE",
            GetQuota = 18 => "GET_QUOTA",
        }
    }

    message! {
        GetHealth {
            required healthy: bool = 1;
        }

        GetFlags {
            repeated flags: Flag = 1;
        }

        GetVersion {
            required version_info: VersionInfo = 1;
        }

        GetMetrics {
            repeated metrics: Metric = 1;
        }

        GetLoggingLevel {
            required level: u32 = 1;
        }

        ListFiles {
            repeated file_infos: FileInfo = 1;
        }

        ReadFile {
            required size: u64 = 1;
            required data: Vec<u8> = 2;
        }

        GetState {
            optional get_tasks: GetTasks = 1;
            optional get_executors: GetExecutors = 2;
            optional get_frameworks: GetFrameworks = 3;
            optional get_agents: GetAgents = 4;
        }

        GetAgents {
            repeated agents: get_agents::Agent = 1 [EmptyList];
            repeated recovered_agents: AgentInfo = 2 [EmptyList];
        }

        GetFrameworks {
            repeated frameworks: get_frameworks::Framework = 1 [EmptyList];
            repeated completed_frameworks: get_frameworks::Framework = 2 [EmptyList];
            repeated recovered_frameworks: FrameworkInfo = 3;
        }

        GetExecutors {
            repeated executors: get_executors::Executor = 1 [EmptyList];
            repeated orphan_executors: get_executors::Executor = 2;
        }

        GetOperations {
            repeated operations: Operation = 1;
        }

        GetTasks {
            repeated pending_tasks: Task = 1;
            repeated tasks: Task = 2 [EmptyList];
            repeated unreachable_tasks: Task = 5 [EmptyList];
            repeated completed_tasks: Task = 3 [EmptyList];
            repeated orphan_tasks: Task = 4;
        }

        GetRoles {
            repeated roles: Role = 1;
        }

        GetWeights {
            repeated weight_infos: WeightInfo = 1;
        }

        GetMaster {
            optional master_info: MasterInfo = 1;
            optional start_time: f64 = 2;
            optional elected_time: f64 = 3;
        }

        GetMaintenanceStatus {
            required status: v1::maintenance::ClusterStatus = 1;
        }

        GetMaintenanceSchedule {
            required schedule: v1::maintenance::Schedule = 1;
        }

        GetQuota {
            required status: v1::quota::QuotaStatus = 1;
        }
    }

    /// What belongs to [`GetAgents`].
    pub mod get_agents {
        use crate::mesos::v1::{self, AgentInfo, DrainInfo, Resource, TimeInfo};

        message! {
            Agent {
                required agent_info: AgentInfo = 1;
                required active: bool = 2;
                optional deactivated: bool = 12;
                required version: String = 3;
                optional pid: String = 4;
                optional registered_time: TimeInfo = 5;
                optional reregistered_time: TimeInfo = 6;
                repeated total_resources: Resource = 7;
                repeated allocated_resources: Resource = 8;
                repeated offered_resources: Resource = 9;
                repeated capabilities: v1::agent_info::Capability = 10;
                repeated resource_providers: agent::ResourceProvider = 11;
                optional drain_info: DrainInfo = 13;
                optional estimated_drain_start_time: TimeInfo = 14;
            }
        }

        /// What belongs to [`Agent`].
        pub mod agent {
            use crate::mesos::v1::{Resource, ResourceProviderInfo};

            message! {
                ResourceProvider {
                    required resource_provider_info: ResourceProviderInfo = 1;
                    repeated total_resources: Resource = 2;
                }
            }
        }
    }

    /// What belongs to [`GetFrameworks`].
    pub mod get_frameworks {
        use crate::mesos::v1::{self, FrameworkInfo, InverseOffer, Offer, Resource, TimeInfo};

        message! {
            Framework {
                required framework_info: FrameworkInfo = 1;
                required active: bool = 2;
                required connected: bool = 3;
                required recovered: bool = 11;
                optional registered_time: TimeInfo = 4;
                optional reregistered_time: TimeInfo = 5;
                optional unregistered_time: TimeInfo = 6;
                repeated offers: Offer = 7;
                repeated inverse_offers: InverseOffer = 8;
                repeated allocated_resources: Resource = 9;
                repeated offered_resources: Resource = 10;
                optional offer_constraints: v1::scheduler::OfferConstraints = 12;
            }
        }
    }

    /// What belongs to [`GetExecutors`].
    pub mod get_executors {
        use crate::mesos::v1::{AgentId, ExecutorInfo};

        message! {
            Executor {
                required executor_info: ExecutorInfo = 1;
                required agent_id: AgentId = 2;
            }
        }
    }
}

/// What belongs to [`Event`].
pub mod event {
    use crate::mesos::v1::{
        self, AgentId, FrameworkId, FrameworkInfo, Task, TaskState, TaskStatus,
    };

    enumeration! {
        Type {
            Unknown = 0 => "UNKNOWN",
            Subscribed = 1 => "SUBSCRIBED",
            TaskAdded = 2 => "TASK_ADDED",
            TaskUpdated = 3 => "TASK_UPDATED",
            AgentAdded = 4 => "AGENT_ADDED",
            AgentRemoved = 5 => "AGENT_REMOVED",
            FrameworkAdded = 6 => "FRAMEWORK_ADDED",
            FrameworkUpdated = 7 => "FRAMEWORK_UPDATED",
            FrameworkRemoved = 8 => "FRAMEWORK_REMOVED",
            Heartbeat = 9 => "HEARTBEAT",
        }
    }

    message! {
        Subscribed {
            optional get_state: v1::master::response::GetState = 1;
            optional heartbeat_interval_seconds: f64 = 2;
        }

        TaskAdded {
            required task: Task = 1;
        }

        TaskUpdated {
            required framework_id: FrameworkId = 1;
            required status: TaskStatus = 2;
            required state: TaskState = 3;
        }

        FrameworkAdded {
            required framework: v1::master::response::get_frameworks::Framework = 1;
        }

        FrameworkUpdated {
            required framework: v1::master::response::get_frameworks::Framework = 1;
        }

        FrameworkRemoved {
            required framework_info: FrameworkInfo = 1;
        }

        AgentAdded {
            required agent: v1::master::response::get_agents::Agent = 1;
        }

        AgentRemoved {
            required agent_id: AgentId = 1;
        }
    }
}

//! Tasks, their states and statuses.

use crate::mesos::v1::{
    self, AgentId, CheckInfo, CheckStatusInfo, CommandInfo, ContainerInfo, ContainerStatus,
    DurationInfo, ExecutorId, ExecutorInfo, FrameworkId, HealthCheck, KillPolicy, Labels, Resource,
    TaskId, TimeInfo,
};

enumeration! {
    TaskState {
        Staging = 6 => "TASK_STAGING",
        Starting = 0 => "TASK_STARTING",
        Running = 1 => "TASK_RUNNING",
        Killing = 8 => "TASK_KILLING",
        Finished = 2 => "TASK_FINISHED",
        Failed = 3 => "TASK_FAILED",
        Killed = 4 => "TASK_KILLED",
        Error = 7 => "TASK_ERROR",
        Lost = 5 => "TASK_LOST",
        Dropped = 9 => "TASK_DROPPED",
        Unreachable = 10 => "TASK_UNREACHABLE",
        Gone = 11 => "TASK_GONE",
        GoneByOperator = 12 => "TASK_GONE_BY_OPERATOR",
        Unknown = 13 => "TASK_UNKNOWN",
    }
}

message! {
    TaskInfo {
        required name: String = 1;
        required task_id: TaskId = 2;
        required agent_id: AgentId = 3;
        repeated resources: Resource = 4;
        optional executor: Box<ExecutorInfo> = 5;
        optional command: CommandInfo = 7;
        optional container: Box<ContainerInfo> = 9;
        optional health_check: Box<HealthCheck> = 8;
        optional check: Box<CheckInfo> = 13;
        optional kill_policy: KillPolicy = 12;
        optional data: Vec<u8> = 6;
        optional labels: Labels = 10;
        optional discovery: Box<DiscoveryInfo> = 11;
        optional max_completion_time: DurationInfo = 14;
        map limits: v1::value::Scalar = 15;
    }

    TaskGroupInfo {
        repeated tasks: TaskInfo = 1;
    }

    Task {
        required name: String = 1;
        required task_id: TaskId = 2;
        required framework_id: FrameworkId = 3;
        optional executor_id: ExecutorId = 4;
        required agent_id: AgentId = 5;
        required state: TaskState = 6;
        repeated resources: Resource = 7;
        repeated statuses: TaskStatus = 8;
        optional status_update_state: TaskState = 9;
        optional status_update_uuid: Vec<u8> = 10;
        optional labels: Labels = 11;
        optional discovery: Box<DiscoveryInfo> = 12;
        optional container: Box<ContainerInfo> = 13;
        optional health_check: Box<HealthCheck> = 15;
        optional kill_policy: KillPolicy = 16;
        optional user: String = 14;
        map limits: v1::value::Scalar = 17;
    }

    TaskResourceLimitation {
        repeated resources: Resource = 1;
    }

    TaskStatus {
        required task_id: TaskId = 1;
        required state: TaskState = 2;
        optional message: String = 4;
        optional source: task_status::Source = 9;
        optional reason: task_status::Reason = 10;
        optional data: Vec<u8> = 3;
        optional agent_id: AgentId = 5;
        optional executor_id: ExecutorId = 7;
        optional timestamp: f64 = 6;
        optional uuid: Vec<u8> = 11;
        optional healthy: bool = 8;
        optional check_status: Box<CheckStatusInfo> = 15;
        optional labels: Labels = 12;
        optional container_status: Box<ContainerStatus> = 13;
        optional unreachable_time: TimeInfo = 14;
        optional limitation: TaskResourceLimitation = 16;
    }

    Filters {
        optional refuse_seconds: f64 = 1 [F64(5.0)];
    }

    Port {
        required number: u32 = 1;
        optional name: String = 2;
        optional protocol: String = 3;
        optional visibility: discovery_info::Visibility = 4;
        optional labels: Labels = 5;
    }

    Ports {
        repeated ports: Port = 1;
    }

    DiscoveryInfo {
        required visibility: discovery_info::Visibility = 1;
        optional name: String = 2;
        optional environment: String = 3;
        optional location: String = 4;
        optional version: String = 5;
        optional ports: Ports = 6;
        optional labels: Labels = 7;
    }
}

/// What belongs to [`TaskStatus`].
pub mod task_status {
    enumeration! {
        Source {
            Master = 0 => "SOURCE_MASTER",
            Agent = 1 => "SOURCE_AGENT",
            Executor = 2 => "SOURCE_EXECUTOR",
        }
    }

    enumeration! {
        Reason {
            CommandExecutorFailed = 0 => "REASON_COMMAND_EXECUTOR_FAILED",
            ContainerLaunchFailed = 21 => "REASON_CONTAINER_LAUNCH_FAILED",
            ContainerLimitation = 19 => "REASON_CONTAINER_LIMITATION",
            ContainerLimitationDisk = 20 => "REASON_CONTAINER_LIMITATION_DISK",
            ContainerLimitationMemory = 8 => "REASON_CONTAINER_LIMITATION_MEMORY",
            ContainerPreempted = 17 => "REASON_CONTAINER_PREEMPTED",
            ContainerUpdateFailed = 22 => "REASON_CONTAINER_UPDATE_FAILED",
            MaxCompletionTimeReached = 33 => "REASON_MAX_COMPLETION_TIME_REACHED",
            ExecutorRegistrationTimeout = 23 => "REASON_EXECUTOR_REGISTRATION_TIMEOUT",
            ExecutorReregistrationTimeout = 24 => "REASON_EXECUTOR_REREGISTRATION_TIMEOUT",
            ExecutorTerminated = 1 => "REASON_EXECUTOR_TERMINATED",
            ExecutorUnregistered = 2 => "REASON_EXECUTOR_UNREGISTERED",
            FrameworkRemoved = 3 => "REASON_FRAMEWORK_REMOVED",
            GcError = 4 => "REASON_GC_ERROR",
            InvalidFrameworkid = 5 => "REASON_INVALID_FRAMEWORKID",
            InvalidOffers = 6 => "REASON_INVALID_OFFERS",
            IoSwitchboardExited = 27 => "REASON_IO_SWITCHBOARD_EXITED",
            MasterDisconnected = 7 => "REASON_MASTER_DISCONNECTED",
            Reconciliation = 9 => "REASON_RECONCILIATION",
            ResourcesUnknown = 18 => "REASON_RESOURCES_UNKNOWN",
            AgentDisconnected = 10 => "REASON_AGENT_DISCONNECTED",
            AgentDraining = 34 => "REASON_AGENT_DRAINING",
            AgentRemoved = 11 => "REASON_AGENT_REMOVED",
            AgentRemovedByOperator = 31 => "REASON_AGENT_REMOVED_BY_OPERATOR",
            AgentReregistered = 32 => "REASON_AGENT_REREGISTERED",
            AgentRestarted = 12 => "REASON_AGENT_RESTARTED",
            AgentUnknown = 13 => "REASON_AGENT_UNKNOWN",
            TaskKilledDuringLaunch = 30 => "REASON_TASK_KILLED_DURING_LAUNCH",
            TaskCheckStatusUpdated = 28 => "REASON_TASK_CHECK_STATUS_UPDATED",
            TaskHealthCheckStatusUpdated = 29 => "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED",
            TaskGroupInvalid = 25 => "REASON_TASK_GROUP_INVALID",
            TaskGroupUnauthorized = 26 => "REASON_TASK_GROUP_UNAUTHORIZED",
            TaskInvalid = 14 => "REASON_TASK_INVALID",
            TaskUnauthorized = 15 => "REASON_TASK_UNAUTHORIZED",
            TaskUnknown = 16 => "REASON_TASK_UNKNOWN",
        }
    }
}

/// What belongs to [`DiscoveryInfo`].
pub mod discovery_info {
    enumeration! {
        Visibility {
            Framework = 0 => "FRAMEWORK",
            Cluster = 1 => "CLUSTER",
            External = 2 => "EXTERNAL",
        }
    }
}

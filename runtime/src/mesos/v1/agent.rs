//! The v1 operator API of agents.

message! {
    Call {
        optional r#type: call::Type = 1;
        optional get_metrics: call::GetMetrics = 2;
        optional set_logging_level: call::SetLoggingLevel = 3;
        optional list_files: call::ListFiles = 4;
        optional read_file: call::ReadFile = 5;
        optional get_containers: call::GetContainers = 20;
        optional launch_nested_container: call::LaunchNestedContainer = 6;
        optional wait_nested_container: call::WaitNestedContainer = 7;
        optional kill_nested_container: call::KillNestedContainer = 8;
        optional remove_nested_container: call::RemoveNestedContainer = 12;
        optional launch_nested_container_session: call::LaunchNestedContainerSession = 9;
        optional attach_container_input: call::AttachContainerInput = 10;
        optional attach_container_output: call::AttachContainerOutput = 11;
        optional launch_container: call::LaunchContainer = 13;
        optional wait_container: call::WaitContainer = 14;
        optional kill_container: call::KillContainer = 15;
        optional remove_container: call::RemoveContainer = 16;
        optional add_resource_provider_config: call::AddResourceProviderConfig = 17;
        optional update_resource_provider_config: call::UpdateResourceProviderConfig = 18;
        optional remove_resource_provider_config: call::RemoveResourceProviderConfig = 19;
        optional mark_resource_provider_gone: call::MarkResourceProviderGone = 22;
        optional prune_images: call::PruneImages = 21;
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
        optional get_containers: response::GetContainers = 10;
        optional get_frameworks: response::GetFrameworks = 11;
        optional get_executors: response::GetExecutors = 12;
        optional get_operations: response::GetOperations = 18;
        optional get_tasks: response::GetTasks = 13;
        optional get_agent: response::GetAgent = 15;
        optional get_resource_providers: response::GetResourceProviders = 17;
        optional wait_nested_container: response::WaitNestedContainer = 14;
        optional wait_container: response::WaitContainer = 16;
    }

    ProcessIo {
        optional r#type: process_io::Type = 1;
        optional data: process_io::Data = 2;
        optional control: process_io::Control = 3;
    }
}

/// What belongs to [`Call`].
pub mod call {
    use crate::mesos::v1::{
        self, CommandInfo, ContainerId, ContainerInfo, DurationInfo, Image, Resource,
        ResourceProviderId, ResourceProviderInfo,
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
            GetContainers = 10 => "GET_CONTAINERS",
            GetFrameworks = 11 => "GET_FRAMEWORKS",
            GetExecutors = 12 => "GET_EXECUTORS",
            GetOperations = 31 => "GET_OPERATIONS",
            GetTasks = 13 => "GET_TASKS",
            GetAgent = 20 => "GET_AGENT",
            GetResourceProviders = 26 => "GET_RESOURCE_PROVIDERS",
            LaunchNestedContainer = 14 => "LAUNCH_NESTED_CONTAINER",
            WaitNestedContainer = 15 => "WAIT_NESTED_CONTAINER",
            KillNestedContainer = 16 => "KILL_NESTED_CONTAINER",
            RemoveNestedContainer = 21 => "REMOVE_NESTED_CONTAINER",
            LaunchNestedContainerSession = 17 => "LAUNCH_NESTED_CONTAINER_SESSION",
            AttachContainerInput = 18 => "ATTACH_CONTAINER_INPUT",
            AttachContainerOutput = 19 => "ATTACH_CONTAINER_OUTPUT",
            LaunchContainer = 22 => "LAUNCH_CONTAINER",
            WaitContainer = 23 => "WAIT_CONTAINER",
            KillContainer = 24 => "KILL_CONTAINER",
            RemoveContainer = 25 => "REMOVE_CONTAINER",
            AddResourceProviderConfig = 27 => "ADD_RESOURCE_PROVIDER_CONFIG",
            UpdateResourceProviderConfig = 28 => "UPDATE_RESOURCE_PROVIDER_CONFIG",
            RemoveResourceProviderConfig = 29 => "REMOVE_RESOURCE_PROVIDER_CONFIG",
            MarkResourceProviderGone = 32 => "MARK_RESOURCE_PROVIDER_GONE",
            PruneImages = 30 => "PRUNE_IMAGES",
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

        GetContainers {
            optional show_nested: bool = 1;
            optional show_standalone: bool = 2;
        }

        LaunchNestedContainer {
            required container_id: ContainerId = 1;
            optional command: CommandInfo = 2;
            optional container: ContainerInfo = 3;
        }

        WaitNestedContainer {
            required container_id: ContainerId = 1;
        }

        KillNestedContainer {
            required container_id: ContainerId = 1;
            optional signal: i32 = 2;
        }

        RemoveNestedContainer {
            required container_id: ContainerId = 1;
        }

        LaunchNestedContainerSession {
            required container_id: ContainerId = 1;
            optional command: CommandInfo = 2;
            optional container: ContainerInfo = 3;
        }

        AttachContainerInput {
            optional r#type: attach_container_input::Type = 1;
            optional container_id: ContainerId = 2;
            optional process_io: super::ProcessIo = 3;
        }

        AttachContainerOutput {
            required container_id: ContainerId = 1;
        }

        LaunchContainer {
            required container_id: ContainerId = 1;
            optional command: CommandInfo = 2;
            repeated resources: Resource = 3;
            optional container: ContainerInfo = 4;
            map limits: v1::value::Scalar = 5;
        }

        WaitContainer {
            required container_id: ContainerId = 1;
        }

        KillContainer {
            required container_id: ContainerId = 1;
            optional signal: i32 = 2;
        }

        RemoveContainer {
            required container_id: ContainerId = 1;
        }

        AddResourceProviderConfig {
            required info: ResourceProviderInfo = 1;
        }

        UpdateResourceProviderConfig {
            required info: ResourceProviderInfo = 1;
        }

        RemoveResourceProviderConfig {
            required r#type: String = 1;
            required name: String = 2;
        }

        MarkResourceProviderGone {
            required resource_provider_id: ResourceProviderId = 1;
        }

        PruneImages {
            repeated excluded_images: Image = 1;
        }
    }

    /// What belongs to [`AttachContainerInput`].
    pub mod attach_container_input {
        enumeration! {
            Type {
                Unknown = 0 => "UNKNOWN",
                ContainerId = 1 => "CONTAINER_ID",
                ProcessIo = 2 => "PROCESS_IO",
            }
        }
    }
}

/// What belongs to [`Response`].
pub mod response {
    use crate::mesos::v1::{
        self, AgentInfo, DrainConfig, FileInfo, Flag, Metric, Operation, Task,
        TaskResourceLimitation, TaskState, TimeInfo, VersionInfo,
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
            GetContainers = 9 => "GET_CONTAINERS",
            GetFrameworks = 10 => "GET_FRAMEWORKS",
            GetExecutors = 11 => "GET_EXECUTORS",
            GetOperations = 17 => "GET_OPERATIONS",
            GetTasks = 12 => "GET_TASKS",
            GetAgent = 14 => "GET_AGENT",
            GetResourceProviders = 16 => "GET_RESOURCE_PROVIDERS",
            WaitNestedContainer = 13 => "WAIT_NESTED_CONTAINER",
            WaitContainer = 15 => "WAIT_CONTAINER",
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
        }

        GetContainers {
            repeated containers: get_containers::Container = 1;
        }

        GetFrameworks {
            repeated frameworks: get_frameworks::Framework = 1 [EmptyList];
            repeated completed_frameworks: get_frameworks::Framework = 2 [EmptyList];
        }

        GetExecutors {
            repeated executors: get_executors::Executor = 1 [EmptyList];
            repeated completed_executors: get_executors::Executor = 2 [EmptyList];
        }

        GetOperations {
            repeated operations: Operation = 1;
        }

        GetTasks {
            repeated pending_tasks: Task = 1 [EmptyList];
            repeated queued_tasks: Task = 2 [EmptyList];
            repeated launched_tasks: Task = 3 [EmptyList];
            repeated terminated_tasks: Task = 4 [EmptyList];
            repeated completed_tasks: Task = 5 [EmptyList];
        }

        GetAgent {
            optional agent_info: AgentInfo = 1;
            optional drain_config: DrainConfig = 2;
            optional estimated_drain_start_time: TimeInfo = 3;
        }

        GetResourceProviders {
            repeated resource_providers: get_resource_providers::ResourceProvider = 1;
        }

        WaitNestedContainer {
            optional exit_status: i32 = 1;
            optional state: TaskState = 2;
            optional reason: v1::task_status::Reason = 3;
            optional limitation: TaskResourceLimitation = 4;
            optional message: String = 5;
        }

        WaitContainer {
            optional exit_status: i32 = 1;
            optional state: TaskState = 2;
            optional reason: v1::task_status::Reason = 3;
            optional limitation: TaskResourceLimitation = 4;
            optional message: String = 5;
        }
    }

    /// What belongs to [`GetContainers`].
    pub mod get_containers {
        use crate::mesos::v1::{
            ContainerId, ContainerStatus, ExecutorId, FrameworkId, ResourceStatistics,
        };

        message! {
            Container {
                optional framework_id: FrameworkId = 1;
                optional executor_id: ExecutorId = 2;
                optional executor_name: String = 3;
                required container_id: ContainerId = 4;
                optional container_status: Box<ContainerStatus> = 5;
                optional resource_statistics: Box<ResourceStatistics> = 6;
            }
        }
    }

    /// What belongs to [`GetFrameworks`].
    pub mod get_frameworks {
        use crate::mesos::v1::FrameworkInfo;

        message! {
            Framework {
                required framework_info: FrameworkInfo = 1;
            }
        }
    }

    /// What belongs to [`GetExecutors`].
    pub mod get_executors {
        use crate::mesos::v1::ExecutorInfo;

        message! {
            Executor {
                required executor_info: ExecutorInfo = 1;
            }
        }
    }

    /// What belongs to [`GetResourceProviders`].
    pub mod get_resource_providers {
        use crate::mesos::v1::{Resource, ResourceProviderInfo};

        message! {
            ResourceProvider {
                required resource_provider_info: ResourceProviderInfo = 1;
                repeated total_resources: Resource = 2;
            }
        }
    }
}

/// What belongs to [`ProcessIo`].
pub mod process_io {
    use crate::mesos::v1::TtyInfo;

    enumeration! {
        Type {
            Unknown = 0 => "UNKNOWN",
            Data = 1 => "DATA",
            Control = 2 => "CONTROL",
        }
    }

    message! {
        Data {
            optional r#type: data::Type = 1;
            optional data: Vec<u8> = 2;
        }

        Control {
            optional r#type: control::Type = 1;
            optional tty_info: TtyInfo = 2;
            optional heartbeat: control::Heartbeat = 3;
        }
    }

    /// What belongs to [`Data`].
    pub mod data {
        enumeration! {
            Type {
                Unknown = 0 => "UNKNOWN",
                Stdin = 1 => "STDIN",
                Stdout = 2 => "STDOUT",
                Stderr = 3 => "STDERR",
            }
        }
    }

    /// What belongs to [`Control`].
    pub mod control {
        use crate::mesos::v1::DurationInfo;

        enumeration! {
            Type {
                Unknown = 0 => "UNKNOWN",
                TtyInfo = 1 => "TTY_INFO",
                Heartbeat = 2 => "HEARTBEAT",
            }
        }

        message! {
            Heartbeat {
                optional interval: DurationInfo = 1;
            }
        }
    }
}

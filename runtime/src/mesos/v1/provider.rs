//! Resource providers.

use crate::mesos::v1::{self, Attribute, CommandInfo, ContainerInfo, Resource, ResourceProviderId};

message! {
    CsiPluginContainerInfo {
        repeated services: csi_plugin_container_info::Service = 1;
        optional command: CommandInfo = 2;
        repeated resources: Resource = 3;
        optional container: ContainerInfo = 4;
    }

    CsiPluginEndpoint {
        required csi_service: csi_plugin_container_info::Service = 1;
        required endpoint: String = 2;
    }

    CsiPluginInfo {
        required r#type: String = 1;
        optional name: String = 2 [Str("default")];
        repeated containers: CsiPluginContainerInfo = 3;
        repeated endpoints: CsiPluginEndpoint = 4;
        optional target_path_root: String = 5;
        optional target_path_exists: bool = 6;
    }

    ResourceProviderInfo {
        optional id: ResourceProviderId = 1;
        repeated attributes: Attribute = 2;
        required r#type: String = 3;
        required name: String = 4;
        repeated default_reservations: v1::resource::ReservationInfo = 5;
        optional storage: resource_provider_info::Storage = 6;
    }
}

/// What belongs to [`CsiPluginContainerInfo`].
pub mod csi_plugin_container_info {
    enumeration! {
        Service {
            Unknown = 0 => "UNKNOWN",
            ControllerService = 1 => "CONTROLLER_SERVICE",
            NodeService = 2 => "NODE_SERVICE",
        }
    }
}

/// What belongs to [`ResourceProviderInfo`].
pub mod resource_provider_info {
    use crate::mesos::v1::CsiPluginInfo;

    message! {
        Storage {
            required plugin: CsiPluginInfo = 1;
            optional reconciliation_interval_seconds: f64 = 2;
        }
    }
}

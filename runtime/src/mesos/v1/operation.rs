//! Operations on offered resources, and how they went.

use crate::mesos::v1::{
    self, AgentId, FrameworkId, OperationId, Resource, ResourceProviderId, Uuid,
};

enumeration! {
    OperationState {
        Unsupported = 0 => "OPERATION_UNSUPPORTED",
        Pending = 1 => "OPERATION_PENDING",
        Finished = 2 => "OPERATION_FINISHED",
        Failed = 3 => "OPERATION_FAILED",
        Error = 4 => "OPERATION_ERROR",
        Dropped = 5 => "OPERATION_DROPPED",
        Unreachable = 6 => "OPERATION_UNREACHABLE",
        GoneByOperator = 7 => "OPERATION_GONE_BY_OPERATOR",
        Recovering = 8 => "OPERATION_RECOVERING",
        Unknown = 9 => "OPERATION_UNKNOWN",
    }
}

message! {
    Operation {
        optional framework_id: FrameworkId = 1;
        optional agent_id: AgentId = 2;
        required info: v1::offer::Operation = 3;
        required latest_status: OperationStatus = 4;
        repeated statuses: OperationStatus = 5;
        required uuid: Uuid = 6;
    }

    OperationStatus {
        optional operation_id: OperationId = 1;
        required state: OperationState = 2;
        optional message: String = 3;
        repeated converted_resources: Resource = 4;
        optional uuid: Uuid = 5;
        optional agent_id: AgentId = 6;
        optional resource_provider_id: ResourceProviderId = 7;
    }
}

//! The v1 scheduler API: calls to the master, events from it.

use crate::mesos::v1::FrameworkId;

message! {
    Event {
        optional r#type: event::Type = 1;
        optional subscribed: event::Subscribed = 2;
        optional offers: event::Offers = 3;
        optional inverse_offers: event::InverseOffers = 9;
        optional rescind: event::Rescind = 4;
        optional rescind_inverse_offer: event::RescindInverseOffer = 10;
        optional update: event::Update = 5;
        optional update_operation_status: event::UpdateOperationStatus = 11;
        optional message: event::Message = 6;
        optional failure: event::Failure = 7;
        optional error: event::Error = 8;
    }

    Response {
        optional r#type: response::Type = 1;
        optional reconcile_operations: response::ReconcileOperations = 2;
    }

    AttributeConstraint {
        required selector: attribute_constraint::Selector = 1;
        required predicate: attribute_constraint::Predicate = 2;
    }

    OfferConstraints {
        map role_constraints: offer_constraints::RoleConstraints = 1;
    }

    Call {
        optional framework_id: FrameworkId = 1;
        optional r#type: call::Type = 2;
        optional subscribe: call::Subscribe = 3;
        optional accept: call::Accept = 4;
        optional decline: call::Decline = 5;
        optional accept_inverse_offers: call::AcceptInverseOffers = 13;
        optional decline_inverse_offers: call::DeclineInverseOffers = 14;
        optional revive: call::Revive = 15;
        optional kill: call::Kill = 6;
        optional shutdown: call::Shutdown = 7;
        optional acknowledge: call::Acknowledge = 8;
        optional acknowledge_operation_status: call::AcknowledgeOperationStatus = 17;
        optional reconcile: call::Reconcile = 9;
        optional reconcile_operations: call::ReconcileOperations = 18;
        optional message: call::Message = 10;
        optional request: call::Request = 11;
        optional suppress: call::Suppress = 16;
        optional update_framework: call::UpdateFramework = 19;
    }

    ApiResult {
        required status_code: u32 = 1;
        optional response: Response = 2;
        optional error: String = 3;
    }
}

/// What belongs to [`Event`].
pub mod event {
    use crate::mesos::v1::{
        AgentId, ExecutorId, FrameworkId, InverseOffer, MasterInfo, Offer, OfferId,
        OperationStatus, TaskStatus,
    };

    enumeration! {
        Type {
            Unknown = 0 => "UNKNOWN",
            Subscribed = 1 => "SUBSCRIBED",
            Offers = 2 => "OFFERS",
            InverseOffers = 9 => "INVERSE_OFFERS",
            Rescind = 3 => "RESCIND",
            RescindInverseOffer = 10 => "RESCIND_INVERSE_OFFER",
            Update = 4 => "UPDATE",
            UpdateOperationStatus = 11 => "UPDATE_OPERATION_STATUS",
            Message = 5 => "MESSAGE",
            Failure = 6 => "FAILURE",
            Error = 7 => "ERROR",
            Heartbeat = 8 => "HEARTBEAT",
        }
    }

    message! {
        Subscribed {
            required framework_id: FrameworkId = 1;
            optional heartbeat_interval_seconds: f64 = 2;
            optional master_info: MasterInfo = 3;
        }

        Offers {
            repeated offers: Offer = 1;
        }

        InverseOffers {
            repeated inverse_offers: InverseOffer = 1;
        }

        Rescind {
            required offer_id: OfferId = 1;
        }

        RescindInverseOffer {
            required inverse_offer_id: OfferId = 1;
        }

        Update {
            required status: TaskStatus = 1;
        }

        UpdateOperationStatus {
            required status: OperationStatus = 1;
        }

        Message {
            required agent_id: AgentId = 1;
            required executor_id: ExecutorId = 2;
            required data: Vec<u8> = 3;
        }

        Failure {
            optional agent_id: AgentId = 1;
            optional executor_id: ExecutorId = 2;
            optional status: i32 = 3;
        }

        Error {
            required message: String = 1;
        }
    }
}

/// What belongs to [`Response`].
pub mod response {
    use crate::mesos::v1::OperationStatus;

    enumeration! {
        Type {
            Unknown = 0 => "UNKNOWN",
            ReconcileOperations = 1 => "RECONCILE_OPERATIONS",
        }
    }

    message! {
        ReconcileOperations {
            repeated operation_statuses: OperationStatus = 1;
        }
    }
}

/// What belongs to [`AttributeConstraint`].
pub mod attribute_constraint {
    message! {
        Selector {
            optional pseudoattribute_type: selector::PseudoattributeType = 1;
            optional attribute_name: String = 2;
        }

        Predicate {
            optional exists: predicate::Exists = 1;
            optional not_exists: predicate::NotExists = 2;
            optional text_equals: predicate::TextEquals = 3;
            optional text_not_equals: predicate::TextNotEquals = 4;
            optional text_matches: predicate::TextMatches = 5;
            optional text_not_matches: predicate::TextNotMatches = 6;
        }
    }

    /// What belongs to [`Selector`].
    pub mod selector {
        enumeration! {
            PseudoattributeType {
                Unknown = 0 => "UNKNOWN",
                Hostname = 1 => "HOSTNAME",
                Region = 2 => "REGION",
                Zone = 3 => "ZONE",
            }
        }
    }

    /// What belongs to [`Predicate`].
    pub mod predicate {
        message! {
            Exists {}

            NotExists {}

            TextEquals {
                required value: String = 1;
            }

            TextNotEquals {
                required value: String = 1;
            }

            TextMatches {
                required regex: String = 1;
            }

            TextNotMatches {
                required regex: String = 1;
            }
        }
    }
}

/// What belongs to [`OfferConstraints`].
pub mod offer_constraints {
    message! {
        RoleConstraints {
            repeated groups: role_constraints::Group = 1;
        }
    }

    /// What belongs to [`RoleConstraints`].
    pub mod role_constraints {
        use crate::mesos::v1;

        message! {
            Group {
                repeated attribute_constraints: v1::scheduler::AttributeConstraint = 1;
            }
        }
    }
}

/// What belongs to [`Call`].
pub mod call {
    use crate::mesos::v1::{
        self, AgentId, ExecutorId, Filters, FrameworkInfo, KillPolicy, OfferId, OperationId,
        ResourceProviderId, TaskId,
    };

    enumeration! {
        Type {
            Unknown = 0 => "UNKNOWN",
            Subscribe = 1 => "SUBSCRIBE",
            Teardown = 2 => "TEARDOWN",
            Accept = 3 => "ACCEPT",
            Decline = 4 => "DECLINE",
            AcceptInverseOffers = 13 => "ACCEPT_INVERSE_OFFERS",
            DeclineInverseOffers = 14 => "DECLINE_INVERSE_OFFERS",
            Revive = 5 => "REVIVE",
            Kill = 6 => "KILL",
            Shutdown = 7 => "SHUTDOWN",
            Acknowledge = 8 => "ACKNOWLEDGE",
            AcknowledgeOperationStatus = 15 => "ACKNOWLEDGE_OPERATION_STATUS",
            Reconcile = 9 => "RECONCILE",
            ReconcileOperations = 16 => "RECONCILE_OPERATIONS",
            Message = 10 => "MESSAGE",
            Request = 11 => "REQUEST",
            Suppress = 12 => "SUPPRESS",
            UpdateFramework = 17 => "UPDATE_FRAMEWORK",
        }
    }

    message! {
        Subscribe {
            required framework_info: FrameworkInfo = 1;
            repeated suppressed_roles: String = 2;
            optional offer_constraints: super::OfferConstraints = 3;
        }

        Accept {
            repeated offer_ids: OfferId = 1;
            repeated operations: v1::offer::Operation = 2;
            optional filters: Filters = 3;
        }

        Decline {
            repeated offer_ids: OfferId = 1;
            optional filters: Filters = 2;
        }

        AcceptInverseOffers {
            repeated inverse_offer_ids: OfferId = 1;
            optional filters: Filters = 2;
        }

        DeclineInverseOffers {
            repeated inverse_offer_ids: OfferId = 1;
            optional filters: Filters = 2;
        }

        Revive {
            repeated roles: String = 1;
        }

        Kill {
            required task_id: TaskId = 1;
            optional agent_id: AgentId = 2;
            optional kill_policy: KillPolicy = 3;
        }

        Shutdown {
            required executor_id: ExecutorId = 1;
            required agent_id: AgentId = 2;
        }

        Acknowledge {
            required agent_id: AgentId = 1;
            required task_id: TaskId = 2;
            required uuid: Vec<u8> = 3;
        }

        AcknowledgeOperationStatus {
            optional agent_id: AgentId = 1;
            optional resource_provider_id: ResourceProviderId = 2;
            required uuid: Vec<u8> = 3;
            required operation_id: OperationId = 4;
        }

        Reconcile {
            repeated tasks: reconcile::Task = 1;
        }

        ReconcileOperations {
            repeated operations: reconcile_operations::Operation = 1;
        }

        Message {
            required agent_id: AgentId = 1;
            required executor_id: ExecutorId = 2;
            required data: Vec<u8> = 3;
        }

        Request {
            repeated requests: v1::Request = 1;
        }

        Suppress {
            repeated roles: String = 1;
        }

        UpdateFramework {
            required framework_info: FrameworkInfo = 1;
            repeated suppressed_roles: String = 2;
            optional offer_constraints: super::OfferConstraints = 3;
        }
    }

    /// What belongs to [`Reconcile`].
    pub mod reconcile {
        use crate::mesos::v1::{AgentId, TaskId};

        message! {
            Task {
                required task_id: TaskId = 1;
                optional agent_id: AgentId = 2;
            }
        }
    }

    /// What belongs to [`ReconcileOperations`].
    pub mod reconcile_operations {
        use crate::mesos::v1::{AgentId, OperationId, ResourceProviderId};

        message! {
            Operation {
                required operation_id: OperationId = 1;
                optional agent_id: AgentId = 2;
                optional resource_provider_id: ResourceProviderId = 3;
            }
        }
    }
}

use crate::ids::{AgentId, OperationId, UpdateId};
use crate::resources::{Resources, Scalar};
use alloc::string::String;
use core::fmt;
use serde::{Deserialize, Serialize};

/// A change of resources that launches nothing, asked for by a framework or an operator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ResourceOperation {
    /// Reserves resources, or refines their reservation.
    Reserve {
        /// What they are now; empty for the unreserved form of `resources`.
        source: Resources,
        /// As they are to be.
        resources: Resources,
    },
    /// Takes the last reservation off.
    Unreserve {
        /// As they are now.
        resources: Resources,
    },
    /// Makes persistent volumes.
    Create {
        /// As they are to be.
        volumes: Resources,
    },
    /// Destroys persistent volumes, with all data.
    Destroy {
        /// As they are now.
        volumes: Resources,
    },
    /// Makes a volume larger.
    Grow {
        /// One volume, as it is now.
        volume: Resources,
        /// What is added.
        addition: Resources,
    },
    /// Makes a volume smaller.
    Shrink {
        /// One volume, as it is now.
        volume: Resources,
        /// How much is taken off.
        subtract: Scalar,
    },
}

/// How an operation on resources stands, with Mesos' names (`OPERATION_` and the variant).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum OperationState {
    /// On its way to the agent.
    Pending,
    /// Done.
    Finished,
    /// The agent could not do it.
    Failed,
    /// It was not a valid operation.
    Error,
    /// It did not reach the agent.
    Dropped,
    /// Its agent is cut off.
    Unreachable,
    /// An operator said that its agent is gone for ever.
    GoneByOperator,
    /// Its agent is known from the registry but not back yet.
    Recovering,
    /// The master never heard of it. An answer, not a state that an operation is in.
    Unknown,
}

impl OperationState {
    /// Whether nothing follows.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        use OperationState as S;
        matches!(
            self,
            S::Finished | S::Failed | S::Error | S::Dropped | S::GoneByOperator
        )
    }

    /// Mesos' name, such as `OPERATION_FINISHED`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        use OperationState as S;
        match self {
            S::Pending => "OPERATION_PENDING",
            S::Finished => "OPERATION_FINISHED",
            S::Failed => "OPERATION_FAILED",
            S::Error => "OPERATION_ERROR",
            S::Dropped => "OPERATION_DROPPED",
            S::Unreachable => "OPERATION_UNREACHABLE",
            S::GoneByOperator => "OPERATION_GONE_BY_OPERATOR",
            S::Recovering => "OPERATION_RECOVERING",
            S::Unknown => "OPERATION_UNKNOWN",
        }
    }
}

impl fmt::Display for OperationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is said of an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OperationStatus {
    /// Which, if the framework gave it a name.
    pub operation_id: Option<OperationId>,
    /// How it stands.
    pub state: OperationState,
    /// For people.
    pub message: String,
    /// What became of the resources, when it is done.
    pub converted: Resources,
    /// Names this word, to be acknowledged; `None` where nobody acknowledges.
    pub update_id: Option<UpdateId>,
    /// Where.
    pub agent_id: Option<AgentId>,
}

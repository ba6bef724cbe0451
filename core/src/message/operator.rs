//! What operators ask of the leading master, and what they are told. Reading is no request: it
//! goes through the leader's views.

use crate::ids::{AgentId, FrameworkId};
use crate::model::{DrainConfig, MachineId, MasterInfo, ResourceOperation, Window};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Names a request, so that its answer finds the caller. A driver never uses one again while it
/// waits for the answer.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct RequestId(pub u64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request {}", self.0)
    }
}

/// A name and an amount, as the operator wrote them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Amount {
    /// Of which scalar resource.
    pub name: String,
    /// How much.
    pub value: f64,
}

/// The quota that a role is to have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuotaConfig {
    /// Which role.
    pub role: String,
    /// What it is sure to get.
    pub guarantees: Vec<Amount>,
    /// What it may have at most.
    pub limits: Vec<Amount>,
}

/// The weight that a role is to have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightConfig {
    /// Which role.
    pub role: String,
    /// So many times the share of a role of weight 1.
    pub weight: f64,
}

/// What an operator asks for. New variants go to the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// Sets quotas, all or none of them. One that says nothing takes the role's quota away.
    UpdateQuota {
        /// Which.
        configs: Vec<QuotaConfig>,
        /// Even if the cluster has less, or the role uses more.
        force: bool,
    },
    /// The older form: what is guaranteed is the limit as well, and the role has no quota yet.
    SetQuota {
        /// Which role.
        role: String,
        /// What it is sure to get, and may have at most.
        guarantee: Vec<Amount>,
        /// Even if the cluster has less.
        force: bool,
    },
    /// The older form: takes a role's quota away.
    RemoveQuota {
        /// Which role.
        role: String,
        /// Under which path it was asked for, for a refusal to name it.
        path: Option<String>,
    },
    /// Sets weights, all or none of them.
    UpdateWeights {
        /// Which.
        weights: Vec<WeightConfig>,
    },
    /// Replaces the whole schedule of maintenance.
    UpdateMaintenanceSchedule {
        /// The new one.
        windows: Vec<Window>,
    },
    /// Takes machines of the schedule down: their agents are shut down, and refused from now on.
    StartMaintenance {
        /// Which.
        machines: Vec<MachineId>,
    },
    /// Takes machines up again, and off the schedule.
    StopMaintenance {
        /// Which.
        machines: Vec<MachineId>,
    },
    /// Gives an agent up for ever.
    MarkAgentGone {
        /// Which.
        agent_id: AgentId,
    },
    /// Ends everything on an agent, and offers nothing of it.
    DrainAgent {
        /// Which.
        agent_id: AgentId,
        /// How.
        config: DrainConfig,
    },
    /// Offers nothing of an agent; what runs there goes on.
    DeactivateAgent {
        /// Which.
        agent_id: AgentId,
    },
    /// Takes a drained or deactivated agent into use again.
    ReactivateAgent {
        /// Which.
        agent_id: AgentId,
    },
    /// Ends a framework for ever.
    Teardown {
        /// Which.
        framework_id: FrameworkId,
    },
    /// Changes what an agent has, as a framework does with an offer: reservations and volumes.
    Operate {
        /// On which agent.
        agent_id: AgentId,
        /// What.
        operation: ResourceOperation,
    },
}

/// What was asked for is done. It is durable where it is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// It is in force (HTTP 200).
    Done,
    /// It is on its way to the agent (HTTP 202).
    Accepted,
}

/// Why an operator's request was refused. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
pub enum Refusal {
    /// This master does not lead, or stopped before the request was stored: then nobody knows
    /// whether it is (HTTP 307 or 503).
    #[error("this master does not lead")]
    NotLeading {
        /// Who does, if known.
        leader: Option<MasterInfo>,
    },
    /// It cannot be (HTTP 400).
    #[error("{0}")]
    Invalid(String),
    /// What it names is not there (HTTP 404).
    #[error("{0}")]
    NotFound(String),
    /// It does not fit what there is (HTTP 409).
    #[error("{0}")]
    Conflict(String),
    /// Something else is under way; try again (HTTP 503).
    #[error("{0}")]
    Busy(String),
}

impl Refusal {
    /// The status of the answer over HTTP.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Refusal::NotLeading { .. } | Refusal::Busy(_) => 503,
            Refusal::Invalid(_) => 400,
            Refusal::NotFound(_) => 404,
            Refusal::Conflict(_) => 409,
        }
    }
}

impl Request {
    /// A short name, for people.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Request::UpdateQuota { .. } => "update-quota",
            Request::SetQuota { .. } => "set-quota",
            Request::RemoveQuota { .. } => "remove-quota",
            Request::UpdateWeights { .. } => "update-weights",
            Request::UpdateMaintenanceSchedule { .. } => "update-maintenance-schedule",
            Request::StartMaintenance { .. } => "start-maintenance",
            Request::StopMaintenance { .. } => "stop-maintenance",
            Request::MarkAgentGone { .. } => "mark-agent-gone",
            Request::DrainAgent { .. } => "drain-agent",
            Request::DeactivateAgent { .. } => "deactivate-agent",
            Request::ReactivateAgent { .. } => "reactivate-agent",
            Request::Teardown { .. } => "teardown",
            Request::Operate { .. } => "operate",
        }
    }
}

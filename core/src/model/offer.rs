use super::{Domain, ExecutorInfo, TaskInfo};
use crate::ids::{AgentId, ExecutorId, FrameworkId, OfferId};
use crate::resources::{Attributes, Resources, Role};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// All that one agent had free for one role of one framework at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// Unique for ever.
    pub id: OfferId,
    /// To whom.
    pub framework_id: FrameworkId,
    /// On which agent.
    pub agent_id: AgentId,
    /// That agent's host.
    pub hostname: String,
    /// The role of the framework that it is for.
    pub role: Role,
    /// What is free.
    pub resources: Resources,
    /// The agent's attributes.
    pub attributes: Attributes,
    /// Where the agent stands.
    pub domain: Option<Domain>,
    /// The framework's executors that run there already.
    pub executor_ids: Vec<ExecutorId>,
}

/// What a framework does with what it accepts. Reservations and volumes join later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum OfferOperation {
    /// Launches tasks, each with its own resources.
    Launch(Vec<Arc<TaskInfo>>),
    /// Launches tasks on one executor that start and end together.
    LaunchGroup {
        /// The default executor that runs the group.
        executor: Arc<ExecutorInfo>,
        /// The group.
        tasks: Vec<Arc<TaskInfo>>,
    },
}

/// How long not to offer again what was left over or declined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filters {
    /// Mesos' default is 5 s; capped at 365 d by the master.
    pub refuse: Duration,
}

impl Filters {
    /// Mesos' default.
    pub const DEFAULT: Filters = Filters {
        refuse: Duration::from_secs(5),
    };
    /// Offer again at once.
    pub const NONE: Filters = Filters {
        refuse: Duration::ZERO,
    };
}

impl Default for Filters {
    fn default() -> Self {
        Filters::DEFAULT
    }
}

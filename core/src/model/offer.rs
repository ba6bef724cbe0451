use super::{Domain, ExecutorInfo, ResourceOperation, TaskInfo, Unavailability};
use crate::ids::{AgentId, ExecutorId, FrameworkId, OfferId, OperationId, TaskId};
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
    /// The port on which it serves executors and operators there.
    pub port: u16,
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
    /// When the agent is due for maintenance, if it is.
    pub unavailability: Option<Unavailability>,
}

/// Asks a framework to be off an agent while it is under maintenance. Advisory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InverseOffer {
    /// Unique for ever, among offers too.
    pub id: OfferId,
    /// Whom it asks.
    pub framework_id: FrameworkId,
    /// Of which agent.
    pub agent_id: AgentId,
    /// That agent's host.
    pub hostname: String,
    /// The port on which it serves executors and operators there.
    pub port: u16,
    /// When.
    pub unavailability: Unavailability,
    /// What the framework uses there.
    pub resources: Resources,
}

/// A task whose description is no description: an id that is no id, or resources that are none.
/// Kept as text, so that the scheduler can be told by the name that it gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MalformedTask {
    /// As it was written; often not a [`TaskId`].
    pub task_id: String,
    /// The agent that it names, as it was written.
    pub agent_id: String,
    /// What is wrong.
    pub why: String,
}

impl MalformedTask {
    /// Its id, where that is one.
    #[must_use]
    pub fn id(&self) -> Option<TaskId> {
        TaskId::new(&self.task_id).ok()
    }
}

/// What a framework does with what it accepts.
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
    /// Changes resources without using them.
    Resources {
        /// The framework's name for it, if it wants to hear how it went.
        id: Option<OperationId>,
        /// What.
        operation: ResourceOperation,
    },
    /// Tasks that cannot be launched because their descriptions cannot be read.
    Malformed {
        /// Which; all members of a group of which any is malformed.
        tasks: Vec<MalformedTask>,
        /// Whether they were to be a group.
        group: bool,
    },
    /// Like [`OfferOperation::Resources`], but what it names are no resources.
    MalformedResources {
        /// The framework's name for it, if it wants to hear how it went.
        id: Option<OperationId>,
        /// What is wrong.
        why: String,
    },
}

impl OfferOperation {
    /// The tasks that it would launch.
    #[must_use]
    pub fn tasks(&self) -> &[Arc<TaskInfo>] {
        match self {
            OfferOperation::Launch(tasks) | OfferOperation::LaunchGroup { tasks, .. } => tasks,
            OfferOperation::Resources { .. }
            | OfferOperation::Malformed { .. }
            | OfferOperation::MalformedResources { .. } => &[],
        }
    }
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

//! Mesos' v1 scheduler API as data: calls to the master, events from it.

use super::Reject;
use crate::ids::{AgentId, ExecutorId, FrameworkId, OfferId, OperationId, TaskId, UpdateId};
use crate::model::{
    Filters, FrameworkInfo, InverseOffer, MalformedTask, MasterInfo, Offer, OfferOperation,
    OperationStatus, Reason, TaskState, TaskStatus,
};
use crate::resources::Role;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// From a scheduler to the master.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Call {
    /// Makes this connection the framework's event stream. With an id it is a failover: an older
    /// connection of the same framework is told so and closed.
    Subscribe {
        /// Who.
        framework: Arc<FrameworkInfo>,
        /// Roles in which it wants no offers for now.
        suppressed_roles: Vec<Role>,
    },
    /// Ends the framework for ever, with all its tasks.
    Teardown,
    /// Uses offers, all of one agent; what is left over is declined with `filters`.
    Accept {
        /// Which.
        offer_ids: Vec<OfferId>,
        /// What for, in order.
        operations: Vec<OfferOperation>,
        /// For what is left over.
        filters: Filters,
    },
    /// Gives offers back.
    Decline {
        /// Which.
        offer_ids: Vec<OfferId>,
        /// How long not to offer the same again.
        filters: Filters,
    },
    /// Clears the filters of these roles and wants offers again; all roles when empty.
    Revive {
        /// Which.
        roles: Vec<Role>,
    },
    /// Wants no offers in these roles; all roles when empty.
    Suppress {
        /// Which.
        roles: Vec<Role>,
    },
    /// Ends a task.
    Kill {
        /// Which.
        task_id: TaskId,
        /// Where, if the scheduler knows.
        agent_id: Option<AgentId>,
        /// Overrides the task's own grace period.
        grace: Option<Duration>,
    },
    /// Ends an executor.
    Shutdown {
        /// Which.
        executor_id: ExecutorId,
        /// Where.
        agent_id: AgentId,
    },
    /// Has this update.
    Acknowledge {
        /// Where the task runs.
        agent_id: AgentId,
        /// Which task.
        task_id: TaskId,
        /// Which update.
        update_id: UpdateId,
    },
    /// Asks for the state of these tasks, or of all when empty (implicit reconciliation).
    Reconcile {
        /// Which, each with its agent if the scheduler knows.
        tasks: Vec<(TaskId, Option<AgentId>)>,
    },
    /// To an executor, unread.
    Message {
        /// Where.
        agent_id: AgentId,
        /// To which.
        executor_id: ExecutorId,
        /// What.
        #[serde(with = "crate::wire::bytes")]
        data: Arc<[u8]>,
    },
    /// Replaces the framework's description without a new subscription.
    UpdateFramework {
        /// The new one; id, user, checkpoint and principal must stay.
        framework: Arc<FrameworkInfo>,
        /// Roles in which it wants no offers for now.
        suppressed_roles: Vec<Role>,
    },
    /// Will be off these agents in time.
    AcceptInverseOffers {
        /// Which.
        offer_ids: Vec<OfferId>,
        /// How long not to ask again.
        filters: Filters,
    },
    /// Will not.
    DeclineInverseOffers {
        /// Which.
        offer_ids: Vec<OfferId>,
        /// How long not to ask again.
        filters: Filters,
    },
    /// Has this word of an operation.
    AcknowledgeOperationStatus {
        /// Where.
        agent_id: AgentId,
        /// Which operation.
        operation_id: OperationId,
        /// Which word of it.
        update_id: UpdateId,
    },
    /// Asks how these operations stand, or all when empty.
    ReconcileOperations {
        /// Which, each with its agent if the scheduler knows.
        operations: Vec<(OperationId, Option<AgentId>)>,
    },
    /// Asks for resources. Nothing in it is looked at, as in Mesos' own allocator.
    Request,
}

/// From the master to a scheduler.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The first event of every stream.
    Subscribed {
        /// The framework's id, for ever.
        framework_id: FrameworkId,
        /// A heartbeat comes at least this often.
        heartbeat_interval: Duration,
        /// Who leads.
        master: MasterInfo,
    },
    /// Resources to use or give back.
    Offers(Vec<Arc<Offer>>),
    /// This offer is no longer valid.
    Rescind {
        /// Which.
        offer_id: OfferId,
    },
    /// Something is said of a task; to be acknowledged when it carries an update id.
    Update {
        /// What.
        status: Arc<TaskStatus>,
    },
    /// From an executor, unread.
    Message {
        /// Where it runs.
        agent_id: AgentId,
        /// From which.
        executor_id: ExecutorId,
        /// What.
        #[serde(with = "crate::wire::bytes")]
        data: Arc<[u8]>,
    },
    /// An agent (or, with an executor id, only that executor) is gone.
    Failure {
        /// Which agent.
        agent_id: AgentId,
        /// Which executor.
        executor_id: Option<ExecutorId>,
        /// The executor's wait status.
        status: Option<i32>,
    },
    /// The subscription is over: failed over, torn down, or refused.
    Error {
        /// Why.
        message: String,
    },
    /// Still there.
    Heartbeat,
    /// Asks to be off agents that are due for maintenance.
    InverseOffers(Vec<Arc<InverseOffer>>),
    /// This inverse offer is no longer valid.
    RescindInverseOffer {
        /// Which.
        offer_id: OfferId,
    },
    /// Something is said of an operation; to be acknowledged when it carries an update id.
    UpdateOperationStatus {
        /// What.
        status: Arc<OperationStatus>,
    },
    /// An UPDATE of a task whose id is no id, and which therefore never ran: it carries the id as
    /// the scheduler wrote it. Said by the master; nobody acknowledges it.
    Malformed {
        /// Which, and why.
        task: MalformedTask,
        /// ERROR, or what stands for an offer that is not valid.
        state: TaskState,
        /// Why, in one word.
        reason: Reason,
    },
}

/// Names one call, so that its answer finds the caller. 0 where no answer is wanted.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct CallId(pub u64);

/// What a scheduler sends over a connection of our own (HTTP clients send the same, decoded).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToMaster {
    /// For the answer.
    pub id: CallId,
    /// Who calls; `None` only on the first subscription.
    pub framework_id: Option<FrameworkId>,
    /// What.
    pub call: Call,
}

/// What a scheduler receives over a connection of our own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToScheduler {
    /// Of the event stream.
    Event(Event),
    /// The answer to a call.
    Reply {
        /// Which call.
        id: CallId,
        /// Whether it was taken.
        result: Result<(), Reject>,
    },
}

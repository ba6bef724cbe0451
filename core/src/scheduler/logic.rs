//! What a framework has to decide for itself: everything else is the driver's.

use super::{Exit, Notice};
use crate::ids::{AgentId, ExecutorId, FrameworkId, OfferId, TaskId};
use crate::invariant::Invariant;
use crate::message::scheduler::Call;
use crate::model::{InverseOffer, MasterInfo, Offer, OperationStatus, TaskStatus};
use crate::outbox::Outbox;
use crate::time::{Now, Time};
use crate::wire::DecodeError;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// What the driver tells the framework.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The leading master took the framework, for the first time or again. All offers of before
    /// are void; what is to be known of tasks follows by itself, as updates.
    Subscribed {
        /// The framework's id, for ever.
        framework_id: FrameworkId,
        /// Who leads.
        master: MasterInfo,
    },
    /// The subscription is gone and will be renewed. All offers are void, calls are dropped.
    Disconnected,
    /// Resources to use or give back.
    Offers(Vec<Arc<Offer>>),
    /// This offer is no longer valid.
    Rescind {
        /// Which.
        offer_id: OfferId,
    },
    /// Something is said of a task. Acknowledged once this event was handled and what the logic
    /// wrote down is durable. The same update is never handed over twice in one run.
    Update {
        /// What.
        status: Arc<TaskStatus>,
    },
    /// These tasks were never handed to a master: the subscription ended before their ACCEPT
    /// could leave. They cannot be running anywhere.
    LaunchDropped {
        /// Which.
        task_ids: Vec<TaskId>,
    },
    /// From an executor, unread.
    Message {
        /// Where it runs.
        agent_id: AgentId,
        /// From which.
        executor_id: ExecutorId,
        /// What.
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
    /// Every task that [`Logic::tasks`] named at the last subscription has been answered for.
    Reconciled,
    /// Asks to be off agents that are due for maintenance.
    InverseOffers(Vec<Arc<InverseOffer>>),
    /// This inverse offer is no longer valid.
    RescindInverseOffer {
        /// Which.
        offer_id: OfferId,
    },
    /// Something is said of an operation. The logic acknowledges it itself when it carries an
    /// update id.
    Operation {
        /// What.
        status: Arc<OperationStatus>,
    },
}

/// What the framework wants done, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Say something to the master. Subscriptions, acknowledgements and teardowns are the
    /// driver's own.
    Call(Call),
    /// Keep a record. No later call, and no acknowledgement of the event that is being handled,
    /// leaves before it is durable.
    Persist(Vec<u8>),
    /// Tell people.
    Notice(Notice),
    /// The framework's work is done.
    Stop {
        /// Whether the framework ends for ever, with its tasks.
        teardown: bool,
        /// How the process ends.
        exit: Exit,
    },
    /// The framework cannot go on. The event that is being handled was not: it is never
    /// acknowledged, and the next scheduler gets it again (MESOS-107, MESOS-2078).
    Abort {
        /// Why.
        message: String,
    },
}

/// A framework's logic: a pure machine over events and actions.
pub trait Logic: Sized + 'static {
    /// Handles one event.
    fn on_event(&mut self, now: Now, event: &Event, out: &mut Outbox<Action>);

    /// Its deadline came, or an early tick.
    fn on_tick(&mut self, now: Now, out: &mut Outbox<Action>);

    /// When it next wants a tick.
    fn deadline(&self) -> Option<Time>;

    /// A request of the framework's operator, in the framework's own encoding.
    fn on_request(&mut self, now: Now, body: &[u8], out: &mut Outbox<Action>) {
        let _ = (now, body);
        let why = String::from("this framework takes no requests");
        out.push(Action::Notice(Notice::RequestRefused { why }));
    }

    /// Every task that it believes not to be over, with its agent where known: what the driver
    /// asks the master about after each subscription.
    fn tasks(&self) -> Vec<(TaskId, Option<AgentId>)>;

    /// Its whole state that must survive, encoded.
    fn snapshot(&self) -> Vec<u8>;

    /// Becomes what [`Logic::snapshot`] encoded.
    ///
    /// # Errors
    /// When the bytes are not one.
    fn restore(&mut self, now: Now, snapshot: &[u8]) -> Result<(), DecodeError>;

    /// Repeats one record of [`Action::Persist`].
    ///
    /// # Errors
    /// When the bytes are not one.
    fn replay(&mut self, now: Now, record: &[u8]) -> Result<(), DecodeError>;

    /// What is always true of it.
    const INVARIANTS: &'static [Invariant<Self>];
}

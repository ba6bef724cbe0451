//! What a master counts, by Mesos' names.
//!
//! Counted where inputs come in and notices pass, so that no handler needs to remember it.

mod book;
pub mod frameworks;
pub mod timing;

pub use book::Book;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tepui_core::ids::Peer;
use tepui_core::master::{Input, MasterNode, Notice, leading};
use tepui_core::message::agent::{ToAgent, ToMaster as FromAgent};
use tepui_core::message::scheduler::{Call, ToMaster as FromScheduler, ToScheduler};
use tepui_core::model::{OfferOperation, TaskState};
use tepui_core::time::Now;

macro_rules! counters {
    ($( $name:ident => $text:literal, )*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Counter { $( $name, )* }

        const NAMES: &[&str] = &[$( $text, )*];
        const COUNT: usize = [$( Counter::$name, )*].len();
    };
}

counters! {
    RegisterAgent => "master/messages_register_slave",
    ReregisterAgent => "master/messages_reregister_slave",
    UnregisterAgent => "master/messages_unregister_slave",
    StatusUpdate => "master/messages_status_update",
    ExecutorMessage => "master/messages_executor_to_framework",
    ExecutorExited => "master/messages_exited_executor",
    RegisterFramework => "master/messages_register_framework",
    ReregisterFramework => "master/messages_reregister_framework",
    UnregisterFramework => "master/messages_unregister_framework",
    KillTask => "master/messages_kill_task",
    Launch => "master/messages_launch_tasks",
    Decline => "master/messages_decline_offers",
    Revive => "master/messages_revive_offers",
    Suppress => "master/messages_suppress_offers",
    Reconcile => "master/messages_reconcile_tasks",
    ReconcileOperations => "master/messages_reconcile_operations",
    FrameworkMessage => "master/messages_framework_to_executor",
    Acknowledge => "master/messages_status_update_acknowledgement",
    AcknowledgeOperation => "master/messages_operation_status_update_acknowledgement",
    Request => "master/messages_resource_request",
    Dropped => "master/dropped_messages",
    AgentAdmitted => "master/slave_registrations",
    AgentReturned => "master/slave_reregistrations",
    AgentRemoved => "master/slave_removals",
    AgentUnhealthy => "master/slave_removals/reason_unhealthy",
    AgentUnregistered => "master/slave_removals/reason_unregistered",
    AgentUnreachable => "master/slave_unreachable_completed",
    ValidUpdate => "master/valid_status_updates",
    InvalidUpdate => "master/invalid_status_updates",
    ValidAcknowledge => "master/valid_status_update_acknowledgements",
    InvalidAcknowledge => "master/invalid_status_update_acknowledgements",
    ValidFrameworkMessage => "master/valid_framework_to_executor_messages",
    InvalidFrameworkMessage => "master/invalid_framework_to_executor_messages",
    ValidExecutorMessage => "master/valid_executor_to_framework_messages",
    InvalidExecutorMessage => "master/invalid_executor_to_framework_messages",
    OperationUpdate => "master/messages_operation_status_update",
    ValidOperationUpdate => "master/valid_operation_status_updates",
    InvalidOperationUpdate => "master/invalid_operation_status_updates",
    ValidAcknowledgeOperation => "master/valid_operation_status_update_acknowledgements",
    InvalidAcknowledgeOperation => "master/invalid_operation_status_update_acknowledgements",
    RemovalCancelled => "master/slave_unreachable_canceled",
    TasksFinished => "master/tasks_finished",
    TasksFailed => "master/tasks_failed",
    TasksKilled => "master/tasks_killed",
    TasksError => "master/tasks_error",
    TasksLost => "master/tasks_lost",
    TasksDropped => "master/tasks_dropped",
    TasksGone => "master/tasks_gone",
    TasksGoneByOperator => "master/tasks_gone_by_operator",
}

/// What an input is judged by, once it is handled: whether it had the effect that a valid one has.
#[derive(Clone, Copy, Debug)]
struct Judged {
    valid: Counter,
    invalid: Counter,
    is_valid: bool,
}

/// The counters of one master since it started.
#[derive(Clone, Debug)]
pub struct Counters {
    counts: Arc<[AtomicU64; COUNT]>,
    book: Arc<Mutex<Book>>,
    judged: Option<Judged>,
}

impl Default for Counters {
    fn default() -> Counters {
        Counters {
            counts: Arc::new([const { AtomicU64::new(0) }; COUNT]),
            book: Arc::default(),
            judged: None,
        }
    }
}

impl Counters {
    fn count(&self, counter: Counter) {
        self.counts[counter as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Names and counts.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self
            .counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        NAMES.iter().copied().zip(counts)
    }

    /// One of them.
    #[must_use]
    pub fn value(&self, name: &str) -> u64 {
        let mut all = self.all();
        all.find(|(known, _)| *known == name)
            .map_or(0, |(_, count)| count)
    }

    /// What is counted by framework and operation, and measured.
    pub fn book(&self) -> MutexGuard<'_, Book> {
        // No code under this lock can leave it half changed.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an input of the node.
    pub fn heard(&mut self, now: Now, input: &Input) {
        self.book().begin(now);
        match input {
            Input::FromAgent { message, .. } => self.heard_agent(message),
            Input::FromScheduler { peer, message } => self.heard_scheduler(*peer, message),
            Input::Disconnected { peer } => self.book().frameworks.hung_up(*peer),
            _ => {}
        }
    }

    fn judge(&mut self, valid: Counter, invalid: Counter, is_valid: bool) {
        self.judged = Some(Judged {
            valid,
            invalid,
            is_valid,
        });
    }

    fn is(&mut self, counter: Counter, is_valid: bool) {
        if let Some(judged) = &mut self.judged
            && judged.valid == counter
        {
            judged.is_valid = is_valid;
        }
    }

    fn heard_agent(&mut self, message: &FromAgent) {
        use Counter as C;
        let counter = match message {
            FromAgent::Register { .. } => C::RegisterAgent,
            FromAgent::Reregister(_) => C::ReregisterAgent,
            FromAgent::Update(_) => {
                self.judge(C::ValidUpdate, C::InvalidUpdate, true);
                C::StatusUpdate
            }
            FromAgent::ExecutorMessage { .. } => {
                self.judge(C::ValidExecutorMessage, C::InvalidExecutorMessage, false);
                C::ExecutorMessage
            }
            FromAgent::ExecutorExited { .. } => C::ExecutorExited,
            FromAgent::Operation(_) => {
                self.judge(C::ValidOperationUpdate, C::InvalidOperationUpdate, true);
                C::OperationUpdate
            }
            FromAgent::Unregister => C::UnregisterAgent,
            FromAgent::Pong => return,
        };
        self.count(counter);
    }

    fn heard_scheduler(&mut self, peer: Peer, message: &FromScheduler) {
        use Counter as C;
        let id = message.framework_id.as_ref();
        self.book().heard(peer, id, &message.call);
        let counter = match &message.call {
            Call::Subscribe { .. } if id.is_some() => C::ReregisterFramework,
            Call::Subscribe { .. } => C::RegisterFramework,
            Call::Teardown => C::UnregisterFramework,
            Call::Accept { operations, .. } => {
                let launches = |operation: &OfferOperation| !operation.tasks().is_empty();
                match operations.iter().any(launches) {
                    true => C::Launch,
                    false => return,
                }
            }
            Call::Decline { .. } => C::Decline,
            Call::Revive { .. } => C::Revive,
            Call::Suppress { .. } => C::Suppress,
            Call::Kill { .. } => C::KillTask,
            Call::Acknowledge { .. } => {
                self.judge(C::ValidAcknowledge, C::InvalidAcknowledge, false);
                C::Acknowledge
            }
            Call::Reconcile { .. } => C::Reconcile,
            Call::Message { .. } => {
                self.judge(C::ValidFrameworkMessage, C::InvalidFrameworkMessage, false);
                C::FrameworkMessage
            }
            Call::AcknowledgeOperationStatus { .. } => {
                let invalid = C::InvalidAcknowledgeOperation;
                self.judge(C::ValidAcknowledgeOperation, invalid, false);
                C::AcknowledgeOperation
            }
            Call::ReconcileOperations { .. } => C::ReconcileOperations,
            Call::Request => C::Request,
            _ => return,
        };
        self.count(counter);
    }

    /// Counts what an agent is told.
    pub fn told_agent(&mut self, message: &ToAgent) {
        use Counter as C;
        match message {
            ToAgent::Acknowledge { .. } => self.is(C::ValidAcknowledge, true),
            ToAgent::FrameworkMessage { .. } => self.is(C::ValidFrameworkMessage, true),
            ToAgent::AcknowledgeOperation { .. } => self.is(C::ValidAcknowledgeOperation, true),
            ToAgent::NotLeading { .. } | ToAgent::ShutdownFramework { .. } => {
                self.is(C::ValidUpdate, false);
                self.is(C::ValidOperationUpdate, false);
            }
            _ => {}
        }
    }

    /// Counts what a scheduler is told.
    pub fn told_scheduler(&mut self, peer: Peer, message: &ToScheduler) {
        use tepui_core::message::scheduler::Event;
        match message {
            ToScheduler::Event(event) => {
                if matches!(event, Event::Message { .. }) {
                    self.is(Counter::ValidExecutorMessage, true);
                }
                self.book().frameworks.told(peer, event);
            }
            ToScheduler::Reply { result, .. } => {
                if result.is_err() {
                    self.book().accepting = None;
                }
            }
        }
    }

    /// Counts what a notice tells.
    pub fn noticed(&mut self, now: Now, notice: &Notice) {
        use leading::{Notice as N, Probe};
        self.book().noticed(now, notice);
        let Notice::Cluster(notice) = notice else {
            return;
        };
        match notice {
            N::AgentAdmitted { .. } => self.count(Counter::AgentAdmitted),
            N::AgentReregistered { .. } => self.count(Counter::AgentReturned),
            N::AgentUnreachable { .. } => {
                self.count(Counter::AgentUnreachable);
                self.count(Counter::AgentRemoved);
                self.count(Counter::AgentUnhealthy);
            }
            N::AgentGone { .. } => self.count(Counter::AgentRemoved),
            N::AgentRemoved { .. } => {
                self.count(Counter::AgentRemoved);
                self.count(Counter::AgentUnregistered);
            }
            N::Ignored { .. } => {
                self.count(Counter::Dropped);
                self.is(Counter::ValidUpdate, false);
                self.is(Counter::ValidOperationUpdate, false);
            }
            N::Probe(Probe::RemovalCancelled) => self.count(Counter::RemovalCancelled),
            N::TaskState { to, .. } => self.ended(*to),
            _ => {}
        }
    }

    /// An input is handled, and what it caused was counted.
    pub fn settle(&mut self, node: &MasterNode) {
        if let Some(judged) = self.judged.take() {
            self.count(if judged.is_valid {
                judged.valid
            } else {
                judged.invalid
            });
        }
        self.book().settle(node);
    }

    fn ended(&self, to: TaskState) {
        self.count(match to {
            TaskState::Finished => Counter::TasksFinished,
            TaskState::Failed => Counter::TasksFailed,
            TaskState::Killed => Counter::TasksKilled,
            TaskState::Error => Counter::TasksError,
            TaskState::Lost => Counter::TasksLost,
            TaskState::Dropped => Counter::TasksDropped,
            TaskState::Gone => Counter::TasksGone,
            TaskState::GoneByOperator => Counter::TasksGoneByOperator,
            _ => return,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use tepui_core::ids::{AgentId, ExecutorId, FrameworkId, TaskId};

    #[test]
    fn each_name_is_there_once() {
        let counters = Counters::default();
        let all: BTreeMap<_, _> = counters.all().collect();
        assert_eq!(all.len(), NAMES.len());
    }

    #[test]
    fn an_end_is_counted_once_and_by_its_kind() {
        let mut counters = Counters::default();
        let state = |from, to| {
            Notice::Cluster(leading::Notice::TaskState {
                framework_id: FrameworkId::new("f").unwrap(),
                task_id: TaskId::new("t").unwrap(),
                agent_id: AgentId::new("a").unwrap(),
                from,
                to,
                reason: None,
            })
        };
        let now = Now::default();
        counters.noticed(now, &state(None, TaskState::Staging));
        counters.noticed(now, &state(Some(TaskState::Staging), TaskState::Running));
        counters.noticed(now, &state(Some(TaskState::Running), TaskState::Failed));
        assert_eq!(counters.value("master/tasks_failed"), 1);
        assert_eq!(counters.value("master/tasks_finished"), 0);
    }

    #[test]
    fn a_message_is_valid_when_it_goes_on() {
        let mut counters = Counters::default();
        let message = FromAgent::ExecutorMessage {
            framework_id: FrameworkId::new("f").unwrap(),
            executor_id: ExecutorId::new("e").unwrap(),
            data: Arc::default(),
        };
        let input = Input::FromAgent {
            peer: Peer::Inbound(1),
            message,
        };
        counters.heard(Now::default(), &input);
        assert!(counters.judged.is_some_and(|judged| !judged.is_valid));
        counters.is(Counter::ValidExecutorMessage, true);
        counters.is(Counter::ValidUpdate, false);
        assert!(counters.judged.is_some_and(|judged| judged.is_valid));
    }
}

//! What a master counts, by Mesos' names.
//!
//! Counted where inputs come in and notices pass, so that no handler needs to remember it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tepui_core::master::{Input, Notice, leading};
use tepui_core::message::agent::ToMaster as FromAgent;
use tepui_core::message::scheduler::Call;
use tepui_core::model::{OfferOperation, Reason, TaskState};

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
    TasksFinished => "master/tasks_finished",
    TasksFailed => "master/tasks_failed",
    TasksKilled => "master/tasks_killed",
    TasksError => "master/tasks_error",
    TasksLost => "master/tasks_lost",
    TasksDropped => "master/tasks_dropped",
    TasksGone => "master/tasks_gone",
    TasksGoneByOperator => "master/tasks_gone_by_operator",
}

/// The counters of one master since it started.
#[derive(Clone, Debug)]
pub struct Counters(Arc<[AtomicU64; COUNT]>);

impl Default for Counters {
    fn default() -> Counters {
        Counters(Arc::new([const { AtomicU64::new(0) }; COUNT]))
    }
}

impl Counters {
    fn count(&self, counter: Counter) {
        self.0[counter as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Names and counts.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.0.iter().map(|count| count.load(Ordering::Relaxed));
        NAMES.iter().copied().zip(counts)
    }

    /// Counts an input of the node.
    pub fn heard(&self, input: &Input) {
        match input {
            Input::FromAgent { message, .. } => self.heard_agent(message),
            Input::FromScheduler { message, .. } => {
                self.heard_scheduler(&message.call, message.framework_id.is_some());
            }
            _ => {}
        }
    }

    fn heard_agent(&self, message: &FromAgent) {
        self.count(match message {
            FromAgent::Register { .. } => Counter::RegisterAgent,
            FromAgent::Reregister(_) => Counter::ReregisterAgent,
            FromAgent::Update(_) => Counter::StatusUpdate,
            FromAgent::ExecutorMessage { .. } => Counter::ExecutorMessage,
            FromAgent::ExecutorExited { .. } => Counter::ExecutorExited,
            FromAgent::Unregister => Counter::UnregisterAgent,
            _ => return,
        });
    }

    fn heard_scheduler(&self, call: &Call, known: bool) {
        self.count(match call {
            Call::Subscribe { .. } if known => Counter::ReregisterFramework,
            Call::Subscribe { .. } => Counter::RegisterFramework,
            Call::Teardown => Counter::UnregisterFramework,
            Call::Accept { operations, .. } => {
                let launches = |operation: &OfferOperation| !operation.tasks().is_empty();
                match operations.iter().any(launches) {
                    true => Counter::Launch,
                    false => return,
                }
            }
            Call::Decline { .. } => Counter::Decline,
            Call::Revive { .. } => Counter::Revive,
            Call::Suppress { .. } => Counter::Suppress,
            Call::Kill { .. } => Counter::KillTask,
            Call::Acknowledge { .. } => Counter::Acknowledge,
            Call::Reconcile { .. } => Counter::Reconcile,
            Call::Message { .. } => Counter::FrameworkMessage,
            Call::AcknowledgeOperationStatus { .. } => Counter::AcknowledgeOperation,
            Call::ReconcileOperations { .. } => Counter::ReconcileOperations,
            Call::Request => Counter::Request,
            _ => return,
        });
    }

    /// Counts what a notice tells.
    pub fn noticed(&self, notice: &Notice) {
        use leading::Notice as N;
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
            N::Ignored { .. } => self.count(Counter::Dropped),
            N::TaskState {
                from, to, reason, ..
            } => self.task(from.is_some(), *to, *reason),
            _ => {}
        }
    }

    fn task(&self, known: bool, to: TaskState, reason: Option<Reason>) {
        if known && reason != Some(Reason::FrameworkRemoved) {
            self.count(Counter::ValidUpdate);
        }
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
    use tepui_core::ids::{AgentId, FrameworkId, TaskId};

    #[test]
    fn each_name_is_there_once() {
        let counters = Counters::default();
        let all: BTreeMap<_, _> = counters.all().collect();
        assert_eq!(all.len(), NAMES.len());
    }

    #[test]
    fn an_end_is_counted_once_and_by_its_kind() {
        let counters = Counters::default();
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
        counters.noticed(&state(None, TaskState::Staging));
        counters.noticed(&state(Some(TaskState::Staging), TaskState::Running));
        counters.noticed(&state(Some(TaskState::Running), TaskState::Failed));
        let all: BTreeMap<_, _> = counters.all().collect();
        assert_eq!(all["master/tasks_failed"], 1);
        assert_eq!(all["master/tasks_finished"], 0);
        assert_eq!(all["master/valid_status_updates"], 2);
    }
}

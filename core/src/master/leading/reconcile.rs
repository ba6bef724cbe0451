//! Answers to schedulers that ask what became of their tasks.

use super::arena::Index;
use super::frameworks::Framework;
use super::notice::{Notice, Probe};
use super::tasks::{Task, made_up};
use super::{Effect, Leading};
use crate::ids::{AgentId, TaskId};
use crate::model::{Reason, TaskState};
use crate::outbox::Outbox;
use crate::time::Now;
use alloc::sync::Arc;
use alloc::vec::Vec;

impl Leading {
    /// Explicit reconciliation of these tasks, or implicit of all when none is named.
    pub(super) fn reconcile(
        &mut self,
        now: Now,
        framework: Index<Framework>,
        tasks: &[(TaskId, Option<AgentId>)],
        fx: &mut Outbox<Effect>,
    ) {
        if tasks.is_empty() {
            let known = self.frameworks.arena[framework].tasks.values();
            for task in known.copied().collect::<Vec<_>>() {
                self.answer(now, framework, task, fx);
            }
            return;
        }
        for (task_id, agent_id) in tasks {
            self.reconcile_one(now, framework, task_id, agent_id.as_ref(), fx);
        }
    }

    /// The answer about a task that is known: what the framework was told last, not what it has
    /// not been told yet, so that no answer overtakes an update (MESOS-1389, MESOS-1799).
    ///
    /// Nothing is said of a live task whose agent has returned but not answered yet: what is known
    /// of it may be older than what an earlier leader told. The agent answers, or becomes
    /// unreachable, and then there is an answer.
    fn answer(
        &mut self,
        now: Now,
        framework: Index<Framework>,
        task: Index<Task>,
        fx: &mut Outbox<Effect>,
    ) {
        let record = &self.tasks[task];
        let (state, waits) = (record.reported, record.awaiting.is_some());
        let unconfirmed = self.agents.unconfirmed.contains(&record.info.agent_id);
        if !state.is_terminal() && unconfirmed {
            return fx.push(Effect::Notice(Notice::Probe(Probe::ReconcileSilent)));
        }
        let reason = Reason::Reconciliation;
        let status = self.status_of(
            now,
            task,
            state,
            reason,
            "Reconciliation: Latest task state",
        );
        let told = self.tell(framework, Arc::new(status), fx);
        if told && state.is_terminal() && !waits {
            // Its end came without an id while the scheduler was away: nobody acknowledges it.
            self.remove_task(now, task);
        }
    }

    pub(super) fn reconcile_one(
        &mut self,
        now: Now,
        framework: Index<Framework>,
        task_id: &TaskId,
        agent_id: Option<&AgentId>,
        fx: &mut Outbox<Effect>,
    ) {
        let known = self.frameworks.arena[framework].tasks.get(task_id);
        if let Some(task) = known {
            return self.answer(now, framework, *task, fx);
        }
        let silent = match agent_id {
            Some(agent_id) => self.agents.is_in_transition(agent_id),
            None => self.agents.any_in_transition(),
        };
        if silent {
            return fx.push(Effect::Notice(Notice::Probe(Probe::ReconcileSilent)));
        }
        let (state, message) = match agent_id {
            Some(id) if self.agents.find(id).is_some() => (
                TaskState::Gone,
                "Reconciliation: Task is unknown to the agent",
            ),
            Some(id) if self.agents.unreachable.contains_key(id) => (
                TaskState::Unreachable,
                "Reconciliation: Task is unreachable",
            ),
            Some(id) if self.agents.gone.contains_key(id) => {
                (TaskState::GoneByOperator, "Reconciliation: Task is gone")
            }
            _ => (TaskState::Unknown, "Reconciliation: Task is unknown"),
        };
        let reason = Reason::Reconciliation;
        let mut status = made_up(now, task_id.clone(), state, reason, message);
        status.agent_id = agent_id.cloned();
        if state == TaskState::Unreachable {
            status.unreachable_at = agent_id.and_then(|id| self.unreachable_since(id));
        }
        self.tell(framework, Arc::new(status), fx);
    }
}

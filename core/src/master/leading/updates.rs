//! Status updates on their way from agents to schedulers, acknowledgements on their way back, and
//! what schedulers ask of tasks and executors.

use super::agents::Agent;
use super::arena::Index;
use super::frameworks::Framework;
use super::notice::{Notice, Probe};
use super::tasks::{Kill, Task, may_be_said, newest};
use super::{Effect, Leading};
use crate::ids::{AgentId, ExecutorId, FrameworkId, TaskId, UpdateId};
use crate::message::Reject;
use crate::message::agent::ToAgent;
use crate::message::scheduler::{Event, ToScheduler};
use crate::model::StatusUpdate;
use crate::outbox::Outbox;
use crate::time::Now;
use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;

impl Leading {
    pub(super) fn on_update(
        &mut self,
        now: Now,
        agent: Index<Agent>,
        update: &StatusUpdate,
        fx: &mut Outbox<Effect>,
    ) {
        let status = &update.status;
        let agent_id = &self.agents.arena[agent].id;
        if status.agent_id.as_ref().is_some_and(|id| id != agent_id) {
            let what = alloc::format!("{agent_id} speaks of task {} elsewhere", status.task_id);
            return fx.push(Effect::Notice(Notice::Ignored { what }));
        }
        if !may_be_said(status.state) || !may_be_said(update.latest_state) {
            return self.absorb(agent, update, fx);
        }
        let Some(framework) = self.frameworks.find(&update.framework_id) else {
            return self.on_orphaned_update(agent, &update.framework_id, fx);
        };
        let owner = &self.frameworks.arena[framework];
        let known = owner.tasks.get(&status.task_id).copied();
        let stale = match known {
            Some(task) => {
                let record = &self.tasks[task];
                let next = status.state;
                let legal = record.reported == next || record.reported.may_become_at_master(next);
                record.agent != Some(agent) || !legal
            }
            // Known here before under this id, and not from this agent: it was tried again
            // elsewhere, and only that counts.
            None => {
                let mut last = owner.completed.iter().rev();
                let last = last.find(|ended| ended.info.task_id == status.task_id);
                last.is_some_and(|ended| ended.info.agent_id != *agent_id)
            }
        };
        if stale {
            return self.absorb(agent, update, fx);
        }
        if let Some(task) = known {
            self.take_in(now, task, update, fx);
        }
        let told = self.tell(framework, status.clone(), fx);
        // Without an id nobody will acknowledge it.
        if let Some(task) = known
            && told
            && status.update_id.is_none()
            && status.state.is_terminal()
        {
            self.remove_task(now, task);
        }
    }

    /// Brings a task's record up to date with an update from its agent.
    fn take_in(
        &mut self,
        now: Now,
        task: Index<Task>,
        update: &StatusUpdate,
        fx: &mut Outbox<Effect>,
    ) {
        let status = &update.status;
        let latest = newest(status.state, update.latest_state);
        let from = self.tasks[task].state;
        if from.may_become_at_master(latest) {
            let reason = status.reason.filter(|_| status.state == latest);
            self.set_state(now, task, latest, reason, fx);
        } else if from != latest {
            fx.push(Effect::Notice(Notice::Probe(Probe::UpdateNotLegal)));
        }
        let record = &mut self.tasks[task];
        record.reported = status.state;
        record.awaiting = status.update_id;
        record.only_reported = false;
        record.healthy = status.healthy;
        record.history.note(status);
    }

    /// An update that no scheduler may see, since it would contradict what was said before: its
    /// agent is told that it was taken, so that its stream goes on (MESOS-2864, MESOS-6457).
    fn absorb(&self, agent: Index<Agent>, update: &StatusUpdate, fx: &mut Outbox<Effect>) {
        fx.push(Effect::Notice(Notice::Probe(Probe::UpdateNotLegal)));
        let what = alloc::format!(
            "{} of task {} contradicts what is known",
            update.status.state,
            update.status.task_id
        );
        fx.push(Effect::Notice(Notice::Ignored { what }));
        if let Some(update_id) = update.status.update_id {
            let message = ToAgent::Acknowledge {
                framework_id: update.framework_id.clone(),
                task_id: update.status.task_id.clone(),
                update_id,
            };
            self.send_to_agent(agent, message, fx);
        }
    }

    /// An update of a framework that is not known. If it has ended, nobody will ever acknowledge
    /// it: the agent is told to forget the framework (MESOS-9434).
    fn on_orphaned_update(
        &self,
        agent: Index<Agent>,
        framework_id: &FrameworkId,
        fx: &mut Outbox<Effect>,
    ) {
        let framework_id = framework_id.clone();
        if self.frameworks.is_removed(&framework_id) {
            let message = ToAgent::ShutdownFramework { framework_id };
            self.send_to_agent(agent, message, fx);
            return;
        }
        let what = alloc::format!("update of framework {framework_id}, which nobody described");
        fx.push(Effect::Notice(Notice::Ignored { what }));
    }

    /// Says something to an agent if it is connected.
    pub(super) fn send_to_agent(
        &self,
        agent: Index<Agent>,
        message: ToAgent,
        fx: &mut Outbox<Effect>,
    ) -> bool {
        let Some(peer) = self.agents.arena[agent].peer else {
            return false;
        };
        fx.push(Effect::ToAgent { peer, message });
        true
    }

    /// A scheduler has an update. An acknowledgement counts only for the update that waits, and
    /// goes to the agent that sent it.
    pub(super) fn acknowledge(
        &mut self,
        now: Now,
        framework: Index<Framework>,
        agent_id: &AgentId,
        task_id: &TaskId,
        update_id: UpdateId,
        fx: &mut Outbox<Effect>,
    ) -> Result<(), Reject> {
        let owner = &self.frameworks.arena[framework];
        let framework_id = owner.id.clone();
        if let Some(task) = owner.tasks.get(task_id).copied() {
            let record = &mut self.tasks[task];
            if record.info.agent_id != *agent_id || record.awaiting != Some(update_id) {
                let what = alloc::format!("acknowledgement of {update_id}, which does not wait");
                fx.push(Effect::Notice(Notice::Ignored { what }));
                return Ok(());
            }
            record.awaiting = None;
            if record.reported.is_terminal() {
                self.remove_task(now, task);
            }
        }
        if let Some(agent) = self.agents.find(agent_id) {
            let message = ToAgent::Acknowledge {
                framework_id,
                task_id: task_id.clone(),
                update_id,
            };
            self.send_to_agent(agent, message, fx);
        }
        Ok(())
    }

    /// A scheduler wants a task to end. It is answered by updates: from the agent, or, where there
    /// is none to ask, by what reconciliation would say.
    pub(super) fn kill(
        &mut self,
        now: Now,
        framework: Index<Framework>,
        task_id: &TaskId,
        agent_id: Option<&AgentId>,
        grace: Option<Duration>,
        fx: &mut Outbox<Effect>,
    ) {
        let owner = &self.frameworks.arena[framework];
        let known = owner.tasks.get(task_id).copied();
        let agent = known.and_then(|task| self.tasks[task].agent);
        let (Some(task), Some(agent)) = (known, agent) else {
            return self.reconcile_one(now, framework, task_id, agent_id, fx);
        };
        let record = &mut self.tasks[task];
        if agent_id.is_some_and(|id| *id != record.info.agent_id) {
            let what = alloc::format!("kill of task {task_id} on another agent than its own");
            return fx.push(Effect::Notice(Notice::Ignored { what }));
        }
        if !record.state.is_terminal() {
            // Said again when the agent returns: a connection may have died unnoticed.
            record.kill = Some(Kill { grace });
        }
        let message = ToAgent::Kill {
            framework_id: owner.id.clone(),
            task_id: task_id.clone(),
            grace,
        };
        if !self.send_to_agent(agent, message, fx) {
            fx.push(Effect::Notice(Notice::Probe(Probe::KillDeferred)));
        }
    }

    pub(super) fn shut_down_executor(
        &self,
        framework: Index<Framework>,
        executor_id: ExecutorId,
        agent_id: &AgentId,
        fx: &mut Outbox<Effect>,
    ) -> Result<(), Reject> {
        let agent = self.reachable(agent_id)?;
        let message = ToAgent::ShutdownExecutor {
            framework_id: self.frameworks.arena[framework].id.clone(),
            executor_id,
        };
        self.send_to_agent(agent, message, fx);
        Ok(())
    }

    pub(super) fn message_executor(
        &self,
        framework: Index<Framework>,
        agent_id: &AgentId,
        executor_id: ExecutorId,
        data: Arc<[u8]>,
        fx: &mut Outbox<Effect>,
    ) -> Result<(), Reject> {
        let agent = self.reachable(agent_id)?;
        let message = ToAgent::FrameworkMessage {
            framework_id: self.frameworks.arena[framework].id.clone(),
            executor_id,
            data,
        };
        self.send_to_agent(agent, message, fx);
        Ok(())
    }

    fn reachable(&self, agent_id: &AgentId) -> Result<Index<Agent>, Reject> {
        let agent = self.agents.find(agent_id);
        let agent = agent.filter(|agent| self.agents.arena[*agent].peer.is_some());
        agent.ok_or_else(|| {
            let why = alloc::format!("agent {agent_id} is not connected");
            Reject::Dropped(why)
        })
    }

    pub(super) fn on_executor_message(
        &self,
        agent: Index<Agent>,
        framework_id: &FrameworkId,
        executor_id: ExecutorId,
        data: Arc<[u8]>,
        fx: &mut Outbox<Effect>,
    ) {
        let agent_id = self.agents.arena[agent].id.clone();
        let event = Event::Message {
            agent_id,
            executor_id,
            data,
        };
        self.tell_event(framework_id, event, fx);
    }

    pub(super) fn on_executor_exited(
        &mut self,
        agent: Index<Agent>,
        framework_id: &FrameworkId,
        executor_id: &ExecutorId,
        status: i32,
        fx: &mut Outbox<Effect>,
    ) {
        let Some(framework) = self.frameworks.find(framework_id) else {
            return;
        };
        if !self.remove_executor(agent, framework, executor_id) {
            let what = alloc::format!("the end of executor {executor_id}, which is not known");
            return fx.push(Effect::Notice(Notice::Ignored { what }));
        }
        let event = Event::Failure {
            agent_id: self.agents.arena[agent].id.clone(),
            executor_id: Some(executor_id.clone()),
            status: Some(status),
        };
        self.tell_event(framework_id, event, fx);
    }

    /// Sends an event to a framework's scheduler if that is there; nobody keeps it otherwise.
    fn tell_event(&self, framework_id: &FrameworkId, event: Event, fx: &mut Outbox<Effect>) {
        let framework = self.frameworks.find(framework_id);
        let peer = framework.and_then(|f| self.frameworks.arena[f].peer);
        match peer {
            Some(peer) => {
                let message = ToScheduler::Event(event);
                fx.push(Effect::ToScheduler { peer, message });
            }
            None => fx.push(Effect::Notice(Notice::Ignored {
                what: String::from("an event for a scheduler that is away"),
            })),
        }
    }
}

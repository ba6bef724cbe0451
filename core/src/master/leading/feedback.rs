//! What agents say of operations on its way to schedulers, and schedulers' answers and questions.

use super::agents::Agent;
use super::arena::Index;
use super::frameworks::Framework;
use super::notice::Notice;
use super::{Effect, Leading};
use crate::ids::{AgentId, OperationId, OperationUuid, UpdateId};
use crate::message::agent::{OperationReport, ToAgent};
use crate::model::{OperationState, OperationStatus};
use crate::outbox::Outbox;
use crate::resources::Resources;
use crate::time::Now;
use alloc::string::String;

impl Leading {
    /// An agent says how an operation went, and repeats it until that is acknowledged: by the
    /// scheduler if it gave the operation a name, by the master otherwise.
    pub(super) fn on_operation_report(
        &mut self,
        now: Now,
        agent: Index<Agent>,
        report: &OperationReport,
        fx: &mut Outbox<Effect>,
    ) {
        let uuid = report.uuid;
        let Some(record) = self.operations.by_uuid.get(&uuid) else {
            // Whatever its agent still tells of is known here until it is acknowledged.
            return self.acknowledge_for(agent, report, fx);
        };
        let news = !record.heard_of;
        self.note_report(agent, report);
        if news {
            fx.push(Effect::Notice(Notice::Operation {
                uuid,
                name: String::from(report.operation.name()),
                agent_id: self.agents.arena[agent].id.clone(),
                state: report.status.state,
            }));
        }
        let named = report.status.operation_id.is_some();
        let Some(owner) = report.framework_id.as_ref().filter(|_| named) else {
            return self.acknowledge_for(agent, report, fx);
        };
        if self.frameworks.is_removed(owner) {
            return self.acknowledge_for(agent, report, fx);
        }
        match self.frameworks.find(owner) {
            Some(framework) => {
                let mut status = report.status.clone();
                status.agent_id = Some(self.agents.arena[agent].id.clone());
                self.tell_of_operation(framework, status, fx);
            }
            // It may still return to this leader, but not for ever.
            None => {
                let waited = now.mono.since(self.elected_at.mono);
                if waited >= self.config.agent_reregister_timeout {
                    self.acknowledge_for(agent, report, fx);
                }
            }
        }
    }

    /// Nobody else acknowledges this.
    fn acknowledge_for(
        &mut self,
        agent: Index<Agent>,
        report: &OperationReport,
        fx: &mut Outbox<Effect>,
    ) {
        if let Some(update_id) = report.status.update_id {
            let uuid = report.uuid;
            let message = ToAgent::AcknowledgeOperation { uuid, update_id };
            self.send_to_agent(agent, message, fx);
        }
        self.forget_operation(report.uuid);
    }

    /// A scheduler knows how an operation went.
    pub(super) fn acknowledge_operation(
        &mut self,
        framework: Index<Framework>,
        agent_id: &AgentId,
        operation_id: &OperationId,
        update_id: UpdateId,
        fx: &mut Outbox<Effect>,
    ) -> Result<(), String> {
        let owner = self.frameworks.arena[framework].id.clone();
        let agent = self.agents.find(agent_id);
        let agent = agent.ok_or_else(|| alloc::format!("agent {agent_id} is not known"))?;
        let said = |uuid: &OperationUuid| {
            let record = &self.operations.by_uuid[uuid];
            record.agent == agent && record.status.update_id == Some(update_id)
        };
        let uuid = self.operations.named(&owner, operation_id).find(said);
        let uuid = uuid.ok_or_else(|| {
            alloc::format!(
                "{update_id} was not said of an operation {operation_id} on agent {agent_id}"
            )
        })?;
        if self.agents.arena[agent].peer.is_none() {
            // It says the same again when it is back.
            return Err(alloc::format!("agent {agent_id} is not connected"));
        }
        let message = ToAgent::AcknowledgeOperation { uuid, update_id };
        self.send_to_agent(agent, message, fx);
        self.forget_operation(uuid);
        Ok(())
    }

    /// A scheduler asks how operations stand; all of its own when it names none.
    pub(super) fn reconcile_operations(
        &self,
        framework: Index<Framework>,
        operations: &[(OperationId, Option<AgentId>)],
        fx: &mut Outbox<Effect>,
    ) {
        let owner = &self.frameworks.arena[framework].id;
        if operations.is_empty() {
            for uuid in self.operations.of_framework(owner) {
                let status = self.operation_status(uuid);
                self.tell_of_operation(framework, status, fx);
            }
            return;
        }
        for (id, agent_id) in operations {
            let status = match self.operations.named(owner, id).next_back() {
                Some(uuid) => self.operation_status(uuid),
                None => self.unknown_operation(id, agent_id.as_ref()),
            };
            self.tell_of_operation(framework, status, fx);
        }
    }

    /// What is known of an operation, in words that nobody acknowledges.
    fn operation_status(&self, uuid: OperationUuid) -> OperationStatus {
        let record = &self.operations.by_uuid[&uuid];
        let mut status = record.status.clone();
        status.agent_id = Some(self.agents.arena[record.agent].id.clone());
        status.update_id = None;
        status
    }

    fn unknown_operation(&self, id: &OperationId, agent_id: Option<&AgentId>) -> OperationStatus {
        use OperationState as S;
        let (state, message) = match agent_id {
            None => (
                S::Unknown,
                "Operation is unknown and no 'agent_id' was provided",
            ),
            Some(agent) if self.agents.is_in_transition(agent) => (
                S::Recovering,
                "Agent is recovered but has not re-registered",
            ),
            Some(agent) if self.agents.find(agent).is_some() => {
                (S::Unknown, "Operation is unknown")
            }
            Some(agent) if self.agents.unreachable.contains_key(agent) => {
                (S::Unreachable, "Agent is unreachable")
            }
            Some(agent) if self.agents.gone.contains_key(agent) => {
                (S::GoneByOperator, "Agent marked gone by operator")
            }
            Some(_) => (S::Unknown, "Both operation and agent are unknown"),
        };
        OperationStatus {
            operation_id: Some(id.clone()),
            state,
            message: alloc::format!("Reconciliation: {message}"),
            converted: Resources::EMPTY,
            update_id: None,
            agent_id: agent_id.cloned(),
        }
    }
}

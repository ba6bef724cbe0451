//! Agents that operators give up, drain, deactivate, and take into use again.

use super::super::agents::{Agent, Pending};
use super::super::arena::Index;
use super::super::notice::Notice;
use super::super::{Effect, Leading};
use super::{Course, answer};
use crate::ids::AgentId;
use crate::message::agent::ToAgent;
use crate::message::operator::{Answer, Refusal, Request, RequestId};
use crate::model::{DrainInfo, DrainState};
use crate::outbox::Outbox;
use crate::registry::Operation;
use crate::time::Now;

impl Leading {
    /// A request that changes what the registry says of one agent.
    pub(super) fn start_mark(
        &mut self,
        now: Now,
        id: RequestId,
        request: &Request,
        fx: &mut Outbox<Effect>,
    ) -> Result<Course, Refusal> {
        let asked = Some(id);
        let operation = match request {
            Request::MarkAgentGone { agent_id } => {
                if self.agents.gone.contains_key(agent_id) {
                    return Ok(Course::Done);
                }
                self.refuse_leaving(agent_id)?;
                if !self.is_of_the_cluster(agent_id) {
                    let why = alloc::format!("Agent '{agent_id}' not found");
                    return Err(Refusal::NotFound(why));
                }
                let (agent_id, at) = (agent_id.clone(), now.wall);
                Operation::MarkGone { agent_id, at }
            }
            Request::DrainAgent { agent_id, config } => {
                self.check_drain(agent_id)?;
                let (agent_id, config) = (agent_id.clone(), *config);
                Operation::DrainAgent { agent_id, config }
            }
            Request::DeactivateAgent { agent_id } => {
                self.refuse_unknown(agent_id)?;
                let agent_id = agent_id.clone();
                Operation::DeactivateAgent { agent_id }
            }
            Request::ReactivateAgent { agent_id } => {
                self.check_reactivate(agent_id)?;
                let agent_id = agent_id.clone();
                Operation::ReactivateAgent { agent_id }
            }
            other => unreachable!("{} marks no agent", other.name()),
        };
        let agent_id = operation.agent_id();
        if agent_id.is_some_and(|id| self.agents.pending.contains_key(id)) {
            return Ok(Course::Wait);
        }
        let pending = match &operation {
            Operation::MarkGone { .. } => Pending::MarkGone { asked },
            _ => Pending::Mark { asked },
        };
        Ok(self.store_mark(pending, operation, fx))
    }

    fn is_of_the_cluster(&self, id: &AgentId) -> bool {
        self.agents.find(id).is_some()
            || self.agents.recovered.contains_key(id)
            || self.agents.unreachable.contains_key(id)
    }

    fn refuse_unknown(&self, id: &AgentId) -> Result<(), Refusal> {
        if self.is_of_the_cluster(id) {
            return Ok(());
        }
        Err(Refusal::Invalid("Unknown agent".into()))
    }

    /// An agent that is on its way out of the cluster cannot be given up at the same time.
    fn refuse_leaving(&self, id: &AgentId) -> Result<(), Refusal> {
        let course = match self.agents.pending.get(id) {
            Some(Pending::MarkGone { .. }) => "already being transitioned to gone",
            Some(Pending::Remove) => "being transitioned to removed",
            Some(Pending::MarkUnreachable { .. }) => "being transitioned to unreachable",
            _ => return Ok(()),
        };
        Err(Refusal::Busy(alloc::format!("Agent '{id}' is {course}")))
    }

    fn check_drain(&self, id: &AgentId) -> Result<(), Refusal> {
        if let Some(index) = self.agents.find(id) {
            let info = &self.agents.arena[index].info;
            let machine = self.operator.state.machine_of(&info.hostname, &info.ip);
            if let Some((machine, _)) = machine {
                return Err(Refusal::Invalid(alloc::format!(
                    "Agent {id} is part of a maintenance schedule under Machine {machine}"
                )));
            }
        }
        self.refuse_unknown(id)?;
        if matches!(self.agents.pending.get(id), Some(Pending::MarkGone { .. })) {
            let why = "Agent is currently being marked gone";
            return Err(Refusal::Conflict(why.into()));
        }
        Ok(())
    }

    fn check_reactivate(&self, id: &AgentId) -> Result<(), Refusal> {
        let Some(mark) = self.operator.state.marks.get(id) else {
            return Err(Refusal::Invalid("Agent is not deactivated".into()));
        };
        match mark.drain {
            Some(drain) if drain.state == DrainState::Draining => Err(Refusal::Invalid(
                "Agent is still in the DRAINING state".into(),
            )),
            _ => Ok(()),
        }
    }

    /// A mark is durable: what follows for the agent, if it is here.
    pub(in crate::master::leading) fn on_marked(
        &mut self,
        now: Now,
        operation: &Operation,
        asked: Option<RequestId>,
        fx: &mut Outbox<Effect>,
    ) {
        self.operator.state.note(operation);
        let agent_id = operation.agent_id().expect("a mark is on an agent");
        if let Some(index) = self.agents.find(agent_id) {
            match operation {
                Operation::DrainAgent { .. } => {
                    self.set_aside(index, fx);
                    self.agents.arena[index].drain_started_at = Some(now.wall);
                    self.tell_to_drain(index, fx);
                }
                Operation::DeactivateAgent { .. } => self.set_aside(index, fx),
                Operation::ReactivateAgent { .. } => {
                    let agent = &mut self.agents.arena[index];
                    agent.drain_started_at = None;
                    let connected = agent.peer.is_some();
                    let active = connected && !self.is_set_aside(index);
                    self.allocation.set_agent_active(index, active);
                }
                _ => {}
            }
        }
        let (agent_id, mark) = (agent_id.clone(), self.operator.state.marks.get(agent_id));
        let mark = mark.copied();
        fx.push(Effect::Notice(Notice::AgentMarked { agent_id, mark }));
        if let Some(id) = asked {
            answer(id, Ok(Answer::Done), fx);
        }
    }

    /// Whether an operator said, of the agent or of its machine, that nothing of it is offered.
    pub(in crate::master::leading) fn is_set_aside(&self, index: Index<Agent>) -> bool {
        let agent = &self.agents.arena[index];
        self.operator.is_deactivated(&agent.id) || self.is_down(&agent.info)
    }

    /// Nothing of the agent is offered any more.
    pub(super) fn set_aside(&mut self, index: Index<Agent>, fx: &mut Outbox<Effect>) {
        self.allocation.set_agent_active(index, false);
        self.rescind_agent(index, fx);
        self.withdraw_inverse(index, true, fx);
    }

    /// What an agent that is drained is told, also whenever it returns.
    pub(in crate::master::leading) fn tell_to_drain(
        &mut self,
        index: Index<Agent>,
        fx: &mut Outbox<Effect>,
    ) {
        let agent = &self.agents.arena[index];
        let mark = self.operator.state.marks.get(&agent.id);
        let Some(DrainInfo { config, .. }) = mark.and_then(|mark| mark.drain) else {
            return;
        };
        let id = agent.id.clone();
        self.send_to_agent(index, ToAgent::Drain { config }, fx);
        self.operator.look_at(&id);
    }

    /// Once nothing is left on an agent that is drained, that is made durable; or the agent is
    /// given up, where that was asked for.
    pub(super) fn check_drained(&mut self, now: Now, id: &AgentId, fx: &mut Outbox<Effect>) {
        let mark = self.operator.state.marks.get(id);
        let Some(drain) = mark.and_then(|mark| mark.drain) else {
            return;
        };
        let Some(index) = self.agents.find(id) else {
            return;
        };
        let agent = &self.agents.arena[index];
        let over = drain.state == DrainState::Drained
            || !agent.tasks.is_empty()
            || !agent.operations.is_empty()
            || self.agents.unconfirmed.contains(id)
            || self.agents.pending.contains_key(id);
        if over {
            return;
        }
        let agent_id = id.clone();
        if drain.config.mark_gone {
            let at = now.wall;
            let operation = Operation::MarkGone { agent_id, at };
            self.store(Pending::MarkGone { asked: None }, operation, fx);
        } else {
            let operation = Operation::MarkDrained { agent_id };
            self.store(Pending::Mark { asked: None }, operation, fx);
        }
    }
}

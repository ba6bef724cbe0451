//! What follows once the registrar has stored an operation, or has not.

use super::agents::{Agent, Pending, Returning};
use super::arena::Index;
use super::notice::Notice;
use super::operator::{answer, failure};
use super::{Effect, Leading, Timer};
use crate::ids::{AgentId, Peer};
use crate::message::agent::ToAgent;
use crate::message::operator::Answer;
use crate::model::AgentInfo;
use crate::outbox::Outbox;
use crate::registry::{self, Operation};
use crate::time::Now;
use alloc::string::ToString;
use alloc::sync::Arc;

impl Leading {
    pub(super) fn on_operation_stored(
        &mut self,
        now: Now,
        operation: &Operation,
        fx: &mut Outbox<Effect>,
    ) {
        if let Operation::Prune { unreachable, gone } = operation {
            for id in unreachable {
                // The registry passes over whoever returned before this was its turn.
                if self.agents.unreachable.contains_key(id) {
                    self.forget_unreachable(now, id);
                }
            }
            for id in gone {
                self.agents.gone.remove(id);
            }
            return;
        }
        let Some(id) = operation.agent_id() else {
            return self.on_operator_stored(now, operation, fx);
        };
        let Some(pending) = self.take_pending(id) else {
            panic!("{} of {id} was stored unasked", operation.name());
        };
        match (operation, pending) {
            (Operation::AdmitAgent { info, .. }, Pending::Admit { run, kept, peer }) => {
                let index = self.insert_agent(now, info, &kept, run);
                self.on_admitted(now, index, peer, fx);
            }
            (Operation::MarkUnreachable { agent_id, at }, Pending::MarkUnreachable { held }) => {
                self.on_marked_unreachable(now, agent_id, *at, fx);
                if let Some(returning) = held {
                    self.on_return(now, agent_id, returning, fx);
                }
            }
            (Operation::MarkReachable { .. }, Pending::MarkReachable { returning }) => {
                self.on_marked_reachable(now, id, &returning, fx);
            }
            (Operation::UpdateAgent { info }, Pending::Update { returning }) => {
                self.on_updated(now, info, &returning, fx);
            }
            (Operation::MarkGone { agent_id, at }, Pending::MarkGone { asked }) => {
                self.on_marked_gone(now, agent_id, *at, fx);
                if let Some(request) = asked {
                    answer(request, Ok(Answer::Done), fx);
                }
            }
            (operation, Pending::Mark { asked }) => self.on_marked(now, operation, asked, fx),
            (Operation::RemoveAgent { agent_id }, Pending::Remove) => {
                self.on_removed(now, agent_id, fx);
            }
            (operation, pending) => {
                panic!("{} was stored, {pending:?} was asked for", operation.name())
            }
        }
    }

    fn on_admitted(
        &mut self,
        now: Now,
        index: Index<Agent>,
        peer: Option<Peer>,
        fx: &mut Outbox<Effect>,
    ) {
        let agent = &self.agents.arena[index];
        let (agent_id, info) = (agent.id.clone(), agent.info.clone());
        fx.push(Effect::Notice(Notice::AgentAdmitted {
            agent_id: agent_id.clone(),
            hostname: info.hostname.clone(),
        }));
        let Some(peer) = peer else {
            return;
        };
        self.bind_agent(index, peer, fx);
        let message = self.registered(agent_id);
        self.greet_agent(now, index, message, fx);
    }

    pub(super) fn registered(&self, agent_id: AgentId) -> ToAgent {
        ToAgent::Registered {
            agent_id,
            ballot: self.ballot,
            ping_timeout: self.config.agent_timeout(),
        }
    }

    fn on_marked_reachable(
        &mut self,
        now: Now,
        id: &AgentId,
        returning: &Returning,
        fx: &mut Outbox<Effect>,
    ) {
        self.agents.unreachable.remove(id);
        let report = &returning.report;
        self.agents.unconfirmed.insert(id.clone());
        let index = self.insert_agent(now, &report.info, &report.kept, report.run);
        self.take_back(now, index, returning, true, fx);
    }

    fn on_updated(
        &mut self,
        now: Now,
        info: &Arc<AgentInfo>,
        returning: &Returning,
        fx: &mut Outbox<Effect>,
    ) {
        let id = info.id.as_ref().expect("only known agents are updated");
        let index = match self.agents.find(id) {
            Some(index) => {
                self.agents.arena[index].info = info.clone();
                index
            }
            None => self.first_return(now, id, returning),
        };
        self.take_back(now, index, returning, false, fx);
    }

    /// The registry holds an operation to be illegal: some earlier leader was ahead of what this
    /// agent, or this master's memory, knows.
    pub(super) fn on_operation_rejected(
        &mut self,
        now: Now,
        operation: &Operation,
        why: &registry::Reject,
        fx: &mut Outbox<Effect>,
    ) {
        let Some(id) = operation.agent_id() else {
            if !matches!(operation, Operation::Prune { .. }) {
                self.on_operator_failed(Some(why), fx);
            }
            return;
        };
        match self.take_pending(id) {
            Some(Pending::Admit { peer, .. }) => {
                self.agents.forget_nonce(id);
                if let Some(peer) = peer {
                    self.refuse_agent(peer, Some(id.clone()), &why.to_string(), fx);
                }
            }
            Some(Pending::MarkReachable { returning } | Pending::Update { returning }) => {
                let peer = returning.peer;
                if matches!(why, registry::Reject::Gone(_)) {
                    self.shut_down_agent(id, peer, &why.to_string(), fx);
                } else if let Some(peer) = peer {
                    self.refuse_agent(peer, Some(id.clone()), &why.to_string(), fx);
                }
            }
            Some(Pending::MarkUnreachable { held: Some(held) }) => {
                self.on_return(now, id, held, fx);
            }
            pending => {
                if let Some(request) = pending.and_then(|pending| pending.asked()) {
                    answer(request, Err(failure(Some(why))), fx);
                }
                let what = why.to_string();
                fx.push(Effect::Notice(Notice::Ignored { what }));
            }
        }
        self.keep_waiting(now, id);
        self.put_off(now, id, fx);
    }

    /// The registrar is full: whoever asked asks again.
    pub(super) fn on_operation_refused(
        &mut self,
        now: Now,
        operation: &Operation,
        fx: &mut Outbox<Effect>,
    ) {
        let Some(id) = operation.agent_id() else {
            return self.on_operator_failed(None, fx);
        };
        match self.take_pending(id) {
            Some(Pending::Admit { .. }) => self.agents.forget_nonce(id),
            Some(Pending::MarkUnreachable { held: Some(held) }) => {
                self.on_return(now, id, held, fx);
            }
            pending => {
                if let Some(request) = pending.and_then(|pending| pending.asked()) {
                    answer(request, Err(failure(None)), fx);
                }
            }
        }
        self.keep_waiting(now, id);
        self.put_off(now, id, fx);
    }

    /// An operation came to nothing. If its agent is still missing, it is given up later.
    fn keep_waiting(&mut self, now: Now, id: &AgentId) {
        let missing = self.agents.recovered.contains_key(id);
        if missing && self.timers.at(&Timer::Reregister).is_none() {
            let at = now.mono + self.config.agent_ping_timeout;
            self.timers.set(Timer::Reregister, at);
        }
    }

    fn take_pending(&mut self, id: &AgentId) -> Option<Pending> {
        let pending = self.agents.pending.remove(id)?;
        self.operator.look_at(id);
        if let Some(peer) = pending.peer() {
            self.agents.waiting.remove(&peer);
        }
        Some(pending)
    }

    /// A connection broke while its agent's registration is being stored: there is nobody to
    /// answer to.
    pub(super) fn forget_waiting(&mut self, gone: Peer) {
        if let Some(id) = self.agents.waiting.remove(&gone)
            && let Some(pending) = self.agents.pending.get_mut(&id)
            && pending.peer() == Some(gone)
        {
            pending.forget_peer();
        }
    }
}

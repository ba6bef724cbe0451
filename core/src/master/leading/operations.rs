//! What frameworks are told of the operations on resources that they asked for.

use super::arena::Index;
use super::frameworks::Framework;
use super::notice::Notice;
use super::{Effect, Leading};
use crate::ids::{AgentId, OperationId};
use crate::message::scheduler::{Event, ToScheduler};
use crate::model::{OperationState, OperationStatus};
use crate::outbox::Outbox;
use crate::resources::Resources;
use alloc::string::{String, ToString};
use alloc::sync::Arc;

/// A word on an operation that nobody acknowledges.
fn made_up(id: Option<OperationId>, state: OperationState, message: &str) -> OperationStatus {
    OperationStatus {
        operation_id: id,
        state,
        message: message.to_string(),
        converted: Resources::EMPTY,
        update_id: None,
        agent_id: None,
    }
}

impl Leading {
    /// An operation is not carried out. Its framework hears of it only if it gave it a name.
    pub(super) fn refuse_operation(
        &self,
        framework: Index<Framework>,
        id: Option<&OperationId>,
        message: &str,
        fx: &mut Outbox<Effect>,
    ) {
        let Some(id) = id else {
            let what = alloc::format!("an operation: {message}");
            return fx.push(Effect::Notice(Notice::Ignored { what }));
        };
        let status = made_up(Some(id.clone()), OperationState::Error, message);
        self.tell_of_operation(framework, status, fx);
    }

    /// Tells a framework of an operation if its scheduler is there.
    pub(super) fn tell_of_operation(
        &self,
        framework: Index<Framework>,
        status: OperationStatus,
        fx: &mut Outbox<Effect>,
    ) {
        let Some(peer) = self.frameworks.arena[framework].peer else {
            let what = String::from("word of an operation for a scheduler that is away");
            return fx.push(Effect::Notice(Notice::Ignored { what }));
        };
        let status = Arc::new(status);
        let message = ToScheduler::Event(Event::UpdateOperationStatus { status });
        fx.push(Effect::ToScheduler { peer, message });
    }

    /// The answer about an operation that is not known, by what is known of its agent.
    pub(super) fn answer_unknown_operation(
        &self,
        framework: Index<Framework>,
        id: &OperationId,
        agent_id: Option<&AgentId>,
        fx: &mut Outbox<Effect>,
    ) {
        use OperationState as S;
        let agents = &self.agents;
        let (state, message) = match agent_id {
            None => (
                S::Unknown,
                "Reconciliation: Operation is unknown and no 'agent_id' was provided",
            ),
            Some(agent) if agents.is_in_transition(agent) => (
                S::Recovering,
                "Reconciliation: Agent is recovered but has not re-registered",
            ),
            Some(agent) if agents.find(agent).is_some() => {
                (S::Unknown, "Reconciliation: Operation is unknown")
            }
            Some(agent) if agents.unreachable.contains_key(agent) => {
                (S::Unreachable, "Reconciliation: Agent is unreachable")
            }
            Some(agent) if agents.gone.contains_key(agent) => (
                S::GoneByOperator,
                "Reconciliation: Agent marked gone by operator",
            ),
            Some(_) => (
                S::Unknown,
                "Reconciliation: Both operation and agent are unknown",
            ),
        };
        let mut status = made_up(Some(id.clone()), state, message);
        status.agent_id = agent_id.cloned();
        self.tell_of_operation(framework, status, fx);
    }
}

//! What operators ask for: checked, stored, and then done.
//!
//! Requests that are about no agent are taken one after the other, so that each is checked against
//! what the ones before it led to. Requests about one agent wait for whatever is being stored
//! about it. What operators have set is in [`OperatorState`], which is the registry's, kept up to
//! date by the same operations.

mod drain;
mod inverse;
mod maintenance;
mod quota;
mod view;
mod weights;

pub use view::{MaintenanceStatus, RoleView};

use super::agents::Pending;
use super::{Effect, Leading, OperateError};
use crate::ids::AgentId;
use crate::message::operator::{Answer, Refusal, Request, RequestId};
use crate::outbox::Outbox;
use crate::registry::{self, Operation, OperatorState, Registry};
use crate::time::Now;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::ToString;
use inverse::InverseOffers;

/// The leader's side of what operators ask for.
#[derive(Clone, Debug, Default)]
pub(super) struct Operator {
    /// As the registry has it.
    pub(super) state: OperatorState,
    /// The request, about no agent, whose operation is being stored.
    under_way: Option<RequestId>,
    /// Those that wait for it.
    queue: VecDeque<(RequestId, Request)>,
    /// Those that wait for something else about their agent to be stored.
    waiting: BTreeMap<AgentId, VecDeque<(RequestId, Request)>>,
    /// Agents to be looked at: something about them was stored, or ended.
    pub(super) due: BTreeSet<AgentId>,
    pub(super) inverse: InverseOffers,
}

impl Operator {
    pub(super) fn recover(registry: &Registry) -> Operator {
        Operator {
            state: registry.operator().clone(),
            ..Operator::default()
        }
    }

    /// Whether an operator said that nothing of this agent is offered.
    pub(super) fn is_deactivated(&self, id: &AgentId) -> bool {
        self.state.marks.contains_key(id)
    }

    /// Has this agent looked at before the current input is over.
    pub(super) fn look_at(&mut self, id: &AgentId) {
        self.due.insert(id.clone());
    }
}

/// What becomes of a request at once.
enum Course {
    /// It is done.
    Done,
    /// It is on its way to an agent.
    Accepted,
    /// Its operation is being stored; it is answered then.
    Stored,
    /// It has to wait for what is being stored about its agent.
    Wait,
}

impl Leading {
    pub(super) fn on_request(
        &mut self,
        now: Now,
        id: RequestId,
        request: Request,
        fx: &mut Outbox<Effect>,
    ) {
        let is_queued = agent_of(&request).is_none() && is_stored(&request);
        if is_queued && self.operator.under_way.is_some() {
            return self.operator.queue.push_back((id, request));
        }
        match self.start(now, id, &request, fx) {
            Ok(Course::Stored) => {}
            Ok(Course::Done) => answer(id, Ok(Answer::Done), fx),
            Ok(Course::Accepted) => answer(id, Ok(Answer::Accepted), fx),
            Ok(Course::Wait) => {
                let agent_id = agent_of(&request);
                let agent_id = agent_id.expect("only what is about an agent waits for one");
                let waiting = self.operator.waiting.entry(agent_id.clone());
                waiting.or_default().push_back((id, request));
            }
            Err(refusal) => answer(id, Err(refusal), fx),
        }
    }

    fn start(
        &mut self,
        now: Now,
        id: RequestId,
        request: &Request,
        fx: &mut Outbox<Effect>,
    ) -> Result<Course, Refusal> {
        let operation = match request {
            Request::UpdateQuota { configs, force } => self.check_update_quota(configs, *force)?,
            Request::SetQuota {
                role,
                guarantee,
                force,
            } => self.check_set_quota(role, guarantee, *force)?,
            Request::RemoveQuota { role, path } => {
                self.check_remove_quota(role, path.as_deref())?
            }
            Request::UpdateWeights { weights } => weights::check(weights)?,
            Request::UpdateMaintenanceSchedule { windows } => self.check_schedule(windows)?,
            Request::StartMaintenance { machines } => self.check_start(machines)?,
            Request::StopMaintenance { machines } => self.check_stop(machines)?,
            Request::Teardown { framework_id } => {
                let Some(index) = self.frameworks.find(framework_id) else {
                    let why = "No framework found with specified ID";
                    return Err(Refusal::Invalid(why.into()));
                };
                self.end_framework(now, index, false, fx);
                return Ok(Course::Done);
            }
            Request::Operate {
                agent_id,
                operation,
            } => {
                return match self.operate(now, agent_id, operation, None, fx) {
                    Ok(()) => Ok(Course::Accepted),
                    Err(OperateError::Conflict(why)) => Err(Refusal::Conflict(why)),
                    Err(error) => Err(Refusal::Invalid(error.to_string())),
                };
            }
            Request::MarkAgentGone { .. }
            | Request::DrainAgent { .. }
            | Request::DeactivateAgent { .. }
            | Request::ReactivateAgent { .. } => return self.start_mark(now, id, request, fx),
        };
        assert!(self.operator.under_way.is_none(), "one after the other");
        self.operator.under_way = Some(id);
        fx.push(Effect::Store { operation });
        Ok(Course::Stored)
    }

    /// An operation that is about no agent is durable.
    pub(super) fn on_operator_stored(
        &mut self,
        now: Now,
        operation: &Operation,
        fx: &mut Outbox<Effect>,
    ) {
        self.operator.state.note(operation);
        match operation {
            Operation::UpdateQuota { quotas } => self.on_quota_updated(quotas, fx),
            Operation::UpdateWeights { weights } => self.on_weights_updated(weights, fx),
            Operation::UpdateSchedule { .. } => self.on_schedule_updated(now, fx),
            Operation::StartMaintenance { .. } => self.on_machines_down(fx),
            Operation::StopMaintenance { .. } => self.on_schedule_updated(now, fx),
            other => unreachable!("{} is about an agent", other.name()),
        }
        self.finish(Ok(Answer::Done), fx);
    }

    /// An operation that is about no agent was not stored.
    pub(super) fn on_operator_failed(
        &mut self,
        why: Option<&registry::Reject>,
        fx: &mut Outbox<Effect>,
    ) {
        self.finish(Err(failure(why)), fx);
    }

    fn finish(&mut self, result: Result<Answer, Refusal>, fx: &mut Outbox<Effect>) {
        let id = self.operator.under_way.take();
        let id = id.expect("only what was asked for is stored");
        answer(id, result, fx);
    }

    /// Goes on with whatever waited for the current input, at its end.
    pub(super) fn settle(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        for id in core::mem::take(&mut self.operator.due) {
            self.take_down(&id, fx);
            self.check_drained(now, &id, fx);
            self.resume_waiting(now, &id, fx);
        }
        self.relieve(fx);
        let waiting = self.operator.queue.len();
        for _ in 0..waiting {
            if self.operator.under_way.is_some() {
                break;
            }
            let Some((id, request)) = self.operator.queue.pop_front() else {
                break;
            };
            self.on_request(now, id, request, fx);
        }
    }

    /// Nothing is being stored about this agent any more: its requests go on.
    fn resume_waiting(&mut self, now: Now, agent_id: &AgentId, fx: &mut Outbox<Effect>) {
        let count = self.operator.waiting.get(agent_id).map_or(0, VecDeque::len);
        for _ in 0..count {
            if self.agents.pending.contains_key(agent_id) {
                return;
            }
            let waiting = self.operator.waiting.get_mut(agent_id);
            let Some((id, request)) = waiting.and_then(VecDeque::pop_front) else {
                break;
            };
            self.on_request(now, id, request, fx);
        }
        let waiting = self.operator.waiting.get(agent_id);
        if waiting.is_some_and(VecDeque::is_empty) {
            self.operator.waiting.remove(agent_id);
        }
    }

    /// Something about an agent was not stored. What is to be stored of its own accord is tried
    /// again when the agent is pinged next: tried at once it would only be refused again.
    pub(super) fn put_off(&mut self, now: Now, agent_id: &AgentId, fx: &mut Outbox<Effect>) {
        self.operator.due.remove(agent_id);
        self.resume_waiting(now, agent_id, fx);
    }

    /// Stores something about an agent that an operator asked for.
    fn store_mark(
        &mut self,
        pending: Pending,
        operation: Operation,
        fx: &mut Outbox<Effect>,
    ) -> Course {
        self.store(pending, operation, fx);
        Course::Stored
    }

    /// How many requests of operators wait, or are being stored.
    #[must_use]
    pub fn requests(&self) -> usize {
        let waiting = self.operator.waiting.values().map(VecDeque::len);
        let stored = self.agents.pending.values();
        let stored = stored.filter(|pending| pending.asked().is_some()).count();
        let under_way = usize::from(self.operator.under_way.is_some());
        self.operator.queue.len() + waiting.sum::<usize>() + stored + under_way
    }
}

pub(super) fn answer(id: RequestId, answer: Result<Answer, Refusal>, fx: &mut Outbox<Effect>) {
    fx.push(Effect::ToOperator { id, answer });
}

/// Why the registry did not take what was asked for: it does not fit, or too much waits.
pub(super) fn failure(why: Option<&registry::Reject>) -> Refusal {
    match why {
        Some(why) => Refusal::Conflict(why.to_string()),
        None => Refusal::Busy("the registry is busy: try again later".into()),
    }
}

fn agent_of(request: &Request) -> Option<&AgentId> {
    match request {
        Request::MarkAgentGone { agent_id }
        | Request::DrainAgent { agent_id, .. }
        | Request::DeactivateAgent { agent_id }
        | Request::ReactivateAgent { agent_id }
        | Request::Operate { agent_id, .. } => Some(agent_id),
        _ => None,
    }
}

/// Whether it changes the registry.
const fn is_stored(request: &Request) -> bool {
    !matches!(request, Request::Teardown { .. } | Request::Operate { .. })
}

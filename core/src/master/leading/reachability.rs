//! Whether agents are there: pings, and what follows when they stay away.

use super::agents::{Agent, Pending};
use super::arena::Index;
use super::frameworks::Framework;
use super::notice::{Notice, Probe};
use super::tasks::Task;
use super::{Effect, Leading, Timer};
use crate::ids::AgentId;
use crate::message::agent::ToAgent;
use crate::message::scheduler::{Event, ToScheduler};
use crate::model::{OperationState, Reason, TaskState};
use crate::outbox::Outbox;
use crate::registry::{self, Operation};
use crate::time::{Now, Wall};
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// How many agents that never returned are given up in one tick; the rest follows in the next.
const GIVEN_UP_PER_TICK: usize = 1_024;

/// Why an agent is taken out of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// It may come back.
    Unreachable,
    /// An operator says that it never does.
    Gone,
    /// It says so itself.
    Farewell,
}

impl Loss {
    /// What becomes of a live task there, for a framework that understands partitions or not.
    fn fate(self, partition_aware: bool) -> (TaskState, Reason, &'static str) {
        let (state, reason, message) = match self {
            Loss::Unreachable => (
                TaskState::Unreachable,
                Reason::AgentRemoved,
                "the agent did not answer",
            ),
            Loss::Gone => (
                TaskState::GoneByOperator,
                Reason::AgentRemovedByOperator,
                "an operator declared the agent gone",
            ),
            Loss::Farewell => (
                TaskState::Gone,
                Reason::AgentRemoved,
                "the agent was shut down",
            ),
        };
        (state.told_to(partition_aware), reason, message)
    }

    /// What becomes of an operation there. Nothing is said of those on an agent that went by
    /// itself, as in Mesos.
    const fn fate_of_operations(self) -> Option<(OperationState, &'static str)> {
        match self {
            Loss::Unreachable => Some((OperationState::Unreachable, "the agent did not answer")),
            Loss::Gone => Some((
                OperationState::GoneByOperator,
                "an operator declared the agent gone",
            )),
            Loss::Farewell => None,
        }
    }
}

impl Leading {
    pub(super) fn send_ping(&mut self, now: Now, index: Index<Agent>, fx: &mut Outbox<Effect>) {
        let agent = &mut self.agents.arena[index];
        agent.ping.waits = true;
        if let Some(peer) = agent.peer {
            let message = ToAgent::Ping { registered: true };
            fx.push(Effect::ToAgent { peer, message });
        }
        let at = now.mono + self.config.agent_ping_timeout;
        self.timers.set(Timer::Ping(index), at);
    }

    pub(super) fn on_pong(&mut self, index: Index<Agent>, fx: &mut Outbox<Effect>) {
        let id = &self.agents.arena[index].id;
        if self.agents.unconfirmed.remove(id) {
            self.operator.due.insert(id.clone());
        }
        if self.agents.cancel_removal(index) {
            fx.push(Effect::Notice(Notice::Probe(Probe::RemovalCancelled)));
        }
    }

    pub(super) fn on_ping_due(&mut self, now: Now, index: Index<Agent>, fx: &mut Outbox<Effect>) {
        let ping = &mut self.agents.arena[index].ping;
        if ping.waits {
            ping.missed = ping.missed.saturating_add(1);
        }
        let silent = ping.missed >= self.config.max_agent_ping_timeouts;
        if silent && ping.removal.is_none() {
            self.queue_removal(now, index);
            self.on_removal_permit(now, fx);
        }
        if self.is_set_aside(index) {
            // What follows from that may have been put off.
            self.operator.look_at(&self.agents.arena[index].id);
        }
        self.send_ping(now, index, fx);
    }

    fn queue_removal(&mut self, now: Now, index: Index<Agent>) {
        let place = self.agents.removals_next;
        self.agents.removals_next += 1;
        let agent = &mut self.agents.arena[index];
        agent.ping.removal = Some(place);
        self.agents.removals.insert(place, agent.id.clone());
        let at = self.removal_permit_at.max(now.mono);
        if self.timers.at(&Timer::Removal).is_none() {
            self.timers.set(Timer::Removal, at);
        }
    }

    /// Marks agents unreachable that wait for it, as fast as that is allowed.
    pub(super) fn on_removal_permit(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        for _ in 0..GIVEN_UP_PER_TICK {
            if self.agents.removals.is_empty() || self.removal_permit_at > now.mono {
                break;
            }
            let Some((place, id)) = self.agents.removals.pop_first() else {
                break;
            };
            match self.agents.find(&id) {
                Some(index) => {
                    let ping = &mut self.agents.arena[index].ping;
                    if ping.removal != Some(place) {
                        // It was missing since the election, and returned meanwhile.
                        continue;
                    }
                    ping.removal = None;
                }
                None if !self.agents.recovered.contains_key(&id) => continue,
                None => {}
            }
            if self.agents.pending.contains_key(&id) {
                // Something else is being stored about it: its silence is looked at again later.
                continue;
            }
            if let Some(limit) = self.config.agent_removal_rate_limit {
                self.removal_permit_at = now.mono + limit.interval();
            }
            let at = now.wall;
            let agent_id = id;
            let operation = Operation::MarkUnreachable { agent_id, at };
            self.store(Pending::MarkUnreachable { held: None }, operation, fx);
        }
        if self.agents.removals.is_empty() {
            self.timers.cancel(&Timer::Removal);
        } else {
            let at = self.removal_permit_at.max(now.mono);
            self.timers.set(Timer::Removal, at);
        }
    }

    /// Agents of the registry that did not return since the election (MESOS-6445).
    pub(super) fn on_reregister_timeout(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        let known = self.agents.recovered.len() + self.agents.arena.len();
        let missing = self.agents.recovered.len();
        let limit = usize::from(self.config.recovery_agent_removal_limit_percent);
        if missing * 100 > limit * known {
            let why = alloc::format!(
                "{missing} of {known} agents did not return after the election, which is more \
                 than {limit} %: an operator has to look"
            );
            // Should this leader be kept all the same, it asks again.
            let at = now.mono + self.config.agent_reregister_timeout;
            self.timers.set(Timer::Reregister, at);
            return fx.push(Effect::StepDown { why });
        }
        let queued: BTreeSet<AgentId> = self.agents.removals.values().cloned().collect();
        let silent: Vec<AgentId> = self
            .agents
            .recovered
            .keys()
            .filter(|id| !self.agents.pending.contains_key(*id) && !queued.contains(*id))
            .cloned()
            .collect();
        for id in silent {
            let place = self.agents.removals_next;
            self.agents.removals_next += 1;
            self.agents.removals.insert(place, id);
        }
        self.on_removal_permit(now, fx);
    }

    pub(super) fn on_agent_disconnected(&mut self, index: Index<Agent>, fx: &mut Outbox<Effect>) {
        let agent = &mut self.agents.arena[index];
        agent.peer = None;
        let agent_id = agent.id.clone();
        self.allocation.set_agent_active(index, false);
        self.rescind_agent(index, fx);
        self.withdraw_inverse(index, true, fx);
        fx.push(Effect::Notice(Notice::AgentDisconnected { agent_id }));
    }

    pub(super) fn on_unregister(&mut self, index: Index<Agent>, fx: &mut Outbox<Effect>) {
        let agent_id = self.agents.arena[index].id.clone();
        if self.agents.pending.contains_key(&agent_id) {
            let what = alloc::format!("{agent_id} says farewell while it is being marked");
            return fx.push(Effect::Notice(Notice::Ignored { what }));
        }
        self.store(Pending::Remove, Operation::RemoveAgent { agent_id }, fx);
    }

    pub(super) fn on_marked_unreachable(
        &mut self,
        now: Now,
        id: &AgentId,
        at: Wall,
        fx: &mut Outbox<Effect>,
    ) {
        let admission = match self.agents.find(id) {
            Some(index) => Arc::new(self.admission_of(&self.agents.arena[index])),
            None => {
                let recovered = self.agents.recovered.remove(id);
                recovered.expect("only admitted agents are marked unreachable")
            }
        };
        let marked = registry::Unreachable {
            since: at,
            admission,
        };
        self.agents.unreachable.insert(id.clone(), marked);
        let tasks = self.lose_agent(now, id, Loss::Unreachable, fx);
        fx.push(Effect::Notice(Notice::AgentUnreachable {
            agent_id: id.clone(),
            tasks,
        }));
        self.retire_reregister_timer();
    }

    pub(super) fn on_marked_gone(
        &mut self,
        now: Now,
        id: &AgentId,
        at: Wall,
        fx: &mut Outbox<Effect>,
    ) {
        self.operator.state.forget(id);
        self.agents.gone.insert(id.clone(), at);
        let peer = self.agents.find(id).and_then(|i| self.agents.arena[i].peer);
        if peer.is_some() {
            self.shut_down_agent(id, peer, "an operator declared the agent gone", fx);
        }
        self.lose_agent(now, id, Loss::Gone, fx);
        self.lose_sight_for_good(now, id, fx);
        self.agents.recovered.remove(id);
        self.agents.unreachable.remove(id);
        self.agents.forget_nonce(id);
        let agent_id = id.clone();
        fx.push(Effect::Notice(Notice::AgentGone { agent_id }));
        self.retire_reregister_timer();
    }

    pub(super) fn on_removed(&mut self, now: Now, id: &AgentId, fx: &mut Outbox<Effect>) {
        self.operator.state.forget(id);
        self.lose_agent(now, id, Loss::Farewell, fx);
        self.agents.recovered.remove(id);
        self.agents.forget_nonce(id);
        self.agents.remember_removed(id.clone());
        let agent_id = id.clone();
        fx.push(Effect::Notice(Notice::AgentRemoved { agent_id }));
        self.retire_reregister_timer();
    }

    fn retire_reregister_timer(&mut self) {
        if self.agents.recovered.is_empty() {
            self.timers.cancel(&Timer::Reregister);
        }
    }

    /// The registry forgets an agent that was unreachable; whatever was still known of its tasks
    /// is forgotten as well.
    pub(super) fn forget_unreachable(&mut self, now: Now, id: &AgentId) {
        self.operator.state.forget(id);
        self.agents.unreachable.remove(id);
        self.agents.forget_nonce(id);
        for task in self.out_of_sight.remove(id).unwrap_or_default() {
            self.remove_task(now, task);
        }
    }

    /// Takes an agent out of memory, with its offers, executors and tasks. Returns how many tasks
    /// were live.
    fn lose_agent(&mut self, now: Now, id: &AgentId, loss: Loss, fx: &mut Outbox<Effect>) -> usize {
        let Some(index) = self.agents.find(id) else {
            return 0;
        };
        self.rescind_agent(index, fx);
        self.forget_due(index, true, fx);
        self.agents.cancel_removal(index);
        let mut witnesses: BTreeSet<Index<Framework>> = BTreeSet::new();
        let mut live = 0;
        for task in self.agents.arena[index].tasks.clone() {
            witnesses.insert(self.tasks[task].framework);
            live += usize::from(!self.tasks[task].state.is_terminal());
            self.lose_task(now, task, loss, fx);
        }
        let executors: Vec<_> = self.agents.arena[index].executors.keys().cloned().collect();
        for (framework, executor) in executors {
            witnesses.insert(framework);
            self.remove_executor(index, framework, &executor);
        }
        self.lose_operations(index, loss.fate_of_operations(), fx);
        self.allocation.remove_agent(index);
        self.timers.cancel(&Timer::Ping(index));
        self.agents.by_id.remove(id);
        self.agents.unconfirmed.remove(id);
        let agent = self.agents.arena.remove(index);
        if let Some(peer) = agent.and_then(|agent| agent.peer) {
            self.peers.remove(&peer);
            // Should it still listen, it finds the master again and returns at once.
            fx.push(Effect::Close { peer });
        }
        for framework in witnesses {
            self.tell_failure(framework, id, fx);
        }
        live
    }

    /// Of all frameworks only those that had something there are told: the others cannot miss it.
    fn tell_failure(&self, framework: Index<Framework>, id: &AgentId, fx: &mut Outbox<Effect>) {
        if let Some(peer) = self.frameworks.arena[framework].peer {
            let event = Event::Failure {
                agent_id: id.clone(),
                executor_id: None,
                status: None,
            };
            let message = ToScheduler::Event(event);
            fx.push(Effect::ToScheduler { peer, message });
        }
    }

    fn lose_task(&mut self, now: Now, task: Index<Task>, loss: Loss, fx: &mut Outbox<Effect>) {
        let framework = self.tasks[task].framework;
        let aware = self.frameworks.arena[framework].partition_aware();
        let (state, reason, message) = loss.fate(aware);
        let record = &self.tasks[task];
        if record.state.is_terminal() {
            // Over. What the framework was told but has not acknowledged is kept: it stays the
            // answer to questions until the agent returns with it.
            let told = record.reported.is_terminal() && record.awaiting.is_some();
            if loss != Loss::Unreachable {
                return self.tell_end_for_the_agent(now, task, reason, fx);
            }
            if !told {
                return self.remove_task(now, task);
            }
        } else if record.state != state {
            self.set_state(now, task, state, Some(reason), fx);
            let record = &mut self.tasks[task];
            record.reported = state;
            record.awaiting = None;
            let status = Arc::new(self.status_of(now, task, state, reason, message));
            self.tasks[task].history.note(&status);
            self.tell(framework, status, fx);
        }
        if loss != Loss::Unreachable {
            return self.remove_task(now, task);
        }
        self.detach_task(task);
        self.keep_out_of_sight(now, task);
    }

    /// An agent that never returns had an end to tell that was not acknowledged: nobody else can
    /// tell it any more.
    fn tell_end_for_the_agent(
        &mut self,
        now: Now,
        task: Index<Task>,
        reason: Reason,
        fx: &mut Outbox<Effect>,
    ) {
        let record = &self.tasks[task];
        assert!(record.state.is_terminal(), "only an end is told so");
        let (framework, state) = (record.framework, record.state);
        let message = "the agent left before this was acknowledged";
        let status = self.status_of(now, task, state, reason, message);
        self.tell(framework, Arc::new(status), fx);
        self.remove_task(now, task);
    }

    fn keep_out_of_sight(&mut self, now: Now, task: Index<Task>) {
        let place = self.out_of_sight_next;
        self.out_of_sight_next += 1;
        let record = &mut self.tasks[task];
        record.lost_as = Some(place);
        let agent_id = record.info.agent_id.clone();
        self.out_of_sight.entry(agent_id).or_default().insert(task);
        let framework = record.framework;
        let lost = &mut self.frameworks.arena[framework].out_of_sight;
        lost.insert(place, task);
        if lost.len() > self.config.max_unreachable_tasks_per_framework
            && let Some((_, oldest)) = lost.pop_first()
        {
            self.remove_task(now, oldest);
        }
    }

    /// Tasks on an agent that was unreachable, and now is gone for ever.
    fn lose_sight_for_good(&mut self, now: Now, id: &AgentId, fx: &mut Outbox<Effect>) {
        for task in self.out_of_sight.get(id).cloned().unwrap_or_default() {
            self.lose_task(now, task, Loss::Gone, fx);
        }
    }
}

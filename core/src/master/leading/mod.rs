//! All that a master needs in order to act: agents, frameworks, offers and tasks.
//!
//! [`Leading`] exists only while the master leads: a master without leadership has nothing to act
//! with. What must survive a change of leader is in the [`registry`](crate::registry); everything
//! else is told again by agents when they re-register and by frameworks when they subscribe.
//!
//! Agents are followed in `registration`, `storing`, `returning` and `reachability`, frameworks in
//! `subscription`, what they ask for in `calls`, what they do with `offers` in `accept` and
//! `validation`, what runs in `tasks`, `updates` and `reconcile`. Reservations and volumes are
//! `operations`, asked for by frameworks or operators (`operate`), of which agents give
//! `feedback`.

mod accept;
mod agents;
mod allocation;
mod arena;
mod calls;
mod config;
mod feedback;
mod figures;
mod frameworks;
mod history;
mod invariants;
mod notice;
mod offers;
mod operate;
mod operations;
mod operator;
mod pool;
mod reachability;
mod reconcile;
mod registration;
mod remembered;
mod returning;
mod snapshot;
mod storing;
mod subscription;
mod tasks;
mod teardown;
mod updates;
mod validation;
mod view;

#[cfg(test)]
mod tests;

pub use config::{Config, RateLimit};
pub use figures::FrameworkFigures;
pub use invariants::INVARIANTS;
pub use notice::{Notice, Probe};
pub use operate::OperateError;
pub use operator::{MaintenanceStatus, RoleView};
pub use snapshot::{
    AgentPart, EndedPart, EndedTaskPart, FrameworkPart, KnownTask, Snapshot, TaskPart,
};
pub use view::{
    AgentView, EndedFrameworkView, EndedTaskView, FrameworkView, OfferView, Summary, TaskView, View,
};

use crate::ids::{AgentId, Peer};
use crate::log::Ballot;
use crate::message::{agent, operator as request, scheduler};
use crate::model::MasterInfo;
use crate::outbox::Outbox;
use crate::registry::{self, Operation, Registry};
use crate::rng::Rng;
use crate::time::{Now, Time, Wall};
use crate::timers::Timers;
use agents::{Agent, Agents, Pending};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use allocation::Allocation;
use arena::{Arena, Index};
use frameworks::{Framework, Frameworks};
use offers::Offers;
use operations::Operations;
use operator::Operator;
use tasks::Task;

/// What a leading master wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Say something to an agent.
    ToAgent {
        /// On which connection.
        peer: Peer,
        /// What.
        message: agent::ToAgent,
    },
    /// Say something to a scheduler.
    ToScheduler {
        /// On which connection.
        peer: Peer,
        /// What.
        message: scheduler::ToScheduler,
    },
    /// Close a connection; nothing more is wanted of it.
    Close {
        /// Which.
        peer: Peer,
    },
    /// Store this in the registry; answered by [`Leading::on_stored`] or
    /// [`Leading::on_store_refused`]. At most one operation for each agent is under way, and one
    /// of those that are about no agent.
    Store {
        /// What.
        operation: Operation,
    },
    /// Answer an operator.
    ToOperator {
        /// To which request.
        id: request::RequestId,
        /// What.
        answer: Result<request::Answer, request::Refusal>,
    },
    /// Give up leading.
    StepDown {
        /// Why.
        why: String,
    },
    /// What happened, for people.
    Notice(Notice),
}

/// Whose a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Agent(Index<Agent>),
    Framework(Index<Framework>),
}

/// What has a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// Agents of the registry that did not return are removed.
    Reregister,
    /// The next agent may be marked unreachable.
    Removal,
    /// An agent is asked whether it is there.
    Ping(Index<Agent>),
    /// A framework's scheduler stayed away too long.
    Failover(Index<Framework>),
    /// A framework is to hear something.
    Heartbeat(Index<Framework>),
    /// An offer stood long enough.
    Offer(u64),
    /// What is free is offered.
    Allocate,
    /// Frameworks are asked to leave agents whose machines will be away.
    Maintenance,
}

/// All that a master needs in order to act. It exists only while the master leads.
#[derive(Clone, Debug)]
pub struct Leading {
    config: Config,
    ballot: Ballot,
    me: MasterInfo,
    /// Begins the ids that this leader makes: no other leader ever has the same ballot.
    prefix: String,
    elected_at: Now,
    agents: Agents,
    frameworks: Frameworks,
    tasks: Arena<Task>,
    /// How many tasks are in each state.
    tally: [usize; 14],
    /// Tasks on agents that are unreachable, by agent.
    out_of_sight: BTreeMap<AgentId, BTreeSet<Index<Task>>>,
    out_of_sight_next: u64,
    offers: Offers,
    operations: Operations,
    allocation: Allocation,
    operator: Operator,
    peers: BTreeMap<Peer, Owner>,
    timers: Timers<Timer>,
    /// When the next agent may be marked unreachable, where that is limited.
    removal_permit_at: Time,
}

impl Leading {
    /// `ballot` is the one that `me` was elected with, `registry` what masters agree on at that
    /// time, this leader's own record included.
    #[must_use]
    pub fn new(
        config: &Config,
        rng: &Rng,
        ballot: Ballot,
        me: MasterInfo,
        registry: &Registry,
        now: Now,
    ) -> Leading {
        let mut timers = Timers::default();
        let agents = Agents::recover(registry);
        if !agents.recovered.is_empty() {
            timers.set(
                Timer::Reregister,
                now.mono + config.agent_reregister_timeout,
            );
        }
        let mut allocation = Allocation::new(rng, config);
        for (role, weight) in &registry.operator().weights {
            allocation.set_weight(role, *weight);
        }
        let quotas = registry.operator().quotas.clone();
        if !quotas.is_empty() {
            allocation.set_quotas(&Vec::from_iter(quotas));
            let percent = usize::from(config.quota_recovery_agents_percent);
            let until = now.mono + config.quota_recovery_timeout;
            allocation.pause(agents.recovered.len() * percent / 100, until);
        }
        Leading {
            config: config.clone(),
            ballot,
            me,
            prefix: alloc::format!("{ballot}"),
            elected_at: now,
            agents,
            frameworks: Frameworks::default(),
            tasks: Arena::default(),
            tally: [0; 14],
            out_of_sight: BTreeMap::new(),
            out_of_sight_next: 0,
            offers: Offers::default(),
            // No two leaders may ever draw the same names.
            operations: Operations::new(rng.fork(&alloc::format!("operations {ballot}"))),
            allocation,
            operator: Operator::recover(registry),
            peers: BTreeMap::new(),
            timers,
            removal_permit_at: now.mono,
        }
    }

    /// An agent says something.
    pub fn on_agent(
        &mut self,
        now: Now,
        peer: Peer,
        message: agent::ToMaster,
        fx: &mut Outbox<Effect>,
    ) {
        use agent::ToMaster as M;
        self.allocation.advance(now.mono);
        match message {
            M::Register {
                info,
                run,
                nonce,
                kept,
            } => self.on_register(now, peer, &info, (run, nonce), &kept, fx),
            M::Reregister(report) => self.on_reregister(now, peer, report, fx),
            message => match self.agent_of(peer) {
                Some(index) => self.on_registered_agent(now, index, message, fx),
                // Its answer waits for the registry.
                None if self.agents.waiting.contains_key(&peer) => {}
                None => Self::tell_not_registered(peer, fx),
            },
        }
        self.settle(now, fx);
        self.arm_allocation(now);
    }

    /// What only an agent that is registered through this connection may say.
    fn on_registered_agent(
        &mut self,
        now: Now,
        index: Index<Agent>,
        message: agent::ToMaster,
        fx: &mut Outbox<Effect>,
    ) {
        use agent::ToMaster as M;
        match message {
            M::Pong => self.on_pong(index, fx),
            M::Update(update) => self.on_update(now, index, &update, fx),
            M::ExecutorMessage {
                framework_id,
                executor_id,
                data,
            } => self.on_executor_message(index, &framework_id, executor_id, data, fx),
            M::ExecutorExited {
                framework_id,
                executor_id,
                status,
            } => self.on_executor_exited(index, &framework_id, &executor_id, status, fx),
            M::Unregister => self.on_unregister(index, fx),
            M::Operation(report) => self.on_operation_report(now, index, &report, fx),
            M::Register { .. } | M::Reregister(_) => {
                unreachable!("whoever is not registered yet may say these")
            }
        }
    }

    /// A scheduler says something.
    pub fn on_scheduler(
        &mut self,
        now: Now,
        peer: Peer,
        message: scheduler::ToMaster,
        fx: &mut Outbox<Effect>,
    ) {
        self.allocation.advance(now.mono);
        self.on_call(now, peer, message, fx);
        self.settle(now, fx);
        self.arm_allocation(now);
    }

    /// An operator asks for something. Answered once, now or when it is stored.
    pub fn on_operator(
        &mut self,
        now: Now,
        id: request::RequestId,
        request: request::Request,
        fx: &mut Outbox<Effect>,
    ) {
        self.allocation.advance(now.mono);
        self.on_request(now, id, request, fx);
        self.settle(now, fx);
        self.arm_allocation(now);
    }

    /// A connection broke, of whomever.
    pub fn on_disconnected(&mut self, now: Now, peer: Peer, fx: &mut Outbox<Effect>) {
        self.allocation.advance(now.mono);
        self.forget_waiting(peer);
        match self.peers.remove(&peer) {
            Some(Owner::Agent(index)) => self.on_agent_disconnected(index, fx),
            Some(Owner::Framework(index)) => self.on_framework_disconnected(now, index, fx),
            None => {}
        }
        self.settle(now, fx);
        self.arm_allocation(now);
    }

    /// An operation is durable and applied, or was rejected. Also for operations that the owner
    /// stored by itself, such as [`Operation::Prune`].
    pub fn on_stored(
        &mut self,
        now: Now,
        operation: &Operation,
        result: &Result<(), registry::Reject>,
        fx: &mut Outbox<Effect>,
    ) {
        self.allocation.advance(now.mono);
        match result {
            Ok(()) => self.on_operation_stored(now, operation, fx),
            Err(why) => self.on_operation_rejected(now, operation, why, fx),
        }
        self.settle(now, fx);
        self.arm_allocation(now);
    }

    /// An operation was not taken by the registrar: too much waits. It is tried again later.
    pub fn on_store_refused(&mut self, now: Now, operation: &Operation, fx: &mut Outbox<Effect>) {
        self.allocation.advance(now.mono);
        self.on_operation_refused(now, operation, fx);
        self.settle(now, fx);
        self.arm_allocation(now);
    }

    /// The deadline came.
    pub fn on_tick(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        self.allocation.advance(now.mono);
        let due = self.timers.len();
        // Each timer is set anew for later at most: nothing is due twice in one tick.
        for _ in 0..due {
            let Some(timer) = self.timers.pop_due(now.mono) else {
                break;
            };
            match timer {
                Timer::Reregister => self.on_reregister_timeout(now, fx),
                Timer::Removal => self.on_removal_permit(now, fx),
                Timer::Ping(index) => self.on_ping_due(now, index, fx),
                Timer::Failover(index) => self.on_failover_timeout(now, index, fx),
                Timer::Heartbeat(index) => self.on_heartbeat_due(now, index, fx),
                Timer::Offer(number) => self.on_offer_timeout(number, fx),
                Timer::Allocate => self.allocate(now, fx),
                Timer::Maintenance => self.ask_to_leave(now, fx),
            }
        }
        self.settle(now, fx);
        self.arm_allocation(now);
    }

    /// When [`Leading::on_tick`] is next due.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        self.timers.next()
    }

    /// The ballot it leads with.
    #[must_use]
    pub const fn ballot(&self) -> Ballot {
        self.ballot
    }

    /// Who leads.
    #[must_use]
    pub const fn me(&self) -> &MasterInfo {
        &self.me
    }

    /// Its time-outs and bounds.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Since when it leads.
    #[must_use]
    pub const fn elected_at(&self) -> Wall {
        self.elected_at.wall
    }

    fn agent_of(&self, peer: Peer) -> Option<Index<Agent>> {
        match self.peers.get(&peer) {
            Some(Owner::Agent(index)) => Some(*index),
            _ => None,
        }
    }

    fn framework_of(&self, peer: Peer) -> Option<Index<Framework>> {
        match self.peers.get(&peer) {
            Some(Owner::Framework(index)) => Some(*index),
            _ => None,
        }
    }

    /// Hands an operation to the registrar; nothing of it takes effect before it is stored.
    fn store(&mut self, pending: Pending, operation: Operation, fx: &mut Outbox<Effect>) {
        let id = operation.agent_id();
        let id = id.expect("a leader's own operations each name an agent");
        if let Some(peer) = pending.peer() {
            self.agents.waiting.insert(peer, id.clone());
        }
        let before = self.agents.pending.insert(id.clone(), pending);
        assert!(before.is_none(), "one operation at a time for each agent");
        fx.push(Effect::Store { operation });
    }
}

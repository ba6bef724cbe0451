//! How agents become part of the cluster: first registration, return, and what the registry says
//! to both.

use super::agents::{Agent, Pending, Ping, Returning};
use super::arena::Index;
use super::notice::{Notice, Probe};
use super::{Effect, Leading, Owner, Timer};
use crate::ids::{AgentId, Peer};
use crate::message::agent::{AgentRun, Reregistration, ToAgent};
use crate::model::AgentInfo;
use crate::outbox::Outbox;
use crate::registry::{Admission, Operation};
use crate::resources::Resources;
use crate::time::Now;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

impl Leading {
    /// A first registration. A duplicate of it, also one that an earlier leader admitted, gets
    /// the id that it got before.
    pub(super) fn on_register(
        &mut self,
        now: Now,
        peer: Peer,
        info: &Arc<AgentInfo>,
        (run, nonce): (AgentRun, u64),
        kept: &Resources,
        fx: &mut Outbox<Effect>,
    ) {
        if let Err(error) = info.resources.unallocated().remade(kept) {
            let why = alloc::format!("its reservations and volumes: {error}");
            return self.refuse_agent(peer, None, &why, fx);
        }
        if info.id.is_some() {
            let why = "an agent that has an id re-registers with it";
            return self.refuse_agent(peer, info.id.clone(), why, fx);
        }
        if self.framework_of(peer).is_some() {
            return self.refuse_agent(peer, None, "this connection is a framework's", fx);
        }
        if self.is_down(info) {
            return self.refuse_down(None, Some(peer), fx);
        }
        if let Some(id) = self.agents.registrations.get(&nonce).cloned() {
            fx.push(Effect::Notice(Notice::Probe(Probe::DuplicateRegistration)));
            let report = first_report(info, run, kept);
            return self.on_duplicate_registration(now, peer, &id, report, fx);
        }
        let id = self.next_agent_id();
        let mut admitted = (**info).clone();
        admitted.id = Some(id.clone());
        let info = Arc::new(admitted);
        self.agents.remember_nonce(&id, nonce);
        let (peer, kept) = (Some(peer), kept.clone());
        let pending = Pending::Admit { run, kept, peer };
        self.store(pending, Operation::AdmitAgent { info, nonce }, fx);
    }

    fn next_agent_id(&mut self) -> AgentId {
        let text = alloc::format!("{}-S{}", self.prefix, self.agents.next);
        self.agents.next += 1;
        AgentId::new(&text).expect("a ballot and a number make an id")
    }

    fn on_duplicate_registration(
        &mut self,
        now: Now,
        peer: Peer,
        id: &AgentId,
        mut report: Reregistration,
        fx: &mut Outbox<Effect>,
    ) {
        let run = report.run;
        if let Some(Pending::Admit {
            run: newest,
            peer: answer,
            ..
        }) = self.agents.pending.get_mut(id)
        {
            if (run, Some(peer)) >= (*newest, *answer) {
                *newest = run;
                if let Some(before) = answer.replace(peer) {
                    self.agents.waiting.remove(&before);
                }
                self.agents.waiting.insert(peer, id.clone());
            }
            return;
        }
        Arc::make_mut(&mut report.info).id = Some(id.clone());
        let returning = Returning {
            peer: Some(peer),
            report: Arc::new(report),
            tell_id: true,
        };
        self.on_return(now, id, returning, fx);
    }

    /// An agent that has an id is back.
    pub(super) fn on_reregister(
        &mut self,
        now: Now,
        peer: Peer,
        report: Arc<Reregistration>,
        fx: &mut Outbox<Effect>,
    ) {
        let Some(id) = report.info.id.clone() else {
            return self.refuse_agent(peer, None, "an agent re-registers with its id", fx);
        };
        if self.framework_of(peer).is_some() {
            return self.refuse_agent(peer, Some(id), "this connection is a framework's", fx);
        }
        if let Err(error) = report.info.resources.unallocated().remade(&report.kept) {
            let why = alloc::format!("its reservations and volumes: {error}");
            return self.refuse_agent(peer, Some(id), &why, fx);
        }
        let returning = Returning {
            peer: Some(peer),
            report,
            tell_id: false,
        };
        self.on_return(now, &id, returning, fx);
    }

    /// Takes an agent back as the registry allows: at once where it is admitted already, after a
    /// store where the registry has to change first.
    pub(super) fn on_return(
        &mut self,
        now: Now,
        id: &AgentId,
        returning: Returning,
        fx: &mut Outbox<Effect>,
    ) {
        if self.agents.pending.contains_key(id) {
            return self.hold_return(id, returning, fx);
        }
        if self.agents.gone.contains_key(id) || self.agents.is_removed(id) {
            return self.shut_down_agent(id, returning.peer, "the agent was removed for good", fx);
        }
        let info = &returning.report.info;
        if self.is_down(info) {
            return self.refuse_down(Some(id), returning.peer, fx);
        }
        if let Some(index) = self.agents.find(id) {
            let agent = &self.agents.arena[index];
            if (returning.report.run, returning.peer) < (agent.run, agent.newest) {
                return Self::refuse_stale(&returning, fx);
            }
            if *agent.info != **info {
                let operation = Operation::UpdateAgent { info: info.clone() };
                return self.store(Pending::Update { returning }, operation, fx);
            }
            return self.take_back(now, index, &returning, false, fx);
        }
        if let Some(admission) = self.agents.recovered.get(id) {
            if *admission.info != **info {
                let operation = Operation::UpdateAgent { info: info.clone() };
                return self.store(Pending::Update { returning }, operation, fx);
            }
            let index = self.first_return(now, id, &returning);
            return self.take_back(now, index, &returning, false, fx);
        }
        let operation = Operation::MarkReachable { info: info.clone() };
        self.store(Pending::MarkReachable { returning }, operation, fx);
    }

    /// An agent returns while the registry is being changed about it: the newest run is answered
    /// once that is stored.
    fn hold_return(&mut self, id: &AgentId, returning: Returning, fx: &mut Outbox<Effect>) {
        let pending = self.agents.pending.get_mut(id);
        let before = match pending {
            Some(Pending::MarkUnreachable { held }) => {
                fx.push(Effect::Notice(Notice::Probe(Probe::ReturnedWhileMarking)));
                match held {
                    Some(held) => held,
                    None => {
                        if let Some(peer) = returning.peer {
                            self.agents.waiting.insert(peer, id.clone());
                        }
                        *held = Some(returning);
                        return;
                    }
                }
            }
            Some(
                Pending::MarkReachable { returning: held } | Pending::Update { returning: held },
            ) if held.report.info == returning.report.info => held,
            // Answered when it asks again.
            _ => return,
        };
        if (returning.report.run, returning.peer) < (before.report.run, before.peer) {
            return Self::refuse_stale(&returning, fx);
        }
        if let Some(peer) = before.peer {
            self.agents.waiting.remove(&peer);
        }
        if let Some(peer) = returning.peer {
            self.agents.waiting.insert(peer, id.clone());
        }
        *before = returning;
    }

    /// An older run, or an older connection of the same run, of an agent that is known by a newer
    /// one (MESOS-7187).
    fn refuse_stale(returning: &Returning, fx: &mut Outbox<Effect>) {
        fx.push(Effect::Notice(Notice::Probe(Probe::OldRunRefused)));
        fx.push(Effect::Notice(Notice::AgentRefused {
            agent_id: returning.report.info.id.clone(),
            why: String::from("a newer run or connection of the agent is known"),
        }));
        if let Some(peer) = returning.peer {
            fx.push(Effect::Close { peer });
        }
    }

    pub(super) fn refuse_agent(
        &mut self,
        peer: Peer,
        agent_id: Option<AgentId>,
        why: &str,
        fx: &mut Outbox<Effect>,
    ) {
        let why = why.to_string();
        fx.push(Effect::Notice(Notice::AgentRefused { agent_id, why }));
        if !self.peers.contains_key(&peer) {
            fx.push(Effect::Close { peer });
        }
    }

    /// Tells an agent that it is removed for good.
    pub(super) fn shut_down_agent(
        &mut self,
        id: &AgentId,
        peer: Option<Peer>,
        why: &str,
        fx: &mut Outbox<Effect>,
    ) {
        fx.push(Effect::Notice(Notice::AgentRefused {
            agent_id: Some(id.clone()),
            why: why.to_string(),
        }));
        if let Some(peer) = peer {
            let message = ToAgent::Shutdown {
                message: why.to_string(),
            };
            fx.push(Effect::ToAgent { peer, message });
        }
    }

    /// Whoever speaks as an agent through a connection that is nobody's must register anew
    /// (MESOS-1668).
    pub(super) fn tell_not_registered(peer: Peer, fx: &mut Outbox<Effect>) {
        fx.push(Effect::Notice(Notice::Probe(Probe::ToldNotRegistered)));
        let message = ToAgent::Ping { registered: false };
        fx.push(Effect::ToAgent { peer, message });
    }

    /// An agent of the registry is heard of for the first time since the election.
    pub(super) fn first_return(
        &mut self,
        now: Now,
        id: &AgentId,
        returning: &Returning,
    ) -> Index<Agent> {
        self.agents.recovered.remove(id);
        if self.agents.recovered.is_empty() {
            self.timers.cancel(&Timer::Reregister);
        }
        self.agents.unconfirmed.insert(id.clone());
        let report = &returning.report;
        self.insert_agent(now, &report.info, &report.kept, report.run)
    }

    /// Adds an agent that is admitted in the registry. It is not connected yet.
    pub(super) fn insert_agent(
        &mut self,
        now: Now,
        info: &Arc<AgentInfo>,
        kept: &Resources,
        run: AgentRun,
    ) -> Index<Agent> {
        let id = info.id.clone().expect("an admitted agent has an id");
        let index = self.agents.arena.insert(Agent {
            id: id.clone(),
            info: info.clone(),
            run,
            peer: None,
            newest: None,
            ping: Ping::default(),
            tasks: BTreeSet::new(),
            executors: BTreeMap::new(),
            offers: BTreeSet::new(),
            operations: BTreeSet::new(),
            total: Resources::EMPTY,
            shrank: false,
            registered_at: now.wall,
            reregistered_at: None,
            drain_started_at: None,
        });
        let before = self.agents.by_id.insert(id, index);
        assert!(before.is_none(), "an agent is known once");
        let total = total_of(info, kept);
        let agent = &mut self.agents.arena[index];
        if self.allocation.add_agent(index, agent.id.clone(), &total) {
            agent.total = total;
        } else {
            // More than can be counted: what it has is not offered.
            self.allocation
                .add_agent(index, agent.id.clone(), &Resources::EMPTY);
        }
        let at = now.mono + self.config.agent_ping_timeout;
        self.timers.set(Timer::Ping(index), at);
        index
    }

    /// From now on the agent speaks through `peer`, and through no other connection.
    pub(super) fn bind_agent(&mut self, index: Index<Agent>, peer: Peer, fx: &mut Outbox<Effect>) {
        let agent = &mut self.agents.arena[index];
        if agent.peer == Some(peer) {
            return;
        }
        let before = agent.peer.replace(peer);
        agent.newest = Some(peer);
        if let Some(before) = before {
            self.peers.remove(&before);
            fx.push(Effect::Close { peer: before });
        }
        // One process may have been registered under another id before on the same connection.
        if let Some(Owner::Agent(other)) = self.peers.insert(peer, Owner::Agent(index)) {
            assert!(other != index, "the agent was not bound to it");
            self.agents.arena[other].peer = None;
            self.on_agent_disconnected(other, fx);
        }
    }

    /// A registered agent starts to be offered and pinged anew.
    pub(super) fn greet_agent(
        &mut self,
        now: Now,
        index: Index<Agent>,
        message: ToAgent,
        fx: &mut Outbox<Effect>,
    ) {
        if self.agents.cancel_removal(index) {
            fx.push(Effect::Notice(Notice::Probe(Probe::RemovalCancelled)));
        }
        let peer = self.agents.arena[index].peer;
        let peer = peer.expect("only who is connected is greeted");
        fx.push(Effect::ToAgent { peer, message });
        self.send_ping(now, index, fx);
        let remote = self.is_remote(&self.agents.arena[index].info);
        self.allocation.set_agent_remote(index, remote);
        let active = !self.is_set_aside(index);
        self.allocation.set_agent_active(index, active);
        self.reschedule(now, index, fx);
    }

    /// Whether an agent stands in another region than the masters, as far as both say.
    fn is_remote(&self, info: &AgentInfo) -> bool {
        let regions = (&self.config.region, &info.domain);
        matches!(regions, (Some(ours), Some(domain)) if domain.region != *ours)
    }

    /// What the registry would hold of an agent, for whoever compares.
    pub(super) fn admission_of(&self, agent: &Agent) -> Admission {
        Admission {
            info: agent.info.clone(),
            nonce: self.agents.nonce(&agent.id),
        }
    }
}

/// All that an agent has, reservations and volumes made of it.
pub(super) fn total_of(info: &AgentInfo, kept: &Resources) -> Resources {
    let total = info.resources.unallocated().remade(kept);
    total.expect("checked when the agent said so")
}

/// The agent never heard its id, so that it has nothing to report but what it brings with it.
fn first_report(info: &Arc<AgentInfo>, run: AgentRun, kept: &Resources) -> Reregistration {
    Reregistration {
        info: info.clone(),
        run,
        tasks: Vec::new(),
        executors: Vec::new(),
        frameworks: Vec::new(),
        kept: kept.clone(),
        operations: Vec::new(),
    }
}

//! Operations on agents' resources: reservations and volumes, made and unmade.
//!
//! An operation is done in the leader's books at once, so that the next offer is made of its
//! outcome, and its agent is told. The agent has the last word: what it says of itself when it
//! registers again is what it has.

use super::agents::Agent;
use super::arena::Index;
use super::frameworks::Framework;
use super::notice::{Notice, Probe};
use super::{Effect, Leading};
use crate::ids::{FrameworkId, OperationId, OperationUuid};
use crate::message::agent::{OperationReport, ToAgent};
use crate::message::scheduler::{Event, ToScheduler};
use crate::model::{OperationState, OperationStatus, ResourceOperation};
use crate::outbox::Outbox;
use crate::resources::{Conversion, Resources, Role};
use crate::rng::Rng;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// An operation, until nobody has anything more to say of it.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) agent: Index<Agent>,
    /// `None` for an operator's.
    pub(super) framework_id: Option<FrameworkId>,
    pub(super) operation: Arc<ResourceOperation>,
    /// What is known of it.
    pub(super) status: OperationStatus,
    /// Whether its agent has spoken of it.
    pub(super) heard_of: bool,
}

/// All operations.
#[derive(Clone, Debug)]
pub(super) struct Operations {
    pub(super) by_uuid: BTreeMap<OperationUuid, Record>,
    /// Those that their frameworks have named, numbered in the order in which they became known:
    /// a framework may use a name again before it knows what became of its first use.
    by_name: BTreeMap<FrameworkId, BTreeMap<(OperationId, u64), OperationUuid>>,
    next: u64,
    rng: Rng,
}

impl Operations {
    pub(super) const fn new(rng: Rng) -> Operations {
        Operations {
            by_uuid: BTreeMap::new(),
            by_name: BTreeMap::new(),
            next: 0,
            rng,
        }
    }

    /// Those of a framework that have this name, the newest last.
    pub(super) fn named(
        &self,
        framework: &FrameworkId,
        id: &OperationId,
    ) -> impl DoubleEndedIterator<Item = OperationUuid> {
        let own = self.by_name.get(framework);
        let alike = (id.clone(), 0)..=(id.clone(), u64::MAX);
        let alike = own.map(|own| own.range(alike));
        alike.into_iter().flatten().map(|(_, uuid)| *uuid)
    }

    /// The named operations of one framework.
    pub(super) fn of_framework(&self, framework: &FrameworkId) -> Vec<OperationUuid> {
        let own = self.by_name.get(framework);
        own.map_or(Vec::new(), |own| own.values().copied().collect())
    }

    fn insert(&mut self, uuid: OperationUuid, record: Record) {
        if let (Some(framework), Some(id)) = (&record.framework_id, &record.status.operation_id) {
            let own = self.by_name.entry(framework.clone()).or_default();
            own.insert((id.clone(), self.next), uuid);
            self.next += 1;
        }
        let before = self.by_uuid.insert(uuid, record);
        assert!(before.is_none(), "an operation is known once");
    }

    fn remove(&mut self, uuid: OperationUuid) -> Option<Record> {
        let record = self.by_uuid.remove(&uuid)?;
        if let (Some(framework), Some(id)) = (&record.framework_id, &record.status.operation_id)
            && let Some(own) = self.by_name.get_mut(framework)
        {
            let alike = (id.clone(), 0)..=(id.clone(), u64::MAX);
            let mut alike = own.range(alike);
            let name = alike.find(|(_, other)| **other == uuid);
            if let Some(name) = name.map(|(name, _)| name.clone()) {
                own.remove(&name);
            }
            if own.is_empty() {
                self.by_name.remove(framework);
            }
        }
        Some(record)
    }
}

/// Every operation sits on its agent, and every name names one.
pub(super) fn sit_on_agents(leading: &Leading) -> Result<(), String> {
    let operations = &leading.operations;
    for (uuid, record) in &operations.by_uuid {
        let agent = leading.agents.arena.get(record.agent);
        if !agent.is_some_and(|agent| agent.operations.contains(uuid)) {
            return Err(alloc::format!("operation {uuid} is on no agent"));
        }
    }
    let agents = leading.agents.arena.iter();
    let on_agents: usize = agents.map(|(_, agent)| agent.operations.len()).sum();
    if on_agents != operations.by_uuid.len() {
        let known = operations.by_uuid.len();
        return Err(alloc::format!("{known} operations, {on_agents} on agents"));
    }
    let names = operations.by_name.iter();
    let names = names.flat_map(|(framework, own)| own.iter().map(move |name| (framework, name)));
    let mut count = 0;
    for (framework, ((id, _), uuid)) in names {
        let record = operations.by_uuid.get(uuid);
        let is_its_own = record.is_some_and(|record| {
            record.framework_id.as_ref() == Some(framework)
                && record.status.operation_id.as_ref() == Some(id)
        });
        if !is_its_own {
            return Err(alloc::format!("{id} of {framework} names no operation"));
        }
        count += 1;
    }
    let named = operations.by_uuid.values();
    let named = named
        .filter(|record| record.framework_id.is_some() && record.status.operation_id.is_some());
    if named.count() == count {
        return Ok(());
    }
    Err(alloc::format!(
        "{count} names, and not one for each operation"
    ))
}

/// What an agent has is as much as it says, whatever became of it.
pub(super) fn keep_quantities(leading: &Leading) -> Result<(), String> {
    for (_, agent) in leading.agents.arena.iter() {
        let base = &agent.info.resources;
        if agent.total == *base {
            continue;
        }
        let beyond_counting = agent.total.is_empty();
        if !beyond_counting && agent.total.quantities() != base.quantities() {
            let (id, total) = (&agent.id, &agent.total);
            return Err(alloc::format!("{id} says {base}, the books say {total}"));
        }
    }
    Ok(())
}

/// Whose an operation is, and what it is called.
#[derive(Clone, Debug)]
pub(super) struct Author {
    pub(super) framework: Option<Index<Framework>>,
    pub(super) id: Option<OperationId>,
}

impl Leading {
    /// Does an operation in the leader's own books, and has the agent do it. `holder` is the role
    /// that holds what is converted; without one it is free. Nothing is changed when it is not
    /// all there.
    pub(super) fn start_operation(
        &mut self,
        agent: Index<Agent>,
        author: Author,
        role: Option<&Role>,
        operation: ResourceOperation,
        steps: &[Conversion],
        fx: &mut Outbox<Effect>,
    ) -> Result<(), String> {
        let host = &self.agents.arena[agent];
        let total = host.total.apply(steps).map_err(|error| error.to_string())?;
        let Some(peer) = host.peer else {
            return Err(alloc::format!("agent {} is not connected", host.id));
        };
        let holder = author.framework.zip(role);
        if !self.allocation.convert(agent, holder, steps) {
            return Err(String::from("it is about resources that are in use"));
        }
        let agent_id = host.id.clone();
        let host = &mut self.agents.arena[agent];
        host.total = total;
        let uuid = OperationUuid::draw(&mut self.operations.rng);
        host.operations.insert(uuid);
        let framework_id = author
            .framework
            .map(|index| self.frameworks.arena[index].id.clone());
        let operation = Arc::new(operation);
        fx.push(Effect::Notice(Notice::Operation {
            uuid,
            name: String::from(operation.name()),
            agent_id: agent_id.clone(),
            state: OperationState::Pending,
        }));
        let status = OperationStatus {
            operation_id: author.id.clone(),
            state: OperationState::Pending,
            message: String::new(),
            converted: Resources::EMPTY,
            update_id: None,
            agent_id: Some(agent_id),
        };
        let record = Record {
            agent,
            framework_id: framework_id.clone(),
            operation: operation.clone(),
            status,
            heard_of: false,
        };
        self.operations.insert(uuid, record);
        let message = ToAgent::Operate {
            uuid,
            operation_id: author.id,
            framework_id,
            operation,
        };
        fx.push(Effect::ToAgent { peer, message });
        Ok(())
    }

    /// An operation that is not done. Its framework hears of that if it gave it a name.
    pub(super) fn refuse_operation(
        &self,
        framework: Index<Framework>,
        id: Option<&OperationId>,
        why: &str,
        fx: &mut Outbox<Effect>,
    ) {
        fx.push(Effect::Notice(Notice::Probe(Probe::OperationRefused)));
        let owner = &self.frameworks.arena[framework];
        let what = alloc::format!("an operation of framework {}: {why}", owner.id);
        fx.push(Effect::Notice(Notice::Ignored { what }));
        let Some(id) = id else { return };
        let status = OperationStatus {
            operation_id: Some(id.clone()),
            state: OperationState::Error,
            message: String::from(why),
            converted: Resources::EMPTY,
            update_id: None,
            agent_id: None,
        };
        self.tell_of_operation(framework, status, fx);
    }

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

    /// Forgets an operation of which nobody has anything more to say.
    pub(super) fn forget_operation(&mut self, uuid: OperationUuid) {
        if let Some(record) = self.operations.remove(uuid) {
            let agent = &mut self.agents.arena[record.agent];
            agent.operations.remove(&uuid);
            if agent.operations.is_empty() && self.operator.is_deactivated(&agent.id) {
                self.operator.look_at(&agent.id);
            }
        }
    }

    /// An agent is back. What it does not name of the operations it was told of never reached it;
    /// of others it knows that their outcome was acknowledged.
    pub(super) fn merge_operations(
        &mut self,
        agent: Index<Agent>,
        reports: &[Arc<OperationReport>],
        fx: &mut Outbox<Effect>,
    ) {
        let reported: BTreeSet<OperationUuid> = reports.iter().map(|report| report.uuid).collect();
        let known = self.agents.arena[agent].operations.iter().copied();
        let missing: Vec<_> = known.filter(|uuid| !reported.contains(uuid)).collect();
        for uuid in missing {
            let record = &self.operations.by_uuid[&uuid];
            if !record.heard_of {
                fx.push(Effect::Notice(Notice::Probe(Probe::OperationLost)));
                let why = "the operation did not reach the agent";
                self.end_unheard(uuid, OperationState::Dropped, why, fx);
            }
            self.forget_operation(uuid);
        }
        for report in reports {
            self.note_report(agent, report);
        }
    }

    /// Brings an operation's record up to date with what its agent says.
    pub(super) fn note_report(&mut self, agent: Index<Agent>, report: &OperationReport) {
        match self.operations.by_uuid.get_mut(&report.uuid) {
            Some(record) if record.agent == agent => {
                record.status = report.status.clone();
                record.heard_of = true;
            }
            Some(_) => {}
            None => {
                let record = Record {
                    agent,
                    framework_id: report.framework_id.clone(),
                    operation: report.operation.clone(),
                    status: report.status.clone(),
                    heard_of: true,
                };
                self.operations.insert(report.uuid, record);
                self.agents.arena[agent].operations.insert(report.uuid);
            }
        }
    }

    /// Tells the framework of an operation what became of it as far as a master can say: nobody
    /// acknowledges that.
    fn end_unheard(
        &self,
        uuid: OperationUuid,
        state: OperationState,
        why: &str,
        fx: &mut Outbox<Effect>,
    ) {
        let record = &self.operations.by_uuid[&uuid];
        fx.push(Effect::Notice(Notice::Operation {
            uuid,
            name: String::from(record.operation.name()),
            agent_id: self.agents.arena[record.agent].id.clone(),
            state,
        }));
        let owner = record.framework_id.as_ref();
        let owner = owner.and_then(|id| self.frameworks.find(id));
        let (Some(framework), true) = (owner, record.status.operation_id.is_some()) else {
            return;
        };
        let mut status = record.status.clone();
        status.state = state;
        status.message = String::from(why);
        status.update_id = None;
        self.tell_of_operation(framework, status, fx);
    }

    /// An agent is taken out of memory, with its operations.
    pub(super) fn lose_operations(
        &mut self,
        agent: Index<Agent>,
        fate: Option<(OperationState, &str)>,
        fx: &mut Outbox<Effect>,
    ) {
        for uuid in self.agents.arena[agent].operations.clone() {
            let known = self.operations.by_uuid[&uuid].status.state;
            match fate {
                // An outcome that is known is not taken back; whoever missed it hears it now.
                Some((state, _)) if state.is_terminal() && known.is_terminal() => {
                    let why = "its agent is gone, and will not say it again";
                    self.end_unheard(uuid, known, why, fx);
                }
                Some((state, why)) => self.end_unheard(uuid, state, why, fx),
                None => {}
            }
            self.forget_operation(uuid);
        }
    }

    /// Every operation of which there is still something to say, as the leader knows it.
    #[must_use]
    pub fn operations(&self) -> Vec<OperationReport> {
        let all = self.operations.by_uuid.iter();
        let reports = all.map(|(uuid, record)| {
            let mut status = record.status.clone();
            status.agent_id = Some(self.agents.arena[record.agent].id.clone());
            OperationReport {
                uuid: *uuid,
                framework_id: record.framework_id.clone(),
                operation: record.operation.clone(),
                status,
            }
        });
        reports.collect()
    }

    /// What tasks and executors use of an agent.
    pub(super) fn uses(&self, agent: Index<Agent>, item: &crate::resources::Resource) -> bool {
        let host = &self.agents.arena[agent];
        let within = |used: &Resources| {
            let unmarked = used.unallocated();
            unmarked.find(&item.kind).is_some()
        };
        let mut tasks = host.tasks.iter().map(|task| &self.tasks[*task]);
        let mut executors = host.executors.values();
        tasks.any(|task| task.charged && within(&task.info.resources))
            || executors.any(|executor| executor.charged && within(&executor.info.resources))
    }
}

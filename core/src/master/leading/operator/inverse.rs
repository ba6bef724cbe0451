//! Inverse offers: frameworks are asked to be off agents whose machines will be away.
//!
//! Whoever has something on such an agent, or is offered something of it, is asked, and asked
//! again once his answer's filter is over. It is advisory: nothing follows from an answer but that
//! operators can see it.

use super::super::agents::Agent;
use super::super::arena::Index;
use super::super::frameworks::Framework;
use super::super::notice::Notice;
use super::super::offers::capped;
use super::super::{Effect, Leading, Timer};
use crate::ids::{FrameworkId, OfferId};
use crate::message::scheduler::{Call, Event, ToScheduler};
use crate::model::{Filters, InverseOffer, InverseOfferAnswer, InverseOfferStatus, Unavailability};
use crate::outbox::Outbox;
use crate::resources::Resources;
use crate::time::{Now, Time};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Bound;

/// How many agents are looked at in one tick; the others follow in the next ones. Whole clusters
/// are on the schedule when they are brought down machine by machine.
const LOOKED_AT_PER_TICK: usize = 1_024;

/// An agent whose machine will be away.
#[derive(Clone, Debug)]
pub(in crate::master::leading) struct Due {
    unavailability: Unavailability,
    /// Inverse offers that stand, by number.
    standing: BTreeMap<Index<Framework>, u64>,
    /// What frameworks have answered.
    answers: BTreeMap<FrameworkId, InverseOfferStatus>,
    /// Whom not to ask before then.
    filters: BTreeMap<Index<Framework>, Time>,
}

/// An inverse offer that stands.
#[derive(Clone, Debug)]
struct Asked {
    id: OfferId,
    agent: Index<Agent>,
    framework: Index<Framework>,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(in crate::master::leading) struct InverseOffers {
    due: BTreeMap<Index<Agent>, Due>,
    by_number: BTreeMap<u64, Asked>,
    /// The agent that was looked at last.
    last: Option<Index<Agent>>,
}

impl InverseOffers {
    /// When an agent's machine will be away.
    pub(in crate::master::leading) fn unavailability(
        &self,
        agent: Index<Agent>,
    ) -> Option<Unavailability> {
        Some(self.due.get(&agent)?.unavailability)
    }

    /// What frameworks have answered for an agent.
    pub(super) fn answers(&self, agent: Index<Agent>) -> Vec<InverseOfferStatus> {
        let due = self.due.get(&agent);
        due.map(|due| due.answers.values().cloned().collect())
            .unwrap_or_default()
    }

    /// Agent and framework of each that stands; the number of one that is wrong in the books.
    #[allow(clippy::type_complexity)]
    pub(in crate::master::leading) fn standing(
        &self,
    ) -> Result<Vec<(Index<Agent>, Index<Framework>)>, u64> {
        let asked = self.by_number.iter();
        let mut names = Vec::with_capacity(self.by_number.len());
        for (number, asked) in asked {
            let due = self.due.get(&asked.agent).ok_or(*number)?;
            if due.standing.get(&asked.framework) != Some(number) {
                return Err(*number);
            }
            names.push((asked.agent, asked.framework));
        }
        let count: usize = self.due.values().map(|due| due.standing.len()).sum();
        if count == names.len() {
            Ok(names)
        } else {
            Err(0)
        }
    }

    /// At most `max` agents whose turn it is to be looked at.
    pub(in crate::master::leading) fn next_due(&mut self, max: usize) -> Vec<Index<Agent>> {
        let after = self.last.map_or(Bound::Unbounded, Bound::Excluded);
        let later = self.due.range((after, Bound::Unbounded));
        let earlier = self.last.map(|last| self.due.range(..=last));
        let earlier = earlier.into_iter().flatten();
        let agents = later.chain(earlier).map(|(agent, _)| *agent);
        let next: Vec<Index<Agent>> = agents.take(max).collect();
        self.last = next.last().copied();
        next
    }

    fn take(&mut self, number: u64) -> Option<Asked> {
        let asked = self.by_number.remove(&number)?;
        if let Some(due) = self.due.get_mut(&asked.agent) {
            due.standing.remove(&asked.framework);
        }
        Some(asked)
    }
}

impl Leading {
    /// Brings an agent in line with the schedule: from now on frameworks are asked to leave it, at
    /// another time, or not any more.
    pub(in crate::master::leading) fn reschedule(
        &mut self,
        now: Now,
        index: Index<Agent>,
        fx: &mut Outbox<Effect>,
    ) {
        let state = &self.operator.state;
        let known = &self.operator.inverse.due;
        if state.machines.is_empty() && known.is_empty() {
            return;
        }
        let info = &self.agents.arena[index].info;
        let machine = state.machine_of(&info.hostname, &info.ip);
        let new = machine.map(|(_, machine)| machine.unavailability);
        if self.operator.inverse.unavailability(index) == new {
            return;
        }
        self.forget_due(index, true, fx);
        // Offers say when their agent will be away.
        self.rescind_agent(index, fx);
        if let Some(unavailability) = new {
            let due = Due {
                unavailability,
                standing: BTreeMap::new(),
                answers: BTreeMap::new(),
                filters: BTreeMap::new(),
            };
            self.operator.inverse.due.insert(index, due);
            self.timers.set(Timer::Maintenance, now.mono);
        }
    }

    /// An agent is not on the schedule any more, or not known.
    pub(in crate::master::leading) fn forget_due(
        &mut self,
        index: Index<Agent>,
        tell: bool,
        fx: &mut Outbox<Effect>,
    ) {
        self.withdraw_inverse(index, tell, fx);
        self.operator.inverse.due.remove(&index);
    }

    /// Ends the inverse offers of an agent; it stays on the schedule.
    pub(in crate::master::leading) fn withdraw_inverse(
        &mut self,
        index: Index<Agent>,
        tell: bool,
        fx: &mut Outbox<Effect>,
    ) {
        let due = self.operator.inverse.due.get(&index);
        let numbers: Vec<u64> =
            due.map_or(Vec::new(), |due| due.standing.values().copied().collect());
        for number in numbers {
            let Some(asked) = self.operator.inverse.take(number) else {
                continue;
            };
            let peer = self.frameworks.arena[asked.framework].peer;
            if let Some(peer) = peer.filter(|_| tell) {
                let event = Event::RescindInverseOffer { offer_id: asked.id };
                let message = ToScheduler::Event(event);
                fx.push(Effect::ToScheduler { peer, message });
            }
        }
    }

    /// Ends the inverse offers of a framework whose scheduler is not there to be told.
    pub(in crate::master::leading) fn withdraw_asked(&mut self, index: Index<Framework>) {
        let asked = self.operator.inverse.by_number.iter();
        let numbers: Vec<u64> = asked
            .filter(|(_, asked)| asked.framework == index)
            .map(|(number, _)| *number)
            .collect();
        for number in numbers {
            self.operator.inverse.take(number);
        }
        for due in self.operator.inverse.due.values_mut() {
            due.filters.remove(&index);
        }
    }

    /// A framework has ended: its answers are of no use to anybody.
    pub(in crate::master::leading) fn forget_answers(&mut self, id: &FrameworkId) {
        for due in self.operator.inverse.due.values_mut() {
            due.answers.remove(id);
        }
    }

    /// Asks everyone who is to be asked now.
    pub(in crate::master::leading) fn ask_to_leave(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        let mut by_framework: BTreeMap<Index<Framework>, Vec<Arc<InverseOffer>>> = BTreeMap::new();
        for agent in self.operator.inverse.next_due(LOOKED_AT_PER_TICK) {
            let host = &self.agents.arena[agent];
            if host.peer.is_none() || self.operator.is_deactivated(&host.id) {
                continue;
            }
            for framework in self.whom_to_ask(now, agent) {
                let offer = self.ask(agent, framework);
                by_framework.entry(framework).or_default().push(offer);
            }
        }
        for (framework, offers) in by_framework {
            let framework = &self.frameworks.arena[framework];
            let peer = framework.peer.expect("only who is subscribed is asked");
            fx.push(Effect::Notice(Notice::AskedToLeave {
                framework_id: framework.id.clone(),
                count: offers.len(),
            }));
            let message = ToScheduler::Event(Event::InverseOffers(offers));
            fx.push(Effect::ToScheduler { peer, message });
        }
        if !self.operator.inverse.due.is_empty() {
            let at = now.mono + self.config.allocation_interval;
            self.timers.set(Timer::Maintenance, at);
        }
    }

    /// Frameworks that have something of an agent, are not asked, and may be.
    fn whom_to_ask(&self, now: Now, agent: Index<Agent>) -> BTreeSet<Index<Framework>> {
        let host = &self.agents.arena[agent];
        let tasks = host.tasks.iter().map(|task| self.tasks[*task].framework);
        let executors = host.executors.keys().map(|(framework, _)| *framework);
        let offers = host.offers.iter();
        let offers = offers.map(|number| self.offers.by_number[number].framework);
        let due = &self.operator.inverse.due[&agent];
        let may = |framework: &Index<Framework>| {
            let filtered = due
                .filters
                .get(framework)
                .is_some_and(|until| *until > now.mono);
            let subscribed = self.frameworks.arena[*framework].peer.is_some();
            subscribed && !filtered && !due.standing.contains_key(framework)
        };
        tasks.chain(executors).chain(offers).filter(may).collect()
    }

    fn ask(&mut self, agent: Index<Agent>, framework: Index<Framework>) -> Arc<InverseOffer> {
        let (number, id) = self.next_offer();
        let host = &self.agents.arena[agent];
        let due = self.operator.inverse.due.get_mut(&agent);
        let due = due.expect("only of agents on the schedule");
        due.standing.insert(framework, number);
        due.filters.remove(&framework);
        let offer = InverseOffer {
            id: id.clone(),
            framework_id: self.frameworks.arena[framework].id.clone(),
            agent_id: host.id.clone(),
            hostname: host.info.hostname.clone(),
            port: host.info.port,
            unavailability: due.unavailability,
            // All of the machine will be away, so that nothing is named, as in Mesos.
            resources: Resources::EMPTY,
        };
        let asked = Asked {
            id,
            agent,
            framework,
        };
        self.operator.inverse.by_number.insert(number, asked);
        Arc::new(offer)
    }

    /// A framework answers inverse offers.
    pub(in crate::master::leading) fn on_inverse_call(
        &mut self,
        now: Now,
        framework: Index<Framework>,
        call: &Call,
        fx: &mut Outbox<Effect>,
    ) {
        let (offer_ids, answer, filters) = match call {
            Call::AcceptInverseOffers { offer_ids, filters } => {
                (offer_ids, InverseOfferAnswer::Accepted, *filters)
            }
            Call::DeclineInverseOffers { offer_ids, filters } => {
                (offer_ids, InverseOfferAnswer::Declined, *filters)
            }
            _ => unreachable!("the caller looked"),
        };
        self.answer_inverse(now, framework, offer_ids, answer, filters, fx);
    }

    fn answer_inverse(
        &mut self,
        now: Now,
        framework: Index<Framework>,
        offer_ids: &[OfferId],
        answer: InverseOfferAnswer,
        filters: Filters,
        fx: &mut Outbox<Effect>,
    ) {
        let framework_id = self.frameworks.arena[framework].id.clone();
        for id in offer_ids {
            let number = self.number_in(id);
            let asked = number.and_then(|number| self.operator.inverse.by_number.get(&number));
            let own = asked.is_some_and(|asked| asked.framework == framework && asked.id == *id);
            let (Some(number), true) = (number, own) else {
                let what = alloc::format!("an answer to inverse offer {id}, which does not stand");
                fx.push(Effect::Notice(Notice::Ignored { what }));
                continue;
            };
            let Some(asked) = self.operator.inverse.take(number) else {
                continue;
            };
            let Some(due) = self.operator.inverse.due.get_mut(&asked.agent) else {
                continue;
            };
            let status = InverseOfferStatus {
                framework_id: framework_id.clone(),
                answer,
                at: now.wall,
            };
            due.answers.insert(framework_id.clone(), status);
            due.filters
                .insert(framework, now.mono + capped(filters).refuse);
        }
    }
}

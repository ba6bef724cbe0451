//! What is free, made into offers, and offers taken back.

use super::agents::Agent;
use super::allocation::Grant;
use super::arena::Index;
use super::frameworks::Framework;
use super::notice::Notice;
use super::{Effect, Leading, Timer};
use crate::ids::OfferId;
use crate::message::scheduler::{Event, ToScheduler};
use crate::model::{Filters, Offer};
use crate::outbox::Outbox;
use crate::time::Now;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

/// Nobody refuses for longer.
const REFUSE_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// An offer that stands.
#[derive(Clone, Debug)]
pub(super) struct Offered {
    pub(super) offer: Arc<Offer>,
    pub(super) framework: Index<Framework>,
    pub(super) agent: Index<Agent>,
}

/// All offers, by number.
#[derive(Clone, Debug, Default)]
pub(super) struct Offers {
    pub(super) by_number: BTreeMap<u64, Offered>,
    next: u64,
}

/// A scheduler's word on how long not to offer the same again.
pub(super) fn capped(filters: Filters) -> Filters {
    let refuse = filters.refuse.min(REFUSE_MAX);
    Filters { refuse }
}

impl Leading {
    fn offer_id(&self, number: u64) -> OfferId {
        let text = alloc::format!("{}-O{number}", self.prefix);
        OfferId::new(&text).expect("a ballot and a number make an id")
    }

    /// The number of one of this leader's own offers. Whoever writes it in another way than this
    /// leader did means none.
    pub(super) fn offer_number(&self, id: &OfferId) -> Option<u64> {
        let number = self.number_in(id)?;
        let offered = self.offers.by_number.get(&number)?;
        (offered.offer.id == *id).then_some(number)
    }

    /// Makes sure that the next look for offers is due in time.
    pub(super) fn arm_allocation(&mut self, now: Now) {
        let soon = now.mono + self.config.allocation_delay;
        match self.allocation.due(soon) {
            Some(at) if self.timers.at(&Timer::Allocate).is_none_or(|set| at < set) => {
                self.timers.set(Timer::Allocate, at);
            }
            _ => {}
        }
    }

    /// Offers what is free to those whose turn it is.
    pub(super) fn allocate(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        let mut by_framework: BTreeMap<Index<Framework>, Vec<Arc<Offer>>> = BTreeMap::new();
        for grant in self.allocation.allocate() {
            let offer = self.make_offer(now, &grant);
            by_framework.entry(grant.framework).or_default().push(offer);
        }
        for (framework, offers) in by_framework {
            let framework = &self.frameworks.arena[framework];
            let peer = framework.peer;
            let peer = peer.expect("only frameworks that are subscribed are active");
            fx.push(Effect::Notice(Notice::Offered {
                framework_id: framework.id.clone(),
                count: offers.len(),
            }));
            let message = ToScheduler::Event(Event::Offers(offers));
            fx.push(Effect::ToScheduler { peer, message });
        }
    }

    /// A number, and an id, for an offer or an inverse offer.
    pub(super) fn next_offer(&mut self) -> (u64, OfferId) {
        self.offers.next += 1;
        let number = self.offers.next;
        (number, self.offer_id(number))
    }

    /// The number in one of this leader's ids of offers, whether that stands or not.
    pub(super) fn number_in(&self, id: &OfferId) -> Option<u64> {
        let rest = id.as_str().strip_prefix(self.prefix.as_str())?;
        rest.strip_prefix("-O")?.parse().ok()
    }

    fn make_offer(&mut self, now: Now, grant: &Grant) -> Arc<Offer> {
        let (number, id) = self.next_offer();
        let (framework, agent) = (grant.framework, grant.agent);
        let host = &self.agents.arena[agent];
        let executors = host.executors.keys();
        let executor_ids = executors.filter(|key| key.0 == framework);
        let offer = Arc::new(Offer {
            id,
            framework_id: self.frameworks.arena[framework].id.clone(),
            agent_id: host.id.clone(),
            hostname: host.info.hostname.clone(),
            port: host.info.port,
            role: grant.role.clone(),
            resources: grant.resources.clone(),
            attributes: host.info.attributes.clone(),
            domain: host.info.domain.clone(),
            executor_ids: executor_ids.map(|key| key.1.clone()).collect(),
            unavailability: self.operator.inverse.unavailability(agent),
        });
        let offered = Offered {
            offer: offer.clone(),
            framework,
            agent,
        };
        self.offers.by_number.insert(number, offered);
        self.agents.arena[agent].offers.insert(number);
        self.frameworks.arena[framework].offers.insert(number);
        if let Some(timeout) = self.config.offer_timeout {
            let at = now.mono + timeout;
            self.timers.set(Timer::Offer(number), at);
        }
        offer
    }

    /// Ends an offer. What was offered is the caller's to use or to give back.
    pub(super) fn take_offer(&mut self, number: u64) -> Option<Offered> {
        let offered = self.offers.by_number.remove(&number)?;
        self.agents.arena[offered.agent].offers.remove(&number);
        self.frameworks.arena[offered.framework]
            .offers
            .remove(&number);
        self.timers.cancel(&Timer::Offer(number));
        Some(offered)
    }

    /// Ends an offer, and gives back all that was offered.
    pub(super) fn give_back(&mut self, number: u64, filters: Option<Filters>) {
        let Some(Offered {
            offer,
            framework,
            agent,
        }) = self.take_offer(number)
        else {
            return;
        };
        self.allocation
            .recover(framework, agent, &offer.role, &offer.resources, filters);
    }

    pub(super) fn rescind(&mut self, numbers: &[u64], fx: &mut Outbox<Effect>) {
        let mut counts: BTreeMap<Index<Framework>, usize> = BTreeMap::new();
        for number in numbers {
            let framework = self.offers.by_number[number].framework;
            self.give_back(*number, None);
            *counts.entry(framework).or_default() += 1;
            if let Some(peer) = self.frameworks.arena[framework].peer {
                let offer_id = self.offer_id(*number);
                let message = ToScheduler::Event(Event::Rescind { offer_id });
                fx.push(Effect::ToScheduler { peer, message });
            }
        }
        for (framework, count) in counts {
            let framework_id = self.frameworks.arena[framework].id.clone();
            fx.push(Effect::Notice(Notice::Rescinded {
                framework_id,
                count,
            }));
        }
    }

    /// Takes back all offers of an agent.
    pub(super) fn rescind_agent(&mut self, index: Index<Agent>, fx: &mut Outbox<Effect>) {
        let numbers: Vec<u64> = self.agents.arena[index].offers.iter().copied().collect();
        self.rescind(&numbers, fx);
    }

    /// Takes back a framework's offers for roles that it has left.
    pub(super) fn rescind_roles(&mut self, index: Index<Framework>, fx: &mut Outbox<Effect>) {
        let framework = &self.frameworks.arena[index];
        let left = |number: &&u64| {
            let role = &self.offers.by_number[*number].offer.role;
            !framework.info.roles.contains(role)
        };
        let numbers: Vec<u64> = framework.offers.iter().filter(left).copied().collect();
        self.rescind(&numbers, fx);
    }

    /// Ends all offers of a framework whose scheduler is not there to be told.
    pub(super) fn withdraw_framework(&mut self, index: Index<Framework>) {
        for number in self.frameworks.arena[index].offers.clone() {
            self.give_back(number, None);
        }
        self.withdraw_asked(index);
    }

    pub(super) fn on_offer_timeout(&mut self, number: u64, fx: &mut Outbox<Effect>) {
        if self.offers.by_number.contains_key(&number) {
            self.rescind(&[number], fx);
        }
    }

    pub(super) fn decline(
        &mut self,
        framework: Index<Framework>,
        offer_ids: &[OfferId],
        filters: Filters,
        fx: &mut Outbox<Effect>,
    ) {
        for id in offer_ids {
            let number = self.offer_number(id);
            let own = number.filter(|n| self.offers.by_number[n].framework == framework);
            match own {
                Some(number) => self.give_back(number, Some(capped(filters))),
                None => {
                    let what = alloc::format!("decline of offer {id}, which does not stand");
                    fx.push(Effect::Notice(Notice::Ignored { what }));
                }
            }
        }
    }
}

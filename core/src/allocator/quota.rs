//! What roles are sure to get and may have at most: the books of quota.
//!
//! Quota is set on top-level roles and binds all that is below them. What a role has consumed is
//! what it and those below it hold, offered or in use, and what is reserved for them, held or not.
//! What guarantees still lack is kept free: the headroom. Only free and unreserved scalars of
//! agents that take part count towards it. (Mesos counts those of deactivated agents as well, and
//! binds only the frameworks of the top-level role itself.)
//!
//! While no role has quota, none of this is kept, and nothing is spent on it.

use super::agent::Agent;
use super::bits::Bits;
use super::client::Client;
use super::slots::Slots;
use super::{Allocator, AllocatorError};
use crate::model::{Limits, Quota};
use crate::resources::{Quantities, Resource, Role, Value};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// A client whose role is under no quota.
pub(super) const UNBOUND: u32 = u32::MAX;

/// A role with quota.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) role: Role,
    pub(super) quota: Quota,
    /// Clients in the role or below it.
    pub(super) clients: Bits,
    /// As of the last [`Allocator::refresh_bound`].
    pub(super) consumed: Quantities,
    /// What the guarantees lack, as of then.
    pub(super) unmet: Quantities,
}

/// What of an agent's free resources is in the sums of [`Quotas`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    unreserved: Quantities,
    reserved: Vec<(Role, Quantities)>,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Quotas {
    pub(super) bounds: Vec<Bound>,
    by_role: BTreeMap<Role, u32>,
    /// All clients that are bound.
    pub(super) bound_clients: Bits,
    /// Free, unreserved, on agents that take part.
    pub(super) free: Quantities,
    /// Free and reserved, on all agents, by top-level role.
    pub(super) reserved: BTreeMap<Role, Quantities>,
    /// What all guarantees lack together.
    pub(super) required: Quantities,
    /// Clients of roles whose guarantees lack something.
    pub(super) lacking: Bits,
    /// Agents of which something was held back from a client that would have it.
    pub(super) held_back: Bits,
    /// Surplus and consumption when the last cycle ended.
    settled: (Quantities, Vec<Quantities>),
    /// Whether either may have changed since.
    pub(super) moved: bool,
    /// What was handed out although quota forbids it; a bug.
    pub(super) breach: Breach,
}

/// What was handed out beyond quota.
#[derive(Clone, Debug, Default)]
pub(super) struct Breach {
    /// More than a limit.
    pub(super) limit: Option<String>,
    /// What others' guarantees lack.
    pub(super) guarantee: Option<String>,
}

impl Quotas {
    /// Whether any role has quota.
    pub(super) fn is_on(&self) -> bool {
        !self.bounds.is_empty()
    }

    /// Under whose quota a role is.
    fn bound_of(&self, role: &Role) -> u32 {
        if self.by_role.is_empty() {
            return UNBOUND;
        }
        self.by_role.get(&role.top()).copied().unwrap_or(UNBOUND)
    }

    /// Notes a client that came.
    pub(super) fn note_client(&mut self, client: u32, role: &Role) -> u32 {
        let bound = self.bound_of(role);
        if bound != UNBOUND {
            self.bounds[bound as usize].clients.set(client);
            self.bound_clients.set(client);
            if !self.bounds[bound as usize].unmet.is_zero() {
                self.lacking.set(client);
            }
        }
        bound
    }

    /// Notes that a client went.
    pub(super) fn forget_client(&mut self, client: u32, bound: u32) {
        if bound != UNBOUND {
            self.bounds[bound as usize].clients.unset(client);
            self.bound_clients.unset(client);
            self.lacking.unset(client);
        }
    }

    /// What is free beyond what guarantees lack.
    pub(super) fn surplus(&self) -> Quantities {
        self.free.saturating_sub(&self.required)
    }

    fn swap(&mut self, old: Option<&Counted>, new: Option<&Counted>) {
        if let Some(new) = new {
            self.free.add(&new.unreserved);
            for (role, more) in &new.reserved {
                self.reserved.entry(role.clone()).or_default().add(more);
            }
        }
        if let Some(old) = old {
            self.free.sub(&old.unreserved);
            for (role, less) in &old.reserved {
                let sum = self.reserved.get_mut(role).expect("added before");
                sum.sub(less);
                if sum.is_zero() {
                    self.reserved.remove(role);
                }
            }
        }
    }

    /// Whether more may be handed out than when the last cycle ended.
    pub(super) fn has_grown(&self) -> bool {
        let (surplus, consumed) = &self.settled;
        let pairs = self.bounds.iter().zip(consumed);
        !surplus.contains(&self.surplus())
            || pairs
                .into_iter()
                .any(|(bound, before)| !bound.consumed.contains(before))
    }

    /// A cycle ends.
    pub(super) fn settle(&mut self) {
        let consumed = self.bounds.iter().map(|bound| bound.consumed.clone());
        self.settled = (self.surplus(), consumed.collect());
        self.moved = false;
    }
}

/// Whether a limit or the headroom applies: to scalars that are nobody's and stay.
pub(super) fn is_bounded(item: &Resource) -> bool {
    matches!(item.value, Value::Scalar(_))
        && item.kind.reservations.is_empty()
        && !item.kind.revocable
}

pub(super) fn add_item(sum: &mut Quantities, item: &Resource) {
    if let Value::Scalar(scalar) = item.value {
        sum.add_milli(&item.kind.name, scalar.milli());
    }
}

impl Counted {
    pub(super) fn of(agent: &Agent) -> Counted {
        let mut counted = Counted::default();
        // What is not counted in amounts would leave an entry of nothing.
        let scalars = agent.free.iter();
        for item in scalars.filter(|item| matches!(item.value, Value::Scalar(_))) {
            if is_bounded(item) {
                if agent.active {
                    add_item(&mut counted.unreserved, item);
                }
            } else if let (Some(role), Value::Scalar(_)) = (item.kind.reserved_role(), &item.value)
            {
                let top = role.top();
                let mut sums = counted.reserved.iter_mut();
                match sums.find(|(other, _)| *other == top) {
                    Some((_, sum)) => add_item(sum, item),
                    None => {
                        let mut sum = Quantities::ZERO;
                        add_item(&mut sum, item);
                        counted.reserved.push((top, sum));
                    }
                }
            }
        }
        counted.reserved.retain(|(_, sum)| !sum.is_zero());
        counted
    }
}

impl Allocator {
    /// Gives roles quotas, or takes them away where they say nothing. What is held already stays,
    /// even beyond the limits. All books are written anew: what changes together is said at once.
    ///
    /// # Errors
    /// When a role is not a top-level one, or more is guaranteed than allowed; nothing is changed
    /// then.
    pub fn set_quotas(&mut self, changes: &[(Role, Quota)]) -> Result<(), AllocatorError> {
        let wrong = |(role, quota): &&(Role, Quota)| {
            role.parent().is_some() || !quota.limits.contains(&quota.guarantees)
        };
        if let Some((role, _)) = changes.iter().find(wrong) {
            return Err(AllocatorError::Quota(role.clone()));
        }
        let mut quotas: BTreeMap<Role, Quota> = BTreeMap::new();
        for bound in core::mem::take(&mut self.quota.bounds) {
            quotas.insert(bound.role, bound.quota);
        }
        for (role, quota) in changes {
            if quota.is_default() {
                quotas.remove(role);
            } else {
                quotas.insert(role.clone(), quota.clone());
            }
        }
        let breach = core::mem::take(&mut self.quota.breach);
        self.quota = Quotas {
            breach,
            ..Quotas::default()
        };
        for (at, (role, quota)) in quotas.into_iter().enumerate() {
            self.quota.by_role.insert(role.clone(), at as u32);
            self.quota.bounds.push(Bound {
                role,
                quota,
                clients: Bits::new(),
                consumed: Quantities::ZERO,
                unmet: Quantities::ZERO,
            });
        }
        self.rebuild_quota();
        Ok(())
    }

    fn rebuild_quota(&mut self) {
        let clients: Vec<(u32, Role)> = self.clients.iter().map(role_of).collect();
        for (client, role) in clients {
            self.clients.at_mut(client).bound = self.quota.note_client(client, &role);
        }
        let slots: Vec<u32> = self.agents.iter().map(|(slot, _)| slot).collect();
        for slot in slots {
            self.agents.at_mut(slot).ledger.counted = None;
            self.recount(slot);
        }
        self.refresh_quota();
        // Everything is decided anew.
        self.dirty.copy_from(&self.available);
        self.urgent = true;
    }

    /// Brings the sums in line with what an agent has free now.
    pub(super) fn recount(&mut self, slot: u32) {
        if !self.quota.is_on() {
            return;
        }
        let agent = self.agents.at_mut(slot);
        let new = Counted::of(agent);
        let old = agent.ledger.counted.replace(Box::new(new.clone()));
        self.quota.swap(old.as_deref(), Some(&new));
        self.quota.moved = true;
    }

    /// An agent is no more.
    pub(super) fn uncount(&mut self, slot: u32, counted: Option<&Counted>) {
        self.quota.swap(counted, None);
        self.quota.held_back.unset(slot);
        self.quota.moved = true;
    }

    /// Brings consumption up to date for every role with quota.
    pub(super) fn refresh_quota(&mut self) {
        for bound in 0..self.quota.bounds.len() {
            self.refresh_bound(bound as u32);
        }
    }

    /// Brings consumption up to date for the role of `bound`.
    pub(super) fn refresh_bound(&mut self, bound: u32) {
        if bound == UNBOUND {
            return;
        }
        let consumed = self.consumed_by(&self.quota.bounds[bound as usize].role);
        let quota = &mut self.quota;
        let entry = &mut quota.bounds[bound as usize];
        let unmet = entry.quota.guarantees.saturating_sub(&consumed);
        quota.required.add(&unmet);
        quota.required.sub(&entry.unmet);
        if entry.unmet.is_zero() && !unmet.is_zero() {
            quota.lacking.add_all(&entry.clients);
        } else if unmet.is_zero() {
            quota.lacking.remove_all(&entry.clients);
        }
        (entry.consumed, entry.unmet) = (consumed, unmet);
    }

    /// While the sums are kept.
    fn consumed_by(&self, role: &Role) -> Quantities {
        let mut consumed = self.tree.held_by(role).cloned().unwrap_or_default();
        if let Some(reserved) = self.quota.reserved.get(role) {
            consumed.add(reserved);
        }
        consumed
    }

    /// What a role and those below it have for themselves: what they hold, offered or in use, and
    /// what is reserved for them.
    #[must_use]
    pub fn consumed(&self, role: &Role) -> Quantities {
        if self.quota.is_on() && role.parent().is_none() {
            return self.consumed_by(role);
        }
        let mut consumed = self.tree.held_by(role).cloned().unwrap_or_default();
        for (_, agent) in self
            .agents
            .iter()
            .filter(|(_, agent)| !agent.reserved.is_empty())
        {
            let reserved = |item: &&Resource| {
                let owner = item.kind.reserved_role();
                owner.is_some_and(|owner| role.covers(owner))
            };
            for item in agent.free.iter().filter(reserved) {
                add_item(&mut consumed, item);
            }
        }
        consumed
    }

    /// What the whole cluster has.
    #[must_use]
    pub fn totals(&self) -> &Quantities {
        self.tree.totals.quantities()
    }

    /// What guarantees lack beyond what is free.
    #[must_use]
    pub fn headroom_lacking(&mut self) -> Quantities {
        self.refresh_quota();
        self.quota.required.saturating_sub(&self.quota.free)
    }

    /// Roles that have consumed more than their limits, and these.
    pub fn beyond_limits(&self) -> impl Iterator<Item = (&Role, &Limits)> {
        let bounds = self.quota.bounds.iter();
        let limited = bounds.filter(|bound| !bound.quota.limits.is_empty());
        let beyond = limited.filter(|bound| {
            let consumed = self.consumed_by(&bound.role);
            !bound.quota.limits.contains(&consumed)
        });
        beyond.map(|bound| (&bound.role, &bound.quota.limits))
    }

    /// Whether any role has quota.
    #[must_use]
    pub fn has_quota(&self) -> bool {
        self.quota.is_on()
    }
}

fn role_of((client, entry): (u32, &Client)) -> (u32, Role) {
    (client, entry.role.clone())
}

/// The sums of [`Quotas`], added up anew.
pub(super) fn recounted(agents: &Slots<Agent>) -> (Quantities, BTreeMap<Role, Quantities>) {
    let mut sums = Quotas::default();
    for (_, agent) in agents.iter() {
        sums.swap(None, Some(&Counted::of(agent)));
    }
    (sums.free, sums.reserved)
}

//! The verbs about agents.

use super::agent::Agent;
use super::recover::unmarked;
use super::{AGENTS_MAX, AgentIndex, Allocator, AllocatorError, CLIENTS_MAX, FrameworkIndex};
use crate::ids::AgentId;
use crate::resources::{Quantities, Resources, Role};
use alloc::collections::BTreeSet;

impl Allocator {
    /// Adds an agent, active, of which `used` is in use by frameworks already: what it says after
    /// a master failed over. More may be in use than it has.
    ///
    /// # Errors
    /// When a framework is unknown, two of `used` contradict each other, or it is too much.
    pub fn add_agent(
        &mut self,
        id: AgentId,
        total: Resources,
        used: &[(FrameworkIndex, Role, Resources)],
    ) -> Result<AgentIndex, AllocatorError> {
        let mut allocated = Resources::EMPTY;
        for (framework, _, resources) in used {
            self.framework_slot(*framework)?;
            allocated = allocated.checked_add(&unmarked(resources.clone()))?;
        }
        let total = unmarked(total);
        if self.agents.len() == AGENTS_MAX || self.clients.len() + used.len() > CLIENTS_MAX {
            return Err(AllocatorError::Many(AGENTS_MAX));
        }
        let mut both = total.quantities();
        both.add(&allocated.quantities());
        if !self.tree.can_count(&both) {
            return Err(AllocatorError::TooLarge(id));
        }
        let mut agent = Agent::new(id, Resources::EMPTY);
        agent.ledger.shared = allocated.shared();
        agent.rebook(total, &allocated.exclusive());
        let (slot, generation) = self.agents.insert(agent);
        self.tree.change_totals(
            &self.agents.at(slot).ledger.total_quantities,
            &Quantities::ZERO,
        );
        self.note_reservations(slot);
        for (framework, role, resources) in used {
            self.charge(slot, *framework, role, &resources.exclusive().quantities());
        }
        self.touch(slot);
        self.urgent = true;
        Ok(AgentIndex { slot, generation })
    }

    /// Forgets an agent, with all that is allocated on it. Nothing of it needs to be recovered.
    ///
    /// # Errors
    /// When it is unknown.
    pub fn remove_agent(&mut self, agent: AgentIndex) -> Result<(), AllocatorError> {
        let slot = self.agent_slot(agent)?;
        let mut removed = self.agents.remove(slot);
        self.tree
            .change_totals(&Quantities::ZERO, &removed.ledger.total_quantities);
        for reserved in &removed.reserved[..] {
            self.reservations.remove(*reserved);
        }
        for group in &removed.filters.groups {
            for client in group.clients.iter() {
                self.clients.at_mut(client).filtered.unset(slot);
            }
        }
        for holder in removed.holders.drain(..) {
            if self.clients.is_live(holder.client, holder.generation) {
                let node = self.clients.at(holder.client).node;
                self.tree.discharge(node, &holder.held);
                self.drop_if_idle(holder.client);
            }
        }
        self.uncount(slot, removed.ledger.counted.as_deref());
        self.available.unset(slot);
        self.dirty.unset(slot);
        Ok(())
    }

    /// Lets an agent take part again.
    ///
    /// # Errors
    /// When it is unknown.
    pub fn activate_agent(&mut self, agent: AgentIndex) -> Result<(), AllocatorError> {
        self.set_agent_active(agent, true)
    }

    /// Offers nothing of an agent, for instance while it is disconnected.
    ///
    /// # Errors
    /// When it is unknown.
    pub fn deactivate_agent(&mut self, agent: AgentIndex) -> Result<(), AllocatorError> {
        self.set_agent_active(agent, false)
    }

    fn set_agent_active(&mut self, agent: AgentIndex, active: bool) -> Result<(), AllocatorError> {
        let slot = self.agent_slot(agent)?;
        if self.agents.at(slot).active != active {
            self.agents.at_mut(slot).active = active;
            self.touch(slot);
            self.urgent |= active;
        }
        Ok(())
    }

    /// Replaces what an agent has in all. What is allocated stays allocated, even beyond it.
    ///
    /// # Errors
    /// When it is unknown or the total is too large.
    pub fn update_agent_total(
        &mut self,
        agent: AgentIndex,
        total: Resources,
    ) -> Result<(), AllocatorError> {
        let slot = self.agent_slot(agent)?;
        let total = unmarked(total);
        if !self.tree.can_count(&total.quantities()) {
            return Err(AllocatorError::TooLarge(
                self.agents.at(slot).ledger.id.clone(),
            ));
        }
        let entry = self.agents.at_mut(slot);
        let before = core::mem::take(&mut entry.ledger.total_quantities);
        let allocated = entry.allocated();
        entry.rebook(total, &allocated);
        self.tree
            .change_totals(&self.agents.at(slot).ledger.total_quantities, &before);
        self.note_reservations(slot);
        self.touch(slot);
        self.urgent = true;
        Ok(())
    }

    /// Says that a framework uses `resources` of what an agent has free.
    ///
    /// # Errors
    /// When either is unknown or not all of it is free.
    pub fn claim(
        &mut self,
        framework: FrameworkIndex,
        role: &Role,
        agent: AgentIndex,
        resources: &Resources,
    ) -> Result<(), AllocatorError> {
        let slot = self.agent_slot(agent)?;
        self.framework_slot(framework)?;
        if self.clients.len() == CLIENTS_MAX {
            return Err(AllocatorError::Many(CLIENTS_MAX));
        }
        let resources = unmarked(resources.clone());
        self.agents.at_mut(slot).take(&resources)?;
        let quantities = resources.exclusive().quantities();
        self.charge(slot, framework, role, &quantities);
        self.touch(slot);
        Ok(())
    }

    pub(super) fn charge(
        &mut self,
        slot: u32,
        framework: FrameworkIndex,
        role: &Role,
        held: &Quantities,
    ) {
        if held.is_zero() {
            return;
        }
        let client = self.client_for(framework, role);
        let generation = self.clients.generation(client);
        self.agents.at_mut(slot).hold(client, generation, held);
        self.tree.charge(self.clients.at(client).node, held);
    }

    /// Keeps count of the roles that an agent has reservations for.
    pub(super) fn note_reservations(&mut self, slot: u32) {
        let total = self.agents.at(slot).ledger.total.iter();
        let roles: BTreeSet<&Role> = total.filter_map(|item| item.kind.reserved_role()).collect();
        let roles = roles.into_iter();
        let new = roles
            .map(|role| self.reservations.add(role, &self.clients))
            .collect();
        let old = core::mem::replace(&mut self.agents.at_mut(slot).reserved, new);
        for reserved in old {
            self.reservations.remove(reserved);
        }
    }

    /// Looks anew at whether an agent has something to offer.
    pub(super) fn touch(&mut self, slot: u32) {
        let entry = self.agents.at(slot);
        let available = entry.active && self.is_allocatable(&entry.free_quantities);
        self.available.put(slot, available);
        self.dirty.put(slot, available);
        self.recount(slot);
    }

    pub(super) fn is_allocatable(&self, quantities: &Quantities) -> bool {
        let mut least = self.options.min_allocatable.iter();
        least.any(|least| quantities.contains(least))
    }
}

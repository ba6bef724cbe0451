//! The verbs about frameworks, their roles and their wishes.

use super::bits::Bits;
use super::client::{Client, Framework};
use super::quota::UNBOUND;
use super::takes::Takes;
use super::{Allocator, AllocatorError, CLIENTS_MAX, FrameworkIndex};
use crate::ids::FrameworkId;
use crate::resources::{Role, Scalar};
use alloc::vec::Vec;

impl Allocator {
    /// Adds a framework that takes part in `roles`, except those `suppressed`. Inactive until
    /// [`Allocator::activate_framework`].
    ///
    /// # Errors
    /// When its id is known already or there are too many.
    pub fn add_framework(
        &mut self,
        id: FrameworkId,
        roles: &[Role],
        suppressed: &[Role],
    ) -> Result<FrameworkIndex, AllocatorError> {
        if self.framework_ids.contains(&id) {
            return Err(AllocatorError::FrameworkTwice(id));
        }
        if self.clients.len() + roles.len() > CLIENTS_MAX {
            return Err(AllocatorError::Many(CLIENTS_MAX));
        }
        self.framework_ids.insert(id.clone());
        let (slot, generation) = self.frameworks.insert(Framework {
            id,
            active: false,
            takes: Takes::EVERYTHING,
            clients: Vec::new(),
        });
        let framework = FrameworkIndex { slot, generation };
        self.update_framework(framework, roles, suppressed)?;
        Ok(framework)
    }

    /// Replaces a framework's roles. In a role that it leaves it keeps what it has, and is charged
    /// for it, but is offered nothing more.
    ///
    /// # Errors
    /// When it is unknown or there are too many.
    pub fn update_framework(
        &mut self,
        framework: FrameworkIndex,
        roles: &[Role],
        suppressed: &[Role],
    ) -> Result<(), AllocatorError> {
        let slot = self.framework_slot(framework)?;
        if self.clients.len() + roles.len() > CLIENTS_MAX {
            return Err(AllocatorError::Many(CLIENTS_MAX));
        }
        for role in roles {
            let client = self.client_for(framework, role);
            self.clients.at_mut(client).subscribed = true;
        }
        let all = self.frameworks.at(slot).clients.clone();
        for (role, client) in &all {
            let entry = self.clients.at_mut(*client);
            entry.subscribed = roles.contains(role);
            entry.suppressed = suppressed.contains(role);
            if !entry.subscribed {
                self.forget_filters(*client);
            }
            self.update_client(*client);
            self.drop_if_idle(*client);
        }
        Ok(())
    }

    /// Lets a framework take part.
    ///
    /// # Errors
    /// When it is unknown.
    pub fn activate_framework(&mut self, framework: FrameworkIndex) -> Result<(), AllocatorError> {
        self.set_framework_active(framework, true)
    }

    /// Stops offers to a framework, for instance while its scheduler is away, and forgets its
    /// filters. What it holds stays charged to it.
    ///
    /// # Errors
    /// When it is unknown.
    pub fn deactivate_framework(
        &mut self,
        framework: FrameworkIndex,
    ) -> Result<(), AllocatorError> {
        self.set_framework_active(framework, false)
    }

    fn set_framework_active(
        &mut self,
        framework: FrameworkIndex,
        active: bool,
    ) -> Result<(), AllocatorError> {
        let slot = self.framework_slot(framework)?;
        self.frameworks.at_mut(slot).active = active;
        for client in self.clients_of(slot, &[]) {
            if !active {
                self.forget_filters(client);
            }
            self.update_client(client);
        }
        Ok(())
    }

    /// Forgets a framework. What it still holds is charged to nobody until it is recovered, which
    /// may still be done under its index.
    ///
    /// # Errors
    /// When it is unknown.
    pub fn remove_framework(&mut self, framework: FrameworkIndex) -> Result<(), AllocatorError> {
        let slot = self.framework_slot(framework)?;
        for client in self.clients_of(slot, &[]) {
            self.clients.at_mut(client).subscribed = false;
            self.update_client(client);
            self.drop_client(client);
        }
        let removed = self.frameworks.remove(slot);
        assert!(
            removed.clients.is_empty(),
            "clients go with their framework"
        );
        self.framework_ids.remove(&removed.id);
        Ok(())
    }

    /// Stops offers to `roles` of a framework (all of them, when none is named) until it revives.
    ///
    /// # Errors
    /// When it is unknown.
    pub fn suppress(
        &mut self,
        framework: FrameworkIndex,
        roles: &[Role],
    ) -> Result<(), AllocatorError> {
        let slot = self.framework_slot(framework)?;
        for client in self.clients_of(slot, roles) {
            self.clients.at_mut(client).suppressed = true;
            self.update_client(client);
        }
        Ok(())
    }

    /// Forgets the filters of `roles` of a framework (all, when none is named) and makes offers to
    /// them again.
    ///
    /// # Errors
    /// When it is unknown.
    pub fn revive(
        &mut self,
        framework: FrameworkIndex,
        roles: &[Role],
    ) -> Result<(), AllocatorError> {
        let slot = self.framework_slot(framework)?;
        for client in self.clients_of(slot, roles) {
            self.clients.at_mut(client).suppressed = false;
            let had_filters = self.forget_filters(client);
            self.update_client(client);
            if had_filters && self.active.has(client) {
                self.wake(client);
            }
        }
        Ok(())
    }

    /// Gives `role` so many times the share of a role of weight 1.
    ///
    /// # Errors
    /// When the weight is zero.
    pub fn set_weight(&mut self, role: &Role, weight: Scalar) -> Result<(), AllocatorError> {
        if weight.is_zero() {
            return Err(AllocatorError::Weight(weight));
        }
        self.tree.set_weight(role, weight);
        self.urgent |= self.tree.roles.contains_key(role);
        Ok(())
    }

    fn clients_of(&self, slot: u32, roles: &[Role]) -> Vec<u32> {
        let all = self.frameworks.at(slot).clients.iter();
        let named = all.filter(|(role, _)| roles.is_empty() || roles.contains(role));
        named.map(|(_, client)| *client).collect()
    }

    /// The client of a known framework in `role`, made without subscription if it is missing.
    pub(super) fn client_for(&mut self, framework: FrameworkIndex, role: &Role) -> u32 {
        let entry = self.frameworks.at(framework.slot);
        if let Some(client) = entry.client(role) {
            return client;
        }
        let id = entry.id.clone();
        let (client, _) = self.clients.insert(Client {
            framework,
            role: role.clone(),
            node: 0,
            subscribed: false,
            suppressed: false,
            bound: UNBOUND,
            filtered: Bits::new(),
        });
        let node = self.tree.add_client(client, role, id.as_str());
        let bound = self.quota.note_client(client, role);
        let entry = self.clients.at_mut(client);
        (entry.node, entry.bound) = (node, bound);
        let entry = self.frameworks.at_mut(framework.slot);
        entry.clients.push((role.clone(), client));
        self.takers.note(client, Some(entry.takes));
        self.reservations.note_client(client, Some(role));
        client
    }

    /// Brings a client in line with what is said of it and its framework.
    fn update_client(&mut self, client: u32) {
        let entry = self.clients.at(client);
        let framework = self.frameworks.at(entry.framework.slot);
        let active = framework.active && entry.subscribed && !entry.suppressed;
        if self.active.has(client) == active {
            return;
        }
        self.active.put(client, active);
        self.tree.set_active(entry.node, active);
        if active {
            self.wake(client);
        } else {
            self.woken.unset(client);
        }
    }

    pub(super) fn wake(&mut self, client: u32) {
        assert!(self.active.has(client), "only who takes part can be woken");
        self.woken.set(client);
        self.urgent = true;
    }

    fn forget_filters(&mut self, client: u32) -> bool {
        let filtered = core::mem::take(&mut self.clients.at_mut(client).filtered);
        for slot in filtered.iter() {
            self.agents.at_mut(slot).filters.remove_client(client);
        }
        !filtered.is_empty()
    }

    /// Drops a client that neither takes part nor holds anything.
    pub(super) fn drop_if_idle(&mut self, client: u32) {
        let entry = self.clients.at(client);
        if !entry.subscribed && self.tree.nodes.at(entry.node).allocated.is_zero() {
            self.drop_client(client);
        }
    }

    fn drop_client(&mut self, client: u32) {
        assert!(!self.active.has(client), "deactivated first");
        self.forget_filters(client);
        let removed = self.clients.remove(client);
        self.tree.remove_client(removed.node, &removed.role);
        self.reservations.note_client(client, None);
        self.quota.forget_client(client, removed.bound);
        self.quota.moved = true;
        self.takers.note(client, None);
        let framework = self.frameworks.at_mut(removed.framework.slot);
        framework.clients.retain(|(_, other)| *other != client);
    }
}

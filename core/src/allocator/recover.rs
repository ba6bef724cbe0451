//! What comes back, and for how long it is not wanted again.

use super::agent::NOBODY;
use super::{AgentIndex, Allocator, AllocatorError, FrameworkIndex, filter};
use crate::resources::{Resources, Role};
use crate::time::Time;
use core::time::Duration;

impl Allocator {
    /// Takes back what `framework` was handed in `role`: an offer that was declined or rescinded,
    /// the unused part of one that was accepted, or what a task that ended has used. A framework
    /// that was removed meanwhile may still be named.
    ///
    /// `refuse` is how long the framework does not want to see this again, for a decline (Mesos'
    /// default is 5 s, which the caller gives); at least one allocation interval, unless it is
    /// zero. The filter hides what is free as long as that is no more than `resources`.
    ///
    /// # Errors
    /// When the agent is gone (then there is nothing to take back), or the framework does not hold
    /// so much.
    pub fn recover_resources(
        &mut self,
        now: Time,
        framework: FrameworkIndex,
        role: &Role,
        agent: AgentIndex,
        resources: Resources,
        refuse: Option<Duration>,
    ) -> Result<(), AllocatorError> {
        let slot = self.agent_slot(agent)?;
        let resources = unmarked(resources);
        let client = match self.framework_slot(framework) {
            Ok(slot) => self.frameworks.at(slot).client(role),
            Err(_) => None,
        };
        let refused = refuse.filter(|refuse| !refuse.is_zero() && !resources.is_empty());
        self.release(slot, client, &resources)?;
        if let (Some(client), Some(refuse)) = (client, refused) {
            self.refuse(now, client, slot, &resources, refuse);
        }
        if let Some(client) = client {
            self.drop_if_idle(client);
        }
        self.touch(slot);
        Ok(())
    }

    fn release(
        &mut self,
        slot: u32,
        client: Option<u32>,
        resources: &Resources,
    ) -> Result<(), AllocatorError> {
        let quantities = resources.exclusive().quantities();
        let entry = self.agents.at_mut(slot);
        let (holder, generation) = match client {
            Some(client) => (client, self.clients.generation(client)),
            None => {
                entry.orphan(|client, generation| self.clients.is_live(client, generation));
                (NOBODY, 0)
            }
        };
        if !entry.holds(holder, generation, &quantities) {
            return Err(AllocatorError::NotHeld(entry.ledger.id.clone()));
        }
        entry.put_back(resources, &quantities)?;
        entry.release(holder, generation, &quantities);
        if let Some(client) = client {
            self.tree
                .discharge(self.clients.at(client).node, &quantities);
        }
        Ok(())
    }

    fn refuse(
        &mut self,
        now: Time,
        client: u32,
        slot: u32,
        resources: &Resources,
        refuse: Duration,
    ) {
        let entry = self.clients.at_mut(client);
        if !self.frameworks.at(entry.framework.slot).active || !entry.subscribed {
            return;
        }
        let refuse = refuse.max(self.options.allocation_interval);
        let expires = filter::expiry(now, refuse);
        let filters = &mut self.agents.at_mut(slot).filters;
        if filters.insert(client, resources, expires, self.cycle) {
            self.expiries.insert((expires, slot));
        }
        entry.filtered.set(slot);
    }
}

/// The same, not marked as allocated to anybody.
pub(super) fn unmarked(resources: Resources) -> Resources {
    if resources.iter().any(|item| item.kind.allocation.is_some()) {
        return resources.unallocated();
    }
    resources
}

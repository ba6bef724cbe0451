//! Frameworks, and the roles in which they take part.

use super::bits::Bits;
use super::slots::Slots;
use super::takes::Takes;
use crate::ids::FrameworkId;
use crate::resources::Role;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// Names a framework to the allocator; given by
/// [`Allocator::add_framework`](super::Allocator::add_framework), never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FrameworkIndex {
    pub(super) slot: u32,
    pub(super) generation: u32,
}

/// A framework.
#[derive(Clone, Debug)]
pub(super) struct Framework {
    pub(super) id: FrameworkId,
    pub(super) active: bool,
    pub(super) takes: Takes,
    /// Its clients, by role. Few frameworks have more than a handful.
    pub(super) clients: Vec<(Role, u32)>,
}

impl Framework {
    pub(super) fn client(&self, role: &Role) -> Option<u32> {
        let found = self.clients.iter().find(|(other, _)| other == role);
        found.map(|(_, client)| *client)
    }
}

/// One framework in one role: what resources are handed to.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) framework: FrameworkIndex,
    pub(super) role: Role,
    /// Its leaf in the tree.
    pub(super) node: u32,
    /// The framework asked for this role; if not, it only uses what it still has.
    pub(super) subscribed: bool,
    pub(super) suppressed: bool,
    /// Under whose quota it is.
    pub(super) bound: u32,
    /// Agents on which it may have filters; those on which it has are all here.
    pub(super) filtered: Bits,
}

/// Which clients may have what is reserved for a role, for every role that some agent reserves.
#[derive(Clone, Debug)]
pub(super) struct Reservations {
    entries: Slots<Reserved>,
    by_role: BTreeMap<Role, u32>,
}

#[derive(Clone, Debug)]
struct Reserved {
    role: Role,
    agents: u32,
    clients: Bits,
}

impl Reservations {
    pub(super) const fn new() -> Reservations {
        Reservations {
            entries: Slots::new(),
            by_role: BTreeMap::new(),
        }
    }

    /// One more agent reserves for `role`.
    pub(super) fn add(&mut self, role: &Role, clients: &Slots<Client>) -> u32 {
        if let Some(slot) = self.by_role.get(role) {
            self.entries.at_mut(*slot).agents += 1;
            return *slot;
        }
        let mut covered = Bits::new();
        for (client, entry) in clients.iter() {
            covered.put(client, role.covers(&entry.role));
        }
        let (slot, _) = self.entries.insert(Reserved {
            role: role.clone(),
            agents: 1,
            clients: covered,
        });
        self.by_role.insert(role.clone(), slot);
        slot
    }

    /// One agent less does.
    pub(super) fn remove(&mut self, slot: u32) {
        let entry = self.entries.at_mut(slot);
        assert!(entry.agents > 0, "added once for each removal");
        entry.agents -= 1;
        if entry.agents == 0 {
            let removed = self.entries.remove(slot);
            self.by_role.remove(&removed.role);
        }
    }

    pub(super) fn clients(&self, slot: u32) -> &Bits {
        &self.entries.at(slot).clients
    }

    /// Notes that `client` came (with its role) or went.
    pub(super) fn note_client(&mut self, client: u32, role: Option<&Role>) {
        for slot in self.by_role.values() {
            let entry = self.entries.at_mut(*slot);
            let covered = role.is_some_and(|role| entry.role.covers(role));
            entry.clients.put(client, covered);
        }
    }
}

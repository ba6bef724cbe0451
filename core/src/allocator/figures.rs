//! Figures for people and tools. Reading them changes nothing.

use super::Allocator;
use super::quota::recounted;
use crate::resources::{Quantities, Role};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// What the allocator can say of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// How many cycles were run.
    pub runs: u64,
    /// The roles that somebody takes part in or holds something for, with those above them.
    pub roles: Vec<RoleFigures>,
}

/// What the allocator can say of a role.
#[derive(Clone, Debug, PartialEq)]
pub struct RoleFigures {
    /// Which.
    pub role: Role,
    /// Its weighted dominant share.
    pub share: f64,
    /// On how many agents its frameworks have refused something, added up.
    pub filters: u64,
    /// What it and those below it hold, offered or in use.
    pub held: Quantities,
    /// What it and those below it hold, and what is reserved for them and free.
    pub consumed: Quantities,
}

impl Allocator {
    /// How many cycles were run.
    #[must_use]
    pub const fn runs(&self) -> u64 {
        self.cycle
    }

    /// All figures. Costs a look at every client, and one at every agent while no role has quota
    /// and something is reserved.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let mut filters: BTreeMap<&Role, u64> = BTreeMap::new();
        for (_, client) in self.clients.iter() {
            *filters.entry(&client.role).or_default() += u64::from(client.filtered.count());
        }
        let counted;
        let reserved = if self.quota.is_on() {
            &self.quota.reserved
        } else {
            let has_any = |agent: &super::agent::Agent| !agent.reserved.is_empty();
            let any = self.agents.iter().any(|(_, agent)| has_any(agent));
            counted = if any {
                recounted(&self.agents).1
            } else {
                Default::default()
            };
            &counted
        };
        let roles = self.tree.roles.keys().map(|role| {
            let held = self.tree.held_by(role).cloned().unwrap_or_default();
            let mut consumed = held.clone();
            if let Some(reserved) = reserved.get(role) {
                consumed.add(reserved);
            }
            RoleFigures {
                role: role.clone(),
                share: self.tree.role_share(role).unwrap_or_default(),
                filters: filters.get(role).copied().unwrap_or_default(),
                held,
                consumed,
            }
        });
        Figures {
            runs: self.cycle,
            roles: roles.collect(),
        }
    }
}

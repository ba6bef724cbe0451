//! Roles as pages and tools show them: who takes part in each, and what it has.

use super::classic::amounts::counted;
use super::cluster::Cluster;
use std::collections::BTreeMap;
use tepui_core::ids::FrameworkId;
use tepui_core::resources::{Quantities, Resource, Resources, Role};

/// What is known of one role.
#[derive(Clone, Debug, Default)]
pub struct RoleSums {
    /// The frameworks that take part in it, by id.
    pub frameworks: Vec<FrameworkId>,
    /// What tasks and executors use for it.
    pub allocated: Quantities,
    /// What is offered for it.
    pub offered: Quantities,
    /// What is reserved for it and the roles below it.
    pub reserved: Quantities,
    /// What counts against its quota, with the roles below it: all that is reserved, and what is
    /// used of the rest.
    pub consumed: Quantities,
}

impl RoleSums {
    /// What it has, used or offered.
    #[must_use]
    pub fn resources(&self) -> Quantities {
        let mut both = self.allocated.clone();
        both.add(&self.offered);
        both
    }
}

/// Every role that a framework, a reservation, a weight or a quota names, with those above it.
#[must_use]
pub fn all(cluster: &Cluster) -> BTreeMap<Role, RoleSums> {
    let mut roles: BTreeMap<Role, RoleSums> = BTreeMap::new();
    for framework in &cluster.snapshot.frameworks {
        for role in &framework.info.roles {
            let id = framework.info.id.iter().cloned();
            of(&mut roles, role).frameworks.extend(id);
        }
    }
    let set = cluster.settings.weights.keys();
    for role in set.chain(cluster.settings.quotas.keys()) {
        of(&mut roles, role);
    }
    let agents = cluster.snapshot.agents.iter().zip(&cluster.agents);
    for (agent, held) in agents {
        add_reserved(&mut roles, &agent.total);
        add_held(&mut roles, &held.used, true);
        add_held(&mut roles, &held.offered, false);
    }
    roles
}

/// The role and those above it become known.
fn of<'a>(roles: &'a mut BTreeMap<Role, RoleSums>, role: &Role) -> &'a mut RoleSums {
    let mut above = role.parent();
    while let Some(parent) = above {
        above = parent.parent();
        roles.entry(parent).or_default();
    }
    roles.entry(role.clone()).or_default()
}

/// Adds to the role and those above it.
fn add_up(roles: &mut BTreeMap<Role, RoleSums>, role: &Role, add: impl Fn(&mut RoleSums)) {
    add(of(roles, role));
    let mut above = role.parent();
    while let Some(parent) = above {
        above = parent.parent();
        add(of(roles, &parent));
    }
}

fn add_reserved(roles: &mut BTreeMap<Role, RoleSums>, total: &Resources) {
    for item in total.iter() {
        let Some(role) = item.kind.reserved_role() else {
            continue;
        };
        let amount = counted([item].into_iter());
        add_up(roles, role, |sums| {
            sums.reserved.add(&amount);
            sums.consumed.add(&amount);
        });
    }
}

fn add_held(roles: &mut BTreeMap<Role, RoleSums>, held: &Resources, used: bool) {
    for item in held.iter() {
        let Some(role) = item.kind.allocation.clone() else {
            continue;
        };
        let amount = counted([item].into_iter());
        let unreserved = is_unreserved(item);
        add_up(roles, &role, |sums| match used {
            false => sums.offered.add(&amount),
            true => {
                sums.allocated.add(&amount);
                if unreserved {
                    sums.consumed.add(&amount);
                }
            }
        });
    }
}

fn is_unreserved(item: &Resource) -> bool {
    item.kind.reservations.is_empty() && !item.kind.revocable
}

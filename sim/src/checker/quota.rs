//! Limits of quota, checked against sums of the leader's own tasks, reservations and offers, which
//! owe nothing to the allocator's.

use super::Broken;
use std::collections::{BTreeMap, BTreeSet};
use tepui_core::master::leading::Leading;
use tepui_core::model::Offer;
use tepui_core::resources::{Quantities, Resources, Role, Value};

/// What was offered since the last look.
#[derive(Debug, Default)]
pub struct QuotaChecker {
    /// Names of resources, by top-level role.
    offered: BTreeMap<Role, BTreeSet<String>>,
}

impl QuotaChecker {
    /// A master offers something.
    pub fn on_offer(&mut self, offer: &Offer) {
        let bounded = bounded(&offer.resources);
        let names = bounded.iter().map(|(name, _)| name.to_owned());
        let role = self.offered.entry(offer.role.top()).or_default();
        role.extend(names);
    }

    /// The leader has handled an input.
    ///
    /// # Errors
    /// When a role was offered something of which it has more, with its offers, than its limit.
    pub fn on_handled(&mut self, leading: &Leading) -> Result<(), Broken> {
        let offered = std::mem::take(&mut self.offered);
        let quotas = &leading.operator_state().quotas;
        if offered.is_empty() || quotas.values().all(|quota| quota.limits.is_empty()) {
            return Ok(());
        }
        let views = leading.roles();
        for view in views.iter().filter(|view| !view.quota.limits.is_empty()) {
            let Some(names) = offered.get(&view.role) else {
                continue;
            };
            let mut has = view.consumed.clone();
            for (_, offer) in leading.standing_offers() {
                if view.role.covers(&offer.role) {
                    has.add(&bounded(&offer.resources));
                }
            }
            let limits = &view.quota.limits;
            let beyond = names.iter().find(|name| {
                let limit = limits.milli(name);
                limit.is_some_and(|limit| has.milli(name) > limit)
            });
            let invariant = "operators.offers-are-within-limits";
            Broken::unless(beyond.is_none(), invariant, || {
                format!("{} has {has}, offers included, limits {limits}", view.role)
            })?;
        }
        Ok(())
    }
}

/// What limits apply to: amounts that are reserved for nobody and stay.
fn bounded(resources: &Resources) -> Quantities {
    let mut sum = Quantities::ZERO;
    for item in resources {
        if let Value::Scalar(amount) = item.value
            && item.kind.reservations.is_empty()
            && !item.kind.revocable
        {
            sum.add_milli(&item.kind.name, amount.milli());
        }
    }
    sum
}

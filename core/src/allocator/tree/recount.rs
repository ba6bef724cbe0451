//! The slow recomputation, kept as an invariant.

use super::{NodeKind, ROOT, Tree};
use crate::allocator::share::Share;
use crate::resources::Quantities;
use core::cmp::Ordering;

impl Tree {
    /// What `node` should hold, by adding up the leaves below it.
    pub(in crate::allocator) fn recount(&self, node: u32) -> Quantities {
        let entry = self.nodes.at(node);
        if matches!(entry.kind, NodeKind::Client(_)) {
            return entry.allocated.clone();
        }
        let mut sum = Quantities::ZERO;
        for child in &entry.children {
            sum.add(&self.recount(*child));
        }
        sum
    }

    /// Whether share and order of `node` are what sorting from scratch would give. Only what is
    /// marked for the next cycle may differ.
    pub(in crate::allocator) fn is_in_order(&self, node: u32) -> bool {
        let entry = self.nodes.at(node);
        let fresh = Share::of(&entry.allocated, &self.totals, entry.weight);
        let standing = &self.standings[node as usize];
        let share = standing.share.compare_exactly(&fresh) == Ordering::Equal;
        let next = entry.order.iter().skip(1);
        let sorted = entry.order.iter().zip(next).all(|(a, b)| {
            let (a, b) = (self.standings[*a as usize], self.standings[*b as usize]);
            a.compare(&b) == Ordering::Less
        });
        let active = entry
            .children
            .iter()
            .filter(|child| self.nodes.at(**child).active > 0);
        let complete = active.clone().all(|child| entry.order.contains(child))
            && active.count() == entry.order.len();
        // The root competes with nobody, so its share is never looked at.
        (share || node == ROOT || entry.stale || self.totals_changed)
            && (sorted || entry.unsorted || self.totals_changed)
            && complete
    }
}

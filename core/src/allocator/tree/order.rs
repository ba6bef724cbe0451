//! Who is served next.

use super::{NodeKind, ROOT, Tree};
use crate::allocator::bits::Bits;
use crate::allocator::share::Share;
use crate::resources::Quantities;
use alloc::collections::VecDeque;
use core::cmp::Ordering;

/// A walk meets about one eligible client in so many, or comparing those there are is faster.
const WALK_WORTH: u32 = 16;

impl Tree {
    /// Brings every share and order up to date, as a cycle needs them.
    pub(in crate::allocator) fn refresh(&mut self) {
        let mut stale = core::mem::take(&mut self.stale);
        if self.totals_changed {
            stale.clear();
            stale.extend(self.nodes.iter().map(|(node, _)| node));
        }
        for node in stale.drain(..) {
            // A marked node may have been removed since, and its slot may be another's.
            if self.nodes.find(node).is_some() {
                self.nodes.at_mut(node).stale = false;
                self.update_share(node);
                if self.totals_changed {
                    self.mark_unsorted(node);
                }
            }
        }
        self.totals_changed = false;
        self.stale = stale;
        let mut unsorted = core::mem::take(&mut self.unsorted);
        for node in unsorted.drain(..) {
            if self.nodes.find(node).is_some() {
                self.sort(node);
            }
        }
        self.unsorted = unsorted;
    }

    /// Whether every order is up to date.
    pub(in crate::allocator) fn is_sorted(&self) -> bool {
        !self.totals_changed && self.unsorted.is_empty()
    }

    fn update_share(&mut self, node: u32) {
        let entry = self.nodes.at(node);
        let share = Share::of(&entry.allocated, &self.totals, entry.weight);
        self.standings[node as usize].share = share;
    }

    fn sort(&mut self, node: u32) {
        let entry = self.nodes.at_mut(node);
        entry.unsorted = false;
        let standings = &self.standings;
        entry
            .order
            .make_contiguous()
            .sort_unstable_by(|a, b| standings[*a as usize].compare(&standings[*b as usize]));
    }

    /// Within a cycle: `leaf` was handed `more`; moves one entry per level to its new place.
    pub(in crate::allocator) fn hand_over(&mut self, leaf: u32, more: &Quantities) {
        let mut node = leaf;
        while node != ROOT {
            let entry = self.nodes.at_mut(node);
            entry.allocated.add(more);
            let parent = entry.parent;
            let siblings = self.nodes.at(parent).order.len();
            assert!(siblings > 0, "only who takes part is served");
            if siblings == 1 {
                // With nobody to be compared to, the share can wait for the next cycle.
                self.standings[node as usize].count += 1;
                self.postpone(node);
            } else {
                self.move_back(parent, node);
            }
            node = parent;
        }
        self.nodes.at_mut(ROOT).allocated.add(more);
    }

    /// Brings the share of `node`, which has grown, up to date, and its place with it.
    fn move_back(&mut self, parent: u32, node: u32) {
        let from = self.index_in(&self.nodes.at(parent).order, node);
        self.update_share(node);
        self.standings[node as usize].count += 1;
        let standing = self.standings[node as usize];
        let standings = &self.standings;
        let order = &mut self.nodes.at_mut(parent).order;
        order.remove(from);
        // Shares only grow within a cycle, but the search is short wherever it ends.
        let to = order.partition_point(|other| {
            standings[*other as usize].compare(&standing) == Ordering::Less
        });
        assert!(to >= from, "a larger share moves back");
        order.insert(to, node);
    }

    /// Where `node` stands; usually first.
    fn index_in(&self, order: &VecDeque<u32>, node: u32) -> usize {
        if order.front() == Some(&node) {
            return 0;
        }
        let standing = &self.standings[node as usize];
        let at = order.partition_point(|other| {
            self.standings[*other as usize].compare(standing) == Ordering::Less
        });
        assert_eq!(
            order.get(at),
            Some(&node),
            "the order is sorted, and strict"
        );
        at
    }

    /// The client to serve next, among all that are active.
    pub(in crate::allocator) fn first(&self) -> Option<u32> {
        let mut node = self.nodes.at(ROOT);
        // Each step goes one level down, and the depth of a role is bounded by its length.
        loop {
            node = self.nodes.at(*node.order.front()?);
            if let NodeKind::Client(client) = node.kind {
                return Some(client);
            }
        }
    }

    /// The client to serve next, among `eligible`, all of which are active.
    pub(in crate::allocator) fn first_of(&self, eligible: &Bits) -> Option<u32> {
        match eligible.count() {
            0 => None,
            few if few < self.nodes.at(ROOT).active / WALK_WORTH => self.least_of(eligible),
            _ => self.walk(ROOT, eligible),
        }
    }

    /// Good where most are eligible: the first in order that is.
    pub(in crate::allocator) fn walk(&self, node: u32, eligible: &Bits) -> Option<u32> {
        let entry = self.nodes.at(node);
        if let NodeKind::Client(client) = entry.kind {
            return eligible.has(client).then_some(client);
        }
        let mut children = entry.order.iter();
        children.find_map(|child| self.walk(*child, eligible))
    }

    /// Good where few are eligible: the first of them in order.
    pub(in crate::allocator) fn least_of(&self, eligible: &Bits) -> Option<u32> {
        eligible
            .iter()
            .reduce(|best, client| match self.compare_clients(client, best) {
                Ordering::Less => client,
                _ => best,
            })
    }

    /// Which of two clients the walk meets first: decided where their paths part.
    fn compare_clients(&self, a: u32, b: u32) -> Ordering {
        let (mut a, mut b) = (self.leaves[a as usize], self.leaves[b as usize]);
        if a == b {
            return Ordering::Equal;
        }
        while self.nodes.at(a).depth > self.nodes.at(b).depth {
            a = self.nodes.at(a).parent;
        }
        while self.nodes.at(b).depth > self.nodes.at(a).depth {
            b = self.nodes.at(b).parent;
        }
        while self.nodes.at(a).parent != self.nodes.at(b).parent {
            (a, b) = (self.nodes.at(a).parent, self.nodes.at(b).parent);
        }
        assert_ne!(a, b, "no client lies below another");
        self.standings[a as usize].compare(&self.standings[b as usize])
    }
}

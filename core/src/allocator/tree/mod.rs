//! The role tree, with the frameworks as its leaves, sorted by share at every level.
//!
//! Hierarchical DRF: whoever is served next is found by stepping, from the root, into the child
//! with the smallest weighted dominant share (ties: served less often, then by name). A role that
//! has both frameworks and sub-roles competes with its sub-roles through a leaf of its own, `.`.
//! A hand-over changes one path, so each level moves one entry; what changes between cycles is
//! only marked, and sorted once when the next cycle begins.

use super::share::{Share, Totals};
use super::slots::Slots;
use crate::resources::{Quantities, Role, Scalar};
use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;

mod order;
mod recount;

/// The root's slot.
const ROOT: u32 = 0;

/// What a node stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::allocator) enum NodeKind {
    /// A role or a part of its path; also the root.
    Role,
    /// A role's own frameworks, as opposed to those of its sub-roles.
    Own,
    /// One framework in one role.
    Client(u32),
}

#[derive(Clone, Debug)]
pub(in crate::allocator) struct Node {
    pub(in crate::allocator) kind: NodeKind,
    pub(in crate::allocator) parent: u32,
    depth: u32,
    name: Arc<str>,
    weight: Scalar,
    pub(in crate::allocator) allocated: Quantities,
    /// All, by name.
    children: Vec<u32>,
    /// Those with active clients below, next to be served first. Whoever is served moves from the
    /// front to somewhere near the back, which a ring does without moving the rest.
    pub(in crate::allocator) order: VecDeque<u32>,
    /// How many active clients are here or below.
    pub(in crate::allocator) active: u32,
    /// [`Node::order`] must be sorted before it is used.
    unsorted: bool,
    /// The share must be computed before it is used.
    stale: bool,
}

/// What comparisons read, apart from the rest so that it stays in the cache.
#[derive(Clone, Copy, Debug)]
pub(in crate::allocator) struct Standing {
    pub(in crate::allocator) share: Share,
    /// How often something was handed over, ever: ties go to whoever got least often
    /// (MESOS-1086: under churn they always went to the same framework).
    pub(in crate::allocator) count: u64,
    /// Place among the siblings by name.
    rank: u32,
}

impl Standing {
    fn compare(&self, other: &Standing) -> Ordering {
        let by_share = self.share.compare(&other.share);
        let by_count = || self.count.cmp(&other.count);
        by_share
            .then_with(by_count)
            .then_with(|| self.rank.cmp(&other.rank))
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub(in crate::allocator) struct Tree {
    pub(in crate::allocator) nodes: Slots<Node>,
    pub(in crate::allocator) standings: Vec<Standing>,
    pub(in crate::allocator) roles: BTreeMap<Role, u32>,
    weights: BTreeMap<Role, Scalar>,
    pub(in crate::allocator) totals: Totals,
    totals_changed: bool,
    unsorted: Vec<u32>,
    stale: Vec<u32>,
    /// The node of each client.
    leaves: Vec<u32>,
}

const ONE: Scalar = Scalar::from_units(1);

impl Tree {
    pub(in crate::allocator) fn new() -> Tree {
        let mut tree = Tree {
            nodes: Slots::new(),
            standings: Vec::new(),
            roles: BTreeMap::new(),
            weights: BTreeMap::new(),
            totals: Totals::default(),
            totals_changed: false,
            unsorted: Vec::new(),
            stale: Vec::new(),
            leaves: Vec::new(),
        };
        let root = tree.insert(NodeKind::Role, ROOT, Arc::from(""), ONE);
        assert_eq!(root, ROOT, "the root comes first");
        tree
    }

    fn insert(&mut self, kind: NodeKind, parent: u32, name: Arc<str>, weight: Scalar) -> u32 {
        let depth = self.nodes.find(parent).map_or(0, |parent| parent.depth + 1);
        let (node, _) = self.nodes.insert(Node {
            kind,
            parent,
            depth,
            name,
            weight,
            allocated: Quantities::ZERO,
            children: Vec::new(),
            order: VecDeque::new(),
            active: 0,
            unsorted: false,
            stale: false,
        });
        let standing = Standing {
            share: Share::nothing(weight),
            count: 0,
            rank: 0,
        };
        match self.standings.get_mut(node as usize) {
            Some(old) => *old = standing,
            None => self.standings.push(standing),
        }
        assert!(
            self.standings.len() > node as usize,
            "one standing per node"
        );
        if node != ROOT {
            let at = self.place(parent, &self.nodes.at(node).name);
            let at = at.expect_err("siblings have different names");
            self.nodes.at_mut(parent).children.insert(at, node);
            self.rank_from(parent, at);
        }
        node
    }

    fn place(&self, parent: u32, name: &str) -> Result<usize, usize> {
        let children = &self.nodes.at(parent).children;
        children.binary_search_by(|child| (*self.nodes.at(*child).name).cmp(name))
    }

    /// Renumbering keeps the order of the siblings, so nothing needs sorting.
    fn rank_from(&mut self, parent: u32, first: usize) {
        let children = &self.nodes.at(parent).children;
        for (rank, child) in children.iter().enumerate().skip(first) {
            self.standings[*child as usize].rank = rank as u32;
        }
    }

    /// The child of `parent` called `name`, made if it is missing.
    fn child(&mut self, kind: NodeKind, parent: u32, name: &str, weight: Scalar) -> u32 {
        match self.place(parent, name) {
            Ok(at) => self.nodes.at(parent).children[at],
            Err(_) => self.insert(kind, parent, Arc::from(name), weight),
        }
    }

    fn role_node(&mut self, role: &Role) -> u32 {
        if let Some(node) = self.roles.get(role) {
            return *node;
        }
        let parent = match role.parent() {
            Some(parent) => self.role_node(&parent),
            None => ROOT,
        };
        let weight = self.weights.get(role).copied().unwrap_or(ONE);
        let name = role.parts().last().expect("a role has at least one part");
        let node = self.child(NodeKind::Role, parent, name, weight);
        self.roles.insert(role.clone(), node);
        node
    }

    /// Adds the leaf of framework `name` in `role`; inactive at first.
    pub(in crate::allocator) fn add_client(&mut self, client: u32, role: &Role, name: &str) -> u32 {
        let role_node = self.role_node(role);
        let own = self.child(NodeKind::Own, role_node, ".", ONE);
        let node = self.insert(NodeKind::Client(client), own, Arc::from(name), ONE);
        if self.leaves.len() <= client as usize {
            self.leaves.resize(client as usize + 1, ROOT);
        }
        self.leaves[client as usize] = node;
        node
    }

    /// Removes an inactive leaf, with what it holds, and roles that are empty then.
    pub(in crate::allocator) fn remove_client(&mut self, node: u32, role: &Role) {
        assert_eq!(self.nodes.at(node).active, 0, "deactivated first");
        let held = self.nodes.at(node).allocated.clone();
        self.discharge(node, &held);
        let own = self.nodes.at(node).parent;
        self.remove(node);
        if self.nodes.at(own).children.is_empty() {
            self.remove(own);
        }
        let mut role = Some(role.clone());
        while let Some(at) = role {
            let node = self.roles[&at];
            if !self.nodes.at(node).children.is_empty() {
                return;
            }
            self.remove(node);
            self.roles.remove(&at);
            role = at.parent();
        }
    }

    fn remove(&mut self, node: u32) {
        let removed = self.nodes.remove(node);
        assert!(removed.children.is_empty(), "leaves go first");
        assert!(removed.allocated.is_zero(), "discharged first");
        let at = self.place_of(removed.parent, node);
        self.nodes.at_mut(removed.parent).children.remove(at);
        self.rank_from(removed.parent, at);
    }

    fn place_of(&self, parent: u32, node: u32) -> usize {
        let at = self.standings[node as usize].rank as usize;
        let there = self.nodes.at(parent).children.get(at);
        assert_eq!(there, Some(&node), "ranks follow the children");
        at
    }

    /// Sets a role's weight, for now and for when it comes to exist.
    pub(in crate::allocator) fn set_weight(&mut self, role: &Role, weight: Scalar) {
        assert!(!weight.is_zero(), "refused by the caller");
        self.weights.insert(role.clone(), weight);
        if let Some(node) = self.roles.get(role).copied() {
            self.nodes.at_mut(node).weight = weight;
            self.mark_stale(node);
        }
    }

    /// Lets a leaf take part, or not.
    pub(in crate::allocator) fn set_active(&mut self, leaf: u32, active: bool) {
        let is_leaf = matches!(self.nodes.at(leaf).kind, NodeKind::Client(_));
        assert!(is_leaf, "only frameworks take part");
        assert_ne!(self.nodes.at(leaf).active == 1, active, "a change");
        let step = |count: u32| if active { count + 1 } else { count - 1 };
        let mut node = leaf;
        while node != ROOT {
            let entry = self.nodes.at_mut(node);
            let (before, parent) = (entry.active, entry.parent);
            entry.active = step(before);
            if before == 0 {
                self.nodes.at_mut(parent).order.push_back(node);
                self.mark_unsorted(parent);
            } else if before == 1 && !active {
                self.nodes
                    .at_mut(parent)
                    .order
                    .retain(|other| *other != node);
            }
            node = parent;
        }
        let root = self.nodes.at_mut(ROOT);
        root.active = step(root.active);
    }

    /// Whether sums that include `more` would still fit 64 bits. What is allocated, now or ever, is
    /// at most the totals and what is allocated beyond them.
    pub(in crate::allocator) fn can_count(&self, more: &Quantities) -> bool {
        let allocated = &self.nodes.at(ROOT).allocated;
        let all = self.totals.quantities().checked_add(allocated);
        all.is_some_and(|all| all.checked_add(more).is_some())
    }

    /// Changes what the cluster has. Every share changes with it.
    pub(in crate::allocator) fn change_totals(&mut self, more: &Quantities, less: &Quantities) {
        self.totals.change(more, less);
        self.totals_changed = true;
    }

    fn mark_unsorted(&mut self, node: u32) {
        let entry = self.nodes.at_mut(node);
        if !entry.unsorted {
            entry.unsorted = true;
            self.unsorted.push(node);
        }
    }

    fn mark_stale(&mut self, node: u32) {
        self.postpone(node);
        self.mark_unsorted(self.nodes.at(node).parent);
    }

    /// Leaves the share of `node`, but not its order, to the next [`Tree::refresh`].
    fn postpone(&mut self, node: u32) {
        let entry = self.nodes.at_mut(node);
        if !entry.stale {
            entry.stale = true;
            self.stale.push(node);
        }
    }

    /// Between cycles: `leaf` holds `more` now.
    pub(in crate::allocator) fn charge(&mut self, leaf: u32, more: &Quantities) {
        let mut node = leaf;
        while node != ROOT {
            self.nodes.at_mut(node).allocated.add(more);
            self.mark_stale(node);
            node = self.nodes.at(node).parent;
        }
        self.nodes.at_mut(ROOT).allocated.add(more);
    }

    /// Between cycles: `leaf` holds `less` less.
    pub(in crate::allocator) fn discharge(&mut self, leaf: u32, less: &Quantities) {
        if less.is_zero() {
            return;
        }
        let mut node = leaf;
        while node != ROOT {
            self.nodes.at_mut(node).allocated.sub(less);
            self.mark_stale(node);
            node = self.nodes.at(node).parent;
        }
        self.nodes.at_mut(ROOT).allocated.sub(less);
    }

    /// What a role and those below it hold; none for a role that nobody is in.
    pub(in crate::allocator) fn held_by(&self, role: &Role) -> Option<&Quantities> {
        let node = self.roles.get(role)?;
        Some(&self.nodes.at(*node).allocated)
    }

    /// A role's weighted dominant share, for people.
    pub(in crate::allocator) fn role_share(&self, role: &Role) -> Option<f64> {
        let entry = self.nodes.at(*self.roles.get(role)?);
        Some(Share::of(&entry.allocated, &self.totals, entry.weight).to_f64())
    }
}

//! Who cannot reach whom. A cut costs one bit in two words per node, so that asking about a
//! message is one `and`, whatever the size of the cluster.

use crate::node::NodeIndex;

/// The most cuts at once; one symmetric partition takes two.
pub const CUTS_MAX: u32 = 128;

/// Names a cut, to be healed by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cut(u32);

/// All cuts that hold now.
#[derive(Debug, Default)]
pub struct Partitions {
    /// Bit `c` of a node's words: in cut `c`, this node is one of those that are not heard, or
    /// one of those that do not hear them.
    unheard: Vec<u128>,
    deaf: Vec<u128>,
    used: u128,
}

impl Partitions {
    /// Makes room for one more node.
    pub fn add_node(&mut self) {
        self.unheard.push(0);
        self.deaf.push(0);
    }

    /// From now on nothing of `from` reaches any of `to`. `None` when there are too many cuts.
    pub fn cut(&mut self, from: &[NodeIndex], to: &[NodeIndex]) -> Option<Cut> {
        let bit = (!self.used).trailing_zeros();
        if bit >= CUTS_MAX {
            return None;
        }
        let mask = 1 << bit;
        self.used |= mask;
        for node in from {
            self.unheard[node.slot()] |= mask;
        }
        for node in to {
            self.deaf[node.slot()] |= mask;
        }
        Some(Cut(bit))
    }

    /// Ends a cut.
    pub fn heal(&mut self, cut: Cut) {
        let mask = 1 << cut.0;
        assert!(self.used & mask != 0, "a cut is healed once");
        self.used &= !mask;
        for words in [&mut self.unheard, &mut self.deaf] {
            words.iter_mut().for_each(|word| *word &= !mask);
        }
    }

    /// Ends all cuts.
    pub fn heal_all(&mut self) {
        self.used = 0;
        self.unheard.fill(0);
        self.deaf.fill(0);
    }

    /// Whether nothing of `from` reaches `to` now.
    #[inline]
    #[must_use]
    pub fn blocks(&self, from: NodeIndex, to: NodeIndex) -> bool {
        self.used != 0 && self.unheard[from.slot()] & self.deaf[to.slot()] != 0 && from != to
    }

    /// How many cuts hold now.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.used.count_ones()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(list: &[u32]) -> Vec<NodeIndex> {
        list.iter().copied().map(NodeIndex).collect()
    }

    #[test]
    fn a_bridge_talks_to_both_sides_that_do_not_hear_each_other() {
        let mut net = Partitions::default();
        (0..5).for_each(|_| net.add_node());
        let (left, right) = (nodes(&[0, 1]), nodes(&[3, 4]));
        let cuts = [net.cut(&left, &right), net.cut(&right, &left)];
        assert!(net.blocks(NodeIndex(0), NodeIndex(4)) && net.blocks(NodeIndex(3), NodeIndex(1)));
        assert!(!net.blocks(NodeIndex(0), NodeIndex(2)) && !net.blocks(NodeIndex(2), NodeIndex(4)));
        assert!(!net.blocks(NodeIndex(0), NodeIndex(1)));
        cuts.into_iter().flatten().for_each(|cut| net.heal(cut));
        assert!(!net.blocks(NodeIndex(0), NodeIndex(4)));
        assert_eq!(net.count(), 0);
    }

    #[test]
    fn one_way_means_one_way_and_cuts_do_not_heal_each_other() {
        let mut net = Partitions::default();
        (0..3).for_each(|_| net.add_node());
        let one = net.cut(&nodes(&[0]), &nodes(&[1])).expect("room");
        let two = net.cut(&nodes(&[0]), &nodes(&[1, 2])).expect("room");
        assert!(!net.blocks(NodeIndex(1), NodeIndex(0)));
        net.heal(one);
        assert!(net.blocks(NodeIndex(0), NodeIndex(1)));
        net.heal(two);
        assert!(!net.blocks(NodeIndex(0), NodeIndex(1)));
    }
}

//! Partitions and clogs.

use super::{Planned, Run, Undo};
use crate::net::Cut;
use crate::node::{NodeIndex, Role};
use crate::scenario::{Clog, Direction, Partition, Target};
use crate::units::Chance;
use std::time::Duration;

impl Run<'_> {
    /// Cuts the network. False when there is nobody to cut.
    pub(super) fn part(&mut self, partition: &Partition, lasts: Option<Duration>) -> bool {
        let Some(groups) = self.groups(partition) else {
            return false;
        };
        let words: Vec<String> = groups
            .iter()
            .map(|(from, to)| format!("{} -/-> {}", self.names(from), self.names(to)))
            .collect();
        self.announce(&format!("partition: {}", words.join("; ")));
        let cuts = self.cut_all(&groups);
        self.later(lasts, Undo::Heal(cuts));
        true
    }

    pub(super) fn cut_all(&mut self, groups: &[(Vec<NodeIndex>, Vec<NodeIndex>)]) -> Vec<Cut> {
        let partitions = &mut self.world.net.partitions;
        let cuts = groups.iter();
        cuts.filter_map(|(from, to)| partitions.cut(from, to))
            .collect()
    }

    /// Who does not reach whom, by the partition's shape.
    fn groups(&mut self, p: &Partition) -> Option<Vec<(Vec<NodeIndex>, Vec<NodeIndex>)>> {
        if let Some(target) = &p.isolate {
            let inside = some(self.resolve(target))?;
            let outside = some(self.against(p.against.as_ref(), &inside))?;
            return Some(directed(&inside, &outside, p.direction));
        }
        if let Some(target) = &p.scatter {
            let nodes = some(self.resolve(target))?;
            let outside = self.against(p.against.as_ref(), &nodes);
            let each = nodes.iter().flat_map(|node| {
                let mut others = outside.clone();
                others.extend(nodes.iter().filter(|other| *other != node));
                directed(&[*node], &others, p.direction)
            });
            return Some(each.collect());
        }
        if let Some(target) = &p.halves {
            let nodes = some(self.resolve(target))?;
            let (a, b) = self.halves(nodes);
            return Some(directed(&a, &b, p.direction));
        }
        if let Some(target) = &p.bridge {
            let bridge = some(self.resolve(target))?;
            let masters = self.world.masters().to_vec();
            let others = masters.into_iter().filter(|node| !bridge.contains(node));
            let (a, b) = self.halves(others.collect());
            return Some(directed(&a, &b, Direction::Both));
        }
        if let Some(target) = &p.majorities_ring {
            let nodes = some(self.resolve(target))?;
            return Some(ring(&nodes));
        }
        let groups: Vec<Vec<NodeIndex>> = p
            .groups
            .iter()
            .flatten()
            .map(|target| self.resolve(target))
            .collect();
        let mut cuts = Vec::new();
        for (i, a) in groups.iter().enumerate() {
            for b in &groups[i + 1..] {
                cuts.extend(directed(a, b, Direction::Both));
            }
        }
        some(cuts)
    }

    fn against(&mut self, target: Option<&Target>, inside: &[NodeIndex]) -> Vec<NodeIndex> {
        let all = match target {
            Some(target) => self.resolve(target),
            None => self.everyone(),
        };
        let outside = all.into_iter();
        outside.filter(|node| !inside.contains(node)).collect()
    }

    pub(super) fn halves(&mut self, mut nodes: Vec<NodeIndex>) -> (Vec<NodeIndex>, Vec<NodeIndex>) {
        self.world.streams.faults.shuffle(&mut nodes);
        let b = nodes.split_off(nodes.len() / 2);
        (nodes, b)
    }

    /// Slows nodes down.
    pub(super) fn clog(&mut self, clog: &Clog, lasts: Option<Duration>) -> bool {
        let mut nodes = self.resolve(&clog.nodes);
        if nodes.is_empty() {
            return false;
        }
        let names = self.names(&nodes);
        self.announce(&format!("clogged: {names}"));
        let Some(apart) = clog.swizzle else {
            for node in &nodes {
                self.world.net.clog(*node, clog.delay.0);
            }
            self.later(lasts, Undo::Unclog(nodes));
            return true;
        };
        // One by one, and in another order back (FoundationDB's swizzle-clogging).
        let now = self.world.now;
        self.world.streams.faults.shuffle(&mut nodes);
        for (i, node) in (0_u32..).zip(&nodes) {
            let at = now + apart.0 * i;
            self.plan(at, Planned::ClogOne(*node, clog.delay.0));
        }
        let all_by = now + apart.0 * nodes.len() as u32 + lasts.unwrap_or(apart.0);
        self.world.streams.faults.shuffle(&mut nodes);
        for (i, node) in (0_u32..).zip(&nodes) {
            let at = all_by + apart.0 * i;
            self.plan(at, Planned::Undo(Undo::Unclog(vec![*node])));
        }
        true
    }

    /// All walls fall, all rules end, nothing is slow any more.
    pub(super) fn heal_network(&mut self) {
        self.world.net.heal_all();
        let held = self.world.net.rules.clear();
        self.world.send_held(held);
        self.world.net.config.loss = self.plan.network.loss;
        self.world.resume_stalled();
    }

    /// A tenth of the masters' datagrams is lost for a while.
    pub(super) fn lossy(&mut self, lasts: Duration) {
        self.announce("a tenth of all datagrams between masters is lost");
        self.world.net.config.loss = Chance::per_million(100_000);
        self.later(Some(lasts), Undo::Quiet);
    }

    /// Whether a master's replica could lose its disk without the log losing anything: all
    /// others are alive and vote.
    pub(super) fn may_lose_disk(&self, node: NodeIndex) -> bool {
        use crate::machine::SimNode;
        use tepui_core::log::Status;
        if self.world.node(node).role != Role::Master {
            return true;
        }
        let others = self.world.masters().iter().filter(|other| **other != node);
        let mut statuses = others.map(|other| match &self.world.node(*other).machine {
            Some(SimNode::Log(replica)) => replica.node.status() == Status::Voting,
            Some(SimNode::Master(master)) => master.log().status() == Status::Voting,
            _ => false,
        });
        self.world.masters().len() > 2 && statuses.all(|votes| votes)
    }
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn directed(
    inside: &[NodeIndex],
    outside: &[NodeIndex],
    direction: Direction,
) -> Vec<(Vec<NodeIndex>, Vec<NodeIndex>)> {
    let out = (inside.to_vec(), outside.to_vec());
    let back = (outside.to_vec(), inside.to_vec());
    match direction {
        Direction::Both => vec![out, back],
        Direction::Out => vec![out],
        Direction::In => vec![back],
    }
}

/// Every node hears only the majority that lies next to it on a ring (Jepsen).
fn ring(nodes: &[NodeIndex]) -> Vec<(Vec<NodeIndex>, Vec<NodeIndex>)> {
    let count = nodes.len();
    let reach = count / 2 / 2 + (count / 2) % 2;
    let near = |a: usize, b: usize| {
        let apart = a.abs_diff(b);
        apart.min(count - apart) <= reach
    };
    let each = nodes.iter().enumerate().map(|(i, node)| {
        let far = nodes.iter().enumerate().filter(|(j, _)| !near(i, *j));
        (vec![*node], far.map(|(_, other)| *other).collect())
    });
    each.filter(|(_, far): &(_, Vec<NodeIndex>)| !far.is_empty())
        .collect()
}

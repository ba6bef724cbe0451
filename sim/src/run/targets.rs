//! From the words of a scenario to nodes.

use super::Run;
use crate::node::{NodeIndex, Role};
use crate::scenario::Target;

impl Run<'_> {
    /// Whom a target means now. Empty when nobody fits, such as the leader while nobody leads.
    pub(super) fn resolve(&mut self, target: &Target) -> Vec<NodeIndex> {
        match target {
            Target::Leader => self.leader().into_iter().collect(),
            Target::Followers => self.followers(),
            Target::RandomFollower => {
                let all = self.followers();
                self.draw(all, 1)
            }
            Target::Named(name) => {
                let named = self.world.indices();
                named
                    .filter(|node| self.world.node(*node).name == *name)
                    .collect()
            }
            Target::Random(count, role) => {
                let all = self.all(*role);
                self.draw(all, *count as usize)
            }
            Target::Share(share, role) => {
                let all = self.all(*role);
                let count = (all.len() * *share as usize).div_ceil(100);
                self.draw(all, count)
            }
            Target::All(role) => self.all(*role),
            Target::Everyone => self.everyone(),
            Target::List(list) => {
                let mut all: Vec<NodeIndex> =
                    list.iter().flat_map(|one| self.resolve(one)).collect();
                all.sort_unstable();
                all.dedup();
                all
            }
        }
    }

    /// The master that leads, as far as the world can tell.
    pub(super) fn leader(&self) -> Option<NodeIndex> {
        self.world.observer.leading.map(|(node, _)| node)
    }

    fn followers(&self) -> Vec<NodeIndex> {
        let Some(leader) = self.leader() else {
            return Vec::new();
        };
        let masters = self.world.masters().iter().copied();
        masters.filter(|node| *node != leader).collect()
    }

    fn all(&self, role: Role) -> Vec<NodeIndex> {
        let nodes = self.world.indices();
        nodes
            .filter(|node| self.world.node(*node).role == role)
            .filter(|node| role != Role::Executor || self.world.node(*node).machine.is_some())
            .collect()
    }

    /// All processes on hosts of their own.
    pub(super) fn everyone(&self) -> Vec<NodeIndex> {
        let nodes = self.world.indices();
        nodes
            .filter(|node| self.world.node(*node).role != Role::Executor)
            .collect()
    }

    fn draw(&mut self, mut from: Vec<NodeIndex>, count: usize) -> Vec<NodeIndex> {
        self.world.streams.faults.shuffle(&mut from);
        from.truncate(count);
        from.sort_unstable();
        from
    }

    /// Names, for the timeline.
    pub(super) fn names(&self, nodes: &[NodeIndex]) -> String {
        const SHOWN: usize = 6;
        let shown = nodes.iter().take(SHOWN);
        let mut names: Vec<&str> = shown
            .map(|node| self.world.node(*node).name.as_str())
            .collect();
        let more = format!("and {} more", nodes.len().saturating_sub(SHOWN));
        if nodes.len() > SHOWN {
            names.push(&more);
        }
        names.join(", ")
    }
}

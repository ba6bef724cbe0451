//! The frameworks that a leader knows.

use super::agents::Agent;
use super::arena::{Arena, Index};
use super::config::Config;
use super::remembered::Remembered;
use super::tasks::{Ended, Task};
use crate::ids::{FrameworkId, Peer, TaskId};
use crate::model::FrameworkInfo;
use crate::resources::Role;
use crate::time::{Time, Wall};
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::sync::Arc;

/// How many ids of ended frameworks are remembered, to refuse whoever names one again.
const REMOVED_MAX: usize = 65_536;

/// A framework that has not ended.
#[derive(Clone, Debug)]
pub(super) struct Framework {
    pub(super) id: FrameworkId,
    pub(super) info: Arc<FrameworkInfo>,
    /// Its event stream; `None` while its scheduler is away.
    pub(super) peer: Option<Peer>,
    /// Grows with every change of the connection: what was timed for an earlier one is void.
    pub(super) epoch: u64,
    /// Whether a scheduler has subscribed to this leader, rather than an agent told of it.
    pub(super) heard_of: bool,
    /// When it ends unless its scheduler returns.
    pub(super) ends_at: Option<Time>,
    pub(super) suppressed: BTreeSet<Role>,
    pub(super) tasks: BTreeMap<TaskId, Index<Task>>,
    /// Of those, the ones on agents that are unreachable, in the order in which they got lost.
    pub(super) out_of_sight: BTreeMap<u64, Index<Task>>,
    /// By number.
    pub(super) offers: BTreeSet<u64>,
    /// On which agents it has how many tasks and executors.
    pub(super) presence: BTreeMap<Index<Agent>, u32>,
    pub(super) completed: VecDeque<Arc<Ended>>,
    pub(super) registered_at: Wall,
    pub(super) subscribed_at: Wall,
    pub(super) disconnected_at: Option<Wall>,
}

impl Framework {
    pub(super) fn new(id: FrameworkId, info: Arc<FrameworkInfo>, now: Wall) -> Framework {
        Framework {
            id,
            info,
            peer: None,
            epoch: 0,
            heard_of: false,
            ends_at: None,
            suppressed: BTreeSet::new(),
            tasks: BTreeMap::new(),
            out_of_sight: BTreeMap::new(),
            offers: BTreeSet::new(),
            presence: BTreeMap::new(),
            completed: VecDeque::new(),
            registered_at: now,
            subscribed_at: now,
            disconnected_at: None,
        }
    }

    pub(super) fn partition_aware(&self) -> bool {
        self.info.capabilities.partition_aware
    }

    pub(super) fn arrive(&mut self, agent: Index<Agent>) {
        *self.presence.entry(agent).or_insert(0) += 1;
    }

    pub(super) fn leave(&mut self, agent: Index<Agent>) {
        let count = self.presence.get_mut(&agent);
        let count = count.expect("only what arrived leaves");
        *count -= 1;
        if *count == 0 {
            self.presence.remove(&agent);
        }
    }

    pub(super) fn keep_completed(&mut self, ended: Ended, config: &Config) {
        self.completed.push_back(Arc::new(ended));
        while self.completed.len() > config.max_completed_tasks_per_framework {
            self.completed.pop_front();
        }
    }
}

/// A framework that ended, for people to see.
#[derive(Clone, Debug)]
pub(super) struct EndedFramework {
    pub(super) info: Arc<FrameworkInfo>,
    pub(super) completed: VecDeque<Arc<Ended>>,
    pub(super) registered_at: Wall,
    pub(super) subscribed_at: Wall,
    pub(super) ended_at: Wall,
}

/// All frameworks.
#[derive(Clone, Debug, Default)]
pub(super) struct Frameworks {
    pub(super) arena: Arena<Framework>,
    pub(super) by_id: BTreeMap<FrameworkId, Index<Framework>>,
    pub(super) completed: VecDeque<EndedFramework>,
    removed: Remembered<FrameworkId>,
    /// The number of the next new framework.
    pub(super) next: u64,
}

impl Frameworks {
    pub(super) fn find(&self, id: &FrameworkId) -> Option<Index<Framework>> {
        self.by_id.get(id).copied()
    }

    pub(super) fn insert(&mut self, framework: Framework) -> Index<Framework> {
        let id = framework.id.clone();
        let index = self.arena.insert(framework);
        let before = self.by_id.insert(id, index);
        assert!(before.is_none(), "a framework is known once");
        index
    }

    /// Whether it ended, under this leader and as far as that is remembered.
    pub(super) fn is_removed(&self, id: &FrameworkId) -> bool {
        self.removed.contains(id)
    }

    pub(super) fn remember_removed(&mut self, id: FrameworkId) {
        self.removed.insert(id, REMOVED_MAX);
    }

    pub(super) fn keep_completed(&mut self, ended: EndedFramework, config: &Config) {
        self.completed.push_back(ended);
        while self.completed.len() > config.max_completed_frameworks {
            self.completed.pop_front();
        }
    }
}

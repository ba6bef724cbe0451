//! Figures for metrics. Reading them changes nothing, and costs a look at every framework, every
//! operation under way and what the allocator says of its own.

use super::{Leading, Timer};
use crate::allocator::Figures;
use crate::model::{FrameworkInfo, OperationState};
use crate::placement::Mix;
use crate::resources::Role;
use crate::time::Time;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// A framework, whether it has ended or not.
#[derive(Clone, Debug)]
pub struct FrameworkFigures {
    /// As it describes itself.
    pub info: Arc<FrameworkInfo>,
    /// Whether its scheduler is subscribed.
    pub subscribed: bool,
    /// The roles in which it wants no offers for now.
    pub suppressed: Vec<Role>,
}

impl Leading {
    /// What the allocator says of itself.
    #[must_use]
    pub fn allocator_figures(&self) -> Figures {
        self.allocation.allocator().figures()
    }

    /// The tasks that use resources, by shape.
    #[must_use]
    pub fn task_mix(&self) -> &Mix {
        self.allocation.mix()
    }

    /// How many allocation cycles were run.
    #[must_use]
    pub fn allocation_runs(&self) -> u64 {
        self.allocation.allocator().runs()
    }

    /// When the next allocation cycle is due.
    #[must_use]
    pub fn allocation_due(&self) -> Option<Time> {
        self.timers.at(&Timer::Allocate)
    }

    /// Frameworks that are not forgotten: by id, then those that ended, oldest first.
    #[must_use]
    pub fn framework_figures(&self) -> Vec<FrameworkFigures> {
        let known = self.frameworks.by_id.values().map(|index| {
            let framework = &self.frameworks.arena[*index];
            FrameworkFigures {
                info: framework.info.clone(),
                subscribed: framework.peer.is_some(),
                suppressed: framework.suppressed.iter().cloned().collect(),
            }
        });
        let ended = self.frameworks.completed.iter();
        let ended = ended.map(|ended| FrameworkFigures {
            info: ended.info.clone(),
            subscribed: false,
            suppressed: Vec::new(),
        });
        known.chain(ended).collect()
    }

    /// How many operations of each name there is still something to say of, by state.
    #[must_use]
    pub fn operation_counts(&self) -> BTreeMap<(&'static str, OperationState), usize> {
        let mut counts = BTreeMap::new();
        for record in self.operations.by_uuid.values() {
            let key = (record.operation.name(), record.status.state);
            *counts.entry(key).or_default() += 1;
        }
        counts
    }

    /// How many agents wait to be marked unreachable.
    #[must_use]
    pub fn removals_waiting(&self) -> usize {
        self.agents.removals.len()
    }
}

//! What was said of a task, for people and tools to read back.

use crate::model::TaskStatus;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The most words on one task that are kept; the oldest go first.
pub(super) const STATUSES_MAX: usize = 16;

/// The newest word on each state that a task was said to be in, oldest first; without the data,
/// which is between an executor and its scheduler. A copy shares them until one changes.
#[derive(Clone, Debug, Default)]
pub(super) struct History(Arc<Vec<Arc<TaskStatus>>>);

impl History {
    /// One more word. It replaces the last if that said the same.
    pub(super) fn note(&mut self, status: &Arc<TaskStatus>) {
        let mut status = status.clone();
        if !status.data.is_empty() {
            Arc::make_mut(&mut status).data = Arc::default();
        }
        let kept = Arc::make_mut(&mut self.0);
        match kept.last_mut() {
            Some(last) if last.state == status.state => *last = status,
            _ => {
                if kept.len() == STATUSES_MAX {
                    kept.remove(0);
                }
                kept.push(status);
            }
        }
        assert!(self.0.len() <= STATUSES_MAX, "bounded");
    }

    /// The last that was said of the container and its checks.
    pub(super) fn verbatim(&self) -> Arc<[u8]> {
        let mut newest = self.0.iter().rev();
        let newest = newest.find(|status| !status.verbatim.is_empty());
        newest
            .map(|status| status.verbatim.clone())
            .unwrap_or_default()
    }

    /// All of it.
    pub(super) fn statuses(&self) -> &[Arc<TaskStatus>] {
        &self.0
    }
}

//! What was said of a task, for people and tools to read back.

use crate::model::TaskStatus;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The most words on one task that are kept; the oldest go first.
pub(super) const STATUSES_MAX: usize = 16;

/// The newest word on each state that a task was said to be in, oldest first; without the data,
/// which is between an executor and its scheduler.
#[derive(Clone, Debug, Default)]
pub(super) struct History(Vec<Arc<TaskStatus>>);

impl History {
    /// One more word. It replaces the last if that said the same.
    pub(super) fn note(&mut self, status: &Arc<TaskStatus>) {
        let mut status = status.clone();
        if !status.data.is_empty() {
            Arc::make_mut(&mut status).data = Arc::default();
        }
        match self.0.last_mut() {
            Some(last) if last.state == status.state => *last = status,
            _ => {
                if self.0.len() == STATUSES_MAX {
                    self.0.remove(0);
                }
                self.0.push(status);
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

//! What an agent counts, for its metrics.

use std::collections::BTreeMap;
use tepui_core::agent::Write;
use tepui_core::model::TaskState;

/// Counts since the process began.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Tasks that ended, by state.
    pub ended: BTreeMap<TaskState, u64>,
    /// Executors that are over.
    pub executors_terminated: u64,
    /// Updates that were taken in.
    pub valid_updates: u64,
    /// Updates that were refused.
    pub invalid_updates: u64,
    /// Messages of schedulers that found their executor.
    pub valid_messages: u64,
    /// Containers that could not be started.
    pub launch_errors: u64,
    /// Tasks and executors whose files were all fetched.
    pub fetches_succeeded: u64,
    /// Those of which a file could not be fetched.
    pub fetches_failed: u64,
}

impl Counts {
    /// Counts what a write says.
    pub(super) fn apply(&mut self, write: &Write) {
        match write {
            Write::UpdateReceived { status, .. } => {
                self.valid_updates += 1;
                if status.state.is_terminal() {
                    *self.ended.entry(status.state).or_default() += 1;
                }
            }
            Write::ExecutorExited { .. } => self.executors_terminated += 1,
            _ => {}
        }
    }

    /// Counts an executor or a task that wanted files.
    pub fn count_fetch(&mut self, succeeded: bool) {
        match succeeded {
            true => self.fetches_succeeded += 1,
            false => self.fetches_failed += 1,
        }
    }

    /// How many tasks ended in this state.
    #[must_use]
    pub fn ended(&self, state: TaskState) -> u64 {
        self.ended.get(&state).copied().unwrap_or_default()
    }
}

//! Which updates were handled. Agents send an update again until it is acknowledged, and an
//! acknowledgement may be lost: the same update arrives again, and must not count again.

use crate::ids::{TaskId, UpdateId};
use crate::model::{TaskState, TaskStatus};
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

/// Agents keep one update of a task in flight, so the last would do; a few more cover an update
/// that was on its way through an old master while its successor came through the new one.
const REMEMBERED_PER_TASK: usize = 4;

/// The last updates of each live task, and of some that are over.
#[derive(Clone, Debug)]
pub(super) struct Updates {
    tasks: BTreeMap<TaskId, Task>,
    completed: VecDeque<TaskId>,
    completed_max: usize,
}

#[derive(Clone, Debug, Default)]
struct Task {
    handled: Vec<UpdateId>,
    completed: bool,
}

impl Updates {
    pub(super) fn new(completed_max: usize) -> Updates {
        Updates {
            tasks: BTreeMap::new(),
            completed: VecDeque::new(),
            completed_max,
        }
    }

    /// Whether this very update was handled before.
    pub(super) fn was_handled(&self, status: &TaskStatus) -> bool {
        let (Some(id), Some(task)) = (status.update_id, self.tasks.get(&status.task_id)) else {
            return false;
        };
        task.handled.contains(&id)
    }

    /// Remembers that the logic handled it.
    pub(super) fn on_handled(&mut self, status: &TaskStatus) {
        assert!(
            !self.was_handled(status),
            "an update was handed to the logic twice"
        );
        if let Some(id) = status.update_id {
            let task = self.tasks.entry(status.task_id.clone()).or_default();
            if task.handled.len() == REMEMBERED_PER_TASK {
                task.handled.remove(0);
            }
            task.handled.push(id);
        }
        // What is out of reach may never be heard of again: it must not be remembered for ever.
        let over = status.state.is_terminal()
            || matches!(status.state, TaskState::Unreachable | TaskState::Unknown);
        if let Some(task) = self.tasks.get_mut(&status.task_id)
            && over
            && !task.completed
        {
            task.completed = true;
            self.completed.push_back(status.task_id.clone());
        }
        while self.completed.len() > self.completed_max {
            if let Some(oldest) = self.completed.pop_front() {
                self.tasks.remove(&oldest);
            }
        }
        assert!(self.completed.len() <= self.tasks.len());
    }

    /// How many tasks are remembered.
    #[cfg(test)]
    pub(super) fn tasks(&self) -> usize {
        self.tasks.len()
    }

    /// How many tasks that are over are remembered.
    pub(super) fn completed(&self) -> usize {
        self.completed.len()
    }
}

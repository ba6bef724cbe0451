//! The status update manager's data: one stream of updates for each task, first in, first out,
//! of which only the head is ever in flight (stop and wait).

use crate::ids::UpdateId;
use crate::model::{TaskState, TaskStatus};
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use serde::{Deserialize, Serialize};

/// How many updates of one task may wait for acknowledgement, its terminal update not counted.
/// Further ones are not taken, so that the executor keeps them.
pub const PENDING_MAX: usize = 256;

/// How many past update ids a stream remembers to tell a repeated update from a new one. More
/// than an executor can have unacknowledged.
pub const SEEN_MAX: usize = 2 * PENDING_MAX;

/// The updates of one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stream {
    latest: TaskState,
    pending: VecDeque<Arc<TaskStatus>>,
    seen: VecDeque<UpdateId>,
}

/// What to do with an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes into the stream.
    New,
    /// It went into the stream before; acknowledge it again, nothing else.
    Repeated,
    /// It may not follow the latest state: a terminal state is final (MESOS-2864), a kill is not
    /// undone (MESOS-6457). Acknowledge it, so that it is not sent again, and drop it.
    Illegal,
    /// Too many wait. Not acknowledged: it will be sent again.
    Full,
    /// It has no id, or claims a state that no executor may claim. Nothing is changed.
    Malformed,
}

/// What an acknowledgement did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledged {
    /// It was not for the head; nothing was changed.
    Ignored,
    /// The head is done; the next, if there is one, becomes the head.
    Advanced,
    /// The terminal update is acknowledged: the stream is over.
    Ended,
}

impl Default for Stream {
    fn default() -> Stream {
        Stream {
            latest: TaskState::Staging,
            pending: VecDeque::new(),
            seen: VecDeque::new(),
        }
    }
}

impl Stream {
    /// The state after all updates, acknowledged or not.
    #[must_use]
    pub fn latest(&self) -> TaskState {
        self.latest
    }

    /// The oldest update that nobody acknowledged.
    #[must_use]
    pub fn head(&self) -> Option<&Arc<TaskStatus>> {
        self.pending.front()
    }

    /// All updates that nobody acknowledged, oldest first.
    pub fn pending(&self) -> impl DoubleEndedIterator<Item = &Arc<TaskStatus>> {
        self.pending.iter()
    }

    /// The state of the head, or the latest state: what a scheduler may be told.
    #[must_use]
    pub fn told(&self) -> TaskState {
        self.head().map_or(self.latest, |status| status.state)
    }

    /// Whether this id is remembered.
    #[must_use]
    pub fn has_seen(&self, id: UpdateId) -> bool {
        self.seen.contains(&id)
    }

    /// What is to be done with `status`.
    #[must_use]
    pub fn judge(&self, status: &TaskStatus) -> Verdict {
        let Some(id) = status.update_id else {
            return Verdict::Malformed;
        };
        if matches!(
            status.state,
            TaskState::Staging | TaskState::Unreachable | TaskState::Unknown
        ) {
            return Verdict::Malformed;
        }
        if self.has_seen(id) {
            return Verdict::Repeated;
        }
        if !self.latest.may_become(status.state) {
            return Verdict::Illegal;
        }
        if self.pending.len() >= PENDING_MAX && !status.state.is_terminal() {
            return Verdict::Full;
        }
        Verdict::New
    }

    /// Takes the update in if it is [`Verdict::New`], else changes nothing.
    pub fn receive(&mut self, status: &Arc<TaskStatus>) -> Verdict {
        let verdict = self.judge(status);
        if verdict == Verdict::New {
            self.latest = status.state;
            if self.seen.len() == SEEN_MAX {
                self.seen.pop_front();
            }
            self.seen.extend(status.update_id);
            self.pending.push_back(Arc::clone(status));
        }
        verdict
    }

    /// The scheduler has the update of this id. Only the head can be acknowledged.
    pub fn acknowledge(&mut self, id: UpdateId) -> Acknowledged {
        if self.head().and_then(|status| status.update_id) != Some(id) {
            return Acknowledged::Ignored;
        }
        self.pending.pop_front();
        if self.pending.is_empty() && self.latest.is_terminal() {
            return Acknowledged::Ended;
        }
        Acknowledged::Advanced
    }
}

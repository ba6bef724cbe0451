//! Asking the master about tasks after each subscription, until every one is answered for.
//!
//! The implicit question ("all you know of mine") goes first and answers for most; only what is
//! still open after a while is asked for by name. A master that has just taken over does not
//! answer for tasks whose agents have not come back yet, hence the repetitions.

use crate::ids::{AgentId, TaskId};
use crate::time::Time;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

/// What is still to be answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Reconciler {
    open: BTreeMap<TaskId, Option<AgentId>>,
    asked_about: u64,
    rounds: u32,
    /// When to ask next about what is open, or about everything where nothing is.
    next: Option<Time>,
    active: bool,
}

/// What to do when the time has come.
pub(super) enum Question {
    /// Ask about these by name.
    Explicit(Vec<(TaskId, Option<AgentId>)>),
    /// Begin again with everything.
    Implicit,
}

impl Reconciler {
    /// Begins a round over `tasks`; the caller asks implicitly now.
    pub(super) fn start(&mut self, tasks: Vec<(TaskId, Option<AgentId>)>) {
        self.open = tasks.into_iter().collect();
        self.asked_about = self.open.len() as u64;
        self.rounds = 1;
        self.active = true;
    }

    /// The subscription is gone: nothing will be answered.
    pub(super) fn stop(&mut self) {
        *self = Reconciler::default();
    }

    /// The master said something about `task_id`.
    pub(super) fn on_answer(&mut self, task_id: &TaskId) {
        self.open.remove(task_id);
    }

    /// Tells once that everything has been answered: how many tasks, in how many rounds.
    pub(super) fn take_completed(&mut self) -> Option<(u64, u32)> {
        if !self.active || !self.open.is_empty() {
            return None;
        }
        self.active = false;
        Some((self.asked_about, self.rounds))
    }

    /// When [`Self::on_due`] is next due.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.next
    }

    pub(super) fn set_deadline(&mut self, at: Option<Time>) {
        self.next = at;
    }

    /// What to ask now, if it is time.
    pub(super) fn on_due(&mut self, now: Time) -> Option<Question> {
        if self.next.is_none_or(|at| at > now) {
            return None;
        }
        self.next = None;
        if self.open.is_empty() {
            return Some(Question::Implicit);
        }
        self.rounds = self.rounds.saturating_add(1);
        let open = self.open.iter();
        Some(Question::Explicit(
            open.map(|(task, agent)| (task.clone(), agent.clone()))
                .collect(),
        ))
    }

    /// The wait after the round that was just asked: doubling, or the long interval when nothing
    /// is open.
    pub(super) fn wait(
        &self,
        first: Duration,
        most: Duration,
        interval: Duration,
    ) -> Option<Duration> {
        if self.open.is_empty() {
            return (!interval.is_zero()).then_some(interval);
        }
        let doubled = first.saturating_mul(1 << self.rounds.saturating_sub(1).min(16));
        Some(doubled.min(most))
    }

    /// How many tasks are not answered for.
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }
}

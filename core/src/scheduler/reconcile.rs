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
    /// How often everything was asked about without any reason since the subscription.
    idle_rounds: u32,
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
        self.idle_rounds = 0;
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
            self.idle_rounds = self.idle_rounds.saturating_add(1);
            return Some(Question::Implicit);
        }
        self.rounds = self.rounds.saturating_add(1);
        let open = self.open.iter();
        Some(Question::Explicit(
            open.map(|(task, agent)| (task.clone(), agent.clone()))
                .collect(),
        ))
    }

    /// The wait after the round that was just asked: doubling from `first` up to `most`, or up to
    /// the long interval when nothing is open.
    pub(super) fn wait(
        &self,
        first: Duration,
        most: Duration,
        idle_first: Duration,
        interval: Duration,
    ) -> Option<Duration> {
        let doubled = |first: Duration, times: u32| first.saturating_mul(1 << times.min(16));
        if self.open.is_empty() {
            let wait = doubled(idle_first, self.idle_rounds).min(interval);
            return (!interval.is_zero()).then_some(wait);
        }
        Some(doubled(first, self.rounds.saturating_sub(1)).min(most))
    }

    /// How many tasks are not answered for.
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A leader may die between what it stored and what it told: the next one does not know, and
    /// only a question that nobody had a reason for brings it up.
    #[test]
    fn with_nothing_open_everything_is_asked_about_again_ever_more_rarely() {
        let second = Duration::from_secs(1);
        let mut reconciler = Reconciler::default();
        reconciler.start(Vec::new());
        let mut now = Time::ZERO;
        let mut waits = Vec::new();
        for _ in 0..7 {
            let wait = reconciler.wait(second, 30 * second, 15 * second, 600 * second);
            let wait = wait.expect("an interval is set");
            waits.push(wait.as_secs());
            now = now + wait;
            reconciler.set_deadline(Some(now));
            let question = reconciler.on_due(now);
            assert!(matches!(question, Some(Question::Implicit)));
        }
        assert_eq!(waits, [15, 30, 60, 120, 240, 480, 600]);
        assert!(
            reconciler
                .wait(second, second, second, Duration::ZERO)
                .is_none()
        );
        // A new subscription begins again.
        reconciler.start(Vec::new());
        let wait = reconciler.wait(second, 30 * second, 15 * second, 600 * second);
        assert_eq!(wait, Some(15 * second));
    }
}

//! Tasks that are to end. A kill may be lost with its connection or its master, so they are told
//! again until the master says that they are over.

use crate::ids::{AgentId, TaskId};
use crate::message::scheduler::Call;
use crate::outbox::Outbox;
use crate::scheduler::{Action, KillCause, Notice};
use crate::time::{Now, Time};
use crate::timers::Timers;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

/// So many are told in one tick; the next tick follows at once. To end thousands does not block
/// the process, nor does it fill the outbox.
const KILLS_PER_TICK: usize = 1_000;

/// The tasks that are being killed.
#[derive(Clone, Debug)]
pub(super) struct Strays {
    tasks: BTreeMap<TaskId, Stray>,
    timers: Timers<TaskId>,
    retry_interval: Duration,
    grace: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Stray {
    agent_id: Option<AgentId>,
    why: KillCause,
}

impl Strays {
    pub(super) fn new(retry_interval: Duration, grace: Option<Duration>) -> Strays {
        Strays {
            tasks: BTreeMap::new(),
            timers: Timers::default(),
            retry_interval,
            grace,
        }
    }

    /// Told from the next tick on.
    pub(super) fn add(&mut self, task_id: TaskId, agent_id: Option<AgentId>, why: KillCause) {
        self.timers.set(task_id.clone(), Time::ZERO);
        self.tasks.insert(task_id, Stray { agent_id, why });
    }

    /// It is over, or out of reach: when it returns, it is found out again.
    pub(super) fn remove(&mut self, task_id: &TaskId) {
        self.timers.cancel(task_id);
        self.tasks.remove(task_id);
    }

    pub(super) fn clear(&mut self) {
        *self = Strays::new(self.retry_interval, self.grace);
    }

    pub(super) fn contains(&self, task_id: &TaskId) -> bool {
        self.tasks.contains_key(task_id)
    }

    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// A new subscription: the kills of before may have been lost.
    pub(super) fn hurry(&mut self) {
        for task_id in self.tasks.keys() {
            self.timers.set(task_id.clone(), Time::ZERO);
        }
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.timers.next()
    }

    /// Tells those whose time has come; returns how many. Without a subscription a call would
    /// only be dropped.
    pub(super) fn on_tick(&mut self, now: Now, subscribed: bool, out: &mut Outbox<Action>) -> u64 {
        let mut told = 0;
        for _ in 0..KILLS_PER_TICK {
            let Some(task_id) = self.timers.pop_due(now.mono) else {
                break;
            };
            let stray = self.tasks.get(&task_id);
            let stray = stray.expect("the timer of a task goes with the task");
            self.timers
                .set(task_id.clone(), now.mono + self.retry_interval);
            if !subscribed {
                continue;
            }
            told += 1;
            out.push(Action::Notice(Notice::Killing {
                task_id: task_id.clone(),
                why: stray.why,
            }));
            out.push(Action::Call(Call::Kill {
                agent_id: stray.agent_id.clone(),
                grace: self.grace,
                task_id,
            }));
        }
        told
    }

    /// Each, with its agent where known.
    pub(super) fn tasks(&self) -> Vec<(TaskId, Option<AgentId>)> {
        let tasks = self.tasks.iter();
        tasks
            .map(|(task_id, stray)| (task_id.clone(), stray.agent_id.clone()))
            .collect()
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &TaskId> {
        self.tasks.keys()
    }

    /// Whether every one of them will be told.
    pub(super) fn check(&self) -> Result<(), String> {
        let silent = |task_id: &&TaskId| self.timers.at(task_id).is_none();
        match self.tasks.keys().find(silent) {
            Some(task_id) => Err(format!("{task_id} is not told")),
            None => Ok(()),
        }
    }
}

//! The framework behind `tepui execute`: takes the first offer that fits, follows its task to the
//! end, ends itself with the task's exit status.
//!
//! A task is launched again, under a new id, only where it is certain that it never ran: the
//! launch was dropped on the way, or its agent is there and never heard of it.

mod config;
mod invariants;

pub use config::Config;

use super::Room;
use super::offers::{Interest, answer};
use crate::ids::{AgentId, TaskId};
use crate::invariant::Invariant;
use crate::model::{Filters, Offer, TaskInfo, TaskState, TaskStatus};
use crate::outbox::Outbox;
use crate::scheduler::{Action, ConfigError, Event, Exit, Logic, Notice};
use crate::time::{Now, Time};
use crate::wire::{self, DecodeError};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// One of the tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Standing {
    /// For an offer.
    Waiting,
    /// On its way or running.
    Launched {
        /// Its id.
        task_id: TaskId,
        /// Where.
        agent_id: AgentId,
        /// That agent's host.
        hostname: String,
        /// The newest state.
        state: TaskState,
        /// Whether it was ever seen to start.
        started: bool,
    },
    /// For good.
    Over {
        /// In which state.
        state: TaskState,
        /// The exit status that it leaves.
        code: u8,
        /// For people.
        message: String,
    },
}

/// The logic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Execute {
    config: Config,
    instances: Vec<Standing>,
    /// The last one given out. Not to be repeated: an id names one launch for ever.
    serial: u64,
    interest: Interest,
}

impl Execute {
    /// A fresh one.
    ///
    /// # Errors
    /// Names the setting that makes no sense.
    pub fn new(config: Config) -> Result<Execute, ConfigError> {
        config.validate()?;
        Ok(Execute {
            instances: vec![Standing::Waiting; config.instances as usize],
            config,
            serial: 0,
            interest: Interest::default(),
        })
    }

    /// Where each task stands.
    #[must_use]
    pub fn instances(&self) -> &[Standing] {
        &self.instances
    }

    /// How many launches there have been.
    #[must_use]
    pub fn launches(&self) -> u64 {
        self.serial
    }

    fn waiting(&self) -> bool {
        self.instances.contains(&Standing::Waiting)
    }

    fn on_offers(&mut self, offers: &[Arc<Offer>], out: &mut Outbox<Action>) {
        let mut tasks = Vec::with_capacity(offers.len());
        for offer in offers {
            tasks.push(self.place(offer, out));
        }
        if tasks.iter().any(|tasks| !tasks.is_empty()) {
            out.push(Action::Persist(wire::encode(self)));
        }
        answer(offers, tasks, Filters::DEFAULT, out);
        self.update_interest(out);
    }

    fn place(&mut self, offer: &Offer, out: &mut Outbox<Action>) -> Vec<Arc<TaskInfo>> {
        let mut room = Room::new(&offer.resources);
        let mut tasks = Vec::new();
        for (number, standing) in self.instances.iter_mut().enumerate() {
            if *standing != Standing::Waiting {
                continue;
            }
            let template = &self.config.task;
            let Some(resources) = room.take(&template.resources) else {
                break;
            };
            self.serial += 1;
            let task_id = template.task_id(number as u64, self.serial);
            *standing = Standing::Launched {
                task_id: task_id.clone(),
                agent_id: offer.agent_id.clone(),
                hostname: offer.hostname.clone(),
                state: TaskState::Staging,
                started: false,
            };
            out.push(Action::Notice(Notice::Launching {
                task_id: task_id.clone(),
                agent_id: offer.agent_id.clone(),
                hostname: offer.hostname.clone(),
            }));
            tasks.push(template.task(task_id, template.command.clone(), offer, resources));
        }
        tasks
    }

    fn update_interest(&mut self, out: &mut Outbox<Action>) {
        let waiting = self.waiting();
        self.interest.update(waiting, out);
    }

    fn find(&mut self, task_id: &TaskId) -> Option<&mut Standing> {
        let (number, _) = self.config.task.parse(task_id)?;
        let standing = self.instances.get_mut(usize::try_from(number).ok()?)?;
        let current =
            matches!(standing, Standing::Launched { task_id: current, .. } if current == task_id);
        current.then_some(standing)
    }

    fn on_update(&mut self, status: &TaskStatus, out: &mut Outbox<Action>) {
        let again = self.serial < self.config.launches_max();
        let Some(standing) = self.find(&status.task_id) else {
            return;
        };
        let Standing::Launched { state, started, .. } = standing else {
            return;
        };
        if *state == status.state {
            return;
        }
        use TaskState as S;
        *state = status.state;
        *started |= matches!(
            status.state,
            S::Starting | S::Running | S::Killing | S::Finished | S::Failed
        );
        let never_ran = !*started && matches!(status.state, S::Dropped | S::Unknown | S::Gone);
        if never_ran && again {
            *standing = Standing::Waiting;
        } else if status.state.is_terminal() || status.state == S::Unknown {
            *standing = Standing::Over {
                state: status.state,
                code: exit_code(status),
                message: status.message.clone(),
            };
        }
        out.push(Action::Notice(Notice::task(status)));
        out.push(Action::Persist(wire::encode(self)));
        self.update_interest(out);
        self.finish_when_over(out);
    }

    /// Ends with the first exit status that is not 0.
    fn finish_when_over(&self, out: &mut Outbox<Action>) {
        let mut exit = Exit::SUCCESS;
        for standing in &self.instances {
            let Standing::Over {
                state,
                code,
                message,
            } = standing
            else {
                return;
            };
            if *code != 0 && exit.code == 0 {
                exit = Exit {
                    code: *code,
                    message: alloc::format!("{state}: {message}"),
                };
            }
        }
        out.push(Action::Stop {
            teardown: true,
            exit,
        });
    }
}

/// The exit status that a task leaves to whoever waited for it: its command's where the message
/// of its last update ends with one ("exited with status 3"), 128 and the signal as a shell has
/// it ("terminated with signal Killed"), else 1 for every end but FINISHED.
#[must_use]
pub fn exit_code(status: &TaskStatus) -> u8 {
    if status.state == TaskState::Finished {
        return 0;
    }
    let after = |word: &str| status.message.split(word).nth(1).map(str::trim);
    let number = |text: &str| {
        let digits = text.split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse::<u8>().ok()
    };
    let exited = after("with status ").and_then(number);
    let signalled = after("with signal ").and_then(|text| {
        let signal = SIGNALS.iter().find(|(name, _)| text.starts_with(name));
        signal.map(|(_, signal)| *signal).or_else(|| number(text))
    });
    exited
        .or_else(|| signalled.map(|signal| signal.saturating_add(128)))
        .filter(|code| *code != 0)
        .unwrap_or(1)
}

/// Linux' signals by the names under which they are told to people.
const SIGNALS: [(&str, u8); 8] = [
    ("Hangup", 1),
    ("Interrupt", 2),
    ("Quit", 3),
    ("Aborted", 6),
    ("Killed", 9),
    ("Segmentation fault", 11),
    ("Broken pipe", 13),
    ("Terminated", 15),
];

impl Logic for Execute {
    fn on_event(&mut self, _now: Now, event: &Event, out: &mut Outbox<Action>) {
        match event {
            Event::Offers(offers) => self.on_offers(offers, out),
            Event::Update { status } => self.on_update(status, out),
            Event::LaunchDropped { task_ids } => {
                for task_id in task_ids {
                    if let Some(standing) = self.find(task_id) {
                        *standing = Standing::Waiting;
                    }
                }
                out.push(Action::Persist(wire::encode(self)));
                self.update_interest(out);
            }
            // After a restart that came between the last update and the end.
            Event::Subscribed { .. } => self.finish_when_over(out),
            Event::Disconnected
            | Event::Rescind { .. }
            | Event::Message { .. }
            | Event::Failure { .. }
            | Event::InverseOffers(_)
            | Event::RescindInverseOffer { .. }
            | Event::Operation { .. }
            | Event::Reconciled => {}
        }
    }

    fn on_tick(&mut self, _now: Now, _out: &mut Outbox<Action>) {}

    fn deadline(&self) -> Option<Time> {
        None
    }

    fn tasks(&self) -> Vec<(TaskId, Option<AgentId>)> {
        let launched = self.instances.iter().filter_map(|standing| match standing {
            Standing::Launched {
                task_id, agent_id, ..
            } => Some((task_id.clone(), Some(agent_id.clone()))),
            _ => None,
        });
        launched.collect()
    }

    fn snapshot(&self) -> Vec<u8> {
        wire::encode(self)
    }

    fn restore(&mut self, _now: Now, snapshot: &[u8]) -> Result<(), DecodeError> {
        let read: Execute = wire::decode(snapshot)?;
        if read.instances.len() != self.instances.len() {
            return Err(DecodeError::Malformed {
                expected: "Execute",
                why: "another number of instances than is configured".to_string(),
            });
        }
        *self = Execute {
            config: self.config.clone(),
            interest: Interest::default(),
            ..read
        };
        Ok(())
    }

    fn replay(&mut self, now: Now, record: &[u8]) -> Result<(), DecodeError> {
        // A few tasks: every record is the whole state.
        self.restore(now, record)
    }

    const INVARIANTS: &'static [Invariant<Execute>] = invariants::INVARIANTS;
}

#[cfg(test)]
mod tests;

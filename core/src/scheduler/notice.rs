//! What people may want to read about a framework, as data.

use crate::ids::{AgentId, FrameworkId, TaskId};
use crate::message::Reject;
use crate::model::{Reason, TaskState, TaskStatus};
use alloc::string::String;
use core::fmt;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// Something worth a line in the timeline. Never needed for correctness: drivers may drop it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Notice {
    /// A connection to a master is being opened.
    Connecting {
        /// To which.
        address: String,
    },
    /// The leading master took the framework.
    Subscribed {
        /// The framework's id.
        framework_id: FrameworkId,
        /// The leader's address.
        master: String,
    },
    /// The connection to the leader is gone.
    Disconnected {
        /// Why.
        why: LinkEnd,
        /// In how long the next attempt is made.
        retry_in: Duration,
    },
    /// A call could not be made: there is no subscription, or it ended meanwhile.
    CallDropped {
        /// Which kind.
        call: CallKind,
    },
    /// The master refused a call.
    CallRejected {
        /// Why.
        reject: Reject,
    },
    /// An update came again that had been handled before; it is only acknowledged again.
    DuplicateUpdate {
        /// Of which task.
        task_id: TaskId,
    },
    /// The master's answers about all tasks of the last subscription are in.
    Reconciled {
        /// How many tasks were asked about.
        tasks: u64,
        /// In how many rounds.
        rounds: u32,
    },
    /// A task goes to an agent.
    Launching {
        /// Which.
        task_id: TaskId,
        /// Where.
        agent_id: AgentId,
        /// That agent's host.
        hostname: String,
    },
    /// Something was said of a task.
    Task {
        /// Which.
        task_id: TaskId,
        /// Its state.
        state: TaskState,
        /// Why.
        reason: Option<Reason>,
        /// Where.
        agent_id: Option<AgentId>,
        /// For people.
        message: String,
    },
    /// A task that nobody wants any more is told to end.
    Killing {
        /// Which.
        task_id: TaskId,
        /// Why.
        why: KillCause,
    },
    /// A task has been out of reach for too long: another one takes its place.
    Replacing {
        /// Which.
        task_id: TaskId,
    },
    /// A task that had been given up is there again, and still wanted.
    Adopted {
        /// Which.
        task_id: TaskId,
    },
    /// An instance waits before it is started again.
    BackingOff {
        /// Which task ended.
        task_id: TaskId,
        /// How long.
        wait: Duration,
    },
    /// A job is over for good.
    JobOver {
        /// Its number.
        job: u64,
        /// Whether it finished.
        finished: bool,
        /// How often it was started.
        attempts: u32,
    },
    /// All that was wanted runs, or all jobs are over.
    Settled,
    /// A request of the framework's operator was refused.
    RequestRefused {
        /// Why.
        why: String,
    },
    /// The framework ends.
    Stopping {
        /// Whether its tasks end with it.
        teardown: bool,
    },
}

/// Why a connection to a master is not used any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkEnd {
    /// It could not be opened in time, or at all.
    Unreachable,
    /// It broke.
    Broken,
    /// Nothing came for several heartbeats: dead, though nobody said so.
    Silent,
    /// The subscription was not answered in time.
    Unanswered,
    /// The master does not lead.
    NotLeading,
    /// The master cannot take the subscription now.
    Refused,
}

/// Which call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "named like the calls of the scheduler API")]
pub enum CallKind {
    Subscribe,
    Teardown,
    Accept,
    Decline,
    Revive,
    Suppress,
    Kill,
    Shutdown,
    Acknowledge,
    Reconcile,
    Message,
    UpdateFramework,
    AcceptInverseOffers,
    DeclineInverseOffers,
    AcknowledgeOperationStatus,
    ReconcileOperations,
    Request,
}

/// Why a task is killed by its own framework.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KillCause {
    /// Fewer are wanted now.
    ScaledDown,
    /// Another one took its place while its agent was unreachable.
    Replaced,
    /// The framework does not know it.
    Unknown,
    /// An operator said so.
    Requested,
}

impl fmt::Display for LinkEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LinkEnd::Unreachable => "master cannot be reached",
            LinkEnd::Broken => "connection broke",
            LinkEnd::Silent => "no heartbeat",
            LinkEnd::Unanswered => "subscription not answered",
            LinkEnd::NotLeading => "master does not lead",
            LinkEnd::Refused => "master refused for now",
        })
    }
}

impl fmt::Display for KillCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KillCause::ScaledDown => "fewer are wanted",
            KillCause::Replaced => "another took its place",
            KillCause::Unknown => "nobody knows it",
            KillCause::Requested => "requested",
        })
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::Connecting { address } => write!(f, "connecting to {address}"),
            Notice::Subscribed {
                framework_id,
                master,
            } => write!(f, "subscribed as {framework_id} at {master}"),
            Notice::Disconnected { why, retry_in } => {
                write!(f, "{why}, trying again in {retry_in:?}")
            }
            Notice::CallDropped { call } => write!(f, "{call:?} dropped: not subscribed"),
            Notice::CallRejected { reject } => write!(f, "call rejected: {reject}"),
            Notice::DuplicateUpdate { task_id } => write!(f, "update of {task_id} came again"),
            Notice::Reconciled { tasks, rounds } => {
                write!(f, "reconciled {tasks} tasks in {rounds} rounds")
            }
            Notice::Launching {
                task_id,
                agent_id,
                hostname,
            } => write!(f, "launching {task_id} on {hostname} ({agent_id})"),
            Notice::Task { .. } => self.fmt_task(f),
            Notice::Killing { task_id, why } => write!(f, "killing {task_id}: {why}"),
            Notice::Replacing { task_id } => write!(f, "replacing {task_id}: out of reach"),
            Notice::Adopted { task_id } => write!(f, "{task_id} is back and taken"),
            Notice::BackingOff { task_id, wait } => {
                write!(f, "{task_id} ended, next start in {wait:?}")
            }
            Notice::JobOver {
                job,
                finished,
                attempts,
            } => {
                let how = if *finished { "finished" } else { "failed" };
                write!(f, "job {job} {how} after {attempts} starts")
            }
            Notice::Settled => f.write_str("all that was wanted is there"),
            Notice::RequestRefused { why } => write!(f, "request refused: {why}"),
            Notice::Stopping { teardown: true } => f.write_str("tearing the framework down"),
            Notice::Stopping { teardown: false } => f.write_str("stopping, tasks go on"),
        }
    }
}

impl Notice {
    /// What was said of a task.
    #[must_use]
    pub fn task(status: &TaskStatus) -> Notice {
        Notice::Task {
            task_id: status.task_id.clone(),
            state: status.state,
            reason: status.reason,
            agent_id: status.agent_id.clone(),
            message: status.message.clone(),
        }
    }

    fn fmt_task(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Notice::Task {
            task_id,
            state,
            reason,
            agent_id,
            message,
        } = self
        else {
            unreachable!("the only caller matched a task's notice");
        };
        write!(f, "{task_id} {state}")?;
        if let Some(agent_id) = agent_id {
            write!(f, " on {agent_id}")?;
        }
        if let Some(reason) = reason {
            write!(f, " ({reason:?})")?;
        }
        if !message.is_empty() {
            write!(f, ": {message}")?;
        }
        Ok(())
    }
}

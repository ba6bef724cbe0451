use crate::ids::{AgentId, FrameworkId, OperationUuid, TaskId};
use crate::model::{AgentMark, DrainState, OperationState, Reason, TaskState};
use alloc::string::String;
use core::fmt;
use serde::{Deserialize, Serialize};

/// What a master did, for timelines, logs and metrics. Nothing depends on it: it may be dropped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Notice {
    /// A new agent is part of the cluster, durably.
    AgentAdmitted {
        /// Its new id.
        agent_id: AgentId,
        /// Its host.
        hostname: String,
    },
    /// An agent that was known is back.
    AgentReregistered {
        /// Which.
        agent_id: AgentId,
        /// How many tasks it reported.
        tasks: usize,
        /// Whether it had been marked unreachable.
        was_unreachable: bool,
    },
    /// The connection to an agent broke; it may come back.
    AgentDisconnected {
        /// Which.
        agent_id: AgentId,
    },
    /// An agent did not answer for too long and is marked so, durably.
    AgentUnreachable {
        /// Which.
        agent_id: AgentId,
        /// How many tasks went out of sight with it.
        tasks: usize,
    },
    /// An operator said that an agent is gone for ever, durably.
    AgentGone {
        /// Which.
        agent_id: AgentId,
    },
    /// An agent said farewell, durably.
    AgentRemoved {
        /// Which.
        agent_id: AgentId,
    },
    /// An operator drains an agent, deactivates it or takes that back, durably; or it is drained.
    AgentMarked {
        /// Which.
        agent_id: AgentId,
        /// What is said of it now.
        mark: Option<AgentMark>,
    },
    /// An agent was refused.
    AgentRefused {
        /// Which; `None` before it has an id.
        agent_id: Option<AgentId>,
        /// Why.
        why: String,
    },
    /// A framework subscribed.
    FrameworkSubscribed {
        /// Which.
        framework_id: FrameworkId,
        /// Its name.
        name: String,
    },
    /// A framework's scheduler subscribed again, through another connection.
    FrameworkFailedOver {
        /// Which.
        framework_id: FrameworkId,
    },
    /// A framework's scheduler described it anew.
    FrameworkChanged {
        /// Which.
        framework_id: FrameworkId,
    },
    /// The connection to a scheduler broke; it may come back.
    FrameworkDisconnected {
        /// Which.
        framework_id: FrameworkId,
    },
    /// A framework of an earlier leader became known through an agent's report.
    FrameworkRecovered {
        /// Which.
        framework_id: FrameworkId,
    },
    /// A framework ended for ever.
    FrameworkRemoved {
        /// Which.
        framework_id: FrameworkId,
        /// Whether its scheduler stayed away too long, rather than asked for it.
        timed_out: bool,
    },
    /// A task is in another state.
    TaskState {
        /// Whose.
        framework_id: FrameworkId,
        /// Which.
        task_id: TaskId,
        /// Where.
        agent_id: AgentId,
        /// `None` when the master hears of it for the first time.
        from: Option<TaskState>,
        /// The new state.
        to: TaskState,
        /// Why.
        reason: Option<Reason>,
    },
    /// Offers were made.
    Offered {
        /// To whom.
        framework_id: FrameworkId,
        /// How many.
        count: usize,
    },
    /// Offers were taken back.
    Rescinded {
        /// From whom.
        framework_id: FrameworkId,
        /// How many.
        count: usize,
    },
    /// A framework was asked to be off agents that will be away.
    AskedToLeave {
        /// Which.
        framework_id: FrameworkId,
        /// How many agents.
        count: usize,
    },
    /// An operation on an agent's resources is in another state.
    Operation {
        /// Which.
        uuid: OperationUuid,
        /// What, with Mesos' name.
        name: String,
        /// Where.
        agent_id: AgentId,
        /// The new state.
        state: OperationState,
    },
    /// Something was ignored because it was stale, unknown or not legal.
    Ignored {
        /// What, and why.
        what: String,
    },
    /// A rare path was taken; a swarm that never takes it is too tame.
    Probe(Probe),
}

/// Rare paths that simulations must be seen to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Probe {
    /// A first registration came twice and got one id.
    DuplicateRegistration,
    /// An older run of an agent was refused.
    OldRunRefused,
    /// An agent returned while it was being marked unreachable.
    ReturnedWhileMarking,
    /// An agent's answer cancelled its pending removal.
    RemovalCancelled,
    /// An agent was told that it is not registered.
    ToldNotRegistered,
    /// An agent returned from a partition with tasks.
    TasksReturned,
    /// A returning task's id was in use elsewhere: it is killed.
    DuplicateTaskKilled,
    /// A known task was missing in an agent's report: the agent decides.
    TaskMissingInReport,
    /// A task that an old report named had ended before the agent's newest report.
    TaskOverBefore,
    /// A subscription was repeated over the same connection.
    SubscribedAgain,
    /// A scheduler came back after its time.
    FailoverTooLate,
    /// An update changed nothing because the task is over or the step is not legal.
    UpdateNotLegal,
    /// Reconciliation stayed silent because agents are still missing.
    ReconcileSilent,
    /// An accept named offers that are not valid any more.
    InvalidOffers,
    /// A kill was asked for while its agent was disconnected.
    KillDeferred,
    /// An operation on resources made no sense or was not allowed.
    OperationRefused,
    /// An operation did not reach its agent.
    OperationLost,
    /// Offers of a shared volume were taken back because it is destroyed.
    SharedRescinded,
}

impl Probe {
    /// All of them.
    pub const ALL: [Probe; 18] = [
        Probe::DuplicateRegistration,
        Probe::OldRunRefused,
        Probe::ReturnedWhileMarking,
        Probe::RemovalCancelled,
        Probe::ToldNotRegistered,
        Probe::TasksReturned,
        Probe::DuplicateTaskKilled,
        Probe::TaskMissingInReport,
        Probe::TaskOverBefore,
        Probe::SubscribedAgain,
        Probe::FailoverTooLate,
        Probe::UpdateNotLegal,
        Probe::ReconcileSilent,
        Probe::InvalidOffers,
        Probe::KillDeferred,
        Probe::OperationRefused,
        Probe::OperationLost,
        Probe::SharedRescinded,
    ];

    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Probe::DuplicateRegistration => "master.duplicate-registration",
            Probe::OldRunRefused => "master.old-run-refused",
            Probe::ReturnedWhileMarking => "master.returned-while-marking",
            Probe::RemovalCancelled => "master.removal-cancelled",
            Probe::ToldNotRegistered => "master.told-not-registered",
            Probe::TasksReturned => "master.tasks-returned",
            Probe::DuplicateTaskKilled => "master.duplicate-task-killed",
            Probe::TaskMissingInReport => "master.task-missing-in-report",
            Probe::TaskOverBefore => "master.task-over-before",
            Probe::SubscribedAgain => "master.subscribed-again",
            Probe::FailoverTooLate => "master.failover-too-late",
            Probe::UpdateNotLegal => "master.update-not-legal",
            Probe::ReconcileSilent => "master.reconcile-silent",
            Probe::InvalidOffers => "master.invalid-offers",
            Probe::KillDeferred => "master.kill-deferred",
            Probe::OperationRefused => "master.operation-refused",
            Probe::OperationLost => "master.operation-lost",
            Probe::SharedRescinded => "master.shared-rescinded",
        }
    }
}

/// One line of a timeline, without the time.
impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::FrameworkSubscribed { framework_id, name } => {
                write!(f, "framework {framework_id} '{name}' subscribed")
            }
            Notice::FrameworkFailedOver { framework_id } => {
                write!(f, "framework {framework_id} failed over to a new scheduler")
            }
            Notice::FrameworkChanged { framework_id } => {
                write!(f, "framework {framework_id} described itself anew")
            }
            Notice::FrameworkDisconnected { framework_id } => {
                write!(f, "framework {framework_id} disconnected")
            }
            Notice::FrameworkRecovered { framework_id } => {
                write!(f, "framework {framework_id} is known through its tasks")
            }
            Notice::FrameworkRemoved {
                framework_id,
                timed_out,
            } => {
                let why = if *timed_out {
                    "its scheduler stayed away too long"
                } else {
                    "torn down"
                };
                write!(f, "framework {framework_id} ended: {why}")
            }
            Notice::TaskState {
                framework_id,
                task_id,
                agent_id,
                from,
                to,
                reason,
            } => {
                write!(f, "task {task_id} of {framework_id} on {agent_id}: ")?;
                if let Some(from) = from {
                    write!(f, "{from} -> ")?;
                }
                write!(f, "{to}")?;
                match reason {
                    Some(reason) => write!(f, " ({reason:?})"),
                    None => Ok(()),
                }
            }
            Notice::Offered {
                framework_id,
                count,
            } => write!(f, "{count} offers to {framework_id}"),
            Notice::Rescinded {
                framework_id,
                count,
            } => write!(f, "{count} offers rescinded from {framework_id}"),
            Notice::AskedToLeave {
                framework_id,
                count,
            } => write!(f, "{framework_id} is asked to leave {count} agents"),
            Notice::Operation {
                uuid,
                name,
                agent_id,
                state,
            } => write!(f, "operation {name} ({uuid}) on {agent_id} is {state}"),
            Notice::Ignored { what } => write!(f, "ignored: {what}"),
            Notice::Probe(probe) => write!(f, "probe {}", probe.name()),
            of_agents => of_agents.fmt_of_agents(f),
        }
    }
}

impl Notice {
    /// Those about agents.
    fn fmt_of_agents(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::AgentAdmitted { agent_id, hostname } => {
                write!(f, "agent {agent_id} on {hostname} is admitted")
            }
            Notice::AgentReregistered {
                agent_id,
                tasks,
                was_unreachable,
            } => {
                let from = if *was_unreachable {
                    " from being unreachable"
                } else {
                    ""
                };
                write!(f, "agent {agent_id} is back{from} with {tasks} tasks")
            }
            Notice::AgentDisconnected { agent_id } => write!(f, "agent {agent_id} disconnected"),
            Notice::AgentUnreachable { agent_id, tasks } => {
                write!(f, "agent {agent_id} is unreachable with {tasks} tasks")
            }
            Notice::AgentGone { agent_id } => write!(f, "agent {agent_id} is gone for ever"),
            Notice::AgentRemoved { agent_id } => write!(f, "agent {agent_id} said farewell"),
            Notice::AgentMarked { agent_id, mark } => {
                let now = match mark.map(|mark| mark.drain.map(|drain| drain.state)) {
                    None => "in use",
                    Some(None) => "deactivated",
                    Some(Some(DrainState::Draining)) => "draining",
                    Some(Some(DrainState::Drained)) => "drained",
                };
                write!(f, "agent {agent_id} is {now}")
            }
            Notice::AgentRefused {
                agent_id: Some(agent_id),
                why,
            } => write!(f, "agent {agent_id} is refused: {why}"),
            Notice::AgentRefused {
                agent_id: None,
                why,
            } => write!(f, "an agent is refused: {why}"),
            _ => unreachable!("written by the caller"),
        }
    }
}

use crate::ids::{AgentId, ContainerId, ExecutorId, FrameworkId, OperationUuid, TaskId};
use crate::log::Ballot;
use crate::message::agent::AgentRun;
use crate::model::{OperationState, TaskState};
use alloc::string::String;
use core::fmt;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why an agent let go of its master.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LostMaster {
    /// The connection broke.
    Disconnected,
    /// No ping came for too long.
    Silent,
    /// The master said that it does not lead any more.
    Demoted,
    /// It asked for an operation that cannot be: it is wrong about what the agent has.
    Contradicted,
}

/// What happened, for time lines, metrics and coverage; droppable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Notice {
    /// The process began.
    Started {
        /// Which run of it.
        run: AgentRun,
    },
    /// All that survived a restart is known.
    Recovered {
        /// Tasks that still run.
        tasks: usize,
        /// Executors that came back.
        executors: usize,
        /// Executors that did not.
        lost: usize,
    },
    /// Admitted for the first time.
    Registered {
        /// Under which id.
        agent_id: AgentId,
        /// By which leader.
        ballot: Ballot,
    },
    /// Taken back.
    Reregistered {
        /// By which leader.
        ballot: Ballot,
        /// How many tasks were reported.
        tasks: usize,
    },
    /// Looks for a master again.
    LostMaster(LostMaster),
    /// A master that lags behind the highest ballot seen wanted to be obeyed (MESOS-858).
    StaleLeader {
        /// Its ballot.
        ballot: Ballot,
        /// The highest seen.
        highest: Ballot,
    },
    /// A container is asked for.
    ExecutorLaunched {
        /// Whose.
        framework_id: FrameworkId,
        /// Which executor.
        executor_id: ExecutorId,
        /// Which run of it.
        container_id: ContainerId,
    },
    /// An executor subscribed.
    ExecutorSubscribed {
        /// Whose.
        framework_id: FrameworkId,
        /// Which executor.
        executor_id: ExecutorId,
    },
    /// A container is over.
    ExecutorExited {
        /// Whose.
        framework_id: FrameworkId,
        /// Which executor.
        executor_id: ExecutorId,
        /// Exit code, or 128 + signal.
        status: Option<i32>,
    },
    /// A task was taken on.
    TaskAccepted {
        /// Whose.
        framework_id: FrameworkId,
        /// Which.
        task_id: TaskId,
    },
    /// A task changed.
    TaskState {
        /// Whose.
        framework_id: FrameworkId,
        /// Which.
        task_id: TaskId,
        /// To what.
        state: TaskState,
    },
    /// An operation on the agent's resources was done, or could not be.
    Operation {
        /// Which.
        uuid: OperationUuid,
        /// What, with Mesos' name.
        name: String,
        /// How it went.
        state: OperationState,
    },
    /// Somebody asked for what cannot be; nothing was changed.
    Refused {
        /// What, and why not.
        what: String,
    },
    /// A rare path was taken.
    Probe(Probe),
}

/// Rare paths that tests must be seen to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Probe {
    /// A task was killed before its executor subscribed.
    KilledBeforeLaunch,
    /// A launch that was lost with a connection was sent again.
    LaunchRepeated,
    /// An update came twice.
    UpdateRepeated,
    /// An executor said something that may not follow what it said before.
    UpdateIllegal,
    /// An acknowledgement was not for the update in flight.
    AcknowledgementIgnored,
    /// A known task was to be run again.
    RunRepeated,
    /// The master knew a task that the agent does not have.
    TaskUnknown,
    /// The host booted since the last run.
    Rebooted,
    /// A container was found that nobody knows.
    OrphanDestroyed,
    /// The journal was replaced by a snapshot.
    Snapshot,
    /// A message of a connection that is not obeyed was dropped.
    NotObeyed,
    /// A known operation was to be done again.
    OperationRepeated,
}

impl fmt::Display for LostMaster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LostMaster::Disconnected => "the connection broke",
            LostMaster::Silent => "no ping for too long",
            LostMaster::Demoted => "it does not lead any more",
            LostMaster::Contradicted => "it is wrong about the agent's resources",
        })
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::Started { run } => write!(f, "started (run {})", run.0),
            Notice::Recovered {
                tasks,
                executors,
                lost,
            } => write!(
                f,
                "recovered {tasks} tasks, {executors} executors came back, {lost} did not"
            ),
            Notice::Registered { agent_id, ballot } => {
                write!(f, "registered as {agent_id} with leader {ballot}")
            }
            Notice::Reregistered { ballot, tasks } => {
                write!(f, "re-registered with leader {ballot}, {tasks} tasks")
            }
            Notice::LostMaster(why) => write!(f, "lost its master: {why}"),
            Notice::StaleLeader { ballot, highest } => {
                write!(f, "refused leader {ballot}: {highest} is newer")
            }
            Notice::ExecutorLaunched {
                framework_id,
                executor_id,
                container_id,
            } => write!(
                f,
                "launches executor {framework_id}/{executor_id} in container {container_id}"
            ),
            Notice::ExecutorSubscribed {
                framework_id,
                executor_id,
            } => write!(f, "executor {framework_id}/{executor_id} subscribed"),
            Notice::ExecutorExited {
                framework_id,
                executor_id,
                status: Some(status),
            } => write!(
                f,
                "executor {framework_id}/{executor_id} exited with status {status}"
            ),
            Notice::ExecutorExited {
                framework_id,
                executor_id,
                status: None,
            } => write!(f, "executor {framework_id}/{executor_id} is over"),
            Notice::TaskAccepted {
                framework_id,
                task_id,
            } => write!(f, "accepted task {framework_id}/{task_id}"),
            Notice::TaskState {
                framework_id,
                task_id,
                state,
            } => write!(f, "task {framework_id}/{task_id} is {state}"),
            Notice::Operation { uuid, name, state } => {
                write!(f, "operation {name} ({uuid}) is {state}")
            }
            Notice::Refused { what } => write!(f, "refused: {what}"),
            Notice::Probe(probe) => write!(f, "probe {}", probe.id()),
        }
    }
}

impl Probe {
    /// The same string in code, scenarios and reports.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Probe::KilledBeforeLaunch => "agent.killed-before-launch",
            Probe::LaunchRepeated => "agent.launch-repeated",
            Probe::UpdateRepeated => "agent.update-repeated",
            Probe::UpdateIllegal => "agent.update-illegal",
            Probe::AcknowledgementIgnored => "agent.acknowledgement-ignored",
            Probe::RunRepeated => "agent.run-repeated",
            Probe::TaskUnknown => "agent.task-unknown",
            Probe::Rebooted => "agent.rebooted",
            Probe::OrphanDestroyed => "agent.orphan-destroyed",
            Probe::Snapshot => "agent.snapshot",
            Probe::NotObeyed => "agent.not-obeyed",
            Probe::OperationRepeated => "agent.operation-repeated",
        }
    }
}

/// Why an agent cannot go on. Its driver ends the process with this message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
pub enum Fatal {
    /// The agent was started with a description that does not fit what its tasks were given.
    #[error(
        "the agent's {changed} changed while its tasks may still run: start it as before, or end \
         its tasks and remove its work directory"
    )]
    Incompatible {
        /// What changed.
        changed: String,
    },
}

use super::CommandInfo;
use crate::ids::{AgentId, ExecutorId, FrameworkId, TaskId};
use crate::resources::Resources;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// A name with an optional value, for people and tools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The name.
    pub key: String,
    /// The value.
    pub value: Option<String>,
}

/// A program that runs a framework's tasks on an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExecutorInfo {
    /// Unique within one framework and agent.
    pub executor_id: ExecutorId,
    /// Whose it is.
    pub framework_id: FrameworkId,
    /// How to start it.
    pub command: CommandInfo,
    /// What it uses itself, besides its tasks.
    pub resources: Resources,
    /// For people.
    pub name: String,
    /// Handed to it unread.
    #[serde(with = "crate::wire::bytes")]
    pub data: Arc<[u8]>,
    /// How long it may take to end its tasks when told to shut down.
    pub shutdown_grace: Option<Duration>,
    /// The description as its sender wrote it (Mesos' v1 protobuf form), unread by the core: what
    /// the core does not decide by is in here and nowhere else. Empty if there is none.
    #[serde(with = "crate::wire::bytes")]
    pub verbatim: Arc<[u8]>,
}

/// One task, as the framework describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskInfo {
    /// Unique within the framework, chosen by it.
    pub task_id: TaskId,
    /// For people.
    pub name: String,
    /// Where it is to run: the offer's agent.
    pub agent_id: AgentId,
    /// What it uses.
    pub resources: Resources,
    /// What runs it; `None` for a command task, which the agent's own command executor runs.
    pub executor: Option<Arc<ExecutorInfo>>,
    /// What it runs; needed where there is no executor.
    pub command: Option<CommandInfo>,
    /// Handed to the executor unread.
    #[serde(with = "crate::wire::bytes")]
    pub data: Arc<[u8]>,
    /// For people and tools.
    pub labels: Vec<Label>,
    /// Time between SIGTERM and SIGKILL; Mesos' default is 3 s.
    pub kill_grace: Option<Duration>,
    /// The description as its sender wrote it (Mesos' v1 protobuf form), unread by the core: what
    /// the core does not decide by is in here and nowhere else. Empty if there is none.
    #[serde(with = "crate::wire::bytes")]
    pub verbatim: Arc<[u8]>,
}

/// The fourteen states of a task, with Mesos' names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TaskState {
    /// Accepted by the master, on its way.
    Staging,
    /// Being started by its executor.
    Starting,
    /// Running.
    Running,
    /// Told to end.
    Killing,
    /// Ended well.
    Finished,
    /// Ended badly.
    Failed,
    /// Ended by a kill.
    Killed,
    /// Its description was wrong.
    Error,
    /// Lost, for frameworks that are not partition-aware.
    Lost,
    /// Never started: its launch failed on the way.
    Dropped,
    /// Its agent is cut off; it may come back.
    Unreachable,
    /// Its agent is there, without it.
    Gone,
    /// An operator said that its agent is gone for ever.
    GoneByOperator,
    /// The master never heard of it. An answer, not a state that a task is in.
    Unknown,
}

impl TaskState {
    /// All of them, in the order of the declaration.
    pub const ALL: [TaskState; 14] = [
        TaskState::Staging,
        TaskState::Starting,
        TaskState::Running,
        TaskState::Killing,
        TaskState::Finished,
        TaskState::Failed,
        TaskState::Killed,
        TaskState::Error,
        TaskState::Lost,
        TaskState::Dropped,
        TaskState::Unreachable,
        TaskState::Gone,
        TaskState::GoneByOperator,
        TaskState::Unknown,
    ];

    /// Whether the task is over.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        use TaskState as S;
        matches!(
            self,
            S::Finished
                | S::Failed
                | S::Killed
                | S::Error
                | S::Lost
                | S::Dropped
                | S::Gone
                | S::GoneByOperator
        )
    }

    /// Whether a task in this state may be seen in `next`, by the rules of the agent and its
    /// executors. What a master adds by losing and regaining sight of an agent is
    /// [`TaskState::may_become_at_master`].
    #[must_use]
    pub const fn may_become(self, next: TaskState) -> bool {
        use TaskState as S;
        match (self, next) {
            (_, S::Unknown | S::Unreachable) => false,
            (S::Staging, S::Staging) => false,
            (S::Staging, _) => true,
            (S::Starting | S::Running, S::Running | S::Killing) => true,
            (S::Starting | S::Running | S::Killing, next) => next.is_terminal(),
            _ => false,
        }
    }

    /// As [`TaskState::may_become`], with what only a master decides: a live task may become
    /// UNREACHABLE and come back to whatever its agent says, and what was declared LOST or
    /// GONE_BY_OPERATOR may come back with its agent.
    #[must_use]
    pub const fn may_become_at_master(self, next: TaskState) -> bool {
        use TaskState as S;
        match (self, next) {
            (_, S::Unknown) => false,
            (S::Unreachable, S::Unreachable) => false,
            (S::Unreachable, _) => true,
            (state, S::Unreachable) => !state.is_terminal(),
            (S::Lost | S::GoneByOperator, next) => !matches!(next, S::Lost | S::GoneByOperator),
            (state, next) => state.may_become(next),
        }
    }

    /// Mesos' name, such as `TASK_RUNNING`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        use TaskState as S;
        match self {
            S::Staging => "TASK_STAGING",
            S::Starting => "TASK_STARTING",
            S::Running => "TASK_RUNNING",
            S::Killing => "TASK_KILLING",
            S::Finished => "TASK_FINISHED",
            S::Failed => "TASK_FAILED",
            S::Killed => "TASK_KILLED",
            S::Error => "TASK_ERROR",
            S::Lost => "TASK_LOST",
            S::Dropped => "TASK_DROPPED",
            S::Unreachable => "TASK_UNREACHABLE",
            S::Gone => "TASK_GONE",
            S::GoneByOperator => "TASK_GONE_BY_OPERATOR",
            S::Unknown => "TASK_UNKNOWN",
        }
    }

    /// What a framework is told: those that are not partition-aware see LOST for all that a
    /// partition makes.
    #[must_use]
    pub const fn told_to(self, partition_aware: bool) -> TaskState {
        use TaskState as S;
        match self {
            S::Dropped | S::Unreachable | S::Gone | S::GoneByOperator | S::Unknown
                if !partition_aware =>
            {
                S::Lost
            }
            state => state,
        }
    }
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::TaskState as S;
    use super::*;

    #[test]
    fn terminal_is_final_at_the_agent() {
        for from in TaskState::ALL.into_iter().filter(|s| s.is_terminal()) {
            for to in TaskState::ALL {
                assert!(!from.may_become(to), "{from} -> {to}");
            }
        }
    }

    #[test]
    fn a_kill_is_never_undone() {
        assert!(!S::Killing.may_become(S::Running));
        assert!(!S::Killing.may_become_at_master(S::Running));
        assert!(S::Killing.may_become(S::Finished));
    }

    #[test]
    fn a_task_returns_from_a_partition_to_its_agents_truth() {
        assert!(S::Running.may_become_at_master(S::Unreachable));
        assert!(S::Unreachable.may_become_at_master(S::Running));
        assert!(S::Unreachable.may_become_at_master(S::GoneByOperator));
        assert!(S::Lost.may_become_at_master(S::Running));
        assert!(!S::Finished.may_become_at_master(S::Unreachable));
        assert!(!S::Finished.may_become_at_master(S::Failed));
    }

    #[test]
    fn nothing_becomes_unknown() {
        for from in TaskState::ALL {
            assert!(!from.may_become_at_master(S::Unknown));
        }
    }

    #[test]
    fn frameworks_that_know_no_partitions_see_lost() {
        assert_eq!(S::Unreachable.told_to(false), S::Lost);
        assert_eq!(S::Unreachable.told_to(true), S::Unreachable);
        assert_eq!(S::Failed.told_to(false), S::Failed);
    }
}

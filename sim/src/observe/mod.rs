//! Who watches a run: keeps the timeline, counts what happened, feeds the checkers, and tells the
//! scenario what it may be waiting for.

mod cluster_events;
mod log_events;
mod timeline;

pub use timeline::{Line, Timeline};

use crate::checker::{
    LogChecker, OperatorChecker, QuotaChecker, RegistryChecker, TaskChecker, Violation,
    VolumeChecker,
};
use crate::node::{NodeIndex, Role};
use crate::time::SimTime;
use std::collections::{BTreeMap, BTreeSet};
use tepui_core::ids::FrameworkId;
use tepui_core::log::Ballot;
use tepui_core::message::operator::{Answer, Refusal, RequestId};
use tepui_core::model::TaskState;

/// Something that a scenario may wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Occurrence {
    /// A master leads.
    LeaderElected {
        /// Which.
        node: NodeIndex,
    },
    /// A master is recorded as the leader and serves agents and frameworks.
    LeaderServes {
        /// Which.
        node: NodeIndex,
    },
    /// Something happened in the cluster, by its name in scenarios.
    Cluster {
        /// What.
        name: &'static str,
        /// To whom.
        node: NodeIndex,
    },
    /// A scheduler was told something of a task.
    Task {
        /// Which scheduler.
        node: NodeIndex,
        /// What.
        state: TaskState,
    },
    /// A leader stopped leading.
    LeaderDemoted {
        /// Which.
        node: NodeIndex,
    },
    /// A node ended itself.
    Halted {
        /// Which.
        node: NodeIndex,
    },
    /// A client's append was acknowledged.
    Appended {
        /// By whom.
        node: NodeIndex,
        /// Which.
        token: u64,
    },
}

impl Occurrence {
    /// As scenarios write it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Occurrence::LeaderElected { .. } => "leader-elected",
            Occurrence::LeaderServes { .. } => "leader-serves",
            Occurrence::Cluster { name, .. } => name,
            Occurrence::Task { state, .. } => task_occurrence(*state),
            Occurrence::LeaderDemoted { .. } => "leader-demoted",
            Occurrence::Halted { .. } => "halted",
            Occurrence::Appended { .. } => "appended",
        }
    }

    /// Whom it concerns.
    #[must_use]
    pub const fn node(&self) -> NodeIndex {
        match self {
            Occurrence::LeaderElected { node }
            | Occurrence::LeaderServes { node }
            | Occurrence::Cluster { node, .. }
            | Occurrence::Task { node, .. }
            | Occurrence::LeaderDemoted { node }
            | Occurrence::Halted { node }
            | Occurrence::Appended { node, .. } => *node,
        }
    }
}

const fn task_occurrence(state: TaskState) -> &'static str {
    match state {
        TaskState::Staging => "task-staging",
        TaskState::Starting => "task-starting",
        TaskState::Running => "task-running",
        TaskState::Killing => "task-killing",
        TaskState::Finished => "task-finished",
        TaskState::Failed => "task-failed",
        TaskState::Killed => "task-killed",
        TaskState::Error => "task-error",
        TaskState::Lost => "task-lost",
        TaskState::Dropped => "task-dropped",
        TaskState::Unreachable => "task-unreachable",
        TaskState::Gone => "task-gone",
        TaskState::GoneByOperator => "task-gone-by-operator",
        TaskState::Unknown => "task-unknown",
    }
}

/// Everything that a scenario may wait for.
pub const OCCURRENCES: &[&str] = &[
    "leader-elected",
    "leader-serves",
    "leader-demoted",
    "halted",
    "appended",
    "agent-registered",
    "agent-reregistered",
    "agent-disconnected",
    "agent-unreachable",
    "agent-removed",
    "agent-gone",
    "asked-to-leave",
    "agent-draining",
    "agent-drained",
    "agent-deactivated",
    "agent-reactivated",
    "operator-done",
    "operator-refused",
    "framework-subscribed",
    "framework-failed-over",
    "framework-removed",
    "subscribed",
    "offered",
    "rescinded",
    "settled",
    "process-started",
    "task-staging",
    "task-starting",
    "task-running",
    "task-killing",
    "task-finished",
    "task-failed",
    "task-killed",
    "task-error",
    "task-lost",
    "task-dropped",
    "task-unreachable",
    "task-gone",
    "task-gone-by-operator",
    "task-unknown",
];

/// What a run counted, for `at_most` and for reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tallies {
    /// Elections won.
    pub elections: u64,
    /// Elections won by another master than the one before.
    pub leader_changes: u64,
    /// Appends acknowledged to clients of a `log` cluster.
    pub appends: u64,
    /// Processes that ended themselves.
    pub halts: u64,
    /// Agents admitted.
    pub agents_admitted: u64,
    /// Agents marked unreachable.
    pub agents_unreachable: u64,
    /// Agents removed for good.
    pub agents_removed: u64,
    /// Frameworks removed for good.
    pub frameworks_removed: u64,
    /// Offers made.
    pub offers: u64,
    /// Calls that schedulers made.
    pub calls: u64,
    /// Processes of tasks started.
    pub task_starts: u64,
    /// Updates LOST, GONE or DROPPED that schedulers were told.
    pub tasks_lost: u64,
    /// Updates UNREACHABLE.
    pub tasks_unreachable: u64,
    /// Updates FAILED or ERROR.
    pub tasks_failed: u64,
    /// Updates KILLED.
    pub tasks_killed: u64,
    /// Updates FINISHED.
    pub tasks_finished: u64,
    /// Jobs that are over for good.
    pub jobs_over: u64,
}

/// The watcher of one run.
#[derive(Debug)]
pub struct Observer {
    /// The readable record, if anybody wants it.
    pub timeline: Timeline,
    /// What was counted.
    pub tallies: Tallies,
    /// Rare paths that were taken, and how often.
    pub probes: BTreeMap<&'static str, u64>,
    /// Promises of the log.
    pub log: LogChecker,
    /// Promises of the registry.
    pub registry: RegistryChecker,
    /// Promises about tasks.
    pub tasks: TaskChecker,
    /// What operators were told.
    pub operators: OperatorChecker,
    quota: QuotaChecker,
    volumes: VolumeChecker,
    answers: Vec<OperatorAnswer>,
    /// Which framework each scheduler is.
    pub frameworks: BTreeMap<NodeIndex, FrameworkId>,
    /// Whether several schedulers may be one framework, by the scenario's wish.
    pub shared_frameworks: bool,
    /// Who leads, as far as the world can tell.
    pub leading: Option<(NodeIndex, Ballot)>,
    violations: Vec<Violation>,
    occurrences: Vec<Occurrence>,
    /// Whether anybody waits for occurrences.
    pub watched: bool,
    names: Vec<(String, Role)>,
    last_leader: Option<NodeIndex>,
    /// Who acts as the leader now, by its own lights.
    acting: Vec<(NodeIndex, Ballot)>,
    /// Whether two of them at once break a promise, by the scenario's wish.
    pub one_acting_leader: bool,
    /// Masters whose journal was damaged on purpose and that have not started since.
    rotten: BTreeSet<NodeIndex>,
}

/// What an operator was told, and to which request.
pub type OperatorAnswer = (RequestId, Result<Answer, Refusal>);

/// More violations than this say nothing new.
const VIOLATIONS_MAX: usize = 16;

impl Observer {
    /// One that writes into `timeline`.
    #[must_use]
    pub fn new(timeline: Timeline) -> Observer {
        Observer {
            timeline,
            tallies: Tallies::default(),
            probes: BTreeMap::new(),
            log: LogChecker::default(),
            registry: RegistryChecker::default(),
            tasks: TaskChecker::default(),
            operators: OperatorChecker::default(),
            quota: QuotaChecker::default(),
            volumes: VolumeChecker::default(),
            answers: Vec::new(),
            frameworks: BTreeMap::new(),
            shared_frameworks: false,
            leading: None,
            violations: Vec::new(),
            occurrences: Vec::new(),
            watched: false,
            names: Vec::new(),
            last_leader: None,
            acting: Vec::new(),
            one_acting_leader: false,
            rotten: BTreeSet::new(),
        }
    }

    /// A node joins the world.
    pub fn add_node(&mut self, name: &str, role: Role) {
        self.names.push((name.to_owned(), role));
        if role == Role::Master {
            self.log.add_replica();
        }
    }

    /// A node has another name: its slot is used again.
    pub fn rename(&mut self, node: NodeIndex, name: &str) {
        name.clone_into(&mut self.names[node.slot()].0);
    }

    /// A node's name.
    #[must_use]
    pub fn name(&self, node: NodeIndex) -> &str {
        &self.names[node.slot()].0
    }

    /// A line for people.
    pub fn note(&mut self, at: SimTime, node: NodeIndex, text: &str) {
        if self.timeline.enabled() {
            let name = self.names[node.slot()].0.clone();
            self.timeline.push(at, name, text.to_owned());
        }
    }

    /// A line about the whole, such as a fault.
    pub fn announce(&mut self, at: SimTime, text: &str) {
        self.timeline.push(at, String::new(), text.to_owned());
    }

    /// A rare path was taken.
    pub fn probe(&mut self, name: &'static str) {
        *self.probes.entry(name).or_default() += 1;
    }

    /// Something that a scenario may wait for happened.
    pub fn occur(&mut self, occurrence: Occurrence) {
        if matches!(occurrence, Occurrence::Halted { .. }) {
            self.tallies.halts += 1;
        }
        if self.watched {
            self.occurrences.push(occurrence);
        }
    }

    /// Whether the loop is to stop for a look.
    #[inline]
    #[must_use]
    pub fn wants_attention(&self) -> bool {
        !self.occurrences.is_empty() || !self.violations.is_empty() || !self.answers.is_empty()
    }

    /// What happened since the last look.
    pub fn take_occurrences(&mut self) -> Vec<Occurrence> {
        std::mem::take(&mut self.occurrences)
    }

    /// What operators were told since the last look.
    pub fn take_answers(&mut self) -> Vec<OperatorAnswer> {
        std::mem::take(&mut self.answers)
    }

    /// A promise was broken.
    pub fn violate(
        &mut self,
        at: SimTime,
        node: NodeIndex,
        invariant: &'static str,
        found: String,
    ) {
        let name = self.name(node).to_owned();
        self.timeline
            .push(at, name.clone(), format!("VIOLATION {invariant}: {found}"));
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(Violation {
                at,
                node: name,
                invariant: invariant.to_owned(),
                found,
            });
        }
    }

    /// What was broken so far.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
}

//! What pages and tools show, taken in one moment and read elsewhere.
//!
//! Taking it costs the node a few counted references for each task: descriptions, words and
//! amounts are shared with the leader until either lets go of them. Sums, texts and everything
//! else that takes time are for whoever reads it, on another thread.

use super::Leading;
use super::agents::Agent;
use super::arena::Index;
use super::frameworks::Framework;
use super::history::History;
use super::tasks::Ended;
use crate::ids::{AgentId, FrameworkId, TaskId, UpdateId};
use crate::model::{
    AgentInfo, ExecutorInfo, FrameworkInfo, MasterInfo, Offer, TaskInfo, TaskState, TaskStatus,
};
use crate::resources::{Resources, Role};
use crate::time::Wall;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// What a leader knows.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Who leads.
    pub leader: MasterInfo,
    /// Since when.
    pub elected_at: Wall,
    /// Agents that it has heard of, by id.
    pub agents: Vec<AgentPart>,
    /// Agents of the registry that did not return yet, by id.
    pub agents_recovered: Vec<Arc<AgentInfo>>,
    /// How many agents are unreachable.
    pub agents_unreachable: usize,
    /// How many agents are gone.
    pub agents_gone: usize,
    /// Frameworks that have not ended, by id.
    pub frameworks: Vec<FrameworkPart>,
    /// Frameworks that ended, oldest first.
    pub frameworks_ended: Vec<EndedPart>,
}

/// An agent.
#[derive(Clone, Debug)]
pub struct AgentPart {
    /// Its id.
    pub id: AgentId,
    /// As it describes itself.
    pub info: Arc<AgentInfo>,
    /// Whether it is connected.
    pub connected: bool,
    /// First heard of by this leader.
    pub registered_at: Wall,
    /// Returned last.
    pub reregistered_at: Option<Wall>,
    /// What it has, with what was reserved and made since it described itself.
    pub total: Resources,
    /// What of it is neither used nor offered.
    pub free: Resources,
    /// Since when this leader has it drained.
    pub drain_started_at: Option<Wall>,
    /// Its executors, command executors left out.
    pub executors: Vec<Arc<ExecutorInfo>>,
}

/// A framework that has not ended.
#[derive(Clone, Debug)]
pub struct FrameworkPart {
    /// As it describes itself.
    pub info: Arc<FrameworkInfo>,
    /// Whether its scheduler is subscribed.
    pub connected: bool,
    /// Whether this leader knows it from agents alone.
    pub recovered: bool,
    /// Roles in which it wants no offers for now.
    pub suppressed: Vec<Role>,
    /// Subscribed first.
    pub registered_at: Wall,
    /// Subscribed last.
    pub subscribed_at: Wall,
    /// Lost its scheduler.
    pub disconnected_at: Option<Wall>,
    /// Its tasks, by id.
    pub tasks: Vec<TaskPart>,
    /// Its tasks that are over, oldest first.
    pub tasks_ended: Vec<EndedTaskPart>,
    /// Its offers.
    pub offers: Vec<Arc<Offer>>,
}

/// A task that is not forgotten.
#[derive(Clone, Debug)]
pub struct TaskPart {
    /// Its description.
    pub info: Arc<TaskInfo>,
    /// Its newest state.
    pub state: TaskState,
    /// What its framework was told last.
    pub reported: TaskState,
    /// The update that its framework has yet to acknowledge.
    pub awaiting: Option<UpdateId>,
    /// Whether it uses up what its agent has.
    pub occupies: bool,
    /// In this state since.
    pub changed_at: Wall,
    history: History,
}

impl TaskPart {
    /// What was said of it, oldest first.
    #[must_use]
    pub fn statuses(&self) -> &[Arc<TaskStatus>] {
        self.history.statuses()
    }
}

/// A task that is over.
#[derive(Clone, Debug)]
pub struct EndedTaskPart(Arc<Ended>);

impl EndedTaskPart {
    /// Its description.
    #[must_use]
    pub fn info(&self) -> &Arc<TaskInfo> {
        &self.0.info
    }

    /// How it ended.
    #[must_use]
    pub fn state(&self) -> TaskState {
        self.0.state
    }

    /// When it was forgotten.
    #[must_use]
    pub fn at(&self) -> Wall {
        self.0.at
    }

    /// What was said of it, oldest first.
    #[must_use]
    pub fn statuses(&self) -> &[Arc<TaskStatus>] {
        self.0.history.statuses()
    }
}

/// A framework that ended.
#[derive(Clone, Debug)]
pub struct EndedPart {
    /// As it described itself.
    pub info: Arc<FrameworkInfo>,
    /// Subscribed first.
    pub registered_at: Wall,
    /// Subscribed last.
    pub subscribed_at: Wall,
    /// When it ended.
    pub at: Wall,
    /// Its tasks, oldest first.
    pub tasks: Vec<EndedTaskPart>,
}

/// What is known of one task.
#[derive(Clone, Debug)]
pub struct KnownTask {
    /// Its description.
    pub info: Arc<TaskInfo>,
    history: History,
}

impl KnownTask {
    /// What was said of it, oldest first.
    #[must_use]
    pub fn statuses(&self) -> &[Arc<TaskStatus>] {
        self.history.statuses()
    }
}

impl Leading {
    /// Everything, as it is now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let frameworks = self.frameworks.by_id.values();
        let ended = self.frameworks.completed.iter();
        Snapshot {
            frameworks: frameworks
                .map(|index| self.framework_part(&self.frameworks.arena[*index]))
                .collect(),
            frameworks_ended: ended
                .map(|ended| EndedPart {
                    info: ended.info.clone(),
                    registered_at: ended.registered_at,
                    subscribed_at: ended.subscribed_at,
                    at: ended.ended_at,
                    tasks: ended.completed.iter().cloned().map(EndedTaskPart).collect(),
                })
                .collect(),
            ..self.snapshot_of_agents()
        }
    }

    /// How many frameworks are subscribed, of those that have not ended.
    #[must_use]
    pub fn frameworks_connected(&self) -> usize {
        let frameworks = self.frameworks.by_id.values();
        let connected = frameworks.filter(|i| self.frameworks.arena[**i].peer.is_some());
        connected.count()
    }

    /// As [`Leading::snapshot`], without frameworks, their tasks and offers.
    #[must_use]
    pub fn snapshot_of_agents(&self) -> Snapshot {
        let agents = &self.agents;
        let recovered = agents.recovered.values();
        let known = agents.by_id.values();
        Snapshot {
            leader: self.me.clone(),
            elected_at: self.elected_at(),
            agents: known.map(|index| self.agent_part(*index)).collect(),
            agents_recovered: recovered.map(|admission| admission.info.clone()).collect(),
            agents_unreachable: agents.unreachable.len(),
            agents_gone: agents.gone.len(),
            frameworks: Vec::new(),
            frameworks_ended: Vec::new(),
        }
    }

    fn agent_part(&self, index: Index<Agent>) -> AgentPart {
        let agent = &self.agents.arena[index];
        AgentPart {
            id: agent.id.clone(),
            info: agent.info.clone(),
            connected: agent.peer.is_some(),
            registered_at: agent.registered_at,
            reregistered_at: agent.reregistered_at,
            total: agent.total.clone(),
            free: self.allocation.free(index).cloned().unwrap_or_default(),
            drain_started_at: agent.drain_started_at,
            executors: agent.executors.values().map(|e| e.info.clone()).collect(),
        }
    }

    /// One agent that this leader has heard of.
    #[must_use]
    pub fn known_agent(&self, id: &AgentId) -> Option<AgentPart> {
        Some(self.agent_part(self.agents.find(id)?))
    }

    /// One framework that has not ended, without tasks and offers.
    #[must_use]
    pub fn known_framework(&self, id: &FrameworkId) -> Option<FrameworkPart> {
        let index = self.frameworks.find(id)?;
        Some(Self::framework_alone(&self.frameworks.arena[index]))
    }

    /// How a framework described itself, whether it has ended or not, if it is not forgotten.
    #[must_use]
    pub fn framework_info(&self, id: &FrameworkId) -> Option<Arc<FrameworkInfo>> {
        if let Some(index) = self.frameworks.find(id) {
            return Some(self.frameworks.arena[index].info.clone());
        }
        let mut ended = self.frameworks.completed.iter().rev();
        let ended = ended.find(|ended| ended.info.id.as_ref() == Some(id))?;
        Some(ended.info.clone())
    }

    /// The description of a task, whether it is over or not, and what was said of it, if it is
    /// not forgotten.
    #[must_use]
    pub fn known_task(&self, id: &FrameworkId, task_id: &TaskId) -> Option<KnownTask> {
        let of_list = |list: &VecDeque<Arc<Ended>>| {
            let mut newest_first = list.iter().rev();
            let ended = newest_first.find(|ended| ended.info.task_id == *task_id)?;
            Some(KnownTask {
                info: ended.info.clone(),
                history: ended.history.clone(),
            })
        };
        let Some(index) = self.frameworks.find(id) else {
            let mut ended = self.frameworks.completed.iter().rev();
            let ended = ended.find(|ended| ended.info.id.as_ref() == Some(id))?;
            return of_list(&ended.completed);
        };
        let framework = &self.frameworks.arena[index];
        let Some(task) = framework.tasks.get(task_id) else {
            return of_list(&framework.completed);
        };
        let task = &self.tasks[*task];
        Some(KnownTask {
            info: task.info.clone(),
            history: task.history.clone(),
        })
    }

    fn framework_alone(framework: &Framework) -> FrameworkPart {
        FrameworkPart {
            info: framework.info.clone(),
            connected: framework.peer.is_some(),
            recovered: !framework.heard_of,
            suppressed: framework.suppressed.iter().cloned().collect(),
            registered_at: framework.registered_at,
            subscribed_at: framework.subscribed_at,
            disconnected_at: framework.disconnected_at,
            tasks: Vec::new(),
            tasks_ended: Vec::new(),
            offers: Vec::new(),
        }
    }

    fn framework_part(&self, framework: &Framework) -> FrameworkPart {
        let offers = framework.offers.iter();
        let tasks = framework.tasks.values();
        let ended = framework.completed.iter().cloned();
        FrameworkPart {
            tasks: tasks
                .map(|index| {
                    let task = &self.tasks[*index];
                    TaskPart {
                        info: task.info.clone(),
                        state: task.state,
                        reported: task.reported,
                        awaiting: task.awaiting,
                        occupies: task.occupies(),
                        changed_at: task.changed_at,
                        history: task.history.clone(),
                    }
                })
                .collect(),
            tasks_ended: ended.map(EndedTaskPart).collect(),
            offers: offers
                .map(|number| self.offers.by_number[number].offer.clone())
                .collect(),
            ..Self::framework_alone(framework)
        }
    }
}

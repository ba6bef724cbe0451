//! What operators see: plain data, made on demand.

use super::operator::RoleView;
use super::{Leading, Timer};
use crate::ids::{AgentId, ExecutorId, FrameworkId, OfferId, TaskId};
use crate::model::{
    AgentInfo, DrainInfo, FrameworkInfo, MasterInfo, Offer, TaskInfo, TaskState, TaskStatus,
};
use crate::resources::{Resources, Role};
use crate::time::Wall;
use alloc::sync::Arc;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// Counts, kept as things happen: cheap at any size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Since when this master leads.
    pub elected_at: Wall,
    /// Agents that are known.
    pub agents: usize,
    /// Of the registry's agents, those that did not return yet.
    pub agents_missing: usize,
    /// Agents marked unreachable.
    pub agents_unreachable: usize,
    /// Agents marked gone.
    pub agents_gone: usize,
    /// Frameworks that have not ended.
    pub frameworks: usize,
    /// Offers that stand.
    pub offers: usize,
    /// Tasks in each state, in the order of [`TaskState::ALL`].
    pub tasks: [usize; 14],
}

/// Everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Who leads.
    pub leader: MasterInfo,
    /// Counts.
    pub summary: Summary,
    /// Agents that are known, by id.
    pub agents: Vec<AgentView>,
    /// Agents that are missing since the election.
    pub agents_missing: Vec<Arc<AgentInfo>>,
    /// Agents that are unreachable, and since when.
    pub agents_unreachable: Vec<(Arc<AgentInfo>, Wall)>,
    /// Agents that are gone, and since when.
    pub agents_gone: Vec<(AgentId, Wall)>,
    /// Frameworks, by id.
    pub frameworks: Vec<FrameworkView>,
    /// Frameworks that ended, oldest first.
    pub ended_frameworks: Vec<EndedFrameworkView>,
    /// Roles that are known in any way.
    pub roles: Vec<RoleView>,
}

/// An agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentView {
    /// As it describes itself.
    pub info: Arc<AgentInfo>,
    /// Whether it is connected.
    pub connected: bool,
    /// Whether an operator said that nothing of it is offered.
    pub deactivated: bool,
    /// How it is drained, if it is or was since it was last in use.
    pub drain: Option<DrainInfo>,
    /// Since when this leader has it drained.
    pub drain_started_at: Option<Wall>,
    /// First heard of by this leader.
    pub registered_at: Wall,
    /// Returned last.
    pub reregistered_at: Option<Wall>,
    /// All that it has, reservations and volumes made of it.
    pub total: Resources,
    /// What is free.
    pub free: Resources,
    /// What is offered, together.
    pub offered: Resources,
    /// What tasks and executors use, together.
    pub used: Resources,
    /// Its executors, command executors left out.
    pub executors: Vec<(FrameworkId, ExecutorId)>,
}

/// A framework.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrameworkView {
    /// As it describes itself.
    pub info: Arc<FrameworkInfo>,
    /// Whether its scheduler is subscribed.
    pub connected: bool,
    /// Whether this leader has heard of it through agents only.
    pub recovered: bool,
    /// Grows with every change of its connection.
    pub epoch: u64,
    /// Roles in which it wants no offers for now.
    pub suppressed: Vec<Role>,
    /// First heard of by this leader.
    pub registered_at: Wall,
    /// Subscribed last.
    pub subscribed_at: Wall,
    /// Lost its scheduler.
    pub disconnected_at: Option<Wall>,
    /// Its tasks, by id.
    pub tasks: Vec<TaskView>,
    /// Its tasks that are over, oldest first.
    pub ended_tasks: Vec<EndedTaskView>,
    /// Its offers.
    pub offers: Vec<OfferView>,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskView {
    /// Its description.
    pub info: Arc<TaskInfo>,
    /// Its newest state.
    pub state: TaskState,
    /// What its framework was told last.
    pub reported: TaskState,
    /// Whether its framework has yet to acknowledge that.
    pub awaiting: bool,
    /// Whether its health check passes, if it has one.
    pub healthy: Option<bool>,
    /// In this state since.
    pub changed_at: Wall,
    /// The newest word on each state that it was said to be in, oldest first, without data.
    pub statuses: Vec<Arc<TaskStatus>>,
}

/// A task that is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndedTaskView {
    /// Its description.
    pub info: Arc<TaskInfo>,
    /// How it ended.
    pub state: TaskState,
    /// When it was forgotten.
    pub at: Wall,
    /// The newest word on each state that it was said to be in, oldest first, without data.
    pub statuses: Vec<Arc<TaskStatus>>,
}

/// An offer that stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfferView {
    /// What was offered.
    pub offer: Arc<Offer>,
    /// Whether it is taken back by itself.
    pub times_out: bool,
}

/// A framework that ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndedFrameworkView {
    /// As it described itself.
    pub info: Arc<FrameworkInfo>,
    /// When it ended.
    pub at: Wall,
    /// Its tasks, oldest first.
    pub tasks: Vec<EndedTaskView>,
}

impl Leading {
    /// Counts, kept as things happen.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary {
            elected_at: self.elected_at(),
            agents: self.agents.arena.len(),
            agents_missing: self.agents.recovered.len(),
            agents_unreachable: self.agents.unreachable.len(),
            agents_gone: self.agents.gone.len(),
            frameworks: self.frameworks.arena.len(),
            offers: self.offers.by_number.len(),
            tasks: self.tally,
        }
    }

    /// Everything, as it is now.
    #[must_use]
    pub fn view(&self) -> View {
        let agents = &self.agents;
        let missing = agents.recovered.values();
        let unreachable = agents.unreachable.values();
        let ended = self.frameworks.completed.iter();
        View {
            leader: self.me.clone(),
            summary: self.summary(),
            agents: agents
                .by_id
                .keys()
                .filter_map(|id| self.agent(id))
                .collect(),
            agents_missing: missing.map(|admission| admission.info.clone()).collect(),
            agents_unreachable: unreachable
                .map(|marked| (marked.admission.info.clone(), marked.since))
                .collect(),
            agents_gone: agents
                .gone
                .iter()
                .map(|(id, at)| (id.clone(), *at))
                .collect(),
            frameworks: self
                .frameworks
                .by_id
                .keys()
                .filter_map(|id| self.framework(id))
                .collect(),
            ended_frameworks: ended
                .map(|ended| EndedFrameworkView {
                    info: ended.info.clone(),
                    at: ended.ended_at,
                    tasks: ended
                        .completed
                        .iter()
                        .map(|task| ended_task(task))
                        .collect(),
                })
                .collect(),
            roles: self.roles(),
        }
    }

    /// One agent that is known.
    #[must_use]
    pub fn agent(&self, id: &AgentId) -> Option<AgentView> {
        let index = self.agents.find(id)?;
        let agent = &self.agents.arena[index];
        let sum = |parts: &mut dyn Iterator<Item = Resources>| {
            // What does not add up was never one agent's, and is not on its account.
            parts.fold(Resources::EMPTY, |sum, part| {
                sum.checked_add(&part).unwrap_or(sum)
            })
        };
        let offers = agent.offers.iter();
        let mut offered = offers.map(|n| self.offers.by_number[n].offer.resources.clone());
        let tasks = agent.tasks.iter().map(|task| &self.tasks[*task]);
        let tasks = tasks.filter(|task| task.charged);
        let executors = agent.executors.values().filter(|e| e.charged);
        let mut used = tasks
            .map(|task| task.info.resources.unallocated())
            .chain(executors.map(|e| e.info.resources.unallocated()));
        let executors = agent.executors.keys().map(|(framework, executor)| {
            let framework = &self.frameworks.arena[*framework];
            (framework.id.clone(), executor.clone())
        });
        Some(AgentView {
            info: agent.info.clone(),
            connected: agent.peer.is_some(),
            deactivated: self.operator.is_deactivated(id),
            drain: self
                .operator_state()
                .marks
                .get(id)
                .and_then(|mark| mark.drain),
            drain_started_at: agent.drain_started_at,
            registered_at: agent.registered_at,
            reregistered_at: agent.reregistered_at,
            total: agent.total.clone(),
            free: self.allocation.free(index).cloned().unwrap_or_default(),
            offered: sum(&mut offered),
            used: sum(&mut used),
            executors: executors.collect(),
        })
    }

    /// One framework that has not ended.
    #[must_use]
    pub fn framework(&self, id: &FrameworkId) -> Option<FrameworkView> {
        let index = self.frameworks.find(id)?;
        let framework = &self.frameworks.arena[index];
        let offers = framework.offers.iter().map(|number| OfferView {
            offer: self.offers.by_number[number].offer.clone(),
            times_out: self.timers.at(&Timer::Offer(*number)).is_some(),
        });
        let task_ids = framework.tasks.keys();
        Some(FrameworkView {
            info: framework.info.clone(),
            connected: framework.peer.is_some(),
            recovered: !framework.heard_of,
            epoch: framework.epoch,
            suppressed: framework.suppressed.iter().cloned().collect(),
            registered_at: framework.registered_at,
            subscribed_at: framework.subscribed_at,
            disconnected_at: framework.disconnected_at,
            tasks: task_ids.filter_map(|task| self.task(id, task)).collect(),
            ended_tasks: framework.completed.iter().map(|t| ended_task(t)).collect(),
            offers: offers.collect(),
        })
    }

    /// Whether a framework that has not ended is subscribed; `None` when there is no such one.
    #[must_use]
    pub fn is_subscribed(&self, id: &FrameworkId) -> Option<bool> {
        let index = self.frameworks.find(id)?;
        Some(self.frameworks.arena[index].peer.is_some())
    }

    /// One task that is not forgotten.
    #[must_use]
    pub fn task(&self, framework_id: &FrameworkId, task_id: &TaskId) -> Option<TaskView> {
        let framework = self.frameworks.find(framework_id)?;
        let index = self.frameworks.arena[framework].tasks.get(task_id)?;
        let task = &self.tasks[*index];
        Some(TaskView {
            info: task.info.clone(),
            state: task.state,
            reported: task.reported,
            awaiting: task.awaiting.is_some(),
            healthy: task.healthy,
            changed_at: task.changed_at,
            statuses: task.history.statuses().to_vec(),
        })
    }

    /// All tasks that are not over, with their frameworks: for checkers that compare them with
    /// what agents run.
    pub fn live_tasks(&self) -> impl Iterator<Item = (&FrameworkId, &TaskInfo, TaskState)> {
        let live = self
            .tasks
            .iter()
            .filter(|(_, task)| !task.state.is_terminal());
        live.map(|(_, task)| {
            let framework = &self.frameworks.arena[task.framework];
            (&framework.id, &*task.info, task.state)
        })
    }

    /// All offers that stand.
    pub fn standing_offers(&self) -> impl Iterator<Item = (&OfferId, &Arc<Offer>)> {
        let offers = self.offers.by_number.values();
        offers.map(|offered| (&offered.offer.id, &offered.offer))
    }

    /// The ids of agents that are known, and whether each is connected.
    pub fn known_agents(&self) -> impl Iterator<Item = (&AgentId, bool)> {
        let known = self.agents.by_id.iter();
        known.map(|(id, index)| (id, self.agents.arena[*index].peer.is_some()))
    }
}

fn ended_task(task: &super::tasks::Ended) -> EndedTaskView {
    EndedTaskView {
        info: task.info.clone(),
        state: task.state,
        at: task.at,
        statuses: task.history.statuses().to_vec(),
    }
}

//! The tasks that a leader knows, and the few ways in which they change.

use super::agents::Agent;
use super::arena::Index;
use super::frameworks::Framework;
use super::history::History;
use super::notice::Notice;
use super::{Effect, Leading};
use crate::ids::{AgentId, ExecutorId, TaskId, UpdateId};
use crate::message::scheduler::{Event, ToScheduler};
use crate::model::{FrameworkInfo, MalformedTask, Reason, Source, TaskInfo, TaskState, TaskStatus};
use crate::outbox::Outbox;
use crate::resources::{Resources, Role};
use crate::time::{Now, Wall};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::time::Duration;

/// A task from its launch until its last update is acknowledged.
#[derive(Clone, Debug)]
pub(super) struct Task {
    /// With its resources marked as allocated to a role.
    pub(super) info: Arc<TaskInfo>,
    pub(super) framework: Index<Framework>,
    /// `None` while its agent is unreachable.
    pub(super) agent: Option<Index<Agent>>,
    /// The newest state, which may be ahead of what the framework was told.
    pub(super) state: TaskState,
    /// What the framework was told last, and is told on reconciliation.
    pub(super) reported: TaskState,
    /// The update that the framework has not acknowledged yet.
    pub(super) awaiting: Option<UpdateId>,
    /// Whether its resources are on the agent's account.
    pub(super) charged: bool,
    /// Known from nothing but the report with which its agent returned to this leader, which may
    /// have been long on its way.
    pub(super) only_reported: bool,
    /// A kill that its agent could not be told of.
    pub(super) kill: Option<Kill>,
    /// Its place among the framework's tasks that are out of sight.
    pub(super) lost_as: Option<u64>,
    pub(super) changed_at: Wall,
    pub(super) healthy: Option<bool>,
    pub(super) history: History,
}

/// What a scheduler asked for when it wanted a task to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kill {
    pub(super) grace: Option<Duration>,
}

impl Task {
    /// Whether it uses up what its agent has.
    pub(super) fn occupies(&self) -> bool {
        self.agent.is_some() && !self.state.is_terminal() && self.state != TaskState::Unreachable
    }

    pub(super) fn executor_id(&self) -> Option<&ExecutorId> {
        self.info.executor.as_ref().map(|e| &e.executor_id)
    }
}

/// A task that is over, for people to see.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) info: Arc<TaskInfo>,
    pub(super) state: TaskState,
    pub(super) at: Wall,
    pub(super) history: History,
}

/// The role that resources are marked with, or the framework's first one.
pub(super) fn role_of(resources: &Resources, framework: &FrameworkInfo) -> Role {
    let marked = resources.iter().find_map(|r| r.kind.allocation.clone());
    marked.unwrap_or_else(|| framework.roles.first().cloned().unwrap_or_default())
}

/// Whether an agent may say so: only a master loses sight of agents and does not know of tasks.
pub(super) const fn may_be_said(state: TaskState) -> bool {
    use TaskState as S;
    !matches!(state, S::Unknown | S::Unreachable | S::GoneByOperator)
}

/// The newest state, by the words of an agent that says so of it and of an older one: nothing is
/// newer than an end.
pub(super) const fn newest(told: TaskState, latest: TaskState) -> TaskState {
    if told.is_terminal() { told } else { latest }
}

/// A status that a master makes up: nobody acknowledges it.
pub(super) fn made_up(
    now: Now,
    task_id: TaskId,
    state: TaskState,
    reason: Reason,
    message: &str,
) -> TaskStatus {
    TaskStatus {
        task_id,
        state,
        source: Source::Master,
        reason: Some(reason),
        message: message.to_string(),
        agent_id: None,
        executor_id: None,
        timestamp: now.wall,
        update_id: None,
        healthy: None,
        data: Arc::from([]),
        unreachable_at: None,
        verbatim: Arc::default(),
    }
}

/// A task as it first becomes known.
pub(super) struct Arrival {
    pub(super) info: Arc<TaskInfo>,
    pub(super) state: TaskState,
    pub(super) reported: TaskState,
    pub(super) awaiting: Option<UpdateId>,
    /// Whether the agent's account already holds its resources, since they were offered.
    pub(super) charged: bool,
    /// Whether it is an agent's report that says so.
    pub(super) only_reported: bool,
}

impl Leading {
    /// Starts to keep track of a task on an agent.
    pub(super) fn add_task(
        &mut self,
        now: Now,
        framework: Index<Framework>,
        agent: Index<Agent>,
        arrival: Arrival,
        fx: &mut Outbox<Effect>,
    ) -> Index<Task> {
        let task_id = arrival.info.task_id.clone();
        let notice = Notice::TaskState {
            framework_id: self.frameworks.arena[framework].id.clone(),
            task_id: task_id.clone(),
            agent_id: self.agents.arena[agent].id.clone(),
            from: None,
            to: arrival.state,
            reason: None,
        };
        let index = self.tasks.insert(Task {
            info: arrival.info,
            framework,
            agent: Some(agent),
            state: arrival.state,
            reported: arrival.reported,
            awaiting: arrival.awaiting,
            charged: arrival.charged,
            only_reported: arrival.only_reported,
            kill: None,
            lost_as: None,
            changed_at: now.wall,
            healthy: None,
            history: History::default(),
        });
        self.tally[self.tasks[index].state as usize] += 1;
        if self.tasks[index].charged {
            let resources = &self.tasks[index].info.resources;
            self.allocation.add_to_mix(resources);
        }
        let owner = &mut self.frameworks.arena[framework];
        let before = owner.tasks.insert(task_id, index);
        assert!(before.is_none(), "a framework's task ids are unique");
        owner.arrive(agent);
        self.agents.arena[agent].tasks.insert(index);
        self.settle_account(index, fx);
        fx.push(Effect::Notice(notice));
        index
    }

    /// Moves a task to another state; the caller has made sure that the step is legal.
    pub(super) fn set_state(
        &mut self,
        now: Now,
        index: Index<Task>,
        to: TaskState,
        reason: Option<Reason>,
        fx: &mut Outbox<Effect>,
    ) {
        let task = &mut self.tasks[index];
        let from = task.state;
        assert!(from.may_become_at_master(to), "{from} never becomes {to}");
        task.state = to;
        if from == to {
            return;
        }
        self.tally[from as usize] -= 1;
        self.tally[to as usize] += 1;
        task.changed_at = now.wall;
        if to.is_terminal() {
            task.kill = None;
        }
        fx.push(Effect::Notice(Notice::TaskState {
            framework_id: self.frameworks.arena[task.framework].id.clone(),
            task_id: task.info.task_id.clone(),
            agent_id: task.info.agent_id.clone(),
            from: Some(from),
            to,
            reason,
        }));
        self.settle_account(index, fx);
    }

    /// Puts a task's resources on its agent's account, or takes them off, as its state demands.
    fn settle_account(&mut self, index: Index<Task>, fx: &mut Outbox<Effect>) {
        let task = &self.tasks[index];
        if task.occupies() == task.charged {
            return;
        }
        let (framework, charged) = (task.framework, task.charged);
        let agent = task.agent.expect("only tasks on an agent have an account");
        let info = task.info.clone();
        let role = role_of(&info.resources, &self.frameworks.arena[framework].info);
        let resources = info.resources.unallocated();
        if charged {
            self.allocation
                .recover(framework, agent, &role, &resources, None);
            self.allocation.take_from_mix(&resources);
            self.tasks[index].charged = false;
            return;
        }
        let taken = self.allocation.charge(framework, agent, &role, &resources);
        self.tasks[index].charged = taken;
        if taken {
            self.allocation.add_to_mix(&resources);
        } else {
            let what = alloc::format!(
                "task {} uses more than is left on {}: its resources are not accounted for",
                info.task_id,
                info.agent_id
            );
            fx.push(Effect::Notice(Notice::Ignored { what }));
        }
    }

    /// Takes a task off its agent, which is out of sight or forgotten. Its state must not occupy
    /// resources any more.
    pub(super) fn detach_task(&mut self, index: Index<Task>) {
        let task = &mut self.tasks[index];
        assert!(!task.charged, "resources are given back first");
        if let Some(agent) = task.agent.take() {
            self.frameworks.arena[task.framework].leave(agent);
            let agent = &mut self.agents.arena[agent];
            agent.tasks.remove(&index);
            if agent.tasks.is_empty() && self.operator.is_deactivated(&agent.id) {
                self.operator.look_at(&agent.id);
            }
        }
    }

    /// Puts a task that was out of sight back on its agent.
    pub(super) fn attach_task(
        &mut self,
        index: Index<Task>,
        agent: Index<Agent>,
        fx: &mut Outbox<Effect>,
    ) {
        let task = &mut self.tasks[index];
        assert!(task.agent.is_none(), "a task sits on one agent");
        task.agent = Some(agent);
        let owner = &mut self.frameworks.arena[task.framework];
        if let Some(place) = task.lost_as.take() {
            owner.out_of_sight.remove(&place);
        }
        owner.arrive(agent);
        self.agents.arena[agent].tasks.insert(index);
        self.settle_account(index, fx);
    }

    /// Forgets a task that is over, or that is out of sight while too many are.
    pub(super) fn remove_task(&mut self, now: Now, index: Index<Task>) {
        self.detach_task(index);
        let task = self.tasks.remove(index);
        let task = task.expect("a detached task is still there");
        self.tally[task.state as usize] -= 1;
        let owner = &mut self.frameworks.arena[task.framework];
        owner.tasks.remove(&task.info.task_id);
        if let Some(place) = task.lost_as {
            owner.out_of_sight.remove(&place);
        }
        if let Some(lost) = self.out_of_sight.get_mut(&task.info.agent_id) {
            lost.remove(&index);
            if lost.is_empty() {
                self.out_of_sight.remove(&task.info.agent_id);
            }
        }
        let ended = Ended {
            info: task.info,
            state: task.state,
            at: now.wall,
            history: task.history,
        };
        owner.keep_completed(ended, &self.config);
    }

    /// What is said of a task by the master itself.
    pub(super) fn status_of(
        &self,
        now: Now,
        index: Index<Task>,
        state: TaskState,
        reason: Reason,
        message: &str,
    ) -> TaskStatus {
        let task = &self.tasks[index];
        let mut status = made_up(now, task.info.task_id.clone(), state, reason, message);
        status.agent_id = Some(task.info.agent_id.clone());
        status.executor_id = task.executor_id().cloned();
        status.healthy = task.healthy;
        status.verbatim = task.history.verbatim();
        status.unreachable_at = match state {
            TaskState::Unreachable | TaskState::Lost => self.unreachable_since(&task.info.agent_id),
            _ => None,
        };
        status
    }

    pub(super) fn unreachable_since(&self, agent_id: &AgentId) -> Option<Wall> {
        let marked = self.agents.unreachable.get(agent_id);
        marked.map(|marked| marked.since)
    }

    /// Tells a framework of a task, in the words that it understands; not at all while its
    /// scheduler is away. Returns whether it was told.
    pub(super) fn tell(
        &self,
        framework: Index<Framework>,
        mut status: Arc<TaskStatus>,
        fx: &mut Outbox<Effect>,
    ) -> bool {
        let framework = &self.frameworks.arena[framework];
        let Some(peer) = framework.peer else {
            return false;
        };
        let told = status.state.told_to(framework.partition_aware());
        if told != status.state {
            Arc::make_mut(&mut status).state = told;
        }
        let message = ToScheduler::Event(Event::Update { status });
        fx.push(Effect::ToScheduler { peer, message });
        true
    }

    /// As [`Leading::tell`], for what concerns no record: a task that was never launched.
    pub(super) fn tell_of_unlaunched(
        &self,
        framework: Index<Framework>,
        now: Now,
        info: &TaskInfo,
        fate: &Fate,
        fx: &mut Outbox<Effect>,
    ) {
        let (id, state) = (info.task_id.clone(), fate.state);
        let mut status = made_up(now, id, state, fate.reason, &fate.message);
        status.agent_id = Some(info.agent_id.clone());
        self.tell(framework, Arc::new(status), fx);
    }

    /// As [`Leading::tell_of_unlaunched`], of a task whose description is none.
    pub(super) fn tell_of_malformed(
        &self,
        framework: Index<Framework>,
        now: Now,
        task: &MalformedTask,
        fate: &Fate,
        fx: &mut Outbox<Effect>,
    ) {
        if let Some(id) = task.id() {
            let mut status = made_up(now, id, fate.state, fate.reason, &fate.message);
            status.agent_id = AgentId::new(&task.agent_id).ok();
            self.tell(framework, Arc::new(status), fx);
            return;
        }
        let framework = &self.frameworks.arena[framework];
        let Some(peer) = framework.peer else { return };
        let message = ToScheduler::Event(Event::Malformed {
            task: MalformedTask {
                why: fate.message.clone(),
                ..task.clone()
            },
            state: fate.state.told_to(framework.partition_aware()),
            reason: fate.reason,
        });
        fx.push(Effect::ToScheduler { peer, message });
    }
}

/// Why a task is not launched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) state: TaskState,
    pub(super) reason: Reason,
    pub(super) message: String,
}

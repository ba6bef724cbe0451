//! Executors as they speak: subscribed, told, disconnected.

use super::node::{AgentNode, Timer};
use super::{Effect, Notice, Probe};
use crate::ids::{ContainerId, ExecutorId, FrameworkId, Peer, TaskId};
use crate::message::agent::ToMaster;
use crate::message::executor::{Call, Event, ToAgent};
use crate::model::{Reason, TaskInfo, TaskState};
use crate::outbox::Outbox;
use crate::time::Now;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// How far one run of an executor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecutorState {
    /// Launched, not subscribed yet.
    Registering,
    /// Survived the agent's restart, not subscribed again yet.
    Reregistering,
    /// Subscribed; its connection may be broken for the moment.
    Running,
    /// Told to end, or being destroyed. It is forgotten once its container is over.
    Terminating,
}

/// The volatile part of one run of an executor.
#[derive(Clone, Debug)]
pub(super) struct ExecutorRun {
    pub(super) framework_id: FrameworkId,
    pub(super) executor_id: ExecutorId,
    pub(super) state: ExecutorState,
    pub(super) peer: Option<Peer>,
    /// Whether its container was seen to start.
    pub(super) started: bool,
    /// Whether it was ever given a task.
    pub(super) used: bool,
    /// Why it ends, for its tasks' last updates.
    pub(super) why: Option<(Reason, String)>,
}

impl ExecutorRun {
    pub(super) fn new(framework: &FrameworkId, executor: &ExecutorId, s: ExecutorState) -> Self {
        ExecutorRun {
            framework_id: framework.clone(),
            executor_id: executor.clone(),
            state: s,
            peer: None,
            started: s != ExecutorState::Registering,
            used: s != ExecutorState::Registering,
            why: None,
        }
    }
}

impl AgentNode {
    pub(super) fn on_executor(
        &mut self,
        now: Now,
        peer: Peer,
        message: ToAgent,
        fx: &mut Outbox<Effect>,
    ) {
        let known = self.runs.get(&message.container_id).is_some_and(|run| {
            run.framework_id == message.framework_id && run.executor_id == message.executor_id
        });
        let subscribes = matches!(message.call, Call::Subscribe { .. });
        let speaks = self.executor_peers.get(&peer) == Some(&message.container_id)
            || self.is_between_streams(&message.container_id);
        if !known || (!subscribes && !speaks) {
            let message = alloc::format!(
                "container {} of executor {}/{} is not one that this agent runs",
                message.container_id,
                message.framework_id,
                message.executor_id
            );
            self.refuse(message.clone(), fx);
            let event = Event::Error { message };
            self.say(Effect::ToExecutor { peer, event }, fx);
            self.executor_peers.remove(&peer);
            self.say(Effect::Close { peer }, fx);
            return;
        }
        match message.call {
            Call::Subscribe {
                unacknowledged_tasks,
                unacknowledged_updates,
            } => {
                self.attach(&message.container_id, peer, fx);
                for status in &unacknowledged_updates {
                    self.on_update(now, &message.container_id, status, fx);
                }
                self.after_subscribe(now, &message.container_id, &unacknowledged_tasks, fx);
            }
            Call::Update { status } => self.on_update(now, &message.container_id, &status, fx),
            Call::Message { data } => self.on_executor_message(&message.container_id, data, fx),
        }
    }

    /// Whether an executor's stream is broken for the moment. What it says meanwhile counts, as
    /// in Mesos: over HTTP it speaks through other connections than it listens to.
    fn is_between_streams(&self, container_id: &ContainerId) -> bool {
        let run = self.runs.get(container_id);
        run.is_some_and(|run| run.state == ExecutorState::Running && run.peer.is_none())
    }

    /// Makes `peer` the executor's event stream, in place of an older one.
    fn attach(&mut self, container_id: &ContainerId, peer: Peer, fx: &mut Outbox<Effect>) {
        let run = self
            .runs
            .get_mut(container_id)
            .expect("checked to be known");
        let before = run.peer.replace(peer);
        if matches!(
            run.state,
            ExecutorState::Registering | ExecutorState::Reregistering
        ) {
            run.state = ExecutorState::Running;
            self.timers.cancel(&Timer::Executor(container_id.clone()));
        }
        run.started = true;
        let (framework_id, executor_id) = (run.framework_id.clone(), run.executor_id.clone());
        if let Some(before) = before.filter(|before| *before != peer) {
            self.executor_peers.remove(&before);
            self.say(Effect::Close { peer: before }, fx);
        }
        self.executor_peers.insert(peer, container_id.clone());
        let record = self.checkpoint.executor(&framework_id, &executor_id);
        let executor = Arc::clone(&record.expect("every run has its record").info);
        let framework = self.checkpoint.frameworks.get(&framework_id);
        let framework = framework.and_then(|framework| framework.info.clone());
        let event = Event::Subscribed {
            executor,
            framework: framework.expect("a framework is seen before its executors"),
            agent: self.described(),
            container_id: container_id.clone(),
        };
        self.say(Effect::ToExecutor { peer, event }, fx);
        fx.push(Effect::Notice(Notice::ExecutorSubscribed {
            framework_id,
            executor_id,
        }));
    }

    /// Tells an executor that just subscribed what it has not seen: launches that waited or were
    /// lost with an older connection, kills, its own end.
    fn after_subscribe(
        &mut self,
        now: Now,
        container_id: &ContainerId,
        seen: &[Arc<TaskInfo>],
        fx: &mut Outbox<Effect>,
    ) {
        let run = self.runs.get(container_id).expect("just attached");
        let (framework_id, executor_id) = (run.framework_id.clone(), run.executor_id.clone());
        if run.state == ExecutorState::Terminating {
            self.tell(container_id, Event::Shutdown, fx);
            self.finish_recovery_early(now, fx);
            return;
        }
        let seen: BTreeSet<&TaskId> = seen.iter().map(|task| &task.task_id).collect();
        let live = self.checkpoint.live_tasks_of(&framework_id, &executor_id);
        for task_id in &seen {
            if !live.contains(task_id) {
                let (task_id, grace) = (TaskId::clone(task_id), None);
                self.tell(container_id, Event::Kill { task_id, grace }, fx);
            }
        }
        let mut unseen = Vec::new();
        for task_id in live {
            let task = self.checkpoint.task(&framework_id, &task_id);
            let task = task.expect("just listed");
            let is_unseen = task.updates.latest() == TaskState::Staging && !seen.contains(&task_id);
            match (is_unseen, task.kill) {
                (true, None) => unseen.push(task_id),
                (true, Some(_)) => self.kill_unlaunched(now, &framework_id, &task_id, fx),
                (false, Some(kill)) => {
                    let grace = kill.grace;
                    self.tell(container_id, Event::Kill { task_id, grace }, fx);
                }
                (false, None) => {}
            }
        }
        // A kill of one task of a group ends the others of it that were not launched either.
        unseen.retain(|task_id| {
            let task = self.checkpoint.task(&framework_id, task_id);
            task.is_some_and(super::checkpoint::TaskRecord::is_live)
        });
        let used = self.runs.get(container_id).is_some_and(|run| run.used);
        if used && !unseen.is_empty() {
            fx.push(Effect::Notice(Notice::Probe(Probe::LaunchRepeated)));
        }
        self.hand_over(container_id, &framework_id, &unseen, fx);
        self.end_if_unused(now, container_id, fx);
        self.finish_recovery_early(now, fx);
    }

    /// Sends launches, tasks of one group together.
    pub(super) fn hand_over(
        &mut self,
        container_id: &ContainerId,
        framework_id: &FrameworkId,
        tasks: &[TaskId],
        fx: &mut Outbox<Effect>,
    ) {
        if let Some(run) = self.runs.get_mut(container_id) {
            run.used |= !tasks.is_empty();
        }
        let mut rest = tasks;
        while let Some(first) = rest.first() {
            let group_of = |checkpoint: &super::Checkpoint, id: &TaskId| {
                let task = checkpoint.task(framework_id, id);
                task.and_then(|task| task.launched.as_ref()?.group.clone())
            };
            let group = group_of(&self.checkpoint, first);
            let together = match group {
                None => 1,
                Some(_) => {
                    let same = |id: &&TaskId| group_of(&self.checkpoint, id) == group;
                    rest.iter().take_while(same).count()
                }
            };
            let (now_tasks, later) = rest.split_at(together);
            rest = later;
            let infos: Vec<_> = now_tasks
                .iter()
                .filter_map(|id| {
                    let task = self.checkpoint.task(framework_id, id)?;
                    Some(Arc::clone(&task.launched.as_ref()?.info))
                })
                .collect();
            let event = match (group, infos.as_slice()) {
                (None, [task]) => Event::Launch {
                    task: Arc::clone(task),
                },
                _ => Event::LaunchGroup { tasks: infos },
            };
            self.tell(container_id, event, fx);
        }
    }

    /// Says something to an executor if it is connected.
    pub(super) fn tell(
        &mut self,
        container_id: &ContainerId,
        event: Event,
        fx: &mut Outbox<Effect>,
    ) {
        if let Some(peer) = self.runs.get(container_id).and_then(|run| run.peer) {
            self.say(Effect::ToExecutor { peer, event }, fx);
        }
    }

    fn on_executor_message(
        &mut self,
        container_id: &ContainerId,
        data: Arc<[u8]>,
        fx: &mut Outbox<Effect>,
    ) {
        let run = self.runs.get(container_id).expect("checked to be known");
        let message = ToMaster::ExecutorMessage {
            framework_id: run.framework_id.clone(),
            executor_id: run.executor_id.clone(),
            data,
        };
        self.tell_master(message, fx);
    }

    /// An executor's connection broke; the executor itself may live.
    pub(super) fn on_executor_disconnected(&mut self, peer: Peer) {
        let Some(container_id) = self.executor_peers.remove(&peer) else {
            return;
        };
        let run = self.runs.get_mut(&container_id);
        if let Some(run) = run.filter(|run| run.peer == Some(peer)) {
            run.peer = None;
        }
    }
}

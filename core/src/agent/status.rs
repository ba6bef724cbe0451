//! The status update manager: takes updates in, keeps them, sends each until the scheduler has
//! it. What may follow what is decided in [`super::updates`].

use super::executors::{ExecutorRun, ExecutorState};
use super::node::{AgentNode, Stage, Timer};
use super::updates::Verdict;
use super::{Effect, Notice, Probe, Write};
use crate::ids::{ContainerId, FrameworkId, TaskId, UpdateId};
use crate::message::agent::ToMaster;
use crate::message::executor::Event;
use crate::model::{Reason, Source, StatusUpdate, TaskState, TaskStatus};
use crate::outbox::Outbox;
use crate::time::Now;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The state, the reason and the words of an update that the agent makes up.
pub(super) type Told<'a> = (TaskState, Reason, &'a str);

impl AgentNode {
    /// An executor says something of a task. It is acknowledged to the executor once durable.
    pub(super) fn on_update(
        &mut self,
        now: Now,
        container_id: &ContainerId,
        status: &Arc<TaskStatus>,
        fx: &mut Outbox<Effect>,
    ) {
        let run = self.runs.get(container_id).expect("checked to be known");
        let (framework_id, executor_id) = (run.framework_id.clone(), run.executor_id.clone());
        let task_id = status.task_id.clone();
        let task = self.checkpoint.task(&framework_id, &task_id);
        let launched = task.and_then(|task| task.launched.as_ref());
        if launched.is_some_and(|launched| launched.executor_id != executor_id) {
            let what = alloc::format!("executor {executor_id} speaks for task {task_id}");
            self.refuse(what, fx);
            return;
        }
        let verdict = match task {
            Some(task) => task.updates.judge(status),
            // Of a task that is over and acknowledged, or of a framework that was torn down.
            None if status.update_id.is_some() => Verdict::Repeated,
            None => Verdict::Malformed,
        };
        match verdict {
            Verdict::New => {
                let status = Arc::new(TaskStatus {
                    source: Source::Executor,
                    agent_id: self.checkpoint.agent_id.clone(),
                    executor_id: Some(executor_id),
                    ..TaskStatus::clone(status)
                });
                self.take_update(now, &framework_id, status, fx);
            }
            Verdict::Repeated => fx.push(Effect::Notice(Notice::Probe(Probe::UpdateRepeated))),
            Verdict::Illegal => fx.push(Effect::Notice(Notice::Probe(Probe::UpdateIllegal))),
            Verdict::Full => return,
            Verdict::Malformed => {
                let what = alloc::format!(
                    "an update of task {task_id} to {} without an id, or to a state that an \
                     executor may not claim",
                    status.state
                );
                self.refuse(what, fx);
                return;
            }
        }
        if let Some(update_id) = status.update_id {
            let event = Event::Acknowledged { task_id, update_id };
            self.tell(container_id, event, fx);
        }
    }

    /// Writes an update that was judged to be new, and sends it if it is the head.
    fn take_update(
        &mut self,
        now: Now,
        framework_id: &FrameworkId,
        status: Arc<TaskStatus>,
        fx: &mut Outbox<Effect>,
    ) {
        let status = self.told_of_drain(status);
        let (task_id, state) = (status.task_id.clone(), status.state);
        let write = Write::UpdateReceived {
            framework_id: framework_id.clone(),
            status,
        };
        self.persist(write, fx);
        fx.push(Effect::Notice(Notice::TaskState {
            framework_id: framework_id.clone(),
            task_id: task_id.clone(),
            state,
        }));
        self.forward(now, framework_id, &task_id, fx);
        if state.is_terminal() {
            self.expect_command_executor_to_exit(now, framework_id, &task_id);
        }
    }

    /// Whatever ends while the agent is drained says so, whatever else it had to say.
    fn told_of_drain(&self, status: Arc<TaskStatus>) -> Arc<TaskStatus> {
        let ends = matches!(status.state, TaskState::Killing | TaskState::Killed);
        if !ends || self.drain.is_none() {
            return status;
        }
        Arc::new(TaskStatus {
            reason: Some(Reason::AgentDraining),
            ..TaskStatus::clone(&status)
        })
    }

    /// A command executor has nothing left to do after its task; should it stay, it is ended.
    fn expect_command_executor_to_exit(&mut self, now: Now, f: &FrameworkId, task: &TaskId) {
        let launched = self.checkpoint.task(f, task);
        let launched = launched.and_then(|task| task.launched.as_ref());
        let record = launched.and_then(|l| self.checkpoint.executor(f, &l.executor_id));
        let Some(container_id) = record.filter(|r| r.command).map(|r| r.container_id.clone())
        else {
            return;
        };
        let running = |run: &ExecutorRun| run.state == ExecutorState::Running;
        if self.runs.get(&container_id).is_some_and(running) {
            let deadline = now.mono + self.config.executor_shutdown_grace;
            self.timers.set(Timer::Executor(container_id), deadline);
        }
    }

    /// Gives a task its last update, made up by the agent; nothing when it has one already.
    pub(super) fn end_task(
        &mut self,
        now: Now,
        framework_id: &FrameworkId,
        task_id: &TaskId,
        (state, reason, message): Told<'_>,
        fx: &mut Outbox<Effect>,
    ) {
        assert!(state.is_terminal(), "the agent makes up only ends");
        let task = self.checkpoint.task(framework_id, task_id);
        let executor_id = task.and_then(|t| Some(t.launched.as_ref()?.executor_id.clone()));
        let status = TaskStatus {
            task_id: task_id.clone(),
            state,
            source: Source::Agent,
            reason: Some(reason),
            message: String::from(message),
            agent_id: self.checkpoint.agent_id.clone(),
            executor_id,
            timestamp: now.wall,
            update_id: Some(UpdateId::draw(&mut self.rng)),
            healthy: None,
            data: Arc::from([]),
            unreachable_at: None,
            verbatim: Arc::default(),
        };
        let task = self.checkpoint.task(framework_id, task_id);
        if task.is_none_or(|task| task.updates.judge(&status) == Verdict::New) {
            self.take_update(now, framework_id, Arc::new(status), fx);
        }
    }

    /// The master knows a task that the agent does not have: it was lost on the way. Said once and
    /// not kept, since the master asks again for as long as it knows the task; kept, it would reach
    /// a later leader, which may have told the scheduler by then that nobody knows the task.
    pub(super) fn answer_unknown(
        &mut self,
        now: Now,
        framework_id: &FrameworkId,
        task_id: &TaskId,
        fx: &mut Outbox<Effect>,
    ) {
        let known = self.checkpoint.task(framework_id, task_id).is_some();
        if known || self.is_torn_down(framework_id) || self.stage != Stage::Serving {
            return;
        }
        fx.push(Effect::Notice(Notice::Probe(Probe::TaskUnknown)));
        let state = TaskState::Dropped.told_to(self.is_partition_aware(framework_id));
        let status = TaskStatus {
            task_id: task_id.clone(),
            state,
            source: Source::Agent,
            reason: Some(Reason::Reconciliation),
            message: String::from("the agent does not know the task"),
            agent_id: self.checkpoint.agent_id.clone(),
            executor_id: None,
            timestamp: now.wall,
            update_id: None,
            healthy: None,
            data: Arc::from([]),
            unreachable_at: None,
            verbatim: Arc::default(),
        };
        let update = StatusUpdate {
            framework_id: framework_id.clone(),
            status: Arc::new(status),
            latest_state: state,
        };
        self.tell_master(ToMaster::Update(update), fx);
    }

    /// The scheduler has an update. Only the head in flight can be acknowledged.
    pub(super) fn on_acknowledge(
        &mut self,
        now: Now,
        framework_id: &FrameworkId,
        task_id: &TaskId,
        update_id: UpdateId,
        fx: &mut Outbox<Effect>,
    ) {
        let task = self.checkpoint.task(framework_id, task_id);
        let head = task.and_then(|task| task.updates.head()?.update_id);
        if head != Some(update_id) {
            let probe = Probe::AcknowledgementIgnored;
            fx.push(Effect::Notice(Notice::Probe(probe)));
            return;
        }
        let write = Write::UpdateAcknowledged {
            framework_id: framework_id.clone(),
            task_id: task_id.clone(),
            update_id,
        };
        self.persist(write, fx);
        self.stop_flight(framework_id, task_id);
        self.forward(now, framework_id, task_id, fx);
    }

    /// Sends the head of a task's stream, unless it is in flight or nobody leads.
    pub(super) fn forward(
        &mut self,
        now: Now,
        framework_id: &FrameworkId,
        task_id: &TaskId,
        fx: &mut Outbox<Effect>,
    ) {
        let key = (framework_id.clone(), task_id.clone());
        if self.registration.registered().is_none() || self.flights.contains_key(&key) {
            return;
        }
        self.send_head(now, key, 0, fx);
    }

    fn send_head(
        &mut self,
        now: Now,
        key: (FrameworkId, TaskId),
        attempt: u32,
        fx: &mut Outbox<Effect>,
    ) {
        let task = self.checkpoint.task(&key.0, &key.1);
        let Some((head, latest_state)) =
            task.and_then(|task| Some((task.updates.head()?, task.updates.latest())))
        else {
            return;
        };
        let update = StatusUpdate {
            framework_id: key.0.clone(),
            status: Arc::clone(head),
            latest_state,
        };
        let wait = self
            .config
            .update_retry
            .saturating_mul(1 << attempt.min(16))
            .min(self.config.update_retry_max);
        let timer = Timer::Update(key.0.clone(), key.1.clone());
        self.timers.set(timer, now.mono + wait);
        let id = head.update_id.expect("only updates with an id are taken");
        self.flights.insert(key, (id, attempt));
        self.tell_master(ToMaster::Update(update), fx);
    }

    /// Nobody acknowledged the head for too long.
    pub(super) fn on_update_timer(
        &mut self,
        now: Now,
        key: (FrameworkId, TaskId),
        fx: &mut Outbox<Effect>,
    ) {
        if let Some((_, attempt)) = self.flights.remove(&key) {
            self.send_head(now, key, attempt.saturating_add(1), fx);
        }
    }

    pub(super) fn stop_flight(&mut self, framework_id: &FrameworkId, task_id: &TaskId) {
        let key = (framework_id.clone(), task_id.clone());
        self.flights.remove(&key);
        self.timers.cancel(&Timer::Update(key.0, key.1));
    }

    /// Nobody leads: nothing is in flight.
    pub(super) fn pause_updates(&mut self) {
        for (framework_id, task_id) in core::mem::take(&mut self.flights).into_keys() {
            self.timers.cancel(&Timer::Update(framework_id, task_id));
        }
        self.pause_operations();
    }

    /// A leader took the agent: every head is sent, again if need be.
    pub(super) fn resume_updates(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        let waiting = self.checkpoint.tasks();
        let waiting = waiting.filter(|(_, _, task)| task.updates.head().is_some());
        let waiting: Vec<_> = waiting
            .map(|(framework_id, task_id, _)| (framework_id.clone(), task_id.clone()))
            .collect();
        for (framework_id, task_id) in waiting {
            self.forward(now, &framework_id, &task_id, fx);
        }
        self.resume_operations(now, fx);
    }
}

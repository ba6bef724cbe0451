//! What leaves for the master: held until the writes before it are durable, dropped where there
//! is no subscription, and the orderly end.

use super::driver::Link;
use super::reconcile::Question;
use super::{CallKind, Effect, Event, Exit, Notice, SchedulerDriver, Write};
use crate::durable::WriteSequence;
use crate::ids::{Peer, TaskId};
use crate::message::scheduler::{Call, CallId, ToMaster};
use crate::model::OfferOperation;
use crate::outbox::Outbox;
use crate::resources::Role;
use crate::time::{Now, Time};
use alloc::string::String;
use alloc::vec::Vec;

/// A call that waits for the disk, meant for this connection only: on the next one the offers
/// that it names are void and the update that it acknowledges comes again.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) peer: Peer,
    pub(super) call: Call,
}

/// The framework is ending.
#[derive(Clone, Debug)]
pub(super) struct Stopping {
    pub(super) teardown: bool,
    pub(super) exit: Exit,
    pub(super) deadline: Time,
    /// The TEARDOWN that waits for its answer.
    pub(super) call: Option<CallId>,
}

impl CallKind {
    pub(super) const fn of(call: &Call) -> CallKind {
        match call {
            Call::Subscribe { .. } => CallKind::Subscribe,
            Call::Teardown => CallKind::Teardown,
            Call::Accept { .. } => CallKind::Accept,
            Call::Decline { .. } => CallKind::Decline,
            Call::Revive { .. } => CallKind::Revive,
            Call::Suppress { .. } => CallKind::Suppress,
            Call::Kill { .. } => CallKind::Kill,
            Call::Shutdown { .. } => CallKind::Shutdown,
            Call::Acknowledge { .. } => CallKind::Acknowledge,
            Call::Reconcile { .. } => CallKind::Reconcile,
            Call::Message { .. } => CallKind::Message,
            Call::UpdateFramework { .. } => CallKind::UpdateFramework,
            Call::AcceptInverseOffers { .. } => CallKind::AcceptInverseOffers,
            Call::DeclineInverseOffers { .. } => CallKind::DeclineInverseOffers,
            Call::AcknowledgeOperationStatus { .. } => CallKind::AcknowledgeOperationStatus,
            Call::ReconcileOperations { .. } => CallKind::ReconcileOperations,
            Call::Request => CallKind::Request,
        }
    }

    /// Whether the driver wants to hear about a refusal. What is answered by events anyway, and
    /// comes in masses, is not.
    const fn wants_answer(self) -> bool {
        matches!(
            self,
            CallKind::Subscribe
                | CallKind::Teardown
                | CallKind::Revive
                | CallKind::Suppress
                | CallKind::Reconcile
                | CallKind::UpdateFramework
        )
    }
}

impl SchedulerDriver {
    /// A call of the logic's.
    pub(super) fn on_logic_call(
        &mut self,
        call: Call,
        events: &mut Outbox<Event>,
        fx: &mut Outbox<Effect>,
    ) {
        let kind = CallKind::of(&call);
        assert!(
            !matches!(
                kind,
                CallKind::Subscribe | CallKind::Teardown | CallKind::Acknowledge
            ),
            "{kind:?} is the driver's own call"
        );
        self.call(call, events, fx);
    }

    /// Sends `call` as soon as every write issued so far is durable.
    pub(super) fn call(&mut self, call: Call, events: &mut Outbox<Event>, fx: &mut Outbox<Effect>) {
        self.note_suppression(&call);
        let Link::Subscribed { peer, .. } = self.link else {
            self.drop_call(&call, events, fx);
            return;
        };
        if self.outgoing.len() >= self.config.calls_parked_max {
            self.drop_call(&call, events, fx);
            return;
        }
        if let Some(outgoing) = self.outgoing.park(Outgoing { peer, call }) {
            self.send(outgoing, fx);
        }
    }

    /// Which roles are suppressed goes with the next subscription, whether or not the call of
    /// this moment arrives.
    fn note_suppression(&mut self, call: &Call) {
        let all = |roles: &[Role], info: &[Role]| {
            if roles.is_empty() {
                info.to_vec()
            } else {
                roles.to_vec()
            }
        };
        match call {
            Call::Suppress { roles } => self.suppressed.extend(all(roles, &self.info.roles)),
            Call::Revive { roles } => {
                for role in all(roles, &self.info.roles) {
                    self.suppressed.remove(&role);
                }
            }
            _ => {}
        }
    }

    fn send(&mut self, outgoing: Outgoing, fx: &mut Outbox<Effect>) {
        assert!(
            self.id_write <= self.outgoing.durable(),
            "a call would leave before the framework's id is durable"
        );
        let kind = CallKind::of(&outgoing.call);
        let id = if kind.wants_answer() {
            self.next_call()
        } else {
            CallId::default()
        };
        if let (CallKind::Teardown, Some(stopping)) = (kind, &mut self.stopping) {
            stopping.call = Some(id);
        }
        let message = ToMaster {
            id,
            framework_id: self.info.id.clone(),
            call: outgoing.call,
        };
        let peer = outgoing.peer;
        fx.push(Effect::ToMaster { peer, message });
    }

    fn drop_call(&mut self, call: &Call, events: &mut Outbox<Event>, fx: &mut Outbox<Effect>) {
        self.counters.calls_dropped += 1;
        fx.push(Effect::Notice(Notice::CallDropped {
            call: CallKind::of(call),
        }));
        if let Call::Accept { operations, .. } = call {
            let task_ids = launched(operations);
            if !task_ids.is_empty() {
                events.push(Event::LaunchDropped { task_ids });
            }
        }
    }

    /// Makes a record durable; every later call waits for it.
    pub(super) fn persist(&mut self, write: Write, fx: &mut Outbox<Effect>) {
        let sequence = self.outgoing.issue();
        fx.push(Effect::Persist { sequence, write });
    }

    /// Lets go what waited for these writes.
    pub(super) fn on_persisted(
        &mut self,
        up_to: WriteSequence,
        events: &mut Outbox<Event>,
        fx: &mut Outbox<Effect>,
    ) {
        self.outgoing.persisted(up_to);
        while let Some(outgoing) = self.outgoing.pop() {
            let current =
                matches!(self.link, Link::Subscribed { peer, .. } if peer == outgoing.peer);
            if current {
                self.send(outgoing, fx);
            } else {
                self.drop_call(&outgoing.call, events, fx);
            }
        }
        self.exit_when_flushed(fx);
    }

    /// Asks about tasks that are not answered for, when it is time.
    pub(super) fn ask_again(
        &mut self,
        now: Now,
        events: &mut Outbox<Event>,
        fx: &mut Outbox<Effect>,
    ) {
        if !self.is_subscribed() || self.stopping.is_some() {
            return;
        }
        match self.reconciler.on_due(now.mono) {
            None => return,
            Some(Question::Implicit) => {
                self.call(Call::Reconcile { tasks: Vec::new() }, events, fx);
            }
            Some(Question::Explicit(tasks)) => {
                for chunk in tasks.chunks(self.config.reconcile_tasks_max) {
                    let tasks = chunk.to_vec();
                    self.call(Call::Reconcile { tasks }, events, fx);
                }
            }
        }
        self.arm_reconciler(now);
    }

    /// Ends the framework, in order: what was decided leaves first, then the teardown.
    pub(super) fn stop(
        &mut self,
        now: Now,
        teardown: bool,
        exit: Exit,
        events: &mut Outbox<Event>,
        fx: &mut Outbox<Effect>,
    ) {
        if self.stopping.is_some() || self.is_ended() {
            return;
        }
        fx.push(Effect::Notice(Notice::Stopping { teardown }));
        // Without an id no master holds anything for us.
        let teardown = teardown && self.info.id.is_some();
        self.stopping = Some(Stopping {
            teardown,
            exit,
            deadline: now.mono + self.config.teardown_timeout,
            call: None,
        });
        if teardown && self.is_subscribed() {
            self.call(Call::Teardown, events, fx);
        }
        self.exit_when_flushed(fx);
    }

    /// A stop without teardown ends once nothing waits for the disk.
    fn exit_when_flushed(&mut self, fx: &mut Outbox<Effect>) {
        let done = self
            .stopping
            .as_ref()
            .is_some_and(|stopping| !stopping.teardown && self.outgoing.is_empty());
        if done {
            self.exit(fx);
        }
    }

    pub(super) fn stopping_is_late(&self, now: Now) -> bool {
        let stopping = self.stopping.as_ref();
        !self.is_ended() && stopping.is_some_and(|stopping| stopping.deadline <= now.mono)
    }

    /// The framework is over at the master's; or nobody can wait any longer.
    pub(super) fn exit(&mut self, fx: &mut Outbox<Effect>) {
        let exit = match self.stopping.take() {
            Some(stopping) => stopping.exit,
            None => Exit::SUCCESS,
        };
        self.end(exit, fx);
    }

    /// Ends at once, whatever waits.
    pub(super) fn fail(&mut self, message: String, fx: &mut Outbox<Effect>) {
        self.end(Exit::failure(message), fx);
    }

    fn end(&mut self, exit: Exit, fx: &mut Outbox<Effect>) {
        assert!(!self.is_ended(), "a framework ends once");
        if let Some(peer) = self.peer() {
            fx.push(Effect::Close { peer });
        }
        self.link = Link::Ended;
        self.master = None;
        self.reconciler.stop();
        fx.push(Effect::Exit(exit));
    }
}

fn launched(operations: &[OfferOperation]) -> Vec<TaskId> {
    let mut task_ids = Vec::new();
    for operation in operations {
        task_ids.extend(operation.tasks().iter().map(|task| task.task_id.clone()));
    }
    task_ids
}

//! What the master says: the event stream, and answers to calls.

use super::driver::Link;
use super::{Effect, Event, LinkEnd, Notice, SchedulerDriver, Write};
use crate::ids::{FrameworkId, Peer};
use crate::message::Reject;
use crate::message::scheduler::{self, Call, CallId, ToScheduler};
use crate::model::{FrameworkInfo, MasterInfo, TaskStatus};
use crate::outbox::Outbox;
use crate::time::Now;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;

/// What a master may promise about heartbeats: less would be a busy loop, more would be never.
const HEARTBEAT_MIN: Duration = Duration::from_millis(10);
const HEARTBEAT_MAX: Duration = Duration::from_secs(3600);

impl SchedulerDriver {
    /// Something came in. Old connections are not listened to: what they say was said to an
    /// earlier subscription (MESOS-659: our own retry makes the master tell it "failed over").
    pub(super) fn on_message(
        &mut self,
        now: Now,
        peer: Peer,
        message: ToScheduler,
        events: &mut Outbox<Event>,
        fx: &mut Outbox<Effect>,
    ) {
        if self.peer() != Some(peer) {
            return;
        }
        if let Link::Subscribed {
            heartbeat, until, ..
        } = &mut self.link
        {
            let patience = heartbeat.saturating_mul(self.config.heartbeats_missed_max);
            *until = now.mono + patience;
        }
        match message {
            ToScheduler::Event(event) => self.on_event(now, event, events, fx),
            ToScheduler::Reply { id, result } => {
                let ends = self.stopping.as_ref().is_some_and(|s| s.call == Some(id));
                match result {
                    Ok(()) if ends => self.exit(fx),
                    Ok(()) => {}
                    Err(reject) => self.on_reject(now, id, reject, events, fx),
                }
            }
        }
    }

    fn on_event(
        &mut self,
        now: Now,
        event: scheduler::Event,
        events: &mut Outbox<Event>,
        fx: &mut Outbox<Effect>,
    ) {
        use scheduler::Event as E;
        match event {
            E::Subscribed {
                framework_id,
                heartbeat_interval,
                master,
            } => self.on_subscribed(now, framework_id, heartbeat_interval, master, events, fx),
            E::Error { message } if self.stopping.is_some() => {
                // Somebody else ended it, or it was over before: what we want.
                let _ = message;
                self.exit(fx);
            }
            E::Error { message } => self.fail(format!("the master ended it: {message}"), fx),
            // Before SUBSCRIBED nothing belongs to this subscription (MESOS-8641).
            _ if !self.is_subscribed() || self.stopping.is_some() => {}
            E::Heartbeat => {}
            E::Offers(offers) => events.push(Event::Offers(offers)),
            E::Rescind { offer_id } => events.push(Event::Rescind { offer_id }),
            E::Update { status } => self.on_update(status, events, fx),
            E::Message {
                agent_id,
                executor_id,
                data,
            } => events.push(Event::Message {
                agent_id,
                executor_id,
                data,
            }),
            E::Failure {
                agent_id,
                executor_id,
                status,
            } => events.push(Event::Failure {
                agent_id,
                executor_id,
                status,
            }),
            E::InverseOffers(offers) => events.push(Event::InverseOffers(offers)),
            E::RescindInverseOffer { offer_id } => {
                events.push(Event::RescindInverseOffer { offer_id });
            }
            E::UpdateOperationStatus { status } => events.push(Event::Operation { status }),
            // Only for descriptions that never were a `TaskInfo`.
            E::Malformed { .. } => {}
        }
    }

    fn on_subscribed(
        &mut self,
        now: Now,
        framework_id: FrameworkId,
        heartbeat: Duration,
        master: MasterInfo,
        events: &mut Outbox<Event>,
        fx: &mut Outbox<Effect>,
    ) {
        let Link::Subscribing { peer, .. } = self.link else {
            return;
        };
        match &self.info.id {
            None => {
                self.info = Arc::new(FrameworkInfo {
                    id: Some(framework_id.clone()),
                    ..(*self.info).clone()
                });
                self.persist(Write::Framework(framework_id.clone()), fx);
                self.id_write = self.outgoing.issued();
            }
            Some(id) if *id == framework_id => {}
            Some(id) => {
                let message = format!("the master knows framework {id} as {framework_id}");
                self.fail(message, fx);
                return;
            }
        }
        let heartbeat = heartbeat.clamp(HEARTBEAT_MIN, HEARTBEAT_MAX);
        let patience = heartbeat.saturating_mul(self.config.heartbeats_missed_max);
        self.link = Link::Subscribed {
            peer,
            heartbeat,
            until: now.mono + patience,
        };
        self.master = Some(master.clone());
        self.unanswered = 0;
        self.detector.on_accepted();
        self.counters.subscriptions += 1;
        fx.push(Effect::Notice(Notice::Subscribed {
            framework_id: framework_id.clone(),
            master: master.address.clone(),
        }));
        match &self.stopping {
            Some(stopping) if stopping.teardown => self.call(Call::Teardown, events, fx),
            Some(_) => {}
            None => events.push(Event::Subscribed {
                framework_id,
                master,
            }),
        }
    }

    fn on_update(
        &mut self,
        status: Arc<TaskStatus>,
        events: &mut Outbox<Event>,
        fx: &mut Outbox<Effect>,
    ) {
        self.reconciler.on_answer(&status.task_id);
        if self.updates.was_handled(&status) {
            self.counters.updates_again += 1;
            fx.push(Effect::Notice(Notice::DuplicateUpdate {
                task_id: status.task_id.clone(),
            }));
            self.acknowledge(&status, events, fx);
        } else {
            events.push(Event::Update { status });
        }
        self.report_reconciled(events, fx);
    }

    /// The logic handled `status` without giving up.
    pub(super) fn on_handled(
        &mut self,
        status: &TaskStatus,
        events: &mut Outbox<Event>,
        fx: &mut Outbox<Effect>,
    ) {
        self.updates.on_handled(status);
        if status.update_id.is_some() {
            self.counters.updates_handled += 1;
            self.acknowledge(status, events, fx);
        }
    }

    fn acknowledge(
        &mut self,
        status: &TaskStatus,
        events: &mut Outbox<Event>,
        fx: &mut Outbox<Effect>,
    ) {
        let (Some(update_id), Some(agent_id)) = (status.update_id, &status.agent_id) else {
            return;
        };
        self.counters.acknowledgements += 1;
        let call = Call::Acknowledge {
            agent_id: agent_id.clone(),
            task_id: status.task_id.clone(),
            update_id,
        };
        self.call(call, events, fx);
    }

    fn on_reject(
        &mut self,
        now: Now,
        id: CallId,
        reject: Reject,
        events: &mut Outbox<Event>,
        fx: &mut Outbox<Effect>,
    ) {
        if let Reject::NotLeading { leader } = &reject {
            let wait = self.detector.on_redirect(leader.as_ref());
            self.lose_for(now, wait, LinkEnd::NotLeading, events, fx);
            return;
        }
        if matches!(self.link, Link::Subscribing { call, .. } if call == id) {
            self.on_subscription_refused(now, &reject, events, fx);
            return;
        }
        if matches!(
            reject,
            Reject::NotSubscribed(_) | Reject::NoSuchFramework(_)
        ) {
            // The master does not know of this subscription: begin a new one.
            self.lose(now, LinkEnd::Refused, events, fx);
            return;
        }
        let ends = self.stopping.as_ref().is_some_and(|s| s.call == Some(id));
        fx.push(Effect::Notice(Notice::CallRejected { reject }));
        if ends {
            self.exit(fx);
        }
    }

    fn on_subscription_refused(
        &mut self,
        now: Now,
        reject: &Reject,
        events: &mut Outbox<Event>,
        fx: &mut Outbox<Effect>,
    ) {
        match reject {
            Reject::Busy(_) | Reject::NotSubscribed(_) => {
                self.unanswered = self.unanswered.saturating_add(1);
                self.lose(now, LinkEnd::Refused, events, fx);
            }
            _ if self.stopping.is_some() => self.exit(fx),
            _ => {
                let message = String::from("the master refused the framework: ");
                self.fail(format!("{message}{reject}"), fx);
            }
        }
    }
}

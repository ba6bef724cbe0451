//! How the agent finds the leader and stays with it. There is one link and one timer, so that
//! two attempts can never race.

use super::node::{AgentNode, Stage, Timer};
use super::{Effect, LostMaster, Notice, Probe, Write};
use crate::detector::{Backoff, Detector};
use crate::ids::{AgentId, FrameworkId, Peer, TaskId};
use crate::log::Ballot;
use crate::message::agent::{Reregistration, TaskReport, ToAgent, ToMaster};
use crate::model::{AgentInfo, MasterInfo};
use crate::outbox::Outbox;
use crate::rng::Rng;
use crate::time::Now;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

/// Where the agent stands with its master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// Waits for the timer before it asks again.
    Idle,
    /// A connection is being opened.
    Connecting(Peer),
    /// The registration is sent.
    Asking(Peer),
    /// That master does not lead and knows nobody who does. Until the timer asks elsewhere, it
    /// may still say who won.
    Watching(Peer),
    /// Taken; only this connection is obeyed.
    Registered(Peer),
}

/// The volatile part of registration.
#[derive(Clone, Debug)]
pub(super) struct Registration {
    pub(super) link: Link,
    detector: Detector,
    rng: Rng,
    peers: u64,
    ping_timeout: Duration,
    unanswered: u32,
}

impl Registration {
    pub(super) fn new(config: &super::Config, rng: &Rng) -> Registration {
        let backoff = Backoff {
            first: config.registration_backoff,
            most: config.registration_backoff_max,
        };
        Registration {
            link: Link::Idle,
            detector: Detector::new(config.masters.clone(), backoff, rng.fork("detector")),
            rng: rng.fork("registration"),
            peers: 0,
            ping_timeout: Duration::MAX,
            unanswered: 0,
        }
    }

    /// The connection in use, whatever its state.
    fn peer(&self) -> Option<Peer> {
        match self.link {
            Link::Idle => None,
            Link::Connecting(peer)
            | Link::Asking(peer)
            | Link::Watching(peer)
            | Link::Registered(peer) => Some(peer),
        }
    }

    /// The connection that is obeyed.
    pub(super) fn registered(&self) -> Option<Peer> {
        match self.link {
            Link::Registered(peer) => Some(peer),
            _ => None,
        }
    }
}

impl AgentNode {
    /// Begins to look for the leader after `wait`.
    pub(super) fn seek(&mut self, now: Now, wait: Duration) {
        self.registration.link = Link::Idle;
        if self.stage != Stage::Serving {
            // An agent that ends for good is not taken back.
            return;
        }
        self.timers.set(Timer::Registration, now.mono + wait);
    }

    /// Lets go of whatever connection there is.
    pub(super) fn close_link(&mut self, fx: &mut Outbox<Effect>) {
        if let Some(peer) = self.registration.peer() {
            self.say(Effect::Close { peer }, fx);
        }
        self.registration.link = Link::Idle;
        self.timers.cancel(&Timer::Registration);
    }

    /// The one timer: it is time to ask, or whoever was asked was silent for too long.
    pub(super) fn on_registration_timer(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        match self.registration.link {
            Link::Idle => self.connect(now, fx),
            Link::Registered(_) => self.on_master_lost(now, LostMaster::Silent, fx),
            Link::Watching(_) => {
                self.close_link(fx);
                self.connect(now, fx);
            }
            Link::Asking(_) => {
                self.registration.unanswered = self.registration.unanswered.saturating_add(1);
                self.ask_elsewhere(now, fx);
            }
            Link::Connecting(_) => self.ask_elsewhere(now, fx),
        }
    }

    fn ask_elsewhere(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        self.close_link(fx);
        let wait = self.registration.detector.on_failure();
        self.seek(now, wait);
    }

    fn connect(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        assert!(self.registration.peer().is_none(), "one link at a time");
        self.registration.peers += 1;
        let peer = Peer::Outbound(self.registration.peers);
        let address = self.registration.detector.target();
        self.registration.link = Link::Connecting(peer);
        let deadline = now.mono + self.config.connect_timeout;
        self.timers.set(Timer::Registration, deadline);
        self.say(Effect::Connect { peer, address }, fx);
    }

    pub(super) fn on_connected(&mut self, now: Now, peer: Peer, fx: &mut Outbox<Effect>) {
        if self.registration.link == Link::Connecting(peer) {
            self.ask(now, peer, fx);
        }
    }

    /// Sends the registration that fits what the agent is.
    fn ask(&mut self, now: Now, peer: Peer, fx: &mut Outbox<Effect>) {
        self.registration.link = Link::Asking(peer);
        let doubled = 1_u32 << self.registration.unanswered.min(16);
        let longest = self
            .config
            .answer_timeout
            .saturating_mul(doubled)
            .min(self.config.registration_backoff_max);
        let wait = self.registration.rng.between(longest / 2, longest);
        self.timers.set(Timer::Registration, now.mono + wait);
        let run = self.checkpoint.run;
        let message = match self.checkpoint.agent_id {
            None => ToMaster::Register {
                info: self.described(),
                run,
                nonce: self.checkpoint.nonce.expect("drawn before the first write"),
                kept: self.checkpoint.kept.clone(),
            },
            Some(_) => ToMaster::Reregister(Arc::new(self.reregistration())),
        };
        self.say(Effect::ToMaster { peer, message }, fx);
    }

    /// The agent's description, with its id once it has one.
    pub(super) fn described(&mut self) -> Arc<AgentInfo> {
        if self.info.id != self.checkpoint.agent_id {
            self.info = Arc::new(AgentInfo {
                id: self.checkpoint.agent_id.clone(),
                ..AgentInfo::clone(&self.info)
            });
        }
        Arc::clone(&self.info)
    }

    /// All that a leader needs to know of this agent.
    fn reregistration(&mut self) -> Reregistration {
        let info = self.described();
        let kept = || {
            let frameworks = self.checkpoint.frameworks.iter();
            frameworks.filter(|(_, framework)| !framework.torn_down)
        };
        let tasks = kept().flat_map(|(framework_id, framework)| {
            framework.tasks.values().filter_map(|task| {
                Some(TaskReport {
                    framework_id: framework_id.clone(),
                    info: Arc::clone(&task.launched.as_ref()?.info),
                    state: task.updates.told(),
                    unacknowledged: task.updates.head().and_then(|head| head.update_id),
                    latest_state: task.updates.latest(),
                })
            })
        });
        let executors = kept().flat_map(|(_, framework)| {
            let executors = framework.executors.values();
            executors
                .filter(|e| !e.command)
                .map(|e| Arc::clone(&e.info))
        });
        Reregistration {
            info,
            run: self.checkpoint.run,
            tasks: tasks.collect(),
            executors: executors.collect(),
            frameworks: kept().filter_map(|(_, f)| f.info.clone()).collect(),
            kept: self.checkpoint.kept.clone(),
            operations: self.checkpoint.operations.values().cloned().collect(),
        }
    }

    /// A connection to a master broke or could not be opened.
    pub(super) fn on_master_disconnected(&mut self, now: Now, peer: Peer, fx: &mut Outbox<Effect>) {
        if self.registration.peer() != Some(peer) {
            return;
        }
        match self.registration.link {
            Link::Registered(_) => {
                self.registration.link = Link::Idle;
                self.on_master_lost(now, LostMaster::Disconnected, fx);
            }
            _ => {
                let wait = self.registration.detector.on_failure();
                self.seek(now, wait);
            }
        }
    }

    /// The leader is gone: updates pause, and another is looked for almost at once.
    pub(super) fn on_master_lost(&mut self, now: Now, why: LostMaster, fx: &mut Outbox<Effect>) {
        self.close_link(fx);
        self.pause_updates();
        fx.push(Effect::Notice(Notice::LostMaster(why)));
        let jitter = self.config.reconnect_jitter;
        let wait = self.registration.rng.between(Duration::ZERO, jitter);
        self.seek(now, wait);
    }

    /// Sorts out who speaks before anything is obeyed.
    pub(super) fn on_master(
        &mut self,
        now: Now,
        peer: Peer,
        message: ToAgent,
        fx: &mut Outbox<Effect>,
    ) {
        if self.registration.peer() != Some(peer) {
            fx.push(Effect::Notice(Notice::Probe(Probe::NotObeyed)));
            return;
        }
        match (self.registration.link, message) {
            (_, ToAgent::NotLeading { leader }) => self.on_not_leading(now, leader.as_ref(), fx),
            (
                Link::Asking(_),
                ToAgent::Registered {
                    agent_id,
                    ballot,
                    ping_timeout,
                },
            ) => self.on_registered(now, agent_id, ballot, ping_timeout, fx),
            (
                Link::Asking(_),
                ToAgent::Reregistered {
                    ballot,
                    ping_timeout,
                    reconcile,
                },
            ) => self.on_reregistered(now, ballot, ping_timeout, reconcile, fx),
            (Link::Asking(_) | Link::Registered(_), ToAgent::Ping { registered }) => {
                self.on_ping(now, peer, registered, fx);
            }
            (Link::Asking(_) | Link::Registered(_), ToAgent::Shutdown { .. }) => {
                self.on_shutdown(now, false, fx);
            }
            (Link::Registered(_), message) => self.obey(now, message, fx),
            _ => fx.push(Effect::Notice(Notice::Probe(Probe::NotObeyed))),
        }
    }

    fn on_not_leading(&mut self, now: Now, leader: Option<&MasterInfo>, fx: &mut Outbox<Effect>) {
        let peer = self.registration.peer().expect("it just spoke");
        if self.registration.registered().is_some() {
            self.pause_updates();
            let lost = Notice::LostMaster(LostMaster::Demoted);
            fx.push(Effect::Notice(lost));
        }
        let wait = self.registration.detector.on_redirect(leader);
        if leader.is_some() {
            self.close_link(fx);
            self.seek(now, wait);
        } else {
            self.registration.link = Link::Watching(peer);
            self.timers.set(Timer::Registration, now.mono + wait);
        }
    }

    fn on_registered(
        &mut self,
        now: Now,
        agent_id: AgentId,
        ballot: Ballot,
        ping_timeout: Duration,
        fx: &mut Outbox<Effect>,
    ) {
        let ours = self.checkpoint.agent_id.as_ref();
        if ours.is_some_and(|ours| *ours != agent_id) {
            let what = alloc::format!("a master wants to call agent {:?} {agent_id}", ours);
            self.refuse(what, fx);
            self.ask_elsewhere(now, fx);
            return;
        }
        if !self.is_taken_by(now, agent_id.clone(), ballot, ping_timeout, fx) {
            return;
        }
        let notice = Notice::Registered { agent_id, ballot };
        fx.push(Effect::Notice(notice));
        self.resume_updates(now, fx);
    }

    fn on_reregistered(
        &mut self,
        now: Now,
        ballot: Ballot,
        ping_timeout: Duration,
        reconcile: Vec<(FrameworkId, TaskId)>,
        fx: &mut Outbox<Effect>,
    ) {
        let Some(agent_id) = self.checkpoint.agent_id.clone() else {
            self.refuse("a master takes back an agent that has no id".into(), fx);
            self.ask_elsewhere(now, fx);
            return;
        };
        if !self.is_taken_by(now, agent_id, ballot, ping_timeout, fx) {
            return;
        }
        let tasks = self.checkpoint.tasks().count();
        fx.push(Effect::Notice(Notice::Reregistered { ballot, tasks }));
        self.resume_updates(now, fx);
        for (framework_id, task_id) in reconcile {
            self.answer_unknown(now, &framework_id, &task_id, fx);
        }
    }

    /// Whether the leader of this ballot is one to obey; from then on it is.
    fn is_taken_by(
        &mut self,
        now: Now,
        agent_id: AgentId,
        ballot: Ballot,
        ping_timeout: Duration,
        fx: &mut Outbox<Effect>,
    ) -> bool {
        let highest = self.checkpoint.ballot;
        if ballot < highest {
            fx.push(Effect::Notice(Notice::StaleLeader { ballot, highest }));
            self.ask_elsewhere(now, fx);
            return false;
        }
        let peer = self.registration.peer().expect("it just spoke");
        if ballot > highest || self.checkpoint.agent_id.is_none() {
            self.persist(Write::Registered { agent_id, ballot }, fx);
        }
        self.registration.link = Link::Registered(peer);
        self.registration.detector.on_accepted();
        self.registration.unanswered = 0;
        self.registration.ping_timeout = ping_timeout;
        self.timers
            .set(Timer::Registration, now.mono + ping_timeout);
        true
    }

    fn on_ping(&mut self, now: Now, peer: Peer, registered: bool, fx: &mut Outbox<Effect>) {
        let message = ToMaster::Pong;
        self.say(Effect::ToMaster { peer, message }, fx);
        if self.registration.registered().is_none() {
            return;
        }
        if registered {
            let deadline = now.mono + self.registration.ping_timeout;
            self.timers.set(Timer::Registration, deadline);
        } else if self.stage == Stage::Serving {
            // The master holds the agent disconnected though the agent thinks otherwise.
            self.pause_updates();
            self.ask(now, peer, fx);
        }
    }
}

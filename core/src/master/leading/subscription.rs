//! Frameworks: they subscribe, fail over to another scheduler, stay away, and end.

use super::arena::Index;
use super::frameworks::Framework;
use super::notice::{Notice, Probe};
use super::validation;
use super::{Effect, Leading, Owner, Timer};
use crate::ids::{FrameworkId, Peer};
use crate::message::Reject;
use crate::message::agent::ToAgent;
use crate::message::scheduler::{Event, ToScheduler};
use crate::model::FrameworkInfo;
use crate::outbox::Outbox;
use crate::resources::Role;
use crate::time::Now;
use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;

impl Leading {
    pub(super) fn subscribe(
        &mut self,
        now: Now,
        peer: Peer,
        info: &Arc<FrameworkInfo>,
        suppressed: &[Role],
        fx: &mut Outbox<Effect>,
    ) -> Result<(), Reject> {
        validation::framework(info).map_err(Reject::Refused)?;
        if self.agent_of(peer).is_some() {
            let why = "this connection is an agent's";
            return Err(Reject::Invalid(why.into()));
        }
        if let Some(id) = &info.id {
            self.expire_if_late(now, id, fx);
            if self.frameworks.is_removed(id) {
                return Err(Reject::Refused("Framework has been removed".into()));
            }
        }
        validation::suppressed(info, suppressed).map_err(Reject::Refused)?;
        let Some(id) = &info.id else {
            if let Some(index) = self.framework_of(peer) {
                return self.subscribe_again(now, index, info, suppressed, fx);
            }
            let index = self.new_framework(now, info);
            self.connect_framework(now, index, peer, suppressed, fx);
            return Ok(());
        };
        if let Some(other) = self.framework_of(peer)
            && self.frameworks.arena[other].id != *id
        {
            let why = "this connection is another framework's";
            return Err(Reject::Invalid(why.into()));
        }
        let Some(index) = self.frameworks.find(id) else {
            // Of an earlier leader: frameworks are not in the registry.
            let framework = Framework::new(id.clone(), info.clone(), now.wall);
            let index = self.frameworks.insert(framework);
            self.connect_framework(now, index, peer, suppressed, fx);
            return Ok(());
        };
        let known = &self.frameworks.arena[index];
        match known.peer {
            Some(current) if current == peer => {
                return self.subscribe_again(now, index, info, suppressed, fx);
            }
            Some(current) if current > peer => {
                let why = "a newer connection of this framework is subscribed";
                return Err(Reject::Invalid(why.into()));
            }
            _ => {}
        }
        validation::same_principal(&known.info, info).map_err(Reject::Refused)?;
        let info = with_fixed_fields(&known.info, info);
        self.fail_over(now, index, peer, &info, suppressed, fx);
        Ok(())
    }

    fn new_framework(&mut self, now: Now, info: &Arc<FrameworkInfo>) -> Index<Framework> {
        let text = alloc::format!("{}-{:04}", self.prefix, self.frameworks.next);
        self.frameworks.next += 1;
        let id = FrameworkId::new(&text).expect("a ballot and a number make an id");
        let mut described = (**info).clone();
        described.id = Some(id.clone());
        let framework = Framework::new(id, Arc::new(described), now.wall);
        self.frameworks.insert(framework)
    }

    /// The subscription was repeated over the connection that is subscribed: the first answer was
    /// slow. Nobody failed over (MESOS-659).
    fn subscribe_again(
        &mut self,
        now: Now,
        index: Index<Framework>,
        info: &Arc<FrameworkInfo>,
        suppressed: &[Role],
        fx: &mut Outbox<Effect>,
    ) -> Result<(), Reject> {
        let known = &self.frameworks.arena[index];
        validation::same_principal(&known.info, info).map_err(Reject::Refused)?;
        let info = with_fixed_fields(&known.info, info);
        fx.push(Effect::Notice(Notice::Probe(Probe::SubscribedAgain)));
        self.say_subscribed(now, index, fx);
        self.change_framework(index, &info, suppressed, fx);
        Ok(())
    }

    /// Another scheduler, or the same through another connection, takes the framework over.
    fn fail_over(
        &mut self,
        now: Now,
        index: Index<Framework>,
        peer: Peer,
        info: &Arc<FrameworkInfo>,
        suppressed: &[Role],
        fx: &mut Outbox<Effect>,
    ) {
        let framework = &mut self.frameworks.arena[index];
        if let Some(old) = framework.peer.take() {
            self.peers.remove(&old);
            let message = String::from("Framework failed over");
            let message = ToScheduler::Event(Event::Error { message });
            fx.push(Effect::ToScheduler { peer: old, message });
            fx.push(Effect::Close { peer: old });
        }
        let framework_id = framework.id.clone();
        let changed = framework.info != *info;
        framework.info = info.clone();
        // The offers were the old scheduler's; the new one knows nothing of them.
        self.withdraw_framework(index);
        self.connect_framework(now, index, peer, suppressed, fx);
        fx.push(Effect::Notice(Notice::FrameworkFailedOver { framework_id }));
        if changed {
            self.tell_agents_of(index, fx);
        }
    }

    /// The framework's events go to `peer` from now on, the subscription first (MESOS-8641).
    fn connect_framework(
        &mut self,
        now: Now,
        index: Index<Framework>,
        peer: Peer,
        suppressed: &[Role],
        fx: &mut Outbox<Effect>,
    ) {
        self.timers.cancel(&Timer::Failover(index));
        let framework = &mut self.frameworks.arena[index];
        framework.peer = Some(peer);
        framework.epoch += 1;
        framework.ends_at = None;
        framework.heard_of = true;
        framework.subscribed_at = now.wall;
        framework.disconnected_at = None;
        framework.suppressed = suppressed.iter().cloned().collect();
        let (framework_id, name) = (framework.id.clone(), framework.info.name.clone());
        let (info, suppressed) = (framework.info.clone(), framework.suppressed.clone());
        self.peers.insert(peer, Owner::Framework(index));
        self.allocation
            .put_framework(index, &info, &suppressed, true);
        self.say_subscribed(now, index, fx);
        fx.push(Effect::Notice(Notice::FrameworkSubscribed {
            framework_id,
            name,
        }));
    }

    fn say_subscribed(&mut self, now: Now, index: Index<Framework>, fx: &mut Outbox<Effect>) {
        let framework = &self.frameworks.arena[index];
        let peer = framework.peer.expect("just subscribed");
        let message = ToScheduler::Event(Event::Subscribed {
            framework_id: framework.id.clone(),
            heartbeat_interval: self.config.heartbeat_interval,
            master: self.me.clone(),
        });
        fx.push(Effect::ToScheduler { peer, message });
        self.on_heartbeat_due(now, index, fx);
    }

    /// Says that the stream is alive: at once when it begins, and then every so often.
    pub(super) fn on_heartbeat_due(
        &mut self,
        now: Now,
        index: Index<Framework>,
        fx: &mut Outbox<Effect>,
    ) {
        let Some(peer) = self.frameworks.arena[index].peer else {
            return;
        };
        let message = ToScheduler::Event(Event::Heartbeat);
        fx.push(Effect::ToScheduler { peer, message });
        let at = now.mono + self.config.heartbeat_interval;
        self.timers.set(Timer::Heartbeat(index), at);
    }

    pub(super) fn on_framework_disconnected(
        &mut self,
        now: Now,
        index: Index<Framework>,
        fx: &mut Outbox<Effect>,
    ) {
        let framework = &mut self.frameworks.arena[index];
        framework.peer = None;
        framework.epoch += 1;
        framework.disconnected_at = Some(now.wall);
        let framework_id = framework.id.clone();
        self.timers.cancel(&Timer::Heartbeat(index));
        self.withdraw_framework(index);
        self.allocation.deactivate_framework(index);
        self.start_failover(now, index, Duration::ZERO);
        fx.push(Effect::Notice(Notice::FrameworkDisconnected {
            framework_id,
        }));
    }

    /// From now on the framework lasts as long as its failover time-out, or `at_least`, unless
    /// its scheduler returns.
    pub(super) fn start_failover(&mut self, now: Now, index: Index<Framework>, at_least: Duration) {
        let framework = &mut self.frameworks.arena[index];
        assert!(framework.peer.is_none(), "its scheduler is away");
        let at = now.mono + framework.info.failover_timeout.max(at_least);
        framework.ends_at = Some(at);
        self.timers.set(Timer::Failover(index), at);
    }

    pub(super) fn on_failover_timeout(
        &mut self,
        now: Now,
        index: Index<Framework>,
        fx: &mut Outbox<Effect>,
    ) {
        let framework = &self.frameworks.arena[index];
        let due = framework.ends_at.is_some_and(|at| at <= now.mono);
        assert!(
            due && framework.peer.is_none(),
            "a scheduler that returns cancels the time-out"
        );
        self.end_framework(now, index, true, fx);
    }

    /// A scheduler that returns after its time is late even if the tick is later still
    /// (MESOS-1219).
    fn expire_if_late(&mut self, now: Now, id: &FrameworkId, fx: &mut Outbox<Effect>) {
        let Some(index) = self.frameworks.find(id) else {
            return;
        };
        let framework = &self.frameworks.arena[index];
        if framework.ends_at.is_some_and(|at| at <= now.mono) {
            fx.push(Effect::Notice(Notice::Probe(Probe::FailoverTooLate)));
            self.end_framework(now, index, true, fx);
        }
    }

    pub(super) fn update_framework(
        &mut self,
        index: Index<Framework>,
        info: &Arc<FrameworkInfo>,
        suppressed: &[Role],
        fx: &mut Outbox<Effect>,
    ) -> Result<(), Reject> {
        let known = &self.frameworks.arena[index];
        if info.id.as_ref() != Some(&known.id) {
            let why = "'framework_id' differs from 'update_framework.framework_info.id'";
            return Err(Reject::Invalid(why.into()));
        }
        let because = |what: &'static str| {
            move |why: String| Reject::Invalid(alloc::format!("{what} is not valid: {why}"))
        };
        validation::framework(info).map_err(because("Supplied FrameworkInfo"))?;
        validation::same_framework(&known.info, info).map_err(because("FrameworkInfo update"))?;
        validation::suppressed(info, suppressed).map_err(because("'UpdateFramework' call"))?;
        self.change_framework(index, info, suppressed, fx);
        Ok(())
    }

    /// Takes a new description; offers for roles that the framework left are void (MESOS-7135).
    fn change_framework(
        &mut self,
        index: Index<Framework>,
        info: &Arc<FrameworkInfo>,
        suppressed: &[Role],
        fx: &mut Outbox<Effect>,
    ) {
        let framework = &mut self.frameworks.arena[index];
        let mut described = info.clone();
        if described.id.is_none() {
            Arc::make_mut(&mut described).id = Some(framework.id.clone());
        }
        let changed = framework.info != described;
        framework.info = described.clone();
        framework.suppressed = suppressed.iter().cloned().collect();
        let suppressed = framework.suppressed.clone();
        let framework_id = framework.id.clone();
        fx.push(Effect::Notice(Notice::FrameworkChanged { framework_id }));
        self.rescind_roles(index, fx);
        self.allocation
            .put_framework(index, &described, &suppressed, true);
        if changed {
            self.tell_agents_of(index, fx);
        }
    }

    /// Tells the agents on which a framework has something how it describes itself now.
    fn tell_agents_of(&self, index: Index<Framework>, fx: &mut Outbox<Effect>) {
        let framework = &self.frameworks.arena[index];
        for agent in framework.presence.keys() {
            if let Some(peer) = self.agents.arena[*agent].peer {
                let framework = framework.info.clone();
                let message = ToAgent::UpdateFramework { framework };
                fx.push(Effect::ToAgent { peer, message });
            }
        }
    }
}

/// A framework that subscribes keeps what can never change, whatever it says now.
fn with_fixed_fields(old: &FrameworkInfo, new: &Arc<FrameworkInfo>) -> Arc<FrameworkInfo> {
    let mut new = new.clone();
    if new.user != old.user || new.checkpoint != old.checkpoint {
        let fixed = Arc::make_mut(&mut new);
        fixed.user.clone_from(&old.user);
        fixed.checkpoint = old.checkpoint;
    }
    new
}

//! A master, composed of its machines. Siblings neither hold nor call each other: each pushes
//! into its own outbox, and the node carries what is in it to whom it concerns.

use super::config::Config;
use super::effect::Effect;
use super::input::Input;
use super::invariants::INVARIANTS;
use super::leading::{self, Leading};
use super::standing::{Held, Standing};
use crate::ids::Peer;
use crate::invariant::{self, Cost, Violation};
use crate::log::{self, Position};
use crate::machine::Machine;
use crate::message::{Reject, agent, operator, scheduler};
use crate::model::MasterInfo;
use crate::outbox::Outbox;
use crate::registry::{self, Registrar, Registry};
use crate::rng::Rng;
use crate::time::{Now, Time};
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// One master.
#[derive(Clone, Debug)]
pub struct MasterNode {
    pub(super) config: Config,
    pub(super) rng: Rng,
    pub(super) log: log::Node,
    pub(super) registry: Registry,
    /// The last position that is in the registry.
    pub(super) applied: Position,
    pub(super) standing: Standing,
    /// Connections that something of this leadership hangs on; closed when it ends.
    pub(super) connections: BTreeSet<Peer>,
    /// Requests of operators that are not answered yet.
    pub(super) asked: BTreeSet<operator::RequestId>,
    /// Who leads, for those who ask in the wrong place.
    pub(super) leader: Option<MasterInfo>,
    /// Names the registrar's append in the log's answer.
    pub(super) append_token: u64,
    pub(super) membership_epoch: u64,
    pub(super) log_fx: Outbox<log::Effect>,
    pub(super) registrar_fx: Outbox<registry::Effect>,
    pub(super) leading_fx: Outbox<leading::Effect>,
    pub(super) log_scratch: Vec<log::Effect>,
    pub(super) registrar_scratch: Vec<registry::Effect>,
    pub(super) leading_scratch: Vec<leading::Effect>,
}

impl MasterNode {
    /// Room that a caller's outbox needs for whatever one input causes.
    pub const EFFECTS_MAX: usize = 1 << 21;

    /// A master on an empty disk.
    #[must_use]
    pub fn new(config: Config, rng: &Rng, now: Now, fx: &mut Outbox<Effect>) -> MasterNode {
        MasterNode::recover(config, rng, now, log::Recovered::default(), fx)
    }

    /// Builds the master from what is on its disk. `config` must have passed
    /// [`Config::validate`]; `rng` must be another stream in each run, since ids are drawn from
    /// it.
    #[must_use]
    pub fn recover(
        config: Config,
        rng: &Rng,
        now: Now,
        recovered: log::Recovered,
        fx: &mut Outbox<Effect>,
    ) -> MasterNode {
        let mut log_fx = Outbox::new(config.log.effects_max());
        let log_rng = rng.fork("log");
        let log = log::Node::recover(config.log.clone(), log_rng, recovered, now, &mut log_fx);
        let registrar_effects_max = config.registry.batch_operations_max + 16;
        let mut node = MasterNode {
            rng: rng.fork("leading"),
            membership_epoch: log.membership().epoch(),
            log,
            registry: Registry::default(),
            applied: Position::ZERO,
            standing: Standing::Following,
            connections: BTreeSet::new(),
            asked: BTreeSet::new(),
            leader: None,
            append_token: 0,
            log_fx,
            registrar_fx: Outbox::new(registrar_effects_max),
            leading_fx: Outbox::new(MasterNode::EFFECTS_MAX),
            log_scratch: Vec::new(),
            registrar_scratch: Vec::new(),
            leading_scratch: Vec::new(),
            config,
        };
        fx.push(Effect::Membership(Arc::from(
            node.log.membership().masters(),
        )));
        node.settle(now, fx);
        node.assert_invariants();
        node
    }

    /// Its replica of the log.
    #[must_use]
    pub const fn log(&self) -> &log::Node {
        &self.log
    }

    /// Its replica of the registry.
    #[must_use]
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The last position that is in the registry.
    #[must_use]
    pub const fn applied(&self) -> Position {
        self.applied
    }

    /// All that it acts with, while it leads.
    #[must_use]
    pub fn leading(&self) -> Option<&Leading> {
        match &self.standing {
            Standing::Leading(serving) => Some(&serving.leading),
            _ => None,
        }
    }

    /// Its registrar, from its election to the end of its leadership.
    #[must_use]
    pub fn registrar(&self) -> Option<&Registrar> {
        self.standing.registrar()
    }

    /// Who leads, as far as this master knows; itself included.
    #[must_use]
    pub const fn leader(&self) -> Option<&MasterInfo> {
        self.leader.as_ref()
    }

    /// Its time-outs and bounds.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// What is broken, of this master's invariants and its machines' that cost at most `cost`.
    #[must_use]
    pub fn check(&self, cost: Cost) -> Vec<Violation> {
        let mut violations = self.check_composition(cost);
        let table = log::invariants::INVARIANTS;
        violations.extend(invariant::check(table, &self.log, cost));
        violations
    }

    fn check_composition(&self, cost: Cost) -> Vec<Violation> {
        let mut violations = invariant::check(INVARIANTS, self, cost);
        violations.extend(invariant::check(registry::INVARIANTS, &self.registry, cost));
        if let Some(registrar) = self.registrar() {
            let table = registry::REGISTRAR_INVARIANTS;
            violations.extend(invariant::check(table, registrar, cost));
        }
        if let Some(leading) = self.leading() {
            violations.extend(leading.check(cost));
        }
        violations
    }

    /// The log checks its own after every input.
    fn assert_invariants(&self) {
        let violations = self.check_composition(Cost::Constant);
        if let Some(Violation { invariant, found }) = violations.first() {
            panic!("{} broke {invariant}: {found}", self.log.me());
        }
    }

    /// This master, as its peers know it.
    pub(super) fn me(&self) -> MasterInfo {
        let membership = self.log.membership();
        let known = membership.masters().iter();
        let known = known.chain(self.config.log.bootstrap.masters());
        let me = known.clone().find(|master| master.id == self.log.me());
        me.cloned()
            .expect("a valid configuration lists this master")
    }

    /// Where to send those who ask the wrong master. Never here: whoever leads does not ask this.
    pub(super) fn redirect(&self) -> Option<MasterInfo> {
        let leader = self.leader.as_ref();
        leader.filter(|leader| leader.id != self.log.me()).cloned()
    }

    fn on_agent(
        &mut self,
        now: Now,
        peer: Peer,
        message: agent::ToMaster,
        fx: &mut Outbox<Effect>,
    ) {
        match &mut self.standing {
            Standing::Leading(serving) => {
                // The first message of a connection is one of these; a ping's answer, of which
                // there are most, costs no look-up.
                if matches!(
                    message,
                    agent::ToMaster::Register { .. } | agent::ToMaster::Reregister(_)
                ) {
                    self.connections.insert(peer);
                }
                let leading_fx = &mut self.leading_fx;
                serving.leading.on_agent(now, peer, message, leading_fx);
            }
            Standing::Recording(recording) if recording.held.len() < self.config.held_max => {
                self.connections.insert(peer);
                recording.held.push(Held::Agent(peer, message));
            }
            _ => {
                let leader = self.redirect();
                let message = agent::ToAgent::NotLeading { leader };
                fx.push(Effect::ToAgent { peer, message });
            }
        }
    }

    fn on_scheduler(
        &mut self,
        now: Now,
        peer: Peer,
        message: scheduler::ToMaster,
        fx: &mut Outbox<Effect>,
    ) {
        match &mut self.standing {
            Standing::Leading(serving) => {
                if matches!(message.call, scheduler::Call::Subscribe { .. }) {
                    self.connections.insert(peer);
                }
                let leading_fx = &mut self.leading_fx;
                serving.leading.on_scheduler(now, peer, message, leading_fx);
            }
            Standing::Recording(recording) if recording.held.len() < self.config.held_max => {
                self.connections.insert(peer);
                recording.held.push(Held::Scheduler(peer, message));
            }
            _ => {
                let leader = self.redirect();
                let message = scheduler::ToScheduler::Reply {
                    id: message.id,
                    result: Err(Reject::NotLeading { leader }),
                };
                fx.push(Effect::ToScheduler { peer, message });
            }
        }
    }

    fn on_operator(
        &mut self,
        now: Now,
        id: operator::RequestId,
        request: operator::Request,
        fx: &mut Outbox<Effect>,
    ) {
        let refuse = |refusal| Effect::ToOperator {
            id,
            answer: Err(refusal),
        };
        if self.asked.contains(&id) {
            let why = format!("{id} is under way already");
            return fx.push(refuse(operator::Refusal::Conflict(why)));
        }
        if self.asked.len() >= self.config.held_max {
            let why = format!("{} requests wait: try again later", self.asked.len());
            return fx.push(refuse(operator::Refusal::Busy(why)));
        }
        match &mut self.standing {
            Standing::Leading(serving) => {
                self.asked.insert(id);
                let leading_fx = &mut self.leading_fx;
                serving.leading.on_operator(now, id, request, leading_fx);
            }
            Standing::Recording(recording) if recording.held.len() < self.config.held_max => {
                self.asked.insert(id);
                recording.held.push(Held::Operator(id, request));
            }
            _ => {
                let leader = self.redirect();
                fx.push(refuse(operator::Refusal::NotLeading { leader }));
            }
        }
    }

    fn on_disconnected(&mut self, now: Now, peer: Peer) {
        let hung = self.connections.remove(&peer);
        match &mut self.standing {
            Standing::Leading(serving) => {
                let leading_fx = &mut self.leading_fx;
                serving.leading.on_disconnected(now, peer, leading_fx);
            }
            Standing::Recording(recording) if hung => {
                recording.held.push(Held::Disconnected(peer));
            }
            _ => {}
        }
    }

    fn on_tick(&mut self, now: Now) {
        if let Some(registrar) = self.standing.registrar_mut() {
            registrar.tick(now, &mut self.registrar_fx);
        }
        if let Standing::Leading(serving) = &mut self.standing {
            serving.leading.on_tick(now, &mut self.leading_fx);
            if serving.gc_at <= now.mono {
                serving.gc_at = now.mono + self.config.registry.gc_interval;
                self.prune(now);
            }
        }
    }

    pub(super) fn feed_log(&mut self, now: Now, input: log::Input) {
        self.log.handle(now, input, &mut self.log_fx);
    }
}

impl Machine for MasterNode {
    type Input = Input;
    type Effect = Effect;

    fn handle(&mut self, now: Now, input: Input, fx: &mut Outbox<Effect>) {
        // Whoever slept through the end of his lease must learn so before he acts on anything
        // that waited for him.
        if self.log.deadline().is_some_and(|due| due <= now.mono) {
            self.feed_log(now, log::Input::Tick);
            self.settle(now, fx);
        }
        match input {
            Input::Tick => self.on_tick(now),
            Input::FromMaster { from, message } => {
                self.feed_log(now, log::Input::Received { from, message });
            }
            Input::LinkBroken { with } => self.feed_log(now, log::Input::LinkBroken { with }),
            Input::FromAgent { peer, message } => self.on_agent(now, peer, message, fx),
            Input::FromScheduler { peer, message } => self.on_scheduler(now, peer, message, fx),
            Input::Disconnected { peer } => self.on_disconnected(now, peer),
            Input::Operator { id, request } => self.on_operator(now, id, request, fx),
            Input::Persisted { lane, up_to } => {
                self.feed_log(now, log::Input::Persisted { lane, up_to });
            }
        }
        self.settle(now, fx);
        self.assert_invariants();
    }

    fn deadline(&self) -> Option<Time> {
        let log = self.log.deadline();
        let registrar = self.registrar().and_then(Registrar::deadline);
        let leading = match &self.standing {
            Standing::Leading(serving) => Some(serving.deadline()),
            _ => None,
        };
        [log, registrar, leading].into_iter().flatten().min()
    }
}

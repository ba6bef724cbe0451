//! How a leadership begins and ends.

use super::effect::Effect;
use super::leading::Leading;
use super::node::MasterNode;
use super::notice::Notice;
use super::standing::{Held, Recording, Serving, Standing};
use crate::log::{self, Ballot, Demotion};
use crate::message::operator;
use crate::outbox::Outbox;
use crate::registry::{Operation, Registrar};
use crate::time::Now;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use core::mem;

impl MasterNode {
    /// Asks the registry what it may forget, and stores that.
    pub(super) fn prune(&mut self, now: Now) {
        if let Standing::Leading(serving) = &mut self.standing
            && let Some(prune) = self.registry.prunable(now.wall, &self.config.registry)
        {
            // When too much waits, there is another time for this.
            let fx = &mut self.registrar_fx;
            let _ = serving.registrar.store(now, prune, fx);
        }
    }

    pub(super) fn on_elected(&mut self, now: Now, ballot: Ballot, fx: &mut Outbox<Effect>) {
        assert!(
            matches!(self.standing, Standing::Following),
            "elected while {:?} goes on",
            self.standing.ballot()
        );
        fx.push(Effect::Notice(Notice::Elected { ballot }));
        let version = self.registry.version();
        let mut registrar = Registrar::new(self.config.registry.clone(), ballot, version);
        let master = self.me();
        registrar
            .store(
                now,
                Operation::SetLeader { master, ballot },
                &mut self.registrar_fx,
            )
            .expect("an empty queue takes an operation, and a valid batch holds this one");
        self.standing = Standing::Recording(Box::new(Recording {
            ballot,
            registrar,
            held: Vec::new(),
        }));
    }

    /// The registry says that this master leads: it serves, beginning with what waited.
    pub(super) fn on_recorded(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        let standing = mem::replace(&mut self.standing, Standing::Following);
        let Standing::Recording(recording) = standing else {
            panic!("a leader is recorded once");
        };
        let Recording {
            ballot,
            registrar,
            held,
        } = *recording;
        // Its own stream for each leadership: ids are drawn from it.
        let rng = self.rng.fork(&format!("{ballot}"));
        let me = self.me();
        let registry = &self.registry;
        let mut leading = Leading::new(&self.config.leading, &rng, ballot, me, registry, now);
        fx.push(Effect::Notice(Notice::Leading {
            ballot,
            version: registry.version(),
            agents: registry.admitted().len() as u64,
        }));
        let leading_fx = &mut self.leading_fx;
        for held in held {
            match held {
                Held::Agent(peer, message) => leading.on_agent(now, peer, message, leading_fx),
                Held::Scheduler(peer, message) => {
                    leading.on_scheduler(now, peer, message, leading_fx);
                }
                Held::Operator(id, request) => leading.on_operator(now, id, request, leading_fx),
                Held::Disconnected(peer) => leading.on_disconnected(now, peer, leading_fx),
            }
        }
        self.standing = Standing::Leading(Box::new(Serving {
            registrar,
            leading,
            gc_at: now.mono + self.config.registry.gc_interval,
        }));
    }

    pub(super) fn on_demoted(&mut self, ballot: Ballot, why: Demotion, fx: &mut Outbox<Effect>) {
        self.stop_acting(fx);
        self.standing = Standing::Following;
        fx.push(Effect::Notice(Notice::Demoted { ballot, why }));
    }

    /// The leadership cannot go on, whatever the log thinks of it.
    pub(super) fn step_down(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        let Some(ballot) = self.standing.ballot() else {
            return;
        };
        self.stop_acting(fx);
        self.standing = Standing::SteppingDown { ballot };
        self.feed_log(now, log::Input::StepDown);
    }

    /// Forgets all that this leadership was about to do, and closes its connections: whoever was
    /// on them looks for the next leader.
    pub(super) fn stop_acting(&mut self, fx: &mut Outbox<Effect>) {
        self.registrar_fx.drain().for_each(drop);
        self.leading_fx.drain().for_each(drop);
        for peer in mem::take(&mut self.connections) {
            fx.push(Effect::Close { peer });
        }
        // Whether what they asked for was stored, nobody knows: the next leader is asked.
        for id in mem::take(&mut self.asked) {
            let leader = self.redirect();
            let answer = Err(operator::Refusal::NotLeading { leader });
            fx.push(Effect::ToOperator { id, answer });
        }
    }
}

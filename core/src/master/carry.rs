//! What the machines of a master say to each other, carried by their owner.

use super::effect::Effect;
use super::leading;
use super::node::MasterNode;
use super::notice::Notice;
use super::standing::Standing;
use crate::log::{self, Action, Fatal, Position};
use crate::outbox::Outbox;
use crate::registry::{self, Batch, Operation, Outcome, snapshot};
use crate::time::Now;
use alloc::format;
use alloc::string::ToString;
use alloc::sync::Arc;
use core::mem;

/// How often effects may cause further effects while one input is handled.
const SETTLE_ROUNDS_MAX: usize = 64;

impl MasterNode {
    /// Carries effects between the machines until none is left.
    pub(super) fn settle(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        for _ in 0..SETTLE_ROUNDS_MAX {
            if self.log_fx.is_empty() && self.registrar_fx.is_empty() && self.leading_fx.is_empty()
            {
                return;
            }
            let mut effects = mem::take(&mut self.log_scratch);
            self.log_fx.swap_into(&mut effects);
            for effect in effects.drain(..) {
                self.on_log_effect(now, effect, fx);
            }
            self.log_scratch = effects;

            let mut effects = mem::take(&mut self.registrar_scratch);
            self.registrar_fx.swap_into(&mut effects);
            for effect in effects.drain(..) {
                self.on_registrar_effect(now, effect, fx);
            }
            self.registrar_scratch = effects;

            let mut effects = mem::take(&mut self.leading_scratch);
            self.leading_fx.swap_into(&mut effects);
            for effect in effects.drain(..) {
                self.on_leading_effect(now, effect, fx);
            }
            self.leading_scratch = effects;
        }
        panic!("the machines of {} did not settle", self.log.me());
    }

    fn on_log_effect(&mut self, now: Now, effect: log::Effect, fx: &mut Outbox<Effect>) {
        match effect {
            log::Effect::Send { to, message } => fx.push(Effect::ToMaster { to, message }),
            log::Effect::Persist {
                lane,
                sequence,
                write,
            } => fx.push(Effect::Persist {
                lane,
                sequence,
                write,
            }),
            log::Effect::Apply { position, action } => self.on_apply(now, position, &action, fx),
            log::Effect::InstallSnapshot { through, state } => {
                self.on_install(through, &state, fx);
            }
            log::Effect::TakeSnapshot { through } => {
                assert_eq!(through, self.applied, "a snapshot is of what was applied");
                let state = snapshot::encode(&self.registry);
                self.feed_log(now, log::Input::SnapshotTaken { through, state });
            }
            log::Effect::Elected { ballot, through } => {
                assert_eq!(
                    through, self.applied,
                    "a leader has applied what was chosen"
                );
                self.on_elected(now, ballot, fx);
            }
            log::Effect::Demoted { ballot, why } => self.on_demoted(ballot, why, fx),
            log::Effect::LeaderChanged { leader } => {
                let masters = self.log.membership().masters();
                self.leader = leader
                    .and_then(|id| masters.iter().find(|master| master.id == id))
                    .cloned();
                fx.push(Effect::Notice(Notice::LeaderChanged { leader }));
            }
            // The record was applied just before, and the registrar answered by that.
            log::Effect::Appended { .. } => {}
            log::Effect::Rejected { token, .. } => {
                if token == self.append_token
                    && let Some(registrar) = self.standing.registrar_mut()
                {
                    registrar.on_refused(&mut self.registrar_fx);
                }
            }
            log::Effect::Notice(notice) => fx.push(Effect::Notice(Notice::Log(notice))),
            log::Effect::Halt(fatal) => fx.push(Effect::Halt(fatal)),
        }
    }

    /// Applies one entry, on leaders and followers alike.
    fn on_apply(&mut self, now: Now, position: Position, action: &Action, fx: &mut Outbox<Effect>) {
        assert_eq!(position, self.applied.next(), "entries come without gaps");
        self.applied = position;
        match action {
            Action::Nop => {}
            Action::Membership(_) => self.on_membership(fx),
            Action::Append(record) => match Batch::decode(record) {
                Ok(batch) => self.on_batch(now, &batch, fx),
                Err(error) => fx.push(Effect::Halt(Fatal::Unreadable {
                    position,
                    why: error.to_string(),
                })),
            },
        }
    }

    fn on_batch(&mut self, now: Now, batch: &Batch, fx: &mut Outbox<Effect>) {
        let outcome = self.registry.apply(batch);
        let Some(registrar) = self.standing.registrar_mut() else {
            return;
        };
        if let Outcome::Effective(results) = &outcome {
            fx.push(Effect::Notice(Notice::Stored {
                operations: results.len() as u64,
                version: self.registry.version(),
            }));
        }
        registrar.on_applied(now, batch, outcome, &mut self.registrar_fx);
    }

    /// Replaces the registry by a snapshot, from the disk or from a peer.
    fn on_install(&mut self, through: Position, state: &Arc<[u8]>, fx: &mut Outbox<Effect>) {
        match snapshot::decode(state) {
            Ok(registry) => self.registry = registry,
            Err(error) => {
                return fx.push(Effect::Halt(Fatal::Unreadable {
                    position: through,
                    why: error.to_string(),
                }));
            }
        }
        assert!(through >= self.applied, "a snapshot never goes back");
        self.applied = through;
        self.on_membership(fx);
        let version = self.registry.version();
        if let Some(registrar) = self.standing.registrar_mut() {
            registrar.on_replaced(version, &mut self.registrar_fx);
        }
    }

    fn on_membership(&mut self, fx: &mut Outbox<Effect>) {
        let membership = self.log.membership();
        if membership.epoch() != self.membership_epoch {
            self.membership_epoch = membership.epoch();
            fx.push(Effect::Membership(Arc::from(membership.masters())));
        }
    }

    fn on_registrar_effect(&mut self, now: Now, effect: registry::Effect, fx: &mut Outbox<Effect>) {
        match effect {
            registry::Effect::Store { record, .. } => {
                self.append_token += 1;
                let token = self.append_token;
                let value = record;
                self.feed_log(now, log::Input::Append { token, value });
            }
            registry::Effect::Stored { operation, result } => {
                if let Err(why) = &result {
                    let why = format!("{}: {why}", operation.name());
                    fx.push(Effect::Notice(Notice::OperationRejected { why }));
                }
                self.on_stored(now, &operation, &result, fx);
            }
            registry::Effect::Ended(why) => {
                fx.push(Effect::Notice(Notice::RegistrarEnded { why }));
                self.step_down(now, fx);
            }
        }
    }

    fn on_stored(
        &mut self,
        now: Now,
        operation: &Operation,
        result: &Result<(), registry::Reject>,
        fx: &mut Outbox<Effect>,
    ) {
        match &mut self.standing {
            Standing::Recording(_) => match (operation, result) {
                (Operation::SetLeader { .. }, Ok(())) => self.on_recorded(now, fx),
                _ => self.step_down(now, fx),
            },
            Standing::Leading(serving) => {
                let leading_fx = &mut self.leading_fx;
                serving
                    .leading
                    .on_stored(now, operation, result, leading_fx);
                if matches!(operation, Operation::Prune { .. }) {
                    // It names only so many at once.
                    self.prune(now);
                }
            }
            Standing::Following | Standing::SteppingDown { .. } => {}
        }
    }

    fn on_leading_effect(&mut self, now: Now, effect: leading::Effect, fx: &mut Outbox<Effect>) {
        // What was decided before the leadership ended, but not yet done, is not done.
        let Standing::Leading(serving) = &mut self.standing else {
            return;
        };
        match effect {
            leading::Effect::ToAgent { peer, message } => {
                fx.push(Effect::ToAgent { peer, message });
            }
            leading::Effect::ToScheduler { peer, message } => {
                fx.push(Effect::ToScheduler { peer, message });
            }
            leading::Effect::ToOperator { id, answer } => {
                let waited = self.asked.remove(&id);
                assert!(waited, "{id} is answered once");
                fx.push(Effect::ToOperator { id, answer });
            }
            leading::Effect::Close { peer } => {
                self.connections.remove(&peer);
                fx.push(Effect::Close { peer });
            }
            leading::Effect::Store { operation } => {
                let registrar_fx = &mut self.registrar_fx;
                let taken = serving
                    .registrar
                    .store(now, operation.clone(), registrar_fx);
                if taken.is_err() {
                    let leading_fx = &mut self.leading_fx;
                    serving
                        .leading
                        .on_store_refused(now, &operation, leading_fx);
                }
            }
            leading::Effect::StepDown { why } => {
                fx.push(Effect::Notice(Notice::SteppingDown { why }));
                self.step_down(now, fx);
            }
            leading::Effect::Notice(notice) => {
                fx.push(Effect::Notice(Notice::Cluster(notice)));
            }
        }
    }
}

//! What schedulers ask for: each call goes to whoever is concerned with it, and is answered.
//!
//! Mesos takes most calls and says nothing when there is nothing to do ([`Reject::Dropped`]).

use super::arena::Index;
use super::frameworks::Framework;
use super::{Effect, Leading};
use crate::ids::{FrameworkId, Peer};
use crate::message::Reject;
use crate::message::scheduler::{Call, Event, ToMaster, ToScheduler};
use crate::outbox::Outbox;
use crate::resources::Role;
use crate::time::Now;
use alloc::string::ToString;
use alloc::vec::Vec;

impl Leading {
    /// A call of a scheduler, and its answer. Only a subscription may come through a connection
    /// that is not a framework's event stream yet.
    pub(super) fn on_call(
        &mut self,
        now: Now,
        peer: Peer,
        message: ToMaster,
        fx: &mut Outbox<Effect>,
    ) {
        let ToMaster {
            id,
            framework_id,
            call,
        } = message;
        let subscribes = matches!(call, Call::Subscribe { .. });
        let mut ends = None;
        let result = match call {
            Call::Subscribe {
                framework,
                suppressed_roles,
            } => {
                let named = framework_id.is_none() || framework_id == framework.id;
                if named {
                    self.subscribe(now, peer, &framework, &suppressed_roles, fx)
                } else {
                    let why = "'framework_id' differs from 'subscribe.framework_info.id'";
                    Err(Reject::Invalid(why.into()))
                }
            }
            call => match self.caller(peer, framework_id.as_ref()) {
                Ok(index) if call == Call::Teardown => {
                    ends = Some(index);
                    Ok(())
                }
                Ok(index) => self.on_framework_call(now, index, call, fx),
                Err(reject) => Err(reject),
            },
        };
        // A refused subscription has no stream on which to say so but this one.
        if let (Err(reject), true, 0) = (&result, subscribes, id.0) {
            let message = reject.to_string();
            let message = ToScheduler::Event(Event::Error { message });
            fx.push(Effect::ToScheduler { peer, message });
            if !self.peers.contains_key(&peer) {
                fx.push(Effect::Close { peer });
            }
        }
        if id.0 != 0 {
            let message = ToScheduler::Reply { id, result };
            fx.push(Effect::ToScheduler { peer, message });
        }
        // A framework's end closes its connection: the answer goes first.
        if let Some(index) = ends {
            self.end_framework(now, index, false, fx);
        }
    }

    /// The framework that is subscribed through this connection, and no other.
    fn caller(&self, peer: Peer, named: Option<&FrameworkId>) -> Result<Index<Framework>, Reject> {
        if named.is_some_and(|named| self.frameworks.find(named).is_none()) {
            let why = "Framework cannot be found";
            return Err(Reject::NoSuchFramework(why.into()));
        }
        let Some(index) = self.framework_of(peer) else {
            let why = "Framework is not subscribed";
            return Err(Reject::NotSubscribed(why.into()));
        };
        let id = &self.frameworks.arena[index].id;
        if named.is_some_and(|named| named != id) {
            let why = alloc::format!("this connection is the one of framework {id}");
            return Err(Reject::NotSubscribed(why));
        }
        Ok(index)
    }

    fn on_framework_call(
        &mut self,
        now: Now,
        index: Index<Framework>,
        call: Call,
        fx: &mut Outbox<Effect>,
    ) -> Result<(), Reject> {
        match call {
            Call::Accept {
                offer_ids,
                operations,
                filters,
            } => self.accept(now, index, &offer_ids, &operations, filters, fx),
            Call::Decline { offer_ids, filters } => self.decline(index, &offer_ids, filters, fx),
            Call::Revive { roles } => {
                let roles = self.own_roles(index, roles, "revive")?;
                let framework = &mut self.frameworks.arena[index];
                framework.suppressed.retain(|role| !roles.contains(role));
                self.allocation.revive(index, &roles);
            }
            Call::Suppress { roles } => {
                let roles = self.own_roles(index, roles, "suppression")?;
                self.allocation.suppress(index, &roles);
                self.frameworks.arena[index].suppressed.extend(roles);
            }
            answer @ (Call::AcceptInverseOffers { .. } | Call::DeclineInverseOffers { .. }) => {
                self.on_inverse_call(now, index, &answer, fx);
            }
            Call::AcknowledgeOperationStatus {
                agent_id,
                operation_id,
                update_id,
            } => {
                let done =
                    self.acknowledge_operation(index, &agent_id, &operation_id, update_id, fx);
                return done.map_err(Reject::Dropped);
            }
            Call::ReconcileOperations { operations } => {
                self.reconcile_operations(index, &operations, fx);
            }
            // Nobody gets resources for asking: offers go to whoever has least.
            Call::Request => {}
            call => return self.on_task_call(now, index, call, fx),
        }
        Ok(())
    }

    /// What concerns the framework itself, and what runs.
    fn on_task_call(
        &mut self,
        now: Now,
        index: Index<Framework>,
        call: Call,
        fx: &mut Outbox<Effect>,
    ) -> Result<(), Reject> {
        match call {
            Call::Kill {
                task_id,
                agent_id,
                grace,
            } => self.kill(now, index, &task_id, agent_id.as_ref(), grace, fx),
            Call::Reconcile { tasks } => self.reconcile(now, index, &tasks, fx),
            Call::Acknowledge {
                agent_id,
                task_id,
                update_id,
            } => return self.acknowledge(now, index, &agent_id, &task_id, update_id, fx),
            Call::Shutdown {
                executor_id,
                agent_id,
            } => return self.shut_down_executor(index, executor_id, &agent_id, fx),
            Call::Message {
                agent_id,
                executor_id,
                data,
            } => return self.message_executor(index, &agent_id, executor_id, data, fx),
            Call::UpdateFramework {
                framework,
                suppressed_roles,
            } => return self.update_framework(index, &framework, &suppressed_roles, fx),
            call => unreachable!("{call:?} is handled before"),
        }
        Ok(())
    }

    /// The roles that a call names, all of them when it names none. One that is not the
    /// framework's voids the call.
    fn own_roles(
        &self,
        index: Index<Framework>,
        roles: Vec<Role>,
        what: &str,
    ) -> Result<Vec<Role>, Reject> {
        let own = &self.frameworks.arena[index].info.roles;
        if let Some(other) = roles.iter().find(|role| !own.contains(role)) {
            let why = alloc::format!(
                "{what} role '{other}' is not one of the frameworks's subscribed roles"
            );
            return Err(Reject::Dropped(why));
        }
        Ok(if roles.is_empty() { own.clone() } else { roles })
    }
}

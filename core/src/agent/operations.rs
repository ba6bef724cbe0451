//! Operations on the agent's resources: done or refused, kept, and told until that is
//! acknowledged.

use super::node::{AgentNode, Timer};
use super::{Effect, LostMaster, Notice, Probe, Write};
use crate::ids::{FrameworkId, OperationId, OperationUuid, UpdateId};
use crate::message::agent::{OperationReport, ToMaster};
use crate::model::{OperationState, OperationStatus, ResourceOperation};
use crate::outbox::Outbox;
use crate::resources::{Resources, ResourcesError};
use crate::time::Now;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The most operations that may wait for acknowledgement. Further ones are not taken on.
pub const OPERATIONS_MAX: usize = 4096;

impl AgentNode {
    /// All that the agent has, reservations and volumes made at run time included.
    #[must_use]
    pub fn total(&self) -> &Resources {
        &self.total
    }

    /// What tasks that are not over and executors that are not ending use.
    ///
    /// # Errors
    /// When it does not add up, which it always does.
    pub(super) fn used(&self) -> Result<Resources, ResourcesError> {
        let frameworks = self.checkpoint.frameworks.values();
        let mut used = Resources::default();
        for framework in frameworks.filter(|framework| !framework.torn_down) {
            let tasks = framework.tasks.values().filter(|task| task.is_live());
            let tasks = tasks.filter_map(|task| task.launched.as_ref());
            let executors = framework.executors.values().filter(|e| !e.terminating);
            let users = tasks.map(|task| &task.info.resources);
            for user in users.chain(executors.map(|executor| &executor.info.resources)) {
                used = used.checked_add(&user.unallocated())?;
            }
        }
        Ok(used)
    }

    /// The leader wants resources to become something else. It has done so in its own books
    /// already; if it cannot be done here, these books are wrong, and the agent tells it the
    /// truth by registering again. Whatever else is on its way through the old connection is not
    /// obeyed.
    pub(super) fn on_operation(
        &mut self,
        now: Now,
        (uuid, id): (OperationUuid, Option<OperationId>),
        framework_id: Option<FrameworkId>,
        operation: Arc<ResourceOperation>,
        fx: &mut Outbox<Effect>,
    ) {
        if self.checkpoint.operations.contains_key(&uuid) {
            fx.push(Effect::Notice(Notice::Probe(Probe::OperationRepeated)));
            return;
        }
        if self.checkpoint.operations.len() >= OPERATIONS_MAX {
            // It is as if it had not arrived: the leader finds that out, and says so.
            self.refuse("too many operations wait for acknowledgement".into(), fx);
            return self.on_master_lost(now, LostMaster::Contradicted, fx);
        }
        let done = self.converted(&operation);
        let (state, message) = match &done {
            Ok(_) => (OperationState::Finished, String::new()),
            Err(why) => (OperationState::Dropped, why.clone()),
        };
        let status = OperationStatus {
            operation_id: id,
            state,
            message,
            converted: Resources::EMPTY,
            update_id: Some(UpdateId::draw(&mut self.rng)),
            agent_id: self.checkpoint.agent_id.clone(),
        };
        let failed = done.is_err();
        if let Ok(total) = done {
            self.total = total;
        }
        let name = String::from(operation.name());
        let wiped = match &*operation {
            ResourceOperation::Create { volumes } | ResourceOperation::Destroy { volumes } => {
                Some(volumes.clone())
            }
            _ => None,
        };
        let report = Arc::new(OperationReport {
            uuid,
            framework_id,
            operation,
            status,
        });
        let kept = self.total.kept();
        self.persist(Write::OperationSettled { report, kept }, fx);
        let notice = Notice::Operation { uuid, name, state };
        fx.push(Effect::Notice(notice));
        if let Some(volumes) = wiped.filter(|_| !failed) {
            self.say(Effect::WipeVolumes { volumes }, fx);
        }
        if failed {
            self.on_master_lost(now, LostMaster::Contradicted, fx);
        } else {
            self.send_operation(now, uuid, 0, fx);
        }
    }

    /// What the agent has once the operation is done.
    fn converted(&self, operation: &ResourceOperation) -> Result<Resources, String> {
        operation.validate().map_err(|error| error.to_string())?;
        let steps = operation.conversions();
        let steps = steps.map_err(|error| error.to_string())?;
        let total = self.total.apply(&steps);
        let total = total.map_err(|error| error.to_string())?;
        let used = self.used().map_err(|error| error.to_string())?;
        if !total.contains_single(&used) {
            return Err(String::from("what it is about is in use"));
        }
        Ok(total)
    }

    /// Whether all that came to be at run time, and of which tasks are to use some, is here.
    pub(super) fn has_kept(&self, needed: &Resources) -> bool {
        let kept = needed.kept();
        kept.is_empty() || self.total.contains_single(&kept.unallocated())
    }

    /// Says how an operation went, until that is acknowledged.
    pub(super) fn send_operation(
        &mut self,
        now: Now,
        uuid: OperationUuid,
        attempt: u32,
        fx: &mut Outbox<Effect>,
    ) {
        let Some(report) = self.checkpoint.operations.get(&uuid) else {
            return;
        };
        if self.registration.registered().is_none() {
            return;
        }
        let report = Arc::clone(report);
        let wait = self
            .config
            .update_retry
            .saturating_mul(1 << attempt.min(16))
            .min(self.config.update_retry_max);
        self.timers.set(Timer::Operation(uuid), now.mono + wait);
        self.operation_flights.insert(uuid, attempt);
        self.tell_master(ToMaster::Operation(report), fx);
    }

    pub(super) fn on_operation_timer(
        &mut self,
        now: Now,
        uuid: OperationUuid,
        fx: &mut Outbox<Effect>,
    ) {
        if let Some(attempt) = self.operation_flights.remove(&uuid) {
            self.send_operation(now, uuid, attempt.saturating_add(1), fx);
        }
    }

    /// Whoever wanted to know how an operation went knows.
    pub(super) fn on_operation_acknowledged(
        &mut self,
        uuid: OperationUuid,
        update_id: UpdateId,
        fx: &mut Outbox<Effect>,
    ) {
        let report = self.checkpoint.operations.get(&uuid);
        if report.is_none_or(|report| report.status.update_id != Some(update_id)) {
            let probe = Probe::AcknowledgementIgnored;
            fx.push(Effect::Notice(Notice::Probe(probe)));
            return;
        }
        self.persist(Write::OperationAcknowledged { uuid }, fx);
        self.operation_flights.remove(&uuid);
        self.timers.cancel(&Timer::Operation(uuid));
    }

    /// Nobody leads: nothing is in flight.
    pub(super) fn pause_operations(&mut self) {
        for uuid in core::mem::take(&mut self.operation_flights).into_keys() {
            self.timers.cancel(&Timer::Operation(uuid));
        }
    }

    /// A leader took the agent: all that waits for acknowledgement is sent again.
    pub(super) fn resume_operations(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        let waiting: Vec<_> = self.checkpoint.operations.keys().copied().collect();
        for uuid in waiting {
            self.send_operation(now, uuid, 0, fx);
        }
    }
}

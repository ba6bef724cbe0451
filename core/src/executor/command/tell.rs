//! What an executor says of its tasks.

use super::CommandExecutor;
use crate::executor::Effect;
use crate::ids::{TaskId, UpdateId};
use crate::model::{Reason, Source, TaskState, TaskStatus};
use crate::outbox::Outbox;
use crate::time::Now;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

impl CommandExecutor {
    /// Says in which state a task is, why, and what people are to read.
    pub(super) fn tell(
        &mut self,
        now: Now,
        task_id: &TaskId,
        (state, reason, message): (TaskState, Option<Reason>, String),
        fx: &mut Outbox<Effect>,
    ) {
        let update_id = UpdateId::draw(&mut self.rng);
        let (healthy, verbatim) = self.attached(task_id, state);
        if let Some(task) = self.tasks.get_mut(task_id) {
            task.last_update = Some(update_id);
        }
        let status = TaskStatus {
            task_id: task_id.clone(),
            state,
            source: Source::Executor,
            reason,
            message,
            agent_id: self.agent_id.clone(),
            executor_id: Some(self.identity.executor_id.clone()),
            timestamp: now.wall,
            update_id: Some(update_id),
            healthy,
            data: Arc::from([]),
            unreachable_at: None,
            verbatim,
        };
        self.driver.update(now, Arc::new(status), fx);
    }
}

/// What people read of a process that is over, as Mesos says it.
pub(super) fn ended_with(status: i32) -> String {
    let signal = match status {
        129..=192 => status - 128,
        _ => return format!("Command exited with status {status}"),
    };
    let name = match signal {
        1 => "Hangup",
        2 => "Interrupt",
        3 => "Quit",
        6 => "Aborted",
        9 => "Killed",
        11 => "Segmentation fault",
        13 => "Broken pipe",
        15 => "Terminated",
        _ => return format!("Command terminated with signal {signal}"),
    };
    format!("Command terminated with signal {name}")
}

//! What a leader said, read from its effects.

use super::peer;
use crate::master::leading::Effect;
use crate::message::agent::ToAgent;
use crate::message::scheduler::{Event, ToScheduler};
use crate::model::{OperationStatus, TaskState, TaskStatus};
use alloc::vec::Vec;

/// What was said to an agent.
pub(in super::super) fn to_agent(to: u64, message: ToAgent) -> Effect {
    Effect::ToAgent {
        peer: peer(to),
        message,
    }
}

pub(in super::super) fn event(to: u64, event: Event) -> Effect {
    Effect::ToScheduler {
        peer: peer(to),
        message: ToScheduler::Event(event),
    }
}

/// What a scheduler was told of states, with the reasons.
pub(in super::super) fn told(effects: &[Effect]) -> Vec<TaskStatus> {
    let statuses = effects.iter().filter_map(|effect| match effect {
        Effect::ToScheduler {
            message: ToScheduler::Event(Event::Update { status }),
            ..
        } => Some((**status).clone()),
        _ => None,
    });
    statuses.collect()
}

pub(in super::super) fn told_states(effects: &[Effect]) -> Vec<TaskState> {
    told(effects).iter().map(|status| status.state).collect()
}

/// What a scheduler was told of operations.
pub(in super::super) fn told_operations(effects: &[Effect]) -> Vec<OperationStatus> {
    let statuses = effects.iter().filter_map(|effect| match effect {
        Effect::ToScheduler {
            message: ToScheduler::Event(Event::UpdateOperationStatus { status }),
            ..
        } => Some((**status).clone()),
        _ => None,
    });
    statuses.collect()
}

//! Agents that are drained, with what they still have to do.

use super::harness::*;
use super::operator::{DONE, drain, machine, schedule};
use crate::ids::{AgentId, OperationId};
use crate::master::leading::{Config, Effect};
use crate::message::agent::{OperationReport, ToAgent, ToMaster};
use crate::message::operator::Request;
use crate::message::scheduler::Call;
use crate::model::{
    DrainState, Filters, OfferOperation, OperationState, ResourceOperation, TaskState,
};
use crate::resources::{Reservation, ReservationType, Resources};
use alloc::sync::Arc;
use alloc::vec;
use core::time::Duration;

fn state(harness: &Harness, id: &AgentId) -> Option<DrainState> {
    let mark = harness.leading.operator_state().marks.get(id).copied();
    mark.and_then(|mark| mark.drain).map(|drain| drain.state)
}

fn reserve(text: &str) -> ResourceOperation {
    let items = resources(text);
    let resources = Resources::new(items.iter().map(|item| {
        let mut item = item.clone();
        item.kind.reservations.push(Reservation {
            kind: ReservationType::Dynamic,
            role: role("web"),
            principal: None,
            labels: vec::Vec::new(),
        });
        item
    }));
    ResourceOperation::Reserve {
        source: Resources::EMPTY,
        resources: resources.unwrap(),
    }
}

/// A framework's operation, by name, on the agent at connection 1, and the agent's word on it.
fn operation(harness: &mut Harness) -> (AgentId, OperationReport) {
    let id = harness.register(1);
    harness.subscribe(2, framework_info(None));
    let offer = harness.offers()[0].clone();
    harness.call(
        2,
        Call::Accept {
            offer_ids: vec![offer.id.clone()],
            operations: vec![OfferOperation::Resources {
                id: Some(OperationId::new("o").unwrap()),
                operation: reserve("cpus:1"),
            }],
            filters: Filters::DEFAULT,
        },
    );
    let mut report = harness.leading.operations()[0].clone();
    report.status.state = OperationState::Finished;
    report.status.update_id = Some(update_id(1));
    (id, report)
}

#[test]
fn an_agent_with_operations_is_draining_until_their_outcomes_are_known() {
    let mut harness = Harness::new(&Config::default());
    let (id, report) = operation(&mut harness);
    assert_eq!(harness.operator(drain(&id, false)), DONE);
    assert_eq!(state(&harness, &id), Some(DrainState::Draining));
    harness.agent(1, ToMaster::Operation(Arc::new(report)));
    assert_eq!(
        state(&harness, &id),
        Some(DrainState::Draining),
        "its framework may not have heard of it"
    );
    harness.call(
        2,
        Call::AcknowledgeOperationStatus {
            agent_id: id.clone(),
            operation_id: OperationId::new("o").unwrap(),
            update_id: update_id(1),
        },
    );
    assert_eq!(state(&harness, &id), Some(DrainState::Drained));
}

#[test]
fn an_agent_is_not_given_up_before_what_it_did_is_acknowledged() {
    let mut harness = Harness::new(&Config::default());
    let (id, report) = operation(&mut harness);
    assert_eq!(harness.operator(drain(&id, true)), DONE);
    let mut harness = harness.fail_over();
    let mut back = reregistration(id.as_str(), 1, vec![]);
    back.operations = vec![Arc::new(report)];
    let ResourceOperation::Reserve { resources, .. } = &*back.operations[0].operation else {
        unreachable!("it is one")
    };
    back.kept = resources.clone();
    harness.agent(1, ToMaster::Reregister(Arc::new(back)));
    harness.agent(1, ToMaster::Pong);
    assert!(harness.registry.gone().is_empty(), "the outcome waits");
    let framework = harness.leading.operations()[0].framework_id.clone();
    harness.subscribe(2, framework_info(Some(framework.unwrap().as_str())));
    harness.call(
        2,
        Call::AcknowledgeOperationStatus {
            agent_id: id.clone(),
            operation_id: OperationId::new("o").unwrap(),
            update_id: update_id(1),
        },
    );
    assert!(harness.registry.gone().contains_key(&id));
}

#[test]
fn what_the_registrar_refuses_is_tried_again_later_and_not_at_once() {
    let (mut harness, id, framework_id) = Harness::with_running_task(&Config::default());
    assert_eq!(harness.operator(drain(&id, false)), DONE);
    let killed = status("t", &id, TaskState::Killed, Some(2));
    harness.update(1, &framework_id, killed);
    harness.prompt = false;
    harness.acknowledge(2, &id, "t", 2);
    assert_eq!(harness.stores.len(), 1);
    harness.refuse_store();
    assert!(harness.stores.is_empty(), "a full registrar is left alone");
    harness.agent(1, ToMaster::Pong);
    harness.prompt = true;
    harness.wait(Config::default().agent_ping_timeout);
    assert_eq!(state(&harness, &id), Some(DrainState::Drained));
}

#[test]
fn agents_of_machines_that_are_down_are_removed_even_if_the_registrar_was_full() {
    let mut harness = Harness::new(&Config::default());
    harness.register(1);
    assert_eq!(harness.operator(schedule("host")), DONE);
    harness.prompt = false;
    let machines = vec![machine("host")];
    harness.operator(Request::StartMaintenance { machines });
    assert!(harness.store(), "the machine is down");
    harness.refuse_store();
    assert!(harness.stores.is_empty(), "a full registrar is left alone");
    harness.prompt = true;
    harness.wait(Duration::from_secs(15));
    assert!(harness.registry.admitted().is_empty());
}

#[test]
fn who_waits_behind_a_refused_store_is_answered() {
    let mut harness = Harness::new(&Config::default());
    let id = harness.register(1);
    harness.prompt = false;
    assert_eq!(harness.operator(drain(&id, false)), None);
    let agent_id = id.clone();
    assert_eq!(
        harness.operator(Request::DeactivateAgent { agent_id }),
        None
    );
    harness.refuse_store();
    assert_eq!(harness.answers.len(), 1, "the first");
    harness.store_all();
    assert_eq!(harness.answers.len(), 2, "the second went on");
    assert!(harness.leading.operator_state().marks.contains_key(&id));
    let drained = |effect: &Effect| {
        let Effect::ToAgent { message, .. } = effect else {
            return false;
        };
        matches!(message, ToAgent::Drain { .. })
    };
    assert!(!harness.take().iter().any(drained));
}

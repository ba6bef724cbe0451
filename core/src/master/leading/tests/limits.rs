//! Limits of quotas, and reservations that come to be while offers stand.

use super::harness::*;
use super::operator::{DONE, offered, quota, update};
use crate::ids::AgentId;
use crate::master::leading::Config;
use crate::message::agent::{AgentRun, ToMaster};
use crate::message::operator::Request;
use crate::model::ResourceOperation;
use crate::resources::{Reservation, ReservationType, Resources};
use alloc::sync::Arc;
use alloc::vec::Vec;

fn reserved(text: &str) -> Resources {
    Resources::new(resources(text).iter().map(|item| {
        let mut item = item.clone();
        item.kind.reservations.push(Reservation {
            kind: ReservationType::Dynamic,
            role: role("web"),
            principal: None,
            labels: Vec::new(),
        });
        item
    }))
    .unwrap()
}

fn standing(harness: &Harness) -> usize {
    harness.leading.standing_offers().count()
}

/// Two agents, of which the second one is not offered, and a limit that the first one exhausts.
fn exhausted() -> (Harness, AgentId) {
    let mut harness = Harness::new(&Config::default());
    harness.subscribe(11, framework_info(None));
    let limit = update(&[quota("web", "", "cpus:4")], false);
    assert_eq!(harness.operator(limit), DONE);
    let first = harness.register(1);
    assert_eq!(offered(&mut harness), ["cpus:4;disk:1000;mem:4096"]);
    (harness, first)
}

#[test]
fn what_an_operator_reserves_counts_at_once() {
    let (mut harness, _) = exhausted();
    let second = harness.register(2);
    harness.operator(Request::DeactivateAgent {
        agent_id: second.clone(),
    });
    assert_eq!(standing(&harness), 1);
    let operation = ResourceOperation::Reserve {
        source: Resources::EMPTY,
        resources: reserved("cpus:2"),
    };
    assert_eq!(harness.operate(&second, &operation, None), Ok(()));
    assert_eq!(standing(&harness), 0, "four of four were offered");
    assert_eq!(offered(&mut harness), ["cpus:2;disk:1000;mem:4096"]);
}

#[test]
fn what_a_new_agent_brings_with_it_counts_at_once() {
    let (mut harness, _) = exhausted();
    harness.agent(
        2,
        ToMaster::Register {
            info: Arc::new(agent_info(None)),
            run: AgentRun(1),
            nonce: 2,
            kept: reserved("cpus:1"),
        },
    );
    assert_eq!(standing(&harness), 0, "four of four were offered");
}

//! Reservations and volumes: made, offered, lost, reported, and told of.

use super::harness::*;
use crate::ids::{AgentId, FrameworkId, OperationId, OperationUuid};
use crate::master::leading::Notice;
use crate::master::leading::{Config, Effect, OperateError, Probe};
use crate::message::agent::{AgentRun, OperationReport, Reregistration, ToAgent, ToMaster};
use crate::message::scheduler::{Call, Event, ToScheduler};
use crate::model::{
    Filters, FrameworkInfo, Offer, OfferOperation, OperationState, OperationStatus,
    ResourceOperation, TaskInfo, TaskState,
};
use crate::resources::{Disk, Reservation, ReservationType, ResourceKind, Resources, Volume};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

const HAS: &str = "cpus:4;mem:4096;disk:1000";

fn changed(text: &str, change: impl Fn(&mut ResourceKind)) -> Resources {
    let all = resources(text);
    Resources::new(all.iter().map(|item| {
        let mut item = item.clone();
        change(&mut item.kind);
        item
    }))
    .unwrap()
}

fn reserved(text: &str, role_name: &str) -> Resources {
    changed(text, |kind| {
        kind.reservations.push(Reservation {
            kind: ReservationType::Dynamic,
            role: role(role_name),
            principal: None,
            labels: Vec::new(),
        });
    })
}

fn volume(size: u32, id: &str, shared: bool) -> Resources {
    let space = reserved(&alloc::format!("disk:{size}"), "web");
    Resources::new(space.iter().map(|item| {
        let mut item = item.clone();
        item.kind.shared = shared;
        item.kind.disk = Some(Disk {
            volume: Some(Volume::new(id, "data")),
            source: None,
        });
        item
    }))
    .unwrap()
}

fn reserve(resources: &Resources) -> ResourceOperation {
    ResourceOperation::Reserve {
        source: Resources::EMPTY,
        resources: resources.clone(),
    }
}

fn create(volumes: &Resources) -> ResourceOperation {
    let volumes = volumes.clone();
    ResourceOperation::Create { volumes }
}

fn destroy(volumes: &Resources) -> ResourceOperation {
    let volumes = volumes.clone();
    ResourceOperation::Destroy { volumes }
}

fn unnamed(operation: ResourceOperation) -> OfferOperation {
    OfferOperation::Resources {
        id: None,
        operation,
    }
}

fn named(id: &str, operation: ResourceOperation) -> OfferOperation {
    OfferOperation::Resources {
        id: Some(operation_id(id)),
        operation,
    }
}

fn operation_id(id: &str) -> OperationId {
    OperationId::new(id).unwrap()
}

fn launch(tasks: &[TaskInfo]) -> OfferOperation {
    OfferOperation::Launch(tasks.iter().cloned().map(Arc::new).collect())
}

fn using(id: &str, agent: &AgentId, used: &Resources) -> TaskInfo {
    let mut info = task(id, agent);
    info.resources = used.clone();
    info
}

fn info() -> FrameworkInfo {
    let mut info = framework_info(None);
    info.capabilities.shared_resources = true;
    info
}

/// An agent with a disk at connection 1, a framework at connection 2, and what it was offered.
fn begun() -> (Harness, AgentId, FrameworkId, Arc<Offer>) {
    let mut harness = Harness::new(&Config::default());
    let mut described = agent_info(None);
    described.resources = resources(HAS);
    let agent = register(&mut harness, described);
    let framework = harness.subscribe(2, info());
    let offers = harness.offers();
    (harness, agent, framework, offers[0].clone())
}

fn register(harness: &mut Harness, described: crate::model::AgentInfo) -> AgentId {
    let message = ToMaster::Register {
        info: Arc::new(described),
        run: AgentRun(1),
        nonce: 1,
        kept: Resources::EMPTY,
    };
    harness.agent(1, message);
    let told = harness.take().into_iter().find_map(|effect| match effect {
        Effect::ToAgent {
            message: ToAgent::Registered { agent_id, .. },
            ..
        } => Some(agent_id),
        _ => None,
    });
    told.unwrap()
}

fn accept(harness: &mut Harness, from: u64, offer: &Offer, operations: Vec<OfferOperation>) {
    let call = Call::Accept {
        offer_ids: [offer.id.clone()].into(),
        operations,
        filters: Filters::DEFAULT,
    };
    harness.call(from, call);
}

/// What an agent was told to do with its resources.
fn asked(effects: &[Effect]) -> Vec<(OperationUuid, Arc<ResourceOperation>)> {
    let asked = effects.iter().filter_map(|effect| match effect {
        Effect::ToAgent {
            message: ToAgent::Operate {
                uuid, operation, ..
            },
            ..
        } => Some((*uuid, operation.clone())),
        _ => None,
    });
    asked.collect()
}

fn heard(effects: &[Effect]) -> Vec<OperationStatus> {
    let heard = effects.iter().filter_map(|effect| match effect {
        Effect::ToScheduler {
            message: ToScheduler::Event(Event::UpdateOperationStatus { status }),
            ..
        } => Some((**status).clone()),
        _ => None,
    });
    heard.collect()
}

fn states(effects: &[Effect]) -> Vec<OperationState> {
    heard(effects).iter().map(|status| status.state).collect()
}

fn outcome(
    harness: &Harness,
    uuid: OperationUuid,
    state: OperationState,
    update: u8,
) -> Arc<OperationReport> {
    let all = harness.leading.operations();
    let mut report = all
        .iter()
        .find(|report| report.uuid == uuid)
        .unwrap()
        .clone();
    report.status.state = state;
    report.status.update_id = Some(update_id(update));
    Arc::new(report)
}

fn returned(agent: &AgentId, kept: &Resources, run: u64) -> Reregistration {
    let mut report = reregistration(agent.as_str(), run, Vec::new());
    let mut described = agent_info(Some(agent.as_str()));
    described.resources = resources(HAS);
    report.info = Arc::new(described);
    report.kept = kept.clone();
    report
}

fn total(harness: &Harness, agent: &AgentId) -> Resources {
    harness.leading.agent(agent).unwrap().total
}

#[test]
fn one_accept_reserves_makes_a_volume_and_launches_on_it() {
    let (mut harness, agent, framework, offer) = begun();
    let all = reserved("cpus:1;mem:64;disk:100", "web");
    let own = volume(40, "v", false);
    let used = reserved("cpus:1;mem:64", "web").checked_add(&own).unwrap();
    accept(
        &mut harness,
        2,
        &offer,
        [
            unnamed(reserve(&all)),
            unnamed(create(&own)),
            launch(&[using("t", &agent, &used)]),
        ]
        .into(),
    );
    let said = harness.take();
    let order: Vec<&str> = said
        .iter()
        .filter_map(|effect| match effect {
            Effect::ToAgent { message, .. } => Some(match message {
                ToAgent::Operate { operation, .. } => operation.name(),
                ToAgent::Run { .. } => "run",
                _ => "other",
            }),
            _ => None,
        })
        .collect();
    assert_eq!(order, ["RESERVE", "CREATE", "run"]);
    assert!(total(&harness, &agent).contains(&used));
    // The rest of the reservation is offered at once, whatever was refused of what is plain.
    let rest = harness.offers();
    assert!(rest[0].resources.contains(&reserved("disk:60", "web")));
    // It outlives its task, and then is offered with its volume.
    harness.update(
        1,
        &framework,
        status("t", &agent, TaskState::Finished, Some(1)),
    );
    harness.acknowledge(2, &agent, "t", 1);
    let again = harness.offers();
    assert!(again.iter().any(|offer| offer.resources.contains(&own)));
}

#[test]
fn what_is_reserved_for_one_role_is_not_offered_to_another() {
    let (mut harness, _, _, offer) = begun();
    let own = reserved("cpus:3;mem:3000", "web");
    accept(&mut harness, 2, &offer, [unnamed(reserve(&own))].into());
    let mut other = info();
    other.roles = [role("db")].into();
    harness.subscribe(3, other);
    harness.call(2, Call::Suppress { roles: Vec::new() });
    let offers = harness.offers();
    let theirs = offers.iter().filter(|offer| offer.role == role("db"));
    for offer in theirs {
        assert!(!offer.resources.iter().any(|item| item.kind.is_kept()));
    }
}

#[test]
fn a_bad_operation_is_an_error_and_the_rest_goes_on() {
    let (mut harness, agent, _, offer) = begun();
    let good = reserved("cpus:1", "web");
    let operations = [
        named("too-much", reserve(&reserved("cpus:100", "web"))),
        named("other-role", reserve(&reserved("cpus:1", "db"))),
        unnamed(reserve(&reserved("cpus:100", "web"))),
        named("not-there", destroy(&volume(1, "v", false))),
        named("good", reserve(&good)),
        launch(&[task("t", &agent)]),
    ];
    accept(&mut harness, 2, &offer, operations.into());
    let said = harness.take();
    let errors: Vec<_> = heard(&said)
        .into_iter()
        .map(|status| (status.operation_id.unwrap().to_string(), status.state))
        .collect();
    let error = |id: &str| (String::from(id), OperationState::Error);
    let expected = [error("too-much"), error("other-role"), error("not-there")];
    assert_eq!(errors, expected);
    assert_eq!(asked(&said).len(), 1);
    let ran = |effect: &Effect| {
        matches!(
            effect,
            Effect::ToAgent {
                message: ToAgent::Run { .. },
                ..
            }
        )
    };
    assert!(said.iter().any(ran));
    assert!(total(&harness, &agent).contains(&good));
    let refused = Notice::Probe(Probe::OperationRefused);
    assert!(harness.notices.contains(&refused));
}

#[test]
fn a_named_operation_is_told_of_until_that_is_acknowledged() {
    let (mut harness, agent, _, offer) = begun();
    let own = reserved("cpus:1", "web");
    accept(&mut harness, 2, &offer, [named("o", reserve(&own))].into());
    let said = harness.take();
    let (uuid, _) = asked(&said)[0];
    let id = operation_id("o");
    let ask = |harness: &mut Harness| {
        let operations = [(operation_id("o"), Some(agent_id("nobody")))].into();
        harness.call(2, Call::ReconcileOperations { operations });
        states(&harness.take())
    };
    assert_eq!(ask(&mut harness), [OperationState::Pending]);
    let report = outcome(&harness, uuid, OperationState::Finished, 9);
    for _ in 0..2 {
        harness.agent(1, ToMaster::Operation(report.clone()));
        let heard = heard(&harness.take());
        assert_eq!(heard[0].update_id, Some(update_id(9)));
        assert_eq!(heard[0].state, OperationState::Finished);
    }
    assert_eq!(ask(&mut harness), [OperationState::Finished]);
    let acknowledge = |update| Call::AcknowledgeOperationStatus {
        agent_id: agent.clone(),
        operation_id: id.clone(),
        update_id: update_id(update),
    };
    assert!(harness.ask(2, acknowledge(8)).is_err());
    assert_eq!(harness.ask(2, acknowledge(9)), Ok(()));
    let update_id = update_id(9);
    let told = to_agent(1, ToAgent::AcknowledgeOperation { uuid, update_id });
    assert!(harness.take().contains(&told));
    assert_eq!(ask(&mut harness), [OperationState::Unknown]);
    // The acknowledgement was lost: it is given again, and nobody else is bothered.
    harness.agent(1, ToMaster::Operation(report));
    assert_eq!(harness.take(), [told]);
}

#[test]
fn the_master_acknowledges_for_those_who_do_not_ask() {
    let (mut harness, _, _, offer) = begun();
    let own = reserved("cpus:1", "web");
    accept(&mut harness, 2, &offer, [unnamed(reserve(&own))].into());
    let (uuid, _) = asked(&harness.take())[0];
    let report = outcome(&harness, uuid, OperationState::Finished, 9);
    harness.agent(1, ToMaster::Operation(report));
    let update_id = update_id(9);
    let told = to_agent(1, ToAgent::AcknowledgeOperation { uuid, update_id });
    assert_eq!(harness.take(), [told]);
    assert_eq!(harness.leading.operations(), []);
}

#[test]
fn what_the_next_leader_knows_is_what_the_agent_says() {
    let (mut harness, agent, framework, offer) = begun();
    let own = reserved("cpus:1", "web");
    accept(&mut harness, 2, &offer, [named("o", reserve(&own))].into());
    let (uuid, _) = asked(&harness.take())[0];
    let report = outcome(&harness, uuid, OperationState::Finished, 9);
    let mut harness = harness.fail_over();
    let mut back = returned(&agent, &own, 1);
    back.operations.push(report.clone());
    harness.agent(1, ToMaster::Reregister(Arc::new(back)));
    assert!(total(&harness, &agent).contains(&own));
    // Nobody knows the framework yet: its outcome waits for it.
    harness.take();
    harness.agent(1, ToMaster::Operation(report.clone()));
    assert_eq!(harness.take(), []);
    let mut described = info();
    described.id = Some(framework.clone());
    harness.subscribe(2, described);
    harness.agent(1, ToMaster::Operation(report));
    assert_eq!(states(&harness.take()), [OperationState::Finished]);
    let offers = harness.offers();
    assert!(offers[0].resources.contains(&own));
}

#[test]
fn an_operation_that_did_not_arrive_is_dropped_and_one_that_did_is_not() {
    let (mut harness, agent, _, offer) = begun();
    let (one, two) = (reserved("cpus:1", "web"), reserved("mem:64", "web"));
    let operations = [
        named("arrives", reserve(&one)),
        named("lost", reserve(&two)),
    ];
    accept(&mut harness, 2, &offer, operations.into());
    let said = harness.take();
    let (uuid, _) = asked(&said)[0];
    let report = outcome(&harness, uuid, OperationState::Finished, 9);
    harness.disconnect(1);
    let mut back = returned(&agent, &one, 1);
    back.operations.push(report);
    harness.agent(4, ToMaster::Reregister(Arc::new(back)));
    let heard = heard(&harness.take());
    let [status] = &heard[..] else {
        panic!("{heard:?}")
    };
    assert_eq!(status.operation_id, Some(operation_id("lost")));
    assert_eq!(
        (status.state, status.update_id),
        (OperationState::Dropped, None)
    );
    assert!(total(&harness, &agent).contains(&one));
    assert!(!total(&harness, &agent).contains(&two));
    // Once its outcome is acknowledged, its absence means nothing.
    let back = returned(&agent, &one, 2);
    harness.agent(5, ToMaster::Reregister(Arc::new(back)));
    assert_eq!(states(&harness.take()), []);
    assert_eq!(harness.leading.operations(), []);
}

#[test]
fn operations_on_an_agent_out_of_reach_are_told_of() {
    let (mut harness, agent, _, offer) = begun();
    let own = reserved("cpus:1", "web");
    accept(&mut harness, 2, &offer, [named("o", reserve(&own))].into());
    harness.take();
    assert!(harness.mark_gone(&agent).is_ok());
    assert_eq!(states(&harness.take()), [OperationState::GoneByOperator]);
    assert_eq!(harness.leading.operations(), []);
}

#[test]
fn an_operator_reserves_what_is_offered_but_not_what_is_used() {
    let (mut harness, agent, _, offer) = begun();
    let own = reserved("cpus:3", "db");
    assert_eq!(operate(&mut harness, &agent, &reserve(&own), None), Ok(()));
    let said = harness.take();
    let offer_id = offer.id.clone();
    assert!(said.contains(&event(2, Event::Rescind { offer_id })));
    assert_eq!(asked(&said).len(), 1);
    let offers = harness.offers();
    assert_eq!(
        offers[0].resources.scalar("cpus"),
        resources("cpus:1").scalar("cpus")
    );
    accept(
        &mut harness,
        2,
        &offers[0],
        [launch(&[task("t", &agent)])].into(),
    );
    harness.take();
    let more = reserved("cpus:1", "db");
    let refused = operate(&mut harness, &agent, &reserve(&more), None);
    assert!(
        matches!(refused, Err(OperateError::Conflict(_))),
        "{refused:?}"
    );
    assert_eq!(harness.take(), []);
    let unreserve = ResourceOperation::Unreserve {
        resources: own.clone(),
    };
    assert_eq!(operate(&mut harness, &agent, &unreserve, None), Ok(()));
    let again = operate(&mut harness, &agent, &unreserve, None);
    assert!(matches!(again, Err(OperateError::Conflict(_))), "{again:?}");
    let signed = operate(&mut harness, &agent, &reserve(&own), Some("ops"));
    assert!(
        matches!(signed, Err(OperateError::Invalid { .. })),
        "{signed:?}"
    );
    let unknown = operate(&mut harness, &agent_id("x"), &reserve(&own), None);
    assert_eq!(unknown, Err(OperateError::UnknownAgent));
}

fn operate(
    harness: &mut Harness,
    agent: &AgentId,
    operation: &ResourceOperation,
    principal: Option<&str>,
) -> Result<(), OperateError> {
    harness.operate(agent, operation, principal)
}

#[test]
fn an_operator_makes_and_destroys_volumes_of_unique_names() {
    let (mut harness, agent, _, _) = begun();
    let (space, own) = (reserved("disk:100", "web"), volume(40, "v", false));
    assert_eq!(
        operate(&mut harness, &agent, &reserve(&space), None),
        Ok(())
    );
    assert_eq!(operate(&mut harness, &agent, &create(&own), None), Ok(()));
    let twice = operate(&mut harness, &agent, &create(&own), None).unwrap_err();
    let text = twice.to_string();
    assert!(
        text.starts_with("Invalid CREATE operation on agent"),
        "{text}"
    );
    assert!(text.ends_with("Persistence ID 'v' is not unique"), "{text}");
    assert_eq!(operate(&mut harness, &agent, &destroy(&own), None), Ok(()));
    let unreserve = ResourceOperation::Unreserve { resources: space };
    assert_eq!(operate(&mut harness, &agent, &unreserve, None), Ok(()));
    assert_eq!(total(&harness, &agent), resources(HAS));
}

#[test]
fn a_shared_volume_is_used_by_many_and_destroyed_when_nobody_does() {
    let (mut harness, agent, framework, offer) = begun();
    let own = volume(40, "v", true);
    let used = resources("cpus:1;mem:64").checked_add(&own).unwrap();
    let operations = [
        unnamed(reserve(&reserved("disk:40", "web"))),
        unnamed(create(&own)),
        launch(&[using("a", &agent, &used), using("b", &agent, &used)]),
        named("early", destroy(&own)),
    ];
    accept(&mut harness, 2, &offer, operations.into());
    assert_eq!(states(&harness.take()), [OperationState::Error]);
    harness.subscribe(3, info());
    harness.call(2, Call::Revive { roles: Vec::new() });
    for id in ["a", "b"] {
        let over = status(id, &agent, TaskState::Finished, Some(1));
        harness.update(1, &framework, over);
        harness.acknowledge(2, &agent, id, 1);
        harness.wait(Duration::from_secs(2));
    }
    // Offered to both, as far as there is anything else to offer with it.
    let offers: Vec<Arc<Offer>> = harness
        .take()
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::ToScheduler {
                message: ToScheduler::Event(Event::Offers(offers)),
                ..
            } => Some(offers),
            _ => None,
        })
        .flatten()
        .filter(|offer| offer.resources.contains(&own))
        .collect();
    assert!(offers.len() >= 2, "{offers:?}");
    assert_eq!(operate(&mut harness, &agent, &destroy(&own), None), Ok(()));
    let rescinded = harness.take();
    let rescinded = rescinded.iter().filter(|effect| {
        matches!(
            effect,
            Effect::ToScheduler {
                message: ToScheduler::Event(Event::Rescind { .. }),
                ..
            }
        )
    });
    assert!(rescinded.count() >= 2);
    let left = total(&harness, &agent);
    assert!(left.contains(&reserved("disk:40", "web")) && !left.has_shared());
}

#[test]
fn a_resized_volume_is_offered_anew() {
    let (mut harness, agent, _, offer) = begun();
    let own = volume(40, "v", false);
    let grow = ResourceOperation::Grow {
        volume: own.clone(),
        addition: reserved("disk:10", "web"),
    };
    let operations = [
        unnamed(reserve(&reserved("disk:100", "web"))),
        unnamed(create(&own)),
        named("grow", grow),
        named("too-early", destroy(&volume(50, "v", false))),
    ];
    accept(&mut harness, 2, &offer, operations.into());
    let heard = heard(&harness.take());
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert_eq!(heard[0].operation_id, Some(operation_id("too-early")));
    let grown = volume(50, "v", false);
    assert!(total(&harness, &agent).contains(&grown));
    let offers = harness.offers();
    assert!(offers[0].resources.contains(&grown));
    let shrink = ResourceOperation::Shrink {
        volume: grown,
        subtract: crate::resources::Scalar::from_units(20),
    };
    accept(&mut harness, 2, &offers[0], [unnamed(shrink)].into());
    assert!(total(&harness, &agent).contains(&volume(30, "v", false)));
}

#[test]
fn an_agent_brings_its_volumes_with_it_and_cannot_invent_any() {
    let mut harness = Harness::new(&Config::default());
    let mut described = agent_info(None);
    described.resources = resources(HAS);
    let register = |kept: Resources, nonce| ToMaster::Register {
        info: Arc::new(described.clone()),
        run: AgentRun(1),
        nonce,
        kept,
    };
    harness.agent(1, register(volume(40, "v", false), 1));
    harness.agent(3, register(volume(4000, "v", false), 2));
    let close = Effect::Close { peer: peer(3) };
    assert!(harness.take().contains(&close));
    harness.subscribe(2, info());
    let offers = harness.offers();
    assert!(offers[0].resources.contains(&volume(40, "v", false)));
}

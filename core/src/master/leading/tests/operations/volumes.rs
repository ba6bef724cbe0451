//! What operators ask for, and volumes: unique, shared, resized, brought along.

use super::*;

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

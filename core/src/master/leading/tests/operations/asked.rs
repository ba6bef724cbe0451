//! What schedulers ask for in an accept.

use super::*;
use crate::message::operator::{Amount, Answer, QuotaConfig, Request};

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
fn a_name_that_is_used_again_too_early_leaves_nothing_behind() {
    let (mut harness, agent, _, offer) = begun();
    let own = reserved("cpus:1", "web");
    let twice = [
        named("o", reserve(&own)),
        named("o", reserve(&reserved("mem:64", "web"))),
    ];
    accept(&mut harness, 2, &offer, twice.into());
    let said = harness.take();
    let [(first, _), (second, _)] = asked(&said)[..] else {
        panic!("{said:?}")
    };
    for (uuid, update) in [(first, 1), (second, 2)] {
        let report = outcome(&harness, uuid, OperationState::Finished, update);
        harness.agent(1, ToMaster::Operation(report));
    }
    for update in [1, 2] {
        let call = Call::AcknowledgeOperationStatus {
            agent_id: agent.clone(),
            operation_id: operation_id("o"),
            update_id: update_id(update),
        };
        assert_eq!(harness.ask(2, call), Ok(()), "{update}");
    }
    assert!(harness.leading.operations().is_empty());
}

#[test]
fn what_an_operator_reserves_for_a_role_counts_towards_its_limits() {
    let (mut harness, agent, _, offer) = begun();
    let amount = |value: f64| Amount {
        name: String::from("cpus"),
        value,
    };
    let web = QuotaConfig {
        role: String::from("web"),
        guarantees: Vec::new(),
        limits: [amount(2.0)].into(),
    };
    let (configs, force) = ([web].into(), false);
    harness.operator(Request::UpdateQuota { configs, force });
    let filters = Filters {
        refuse: Duration::ZERO,
    };
    let offer_ids = [offer.id.clone()].into();
    harness.call(2, Call::Decline { offer_ids, filters });
    harness.wait(Duration::from_secs(2));
    let cpus = |harness: &Harness| -> Vec<i64> {
        let offers = harness.leading.standing_offers();
        offers
            .map(|(_, offer)| offer.resources.unreserved().quantities().milli("cpus"))
            .collect()
    };
    assert_eq!(cpus(&harness), [2_000], "as much as the limit allows");
    let operation = reserve(&reserved("cpus:2", "web"));
    let agent_id = agent.clone();
    let asked = harness.operator(Request::Operate {
        agent_id,
        operation,
    });
    assert_eq!(asked, Some(Ok(Answer::Accepted)));
    assert_eq!(cpus(&harness).iter().sum::<i64>(), 0, "it is taken back");
    harness.wait(Duration::from_secs(2));
    assert_eq!(cpus(&harness).iter().sum::<i64>(), 0, "and stays so");
}

#[test]
fn an_outcome_that_is_known_is_not_taken_back_when_its_agent_is_given_up() {
    let (mut harness, agent, _, offer) = begun();
    let own = reserved("cpus:1", "web");
    accept(&mut harness, 2, &offer, [named("o", reserve(&own))].into());
    let uuid = asked(&harness.take())[0].0;
    let report = outcome(&harness, uuid, OperationState::Finished, 1);
    harness.agent(1, ToMaster::Operation(report));
    assert_eq!(states(&harness.take()), [OperationState::Finished]);
    assert!(harness.mark_gone(&agent).is_ok());
    let heard = heard(&harness.take());
    assert_eq!(heard.len(), 1);
    assert_eq!(
        (heard[0].state, heard[0].update_id),
        (OperationState::Finished, None)
    );
    assert_eq!(harness.leading.operations(), []);
}

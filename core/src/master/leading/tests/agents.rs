//! Agents: admission, pings, removal, farewell.

use super::harness::{
    Harness, agent_id, agent_info, framework_info, peer, reregistration, to_agent,
};
use crate::ids::{AgentId, MasterId};
use crate::log::Ballot;
use crate::master::leading::{Config, Effect, Notice, Probe, RateLimit};
use crate::message::agent::{AgentRun, ToAgent, ToMaster};
use crate::message::operator::{Answer, Request};
use crate::message::scheduler::{Event, ToScheduler};
use crate::model::{MachineId, Unavailability, Window};
use crate::registry::Operation;
use crate::time::Wall;
use alloc::string::ToString;
use alloc::sync::Arc;
use core::time::Duration;

const BALLOT: Ballot = Ballot {
    round: 1,
    proposer: MasterId(1),
};

fn register(nonce: u64, run: u64) -> ToMaster {
    ToMaster::Register {
        info: Arc::new(agent_info(None)),
        run: AgentRun(run),
        nonce,
        kept: crate::resources::Resources::EMPTY,
    }
}

fn registered(id: &AgentId) -> ToAgent {
    ToAgent::Registered {
        agent_id: id.clone(),
        ballot: BALLOT,
        ping_timeout: Duration::from_secs(75),
    }
}

fn reregister(id: &AgentId, run: u64) -> ToMaster {
    let report = reregistration(id.as_str(), run, [].into());
    ToMaster::Reregister(Arc::new(report))
}

const PING: ToAgent = ToAgent::Ping { registered: true };

#[test]
fn an_agent_is_told_its_id_only_once_it_is_stored() {
    let mut harness = Harness::new(&Config::default());
    harness.prompt = false;
    harness.agent(1, register(7, 1));
    assert_eq!(harness.take(), []);
    assert_eq!(harness.leading.summary().agents, 0);
    let id = agent_id("1.1-S0");
    let mut info = agent_info(None);
    info.id = Some(id.clone());
    let info = Arc::new(info);
    assert_eq!(harness.stores, [Operation::AdmitAgent { info, nonce: 7 }]);
    harness.store();
    let expected = [to_agent(1, registered(&id)), to_agent(1, PING)];
    assert_eq!(harness.take(), expected);
}

#[test]
fn a_registration_that_comes_twice_gets_one_id() {
    let mut harness = Harness::new(&Config::default());
    harness.prompt = false;
    harness.agent(1, register(7, 1));
    harness.agent(1, register(7, 1));
    harness.agent(2, register(7, 1));
    assert_eq!(harness.stores.len(), 1);
    harness.store();
    let id = agent_id("1.1-S0");
    // Only the newest connection is answered.
    let expected = [to_agent(2, registered(&id)), to_agent(2, PING)];
    assert_eq!(harness.take(), expected);
    // The answer got lost: the same id again, over whatever connection, and nothing is stored.
    harness.agent(3, register(7, 1));
    assert!(harness.stores.is_empty());
    let close = Effect::Close { peer: peer(2) };
    let expected = [close, to_agent(3, registered(&id)), to_agent(3, PING)];
    assert_eq!(harness.take(), expected);
    // And one that was under way for long changes nothing.
    harness.agent(2, register(7, 1));
    assert_eq!(harness.take(), [Effect::Close { peer: peer(2) }]);
}

#[test]
fn an_id_that_an_earlier_leader_stored_is_told_by_the_next() {
    let mut harness = Harness::new(&Config::default());
    harness.prompt = false;
    harness.agent(1, register(7, 1));
    let operation = harness.stores.pop_front().unwrap();
    operation.apply(&mut harness.registry).unwrap();
    let mut next = harness.fail_over();
    next.agent(5, register(7, 1));
    assert!(next.stores.is_empty());
    match &next.take()[..] {
        [Effect::ToAgent { message, .. }, _] => {
            assert!(
                matches!(message, ToAgent::Registered { agent_id, .. }
                    if agent_id.as_str() == "1.1-S0"),
                "{message:?}"
            );
        }
        other => panic!("{other:?}"),
    }
    // What this leader makes never collides with what the first made.
    assert_eq!(next.register(6), agent_id("2.1-S0"));
}

#[test]
fn whoever_breaks_off_while_he_is_stored_is_an_agent_all_the_same() {
    let mut harness = Harness::new(&Config::default());
    harness.prompt = false;
    harness.agent(1, register(7, 1));
    harness.disconnect(1);
    harness.store();
    assert_eq!(harness.take(), []);
    assert_eq!(harness.leading.summary().agents, 1);
    assert!(!harness.leading.known_agents().next().unwrap().1);
}

#[test]
fn an_agent_that_answers_stays_and_one_that_does_not_is_unreachable_after_75_s() {
    let mut harness = Harness::new(&Config::default());
    let silent = harness.register(1);
    let alive = harness.register(2);
    for _ in 0..5 {
        harness.agent(2, ToMaster::Pong);
        harness.wait(Duration::from_secs(15));
    }
    let unreachable: std::vec::Vec<_> = harness.registry.unreachable().keys().collect();
    assert_eq!(unreachable, [&silent]);
    assert_eq!(harness.registry.unreachable()[&silent].since, Wall(75_000));
    let known: std::vec::Vec<_> = harness.leading.known_agents().collect();
    assert_eq!(known, [(&alive, true)]);
    assert!(harness.take().contains(&Effect::Close { peer: peer(1) }));
}

#[test]
fn nothing_happens_to_an_agent_before_it_is_stored_unreachable() {
    let mut harness = Harness::new(&Config::default());
    let id = harness.register(1);
    harness.prompt = false;
    harness.wait(Duration::from_secs(75));
    let at = Wall(75_000);
    let agent_id = id.clone();
    assert_eq!(
        harness.stores,
        [Operation::MarkUnreachable { agent_id, at }]
    );
    assert_eq!(harness.leading.known_agents().next(), Some((&id, true)));
    // The answer comes too late: what is being stored cannot be taken back.
    harness.agent(1, ToMaster::Pong);
    harness.store();
    assert_eq!(harness.leading.known_agents().next(), None);
    // Whoever still speaks is told to register anew.
    harness.take();
    harness.agent(1, ToMaster::Pong);
    let not_registered = ToAgent::Ping { registered: false };
    assert_eq!(harness.take(), [to_agent(1, not_registered)]);
}

#[test]
fn a_return_during_the_store_is_held_and_then_taken() {
    let mut harness = Harness::new(&Config::default());
    let id = harness.register(1);
    harness.prompt = false;
    harness.wait(Duration::from_secs(75));
    harness.agent(2, reregister(&id, 1));
    assert_eq!(harness.stores.len(), 1, "one operation at a time");
    harness.store();
    assert!(matches!(
        harness.stores.front(),
        Some(Operation::MarkReachable { .. })
    ));
    harness.take();
    harness.store();
    let back = ToAgent::Reregistered {
        ballot: BALLOT,
        ping_timeout: Duration::from_secs(75),
        reconcile: [].into(),
    };
    assert_eq!(harness.take(), [to_agent(2, back), to_agent(2, PING)]);
    assert!(harness.registry.admitted().contains_key(&id));
}

#[test]
fn removals_are_limited_and_an_answer_cancels_one_that_waits() {
    let limit = RateLimit {
        permits: 1,
        per: Duration::from_secs(60),
    };
    let config = Config {
        agent_removal_rate_limit: Some(limit),
        ..Config::default()
    };
    let mut harness = Harness::new(&config);
    for peer in 1..=3 {
        harness.register(peer);
    }
    harness.wait(Duration::from_secs(75));
    assert_eq!(harness.registry.unreachable().len(), 1);
    harness.agent(2, ToMaster::Pong);
    harness.agent(3, ToMaster::Pong);
    let cancelled = Notice::Probe(Probe::RemovalCancelled);
    assert!(harness.notices.contains(&cancelled));
    for _ in 0..8 {
        harness.wait(Duration::from_secs(15));
        harness.agent(2, ToMaster::Pong);
    }
    // Of the two, one answers; the other waits for its permit, and gets it.
    assert_eq!(harness.registry.unreachable().len(), 2);
}

#[test]
fn a_return_without_news_costs_no_store() {
    let mut harness = Harness::new(&Config::default());
    let id = harness.register(1);
    let mut next = harness.fail_over();
    next.prompt = false;
    next.agent(9, reregister(&id, 1));
    assert!(next.stores.is_empty());
    assert_eq!(next.leading.known_agents().next(), Some((&id, true)));
    // Nor does another over a new connection.
    next.disconnect(9);
    next.agent(10, reregister(&id, 1));
    assert!(next.stores.is_empty());
}

#[test]
fn the_newer_run_wins_in_whatever_order_they_come() {
    let mut harness = Harness::new(&Config::default());
    let id = harness.register(1);
    harness.agent(3, reregister(&id, 2));
    harness.take();
    harness.agent(2, reregister(&id, 1));
    assert_eq!(harness.take(), [Effect::Close { peer: peer(2) }]);
    // The same while the registry is being changed.
    harness.prompt = false;
    harness.wait(Duration::from_secs(90));
    harness.agent(5, reregister(&id, 4));
    harness.take();
    harness.agent(4, reregister(&id, 3));
    assert_eq!(harness.take(), [Effect::Close { peer: peer(4) }]);
    harness.store_all();
    assert!(harness.take().contains(&to_agent(5, PING)));
}

#[test]
fn an_older_connection_of_the_same_run_is_stale() {
    let mut harness = Harness::new(&Config::default());
    let id = harness.register(1);
    harness.agent(5, reregister(&id, 1));
    harness.take();
    harness.agent(4, reregister(&id, 1));
    assert_eq!(harness.take(), [Effect::Close { peer: peer(4) }]);
    harness.agent(5, ToMaster::Pong);
    assert_eq!(harness.take(), [], "the newest stays registered");
}

#[test]
fn agents_that_do_not_return_after_an_election_are_unreachable_in_registry_and_memory() {
    let mut harness = Harness::new(&Config::default());
    let lost = harness.register(1);
    let back = harness.register(2);
    let mut next = harness.fail_over();
    next.agent(5, reregister(&back, 1));
    for _ in 0..599 {
        next.agent(5, ToMaster::Pong);
        next.wait(Duration::from_secs(1));
    }
    assert_eq!(next.registry.unreachable().len(), 0);
    next.agent(5, ToMaster::Pong);
    next.wait(Duration::from_secs(1));
    let unreachable: std::vec::Vec<_> = next.registry.unreachable().keys().collect();
    assert_eq!(unreachable, [&lost]);
    assert_eq!(next.leading.summary().agents_unreachable, 1);
    assert_eq!(next.leading.summary().agents_missing, 0);
}

#[test]
fn a_leader_that_misses_too_many_steps_down_rather_than_remove_them() {
    let config = Config {
        recovery_agent_removal_limit_percent: 50,
        ..Config::default()
    };
    let mut harness = Harness::new(&config);
    for peer in 1..=3 {
        harness.register(peer);
    }
    let mut next = harness.fail_over();
    next.wait(Duration::from_secs(600));
    let said = next.take();
    assert!(matches!(&said[..], [Effect::StepDown { .. }]), "{said:?}");
    assert!(next.registry.unreachable().is_empty());
}

#[test]
fn an_agent_that_says_farewell_is_never_taken_back() {
    let mut harness = Harness::new(&Config::default());
    let id = harness.register(1);
    harness.agent(1, ToMaster::Unregister);
    assert!(harness.registry.admitted().is_empty());
    assert_eq!(harness.take(), [Effect::Close { peer: peer(1) }]);
    harness.agent(2, reregister(&id, 2));
    let said = harness.take();
    let shutdown = ToAgent::Shutdown {
        message: "the agent was removed for good".to_string(),
    };
    assert_eq!(said, [to_agent(2, shutdown)]);
}

#[test]
fn nothing_is_offered_of_a_machine_that_is_down() {
    let mut harness = Harness::new(&Config::default());
    let id = harness.register(1);
    harness.subscribe(2, framework_info(None));
    assert_eq!(harness.offers().len(), 1);
    let view = harness.leading.agent(&id).expect("it is here");
    let machines = alloc::vec![MachineId {
        hostname: view.info.hostname.clone(),
        ..MachineId::default()
    }];
    let windows = alloc::vec![Window {
        machines: machines.clone(),
        unavailability: Unavailability::default(),
    }];
    harness.operator(Request::UpdateMaintenanceSchedule { windows });
    harness.prompt = false;
    harness.operator(Request::StartMaintenance { machines });
    assert!(harness.store(), "the machine is down");
    let said = harness.take();
    let rescinded = said.iter().filter(|effect| {
        matches!(effect, Effect::ToScheduler { message, .. }
            if matches!(message, ToScheduler::Event(Event::Rescind { .. })))
    });
    assert_eq!(rescinded.count(), 1, "{said:?}");
    // The agent's removal is not stored yet: even so nothing of it is offered.
    harness.wait(Duration::from_secs(30));
    assert_eq!(harness.offers().len(), 0);
    harness.store_all();
    assert!(harness.registry.admitted().is_empty());
}

#[test]
fn farewell_and_removal_never_race() {
    let mut harness = Harness::new(&Config::default());
    harness.register(1);
    harness.prompt = false;
    harness.wait(Duration::from_secs(75));
    harness.agent(1, ToMaster::Unregister);
    assert_eq!(harness.stores.len(), 1);
    harness.store_all();
    assert_eq!(harness.registry.unreachable().len(), 1);
}

#[test]
fn whom_the_operator_gave_up_is_shut_down() {
    let mut harness = Harness::new(&Config::default());
    let id = harness.register(1);
    assert_eq!(harness.mark_gone(&id), Ok(Answer::Done));
    let said = harness.take();
    assert!(matches!(
        &said[..],
        [
            Effect::ToAgent {
                message: ToAgent::Shutdown { .. },
                ..
            },
            Effect::Close { .. }
        ]
    ));
    harness.agent(2, reregister(&id, 5));
    let said = harness.take();
    assert!(matches!(
        &said[..],
        [Effect::ToAgent {
            message: ToAgent::Shutdown { .. },
            ..
        }]
    ));
    assert_eq!(harness.mark_gone(&id), Ok(Answer::Done), "it is already");
    let stranger = harness.mark_gone(&agent_id("stranger"));
    assert_eq!(stranger.map_err(|why| why.status()), Err(404));
}

#[test]
fn what_the_registrar_does_not_take_is_asked_for_again() {
    let mut harness = Harness::new(&Config::default());
    harness.prompt = false;
    harness.agent(1, register(7, 1));
    harness.refuse_store();
    harness.agent(1, register(7, 1));
    assert_eq!(harness.stores.len(), 1);
    harness.store();
    assert_eq!(harness.leading.summary().agents, 1);
    harness.wait(Duration::from_secs(75));
    harness.refuse_store();
    harness.wait(Duration::from_secs(15));
    harness.store();
    assert_eq!(harness.registry.unreachable().len(), 1);
}

#[test]
fn an_agent_that_describes_itself_anew_is_stored_first() {
    let mut harness = Harness::new(&Config::default());
    let id = harness.register(1);
    harness.prompt = false;
    let mut report = reregistration(id.as_str(), 2, [].into());
    let mut info = agent_info(Some(id.as_str()));
    info.resources = super::harness::resources("cpus:8;mem:4096");
    report.info = Arc::new(info);
    harness.agent(2, ToMaster::Reregister(Arc::new(report)));
    assert_eq!(harness.take(), []);
    harness.store();
    assert!(harness.take().contains(&to_agent(2, PING)));
    let agent = harness.leading.agent(&id).unwrap();
    assert_eq!(agent.free, super::harness::resources("cpus:8;mem:4096"));
}

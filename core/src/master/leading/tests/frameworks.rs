//! Frameworks: subscription, failover, absence, end.

use super::harness::{
    Harness, event, framework_id, framework_info, peer, report, reregistration, role, task,
    to_agent,
};
use crate::ids::FrameworkId;
use crate::master::leading::{Config, Effect, Notice};
use crate::message::Reject;
use crate::message::agent::{ToAgent, ToMaster};
use crate::message::scheduler::{Call, Event};
use crate::model::{FrameworkInfo, TaskState};
use alloc::string::ToString;
use alloc::sync::Arc;
use core::time::Duration;

fn subscribe(info: FrameworkInfo) -> Call {
    Call::Subscribe {
        framework: Arc::new(info),
        suppressed_roles: [].into(),
    }
}

fn again(id: &FrameworkId) -> Call {
    subscribe(framework_info(Some(id.as_str())))
}

fn subscribed(harness: &Harness, id: &FrameworkId) -> Event {
    Event::Subscribed {
        framework_id: id.clone(),
        heartbeat_interval: Duration::from_secs(15),
        master: harness.leading.me().clone(),
    }
}

fn failed_over(to: u64) -> Effect {
    let message = "Framework failed over".to_string();
    event(to, Event::Error { message })
}

#[test]
fn a_framework_gets_an_id_and_heartbeats() {
    let mut harness = Harness::new(&Config::default());
    harness.call(2, subscribe(framework_info(None)));
    let id = framework_id("1.1-0000");
    let expected = [event(2, subscribed(&harness, &id))];
    assert_eq!(harness.take(), expected);
    harness.wait(Duration::from_secs(30));
    let heartbeat = event(2, Event::Heartbeat);
    assert_eq!(harness.take(), [heartbeat.clone(), heartbeat]);
    assert_eq!(
        harness.subscribe(3, framework_info(None)),
        framework_id("1.1-0001")
    );
}

#[test]
fn a_repeated_subscription_tells_nobody_that_he_failed_over() {
    let mut harness = Harness::new(&Config::default());
    let id = harness.subscribe(2, framework_info(None));
    harness.call(2, subscribe(framework_info(None)));
    harness.call(2, again(&id));
    let expected = event(2, subscribed(&harness, &id));
    assert_eq!(harness.take(), [expected.clone(), expected]);
    assert_eq!(harness.leading.summary().frameworks, 1);
}

#[test]
fn another_scheduler_takes_over_and_the_old_one_is_told() {
    let mut harness = Harness::new(&Config::default());
    harness.register(1);
    let id = harness.subscribe(2, framework_info(None));
    assert_eq!(harness.offers().len(), 1);
    harness.call(3, again(&id));
    let close = Effect::Close { peer: peer(2) };
    let expected = [failed_over(2), close, event(3, subscribed(&harness, &id))];
    assert_eq!(harness.take(), expected);
    // The offers were the old one's; the new one gets its own, at once.
    assert_eq!(harness.leading.summary().offers, 0);
    assert_eq!(harness.offers().len(), 1);
    // A retry of the old one's that was under way for long is refused.
    let refused = harness.ask(2, again(&id));
    assert!(matches!(refused, Err(Reject::Invalid(_))), "{refused:?}");
    // And its calls are nobody's.
    let refused = harness.ask(2, Call::Teardown);
    assert!(matches!(refused, Err(Reject::NotSubscribed(_))));
    assert_eq!(harness.leading.summary().frameworks, 1);
}

#[test]
fn a_connection_speaks_for_its_own_framework_only() {
    let mut harness = Harness::new(&Config::default());
    let one = harness.subscribe(2, framework_info(None));
    let two = harness.subscribe(3, framework_info(None));
    harness.call_as(3, Some(&one), Call::Teardown);
    assert_eq!(harness.leading.summary().frameworks, 2);
    harness.call_as(3, Some(&two), Call::Teardown);
    assert_eq!(harness.leading.summary().frameworks, 1);
    let refused = harness.ask(2, subscribe(framework_info(Some("other"))));
    assert!(matches!(refused, Err(Reject::Invalid(_))));
}

#[test]
fn a_scheduler_is_accepted_just_before_its_time_and_refused_just_after() {
    for (late, accepted) in [(59_999, true), (60_000, false)] {
        let mut harness = Harness::new(&Config::default());
        let id = harness.subscribe(2, framework_info(None));
        harness.disconnect(2);
        // No tick: the node was busy.
        harness.now += Duration::from_millis(late);
        let result = harness.ask(3, again(&id));
        assert_eq!(result.is_ok(), accepted, "after {late} ms");
        let frameworks = harness.leading.summary().frameworks;
        assert_eq!(frameworks, usize::from(accepted));
    }
}

#[test]
fn the_time_out_of_an_earlier_absence_is_void() {
    let mut harness = Harness::new(&Config::default());
    let id = harness.subscribe(2, framework_info(None));
    harness.disconnect(2);
    harness.wait(Duration::from_secs(50));
    harness.call(3, again(&id));
    harness.wait(Duration::from_secs(50));
    assert_eq!(harness.leading.summary().frameworks, 1);
    harness.disconnect(3);
    harness.wait(Duration::from_secs(59));
    assert_eq!(harness.leading.summary().frameworks, 1);
    harness.wait(Duration::from_secs(1));
    assert_eq!(harness.leading.summary().frameworks, 0);
    let removed = Notice::FrameworkRemoved {
        framework_id: id,
        timed_out: true,
    };
    assert!(harness.notices.contains(&removed));
}

#[test]
fn a_huge_failover_time_out_is_never_rather_than_at_once() {
    let mut harness = Harness::new(&Config::default());
    let mut info = framework_info(None);
    info.failover_timeout = Duration::from_secs(100_000_000_000_000_000);
    harness.subscribe(2, info);
    harness.disconnect(2);
    harness.wait(Duration::from_secs(1_000_000));
    assert_eq!(harness.leading.summary().frameworks, 1);
}

#[test]
fn a_ghost_gives_its_offers_back_and_ends() {
    let mut harness = Harness::new(&Config::default());
    harness.register(1);
    harness.subscribe(2, framework_info(None));
    assert_eq!(harness.offers().len(), 1);
    harness.subscribe(3, framework_info(None));
    assert_eq!(harness.offers().len(), 0, "the ghost has everything");
    harness.disconnect(2);
    assert_eq!(harness.offers().len(), 1);
    harness.wait(Duration::from_secs(60));
    assert_eq!(harness.leading.summary().frameworks, 1);
}

#[test]
fn a_framework_that_was_torn_down_never_returns() {
    let (mut harness, _, id) = Harness::with_running_task(&Config::default());
    harness.call(2, Call::Teardown);
    let shutdown = ToAgent::ShutdownFramework {
        framework_id: id.clone(),
    };
    let close = Effect::Close { peer: peer(2) };
    assert_eq!(harness.take(), [to_agent(1, shutdown), close]);
    assert_eq!(harness.leading.summary().tasks, [0; 14]);
    let refused = harness.ask(3, again(&id));
    assert_eq!(
        refused,
        Err(Reject::Refused("Framework has been removed".to_string()))
    );
    let ended = &harness.leading.view().ended_frameworks[0];
    assert_eq!(ended.tasks[0].state, TaskState::Killed);
    // All that the agent has is free again.
    let free = &harness.leading.view().agents[0].free;
    assert_eq!(*free, super::harness::resources("cpus:4;mem:4096"));
}

#[test]
fn a_teardown_is_answered_before_the_connection_is_closed() {
    let mut harness = Harness::new(&Config::default());
    harness.subscribe(2, framework_info(None));
    assert_eq!(harness.ask(2, Call::Teardown), Ok(()));
    let close = Effect::Close { peer: peer(2) };
    assert_eq!(harness.take().last(), Some(&close));
}

#[test]
fn ended_frameworks_are_kept_up_to_a_bound() {
    let config = Config {
        max_completed_frameworks: 2,
        ..Config::default()
    };
    let mut harness = Harness::new(&config);
    for peer in 10..15 {
        harness.subscribe(peer, framework_info(None));
        harness.call(peer, Call::Teardown);
    }
    assert_eq!(harness.leading.view().ended_frameworks.len(), 2);
    // Also those that nobody can see any more are refused.
    let refused = harness.ask(20, again(&framework_id("1.1-0000")));
    assert!(refused.is_err());
}

#[test]
fn a_framework_of_an_earlier_leader_is_taken_as_it_says() {
    let mut harness = Harness::new(&Config::default());
    let id = framework_id("0.7-0042");
    harness.call(2, again(&id));
    let expected = [event(2, subscribed(&harness, &id))];
    assert_eq!(harness.take(), expected);
}

#[test]
fn a_framework_known_through_its_tasks_ends_unless_its_scheduler_comes() {
    let config = Config {
        agent_reregister_timeout: Duration::from_secs(60),
        ..Config::default()
    };
    let (harness, agent, id) = Harness::with_running_task(&config);
    for comes in [true, false] {
        let registry = harness.registry.clone();
        let mut next = Harness::over(&config, registry, 2);
        let task = report(id.as_str(), &task("t", &agent), TaskState::Running, None);
        let back = reregistration(agent.as_str(), 1, [task].into());
        next.agent(1, ToMaster::Reregister(Arc::new(back)));
        next.take();
        if comes {
            next.call(2, again(&id));
        }
        next.wait(Duration::from_secs(60));
        let shutdown = ToAgent::ShutdownFramework {
            framework_id: id.clone(),
        };
        let ended = next.take().contains(&to_agent(1, shutdown));
        assert_eq!(ended, !comes);
    }
}

#[test]
fn bad_descriptions_are_refused_and_change_nothing() {
    let mut harness = Harness::new(&Config::default());
    let mut none = framework_info(None);
    none.roles.clear();
    let mut two = framework_info(None);
    two.roles.push(role("db"));
    let mut twice = framework_info(None);
    twice.capabilities.multi_role = true;
    twice.roles.push(role("web"));
    for bad in [none, two, twice] {
        let refused = harness.ask(2, subscribe(bad));
        assert!(matches!(refused, Err(Reject::Invalid(_))), "{refused:?}");
    }
    let refused = harness.ask(
        2,
        Call::Subscribe {
            framework: Arc::new(framework_info(None)),
            suppressed_roles: [role("db")].into(),
        },
    );
    assert!(refused.is_err());
    assert_eq!(harness.leading.summary().frameworks, 0);
    let id = harness.subscribe(2, framework_info(None));
    let mut other = framework_info(Some(id.as_str()));
    other.principal = Some("mallory".to_string());
    assert!(harness.ask(3, subscribe(other)).is_err());
    assert_eq!(harness.ask(2, Call::Suppress { roles: [].into() }), Ok(()));
    let roles = [role("db")].into();
    assert!(harness.ask(2, Call::Revive { roles }).is_err());
}

#[test]
fn a_changed_description_reaches_its_agents_and_voids_offers_of_roles_left() {
    let (mut harness, _, id) = Harness::with_running_task(&Config::default());
    harness.wait(Duration::from_secs(10));
    harness.take();
    assert_eq!(harness.leading.summary().offers, 1);
    let mut info = framework_info(Some(id.as_str()));
    info.roles = [role("db")].into();
    let framework = Arc::new(info);
    let update = Call::UpdateFramework {
        framework: framework.clone(),
        suppressed_roles: [].into(),
    };
    assert_eq!(harness.ask(2, update), Ok(()));
    let said = harness.take();
    assert!(matches!(
        &said[0],
        Effect::ToScheduler {
            message: crate::message::scheduler::ToScheduler::Event(Event::Rescind { .. }),
            ..
        }
    ));
    let changed = ToAgent::UpdateFramework { framework };
    assert_eq!(said[1], to_agent(1, changed));
    assert_eq!(harness.offers()[0].role, role("db"));
}

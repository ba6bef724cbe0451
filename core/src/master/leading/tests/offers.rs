//! Offers: made, accepted, declined, taken back.

use super::harness::{
    Harness, agent_info, event, framework_info, resources, role, status, task, told, told_states,
};
use crate::ids::{ExecutorId, OfferId};
use crate::invariant::Cost;
use crate::master::leading::{Config, Effect};
use crate::message::agent::{AgentRun, ToAgent, ToMaster};
use crate::message::scheduler::{Call, Event};
use crate::model::{
    CommandInfo, ExecutorInfo, Filters, OfferOperation, Reason, TaskInfo, TaskState,
};
use crate::outbox::Outbox;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

fn executor(harness: &Harness) -> Arc<ExecutorInfo> {
    let framework = &harness.leading.view().frameworks[0];
    Arc::new(ExecutorInfo {
        executor_id: ExecutorId::new("e").unwrap(),
        framework_id: framework.info.id.clone().unwrap(),
        command: CommandInfo::shell("run"),
        resources: resources("cpus:0.5;mem:64;disk:1"),
        name: String::new(),
        data: Arc::from([]),
        shutdown_grace: None,
        verbatim: Arc::default(),
    })
}

fn accept(offer_ids: &[OfferId], operations: Vec<OfferOperation>) -> Call {
    Call::Accept {
        offer_ids: offer_ids.to_vec(),
        operations,
        filters: Filters::DEFAULT,
    }
}

fn launch(tasks: &[TaskInfo]) -> Vec<OfferOperation> {
    let tasks = tasks.iter().cloned().map(Arc::new).collect();
    [OfferOperation::Launch(tasks)].into()
}

/// Which tasks each message to an agent runs.
fn runs(said: &[Effect]) -> Vec<Vec<String>> {
    let runs = said.iter().filter_map(|effect| match effect {
        Effect::ToAgent {
            message: ToAgent::Run { tasks, .. },
            ..
        } => Some(tasks.iter().map(|task| task.task_id.to_string()).collect()),
        _ => None,
    });
    runs.collect()
}

#[test]
fn all_that_is_free_is_offered_soon() {
    let mut harness = Harness::new(&Config::default());
    let agent = harness.register(1);
    let framework = harness.subscribe(2, framework_info(None));
    harness.wait(Duration::from_millis(2));
    let offers = match &harness.take()[..] {
        [Effect::ToScheduler { message, .. }] => match message {
            crate::message::scheduler::ToScheduler::Event(Event::Offers(offers)) => offers.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert_eq!(offers.len(), 1);
    let offer = &offers[0];
    assert_eq!(offer.id.as_str(), "1.1-O1");
    assert_eq!((&offer.agent_id, &offer.framework_id), (&agent, &framework));
    assert_eq!(offer.resources, agent_info(None).resources);
    assert_eq!(offer.role, role("web"));
}

#[test]
fn accepted_tasks_are_sent_marked_and_the_rest_is_offered_again() {
    let mut harness = Harness::new(&Config::default());
    let agent = harness.register(1);
    harness.subscribe(2, framework_info(None));
    let offer = harness.offers()[0].id.clone();
    harness.accept(2, &offer, &[task("a", &agent), task("b", &agent)]);
    let said = harness.take();
    assert_eq!(runs(&said), [["a"], ["b"]], "command tasks go one by one");
    let Effect::ToAgent {
        message: ToAgent::Run { tasks, .. },
        ..
    } = &said[0]
    else {
        panic!("{said:?}");
    };
    let marked = resources("cpus:1;mem:128").allocated_to(&role("web"));
    assert_eq!(tasks[0].resources, marked);
    assert_eq!(
        harness.leading.summary().tasks[TaskState::Staging as usize],
        2
    );
    // Filtered for 5 s, then offered.
    assert_eq!(harness.offers().len(), 0);
    harness.wait(Duration::from_secs(5));
    let offers = harness.leading.standing_offers().next().unwrap().1.clone();
    assert_eq!(offers.resources, resources("cpus:2;mem:3840;disk:1000"));
}

#[test]
fn an_offer_is_used_once() {
    let mut harness = Harness::new(&Config::default());
    let agent = harness.register(1);
    harness.subscribe(2, framework_info(None));
    let offer = harness.offers()[0].id.clone();
    harness.accept(2, &offer, &[task("a", &agent)]);
    harness.take();
    harness.accept(2, &offer, &[task("b", &agent)]);
    let said = harness.take();
    assert_eq!(told_states(&said), [TaskState::Dropped]);
    let status = &told(&said)[0];
    assert_eq!(status.reason, Some(Reason::InvalidOffers));
    assert_eq!(status.update_id, None);
    assert_eq!(harness.leading.summary().tasks.iter().sum::<usize>(), 1);
}

#[test]
fn a_framework_without_partition_awareness_is_told_lost() {
    let mut harness = Harness::new(&Config::default());
    let agent = harness.register(1);
    let mut info = framework_info(None);
    info.capabilities.partition_aware = false;
    harness.subscribe(2, info);
    let none = OfferId::new("1.1-O77").unwrap();
    harness.accept(2, &none, &[task("a", &agent)]);
    assert_eq!(told_states(&harness.take()), [TaskState::Lost]);
}

#[test]
fn nobody_uses_or_ends_an_offer_of_another() {
    let mut harness = Harness::new(&Config::default());
    let agent = harness.register(1);
    harness.subscribe(2, framework_info(None));
    let offer = harness.offers()[0].id.clone();
    harness.subscribe(3, framework_info(None));
    harness.accept(3, &offer, &[task("a", &agent)]);
    assert_eq!(told_states(&harness.take()), [TaskState::Dropped]);
    harness.call(
        3,
        Call::Decline {
            offer_ids: [offer.clone()].into(),
            filters: Filters::NONE,
        },
    );
    let standing = harness.leading.standing_offers().next();
    assert_eq!(standing.map(|(id, _)| id), Some(&offer));
    // Nor does a number in another spelling name it.
    for odd in ["1.1-O01", "1.1-O+1", "1.1-O", "O1", "2.1-O1"] {
        let odd = OfferId::new(odd).unwrap();
        harness.accept(2, &odd, &[task("a", &agent)]);
        assert_eq!(told_states(&harness.take()), [TaskState::Dropped]);
    }
}

#[test]
fn offers_of_different_agents_do_not_go_together() {
    let mut harness = Harness::new(&Config::default());
    let agent = harness.register(1);
    harness.register(4);
    harness.subscribe(2, framework_info(None));
    let offers = harness.offers();
    let ids: Vec<_> = offers.iter().map(|offer| offer.id.clone()).collect();
    assert_eq!(ids.len(), 2);
    harness.call(2, accept(&ids, launch(&[task("a", &agent)])));
    let said = harness.take();
    assert_eq!(told_states(&said), [TaskState::Dropped]);
    // Both are given back whole, and not filtered.
    assert_eq!(harness.offers().len(), 2);
    let twice = [ids[0].clone(), ids[0].clone()];
    harness.call(2, accept(&twice, launch(&[task("a", &agent)])));
    assert_eq!(told_states(&harness.take()), [TaskState::Dropped]);
    harness.call(2, accept(&[], launch(&[task("a", &agent)])));
    assert_eq!(told_states(&harness.take()), [TaskState::Dropped]);
}

#[test]
fn two_offers_of_one_agent_add_up() {
    let mut harness = Harness::new(&Config::default());
    let agent = harness.register(1);
    harness.subscribe(2, framework_info(None));
    let offer = harness.offers()[0].id.clone();
    harness.accept(2, &offer, &[task("a", &agent)]);
    harness.wait(Duration::from_secs(6));
    harness.update(
        1,
        &harness.leading.view().frameworks[0]
            .info
            .id
            .clone()
            .unwrap(),
        status("a", &agent, TaskState::Finished, Some(1)),
    );
    harness.wait(Duration::from_secs(1));
    harness.take();
    let ids: Vec<_> = harness
        .leading
        .standing_offers()
        .map(|(id, _)| id.clone())
        .collect();
    assert_eq!(ids.len(), 2);
    let mut large = task("b", &agent);
    large.resources = resources("cpus:4;mem:4096;disk:1000");
    harness.call(2, accept(&ids, launch(&[large])));
    assert_eq!(runs(&harness.take()), [["b"]]);
}

#[test]
fn a_bad_task_is_an_error_and_harms_no_other() {
    let mut harness = Harness::new(&Config::default());
    let agent = harness.register(1);
    let other = harness.register(4);
    harness.subscribe(2, framework_info(None));
    let offers = harness.offers();
    let offer = offers.iter().find(|offer| offer.agent_id == agent).unwrap();
    let large = TaskInfo {
        resources: resources("cpus:5"),
        ..task("large", &agent)
    };
    let empty = TaskInfo {
        resources: resources(""),
        ..task("empty", &agent)
    };
    let nothing = TaskInfo {
        command: None,
        ..task("nothing", &agent)
    };
    let foreign = TaskInfo {
        resources: resources("cpus:1").allocated_to(&role("db")),
        ..task("foreign", &agent)
    };
    let mut owned = (*executor(&harness)).clone();
    owned.framework_id = super::harness::framework_id("other");
    let owned = TaskInfo {
        executor: Some(Arc::new(owned)),
        command: None,
        ..task("owned", &agent)
    };
    let elsewhere = task("elsewhere", &other);
    let good = task("good", &agent);
    let twice = task("good", &agent);
    let tasks = [
        large, empty, nothing, foreign, owned, elsewhere, good, twice,
    ];
    harness.accept(2, &offer.id, &tasks);
    let said = harness.take();
    assert_eq!(told_states(&said), [TaskState::Error; 7]);
    for status in told(&said) {
        assert_eq!(status.reason, Some(Reason::TaskInvalid));
        assert!(!status.message.is_empty());
    }
    assert_eq!(runs(&said), [["good"]]);
}

#[test]
fn an_executor_is_paid_for_once_and_must_stay_the_same() {
    let mut harness = Harness::new(&Config::default());
    let agent = harness.register(1);
    harness.subscribe(2, framework_info(None));
    let offer = harness.offers()[0].id.clone();
    let with = |name: &str, executor: &Arc<ExecutorInfo>| TaskInfo {
        executor: Some(executor.clone()),
        command: None,
        ..task(name, &agent)
    };
    let own = executor(&harness);
    let mut changed = (*own).clone();
    changed.command = CommandInfo::shell("other");
    let changed = Arc::new(changed);
    let tasks = [with("a", &own), with("b", &own), with("c", &changed)];
    harness.accept(2, &offer, &tasks);
    let said = harness.take();
    assert_eq!(runs(&said), [["a", "b"]], "neighbours travel together");
    assert_eq!(told_states(&said), [TaskState::Error]);
    let view = harness.leading.agent(&agent).unwrap();
    assert_eq!(view.used, resources("cpus:2.5;mem:320;disk:1"));
    // The executor's part is free when it ends, whatever became of its tasks.
    harness.agent(
        1,
        ToMaster::ExecutorExited {
            framework_id: own.framework_id.clone(),
            executor_id: own.executor_id.clone(),
            status: 9,
        },
    );
    let failure = Event::Failure {
        agent_id: agent.clone(),
        executor_id: Some(own.executor_id.clone()),
        status: Some(9),
    };
    assert_eq!(harness.take(), [event(2, failure)]);
    let view = harness.leading.agent(&agent).unwrap();
    assert_eq!(view.used, resources("cpus:2;mem:256"));
}

#[test]
fn a_group_is_launched_whole_or_not_at_all() {
    let mut harness = Harness::new(&Config::default());
    let agent = harness.register(1);
    harness.subscribe(2, framework_info(None));
    let offer = harness.offers()[0].id.clone();
    let executor = executor(&harness);
    let group = |names: &[&str], cpus: &str| {
        let tasks = names.iter().map(|name| {
            let mut task = task(name, &agent);
            task.resources = resources(cpus);
            Arc::new(task)
        });
        OfferOperation::LaunchGroup {
            executor: executor.clone(),
            tasks: tasks.collect(),
        }
    };
    let operations = [group(&["a", "b"], "cpus:2"), group(&["c", "d"], "cpus:1")];
    harness.call(2, accept(&[offer], operations.into()));
    let said = harness.take();
    assert_eq!(told_states(&said), [TaskState::Error; 2]);
    assert_eq!(runs(&said), [["c", "d"]]);
    let view = harness.leading.agent(&agent).unwrap();
    assert_eq!(view.used, resources("cpus:2.5;mem:64;disk:1"));
}

#[test]
fn a_decline_filters_and_a_revive_lifts_it() {
    let mut harness = Harness::new(&Config::default());
    harness.register(1);
    harness.subscribe(2, framework_info(None));
    for (revive, expected) in [(false, 0), (true, 1)] {
        let offer = harness.offers().pop();
        let offer = offer.map(|offer| offer.id.clone());
        let offer = offer.or_else(|| {
            harness
                .leading
                .standing_offers()
                .next()
                .map(|o| o.0.clone())
        });
        harness.call(
            2,
            Call::Decline {
                offer_ids: [offer.unwrap()].into(),
                filters: Filters {
                    refuse: Duration::from_secs(12),
                },
            },
        );
        if revive {
            harness.call(2, Call::Revive { roles: [].into() });
        }
        harness.wait(Duration::from_secs(10));
        assert_eq!(harness.leading.summary().offers, expected);
        harness.wait(Duration::from_secs(10));
        assert_eq!(harness.leading.summary().offers, 1);
        harness.take();
    }
}

/// MESOS-10023: the filter of an accept that came first never outlives the revive.
#[test]
fn an_accept_before_a_revive_leaves_no_filter() {
    let mut harness = Harness::new(&Config::default());
    let agent = harness.register(1);
    harness.subscribe(2, framework_info(None));
    let offer = harness.offers()[0].id.clone();
    harness.call(
        2,
        Call::Accept {
            offer_ids: [offer].into(),
            operations: launch(&[task("a", &agent)]),
            filters: Filters {
                refuse: Duration::from_secs(1_000_000_000_000),
            },
        },
    );
    harness.call(2, Call::Revive { roles: [].into() });
    harness.take();
    assert_eq!(harness.offers().len(), 1);
}

#[test]
fn who_suppresses_gets_nothing_until_he_revives() {
    let mut harness = Harness::new(&Config::default());
    harness.subscribe(2, framework_info(None));
    harness.call(2, Call::Suppress { roles: [].into() });
    harness.register(1);
    harness.wait(Duration::from_secs(10));
    assert_eq!(harness.leading.summary().offers, 0);
    harness.call(2, Call::Revive { roles: [].into() });
    assert_eq!(harness.offers().len(), 1);
}

#[test]
fn offers_end_with_their_agent_and_are_made_anew_when_it_returns() {
    let mut harness = Harness::new(&Config::default());
    let agent = harness.register(1);
    harness.subscribe(2, framework_info(None));
    let offer_id = harness.offers()[0].id.clone();
    harness.disconnect(1);
    let rescind = Event::Rescind { offer_id };
    assert_eq!(harness.take(), [event(2, rescind)]);
    assert_eq!(harness.offers().len(), 0);
    let report = super::harness::reregistration(agent.as_str(), 1, [].into());
    harness.agent(3, ToMaster::Reregister(Arc::new(report)));
    assert_eq!(harness.offers().len(), 1);
}

#[test]
fn an_offer_that_stands_too_long_is_taken_back() {
    let config = Config {
        offer_timeout: Some(Duration::from_secs(10)),
        ..Config::default()
    };
    let mut harness = Harness::new(&config);
    harness.register(1);
    harness.subscribe(2, framework_info(None));
    let offer_id = harness.offers()[0].id.clone();
    harness.wait(Duration::from_millis(9_500));
    let said = harness.take();
    assert_eq!(said[0], event(2, Event::Rescind { offer_id }));
}

#[test]
fn what_cannot_be_counted_is_not_offered() {
    let mut harness = Harness::new(&Config::default());
    let mut fx = Outbox::new(100);
    let mut info = agent_info(None);
    info.resources = resources("cpus:1000000000000;mem:1");
    let info = Arc::new(info);
    // So many of them have more than 64 bits count.
    for number in 0..9_300 {
        let message = ToMaster::Register {
            info: info.clone(),
            run: AgentRun(1),
            nonce: number,
            kept: crate::resources::Resources::EMPTY,
        };
        let (now, leading) = (harness.at(), &mut harness.leading);
        leading.on_agent(now, super::harness::peer(number), message, &mut fx);
        let stored: Vec<_> = fx.drain().collect();
        for effect in stored {
            if let Effect::Store { operation } = effect {
                leading.on_stored(now, &operation, &Ok(()), &mut fx);
                fx.drain().for_each(drop);
            }
        }
    }
    let agents = harness.leading.view().agents;
    let offered = agents.iter().filter(|agent| !agent.free.is_empty());
    let offered = offered.count();
    assert!((9_000..9_300).contains(&offered), "{offered}");
    assert_eq!(harness.leading.check(Cost::Linear), []);
}

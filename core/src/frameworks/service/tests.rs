use super::*;
use crate::frameworks::testing::*;
use crate::message::scheduler::Call;
use crate::model::TaskInfo;
use alloc::borrow::ToOwned;
use alloc::sync::Arc;
use alloc::vec;
use core::time::Duration;
use std::collections::BTreeSet as Set;

const ENOUGH: &str = "cpus:10;mem:10000";

fn fresh(instances: u32) -> Service {
    service(Config {
        instances,
        ..Config::default()
    })
}

fn service(config: Config) -> Service {
    Service::new(config).unwrap()
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A subscribed service whose instances all run, and their tasks.
fn running(config: Config, offers: u32) -> (Bench<Service>, Vec<Arc<TaskInfo>>) {
    let mut bench = Bench::new(service(config));
    bench.subscribe();
    let offers: Vec<_> = (1..=offers).map(|n| offer(n, ENOUGH)).collect();
    let tasks = launched(&bench.offers(&offers));
    for task in &tasks {
        let agent = task.agent_id.as_str();
        bench.update(&task.task_id, agent, TaskState::Running);
    }
    (bench, tasks)
}

#[test]
fn it_launches_what_is_wanted_and_then_wants_no_more_offers() {
    let mut bench = Bench::new(fresh(3));
    assert_eq!(bench.subscribe(), []);
    let actions = bench.offers(&[offer(1, ENOUGH), offer(2, ENOUGH)]);
    let ids: Vec<_> = launched(&actions)
        .iter()
        .map(|task| task.task_id.as_str().to_owned())
        .collect();
    assert_eq!(ids, ["service.0.1", "service.2.3", "service.1.2"]);
    assert!(
        matches!(actions.iter().position(|a| matches!(a, Action::Persist(_))), Some(at)
        if actions[..at].iter().all(|a| matches!(a, Action::Notice(_))))
    );
    assert_eq!(calls(&actions).last(), Some(&suppress()));
    for id in ids {
        bench.update(&task_id(&id), "S1", TaskState::Running);
    }
    assert_eq!(bench.logic.running(), 3);
    assert!(bench.logic.is_settled());
}

#[test]
fn instances_spread_over_groups_first_and_then_over_agents() {
    let config = Config {
        instances: 6,
        spread_by: Some("rack".to_owned()),
        ..Config::default()
    };
    let mut bench = Bench::new(service(config));
    bench.subscribe();
    // Racks r1 = {1, 3, 5}, r0 = {2}.
    let offers = [1, 2, 3, 5].map(|n| offer(n, ENOUGH));
    let tasks = launched(&bench.offers(&offers));
    let on = |agent: &str| {
        let on = tasks.iter().filter(|task| task.agent_id.as_str() == agent);
        on.count()
    };
    assert_eq!([on("S1"), on("S2"), on("S3"), on("S5")], [1, 3, 1, 1]);
}

#[test]
fn an_agent_takes_no_more_than_its_share() {
    let config = Config {
        instances: 5,
        agent_instances_max: Some(2),
        ..Config::default()
    };
    let (mut bench, tasks) = running(config, 2);
    assert_eq!(tasks.len(), 4);
    // One waits still, so that small or full agents are declined for a short while only.
    let actions = bench.offers(&[offer(1, ENOUGH), offer(2, ENOUGH)]);
    let Call::Decline { offer_ids, filters } = &calls(&actions)[0] else {
        panic!("{actions:?}");
    };
    assert_eq!((offer_ids.len(), filters.refuse), (2, secs(5)));
    assert_eq!(launched(&bench.offers(&[offer(3, ENOUGH)])).len(), 1);
}

#[test]
fn a_run_that_ends_early_waits_longer_each_time() {
    let (mut bench, tasks) = running(Config::default(), 1);
    let mut id = tasks[0].task_id.clone();
    for wait in [1, 2, 4] {
        bench.update(&id, "S1", TaskState::Failed);
        assert_eq!(
            calls(&bench.pass(secs(wait) - Duration::from_millis(1))),
            []
        );
        assert_eq!(calls(&bench.pass(Duration::from_millis(1))), [revive()]);
        let next = launched(&bench.offers(&[offer(1, ENOUGH)]))[0]
            .task_id
            .clone();
        assert_ne!(id, next);
        id = next;
    }
    bench.update(&id, "S1", TaskState::Running);
    bench.pass(secs(10));
    // It ran well for long enough: no wait, and the next failure starts over.
    let actions = bench.update(&id, "S1", TaskState::Finished);
    assert_eq!(calls(&actions), [revive()]);
    assert_eq!(bench.logic.instances()[&0].failures, 0);
}

#[test]
fn a_task_out_of_reach_is_replaced_after_a_while_and_killed_when_it_returns() {
    let (mut bench, tasks) = running(Config::default(), 1);
    let old = &tasks[0].task_id;
    bench.update(old, "S1", TaskState::Unreachable);
    assert_eq!(bench.logic.running(), 0);
    assert_eq!(bench.pass(secs(29)), []);
    assert_eq!(calls(&bench.pass(secs(1))), [revive()]);
    let new = launched(&bench.offers(&[offer(2, ENOUGH)]))[0]
        .task_id
        .clone();
    bench.update(&new, "S2", TaskState::Running);
    bench.update(old, "S1", TaskState::Running);
    assert!(!bench.logic.is_settled());
    assert_eq!(killed(&bench.pass(secs(0))), [task_id("service.0.1")]);
    // Told again until it ends.
    assert_eq!(killed(&bench.pass(secs(20))).len(), 2);
    bench.update(old, "S1", TaskState::Killed);
    assert_eq!(bench.pass(secs(60)), []);
    assert_eq!(bench.logic.tasks().len(), 1);
    assert_eq!(bench.logic.running(), 1);
}

#[test]
fn a_task_that_returns_in_time_is_left_alone() {
    let (mut bench, tasks) = running(Config::default(), 1);
    let id = &tasks[0].task_id;
    bench.update(id, "S1", TaskState::Unreachable);
    bench.pass(secs(29));
    bench.update(id, "S1", TaskState::Running);
    assert_eq!(bench.pass(secs(60)), []);
    assert_eq!(bench.logic.running(), 1);
}

#[test]
fn a_task_that_returns_before_its_successor_starts_is_taken_back() {
    let (mut bench, tasks) = running(Config::default(), 1);
    let id = &tasks[0].task_id;
    bench.update(id, "S1", TaskState::Unreachable);
    bench.pass(secs(30));
    let actions = bench.update(id, "S1", TaskState::Running);
    assert_eq!(calls(&actions), [suppress()]);
    assert_eq!(killed(&bench.pass(secs(60))), []);
    assert_eq!(bench.logic.counters().adopted, 1);
    assert!(bench.logic.is_settled());
}

#[test]
fn scaling_down_kills_the_highest_and_scaling_up_never_reuses_an_id() {
    let config = Config {
        instances: 3,
        ..Config::default()
    };
    let (mut bench, tasks) = running(config, 1);
    let scale = |instances| wire::encode(&Request::Scale { instances });
    bench.request(&scale(1));
    let mut gone = killed(&bench.pass(secs(0)));
    gone.sort();
    assert_eq!(gone, [task_id("service.1.2"), task_id("service.2.3")]);
    assert_eq!(bench.logic.running(), 1);
    bench.request(&scale(3));
    let again = launched(&bench.offers(&[offer(2, ENOUGH)]));
    let ids: Set<_> = again
        .iter()
        .chain(&tasks)
        .map(|t| t.task_id.clone())
        .collect();
    assert_eq!(ids.len(), 5);
    // Those that were scaled away are still told to end.
    assert_eq!(killed(&bench.pass(secs(10))).len(), 2);
}

#[test]
fn a_request_that_makes_no_sense_changes_nothing() {
    let (mut bench, _) = running(Config::default(), 1);
    for body in [
        vec![1, 2, 3],
        wire::encode(&Request::Scale { instances: 1 << 30 }),
        wire::encode(&Request::Restart { instance: 7 }),
    ] {
        let actions = bench.request(&body);
        assert!(
            matches!(
                &actions[..],
                [Action::Notice(Notice::RequestRefused { .. })]
            ),
            "{actions:?}"
        );
    }
    assert_eq!(bench.logic.wanted(), 1);
}

#[test]
fn a_restart_ends_the_old_task_before_the_new_one_starts() {
    let (mut bench, tasks) = running(Config::default(), 1);
    bench.request(&wire::encode(&Request::Restart { instance: 0 }));
    assert_eq!(killed(&bench.pass(secs(0))), [tasks[0].task_id.clone()]);
    // The first kill was lost.
    assert_eq!(killed(&bench.pass(secs(10))), [tasks[0].task_id.clone()]);
    let actions = bench.update(&tasks[0].task_id, "S1", TaskState::Killed);
    assert_eq!(calls(&actions), [revive()]);
    assert_eq!(launched(&bench.offers(&[offer(1, ENOUGH)])).len(), 1);
    assert_eq!(killed(&bench.pass(secs(60))), []);
}

#[test]
fn a_restarted_scheduler_knows_its_tasks_and_gives_out_no_id_twice() {
    let mut bench = Bench::new(fresh(3));
    bench.subscribe();
    let mut history = Vec::new();
    let actions = bench.offers(&[offer(1, ENOUGH)]);
    history.extend(records(&actions));
    let tasks = launched(&actions);
    history.extend(records(&bench.update(
        &tasks[0].task_id,
        "S1",
        TaskState::Failed,
    )));
    let scale = wire::encode(&Request::Scale { instances: 2 });
    history.extend(records(&bench.request(&scale)));

    let by_records = bench.recover(fresh(3), &history);
    let mut by_snapshot = Bench::new(fresh(3));
    by_snapshot
        .logic
        .restore(bench.now, &bench.logic.snapshot())
        .unwrap();
    for mut again in [by_records, by_snapshot] {
        assert_eq!(again.logic.wanted(), 2);
        assert_eq!(again.logic.tasks(), bench.logic.tasks());
        again.subscribe();
        // One of the three tasks ended, one runs, one was scaled away.
        let next = launched(&again.offers(&[offer(2, ENOUGH)]));
        assert_eq!(next.len(), 1);
        assert_eq!(next[0].task_id.as_str(), "service.0.4");
        assert_eq!(killed(&again.pass(secs(0))), [task_id("service.2.3")]);
    }
}

#[test]
fn what_nobody_knows_of_after_a_restart_is_launched_again() {
    let mut bench = Bench::new(fresh(1));
    bench.subscribe();
    let history = records(&bench.offers(&[offer(1, ENOUGH)]));
    let mut again = bench.recover(fresh(1), &history);
    again.subscribe();
    // No second run while the first may be running.
    assert_eq!(launched(&again.offers(&[offer(2, ENOUGH)])).len(), 0);
    again.update(&task_id("service.0.1"), "S1", TaskState::Unknown);
    again.pass(secs(1));
    let next = launched(&again.offers(&[offer(2, ENOUGH)]));
    assert_eq!(next[0].task_id.as_str(), "service.0.2");
}

#[test]
fn a_task_from_before_a_lost_disk_is_killed_and_its_id_not_repeated() {
    let (mut bench, _) = running(Config::default(), 1);
    bench.update(&task_id("service.0.9"), "S7", TaskState::Running);
    bench.update(&task_id("other"), "S7", TaskState::Running);
    let mut gone = killed(&bench.pass(secs(0)));
    gone.sort();
    assert_eq!(gone, [task_id("other"), task_id("service.0.9")]);
    bench.update(&task_id("service.0.1"), "S1", TaskState::Lost);
    bench.pass(secs(1));
    let next = launched(&bench.offers(&[offer(1, ENOUGH)]));
    assert_eq!(next[0].task_id.as_str(), "service.0.10");
}

#[test]
fn a_dropped_launch_waits_for_an_offer_without_back_off() {
    let mut bench = Bench::new(fresh(1));
    bench.subscribe();
    let id = launched(&bench.offers(&[offer(1, ENOUGH)]))[0]
        .task_id
        .clone();
    bench.event(&Event::Disconnected);
    bench.event(&Event::LaunchDropped { task_ids: vec![id] });
    assert_eq!(calls(&bench.subscribe()), [revive()]);
    assert_eq!(launched(&bench.offers(&[offer(1, ENOUGH)])).len(), 1);
}

#[test]
fn thousands_are_killed_in_portions() {
    let config = Config {
        instances: 2_500,
        ..Config::default()
    };
    let mut bench = Bench::new(service(config));
    bench.subscribe();
    let tasks = launched(&bench.offers(&[offer(1, "cpus:1000;mem:1000000")]));
    assert_eq!(tasks.len(), 2_500);
    bench.request(&wire::encode(&Request::Scale { instances: 0 }));
    let mut out = Outbox::new(100_000);
    bench.logic.on_tick(bench.now, &mut out);
    assert_eq!(killed(out.as_slice()).len(), 1_000);
    assert_eq!(bench.logic.deadline(), Some(bench.now.mono));
}

#[test]
fn bad_settings_are_named() {
    let field = |config: Config| Service::new(config).unwrap_err().field;
    let config = Config::default;
    assert_eq!(
        field(Config {
            instances: 100_001,
            ..config()
        }),
        "instances"
    );
    assert_eq!(
        field(Config {
            agent_instances_max: Some(0),
            ..config()
        }),
        "agent_instances_max"
    );
    assert_eq!(
        field(Config {
            restart_backoff_max: Duration::ZERO,
            ..config()
        }),
        "restart_backoff_max"
    );
}

use super::*;
use crate::frameworks::Script;
use crate::frameworks::testing::*;
use crate::model::{CommandInfo, TaskInfo};
use alloc::sync::Arc;
use alloc::vec;

const ENOUGH: &str = "cpus:10;mem:10000";

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn list(jobs: usize) -> Config {
    let job = |_| Job {
        after: secs(1),
        command: CommandInfo::shell("sleep 3"),
        resources: None,
    };
    Config {
        arrivals: Arrivals::List((0..jobs).map(job).collect()),
        ..Config::default()
    }
}

fn fresh(config: Config) -> Batch {
    Batch::new(config, &Rng::from_seed(1, "batch")).unwrap()
}

/// A subscribed scheduler to which all jobs of a list have come, and their tasks.
fn started(config: Config) -> (Bench<Batch>, Vec<Arc<TaskInfo>>) {
    let mut bench = Bench::new(fresh(config));
    bench.subscribe();
    bench.pass(secs(100));
    let tasks = launched(&bench.offers(&[offer(1, ENOUGH)]));
    for task in &tasks {
        bench.update(&task.task_id, "S1", TaskState::Running);
    }
    (bench, tasks)
}

fn totals(arrived: u64, done: u64, failed: u64, retried: u64) -> Totals {
    Totals {
        arrived,
        done,
        failed,
        retried,
    }
}

#[test]
fn a_job_with_needs_of_its_own_waits_for_them_and_holds_up_nobody() {
    let mut config = list(3);
    let Arrivals::List(jobs) = &mut config.arrivals else {
        unreachable!("it is a list");
    };
    jobs[0].resources = Some("cpus:4;mem:32".parse().unwrap());
    let mut bench = Bench::new(fresh(config));
    bench.subscribe();
    bench.pass(secs(9));
    let first = launched(&bench.offers(&[offer(1, "cpus:3;mem:32")]));
    assert_eq!(
        first.len(),
        1,
        "memory for one, and the first job does not fit"
    );
    assert_eq!(first[0].task_id.as_str(), "batch.1.1");
    let then = launched(&bench.offers(&[offer(2, "cpus:4.1;mem:64")]));
    let ids: Vec<&str> = then.iter().map(|task| task.task_id.as_str()).collect();
    assert_eq!(ids, ["batch.0.1", "batch.2.1"]);
    assert_eq!(then[0].resources.quantities().milli("cpus"), 4_000);

    let mut reserved = list(1);
    if let Arrivals::List(jobs) = &mut reserved.arrivals {
        jobs[0].resources = Some("cpus(a):4".parse().unwrap());
    }
    assert_eq!(reserved.validate().unwrap_err().field, "resources");
}

#[test]
fn jobs_arrive_in_time_and_start_in_their_order() {
    let mut bench = Bench::new(fresh(list(3)));
    assert_eq!(
        bench.pass(secs(9)),
        [],
        "nothing before the first subscription"
    );
    assert_eq!(calls(&bench.subscribe()), [suppress()]);
    assert_eq!(calls(&bench.pass(secs(2))), [revive()]);
    let actions = bench.offers(&[offer(1, "cpus:0.1;mem:32"), offer(2, ENOUGH)]);
    let tasks = launched(&actions);
    let ids: Vec<_> = tasks.iter().map(|task| task.task_id.as_str()).collect();
    assert_eq!(ids, ["batch.0.1", "batch.1.1"]);
    let script = Script::of(tasks[0].command.as_ref().unwrap());
    assert_eq!(script, Ok(Script::sleep(secs(3))));
    assert_eq!(calls(&actions).last(), Some(&suppress()));
    bench.pass(secs(1));
    bench.update(&tasks[0].task_id, "S1", TaskState::Running);
    assert_eq!(bench.logic.waits().max, secs(2));
    assert_eq!(bench.logic.totals(), totals(3, 0, 0, 0));
}

#[test]
fn a_job_that_finished_never_runs_again() {
    let (mut bench, tasks) = started(list(1));
    let id = &tasks[0].task_id;
    let actions = bench.update(id, "S1", TaskState::Finished);
    assert_eq!(
        records(&actions).len(),
        1,
        "durable before the acknowledgement"
    );
    assert!(actions.contains(&Action::Notice(Notice::Settled)));
    assert!(bench.logic.is_done());
    for state in [TaskState::Finished, TaskState::Failed, TaskState::Lost] {
        bench.update(id, "S1", state);
    }
    assert_eq!(bench.pass(secs(600)), []);
    assert_eq!(bench.logic.totals(), totals(1, 1, 0, 0));
}

#[test]
fn a_job_that_fails_is_retried_so_often_and_no_more() {
    let (mut bench, tasks) = started(Config {
        retries_max: 2,
        ..list(1)
    });
    let mut id = tasks[0].task_id.clone();
    for (state, wait) in [(TaskState::Failed, 1), (TaskState::Lost, 2)] {
        bench.update(&id, "S1", state);
        assert_eq!(bench.pass(secs(wait) - Duration::from_nanos(1)), []);
        assert_eq!(calls(&bench.pass(secs(1))), [revive()]);
        id = launched(&bench.offers(&[offer(1, ENOUGH)]))[0]
            .task_id
            .clone();
    }
    assert_eq!(id.as_str(), "batch.0.3");
    bench.update(&id, "S1", TaskState::Failed);
    assert_eq!(bench.logic.totals(), totals(1, 0, 1, 2));
    assert!(bench.logic.is_done());
}

#[test]
fn a_lost_task_that_finished_after_all_ends_its_job_and_the_other_start() {
    let (mut bench, tasks) = started(list(1));
    let old = &tasks[0].task_id;
    bench.update(old, "S1", TaskState::Unreachable);
    bench.pass(secs(31));
    let new = launched(&bench.offers(&[offer(2, ENOUGH)]))[0]
        .task_id
        .clone();
    bench.update(&new, "S2", TaskState::Running);
    bench.update(old, "S1", TaskState::Finished);
    assert_eq!(bench.logic.totals(), totals(1, 1, 0, 1));
    assert_eq!(killed(&bench.pass(secs(0))), [task_id("batch.0.2")]);
    // It finished before the kill came: the job was done already.
    bench.update(&new, "S2", TaskState::Finished);
    assert_eq!(bench.logic.totals(), totals(1, 1, 0, 1));
    assert_eq!(killed(&bench.pass(secs(60))), []);
}

#[test]
fn a_lost_task_that_returns_is_taken_back_or_killed() {
    let (mut bench, tasks) = started(list(2));
    for task in &tasks {
        bench.update(&task.task_id, "S1", TaskState::Unreachable);
    }
    bench.pass(secs(31));
    bench.update(&tasks[0].task_id, "S1", TaskState::Running);
    assert_eq!(killed(&bench.pass(secs(0))), []);
    let next = launched(&bench.offers(&[offer(2, ENOUGH)]));
    assert_eq!(next[0].task_id.as_str(), "batch.1.2");
    bench.update(&tasks[1].task_id, "S1", TaskState::Running);
    assert_eq!(killed(&bench.pass(secs(0))), [task_id("batch.1.1")]);
    bench.update(&tasks[0].task_id, "S1", TaskState::Finished);
    bench.update(&next[0].task_id, "S2", TaskState::Finished);
    assert_eq!(bench.logic.totals(), totals(2, 2, 0, 2));
    assert!(!bench.logic.settled, "one is still being killed");
    bench.update(&tasks[1].task_id, "S1", TaskState::Killed);
    assert!(bench.logic.settled);
}

#[test]
fn too_many_jobs_wait_outside() {
    let (mut bench, tasks) = started(Config {
        outstanding_max: 2,
        ..list(4)
    });
    assert_eq!(tasks.len(), 2);
    assert_eq!(bench.logic.deadline(), None);
    bench.update(&tasks[0].task_id, "S1", TaskState::Finished);
    bench.pass(secs(5));
    assert_eq!(bench.logic.totals(), totals(3, 1, 0, 0));
}

#[test]
fn a_restarted_scheduler_goes_on_where_it_was() {
    let mut bench = Bench::new(fresh(list(5)));
    let mut history = Vec::new();
    let mut note = |actions: Vec<Action>| {
        history.extend(records(&actions));
        actions
    };
    note(bench.subscribe());
    note(bench.pass(secs(4)));
    let tasks = launched(&note(bench.offers(&[offer(1, "cpus:0.3;mem:1000")])));
    assert_eq!(tasks.len(), 3);
    note(bench.update(&tasks[0].task_id, "S1", TaskState::Finished));
    note(bench.update(&tasks[1].task_id, "S1", TaskState::Failed));

    let by_records = bench.recover(fresh(list(5)), &history);
    let mut by_snapshot = Bench::new(fresh(list(5)));
    let snapshot = bench.logic.snapshot();
    by_snapshot.logic.restore(bench.now, &snapshot).unwrap();
    for mut again in [by_records, by_snapshot] {
        assert_eq!(again.logic.totals(), bench.logic.totals());
        assert_eq!(again.logic.tasks(), bench.logic.tasks());
        again.subscribe();
        again.pass(secs(9));
        let next = launched(&again.offers(&[offer(2, ENOUGH)]));
        let ids: Vec<_> = next.iter().map(|task| task.task_id.as_str()).collect();
        assert_eq!(ids, ["batch.1.2", "batch.3.1", "batch.4.1"]);
        assert_eq!(again.logic.totals(), totals(5, 1, 0, 1));
    }
}

#[test]
fn it_ends_with_its_last_job_when_told_to() {
    let (mut bench, tasks) = started(Config {
        exit_when_done: true,
        ..list(1)
    });
    let actions = bench.update(&tasks[0].task_id, "S1", TaskState::Finished);
    let stop = Action::Stop {
        teardown: true,
        exit: Exit::SUCCESS,
    };
    assert_eq!(actions.last(), Some(&stop));
}

#[test]
fn a_task_of_nobody_is_killed() {
    let (mut bench, _) = started(list(1));
    bench.update(&task_id("other"), "S7", TaskState::Running);
    bench.update(&task_id("batch.9.1"), "S7", TaskState::Running);
    assert_eq!(killed(&bench.pass(secs(0))).len(), 2);
}

#[test]
fn a_launch_that_never_left_is_no_failure() {
    let (mut bench, _) = started(Config {
        retries_max: 0,
        ..list(1)
    });
    bench.event(&Event::Disconnected);
    bench.event(&Event::LaunchDropped {
        task_ids: vec![task_id("batch.0.1")],
    });
    bench.subscribe();
    let next = launched(&bench.offers(&[offer(1, ENOUGH)]));
    assert_eq!(next[0].task_id.as_str(), "batch.0.2");
    assert_eq!(bench.logic.totals(), totals(1, 0, 0, 0));
}

#[test]
fn a_start_that_certainly_never_ran_is_no_failure() {
    let (mut bench, _) = started(Config {
        retries_max: 0,
        ..list(2)
    });
    bench.update(&task_id("batch.0.1"), "S1", TaskState::Finished);
    bench.update(&task_id("batch.1.1"), "S1", TaskState::Gone);
    assert_eq!(bench.logic.totals(), totals(2, 1, 1, 0), "it had run");

    let mut bench = Bench::new(fresh(Config {
        retries_max: 0,
        ..list(1)
    }));
    bench.subscribe();
    bench.pass(secs(1));
    for attempt in 1..4 {
        let id = launched(&bench.offers(&[offer(1, ENOUGH)]))[0]
            .task_id
            .clone();
        assert_eq!(bench.logic.job_of(&id), Some(0));
        let actions = bench.update(&id, "S1", TaskState::Dropped);
        assert_eq!(launched(&actions).len(), 0);
        bench.pass(secs(1));
        assert_eq!(bench.logic.totals(), totals(1, 0, 0, 0), "{attempt}");
    }
}

#[test]
fn bad_settings_are_named() {
    let field = |config: Config| {
        let error = Batch::new(config, &Rng::from_seed(1, "batch")).unwrap_err();
        error.field
    };
    let random = |random| Config {
        arrivals: Arrivals::Random(random),
        ..Config::default()
    };
    let default = Random::default;
    assert_eq!(
        field(random(Random {
            failures_per_mille: 1_001,
            ..default()
        })),
        "failures_per_mille"
    );
    assert_eq!(
        field(random(Random {
            interval: Duration::ZERO,
            ..default()
        })),
        "interval"
    );
    assert_eq!(
        field(random(Random {
            duration_min: secs(11),
            ..default()
        })),
        "duration_max"
    );
    assert_eq!(
        field(Config {
            outstanding_max: 0,
            ..Config::default()
        }),
        "outstanding_max"
    );
}

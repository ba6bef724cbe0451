use super::*;
use crate::frameworks::testing::*;
use crate::message::scheduler::Call;

fn bench(instances: u32) -> Bench<Execute> {
    let config = Config {
        instances,
        ..Config::default()
    };
    Bench::new(Execute::new(config).unwrap())
}

const ENOUGH: &str = "cpus:1;mem:1000";

#[test]
fn the_first_offer_that_fits_is_taken_and_the_rest_given_back() {
    let mut bench = bench(1);
    bench.subscribe();
    let actions = bench.offers(&[
        offer(1, "cpus:0.05;mem:1000"),
        offer(2, ENOUGH),
        offer(3, ENOUGH),
    ]);
    let tasks = launched(&actions);
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0].agent_id.as_str(), "S2");
    assert_eq!(tasks[0].resources, "cpus:0.1;mem:32".parse().unwrap());
    let unused = vec![offer(1, ENOUGH).id.clone(), offer(3, ENOUGH).id.clone()];
    let calls = calls(&actions);
    assert!(matches!(&calls[1], Call::Decline { offer_ids, .. } if *offer_ids == unused));
    assert_eq!(calls[2], suppress());
}

#[test]
fn the_launch_is_on_disk_before_it_leaves() {
    let mut bench = bench(1);
    bench.subscribe();
    let actions = bench.offers(&[offer(1, ENOUGH)]);
    let persisted = actions.iter().position(|a| matches!(a, Action::Persist(_)));
    let accepted = actions
        .iter()
        .position(|a| matches!(a, Action::Call(Call::Accept { .. })));
    assert!(persisted.unwrap() < accepted.unwrap());
    let again = bench.recover(self::bench(1).logic, &records(&actions));
    assert_eq!(again.logic.tasks(), bench.logic.tasks());
    assert_eq!(again.logic.launches(), 1);
}

#[test]
fn it_ends_with_the_tasks_exit_status() {
    for (state, message, code) in [
        (TaskState::Finished, "", 0),
        (TaskState::Failed, "Command exited with status 3", 3),
        (
            TaskState::Failed,
            "Command terminated with signal Killed",
            137,
        ),
        (TaskState::Failed, "Command terminated with signal 31", 159),
        (TaskState::Lost, "agent removed", 1),
    ] {
        let mut bench = bench(1);
        bench.subscribe();
        let id = launched(&bench.offers(&[offer(1, ENOUGH)]))[0]
            .task_id
            .clone();
        bench.update(&id, "S1", TaskState::Running);
        let mut last = (*status(&id, "S1", state)).clone();
        last.message = String::from(message);
        let status = Arc::new(last);
        let actions = bench.event(&Event::Update { status });
        let stops = actions.iter().any(
            |action| matches!(action, Action::Stop { teardown: true, exit } if exit.code == code),
        );
        assert!(stops, "{state} {message}: {actions:?}");
    }
}

#[test]
fn only_what_certainly_never_ran_is_launched_again() {
    let mut bench = bench(1);
    bench.subscribe();
    let first = launched(&bench.offers(&[offer(1, ENOUGH)]))[0]
        .task_id
        .clone();
    let actions = bench.update(&first, "S1", TaskState::Dropped);
    assert_eq!(calls(&actions), [revive()]);
    let second = launched(&bench.offers(&[offer(2, ENOUGH)]))[0]
        .task_id
        .clone();
    assert_ne!(first, second);
    // The first one's end is nobody's business any more.
    assert_eq!(bench.update(&first, "S1", TaskState::Gone), []);
    bench.update(&second, "S2", TaskState::Running);
    bench.update(&second, "S2", TaskState::Unreachable);
    let actions = bench.update(&second, "S2", TaskState::Gone);
    assert!(matches!(actions.last(), Some(Action::Stop { exit, .. }) if exit.code == 1));
}

#[test]
fn a_launch_that_is_always_dropped_is_given_up() {
    let mut bench = bench(1);
    bench.subscribe();
    for round in 1..=5 {
        let id = launched(&bench.offers(&[offer(1, ENOUGH)]))[0]
            .task_id
            .clone();
        let actions = bench.update(&id, "S1", TaskState::Dropped);
        let over = actions.iter().any(|a| matches!(a, Action::Stop { .. }));
        assert_eq!(over, round == 5);
    }
}

#[test]
fn several_instances_end_together_with_the_first_failure() {
    let mut bench = bench(3);
    bench.subscribe();
    let tasks = launched(&bench.offers(&[offer(1, "cpus:0.2;mem:64"), offer(2, ENOUGH)]));
    let agents: Vec<_> = tasks.iter().map(|task| task.agent_id.as_str()).collect();
    assert_eq!(agents, ["S1", "S1", "S2"]);
    bench.update(&tasks[0].task_id, "S1", TaskState::Finished);
    bench.update(&tasks[1].task_id, "S1", TaskState::Failed);
    assert_eq!(bench.logic.tasks().len(), 1);
    let actions = bench.update(&tasks[2].task_id, "S2", TaskState::Finished);
    assert!(matches!(actions.last(), Some(Action::Stop { exit, .. }) if exit.code == 1));
}

#[test]
fn a_dropped_accept_waits_for_the_next_offer() {
    let mut bench = bench(1);
    bench.subscribe();
    let id = launched(&bench.offers(&[offer(1, ENOUGH)]))[0]
        .task_id
        .clone();
    let actions = bench.event(&Event::LaunchDropped { task_ids: vec![id] });
    assert_eq!(calls(&actions), [revive()]);
    assert_eq!(launched(&bench.offers(&[offer(2, ENOUGH)])).len(), 1);
}

#[test]
fn bad_settings_are_named() {
    let config = Config {
        instances: 0,
        ..Config::default()
    };
    assert_eq!(Execute::new(config).unwrap_err().field, "instances");
}

//! Checks, health checks, and the time that a task may take.

use super::*;
use crate::model::Reason;

const SECOND: Duration = Duration::from_secs(1);

fn health(grace: Duration) -> Watch {
    Watch {
        health: Some(HealthPolicy {
            delay: SECOND,
            interval: SECOND,
            grace,
            failures_max: 2,
        }),
        ..Watch::default()
    }
}

fn unknown() -> Arc<[u8]> {
    Arc::from(*b"unknown")
}

fn check() -> Watch {
    let check = CheckPolicy {
        delay: SECOND,
        interval: SECOND,
        unknown: unknown(),
    };
    Watch {
        check: Some(check),
        ..Watch::default()
    }
}

/// A running task that is watched, and what it said first.
fn running(mode: Mode, watch: Watch) -> (Bench, Vec<Arc<TaskStatus>>) {
    let mut bench = Bench::subscribed(mode, true);
    bench.event(Event::Launch { task: task("t") });
    let task_id = TaskId::new("t").unwrap();
    assert_eq!(bench.input(Input::Watch { task_id, watch }), []);
    let said = updates(&bench.started("t"));
    (bench, said)
}

fn look(kind: CheckKind) -> Effect {
    let task_id = TaskId::new("t").unwrap();
    Effect::Check { task_id, kind }
}

/// Waits for a look, and says what came of it.
fn looked(bench: &mut Bench, kind: CheckKind, passed: bool, seen: &[u8]) -> Vec<Effect> {
    assert_eq!(bench.advance(SECOND), [look(kind)]);
    bench.input(Input::Checked {
        task_id: TaskId::new("t").unwrap(),
        kind,
        passed,
        seen: Arc::from(seen),
    })
}

fn is_well(bench: &mut Bench, passed: bool) -> Vec<Effect> {
    looked(bench, CheckKind::Health, passed, b"")
}

#[test]
fn a_task_that_is_not_well_for_too_long_is_killed() {
    let (mut bench, said) = running(Mode::Single, health(Duration::ZERO));
    assert_eq!(said[0].healthy, None, "nobody has looked yet");
    let told = |said: &[Effect]| {
        let statuses = updates(said);
        let seen = statuses.iter().map(|s| (s.state, s.healthy, s.reason));
        seen.collect::<Vec<_>>()
    };
    let changed = Some(Reason::TaskHealthCheckStatusUpdated);
    let well = (TaskState::Running, Some(true), changed);
    let unwell = (TaskState::Running, Some(false), changed);
    assert_eq!(told(&is_well(&mut bench, true)), [well]);
    assert_eq!(told(&is_well(&mut bench, true)), [], "that is no news");
    assert_eq!(told(&is_well(&mut bench, false)), [unwell]);
    assert_eq!(told(&is_well(&mut bench, true)), [well], "it starts over");
    assert_eq!(told(&is_well(&mut bench, false)), [unwell]);
    let said = is_well(&mut bench, false);
    let killing = (TaskState::Killing, None, None);
    assert_eq!(told(&said), [unwell, killing]);
    assert_eq!(said.last(), Some(&signal(false)));
    let ended = told(&bench.exited("t", Some(143)));
    assert_eq!(ended, [(TaskState::Killed, Some(false), None)]);
}

#[test]
fn failures_do_not_count_before_the_first_success_within_the_grace_period() {
    let (mut bench, _) = running(Mode::Single, health(SECOND * 3));
    for _ in 0..3 {
        assert_eq!(is_well(&mut bench, false), []);
    }
    assert_eq!(states(&is_well(&mut bench, false)), [TaskState::Running]);
    let killed = states(&is_well(&mut bench, false));
    assert_eq!(killed, [TaskState::Running, TaskState::Killing]);
    // After a success they count at once.
    let (mut bench, _) = running(Mode::Single, health(SECOND * 60));
    is_well(&mut bench, true);
    assert_eq!(states(&is_well(&mut bench, false)), [TaskState::Running]);
}

#[test]
fn what_a_check_sees_is_told_when_it_changes() {
    let (mut bench, said) = running(Mode::Single, check());
    assert_eq!(said[0].verbatim, unknown());
    let told = |said: &[Effect]| -> Vec<Arc<[u8]>> {
        let seen = updates(said).into_iter();
        seen.map(|status| Arc::clone(&status.verbatim)).collect()
    };
    let zero: Arc<[u8]> = Arc::from(*b"0");
    let said = looked(&mut bench, CheckKind::Check, true, b"0");
    assert_eq!(told(&said), [zero]);
    let reason = Some(Reason::TaskCheckStatusUpdated);
    assert_eq!(updates(&said)[0].reason, reason);
    assert_eq!(looked(&mut bench, CheckKind::Check, true, b"0"), []);
    let one: Arc<[u8]> = Arc::from(*b"1");
    let said = looked(&mut bench, CheckKind::Check, false, b"1");
    assert_eq!(told(&said), [one], "and nothing is killed");
    assert_eq!(told(&bench.exited("t", Some(0))), [unknown()]);
}

#[test]
fn a_task_that_takes_too_long_has_failed() {
    let watch = Watch {
        completion: Some(SECOND * 5),
        ..Watch::default()
    };
    let (mut bench, _) = running(Mode::Single, watch.clone());
    assert_eq!(bench.advance(SECOND * 4), []);
    let said = bench.advance(SECOND);
    let forced = said.iter().all(|effect| *effect == signal(true));
    assert!(forced && !said.is_empty(), "without a word: {said:?}");
    let ended = updates(&bench.exited("t", Some(137)));
    assert_eq!(ended[0].state, TaskState::Failed);
    assert_eq!(ended[0].reason, Some(Reason::MaxCompletionTimeReached));
    // One that ends in time, or is being killed already, is left alone.
    let (mut bench, _) = running(Mode::Single, watch);
    bench.kill("t", Some(SECOND * 60));
    assert_eq!(bench.advance(SECOND * 6), []);
    assert_eq!(states(&bench.exited("t", Some(0))), [TaskState::Killed]);
}

#[test]
fn a_task_that_ends_is_not_looked_at() {
    let (mut bench, _) = running(Mode::Single, health(Duration::ZERO));
    bench.kill("t", Some(SECOND * 60));
    assert_eq!(bench.advance(SECOND * 3), []);
    let late = Input::Checked {
        task_id: TaskId::new("t").unwrap(),
        kind: CheckKind::Health,
        passed: false,
        seen: Arc::from([]),
    };
    assert_eq!(bench.input(late), []);
}

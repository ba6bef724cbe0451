//! Updates, acknowledgements, calls and reconciliation.

use super::*;

fn reconcile(tasks: &[&str]) -> Call {
    let agent = Some(AgentId::new("S0").unwrap());
    Call::Reconcile {
        tasks: tasks
            .iter()
            .map(|task| (task_id(task), agent.clone()))
            .collect(),
    }
}

#[test]
fn an_update_is_acknowledged_after_what_it_caused_is_durable() {
    let (mut pair, peer) = Pair::up();
    let update = status("t", TaskState::Finished, Some(1));
    let record = wire::encode("ended");
    pair.node.logic.script = vec![Action::Persist(record.clone()), Action::Call(revive())];
    let effects = pair.update(peer, &update);
    let write = Write::Logic(Arc::from(record));
    let sequence = WriteSequence(2);
    assert_eq!(effects, [Effect::Persist { sequence, write }]);
    assert_eq!(pair.node_events().len(), 1);
    let calls = calls(&pair.persisted(2));
    assert_eq!(calls, [revive(), acknowledge(&update)]);
}

/// MESOS-107, MESOS-2078.
#[test]
fn an_update_during_which_the_logic_gave_up_is_never_acknowledged() {
    let (mut pair, peer) = Pair::up();
    let message = String::from("cannot go on");
    pair.node.logic.script = vec![
        Action::Abort {
            message: message.clone(),
        },
        Action::Call(revive()),
    ];
    let effects = pair.update(peer, &status("t", TaskState::Running, Some(1)));
    let exit = Effect::Exit(Exit::failure(message));
    assert_eq!(effects, [Effect::Close { peer }, exit]);
    assert_eq!(pair.persisted(1), []);
    assert_eq!(pair.node.driver().counters().acknowledgements, 0);
}

#[test]
fn an_update_that_comes_again_is_only_acknowledged_again() {
    let (mut pair, peer) = Pair::up();
    let update = status("t", TaskState::Running, Some(1));
    for _ in 0..3 {
        assert_eq!(calls(&pair.update(peer, &update)), [acknowledge(&update)]);
    }
    assert_eq!(pair.node_events().len(), 1);
    // Also through another master.
    pair.input(Input::Disconnected { peer });
    let (peer, _) = pair.connect();
    pair.subscribed(peer);
    pair.node_events();
    assert_eq!(calls(&pair.update(peer, &update)), [acknowledge(&update)]);
    assert_eq!(pair.node_events(), []);
    let counters = pair.node.driver().counters();
    assert_eq!((counters.updates_handled, counters.updates_again), (1, 3));
}

#[test]
fn what_the_master_makes_up_is_handed_over_and_not_acknowledged() {
    let (mut pair, peer) = Pair::up();
    let update = status("t", TaskState::Unreachable, None);
    for _ in 0..2 {
        assert_eq!(pair.update(peer, &update), []);
    }
    assert_eq!(pair.node_events().len(), 2);
}

#[test]
fn memory_of_tasks_that_are_over_is_bounded() {
    let config = Config {
        completed_tasks_max: 10,
        ..Config::default()
    };
    let mut pair = Pair::with(Probe::default(), vec![], config);
    let (peer, _) = pair.connect();
    pair.subscribed(peer);
    pair.persisted(1);
    for n in 0..100 {
        let task = alloc::format!("t{n}");
        pair.update(peer, &status(&task, TaskState::Finished, Some(n)));
    }
    pair.node_events();
    pair.update(peer, &status("t95", TaskState::Finished, Some(95)));
    assert_eq!(pair.node_events(), []);
    assert_eq!(pair.node.driver().updates.completed(), 10);
    // Nor are those remembered for ever that vanished with their agents.
    for n in 100..200 {
        let task = alloc::format!("t{n}");
        pair.update(peer, &status(&task, TaskState::Running, Some(n)));
        pair.update(peer, &status(&task, TaskState::Unreachable, None));
    }
    assert_eq!(pair.node.driver().updates.tasks(), 10);
}

#[test]
fn calls_without_a_subscription_are_dropped_and_launches_told() {
    let (mut pair, peer) = Pair::up();
    pair.node.logic.script = vec![Action::Call(accept("t")), Action::Call(revive())];
    // The logic acts on the very event that says it is over.
    let effects = pair.input(Input::Disconnected { peer });
    assert_eq!(calls(&effects), []);
    let task_ids = vec![task_id("t")];
    let dropped = Event::LaunchDropped { task_ids };
    assert_eq!(pair.node_events(), [Event::Disconnected, dropped]);
    assert_eq!(pair.node.driver().counters().calls_dropped, 2);
}

#[test]
fn a_call_that_waited_for_the_disk_too_long_does_not_go_to_the_next_master() {
    let (mut pair, peer) = Pair::up();
    pair.node.logic.script = vec![
        Action::Persist(wire::encode("launched")),
        Action::Call(accept("t")),
    ];
    assert_eq!(pair.event(peer, FromMaster::Offers(vec![])).len(), 1);
    pair.input(Input::Disconnected { peer });
    let (peer, _) = pair.connect();
    pair.subscribed(peer);
    pair.node_events();
    let calls = calls(&pair.persisted(2));
    assert_eq!(calls, [reconcile(&[])]);
    let task_ids = vec![task_id("t")];
    assert_eq!(pair.node_events(), [Event::LaunchDropped { task_ids }]);
}

#[test]
fn too_many_calls_do_not_pile_up_behind_a_slow_disk() {
    let config = Config {
        calls_parked_max: 16,
        ..Config::default()
    };
    let mut pair = Pair::with(Probe::default(), vec![], config);
    let (peer, _) = pair.connect();
    pair.subscribed(peer);
    for _ in 0..100 {
        pair.node.logic.script = vec![Action::Call(revive())];
        pair.event(peer, FromMaster::Offers(vec![]));
    }
    assert_eq!(calls(&pair.persisted(1)).len(), 16);
    assert_eq!(pair.node.driver().counters().calls_dropped, 85);
}

#[test]
fn every_task_is_asked_about_until_the_master_answers() {
    let mut pair = Pair::new();
    pair.node.logic.tasks = ["a", "b", "c"].map(task_id).to_vec();
    let (peer, _) = pair.connect();
    pair.subscribed(peer);
    // First for everything, then for what is open by name, ever less often.
    assert_eq!(calls(&pair.persisted(1)), [reconcile(&[])]);
    pair.update(peer, &status("b", TaskState::Running, None));
    assert_eq!(calls(&pair.pass(Duration::from_millis(999))), []);
    assert_eq!(
        calls(&pair.pass(Duration::from_millis(1))),
        [reconcile(&["a", "c"])]
    );
    assert_eq!(calls(&pair.pass(Duration::from_millis(1_999))), []);
    assert_eq!(
        calls(&pair.pass(Duration::from_millis(1))),
        [reconcile(&["a", "c"])]
    );
    pair.update(peer, &status("a", TaskState::Unknown, None));
    assert_eq!(
        calls(&pair.pass(Duration::from_secs(4))),
        [reconcile(&["c"])]
    );
    assert!(!pair.node_events().contains(&Event::Reconciled));
    assert_eq!(pair.node.driver().unreconciled(), 1);
    pair.update(peer, &status("c", TaskState::Lost, None));
    assert_eq!(pair.node_events().last(), Some(&Event::Reconciled));
    pair.event(peer, FromMaster::Heartbeat);
    assert_eq!(calls(&pair.pass(Duration::from_secs(30))), [reconcile(&[])]);
}

#[test]
fn questions_about_many_tasks_go_in_portions() {
    let config = Config {
        reconcile_tasks_max: 2,
        ..Config::default()
    };
    let logic = Probe {
        tasks: ["a", "b", "c"].map(task_id).to_vec(),
        ..Probe::default()
    };
    let mut pair = Pair::with(logic, vec![], config);
    let (peer, _) = pair.connect();
    pair.subscribed(peer);
    pair.persisted(1);
    let calls = calls(&pair.pass(Duration::from_secs(1)));
    assert_eq!(calls, [reconcile(&["a", "b"]), reconcile(&["c"])]);
}

#[test]
fn a_long_log_is_replaced_by_a_snapshot() {
    let config = Config {
        snapshot_after_writes: 16,
        ..Config::default()
    };
    let mut pair = Pair::with(Probe::default(), vec![], config);
    let (peer, _) = pair.connect();
    pair.subscribed(peer);
    let mut snapshots = Vec::new();
    for n in 0..32 {
        pair.node.logic.script = vec![Action::Persist(wire::encode("x"))];
        for effect in pair.event(peer, FromMaster::Offers(vec![])) {
            if let Effect::Persist { write, .. } = effect
                && write.supersedes_all_before()
            {
                snapshots.push((n, write));
            }
        }
    }
    let write = Write::Snapshot {
        framework_id: Some(framework_id("F0")),
        logic: Arc::from(wire::encode("snapshot")),
    };
    assert_eq!(snapshots, [(15, write.clone()), (31, write)]);
}

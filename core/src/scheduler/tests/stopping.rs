//! How it ends.

use super::*;

#[test]
fn failed_over_is_the_end() {
    let (mut pair, peer) = Pair::up();
    let message = String::from("Framework failed over");
    let effects = pair.event(peer, FromMaster::Error { message });
    let [Effect::Close { .. }, Effect::Exit(exit)] = &effects[..] else {
        panic!("{effects:?}");
    };
    assert_eq!(exit.code, 1);
    assert!(exit.message.contains("failed over"));
    for input in [
        Input::Tick,
        Input::Disconnected { peer },
        Input::Stop { teardown: true },
    ] {
        assert_eq!(pair.input(input), []);
    }
}

#[test]
fn the_last_update_is_acknowledged_before_the_teardown_and_the_end_after_its_answer() {
    let (mut pair, peer) = Pair::up();
    let update = status("t", TaskState::Finished, Some(1));
    let exit = Exit {
        code: 3,
        message: String::new(),
    };
    pair.node.logic.script = vec![Action::Stop {
        teardown: true,
        exit: exit.clone(),
    }];
    let effects = pair.update(peer, &update);
    assert_eq!(calls(&effects), [acknowledge(&update), Call::Teardown]);
    let effects = pair.reply(peer, call_id(&effects), Ok(()));
    assert_eq!(effects, [Effect::Close { peer }, Effect::Exit(exit)]);
}

#[test]
fn a_teardown_is_repeated_at_the_next_master() {
    let (mut pair, peer) = Pair::up();
    assert_eq!(
        calls(&pair.input(Input::Stop { teardown: true })),
        [Call::Teardown]
    );
    pair.input(Input::Disconnected { peer });
    let (peer, _) = pair.connect();
    let effects = pair.subscribed(peer);
    assert_eq!(calls(&effects), [Call::Teardown]);
    // Nothing more is handed to the logic, nor acknowledged.
    assert_eq!(
        pair.update(peer, &status("t", TaskState::Running, Some(1))),
        []
    );
    assert_eq!(pair.node_events(), []);
    // The first one had arrived after all.
    let message = String::from("Framework has been removed");
    let effects = pair.event(peer, FromMaster::Error { message });
    assert_eq!(effects.last(), Some(&Effect::Exit(Exit::SUCCESS)));
}

#[test]
fn a_teardown_that_nobody_answers_ends_in_time() {
    let (mut pair, peer) = Pair::up();
    pair.input(Input::Stop { teardown: true });
    pair.input(Input::Disconnected { peer });
    let effects = pair.pass(Duration::from_secs(11));
    assert_eq!(effects.last(), Some(&Effect::Exit(Exit::SUCCESS)));
    assert_eq!(pair.node.deadline(), None);
}

#[test]
fn a_stop_without_teardown_leaves_the_tasks_and_flushes_what_was_decided() {
    let (mut pair, peer) = Pair::up();
    let update = status("t", TaskState::Running, Some(1));
    pair.node.logic.script = vec![Action::Persist(wire::encode("x"))];
    pair.update(peer, &update);
    assert_eq!(pair.input(Input::Stop { teardown: false }), []);
    let effects = pair.persisted(2);
    assert_eq!(calls(&effects), [acknowledge(&update)]);
    assert_eq!(effects.last(), Some(&Effect::Exit(Exit::SUCCESS)));
}

#[test]
fn before_the_first_subscription_there_is_nothing_to_tear_down() {
    let mut pair = Pair::new();
    let effects = pair.input(Input::Stop { teardown: true });
    assert_eq!(effects, [Effect::Exit(Exit::SUCCESS)]);
}

#[test]
fn a_request_that_the_logic_does_not_take_is_refused() {
    let (mut pair, _) = Pair::up();
    let mut fx = Outbox::new(10);
    let body = Arc::from([1, 2, 3]);
    pair.node.handle(pair.now, Input::Request { body }, &mut fx);
    let notices: Vec<_> = fx.drain().collect();
    assert!(matches!(
        &notices[..],
        [Effect::Notice(Notice::RequestRefused { .. })]
    ));
}

#[test]
fn notices_read_as_sentences() {
    let notice = Notice::Task {
        task_id: task_id("web.3.17"),
        state: TaskState::Running,
        reason: None,
        agent_id: Some(AgentId::new("S1").unwrap()),
        message: String::from("ok"),
    };
    assert_eq!(notice.to_string(), "web.3.17 TASK_RUNNING on S1: ok");
    let notice = Notice::Disconnected {
        why: LinkEnd::Silent,
        retry_in: Duration::from_millis(20),
    };
    assert_eq!(notice.to_string(), "no heartbeat, trying again in 20ms");
}

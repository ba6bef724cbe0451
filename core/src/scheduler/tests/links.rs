//! The way to the leader.

use super::*;

fn subscription(effects: &[Effect]) -> (Option<FrameworkId>, FrameworkInfo, Vec<Role>) {
    let [Effect::ToMaster { message, .. }] = effects else {
        panic!("{effects:?}");
    };
    let Call::Subscribe {
        framework,
        suppressed_roles,
    } = &message.call
    else {
        panic!("{effects:?}");
    };
    let id = message.framework_id.clone();
    (id, (**framework).clone(), suppressed_roles.clone())
}

fn connects(effects: &[Effect]) -> Vec<&str> {
    let connects = effects.iter().filter_map(|effect| match effect {
        Effect::Connect { address, .. } => Some(address.as_str()),
        _ => None,
    });
    connects.collect()
}

/// Chronos 520.
#[test]
fn nothing_is_done_before_the_id_is_durable() {
    let mut pair = Pair::new();
    let (peer, effects) = pair.connect();
    assert_eq!(subscription(&effects), (None, info(), vec![]));
    pair.node.logic.script = vec![Action::Call(revive())];
    let effects = pair.subscribed(peer);
    let write = Write::Framework(framework_id("F0"));
    let sequence = WriteSequence(1);
    assert_eq!(effects, [Effect::Persist { sequence, write }]);
    let update = status("t", TaskState::Running, Some(1));
    assert_eq!(pair.update(peer, &update), []);
    let all = Call::Reconcile { tasks: vec![] };
    let then = calls(&pair.persisted(1));
    assert_eq!(then, [revive(), all, acknowledge(&update)]);
}

#[test]
fn it_comes_back_with_its_id_at_once_after_a_broken_connection() {
    let (mut pair, peer) = Pair::up();
    let effects = pair.input(Input::Disconnected { peer });
    assert_eq!(effects, [Effect::Close { peer }]);
    assert_eq!(pair.node_events(), [Event::Disconnected]);
    let due = pair.node.deadline().unwrap().since(pair.now.mono);
    assert!(due <= Config::default().reconnect_jitter);
    let (next, effects) = pair.connect();
    assert_ne!(next, peer);
    let (id, framework, _) = subscription(&effects);
    assert_eq!((&id, &framework.id), (&Some(framework_id("F0")), &id));
    // The id is known: nothing is written again, nothing waits.
    pair.node.logic.script = vec![Action::Call(revive())];
    assert_eq!(calls(&pair.subscribed(next))[0], revive());
}

#[test]
fn a_restarted_scheduler_subscribes_with_its_id() {
    let id = framework_id("F7");
    let record = wire::encode("a");
    for writes in [
        vec![
            Write::Framework(id.clone()),
            Write::Logic(Arc::from(record.clone())),
        ],
        vec![
            Write::Framework(framework_id("F0")),
            Write::Snapshot {
                framework_id: Some(id.clone()),
                logic: Arc::from(wire::encode("snapshot")),
            },
            Write::Logic(Arc::from(record.clone())),
        ],
    ] {
        let mut pair = Pair::with(Probe::default(), writes, Config::default());
        assert_eq!(pair.node.logic().replayed, core::slice::from_ref(&record));
        let (_, effects) = pair.connect();
        assert_eq!(subscription(&effects).0, Some(id.clone()));
    }
}

#[test]
fn a_record_that_cannot_be_read_is_named() {
    let writes = vec![
        Write::Framework(framework_id("F7")),
        Write::Logic(Arc::from([9, 9, 9])),
    ];
    let rng = Rng::from_seed(1, "framework");
    let error = FrameworkNode::recover(
        Config::default(),
        info(),
        Probe::default(),
        &rng,
        vec![String::from("m0:1")],
        Now::default(),
        writes,
    );
    let error = error.err().unwrap();
    assert_eq!(error.index, 1);
    assert!(error.to_string().contains("record 1"), "{error}");
}

#[test]
fn a_redirect_is_followed_at_once() {
    let mut pair = Pair::new();
    let (peer, effects) = pair.connect();
    let leader = Some(MasterInfo {
        id: MasterId(9),
        address: String::from("leader:1"),
    });
    let reject = Reject::NotLeading { leader };
    let effects = pair.reply(peer, call_id(&effects), Err(reject));
    assert_eq!(effects, [Effect::Close { peer }]);
    assert_eq!(connects(&pair.tick()), ["leader:1"]);
}

#[test]
fn while_nobody_leads_it_asks_again_soon_and_then_less_often() {
    let mut pair = Pair::new();
    let mut waits = Vec::new();
    for _ in 0..40 {
        let (peer, effects) = pair.connect();
        let reject = Reject::NotLeading { leader: None };
        pair.reply(peer, call_id(&effects), Err(reject));
        waits.push(pair.node.deadline().unwrap().since(pair.now.mono));
    }
    let config = Config::default();
    assert!(
        waits[..3]
            .iter()
            .all(|wait| *wait <= config.detection_backoff_factor)
    );
    let last = waits.last().unwrap();
    assert!(*last <= config.detection_backoff_max && *last >= config.detection_backoff_max / 4);
}

/// MESOS-659: the reply is lost, the driver asks again, and the master tells the first
/// connection that the framework failed over.
#[test]
fn an_unanswered_subscription_is_repeated_and_the_old_connection_ignored() {
    let mut pair = Pair::new();
    let (first, _) = pair.connect();
    let effects = pair.pass(Duration::from_secs(3));
    assert!(effects.contains(&Effect::Close { peer: first }));
    let mut connects = effects.iter().filter_map(|effect| match effect {
        Effect::Connect { peer, .. } => Some(*peer),
        _ => None,
    });
    let second = connects.next_back().unwrap();
    pair.input(Input::Connected { peer: second });
    let message = String::from("Framework failed over");
    assert_eq!(pair.event(first, FromMaster::Error { message }), []);
    assert_eq!(pair.input(Input::Disconnected { peer: first }), []);
    assert_eq!(pair.subscribed(first), []);
    assert_eq!(pair.subscribed(second).len(), 1);
    assert!(pair.node.driver().is_subscribed());
}

#[test]
fn patience_with_a_slow_leader_doubles_to_its_cap() {
    let mut pair = Pair::new();
    let mut longest = Duration::ZERO;
    for _ in 0..12 {
        pair.connect();
        let patience = pair.node.deadline().unwrap().since(pair.now.mono);
        longest = longest.max(patience);
        pair.now.mono = pair.node.deadline().unwrap();
    }
    let cap = Config::default().registration_backoff_max;
    assert!(longest <= cap && longest >= cap / 2);
}

#[test]
fn a_silent_connection_is_given_up_after_some_heartbeats() {
    let (mut pair, peer) = Pair::up();
    pair.pass(Duration::from_secs(44));
    pair.event(peer, FromMaster::Heartbeat);
    assert_eq!(connects(&pair.pass(Duration::from_secs(44))).len(), 0);
    assert!(pair.node.driver().is_subscribed());
    let effects = pair.pass(Duration::from_secs(2));
    assert_eq!(effects[0], Effect::Close { peer });
    assert!(!connects(&effects).is_empty());
    assert_eq!(pair.node_events(), [Event::Disconnected]);
}

#[test]
fn a_connection_that_does_not_open_is_given_up() {
    let mut pair = Pair::new();
    let effects = pair.pass(Duration::from_secs(10));
    let tried: alloc::collections::BTreeSet<_> = connects(&effects).into_iter().collect();
    assert_eq!(tried.len(), 3);
}

/// MESOS-8641.
#[test]
fn what_comes_before_subscribed_is_ignored() {
    let mut pair = Pair::new();
    let (peer, _) = pair.connect();
    pair.event(peer, FromMaster::Heartbeat);
    pair.event(peer, FromMaster::Offers(vec![]));
    pair.update(peer, &status("t", TaskState::Running, Some(1)));
    assert_eq!(pair.node_events(), []);
}

#[test]
fn a_refusal_for_good_ends_it_and_one_for_now_does_not() {
    let mut pair = Pair::new();
    let (peer, effects) = pair.connect();
    let busy = Reject::Busy(String::from("too many"));
    pair.reply(peer, call_id(&effects), Err(busy));
    let (peer, effects) = pair.connect();
    let forbidden = Reject::Forbidden(String::from("not you"));
    let effects = pair.reply(peer, call_id(&effects), Err(forbidden));
    let Some(Effect::Exit(exit)) = effects.last() else {
        panic!("{effects:?}");
    };
    assert_eq!(exit.code, 1);
    assert!(exit.message.contains("not you"));
    assert_eq!(pair.node.deadline(), None);
    assert_eq!(pair.tick(), []);
}

#[test]
fn a_master_that_gives_another_id_is_not_believed() {
    let writes = vec![Write::Framework(framework_id("F7"))];
    let mut pair = Pair::with(Probe::default(), writes, Config::default());
    let (peer, _) = pair.connect();
    let effects = pair.subscribed(peer);
    assert!(matches!(effects.last(), Some(Effect::Exit(exit)) if exit.code == 1));
    assert_eq!(pair.node_events(), []);
}

#[test]
fn a_master_that_forgot_the_subscription_is_asked_anew() {
    let (mut pair, peer) = Pair::up();
    let reject = Reject::NotSubscribed(String::from("who?"));
    let effects = pair.reply(peer, CallId(99), Err(reject));
    assert_eq!(effects, [Effect::Close { peer }]);
    assert!(!pair.node.driver().is_subscribed());
}

#[test]
fn suppressed_roles_go_with_the_next_subscription() {
    let (mut pair, peer) = Pair::up();
    pair.node.logic.script = vec![Action::Call(Call::Suppress { roles: vec![] })];
    pair.event(peer, FromMaster::Offers(vec![]));
    pair.input(Input::Disconnected { peer });
    let (peer, effects) = pair.connect();
    assert_eq!(subscription(&effects).2, info().roles);
    // Without a subscription a call is dropped, but what it meant is not.
    pair.node.logic.script = vec![Action::Call(revive())];
    pair.input(Input::Disconnected { peer });
    let (peer, _) = pair.connect();
    pair.subscribed(peer);
    pair.input(Input::Disconnected { peer });
    let (_, effects) = pair.connect();
    assert_eq!(subscription(&effects).2, vec![]);
}

#[test]
fn bad_settings_are_named() {
    let field = |change: fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        config.validate().unwrap_err().field
    };
    assert_eq!(Config::default().validate(), Ok(()));
    assert_eq!(
        field(|c| c.connect_timeout = Duration::ZERO),
        "connect_timeout"
    );
    assert_eq!(
        field(|c| c.heartbeats_missed_max = 0),
        "heartbeats_missed_max"
    );
    let factor = |c: &mut Config| c.detection_backoff_max = Duration::from_nanos(1);
    assert_eq!(field(factor), "detection_backoff_max");
    let reconcile = |c: &mut Config| c.reconcile_backoff_max = Duration::ZERO;
    assert_eq!(field(reconcile), "reconcile_backoff_max");
}

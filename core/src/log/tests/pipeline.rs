use super::*;
use crate::log::pipeline::{Pipeline, Proposal};
use core::time::Duration;

fn at(ms: u64) -> Time {
    Time::ZERO + Duration::from_millis(ms)
}

fn push(pipeline: &mut Pipeline, tokens: core::ops::Range<u64>) {
    for token in tokens {
        pipeline.push(Proposal {
            token: Some(token),
            action: value("v"),
        });
    }
}

#[test]
fn what_waits_for_the_window_goes_together() {
    let mut config = config(3);
    config.window_messages = 2;
    config.batch_actions_max = 3;
    let mut pipeline = Pipeline::new(Position(10));
    push(&mut pipeline, 0..1);
    assert_eq!(pipeline.issue(at(0), &config).unwrap().actions.len(), 1);
    push(&mut pipeline, 1..6);
    let batch = pipeline.issue(at(0), &config).unwrap();
    assert_eq!((batch.first, batch.last()), (Position(11), Position(13)));
    assert!(
        pipeline.issue(at(0), &config).is_none(),
        "the window is full"
    );
    assert_eq!(
        (pipeline.in_flight_count(), pipeline.queued_count()),
        (2, 2)
    );
    assert_eq!(pipeline.proposed_through(), Position(13));
    let (unknown, queued) = pipeline.abandon();
    assert_eq!(
        (unknown, queued),
        (alloc::vec![0, 1, 2, 3], alloc::vec![4, 5])
    );
}

#[test]
fn a_large_value_goes_alone_and_bytes_bound_a_batch() {
    let mut config = config(3);
    config.batch_bytes_max = 100;
    let mut pipeline = Pipeline::new(Position(1));
    for length in [500, 40, 20, 40] {
        let action = Action::Append(Arc::from(alloc::vec![0; length]));
        pipeline.push(Proposal {
            token: None,
            action,
        });
    }
    let mut sizes = Vec::new();
    while let Some(batch) = pipeline.issue(at(0), &config) {
        sizes.push(batch.actions.len());
    }
    assert_eq!(sizes, [1, 2, 1]);
}

#[test]
fn batches_are_chosen_in_order_by_different_masters() {
    let config = config(5);
    let masters = membership(5);
    let mut pipeline = Pipeline::new(Position(1));
    for token in 0..2 {
        push(&mut pipeline, token..token + 1);
        assert!(pipeline.issue(at(0), &config).is_some());
    }
    for _ in 0..5 {
        assert!(pipeline.on_accepted(&masters, PEER, Position(1), 1));
    }
    assert!(
        pipeline.pop_chosen(&masters).is_none(),
        "one master is no quorum"
    );
    for id in [1, 2, 3] {
        assert!(pipeline.on_accepted(&masters, MasterId(id), Position(2), 1));
    }
    assert!(
        pipeline.pop_chosen(&masters).is_none(),
        "the first comes first"
    );
    assert!(
        !pipeline.on_accepted(&masters, ME, Position(1), 2),
        "not what was sent"
    );
    pipeline.on_accepted(&masters, ME, Position(1), 1);
    pipeline.on_accepted(&masters, OTHER, Position(1), 1);
    let chosen: Vec<_> = core::iter::from_fn(|| pipeline.pop_chosen(&masters)).collect();
    let firsts: Vec<_> = chosen.iter().map(|batch| batch.first.0).collect();
    assert_eq!(firsts, [1, 2]);
    assert_eq!(chosen[1].tokens, [(0, 1)]);
    assert!(pipeline.is_idle());
    assert!(
        !pipeline.on_accepted(&masters, OTHER, Position(1), 1),
        "a late answer"
    );
}

#[test]
fn what_is_not_answered_is_sent_again_ever_more_rarely() {
    let config = config(3);
    let mut pipeline = Pipeline::new(Position(1));
    push(&mut pipeline, 0..1);
    assert!(pipeline.issue(at(0), &config).is_some());
    let mut sent = Vec::new();
    for _ in 0..6 {
        let due = pipeline.resend_at().unwrap();
        assert_eq!(pipeline.due(due, &config).count(), 1);
        assert_eq!(pipeline.due(due, &config).count(), 0);
        sent.push(due.as_nanos() / 1_000_000);
    }
    assert_eq!(sent, [100, 300, 700, 1500, 2500, 3500]);
    assert_eq!(pipeline.oldest_issued(), Some(at(0)));
}

//! A leader wants the agent to be empty.

use super::bench::*;
use crate::message::agent::ToAgent;
use crate::message::executor::Event;
use crate::model::DrainConfig;
use core::time::Duration;

fn drain(max_seconds: Option<u64>) -> ToAgent {
    let config = DrainConfig {
        max_grace_period: max_seconds.map(Duration::from_secs),
        mark_gone: false,
    };
    ToAgent::Drain { config }
}

fn kill(grace_seconds: Option<u64>) -> Event {
    Event::Kill {
        task_id: task_id("t"),
        grace: grace_seconds.map(Duration::from_secs),
    }
}

#[test]
fn every_task_is_killed_in_no_more_than_the_time_that_is_allowed() {
    let (mut bench, peer) = Bench::registered();
    let (_, container) = bench.running(peer, "t");
    let said = bench.master(peer, drain(Some(2)));
    assert_eq!(events(&said), [kill(Some(2))]);
    assert!(bench.node.drain().is_some());
    assert_eq!(
        events(&bench.master(peer, drain(Some(2)))),
        [],
        "said again"
    );
    let said = bench.advance(Duration::from_secs(8));
    assert_eq!(destroyed(&said), [container]);
}

#[test]
fn a_task_that_takes_its_time_to_end_is_hastened() {
    let (mut bench, peer) = Bench::registered();
    let (_, container) = bench.running(peer, "t");
    let patient = ToAgent::Kill {
        framework_id: framework_id(),
        task_id: task_id("t"),
        grace: Some(Duration::from_secs(3600)),
    };
    assert_eq!(events(&bench.master(peer, patient)), [kill(Some(3600))]);
    assert_eq!(
        events(&bench.master(peer, drain(None))),
        [],
        "at its leisure"
    );
    let said = bench.master(peer, drain(Some(2)));
    assert_eq!(events(&said), [kill(Some(2))]);
    let said = bench.advance(Duration::from_secs(8));
    assert_eq!(destroyed(&said), [container], "its executor hung");
}

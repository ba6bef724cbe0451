use super::bench::*;
use crate::agent::{Config, ConfigError, Effect, Input, LostMaster, Notice, Probe};
use crate::ids::{MasterId, Peer};
use crate::message::agent::{AgentRun, ToAgent, ToMaster};
use crate::model::MasterInfo;
use alloc::string::String;
use alloc::vec;
use core::time::Duration;

fn nonce_of(said: &[Effect]) -> u64 {
    match said {
        [
            Effect::ToMaster {
                message: ToMaster::Register { nonce, .. },
                ..
            },
        ] => *nonce,
        other => panic!("{other:?}"),
    }
}

fn breaks(bench: &mut Bench, peer: Peer) {
    bench.input(Input::Disconnected { peer });
}

#[test]
fn a_new_agent_registers_with_the_same_nonce_until_it_is_admitted() {
    let mut bench = Bench::new();
    bench.input(Input::Tick);
    let (peer, said) = bench.connect();
    let nonce = nonce_of(&said);
    breaks(&mut bench, peer);
    let (_, said) = bench.connect();
    assert_eq!(nonce_of(&said), nonce);
    // A restart before the admission is known does not make it another agent.
    let mut bench = bench.restarted(&[]);
    bench.input(Input::Tick);
    let (_, said) = bench.connect();
    assert_eq!(nonce_of(&said), nonce);
}

#[test]
fn an_admitted_agent_comes_back_with_its_id_and_a_later_run() {
    let (bench, _) = Bench::registered();
    assert_eq!(bench.node.agent_id(), Some(&agent_id()));
    let mut bench = bench.restarted(&[]);
    bench.input(Input::Tick);
    let (_, said) = bench.connect();
    let [
        Effect::ToMaster {
            message: ToMaster::Reregister(sent),
            ..
        },
    ] = &said[..]
    else {
        panic!("{said:?}");
    };
    assert_eq!(sent.run, AgentRun(2));
    assert_eq!(sent.info.id, Some(agent_id()));
}

#[test]
fn a_leader_of_a_lower_ballot_is_never_obeyed_again() {
    let (mut bench, peer) = Bench::registered();
    breaks(&mut bench, peer);
    let (old, _) = bench.connect();
    let said = bench.master(old, reregistered(4, vec![]));
    assert_eq!(said, [Effect::Close { peer: old }]);
    assert_eq!(bench.node.registered_with(), None);
    // Not even after a restart.
    let mut bench = bench.restarted(&[]);
    bench.input(Input::Tick);
    let (old, _) = bench.connect();
    bench.master(old, reregistered(4, vec![]));
    assert_eq!(bench.node.registered_with(), None);
    bench.register(6);
    assert_eq!(bench.node.registered_with(), Some(ballot(6)));
}

#[test]
fn only_the_connection_of_the_registration_is_obeyed() {
    let (mut bench, peer) = Bench::registered();
    let other = Peer::Outbound(99);
    assert_eq!(bench.run(other, &[command_task("t")]), []);
    assert_eq!(bench.state("t"), None);
    assert!(bench.has_probe(Probe::NotObeyed));
    breaks(&mut bench, peer);
    assert_eq!(bench.run(peer, &[command_task("t")]), []);
    let (asked, _) = bench.connect();
    assert_eq!(bench.run(asked, &[command_task("t")]), []);
    assert_eq!(bench.state("t"), None);
}

#[test]
fn a_redirect_is_followed_at_once_and_the_old_connection_closed() {
    let mut bench = Bench::new();
    bench.input(Input::Tick);
    let (peer, _) = bench.connect();
    let leader = Some(MasterInfo {
        id: MasterId(2),
        address: String::from("other:5050"),
    });
    let said = bench.master(peer, ToAgent::NotLeading { leader });
    assert_eq!(said, [Effect::Close { peer }]);
    let (said, waited) = bench.until_connect();
    assert_eq!(waited, Duration::ZERO);
    let next = Peer::Outbound(2);
    let address = String::from("other:5050");
    let expected = Effect::Connect {
        peer: next,
        address,
    };
    assert_eq!(said, [expected]);
}

#[test]
fn one_that_knows_no_leader_may_still_name_one() {
    let mut bench = Bench::new();
    bench.input(Input::Tick);
    let (peer, _) = bench.connect();
    let said = bench.master(peer, ToAgent::NotLeading { leader: None });
    assert_eq!(said, []);
    let leader = Some(MasterInfo {
        id: MasterId(2),
        address: String::from("other:5050"),
    });
    bench.master(peer, ToAgent::NotLeading { leader });
    let (_, waited) = bench.until_connect();
    assert_eq!(waited, Duration::ZERO);
}

#[test]
fn after_a_broken_connection_the_next_attempt_is_quick() {
    let (mut bench, peer) = Bench::registered();
    breaks(&mut bench, peer);
    let lost = Notice::LostMaster(LostMaster::Disconnected);
    assert!(bench.notices.contains(&lost));
    let (_, waited) = bench.until_connect();
    assert!(waited <= Config::default().reconnect_jitter);
}

#[test]
fn a_silent_master_is_left() {
    let (mut bench, peer) = Bench::registered();
    let ping = ToAgent::Ping { registered: true };
    let message = ToMaster::Pong;
    bench.advance(Duration::from_secs(74));
    let said = bench.master(peer, ping);
    assert_eq!(said, [Effect::ToMaster { peer, message }]);
    assert_eq!(bench.advance(Duration::from_secs(74)), []);
    let said = bench.advance(Duration::from_millis(1500));
    assert_eq!(said[0], Effect::Close { peer });
    assert!(matches!(said[1], Effect::Connect { .. }));
    let lost = Notice::LostMaster(LostMaster::Silent);
    assert!(bench.notices.contains(&lost));
}

#[test]
fn a_ping_that_says_not_registered_makes_it_register_again() {
    let (mut bench, peer) = Bench::registered();
    let said = bench.master(peer, ToAgent::Ping { registered: false });
    assert!(matches!(
        &said[..],
        [
            Effect::ToMaster {
                message: ToMaster::Pong,
                ..
            },
            Effect::ToMaster {
                message: ToMaster::Reregister(_),
                ..
            }
        ]
    ));
    assert_eq!(bench.node.registered_with(), None);
    bench.master(peer, reregistered(5, vec![]));
    assert_eq!(bench.node.registered_with(), Some(ballot(5)));
}

#[test]
fn a_leader_change_during_a_wait_leaves_one_attempt() {
    let (mut bench, peer) = Bench::registered();
    breaks(&mut bench, peer);
    breaks(&mut bench, peer);
    let (second, _) = bench.connect();
    bench.master(second, ToAgent::NotLeading { leader: None });
    breaks(&mut bench, second);
    breaks(&mut bench, second);
    let (mut open, mut attempts) = (0, 0);
    for effect in bench.advance(Duration::from_secs(30)) {
        match effect {
            Effect::Connect { .. } => {
                open += 1;
                attempts += 1;
            }
            Effect::Close { .. } => open -= 1,
            other => panic!("{other:?}"),
        }
        assert!(open <= 1, "two attempts race");
    }
    assert!(attempts > 1);
}

#[test]
fn a_master_that_does_not_answer_is_left_later_and_later() {
    let mut bench = Bench::new();
    bench.input(Input::Tick);
    let mut waits = vec![];
    for _ in 0..6 {
        bench.connect();
        let (said, waited) = bench.until_connect();
        assert!(matches!(said[0], Effect::Close { .. }));
        let peer = match said.last() {
            Some(Effect::Connect { peer, .. }) => *peer,
            other => panic!("{other:?}"),
        };
        breaks(&mut bench, peer);
        waits.push(waited);
    }
    assert!(waits[5] > waits[0] * 4, "{waits:?}");
    assert!(waits[5] <= Duration::from_secs(121), "{waits:?}");
}

#[test]
fn an_agent_is_not_renamed() {
    let (mut bench, peer) = Bench::registered();
    bench.master(peer, ToAgent::Ping { registered: false });
    let other = ToAgent::Registered {
        agent_id: crate::ids::AgentId::new("S2").unwrap(),
        ballot: ballot(7),
        ping_timeout: PING_TIMEOUT,
    };
    bench.master(peer, other);
    assert_eq!(bench.node.agent_id(), Some(&agent_id()));
    assert_eq!(bench.node.registered_with(), None);
}

#[test]
fn a_shutdown_ends_everything_and_the_next_run_is_a_new_agent() {
    let (mut bench, peer) = Bench::registered();
    let (_, container) = bench.running(peer, "t");
    let message = String::from("gone");
    let said = bench.master(peer, ToAgent::Shutdown { message });
    assert!(said.contains(&Effect::Close { peer }));
    assert_eq!(events(&said).len(), 1);
    let said = bench.advance(Duration::from_secs(5));
    assert_eq!(destroyed(&said), core::slice::from_ref(&container));
    let said = bench.exited(&container, Some(137));
    assert_eq!(said.last(), Some(&Effect::Exit));
    assert_eq!(bench.advance(Duration::from_secs(3600)), []);
    let mut bench = bench.restarted(&[]);
    bench.input(Input::Tick);
    let (_, said) = bench.connect();
    nonce_of(&said);
}

#[test]
fn an_operators_shutdown_tells_the_master() {
    let (mut bench, peer) = Bench::registered();
    let (_, container) = bench.running(peer, "t");
    bench.input(Input::Shutdown);
    assert_eq!(bench.run(peer, &[command_task("u")]), []);
    let said = bench.exited(&container, Some(143));
    let message = ToMaster::Unregister;
    let tail = [
        Effect::ToMaster { peer, message },
        Effect::Close { peer },
        Effect::Exit,
    ];
    assert_eq!(said[said.len() - 3..], tail);
}

#[test]
fn an_agent_that_ends_is_not_taken_back() {
    let (mut bench, peer) = Bench::registered();
    let (_, container) = bench.running(peer, "t");
    bench.input(Input::Shutdown);
    breaks(&mut bench, peer);
    let said = bench.advance(Duration::from_secs(60));
    assert!(!destroyed(&said).is_empty());
    let connects = |effect: &Effect| matches!(effect, Effect::Connect { .. });
    assert!(!said.iter().any(connects));
    assert_eq!(bench.exited(&container, None).last(), Some(&Effect::Exit));
}

#[test]
fn bad_configurations_say_what_is_wrong() {
    let mut config = Config::default();
    assert_eq!(config.validate(), Ok(()));
    config.masters.clear();
    assert_eq!(config.validate(), Err(ConfigError::NoMasters));
    let config = Config {
        update_retry: Duration::ZERO,
        ..Config::default()
    };
    assert_eq!(config.validate(), Err(ConfigError::Zero("update_retry")));
}

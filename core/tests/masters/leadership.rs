//! Who may act, and who must not.

use crate::cluster::Cluster;
use crate::script::{admit, register, subscribe};
use std::time::Duration;
use tepui_core::ids::MasterId;
use tepui_core::log::{self, Demotion, Message};
use tepui_core::master::{Effect, Input, Notice};
use tepui_core::message::agent::ToAgent;
use tepui_core::message::scheduler::ToScheduler;
use tepui_core::message::{Reject, scheduler};
use tepui_core::registry::Ending;

fn follower(cluster: &Cluster, leader: MasterId) -> MasterId {
    let mut ids = cluster.ids().into_iter();
    ids.find(|id| *id != leader && cluster.is_up(*id)).unwrap()
}

#[test]
fn masters_on_empty_disks_elect_one_that_is_recorded_before_it_serves() {
    for masters in [1, 3, 5] {
        for seed in 0..5 {
            let mut cluster = Cluster::start(masters, seed);
            let leader = cluster.elect();
            let ballot = cluster.node(leader).leading().unwrap().ballot();
            let recorded = cluster.node(leader).registry().leader().unwrap();
            assert_eq!((recorded.master.id, recorded.ballot), (leader, ballot));
            cluster.run_for(Duration::from_secs(2));
            assert_eq!(cluster.serving(), [leader], "a healthy leader stays");
            cluster.assert_agreed();
        }
    }
}

#[test]
fn the_same_seed_goes_the_same_way() {
    let run = |seed| {
        let mut cluster = Cluster::start(3, seed);
        let leader = cluster.elect();
        admit(&mut cluster, leader, 7);
        cluster.kill(leader);
        cluster.elect();
        cluster.trace()
    };
    assert_eq!(run(3), run(3));
    assert_ne!(run(3), run(4));
}

#[test]
fn whoever_asks_a_follower_is_told_who_leads() {
    let mut cluster = Cluster::start(3, 1);
    let leader = cluster.elect();
    cluster.run_for(Duration::from_secs(1));
    let follower = follower(&cluster, leader);
    let leader = cluster.node(follower).leader().cloned();
    assert!(leader.is_some());

    let peer = cluster.connect();
    cluster.agent_says(follower, peer, register(1));
    let expected = ToAgent::NotLeading {
        leader: leader.clone(),
    };
    assert_eq!(cluster.to_agent(peer), [&expected]);

    let peer = cluster.connect();
    cluster.scheduler_says(follower, peer, subscribe(42));
    let expected = ToScheduler::Reply {
        id: scheduler::CallId(42),
        result: Err(Reject::NotLeading { leader }),
    };
    assert_eq!(cluster.to_scheduler(peer), [&expected]);
}

/// A leader that is cut off from the other masters, but not from agents and schedulers, stops
/// acting (MESOS-858): it closes their connections, and from then on only says that it does not
/// lead.
#[test]
fn a_deposed_leader_has_no_effect() {
    for masters in [3, 5] {
        let mut cluster = Cluster::start(masters, 2);
        let old = cluster.elect();
        let (agent, _) = admit(&mut cluster, old, 1);
        cluster.isolate(old);
        cluster.run_until(Duration::from_secs(5), |c| c.node(old).leading().is_none());
        let deposed_at = cluster.said.len();
        assert!(cluster.closed(agent), "its connections are closed");
        cluster.run_until(Duration::from_secs(10), |c| c.serving().len() == 1);
        assert_ne!(cluster.serving(), [old]);

        let late = cluster.connect();
        cluster.agent_says(old, late, register(2));
        let call = cluster.connect();
        cluster.scheduler_says(old, call, subscribe(1));
        cluster.input(old, Input::Disconnected { peer: agent });
        cluster.run_for(Duration::from_secs(5));
        for said in &cluster.said[deposed_at..] {
            if said.by != old {
                continue;
            }
            match &said.effect {
                Effect::ToAgent { message, .. } => {
                    assert!(matches!(message, ToAgent::NotLeading { .. }), "{said:?}");
                }
                Effect::ToScheduler { message, .. } => {
                    let refused = matches!(
                        message,
                        ToScheduler::Reply {
                            result: Err(Reject::NotLeading { .. }),
                            ..
                        }
                    );
                    assert!(refused, "{said:?}");
                }
                _ => {}
            }
        }
        cluster.heal();
        cluster.run_for(Duration::from_secs(5));
        cluster.assert_agreed();
    }
}

/// Whoever slept through his lease learns that before he acts on what waited for him.
#[test]
fn a_leader_that_slept_does_not_act_on_what_waited() {
    let mut cluster = Cluster::start(3, 5);
    let leader = cluster.elect();
    let others = cluster.ids();
    // Nothing reaches it any more, not even its own clock; then a message is there first.
    let mut sleeper = cluster.node(leader).clone();
    let now = cluster.moment_after(Duration::from_secs(60));
    let peer = cluster.connect();
    let said = Cluster::handle_alone(&mut sleeper, now, peer, register(9));
    assert!(sleeper.leading().is_none());
    let told = said.iter().filter_map(|effect| match effect {
        Effect::ToAgent { message, .. } => Some(message),
        _ => None,
    });
    assert!(
        told.clone()
            .all(|m| matches!(m, ToAgent::NotLeading { .. }))
    );
    assert_eq!(told.count(), 1);
    assert_eq!(others.len(), 3);
}

/// The registrar's own time-out: heartbeats flow, so the lease holds, but nothing is stored.
#[test]
fn a_store_that_times_out_ends_the_leadership() {
    let mut cluster = Cluster::start_with(3, 3, |config| {
        config.registry.store_timeout = Duration::from_secs(1);
    });
    let old = cluster.elect();
    cluster.run_for(Duration::from_secs(1));
    let stored_by = cluster.node(old).leading().unwrap().ballot();
    cluster.lose(move |from, _, message| from == old && matches!(message, Message::Accept { .. }));
    let agent = cluster.connect();
    cluster.agent_says(old, agent, register(1));
    cluster.run_until(Duration::from_secs(3), |c| c.node(old).leading().is_none());
    let notices: Vec<&Notice> = cluster
        .said
        .iter()
        .filter_map(|said| match &said.effect {
            Effect::Notice(notice) if said.by == old => Some(notice),
            _ => None,
        })
        .collect();
    let ended = Notice::RegistrarEnded {
        why: Ending::Timeout,
    };
    assert!(notices.contains(&&ended));
    let demoted = Notice::Demoted {
        ballot: stored_by,
        why: Demotion::SteppedDown,
    };
    assert!(notices.contains(&&demoted), "{notices:?}");
    assert!(cluster.closed(agent));
    // The agent was told nothing: whether it is admitted is unknown.
    assert_eq!(cluster.to_agent(agent), Vec::<&ToAgent>::new());

    cluster.heal();
    let new = cluster.elect();
    cluster.run_for(Duration::from_secs(2));
    let (_, id) = admit(&mut cluster, new, 1);
    // Exactly one admission, whether or not the first one landed.
    let admitted = cluster.node(new).registry().admitted();
    assert_eq!(admitted.keys().collect::<Vec<_>>(), [&id]);
    cluster.assert_agreed();
}

/// What comes between the election and the record of it waits, and is then answered.
#[test]
fn an_agent_that_is_early_is_answered_when_the_leader_is_recorded() {
    let mut cluster = Cluster::start(3, 8);
    let elected = |c: &Cluster| {
        let mut ids = c.ids().into_iter();
        ids.find(|id| c.node(*id).registrar().is_some())
    };
    cluster.run_until(Duration::from_secs(30), |c| elected(c).is_some());
    let leader = elected(&cluster).unwrap();
    assert!(cluster.node(leader).leading().is_none());
    let (early, gone) = (cluster.connect(), cluster.connect());
    cluster.agent_says(leader, early, register(1));
    cluster.agent_says(leader, gone, register(2));
    cluster.input(leader, Input::Disconnected { peer: gone });
    assert_eq!(cluster.to_agent(early), Vec::<&ToAgent>::new());
    cluster.run_for(Duration::from_secs(1));
    let told = |peer| crate::script::given_id(&cluster, peer);
    assert!(told(early).is_some());
    assert_eq!(told(gone), None);
}

#[test]
fn what_waits_for_the_record_is_bounded() {
    let mut cluster = Cluster::start_with(1, 8, |config| config.held_max = 2);
    cluster.run_until(Duration::from_secs(30), |c| {
        c.node(MasterId(1)).registrar().is_some()
    });
    let peers: Vec<_> = (0..3).map(|_| cluster.connect()).collect();
    for (nonce, peer) in peers.iter().enumerate() {
        cluster.agent_says(MasterId(1), *peer, register(nonce as u64));
    }
    let away = ToAgent::NotLeading { leader: None };
    assert_eq!(cluster.to_agent(peers[2]), [&away]);
    assert!(cluster.to_agent(peers[1]).is_empty());
}

/// Every notice of the log reaches the timeline.
#[test]
fn the_logs_notices_are_handed_on() {
    let mut cluster = Cluster::start(3, 1);
    cluster.elect();
    let campaigned = cluster.said.iter().any(|said| {
        let campaign = |notice: &log::Notice| matches!(notice, log::Notice::Campaigning { .. });
        matches!(&said.effect, Effect::Notice(Notice::Log(notice)) if campaign(notice))
    });
    assert!(campaigned);
}

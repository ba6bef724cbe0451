//! What masters remember of agents.

use crate::cluster::Cluster;
use crate::script::{admit, given_id, register, reregister, was_reregistered};
use std::time::Duration;
use tepui_core::ids::AgentId;
use tepui_core::master::{Config, Effect};
use tepui_core::message::agent::{ToAgent, ToMaster};
use tepui_core::registry::AgentStanding;

/// Registry before effect: when an agent is told its id, a quorum of disks has it.
#[test]
fn an_agent_is_told_its_id_only_when_a_quorum_has_it_on_disk() {
    for masters in [1, 3, 5] {
        let mut cluster = Cluster::start(masters, 1);
        let leader = cluster.elect();
        let (peer, id) = admit(&mut cluster, leader, 77);
        let disks = cluster.disks_holding(b"host-77");
        assert!(disks > masters as usize / 2, "{disks} of {masters} disks");
        assert_eq!(
            cluster.node(leader).registry().standing(&id),
            AgentStanding::Admitted
        );
        assert!(!cluster.closed(peer));
        cluster.run_for(Duration::from_secs(1));
        cluster.assert_agreed();
    }
}

#[test]
fn the_next_leader_knows_the_agent_of_the_one_that_died() {
    for masters in [3, 5] {
        for seed in 0..4 {
            let mut cluster = Cluster::start(masters, seed);
            let old = cluster.elect();
            let (_, id) = admit(&mut cluster, old, 1);
            cluster.kill(old);
            let new = cluster.elect();
            assert_ne!(new, old);
            let standing = cluster.node(new).registry().standing(&id);
            assert_eq!(standing, AgentStanding::Admitted);

            // The agent comes back under its id; a duplicate of its first registration, were it
            // still on its way, gets the same one.
            let peer = cluster.connect();
            cluster.agent_says(new, peer, reregister(1, &id));
            cluster.run_until(Duration::from_secs(5), |c| was_reregistered(c, peer));
            let (_, again) = admit(&mut cluster, new, 1);
            assert_eq!(again, id);
            let (_, other) = admit(&mut cluster, new, 2);
            assert_ne!(other, id);
            assert_eq!(cluster.node(new).registry().admitted().len(), 2);

            cluster.restart(old);
            cluster.run_for(Duration::from_secs(5));
            assert_eq!(cluster.serving(), [new], "who returns disturbs nobody");
            cluster.assert_agreed();
        }
    }
}

/// Two masters elected one after the other never give the same id.
#[test]
fn ids_of_different_leaders_differ() {
    let mut cluster = Cluster::start(3, 4);
    let mut ids = Vec::new();
    for nonce in 0..4 {
        let leader = cluster.elect();
        ids.push(admit(&mut cluster, leader, nonce).1);
        cluster.kill(leader);
        cluster.elect();
        cluster.restart(leader);
        cluster.run_for(Duration::from_secs(2));
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[test]
fn all_masters_restarted_at_once_remember() {
    for masters in [1, 3] {
        let mut cluster = Cluster::start(masters, 6);
        let leader = cluster.elect();
        let (_, id) = admit(&mut cluster, leader, 1);
        for master in cluster.ids() {
            cluster.kill(master);
        }
        for master in cluster.ids() {
            cluster.restart(master);
        }
        let leader = cluster.elect();
        let registry = cluster.node(leader).registry();
        assert_eq!(registry.standing(&id), AgentStanding::Admitted);
    }
}

/// With a snapshot every few entries: restarts begin from it, and a master that was away for long
/// is given one.
#[test]
fn snapshots_replace_the_logs_beginning() {
    let mut cluster = Cluster::start_with(3, 9, |config| {
        config.log.snapshot_every = 8;
        config.log.retain = 4;
    });
    let leader = cluster.elect();
    let away = *cluster.ids().iter().find(|id| **id != leader).unwrap();
    cluster.kill(away);
    let mut ids = Vec::new();
    for nonce in 0..40 {
        ids.push(admit(&mut cluster, leader, nonce).1);
    }
    assert!(
        cluster.node(leader).log().begin().0 > 8,
        "nothing was truncated"
    );
    cluster.restart(away);
    cluster.run_for(Duration::from_secs(5));
    cluster.assert_agreed();
    for master in cluster.ids() {
        cluster.kill(master);
    }
    for master in cluster.ids() {
        cluster.restart(master);
    }
    let leader = cluster.elect();
    for id in &ids {
        let standing = cluster.node(leader).registry().standing(id);
        assert_eq!(standing, AgentStanding::Admitted);
    }
    cluster.run_for(Duration::from_secs(1));
    cluster.assert_agreed();
}

/// A duplicate that arrives while the first registration is being stored gets one admission.
#[test]
fn a_registration_repeated_at_once_is_admitted_once() {
    let mut cluster = Cluster::start(3, 11);
    let leader = cluster.elect();
    let peer = cluster.connect();
    for _ in 0..5 {
        cluster.agent_says(leader, peer, register(3));
    }
    let second = cluster.connect();
    cluster.agent_says(leader, second, register(3));
    cluster.run_for(Duration::from_secs(1));
    let id = given_id(&cluster, second).or_else(|| given_id(&cluster, peer));
    assert!(id.is_some());
    assert_eq!(cluster.node(leader).registry().admitted().len(), 1);
    for said in &cluster.said {
        if let Effect::ToAgent {
            message: ToAgent::Registered { agent_id, .. },
            ..
        } = &said.effect
        {
            assert_eq!(Some(agent_id), id.as_ref());
        }
    }
}

fn impatient(config: &mut Config) {
    config.leading.agent_ping_timeout = Duration::from_millis(100);
    config.leading.max_agent_ping_timeouts = 3;
    config.leading.agent_reregister_timeout = Duration::from_secs(2);
}

fn standing(cluster: &Cluster, id: &AgentId) -> AgentStanding {
    let leader = cluster.serving()[0];
    cluster.node(leader).registry().standing(id)
}

/// The life of an agent that answers no ping, on the leader and on every replica.
#[test]
fn a_silent_agent_is_unreachable_until_it_returns() {
    let mut cluster = Cluster::start_with(3, 12, impatient);
    let leader = cluster.elect();
    let (_, id) = admit(&mut cluster, leader, 1);
    cluster.run_until(Duration::from_secs(5), |c| {
        matches!(standing(c, &id), AgentStanding::Unreachable(_))
    });
    let peer = cluster.connect();
    cluster.agent_says(leader, peer, reregister(1, &id));
    assert!(!was_reregistered(&cluster, peer), "not before it is stored");
    cluster.run_until(Duration::from_secs(5), |c| was_reregistered(c, peer));
    assert_eq!(standing(&cluster, &id), AgentStanding::Admitted);
    cluster.run_for(Duration::from_millis(200));
    cluster.assert_agreed();
}

/// Marked unreachable in the registry and in memory, also where the agent was admitted by another
/// leader (MESOS-6445).
#[test]
fn an_agent_that_never_returns_to_the_next_leader_is_unreachable_there() {
    let mut cluster = Cluster::start_with(3, 13, impatient);
    let old = cluster.elect();
    let (_, id) = admit(&mut cluster, old, 1);
    cluster.kill(old);
    cluster.elect();
    assert_eq!(standing(&cluster, &id), AgentStanding::Admitted);
    cluster.run_until(Duration::from_secs(10), |c| {
        matches!(standing(c, &id), AgentStanding::Unreachable(_))
    });
    cluster.run_for(Duration::from_secs(1));
    cluster.assert_agreed();
}

#[test]
fn an_agent_that_said_farewell_is_forgotten() {
    let mut cluster = Cluster::start(3, 14);
    let leader = cluster.elect();
    let (peer, id) = admit(&mut cluster, leader, 1);
    cluster.agent_says(leader, peer, ToMaster::Unregister);
    cluster.run_until(Duration::from_secs(5), |c| {
        standing(c, &id) == AgentStanding::Unknown
    });
    cluster.run_for(Duration::from_secs(1));
    cluster.assert_agreed();
}

#[test]
fn the_registry_forgets_unreachable_agents_beyond_their_number() {
    let mut cluster = Cluster::start_with(3, 15, |config| {
        impatient(config);
        config.registry.gc_interval = Duration::from_secs(3);
        config.registry.gc_count_max = 2;
    });
    let leader = cluster.elect();
    for nonce in 0..5 {
        admit(&mut cluster, leader, nonce);
    }
    let unreachable = |c: &Cluster| c.node(leader).registry().unreachable().len();
    cluster.run_until(Duration::from_secs(3), |c| unreachable(c) == 5);
    cluster.run_until(Duration::from_secs(4), |c| unreachable(c) == 2);
    cluster.run_for(Duration::from_secs(4));
    assert_eq!(unreachable(&cluster), 2);
    cluster.assert_agreed();
}

//! Hard days of a log, each with its one surprise.

use super::steps::Step;
use super::{Disk, World, config};
use std::time::Duration;
use tepui_core::ids::MasterId;
use tepui_core::log::{Ballot, Checkpoint, Membership, Node, Position, Snapshot, Status, Write};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A world with a leader that has been calm for a while; who leads.
fn calm(seed: u64, count: usize) -> (World, usize) {
    let mut world = World::new(seed, count);
    world.run(seconds(3));
    let leaders = world.leaders();
    assert_eq!(leaders.len(), 1, "a calm world has one leader");
    (world, leaders[0])
}

impl World {
    fn node(&self, id: usize) -> &Node {
        self.nodes[id].as_ref().expect("it is up")
    }

    fn ballot(&self) -> Option<Ballot> {
        let leader = *self.leaders().first()?;
        self.node(leader).acting().map(|(ballot, _)| ballot)
    }

    fn cut_both(&mut self, a: usize, b: usize) {
        self.cuts.insert((a, b));
        self.cuts.insert((b, a));
    }

    /// Loses a disk without asking whether a majority keeps theirs.
    fn lose_disk(&mut self, id: usize) {
        self.stop(id, 0);
        self.disks[id] = Disk {
            sync_ms: 2,
            ..Disk::default()
        };
    }
}

/// Two pairs that cannot hear each other, and one master between them: one stable leader, and
/// nobody takes it from it, wherever it sits.
#[test]
fn a_bridge_keeps_one_stable_leader() {
    for bridge in 0..5 {
        let (mut world, _) = calm(11 + bridge as u64, 5);
        let rest: Vec<usize> = (0..5).filter(|id| *id != bridge).collect();
        for a in &rest[..2] {
            for b in &rest[2..] {
                world.cut_both(*a, *b);
            }
        }
        world.run(seconds(5));
        let before = world.ballot().expect("a leader");
        for _ in 0..60 {
            world.run(millis(500));
            world.step(&Step::Append { count: 1 });
            assert_eq!(world.ballot(), Some(before), "bridge {bridge}");
        }
        world.converge(10);
    }
}

/// A follower that is cut from the leader alone does not disturb it, learns from the third
/// what is learned, and knows who leads.
#[test]
fn a_half_cut_master_disturbs_nobody() {
    let (mut world, leader) = calm(5, 3);
    let (half, third) = ((leader + 1) % 3, (leader + 2) % 3);
    let before = world.ballot();
    world.cut_both(leader, half);
    for _ in 0..40 {
        world.run(millis(250));
        world.step(&Step::Append { count: 2 });
    }
    world.run(seconds(1));
    assert_eq!(world.ballot(), before);
    assert_eq!(world.node(half).leader(), Some(MasterId(leader as u32)));
    assert_eq!(
        world.node(half).learned_through(),
        world.node(third).learned_through()
    );
    assert!(world.node(half).learned_through() > Position(80));
}

/// Cut off, a leader stops within its lease, and as a rule before anybody else starts.
#[test]
fn a_leader_without_a_quorum_stops_within_its_lease() {
    for (seed, inbound, outbound) in [(1, true, true), (2, true, false), (3, false, true)] {
        let (mut world, old) = calm(seed, 3);
        let node = old as u8;
        world.step(&Step::Isolate {
            node,
            inbound,
            outbound,
        });
        let bound = config(0, 3).lease_timeout + config(0, 3).heartbeat_interval;
        let mut stopped = None;
        for ms in 0..2000 {
            world.run(millis(1));
            assert!(world.leaders().len() <= 1, "two act at once");
            if stopped.is_none() && world.node(old).acting().is_none() {
                stopped = Some(millis(ms));
            }
        }
        let stopped = stopped.expect("it stops");
        assert!(stopped <= bound, "only after {stopped:?}");
        let leaders = world.leaders();
        assert!(
            leaders.len() == 1 && leaders[0] != old,
            "somebody else leads"
        );
        world.converge(10);
    }
}

/// How long the world is without a leader when one dies: a broken connection hastens it.
#[test]
fn a_dead_leader_is_replaced_soon() {
    for (hint, most) in [(true, 300), (false, 1000)] {
        for seed in 0..40 {
            let (mut world, _) = calm(seed, 3 + 2 * (seed as usize % 2));
            world.trace = Some(Vec::new());
            world.step(&Step::CrashLeader {
                kept_percent: 0,
                hint,
            });
            let mut waited = 0;
            while world.leaders().is_empty() {
                world.run(millis(5));
                waited += 5;
                assert!(
                    waited <= most,
                    "seed {seed}, hint {hint}: no leader after {waited} ms:\n{}",
                    world.story()
                );
            }
        }
    }
}

#[test]
fn a_master_that_returns_disturbs_nobody() {
    let (mut world, leader) = calm(8, 3);
    let before = world.ballot();
    let follower = ((leader + 1) % 3) as u8;
    world.step(&Step::Crash {
        node: follower,
        kept_percent: 50,
    });
    world.run(seconds(5));
    world.step(&Step::Append { count: 5 });
    world.step(&Step::Restart { node: follower });
    world.run(seconds(5));
    assert_eq!(world.ballot(), before);
    world.converge(5);
    assert_eq!(world.ballot(), before);
}

/// f556a55f0: disks are replaced one after another, a second while the first still catches up.
#[test]
fn disks_are_replaced_one_after_another() {
    let (mut world, _) = calm(21, 5);
    for round in 0..10_u8 {
        world.step(&Step::Append { count: 9 });
        world.step(&Step::Wipe { node: round });
        world.step(&Step::Restart { node: round });
        world.run(millis(if round % 2 == 0 { 40 } else { 3000 }));
    }
    world.converge(20);
    assert!(world.checks.seen["fenced"] >= 10);
}

/// With a majority's disks gone nothing can be known: nobody votes, nobody leads, nothing
/// panics, for as long as it takes.
#[test]
fn a_majority_that_lost_its_disks_waits() {
    let (mut world, leader) = calm(4, 3);
    world.step(&Step::Append { count: 3 });
    world.run(seconds(1));
    let lost = [(leader + 1) % 3, (leader + 2) % 3];
    for id in lost {
        world.lose_disk(id);
        world.start(id);
    }
    world.run(seconds(60));
    assert_eq!(world.leaders(), []);
    for id in lost {
        assert_eq!(world.node(id).status(), Status::Recovering);
        assert_eq!(
            world.node(id).learned_through(),
            world.node(leader).learned_through()
        );
    }
}

/// MESOS-7973: what a follower asks for is truncated while it catches up, again and again. The
/// checks of the world see any gap and any value that was not chosen.
#[test]
fn truncation_during_catch_up_leaves_no_gap() {
    for seed in 0..10 {
        let (mut world, leader) = calm(seed, 3);
        let behind = ((leader + 1) % 3) as u8;
        world.step(&Step::Crash {
            node: behind,
            kept_percent: 0,
        });
        for _ in 0..30 {
            world.step(&Step::Append { count: 3 });
            world.run(millis(30));
        }
        world.step(&Step::Restart { node: behind });
        for _ in 0..40 {
            world.step(&Step::Append { count: 6 });
            world.run(millis(10));
        }
        world.converge(10);
        assert!(
            world.checks.seen.contains_key("snapshot installed"),
            "seed {seed}"
        );
    }
}

/// MESOS-993 and 1014: the cost of catching up is that of what is there.
#[test]
fn a_log_that_starts_at_a_billion_is_caught_up_at_once() {
    let through = Position(1_000_000_000);
    let masters = config(0, 3).bootstrap.masters().to_vec();
    let membership = Membership::new(1, masters).expect("valid");
    let mut world = World::new(3, 3);
    world.checks.forget_before(through, b"digest");
    for id in 0..3 {
        let incarnation = world.node(id).incarnation();
        world.stop(id, 0);
        world.disks[id].log = vec![Write::Checkpoint(Box::new(Checkpoint {
            incarnation,
            status: Status::Voting,
            promised: Ballot::NONE,
            lives: Default::default(),
            begin: through.next(),
            learned_through: through,
            entries: Vec::new(),
        }))];
        world.disks[id].snapshot = Some(Snapshot {
            through,
            membership: membership.clone(),
            state: b"digest".as_slice().into(),
        });
        world.start(id);
    }
    world.run(seconds(2));
    world.step(&Step::Append { count: 3 });
    world.run(millis(500));
    let lost = (world.leaders()[0] + 1) % 3;
    world.lose_disk(lost);
    world.start(lost);
    world.run(millis(1500));
    assert_eq!(world.node(lost).status(), Status::Voting);
    assert!(world.node(lost).learned_through() > through);
    world.converge(5);
}

/// A leader whose own disk hangs still writes, on those of the others.
#[test]
fn a_quorum_of_other_disks_is_enough() {
    let (mut world, leader) = calm(6, 3);
    world.step(&Step::Disk {
        node: leader as u8,
        sync_ms: 60_000,
    });
    let before = world.checks.acknowledged_count();
    for _ in 0..10 {
        world.step(&Step::Append { count: 2 });
        world.run(millis(50));
    }
    assert_eq!(world.leaders(), [leader]);
    assert_eq!(world.checks.acknowledged_count(), before + 20);
}

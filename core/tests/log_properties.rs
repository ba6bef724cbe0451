//! The log with three and five replicas in a hostile world.

mod log_world;

use log_world::World;
use log_world::steps::{Step, step};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use std::collections::BTreeMap;
use std::time::Duration;

fn live(seed: u64, count: usize, steps: &[Step]) -> World {
    let mut world = World::new(seed, count);
    world.run(Duration::from_millis(1200));
    for step in steps {
        world.step(step);
    }
    world.converge(30);
    world
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 120,
        max_shrink_iters: 2000,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn three_replicas_agree(seed in any::<u64>(), steps in prop::collection::vec(step(), 1..60)) {
        live(seed, 3, &steps);
    }

    #[test]
    fn five_replicas_agree(seed in any::<u64>(), steps in prop::collection::vec(step(), 1..60)) {
        live(seed, 5, &steps);
    }
}

/// Without time: see [`log_world::chaos`].
#[test]
fn replicas_agree_whatever_comes_next() {
    let cases = std::env::var("PROPTEST_CASES").map_or(30, |cases| cases.parse().unwrap());
    let mut seen: BTreeMap<&'static str, u64> = BTreeMap::new();
    for seed in 0..cases {
        let count = 3 + 2 * (seed as usize % 2);
        let mut world = World::configured(seed, count, log_world::chaos::unhurried);
        world.run(Duration::from_secs(2));
        world.chaos(4000);
        world.converge(300);
        for (name, times) in &world.checks.seen {
            *seen.entry(name).or_default() += times;
        }
    }
    println!("in {cases} worlds: {seen:?}");
    for name in [
        "elected",
        "hole filled",
        "snapshot installed",
        "fenced",
        "repaired",
        "void vote",
    ] {
        assert!(seen.contains_key(name), "{name} never happened: {seen:?}");
    }
}

/// A cluster that starts all at once elects within ten seconds (MESOS-3280), and one that is
/// left alone keeps its leader.
#[test]
fn a_cold_start_together_elects_one_stable_leader() {
    for count in [1, 2, 3, 5] {
        let mut world = World::new(7, count);
        world.run(Duration::from_secs(10));
        assert_eq!(world.leaders().len(), 1, "{count} masters");
        let ballot = |world: &World| world.nodes[world.leaders()[0]].as_ref().unwrap().acting();
        let before = ballot(&world);
        world.run(Duration::from_secs(60));
        assert_eq!(ballot(&world), before, "{count} masters");
    }
}

/// The worlds above are hostile enough: each of these was seen.
#[test]
fn the_rare_cases_happen() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen: BTreeMap<&'static str, u64> = BTreeMap::new();
    for round in 0..60 {
        let strategy = prop::collection::vec(step(), 60);
        let steps = strategy.new_tree(&mut runner).unwrap().current();
        let world = live(round, 3 + 2 * (round as usize % 2), &steps);
        for (name, times) in &world.checks.seen {
            *seen.entry(name).or_default() += times;
        }
    }
    for name in [
        "elected",
        "hole filled",
        "snapshot installed",
        "fenced",
        "truncated",
        "late write",
        "caught up",
        "repaired",
        "campaign failed",
    ] {
        assert!(
            seen.get(name).copied().unwrap_or(0) > 0,
            "{name} never happened: {seen:?}"
        );
    }
}

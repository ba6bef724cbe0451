//! The agent under random work and cut at any write: no acknowledged update is lost, no task
//! runs twice, every task has exactly one end.

use super::bench::*;
use super::world::World;
use crate::agent::Probe;
use crate::model::Source;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Action {
    Run { shared: Option<u8>, group: bool },
    Kill(usize),
    Deliver(usize, u8),
    Persist(usize),
    Crash { kept: usize, reboot: bool },
    BreakMaster,
    ChangeLeader,
    BreakExecutor(usize),
    KillContainer(usize),
    EndProcess(usize, i32),
    Lossy(bool),
    Ping(bool),
    Advance(u64),
    TearDown,
}

fn action() -> impl Strategy<Value = Action> {
    let index = 0..64_usize;
    prop_oneof![
        6 => (prop::option::of(0..2_u8), any::<bool>())
            .prop_map(|(shared, group)| Action::Run { shared, group }),
        3 => index.clone().prop_map(Action::Kill),
        24 => (index.clone(), 1..8_u8).prop_map(|(i, n)| Action::Deliver(i, n)),
        10 => (1..6_usize).prop_map(Action::Persist),
        2 => (0..8_usize, prop::bool::weighted(0.15))
            .prop_map(|(kept, reboot)| Action::Crash { kept, reboot }),
        1 => Just(Action::BreakMaster),
        1 => Just(Action::ChangeLeader),
        2 => index.clone().prop_map(Action::BreakExecutor),
        1 => index.clone().prop_map(Action::KillContainer),
        3 => (index, 0..3_i32).prop_map(|(i, status)| Action::EndProcess(i, status)),
        1 => any::<bool>().prop_map(Action::Lossy),
        1 => any::<bool>().prop_map(Action::Ping),
        8 => (0..12_000_u64).prop_map(Action::Advance),
    ]
}

fn act(world: &mut World, serial: &mut u32, action: &Action) {
    match action {
        Action::Run { shared, group } => {
            let executor = shared.map(|n| format!("e{n}"));
            let count = if *group && executor.is_some() { 3 } else { 1 };
            let tasks: Vec<_> = (0..count)
                .map(|_| {
                    *serial += 1;
                    task(&format!("t{serial:03}"), executor.as_deref())
                })
                .collect();
            world.run(tasks, count > 1);
        }
        Action::Kill(index) => world.kill_some(*index),
        Action::Deliver(index, count) => {
            for i in 0..usize::from(*count) {
                world.deliver(index + i);
            }
        }
        Action::Persist(count) => world.persist(*count),
        Action::Crash { kept, reboot } => world.crash(*kept, *reboot),
        Action::BreakMaster => world.break_master(),
        Action::ChangeLeader => world.change_leader(),
        Action::BreakExecutor(index) => world.break_some_executor(*index),
        Action::KillContainer(index) => world.kill_some_container(*index),
        Action::EndProcess(index, status) => world.end_some_process(*index, *status),
        Action::Lossy(lossy) => world.lossy = *lossy,
        Action::Ping(registered) => world.ping(*registered),
        Action::Advance(ms) => world.advance(Duration::from_millis(*ms)),
        Action::TearDown => world.tear_down(),
    }
}

/// A world whose agent is registered.
fn started() -> World {
    let mut world = World::new();
    for _ in 0..50 {
        world.advance(Duration::from_millis(100));
        world.persist(10);
        world.deliver(0);
        if world.agent.registered_with().is_some() {
            return world;
        }
    }
    panic!("the agent does not register");
}

/// What must be true once all has come to rest.
fn judge(world: &World) -> Result<(), TestCaseError> {
    for (task_id, count) in &world.starts {
        prop_assert!(*count <= 1, "{task_id} ran {count} times");
    }
    prop_assert!(world.has_only_shared_containers());
    if world.torn_down {
        return Ok(());
    }
    for (task_id, believed) in &world.tasks {
        let ends = believed.updates.iter().filter(|s| s.state.is_terminal());
        prop_assert_eq!(ends.count(), 1, "{:?} of {}", &believed.updates, task_id);
        let heard = believed.updates.iter();
        let heard: Vec<_> = heard
            .filter_map(|s| Some((s.update_id?, s.state)))
            .collect();
        let said = world.said.get(task_id).cloned().unwrap_or_default();
        let of_executor: Vec<_> = heard.iter().filter(|id| said.contains(id)).collect();
        let in_order: Vec<_> = said.iter().filter(|id| heard.contains(id)).collect();
        prop_assert_eq!(of_executor, in_order, "the order of {}", task_id);
    }
    for (task_id, update_id) in &world.acknowledged {
        let believed = &world.tasks[task_id];
        let heard = believed
            .updates
            .iter()
            .any(|s| s.update_id == Some(*update_id));
        // What an executor says after its agent gave the task up is heard and dropped.
        let given_up = believed
            .terminal()
            .is_some_and(|s| s.source == Source::Agent);
        prop_assert!(
            heard || given_up,
            "{update_id} of {task_id} was lost: said {:?}, heard {:?}",
            world.said.get(task_id),
            believed.updates
        );
    }
    Ok(())
}

fn live_through(actions: &[Action]) -> Result<World, TestCaseError> {
    let mut world = started();
    let mut serial = 0;
    for action in actions {
        act(&mut world, &mut serial, action);
    }
    world.heal();
    judge(&world)?;
    Ok(world)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn nothing_acknowledged_is_lost_and_nothing_runs_twice(
        actions in prop::collection::vec(action(), 1..160)
    ) {
        live_through(&actions)?;
    }

    #[test]
    fn a_teardown_leaves_nothing(
        before in prop::collection::vec(action(), 1..60),
        after in prop::collection::vec(action(), 1..30),
    ) {
        let mut actions = before;
        actions.push(Action::TearDown);
        actions.extend(after);
        let mut world = live_through(&actions)?;
        for _ in 0..2_000 {
            world.advance(Duration::from_secs(5));
            world.persist(100);
            world.deliver(0);
        }
        prop_assert!(world.agent.checkpoint().frameworks.is_empty());
    }
}

/// A fixed life, with a cut after every single write of it in turn.
#[test]
fn a_cut_at_every_write_loses_nothing() {
    let life = |cut: Option<(usize, usize)>| {
        let mut world = started();
        let mut serial = 0;
        let mut writes = 0;
        let script = [
            vec![Action::Run {
                shared: None,
                group: false,
            }],
            vec![Action::Run {
                shared: Some(0),
                group: true,
            }],
            vec![
                Action::Run {
                    shared: None,
                    group: false,
                },
                Action::Kill(3),
            ],
            vec![Action::EndProcess(0, 0), Action::KillContainer(1)],
            vec![
                Action::Run {
                    shared: Some(1),
                    group: false,
                },
                Action::BreakMaster,
            ],
        ];
        for actions in &script {
            for action in actions {
                act(&mut world, &mut serial, action);
            }
            for step in 0..60 {
                if world.pending_writes() > 0 {
                    writes += 1;
                    if let Some((_, kept)) = cut.filter(|(at, _)| *at == writes) {
                        world.crash(kept, false);
                    }
                    world.persist(1);
                }
                world.deliver(step);
                world.advance(Duration::from_millis(20));
            }
        }
        world.heal();
        judge(&world).expect("nothing is lost");
        (writes, world.durable_writes())
    };
    let (writes, kept) = life(None);
    assert!(
        writes > 30 && kept < writes,
        "{writes} writes, {kept} left by snapshots"
    );
    for at in 1..=writes {
        for kept in 0..2 {
            life(Some((at, kept)));
        }
    }
}

/// The random lives above are worth something only if they come by the rare paths.
#[test]
fn random_lives_take_the_rare_paths() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let lives = prop::collection::vec(action(), 100..160);
    let mut probes = BTreeSet::new();
    for _ in 0..150 {
        let actions = lives.new_tree(&mut runner).unwrap().current();
        let world = live_through(&actions).expect("nothing is lost");
        probes.extend(world.probes);
    }
    for probe in [
        Probe::KilledBeforeLaunch,
        Probe::LaunchRepeated,
        Probe::UpdateRepeated,
        Probe::TaskUnknown,
        Probe::Rebooted,
        Probe::Snapshot,
    ] {
        assert!(probes.contains(&probe), "{probe:?} was never seen");
    }
}

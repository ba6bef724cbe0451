//! Random faults, then a healthy world: what must be true in between, and in the end.

use super::world::World;
use super::*;
use crate::frameworks::batch::{self, Batch};
use crate::frameworks::service::{self, Service};
use alloc::collections::{BTreeMap, BTreeSet};
use proptest::prelude::{ProptestConfig, any, proptest};

/// What may go wrong.
#[derive(Clone, Copy)]
enum Faults {
    None,
    /// Links, masters and the scheduler's process.
    Control,
    /// Agents, too.
    All,
}

fn disturb<F: Logic>(world: &mut World<F>, steps: usize, faults: Faults) {
    for _ in 0..steps {
        let most = match faults {
            Faults::None => 90,
            Faults::Control => 97,
            Faults::All => 100,
        };
        match world.rng.below(most) {
            0..40 => {
                world.deliver();
            }
            40..52 => {
                let most = Duration::from_millis(world.rng.below(3_000));
                world.advance(most);
            }
            52..62 => {
                world.write();
            }
            62..74 => world.resend(false),
            74..82 => world.offer(),
            82..86 => world.register_agent(),
            86..90 => world.elect(),
            90..92 => world.break_link(),
            92 => world.deaden_link(),
            93..95 => world.fail_over(),
            95..97 => world.crash(),
            _ => world.lose_agent(),
        }
    }
}

fn check_quiet<F: Logic>(world: &World<F>) {
    assert!(world.node.driver().is_subscribed());
    assert_eq!(world.node.driver().unreconciled(), 0);
    for agent in &world.agents {
        for (id, task) in &agent.tasks {
            assert!(task.updates.is_empty(), "{id} waits for an acknowledgement");
        }
    }
}

fn run_service(seed: u64, faults: Faults) {
    let make = || {
        let config = service::Config {
            instances: 8,
            ..service::Config::default()
        };
        Service::new(config).unwrap()
    };
    let mut world = World::new(seed, make);
    disturb(&mut world, 600, faults);
    world.heal(Duration::from_secs(400));
    check_quiet(&world);
    let live: BTreeSet<TaskId> = world.live().into_iter().map(|(_, id)| id).collect();
    let wanted: BTreeSet<TaskId> = world
        .logic()
        .tasks()
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    assert_eq!(
        live, wanted,
        "what runs is what the service believes to run"
    );
    assert_eq!((live.len(), world.logic().running()), (8, 8));
    assert!(world.logic().is_settled());
}

fn run_batch(seed: u64, faults: Faults) {
    let arrivals = batch::Arrivals::Random(batch::Random {
        jobs: Some(20),
        duration_max: Duration::from_secs(5),
        ..batch::Random::default()
    });
    let config = batch::Config {
        arrivals,
        retries_max: 100,
        ..batch::Config::default()
    };
    let make = move || Batch::new(config.clone(), &Rng::from_seed(seed, "jobs")).unwrap();
    let mut world = World::new(seed, make);
    disturb(&mut world, 600, faults);
    world.heal(Duration::from_secs(400));
    check_quiet(&world);
    assert!(world.logic().is_done());
    let totals = world.logic().totals();
    assert_eq!((totals.arrived, totals.done, totals.failed), (20, 20, 0));
    let mut finished: BTreeMap<u64, u32> = BTreeMap::new();
    for id in &world.finished {
        *finished
            .entry(world.logic().job_of(id).unwrap())
            .or_default() += 1;
    }
    assert_eq!(
        finished.len(),
        20,
        "a job that never finished counts as done"
    );
    assert_eq!(world.live(), []);
    if !matches!(faults, Faults::All) {
        let twice = finished.values().any(|times| *times > 1);
        assert!(
            !twice,
            "no agent was lost, yet a job ran twice: {finished:?}"
        );
        assert_eq!(totals.retried, 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_service_converges_after_any_faults(seed in any::<u64>()) {
        run_service(seed, Faults::All);
    }

    #[test]
    fn a_service_converges_without_agents_lost(seed in any::<u64>()) {
        run_service(seed, Faults::Control);
    }

    #[test]
    fn jobs_end_once_after_any_faults(seed in any::<u64>()) {
        run_batch(seed, Faults::All);
    }

    #[test]
    fn jobs_run_once_while_no_agent_is_lost(seed in any::<u64>()) {
        run_batch(seed, Faults::Control);
    }
}

#[test]
fn a_healthy_world_needs_no_second_start() {
    for seed in 0..4 {
        run_service(seed, Faults::None);
        run_batch(seed, Faults::None);
    }
}

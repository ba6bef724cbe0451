//! What-ifs and offers, on cases that can be done by hand.

use std::num::NonZeroUsize;
use tepui_core::placement::{Capacity, Free, Policy, Shape};
use tepui_core::resources::Role;
use tepui_sim::capacity::drf::{Appetite, Offers};
use tepui_sim::capacity::machine::Machine;
use tepui_sim::capacity::offered::Reserved;
use tepui_sim::capacity::replay::{replay, replay_offers};
use tepui_sim::capacity::task::Task;
use tepui_sim::capacity::workload::{Order, Workload};

fn free(cpu_milli: i64, memory_mib: i64, gpus: usize) -> Free {
    Free::all_of(&Capacity {
        cpu_milli,
        memory_mib,
        gpus,
        ..Capacity::default()
    })
}

fn shape(cpu_milli: i64, memory_mib: i64) -> Shape {
    Shape {
        cpu_milli,
        memory_mib,
        ..Shape::default()
    }
}

/// Ghodsi et al., "Dominant Resource Fairness", NSDI 2011, section 4.1: of 9 cpus and 18 GB, user A
/// with tasks of 1 cpu and 4 GB gets three, user B with tasks of 3 cpus and 1 GB gets two.
fn paper(appetite: Appetite, seed: u64) -> Vec<usize> {
    let shapes = [shape(1000, 4096), shape(3000, 1024)];
    let roles = ["a", "b"].map(|role| Role::new(role).unwrap());
    let none = Reserved::new();
    let machine = vec![(free(9000, 18 * 1024, 0), &none)];
    let mut offers = Offers::new(machine, &roles, &shapes, appetite, seed).unwrap();
    for _ in 0..10 {
        offers.arrive(0, 0);
        offers.arrive(1, 1);
    }
    let mut tasks = vec![0, 0];
    let given_up = offers.settle(|launch, _| tasks[launch.framework] += 1);
    assert_eq!(given_up + tasks[0] + tasks[1], 20);
    tasks
}

#[test]
fn dominant_resource_fairness_is_as_in_the_paper() {
    for seed in 1..=5 {
        assert_eq!(paper(Appetite::OneTask, seed), [3, 2]);
        // Who takes all that fits of the only offer leaves the other what is left.
        assert_eq!(paper(Appetite::AllThatFits, seed), [4, 1]);
    }
}

/// Twice the weight, twice the dominant share.
#[test]
fn weights_count_among_offers() {
    let shapes = [shape(1000, 1024)];
    let roles = ["a", "b"].map(|role| Role::new(role).unwrap());
    let none = Reserved::new();
    let machine = vec![(free(9000, 9 * 1024, 0), &none)];
    let mut offers = Offers::new(machine, &roles, &shapes, Appetite::OneTask, 1).unwrap();
    let two = tepui_core::resources::Scalar::from_units(2);
    offers.allocator().set_weight(&roles[0], two).unwrap();
    for _ in 0..9 {
        offers.arrive(0, 0);
        offers.arrive(1, 0);
    }
    let mut tasks = [0, 0];
    offers.settle(|launch, _| tasks[launch.framework] += 1);
    assert_eq!(tasks, [6, 3]);
}

/// Ten machines with four GPUs each, and tasks of three applications in two roles.
fn small_workload() -> Workload {
    let machines = (0..10).map(|number| Machine {
        name: format!("m{number}"),
        capacity: Capacity {
            cpu_milli: 16_000,
            memory_mib: 65_536,
            gpus: 4,
            ..Capacity::default()
        },
        ..Machine::default()
    });
    let tasks = (0..120).map(|number| {
        let (gpus, gpu_milli) = [(0, 0), (1, 300), (1, 1000), (2, 1000)][number % 4];
        Task {
            name: format!("t{number:03}"),
            application: ["web", "train", "batch"][number % 3].into(),
            role: ["front", "back"][number % 2].into(),
            shape: Shape {
                cpu_milli: 1000,
                memory_mib: 2048,
                gpus,
                gpu_milli,
                ..Shape::default()
            },
            ..Task::default()
        }
    });
    Workload::new(machines.collect(), tasks.collect(), Vec::new())
}

#[test]
fn offers_place_all_that_fits_and_the_same_for_a_seed() {
    let workload = small_workload();
    let (order, measure) = (Order::by_name(&workload), workload.measure());
    let burst = |count| NonZeroUsize::new(count).unwrap();
    for count in [1, 7, 120] {
        let run = |seed| replay_offers(&workload, &order, &measure, burst(count), seed).unwrap();
        let (first, again) = (run(3), run(3));
        assert_eq!(first, again);
        assert_eq!(first.arrivals, 120);
        // 40 GPUs; 30 shares of 0.3, 30 of one and 30 of two are asked for: all of it is given
        // away but what no task that is left can use.
        assert!(
            first.failed > 0 && first.allocated_gpu_milli > 36_000,
            "{first:?}"
        );
        assert!(first.allocated_gpu_milli <= 40_000);
    }
    // As long as everything fits, every way of placing allocates the same.
    let few = Order {
        arrivals: (0..40).collect(),
        ..order
    };
    let offered = replay_offers(&workload, &few, &measure, burst(5), 1).unwrap();
    let placed = replay(&workload, &few, &measure, Policy::FirstFit, 1);
    assert_eq!((offered.failed, placed.failed), (0, 0));
    assert_eq!(offered.allocated_gpu_milli, placed.allocated_gpu_milli);
    assert!(offered.loads.keys().eq(placed.loads.keys()));
}

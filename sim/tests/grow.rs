//! Lower bounds on machines and on what must be bought, and mixes that are known to work: small
//! exact cases, and generated ones beside searches that leave nothing out.

mod clusters;

use clusters::{a_cluster, a_policy, a_shape, machine, shape, task};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use tepui_core::placement::{Capacity, Devices, Free, Measure, Models, Policy, Shape};
use tepui_sim::capacity::bounds::{by_shape, least_machines, scales};
use tepui_sim::capacity::compact::Compaction;
use tepui_sim::capacity::constraints::Constraint;
use tepui_sim::capacity::grow::{Headroom, MachineType, Moment, NotEnough, Point, Question, grow};
use tepui_sim::capacity::machine::Machine;
use tepui_sim::capacity::snapshot::Snapshot;
use tepui_sim::capacity::task::Task;
use tepui_sim::capacity::workload::{Order, Workload};

fn free(machines: &[Machine]) -> Vec<Free> {
    machines.iter().map(Machine::free).collect()
}

fn least(tasks: &[Shape], machines: &[Machine], pending: usize) -> Option<usize> {
    let bound = least_machines(&by_shape(tasks), &free(machines), pending);
    bound.map(|bound| bound.machines)
}

#[test]
fn large_tasks_do_not_share_though_their_sum_would_fit() {
    let machines: Vec<Machine> = (0..4).map(|n| machine(n, 10_000, 1000, 8)).collect();
    let cpus = |cpus: i64| shape(1000 * cpus, 0, 0, 0);
    // 18 of 40 cpus, but no two of them on a machine.
    assert_eq!(least(&[cpus(6); 3], &machines, 0), Some(3));
    // Three on a machine, two if they are larger.
    assert_eq!(least(&[cpus(3); 7], &machines, 0), Some(3));
    assert_eq!(least(&[cpus(4); 7], &machines, 0), Some(4));
    assert_eq!(least(&[cpus(4); 9], &machines, 0), None);
    assert_eq!(least(&[cpus(4); 9], &machines, 1), Some(4));
    // The same with GPUs: three shares of 600 need a GPU each, and two tasks of 5 a machine each.
    let gpus = |gpus: u32, milli: i32| shape(100, 0, gpus, milli);
    assert_eq!(least(&[gpus(1, 600); 9], &machines, 0), Some(2));
    assert_eq!(least(&[gpus(5, 1000); 3], &machines, 0), Some(3));
    assert_eq!(least(&[], &machines, 0), Some(0));
}

#[test]
fn machines_of_several_models_add_up() {
    let of_model = |number: usize, model: u64| {
        let mut machine = machine(number, 10_000, 1000, 2);
        machine.capacity.model = Models(model);
        machine
    };
    let machines = [
        of_model(0, 1),
        of_model(1, 1),
        of_model(2, 2),
        of_model(3, 2),
    ];
    let needs = |model: u64| Shape {
        models: Models(model),
        ..shape(100, 0, 1, 1000)
    };
    // Three GPUs are two machines' of any kind, but these are three machines'.
    assert_eq!(least(&[needs(0); 3], &machines, 0), Some(2));
    assert_eq!(
        least(&[needs(1), needs(2), needs(2), needs(2)], &machines, 0),
        Some(3)
    );
    assert_eq!(least(&[needs(4)], &machines, 0), None);
}

fn kind(name: &str, cpus: i64, gpus: usize, price_milli: i64) -> MachineType {
    MachineType {
        name: name.to_owned(),
        capacity: Capacity {
            cpu_milli: 1000 * cpus,
            memory_mib: 4096,
            gpus,
            ..Capacity::default()
        },
        attributes: BTreeMap::new(),
        price_milli,
        most: None,
    }
}

fn moments(percent: &[i64]) -> Vec<Moment> {
    let moment = |percent: &i64| Moment {
        when: format!("{percent}%"),
        factor_milli: 1000 + 10 * percent,
    };
    percent.iter().map(moment).collect()
}

/// Grows a cluster of these machines, on which nothing runs, for these tasks.
fn grown(
    machines: &[Machine],
    tasks: &[Shape],
    types: &[MachineType],
    (headroom, percent): (&Headroom, &[i64]),
) -> Result<Vec<Point>, NotEnough> {
    let tasks = tasks.iter().enumerate();
    let pending: Vec<Task> = tasks.map(|(number, shape)| task(number, *shape)).collect();
    let snapshot = Snapshot {
        machines: machines.to_vec(),
        ..Snapshot::default()
    };
    let there = machines.iter().map(|machine| machine.capacity.model);
    let offered = types.iter().map(|kind| kind.capacity.model);
    let question = Question {
        snapshot: &snapshot,
        pending: &pending,
        types,
        headroom,
        policy: Policy::FirstFit,
        seed: 1,
        measure: &Measure::new(&[], there.chain(offered)),
    };
    grow(&question, &moments(percent))
}

#[test]
fn the_cheapest_mix_of_two_types() {
    let types = [kind("small", 4, 0, 1000), kind("big", 16, 0, 3500)];
    let mix = |machines: &[Machine], tasks: usize, headroom: Headroom| {
        let tasks = vec![shape(1000, 0, 0, 0); tasks];
        let points = grown(machines, &tasks, &types, (&headroom, &[0])).unwrap();
        // These are so small that the bound is what must be paid.
        assert_eq!(points[0].price_milli, points[0].bound_milli);
        (points[0].mix.clone(), points[0].price_milli)
    };
    let none = Headroom::default;
    assert_eq!(mix(&[], 0, none()), (vec![0, 0], 0));
    assert_eq!(mix(&[], 12, none()), (vec![3, 0], 3000));
    assert_eq!(mix(&[], 16, none()), (vec![0, 1], 3500));
    assert_eq!(mix(&[], 17, none()), (vec![1, 1], 4500));
    // What is there costs nothing.
    assert_eq!(
        mix(&[machine(0, 4000, 0, 0)], 16, none()),
        (vec![3, 0], 3000)
    );
    // A fifth of 20 cpus is left.
    let fifth = Headroom {
        percent: 20,
        ..none()
    };
    assert_eq!(mix(&[], 16, fifth), (vec![1, 1], 4500));
    // Room for one of 16 cpus more.
    let room = Headroom {
        shapes: vec![(shape(16_000, 0, 0, 0), 1)],
        ..none()
    };
    assert_eq!(mix(&[], 4, room), (vec![1, 1], 4500));
}

#[test]
fn what_was_bought_is_kept() {
    let types = [kind("small", 4, 0, 1000), kind("big", 16, 0, 3500)];
    let tasks = vec![shape(1000, 0, 0, 0); 8];
    let points = grown(
        &[],
        &tasks,
        &types,
        (&Headroom::default(), &[0, 100, 50, 200]),
    );
    let points = points.unwrap();
    let mixes: Vec<&[usize]> = points.iter().map(|point| point.mix.as_slice()).collect();
    // All at once, sixteen would be one big machine.
    assert_eq!(mixes, [[2, 0], [4, 0], [4, 0], [6, 0]]);
    let figures: Vec<_> = points.iter().map(|p| (p.tasks, p.bound_milli)).collect();
    assert_eq!(figures, [(8, 2000), (16, 3500), (16, 3500), (24, 5500)]);
}

#[test]
fn what_cannot_be_bought_is_named() {
    let mut types = [kind("small", 4, 0, 1000)];
    let none = Headroom::default();
    let large = grown(&[], &[shape(5000, 0, 0, 0)], &types, (&none, &[0]));
    let large = large.unwrap_err().to_string();
    assert!(large.contains("t0000 (5 cpus"), "{large}");
    let gpu = grown(&[], &[shape(1000, 0, 1, 1000)], &types, (&none, &[0]));
    assert!(matches!(gpu, Err(NotEnough::TooLarge { .. })));
    types[0].most = Some(2);
    let many = grown(&[], &[shape(4000, 0, 0, 0); 3], &types, (&none, &[0]));
    assert_eq!(many, Err(NotEnough::TooFew("0%".to_owned())));
}

#[test]
fn constraints_count_for_what_is_bought() {
    let types = [kind("big", 16, 0, 3500)];
    let pending: Vec<Task> = (0..3)
        .map(|number| Task {
            application: Arc::from("web"),
            ..task(number, shape(1000, 0, 0, 0))
        })
        .collect();
    let unique = "hostname:UNIQUE".parse::<Constraint>().unwrap();
    // One of the two that are there takes no tasks.
    let mut closed = machine(1, 4000, 0, 0);
    closed.closed = true;
    let snapshot = Snapshot {
        machines: vec![machine(0, 4000, 0, 0), closed],
        constraints: BTreeMap::from([(Arc::from("web"), vec![unique])]),
        ..Snapshot::default()
    };
    let question = Question {
        snapshot: &snapshot,
        pending: &pending,
        types: &types,
        headroom: &Headroom::default(),
        policy: Policy::BestFit,
        seed: 1,
        measure: &Measure::new(&[], [Models::default()]),
    };
    let points = grow(&question, &moments(&[0, 100])).unwrap();
    let mixes: Vec<&[usize]> = points.iter().map(|point| point.mix.as_slice()).collect();
    assert_eq!(mixes, [[2], [5]]);
    assert_eq!(points[1].capacity.machines, 6);
}

/// Whether tasks fit on machines, however they are placed.
fn fits(free: &mut Vec<Free>, tasks: &[Shape]) -> bool {
    let Some((first, rest)) = tasks.split_first() else {
        return true;
    };
    for place in 0..free.len() {
        let before = free[place];
        // Machines that are alike are all as good.
        if !before.fits(first) || free[..place].contains(&before) {
            continue;
        }
        for devices in devices_for(&before, first) {
            free[place].take(first, devices);
            let found = fits(free, rest);
            free[place] = before;
            if found {
                return true;
            }
        }
    }
    false
}

fn devices_for(free: &Free, shape: &Shape) -> Vec<Devices> {
    if !shape.is_share() {
        return vec![free.usual_devices(shape)];
    }
    let devices = free.devices().iter().enumerate();
    let devices = devices.filter(|(_, device)| **device >= shape.gpu_milli);
    devices.map(|(bit, _)| Devices(1 << bit)).collect()
}

fn a_picky_shape() -> impl Strategy<Value = Shape> {
    (a_shape(), 0_u64..4).prop_map(|(shape, models)| match shape.gpus {
        0 => shape,
        _ => Shape {
            models: Models(models),
            ..shape
        },
    })
}

fn some_machines(most: usize) -> impl Strategy<Value = Vec<Machine>> {
    prop::collection::vec((2_i64..9, 2_i64..9, 0_usize..4, 0_u32..2), 1..=most).prop_map(
        |machines| {
            let machines = machines.into_iter().enumerate();
            machines
                .map(|(number, (cpus, memory, gpus, model))| {
                    let mut machine = machine(number, cpus * 1000, memory * 512, gpus);
                    machine.capacity.model = Models(1 << model);
                    machine
                })
                .collect()
        },
    )
}

fn some_types() -> impl Strategy<Value = Vec<MachineType>> {
    let prices = prop::collection::vec((1_i64..9, prop::option::of(0_usize..3)), 2);
    (some_machines(2), prices).prop_map(|(machines, prices)| {
        let all = machines.into_iter().zip(prices);
        all.map(|(machine, (price, most))| MachineType {
            name: machine.name,
            capacity: machine.capacity,
            attributes: BTreeMap::new(),
            price_milli: 500 * price,
            most,
        })
        .collect()
    })
}

/// The least price at which all tasks have a place, looking at every mix of at most so many
/// machines of each type that costs less than `below`.
fn cheapest(types: &[MachineType], tasks: &[Shape], below: i64) -> i64 {
    let each = |kind: &MachineType| {
        let most = kind.most.unwrap_or(usize::MAX);
        0..=most
            .min((below / kind.price_milli) as usize)
            .min(tasks.len())
    };
    let second = types.get(1);
    let mut best = below;
    for first in each(&types[0]) {
        for other in second.map_or(0..=0, each) {
            let price = first as i64 * types[0].price_milli
                + second.map_or(0, |kind| other as i64 * kind.price_milli);
            if price >= best {
                continue;
            }
            let mut free = vec![Free::all_of(&types[0].capacity); first];
            free.extend(
                second
                    .iter()
                    .flat_map(|kind| std::iter::repeat_n(Free::all_of(&kind.capacity), other)),
            );
            if fits(&mut free, tasks) {
                best = price;
            }
        }
    }
    best
}

proptest! {
    /// Tasks that fit on a machine never weigh more than it, on any scale; also when it is not
    /// empty.
    #[test]
    fn what_fits_weighs_no_more(
        machines in some_machines(4),
        tasks in prop::collection::vec(a_picky_shape(), 1..20),
        filled in 0_usize..4,
    ) {
        let empty = free(&machines);
        let all = scales(&by_shape(&tasks), &empty);
        for mut free in empty {
            let mut weights = vec![0; all.len()];
            let mut rooms: Vec<i64> = all.iter().map(|scale| scale.of_room(&free)).collect();
            for (number, task) in tasks.iter().enumerate() {
                if number == filled {
                    rooms = all.iter().map(|scale| scale.of_room(&free)).collect();
                    weights.fill(0);
                }
                if !free.fits(task) {
                    continue;
                }
                free.take(task, free.usual_devices(task));
                for (weight, scale) in weights.iter_mut().zip(&all) {
                    *weight += scale.of_task(task);
                }
            }
            for (index, scale) in all.iter().enumerate() {
                prop_assert!(weights[index] <= rooms[index], "{scale:?}");
            }
        }
    }

    /// No fewer machines are enough than the bound says, however tasks are placed.
    #[test]
    fn no_fewer_machines_are_enough(
        machines in some_machines(4),
        tasks in prop::collection::vec(a_picky_shape(), 1..6),
    ) {
        let bound = least(&tasks, &machines, 0);
        for kept in 0_u32..1 << machines.len() {
            let all = machines.iter().enumerate();
            let some = all.filter(|(place, _)| kept >> place & 1 == 1);
            let mut some: Vec<Free> = some.map(|(_, machine)| machine.free()).collect();
            if fits(&mut some, &tasks) {
                let bound = bound.expect("some machines are enough, so all are");
                prop_assert!(bound <= some.len(), "{bound} of {}", some.len());
            }
        }
    }

    /// Compaction never claims fewer machines than the bound, with all that may stay without a
    /// place left out.
    #[test]
    fn compaction_never_claims_fewer(
        cluster in a_cluster(),
        policy in a_policy(),
        seed in 0_u64..9,
    ) {
        let measure = cluster.measure();
        let order = Order::by_name(&cluster);
        let compaction = Compaction::new(&cluster, &order, &measure, policy, u32::MAX);
        let shapes: Vec<Shape> = cluster.tasks.iter().map(|task| task.shape).collect();
        let bound = least(&shapes, &cluster.machines, compaction.allowed_pending());
        if let Some(machines) = compaction.machines(seed) {
            prop_assert!(bound.is_some_and(|bound| bound <= machines), "{bound:?} {machines}");
        }
    }

    /// A mix works when all is placed once more, from scratch; it costs no less than the bound, nor
    /// than the cheapest of all; and the bound is never above that.
    #[test]
    fn no_mix_is_cheaper_than_the_bound(
        types in some_types(),
        tasks in prop::collection::vec(a_picky_shape(), 1..5),
    ) {
        let found = grown(&[], &tasks, &types, (&Headroom::default(), &[0]));
        let cheapest = cheapest(&types, &tasks, 1 << 20);
        let Ok(points) = found else {
            return Ok(());
        };
        let point = &points[0];
        let machines = types.iter().zip(&point.mix);
        let machines = machines.flat_map(|(kind, count)| {
            std::iter::repeat_n(Free::all_of(&kind.capacity), *count)
        });
        let mut free: Vec<Free> = machines.collect();
        for task in &tasks {
            let there = free.iter_mut().find(|free| free.fits(task)).expect("it has a place");
            there.take(task, there.usual_devices(task));
        }
        let allowed = |(kind, count): (&MachineType, &usize)| {
            kind.most.is_none_or(|most| *count <= most)
        };
        prop_assert!(types.iter().zip(&point.mix).all(allowed));
        prop_assert!(point.bound_milli <= cheapest, "{} {cheapest}", point.bound_milli);
        prop_assert!(cheapest <= point.price_milli, "{cheapest} {}", point.price_milli);
    }

    /// As a workload grows nothing is sold, tasks that have a place keep it, headroom is left, and
    /// each price is at least its bound.
    #[test]
    fn growth_only_adds(
        cluster in a_cluster(),
        types in some_types(),
        percent in prop::collection::vec(0_i64..200, 1..4),
        headroom in prop_oneof![Just(0_i64), Just(15)],
        policy in a_policy(),
    ) {
        let models = types.iter().map(|kind| kind.capacity.model).chain([Models::default()]);
        let measure = Measure::new(&cluster.classes(), models);
        let order = Order::by_name(&cluster);
        let (snapshot, pending) =
            Snapshot::filled(&cluster, &order, &measure, policy, (u32::MAX, 1));
        let headroom = Headroom { percent: headroom, shapes: Vec::new() };
        let question = Question {
            snapshot: &snapshot,
            pending: &pending,
            types: &types,
            headroom: &headroom,
            policy,
            seed: 1,
            measure: &measure,
        };
        let Ok(points) = grow(&question, &moments(&percent)) else {
            return Ok(());
        };
        let mut before = vec![0; types.len()];
        for point in &points {
            prop_assert!(before.iter().zip(&point.mix).all(|(before, now)| before <= now));
            prop_assert!(point.bound_milli <= point.price_milli);
            prop_assert!(100 * point.free.cpu_milli >= headroom.percent * point.capacity.cpu_milli);
            prop_assert!(100 * point.free.gpu_milli >= headroom.percent * point.capacity.gpu_milli);
            before.clone_from(&point.mix);
        }
        let again = grow(&question, &moments(&percent));
        prop_assert_eq!(again, Ok(points));
    }
}

/// The workload of a snapshot is what its tasks were.
#[test]
fn a_filled_cluster_accounts_for_every_task() {
    let tasks = vec![task(0, shape(3000, 0, 0, 0)), task(1, shape(3000, 0, 0, 0))];
    let workload = Workload::new(vec![machine(0, 4000, 0, 0)], tasks, Vec::new());
    let (order, measure) = (Order::by_name(&workload), workload.measure());
    let (snapshot, pending) =
        Snapshot::filled(&workload, &order, &measure, Policy::FirstFit, (u32::MAX, 1));
    assert_eq!((snapshot.running.len(), pending.len()), (1, 1));
    assert_eq!(snapshot.workload().tasks, [workload.tasks[0].clone()]);
}

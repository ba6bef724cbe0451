//! What can be switched off and which moves free the most: small exact cases, and that all that is
//! claimed holds when it is carried out.

mod clusters;

use clusters::{a_cluster, a_policy, a_shape, machine, shape, task};
use proptest::prelude::*;
use std::sync::Arc;
use tepui_core::placement::{Devices, Free, GPUS_MAX, Measure, Policy};
use tepui_sim::capacity::amounts::{Amounts, Resource};
use tepui_sim::capacity::compact::{Compaction, Soft, soften};
use tepui_sim::capacity::constraints::Constraint;
use tepui_sim::capacity::defragment::{Defragmented, Figures, Goal, Limits, defragment};
use tepui_sim::capacity::drain::drain;
use tepui_sim::capacity::fit::fit_more;
use tepui_sim::capacity::machine::Machine;
use tepui_sim::capacity::moves::{Blocked, CostBy, Exempt, Move, Terms, carry_out};
use tepui_sim::capacity::roles::Roles;
use tepui_sim::capacity::rules::Demand;
use tepui_sim::capacity::snapshot::{Running, Snapshot};
use tepui_sim::capacity::task::Task;
use tepui_sim::capacity::workload::{Order, Workload};

/// Machines, and on which of them tasks of so many cpus run.
fn cpus(machines: Vec<Machine>, running: &[(usize, i64)]) -> Snapshot {
    let running = running.iter().enumerate();
    let running = running.map(|(number, (machine, cpus))| Running {
        task: task(number, shape(1000 * cpus, 0, 0, 0)),
        machine: *machine,
        ..Running::default()
    });
    Snapshot {
        running: running.collect(),
        machines,
        ..Snapshot::default()
    }
}

fn of_four_cpus(count: usize) -> Vec<Machine> {
    (0..count)
        .map(|number| machine(number, 4000, 0, 0))
        .collect()
}

fn free_terms(snapshot: &Snapshot) -> Terms {
    Terms::new(snapshot, &Exempt::default(), CostBy::Tasks).unwrap()
}

#[test]
fn the_cheapest_machines_are_given_up_together() {
    // Five cpus in use need two machines of four.
    let snapshot = cpus(of_four_cpus(4), &[(0, 1), (1, 1), (1, 1), (2, 2)]);
    let measure = snapshot.workload().measure();
    let drained = drain(
        &snapshot,
        &free_terms(&snapshot),
        &measure,
        Policy::FirstFit,
        1,
    );
    let together: Vec<bool> = drained
        .machines
        .iter()
        .map(|machine| machine.together)
        .collect();
    assert_eq!(together, [true, false, false, true]);
    assert!(drained.machines.iter().all(|machine| machine.alone));
    let moved = Move {
        task: 0,
        from: 0,
        to: 1,
        devices: Devices::default(),
    };
    assert_eq!((drained.moves, drained.cost), (vec![moved], 1));
    assert_eq!((drained.freed.machines, drained.freed.cpu_milli), (2, 8000));
}

#[test]
fn what_must_stay_holds_its_machine() {
    let mut snapshot = cpus(of_four_cpus(3), &[(0, 1), (1, 1), (2, 1)]);
    snapshot.running[0].pinned = true;
    let measure = snapshot.workload().measure();
    let drained = |exempt: &Exempt| {
        let terms = Terms::new(&snapshot, exempt, CostBy::Tasks).unwrap();
        let drained = drain(&snapshot, &terms, &measure, Policy::FirstFit, 1);
        drained
            .machines
            .iter()
            .map(|machine| machine.together)
            .collect::<Vec<bool>>()
    };
    assert_eq!(drained(&Exempt::default()), [false, true, true]);
    let exempt = |machines: &[usize], applications: &[&str]| Exempt {
        machines: machines
            .iter()
            .map(|number| format!("m{number:04}"))
            .collect(),
        applications: applications.iter().map(|name| (*name).to_owned()).collect(),
        ..Exempt::default()
    };
    assert_eq!(drained(&exempt(&[1], &[])), [false, false, true]);
    assert_eq!(drained(&exempt(&[], &["a2"])), [false, true, false]);
    // The one that is left alone takes nothing either, and the one with the pinned task is full.
    snapshot.running[0].task.shape.cpu_milli = 4000;
    let terms = Terms::new(&snapshot, &exempt(&[1], &[]), CostBy::Tasks).unwrap();
    let drained = drain(&snapshot, &terms, &measure, Policy::FirstFit, 1);
    assert_eq!(drained.freed.machines, 0);
    let wrong = Terms::new(&snapshot, &exempt(&[7], &[]), CostBy::Tasks).unwrap_err();
    assert!(wrong.to_string().contains("m0000, m0001, m0002"), "{wrong}");
}

#[test]
fn a_move_needs_room_before_the_task_leaves() {
    let snapshot = cpus(of_four_cpus(2), &[(0, 3), (1, 3)]);
    let step = |task, from, to| Move {
        task,
        from,
        to,
        devices: Devices::default(),
    };
    let swap = [step(0, 0, 1), step(1, 1, 0)];
    assert_eq!(carry_out(&snapshot, &swap), Err(Blocked::NoRoom(0)));
    assert_eq!(
        carry_out(&snapshot, &[step(0, 1, 0)]),
        Err(Blocked::NotThere(0))
    );
    assert_eq!(
        carry_out(&snapshot, &[step(0, 0, 0)]),
        Err(Blocked::NoRoom(0))
    );
    assert_eq!(
        carry_out(&snapshot, &[step(0, 0, 9)]),
        Err(Blocked::NoRoom(0))
    );
    assert_eq!(
        carry_out(&snapshot, &[step(9, 0, 1)]),
        Err(Blocked::NotThere(0))
    );
}

fn freed(snapshot: &Snapshot, measure: &Measure, goal: Goal, limits: (usize, f64)) -> Defragmented {
    let (moves, min_benefit) = limits;
    let limits = Limits { moves, min_benefit };
    defragment(snapshot, &free_terms(snapshot), measure, goal, limits)
}

#[test]
fn two_halves_on_two_gpus_become_a_whole_one() {
    let machines = vec![machine(0, 8000, 0, 1), machine(1, 8000, 0, 1)];
    let half = |number| Running {
        task: task(number, shape(1000, 0, 1, 500)),
        machine: number,
        devices: Devices(1),
        pinned: false,
    };
    let snapshot = Snapshot {
        running: vec![half(0), half(1)],
        machines: machines.clone(),
        ..Snapshot::default()
    };
    // Only tasks with a whole GPU come.
    let whole = vec![task(0, shape(1000, 0, 1, 1000))];
    let measure = Workload::new(machines, whole, Vec::new()).measure();
    let found = freed(&snapshot, &measure, Goal::Fragments, (5, 0.0));
    assert_eq!(found.moves().count(), 1);
    assert_eq!((found.benefit(), found.cost()), (1000, 1));
    assert_eq!((found.before.f_count, found.after.f_count), (1000, 0));
    assert_eq!(
        (found.before.idle_gpu_milli, found.after.idle_gpu_milli),
        (1000, 1000)
    );
    assert_eq!(
        freed(&snapshot, &measure, Goal::Fragments, (5, 1.1)).groups,
        []
    );
    assert_eq!(
        freed(&snapshot, &measure, Goal::Fragments, (0, 0.0)).groups,
        []
    );
}

#[test]
fn the_cheapest_machine_is_emptied_onto_the_fullest() {
    let snapshot = cpus(of_four_cpus(3), &[(0, 1), (0, 1), (1, 1), (2, 3)]);
    let measure = snapshot.workload().measure();
    let found = freed(&snapshot, &measure, Goal::Machines, (9, 0.0));
    let moves: Vec<Move> = found.moves().copied().collect();
    assert_eq!(
        moves,
        [Move {
            task: 2,
            from: 1,
            to: 2,
            devices: Devices::default()
        }]
    );
    assert_eq!(
        (found.before.empty_machines, found.after.empty_machines),
        (0, 1)
    );
}

#[test]
fn room_for_a_shape_is_made_by_as_few_moves_as_it_needs() {
    let snapshot = cpus(of_four_cpus(3), &[(0, 1), (0, 1), (0, 1), (1, 3), (2, 3)]);
    let measure = snapshot.workload().measure();
    let room = |cpus: i64, limits| {
        let goal = Goal::Headroom(shape(1000 * cpus, 0, 0, 0));
        let found = freed(&snapshot, &measure, goal, limits);
        assert_eq!(found.before.headroom, Some(0));
        assert_eq!(found.after.headroom, Some(found.benefit()));
        (found.moves().count(), found.benefit())
    };
    assert_eq!(room(2, (9, 0.0)), (1, 1));
    assert_eq!(room(3, (9, 0.0)), (2, 1));
    assert_eq!(room(3, (1, 0.0)), (0, 0));
    assert_eq!(room(3, (9, 0.6)), (0, 0));
    assert_eq!(room(4, (9, 0.0)), (0, 0));
}

#[test]
fn soft_constraints_hold_no_machines() {
    let tasks = (0..8).map(|number| task(number, shape(1000, 0, 0, 0)));
    // Six on a host each, of an application that is larger than half of the cluster, and two.
    let tasks = tasks.map(|one| Task {
        application: Arc::from(if one.name.as_str() < "t0006" {
            "large"
        } else {
            "small"
        }),
        ..one
    });
    let unique = || vec!["hostname:UNIQUE".parse::<Constraint>().unwrap()];
    let constraints = ["large", "small"].map(|name| (Arc::from(name), unique()));
    let roles = Roles::default();
    let tasks = tasks.collect();
    let hard = Workload::ruled(
        of_four_cpus(8),
        tasks,
        Vec::new(),
        roles,
        constraints.into(),
    );
    let needed = |workload: &Workload| {
        let (order, measure) = (Order::by_name(workload), workload.measure());
        let compaction = Compaction::new(workload, &order, &measure, Policy::FirstFit, u32::MAX);
        assert_eq!(compaction.bound().map(|bound| bound.machines), Some(2));
        compaction.machines(1)
    };
    assert_eq!(needed(&hard), Some(6));
    let (large, softened) = soften(&hard, Soft::Large);
    // First fit leaves one of the two small ones on a third.
    assert_eq!((needed(&large), softened), (Some(3), 1));
    let (all, softened) = soften(&hard, Soft::All);
    assert_eq!((needed(&all), softened), (Some(2), 2));
}

#[test]
fn a_move_heeds_constraints() {
    let mut snapshot = cpus(of_four_cpus(3), &[(0, 1), (1, 1), (2, 1)]);
    for running in &mut snapshot.running {
        running.task.application = Arc::from("web");
    }
    let unique = "hostname:UNIQUE".parse::<Constraint>().unwrap();
    snapshot.constraints.insert(Arc::from("web"), vec![unique]);
    let step = Move {
        task: 0,
        from: 0,
        to: 1,
        devices: Devices::default(),
    };
    assert_eq!(carry_out(&snapshot, &[step]), Err(Blocked::NoRoom(0)));
    let measure = snapshot.workload().measure();
    let drained = drain(
        &snapshot,
        &free_terms(&snapshot),
        &measure,
        Policy::FirstFit,
        1,
    );
    assert_eq!(drained.freed.machines, 0);
    assert_eq!(
        freed(&snapshot, &measure, Goal::Machines, (9, 0.0)).groups,
        []
    );
}

/// Racks, reservations, and constraints of two applications.
fn ruled(cluster: Workload, spread: bool) -> Workload {
    let mut machines = cluster.machines;
    for (number, machine) in machines.iter_mut().enumerate() {
        let rack = format!("r{}", number % 3);
        machine.attributes.insert("rack".to_owned(), rack);
        if number % 2 == 1 {
            let mut reserved = Amounts::default();
            reserved[Resource::Cpu] = machine.capacity.cpu_milli / 2;
            machine.reserved.insert(Arc::from("web"), reserved);
        }
    }
    let mut tasks = cluster.tasks;
    for task in tasks.iter_mut().step_by(4) {
        task.role = Arc::from("web");
    }
    let constraints = match spread {
        true => vec![("a0", "rack:GROUP_BY:2"), ("a1", "hostname:MAX_PER:2")],
        false => vec![("a0", "rack:CLUSTER"), ("a1", "hostname:UNIQUE")],
    };
    let constraints = constraints.into_iter().map(|(application, constraint)| {
        let constraint = constraint.parse::<Constraint>().unwrap();
        (Arc::from(application), vec![constraint])
    });
    Workload::ruled(
        machines,
        tasks,
        cluster.models,
        cluster.roles,
        constraints.collect(),
    )
}

fn a_snapshot() -> impl Strategy<Value = (Snapshot, Measure)> {
    let rules = prop::option::of(any::<bool>());
    (a_cluster(), a_policy(), 0_u64..9, rules).prop_map(|(cluster, policy, seed, rules)| {
        let cluster = match rules {
            Some(spread) => ruled(cluster, spread),
            None => cluster,
        };
        let measure = cluster.measure();
        // Two in three, so that there is room to move.
        let mut order = Order::by_name(&cluster);
        order.arrivals.retain(|task| task % 3 != 2);
        let (snapshot, _) = Snapshot::filled(&cluster, &order, &measure, policy, (u32::MAX, seed));
        (snapshot, measure)
    })
}

fn an_exempt() -> impl Strategy<Value = (bool, bool)> {
    (any::<bool>(), any::<bool>())
}

/// Leaves the first machine or the tasks of one application alone.
fn terms(snapshot: &Snapshot, (machine, application): (bool, bool), by: CostBy) -> Terms {
    let mut exempt = Exempt::default();
    if machine {
        exempt.machines.push(snapshot.machines[0].name.clone());
    }
    if application
        && snapshot
            .running
            .iter()
            .any(|running| &*running.task.application == "a1")
    {
        exempt.applications.push("a1".to_owned());
    }
    Terms::new(snapshot, &exempt, by).unwrap()
}

/// Nothing is moved that must stay, and nothing goes where nothing may.
fn heeds(moves: &[Move], terms: &Terms) -> bool {
    let heeds =
        |step: &Move| terms.movable[step.task] && terms.open[step.to] && !terms.exempt[step.to];
    moves.iter().all(heeds)
}

proptest! {
    /// What is given up is empty after the moves, which can be carried out in order; only machines
    /// that stay gain tasks, and what must stay does.
    #[test]
    fn what_is_given_up_is_empty_after_the_moves(
        (snapshot, measure) in a_snapshot(),
        policy in a_policy(),
        exempt in an_exempt(),
    ) {
        let terms = terms(&snapshot, exempt, CostBy::Memory);
        let drained = drain(&snapshot, &terms, &measure, policy, 3);
        prop_assert!(heeds(&drained.moves, &terms));
        let after = carry_out(&snapshot, &drained.moves).unwrap();
        for running in &after.running {
            prop_assert!(!drained.machines[running.machine].together);
        }
        for step in &drained.moves {
            prop_assert!(drained.machines[step.from].together);
        }
        for (place, machine) in drained.machines.iter().enumerate() {
            prop_assert!(machine.alone || !machine.together);
            let empty = snapshot.running.iter().all(|running| running.machine != place);
            prop_assert!(machine.together || machine.held || !empty);
        }
        // Without constraints and limits, any order will do.
        let mut backwards = drained.moves.clone();
        backwards.reverse();
        let free = snapshot.constraints.is_empty();
        prop_assert!(!free || carry_out(&snapshot, &backwards).is_ok());
    }

    /// Moves can be carried out one after another, nothing is moved twice or although it must stay,
    /// and each group brings what it claims, computed from scratch.
    #[test]
    fn moves_bring_what_they_claim(
        (snapshot, measure) in a_snapshot(),
        goal in a_goal(),
        limits in (0_usize..9, prop_oneof![Just(0.0), Just(0.05)]),
        exempt in an_exempt(),
    ) {
        let terms = terms(&snapshot, exempt, CostBy::Memory);
        let limits = Limits { moves: limits.0, min_benefit: limits.1 / 1000.0 };
        let found = defragment(&snapshot, &terms, &measure, goal, limits);
        let moves: Vec<Move> = found.moves().copied().collect();
        prop_assert!(moves.len() <= limits.moves);
        prop_assert!(heeds(&moves, &terms));
        let tasks: std::collections::BTreeSet<usize> = moves.iter().map(|step| step.task).collect();
        prop_assert_eq!(tasks.len(), moves.len());
        let mut now = snapshot.clone();
        for group in &found.groups {
            let after = carry_out(&now, &group.moves).unwrap();
            let gained = worth(&after, &measure, goal) - worth(&now, &measure, goal);
            prop_assert_eq!(group.benefit, gained);
            let cost: i64 = group.moves.iter().map(|step| terms.cost[step.task]).sum();
            prop_assert_eq!(group.cost, cost);
            let least = limits.min_benefit * cost as f64 * goal.unit(&measure) as f64;
            prop_assert!(gained > 0 && gained as f64 >= least);
            now = after;
        }
        prop_assert_eq!(found.before, Figures::of(&snapshot, &measure, &goal));
        prop_assert_eq!(found.after, Figures::of(&now, &measure, &goal));
    }

    /// The first move is the best of all, as trying each of them shows.
    #[test]
    fn one_move_is_the_best_there_is((snapshot, measure) in a_snapshot(), goal in a_goal()) {
        let terms = free_terms(&snapshot);
        let limits = Limits { moves: 1, min_benefit: 0.0 };
        let found = defragment(&snapshot, &terms, &measure, goal, limits);
        let before = worth(&snapshot, &measure, goal);
        let mut best = 0;
        for (number, running) in snapshot.running.iter().enumerate() {
            for to in 0..snapshot.machines.len() {
                for devices in devices_for(&snapshot, running, to) {
                    let step = Move { task: number, from: running.machine, to, devices };
                    if let Ok(after) = carry_out(&snapshot, &[step]) {
                        best = best.max(worth(&after, &measure, goal) - before);
                    }
                }
            }
        }
        prop_assert_eq!(found.benefit(), best);
    }
}

fn a_goal() -> impl Strategy<Value = Goal> {
    prop_oneof![
        Just(Goal::Fragments),
        Just(Goal::Machines),
        a_shape().prop_map(Goal::Headroom),
    ]
}

/// What a search for this goal makes larger, from scratch.
fn worth(snapshot: &Snapshot, measure: &Measure, goal: Goal) -> i64 {
    let free = snapshot.free();
    match goal {
        Goal::Fragments => -free
            .iter()
            .map(|free| measure.by_definition(free))
            .sum::<i64>(),
        Goal::Machines => Figures::of(snapshot, measure, &goal).empty_machines as i64,
        Goal::Headroom(shape) => {
            let (rules, tenant) = (
                snapshot.rules(),
                Demand {
                    shape,
                    ..Demand::default()
                },
            );
            let tenant = rules.tenant(&tenant);
            let views = free.iter().enumerate();
            let views: Vec<Free> = views
                .map(|(n, free)| rules.view(n, free, &tenant))
                .collect();
            fit_more(&views, &shape)
        }
    }
}

/// All single devices for a share, and the usual ones for whole GPUs.
fn devices_for(snapshot: &Snapshot, running: &Running, to: usize) -> Vec<Devices> {
    let shape = &running.task.shape;
    match shape.is_share() {
        true => (0..GPUS_MAX).map(|bit| Devices(1 << bit)).collect(),
        false => vec![snapshot.free()[to].usual_devices(shape)],
    }
}

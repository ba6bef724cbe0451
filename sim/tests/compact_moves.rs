//! What can be switched off and which moves free the most: small exact cases, and that all that is
//! claimed holds when it is carried out.

mod clusters;

use clusters::{a_cluster, a_policy, machine, shape, task};
use proptest::prelude::*;
use tepui_core::placement::{Devices, Policy};
use tepui_sim::capacity::drain::drain;
use tepui_sim::capacity::machine::Machine;
use tepui_sim::capacity::moves::{Blocked, CostBy, Exempt, Move, Terms, carry_out};
use tepui_sim::capacity::snapshot::{Running, Snapshot};
use tepui_sim::capacity::workload::Order;

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

fn a_snapshot() -> impl Strategy<Value = (Snapshot, tepui_core::placement::Measure)> {
    (a_cluster(), a_policy(), 0_u64..9).prop_map(|(cluster, policy, seed)| {
        let measure = cluster.measure();
        let order = Order::by_name(&cluster);
        // Two in three, so that there is room to move.
        let mut order = order;
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
        let mut backwards = drained.moves.clone();
        backwards.reverse();
        prop_assert!(carry_out(&snapshot, &backwards).is_ok());
    }
}

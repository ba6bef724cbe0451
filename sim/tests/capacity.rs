//! The planner's rules on small cases, and against slow and plain versions of themselves.

mod clusters;

use clusters::{a_cluster, a_shape, machine, shape};
use proptest::prelude::*;
use tepui_core::placement::{Free, Policy};
use tepui_sim::capacity::compact::Compaction;
use tepui_sim::capacity::fit::{Lacks, by_totals, fit_more, on_machine};
use tepui_sim::capacity::machine::Machine;
use tepui_sim::capacity::placer::Placer;
use tepui_sim::capacity::workload::Order;

fn empty(machines: &[Machine]) -> Vec<Free> {
    machines.iter().map(Machine::free).collect()
}

#[test]
fn small_tasks_fill_each_machine_not_the_sum() {
    let free = empty(&[0, 1, 2, 3].map(|number| machine(number, 2000, 0, 0)));
    let asked = shape(150, 0, 0, 0);
    assert_eq!(on_machine(&free[0], &asked), (13, Lacks::Cpu));
    assert_eq!(fit_more(&free, &asked), 52);
    assert_eq!(by_totals(&free, &asked), 53);
}

#[test]
fn what_is_free_in_pieces_is_of_no_use_to_what_is_large() {
    let free = empty(&[0, 1, 2, 3].map(|number| machine(number, 8000, 1024, 0)));
    let asked = shape(100, 2048, 0, 0);
    assert_eq!(fit_more(&free, &asked), 0);
    assert_eq!(by_totals(&free, &asked), 2);
    assert!(
        free.iter()
            .all(|f| on_machine(f, &asked) == (0, Lacks::Memory))
    );

    let free = empty(&[1, 2, 1].map(|gpus| machine(0, 8000, 1024, gpus)));
    let asked = shape(100, 10, 4, 1000);
    assert_eq!(fit_more(&free, &asked), 0);
    assert_eq!(by_totals(&free, &asked), 1);
    assert!(
        free.iter()
            .all(|f| on_machine(f, &asked) == (0, Lacks::Gpu))
    );
}

fn a_policy() -> impl Strategy<Value = Policy> {
    prop::sample::select(
        Policy::all()
            .filter(|p| *p != Policy::Random)
            .collect::<Vec<_>>(),
    )
}

proptest! {
    /// The tournaments choose what looking at every machine would have chosen, and fragments that
    /// are kept are those that their definition gives; also while tasks leave.
    #[test]
    fn what_is_kept_is_what_a_search_finds(
        cluster in a_cluster(),
        policy in a_policy(),
        leaves in prop::collection::vec(any::<bool>(), 60),
    ) {
        let measure = cluster.measure();
        let free = empty(&cluster.machines);
        let mut placer = Placer::new(policy, free, &cluster.shapes, &measure, 1);
        let mut running = Vec::new();
        for (shape, leaves) in cluster.shape_of.iter().zip(leaves) {
            if leaves && !running.is_empty() {
                let (shape, placement) = running.swap_remove(0);
                placer.remove(shape, placement);
            }
            let asked = &cluster.shapes[*shape];
            let mut best: Option<(i64, usize)> = None;
            for (place, free) in placer.free().iter().enumerate() {
                prop_assert_eq!(placer.fragments()[place], measure.by_definition(free));
                if !free.fits(asked) {
                    continue;
                }
                let (score, _) = policy.score(free, asked, &measure, measure.by_definition(free));
                if best.is_none_or(|(most, _)| score > most) {
                    best = Some((score, place));
                }
            }
            let placed = placer.place(*shape);
            prop_assert_eq!(placed.map(|p| p.place), best.map(|(_, place)| place));
            running.extend(placed.map(|placement| (*shape, placement)));
            prop_assert_eq!(placer.fragment(), placer.fragments().iter().sum::<i64>());
        }
    }

    /// So many fit as the formula says, whichever policy places them.
    #[test]
    fn the_formula_is_what_a_simulation_gives(
        cluster in a_cluster(),
        policy in a_policy(),
        asked in a_shape(),
    ) {
        let mut machines = cluster.clone();
        machines.shapes.push(asked);
        let (measure, new) = (cluster.measure(), cluster.shapes.len());
        let free = empty(&cluster.machines);
        let mut placer = Placer::new(policy, free, &machines.shapes, &measure, 1);
        for shape in cluster.shape_of.iter().take(10) {
            placer.place(*shape);
        }
        let formula = fit_more(placer.free(), &asked);
        let mut placed = 0;
        while placer.place(new).is_some() {
            placed += 1;
        }
        prop_assert_eq!(placed, formula);
        prop_assert!(formula <= by_totals(&empty(&cluster.machines), &asked));
    }

    /// Compaction never claims fewer machines than hold the sum of what must be placed.
    #[test]
    fn no_fewer_machines_than_the_sum_needs(cluster in a_cluster(), policy in a_policy()) {
        let measure = cluster.measure();
        let order = Order::by_name(&cluster);
        let compaction = Compaction::new(&cluster, &order, &measure, policy, 10_000);
        let Some(machines) = compaction.machines(7) else {
            return Ok(());
        };
        prop_assert_eq!(compaction.allowed_pending(), 0);
        let need: i64 = cluster.tasks.iter().map(|task| task.shape.cpu_milli).sum();
        let mut cpus: Vec<i64> = cluster.machines.iter().map(|m| m.capacity.cpu_milli).collect();
        cpus.sort_unstable_by_key(|cpu| std::cmp::Reverse(*cpu));
        let most: i64 = cpus.iter().take(machines).sum();
        prop_assert!(most >= need, "{machines} machines have {most} of {need}");
    }
}

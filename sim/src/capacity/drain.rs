//! Which machines could be switched off now: all that runs there has a place elsewhere.
//!
//! Each machine is tried by itself, and then as many as possible together: those first whose tasks
//! cost the least to move. A task that went to a machine which is then given up too goes on from
//! there; what counts is where it is at the end, and that is one move from where it was. Machines
//! that stay only gain tasks, so there is room for each move at any time; constraints that count
//! instances may need the order in which moves are listed.

use super::moves::{Move, Terms, carry_out, largest_first, tasks_by_machine};
use super::parallel::in_parallel;
use super::placer::{Placement, Placer};
use super::snapshot::Snapshot;
use super::workload::Workload;
use tepui_core::placement::{Capacity, Measure, Policy, Shape};

/// How many machines are tried by themselves on one copy of the cluster.
const TRIED_TOGETHER: usize = 128;

/// Whether one machine could be given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drainable {
    /// How many tasks run there.
    pub tasks: usize,
    /// What moving them costs.
    pub cost: i64,
    /// It could be, if it were the only one.
    pub alone: bool,
    /// It is one of those that could be given up all at once.
    pub together: bool,
    /// Something there must stay: a pinned task, or what is exempt.
    pub held: bool,
}

/// Which machines could be given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drained {
    /// For each of [`Snapshot::machines`].
    pub machines: Vec<Drainable>,
    /// How the tasks of those that could be given up all at once are moved.
    pub moves: Vec<Move>,
    /// What these moves cost.
    pub cost: i64,
    /// The sum of what the machines have that could be given up all at once.
    pub freed: Sums,
}

/// What several machines have together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// How many.
    pub machines: usize,
    /// Thousandths of a cpu.
    pub cpu_milli: i64,
    /// MiB of memory.
    pub memory_mib: i64,
    /// MiB of disk.
    pub disk_mib: i64,
    /// Ports.
    pub ports: i64,
    /// Milli of GPUs.
    pub gpu_milli: i64,
}

impl Sums {
    /// One more machine.
    pub fn add(&mut self, capacity: &Capacity) {
        self.machines += 1;
        self.cpu_milli += capacity.cpu_milli;
        self.memory_mib += capacity.memory_mib;
        self.disk_mib += capacity.disk_mib;
        self.ports += capacity.ports;
        self.gpu_milli += capacity.gpu_milli();
    }
}

/// Finds out which machines could be given up, with their tasks placed by a policy.
///
/// # Panics
/// When a move that was found cannot be carried out: that would be a mistake here.
#[must_use]
pub fn drain(
    snapshot: &Snapshot,
    terms: &Terms,
    measure: &Measure,
    policy: Policy,
    seed: u64,
) -> Drained {
    let workload = snapshot.workload();
    let mut machines = candidates(snapshot, terms);
    let order = cheapest_last(snapshot, &machines);
    let cluster = Cluster::new(snapshot, &workload, terms, order, (measure, policy, seed));
    let starts: Vec<usize> = (0..machines.len()).step_by(TRIED_TOGETHER).collect();
    let alone = in_parallel(&starts, |start| {
        let end = (start + TRIED_TOGETHER).min(machines.len());
        let mut cluster = cluster.clone();
        let tried =
            (*start..end).map(|machine| !machines[machine].held && cluster.empty(machine, false));
        tried.collect::<Vec<bool>>()
    });
    for (machine, alone) in machines.iter_mut().zip(alone.into_iter().flatten()) {
        machine.alone = alone;
    }
    let moves = loop {
        let moves = together(cluster.clone(), &mut machines, snapshot);
        match carry_out(snapshot, &moves) {
            Ok(after) => {
                check(&after, &machines);
                break moves;
            }
            // Constraints and limits may allow a task a place at the end of a way that it does not
            // go: then its machine stays.
            Err(blocked) => machines[moves[blocked.number()].from].held = true,
        }
    };
    for machine in &mut machines {
        // Where its tasks are then, they could also be if no other machine were given up.
        machine.alone |= machine.together;
    }
    let mut freed = Sums::default();
    for (machine, drained) in snapshot.machines.iter().zip(&machines) {
        if drained.together {
            freed.add(&machine.capacity);
        }
    }
    Drained {
        cost: moves.iter().map(|step| terms.cost[step.task]).sum(),
        machines,
        moves,
        freed,
    }
}

/// Gives up as many machines as possible, the cheapest first, and says how their tasks move.
fn together(
    mut cluster: Cluster<'_>,
    machines: &mut [Drainable],
    snapshot: &Snapshot,
) -> Vec<Move> {
    let cheapest_first: Vec<usize> = cluster.order.iter().rev().copied().collect();
    for machine in cheapest_first {
        let drained = &mut machines[machine];
        drained.together = !drained.held && cluster.empty(machine, true);
    }
    cluster.moves(snapshot)
}

/// Nothing is left where it should be gone.
fn check(after: &Snapshot, machines: &[Drainable]) {
    let left = after.running.iter();
    let left = left
        .map(|running| running.machine)
        .find(|machine| machines[*machine].together);
    assert_eq!(left, None, "a machine that is given up is empty");
}

fn candidates(snapshot: &Snapshot, terms: &Terms) -> Vec<Drainable> {
    let all = terms.exempt.iter().map(|exempt| Drainable {
        tasks: 0,
        cost: 0,
        alone: false,
        together: false,
        held: *exempt,
    });
    let mut all: Vec<Drainable> = all.collect();
    for (task, running) in snapshot.running.iter().enumerate() {
        let machine = &mut all[running.machine];
        machine.tasks += 1;
        machine.cost += terms.cost[task];
        machine.held |= !terms.movable[task];
    }
    all
}

/// Machines that must stay first, then those with the most to move: tasks had better go where
/// they can stay, and ties go to the first.
fn cheapest_last(snapshot: &Snapshot, machines: &[Drainable]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..snapshot.machines.len()).collect();
    order.sort_by_key(|place| {
        let machine = &machines[*place];
        std::cmp::Reverse((machine.held, machine.cost, machine.tasks, *place))
    });
    order
}

/// A cluster on which machines are given up one after another.
#[derive(Clone)]
struct Cluster<'a> {
    placer: Placer<'a>,
    /// Which machines take tasks as long as they stay.
    open: &'a [bool],
    shapes: &'a [Shape],
    shape_of: &'a [usize],
    /// Which machine is at which place of the placer, and the other way round.
    order: Vec<usize>,
    place_of: Vec<usize>,
    /// Where each task is.
    at: Vec<Placement>,
    /// Which tasks are on each machine.
    tasks: Vec<Vec<usize>>,
    /// The tasks that were moved, in this order; the last time counts.
    moved: Vec<usize>,
}

impl<'a> Cluster<'a> {
    fn new(
        snapshot: &Snapshot,
        workload: &'a Workload,
        terms: &'a Terms,
        order: Vec<usize>,
        (measure, policy, seed): (&'a Measure, Policy, u64),
    ) -> Cluster<'a> {
        let mut place_of = vec![0; order.len()];
        for (place, machine) in order.iter().enumerate() {
            place_of[*machine] = place;
        }
        let mut placer = Placer::of(workload, &order, measure, policy, seed);
        let mut at = Vec::new();
        for (running, shape) in snapshot.running.iter().zip(&workload.shape_of) {
            let placement = Placement {
                place: place_of[running.machine],
                devices: running.devices,
            };
            placer.put(*shape, placement);
            at.push(placement);
        }
        for (place, machine) in order.iter().enumerate() {
            if !terms.open[*machine] {
                placer.close(place, true);
            }
        }
        Cluster {
            placer,
            open: &terms.open,
            shapes: &workload.shapes,
            shape_of: &workload.shape_of,
            order,
            place_of,
            at,
            tasks: tasks_by_machine(snapshot),
            moved: Vec::new(),
        }
    }

    /// Places all tasks of a machine elsewhere, if they all have a place; tells whether they do.
    /// Only if they do and it is to be `kept` so, anything is changed.
    fn empty(&mut self, machine: usize, kept: bool) -> bool {
        let place = self.place_of[machine];
        self.placer.close(place, true);
        let mut tasks = std::mem::take(&mut self.tasks[machine]);
        largest_first(&mut tasks, |task| &self.shapes[self.shape_of[task]]);
        let before: Vec<Placement> = tasks.iter().map(|task| self.at[*task]).collect();
        let mut placed = 0;
        for task in &tasks {
            let shape = self.shape_of[*task];
            let Some(to) = self.placer.place(shape) else {
                break;
            };
            self.placer.remove(shape, self.at[*task]);
            self.at[*task] = to;
            placed += 1;
        }
        let all = placed == tasks.len();
        if all && kept {
            self.moved.extend(&tasks);
            for task in tasks {
                self.tasks[self.order[self.at[task].place]].push(task);
            }
            return true;
        }
        for (task, from) in tasks.iter().zip(before).take(placed) {
            self.placer.remove(self.shape_of[*task], self.at[*task]);
            self.placer.put(self.shape_of[*task], from);
            self.at[*task] = from;
        }
        self.tasks[machine] = tasks;
        self.placer.close(place, !self.open[machine]);
        all
    }

    /// The tasks that are elsewhere now, in the order in which they came to where they are.
    fn moves(&self, snapshot: &Snapshot) -> Vec<Move> {
        let mut seen = vec![false; self.at.len()];
        let mut moves = Vec::new();
        for task in self.moved.iter().rev() {
            let to = self.order[self.at[*task].place];
            let from = snapshot.running[*task].machine;
            if std::mem::replace(&mut seen[*task], true) || to == from {
                continue;
            }
            moves.push(Move {
                task: *task,
                from,
                to,
                devices: self.at[*task].devices,
            });
        }
        moves.reverse();
        moves
    }
}

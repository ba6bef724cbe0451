//! A cluster on which moves are tried out: what each machine is worth towards the goal, and where
//! a task of each shape had best go.

use super::Goal;
use crate::capacity::fit::on_machine;
use crate::capacity::index::{NOWHERE, Tournament};
use crate::capacity::moves::{Move, Terms, tasks_by_machine};
use crate::capacity::rules::{Demand, Rules, Tenant};
use crate::capacity::snapshot::Snapshot;
use crate::capacity::workload::Workload;
use std::cmp::Reverse;
use std::mem::take;
use tepui_core::placement::{Devices, Free, Measure, Shape, best_devices};

/// See the module. Machines are named by their place in `order`: those that are fullest at the
/// beginning come first, because ties go to the first.
#[derive(Clone, Debug)]
pub(super) struct Board<'a> {
    goal: Goal,
    measure: &'a Measure,
    shapes: &'a [Shape],
    shape_of: &'a [usize],
    cost: &'a [i64],
    pub(super) order: Vec<usize>,
    free: Vec<Free>,
    /// Where not everybody may use everything.
    ruled: Option<Ruled>,
    /// How many tasks run on each.
    count: Vec<usize>,
    worth: Vec<i64>,
    /// Whether it takes tasks.
    open: Vec<bool>,
    /// The tasks that may still be moved from each.
    pub(super) left: Vec<Vec<usize>>,
    devices: Vec<Devices>,
    /// One for each shape, of what placing a task of it adds to the worth.
    trees: Vec<Option<Tournament>>,
    changes: Vec<u32>,
    marks: Vec<u64>,
    mark: u64,
}

/// Who may use what.
#[derive(Clone, Debug)]
struct Ruled {
    rules: Rules,
    /// Who asks for each of the shapes.
    tenants: Vec<Tenant>,
    /// Who is to have the room that is wanted.
    wanted: Tenant,
}

/// A move on the board, and what it adds to the worth of all machines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Try {
    pub(super) task: usize,
    from: usize,
    to: usize,
    old: Devices,
    new: Devices,
    pub(super) benefit: i64,
    pub(super) cost: i64,
}

impl<'a> Board<'a> {
    pub(super) fn new(
        snapshot: &Snapshot,
        workload: &'a Workload,
        terms: &'a Terms,
        (measure, goal): (&'a Measure, Goal),
    ) -> Board<'a> {
        let all_free = snapshot.free();
        let mut order: Vec<usize> = (0..all_free.len()).collect();
        let rest = |place: &usize| {
            let free = &all_free[*place];
            (free.gpu_milli, free.cpu_milli, free.memory_mib, *place)
        };
        order.sort_by_key(rest);
        let tasks = tasks_by_machine(snapshot);
        let free: Vec<Free> = order.iter().map(|machine| all_free[*machine]).collect();
        let movable = |machine: &usize| {
            let tasks = tasks[*machine].iter().copied();
            tasks.filter(|task| terms.movable[*task]).collect()
        };
        let mut board = Board {
            goal,
            measure,
            shapes: &workload.shapes,
            shape_of: &workload.shape_of,
            cost: &terms.cost,
            ruled: ruled(snapshot, workload, (goal, &order)),
            count: order.iter().map(|machine| tasks[*machine].len()).collect(),
            worth: Vec::new(),
            open: order.iter().map(|machine| terms.open[*machine]).collect(),
            left: order.iter().map(movable).collect(),
            devices: snapshot
                .running
                .iter()
                .map(|running| running.devices)
                .collect(),
            trees: vec![None; workload.shapes.len()],
            changes: Vec::new(),
            marks: vec![0; order.len()],
            mark: 0,
            order,
            free,
        };
        let places = 0..board.free.len();
        board.worth = places.map(|place| board.worth_now(place)).collect();
        board
    }

    /// What a machine with so much free and so many tasks is worth.
    fn worth_of(&self, place: usize, free: &Free, count: usize) -> i64 {
        match (&self.goal, &self.ruled) {
            (Goal::Fragments, _) => -self.measure.of(free),
            (Goal::Machines, _) => i64::from(count == 0),
            (Goal::Headroom(shape), None) => on_machine(free, shape).0,
            (Goal::Headroom(shape), Some(ruled)) => {
                let view = ruled.rules.view(place, free, &ruled.wanted);
                on_machine(&view, shape).0
            }
        }
    }

    fn worth_now(&self, place: usize) -> i64 {
        self.worth_of(place, &self.free[place], self.count[place])
    }

    /// The best move of a task away from a machine, if it may go anywhere else.
    pub(super) fn best_move(&mut self, task: usize, from: usize) -> Option<Try> {
        let number = self.shape_of[task];
        let shape = self.shapes[number];
        let (to, gained) = self.best_place(number, from)?;
        let (_, new) = self.gain(to, number);
        let mut rest = self.free[from];
        rest.give_back(&shape, self.devices[task]);
        self.count_on_rules(from, number, false);
        let left = self.worth_of(from, &rest, self.count[from] - 1) - self.worth[from];
        self.count_on_rules(from, number, true);
        Some(Try {
            task,
            from,
            to,
            old: self.devices[task],
            new,
            benefit: gained + left,
            cost: self.cost[task],
        })
    }

    /// For the rules, one more or one less of a shape runs on a machine.
    fn count_on_rules(&mut self, place: usize, number: usize, more: bool) {
        let Some(Ruled { rules, tenants, .. }) = &mut self.ruled else {
            return;
        };
        match more {
            true => rules.add(place, &tenants[number]),
            false => rules.remove(place, &tenants[number]),
        }
    }

    /// How far a machine is from worth more without a task: decides between moves that bring
    /// nothing yet. In thousandths of one more task of the wanted shape.
    pub(super) fn nearness(&self, tried: &Try) -> i64 {
        let Goal::Headroom(wanted) = &self.goal else {
            return 0;
        };
        let mut rest = self.free[tried.from];
        rest.give_back(&self.shapes[self.shape_of[tried.task]], tried.old);
        nearness(&rest, wanted)
    }

    /// What a task of this shape adds to the worth of a machine on which it fits.
    fn gain(&mut self, place: usize, number: usize) -> (i64, Devices) {
        self.count_on_rules(place, number, true);
        let (free, shape) = (&self.free[place], &self.shapes[number]);
        let (after, devices) = best_devices(free, shape, |after| {
            self.worth_of(place, after, self.count[place] + 1)
        });
        self.count_on_rules(place, number, false);
        (after - self.worth[place], devices)
    }

    fn allows(&self, place: usize, number: usize) -> bool {
        let free = &self.free[place];
        self.open[place]
            && match &self.ruled {
                None => free.fits(&self.shapes[number]),
                Some(ruled) => ruled.rules.allows(place, free, &ruled.tenants[number]),
            }
    }

    fn best_place(&mut self, number: usize, but: usize) -> Option<(usize, i64)> {
        let ruled = self.ruled.as_ref();
        if ruled.is_some_and(|ruled| ruled.tenants[number].is_bound_elsewhere()) {
            return self.best_place_of_all(number, but);
        }
        let tree = self.trees[number].take();
        let mut tree = tree.unwrap_or_else(|| Tournament::new(self.free.len()));
        let (mut marks, changes) = (take(&mut self.marks), take(&mut self.changes));
        self.mark += 1;
        let mark = self.mark;
        tree.update(&changes, (&mut marks, mark), |place| {
            match self.allows(place, number) {
                true => self.gain(place, number).0,
                false => NOWHERE,
            }
        });
        (self.marks, self.changes) = (marks, changes);
        let found = tree.winner_but(but);
        self.trees[number] = Some(tree);
        found
    }

    /// The same, looking at all machines: what happened on one may decide about all others.
    fn best_place_of_all(&mut self, number: usize, but: usize) -> Option<(usize, i64)> {
        let mut best: Option<(usize, i64)> = None;
        for place in (0..self.free.len()).filter(|place| *place != but) {
            if !self.allows(place, number) {
                continue;
            }
            let (gain, _) = self.gain(place, number);
            if best.is_none_or(|(_, most)| gain > most) {
                best = Some((place, gain));
            }
        }
        best
    }

    /// Moves a task.
    pub(super) fn apply(&mut self, tried: &Try) {
        let number = self.shape_of[tried.task];
        let shape = &self.shapes[number];
        self.free[tried.to].take(shape, tried.new);
        self.free[tried.from].give_back(shape, tried.old);
        self.devices[tried.task] = tried.new;
        self.left[tried.from].retain(|task| *task != tried.task);
        self.count_on_rules(tried.to, number, true);
        self.count_on_rules(tried.from, number, false);
        self.moved(tried.from, tried.to);
    }

    /// Takes a move back.
    pub(super) fn take_back(&mut self, tried: &Try) {
        let number = self.shape_of[tried.task];
        let shape = &self.shapes[number];
        self.free[tried.from].take(shape, tried.old);
        self.free[tried.to].give_back(shape, tried.new);
        self.devices[tried.task] = tried.old;
        self.left[tried.from].push(tried.task);
        self.count_on_rules(tried.from, number, true);
        self.count_on_rules(tried.to, number, false);
        self.moved(tried.to, tried.from);
    }

    fn moved(&mut self, from: usize, to: usize) {
        self.count[from] -= 1;
        self.count[to] += 1;
        for place in [from, to] {
            self.worth[place] = self.worth_now(place);
            self.changes.push(place as u32);
        }
    }

    /// The tasks that may still leave a machine: one of each kind, largest first.
    pub(super) fn kinds_left(&self, place: usize) -> Vec<usize> {
        let mut tasks = self.left[place].clone();
        let key = |task: &usize| {
            let shape = &self.shapes[self.shape_of[*task]];
            let size = (shape.gpu_milli_total(), shape.cpu_milli, shape.memory_mib);
            (Reverse(size), self.cost[*task], self.shape_of[*task], *task)
        };
        tasks.sort_by_key(key);
        let kind = |task: &usize| (self.shape_of[*task], self.cost[*task], self.devices[*task]);
        tasks.dedup_by_key(|task| kind(task));
        tasks
    }

    /// The same, by the machines' own numbers.
    pub(super) fn as_move(&self, tried: &Try) -> Move {
        Move {
            task: tried.task,
            from: self.order[tried.from],
            to: self.order[tried.to],
            devices: tried.new,
        }
    }
}

/// The rules, with all that runs.
fn ruled(
    snapshot: &Snapshot,
    workload: &Workload,
    (goal, order): (Goal, &[usize]),
) -> Option<Ruled> {
    let (mut rules, tenants) = workload.rules(order)?;
    let mut place_of = vec![0; order.len()];
    for (place, machine) in order.iter().enumerate() {
        place_of[*machine] = place;
    }
    for (running, shape) in snapshot.running.iter().zip(&workload.shape_of) {
        rules.add(place_of[running.machine], &tenants[*shape]);
    }
    let shape = match goal {
        Goal::Headroom(shape) => shape,
        Goal::Fragments | Goal::Machines => Shape::default(),
    };
    let wanted = rules.tenant(&Demand {
        shape,
        ..Demand::default()
    });
    Some(Ruled {
        rules,
        tenants,
        wanted,
    })
}

/// How much of one more task of a shape a machine has room for, in thousandths, by the resource of
/// which it has least.
fn nearness(free: &Free, wanted: &Shape) -> i64 {
    let of = |free: i64, asked: i64| match asked {
        0 => i64::MAX,
        asked => 1000 * (free % asked) / asked,
    };
    // A device counts at most once for one task.
    let on_devices = free
        .devices()
        .iter()
        .map(|device| i64::from(*device.min(&wanted.gpu_milli)));
    let parts = [
        of(free.cpu_milli, wanted.cpu_milli),
        of(free.memory_mib, wanted.memory_mib),
        of(free.disk_mib, wanted.disk_mib),
        of(free.ports, wanted.ports),
        of(on_devices.sum(), wanted.gpu_milli_total()),
    ];
    parts.into_iter().min().unwrap_or(0)
}

//! Places tasks on machines, one after another, by a policy.

use super::index::{NOWHERE, Tournament};
use super::random::SplitMix64;
use super::rules::{Demand, Rules, Tenant};
use super::task::Task;
use super::workload::Workload;
use tepui_core::placement::{Devices, Free, Measure, Policy, Shape};

/// How often a machine is drawn at random before all are looked at.
const DRAWS_MAX: usize = 32;

/// Where a task went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The machine's place in the order.
    pub place: usize,
    /// Which of its GPUs.
    pub devices: Devices,
}

/// A cluster that fills up.
#[derive(Clone, Debug)]
pub struct Placer<'a> {
    policy: Policy,
    measure: &'a Measure,
    shapes: &'a [Shape],
    /// Where not everybody may use everything; with who asks for each of the shapes.
    rules: Option<(Rules, Vec<Tenant>)>,
    /// In the order in which ties go.
    free: Vec<Free>,
    fragments: Vec<i64>,
    fragment: i64,
    /// One for each shape, made when its first task comes.
    trees: Vec<Option<Tournament>>,
    /// Machines that take no tasks.
    closed: Vec<bool>,
    changes: Vec<u32>,
    marks: Vec<u64>,
    mark: u64,
    scored: u64,
    random: SplitMix64,
}

impl<'a> Placer<'a> {
    /// Machines of which so much is free, in the order in which ties go. Tasks will have one
    /// of `shapes`.
    pub fn new(
        policy: Policy,
        free: Vec<Free>,
        shapes: &'a [Shape],
        measure: &'a Measure,
        seed: u64,
    ) -> Placer<'a> {
        let fragments: Vec<i64> = free.iter().map(|free| measure.of(free)).collect();
        Placer {
            policy,
            measure,
            shapes,
            rules: None,
            fragment: fragments.iter().sum(),
            fragments,
            trees: vec![None; shapes.len()],
            closed: vec![false; free.len()],
            changes: Vec::new(),
            marks: vec![0; free.len()],
            mark: 0,
            scored: 0,
            random: SplitMix64::new(seed),
            free,
        }
    }

    /// Some of a workload's machines, empty, in the order in which ties go, with all rules that the
    /// workload has.
    pub fn of(
        workload: &'a Workload,
        machines: &[usize],
        measure: &'a Measure,
        policy: Policy,
        seed: u64,
    ) -> Placer<'a> {
        let free = workload.free(machines);
        let mut placer = Placer::new(policy, free, &workload.shapes, measure, seed);
        placer.rules = workload.rules(machines);
        placer
    }

    /// What is free, machine by machine, in order.
    #[must_use]
    pub fn free(&self) -> &[Free] {
        &self.free
    }

    /// The cluster's fragment, in milli times [`Measure::count`].
    #[must_use]
    pub fn fragment(&self) -> i64 {
        self.fragment
    }

    /// The fragment of each machine, in the same unit.
    #[must_use]
    pub fn fragments(&self) -> &[i64] {
        &self.fragments
    }

    /// How often a machine was scored so far: what the kept winners save.
    #[must_use]
    pub fn scored(&self) -> u64 {
        self.scored
    }

    /// Places a task of one of the shapes, if it fits anywhere.
    pub fn place(&mut self, shape: usize) -> Option<Placement> {
        let found = match self.policy {
            Policy::Random => self.draw(shape),
            _ => self.best(shape),
        }?;
        self.put(shape, found);
        Some(found)
    }

    /// Has a machine take no more tasks, or take them again.
    pub fn close(&mut self, place: usize, closed: bool) {
        self.closed[place] = closed;
        self.changed(place);
    }

    /// Places a task of one of the shapes on this machine, if it may go there.
    pub fn place_on(&mut self, shape: usize, place: usize) -> Option<Placement> {
        if !self.allows(place, shape) {
            return None;
        }
        let (_, devices) = self.score(place, shape);
        let found = Placement { place, devices };
        self.put(shape, found);
        Some(found)
    }

    /// A task of one of the shapes is there now, whether the rules allow it or not.
    ///
    /// # Panics
    /// When there is too little for it.
    pub fn put(&mut self, shape: usize, at: Placement) {
        self.free[at.place].take(&self.shapes[shape], at.devices);
        if let Some((rules, tenants)) = &mut self.rules {
            rules.add(at.place, &tenants[shape]);
        }
        self.changed(at.place);
    }

    /// A task of any shape is there now, whether the rules allow it or not.
    ///
    /// # Panics
    /// When there is too little for it.
    pub fn put_other(&mut self, task: &Task, place: usize, devices: Devices) {
        self.free[place].take(&task.shape, devices);
        if let Some((rules, _)) = &mut self.rules {
            let tenant = rules.tenant(&Demand::of(task));
            rules.add(place, &tenant);
        }
        self.changed(place);
    }

    /// Takes a task away.
    pub fn remove(&mut self, shape: usize, from: Placement) {
        self.free[from.place].give_back(&self.shapes[shape], from.devices);
        if let Some((rules, tenants)) = &mut self.rules {
            rules.remove(from.place, &tenants[shape]);
        }
        self.changed(from.place);
    }

    fn changed(&mut self, place: usize) {
        let fragment = self.measure.of(&self.free[place]);
        self.fragment += fragment - self.fragments[place];
        self.fragments[place] = fragment;
        self.changes.push(place as u32);
    }

    /// Whether a task of one of the shapes may go to a machine. Asked for every score.
    #[inline]
    fn allows(&self, place: usize, shape: usize) -> bool {
        if self.closed[place] {
            return false;
        }
        let free = &self.free[place];
        match &self.rules {
            None => free.fits(&self.shapes[shape]),
            Some((rules, tenants)) => rules.allows(place, free, &tenants[shape]),
        }
    }

    #[inline]
    fn score(&self, place: usize, shape: usize) -> (i64, Devices) {
        let (free, before) = (&self.free[place], self.fragments[place]);
        let asked = &self.shapes[shape];
        self.policy.score(free, asked, self.measure, before)
    }

    fn best(&mut self, shape: usize) -> Option<Placement> {
        let place = match &self.rules {
            Some((_, tenants)) if tenants[shape].is_bound_elsewhere() => self.best_of_all(shape),
            _ => self.best_of_changed(shape),
        }?;
        let (_, devices) = self.score(place, shape);
        Some(Placement { place, devices })
    }

    /// Looks at the machines that changed since the last task of this shape.
    fn best_of_changed(&mut self, shape: usize) -> Option<usize> {
        let tree = self.trees[shape].take();
        let mut tree = tree.unwrap_or_else(|| Tournament::new(self.free.len()));
        self.mark += 1;
        let mut marks = std::mem::take(&mut self.marks);
        let mut scored = 0;
        tree.update(&self.changes, (&mut marks, self.mark), |place| {
            scored += 1;
            match self.allows(place, shape) {
                true => self.score(place, shape).0,
                false => NOWHERE,
            }
        });
        self.marks = marks;
        self.scored += scored;
        let place = tree.winner();
        self.trees[shape] = Some(tree);
        place
    }

    /// Looks at all machines: what happened on one may decide about all others.
    fn best_of_all(&self, shape: usize) -> Option<usize> {
        let mut best: Option<(i64, usize)> = None;
        for place in (0..self.free.len()).filter(|place| self.allows(*place, shape)) {
            let (score, _) = self.score(place, shape);
            if best.is_none_or(|(most, _)| score > most) {
                best = Some((score, place));
            }
        }
        best.map(|(_, place)| place)
    }

    fn draw(&mut self, shape: usize) -> Option<Placement> {
        let asked = &self.shapes[shape];
        let place = self.draw_machine(shape)?;
        let free = &self.free[place];
        if !asked.is_share() {
            let devices = free.usual_devices(asked);
            return Some(Placement { place, devices });
        }
        let fitting = free.devices().iter().enumerate();
        let fitting = fitting.filter(|(_, free)| **free >= asked.gpu_milli);
        let fitting: Vec<usize> = fitting.map(|(index, _)| index).collect();
        let devices = Devices(1 << fitting[self.random.below(fitting.len())]);
        Some(Placement { place, devices })
    }

    /// One of the machines on which a task fits, each with the same chance.
    fn draw_machine(&mut self, shape: usize) -> Option<usize> {
        for _ in 0..DRAWS_MAX {
            let place = self.random.below(self.free.len());
            if self.allows(place, shape) {
                return Some(place);
            }
        }
        let all = 0..self.free.len();
        let fitting: Vec<usize> = all.filter(|place| self.allows(*place, shape)).collect();
        match fitting.len() {
            0 => None,
            count => Some(fitting[self.random.below(count)]),
        }
    }
}

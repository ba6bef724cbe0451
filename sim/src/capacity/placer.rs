//! Places tasks on machines, one after another, by a policy.

use super::index::{NOWHERE, Tournament};
use super::random::SplitMix64;
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

    /// Puts a task where it is known to fit.
    pub fn put(&mut self, shape: usize, at: Placement) {
        self.free[at.place].take(&self.shapes[shape], at.devices);
        self.changed(at.place);
    }

    /// Has a machine take no more tasks, or take them again.
    pub fn close(&mut self, place: usize, closed: bool) {
        self.closed[place] = closed;
        self.changed(place);
    }

    /// Takes a task away.
    pub fn remove(&mut self, shape: usize, from: Placement) {
        self.free[from.place].give_back(&self.shapes[shape], from.devices);
        self.changed(from.place);
    }

    fn changed(&mut self, place: usize) {
        let fragment = self.measure.of(&self.free[place]);
        self.fragment += fragment - self.fragments[place];
        self.fragments[place] = fragment;
        self.changes.push(place as u32);
    }

    fn best(&mut self, shape: usize) -> Option<Placement> {
        let asked = &self.shapes[shape];
        let (free, fragments, closed) = (&self.free, &self.fragments, &self.closed);
        let (policy, measure) = (self.policy, self.measure);
        let scored = &mut self.scored;
        let score = |place: usize| {
            *scored += 1;
            match !closed[place] && free[place].fits(asked) {
                true => {
                    policy
                        .score(&free[place], asked, measure, fragments[place])
                        .0
                }
                false => NOWHERE,
            }
        };
        let tree = self.trees[shape].get_or_insert_with(|| Tournament::new(free.len()));
        self.mark += 1;
        tree.update(&self.changes, (&mut self.marks, self.mark), score);
        let place = tree.winner()?;
        let before = fragments[place];
        let (_, devices) = policy.score(&free[place], asked, measure, before);
        Some(Placement { place, devices })
    }

    fn draw(&mut self, shape: usize) -> Option<Placement> {
        let asked = &self.shapes[shape];
        let place = self.draw_machine(asked)?;
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
    fn draw_machine(&mut self, asked: &Shape) -> Option<usize> {
        for _ in 0..DRAWS_MAX {
            let place = self.random.below(self.free.len());
            if !self.closed[place] && self.free[place].fits(asked) {
                return Some(place);
            }
        }
        let fitting = self.free.iter().enumerate();
        let fitting = fitting.filter(|(place, free)| !self.closed[*place] && free.fits(asked));
        let fitting: Vec<usize> = fitting.map(|(place, _)| place).collect();
        match fitting.len() {
            0 => None,
            count => Some(fitting[self.random.below(count)]),
        }
    }
}

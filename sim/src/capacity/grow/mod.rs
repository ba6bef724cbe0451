//! The cheapest mix of machines to buy, so that a workload fits with room to spare, now and as it
//! grows.
//!
//! What runs stays where it is; tasks without a place, and those that growth adds, are placed by a
//! policy on what is free and on what is bought, in the order in which they come; reservations,
//! limits and constraints count as they do elsewhere. The bound leaves them out. Machines are
//! bought one point of growth after another, and kept. `bound` proves what the cheapest mix costs
//! at least; `search` finds one that is known to work, because all tasks were placed on it.

mod bound;
mod linear;
mod search;
mod types;

pub use bound::Because;
pub use types::{read_growth, read_types};

use super::bounds::{by_shape, scales};
use super::drain::Sums;
use super::machine::Machine;
use super::placer::Placement;
use super::snapshot::Snapshot;
use super::task::Task;
use bound::{Condition, LowerBound, Offer, lower_bound};
use search::Trial;
use std::collections::{BTreeMap, BTreeSet};
use tepui_core::placement::{Capacity, Free, Measure, Policy, Shape};
use thiserror::Error;

/// A type of machines that can be bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineType {
    /// Its machines are called after it, with a number.
    pub name: String,
    /// What one has.
    pub capacity: Capacity,
    /// Where and of what kind it is, by the names of attributes.
    pub attributes: BTreeMap<String, String>,
    /// What one costs, in thousandths.
    pub price_milli: i64,
    /// How many can be bought; any number without.
    pub most: Option<usize>,
}

/// What must be left when all tasks have their places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headroom {
    /// So much of each resource, in percent of what all machines have.
    pub percent: i64,
    /// Room for so many more tasks of these shapes, all at once.
    pub shapes: Vec<(Shape, usize)>,
}

/// A moment, and how large the workload is then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Its name.
    pub when: String,
    /// So many times what it is now, in thousandths.
    pub factor_milli: i64,
}

/// What is asked.
#[derive(Debug)]
pub struct Question<'a> {
    /// What is there.
    pub snapshot: &'a Snapshot,
    /// Tasks that have no place there, in the order in which they come.
    pub pending: &'a [Task],
    /// What can be bought.
    pub types: &'a [MachineType],
    /// What must be left.
    pub headroom: &'a Headroom,
    /// How tasks are placed.
    pub policy: Policy,
    /// What the policy Random draws from.
    pub seed: u64,
    /// The tasks' mix.
    pub measure: &'a Measure,
}

/// What to have at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Which.
    pub moment: Moment,
    /// How many tasks there are then.
    pub tasks: usize,
    /// How many machines of each type have been bought until then.
    pub mix: Vec<usize>,
    /// What they cost together.
    pub price_milli: i64,
    /// No mix costs less.
    pub bound_milli: i64,
    /// What proves the most of that by itself.
    pub because: Option<Because>,
    /// What all machines have then.
    pub capacity: Sums,
    /// What of it is free.
    pub free: Sums,
}

impl Point {
    /// By how much the price is above the bound, in percent.
    #[must_use]
    pub fn gap_percent(&self) -> f64 {
        let above = (self.price_milli - self.bound_milli) as f64;
        100.0 * above / (self.bound_milli as f64).max(1.0)
    }
}

/// Why nothing that can be bought is enough.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotEnough {
    /// No machine is large enough for a task.
    #[error("{task} ({shape}) has no room on any machine there, and is too large for any to buy")]
    TooLarge {
        /// Its name.
        task: String,
        /// What it asks for.
        shape: Shape,
    },
    /// All of them together are too few.
    #[error("{0}: even all machines that can be bought are not enough; allow more, or other types")]
    TooFew(String),
}

/// Finds a mix for each of some moments, in their order.
///
/// # Errors
/// When there is none.
pub fn grow(question: &Question<'_>, moments: &[Moment]) -> Result<Vec<Point>, NotEnough> {
    let now = question.snapshot.running.len() + question.pending.len();
    let all: Vec<&Task> = question
        .snapshot
        .running
        .iter()
        .map(|running| &running.task)
        .chain(question.pending)
        .collect();
    let spread = spread(now);
    let mut wanted: Vec<&Task> = question.pending.iter().collect();
    let mut site = Site::new(question);
    let mut points = Vec::new();
    for moment in moments {
        let tasks = (now as i64 * moment.factor_milli + 999) / 1000;
        let more = (tasks.max(0) as usize).saturating_sub(now) + question.pending.len();
        while wanted.len() < more {
            let number = wanted.len() - question.pending.len();
            wanted.push(all[spread[number % now]]);
        }
        let new = &wanted[site.placed.len()..];
        check_sizes(question, &site, new)?;
        let too_few = || NotEnough::TooFew(moment.when.clone());
        let least = cost_at_least(question, &wanted).ok_or_else(too_few)?;
        let trial = Trial::new(question, &site, &wanted);
        let bought = search::cheapest(&trial, &least.fractions).ok_or_else(too_few)?;
        site = trial
            .carry_out(&bought)
            .expect("the search saw that it works");
        points.push(site.point(question, moment, &least));
    }
    Ok(points)
}

/// In which order tasks are added when a workload grows: each part of them is a fair sample (van
/// der Corput's sequence).
fn spread(count: usize) -> Vec<usize> {
    let bits = count.next_power_of_two().trailing_zeros();
    let reversed = |index: usize| match bits {
        0 => 0,
        bits => index.reverse_bits() >> (usize::BITS - bits),
    };
    (0..count.next_power_of_two())
        .map(reversed)
        .filter(|place| *place < count)
        .collect()
}

/// Checks that each task and each shape of the headroom fits on a machine by itself.
fn check_sizes(question: &Question<'_>, site: &Site, tasks: &[&Task]) -> Result<(), NotEnough> {
    let offered = question.types.iter().filter(|kind| kind.most != Some(0));
    let empty = offered.map(|kind| Free::all_of(&kind.capacity));
    let rooms: Vec<Free> = empty.chain(site.open().copied()).collect();
    let tasks = tasks.iter().map(|task| (task.name.as_str(), &task.shape));
    let headroom = question.headroom.shapes.iter();
    let headroom = headroom.map(|(shape, _)| ("the headroom's shape", shape));
    let mut fitting = BTreeSet::new();
    for (name, shape) in tasks.chain(headroom) {
        if fitting.contains(shape) {
            continue;
        }
        if !rooms.iter().any(|free| free.fits(shape)) {
            return Err(NotEnough::TooLarge {
                task: name.to_owned(),
                shape: *shape,
            });
        }
        fitting.insert(*shape);
    }
    Ok(())
}

/// What is there: the machines of the snapshot, and those that were bought.
#[derive(Clone, Debug)]
struct Site {
    machines: Vec<Machine>,
    free: Vec<Free>,
    /// How many were bought of each type.
    mix: Vec<usize>,
    /// Where the wanted tasks are that have a place.
    placed: Vec<Placement>,
}

impl Site {
    fn new(question: &Question<'_>) -> Site {
        Site {
            machines: question.snapshot.machines.clone(),
            free: question.snapshot.free(),
            mix: vec![0; question.types.len()],
            placed: Vec::new(),
        }
    }

    /// One more machine of a type.
    fn buy(&mut self, kind: usize, offer: &MachineType) {
        self.mix[kind] += 1;
        self.free.push(Free::all_of(&offer.capacity));
        self.machines.push(Machine {
            name: format!("{}-{}", offer.name, self.mix[kind]),
            capacity: offer.capacity,
            attributes: offer.attributes.clone(),
            ..Machine::default()
        });
    }

    /// What is free on machines that take tasks.
    fn open(&self) -> impl Iterator<Item = &Free> {
        let all = self.machines.iter().zip(&self.free);
        all.filter(|(machine, _)| !machine.closed)
            .map(|(_, free)| free)
    }

    /// What machines that take tasks have.
    fn capacity(&self) -> Sums {
        let mut capacity = Sums::default();
        for machine in self.machines.iter().filter(|machine| !machine.closed) {
            capacity.add(&machine.capacity);
        }
        capacity
    }

    fn point(&self, question: &Question<'_>, moment: &Moment, least: &LowerBound) -> Point {
        let bought = self.mix.iter().zip(question.types);
        Point {
            moment: moment.clone(),
            tasks: question.snapshot.running.len() + self.placed.len(),
            mix: self.mix.clone(),
            price_milli: bought
                .map(|(count, kind)| *count as i64 * kind.price_milli)
                .sum(),
            bound_milli: least.price_milli,
            because: least.because,
            capacity: self.capacity(),
            free: sums(self.open()),
        }
    }
}

fn sums<'a>(all: impl Iterator<Item = &'a Free>) -> Sums {
    let mut sums = Sums::default();
    for free in all {
        sums.machines += 1;
        sums.cpu_milli += free.cpu_milli;
        sums.memory_mib += free.memory_mib;
        sums.disk_mib += free.disk_mib;
        sums.ports += free.ports;
        sums.gpu_milli += free.gpu_milli;
    }
    sums
}

/// Resources by which headroom in percent is counted.
type Resource = (&'static str, fn(&Sums) -> i64);

const RESOURCES: [Resource; 5] = [
    ("cpus", |sums| sums.cpu_milli),
    ("mem", |sums| sums.memory_mib),
    ("disk", |sums| sums.disk_mib),
    ("ports", |sums| sums.ports),
    ("gpus", |sums| sums.gpu_milli),
];

impl Headroom {
    /// Whether so much of each resource is left.
    fn is_left(&self, capacity: &Sums, free: &Sums) -> bool {
        let left = |(_, of): &Resource| 100 * of(free) >= self.percent * of(capacity);
        RESOURCES.iter().all(left)
    }
}

/// What any mix must cost on which these tasks have a place.
fn cost_at_least(question: &Question<'_>, tasks: &[&Task]) -> Option<LowerBound> {
    let site = Site::new(question);
    let types: Vec<Free> = question
        .types
        .iter()
        .map(|kind| Free::all_of(&kind.capacity))
        .collect();
    let mut counts = by_shape(tasks.iter().map(|task| &task.shape));
    let mut conditions = share_left(question, &site, tasks);
    for (shape, count) in &question.headroom.shapes {
        *counts.entry(*shape).or_insert(0) += count;
    }
    let rooms: Vec<Free> = types.iter().chain(site.open()).copied().collect();
    for scale in scales(&counts, &rooms) {
        let need: i64 = counts
            .iter()
            .map(|(shape, count)| scale.of_task(shape) * *count as i64)
            .sum();
        let there: i64 = site.open().map(|free| scale.of_room(free)).sum();
        conditions.push(Condition {
            each: types.iter().map(|free| scale.of_room(free)).collect(),
            least: need - there,
            because: Because::Tasks(scale),
        });
    }
    let offers: Vec<Offer> = question
        .types
        .iter()
        .map(|kind| Offer {
            price_milli: kind.price_milli,
            most: kind.most,
        })
        .collect();
    lower_bound(&conditions, &offers)
}

/// What headroom in percent asks for.
fn share_left(question: &Question<'_>, site: &Site, tasks: &[&Task]) -> Vec<Condition> {
    let percent = question.headroom.percent;
    if percent == 0 {
        return Vec::new();
    }
    let mut need = Sums::default();
    for task in tasks {
        let shape = &task.shape;
        need.cpu_milli += shape.cpu_milli;
        need.memory_mib += shape.memory_mib;
        need.disk_mib += shape.disk_mib;
        need.ports += shape.ports;
        need.gpu_milli += shape.gpu_milli_total();
    }
    let (capacity, free) = (site.capacity(), sums(site.open()));
    let condition = |(name, of): &Resource| Condition {
        each: question
            .types
            .iter()
            .map(|kind| {
                let mut one = Sums::default();
                one.add(&kind.capacity);
                (100 - percent) * of(&one)
            })
            .collect(),
        least: 100 * (of(&need) - of(&free)) + percent * of(&capacity),
        because: Because::Headroom(name),
    };
    RESOURCES.iter().map(condition).collect()
}

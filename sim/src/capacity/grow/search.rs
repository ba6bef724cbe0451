//! A cheap mix that works.
//!
//! It begins with mixes that are known to be enough, or likely to be: the best mix of fractions of
//! machines, rounded up and made larger until all tasks find a place on it, and as many of every
//! type. From the cheapest that works, machines are given back or exchanged for cheaper ones as
//! long as all tasks still find a place. Each mix is tried by placing all tasks.

use super::{Question, Site, Task, sums};
use crate::capacity::parallel::in_parallel;
use crate::capacity::placer::Placer;
use crate::capacity::rules::Demand;
use crate::capacity::workload::Workload;
use std::collections::BTreeMap;
use tepui_core::placement::Shape;

/// How many mixes are tried at most while machines are given back and exchanged.
const TRIES_MAX: usize = 400;

/// How many mixes are tried at once; the number of cores changes nothing.
const TRIED_TOGETHER: usize = 4;

/// By how much the best fractions are made larger, in percent.
const LARGER_PERCENT: [i64; 12] = [0, 1, 2, 3, 5, 8, 12, 20, 35, 60, 100, 200];

/// How many machines of one type are exchanged for one of another at most.
const EXCHANGED_MAX: i64 = 16;

/// Tasks that are to have a place, and what there is already.
pub(super) struct Trial<'a> {
    question: &'a Question<'a>,
    site: &'a Site,
    /// All tasks that are wanted; the first of them have a place already.
    tasks: &'a [&'a Task],
    demands: Vec<Demand>,
    /// Whose each new task is, in the order in which they come: places in `demands`.
    new: Vec<usize>,
    /// What headroom asks for, and how many of it.
    extra: Vec<(usize, usize)>,
    /// Whether not everybody may use everything.
    ruled: bool,
}

impl<'a> Trial<'a> {
    pub(super) fn new(
        question: &'a Question<'a>,
        site: &'a Site,
        tasks: &'a [&'a Task],
    ) -> Trial<'a> {
        let mut trial = Trial {
            question,
            site,
            tasks,
            demands: Vec::new(),
            new: Vec::new(),
            extra: Vec::new(),
            ruled: false,
        };
        let all: Vec<usize> = (0..site.machines.len()).collect();
        trial.ruled = trial.workload(site).rules(&all).is_some();
        let mut numbers: BTreeMap<Demand, usize> = BTreeMap::new();
        let (ruled, demands) = (trial.ruled, &mut trial.demands);
        let mut number = |demand: Demand| {
            let demand = match ruled {
                true => demand,
                false => Demand {
                    shape: demand.shape,
                    ..Demand::default()
                },
            };
            *numbers.entry(demand).or_insert_with_key(|demand| {
                demands.push(demand.clone());
                demands.len() - 1
            })
        };
        let new = tasks[site.placed.len()..].iter();
        trial.new = new.map(|task| number(Demand::of(task))).collect();
        let extra = question.headroom.shapes.iter();
        let demand = |shape: &Shape| Demand {
            shape: *shape,
            ..Demand::default()
        };
        trial.extra = extra
            .map(|(shape, count)| (number(demand(shape)), *count))
            .collect();
        trial
    }

    /// A site's machines and rules, for tasks with these demands.
    fn workload(&self, site: &Site) -> Workload {
        let snapshot = self.question.snapshot;
        Workload {
            machines: site.machines.clone(),
            tasks: Vec::new(),
            models: snapshot.models.clone(),
            shapes: self.demands.iter().map(|demand| demand.shape).collect(),
            demands: self.demands.clone(),
            shape_of: Vec::new(),
            roles: snapshot.roles.clone(),
            constraints: snapshot.constraints.clone(),
        }
    }

    /// What there is once these machines are bought and all tasks have their places, with enough
    /// room left. `None` if they do not.
    pub(super) fn carry_out(&self, bought: &[usize]) -> Option<Site> {
        let mut site = self.site.clone();
        for (kind, count) in bought.iter().enumerate() {
            for _ in 0..*count {
                site.buy(kind, &self.question.types[kind]);
            }
        }
        let workload = self.workload(&site);
        let mut placer = self.placer(&site, &workload);
        for demand in &self.new {
            let placement = placer.place(*demand)?;
            site.placed.push(placement);
        }
        site.free = placer.free().to_vec();
        if !self
            .question
            .headroom
            .is_left(&site.capacity(), &sums(site.open()))
        {
            return None;
        }
        for (demand, count) in &self.extra {
            for _ in 0..*count {
                placer.place(*demand)?;
            }
        }
        Some(site)
    }

    fn placer<'b>(&'b self, site: &Site, workload: &'b Workload) -> Placer<'b> {
        let question = self.question;
        let (policy, measure, seed) = (question.policy, question.measure, question.seed);
        if !self.ruled {
            return Placer::new(policy, site.free.clone(), &workload.shapes, measure, seed);
        }
        let all: Vec<usize> = (0..site.machines.len()).collect();
        let mut placer = Placer::of(workload, &all, measure, policy, seed);
        for running in &question.snapshot.running {
            placer.put_other(&running.task, running.machine, running.devices);
        }
        for (task, placement) in self.tasks.iter().zip(&self.site.placed) {
            placer.put_other(task, placement.place, placement.devices);
        }
        placer
    }

    fn works(&self, bought: &[usize]) -> bool {
        self.carry_out(bought).is_some()
    }

    fn price(&self, bought: &[usize]) -> i64 {
        let bought = bought.iter().zip(self.question.types);
        bought
            .map(|(count, kind)| *count as i64 * kind.price_milli)
            .sum()
    }

    /// How many of a type may still be bought.
    fn most(&self, kind: usize) -> usize {
        let most = self.question.types[kind].most;
        most.map_or(usize::MAX, |most| most.saturating_sub(self.site.mix[kind]))
    }

    /// The first of some mixes that works.
    fn first(&self, mixes: &[Vec<usize>]) -> Option<Vec<usize>> {
        for some in mixes.chunks(TRIED_TOGETHER) {
            let works = in_parallel(some, |bought| self.works(bought));
            if let Some(found) = works.iter().position(|works| *works) {
                return Some(some[found].clone());
            }
        }
        None
    }
}

/// The cheapest mix that was found to work. `fractions`: the best that could be had of all types
/// together, those already there included.
pub(super) fn cheapest(trial: &Trial<'_>, fractions: &[f64]) -> Option<Vec<usize>> {
    let nothing = vec![0; trial.question.types.len()];
    if trial.works(&nothing) {
        return Some(nothing);
    }
    let rounded = trial.first(&enlarged(trial, fractions));
    let starts: Vec<Vec<usize>> = rounded.into_iter().chain(of_every_type(trial)).collect();
    let improved = starts.into_iter().map(|start| improve(trial, start));
    improved.min_by_key(|bought| (trial.price(bought), bought.clone()))
}

fn enlarged(trial: &Trial<'_>, fractions: &[f64]) -> Vec<Vec<usize>> {
    let mix = |percent: &i64| {
        let kinds = fractions.iter().enumerate();
        let counts = kinds.map(|(kind, fraction)| {
            let all = (fraction * (100 + percent) as f64 / 100.0 - 1e-6)
                .ceil()
                .max(0.0) as usize;
            all.saturating_sub(trial.site.mix[kind])
                .min(trial.most(kind))
        });
        counts.collect::<Vec<usize>>()
    };
    LARGER_PERCENT.iter().map(mix).collect()
}

/// As many of every type, as far as they are to be had: the least number that works, by doubling
/// and halving.
fn of_every_type(trial: &Trial<'_>) -> Option<Vec<usize>> {
    let wanted = trial.new.len() + trial.extra.iter().map(|(_, count)| count).sum::<usize>();
    let mix = |count: usize| {
        let kinds = 0..trial.question.types.len();
        kinds
            .map(|kind| count.min(trial.most(kind)))
            .collect::<Vec<usize>>()
    };
    // With headroom in percent more may be needed than one for each task; far more is hopeless.
    let most = 16 * wanted.max(1);
    let (mut too_few, mut enough) = (0, 1);
    while !trial.works(&mix(enough)) {
        if enough >= most || mix(enough) == mix(2 * enough) {
            return None;
        }
        (too_few, enough) = (enough, 2 * enough);
    }
    while enough - too_few > 1 {
        let middle = usize::midpoint(too_few, enough);
        if trial.works(&mix(middle)) {
            enough = middle;
        } else {
            too_few = middle;
        }
    }
    Some(mix(enough))
}

/// Gives machines back and exchanges them for cheaper ones, the largest saving first.
fn improve(trial: &Trial<'_>, mut bought: Vec<usize>) -> Vec<usize> {
    let mut tries = 0;
    while tries < TRIES_MAX {
        let mut cheaper = neighbours(trial, &bought);
        cheaper.truncate(TRIES_MAX - tries);
        tries += cheaper.len();
        match trial.first(&cheaper) {
            Some(found) => bought = found,
            None => break,
        }
    }
    bought
}

/// Cheaper mixes beside one, the cheapest first.
fn neighbours(trial: &Trial<'_>, bought: &[usize]) -> Vec<Vec<usize>> {
    let types = trial.question.types;
    let mut found = Vec::new();
    for (kind, count) in bought.iter().enumerate() {
        let mut less = *count;
        while less > 0 {
            let mut mix = bought.to_vec();
            mix[kind] -= less;
            found.push(mix);
            less /= 2;
        }
        for (other, offer) in types.iter().enumerate() {
            let room = trial.most(other).saturating_sub(bought[other]);
            for (gone, come) in exchanges(types[kind].price_milli, offer.price_milli) {
                if other != kind && gone <= *count && come <= room {
                    let mut mix = bought.to_vec();
                    mix[kind] -= gone;
                    mix[other] += come;
                    found.push(mix);
                }
            }
        }
    }
    let price = trial.price(bought);
    found.retain(|mix| trial.price(mix) < price);
    found.sort_by_key(|mix| (trial.price(mix), mix.clone()));
    found.dedup();
    found
}

/// How many machines of one price to give back for how many of another, so that it is cheaper: one
/// for as many as that buys, and as few as buy one.
fn exchanges(price: i64, other: i64) -> Vec<(usize, usize)> {
    let mut all = vec![(1, 1)];
    if other > 0 {
        all.extend((2..=((price - 1) / other).min(EXCHANGED_MAX)).map(|come| (1, come as usize)));
    }
    if price > 0 {
        let least = (other / price + 1).max(2);
        all.extend((least <= EXCHANGED_MAX).then_some((least as usize, 1)));
    }
    all
}

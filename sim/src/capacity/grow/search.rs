//! A cheap mix that works.
//!
//! It begins with mixes that are known to be enough, or likely to be: the best mix of fractions of
//! machines, rounded up and made larger until all tasks find a place on it, and as many of every
//! type. From the cheapest that works, machines are given back or exchanged for cheaper ones as
//! long as all tasks still find a place. Each mix is tried by placing all tasks.

use super::{Question, Site, Task, sums};
use crate::capacity::parallel::in_parallel;
use crate::capacity::placer::Placer;
use std::collections::BTreeMap;
use tepui_core::placement::{Free, Shape};

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
    shapes: Vec<Shape>,
    /// The shapes of the tasks, in the order in which they come.
    tasks: Vec<usize>,
    /// What headroom asks for: shapes and how many.
    extra: Vec<(usize, usize)>,
    empty: Vec<Free>,
}

impl<'a> Trial<'a> {
    pub(super) fn new(question: &'a Question<'a>, site: &'a Site, tasks: &[&Task]) -> Trial<'a> {
        let mut numbers: BTreeMap<Shape, usize> = BTreeMap::new();
        let mut shapes = Vec::new();
        let mut number = |shape: &Shape| {
            *numbers.entry(*shape).or_insert_with(|| {
                shapes.push(*shape);
                shapes.len() - 1
            })
        };
        let tasks = tasks.iter().map(|task| number(&task.shape)).collect();
        let extra = question.headroom.shapes.iter();
        let extra = extra
            .map(|(shape, count)| (number(shape), *count))
            .collect();
        let types = question.types.iter();
        Trial {
            question,
            site,
            tasks,
            extra,
            shapes,
            empty: types.map(|kind| Free::all_of(&kind.capacity)).collect(),
        }
    }

    /// What there is once these machines are bought and all tasks have their places, with enough
    /// room left. `None` if they do not.
    pub(super) fn carry_out(&self, bought: &[usize]) -> Option<Site> {
        let mut site = self.site.clone();
        for (kind, count) in bought.iter().enumerate() {
            site.mix[kind] += count;
            for _ in 0..*count {
                site.free.push(self.empty[kind]);
                site.capacity.add(&self.question.types[kind].capacity);
            }
        }
        let (policy, measure) = (self.question.policy, self.question.measure);
        let seed = self.question.seed;
        let mut placer = Placer::new(policy, site.free, &self.shapes, measure, seed);
        for shape in &self.tasks {
            placer.place(*shape)?;
        }
        site.free = placer.free().to_vec();
        if !self
            .question
            .headroom
            .is_left(&site.capacity, &sums(&site.free))
        {
            return None;
        }
        for (shape, count) in &self.extra {
            for _ in 0..*count {
                placer.place(*shape)?;
            }
        }
        site.placed += self.tasks.len();
        Some(site)
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
    let nothing = vec![0; trial.empty.len()];
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
    let wanted = trial.tasks.len() + trial.extra.iter().map(|(_, count)| count).sum::<usize>();
    let mix = |count: usize| {
        let kinds = 0..trial.empty.len();
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

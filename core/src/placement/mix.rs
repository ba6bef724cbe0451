//! The tasks of a live cluster, counted by shape while they come and go.

use super::classes::{Class, typical_of};
use super::shape::Shape;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// How many tasks there are of each shape.
#[derive(Clone, Debug, Default)]
pub struct Mix {
    counts: BTreeMap<Shape, i64>,
    total: i64,
    changes: u64,
}

/// The same tasks, however they came to be there.
impl PartialEq for Mix {
    fn eq(&self, other: &Mix) -> bool {
        self.counts == other.counts
    }
}

impl Mix {
    /// One task more.
    pub fn add(&mut self, shape: Shape) {
        *self.counts.entry(shape).or_default() += 1;
        self.total += 1;
        self.changes += 1;
    }

    /// One less.
    ///
    /// # Panics
    /// When there is none of this shape.
    pub fn remove(&mut self, shape: &Shape) {
        let count = self.counts.get_mut(shape);
        let count = count.expect("only what was added is taken away");
        *count -= 1;
        self.total -= 1;
        self.changes += 1;
        if *count == 0 {
            self.counts.remove(shape);
        }
    }

    /// How many tasks there are.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.total
    }

    /// How many tasks ever came or went.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// The classes that cover at least 95 % of the tasks, but not more than so many.
    #[must_use]
    pub fn classes(&self, classes_max: usize) -> Vec<Class> {
        let counted = self.counts.iter().map(|(shape, count)| (shape, *count));
        let mut classes = typical_of(counted, |_| String::new());
        classes.truncate(classes_max);
        classes
    }

    /// The commonest shapes with their counts: by falling count, then by shape.
    #[must_use]
    pub fn commonest(&self, shapes_max: usize) -> Vec<(Shape, i64)> {
        let counts = self.counts.iter();
        let mut all: Vec<(Shape, i64)> = counts.map(|(shape, count)| (*shape, *count)).collect();
        all.sort_by_key(|(shape, count)| (core::cmp::Reverse(*count), *shape));
        all.truncate(shapes_max);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpus(cpu_milli: i64, memory_mib: i64) -> Shape {
        Shape {
            cpu_milli,
            memory_mib,
            ..Shape::default()
        }
    }

    #[test]
    fn what_comes_and_goes_is_counted() {
        let mut mix = Mix::default();
        for shape in [cpus(1, 5), cpus(2, 5), cpus(1, 6), cpus(1, 6)] {
            mix.add(shape);
        }
        mix.remove(&cpus(2, 5));
        assert_eq!((mix.total(), mix.changes()), (3, 5));
        assert_eq!(mix.commonest(9), [(cpus(1, 6), 2), (cpus(1, 5), 1)]);
        // Memory is no part of a class.
        let classes = mix.classes(9);
        assert_eq!((classes.len(), classes[0].count), (1, 3));
        mix.add(cpus(3, 0));
        assert_eq!((mix.classes(9).len(), mix.classes(1).len()), (2, 1));
    }
}

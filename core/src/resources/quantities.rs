//! Amounts by name alone, for shares, quota and quick tests of fit.

use super::scalar::milli_text;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};

/// How many names have a column of their own.
pub const DENSE: usize = 4;
/// The names with a column, in the order of the columns.
pub const DENSE_NAMES: [&str; DENSE] = ["cpus", "mem", "disk", "gpus"];
/// The column of `cpus`.
pub const CPUS: usize = 0;
/// The column of `mem`.
pub const MEM: usize = 1;
/// The column of `disk`.
pub const DISK: usize = 2;
/// The column of `gpus`.
pub const GPUS: usize = 3;

/// Thousandths of each scalar resource, whatever its reservation. Never negative. The four names
/// that every cluster has are an array, so that sums over tens of thousands of agents stay cheap.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Quantities {
    dense: [i64; DENSE],
    /// Sorted by name, no zeros.
    rest: Vec<(Arc<str>, i64)>,
}

impl Quantities {
    /// Nothing.
    pub const ZERO: Quantities = Quantities {
        dense: [0; DENSE],
        rest: Vec::new(),
    };

    /// The columns of [`DENSE_NAMES`].
    #[must_use]
    pub const fn dense(&self) -> &[i64; DENSE] {
        &self.dense
    }

    /// The columns, if there is nothing else.
    #[must_use]
    pub fn columns(&self) -> Option<[i64; DENSE]> {
        self.rest.is_empty().then_some(self.dense)
    }

    /// Amounts of the names with a column, and nothing else.
    ///
    /// # Panics
    /// When one is negative.
    #[must_use]
    pub fn from_columns(dense: [i64; DENSE]) -> Quantities {
        assert!(
            dense.iter().all(|milli| *milli >= 0),
            "an amount is never negative"
        );
        Quantities {
            dense,
            rest: Vec::new(),
        }
    }

    /// The other names, sorted, without zeros.
    #[must_use]
    pub fn rest(&self) -> &[(Arc<str>, i64)] {
        &self.rest
    }

    /// Thousandths of `name`.
    #[must_use]
    pub fn milli(&self, name: &str) -> i64 {
        match DENSE_NAMES.iter().position(|dense| *dense == name) {
            Some(column) => self.dense[column],
            None => self.find(name).map_or(0, |at| self.rest[at].1),
        }
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.rest.binary_search_by(|(other, _)| (**other).cmp(name))
    }

    /// Whether there is nothing at all.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.dense == [0; DENSE] && self.rest.is_empty()
    }

    /// Name and thousandths of all that there is.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i64)> {
        let dense = DENSE_NAMES.into_iter().zip(self.dense);
        let rest = self.rest.iter().map(|(name, milli)| (&**name, *milli));
        dense.filter(|(_, milli)| *milli != 0).chain(rest)
    }

    /// Adds `milli` thousandths of `name`; saturates.
    pub fn add_milli(&mut self, name: &Arc<str>, milli: i64) {
        assert!(milli >= 0, "an amount is never negative");
        if milli == 0 {
            return;
        }
        match DENSE_NAMES.iter().position(|dense| **dense == **name) {
            Some(column) => self.dense[column] = self.dense[column].saturating_add(milli),
            None => match self.find(name) {
                Ok(at) => self.rest[at].1 = self.rest[at].1.saturating_add(milli),
                Err(at) => self.rest.insert(at, (name.clone(), milli)),
            },
        }
    }

    /// Both together; none where a sum leaves 64 bits.
    #[must_use]
    pub fn checked_add(&self, other: &Quantities) -> Option<Quantities> {
        let fits = other.iter().all(|(name, milli)| {
            let ours = self.milli(name);
            ours.checked_add(milli).is_some()
        });
        fits.then(|| {
            let mut sum = self.clone();
            sum.add(other);
            sum
        })
    }

    /// Adds `other`; saturates.
    pub fn add(&mut self, other: &Quantities) {
        for (ours, theirs) in self.dense.iter_mut().zip(other.dense) {
            *ours = ours.saturating_add(theirs);
        }
        for (name, milli) in &other.rest {
            self.add_milli(name, *milli);
        }
    }

    /// Takes `other` away.
    ///
    /// # Panics
    /// When there is less than that: a caller's books are wrong.
    pub fn sub(&mut self, other: &Quantities) {
        for (ours, theirs) in self.dense.iter_mut().zip(other.dense) {
            *ours -= theirs;
            assert!(*ours >= 0, "more was taken than there was");
        }
        for (name, milli) in &other.rest {
            let at = self.find(name);
            let at = at.expect("only what was added is ever taken away");
            self.rest[at].1 -= milli;
            assert!(self.rest[at].1 >= 0, "more was taken than there was");
            if self.rest[at].1 == 0 {
                self.rest.remove(at);
            }
        }
    }

    /// What is left without `other`, at least nothing of each.
    #[must_use]
    pub fn saturating_sub(&self, other: &Quantities) -> Quantities {
        let mut left = Quantities::ZERO;
        for (ours, (left, theirs)) in self
            .dense
            .iter()
            .zip(left.dense.iter_mut().zip(other.dense))
        {
            *left = (ours - theirs).max(0);
        }
        for (name, milli) in &self.rest {
            left.add_milli(name, (milli - other.milli(name)).max(0));
        }
        left
    }

    /// Whether there is at least as much of everything.
    #[must_use]
    pub fn contains(&self, other: &Quantities) -> bool {
        let dense = self.dense.iter().zip(other.dense);
        dense.into_iter().all(|(ours, theirs)| *ours >= theirs)
            && other
                .rest
                .iter()
                .all(|(name, milli)| self.milli(name) >= *milli)
    }
}

impl fmt::Display for Quantities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, milli)) in self.iter().enumerate() {
            let separator = if i == 0 { "" } else { ";" };
            write!(f, "{separator}{name}:{}", milli_text(milli))?;
        }
        Ok(())
    }
}

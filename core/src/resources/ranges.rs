//! Inclusive ranges of whole numbers, such as ports.

use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The most separate ranges in one value. A thousand ports can fall into five hundred.
pub const RANGES_MAX: usize = 16_384;

/// From `begin` to `end`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Range {
    /// The first number.
    pub begin: u64,
    /// The last number, not below `begin`.
    pub end: u64,
}

/// Why ranges were refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RangesError {
    /// A range that ends before it begins.
    #[error("range {begin}-{end} ends before it begins")]
    Reversed {
        /// As given.
        begin: u64,
        /// As given.
        end: u64,
    },
    /// The same number twice.
    #[error("ranges {0} and {1} overlap")]
    Overlap(Range, Range),
    /// More than [`RANGES_MAX`].
    #[error("{0} separate ranges are too many: at most {RANGES_MAX}")]
    Many(usize),
    /// Something to be taken away that is not there.
    #[error("{0} is not available")]
    Missing(Range),
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.begin, self.end)
    }
}

/// Sorted, disjoint, and never touching: neighbours are one range.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<Range>")]
pub struct Ranges(Vec<Range>);

impl Ranges {
    /// Sorts and joins `ranges`.
    ///
    /// # Errors
    /// When one is reversed, two overlap, or there are too many.
    pub fn new(mut ranges: Vec<Range>) -> Result<Ranges, RangesError> {
        ranges.sort_unstable();
        let mut joined: Vec<Range> = Vec::with_capacity(ranges.len());
        for range in ranges {
            if range.end < range.begin {
                let Range { begin, end } = range;
                return Err(RangesError::Reversed { begin, end });
            }
            match joined.last_mut() {
                Some(last) if range.begin <= last.end => {
                    return Err(RangesError::Overlap(*last, range));
                }
                Some(last) if range.begin - 1 == last.end => last.end = range.end,
                _ => joined.push(range),
            }
        }
        if joined.len() > RANGES_MAX {
            return Err(RangesError::Many(joined.len()));
        }
        Ok(Ranges(joined))
    }

    /// Lowest first.
    #[must_use]
    pub fn as_slice(&self) -> &[Range] {
        &self.0
    }

    /// Whether there is no number in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many numbers are in it; saturates.
    #[must_use]
    pub fn count(&self) -> u64 {
        let size = |range: &Range| (range.end - range.begin).saturating_add(1);
        self.0.iter().map(size).fold(0, u64::saturating_add)
    }

    /// The numbers themselves, lowest first.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().flat_map(|range| range.begin..=range.end)
    }

    /// Whether every number of `other` is here.
    #[must_use]
    pub fn contains(&self, other: &Ranges) -> bool {
        self.first_missing(other).is_none()
    }

    /// Two pointers: both sides are sorted, and a range of `other` must lie within one of ours,
    /// because ours never touch.
    fn first_missing(&self, other: &Ranges) -> Option<Range> {
        let mut ours = self.0.iter().peekable();
        other.0.iter().copied().find(|theirs| {
            while ours.next_if(|range| range.end < theirs.begin).is_some() {}
            !matches!(ours.peek(), Some(r) if r.begin <= theirs.begin && theirs.end <= r.end)
        })
    }

    /// What is in both. Two pointers, like [`Ranges::contains`].
    #[must_use]
    pub fn intersection(&self, other: &Ranges) -> Ranges {
        let (mut at, mut common) = (0, Vec::new());
        for theirs in &other.0 {
            while let Some(ours) = self.0.get(at).filter(|ours| ours.begin <= theirs.end) {
                let (begin, end) = (ours.begin.max(theirs.begin), ours.end.min(theirs.end));
                if begin <= end {
                    common.push(Range { begin, end });
                }
                if ours.end > theirs.end {
                    break;
                }
                at += 1;
            }
        }
        Ranges(common)
    }

    /// Everything of both.
    ///
    /// # Errors
    /// When they overlap (one number cannot be had twice) or the sum has too many ranges.
    pub fn checked_add(&self, other: &Ranges) -> Result<Ranges, RangesError> {
        let mut all = Vec::with_capacity(self.0.len() + other.0.len());
        all.extend_from_slice(&self.0);
        all.extend_from_slice(&other.0);
        Ranges::new(all)
    }

    /// Ours without `other`.
    ///
    /// # Errors
    /// When part of `other` is not here, or the rest falls into too many ranges.
    pub fn checked_sub(&self, other: &Ranges) -> Result<Ranges, RangesError> {
        if let Some(range) = self.first_missing(other) {
            return Err(RangesError::Missing(range));
        }
        let mut rest = Vec::with_capacity(self.0.len() + other.0.len());
        let mut taken = other.0.iter().peekable();
        for ours in &self.0 {
            let mut begin = ours.begin;
            let mut used_up = false;
            while let Some(cut) = taken.next_if(|cut| cut.end <= ours.end) {
                if begin < cut.begin {
                    rest.push(Range {
                        begin,
                        end: cut.begin - 1,
                    });
                }
                used_up = cut.end == ours.end;
                begin = cut.end.saturating_add(1);
            }
            if !used_up {
                rest.push(Range {
                    begin,
                    end: ours.end,
                });
            }
        }
        if rest.len() > RANGES_MAX {
            return Err(RangesError::Many(rest.len()));
        }
        Ok(Ranges(rest))
    }
}

impl TryFrom<Vec<Range>> for Ranges {
    type Error = RangesError;
    fn try_from(ranges: Vec<Range>) -> Result<Ranges, RangesError> {
        Ranges::new(ranges)
    }
}

impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, range) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(f, "{comma}{range}")?;
        }
        f.write_str("]")
    }
}

//! How much there is of one resource.

use super::ranges::{Ranges, RangesError};
use super::scalar::Scalar;
use super::set::{Set, SetError};
use core::fmt;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An amount, numbers, or names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Value {
    /// An amount, such as of CPUs.
    Scalar(Scalar),
    /// Numbers, such as ports.
    Ranges(Ranges),
    /// Names, such as zones.
    Set(Set),
}

/// Why two values could not be added or taken apart.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ValueError {
    /// One is a scalar and the other ranges, say.
    #[error("a {0} and a {1} cannot be combined")]
    Type(&'static str, &'static str),
    /// More than an amount can hold.
    #[error("{0} and {1} together are too much: at most {max}", max = Scalar::MAX)]
    Large(Scalar, Scalar),
    /// Less there than is to be taken away.
    #[error("{have} available, {want} wanted")]
    Short {
        /// What is there.
        have: Scalar,
        /// What was to be taken.
        want: Scalar,
    },
    /// See [`RangesError`].
    #[error(transparent)]
    Ranges(#[from] RangesError),
    /// See [`SetError`].
    #[error(transparent)]
    Set(#[from] SetError),
}

impl Value {
    /// The name of its type, as messages to people say it.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        match self {
            Value::Scalar(_) => "scalar",
            Value::Ranges(_) => "range",
            Value::Set(_) => "set",
        }
    }

    /// The amount, if that is what it is.
    #[must_use]
    pub const fn scalar(&self) -> Option<Scalar> {
        match self {
            Value::Scalar(scalar) => Some(*scalar),
            _ => None,
        }
    }

    /// Whether there is nothing of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Value::Scalar(scalar) => scalar.is_zero(),
            Value::Ranges(ranges) => ranges.is_empty(),
            Value::Set(set) => set.is_empty(),
        }
    }

    /// Whether all of `other` is in it.
    #[must_use]
    pub fn contains(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Scalar(ours), Value::Scalar(theirs)) => theirs <= ours,
            (Value::Ranges(ours), Value::Ranges(theirs)) => ours.contains(theirs),
            (Value::Set(ours), Value::Set(theirs)) => ours.contains(theirs),
            _ => false,
        }
    }

    /// What is in both; none where the types differ.
    #[must_use]
    pub fn intersection(&self, other: &Value) -> Option<Value> {
        match (self, other) {
            (Value::Scalar(ours), Value::Scalar(theirs)) => Some(Value::Scalar(*ours.min(theirs))),
            (Value::Ranges(ours), Value::Ranges(theirs)) => {
                Some(Value::Ranges(ours.intersection(theirs)))
            }
            (Value::Set(ours), Value::Set(theirs)) => Some(Value::Set(ours.intersection(theirs))),
            _ => None,
        }
    }

    /// Both together.
    ///
    /// # Errors
    /// When the types differ, the sum is too large, or they share a member.
    pub fn checked_add(&self, other: &Value) -> Result<Value, ValueError> {
        Ok(match (self, other) {
            (Value::Scalar(ours), Value::Scalar(theirs)) => {
                let sum = ours.checked_add(*theirs);
                Value::Scalar(sum.ok_or(ValueError::Large(*ours, *theirs))?)
            }
            (Value::Ranges(ours), Value::Ranges(theirs)) => {
                Value::Ranges(ours.checked_add(theirs)?)
            }
            (Value::Set(ours), Value::Set(theirs)) => Value::Set(ours.checked_add(theirs)?),
            _ => return Err(ValueError::Type(self.type_name(), other.type_name())),
        })
    }

    /// Ours without `other`.
    ///
    /// # Errors
    /// When the types differ or part of `other` is not here.
    pub fn checked_sub(&self, other: &Value) -> Result<Value, ValueError> {
        Ok(match (self, other) {
            (Value::Scalar(ours), Value::Scalar(theirs)) => {
                let (have, want) = (*ours, *theirs);
                let rest = have.checked_sub(want);
                Value::Scalar(rest.ok_or(ValueError::Short { have, want })?)
            }
            (Value::Ranges(ours), Value::Ranges(theirs)) => {
                Value::Ranges(ours.checked_sub(theirs)?)
            }
            (Value::Set(ours), Value::Set(theirs)) => Value::Set(ours.checked_sub(theirs)?),
            _ => return Err(ValueError::Type(self.type_name(), other.type_name())),
        })
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Scalar(scalar) => scalar.fmt(f),
            Value::Ranges(ranges) => ranges.fmt(f),
            Value::Set(set) => set.fmt(f),
        }
    }
}

//! Sets of names.

use super::name::{self, NameError};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The most members of one set.
pub const SET_ITEMS_MAX: usize = 16_384;

/// Why a set was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SetError {
    /// A member that is not a name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The same member twice.
    #[error("'{0}' is in it twice")]
    Twice(String),
    /// More than [`SET_ITEMS_MAX`].
    #[error("{0} members are too many: at most {SET_ITEMS_MAX}")]
    Many(usize),
    /// Something to be taken away that is not there.
    #[error("'{0}' is not available")]
    Missing(String),
}

/// Sorted, each member once.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<Arc<str>>")]
pub struct Set(Vec<Arc<str>>);

impl Set {
    /// Sorts `items`.
    ///
    /// # Errors
    /// When a member is not a name or there twice, or there are too many.
    pub fn new(mut items: Vec<Arc<str>>) -> Result<Set, SetError> {
        if items.len() > SET_ITEMS_MAX {
            return Err(SetError::Many(items.len()));
        }
        items.sort_unstable();
        for item in &items {
            name::validate(item)?;
        }
        match items.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(SetError::Twice(pair[0].to_string())),
            None => Ok(Set(items)),
        }
    }

    /// In order of name.
    #[must_use]
    pub fn as_slice(&self) -> &[Arc<str>] {
        &self.0
    }

    /// Whether it has no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn has(&self, item: &Arc<str>) -> bool {
        self.0.binary_search(item).is_ok()
    }

    /// Whether every member of `other` is here.
    #[must_use]
    pub fn contains(&self, other: &Set) -> bool {
        other.0.iter().all(|item| self.has(item))
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Set) -> Set {
        let common = self.0.iter().filter(|item| other.has(item));
        Set(common.cloned().collect())
    }

    /// Everything of both.
    ///
    /// # Errors
    /// When they share a member or the sum is too large.
    pub fn checked_add(&self, other: &Set) -> Result<Set, SetError> {
        Set::new(self.0.iter().chain(&other.0).cloned().collect())
    }

    /// Ours without `other`.
    ///
    /// # Errors
    /// When a member of `other` is not here.
    pub fn checked_sub(&self, other: &Set) -> Result<Set, SetError> {
        if let Some(item) = other.0.iter().find(|item| !self.has(item)) {
            return Err(SetError::Missing(item.to_string()));
        }
        let rest = self.0.iter().filter(|item| !other.has(item));
        Ok(Set(rest.cloned().collect()))
    }
}

impl TryFrom<Vec<Arc<str>>> for Set {
    type Error = SetError;
    fn try_from(items: Vec<Arc<str>>) -> Result<Set, SetError> {
        Set::new(items)
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, item) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(f, "{comma}{item}")?;
        }
        f.write_str("}")
    }
}

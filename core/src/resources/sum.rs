//! Canonical collections of resources, and their arithmetic.

use super::parse::{self, ParseError};
use super::quantities::Quantities;
use super::resource::{KindError, Resource, ResourceKind};
use super::role::Role;
use super::scalar::Scalar;
use super::value::{Value, ValueError};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

/// The most different kinds in one collection.
pub const RESOURCES_MAX: usize = 4_096;

/// How many kinds are looked at before they are searched.
const LOOKED_AT_FIRST: usize = 6;

/// Why resources were refused. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ResourcesError {
    /// A kind that makes no sense.
    #[error("resource '{resource}': {why}")]
    Kind {
        /// As it prints.
        resource: String,
        /// What is wrong with it.
        why: KindError,
    },
    /// Two amounts of one kind that do not go together.
    #[error("resource '{resource}': {why}")]
    Value {
        /// The kind, as it prints.
        resource: String,
        /// What is wrong.
        why: ValueError,
    },
    /// Nothing of this kind is there.
    #[error("resource '{0}' is not available")]
    Missing(String),
    /// A volume or whole device that exists already.
    #[error("resource '{0}' exists already, and there can be only one")]
    Twice(String),
    /// Several holders of something that is not shared, or none at all.
    #[error("resource '{0}' is not shared, so it is held exactly once")]
    Copies(String),
    /// More than [`RESOURCES_MAX`].
    #[error("{0} kinds of resources are too many: at most {RESOURCES_MAX}")]
    Many(usize),
}

/// A sum of resources. Sorted by kind, each kind once, nothing empty: equal amounts are equal
/// values, in whatever order they were added.
///
/// A copy shares its list with the original until one of them changes: the same resources are
/// offered, refused, taken back and offered again, and each has its own word on them.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "Vec<Resource>")]
pub struct Resources(
    /// None when empty, so that nothing needs no memory.
    Option<Arc<Vec<Resource>>>,
);

impl Serialize for Resources {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.items().serialize(serializer)
    }
}

impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Resources").field(&self.items()).finish()
    }
}

impl Resources {
    /// Nothing.
    pub const EMPTY: Resources = Resources(None);

    /// Reads the text form, such as
    /// `cpus:4;mem:4096;ports:[31000-32000,33000-33010];zones:{a,b};cpus(web):2`. What names no
    /// role is reserved for `default_role`, unless that is `*`.
    ///
    /// # Errors
    /// Says at which byte what is wrong.
    pub fn parse(text: &str, default_role: &Role) -> Result<Resources, ParseError> {
        parse::resources(text, default_role)
    }

    /// Adds up `items`.
    ///
    /// # Errors
    /// When one makes no sense or two do not go together.
    pub fn new(items: impl IntoIterator<Item = Resource>) -> Result<Resources, ResourcesError> {
        let mut sum = Resources::EMPTY;
        for item in items {
            sum.include(&item)?;
        }
        Ok(sum)
    }

    /// Of items that are sorted by kind, each kind once, nothing empty.
    pub(super) fn of(items: Vec<Resource>) -> Resources {
        Resources((!items.is_empty()).then(|| Arc::new(items)))
    }

    fn items(&self) -> &[Resource] {
        self.0.as_ref().map_or(&[], |items| items.as_slice())
    }

    /// The list, no longer shared. Whoever empties it says so with [`Resources::settle`].
    fn items_mut(&mut self) -> &mut Vec<Resource> {
        Arc::make_mut(self.0.get_or_insert_default())
    }

    fn settle(&mut self) {
        if self.items().is_empty() {
            self.0 = None;
        }
    }

    /// Whether both are the same list, so that there is nothing to compare.
    fn is_shared_with(&self, other: &Resources) -> bool {
        match (&self.0, &other.0) {
            (Some(ours), Some(theirs)) => Arc::ptr_eq(ours, theirs),
            (None, None) => true,
            _ => false,
        }
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// How many kinds there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items().len()
    }

    /// By kind, in order.
    pub fn iter(&self) -> core::slice::Iter<'_, Resource> {
        self.items().iter()
    }

    /// What there is of `kind`.
    #[must_use]
    pub fn find(&self, kind: &ResourceKind) -> Option<&Resource> {
        self.position(kind).ok().map(|at| &self.items()[at])
    }

    fn position(&self, kind: &ResourceKind) -> Result<usize, usize> {
        let items = self.items();
        // Mostly there are few, and to see whether two are the same is quicker than to order them.
        let same = |item: &Resource| item.kind == *kind;
        match items.iter().take(LOOKED_AT_FIRST).position(same) {
            Some(at) => Ok(at),
            None => items.binary_search_by(|item| item.kind.cmp(kind)),
        }
    }

    /// Adds one resource. What is empty is checked and then left out.
    ///
    /// # Errors
    /// When it makes no sense or does not go with what is there; nothing is changed then.
    pub fn include(&mut self, item: &Resource) -> Result<(), ResourcesError> {
        let name = || item.kind.to_string();
        let kind = item.kind.validate();
        kind.map_err(|why| ResourcesError::Kind {
            resource: name(),
            why,
        })?;
        if item.copies == 0 || (item.copies != 1 && !item.kind.shared) {
            return Err(ResourcesError::Copies(name()));
        }
        if item.value.is_empty() {
            return Ok(());
        }
        let at = match self.position(&item.kind) {
            Ok(at) => at,
            Err(_) if self.len() == RESOURCES_MAX => {
                return Err(ResourcesError::Many(self.len() + 1));
            }
            Err(at) => {
                self.items_mut().insert(at, item.clone());
                return Ok(());
            }
        };
        let ours = &self.items()[at];
        if item.kind.shared && ours.value == item.value {
            let copies = ours.copies.checked_add(item.copies);
            let copies = copies.ok_or_else(|| ResourcesError::Copies(name()))?;
            self.items_mut()[at].copies = copies;
            return Ok(());
        }
        if !item.kind.merges() {
            return Err(ResourcesError::Twice(name()));
        }
        let sum = ours.value.checked_add(&item.value);
        let sum = sum.map_err(|why| ResourcesError::Value {
            resource: name(),
            why,
        })?;
        self.items_mut()[at].value = sum;
        Ok(())
    }

    /// Takes one resource away.
    ///
    /// # Errors
    /// When it is not all there; nothing is changed then.
    pub fn exclude(&mut self, item: &Resource) -> Result<(), ResourcesError> {
        if item.value.is_empty() {
            return Ok(());
        }
        let name = || item.kind.to_string();
        let at = self.position(&item.kind);
        let at = at.map_err(|_| ResourcesError::Missing(item.to_string()))?;
        let ours = &self.items()[at];
        let (value, copies) = if item.kind.merges() {
            let rest = ours.value.checked_sub(&item.value);
            let rest = rest.map_err(|why| ResourcesError::Value {
                resource: name(),
                why,
            })?;
            (rest, ours.copies)
        } else {
            if ours.value != item.value || ours.copies < item.copies {
                return Err(ResourcesError::Missing(item.to_string()));
            }
            (ours.value.clone(), ours.copies - item.copies)
        };
        if value.is_empty() || copies == 0 {
            self.items_mut().remove(at);
            self.settle();
        } else {
            let ours = &mut self.items_mut()[at];
            (ours.value, ours.copies) = (value, copies);
        }
        Ok(())
    }

    /// Whether all of `other` is here.
    #[must_use]
    pub fn contains(&self, other: &Resources) -> bool {
        self.is_shared_with(other) || other.iter().all(|item| self.contains_item(item))
    }

    /// Whether all of `item` is here.
    #[must_use]
    pub fn contains_item(&self, item: &Resource) -> bool {
        self.find(&item.kind).is_some_and(|ours| {
            if item.kind.merges() {
                ours.value.contains(&item.value)
            } else {
                ours.value == item.value && ours.copies >= item.copies
            }
        })
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Resources) -> Resources {
        let common = other.iter().filter_map(|item| {
            let ours = self.find(&item.kind)?;
            let mut item = item.clone();
            if item.kind.merges() {
                item.value = ours.value.intersection(&item.value)?;
            } else if item.value != ours.value {
                return None;
            }
            item.copies = item.copies.min(ours.copies);
            (!item.value.is_empty()).then_some(item)
        });
        Resources::of(common.collect())
    }

    /// Takes out, and returns, what may be offered to `role`.
    pub fn split_off_allocatable(&mut self, role: &Role) -> Resources {
        let taken = self.allocatable_to(role);
        *self = self.filter(|item| !item.kind.is_allocatable_to(role));
        taken
    }

    /// Everything of both.
    ///
    /// # Errors
    /// When a sum is too large, ranges overlap, or a volume would exist twice.
    pub fn checked_add(&self, other: &Resources) -> Result<Resources, ResourcesError> {
        if other.is_empty() {
            return Ok(self.clone());
        }
        let mut sum = self.clone();
        for item in other {
            sum.include(item)?;
        }
        Ok(sum)
    }

    /// Ours without `other`.
    ///
    /// # Errors
    /// Says what of `other` is not here.
    pub fn checked_sub(&self, other: &Resources) -> Result<Resources, ResourcesError> {
        if self.is_shared_with(other) {
            return Ok(Resources::EMPTY);
        }
        let mut rest = self.clone();
        for item in other {
            rest.exclude(item)?;
        }
        Ok(rest)
    }

    /// The amount of scalar `name` over all kinds.
    #[must_use]
    pub fn scalar(&self, name: &str) -> Scalar {
        let amounts = self.iter().filter(|item| item.name() == name);
        amounts
            .filter_map(|item| item.value.scalar())
            .fold(Scalar::ZERO, Scalar::saturating_add)
    }

    /// All scalars by name; a shared volume counts once.
    #[must_use]
    pub fn quantities(&self) -> Quantities {
        let mut sum = Quantities::ZERO;
        for item in self {
            if let Value::Scalar(scalar) = item.value {
                sum.add_milli(&item.kind.name, scalar.milli());
            }
        }
        sum
    }

    /// Those for which `keep` holds.
    #[must_use]
    pub fn filter(&self, keep: impl Fn(&Resource) -> bool) -> Resources {
        if self.iter().all(&keep) {
            return self.clone();
        }
        Resources::of(self.iter().filter(|item| keep(item)).cloned().collect())
    }

    /// What is reserved for exactly `role`.
    #[must_use]
    pub fn reserved_for(&self, role: &Role) -> Resources {
        self.filter(|item| item.kind.reserved_role() == Some(role))
    }

    /// What is reserved for anyone.
    #[must_use]
    pub fn reserved(&self) -> Resources {
        self.filter(|item| !item.kind.reservations.is_empty())
    }

    /// What is reserved for nobody.
    #[must_use]
    pub fn unreserved(&self) -> Resources {
        self.filter(|item| item.kind.reservations.is_empty())
    }

    /// What may be offered to `role`: unreserved, and reserved for it or an ancestor of it.
    #[must_use]
    pub fn allocatable_to(&self, role: &Role) -> Resources {
        self.filter(|item| item.kind.is_allocatable_to(role))
    }

    /// The same, marked as allocated to `role`.
    #[must_use]
    pub fn allocated_to(&self, role: &Role) -> Resources {
        self.marked(Some(role))
    }

    /// The same, as the agent lists it: allocated to nobody.
    ///
    /// What two roles have of one kind becomes one amount again.
    #[must_use]
    pub fn unallocated(&self) -> Resources {
        self.marked(None)
    }

    fn marked(&self, role: Option<&Role>) -> Resources {
        if self
            .iter()
            .all(|item| item.kind.allocation.as_ref() == role)
        {
            return self.clone();
        }
        self.changed(|kind| {
            kind.allocation = role.cloned();
        })
    }

    /// Amounts alone: neither reserved nor allocated, as if it were an empty agent's.
    #[must_use]
    pub fn flatten(&self) -> Resources {
        self.changed(|kind| {
            kind.allocation = None;
            kind.reservations.clear();
        })
    }

    /// Applies `change` to every kind and adds up what became equal. What would not add up (it was
    /// never one agent's) stays as it is at first sight, so that nothing is invented.
    fn changed(&self, change: impl Fn(&mut ResourceKind)) -> Resources {
        let mut sum: Vec<Resource> = Vec::with_capacity(self.len());
        for item in self {
            let mut item = item.clone();
            change(&mut item.kind);
            match sum.binary_search_by(|other| other.kind.cmp(&item.kind)) {
                Err(at) => sum.insert(at, item),
                Ok(at) if item.kind.shared => {
                    sum[at].copies = sum[at].copies.saturating_add(item.copies);
                }
                Ok(at) => {
                    if let Ok(value) = sum[at].value.checked_add(&item.value) {
                        sum[at].value = value;
                    }
                }
            }
        }
        Resources::of(sum)
    }
}

impl TryFrom<Vec<Resource>> for Resources {
    type Error = ResourcesError;
    fn try_from(items: Vec<Resource>) -> Result<Resources, ResourcesError> {
        Resources::new(items)
    }
}

impl<'a> IntoIterator for &'a Resources {
    type Item = &'a Resource;
    type IntoIter = core::slice::Iter<'a, Resource>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromStr for Resources {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Resources, ParseError> {
        Resources::parse(text, &Role::any())
    }
}

impl fmt::Display for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, item) in self.iter().enumerate() {
            let separator = if i == 0 { "" } else { ";" };
            write!(f, "{separator}{item}")?;
        }
        Ok(())
    }
}

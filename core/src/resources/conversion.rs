//! Reserving, making volumes and their reverse: what resources are changes, how much there is
//! does not.

use super::resource::{Disk, ReservationType, ResourceKind};
use super::sum::{Resources, ResourcesError};
use alloc::string::{String, ToString};
use thiserror::Error;

/// One step: so much of some kinds becomes as much of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversion {
    /// What is there before.
    pub consumed: Resources,
    /// What is there instead afterwards.
    pub converted: Resources,
    /// Whether nothing like what was consumed may be left: of a shared volume that is destroyed
    /// nobody may hold another copy.
    pub last: bool,
}

/// Why resources were not converted. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConversionError {
    /// What was to be converted is not all there.
    #[error("{have} does not contain {want}")]
    Missing {
        /// What is there.
        have: String,
        /// What was to be converted.
        want: String,
    },
    /// A shared volume is still held by others.
    #[error("{0} cannot be destroyed while there are further copies of it")]
    Copies(String),
    /// See [`ResourcesError`].
    #[error(transparent)]
    Sum(#[from] ResourcesError),
}

impl Conversion {
    /// One that asks nothing of what is left.
    #[must_use]
    pub const fn new(consumed: Resources, converted: Resources) -> Conversion {
        Conversion {
            consumed,
            converted,
            last: false,
        }
    }
}

impl Resources {
    /// Converts these step by step.
    ///
    /// # Errors
    /// When a step's resources are not here, or do not go with what is; nothing is changed then.
    pub fn apply(&self, conversions: &[Conversion]) -> Result<Resources, ConversionError> {
        let mut all = self.clone();
        for step in conversions {
            if !all.contains(&step.consumed) {
                return Err(ConversionError::Missing {
                    have: all.to_string(),
                    want: step.consumed.to_string(),
                });
            }
            all = all.checked_sub(&step.consumed)?;
            let mut consumed = step.consumed.iter();
            if step.last
                && let Some(item) = consumed.find(|item| all.find(&item.kind).is_some())
            {
                return Err(ConversionError::Copies(item.to_string()));
            }
            // Sharing is not making another.
            let mut made = step.converted.iter().filter(|item| item.kind.shared);
            if let Some(item) = made.find(|item| all.find(&item.kind).is_some()) {
                return Err(ResourcesError::Twice(item.kind.to_string()).into());
            }
            all = all.checked_add(&step.converted)?;
        }
        Ok(all)
    }

    /// The same with one reservation less on each.
    ///
    /// # Errors
    /// When what becomes equal does not add up.
    pub fn popped(&self) -> Result<Resources, ResourcesError> {
        self.each_kind(|kind| {
            kind.reservations.pop();
        })
    }

    /// The disk space under these volumes.
    ///
    /// # Errors
    /// When what becomes equal does not add up.
    pub fn without_volumes(&self) -> Result<Resources, ResourcesError> {
        self.each_kind(ResourceKind::strip_volume)
    }

    /// Reserved for nobody, and otherwise the same.
    ///
    /// # Errors
    /// When what becomes equal does not add up.
    pub fn unreserved_form(&self) -> Result<Resources, ResourcesError> {
        self.each_kind(|kind| kind.reservations.clear())
    }

    /// As [`Resources::unallocated`], where it is not known that all adds up.
    ///
    /// # Errors
    /// When it does not.
    pub fn unmarked(&self) -> Result<Resources, ResourcesError> {
        self.each_kind(|kind| kind.allocation = None)
    }

    fn each_kind(&self, change: impl Fn(&mut ResourceKind)) -> Result<Resources, ResourcesError> {
        Resources::new(self.iter().map(|item| {
            let mut item = item.clone();
            change(&mut item.kind);
            if !item.kind.shared {
                item.copies = 1;
            }
            item
        }))
    }

    /// What an agent that has these by its flags has once `kept`, all of it reserved at run time
    /// or volumes, is made of them again.
    ///
    /// # Errors
    /// When there is not enough to make it of.
    pub fn remade(&self, kept: &Resources) -> Result<Resources, ConversionError> {
        let mut all = self.clone();
        for item in kept {
            let converted = Resources::new([item.clone()])?;
            let consumed = converted.each_kind(|kind| {
                kind.strip_volume();
                let dynamic = |level: &super::Reservation| level.kind == ReservationType::Dynamic;
                kind.reservations.retain(|level| !dynamic(level));
            })?;
            all = all.apply(&[Conversion::new(consumed, converted)])?;
        }
        Ok(all)
    }
}

impl ResourceKind {
    /// Makes a volume the disk space that it was made of.
    fn strip_volume(&mut self) {
        let source = self.disk.take().and_then(|disk| disk.source);
        self.disk = source.map(|source| Disk {
            volume: None,
            source: Some(source),
        });
        self.shared = false;
    }
}

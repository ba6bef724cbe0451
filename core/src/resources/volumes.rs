//! Parts of resources that are treated in ways of their own.

use super::resource::{Reservation, ReservationType, Resource, ResourceKind};
use super::sum::Resources;

impl ResourceKind {
    /// The innermost reservation was made at run time.
    #[must_use]
    pub fn is_dynamically_reserved(&self) -> bool {
        let innermost = self.reservations.last();
        innermost.is_some_and(|level| level.kind == ReservationType::Dynamic)
    }

    /// Whether it came to be at run time, so that an agent must not forget it.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        let dynamic = |level: &Reservation| level.kind == ReservationType::Dynamic;
        self.volume().is_some() || self.reservations.iter().any(dynamic)
    }

    /// A reservation that refines another.
    #[must_use]
    pub fn is_refined(&self) -> bool {
        self.reservations.len() > 1
    }
}

impl Resources {
    /// What came to be at run time.
    #[must_use]
    pub fn kept(&self) -> Resources {
        self.filter(|item| item.kind.is_kept())
    }

    /// Persistent volumes.
    #[must_use]
    pub fn volumes(&self) -> Resources {
        self.filter(|item| item.kind.volume().is_some())
    }

    /// Whether anything here may be in several hands at once.
    #[must_use]
    pub fn has_shared(&self) -> bool {
        self.iter().any(|item| item.kind.shared)
    }

    /// What may be in several hands at once.
    #[must_use]
    pub fn shared(&self) -> Resources {
        if !self.has_shared() {
            return Resources::EMPTY;
        }
        self.filter(|item| item.kind.shared)
    }

    /// What is in one pair of hands at a time.
    #[must_use]
    pub fn exclusive(&self) -> Resources {
        self.filter(|item| !item.kind.shared)
    }

    /// Of each shared volume one copy, of everything else all.
    #[must_use]
    pub fn single(&self) -> Resources {
        if self.iter().all(|item| item.copies == 1) {
            return self.clone();
        }
        self.each(|item| item.copies = 1)
    }

    /// Whether all of `other` is here, however many copies of a shared volume it holds.
    #[must_use]
    pub fn contains_single(&self, other: &Resources) -> bool {
        self.contains(&other.single())
    }

    /// The same, each item changed in a way that neither changes its kind nor empties it.
    fn each(&self, change: impl Fn(&mut Resource)) -> Resources {
        let mut items: alloc::vec::Vec<Resource> = self.iter().cloned().collect();
        items.iter_mut().for_each(change);
        Resources::of(items)
    }
}

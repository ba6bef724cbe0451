//! Cutting a task's resources out of an offer.

use crate::resources::{Resource, Resources, Value};

/// What is left of an offer while tasks are placed on it.
#[derive(Clone, Debug)]
pub struct Room {
    left: Resources,
}

impl Room {
    /// All that was offered.
    #[must_use]
    pub fn new(offered: &Resources) -> Room {
        Room {
            left: offered.clone(),
        }
    }

    /// Takes `wanted`, which says plain amounts: what is reserved for the role is used up first.
    /// The result is made of the offer's own resources, with their reservations and allocation.
    /// `None`, and nothing taken, where it does not fit. Volumes, whole devices and what may be
    /// taken back are left alone.
    pub fn take(&mut self, wanted: &Resources) -> Option<Resources> {
        let mut taken = Resources::EMPTY;
        for item in wanted {
            self.take_one(item, &mut taken)?;
        }
        self.left = self.left.checked_sub(&taken).ok()?;
        Some(taken)
    }

    fn take_one(&self, wanted: &Resource, taken: &mut Resources) -> Option<()> {
        let usable = |item: &&Resource| {
            let kind = &item.kind;
            kind.name == wanted.kind.name && kind.merges() && !kind.revocable && !kind.shared
        };
        let reserved = |item: &&Resource| !item.kind.reservations.is_empty();
        let first = self.left.iter().filter(usable).filter(reserved);
        let then = self
            .left
            .iter()
            .filter(usable)
            .filter(|item| !reserved(item));
        let mut open = wanted.value.clone();
        for item in first.chain(then) {
            let part = match (&item.value, &open) {
                (Value::Scalar(ours), Value::Scalar(theirs)) => Value::Scalar(*ours.min(theirs)),
                (ours, theirs) if ours.contains(theirs) => theirs.clone(),
                _ => continue,
            };
            open = open.checked_sub(&part).ok()?;
            taken
                .include(&Resource::new(item.kind.clone(), part))
                .ok()?;
            if open.is_empty() {
                return Some(());
            }
        }
        None
    }

    /// What is left.
    #[must_use]
    pub fn left(&self) -> &Resources {
        &self.left
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::format;
    use std::string::ToString;

    fn resources(text: &str) -> Resources {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_reserved_goes_first_and_keeps_its_name() {
        let mut room = Room::new(&resources("cpus:2;cpus(web):1;mem:100"));
        let taken = room.take(&resources("cpus:1.5;mem:100")).unwrap();
        assert_eq!(taken, resources("cpus:0.5;cpus(web):1;mem:100"));
        assert_eq!(room.left().to_string(), "cpus:1.5");
    }

    #[test]
    fn what_does_not_fit_takes_nothing() {
        let mut room = Room::new(&resources("cpus:2;mem:100;ports:[1-3]"));
        for wanted in [
            "cpus:1;mem:101",
            "cpus:1;gpus:1",
            "ports:[3-4]",
            "cpus:2.001",
        ] {
            assert_eq!(room.take(&resources(wanted)), None, "{wanted}");
        }
        assert!(room.take(&resources("ports:[2-3];cpus:2")).is_some());
        assert_eq!(room.left().to_string(), "mem:100;ports:[1-1]");
    }

    proptest! {
        #[test]
        fn taken_and_left_are_what_was_there(
            cpus in 0_u32..50, reserved in 0_u32..50, wanted in 1_u32..60, mem in 0_u32..20,
        ) {
            let offered = resources(&format!("cpus:{cpus};cpus(web):{reserved};mem:{mem}"));
            let mut room = Room::new(&offered);
            let wanted = resources(&format!("cpus:{wanted};mem:5"));
            match room.take(&wanted) {
                Some(taken) => {
                    prop_assert_eq!(taken.quantities(), wanted.quantities());
                    prop_assert_eq!(room.left().checked_add(&taken), Ok(offered));
                }
                None => {
                    prop_assert!(!offered.quantities().contains(&wanted.quantities()));
                    prop_assert_eq!(room.left(), &offered);
                }
            }
        }
    }
}

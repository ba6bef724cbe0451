//! Volumes that a framework was told of are there, with what is in them, until someone has them
//! destroyed.

use super::Broken;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tepui_core::model::ResourceOperation;
use tepui_core::resources::{Resources, Role};

/// A volume: ids are unique within a role.
type Key = (Role, Arc<str>);

/// The promise that is checked here.
const KEPT: &str = "volumes.data-is-kept";

/// All volumes, by the slot of their agent's node.
#[derive(Debug, Default)]
pub struct VolumeChecker {
    /// Said to be made: whoever was told may have written to them.
    kept: BTreeMap<usize, BTreeSet<Key>>,
    /// Someone asked for their end, whether or not that was done.
    doomed: BTreeSet<Key>,
}

impl VolumeChecker {
    /// A framework or an operator asks for something.
    pub fn on_asked(&mut self, operation: &ResourceOperation) {
        if let ResourceOperation::Destroy { volumes } = operation {
            self.doomed.extend(keys(volumes));
        }
    }

    /// An agent says that an operation is done.
    pub fn on_done(&mut self, agent: usize, operation: &ResourceOperation) {
        match operation {
            ResourceOperation::Create { volumes } => {
                self.kept.entry(agent).or_default().extend(keys(volumes));
            }
            ResourceOperation::Destroy { volumes } => self.forget(agent, volumes),
            _ => {}
        }
    }

    /// What is in these volumes is deleted.
    ///
    /// # Errors
    /// When someone may have written to one of them, and nobody has asked for its end.
    pub fn on_wiped(&mut self, agent: usize, volumes: &Resources) -> Result<(), Broken> {
        let kept = self.kept.get(&agent);
        let lost = keys(volumes)
            .find(|key| kept.is_some_and(|kept| kept.contains(key)) && !self.doomed.contains(key));
        self.forget(agent, volumes);
        Broken::unless(lost.is_none(), KEPT, || {
            format!("{lost:?} is emptied, and nobody has asked for that")
        })
    }

    /// An agent tells a master what it has.
    ///
    /// # Errors
    /// When a volume is missing whose end nobody has asked for.
    pub fn on_report(&self, agent: usize, total: &Resources) -> Result<(), Broken> {
        let Some(kept) = self.kept.get(&agent).filter(|kept| !kept.is_empty()) else {
            return Ok(());
        };
        let there: BTreeSet<Key> = keys(total).collect();
        let mut missing = kept.difference(&there);
        let lost = missing.find(|key| !self.doomed.contains(key));
        Broken::unless(lost.is_none(), KEPT, || {
            format!("{lost:?} is not there any more, it has {total}")
        })
    }

    /// A disk is lost, with all volumes on it.
    pub fn on_wipe(&mut self, agent: usize) {
        self.kept.remove(&agent);
    }

    fn forget(&mut self, agent: usize, volumes: &Resources) {
        if let Some(kept) = self.kept.get_mut(&agent) {
            for key in keys(volumes) {
                kept.remove(&key);
            }
        }
    }
}

fn keys(volumes: &Resources) -> impl Iterator<Item = Key> {
    volumes.iter().filter_map(|item| {
        let role = item.kind.reserved_role()?.clone();
        Some((role, item.kind.volume()?.id.clone()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tepui_core::resources::{
        Disk, Reservation, ReservationType, Resource, ResourceKind, Scalar, Value, Volume,
    };

    fn volume(id: &str) -> Resources {
        let mut kind = ResourceKind::plain("disk");
        kind.reservations.push(Reservation {
            kind: ReservationType::Dynamic,
            role: Role::new("store").expect("a good role"),
            principal: None,
            labels: Vec::new(),
        });
        kind.disk = Some(Disk {
            volume: Some(Volume::new(id, "data")),
            source: None,
        });
        let size = Value::Scalar(Scalar::from_units(64));
        Resources::new([Resource::new(kind, size)]).expect("one volume")
    }

    #[test]
    fn only_what_was_doomed_may_go() {
        let mut checker = VolumeChecker::default();
        let volumes = volume("a");
        let create = ResourceOperation::Create {
            volumes: volumes.clone(),
        };
        let destroy = ResourceOperation::Destroy {
            volumes: volumes.clone(),
        };
        let nothing = Resources::EMPTY;
        assert!(checker.on_wiped(1, &volumes).is_ok(), "nobody has it yet");
        checker.on_done(1, &create);
        assert!(checker.on_report(1, &volumes).is_ok());
        assert!(checker.on_report(2, &nothing).is_ok(), "another agent");
        assert!(checker.on_report(1, &nothing).is_err());
        assert!(checker.on_report(1, &volume("b")).is_err());
        checker.on_asked(&destroy);
        assert!(checker.on_report(1, &nothing).is_ok());
        assert!(checker.on_wiped(1, &volumes).is_ok());

        let volumes = volume("c");
        let create = ResourceOperation::Create {
            volumes: volumes.clone(),
        };
        checker.on_done(1, &create);
        assert!(checker.on_wiped(1, &volumes).is_err());
        checker.on_done(1, &create);
        checker.on_wipe(1);
        assert!(checker.on_report(1, &nothing).is_ok(), "its disk is lost");
    }
}

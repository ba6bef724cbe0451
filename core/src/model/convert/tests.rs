//! Whatever is reserved and made into volumes, nothing is lost and nothing is invented.

use super::*;
use crate::resources::{Disk, Reservation, ReservationType, ResourceKind, Volume};
use alloc::format;
use proptest::prelude::*;

const BASE: &str = "cpus:8;mem:8000;disk:1000;ports:[1-20];gpus:2;cpus(web):2;disk(web):500";

fn base() -> Resources {
    BASE.parse().unwrap()
}

fn dynamic(role: &str) -> Reservation {
    Reservation {
        kind: ReservationType::Dynamic,
        role: Role::new(role).unwrap(),
        principal: Some("someone".into()),
        labels: Vec::new(),
    }
}

fn with(resources: &str, change: impl Fn(&mut ResourceKind)) -> Resources {
    let all: Resources = resources.parse().unwrap();
    Resources::new(all.iter().map(|item| {
        let mut item = item.clone();
        change(&mut item.kind);
        item
    }))
    .unwrap()
}

fn reserved(resources: &str, roles: &[&str]) -> Resources {
    with(resources, |kind| {
        kind.reservations
            .extend(roles.iter().map(|role| dynamic(role)));
    })
}

fn volume(size: u32, id: &str, roles: &[&str], shared: bool) -> Resources {
    let mut all = reserved(&format!("disk:{size}"), roles);
    all = Resources::new(all.iter().map(|item| {
        let mut item = item.clone();
        item.kind.shared = shared;
        item.kind.disk = Some(Disk {
            volume: Some(Volume::new(id, "data")),
            source: None,
        });
        item
    }))
    .unwrap();
    all
}

fn done(all: &Resources, operation: &ResourceOperation) -> Resources {
    operation.validate().unwrap();
    all.apply(&operation.conversions().unwrap()).unwrap()
}

fn reserve(resources: Resources) -> ResourceOperation {
    ResourceOperation::Reserve {
        source: Resources::EMPTY,
        resources,
    }
}

#[test]
fn a_volumes_life() {
    let mut all = done(&base(), &reserve(reserved("disk:100;cpus:1", &["db"])));
    assert_eq!(
        all.reserved_for(&Role::new("db").unwrap()),
        reserved("disk:100;cpus:1", &["db"])
    );
    let volumes = volume(64, "v", &["db"], false);
    all = done(
        &all,
        &ResourceOperation::Create {
            volumes: volumes.clone(),
        },
    );
    assert!(all.contains(&volumes) && all.contains(&reserved("disk:36", &["db"])));
    let grow = ResourceOperation::Grow {
        volume: volumes,
        addition: reserved("disk:6", &["db"]),
    };
    all = done(&all, &grow);
    let volumes = volume(70, "v", &["db"], false);
    assert!(all.contains(&volumes));
    let subtract = Scalar::from_units(60);
    all = done(
        &all,
        &ResourceOperation::Shrink {
            volume: volumes,
            subtract,
        },
    );
    let volumes = volume(10, "v", &["db"], false);
    let unreserve = ResourceOperation::Unreserve {
        resources: volumes.clone(),
    };
    assert!(matches!(
        unreserve.validate(),
        Err(OperationError::IsVolume(_))
    ));
    all = done(&all, &ResourceOperation::Destroy { volumes });
    all = done(
        &all,
        &ResourceOperation::Unreserve {
            resources: reserved("disk:100;cpus:1", &["db"]),
        },
    );
    assert_eq!(all, base());
}

#[test]
fn a_reservation_is_refined_and_taken_off_level_by_level() {
    let refined = with("cpus(web):1", |kind| {
        kind.reservations.push(dynamic("web/a"));
    });
    let all = done(&base(), &reserve(refined.clone()));
    assert!(all.contains(&refined) && all.contains(&"cpus(web):1".parse().unwrap()));
    let all = done(&all, &ResourceOperation::Unreserve { resources: refined });
    assert_eq!(all, base());
    // What the agent's flags reserve stays so.
    let fixed = ResourceOperation::Unreserve {
        resources: "cpus(web):1".parse().unwrap(),
    };
    assert!(matches!(
        fixed.validate(),
        Err(OperationError::NotDynamic(_))
    ));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let refuse = |operation: ResourceOperation| operation.validate().unwrap_err().to_string();
    let create = |volumes| ResourceOperation::Create { volumes };
    assert!(refuse(reserve(Resources::EMPTY)).contains("names no resources"));
    assert!(refuse(reserve("cpus(web):1".parse().unwrap())).contains("not dynamically"));
    assert!(refuse(reserve(reserved("gpus:0.5", &["web"]))).contains("unsigned integer"));
    assert!(refuse(create(reserved("disk:1", &["web"]))).contains("not a persistent volume"));
    assert!(refuse(create(volume(1, "../x", &["web"], false))).contains("persistence ID"));
    assert!(refuse(create(volume(1, "v", &[], false))).contains("not reserved"));
    let one = volume(10, "v", &["web"], false);
    let shrink = |volume: &Resources, units| {
        let subtract = Scalar::from_units(units);
        let volume = volume.clone();
        ResourceOperation::Shrink { volume, subtract }
    };
    assert!(refuse(shrink(&one, 0)).contains("resized by"));
    assert!(refuse(shrink(&one, 10)).contains("resized by"));
    assert!(refuse(shrink(&volume(10, "v", &["web"], true), 1)).contains("shared"));
    let both = one.checked_add(&volume(10, "w", &["web"], false)).unwrap();
    assert!(refuse(shrink(&both, 1)).contains("one volume"));
    let grow = ResourceOperation::Grow {
        volume: one,
        addition: reserved("disk:1", &["db"]),
    };
    assert!(refuse(grow).contains("not of the kind"));
}

#[test]
fn a_shared_volume_with_other_holders_is_not_destroyed() {
    let one = volume(10, "v", &["web"], true);
    let two = one.checked_add(&one).unwrap();
    let destroy = ResourceOperation::Destroy {
        volumes: one.clone(),
    };
    let steps = destroy.conversions().unwrap();
    assert!(matches!(
        two.apply(&steps),
        Err(crate::resources::ConversionError::Copies(_))
    ));
    assert_eq!(one.apply(&steps).unwrap(), reserved("disk:10", &["web"]));
}

#[test]
fn a_reservation_moves_to_another_role() {
    let all = done(&base(), &reserve(reserved("cpus:2", &["a"])));
    let moved = ResourceOperation::Reserve {
        source: reserved("cpus:2", &["a"]),
        resources: reserved("cpus:2", &["b"]),
    };
    assert!(done(&all, &moved).contains(&reserved("cpus:2", &["b"])));
    let more = ResourceOperation::Reserve {
        source: reserved("cpus:2", &["a"]),
        resources: reserved("cpus:3", &["b"]),
    };
    assert!(matches!(more.validate(), Err(OperationError::Amounts(..))));
}

const STACKS: [&[&str]; 3] = [&["db"], &["db", "db/x"], &["web2"]];

fn stacks() -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::select(&STACKS[..]).prop_map(<[_]>::to_vec)
}

fn operation() -> impl Strategy<Value = ResourceOperation> {
    let amounts = prop::sample::select(
        &[
            "cpus:1",
            "cpus:0.3",
            "cpus:4;mem:100",
            "disk:100",
            "disk:30",
            "ports:[3-7]",
            "gpus:1",
        ][..],
    );
    let sizes = prop::sample::select(&[10_u32, 30, 100][..]);
    let ids = prop::sample::select(&["v", "w"][..]);
    prop_oneof![
        (amounts.clone(), stacks()).prop_map(|(what, roles)| reserve(reserved(what, &roles))),
        (amounts, stacks()).prop_map(|(what, roles)| ResourceOperation::Unreserve {
            resources: reserved(what, &roles),
        }),
        (sizes.clone(), ids.clone(), stacks(), any::<bool>()).prop_map(
            |(size, id, roles, shared)| {
                ResourceOperation::Create {
                    volumes: volume(size, id, &roles, shared),
                }
            }
        ),
        (sizes.clone(), ids.clone(), stacks(), any::<bool>()).prop_map(
            |(size, id, roles, shared)| {
                ResourceOperation::Destroy {
                    volumes: volume(size, id, &roles, shared),
                }
            }
        ),
        (sizes.clone(), ids.clone(), stacks()).prop_map(|(size, id, roles)| {
            ResourceOperation::Grow {
                volume: volume(size, id, &roles, false),
                addition: reserved("disk:20", &roles),
            }
        }),
        (sizes, ids, stacks()).prop_map(|(size, id, roles)| ResourceOperation::Shrink {
            volume: volume(size, id, &roles, false),
            subtract: Scalar::from_units(20),
        }),
    ]
}

proptest! {
    #[test]
    fn no_operation_loses_or_invents_anything(
        operations in prop::collection::vec(operation(), 0..40)
    ) {
        let mut all = base();
        for operation in operations {
            if operation.validate().is_err() {
                continue;
            }
            let steps = operation.conversions().unwrap();
            for step in &steps {
                prop_assert_eq!(step.consumed.quantities(), step.converted.quantities());
            }
            let Ok(next) = all.apply(&steps) else {
                continue;
            };
            prop_assert_eq!(next.quantities(), base().quantities());
            prop_assert_eq!(&Resources::new(next.iter().cloned()).unwrap(), &next);
            prop_assert_eq!(
                next.without_volumes().unwrap().unreserved_form().unwrap(),
                base().unreserved_form().unwrap()
            );
            // An agent that starts again makes the same of what its flags say.
            prop_assert_eq!(&base().remade(&next.kept()).unwrap(), &next);
            all = next;
        }
    }
}

/// What takes an operation back, if one operation does.
fn reverse(operation: &ResourceOperation) -> Option<ResourceOperation> {
    use ResourceOperation as O;
    let steps = operation.conversions().unwrap();
    Some(match operation.clone() {
        O::Reserve { source, resources } if source.is_empty() => O::Unreserve { resources },
        O::Reserve { source, resources } => O::Reserve {
            source: resources,
            resources: source,
        },
        O::Unreserve { resources } => O::Reserve {
            source: Resources::EMPTY,
            resources,
        },
        O::Create { volumes } => O::Destroy { volumes },
        O::Destroy { volumes } => O::Create { volumes },
        O::Grow { addition, .. } => O::Shrink {
            volume: steps[0].converted.clone(),
            subtract: amount(&addition),
        },
        O::Shrink { .. } => {
            let volume = steps[0].converted.volumes();
            let addition = steps[0].converted.checked_sub(&volume).ok()?;
            O::Grow { volume, addition }
        }
    })
}

proptest! {
    #[test]
    fn what_is_done_and_undone_is_as_it_was(
        operations in prop::collection::vec(operation(), 0..40)
    ) {
        let mut all = base();
        for operation in operations {
            if operation.validate().is_err() {
                continue;
            }
            let Ok(next) = all.apply(&operation.conversions().unwrap()) else {
                continue;
            };
            if let Some(reverse) = reverse(&operation)
                && reverse.validate().is_ok()
            {
                let undone = next.apply(&reverse.conversions().unwrap());
                prop_assert_eq!(undone.as_ref(), Ok(&all), "{:?}", operation);
            }
            all = next;
        }
    }
}

//! How many more fit, with everything that may be in the way, and what is said of it.

use proptest::prelude::*;
use std::sync::Arc;
use tepui_core::placement::Policy;
use tepui_sim::capacity::amounts::Resource;
use tepui_sim::capacity::input::{Given, ModelNames, parse_cluster};
use tepui_sim::capacity::occupied::{Occupied, Shortfall};
use tepui_sim::capacity::release::{Found, place_all};
use tepui_sim::capacity::rules::Obstacle;
use tepui_sim::capacity::wanted::Wanted;

fn cluster(text: &str) -> Given {
    parse_cluster("c.yaml", text, Policy::FirstFit).unwrap()
}

/// What is found for shapes that are to fit together.
fn place(given: &Given, shapes: &[&str]) -> Vec<Found> {
    let wanted: Vec<Wanted> = shapes.iter().map(|text| text.parse().unwrap()).collect();
    let mut snapshot = given.snapshot.clone();
    let mut models = ModelNames(snapshot.models.clone());
    place_all(&mut snapshot, &wanted, "*", &mut models).unwrap()
}

fn fit(given: &Given, shape: &str) -> i64 {
    place(given, &[shape])[0].fit
}

const RACKS: &str = "
machines:
  - { name: a, count: 3, resources: 'cpus:4', attributes: { rack: r1 } }
  - { name: b, count: 2, resources: 'cpus:4', attributes: { rack: r2 } }
  - { name: c, resources: 'cpus:2', attributes: { rack: r3 } }
running:
  - { name: shop, shape: cpus=1, instances: 2, constraints: ['rack:GROUP_BY:3'], on: [a-1, b-1] }
";

#[test]
fn constraints_count_with_what_runs() {
    let racks = cluster(RACKS);
    assert_eq!(fit(&racks, "cpus=1"), 20);
    assert_eq!(fit(&racks, "cpus=1,constraint=hostname:UNIQUE"), 6);
    assert_eq!(fit(&racks, "cpus=1,constraint=rack:MAX_PER:3"), 3 + 3 + 2);
    assert_eq!(fit(&racks, "cpus=1,constraint=rack:UNLIKE:r[12]"), 2);
    // The rack with the most room: three hosts, one of them with one task already.
    assert_eq!(fit(&racks, "cpus=1,constraint=rack:CLUSTER"), 11);
    assert_eq!(fit(&racks, "cpus=1,constraint=rack:CLUSTER:r3"), 2);
    assert_eq!(
        fit(
            &racks,
            "cpus=1,constraint=rack:CLUSTER,constraint=hostname:UNIQUE"
        ),
        3
    );
    // One in r1 and one in r2 run; r3 holds two, and nobody may be more than one ahead.
    assert_eq!(fit(&racks, "cpus=1,app=shop"), 2 + 2 + 2);
    let found = place(&racks, &["cpus=1,app=shop,count=9"]).remove(0);
    assert!(!found.fits());
    let why = &found.why;
    assert_eq!((why.machines, why.would_take), (6, 0));
    let constraint = Obstacle::Constraint("rack:GROUP_BY:3".to_owned());
    assert_eq!(why.obstacles[&constraint], 5);
    assert_eq!(why.obstacles[&Obstacle::Short(Resource::Cpu)], 1);
}

#[test]
fn what_is_missing_is_said() {
    let given = cluster(
        "machines:\n  - { name: a, count: 3, resources: 'cpus:4;mem:1024' }\n  - { name: b, \
         resources: 'cpus:1;mem:512' }\n",
    );
    let found = place(&given, &["cpus=2,mem=2048,count=1"]).remove(0);
    assert_eq!((found.fit, found.by_totals), (0, 1));
    let memory = Shortfall {
        machines: 4,
        alone: 3,
        least: 1024,
        median: 1024,
    };
    assert_eq!(found.why.shortfalls[&Resource::Memory], memory);
    let cpus = Shortfall {
        machines: 1,
        alone: 0,
        least: 1000,
        median: 1000,
    };
    assert_eq!(found.why.shortfalls[&Resource::Cpu], cpus);
}

#[test]
fn a_release_is_tried_in_two_orders() {
    // Small ones first leave no machine whole for the large one.
    let given = cluster("machines:\n  - { name: a, count: 2, resources: 'cpus:4' }\n");
    let found = place(&given, &["cpus=1,count=4", "cpus=4,count=1"]);
    assert!(found.iter().all(Found::fits));
    let found = place(&given, &["cpus=3,count=2", "cpus=2,count=1"]);
    assert_eq!([found[0].fit, found[1].fit], [2, 0]);
    let found = place(
        &given,
        &["cpus=1,count=3", "cpus=3,count=1", "cpus=2,count=1"],
    );
    assert!(found.iter().all(Found::fits));
}

#[test]
fn a_limit_is_never_exceeded_and_named() {
    let given = cluster(
        "machines:\n  - { name: a, count: 2, resources: 'cpus:4', reservations: { shop: 'cpus:1' \
         } }\nroles:\n  shop: { limit: 'cpus:4' }\nrunning:\n  - { name: cart, role: shop, shape: \
         cpus=1, on: [a-1] }\n",
    );
    // Two are reserved, one of them in use; two more of what is for all.
    let found = place(&given, &["cpus=1,role=shop/web"]).remove(0);
    assert_eq!(found.fit, 3);
    let limit = Obstacle::Limit(Arc::from("shop"), Resource::Cpu);
    assert_eq!(found.why.obstacles[&limit], 2);
    assert_eq!(fit(&given, "cpus=1"), 6);
}

fn a_cluster() -> impl Strategy<Value = String> {
    let machine = (6_i64..12, 1_i64..4, 1_i64..3, 0_usize..3);
    let machines = prop::collection::vec(machine, 1..6);
    machines.prop_map(|machines| {
        let mut text = String::from("machines:\n");
        for (number, (cpus, web, shop, gpus)) in machines.into_iter().enumerate() {
            text += &format!(
                "  - {{ name: m{number}, resources: 'cpus:{cpus};mem:4096;gpus:{gpus}', \
                 reservations: {{ web: 'cpus:{web}', web/shop: 'cpus:{shop};mem:512' }} }}\n"
            );
        }
        text
    })
}

proptest! {
    /// The formula for each machine is what placing one by one gives, reservations and all.
    #[test]
    fn the_formula_is_what_placing_gives(
        text in a_cluster(),
        first in prop::sample::select(vec!["*", "web", "web/shop"]),
        role in prop::sample::select(vec!["*", "web", "web/shop", "webber"]),
        shape in prop::sample::select(vec!["cpus=1", "cpus=1.5,mem=700", "cpus=0.5,gpus=0.4",
                                           "mem=300,gpus=1"]),
        before in 0_i64..6,
    ) {
        let given = cluster(&text);
        let mut occupied = Occupied::of(&given.snapshot);
        let mut models = ModelNames::default();
        let other: Wanted = "cpus=1,mem=200".parse().unwrap();
        let other = occupied.tenant(&other.demand(&mut models, first).unwrap());
        occupied.place(&other, before);
        let wanted: Wanted = shape.parse().unwrap();
        let tenant = occupied.tenant(&wanted.demand(&mut models, role).unwrap());
        let formula = occupied.fit_more(&tenant);
        prop_assert!(formula <= occupied.by_totals(&tenant));
        prop_assert_eq!(occupied.place(&tenant, i64::MAX), formula);
        prop_assert_eq!(occupied.why_not(&tenant).would_take, 0);
        prop_assert_eq!(occupied.fit_more(&tenant), 0);
    }
}

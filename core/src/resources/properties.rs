//! Laws of the arithmetic, over generated resources.

use super::*;
use crate::wire;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use proptest::prelude::*;

fn scalar() -> impl Strategy<Value = Value> {
    let milli = prop_oneof![
        0..5_000_i64,
        Just(Scalar::MAX.milli()),
        0..Scalar::MAX.milli()
    ];
    milli.prop_map(|milli| Value::Scalar(Scalar::from_milli(milli).unwrap()))
}

/// Numbers from a small set, so that neighbours, overlaps and gaps are common.
fn ranges() -> impl Strategy<Value = Value> {
    prop::collection::btree_set(0..24_u64, 0..12).prop_map(|numbers| {
        let single = |n| Range { begin: n, end: n };
        Value::Ranges(Ranges::new(numbers.into_iter().map(single).collect()).unwrap())
    })
}

fn set() -> impl Strategy<Value = Value> {
    prop::collection::btree_set("[a-e]", 0..4).prop_map(|names| {
        Value::Set(Set::new(names.iter().map(|name| name.as_str().into()).collect()).unwrap())
    })
}

fn resource() -> impl Strategy<Value = Resource> {
    let named = prop_oneof![
        (
            prop::sample::select(&["cpus", "mem", "licences"][..]),
            scalar()
        ),
        (Just("ports"), ranges()),
        (Just("zones"), set()),
    ];
    let role = prop::sample::select(&["*", "web", "web/a", "db"][..]);
    (named, role).prop_map(|((name, value), role)| {
        let mut kind = ResourceKind::plain(name);
        if role != "*" {
            kind.reservations
                .push(Reservation::fixed(Role::new(role).unwrap()));
        }
        Resource::new(kind, value)
    })
}

/// What adds up of a random list; the rest of the list is left out.
fn resources() -> impl Strategy<Value = Resources> {
    prop::collection::vec(resource(), 0..8).prop_map(|items| {
        let mut sum = Resources::EMPTY;
        for item in &items {
            let _ = sum.include(item);
        }
        sum
    })
}

fn is_canonical(all: &Resources) -> bool {
    let items: Vec<&Resource> = all.iter().collect();
    items.windows(2).all(|pair| pair[0].kind < pair[1].kind)
        && items.iter().all(|item| !item.value.is_empty())
}

proptest! {
    #[test]
    fn adding_and_taking_away_loses_and_invents_nothing(a in resources(), b in resources()) {
        let Ok(sum) = a.checked_add(&b) else {
            prop_assert!(b.checked_add(&a).is_err());
            return Ok(());
        };
        prop_assert_eq!(&b.checked_add(&a).unwrap(), &sum);
        prop_assert!(is_canonical(&sum));
        prop_assert_eq!(&sum.checked_sub(&b).unwrap(), &a);
        prop_assert_eq!(&sum.checked_sub(&a).unwrap(), &b);
        prop_assert!(sum.contains(&a) && sum.contains(&b));
        let mut quantities = a.quantities();
        quantities.add(&b.quantities());
        prop_assert_eq!(sum.quantities(), quantities);
    }

    #[test]
    fn contains_says_what_subtraction_does(a in resources(), b in resources()) {
        let rest = a.checked_sub(&b);
        prop_assert_eq!(rest.is_ok(), a.contains(&b));
        if let Ok(rest) = rest {
            prop_assert!(is_canonical(&rest));
            prop_assert_eq!(rest.checked_add(&b).unwrap(), a);
        }
    }

    #[test]
    fn an_intersection_is_the_most_that_both_have(a in resources(), b in resources()) {
        let common = a.intersection(&b);
        prop_assert!(is_canonical(&common));
        prop_assert_eq!(&b.intersection(&a), &common);
        prop_assert!(a.contains(&common) && b.contains(&common));
        let (x, y) = (a.checked_sub(&common).unwrap(), b.checked_sub(&common).unwrap());
        prop_assert!(x.intersection(&y).is_empty());
    }

    #[test]
    fn splitting_for_a_role_keeps_everything(a in resources()) {
        let role = Role::new("web/a").unwrap();
        let mut rest = a.clone();
        let taken = rest.split_off_allocatable(&role);
        prop_assert_eq!(&taken, &a.allocatable_to(&role));
        prop_assert_eq!(taken.checked_add(&rest).unwrap(), a);
    }

    #[test]
    fn every_order_gives_the_same_sum(items in prop::collection::vec(resource(), 0..8), seed: u64) {
        let mut shuffled = items.clone();
        crate::rng::Rng::from_seed(seed, "order").shuffle(&mut shuffled);
        let sum = Resources::new(items);
        let other = Resources::new(shuffled);
        prop_assert_eq!(sum.is_ok(), other.is_ok());
        if let (Ok(sum), Ok(other)) = (sum, other) {
            prop_assert!(is_canonical(&sum));
            prop_assert_eq!(sum, other);
        }
    }

    #[test]
    fn text_and_bytes_round_trip(a in resources()) {
        prop_assert_eq!(&a.to_string().parse::<Resources>().unwrap(), &a);
        prop_assert_eq!(wire::decode::<Resources>(&wire::encode(&a)), Ok(a));
    }

    #[test]
    fn no_text_and_no_bytes_panic(text in "\\PC{0,40}", bytes in any::<Vec<u8>>()) {
        let _ = text.parse::<Resources>();
        let _ = text.parse::<Attributes>();
        let mut envelope = wire::VERSION.to_le_bytes().to_vec();
        envelope.extend(bytes);
        if let Ok(all) = wire::decode::<Resources>(&envelope) {
            prop_assert!(is_canonical(&all));
        }
    }

    #[test]
    fn text_that_is_nearly_right_never_panics(
        parts in prop::collection::vec(
            prop::sample::select(&["cpus", "ports", ":", ";", "(", ")", "[", "]", "{", "}", ",",
                "-", "1", "18446744073709551615", "0.5", "web", "/", "*", " "][..]), 0..16)
    ) {
        let text: String = parts.concat();
        if let Ok(all) = text.parse::<Resources>() {
            prop_assert_eq!(all.to_string().parse::<Resources>().unwrap(), all);
        }
    }

    #[test]
    fn a_scalar_prints_as_it_reads(milli in 0..=Scalar::MAX.milli()) {
        let scalar = Scalar::from_milli(milli).unwrap();
        prop_assert_eq!(Scalar::parse(&scalar.to_string()), Ok(scalar));
        prop_assert_eq!(Scalar::from_f64(scalar.to_f64()), Ok(scalar));
    }

    #[test]
    fn huge_amounts_are_refused_without_panic(whole in any::<u128>(), units in any::<f64>()) {
        let _ = Scalar::parse(&whole.to_string());
        let _ = Scalar::from_f64(units);
        let max = Resources::new([Resource::new(
            ResourceKind::plain("cpus"), Value::Scalar(Scalar::MAX))]).unwrap();
        prop_assert!(max.checked_add(&max).is_err());
    }
}

//! What the text form accepts and refuses, by example.

use super::*;
use crate::wire;
use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

fn resources(text: &str) -> Resources {
    text.parse().unwrap()
}

#[test]
fn the_text_form_reads_as_documented() {
    let text = "cpus:4;mem:4096;ports:[31000-32000,33000-33010];zones:{a,b};cpus(web):2";
    let all = resources(text);
    assert_eq!(all.scalar("cpus"), Scalar::from_units(6));
    assert_eq!(all.unreserved().scalar("cpus"), Scalar::from_units(4));
    let web = Role::new("web").unwrap();
    assert_eq!(all.reserved_for(&web), resources("cpus(web):2"));
    assert_eq!(resources(&all.to_string()), all);
    let reserved = Resources::parse("cpus:1;mem(*):2", &web).unwrap();
    assert_eq!(reserved, resources("mem:2;cpus(web):1"));
}

#[test]
fn bad_text_is_refused_and_says_where() {
    for (text, offset, hint) in [
        ("cpus:4;mem", 7, "NAME:VALUE"),
        ("cpus:-1", 0, "negative"),
        ("cpus:one", 0, "write digits"),
        ("cpus:1e18", 0, "write digits"),
        ("cpus:1000000000000000000", 0, "too much"),
        ("cpus:99999999999999999999999", 0, "too much"),
        ("cpus:nan", 0, "write digits"),
        ("mem:1; ports:[5-4]", 7, "ends before"),
        ("ports:[1-5,5-6]", 0, "overlap"),
        ("ports:[1-5];ports:[3-4]", 12, "overlap"),
        ("ports:[1-5", 0, "']'"),
        ("ports:[-5]", 0, "FIRST-LAST"),
        ("ports:[1-99999999999999999999]", 0, "FIRST-LAST"),
        ("zones:{a,a}", 0, "twice"),
        ("zones:{a,,b}", 0, "missing"),
        ("cpus(web:2", 0, "NAME(ROLE):VALUE"),
        ("cpus(../x):2", 0, "reserved"),
        ("cpus(a//b):2", 0, "empty part"),
        (":2", 0, "name is missing"),
        ("cpus:1;cpus(web):[1-2]", 7, "one type"),
    ] {
        let error = Resources::parse(text, &Role::any()).unwrap_err();
        assert_eq!(error.offset, offset, "{text}: {error}");
        assert!(error.to_string().contains(hint), "{text}: {error}");
    }
}

#[test]
fn decimals_round_half_up_without_floating_point() {
    for (text, milli) in [
        ("0.1", 100),
        ("0.0004", 0),
        ("0.0005", 1),
        ("2.9995", 3000),
        ("-0", 0),
    ] {
        assert_eq!(Scalar::parse(text).unwrap().milli(), milli, "{text}");
    }
    for (units, milli) in [(0.1, 100), (0.0005, 1), (1.0005, 1001), (-0.0001, 0)] {
        assert_eq!(Scalar::from_f64(units).unwrap().milli(), milli, "{units}");
    }
    for bad in [f64::NAN, f64::INFINITY, -1.0, 1e18, -1e300, 1e300] {
        assert!(Scalar::from_f64(bad).is_err(), "{bad}");
    }
}

#[test]
fn ten_thousand_tenths_are_a_thousand() {
    let tenth = resources("cpus:0.1");
    let mut sum = Resources::EMPTY;
    for _ in 0..10_000 {
        sum = sum.checked_add(&tenth).unwrap();
    }
    assert_eq!(sum, resources("cpus:1000"));
}

#[test]
fn roles_are_checked_as_mesos_checks_them() {
    for good in ["*", "web", "a/b/c", "a:b", "a.b", "ü"] {
        assert_eq!(Role::new(good).unwrap().as_str(), good);
    }
    for bad in [
        "", "/a", "a/", "a//b", ".", "..", "a/../b", "a/*", "-a", "a/-b", "a b", "a\t",
    ] {
        assert!(Role::new(bad).is_err(), "{bad:?}");
    }
    let (a, ab, ax) = ("a", "a/b", "ax/b");
    let [a, ab, ax] = [a, ab, ax].map(|text| Role::new(text).unwrap());
    assert!(a.is_ancestor_of(&ab) && !a.is_ancestor_of(&ax) && !a.is_ancestor_of(&a));
    assert!(a.covers(&a) && a.covers(&ab) && !ab.covers(&a));
    assert_eq!(
        (ab.parent(), ab.top(), a.parent()),
        (Some(a.clone()), a.clone(), None)
    );
}

#[test]
fn what_a_role_may_be_offered_is_unreserved_or_its_own_or_an_ancestors() {
    let all = resources("cpus:1;cpus(a):2;cpus(a/b):4;cpus(c):8");
    let offered = |role: &str| {
        all.allocatable_to(&Role::new(role).unwrap())
            .scalar("cpus")
            .milli()
    };
    assert_eq!(
        (offered("*"), offered("a"), offered("a/b"), offered("c/d")),
        (1000, 3000, 7000, 9000)
    );
    let marked = all.allocatable_to(&Role::new("a/b").unwrap());
    let marked = marked.allocated_to(&Role::new("a/b").unwrap());
    assert!(!all.contains(&marked) && all.contains(&marked.unallocated()));
    assert_eq!(all.flatten(), resources("cpus:15"));
}

#[test]
fn what_is_missing_is_named() {
    let have = resources("cpus:1;ports:[1-5]");
    for (want, hint) in [
        ("cpus:2", "'cpus': 1 available, 2 wanted"),
        ("mem:1", "'mem:1' is not available"),
        ("ports:[5-6]", "'ports': 5-6 is not available"),
        ("cpus(web):1", "'cpus(web):1' is not available"),
    ] {
        let error = have.checked_sub(&resources(want)).unwrap_err().to_string();
        assert!(error.contains(hint), "{error}");
    }
    let rest = have.checked_sub(&resources("ports:[2-2,4-5]")).unwrap();
    assert_eq!(rest, resources("cpus:1;ports:[1-1,3-3]"));
}

#[test]
fn volumes_never_merge_and_shared_ones_are_counted() {
    let web = Role::new("web").unwrap();
    let mut kind = ResourceKind::plain("disk");
    kind.reservations.push(Reservation::fixed(web));
    kind.disk = Some(Disk {
        volume: Some(Volume::new("v", "data")),
        source: None,
    });
    let volume = |kind: &ResourceKind| {
        let value = Value::Scalar(Scalar::from_units(10));
        Resources::new([Resource::new(kind.clone(), value)]).unwrap()
    };
    let one = volume(&kind);
    assert!(matches!(
        one.checked_add(&one),
        Err(ResourcesError::Twice(_))
    ));
    kind.shared = true;
    let one = volume(&kind);
    let two = one.checked_add(&one).unwrap();
    assert_eq!(
        (two.scalar("disk"), two.checked_sub(&one)),
        (one.scalar("disk"), Ok(one))
    );
}

#[test]
fn kinds_that_make_no_sense_are_refused() {
    let web = Role::new("web").unwrap();
    let plain = ResourceKind::plain("cpus");
    let refuse = |change: &dyn Fn(&mut ResourceKind)| {
        let mut kind = plain.clone();
        change(&mut kind);
        let item = Resource::new(kind, Value::Scalar(Scalar::from_units(1)));
        Resources::new([item]).unwrap_err()
    };
    refuse(&|kind| kind.name = "".into());
    refuse(&|kind| kind.disk = Some(Disk::default()));
    refuse(&|kind| kind.shared = true);
    refuse(&|kind| kind.reservations = vec![Reservation::fixed(Role::any())]);
    refuse(&|kind| kind.reservations = vec![Reservation::fixed(web.clone()); 2]);
    refuse(&|kind| {
        kind.reservations = vec![Reservation::fixed(web.clone())];
        kind.revocable = true;
    });
    refuse(&|kind| {
        kind.reservations = vec![Reservation::fixed(web.clone())];
        kind.allocation = Some(Role::any());
    });
}

#[test]
fn bad_data_on_the_wire_is_refused() {
    assert!(wire::decode::<Scalar>(&wire::encode(&-1_i64)).is_err());
    assert!(wire::decode::<Scalar>(&wire::encode(&i64::MAX)).is_err());
    let range = |begin, end| Range { begin, end };
    let overlapping = vec![range(1, 5), range(5, 6)];
    assert!(wire::decode::<Ranges>(&wire::encode(&overlapping)).is_err());
    let apart = wire::encode(&vec![range(6, 6), range(1, 5)]);
    assert_eq!(wire::decode::<Ranges>(&apart).unwrap().to_string(), "[1-6]");
    let whole = Ranges::new(vec![range(0, u64::MAX)]).unwrap();
    assert_eq!(
        (whole.checked_sub(&whole), whole.count()),
        (Ok(Ranges::default()), u64::MAX)
    );
    let all = resources("cpus:4;mem:4096;ports:[1-2];zones:{a,b};cpus(web):2");
    assert_eq!(
        wire::decode::<Resources>(&wire::encode(&all)),
        Ok(all.clone())
    );
    let twice: Vec<Resource> = all.iter().chain(&all).cloned().collect();
    assert!(wire::decode::<Resources>(&wire::encode(&twice)).is_err());
}

#[test]
fn attributes_read_as_documented() {
    let text = "rack:r1;zone:a;bandwidth:10;ports_open:[80-90]";
    let attributes = Attributes::parse(text).unwrap();
    assert_eq!(
        attributes.find("rack"),
        Some(&AttributeValue::Text("r1".into()))
    );
    assert_eq!(
        attributes.find("bandwidth"),
        Some(&AttributeValue::Scalar(Scalar::from_units(10)))
    );
    assert_eq!(attributes.to_string(), text);
    assert_eq!(
        wire::decode::<Attributes>(&wire::encode(&attributes)),
        Ok(attributes)
    );
    for (text, offset) in [("rack", 0), ("a:b;:c", 4), ("a:[4", 0), ("a:[5-4]", 0)] {
        assert_eq!(
            Attributes::parse(text).unwrap_err().offset,
            offset,
            "{text}"
        );
    }
}

#[test]
fn quantities_add_up_by_name() {
    let all = resources("cpus:1.5;cpus(web):2;gpus:1;licences:3;ports:[1-2]");
    let sum = all.quantities();
    assert_eq!(sum.to_string(), "cpus:3.5;gpus:1;licences:3");
    assert_eq!(
        (sum.milli("cpus"), sum.milli("licences"), sum.milli("x")),
        (3500, 3000, 0)
    );
    let mut twice = sum.clone();
    twice.add(&sum);
    assert!(twice.contains(&sum) && !sum.contains(&twice));
    twice.sub(&sum);
    assert_eq!(twice, sum);
    twice.sub(&sum);
    assert!(twice.is_zero(), "{}", format!("{twice:?}"));
}

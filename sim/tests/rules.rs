//! Reservations and limits: small exact cases, and against a check of all groups of roles.

use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use tepui_core::placement::{Capacity, Free, Shape};
use tepui_sim::capacity::amounts::{Amounts, Resource};
use tepui_sim::capacity::fit::on_machine;
use tepui_sim::capacity::machine::Machine;
use tepui_sim::capacity::roles::{RoleSettings, Roles, covers};
use tepui_sim::capacity::rules::{Demand, Obstacle, Rules, Tenant};

const ROLES: [&str; 5] = ["a", "a/b", "a/b/c", "ab", "*"];

/// Cpus, and how many of them are reserved for whom.
fn machine(cpus: i64, reserved: &[(&str, i64)]) -> Machine {
    let one = |(role, cpus): &(&str, i64)| {
        let mut amounts = Amounts::default();
        amounts[Resource::Cpu] = cpus * 1000;
        (Arc::from(*role), amounts)
    };
    Machine {
        name: "m".into(),
        capacity: Capacity {
            cpu_milli: cpus * 1000,
            ..Capacity::default()
        },
        reserved: reserved.iter().map(one).collect(),
        ..Machine::default()
    }
}

fn demand(role: &str, cpus: i64) -> Demand {
    Demand {
        shape: Shape {
            cpu_milli: cpus * 1000,
            ..Shape::default()
        },
        role: Arc::from(role),
        application: Arc::default(),
    }
}

fn rules(machines: &[Machine], roles: &Roles) -> Rules {
    Rules::new(machines, roles, &BTreeMap::new())
}

/// How many tasks of one cpu each role could still place.
fn room(rules: &Rules, free: &Free) -> [i64; 5] {
    ROLES.map(|role| {
        let tenant = rules.tenant(&demand(role, 1));
        on_machine(&rules.view(0, free, &tenant), tenant.shape()).0
    })
}

#[test]
fn a_role_uses_its_own_first_then_what_is_above_then_what_is_for_all() {
    let machines = [machine(10, &[("a", 2), ("a/b", 3)])];
    let mut rules = rules(&machines, &Roles::default());
    let free = machines[0].free();
    assert_eq!(room(&rules, &free), [7, 10, 10, 5, 5]);
    let below = rules.tenant(&demand("a/b", 1));
    for _ in 0..4 {
        rules.add(0, &below);
    }
    // Three of its own, one of `a`.
    assert_eq!(room(&rules, &free), [6, 6, 6, 5, 5]);
    let above = rules.tenant(&demand("a", 4));
    rules.add(0, &above);
    assert_eq!(room(&rules, &free), [2, 2, 2, 2, 2]);
    // What comes free is not bound to who had it: `a` moves back to what is its own.
    (0..4).for_each(|_| rules.remove(0, &below));
    assert_eq!(room(&rules, &free), [3, 6, 6, 3, 3]);
}

#[test]
fn what_is_reserved_for_others_is_named() {
    let machines = [machine(4, &[("a", 3)])];
    let rules = rules(&machines, &Roles::default());
    let stranger = rules.tenant(&demand("ab", 2));
    let free = machines[0].free();
    assert!(!rules.allows(0, &free, &stranger));
    let reserved = [Obstacle::Reserved(Resource::Cpu)];
    assert_eq!(rules.obstacles(0, &free, &stranger), reserved);
    let large = rules.tenant(&demand("a", 5));
    let short = [Obstacle::Short(Resource::Cpu)];
    assert_eq!(rules.obstacles(0, &free, &large), short);
}

#[test]
fn a_limit_counts_reservations_whether_they_are_used_or_not() {
    let machines = [machine(10, &[("a", 2)]), machine(10, &[])];
    let mut roles = Roles::default();
    let limits = BTreeMap::from([(Resource::Cpu, 5000)]);
    let set = RoleSettings {
        limits,
        ..RoleSettings::default()
    };
    roles.0.insert("a".into(), set);
    let mut rules = rules(&machines, &roles);
    let free = machines[0].free();
    let tenant = rules.tenant(&demand("a/b", 1));
    let place = |rules: &mut Rules, machine: usize| {
        let allowed = rules.allows(machine, &free, &tenant);
        if allowed {
            rules.add(machine, &tenant);
        }
        allowed
    };
    // Two are reserved: three more are allowed anywhere, and the two where they are reserved.
    assert_eq!([1, 1, 1].map(|at| place(&mut rules, at)), [true; 3]);
    assert!(!place(&mut rules, 1));
    let limit = [Obstacle::Limit("a".into(), Resource::Cpu)];
    assert_eq!(rules.obstacles(1, &free, &tenant), limit);
    assert_eq!([0, 0].map(|at| place(&mut rules, at)), [true; 2]);
    assert!(!place(&mut rules, 0));
    rules.remove(1, &tenant);
    assert!(place(&mut rules, 0));
    // Others have no limit.
    assert!(rules.allows(0, &free, &rules.tenant(&demand("ab", 4))));
}

#[test]
fn closed_machines_take_nothing() {
    let mut one = machine(4, &[]);
    one.closed = true;
    let rules = rules(std::slice::from_ref(&one), &Roles::default());
    let tenant = rules.tenant(&demand("*", 1));
    assert!(!rules.allows(0, &one.free(), &tenant));
    assert_eq!(rules.obstacles(0, &one.free(), &tenant), [Obstacle::Closed]);
    assert_eq!(
        on_machine(&rules.view(0, &one.free(), &tenant), tenant.shape()).0,
        0
    );
}

/// Whether all can have what they use: every group of roles must find enough in what at least one
/// of them may use (Hall's condition).
fn feasible(cpus: i64, reserved: &[(&str, i64)], used: &[i64; 5]) -> bool {
    let open = cpus - reserved.iter().map(|(_, cpus)| cpus).sum::<i64>();
    (1_u32..1 << ROLES.len()).all(|group| {
        let members = || (0..ROLES.len()).filter(|role| group >> role & 1 == 1);
        let need: i64 = members().map(|role| used[role]).sum();
        let usable = reserved
            .iter()
            .filter(|(name, _)| members().any(|role| covers(name, ROLES[role])));
        need <= open + usable.map(|(_, cpus)| cpus).sum::<i64>()
    })
}

proptest! {
    #[test]
    fn what_is_left_is_what_can_be_shared_out(
        reserved in prop::collection::btree_map(prop::sample::select(&ROLES[..4]), 1_i64..5, 0..4),
        open in 0_i64..5,
        steps in prop::collection::vec((any::<bool>(), 0_usize..5), 0..30),
    ) {
        let reserved: Vec<(&str, i64)> = reserved.into_iter().collect();
        let cpus = open + reserved.iter().map(|(_, cpus)| cpus).sum::<i64>();
        let machines = [machine(cpus, &reserved)];
        let mut rules = rules(&machines, &Roles::default());
        let tenants: [Tenant; 5] = ROLES.map(|role| rules.tenant(&demand(role, 1)));
        let mut used = [0; 5];
        let mut free = machines[0].free();
        for (leaves, role) in steps {
            if leaves && used[role] > 0 {
                used[role] -= 1;
                rules.remove(0, &tenants[role]);
                free.give_back(tenants[role].shape(), Default::default());
            } else if rules.allows(0, &free, &tenants[role]) {
                used[role] += 1;
                rules.add(0, &tenants[role]);
                free.take(tenants[role].shape(), Default::default());
            }
            let left = room(&rules, &free);
            for role in 0..ROLES.len() {
                let mut more = used;
                while feasible(cpus, &reserved, &more) {
                    more[role] += 1;
                }
                prop_assert_eq!(left[role], more[role] - 1 - used[role], "{}", ROLES[role]);
            }
        }
    }
}

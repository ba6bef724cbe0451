//! Marathon's constraints: small exact cases for each, and against a slow and plain checker.

use proptest::prelude::*;
use tepui_sim::capacity::constraints::{Constraint, Operator, Spread};
use tepui_sim::capacity::machine::Machine;

/// Machines, each with its rack; an empty one has none.
fn machines(racks: &[&str]) -> Vec<Machine> {
    let machine = |(number, rack): (usize, &&str)| {
        let mut machine = Machine {
            name: format!("m{number}"),
            ..Machine::default()
        };
        if !rack.is_empty() {
            machine.attributes.insert("rack".into(), (*rack).into());
        }
        machine
    };
    racks.iter().enumerate().map(machine).collect()
}

fn refs(machines: &[Machine]) -> Vec<&Machine> {
    machines.iter().collect()
}

/// On which of the machines one more instance may go.
fn allowed(constraint: &str, racks: &[&str], instances: &[usize]) -> Vec<usize> {
    let machines = machines(racks);
    let mut spread = Spread::new(&[constraint.parse().unwrap()], &refs(&machines));
    instances.iter().for_each(|machine| spread.add(*machine));
    let all = 0..machines.len();
    all.filter(|machine| spread.forbids(*machine).is_none())
        .collect()
}

#[test]
fn unique_values_are_used_once() {
    assert_eq!(allowed("rack:UNIQUE", &["a", "a", "b", ""], &[0]), [2]);
    assert_eq!(allowed("hostname:UNIQUE", &["a", "a", "b"], &[0]), [1, 2]);
}

#[test]
fn a_cluster_keeps_together() {
    let racks = ["a", "b", "b", ""];
    assert_eq!(allowed("rack:CLUSTER", &racks, &[]), [0, 1, 2]);
    assert_eq!(allowed("rack:CLUSTER", &racks, &[1]), [1, 2]);
    assert_eq!(allowed("rack:CLUSTER:a", &racks, &[]), [0]);
    assert_eq!(allowed("rack:CLUSTER:a", &racks, &[1]), [0; 0]);
    assert_eq!(allowed("rack:CLUSTER", &racks, &[3]), [0; 0]);
}

#[test]
fn groups_stay_even() {
    let racks = ["a", "b", "c", ""];
    assert_eq!(allowed("rack:GROUP_BY", &racks, &[]), [0, 1, 2]);
    // New values are always welcome; known ones while they are the rarest.
    assert_eq!(allowed("rack:GROUP_BY", &racks, &[0, 0, 1]), [1, 2]);
    assert_eq!(allowed("rack:GROUP_BY", &racks, &[0, 1]), [0, 1, 2]);
    assert_eq!(allowed("rack:GROUP_BY:3", &racks, &[0, 1]), [2]);
    assert_eq!(allowed("rack:GROUP_BY:3", &racks, &[0, 1, 2]), [0, 1, 2]);
    assert_eq!(allowed("rack:GROUP_BY:4", &racks, &[0, 1, 2]), [0; 0]);
}

#[test]
fn patterns_match_from_end_to_end() {
    let racks = ["z1", "z2", "z12", ""];
    assert_eq!(allowed("rack:LIKE:z[12]", &racks, &[]), [0, 1]);
    assert_eq!(allowed("rack:LIKE:z1|z12", &racks, &[]), [0, 2]);
    assert_eq!(allowed("rack:UNLIKE:z[12]", &racks, &[]), [2, 3]);
}

#[test]
fn no_more_than_the_most_per_value() {
    let racks = ["a", "a", "b", ""];
    assert_eq!(allowed("rack:MAX_PER:2", &racks, &[0, 0]), [2]);
    assert_eq!(allowed("rack:MAX_PER:2", &racks, &[0, 2]), [0, 1, 2]);
}

#[test]
fn what_is_no_constraint_is_told_why() {
    let complaint = |text: &str| text.parse::<Constraint>().unwrap_err().to_string();
    assert!(complaint("rack").contains("write rack:GROUP_BY:3"));
    assert!(complaint(":UNIQUE").contains("no hostname"));
    assert!(complaint("rack:NEAR").contains("use UNIQUE, CLUSTER"));
    assert!(complaint("rack:MAX_PER:few").contains("whole number"));
    assert!(complaint("rack:LIKE:(").contains("unclosed group"));
    assert!(complaint("rack:LIKE").contains("regular expression"));
    for text in [
        "rack:GROUP_BY:3",
        "hostname:UNIQUE",
        "zone:LIKE:a:b",
        "rack:CLUSTER:r1",
    ] {
        assert_eq!(text.parse::<Constraint>().unwrap().to_string(), text);
    }
}

/// By the words of the documentation, counting everything anew.
fn plain(constraint: &Constraint, machines: &[Machine], instances: &[usize], at: usize) -> bool {
    let value = |machine: &usize| machines[*machine].value(&constraint.field);
    let Some(here) = value(&at) else {
        return matches!(constraint.operator, Operator::Unlike(_));
    };
    let of = |wanted: Option<&str>| instances.iter().filter(|m| value(m) == wanted).count();
    let mut values: Vec<Option<&str>> = instances.iter().map(value).collect();
    values.sort_unstable();
    values.dedup();
    match &constraint.operator {
        Operator::Unique => of(Some(here)) == 0,
        Operator::Cluster(wanted) => {
            wanted.as_deref().is_none_or(|wanted| wanted == here)
                && of(Some(here)) == instances.len()
        }
        Operator::GroupBy(least) => {
            let rarest = values.iter().map(|value| of(*value)).min().unwrap_or(0);
            of(Some(here)) == 0 || of(Some(here)) == rarest && values.len() >= *least as usize
        }
        // The one pattern that is drawn is z[12].
        Operator::Like(_) => ["z1", "z2"].contains(&here),
        Operator::Unlike(_) => !["z1", "z2"].contains(&here),
        Operator::MaxPer(most) => of(Some(here)) < *most as usize,
    }
}

fn a_constraint() -> impl Strategy<Value = Constraint> {
    let operators = [
        "UNIQUE",
        "CLUSTER",
        "CLUSTER:z1",
        "GROUP_BY",
        "GROUP_BY:2",
        "GROUP_BY:4",
        "LIKE:z[12]",
        "UNLIKE:z[12]",
        "MAX_PER:1",
        "MAX_PER:3",
    ];
    let operator = prop::sample::select(operators.to_vec());
    let field = prop::sample::select(vec!["rack", "hostname"]);
    (field, operator).prop_map(|(field, operator)| format!("{field}:{operator}").parse().unwrap())
}

proptest! {
    #[test]
    fn counting_along_is_counting_anew(
        racks in prop::collection::vec(prop::sample::select(vec!["", "z1", "z2", "z3"]), 1..9),
        constraints in prop::collection::vec(a_constraint(), 1..4),
        steps in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 0..40),
    ) {
        let machines = machines(&racks);
        let mut spread = Spread::new(&constraints, &refs(&machines));
        let mut instances: Vec<usize> = Vec::new();
        for (leaves, which) in steps {
            if leaves && !instances.is_empty() {
                spread.remove(instances.swap_remove(which.index(instances.len())));
            } else {
                let machine = which.index(machines.len());
                instances.push(machine);
                spread.add(machine);
            }
            for at in 0..machines.len() {
                let broken = |one: &&Constraint| !plain(one, &machines, &instances, at);
                prop_assert_eq!(spread.forbids(at), constraints.iter().find(broken));
            }
        }
    }
}

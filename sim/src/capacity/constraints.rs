//! Which machines an application's instances may share or must share: Marathon's constraints, with
//! Marathon's meaning.
//!
//! A constraint is about `hostname` or an attribute of machines, and is written as
//! `field:OPERATOR` or `field:OPERATOR:value`. An instance may go to a machine when all of its
//! application's constraints allow it, in view of the instances that run already:
//!
//! - `UNIQUE`: no instance has its value.
//! - `CLUSTER`: all instances have its value, and it is the one that is written, if one is.
//! - `GROUP_BY`: no instance has its value; or no value that instances have is rarer, and they
//!   have at least as many values as are written.
//! - `LIKE`: its value matches a regular expression, from end to end.
//! - `UNLIKE`: its value does not match one.
//! - `MAX_PER`: fewer instances have its value than are written.
//!
//! A machine without the attribute is allowed by `UNLIKE` alone. To `GROUP_BY`, instances on such
//! machines are a group of their own.

use super::machine::Machine;
use regex::Regex;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use thiserror::Error;

/// One constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// `hostname`, or the name of an attribute.
    pub field: Arc<str>,
    /// What must hold of it.
    pub operator: Operator,
}

/// What must hold of the machines' values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Each instance has a value of its own.
    Unique,
    /// All instances have the same value; this one, if it is given.
    Cluster(Option<Arc<str>>),
    /// Instances are spread evenly, over at least so many values.
    GroupBy(u32),
    /// The value matches.
    Like(Pattern),
    /// The value does not match.
    Unlike(Pattern),
    /// No more than so many instances have the same value.
    MaxPer(u32),
}

/// A regular expression that must match from end to end.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: Arc<str>,
    regex: Regex,
}

impl Pattern {
    fn matches(&self, value: &str) -> bool {
        self.regex.is_match(value)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

/// Why a text is no constraint.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{given}' is no constraint: {problem}")]
pub struct BadConstraint {
    given: String,
    problem: String,
}

impl FromStr for Constraint {
    type Err = BadConstraint;

    fn from_str(text: &str) -> Result<Constraint, BadConstraint> {
        let bad = |problem: String| BadConstraint {
            given: text.to_owned(),
            problem,
        };
        let mut parts = text.trim().splitn(3, ':').map(str::trim);
        let (Some(field), Some(name)) = (parts.next(), parts.next()) else {
            let usage = "write rack:GROUP_BY:3, hostname:UNIQUE or zone:LIKE:z[12]";
            return Err(bad(usage.to_owned()));
        };
        if field.is_empty() {
            return Err(bad("it begins with no hostname or attribute".to_owned()));
        }
        let value = parts.next().filter(|value| !value.is_empty());
        let operator = Operator::read(name, value).map_err(bad)?;
        Ok(Constraint {
            field: Arc::from(field),
            operator,
        })
    }
}

impl Operator {
    fn read(name: &str, value: Option<&str>) -> Result<Operator, String> {
        let number = |value: &str| {
            let number = value.parse::<u32>();
            number.map_err(|_| format!("'{value}' must be a whole number"))
        };
        let pattern = || {
            let text = value.ok_or_else(|| format!("{name} needs a regular expression"))?;
            let regex = Regex::new(&format!("^(?:{text})$")).map_err(|error| error.to_string())?;
            Ok::<Pattern, String>(Pattern {
                text: Arc::from(text),
                regex,
            })
        };
        match (name, value) {
            ("UNIQUE", None) => Ok(Operator::Unique),
            ("UNIQUE", Some(_)) => Err("UNIQUE takes no value".to_owned()),
            ("CLUSTER", value) => Ok(Operator::Cluster(value.map(Arc::from))),
            ("GROUP_BY", value) => Ok(Operator::GroupBy(value.map_or(Ok(0), number)?)),
            ("LIKE", _) => Ok(Operator::Like(pattern()?)),
            ("UNLIKE", _) => Ok(Operator::Unlike(pattern()?)),
            ("MAX_PER", Some(value)) => Ok(Operator::MaxPer(number(value)?)),
            ("MAX_PER", None) => Err("MAX_PER needs a number".to_owned()),
            _ => Err(format!(
                "there is no operator '{name}': use UNIQUE, CLUSTER, GROUP_BY, LIKE, UNLIKE or \
                 MAX_PER"
            )),
        }
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = &self.field;
        match &self.operator {
            Operator::Unique => write!(f, "{field}:UNIQUE"),
            Operator::Cluster(None) => write!(f, "{field}:CLUSTER"),
            Operator::Cluster(Some(value)) => write!(f, "{field}:CLUSTER:{value}"),
            Operator::GroupBy(0) => write!(f, "{field}:GROUP_BY"),
            Operator::GroupBy(groups) => write!(f, "{field}:GROUP_BY:{groups}"),
            Operator::Like(pattern) => write!(f, "{field}:LIKE:{}", pattern.text),
            Operator::Unlike(pattern) => write!(f, "{field}:UNLIKE:{}", pattern.text),
            Operator::MaxPer(most) => write!(f, "{field}:MAX_PER:{most}"),
        }
    }
}

/// The constraints of one application, and where its instances are.
#[derive(Clone, Debug)]
pub struct Spread {
    constraints: Vec<Counted>,
}

/// A constraint with what it has to know of the machines and the instances.
#[derive(Clone, Debug)]
struct Counted {
    constraint: Constraint,
    /// By machine: the number of its value; 0 is for machines that have none.
    group_of: Vec<u32>,
    /// By the values' numbers: whether the value by itself is one that is allowed.
    allowed: Vec<bool>,
    /// By the values' numbers: how many instances have it.
    instances: Vec<u32>,
    /// How many values so many instances have, of those that any has.
    sizes: BTreeMap<u32, u32>,
}

impl Spread {
    /// No instance is anywhere yet.
    #[must_use]
    pub fn new(constraints: &[Constraint], machines: &[&Machine]) -> Spread {
        let counted = |constraint| Counted::new(constraint, machines);
        Spread {
            constraints: constraints.iter().map(counted).collect(),
        }
    }

    /// An instance is on a machine now.
    pub fn add(&mut self, machine: usize) {
        self.constraints.iter_mut().for_each(|one| one.add(machine));
    }

    /// An instance has left a machine.
    pub fn remove(&mut self, machine: usize) {
        let all = self.constraints.iter_mut();
        all.for_each(|one| one.remove(machine));
    }

    /// What the constraints see of a machine: machines of the same values are alike to them.
    #[must_use]
    pub fn values(&self, machine: usize) -> Vec<u32> {
        let all = self.constraints.iter();
        all.map(|one| one.group_of[machine]).collect()
    }

    /// Whether all instances must share a value, and there is no instance yet.
    #[must_use]
    pub fn clusters(&self) -> bool {
        let undecided = |one: &Counted| {
            matches!(one.constraint.operator, Operator::Cluster(None)) && one.sizes.is_empty()
        };
        self.constraints.iter().any(undecided)
    }

    /// The first constraint that keeps one more instance off a machine.
    #[must_use]
    pub fn forbids(&self, machine: usize) -> Option<&Constraint> {
        let mut all = self.constraints.iter();
        let found = all.find(|one| !one.allows(machine));
        found.map(|one| &one.constraint)
    }
}

impl Counted {
    fn new(constraint: &Constraint, machines: &[&Machine]) -> Counted {
        let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
        let mut allowed = vec![matches!(constraint.operator, Operator::Unlike(_))];
        let group_of = machines.iter().map(|machine| {
            let Some(value) = machine.value(&constraint.field) else {
                return 0;
            };
            *numbers.entry(value).or_insert_with(|| {
                allowed.push(constraint.operator.allows(value));
                allowed.len() as u32 - 1
            })
        });
        Counted {
            constraint: constraint.clone(),
            group_of: group_of.collect(),
            instances: vec![0; allowed.len()],
            allowed,
            sizes: BTreeMap::new(),
        }
    }

    fn add(&mut self, machine: usize) {
        let count = &mut self.instances[self.group_of[machine] as usize];
        *count += 1;
        *self.sizes.entry(*count).or_insert(0) += 1;
        let before = *count - 1;
        self.one_less(before);
    }

    fn remove(&mut self, machine: usize) {
        let count = &mut self.instances[self.group_of[machine] as usize];
        assert!(*count > 0, "it was there");
        *count -= 1;
        let (after, before) = (*count, *count + 1);
        if after > 0 {
            *self.sizes.entry(after).or_insert(0) += 1;
        }
        self.one_less(before);
    }

    /// One value less has so many instances.
    fn one_less(&mut self, size: u32) {
        if size == 0 {
            return;
        }
        let values = self.sizes.get_mut(&size).expect("it was counted");
        *values -= 1;
        if *values == 0 {
            self.sizes.remove(&size);
        }
    }

    fn allows(&self, machine: usize) -> bool {
        let group = self.group_of[machine] as usize;
        if !self.allowed[group] {
            return false;
        }
        let here = self.instances[group];
        let values = || self.sizes.values().sum::<u32>();
        match self.constraint.operator {
            Operator::Unique => here == 0,
            Operator::Cluster(_) => values() == u32::from(here > 0),
            Operator::GroupBy(least) => {
                let smallest = self.sizes.keys().next().copied().unwrap_or(0);
                here == 0 || here == smallest && values() >= least
            }
            Operator::MaxPer(most) => here < most,
            Operator::Like(_) | Operator::Unlike(_) => true,
        }
    }
}

impl Operator {
    /// Whether a value by itself may be right.
    fn allows(&self, value: &str) -> bool {
        match self {
            Operator::Cluster(Some(wanted)) => **wanted == *value,
            Operator::Like(pattern) => pattern.matches(value),
            Operator::Unlike(pattern) => !pattern.matches(value),
            _ => true,
        }
    }
}

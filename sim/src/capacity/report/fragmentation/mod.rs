//! What is idle and of no use: how much, where and why.

mod groups;
mod pictures;

use super::Report;
use super::words::{counted, number, percent};
use crate::capacity::fit::Lacks;
use crate::capacity::machine::Machine;
use crate::capacity::stranded::{self, COUNT, GPUS};
use std::collections::BTreeMap;
use tepui_core::placement::{Free, Shape};

/// Resources as people are told of them.
const NAMES: [&str; COUNT] = ["cpus", "memory", "disk", "ports", "GPUs"];

/// What a resource is counted in, and how many of the input's units that is.
const UNITS: [(&str, f64); COUNT] = [
    ("cpus", 1000.0),
    ("GiB", 1024.0),
    ("GiB", 1024.0),
    ("ports", 1.0),
    ("GPUs", 1000.0),
];

/// One machine.
#[derive(Clone, Debug, PartialEq)]
pub struct OfMachine {
    /// Its name.
    pub name: String,
    /// Where and of what kind it is: attributes with their values.
    pub groups: BTreeMap<String, String>,
    /// What it has of each resource, in the input's units.
    pub has: [i64; COUNT],
    /// What of that is idle.
    pub idle: [i64; COUNT],
    /// What of that is stranded.
    pub stranded: [i64; COUNT],
    /// And why.
    pub because: [Option<Lacks>; COUNT],
    /// Its fragment as the measure weighs it, in milli of GPUs.
    pub fragment_milli: f64,
}

/// The attribute that every machine has: how many GPUs, of which model.
const KIND: &str = "kind of machine";

impl OfMachine {
    /// A machine, the name of its GPUs' model, what is free on it, and its fragment.
    #[must_use]
    pub fn new(
        machine: &Machine,
        model: &str,
        (free, fragment_milli): (&Free, f64),
        usual: &[(Shape, usize)],
    ) -> OfMachine {
        let stranded = stranded::on(free, usual);
        let mut groups = machine.attributes.clone();
        let kind = match (machine.capacity.gpus, model) {
            (0, _) => "no GPU".to_owned(),
            (1, "") => "1 GPU".to_owned(),
            (gpus, "") => format!("{gpus} GPUs"),
            (gpus, model) => format!("{gpus} × {model}"),
        };
        groups.insert(KIND.to_owned(), kind);
        OfMachine {
            name: machine.name.clone(),
            groups,
            has: stranded::has(&machine.capacity),
            idle: stranded::idle(free),
            stranded: stranded.amounts,
            because: stranded.because,
            fragment_milli,
        }
    }
}

/// All machines.
#[derive(Clone, Debug)]
pub struct Fragmented<'a> {
    /// One by one.
    pub machines: &'a [OfMachine],
    /// How many machines a table shows.
    pub top: usize,
}

/// Sums over some machines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sum {
    /// How many machines.
    pub machines: usize,
    /// What they have.
    pub has: [f64; COUNT],
    /// What of that is idle.
    pub idle: [f64; COUNT],
    /// What of that is stranded.
    pub stranded: [f64; COUNT],
    /// Their fragments, in milli of GPUs.
    pub fragment_milli: f64,
}

impl Sum {
    fn of<'a>(machines: impl IntoIterator<Item = &'a OfMachine>) -> Sum {
        let mut sum = Sum::default();
        for machine in machines {
            sum.machines += 1;
            sum.fragment_milli += machine.fragment_milli;
            for resource in 0..COUNT {
                sum.has[resource] += machine.has[resource] as f64;
                sum.idle[resource] += machine.idle[resource] as f64;
                sum.stranded[resource] += machine.stranded[resource] as f64;
            }
        }
        sum
    }

    fn share(&self, of: &[f64; COUNT], resource: usize) -> Option<f64> {
        (self.has[resource] > 0.0).then(|| of[resource] / self.has[resource])
    }
}

/// What is too little, as people are told.
fn blamed(lacks: Lacks) -> &'static str {
    match lacks {
        Lacks::Cpu => "too few cpus",
        Lacks::Memory => "too little memory",
        Lacks::Disk => "too little disk",
        Lacks::Ports => "too few ports",
        Lacks::Gpu => "too few GPUs, or too little of each",
        Lacks::Model => "GPUs of the wrong model",
    }
}

/// Memory and disk are one, the others many.
fn is(resource: usize) -> &'static str {
    if matches!(NAMES[resource], "memory" | "disk") {
        "is"
    } else {
        "are"
    }
}

fn amount(value: f64, resource: usize) -> f64 {
    value / UNITS[resource].1
}

impl Fragmented<'_> {
    /// The resources that these machines have at all.
    fn resources(&self) -> Vec<usize> {
        let sum = self.sum();
        (0..COUNT).filter(|r| sum.has[*r] > 0.0).collect()
    }

    /// The resource by which machines are sorted: GPUs, where there are any.
    fn dearest(&self) -> usize {
        let resources = self.resources();
        match resources.contains(&GPUS) {
            true => GPUS,
            false => resources.first().copied().unwrap_or(0),
        }
    }

    /// Of all machines.
    #[must_use]
    pub fn sum(&self) -> Sum {
        Sum::of(self.machines)
    }

    /// The machines with the most fragments, the most first.
    #[must_use]
    pub fn worst(&self) -> Vec<&OfMachine> {
        let mut worst: Vec<&OfMachine> = self.machines.iter().collect();
        worst.sort_by(|left, right| {
            let more = right.fragment_milli.total_cmp(&left.fragment_milli);
            more.then(left.name.cmp(&right.name))
        });
        worst.truncate(self.top);
        worst
    }

    /// The report.
    #[must_use]
    pub fn report(&self) -> Report {
        let mut parts = vec![self.by_resource(), self.by_machine()];
        parts.extend(self.groups().into_keys().map(|name| self.by_group(&name)));
        parts.push(self.one_by_one());
        Report {
            title: "What is stranded, and where".to_owned(),
            summary: self.summary(),
            parts,
            data: self.data(),
        }
    }

    /// What it comes to, in sentences.
    #[must_use]
    pub fn summary(&self) -> Vec<String> {
        let sum = self.sum();
        let mut text = vec![format!(
            "{}. Stranded is what is idle on a machine, but which none of the usual tasks could \
             use, even if only the kind came that can use the most of it.",
            counted(self.machines.len(), "machine", "machines")
        )];
        if sum.has[GPUS] > 0.0 {
            text.push(format!(
                "{} of {} GPUs are idle. Weighed over all usual tasks, {} of them ({} %) are \
                 fragments: of no use to the task that comes next.",
                number(amount(sum.idle[GPUS], GPUS), 1),
                number(amount(sum.has[GPUS], GPUS), 0),
                number(sum.fragment_milli / 1000.0, 1),
                number(percent(sum.fragment_milli, sum.idle[GPUS]), 1)
            ));
        }
        for resource in self.resources() {
            text.extend(self.where_and_why(&sum, resource));
        }
        text
    }

    /// How much of a resource is stranded, where most of it is, and what is blamed.
    fn where_and_why(&self, sum: &Sum, resource: usize) -> Option<String> {
        if sum.stranded[resource] <= 0.0 {
            return None;
        }
        let mut text = format!(
            "Of the idle {} {} % {} stranded ({} {})",
            NAMES[resource],
            number(percent(sum.stranded[resource], sum.idle[resource]), 0),
            is(resource),
            number(amount(sum.stranded[resource], resource), 1),
            UNITS[resource].0
        );
        if let Some((why, part)) = self.reasons(resource).first() {
            text += &format!(
                ": {} % of that on machines with {} for one more task",
                number(percent(*part, sum.stranded[resource]), 0),
                blamed(*why)
            );
        }
        for (attribute, groups) in self.groups() {
            let most = groups.iter().max_by(|left, right| {
                left.1.stranded[resource].total_cmp(&right.1.stranded[resource])
            });
            if let Some((group, most)) = most.filter(|_| groups.len() > 1) {
                text += &format!(
                    "; by {attribute}, the most on {group} ({} {})",
                    number(amount(most.stranded[resource], resource), 1),
                    UNITS[resource].0
                );
            }
        }
        Some(text + ".")
    }

    /// What is blamed for what is stranded of a resource, the most first.
    fn reasons(&self, resource: usize) -> Vec<(Lacks, f64)> {
        let mut reasons: BTreeMap<Lacks, f64> = BTreeMap::new();
        for machine in self.machines {
            if let Some(why) = machine.because[resource] {
                *reasons.entry(why).or_default() += machine.stranded[resource] as f64;
            }
        }
        let mut reasons: Vec<_> = reasons.into_iter().collect();
        reasons.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
        reasons
    }
}

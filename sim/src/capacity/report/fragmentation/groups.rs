//! Where it is: by attributes, and on which machines.

use super::super::words::{number, percent};
use super::super::{Figure, Part};
use super::{Fragmented, NAMES, OfMachine, Sum, amount, blamed};
use crate::capacity::stranded::{COUNT, GPUS, RESOURCES};
use crate::draw::{Cell, Heat, Plot, Shape, Table};
use std::collections::BTreeMap;

/// The most groups of an attribute that a picture shows.
const GROUPS_MAX: usize = 24;

impl Fragmented<'_> {
    /// All attributes, and the sums over machines with each value.
    #[must_use]
    pub fn groups(&self) -> BTreeMap<String, BTreeMap<String, Sum>> {
        let mut members: BTreeMap<&str, BTreeMap<&str, Vec<&OfMachine>>> = BTreeMap::new();
        for machine in self.machines {
            for (attribute, value) in &machine.groups {
                let groups = members.entry(attribute).or_default();
                groups.entry(value).or_default().push(machine);
            }
        }
        let sums = |groups: BTreeMap<&str, Vec<&OfMachine>>| {
            let sums = groups.into_iter();
            sums.map(|(value, machines)| (value.to_owned(), Sum::of(machines)))
                .collect()
        };
        // What tells every machine from every other says nothing about where.
        let tells = |values: usize| values <= GROUPS_MAX || 2 * values <= self.machines.len();
        let all = members.into_iter();
        let all = all.filter(|(_, groups)| tells(groups.len()));
        all.map(|(name, groups)| (name.to_owned(), sums(groups)))
            .collect()
    }

    pub(super) fn by_group(&self, attribute: &str) -> Part {
        let groups = self.groups().remove(attribute).unwrap_or_default();
        let resources = self.resources();
        let dearest = self.dearest();
        let mut shown: Vec<(&String, &Sum)> = groups.iter().collect();
        shown.sort_by(|left, right| {
            let stranded = right.1.stranded[dearest].total_cmp(&left.1.stranded[dearest]);
            stranded.then(left.0.cmp(right.0))
        });
        shown.truncate(GROUPS_MAX);
        let total: f64 = groups.values().map(|sum| sum.stranded[dearest]).sum();
        let reading = match shown.first() {
            Some((name, sum)) if total > 0.0 => format!(
                "{name} holds {} of the stranded {}, {} % of all.",
                number(amount(sum.stranded[dearest], dearest), 1),
                NAMES[dearest],
                number(percent(sum.stranded[dearest], total), 0)
            ),
            _ => format!("No {} are stranded anywhere.", NAMES[dearest]),
        };
        let cells = |(_, sum): &(&String, &Sum)| {
            let share = |resource: &usize| sum.share(&sum.stranded, *resource);
            resources.iter().map(share).collect()
        };
        let listed: BTreeMap<String, Sum> = shown
            .iter()
            .map(|(name, sum)| ((*name).clone(), (*sum).clone()))
            .collect();
        Part {
            heading: format!("By {attribute}"),
            text: match groups.len() - shown.len() {
                0 => Vec::new(),
                left => vec![format!(
                    "The {GROUPS_MAX} with the most stranded {}; {left} more are in the values \
                     that --csv writes.",
                    NAMES[dearest]
                )],
            },
            figures: vec![Figure {
                name: format!("by_{}", file_name(attribute)),
                reading,
                plot: Plot {
                    title: format!("Stranded, by {attribute}"),
                    x: String::new(),
                    y: "share of what these machines have together".to_owned(),
                    shape: Shape::Heat(Heat {
                        rows: shown.iter().map(|(name, _)| (*name).clone()).collect(),
                        columns: resources.iter().map(|r| NAMES[*r].to_owned()).collect(),
                        cells: shown.iter().map(cells).collect(),
                        most: "all of it is stranded".to_owned(),
                    }),
                },
            }],
            tables: vec![self.table_of(attribute, listed)],
        }
    }

    /// A row for each group.
    pub(super) fn table_of(&self, attribute: &str, groups: BTreeMap<String, Sum>) -> Table {
        let resources = self.resources();
        let mut headers = Vec::new();
        headers.extend((!attribute.is_empty()).then(|| attribute.to_owned()));
        headers.push("machines".to_owned());
        for resource in &resources {
            let what = match *resource {
                1 => "memory, GiB",
                2 => "disk, GiB",
                other => NAMES[other],
            };
            headers.push(format!("idle {what}"));
            headers.push("stranded".to_owned());
        }
        let mut table = Table::new(&headers);
        for (name, sum) in groups {
            let mut row = Vec::new();
            row.extend((!attribute.is_empty()).then(|| Cell::from(name)));
            row.push(Cell::from(sum.machines));
            for resource in &resources {
                row.push(Cell::number(amount(sum.idle[*resource], *resource), 1));
                row.push(Cell::number(amount(sum.stranded[*resource], *resource), 1));
            }
            table.row(row);
        }
        table
    }

    pub(super) fn one_by_one(&self) -> Part {
        Part {
            heading: "The machines with the most fragments".to_owned(),
            text: vec!["Fragments weigh what is idle of the GPUs over all usual tasks.".to_owned()],
            figures: Vec::new(),
            tables: vec![self.table()],
        }
    }

    /// A row for each of the machines with the most fragments.
    #[must_use]
    pub fn table(&self) -> Table {
        let mut table = Table::new(&[
            "machine",
            "fragments, GPUs",
            "stranded GPUs",
            "idle GPUs",
            "idle cpus",
            "idle GiB",
            "why GPUs are stranded",
        ]);
        for machine in self.worst() {
            let idle = |resource: usize| amount(machine.idle[resource] as f64, resource);
            let stranded = amount(machine.stranded[GPUS] as f64, GPUS);
            table.row([
                Cell::from(machine.name.as_str()),
                Cell::number(machine.fragment_milli / 1000.0, 2),
                Cell::number(stranded, 2),
                Cell::number(idle(GPUS), 2),
                Cell::number(idle(0), 1),
                Cell::number(idle(1), 1),
                Cell::from(machine.because[GPUS].map_or("", blamed)),
            ]);
        }
        table
    }

    pub(super) fn data(&self) -> Vec<(String, Table)> {
        let names = |prefix: &str| RESOURCES.map(|r| format!("{prefix}_{r}"));
        let headers = [names("has"), names("idle"), names("stranded")].concat();
        let amounts = |of: &[f64; COUNT]| of.map(|amount| Cell::number(amount, 0));
        let row = |sum: &Sum| [&sum.has, &sum.idle, &sum.stranded].map(amounts).concat();
        let last = ["frag_gpu_milli".to_owned()];
        let first = ["name".to_owned(), "because_gpus".to_owned()];
        let mut machines = Table::new(&[&first[..], &headers, &last].concat());
        for machine in self.machines {
            let because = machine.because[GPUS].map_or("", blamed);
            let mut cells = vec![Cell::from(machine.name.as_str()), Cell::from(because)];
            cells.extend(row(&Sum::of([machine])));
            cells.push(Cell::number(machine.fragment_milli, 1));
            machines.row(cells);
        }
        let first = ["attribute", "value", "machines"].map(str::to_owned);
        let mut groups = Table::new(&[&first[..], &headers, &last].concat());
        for (attribute, values) in self.groups() {
            for (value, sum) in values {
                let mut cells = vec![Cell::from(attribute.as_str()), Cell::from(value)];
                cells.push(Cell::from(sum.machines));
                cells.extend(row(&sum));
                cells.push(Cell::number(sum.fragment_milli, 1));
                groups.row(cells);
            }
        }
        vec![
            ("machines".to_owned(), machines),
            ("groups".to_owned(), groups),
        ]
    }
}

/// An attribute's name as a part of a file's.
fn file_name(attribute: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    attribute.chars().map(plain).collect()
}

//! What all machines look like together, and one by one.

use super::super::words::{count, counted, number, percent};
use super::super::{Figure, Part};
use super::{Fragmented, NAMES, OfMachine, Sum, blamed, is};
use crate::capacity::fit::Lacks;
use crate::capacity::stranded::COUNT;
use crate::draw::{Groups, Heat, Plot, Row, Shape, Stacks};
use std::collections::BTreeMap;
use std::ops::Range;

/// The most columns of machines that a picture shows.
const COLUMNS_MAX: usize = 300;

impl Fragmented<'_> {
    pub(super) fn by_resource(&self) -> Part {
        let sum = self.sum();
        let resources = self.resources();
        let row = |resource: &usize| {
            let share = |of: f64| percent(of, sum.has[*resource]);
            let (idle, stranded) = (sum.idle[*resource], sum.stranded[*resource]);
            Row {
                name: NAMES[*resource].to_owned(),
                values: vec![
                    share(sum.has[*resource] - idle),
                    share(idle - stranded),
                    share(stranded),
                ],
            }
        };
        let most = resources.iter().max_by(|left, right| {
            let share = |r: usize| percent(sum.stranded[r], sum.idle[r]);
            share(**left).total_cmp(&share(**right))
        });
        let reading = most.map_or_else(String::new, |most| {
            format!(
                "Of all that is idle, {} {} stranded most: {} % of it is of no use.",
                NAMES[*most],
                is(*most),
                number(percent(sum.stranded[*most], sum.idle[*most]), 0)
            )
        });
        let kinds = ["in use", "idle and usable", "stranded"].map(str::to_owned);
        let mut figures = vec![Figure {
            name: "resources".to_owned(),
            reading,
            plot: Plot {
                title: "What is in use, usable and stranded".to_owned(),
                x: "% of all of it".to_owned(),
                y: String::new(),
                shape: Shape::Stacks(Stacks {
                    kinds: kinds.to_vec(),
                    rows: resources.iter().map(row).collect(),
                    decimals: 1,
                    shares: true,
                }),
            },
        }];
        figures.extend(self.why());
        Part {
            heading: "Which resources".to_owned(),
            text: Vec::new(),
            figures,
            tables: vec![self.table_of("", BTreeMap::from([(String::new(), sum)]))],
        }
    }

    /// What keeps tasks off, resource by resource.
    fn why(&self) -> Option<Figure> {
        let resources = self.resources();
        let all: Vec<(usize, Vec<(Lacks, f64)>)> = resources
            .iter()
            .map(|resource| (*resource, self.reasons(*resource)))
            .filter(|(_, reasons)| !reasons.is_empty())
            .collect();
        let mut kinds: Vec<Lacks> = all
            .iter()
            .flat_map(|(_, r)| r.iter().map(|x| x.0))
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        let (first, reasons) = all
            .iter()
            .find(|(r, _)| *r == self.dearest())
            .or(all.first())?;
        let total: f64 = reasons.iter().map(|(_, part)| part).sum();
        let reading = format!(
            "{} % of the stranded {} {} on machines with {} for one more task.",
            number(percent(reasons[0].1, total), 0),
            NAMES[*first],
            is(*first),
            blamed(reasons[0].0)
        );
        let row = |(resource, reasons): &(usize, Vec<(Lacks, f64)>)| {
            let total: f64 = reasons.iter().map(|(_, part)| part).sum();
            let part = |kind: &Lacks| reasons.iter().find(|(why, _)| why == kind);
            let share = |kind: &Lacks| part(kind).map_or(0.0, |(_, p)| percent(*p, total));
            Row {
                name: format!("stranded {}", NAMES[*resource]),
                values: kinds.iter().map(share).collect(),
            }
        };
        Some(Figure {
            name: "why".to_owned(),
            reading,
            plot: Plot {
                title: "Why it is stranded: what is too little for one more of the usual tasks"
                    .to_owned(),
                x: "% of what is stranded".to_owned(),
                y: String::new(),
                shape: Shape::Stacks(Stacks {
                    kinds: kinds.iter().map(|kind| blamed(*kind).to_owned()).collect(),
                    rows: all.iter().map(row).collect(),
                    decimals: 0,
                    shares: true,
                }),
            },
        })
    }

    /// Machines in the order of pictures: the most stranded of the dearest resource first.
    fn sorted(&self) -> Vec<&OfMachine> {
        let dearest = self.dearest();
        let share = |machine: &OfMachine, of: &[i64; COUNT]| {
            percent(of[dearest] as f64, machine.has[dearest] as f64)
        };
        let mut sorted: Vec<&OfMachine> = self.machines.iter().collect();
        sorted.sort_by(|left, right| {
            let stranded = share(right, &right.stranded).total_cmp(&share(left, &left.stranded));
            let idle = share(right, &right.idle).total_cmp(&share(left, &left.idle));
            stranded.then(idle).then(left.name.cmp(&right.name))
        });
        sorted
    }

    pub(super) fn by_machine(&self) -> Part {
        let resources = self.resources();
        let sorted = self.sorted();
        let columns = sorted.len().clamp(1, COLUMNS_MAX);
        let within = |column: usize| -> Range<usize> {
            column * sorted.len() / columns..(column + 1) * sorted.len() / columns
        };
        let sums: Vec<Sum> = (0..columns)
            .map(|column| Sum::of(sorted[within(column)].iter().copied()))
            .collect();
        let (mut rows, mut cells) = (Vec::new(), Vec::new());
        for resource in &resources {
            let cell = |of: fn(&Sum) -> &[f64; COUNT]| -> Vec<Option<f64>> {
                sums.iter()
                    .map(|sum| sum.share(of(sum), *resource))
                    .collect()
            };
            rows.push(format!("{}: idle", NAMES[*resource]));
            cells.push(cell(|sum| &sum.idle));
            rows.push(format!("{}: stranded", NAMES[*resource]));
            cells.push(cell(|sum| &sum.stranded));
        }
        let each = match self.machines.len().div_ceil(columns) {
            1 => "a column is a machine".to_owned(),
            each => format!("a column is up to {each} machines"),
        };
        Part {
            heading: "Machine by machine".to_owned(),
            text: Vec::new(),
            figures: vec![
                Figure {
                    name: "machines".to_owned(),
                    reading: self.concentration(),
                    plot: Plot {
                        title: "Idle and stranded, machine by machine".to_owned(),
                        x: format!(
                            "{}, those with the most stranded {} at the left; {each}",
                            counted(self.machines.len(), "machine", "machines"),
                            NAMES[self.dearest()]
                        ),
                        y: "share of what the machine has".to_owned(),
                        shape: Shape::Heat(Heat {
                            rows,
                            columns: vec![String::new(); columns],
                            cells,
                            most: "all of it".to_owned(),
                        }),
                    },
                },
                self.histogram(),
            ],
            tables: Vec::new(),
        }
    }

    /// On how many machines half of it is.
    fn concentration(&self) -> String {
        let dearest = self.dearest();
        let mut all: Vec<i64> = self.machines.iter().map(|m| m.stranded[dearest]).collect();
        all.sort_unstable_by(|left, right| right.cmp(left));
        let total: i64 = all.iter().sum();
        if total == 0 {
            return format!("No {} are stranded anywhere.", NAMES[dearest]);
        }
        let mut before = 0;
        let half = all.iter().take_while(|amount| {
            let goes_on = 2 * before < total;
            before += **amount;
            goes_on
        });
        let half = half.count();
        let with = all.iter().filter(|amount| **amount > 0).count();
        format!(
            "{} {} stranded on {} of {} machines; half of that on {}.",
            capital(NAMES[dearest]),
            is(dearest),
            count(with),
            count(all.len()),
            counted(half, "machine", "machines")
        )
    }

    fn histogram(&self) -> Figure {
        const BINS: usize = 10;
        let dearest = self.dearest();
        let mut bins = [0_usize; BINS + 1];
        let having = self.machines.iter().filter(|m| m.has[dearest] > 0);
        for machine in having {
            let share = percent(
                machine.stranded[dearest] as f64,
                machine.has[dearest] as f64,
            );
            let bin = match machine.stranded[dearest] {
                0 => 0,
                _ => (share / 10.0).ceil().clamp(1.0, BINS as f64) as usize,
            };
            bins[bin] += 1;
        }
        let row = |(bin, machines): (usize, &usize)| Row {
            name: match bin {
                0 => "nothing".to_owned(),
                _ => format!("up to {} %", 10 * bin),
            },
            values: vec![*machines as f64],
        };
        let all: usize = bins.iter().sum();
        Figure {
            name: "histogram".to_owned(),
            reading: format!(
                "On {} of {} machines that have {}, nothing of it is stranded.",
                count(bins[0]),
                count(all),
                NAMES[dearest]
            ),
            plot: Plot {
                title: format!("How much of a machine's {} is stranded", NAMES[dearest]),
                x: "machines".to_owned(),
                y: String::new(),
                shape: Shape::Groups(Groups {
                    kinds: vec!["machines".to_owned()],
                    rows: bins.iter().enumerate().map(row).collect(),
                    decimals: 0,
                }),
            },
        }
    }
}

/// With a capital at its beginning.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

//! What to buy.

use super::words::{count, counted, number};
use super::{Figure, Part, Report};
use crate::capacity::fit::whole_gpus;
use crate::capacity::grow::{MachineType, Point};
use crate::draw::{Cell, Plot, Row, Shape, Stacks, Table};

/// What to have at each moment.
#[derive(Clone, Copy, Debug)]
pub struct Grown<'a> {
    /// How many machines are there.
    pub machines: usize,
    /// How many tasks run there.
    pub running: usize,
    /// How many tasks have no place there.
    pub pending: usize,
    /// What can be bought.
    pub types: &'a [MachineType],
    /// Moment by moment.
    pub points: &'a [Point],
}

impl Grown<'_> {
    /// In a few sentences.
    #[must_use]
    pub fn summary(&self) -> Vec<String> {
        let mut summary = vec![format!(
            "{} with {} are there; {} no place now.",
            counted(self.machines, "machine", "machines"),
            counted(self.running, "task", "tasks"),
            counted(self.pending, "task has", "tasks have"),
        )];
        if let Some(last) = self.points.last() {
            let bought = self
                .types
                .iter()
                .zip(&last.mix)
                .filter(|(_, count)| **count > 0);
            let bought = bought.map(|(kind, many)| format!("{} {}", count(*many), kind.name));
            let bought: Vec<String> = bought.collect();
            summary.push(match bought.is_empty() {
                true => format!("At {} nothing has to be bought.", last.moment.when),
                false => format!(
                    "At {} there must be bought, all in all, {}: at a price of {}, at most {} % \
                     more than the cheapest mix there can be.",
                    last.moment.when,
                    bought.join(", "),
                    number(last.price_milli as f64 / 1000.0, 3),
                    number(last.gap_percent(), 1)
                ),
            });
            if let Some(because) = last.because.filter(|_| last.bound_milli > 0) {
                summary.push(format!("What costs the most at least: {because}."));
            }
        }
        summary
    }

    /// What to have, moment by moment.
    #[must_use]
    pub fn table(&self) -> Table {
        let mut headers = vec!["when", "tasks"];
        headers.extend(self.types.iter().map(|kind| kind.name.as_str()));
        headers.extend([
            "price",
            "at least",
            "gap %",
            "free cpus",
            "free MiB",
            "free GPUs",
        ]);
        let mut table = Table::new(&headers);
        for point in self.points {
            let mut row = vec![
                Cell::from(point.moment.when.clone()),
                Cell::from(point.tasks),
            ];
            row.extend(point.mix.iter().map(|count| Cell::from(*count)));
            let prices = [point.price_milli, point.bound_milli];
            row.extend(prices.map(|milli| Cell::number(milli as f64 / 1000.0, 3)));
            row.push(Cell::number(point.gap_percent(), 1));
            row.push(Cell::number(point.free.cpu_milli as f64 / 1000.0, 1));
            row.push(Cell::from(point.free.memory_mib));
            row.push(Cell::number(whole_gpus(point.free.gpu_milli), 2));
            table.row(row);
        }
        table
    }

    /// What is bought, type by type, at each moment.
    fn picture(&self) -> Figure {
        let row = |point: &Point| Row {
            name: point.moment.when.clone(),
            values: point.mix.iter().map(|count| *count as f64).collect(),
        };
        let bought = |point: &Point| point.mix.iter().sum::<usize>();
        let reading = match (self.points.first(), self.points.last()) {
            (Some(first), Some(last)) if self.points.len() > 1 => format!(
                "From {} at {} to {} at {}.",
                counted(bought(first), "machine", "machines"),
                first.moment.when,
                counted(bought(last), "machine", "machines"),
                last.moment.when
            ),
            _ => String::new(),
        };
        Figure {
            name: "bought".to_owned(),
            reading,
            plot: Plot {
                title: "Machines to be bought until each moment".to_owned(),
                x: "machines, besides those that are there".to_owned(),
                y: String::new(),
                shape: Shape::Stacks(Stacks {
                    kinds: self.types.iter().map(|kind| kind.name.clone()).collect(),
                    rows: self.points.iter().map(row).collect(),
                    decimals: 0,
                    shares: false,
                }),
            },
        }
    }

    /// The report.
    #[must_use]
    pub fn report(&self) -> Report {
        let table = self.table();
        Report {
            title: "What to buy".to_owned(),
            summary: self.summary(),
            parts: vec![Part {
                heading: "Machines bought until each moment".to_owned(),
                figures: vec![self.picture()],
                tables: vec![table.clone()],
                ..Part::default()
            }],
            data: vec![("points".to_owned(), table)],
        }
    }
}

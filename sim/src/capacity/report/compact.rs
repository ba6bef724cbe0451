//! How many machines a workload needs.

use super::words::{count, counted, number, percent};
use super::{Figure, Part, Report};
use crate::capacity::bounds::Bound;
use crate::draw::{Cell, Plot, Shape, Spread, Spreading, Table};
use tepui_core::placement::Policy;

/// What one policy needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// Which.
    pub policy: Policy,
    /// How many tasks are placed.
    pub tasks: usize,
    /// How many of them may stay without a place.
    pub allow_pending: usize,
    /// How many machines are needed, seed by seed.
    pub machines: Vec<usize>,
    /// Of these.
    pub median: usize,
    /// Of these, by the nearest rank.
    pub p90: usize,
    /// No fewer can be enough.
    pub bound: Option<Bound>,
}

impl Needed {
    /// No fewer machines can be enough, whoever places the tasks.
    fn least(&self) -> usize {
        self.bound.map_or(0, |bound| bound.machines)
    }
}

/// All policies.
#[derive(Clone, Debug)]
pub struct Compacted<'a> {
    /// How many machines there are.
    pub machines: usize,
    /// Up to which load tasks were taken, if not all of them.
    pub load: Option<u32>,
    /// In which orders machines are taken away.
    pub seeds: &'a [u64],
    /// Policy by policy.
    pub needed: &'a [Needed],
}

impl Compacted<'_> {
    fn saved(&self, machines: usize) -> f64 {
        100.0 - percent(machines as f64, self.machines as f64)
    }

    /// A row for each policy.
    #[must_use]
    pub fn table(&self) -> Table {
        let headers = [
            "policy",
            "tasks",
            "median",
            "p90",
            "at least",
            "% of all at p90",
        ];
        let mut table = Table::new(&headers);
        for needed in self.needed {
            table.row([
                Cell::from(needed.policy.to_string()),
                Cell::from(needed.tasks),
                Cell::from(needed.median),
                Cell::from(needed.p90),
                Cell::from(needed.least()),
                Cell::number(100.0 - self.saved(needed.p90), 1),
            ]);
        }
        table
    }

    /// The report.
    #[must_use]
    pub fn report(&self) -> Report {
        let load = match self.load {
            Some(load) => format!("The first tasks up to a load of {load} % of all GPUs"),
            None => "All tasks".to_owned(),
        };
        let tasks = self.needed.first().map_or(0, |needed| needed.tasks);
        let pending = self.needed.first().map_or(0, |needed| needed.allow_pending);
        let mut summary = vec![format!(
            "{load}, {} of them, are placed again and again on fewer of {}, until more than {} of \
             them find no place. Machines are taken away in an order that a seed draws, {}.",
            count(tasks),
            counted(self.machines, "machine", "machines"),
            count(pending),
            counted(self.seeds.len(), "time", "times")
        )];
        let best = self.needed.iter().min_by_key(|needed| needed.p90);
        if let Some(best) = best {
            summary.push(format!(
                "{} machines are enough nine times of ten under {}: {} could be switched off, \
                 {} % of all.",
                count(best.p90),
                best.policy,
                count(self.machines - best.p90),
                number(self.saved(best.p90), 1)
            ));
        }
        Report {
            title: "How many machines are needed".to_owned(),
            summary,
            parts: vec![self.spread()],
            data: self.data(),
        }
    }

    fn spread(&self) -> Part {
        let row = |needed: &Needed| Spreading {
            name: needed.policy.to_string(),
            values: needed.machines.iter().map(|n| *n as f64).collect(),
            median: needed.median as f64,
            high: needed.p90 as f64,
            note: format!(
                "{}: {} % saved",
                count(needed.p90),
                number(self.saved(needed.p90), 1)
            ),
        };
        let least = self.needed.iter().min_by_key(|needed| needed.p90);
        let most = self.needed.iter().max_by_key(|needed| needed.p90);
        let reading = match (least, most) {
            (Some(least), Some(most)) if self.needed.len() > 1 => format!(
                "{} needs the fewest machines, {} at the 90th percentile, and {} the most, {}.",
                least.policy,
                count(least.p90),
                most.policy,
                count(most.p90)
            ),
            (Some(one), _) => format!(
                "The tries differ by {}: from {} to {}.",
                counted(
                    one.machines.iter().max().unwrap_or(&0)
                        - one.machines.iter().min().unwrap_or(&0),
                    "machine",
                    "machines"
                ),
                count(*one.machines.iter().min().unwrap_or(&0)),
                count(*one.machines.iter().max().unwrap_or(&0))
            ),
            _ => String::new(),
        };
        Part {
            heading: "Machines needed, by policy".to_owned(),
            text: vec![
                "After Borg's cell compaction (Verma et al., EuroSys 2015): the 90th percentile of \
                 the tries is the figure to plan with."
                    .to_owned(),
            ],
            figures: vec![Figure {
                name: "machines".to_owned(),
                reading,
                plot: Plot {
                    title: "Machines needed".to_owned(),
                    x: format!("machines, of {}", count(self.machines)),
                    y: String::new(),
                    shape: Shape::Spread(Spread {
                        rows: self.needed.iter().map(row).collect(),
                        percentile: "90th percentile".to_owned(),
                    }),
                },
            }],
            tables: vec![self.table()],
        }
    }

    fn data(&self) -> Vec<(String, Table)> {
        let mut tries = Table::new(&["policy", "seed", "machines"]);
        let mut needed =
            Table::new(&["policy", "tasks", "allow_pending", "median", "p90", "bound"]);
        for one in self.needed {
            for (seed, machines) in self.seeds.iter().zip(&one.machines) {
                tries.row([
                    Cell::from(one.policy.to_string()),
                    Cell::from(*seed as usize),
                    Cell::from(*machines),
                ]);
            }
            needed.row([
                Cell::from(one.policy.to_string()),
                Cell::from(one.tasks),
                Cell::from(one.allow_pending),
                Cell::from(one.median),
                Cell::from(one.p90),
                Cell::from(one.least()),
            ]);
        }
        vec![("tries".to_owned(), tries), ("needed".to_owned(), needed)]
    }
}

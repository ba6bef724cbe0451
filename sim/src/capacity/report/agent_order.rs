//! What the order in which agents are offered does.

use super::words::number;
use super::{Figure, Part, Report};
use crate::capacity::churn::{Options, Outcome};
use crate::draw::{Cell, Curve, Curves, Plot, Shape, Table};
use tepui_core::allocator::AgentOrder;

/// What was run, and how it went.
pub type Run = (Options, Outcome);

/// A figure of a run.
type Value = fn(&Outcome) -> f64;

const FAILED: Value = |outcome| outcome.failed_pct();
const FRAGMENTS: Value = |outcome| outcome.mean.frag_pct;

const VALUES: [(&str, Value); 7] = [
    ("failed %", FAILED),
    ("failed of 2 GPUs or more %", |outcome| {
        outcome.failed_large_pct()
    }),
    ("allocated %", |outcome| outcome.mean.alloc_pct),
    ("fragments %", FRAGMENTS),
    ("fragments of idle %", |outcome| outcome.mean.frag_idle_pct),
    ("wait s", Outcome::wait_s),
    ("spread of shares %", |outcome| outcome.mean.spread_pct),
];

/// Orders side by side.
#[derive(Clone, Debug)]
pub struct Compared<'a> {
    /// How many machines there are.
    pub machines: usize,
    /// All runs.
    pub runs: &'a [Run],
}

impl Compared<'_> {
    fn orders(&self) -> Vec<AgentOrder> {
        let mut orders = Vec::new();
        for (options, _) in self.runs {
            if !orders.contains(&options.order) {
                orders.push(options.order);
            }
        }
        orders
    }

    fn loads(&self) -> Vec<u32> {
        let mut loads: Vec<u32> = self
            .runs
            .iter()
            .map(|(options, _)| options.load_percent)
            .collect();
        loads.sort_unstable();
        loads.dedup();
        loads
    }

    fn of(&self, order: AgentOrder, load: u32) -> impl Iterator<Item = &Outcome> {
        let same =
            move |(options, _): &&Run| (options.order, options.load_percent) == (order, load);
        self.runs.iter().filter(same).map(|(_, outcome)| outcome)
    }

    fn mean(&self, order: AgentOrder, load: u32, value: Value) -> f64 {
        let all: Vec<f64> = self.of(order, load).map(value).collect();
        all.iter().sum::<f64>() / all.len().max(1) as f64
    }

    /// A row for each order at each load: means over the seeds.
    #[must_use]
    pub fn table(&self) -> Table {
        let mut headers = vec!["load", "order", "launches", "checks"];
        headers.extend(VALUES.iter().map(|(name, _)| *name));
        let mut table = Table::new(&headers);
        for load in self.loads() {
            for order in self.orders() {
                let sum = |of: fn(&Outcome) -> u64| self.of(order, load).map(of).sum::<u64>();
                let mut row = vec![
                    Cell::from(load as usize),
                    Cell::from(order.to_string()),
                    Cell::from(sum(|one| one.arrived) as usize),
                    Cell::from(sum(|one| one.checks) as usize),
                ];
                let values = VALUES.iter();
                row.extend(values.map(|(_, of)| Cell::number(self.mean(order, load, *of), 2)));
                table.row(row);
            }
        }
        table
    }

    /// How it was done, for people.
    #[must_use]
    pub fn method(&self) -> String {
        let Some((options, _)) = self.runs.first() else {
            return String::new();
        };
        format!(
            "Tasks of the list come and go on {} machines under the core's own allocator, which \
             {} frameworks with a role each are offered agents by, a cycle a second. Tasks run \
             {} s in the mean; a launch has failed when the task waited {} s. GPUs are whole, as \
             agents offer them: who wants a share of one takes one. The load is what the GPUs of \
             all tasks would come to if all found a place, in percent of the cluster's; figures \
             are means over four mean running times after two to warm up. Fragments are idle GPUs \
             of no use to the typical tasks (Weng et al., ATC 2023). The spread of shares says by \
             how much the largest dominant share among frameworks that wait for something is \
             above the smallest: an order that harmed fairness would raise it. All invariants of \
             the allocator, those of its shares among them, held each time they were checked.",
            self.machines, options.frameworks, options.mean_s, options.patience_s
        )
    }

    /// What random order comes to beside the best, at the highest load.
    #[must_use]
    pub fn reading(&self, value: (&str, usize)) -> String {
        let (what, place) = value;
        let Some(load) = self.loads().last().copied() else {
            return String::new();
        };
        let of = |order: AgentOrder| self.mean(order, load, VALUES[place].1);
        let orders = self.orders();
        let best = orders
            .iter()
            .min_by(|left, right| of(**left).total_cmp(&of(**right)));
        let worst = orders
            .iter()
            .max_by(|left, right| of(**left).total_cmp(&of(**right)));
        match (best, worst) {
            (Some(best), Some(worst)) if orders.len() > 1 => format!(
                "At a load of {load} %, {what} are {} % under {best} and {} % under {worst}.",
                number(of(*best), 2),
                number(of(*worst), 2)
            ),
            _ => String::new(),
        }
    }

    /// The pictures: failed launches and fragments by load, and fragments over time.
    #[must_use]
    pub fn figures(&self) -> Vec<Figure> {
        let mut figures = Vec::new();
        if self.loads().len() > 1 {
            for (name, title, y, what) in [
                (
                    "failed",
                    "Failed launches",
                    "launches that failed, %",
                    ("failed launches", 0),
                ),
                ("fragments", "Fragments", "% of all GPUs", ("fragments", 3)),
            ] {
                figures.push(Figure {
                    name: format!("agent-order-{name}"),
                    reading: self.reading(what),
                    plot: Plot {
                        title: format!("{title} by load"),
                        x: "load, % of all GPUs".to_owned(),
                        y: y.to_owned(),
                        shape: self.by_load(VALUES[what.1].1),
                    },
                });
            }
        }
        let most = self.loads().last().copied().unwrap_or_default();
        figures.push(Figure {
            name: "agent-order-time".to_owned(),
            reading: self.reading(("fragments", 3)),
            plot: Plot {
                title: format!("Fragments over time at a load of {most} %, one seed"),
                x: "seconds".to_owned(),
                y: "% of all GPUs".to_owned(),
                shape: self.over_time(most),
            },
        });
        figures
    }

    fn curves(&self, points: impl Fn(AgentOrder) -> Vec<(f64, f64)>) -> Shape {
        let orders = self.orders().into_iter().enumerate();
        let curves = orders.map(|(color, order)| Curve {
            name: order.to_string(),
            color,
            points: points(order),
            band: Vec::new(),
        });
        Shape::Curves(Curves {
            curves: curves.collect(),
            from_zero: true,
            guide: None,
        })
    }

    fn by_load(&self, value: Value) -> Shape {
        self.curves(|order| {
            let loads = self.loads().into_iter();
            loads
                .map(|load| (f64::from(load), self.mean(order, load, value)))
                .collect()
        })
    }

    fn over_time(&self, load: u32) -> Shape {
        self.curves(|order| {
            let first = self.of(order, load).next();
            let points = first.map_or(&[][..], |outcome| &outcome.points);
            points
                .iter()
                .map(|point| (point.at_s as f64, point.frag_pct))
                .collect()
        })
    }

    /// The report.
    #[must_use]
    pub fn report(&self) -> Report {
        Report {
            title: "The order in which agents are offered".to_owned(),
            summary: vec![
                self.reading(("failed launches", 0)),
                self.reading(("fragments", 3)),
            ],
            parts: vec![Part {
                heading: "Orders side by side".to_owned(),
                text: vec![self.method()],
                figures: self.figures(),
                tables: vec![self.table()],
            }],
            data: vec![("agent_order".to_owned(), self.table())],
        }
    }
}

//! What really fits beside what the totals promise.

use super::words::{counted, number, percent};
use super::{Figure, Part, Report};
use crate::draw::{Cell, Groups, Plot, Row, Shape, Stacks, Table};
use std::collections::BTreeMap;

/// How many shapes a picture shows.
const SHOWN_MAX: usize = 16;

/// How many a table of the page shows.
const LISTED_MAX: usize = 40;

/// What was found for one shape of task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fitted {
    /// The shape, in words.
    pub shape: String,
    /// How many tasks of the workload have it; none where there is no workload.
    pub in_workload: Option<usize>,
    /// How many are wanted.
    pub wanted: Option<i64>,
    /// How many more really fit.
    pub fit_more: i64,
    /// How many more the sums of what is free suggest.
    pub by_totals: i64,
    /// On how many machines each resource is the first that runs out.
    pub runs_out: BTreeMap<String, usize>,
}

/// All shapes on one cluster.
#[derive(Clone, Debug)]
pub struct Headroom<'a> {
    /// How many machines there are.
    pub machines: usize,
    /// The commonest or first wanted first.
    pub shapes: &'a [Fitted],
}

impl Headroom<'_> {
    /// The report.
    #[must_use]
    pub fn report(&self) -> Report {
        Report {
            title: "What really fits".to_owned(),
            summary: self.summary(),
            parts: vec![self.beside_totals(), self.runs_out()],
            data: self.data(),
        }
    }

    fn shown(&self) -> &[Fitted] {
        &self.shapes[..self.shapes.len().min(SHOWN_MAX)]
    }

    fn summary(&self) -> Vec<String> {
        let sum = |of: fn(&Fitted) -> i64| self.shapes.iter().map(of).sum::<i64>() as f64;
        let mut text = vec![format!(
            "{}; {} tried{}. A task fits where one machine has all that it asks for; the totals \
             add up what is free on all machines, as if it were one.",
            counted(self.machines, "machine", "machines"),
            counted(self.shapes.len(), "shape of task", "shapes of tasks"),
            match self.shapes.iter().any(|shape| shape.wanted.is_some()) {
                true => " one after another, each beside those before it",
                false => ", each by itself",
            }
        )];
        let (fit, totals) = (sum(|s| s.fit_more), sum(|s| s.by_totals));
        if fit > 0.0 {
            text.push(format!(
                "All shapes together, the totals promise {:.2} times what really fits.",
                totals / fit
            ));
        }
        let short = self
            .shapes
            .iter()
            .filter_map(|s| Some((s, s.wanted? - s.fit_more)));
        for (shape, missing) in short.filter(|(_, missing)| *missing > 0) {
            text.push(format!(
                "{}: {} fit of {} that are wanted; {} do not.",
                shape.shape,
                number(shape.fit_more as f64, 0),
                number(shape.wanted.unwrap_or(0) as f64, 0),
                number(missing as f64, 0)
            ));
        }
        text
    }

    fn beside_totals(&self) -> Part {
        let row = |shape: &Fitted| Row {
            name: shape.shape.clone(),
            values: vec![shape.fit_more as f64, shape.by_totals as f64],
        };
        let times = |shape: &Fitted| shape.by_totals as f64 / shape.fit_more.max(1) as f64;
        let most = self
            .shown()
            .iter()
            .max_by(|l, r| times(l).total_cmp(&times(r)));
        let reading = match most {
            Some(most) if most.by_totals > most.fit_more => format!(
                "The totals lie most about “{}”: they promise {}, and {} fit.",
                most.shape,
                number(most.by_totals as f64, 0),
                number(most.fit_more as f64, 0)
            ),
            _ => "For these shapes the totals promise no more than fits.".to_owned(),
        };
        let kinds = ["really fit", "by the totals"].map(str::to_owned).to_vec();
        Part {
            heading: "How many more fit".to_owned(),
            text: self.left_out(),
            figures: vec![Figure {
                name: "fit".to_owned(),
                reading,
                plot: Plot {
                    title: "How many more fit, and what the totals promise".to_owned(),
                    x: "tasks".to_owned(),
                    y: String::new(),
                    shape: Shape::Groups(Groups {
                        kinds,
                        rows: self.shown().iter().map(row).collect(),
                        decimals: 0,
                    }),
                },
            }],
            tables: vec![self.listed().table()],
        }
    }

    /// As much of it as a page shows.
    fn listed(&self) -> Headroom<'_> {
        Headroom {
            machines: self.machines,
            shapes: &self.shapes[..self.shapes.len().min(LISTED_MAX)],
        }
    }

    fn left_out(&self) -> Vec<String> {
        let left = self.shapes.len() - self.shown().len();
        match left {
            0 => Vec::new(),
            _ => vec![format!(
                "The picture shows the {} commonest shapes of {}, the tables up to {LISTED_MAX}; \
                 --csv writes all.",
                self.shown().len(),
                self.shapes.len()
            )],
        }
    }

    /// A row for each shape.
    #[must_use]
    pub fn table(&self) -> Table {
        let has_workload = self.shapes.iter().any(|shape| shape.in_workload.is_some());
        let has_wanted = self.shapes.iter().any(|shape| shape.wanted.is_some());
        let mut headers = vec!["shape"];
        headers.extend(has_workload.then_some("in the workload"));
        headers.extend(has_wanted.then_some("wanted"));
        headers.extend(["more fit", "by totals", "times"]);
        let mut table = Table::new(&headers);
        let or_dash = |value: Option<i64>| value.map_or(Cell::from("-"), Cell::from);
        for shape in self.shapes {
            let mut row = vec![Cell::from(shape.shape.as_str())];
            row.extend(has_workload.then(|| or_dash(shape.in_workload.map(|n| n as i64))));
            row.extend(has_wanted.then(|| or_dash(shape.wanted)));
            row.push(Cell::from(shape.fit_more));
            row.push(Cell::from(shape.by_totals));
            row.push(match shape.fit_more {
                0 => Cell::from("-"),
                fit => Cell::number(shape.by_totals as f64 / fit as f64, 2),
            });
            table.row(row);
        }
        table
    }

    /// All resources that run out anywhere, the most frequent first.
    fn resources(&self) -> Vec<(String, usize)> {
        let mut sums: BTreeMap<&str, usize> = BTreeMap::new();
        for (resource, machines) in self.shapes.iter().flat_map(|shape| &shape.runs_out) {
            *sums.entry(resource).or_default() += machines;
        }
        let mut sums: Vec<_> = sums.into_iter().map(|(r, n)| (r.to_owned(), n)).collect();
        sums.sort_by(|left, right| right.1.cmp(&left.1).then(left.0.cmp(&right.0)));
        sums
    }

    fn runs_out(&self) -> Part {
        let resources = self.resources();
        let of = |shape: &Fitted, (resource, _): &(String, usize)| {
            shape.runs_out.get(resource).copied().unwrap_or(0)
        };
        let row = |shape: &Fitted| Row {
            name: shape.shape.clone(),
            values: resources.iter().map(|r| of(shape, r) as f64).collect(),
        };
        let all: usize = resources.iter().map(|(_, machines)| machines).sum();
        let reading = match resources.first() {
            Some((resource, machines)) => format!(
                "Most often it is {resource} that run out first: in {} % of all cases.",
                number(percent(*machines as f64, all as f64), 0)
            ),
            None => "There is no machine on which anything could run out.".to_owned(),
        };
        let mut headers = vec!["shape".to_owned()];
        headers.extend(resources.iter().map(|(resource, _)| resource.clone()));
        let mut table = Table::new(&headers);
        for shape in self.listed().shapes {
            let mut cells = vec![Cell::from(shape.shape.as_str())];
            cells.extend(resources.iter().map(|r| Cell::from(of(shape, r))));
            table.row(cells);
        }
        Part {
            heading: "What runs out first".to_owned(),
            text: vec![
                "Machine by machine: the resource that is too little for one more task of the \
                 shape after as many as fit were placed."
                    .to_owned(),
            ],
            figures: vec![Figure {
                name: "runs_out".to_owned(),
                reading,
                plot: Plot {
                    title: "What runs out first, on how many machines".to_owned(),
                    x: "machines".to_owned(),
                    y: String::new(),
                    shape: Shape::Stacks(Stacks {
                        kinds: resources.iter().map(|(name, _)| name.clone()).collect(),
                        rows: self.shown().iter().map(row).collect(),
                        decimals: 0,
                        shares: false,
                    }),
                },
            }],
            tables: vec![table],
        }
    }

    fn data(&self) -> Vec<(String, Table)> {
        let mut fit = Table::new(&["shape", "count", "wanted", "fit_more", "by_totals"]);
        let mut runs_out = Table::new(&["shape", "resource", "machines"]);
        let or_empty = |value: Option<i64>| value.map_or(Cell::from(""), Cell::from);
        for shape in self.shapes {
            fit.row([
                Cell::from(shape.shape.as_str()),
                or_empty(shape.in_workload.map(|n| n as i64)),
                or_empty(shape.wanted),
                Cell::from(shape.fit_more),
                Cell::from(shape.by_totals),
            ]);
            for (resource, machines) in &shape.runs_out {
                runs_out.row([
                    Cell::from(shape.shape.as_str()),
                    Cell::from(resource.as_str()),
                    Cell::from(*machines),
                ]);
            }
        }
        vec![("fit".to_owned(), fit), ("runs_out".to_owned(), runs_out)]
    }
}

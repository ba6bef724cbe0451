//! Policies beside each other.

use super::words::{count, counted, mean, number};
use super::{Figure, Part, Report};
use crate::capacity::replay::{AtLoad, ReplayPolicy, Replayed};
use crate::draw::{Cell, Curve, Curves, Groups, Plot, Row, Shape, Table};
use std::collections::BTreeMap;

/// Loads that tables show, where the arrivals reach them.
const SHOWN: [u32; 4] = [80, 90, 100, 130];

/// The load at which policies are compared in words.
const COMPARED: u32 = 100;

/// While no policy lags behind the arrivals by more than this, in points, everything fits.
const LAGS: f64 = 0.5;

/// What was replayed.
#[derive(Clone, Debug)]
pub struct Compared<'a> {
    /// How many machines there are.
    pub machines: usize,
    /// What all their GPUs have.
    pub gpu_milli: i64,
    /// In the order in which they are to be shown.
    pub policies: &'a [ReplayPolicy],
    /// Each with its seed.
    pub runs: &'a [(u64, Replayed)],
}

/// One figure at one load, over all seeds.
#[derive(Clone, Copy, Debug)]
struct Seen {
    mean: f64,
    low: f64,
    high: f64,
}

/// The figure at a load: where large tasks step over it, the last one below it.
fn at(by_load: &BTreeMap<u32, Seen>, load: u32) -> Option<&Seen> {
    by_load.range(..=load).next_back().map(|(_, seen)| seen)
}

impl Compared<'_> {
    fn of(&self, policy: ReplayPolicy) -> impl Iterator<Item = &Replayed> {
        let own = self
            .runs
            .iter()
            .filter(move |(_, run)| run.policy == policy);
        own.map(|(_, run)| run)
    }

    fn seeds(&self) -> usize {
        self.policies
            .first()
            .map_or(0, |policy| self.of(*policy).count())
    }

    /// One figure of a policy, by load.
    fn by_load(&self, policy: ReplayPolicy, of: fn(&AtLoad) -> f64) -> BTreeMap<u32, Seen> {
        let mut values: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
        for run in self.of(policy) {
            for (load, at) in &run.loads {
                values.entry(*load).or_default().push(of(at));
            }
        }
        let seen = |values: Vec<f64>| Seen {
            mean: mean(&values),
            low: values.iter().copied().fold(f64::INFINITY, f64::min),
            high: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        };
        let seen = values.into_iter().map(|(load, all)| (load, seen(all)));
        seen.collect()
    }

    fn failed(&self, policy: ReplayPolicy) -> f64 {
        mean(
            &self
                .of(policy)
                .map(|run| run.failed as f64)
                .collect::<Vec<_>>(),
        )
    }

    /// The loads that tables show.
    fn shown(&self) -> Vec<u32> {
        let loads = self.runs.iter().flat_map(|(_, run)| run.loads.keys());
        let Some(last) = loads.max().copied() else {
            return Vec::new();
        };
        let mut shown: Vec<u32> = SHOWN.into_iter().filter(|load| *load <= last).collect();
        if shown.is_empty() {
            shown.push(last);
        }
        shown
    }

    /// The load at which they are compared in words.
    fn compared_at(&self) -> Option<u32> {
        let shown = self.shown();
        let usual = shown.contains(&COMPARED).then_some(COMPARED);
        usual.or(shown.last().copied())
    }

    /// The one table: a row for each policy, the means of all its seeds.
    #[must_use]
    pub fn table(&self) -> Table {
        let shown = self.shown();
        let mut headers = vec!["policy".to_owned(), "failed".to_owned()];
        headers.extend(shown.iter().map(|load| format!("alloc % at {load}")));
        headers.extend(shown.iter().map(|load| format!("frag % at {load}")));
        let mut table = Table::new(&headers);
        for policy in self.policies {
            let mut row = vec![
                Cell::from(policy.to_string()),
                Cell::number(self.failed(*policy), 0),
            ];
            for of in [(|at| at.alloc_pct) as fn(&AtLoad) -> f64, |at| at.frag_pct] {
                let by_load = self.by_load(*policy, of);
                row.extend(shown.iter().map(|load| match at(&by_load, *load) {
                    Some(seen) => Cell::number(seen.mean, 2),
                    None => Cell::from("-"),
                }));
            }
            table.row(row);
        }
        table
    }

    /// The report.
    #[must_use]
    pub fn report(&self) -> Report {
        let mut parts = Vec::new();
        let mut summary = vec![self.summary()];
        if self.gpu_milli > 0 {
            summary.extend(self.best_and_worst());
            parts.push(self.allocated());
            parts.push(self.fragments());
        } else {
            let text = "No machine has GPUs, so there is no load in GPUs to compare them by.";
            summary.push(text.to_owned());
        }
        parts.push(self.left_over());
        Report {
            title: "Placement policies compared".to_owned(),
            summary,
            parts,
            data: self.data(),
        }
    }

    /// What was replayed, in a sentence.
    #[must_use]
    pub fn summary(&self) -> String {
        format!(
            "{} with {} GPUs; {}; {} placed one after another; {} of each policy.",
            counted(self.machines, "machine", "machines"),
            number(self.gpu_milli as f64 / 1000.0, 0),
            counted(self.policies.len(), "policy", "policies"),
            counted(self.arrivals(), "task", "tasks"),
            counted(self.seeds(), "run", "runs"),
        )
    }

    fn arrivals(&self) -> usize {
        self.runs.first().map_or(0, |(_, run)| run.arrivals)
    }

    /// Policies by what they have allocated at the load of comparison, the most first.
    fn ranked(&self) -> Option<(u32, Vec<(ReplayPolicy, f64)>)> {
        let load = self.compared_at()?;
        let figure = |policy: &ReplayPolicy| {
            let by_load = self.by_load(*policy, |at| at.alloc_pct);
            Some((*policy, at(&by_load, load)?.mean))
        };
        let mut ranked: Vec<_> = self.policies.iter().filter_map(figure).collect();
        ranked.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
        Some((load, ranked))
    }

    fn best_and_worst(&self) -> Option<String> {
        let (load, ranked) = self.ranked()?;
        let (best, worst) = (ranked.first()?, ranked.last()?);
        let gpus = (best.1 - worst.1) / 100.0 * self.gpu_milli as f64 / 1000.0;
        Some(match ranked.len() {
            1 => format!(
                "When {load} % of the GPUs were asked for, {} had allocated {} %.",
                best.0,
                number(best.1, 2)
            ),
            _ => format!(
                "When {load} % of the GPUs were asked for, {} had allocated the most, {} %, and {} \
                 the least, {} %: {} GPUs lie between them.",
                best.0,
                number(best.1, 2),
                worst.0,
                number(worst.1, 2),
                number(gpus, 0)
            ),
        })
    }

    /// Up to which load everything fits under all policies.
    fn all_fit_up_to(&self) -> u32 {
        let mut up_to = u32::MAX;
        for policy in self.policies {
            let by_load = self.by_load(*policy, |at| at.alloc_pct);
            let lags = |(load, seen): &(&u32, &Seen)| f64::from(**load) - seen.mean > LAGS;
            let last = by_load.keys().last().copied().unwrap_or(0);
            let first = by_load
                .iter()
                .find(lags)
                .map(|(load, _)| load.saturating_sub(1));
            up_to = up_to.min(first.unwrap_or(last));
        }
        up_to
    }

    fn allocated(&self) -> Part {
        let up_to = self.all_fit_up_to();
        // Where loads are low all lines are one: the picture shows the upper part.
        let last = self.shown().last().copied().unwrap_or(0);
        let from = last * 6 / 100 * 10;
        let mut curves = self.curves(|at| at.alloc_pct, from);
        curves.from_zero = false;
        let guide = (from..=200).map(|load| (f64::from(load), f64::from(load)));
        curves.guide = Some(("all that was asked for".to_owned(), guide.collect()));
        let reading = match self.ranked() {
            Some((load, ranked)) if ranked.len() > 1 => {
                let names: Vec<String> = ranked.iter().map(|(p, _)| p.to_string()).collect();
                format!(
                    "Up to a load of {up_to} % all tasks find a place under every policy; at \
                     {load} %, from the most allocated to the least: {}.",
                    names.join(", ")
                )
            }
            _ => format!("Up to a load of {up_to} % all tasks find a place."),
        };
        Part {
            heading: "How much of the GPUs is put to use".to_owned(),
            text: vec![self.about_lines()],
            figures: vec![Figure {
                name: "allocated".to_owned(),
                reading,
                plot: Plot {
                    title: "Allocated GPUs, by how many were asked for".to_owned(),
                    x: "asked for by the tasks that came, % of all GPUs".to_owned(),
                    y: "allocated, % of all GPUs".to_owned(),
                    shape: Shape::Curves(curves),
                },
            }],
            tables: vec![self.table()],
        }
    }

    fn about_lines(&self) -> String {
        let band = match self.seeds() {
            0 | 1 => String::new(),
            _ => " The shade around a line reaches from the least to the most of all seeds, the \
                  line is their mean."
                .to_owned(),
        };
        format!(
            "Tasks come one after another and stay; what does not fit when it comes is not tried \
             again.{band}"
        )
    }

    fn fragments(&self) -> Part {
        let least = |of: fn(&AtLoad) -> f64| {
            let load = self.compared_at()?;
            let figure = |policy: &ReplayPolicy| {
                let by_load = self.by_load(*policy, of);
                Some((*policy, at(&by_load, load)?.mean))
            };
            let all: Vec<_> = self.policies.iter().filter_map(figure).collect();
            let least = all.iter().copied().min_by(|l, r| l.1.total_cmp(&r.1))?;
            let most = all.iter().copied().max_by(|l, r| l.1.total_cmp(&r.1))?;
            Some((load, least, most))
        };
        let reading = |of, what: &str| match least(of) {
            Some((load, least, most)) => format!(
                "At a load of {load} %, {} % {what} is fragments under {}, and {} % under {}.",
                number(least.1, 1),
                least.0,
                number(most.1, 1),
                most.0
            ),
            None => String::new(),
        };
        let figure =
            |name: &str, of: fn(&AtLoad) -> f64, title: &str, y: &str, what: &str| Figure {
                name: name.to_owned(),
                reading: reading(of, what),
                plot: Plot {
                    title: title.to_owned(),
                    x: "asked for by the tasks that came, % of all GPUs".to_owned(),
                    y: y.to_owned(),
                    shape: Shape::Curves(self.curves(of, 0)),
                },
            };
        Part {
            heading: "How much is idle and of no use".to_owned(),
            text: vec![
                "A fragment is an idle part of a GPU that the tasks which usually come cannot use, \
                 because too little of the GPU, of the cpus, or of the other GPUs beside it is \
                 free (Weng et al., USENIX ATC 2023)."
                    .to_owned(),
            ],
            figures: vec![
                figure(
                    "fragments",
                    |at| at.frag_pct,
                    "Fragments, of all GPUs",
                    "fragments, % of all GPUs",
                    "of all GPUs",
                ),
                figure(
                    "fragments_of_idle",
                    |at| at.frag_idle_pct,
                    "Fragments, of what is idle",
                    "fragments, % of the idle GPUs",
                    "of what is idle",
                ),
            ],
            tables: Vec::new(),
        }
    }

    fn curves(&self, of: fn(&AtLoad) -> f64, from: u32) -> Curves {
        let curve = |policy: &ReplayPolicy| {
            let by_load = self.by_load(*policy, of);
            let seen = || by_load.range(from..);
            let place = ReplayPolicy::all().position(|known| known == *policy);
            Curve {
                name: policy.to_string(),
                color: place.unwrap_or(0),
                points: seen().map(|(load, s)| (f64::from(*load), s.mean)).collect(),
                band: match self.seeds() {
                    0 | 1 => Vec::new(),
                    _ => seen().map(|(_, s)| (s.low, s.high)).collect(),
                },
            }
        };
        Curves {
            curves: self.policies.iter().map(curve).collect(),
            from_zero: true,
            guide: None,
        }
    }

    fn left_over(&self) -> Part {
        let mut rows: Vec<Row> = self
            .policies
            .iter()
            .map(|policy| Row {
                name: policy.to_string(),
                values: vec![self.failed(*policy)],
            })
            .collect();
        rows.sort_by(|left, right| left.values[0].total_cmp(&right.values[0]));
        let reading = match (rows.first(), rows.last()) {
            (Some(least), Some(most)) if rows.len() > 1 => format!(
                "Of {} tasks {} find no place under {}, and {} under {}.",
                count(self.arrivals()),
                number(least.values[0], 0),
                least.name,
                number(most.values[0], 0),
                most.name
            ),
            _ => "Tasks that found no place when they came.".to_owned(),
        };
        Part {
            heading: "How many tasks find no place".to_owned(),
            text: Vec::new(),
            figures: vec![Figure {
                name: "failed".to_owned(),
                reading,
                plot: Plot {
                    title: "Tasks without a place".to_owned(),
                    x: "tasks, mean of all seeds".to_owned(),
                    y: String::new(),
                    shape: Shape::Groups(Groups {
                        kinds: vec!["failed".to_owned()],
                        rows,
                        decimals: 0,
                    }),
                },
            }],
            tables: Vec::new(),
        }
    }

    fn data(&self) -> Vec<(String, Table)> {
        let mut runs = Table::new(&[
            "policy",
            "seed",
            "arrivals",
            "failed",
            "allocated_gpu_milli",
            "f_count",
        ]);
        let mut loads = Table::new(&[
            "policy",
            "seed",
            "load",
            "alloc_pct",
            "frag_pct",
            "frag_idle_pct",
        ]);
        for (seed, run) in self.runs {
            runs.row([
                Cell::from(run.policy.to_string()),
                Cell::from(*seed as usize),
                Cell::from(run.arrivals),
                Cell::from(run.failed),
                Cell::from(run.allocated_gpu_milli),
                Cell::from(run.f_count),
            ]);
            for (load, at) in &run.loads {
                loads.row([
                    Cell::from(run.policy.to_string()),
                    Cell::from(*seed as usize),
                    Cell::from(*load as usize),
                    Cell::number(at.alloc_pct, 2),
                    Cell::number(at.frag_pct, 2),
                    Cell::number(at.frag_idle_pct, 3),
                ]);
            }
        }
        vec![("runs".to_owned(), runs), ("loads".to_owned(), loads)]
    }
}

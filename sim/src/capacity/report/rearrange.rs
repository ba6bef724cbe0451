//! What could be switched off, and the moves that free the most.

use super::words::{count, counted, number, percent};
use super::{Figure, Part, Report};
use crate::capacity::defragment::{Defragmented, Figures, Goal};
use crate::capacity::drain::Drained;
use crate::capacity::fit::whole_gpus;
use crate::capacity::moves::Move;
use crate::capacity::snapshot::Snapshot;
use crate::draw::{Cell, Curve, Curves, Plot, Row, Shape, Stacks, Table};
use tepui_core::placement::{Measure, Policy};

/// Agents that could be switched off.
#[derive(Clone, Copy, Debug)]
pub struct Emptied<'a> {
    /// The cluster.
    pub snapshot: &'a Snapshot,
    /// Which of its agents.
    pub drained: &'a Drained,
    /// How their tasks were placed.
    pub policy: Policy,
}

/// What a move is, in a table.
fn cells(snapshot: &Snapshot, step: &Move) -> [Cell; 4] {
    let task = &snapshot.running[step.task].task;
    let [from, to] = [step.from, step.to].map(|machine| snapshot.machines[machine].name.clone());
    [task.name.clone(), task.shape.to_string(), from, to].map(Cell::from)
}

impl Emptied<'_> {
    /// In a few sentences.
    #[must_use]
    pub fn summary(&self) -> Vec<String> {
        let machines = &self.drained.machines;
        let idle = machines.iter().filter(|one| one.together && one.tasks == 0);
        let alone = machines.iter().filter(|one| one.alone);
        let freed = &self.drained.freed;
        vec![
            format!(
                "Of {} with {}, {} could be switched off together, {} of which run nothing; {} \
                 could be if each were the only one.",
                counted(machines.len(), "agent", "agents"),
                counted(self.snapshot.running.len(), "task", "tasks"),
                count(freed.machines),
                count(idle.count()),
                count(alone.count())
            ),
            format!(
                "That moves {} at a cost of {}, placed by {}, and frees {} cpus, {} MiB of memory \
                 and {} GPUs.",
                counted(self.drained.moves.len(), "task", "tasks"),
                number(self.drained.cost as f64, 0),
                self.policy,
                number(freed.cpu_milli as f64 / 1000.0, 1),
                number(freed.memory_mib as f64, 0),
                number(whole_gpus(freed.gpu_milli), 0)
            ),
        ]
    }

    /// Agents that must be emptied first, at most so many.
    #[must_use]
    pub fn agents(&self, most: usize) -> Table {
        let mut table = Table::new(&["agent", "tasks", "cost", "cpus", "gpus"]);
        let all = self.drained.machines.iter().zip(&self.snapshot.machines);
        let busy = all.filter(|(one, _)| one.together && one.tasks > 0);
        for (one, machine) in busy.take(most) {
            table.row([
                Cell::from(machine.name.clone()),
                Cell::from(one.tasks),
                Cell::from(one.cost),
                Cell::number(machine.capacity.cpu_milli as f64 / 1000.0, 1),
                Cell::from(machine.capacity.gpus),
            ]);
        }
        table
    }

    /// Where their tasks go, at most so many.
    #[must_use]
    pub fn moves(&self, most: usize) -> Table {
        let mut table = Table::new(&["task", "shape", "from", "to"]);
        for step in self.drained.moves.iter().take(most) {
            table.row(cells(self.snapshot, step));
        }
        table
    }

    /// All agents: which must run on, and which could be switched off.
    fn picture(&self) -> Figure {
        let machines = &self.drained.machines;
        let idle = machines.iter().filter(|one| one.together && one.tasks == 0);
        let (idle, off) = (idle.count(), self.drained.freed.machines);
        let kinds = [
            "run on",
            "off once their tasks are moved",
            "off now, nothing runs there",
        ];
        let values = [machines.len() - off, off - idle, idle];
        Figure {
            name: "agents".to_owned(),
            reading: format!(
                "{} % of all agents could be switched off.",
                number(percent(off as f64, machines.len() as f64), 0)
            ),
            plot: Plot {
                title: "Agents that could be switched off together".to_owned(),
                x: "agents".to_owned(),
                y: String::new(),
                shape: Shape::Stacks(Stacks {
                    kinds: kinds.map(str::to_owned).to_vec(),
                    rows: vec![Row {
                        name: "agents".to_owned(),
                        values: values.map(|number| number as f64).to_vec(),
                    }],
                    decimals: 0,
                    shares: false,
                }),
            },
        }
    }

    /// The report.
    #[must_use]
    pub fn report(&self) -> Report {
        let (agents, moves) = (self.agents(usize::MAX), self.moves(usize::MAX));
        Report {
            title: "What could be switched off".to_owned(),
            summary: self.summary(),
            parts: vec![Part {
                heading: "Agents to empty, and where their tasks go".to_owned(),
                figures: vec![self.picture()],
                tables: vec![agents.clone(), moves.clone()],
                ..Part::default()
            }],
            data: vec![("agents".to_owned(), agents), ("moves".to_owned(), moves)],
        }
    }
}

/// Moves that free something.
#[derive(Clone, Copy, Debug)]
pub struct Moved<'a> {
    /// The cluster.
    pub snapshot: &'a Snapshot,
    /// The moves.
    pub found: &'a Defragmented,
    /// How fragments are measured.
    pub measure: &'a Measure,
    /// What was wanted.
    pub goal: Goal,
}

impl Moved<'_> {
    /// What is gained, as people count it.
    #[must_use]
    pub fn in_units(&self, benefit: i64) -> f64 {
        benefit as f64 / self.goal.unit(self.measure) as f64
    }

    /// What people count.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        match self.goal {
            Goal::Fragments => "GPUs",
            Goal::Machines => "machines",
            Goal::Headroom(_) => "tasks",
        }
    }

    /// In a sentence.
    #[must_use]
    pub fn summary(&self) -> Vec<String> {
        let what = match self.goal {
            Goal::Fragments => "GPUs that were of no use to the tasks that come".to_owned(),
            Goal::Machines => "agents without tasks".to_owned(),
            Goal::Headroom(shape) => format!("more tasks of {shape}"),
        };
        vec![format!(
            "{} at a cost of {} bring {} {what}.",
            counted(self.found.moves().count(), "move", "moves"),
            number(self.found.cost() as f64, 0),
            number(self.in_units(self.found.benefit()), 2)
        )]
    }

    /// Before and after.
    #[must_use]
    pub fn figures(&self) -> Table {
        let mut table = Table::new(&["", "before", "after"]);
        let gpus = Goal::Fragments.unit(self.measure) as f64;
        let mut row = |name: String, of: &dyn Fn(&Figures) -> Cell| {
            let [before, after] = [&self.found.before, &self.found.after].map(of);
            table.row([Cell::from(name), before, after]);
        };
        row("fragments, in GPUs".to_owned(), &|figures| {
            Cell::number(figures.f_count as f64 / gpus, 2)
        });
        row("idle GPUs".to_owned(), &|figures| {
            Cell::number(whole_gpus(figures.idle_gpu_milli), 2)
        });
        row("agents without tasks".to_owned(), &|figures| {
            Cell::from(figures.empty_machines)
        });
        if let Goal::Headroom(shape) = self.goal {
            row(format!("room for {shape}"), &|figures| {
                Cell::from(figures.headroom.unwrap_or(0))
            });
        }
        table
    }

    /// The moves in order, at most so many. What a group of them brings and costs stands beside its
    /// last one.
    #[must_use]
    pub fn moves(&self, most: usize) -> Table {
        let mut table = Table::new(&["task", "shape", "from", "to", self.unit(), "cost"]);
        let steps = self.found.groups.iter().flat_map(|group| {
            let last = group.moves.len() - 1;
            let steps = group.moves.iter().enumerate();
            steps.map(move |(number, step)| (step, (number == last).then_some(group)))
        });
        for (step, ends) in steps.take(most) {
            let ends = match ends {
                Some(group) => [
                    Cell::number(self.in_units(group.benefit), 3),
                    Cell::from(group.cost),
                ],
                None => ["", ""].map(Cell::from),
            };
            table.row(cells(self.snapshot, step).into_iter().chain(ends));
        }
        table
    }

    /// What the moves bring, by what they cost until then.
    fn picture(&self) -> Figure {
        let (mut cost, mut benefit) = (0, 0);
        let mut points = vec![(0.0, 0.0)];
        let mut half = None;
        for group in &self.found.groups {
            cost += group.cost;
            benefit += group.benefit;
            points.push((cost as f64, self.in_units(benefit)));
            if half.is_none() && 2 * benefit >= self.found.benefit() {
                half = Some(cost);
            }
        }
        let reading = match half {
            Some(half) if cost > 0 => format!(
                "Half of it is gained with the first {} % of the cost.",
                number(percent(half as f64, cost as f64), 0)
            ),
            _ => "No move brings anything.".to_owned(),
        };
        Figure {
            name: "benefit".to_owned(),
            reading,
            plot: Plot {
                title: "What the moves bring, by what they cost".to_owned(),
                x: "cost of all moves until then".to_owned(),
                y: format!("{} gained", self.unit()),
                shape: Shape::Curves(Curves {
                    curves: vec![Curve {
                        name: "gained".to_owned(),
                        color: 0,
                        points,
                        band: Vec::new(),
                    }],
                    from_zero: true,
                    guide: None,
                }),
            },
        }
    }

    /// The report.
    #[must_use]
    pub fn report(&self) -> Report {
        let (figures, moves) = (self.figures(), self.moves(usize::MAX));
        Report {
            title: "The moves that free the most".to_owned(),
            summary: self.summary(),
            parts: vec![Part {
                heading: "The moves, in order".to_owned(),
                figures: vec![self.picture()],
                tables: vec![figures.clone(), moves.clone()],
                ..Part::default()
            }],
            data: vec![("figures".to_owned(), figures), ("moves".to_owned(), moves)],
        }
    }
}

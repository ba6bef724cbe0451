//! `tepui plan compact --drain` and `--moves`: what could be switched off, and the moves that free
//! the most for the least.

use super::args::Compact;
use super::source::Filling;
use super::{Ask, Done};
use crate::capacity::defragment::{Figures, Goal, Limits, defragment};
use crate::capacity::drain::{Drainable, drain};
use crate::capacity::error::PlanError;
use crate::capacity::fit::whole_gpus;
use crate::capacity::input::ModelNames;
use crate::capacity::moves::{CostBy, Exempt, Move, Terms};
use crate::capacity::report::rearrange::{Emptied, Moved};
use crate::capacity::roles::ANY;
use crate::capacity::snapshot::Snapshot;
use crate::capacity::wanted::Wanted;
use crate::draw::Table;
use crate::say::{say, say_part};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::process::ExitCode;
use tepui_core::placement::Measure;

/// How many moves people are shown; all of them are in the JSON.
const SHOWN_MAX: usize = 40;

#[derive(Debug, Args)]
#[command(next_help_heading = "Switching off and moving")]
pub(super) struct Rearrange {
    /// Which agents could be switched off now, their tasks placed elsewhere by the (first) policy:
    /// each by itself, and as many as possible together.
    #[arg(long)]
    pub(super) drain: bool,
    /// The moves that free the most for their cost, at most so many.
    #[arg(long, value_name = "N", conflicts_with = "drain")]
    pub(super) moves: Option<usize>,
    /// What moves are to free. By default fragments, or machines where no task uses GPUs.
    #[arg(long, value_enum, requires = "moves")]
    goal: Option<GoalName>,
    /// Free room for this shape: `cpus=8,mem=65536,gpus=8`. Makes that the goal.
    #[arg(
        long,
        value_name = "SHAPE",
        requires = "moves",
        conflicts_with = "goal"
    )]
    for_shape: Option<Wanted>,
    /// Stop when moves bring less than this for each unit of cost, in GPUs, machines or tasks.
    #[arg(long, value_name = "AMOUNT", default_value_t = 0.0, requires = "moves")]
    min_benefit: f64,
    /// What a move costs: the same for all tasks, MiB of memory, or what the tasks' column or label
    /// `cost` says.
    #[arg(long, value_enum, default_value = "tasks")]
    cost: CostName,
    /// Leave the tasks of this application where they are; may be given more than once.
    #[arg(long, value_name = "NAME")]
    exempt_app: Vec<String>,
    /// Leave the tasks of this role where they are; may be given more than once.
    #[arg(long, value_name = "ROLE")]
    exempt_role: Vec<String>,
    /// Leave this agent alone: it gives and takes no task; may be given more than once.
    #[arg(long, value_name = "NAME")]
    exempt_agent: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum GoalName {
    /// Less of the GPUs that are idle is of no use to the tasks that come.
    Fragments,
    /// More machines without tasks.
    Machines,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum CostName {
    Tasks,
    Memory,
    Given,
}

impl Rearrange {
    /// Whether anything of it is wanted.
    pub(super) fn is_wanted(&self) -> bool {
        self.drain || self.moves.is_some()
    }

    fn terms(&self, snapshot: &Snapshot) -> Result<Terms, PlanError> {
        let exempt = Exempt {
            applications: self.exempt_app.clone(),
            roles: self.exempt_role.clone(),
            machines: self.exempt_agent.clone(),
        };
        let by = match self.cost {
            CostName::Tasks => CostBy::Tasks,
            CostName::Memory => CostBy::Memory,
            CostName::Given => CostBy::Given,
        };
        Terms::new(snapshot, &exempt, by)
    }

    fn limits(&self) -> Result<Limits, PlanError> {
        if !self.min_benefit.is_finite() || self.min_benefit < 0.0 {
            let text = "--min-benefit must be a number from 0 on";
            return Err(PlanError::Mismatch(text.to_owned()));
        }
        Ok(Limits {
            moves: self.moves.unwrap_or(0),
            min_benefit: self.min_benefit,
        })
    }

    fn goal(&self, measure: &Measure, models: &[String]) -> Result<Goal, PlanError> {
        if let Some(wanted) = &self.for_shape {
            let mut models = ModelNames(models.to_vec());
            let demand = wanted
                .demand(&mut models, ANY)
                .map_err(PlanError::Mismatch)?;
            return Ok(Goal::Headroom(demand.shape));
        }
        Ok(match self.goal {
            Some(GoalName::Fragments) => Goal::Fragments,
            Some(GoalName::Machines) => Goal::Machines,
            None if measure.classes().iter().any(|class| class.gpus > 0) => Goal::Fragments,
            None => Goal::Machines,
        })
    }
}

pub(super) fn run(arguments: &Compact, ask: Ask<'_>) -> Done {
    let (seed, policy) = (*arguments.seeds.start(), arguments.policy[0]);
    let filling = Filling {
        load: arguments.load,
        policy,
        seed,
    };
    let given = arguments.input.given(ask, policy)?;
    let (snapshot, _) = arguments.input.filled(&given, &filling)?;
    let workload = given.workload();
    let measure = workload.measure();
    let wanted = &arguments.rearrange;
    let terms = wanted.terms(&snapshot)?;
    let inputs = arguments.input.described(&workload);
    if wanted.drain {
        let drained = drain(&snapshot, &terms, &measure, policy, seed);
        let emptied = Emptied {
            snapshot: &snapshot,
            drained: &drained,
            policy,
        };
        arguments.outputs.write(inputs, || emptied.report())?;
        if arguments.json {
            say!("{}", drained_line(&emptied));
        } else {
            let tables = [emptied.agents(SHOWN_MAX), emptied.moves(SHOWN_MAX)];
            print(&emptied.summary(), &tables, drained.moves.len());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let goal = wanted.goal(&measure, &snapshot.models)?;
    let moved = Moved {
        snapshot: &snapshot,
        found: &defragment(&snapshot, &terms, &measure, goal, wanted.limits()?),
        measure: &measure,
        goal,
    };
    arguments.outputs.write(inputs, || moved.report())?;
    if arguments.json {
        say!("{}", moves_line(&moved));
    } else {
        let tables = [moved.figures(), moved.moves(SHOWN_MAX)];
        print(&moved.summary(), &tables, moved.found.moves().count());
    }
    Ok(ExitCode::SUCCESS)
}

fn step(snapshot: &Snapshot, step: &Move) -> Value {
    let gpus = (0..u32::BITS).filter(|bit| step.devices.0 >> bit & 1 == 1);
    json!({
        "task": snapshot.running[step.task].task.name,
        "from": snapshot.machines[step.from].name,
        "to": snapshot.machines[step.to].name,
        "gpus": gpus.collect::<Vec<u32>>(),
    })
}

/// Prints what is shown to people.
fn print(summary: &[String], tables: &[Table], moves: usize) {
    summary.iter().for_each(|text| say!("{text}"));
    for table in tables.iter().filter(|table| !table.is_empty()) {
        say_part!("\n{}", table.plain());
    }
    if moves > SHOWN_MAX {
        say!("and {} more: --json has all", moves - SHOWN_MAX);
    }
}

fn drained_line(emptied: &Emptied<'_>) -> Value {
    let Emptied {
        snapshot, drained, ..
    } = emptied;
    let names = |which: fn(&Drainable) -> bool| {
        let all = drained.machines.iter().zip(&snapshot.machines);
        let found = all.filter(|(drainable, _)| which(drainable));
        found
            .map(|(_, machine)| machine.name.as_str())
            .collect::<Vec<&str>>()
    };
    let freed = &drained.freed;
    let moves = drained.moves.iter().map(|one| step(snapshot, one));
    json!({
        "policy": emptied.policy.to_string(),
        "machines": snapshot.machines.len(),
        "tasks": snapshot.running.len(),
        "drainable": names(|one| one.together),
        "drainable_alone": names(|one| one.alone),
        "idle": names(|one| one.together && one.tasks == 0),
        "moves": moves.collect::<Vec<Value>>(),
        "cost": drained.cost,
        "freed": {
            "machines": freed.machines,
            "cpus": freed.cpu_milli as f64 / 1000.0,
            "mem": freed.memory_mib,
            "disk": freed.disk_mib,
            "ports": freed.ports,
            "gpus": whole_gpus(freed.gpu_milli),
        },
    })
}

fn figures(moved: &Moved<'_>, figures: &Figures) -> Value {
    let machines = moved.snapshot.machines.iter();
    let all: i64 = machines.map(|machine| machine.capacity.gpu_milli()).sum();
    let fragment = figures.f_count as f64 / moved.measure.count.max(1) as f64;
    json!({
        "f_count": figures.f_count,
        "frag_gpu_milli": fragment,
        "frag_pct": 100.0 * fragment / (all as f64).max(1.0),
        "idle_gpu_milli": figures.idle_gpu_milli,
        "empty_machines": figures.empty_machines,
        "headroom": figures.headroom,
    })
}

fn moves_line(moved: &Moved<'_>) -> Value {
    let found = moved.found;
    let groups = found.groups.iter().map(|group| {
        let moves = group.moves.iter().map(|one| step(moved.snapshot, one));
        json!({
            "moves": moves.collect::<Vec<Value>>(),
            "benefit": moved.in_units(group.benefit),
            "cost": group.cost,
        })
    });
    let goal = match moved.goal {
        Goal::Fragments => "fragments",
        Goal::Machines => "machines",
        Goal::Headroom(_) => "headroom",
    };
    json!({
        "goal": goal,
        "unit": moved.unit(),
        "groups": groups.collect::<Vec<Value>>(),
        "moved": found.moves().count(),
        "cost": found.cost(),
        "benefit": moved.in_units(found.benefit()),
        "before": figures(moved, &found.before),
        "after": figures(moved, &found.after),
    })
}

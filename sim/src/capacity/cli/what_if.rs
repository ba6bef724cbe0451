//! `tepui plan what-if`

use super::args::{Input, Wanted, parse_seeds, parse_wanted};
use super::{Done, EXIT_DOES_NOT_FIT};
use crate::capacity::error::PlanError;
use crate::capacity::parallel::in_parallel;
use crate::capacity::snapshot::Snapshot;
use crate::capacity::what_if::{
    Addition, Answer, Changes, Growth, Loss, QuotaChange, Settings, State, WeightChange, any,
    what_if,
};
use crate::draw::{Cell, Table};
use crate::progress;
use clap::Args;
use serde_json::json;
use std::fs;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::ExitCode;
use tepui_core::placement::Policy;

/// How many futures people are shown by name.
const SHOWN_MAX: usize = 40;

#[derive(Debug, Args)]
#[command(after_help = "The cluster is simulated with the scheduler's own code.\n\
    Exit status: 0 it survives, 1 bad flags or input, 2 it does not.")]
pub(super) struct WhatIf {
    #[command(flatten)]
    input: Input,
    /// Place arrivals until this much of all GPUs, in percent, was asked for; all of them without.
    #[arg(long, value_name = "PERCENT")]
    load: Option<u32>,
    /// How tasks are placed, at first and by their frameworks afterwards.
    #[arg(long, default_value = "FirstFit")]
    policy: Policy,
    /// Draws the order, if none is given, and what is random in the simulation.
    #[arg(long, default_value_t = 1, conflicts_with = "seeds")]
    seed: u64,
    /// Simulate with each seed from A to B, both of them included.
    #[arg(long, value_name = "A..B", value_parser = parse_seeds)]
    seeds: Option<RangeInclusive<u64>>,
    /// Lose these machines, all at once: `rack=r1`, `host=NAME`; may be given more than once.
    #[arg(long, value_name = "FIELD=VALUE")]
    lose: Vec<Loss>,
    /// Lose any one `host`, or any one rack, zone or value of another attribute: each in turn.
    #[arg(long, value_name = "FIELD", conflicts_with = "lose")]
    lose_any: Option<String>,
    /// Lose so many of them together.
    #[arg(
        long,
        value_name = "K",
        default_value_t = 1,
        requires = "lose_any"
    )]
    times: usize,
    /// Where there are too many ways to lose them, so many are drawn.
    #[arg(long, value_name = "N", default_value_t = 10, requires = "lose_any")]
    draws: usize,
    /// Add machines: like one of this name or attribute `type`, or `cpus=32,mem=65536*3`; may be
    /// given more than once.
    #[arg(long, value_name = "TYPE*COUNT")]
    add: Vec<Addition>,
    /// Grow an application: `web*1.5` or `web+10`; may be given more than once.
    #[arg(long, value_name = "APP*FACTOR|APP+COUNT")]
    grow_app: Vec<Growth>,
    /// Give a role quota: `web:cpus=10,mem=20480,max.cpus=40`; may be given more than once.
    #[arg(long, value_name = "ROLE:GUARANTEES")]
    quota: Vec<QuotaChange>,
    /// Give a role a weight; may be given more than once.
    #[arg(long, value_name = "ROLE=WEIGHT")]
    weight: Vec<WeightChange>,
    /// Read changes from this YAML file: lists under `lose`, `add`, `grow`, `quota`, `weight`.
    #[arg(long, value_name = "FILE")]
    changes: Option<PathBuf>,
    /// Say how many more of this shape fit before and after: `cpus=1,mem=2048`; may be given more
    /// than once.
    #[arg(long = "shape", value_name = "SHAPE", value_parser = parse_wanted)]
    shapes: Vec<Wanted>,
    /// One JSON object on standard output, and nothing else there.
    #[arg(long)]
    json: bool,
}

impl WhatIf {
    fn snapshot(&self) -> Result<Snapshot, PlanError> {
        let (workload, measure) = self.input.read()?;
        let order = self.input.order(&workload, self.seed)?;
        let seeded = (self.load.unwrap_or(u32::MAX), self.seed);
        let (snapshot, _) = Snapshot::filled(&workload, &order, &measure, self.policy, seeded);
        Ok(snapshot)
    }

    fn changes(&self) -> Result<Changes, PlanError> {
        let mut changes = Changes {
            lose: self.lose.clone(),
            add: self.add.clone(),
            grow: self.grow_app.clone(),
            quotas: self.quota.clone(),
            weights: self.weight.clone(),
        };
        if let Some(path) = &self.changes {
            let text = fs::read_to_string(path).map_err(|why| PlanError::file(path, why))?;
            changes.extend(Changes::read(&path.display().to_string(), &text)?);
        }
        Ok(changes)
    }

    fn settings(&self, seed: u64) -> Settings {
        Settings {
            policy: self.policy,
            seed,
            shapes: self.shapes.iter().map(|wanted| wanted.shape).collect(),
        }
    }
}

pub(super) fn run(arguments: &WhatIf) -> Done {
    let snapshot = arguments.snapshot()?;
    let changes = arguments.changes()?;
    let (futures, how) = match &arguments.lose_any {
        None => (vec![changes], String::new()),
        Some(field) => {
            let drawn = (arguments.draws, arguments.seed);
            let losses = any(&snapshot, field, arguments.times, drawn)?;
            let future = |lose: Vec<Loss>| {
                let mut future = changes.clone();
                future.lose.extend(lose);
                future
            };
            (losses.sets.into_iter().map(future).collect(), losses.how)
        }
    };
    let seeds = arguments.seeds.clone();
    let seeds = seeds.unwrap_or(arguments.seed..=arguments.seed);
    let runs: Vec<(&Changes, u64)> = futures
        .iter()
        .flat_map(|future| seeds.clone().map(move |seed| (future, seed)))
        .collect();
    let bar = progress::bar("simulating", runs.len() as u64, "futures");
    let answers = in_parallel(&runs, |(future, seed)| {
        let answer = what_if(&snapshot, future, &arguments.settings(*seed));
        bar.inc(1);
        answer
    });
    bar.finish_and_clear();
    let answers: Vec<Answer> = answers.into_iter().collect::<Result<_, _>>()?;
    let survives = answers.iter().all(|answer| answer.survives);
    if arguments.json {
        let answer = json!({
            "survives": survives,
            "policy": arguments.policy.to_string(),
            "how": how,
            "futures": answers,
        });
        println!("{answer}");
    } else {
        show(&answers, &how);
    }
    Ok(match survives {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(EXIT_DOES_NOT_FIT),
    })
}

fn show(answers: &[Answer], how: &str) {
    if !how.is_empty() {
        println!("lost: {how}");
    }
    if answers.len() > 1 {
        show_all(answers);
    }
    let worst = answers
        .iter()
        .enumerate()
        .max_by_key(|(place, answer)| (answer.more_waiting(), std::cmp::Reverse(*place)));
    let Some((_, worst)) = worst else { return };
    if answers.len() > 1 {
        println!("\nthe worst: {}", title(worst));
    }
    show_one(worst);
    let held = answers.iter().filter(|answer| answer.survives).count();
    match answers.len() {
        1 if held == 1 => println!("\nit survives"),
        1 => println!("\nit does not survive"),
        all => println!("\nit survives {held} of {all}"),
    }
}

fn title(answer: &Answer) -> String {
    match answer.lost.as_str() {
        "" => format!("seed {}", answer.seed),
        lost => format!("without {lost}, seed {}", answer.seed),
    }
}

fn show_all(answers: &[Answer]) {
    let mut table = Table::new(&["lost", "seed", "machines left", "more tasks wait", "survives"]);
    let mut rows: Vec<&Answer> = answers.iter().collect();
    rows.sort_by_key(|answer| std::cmp::Reverse(answer.more_waiting()));
    for answer in rows.iter().take(SHOWN_MAX) {
        table.row([
            Cell::from(answer.lost.clone()),
            Cell::from(answer.seed.to_string()),
            Cell::from(answer.after().machines),
            Cell::from(answer.more_waiting()),
            Cell::from(if answer.survives { "yes" } else { "no" }.to_owned()),
        ]);
    }
    print!("{}", table.plain());
    if rows.len() > SHOWN_MAX {
        println!("and {} more", rows.len() - SHOWN_MAX);
    }
}

fn show_one(answer: &Answer) {
    let mut table = Table::new(&["", "machines", "run", "wait", "frag %"]);
    for stage in &answer.stages {
        let state = &stage.state;
        table.row([
            Cell::from(stage.after.to_owned()),
            Cell::from(state.machines),
            Cell::from(state.runs),
            Cell::from(state.waits),
            optional(state.frag_pct),
        ]);
    }
    print!("\n{}", table.plain());
    print!("\n{}", roles(answer.before(), answer.after()).plain());
    if !answer.after().headroom.is_empty() {
        let mut table = Table::new(&["how many more fit", "before", "after"]);
        for (before, after) in answer.before().headroom.iter().zip(&answer.after().headroom) {
            table.row([
                Cell::from(before.shape.clone()),
                Cell::from(before.fit_more),
                Cell::from(after.fit_more),
            ]);
        }
        print!("\n{}", table.plain());
    }
    for waiting in &answer.after().waiting {
        println!("{}", waiting.words());
    }
    for refused in &answer.refused {
        println!("the master refuses {refused}");
    }
    for note in &answer.notes {
        println!("note: {note}");
    }
}

fn optional(figure: Option<f64>) -> Cell {
    figure.map_or_else(|| Cell::from("-".to_owned()), |figure| Cell::number(figure, 2))
}

fn roles(before: &State, after: &State) -> Table {
    let mut table = Table::new(&[
        "role",
        "weight",
        "run before",
        "after",
        "wait before",
        "after",
        "share % before",
        "after",
        "guarantee",
        "at its limit of",
    ]);
    for role in &after.roles {
        let was = before.roles.iter().find(|was| was.role == role.role);
        table.row([
            Cell::from(role.role.clone()),
            Cell::number(role.weight, 1),
            Cell::from(was.map_or(0, |was| was.runs)),
            Cell::from(role.runs),
            Cell::from(was.map_or(0, |was| was.waits)),
            Cell::from(role.waits),
            Cell::number(was.map_or(0.0, |was| was.dominant_share_pct), 1),
            Cell::number(role.dominant_share_pct, 1),
            Cell::from(guarantee(role.guarantee_met, &role.lacks)),
            Cell::from(role.at_limit.join(", ")),
        ]);
    }
    table
}

fn guarantee(
    met: Option<bool>,
    lacks: &std::collections::BTreeMap<&'static str, f64>,
) -> String {
    match met {
        None => "-".to_owned(),
        Some(true) => "met".to_owned(),
        Some(false) => {
            let lacks = lacks.iter().map(|(name, amount)| format!("{amount} {name}"));
            format!("lacks {}", lacks.collect::<Vec<_>>().join(", "))
        }
    }
}

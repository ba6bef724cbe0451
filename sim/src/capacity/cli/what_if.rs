//! `tepui plan what-if`

use super::args::parse_seeds;
use super::outputs::Outputs;
use super::source::{Filling, Source};
use super::{Ask, Done, EXIT_DOES_NOT_FIT};
use crate::capacity::error::PlanError;
use crate::capacity::parallel::in_parallel;
use crate::capacity::report::what_if::{Futures, sentences, tables};
use crate::capacity::wanted::Wanted;
use crate::capacity::what_if::{
    Addition, Answer, Changes, Growth, Loss, QuotaChange, Settings, WeightChange, any, what_if,
};
use crate::progress;
use crate::say::{say, say_part};
use clap::Args;
use serde_json::json;
use std::fs;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::ExitCode;
use tepui_core::allocator::AgentOrder;

/// How many futures people are shown by name.
const SHOWN_MAX: usize = 40;

#[derive(Debug, Args)]
#[command(
    after_help = "The cluster is simulated with the scheduler's own code.\n\
    Exit status: 0 it survives, 1 bad flags or input, 2 it does not."
)]
pub(super) struct WhatIf {
    #[command(flatten)]
    input: Source,
    /// Frameworks place by the same policy when they choose among offers, and the seed draws what
    /// is random in the simulation too.
    #[command(flatten)]
    filling: Filling,
    /// Simulate with each seed from A to B, both of them included.
    #[arg(long, value_name = "A..B", value_parser = parse_seeds, conflicts_with = "seed")]
    seeds: Option<RangeInclusive<u64>>,
    /// Lose these machines, all at once: `rack=r1`, `host=NAME`; may be given more than once.
    #[arg(long, value_name = "FIELD=VALUE")]
    lose: Vec<Loss>,
    /// Lose any one `host`, or any one rack, zone or value of another attribute: each in turn.
    #[arg(long, value_name = "FIELD", conflicts_with = "lose")]
    lose_any: Option<String>,
    /// Lose so many of them together.
    #[arg(long, value_name = "K", default_value_t = 1, requires = "lose_any")]
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
    /// In which order the master offers agents, as its flag of the same name.
    #[arg(long = "agent_order", value_name = "ORDER", default_value_t)]
    agent_order: AgentOrder,
    /// Read changes from this YAML file: lists under `lose`, `add`, `grow`, `quota`, `weight`.
    #[arg(long, value_name = "FILE")]
    changes: Option<PathBuf>,
    /// Say how many more of this shape fit before and after: `cpus=1,mem=2048`; may be given more
    /// than once.
    #[arg(long = "shape", value_name = "SHAPE")]
    shapes: Vec<Wanted>,
    /// One JSON object on standard output, and nothing else there.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) outputs: Outputs,
}

impl WhatIf {
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
            policy: self.filling.policy,
            agent_order: self.agent_order,
            seed,
            shapes: self.shapes.iter().map(|wanted| wanted.shape).collect(),
        }
    }
}

pub(super) fn run(arguments: &WhatIf, ask: Ask<'_>) -> Done {
    let given = arguments.input.given(ask, arguments.filling.policy)?;
    let (snapshot, pending) = arguments.input.filled(&given, &arguments.filling)?;
    let workload = given.workload();
    let changes = arguments.changes()?;
    let (futures, how) = match &arguments.lose_any {
        None => (vec![changes], String::new()),
        Some(field) => {
            let drawn = (arguments.draws, arguments.filling.seed);
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
    let seeds = seeds.unwrap_or(arguments.filling.seed..=arguments.filling.seed);
    let runs: Vec<(&Changes, u64)> = futures
        .iter()
        .flat_map(|future| seeds.clone().map(move |seed| (future, seed)))
        .collect();
    let bar = progress::bar("simulating", runs.len() as u64, "futures");
    let answers = in_parallel(&runs, |(future, seed)| {
        let answer = what_if((&snapshot, &pending), future, &arguments.settings(*seed));
        bar.inc(1);
        answer
    });
    bar.finish_and_clear();
    let answers: Vec<Answer> = answers.into_iter().collect::<Result<_, _>>()?;
    let survives = answers.iter().all(|answer| answer.survives);
    let futures = Futures {
        answers: &answers,
        how: &how,
    };
    let inputs = arguments.input.described(&workload);
    arguments.outputs.write(inputs, || futures.report())?;
    if arguments.json {
        let answer = json!({
            "survives": survives,
            "policy": arguments.filling.policy.to_string(),
            "agent_order": arguments.agent_order.to_string(),
            "how": how,
            "futures": answers,
        });
        say!("{answer}");
    } else {
        show(&futures);
    }
    Ok(match survives {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(EXIT_DOES_NOT_FIT),
    })
}

fn show(futures: &Futures<'_>) {
    for text in futures.summary() {
        say!("{text}");
    }
    if futures.answers.len() > 1 {
        say_part!("\n{}", futures.table(SHOWN_MAX).plain());
    }
    let Some(worst) = futures.worst() else { return };
    for table in tables(worst) {
        say_part!("\n{}", table.plain());
    }
    for text in sentences(worst) {
        say!("{text}");
    }
}

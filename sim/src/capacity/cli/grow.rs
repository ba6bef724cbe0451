//! `tepui plan grow`

use super::outputs::Outputs;
use super::source::{Filling, Source};
use super::{Ask, Done, EXIT_DOES_NOT_FIT};
use crate::capacity::drain::Sums;
use crate::capacity::error::PlanError;
use crate::capacity::fit::whole_gpus;
use crate::capacity::grow::{
    Headroom, MachineType, Moment, Point, Question, grow, read_growth, read_types,
};
use crate::capacity::input::ModelNames;
use crate::capacity::report::grow::Grown;
use crate::capacity::roles::ANY;
use crate::capacity::wanted::Wanted;
use crate::say::{say, say_part};
use clap::Args;
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::process::ExitCode;
use tepui_core::placement::Measure;

#[derive(Debug, Args)]
#[command(
    after_help = "A file of types:\n\n  types:\n  - {name: small, cpus: 16, mem: 65536, \
    price: 0.8}\n  - {name: gpu8, cpus: 96, mem: 786432, gpus: 8, model: V100M32, price: 24, \
    max: 40}\n\nor the same names as columns of comma-separated values (types.csv). What is there \
    already (--nodes) costs nothing.\n\nExit status: 0 a mix was found, 1 bad flags or input, 2 \
    not even all that can be bought is enough."
)]
pub(super) struct Grow {
    #[command(flatten)]
    pub(super) input: Source,
    /// What can be bought: name, cpus, mem (MiB), disk (MiB), ports, gpus, model, price, max.
    #[arg(long, value_name = "FILE")]
    types: PathBuf,
    #[command(flatten)]
    filling: Filling,
    /// How the workload grows: `0%,20%,100%`, or a file of comma-separated values with the columns
    /// when and factor. Machines that were bought are kept.
    #[arg(long, value_name = "LIST|FILE", default_value = "0%")]
    growth: String,
    /// So much of each resource must be left, in percent of what all machines have.
    #[arg(long, value_name = "PERCENT", default_value_t = 0,
          value_parser = clap::value_parser!(i64).range(0..=99))]
    headroom: i64,
    /// Room must be left for so many of this shape: `cpus=8,mem=65536,count=10`; may be given more
    /// than once, and then for all of it together.
    #[arg(long, value_name = "SHAPE")]
    headroom_shape: Vec<Wanted>,
    /// One JSON object on standard output, and nothing else there.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) outputs: Outputs,
}

pub(super) fn run(arguments: &Grow, ask: Ask<'_>) -> Done {
    let policy = arguments.filling.policy;
    let given = arguments.input.given(ask, policy)?;
    let (mut snapshot, pending) = arguments.input.filled(&given, &arguments.filling)?;
    let workload = given.workload();
    let measure = workload.measure();
    let types = read_types(&arguments.types, &mut snapshot.models)?;
    let there = snapshot
        .machines
        .iter()
        .map(|machine| machine.capacity.model);
    let offered = types.iter().map(|kind| kind.capacity.model);
    let measure = Measure::new(measure.classes(), there.chain(offered));
    let mut models = ModelNames(std::mem::take(&mut snapshot.models));
    let shapes = arguments.headroom_shape.iter().map(|wanted| {
        let demand = wanted
            .demand(&mut models, ANY)
            .map_err(PlanError::Mismatch)?;
        let count = usize::try_from(wanted.count.unwrap_or(1)).unwrap_or(0);
        Ok((demand.shape, count))
    });
    let headroom = Headroom {
        percent: arguments.headroom,
        shapes: shapes.collect::<Result<_, PlanError>>()?,
    };
    snapshot.models = models.0;
    let moments: Vec<Moment> = read_growth(&arguments.growth)?;
    let question = Question {
        snapshot: &snapshot,
        pending: &pending,
        types: &types,
        headroom: &headroom,
        policy,
        seed: arguments.filling.seed,
        measure: &measure,
    };
    let points = match grow(&question, &moments) {
        Ok(points) => points,
        Err(not_enough) => {
            eprintln!("tepui plan: {not_enough}");
            return Ok(ExitCode::from(EXIT_DOES_NOT_FIT));
        }
    };
    let grown = Grown {
        machines: snapshot.machines.len(),
        running: snapshot.running.len(),
        pending: pending.len(),
        types: &types,
        points: &points,
    };
    let inputs = arguments.input.described(&workload);
    arguments.outputs.write(inputs, || grown.report())?;
    if arguments.json {
        let points: Vec<Value> = points.iter().map(|point| line(point, &types)).collect();
        let answer = json!({
            "policy": policy.to_string(),
            "machines": snapshot.machines.len(),
            "running": snapshot.running.len(),
            "pending": pending.len(),
            "points": points,
        });
        say!("{answer}");
        return Ok(ExitCode::SUCCESS);
    }
    grown.summary().iter().for_each(|text| say!("{text}"));
    say_part!("{}", grown.table().plain());
    Ok(ExitCode::SUCCESS)
}

fn price(milli: i64) -> f64 {
    milli as f64 / 1000.0
}

fn sums(sums: &Sums) -> Value {
    json!({
        "cpus": sums.cpu_milli as f64 / 1000.0,
        "mem": sums.memory_mib,
        "disk": sums.disk_mib,
        "ports": sums.ports,
        "gpus": whole_gpus(sums.gpu_milli),
    })
}

fn line(point: &Point, types: &[MachineType]) -> Value {
    let mix = types.iter().zip(&point.mix);
    let mix: Map<String, Value> = mix
        .map(|(kind, count)| (kind.name.clone(), json!(count)))
        .collect();
    json!({
        "when": point.moment.when,
        "factor": point.moment.factor_milli as f64 / 1000.0,
        "tasks": point.tasks,
        "mix": mix,
        "price": price(point.price_milli),
        "bound": price(point.bound_milli),
        "gap_pct": point.gap_percent(),
        "bound_by": point.because.map(|because| because.to_string()),
        "capacity": sums(&point.capacity),
        "free": sums(&point.free),
    })
}

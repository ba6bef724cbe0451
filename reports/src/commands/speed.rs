//! How fast the simulator is, beside its goals and public simulators.

use super::{Error, at, build_tepui, target_folder};
use crate::criterion::estimates;
use crate::{Provenance, Report, profile};
use clap::Args;
use std::fs;
use std::path::Path;
use tepui_benches::sim_speed::{GOAL_LOG_ONLY, GOAL_WHOLE_CLUSTER, LOG_ONLY, PEERS, WHOLE_CLUSTER};
use tepui_sim::draw::{Plot, Shape, Table};

/// Whether to measure.
#[derive(Args, Debug)]
pub struct Options {
    /// Only draw what was measured before.
    #[arg(long)]
    no_measure: bool,
    /// Measure with few samples: for a look, not for figures.
    #[arg(long)]
    quick: bool,
}

/// Runs the benchmark and writes `speed.md`.
///
/// # Errors
/// When the benchmark fails or left nothing behind.
pub fn run(options: &Options, out: &Path) -> Result<(), Error> {
    if !options.no_measure {
        super::bench("sim_speed", options.quick)?;
    }
    let folder = target_folder().join("criterion");
    let found = estimates(&folder, "sim_speed/").map_err(Error)?;
    let quick = if options.quick { " --quick" } else { "" };
    let command = format!("cargo run --release -p tepui-reports -- speed{quick}");
    let mut report = Report::new("Simulator speed", Provenance::here(&command));
    report.text(
        "Events a second on one core, all checks on. Public simulators' rates are of messages \
         or events of tokio programs, measured on this kind of machine.",
    );
    let mut table = Table::new(&["run", "events", "events/s", "goal", "reached"]);
    let mut bars = Vec::new();
    let mut missed = Vec::new();
    for (name, goal, scenario) in [
        ("log-only", GOAL_LOG_ONLY, LOG_ONLY),
        ("whole-cluster", GOAL_WHOLE_CLUSTER, WHOLE_CLUSTER),
    ] {
        let id = format!("sim_speed/{name}");
        let estimate = found.iter().find(|estimate| estimate.id == id);
        let Some((estimate, events)) = estimate.and_then(|e| Some((e, e.elements?))) else {
            return Err(Error(format!(
                "no results of {id}: run the benchmark first"
            )));
        };
        let rate = events as f64 / (estimate.median_ns / 1e9);
        table.row([
            name.to_owned(),
            events.to_string(),
            format!("{rate:.0}"),
            format!("{goal:.0}"),
            if rate >= goal { "yes" } else { "no" }.to_owned(),
        ]);
        bars.push((format!("Tepui, {name}"), rate));
        if rate < goal {
            missed.push((name, rate, goal, scenario));
        }
    }
    bars.extend(PEERS.iter().map(|(name, rate)| ((*name).to_owned(), *rate)));
    report.table(table);
    report.plot(
        "speed",
        Plot {
            title: "Simulated events on one core".to_owned(),
            x: "events per second".to_owned(),
            y: String::new(),
            shape: Shape::Bars(bars),
        },
    );
    for (name, rate, goal, scenario) in missed {
        let (cost_ns, wanted_ns) = (1e9 / rate, 1e9 / goal);
        report.text(format!(
            "What holds {name} back: an event of it costs {cost_ns:.0} ns, all that it causes \
             included; the goal leaves {wanted_ns:.0} ns."
        ));
        explain(name, scenario, &mut report)?;
    }
    at(out.display(), report.write(out, "speed"))
}

/// How many seeds are sampled.
const SEEDS: &str = "1..9";

/// Says where the time of a run goes.
fn explain(name: &str, scenario: &str, report: &mut Report) -> Result<(), Error> {
    let folder = target_folder().join("profile");
    at(folder.display(), fs::create_dir_all(&folder))?;
    let file = folder.join(format!("{name}.yaml"));
    at(file.display(), fs::write(&file, scenario))?;
    let file = file.display().to_string();
    let run = [
        "sim", "run", &file, "--seeds", SEEDS, "--jobs", "1", "--json",
    ];
    let Some(profile) = profile::of(&build_tepui()?, &run, &folder) else {
        report.text("No profile: perf is not installed, or may not look at processes here.");
        return Ok(());
    };
    let mut table = Table::new(&["where the time goes", "percent"]);
    for (part, percent) in profile.parts {
        table.row([part.to_owned(), format!("{percent:.0}")]);
    }
    report.table(table);
    report.text(format!(
        "Sampled by perf over seeds {SEEDS}. Of all of it, {:.0} % is spent allocating, freeing \
         and copying memory.",
        profile.memory
    ));
    Ok(())
}

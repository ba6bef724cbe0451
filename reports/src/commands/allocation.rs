//! The allocation cycle beside Mesos'.

use super::{Error, at};
use crate::criterion::{Estimate, estimates};
use crate::{Provenance, Report};
use clap::Args;
use std::path::Path;
use tepui_benches::allocation::{
    GOAL_LARGE_MS, GOAL_TIMES_LESS, GOAL_UNCHANGED_MS, MESOS_ADD_AGENTS, MESOS_DECLINED_FOREVER,
    MESOS_FILTERED, MESOS_OFFERED, MESOS_USED, mesos_ms, mesos_offered_ms,
};
use tepui_sim::draw::{Plot, Series, Shape, Table};

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

const GROUP: &str = "allocator_cycle_";

struct Cycle {
    state: String,
    agents: usize,
    frameworks: usize,
    role_each: bool,
    ms: f64,
    interval_ms: (f64, f64),
}

/// Runs the benchmark and writes `allocation.md`.
///
/// # Errors
/// When the benchmark fails or left nothing behind.
pub fn run(options: &Options, out: &Path) -> Result<(), Error> {
    if !options.no_measure {
        super::bench("allocator_cycle", options.quick)?;
    }
    let folder = super::target_folder().join("criterion");
    let found = estimates(&folder, GROUP).map_err(Error)?;
    let mut cycles: Vec<Cycle> = found.iter().filter_map(parse).collect();
    if cycles.is_empty() {
        return Err(Error(
            "no results of allocator_cycle: run it first".to_owned(),
        ));
    }
    cycles.sort_by_key(|c| (c.state.clone(), c.role_each, c.agents, c.frameworks));
    let quick = if options.quick { " --quick" } else { "" };
    let command = format!("cargo run --release -p tepui-reports -- allocation{quick}");
    let mut report = Report::new("Allocation cycle", Provenance::here(&command));
    report.text(
        "CPU time of one cycle. Agents cpus:24;mem:4096;disk:4096;ports:[31000-32000] with 16 \
         cpus, 2014 MB, 1024 MB of disk and 16 port ranges in use. Mesos 1.12.0's figures were \
         measured on this kind of machine.",
    );
    report.table(goals(&cycles));
    report.plot("allocation", plot(&cycles));
    report.table(table(&cycles));
    at(out.display(), report.write(out, "allocation"))
}

/// `allocator_cycle_offered/1000x50-one-role`
fn parse(estimate: &Estimate) -> Option<Cycle> {
    let (state, size) = estimate.id.strip_prefix(GROUP)?.split_once('/')?;
    let (agents, rest) = size.split_once('x')?;
    let (frameworks, roles) = rest.split_once('-')?;
    Some(Cycle {
        state: state.to_owned(),
        agents: agents.parse().ok()?,
        frameworks: frameworks.parse().ok()?,
        role_each: roles == "role-each",
        ms: estimate.median_ns / 1e6,
        interval_ms: (estimate.interval_ns.0 / 1e6, estimate.interval_ns.1 / 1e6),
    })
}

fn mesos(cycle: &Cycle) -> Option<f64> {
    let (agents, frameworks) = (cycle.agents, cycle.frameworks);
    match cycle.state.as_str() {
        "offered" => mesos_offered_ms(agents, frameworks, cycle.role_each),
        "used" => mesos_ms(MESOS_USED, agents, frameworks),
        "declined-forever" => mesos_ms(MESOS_DECLINED_FOREVER, agents, frameworks),
        "filtered-unchanged" | "filtered-touched" => mesos_ms(MESOS_FILTERED, agents, frameworks),
        "add-agents" => mesos_ms(MESOS_ADD_AGENTS, agents, frameworks),
        _ => None,
    }
}

fn goals(cycles: &[Cycle]) -> Table {
    let mut table = Table::new(&["goal", "measured", "reached"]);
    let find = |state: &str, agents, frameworks, role_each| {
        cycles.iter().find(move |c| {
            (c.state.as_str(), c.agents, c.frameworks, c.role_each)
                == (state, agents, frameworks, role_each)
        })
    };
    let mut row = |goal: String, measured: Option<(String, bool)>| {
        let (measured, reached) = measured.unwrap_or(("not measured".to_owned(), false));
        table.row([
            goal,
            measured,
            if reached { "yes" } else { "no" }.to_owned(),
        ]);
    };
    for role_each in [false, true] {
        let roles = if role_each { "a role each" } else { "one role" };
        let full = find("offered", 10_000, 1_000, role_each);
        let times = full.and_then(|cycle| Some(mesos(cycle)? / cycle.ms));
        row(
            format!("10,000 x 1,000, {roles}: {GOAL_TIMES_LESS:.0} times less than Mesos"),
            times.map(|times| (format!("{times:.0} times less"), times >= GOAL_TIMES_LESS)),
        );
        let large = find("offered", 50_000, 1_000, role_each);
        row(
            format!("50,000 x 1,000, {roles}: under {GOAL_LARGE_MS} ms"),
            large.map(|cycle| (format!("{:.2} ms", cycle.ms), cycle.ms < GOAL_LARGE_MS)),
        );
        let unchanged = cycles
            .iter()
            .filter(|c| matches!(c.state.as_str(), "filtered-unchanged" | "used"))
            .filter(|c| c.role_each == role_each)
            .max_by(|a, b| a.ms.total_cmp(&b.ms));
        row(
            format!("nothing changed, {roles}, the worst case: under {GOAL_UNCHANGED_MS} ms"),
            unchanged.map(|cycle| (format!("{:.4} ms", cycle.ms), cycle.ms < GOAL_UNCHANGED_MS)),
        );
    }
    table
}

fn table(cycles: &[Cycle]) -> Table {
    let mut table = Table::new(&[
        "state",
        "roles",
        "agents",
        "frameworks",
        "Tepui, ms",
        "95 % interval",
        "Mesos, ms",
        "times less",
    ]);
    for cycle in cycles {
        let mesos = mesos(cycle);
        table.row([
            cycle.state.clone(),
            if cycle.role_each {
                "a role each"
            } else {
                "one role"
            }
            .to_owned(),
            cycle.agents.to_string(),
            cycle.frameworks.to_string(),
            format!("{:.4}", cycle.ms),
            format!("{:.4} to {:.4}", cycle.interval_ms.0, cycle.interval_ms.1),
            mesos.map_or_else(String::new, |ms| ms.to_string()),
            mesos.map_or_else(String::new, |ms| format!("{:.0}", ms / cycle.ms)),
        ]);
    }
    table
}

fn plot(cycles: &[Cycle]) -> Plot {
    let mut series = Vec::new();
    for (frameworks, role_each) in [(50, false), (1_000, false), (1_000, true)] {
        let roles = if role_each { "a role each" } else { "one role" };
        let ours = cycles
            .iter()
            .filter(|c| c.state == "offered" && c.role_each == role_each);
        let points = ours.filter(|c| c.frameworks == frameworks);
        let points = points.map(|c| (c.agents as f64, c.ms)).collect();
        series.push(Series {
            name: format!("Tepui, {frameworks} frameworks, {roles}"),
            points,
        });
        let theirs = MESOS_OFFERED
            .iter()
            .filter(|row| row.frameworks == frameworks);
        let points = theirs.filter_map(|row| {
            let ms = if role_each {
                row.role_each_ms?
            } else {
                row.one_role_ms
            };
            Some((row.agents as f64, ms))
        });
        let points = points.collect();
        series.push(Series {
            name: format!("Mesos, {frameworks} frameworks, {roles}"),
            points,
        });
    }
    Plot {
        title: "One allocation cycle, everything offered".to_owned(),
        x: "agents".to_owned(),
        y: "CPU ms".to_owned(),
        shape: Shape::Lines(series),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn criterions_ids_are_read() {
        let estimate = Estimate {
            id: "allocator_cycle_filtered-touched/10000x1000-role-each".to_owned(),
            median_ns: 2e6,
            interval_ns: (1e6, 3e6),
            elements: None,
        };
        let cycle = parse(&estimate).unwrap();
        assert_eq!(
            (cycle.state.as_str(), cycle.agents, cycle.frameworks),
            ("filtered-touched", 10_000, 1_000)
        );
        assert!(cycle.role_each && cycle.ms == 2.0);
        let other = Estimate {
            id: "log_append/1".to_owned(),
            ..estimate
        };
        assert!(parse(&other).is_none());
    }
}

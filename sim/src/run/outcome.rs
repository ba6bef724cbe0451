//! The verdict over a run.

use super::Run;
use crate::checker::Violation;
use crate::observe::Tallies;
use crate::units::show_duration;
use serde::Serialize;
use std::collections::BTreeMap;

/// Counts that scenarios may bound, by name.
pub const COUNTS: &[&str] = &[
    "elections",
    "leader_changes",
    "appends",
    "halts",
    "agents_admitted",
    "agents_unreachable",
    "agents_removed",
    "frameworks_removed",
    "offers",
    "task_starts",
    "task_restarts",
    "tasks_lost",
    "tasks_unreachable",
    "tasks_failed",
    "tasks_killed",
    "tasks_finished",
    "jobs_over",
    "faults",
];

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything held.
    Passed,
    /// The cluster did not converge in time, or a rare path was not taken.
    Liveness,
    /// A promise was broken.
    Safety,
    /// The code panicked.
    Crash,
}

/// One expectation and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// What was expected.
    pub expectation: String,
    /// Whether it held.
    pub held: bool,
    /// What was found.
    pub found: String,
}

/// All that is left of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The scenario's file.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The verdict.
    pub verdict: Verdict,
    /// Over everything that happened.
    pub trace_hash: u128,
    /// Inputs that nodes handled.
    pub events: u64,
    /// Messages between nodes.
    pub messages: u64,
    /// Faults.
    pub faults: u64,
    /// How long the run was, in simulated seconds.
    pub simulated_s: f64,
    /// How long after the healing the cluster had converged.
    pub converged_after_s: Option<f64>,
    /// What was broken.
    pub violations: Vec<Violation>,
    /// Each expectation.
    pub judged: Vec<Judged>,
    /// Rare paths that were taken.
    pub probes: BTreeMap<&'static str, u64>,
    /// Counts by name.
    pub counts: BTreeMap<&'static str, u64>,
}

impl Outcome {
    /// Of a run that panicked.
    #[must_use]
    pub fn crashed(scenario: &str, seed: u64, message: String) -> Outcome {
        Outcome {
            scenario: scenario.to_owned(),
            seed,
            verdict: Verdict::Crash,
            trace_hash: 0,
            events: 0,
            messages: 0,
            faults: 0,
            simulated_s: 0.0,
            converged_after_s: None,
            violations: vec![Violation {
                at: crate::time::SimTime::ZERO,
                node: String::new(),
                invariant: "no-panic".into(),
                found: message,
            }],
            judged: Vec::new(),
            probes: BTreeMap::new(),
            counts: BTreeMap::new(),
        }
    }
}

pub(super) fn judge(run: &mut Run<'_>) -> Outcome {
    let healed_at = run.plan.scenario.heals_at();
    let mut judged = Vec::new();
    let mut violations = run.world.observer.violations().to_vec();
    judged.push(Judged {
        expectation: "always: every invariant".into(),
        held: violations.is_empty(),
        found: violations.first().map_or("held".into(), |v| {
            format!("{} broke: {}", v.invariant, v.found)
        }),
    });
    let safe = violations.is_empty();
    let counts = counts(run);
    let expect = &run.plan.scenario.expect;
    let bounded = judge_counts("at_most", &expect.at_most, &counts, &mut judged);
    let busy = judge_counts("at_least", &expect.at_least, &counts, &mut judged);
    let live = judge_goals(run, &mut judged, &mut violations);
    let reached = judge_probes(run, &mut judged);
    let verdict = if !safe || !bounded {
        Verdict::Safety
    } else if !live || !reached || !busy {
        Verdict::Liveness
    } else {
        Verdict::Passed
    };
    if violations.is_empty() && verdict != Verdict::Passed {
        let broken = judged.iter().find(|judged| !judged.held);
        let broken = broken.map(|judged| (judged.expectation.clone(), judged.found.clone()));
        let (invariant, found) = broken.unwrap_or_default();
        violations.push(Violation {
            at: run.world.now,
            node: String::new(),
            invariant,
            found,
        });
    }
    let since_healing = |at: crate::time::SimTime| {
        at.since(crate::time::SimTime::ZERO + healed_at)
            .as_secs_f64()
    };
    Outcome {
        scenario: run.plan.file.clone(),
        seed: run.seed,
        verdict,
        trace_hash: run.world.unseed(),
        events: run.world.counts.events,
        messages: run.world.counts.messages,
        faults: run.world.counts.faults,
        simulated_s: run.world.now.as_secs_f64(),
        converged_after_s: run.converged_at.map(since_healing),
        violations,
        judged,
        probes: run.world.observer.probes.clone(),
        counts,
    }
}

fn counts(run: &Run<'_>) -> BTreeMap<&'static str, u64> {
    let tallies: Tallies = run.world.observer.tallies;
    let value = |name: &str| match name {
        "elections" => tallies.elections,
        "leader_changes" => tallies.leader_changes,
        "appends" => tallies.appends,
        "halts" => tallies.halts,
        "agents_admitted" => tallies.agents_admitted,
        "agents_unreachable" => tallies.agents_unreachable,
        "agents_removed" => tallies.agents_removed,
        "frameworks_removed" => tallies.frameworks_removed,
        "offers" => tallies.offers,
        "task_starts" => tallies.task_starts,
        "task_restarts" => run.world.observer.tasks.restarts(),
        "tasks_lost" => tallies.tasks_lost,
        "tasks_unreachable" => tallies.tasks_unreachable,
        "tasks_failed" => tallies.tasks_failed,
        "tasks_killed" => tallies.tasks_killed,
        "tasks_finished" => tallies.tasks_finished,
        "jobs_over" => tallies.jobs_over,
        "faults" => run.world.counts.faults,
        other => unreachable!("{other} is not in the list of counts"),
    };
    COUNTS.iter().map(|name| (*name, value(name))).collect()
}

fn judge_counts(
    word: &str,
    bounds: &BTreeMap<String, u64>,
    counts: &BTreeMap<&'static str, u64>,
    judged: &mut Vec<Judged>,
) -> bool {
    let mut all = true;
    for (name, bound) in bounds {
        let found = counts[name.as_str()];
        let held = match word {
            "at_most" => found <= *bound,
            _ => found >= *bound,
        };
        all &= held;
        judged.push(Judged {
            expectation: format!("{word}: {name} {bound}"),
            held,
            found: found.to_string(),
        });
    }
    all
}

fn judge_goals(run: &Run<'_>, judged: &mut Vec<Judged>, violations: &mut Vec<Violation>) -> bool {
    let healed_at = crate::time::SimTime::ZERO + run.plan.scenario.heals_at();
    let phase = run.plan.scenario.liveness.within.0;
    let mut all = true;
    for goal in &run.clients.goals {
        let within = goal.within.unwrap_or(phase);
        let held = goal.reached.is_some() && !goal.too_late;
        let found = match goal.reached {
            Some(at) => format!("after {}", show_duration(at.since(healed_at))),
            None => goal.missing.clone(),
        };
        let expectation = format!("eventually: {} within {}", goal.name, show_duration(within));
        if !held {
            all = false;
            violations.push(Violation {
                at: run.world.now,
                node: String::new(),
                invariant: expectation.clone(),
                found: found.clone(),
            });
        }
        judged.push(Judged {
            expectation,
            held,
            found,
        });
    }
    all
}

fn judge_probes(run: &Run<'_>, judged: &mut Vec<Judged>) -> bool {
    let mut all = true;
    for probe in &run.plan.scenario.expect.probes {
        let times = run.world.observer.probes.get(probe.as_str());
        all &= times.is_some();
        judged.push(Judged {
            expectation: format!("probe: {probe}"),
            held: times.is_some(),
            found: times.map_or("never".into(), |times| format!("{times} times")),
        });
    }
    all
}

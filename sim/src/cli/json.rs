//! A run as one line of JSON: the same seed gives the same line, byte for byte.

use crate::run::Outcome;
use serde_json::{Value, json};

/// The line.
#[must_use]
pub fn line(outcome: &Outcome) -> String {
    let violations: Vec<Value> = outcome
        .violations
        .iter()
        .map(|violation| {
            json!({
                "at_s": violation.at.as_secs_f64(),
                "node": violation.node,
                "invariant": violation.invariant,
                "found": violation.found,
            })
        })
        .collect();
    json!({
        "scenario": outcome.scenario,
        "seed": outcome.seed,
        "verdict": outcome.verdict,
        "trace_hash": format!("{:032x}", outcome.trace_hash),
        "events": outcome.events,
        "messages": outcome.messages,
        "faults": outcome.faults,
        "simulated_s": outcome.simulated_s,
        "converged_after_s": outcome.converged_after_s,
        "violations": violations,
        "expectations": outcome.judged,
        "counts": outcome.counts,
        "probes": outcome.probes,
    })
    .to_string()
}

//! What people read.

use crate::observe::Timeline;
use crate::run::{Outcome, Verdict};
use crate::say::say;
use crate::units::show_duration;
use std::collections::BTreeMap;
use std::time::Duration;

/// A verdict in a word.
#[must_use]
pub const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "PASSED",
        Verdict::Safety => "FAILED: a promise was broken",
        Verdict::Liveness => "FAILED: the cluster did not converge",
        Verdict::Crash => "FAILED: the code panicked",
    }
}

/// The one command that repeats a run.
#[must_use]
pub fn repeat(outcome: &Outcome) -> String {
    format!("tepui sim run {} --seed {}", outcome.scenario, outcome.seed)
}

/// The timeline of one run.
pub fn timeline(timeline: &Timeline) {
    for line in timeline.lines() {
        say!("{line}");
    }
    if timeline.dropped() > 0 {
        say!("  .. and {} more lines", timeline.dropped());
    }
}

/// The verdict over one run, expectation by expectation.
pub fn outcome(outcome: &Outcome) {
    say!("");
    for judged in &outcome.judged {
        let mark = if judged.held { "ok  " } else { "FAIL" };
        say!("  {mark} {}: {}", judged.expectation, judged.found);
    }
    say!("");
    say!(
        "{} seed {}: {}",
        outcome.scenario,
        outcome.seed,
        word(outcome.verdict)
    );
    say!(
        "  {} simulated, {} events, {} messages, {} faults, trace {:032x}",
        show_duration(Duration::from_secs_f64(outcome.simulated_s)),
        outcome.events,
        outcome.messages,
        outcome.faults,
        outcome.trace_hash
    );
    if outcome.verdict != Verdict::Passed {
        failure(outcome);
    }
}

/// Why a run failed, and how to see it again.
pub fn failure(outcome: &Outcome) {
    for violation in &outcome.violations {
        say!(
            "  {}s {} {}: {}",
            violation.at,
            violation.node,
            violation.invariant,
            violation.found
        );
    }
    say!("  repeat: {}", repeat(outcome));
}

/// Sums over many runs.
#[derive(Debug, Default)]
pub struct Summary {
    runs: u64,
    failed: BTreeMap<Verdict, u64>,
    events: u64,
    faults: u64,
    simulated_s: f64,
    probes: BTreeMap<&'static str, u64>,
    converged_s: Vec<f64>,
    nodes_s: f64,
}

impl Summary {
    /// One more run.
    pub fn add(&mut self, outcome: &Outcome) {
        self.runs += 1;
        if outcome.verdict != Verdict::Passed {
            *self.failed.entry(outcome.verdict).or_default() += 1;
        }
        self.events += outcome.events;
        self.faults += outcome.faults;
        self.simulated_s += outcome.simulated_s;
        self.nodes_s += outcome.simulated_s;
        for (probe, times) in &outcome.probes {
            *self.probes.entry(probe).or_default() += times;
        }
        self.converged_s.extend(outcome.converged_after_s);
    }

    /// `busy` is the time that all threads together ran.
    pub fn print(&mut self, name: &str, busy: Duration) {
        let busy_s = busy.as_secs_f64().max(1e-9);
        say!("");
        say!("{name}: {} seeds", self.runs);
        for (verdict, count) in &self.failed {
            say!("  {count} {}", word(*verdict));
        }
        if self.failed.is_empty() {
            say!("  all passed");
        }
        say!(
            "  {:.2} M events/s a core, {:.1} cluster-hours a CPU-minute, {:.1} faults a \
             simulated minute",
            self.events as f64 / busy_s / 1e6,
            self.simulated_s / 3600.0 / (busy_s / 60.0),
            self.faults as f64 / (self.simulated_s / 60.0).max(1e-9)
        );
        self.converged_s.sort_by(f64::total_cmp);
        if let (Some(median), Some(most)) = (
            self.converged_s.get(self.converged_s.len() / 2),
            self.converged_s.last(),
        ) {
            say!("  converged after {median:.2} s (median), {most:.2} s (slowest)");
        }
        let probes: Vec<String> = self
            .probes
            .iter()
            .map(|(name, times)| format!("{name} {times}"))
            .collect();
        say!("  seen: {}", probes.join(", "));
    }
}

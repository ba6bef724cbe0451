//! Flags.

use crate::run::Verdict;
use clap::{Args, Parser, Subcommand};
use std::ops::Range;
use std::path::PathBuf;

/// Bad flags or a bad scenario; clap uses the same.
pub const EXIT_BAD: u8 = 2;

/// The exit status that tells a verdict.
#[must_use]
pub const fn exit_code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Passed => 0,
        Verdict::Safety => 3,
        Verdict::Liveness => 4,
        Verdict::Crash => 5,
    }
}

/// Replay failure scenarios against the core, in simulated time.
#[derive(Debug, Parser)]
#[command(name = "tepui sim", max_term_width = 100)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run scenarios and say what happened.
    Run(RunArguments),
}

/// How to run.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 passed, 2 bad flags or a bad scenario, 3 a promise was \
                        broken (safety), 4 the cluster did not converge (liveness), 5 the code \
                        panicked. With several seeds, the worst."
)]
pub struct RunArguments {
    /// Scenario files.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The one number that draws the whole run; the scenario's own, or 1, if absent.
    #[arg(long, value_name = "N", conflicts_with = "seeds")]
    pub seed: Option<u64>,
    /// Many seeds: from A up to, not including, B.
    #[arg(long, value_name = "A..B", value_parser = parse_range)]
    pub seeds: Option<Range<u64>>,
    /// Threads; one for each core if absent.
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// One JSON object for each seed on standard output, and nothing else there.
    #[arg(long)]
    pub json: bool,
    /// Every little thing in the timeline.
    #[arg(long, short)]
    pub verbose: bool,
    /// Stop at the first seed that does not pass.
    #[arg(long)]
    pub until_failure: bool,
    /// Run each seed twice and fail unless both traces are equal.
    #[arg(long)]
    pub twice: bool,
    /// Write every input and effect of every node to this file (one seed only).
    #[arg(long, value_name = "FILE", conflicts_with = "seeds")]
    pub record: Option<PathBuf>,
}

fn parse_range(text: &str) -> Result<Range<u64>, String> {
    let wrong = || format!("'{text}' is no range of seeds: write 1..100");
    let (first, end) = text.split_once("..").ok_or_else(wrong)?;
    let first: u64 = first.trim().parse().map_err(|_| wrong())?;
    let end: u64 = end.trim().parse().map_err(|_| wrong())?;
    if first >= end {
        return Err(format!("'{text}' holds no seed: the end must be greater"));
    }
    Ok(first..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_seeds_are_checked() {
        assert_eq!(parse_range("1..100"), Ok(1..100));
        for bad in ["1", "1..", "a..b", "5..5", "9..1", "-1..3"] {
            assert!(parse_range(bad).is_err(), "{bad}");
        }
    }
}

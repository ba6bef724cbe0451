//! Where a figure comes from.

use serde::{Deserialize, Serialize};
use std::fs;
use std::process::Command;

/// The commit, the machine and the command behind a set of figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The command that makes the figures again.
    pub command: String,
    /// The commit, with `+` where the work tree differed from it.
    pub commit: String,
    /// Processor, cores and kernel.
    pub machine: String,
}

impl Provenance {
    /// Of figures made here and now by `command`.
    #[must_use]
    pub fn here(command: &str) -> Provenance {
        Provenance {
            command: command.to_owned(),
            commit: commit(),
            machine: machine(),
        }
    }
}

fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn commit() -> String {
    let Some(commit) = output_of("git", &["rev-parse", "--short=12", "HEAD"]) else {
        return "unknown".to_owned();
    };
    // Reports themselves are made after the code they measure: they do not make it another one.
    let changed = ["status", "--porcelain", "--", ".", ":!reports/published"];
    match output_of("git", &changed).as_deref() {
        Some("") => commit,
        _ => commit + "+",
    }
}

fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = info
        .lines()
        .find_map(|line| {
            line.strip_prefix("model name")?
                .split_once(": ")
                .map(|(_, name)| name)
        })
        .unwrap_or("unknown processor");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{processor}, {cores} cores, Linux {}", kernel.trim())
}

//! Where a program's time goes, by sampling its stacks with `perf`, where that is installed.

use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

/// What is looked for in a stack, in this order, and what it is called: the first that is found
/// anywhere in it has the sample. What runs within something else comes before it.
const PARTS: [(&str, &str); 10] = [
    ("check_node", "checks of the core's invariants"),
    ("TraceHash", "the trace hash"),
    ("tepui_sim::observe", "the observers"),
    ("tepui_core::allocator", "the master's allocator"),
    ("tepui_core::log", "the replicated log"),
    ("tepui_core::master", "the rest of the master"),
    ("tepui_core::agent", "agents"),
    ("tepui_core::executor", "executors"),
    ("tepui_core::scheduler", "schedulers"),
    ("tepui_sim", "the simulator: queue, network, disks"),
];

/// How names of functions begin that allocate, free and copy memory.
const MEMORY: [&str; 8] = [
    "malloc",
    "_int_malloc",
    "_int_free",
    "cfree",
    "realloc",
    "unlink_chunk",
    "__mem",
    "__rust",
];

/// Shares of all samples, in percent.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Each part of the program, the largest first.
    pub parts: Vec<(&'static str, f64)>,
    /// What of all of them is allocating, freeing and copying memory.
    pub memory: f64,
}

/// Runs a program to its end and samples it. `None` where `perf` is missing or may not look.
#[must_use]
pub fn of(program: &Path, arguments: &[&str], scratch: &Path) -> Option<Profile> {
    let data = scratch.join("perf.data");
    let mut record = Command::new("perf");
    record.args([
        "record",
        "-q",
        "-F",
        "499",
        "--call-graph",
        "dwarf,16384",
        "-o",
    ]);
    record.arg(&data).arg("--").arg(program).args(arguments);
    let quiet = record.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().ok().filter(ExitStatus::success)?;
    let mut script = Command::new("perf");
    script.args(["script", "-F", "ip,sym", "-i"]).arg(&data);
    let stacks = script.stderr(Stdio::null()).output().ok()?;
    shares(&String::from_utf8_lossy(&stacks.stdout))
}

/// Of stacks as `perf script` prints them: the innermost function first, an empty line between.
fn shares(stacks: &str) -> Option<Profile> {
    let mut counts = [0_u32; PARTS.len()];
    let (mut memory, mut all) = (0_u32, 0_u32);
    for stack in stacks
        .split("\n\n")
        .filter(|stack| !stack.trim().is_empty())
    {
        all += 1;
        let innermost = stack.trim_start().lines().next().unwrap_or_default();
        let function = innermost.split_whitespace().nth(1).unwrap_or_default();
        memory += u32::from(MEMORY.iter().any(|name| function.starts_with(name)));
        if let Some(part) = PARTS.iter().position(|(name, _)| stack.contains(name)) {
            counts[part] += 1;
        }
    }
    if all == 0 {
        return None;
    }
    let percent = |count: u32| 100.0 * f64::from(count) / f64::from(all);
    let mut parts: Vec<_> = PARTS
        .iter()
        .zip(counts)
        .map(|((_, name), count)| (*name, percent(count)))
        .collect();
    parts.sort_by(|a, b| b.1.total_cmp(&a.1));
    Some(Profile {
        parts,
        memory: percent(memory),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_belongs_to_the_innermost_part_that_has_a_name() {
        let stacks = "\
            \n  1 malloc\n  2 tepui_core::allocator::cycle::allocate\n  3 tepui_core::master::x\n\
            \n  1 tepui_core::master::x\n  2 tepui_sim::world::World::run_until\n\
            \n  1 tepui_core::log::x\n  2 tepui_sim::world::World::check_node\n\
            \n  1 tepui_sim::world::World::run_until\n\n";
        let profile = shares(stacks).unwrap();
        assert_eq!(profile.memory, 25.0);
        for name in [
            "the master's allocator",
            "the rest of the master",
            "checks of the core's invariants",
            "the simulator: queue, network, disks",
        ] {
            assert!(profile.parts.contains(&(name, 25.0)), "{name}");
        }
        assert!(profile.parts.contains(&("the trace hash", 0.0)));
        assert_eq!(shares("\n"), None);
    }
}

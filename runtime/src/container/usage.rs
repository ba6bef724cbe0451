//! What containers use, by what `/proc` says of their processes.

use super::proc_fs::Process;
use std::collections::BTreeMap;
use std::fs;

/// Clock ticks of `/proc` in a second: part of Linux' interface, whatever the kernel's own clock.
const TICKS_PER_SEC: f64 = 100.0;

/// What one container's living processes have used.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// Time on a CPU in user mode.
    pub user_secs: f64,
    /// Time on a CPU in the kernel.
    pub system_secs: f64,
    /// Memory that is resident.
    pub rss_bytes: u64,
    /// How many processes there are.
    pub processes: u32,
}

/// The use of each tree of processes, by its root: all that descends from it and all of its
/// session. Looks at the host's processes once, however many trees there are.
#[must_use]
pub fn of_trees(roots: &[u32]) -> BTreeMap<u32, Usage> {
    let mut usages: BTreeMap<u32, Usage> =
        roots.iter().map(|root| (*root, Usage::default())).collect();
    if roots.is_empty() {
        return usages;
    }
    let all: BTreeMap<u32, Process> = Process::all()
        .unwrap_or_default()
        .into_iter()
        .map(|process| (process.pid, process))
        .collect();
    for process in all.values() {
        if let Some(usage) = root_of(process, &all, &usages).and_then(|root| usages.get_mut(&root))
        {
            add(process.pid, usage);
        }
    }
    usages
}

fn root_of(
    process: &Process,
    all: &BTreeMap<u32, Process>,
    roots: &BTreeMap<u32, Usage>,
) -> Option<u32> {
    let mut current = process;
    // A process can be its own ancestor only in a table that changed while it was read.
    for _ in 0..all.len() {
        for candidate in [current.pid, current.session] {
            if roots.contains_key(&candidate) {
                return Some(candidate);
            }
        }
        current = all.get(&current.parent)?;
    }
    None
}

fn add(pid: u32, usage: &mut Usage) {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let Some((_, after_name)) = stat.rsplit_once(')') else {
        return;
    };
    let fields: Vec<&str> = after_name.split_ascii_whitespace().collect();
    // Field 3 of proc(5) is the first after the name.
    let ticks = |number: usize| -> f64 {
        let field = fields.get(number - 3);
        field.and_then(|field| field.parse().ok()).unwrap_or(0.0)
    };
    usage.user_secs += ticks(14) / TICKS_PER_SEC;
    usage.system_secs += ticks(15) / TICKS_PER_SEC;
    usage.processes += 1;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = resident.and_then(|text| text.trim().strip_suffix("kB")?.trim().parse().ok());
    usage.rss_bytes += kilobytes.unwrap_or(0_u64) << 10;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory() {
        let me = std::process::id();
        let usages = of_trees(&[me, u32::MAX]);
        assert!(usages[&me].rss_bytes > 0 && usages[&me].processes >= 1);
        assert_eq!(usages[&u32::MAX], Usage::default());
    }
}

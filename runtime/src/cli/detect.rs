//! What the host has, where the operator does not say.

use super::Failure;
use std::fs;
use std::path::Path;
use tepui_core::resources::{Resources, Role};

/// What Mesos leaves to the host's own needs: half of a small memory, 1 GiB of a large one.
const MEMORY_KEPT_MB: u64 = 1_024;

/// What Mesos leaves of the disk: half of a small one, 5 GiB of a large one.
const DISK_KEPT_MB: u64 = 5 * 1_024;

/// Mesos' default range of ports for tasks.
const PORTS: &str = "ports:[31000-32000]";

/// The resources that `text` names, and of those that it does not name what the host has.
///
/// # Errors
/// When the text is no list of resources.
pub fn resources(text: &str, work_dir: &Path) -> Result<Resources, Failure> {
    let parse = |text: &str| {
        Resources::parse(text, &Role::any())
            .map_err(|error| Failure::usage(format!("--resources: {error}")))
    };
    let mut resources = if text.trim().is_empty() {
        Resources::EMPTY
    } else {
        parse(text)?
    };
    let found = [
        ("cpus", format!("cpus:{}", cpus())),
        ("mem", format!("mem:{}", memory_offered_mb())),
        ("disk", format!("disk:{}", disk_offered_mb(work_dir))),
        ("ports", String::from(PORTS)),
    ];
    for (name, text) in found {
        let named = resources.iter().any(|resource| resource.name() == name);
        if named {
            continue;
        }
        for item in parse(&text)?.iter() {
            resources
                .include(item)
                .map_err(|error| Failure::usage(format!("--resources: {error}")))?;
        }
    }
    Ok(resources)
}

fn kept(total_mb: u64, kept_mb: u64) -> u64 {
    if total_mb < 2 * kept_mb {
        total_mb / 2
    } else {
        total_mb - kept_mb
    }
}

/// How many CPUs this process may use.
#[must_use]
pub fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// What of the memory tasks may use.
#[must_use]
pub fn memory_offered_mb() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<u64>().ok());
    kept(kib.unwrap_or(0) / 1_024, MEMORY_KEPT_MB)
}

/// What of the disk below `work_dir` tasks may use.
#[must_use]
pub fn disk_offered_mb(work_dir: &Path) -> u64 {
    // The folder itself may not be there yet.
    let existing = work_dir.ancestors().find(|path| path.exists());
    let sizes = existing.and_then(|path| rustix::fs::statvfs(path).ok());
    // Not what is free: that is another amount at each start, and an agent whose resources
    // changed is another agent.
    let total_mb = sizes.map_or(0, |sizes| sizes.f_blocks * sizes.f_frsize / (1 << 20));
    kept(total_mb, DISK_KEPT_MB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_is_detected_and_what_is_named_stays() {
        let found = resources("cpus:0.5;ports:[1-2]", Path::new("/tmp")).unwrap();
        let text = found.to_string();
        assert!(
            text.contains("cpus:0.5") && text.contains("[1-2]"),
            "{text}"
        );
        assert!(text.contains("mem:") && text.contains("disk:"), "{text}");
        let error = resources("cpus:x", Path::new("/tmp")).unwrap_err();
        assert_eq!(error.code, 2);
        assert!(
            error.message.starts_with("--resources: "),
            "{}",
            error.message
        );
    }
}

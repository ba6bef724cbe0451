//! How long this thread has really run: on a busy machine, wall time says little.

use std::fs;
use std::time::{Duration, Instant};

/// A stopwatch of one thread's own time.
#[derive(Debug)]
pub struct Stopwatch {
    started: Instant,
    cpu: Option<u64>,
}

impl Stopwatch {
    /// Starts it.
    #[must_use]
    pub fn start() -> Stopwatch {
        Stopwatch {
            started: Instant::now(),
            cpu: cpu_nanos(),
        }
    }

    /// The time that the thread ran since; wall time where the system does not say.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        match (self.cpu, cpu_nanos()) {
            (Some(before), Some(now)) => Duration::from_nanos(now - before),
            _ => self.started.elapsed(),
        }
    }
}

/// What Linux counts for this thread.
fn cpu_nanos() -> Option<u64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

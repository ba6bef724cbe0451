//! What is measured on real clusters: a framework that reports what it sees, a cluster of
//! processes that can be killed one by one, and the figures made with them.

pub mod append;
pub mod cluster;
pub mod failover;
pub mod launch;
pub mod probe;
pub mod state;
mod synced;

use hdrhistogram::Histogram;
use serde::Serialize;
use std::time::Duration;

/// The figures of one kind of duration.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// How many.
    pub count: u64,
    /// The shortest.
    pub min_ms: f64,
    /// Half are shorter.
    pub p50_ms: f64,
    /// Of 100, 99 are shorter.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

impl Figures {
    /// Of these durations.
    #[must_use]
    pub fn of(durations: impl IntoIterator<Item = Duration>) -> Figures {
        /// An hour: nothing that is measured here takes longer.
        const MICROS_MAX: u64 = 3_600_000_000;
        let histogram = Histogram::<u64>::new_with_bounds(1, MICROS_MAX, 3);
        let mut histogram = histogram.expect("three digits of an hour are allowed");
        for duration in durations {
            let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
            histogram.saturating_record(micros.max(1));
        }
        let ms = |micros: u64| micros as f64 / 1e3;
        Figures {
            count: histogram.len(),
            min_ms: ms(histogram.min()),
            p50_ms: ms(histogram.value_at_quantile(0.5)),
            p99_ms: ms(histogram.value_at_quantile(0.99)),
            max_ms: ms(histogram.max()),
        }
    }
}

//! The simulation's own time, which no node ever sees: nodes read [`crate::clock::Clock`]s.

use std::fmt;
use std::ops::Add;
use std::time::Duration;

/// Nanoseconds since the simulation began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimTime(pub u64);

impl SimTime {
    /// The beginning.
    pub const ZERO: SimTime = SimTime(0);
    /// Never.
    pub const MAX: SimTime = SimTime(u64::MAX);

    /// How long after `earlier` this is; zero when it is not after it.
    #[must_use]
    pub const fn since(self, earlier: SimTime) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// As seconds, for reports.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        Duration::from_nanos(self.0).as_secs_f64()
    }
}

impl Add<Duration> for SimTime {
    type Output = SimTime;
    fn add(self, duration: Duration) -> SimTime {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        SimTime(self.0.saturating_add(nanos))
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0 / 1_000;
        write!(f, "{:>4}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }
}

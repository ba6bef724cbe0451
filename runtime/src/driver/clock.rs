//! The only place that reads the host's clocks for a machine.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tepui_core::time::{Now, Time, Wall};

/// The host's clocks, counted from this process' start.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    epoch: Instant,
}

impl Clock {
    /// Starts counting.
    #[must_use]
    pub fn start() -> Clock {
        Clock {
            epoch: Instant::now(),
        }
    }

    /// This moment. The monotonic part never goes backwards; the wall clock may.
    #[must_use]
    pub fn now(&self) -> Now {
        let mono = u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let wall = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        };
        Now {
            mono: Time::from_nanos(mono),
            wall: Wall(wall),
        }
    }

    /// When, on the host's clock, `deadline` comes.
    #[must_use]
    pub fn instant(&self, deadline: Time) -> Instant {
        /// Far enough for any sleep, near enough for any clock to count.
        const FAR: Duration = Duration::from_secs(365 * 24 * 3_600);
        let after = Duration::from_nanos(deadline.as_nanos()).min(self.epoch.elapsed() + FAR);
        self.epoch + after
    }
}

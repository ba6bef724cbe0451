//! A node's clocks: a monotonic one that may run fast or slow, and a wall clock that may be wrong
//! and may jump.

use crate::time::SimTime;
use tepui_core::time::{Now, Time, Wall};

/// The wall clock of a perfect node at the beginning: 2026-01-01, so that time stamps look real.
const WALL_START_MS: i64 = 1_767_225_600_000;

/// How fast a perfect clock runs, as a fixed-point number with 32 fractional bits.
const RATE_ONE: u64 = 1 << 32;

/// The clocks of one node.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// The moment at which the present rate began, and what the clock showed then.
    since: SimTime,
    mono_then: u64,
    rate: u64,
    wall_skew_ms: i64,
}

impl Clock {
    /// A clock that starts at `now`, runs `drift_ppm` millionths too fast (or slow, if negative)
    /// and whose wall clock is wrong by `wall_skew_ms`.
    #[must_use]
    pub fn new(now: SimTime, drift_ppm: i32, wall_skew_ms: i64) -> Clock {
        assert!(
            drift_ppm.unsigned_abs() < 1_000_000,
            "a clock neither stands still nor runs twice as fast"
        );
        Clock {
            since: now,
            mono_then: 0,
            rate: rate(drift_ppm),
            wall_skew_ms,
        }
    }

    /// What the node reads at `now`.
    #[must_use]
    pub fn read(&self, now: SimTime) -> Now {
        let wall = WALL_START_MS + (now.0 / 1_000_000) as i64 + self.wall_skew_ms;
        Now {
            mono: self.mono(now),
            wall: Wall(wall),
        }
    }

    /// What the monotonic clock shows at `now`.
    #[must_use]
    pub fn mono(&self, now: SimTime) -> Time {
        assert!(now >= self.since, "nobody reads a clock in the past");
        let elapsed = now.0 - self.since.0;
        let shown = if self.rate == RATE_ONE {
            elapsed
        } else {
            ((u128::from(elapsed) * u128::from(self.rate)) >> 32) as u64
        };
        Time::from_nanos(self.mono_then + shown)
    }

    /// The first moment, not before `now`, at which the monotonic clock shows at least `shown`.
    #[must_use]
    pub fn moment_of(&self, shown: Time, now: SimTime) -> SimTime {
        let Some(ahead) = shown.as_nanos().checked_sub(self.mono_then) else {
            return now;
        };
        if shown == Time::MAX {
            return SimTime::MAX;
        }
        let elapsed = if self.rate == RATE_ONE {
            ahead
        } else {
            let exact = (u128::from(ahead) << 32).div_ceil(u128::from(self.rate));
            u64::try_from(exact).unwrap_or(u64::MAX)
        };
        let at = SimTime(self.since.0.saturating_add(elapsed)).max(now);
        debug_assert!(
            self.mono(at) >= shown,
            "a tick at {at} would come too early"
        );
        at
    }

    /// A new process counts from zero again, on the same hardware.
    pub fn restart(&mut self, now: SimTime) {
        self.since = now;
        self.mono_then = 0;
    }

    /// From `now` on the clock runs `drift_ppm` millionths too fast.
    pub fn drift(&mut self, now: SimTime, drift_ppm: i32) {
        self.mono_then = self.mono(now).as_nanos();
        self.since = now;
        self.rate = rate(drift_ppm);
    }

    /// The wall clock jumps; the monotonic one never does.
    pub fn jump_wall(&mut self, by_ms: i64) {
        self.wall_skew_ms += by_ms;
    }
}

fn rate(drift_ppm: i32) -> u64 {
    let rate = (1_000_000 + i128::from(drift_ppm)) * i128::from(RATE_ONE) / 1_000_000;
    u64::try_from(rate).expect("drift is more than -100 %")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_deadline_on_a_drifting_clock_is_never_early() {
        for drift in [-500_000, -37, 0, 1, 200, 99_999] {
            let clock = Clock::new(SimTime(12_345), drift, 0);
            for shown in [99, 999, 1_000_000_007, 86_400_000_000_000] {
                let shown = Time::from_nanos(shown);
                let at = clock.moment_of(shown, SimTime(12_345));
                assert!(clock.mono(at) >= shown);
                assert!(clock.mono(SimTime(at.0 - 3)) < shown, "drift {drift}");
            }
        }
    }

    #[test]
    fn the_monotonic_clock_never_goes_back() {
        let mut clock = Clock::new(SimTime::ZERO, 100, 0);
        let mut last = Time::ZERO;
        for step in 1..100_u64 {
            let now = SimTime::ZERO + Duration::from_millis(step * 7);
            clock.drift(now, if step % 2 == 0 { 300_000 } else { -300_000 });
            clock.jump_wall(-1_000);
            assert!(clock.read(now).mono >= last);
            last = clock.read(now).mono;
        }
        assert!(clock.read(SimTime(700_000_000)).wall.0 < WALL_START_MS);
    }
}

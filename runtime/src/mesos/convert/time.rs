//! Times and durations.

use crate::mesos::v1;
use std::time::Duration;
use tepui_core::time::Wall;

/// The longest duration that is taken from anyone: 365 days, as in Mesos.
pub const DURATION_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// At least nothing and at most [`DURATION_MAX`].
#[must_use]
pub fn duration_to_core(info: &v1::DurationInfo) -> Duration {
    let nanos = u64::try_from(info.nanoseconds.unwrap_or(0)).unwrap_or(0);
    Duration::from_nanos(nanos).min(DURATION_MAX)
}

/// See [`duration_to_core`].
#[must_use]
pub fn duration_to_v1(duration: Duration) -> v1::DurationInfo {
    v1::DurationInfo {
        nanoseconds: Some(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)),
    }
}

/// Of seconds as a double; none when they are negative or no number.
#[must_use]
pub fn seconds_to_core(seconds: f64) -> Option<Duration> {
    if seconds.is_nan() || seconds < 0.0 {
        return None;
    }
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(DURATION_MAX))
}

/// A moment in seconds, as Mesos writes time stamps.
#[must_use]
pub fn wall_to_seconds(wall: Wall) -> f64 {
    wall.0 as f64 / 1000.0
}

/// See [`wall_to_seconds`].
#[must_use]
pub fn wall_of_seconds(seconds: f64) -> Wall {
    Wall((seconds * 1000.0).round() as i64)
}

/// A moment in nanoseconds.
#[must_use]
pub fn wall_to_v1(wall: Wall) -> v1::TimeInfo {
    v1::TimeInfo {
        nanoseconds: Some(wall.0.saturating_mul(1_000_000)),
    }
}

/// See [`wall_to_v1`].
#[must_use]
pub fn wall_to_core(info: &v1::TimeInfo) -> Wall {
    Wall(info.nanoseconds.unwrap_or(0) / 1_000_000)
}

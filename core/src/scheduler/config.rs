//! Every time-out and bound of the scheduler driver.

use alloc::string::String;
use core::time::Duration;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A setting that makes no sense. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{field}: {why}")]
pub struct ConfigError {
    /// Which.
    pub field: &'static str,
    /// What is wrong with it and what would be right.
    pub why: String,
}

impl ConfigError {
    pub(crate) fn new(field: &'static str, why: &str) -> ConfigError {
        ConfigError {
            field,
            why: String::from(why),
        }
    }
}

/// Refuses what is zero where zero makes no sense.
pub(crate) fn positive(field: &'static str, value: Duration) -> Result<(), ConfigError> {
    if value.is_zero() {
        return Err(ConfigError::new(field, "must be more than 0"));
    }
    Ok(())
}

/// Refuses a lower bound above its upper bound.
pub(crate) fn ordered(
    field: &'static str,
    low: Duration,
    high: Duration,
) -> Result<(), ConfigError> {
    if low > high {
        let why = alloc::format!("must be at least {low:?}, the first wait, but is {high:?}");
        return Err(ConfigError { field, why });
    }
    Ok(())
}

/// How a scheduler finds its master and keeps in step with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// While no leader is found: the longest first wait. Much shorter than Mesos' registration
    /// back-off, because a master that does not lead answers at once and costs nothing, and the
    /// wait adds to the time without offers after a failover.
    pub detection_backoff_factor: Duration,
    /// Where its doubling ends: how late a scheduler may be when a long outage is over.
    pub detection_backoff_max: Duration,
    /// How long the leader may take to answer a first subscription; doubles, as in Mesos.
    pub registration_backoff_factor: Duration,
    /// Where its doubling ends.
    pub registration_backoff_max: Duration,
    /// How long opening a connection may take.
    pub connect_timeout: Duration,
    /// After a broken connection the next attempt comes within this, at random.
    pub reconnect_jitter: Duration,
    /// How many heartbeats may be missing before a silent connection counts as dead.
    pub heartbeats_missed_max: u32,
    /// The first wait for answers about tasks; doubles.
    pub reconcile_backoff_factor: Duration,
    /// Where its doubling ends.
    pub reconcile_backoff_max: Duration,
    /// Once all is answered, everything is asked about again after this; doubles. A leader may
    /// have died between what it stored and what it told.
    pub reconcile_interval_factor: Duration,
    /// Where its doubling ends: how often to ask about every task without any reason; zero is
    /// never.
    pub reconcile_interval: Duration,
    /// At most so many tasks in one call.
    pub reconcile_tasks_max: usize,
    /// At most so many calls wait for the disk; more are dropped.
    pub calls_parked_max: usize,
    /// Of so many tasks that are over, the last updates are remembered to tell duplicates.
    pub completed_tasks_max: usize,
    /// How long a teardown may take before the process ends without an answer.
    pub teardown_timeout: Duration,
    /// After so many records the state is written whole, so that the log stays short.
    pub snapshot_after_writes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            detection_backoff_factor: Duration::from_millis(100),
            detection_backoff_max: Duration::from_secs(2),
            registration_backoff_factor: Duration::from_secs(2),
            registration_backoff_max: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(2),
            reconnect_jitter: Duration::from_millis(50),
            heartbeats_missed_max: 3,
            reconcile_backoff_factor: Duration::from_secs(1),
            reconcile_backoff_max: Duration::from_secs(30),
            reconcile_interval_factor: Duration::from_secs(15),
            reconcile_interval: Duration::from_secs(600),
            reconcile_tasks_max: 1_000,
            calls_parked_max: 10_000,
            completed_tasks_max: 1_000,
            teardown_timeout: Duration::from_secs(10),
            snapshot_after_writes: 1_000,
        }
    }
}

impl Config {
    /// Checks every setting.
    ///
    /// # Errors
    /// Names the first field that makes no sense.
    pub fn validate(&self) -> Result<(), ConfigError> {
        positive("detection_backoff_factor", self.detection_backoff_factor)?;
        positive(
            "registration_backoff_factor",
            self.registration_backoff_factor,
        )?;
        positive("connect_timeout", self.connect_timeout)?;
        positive("reconcile_backoff_factor", self.reconcile_backoff_factor)?;
        positive("reconcile_interval_factor", self.reconcile_interval_factor)?;
        positive("teardown_timeout", self.teardown_timeout)?;
        ordered(
            "detection_backoff_max",
            self.detection_backoff_factor,
            self.detection_backoff_max,
        )?;
        ordered(
            "registration_backoff_max",
            self.registration_backoff_factor,
            self.registration_backoff_max,
        )?;
        ordered(
            "reconcile_backoff_max",
            self.reconcile_backoff_factor,
            self.reconcile_backoff_max,
        )?;
        let counts = [
            (
                "heartbeats_missed_max",
                self.heartbeats_missed_max as usize,
                1,
            ),
            ("reconcile_tasks_max", self.reconcile_tasks_max, 1),
            ("calls_parked_max", self.calls_parked_max, 16),
            ("completed_tasks_max", self.completed_tasks_max, 1),
            (
                "snapshot_after_writes",
                usize::try_from(self.snapshot_after_writes).unwrap_or(usize::MAX),
                16,
            ),
        ];
        for (field, value, least) in counts {
            if value < least {
                let why = alloc::format!("must be at least {least}, but is {value}");
                return Err(ConfigError { field, why });
            }
        }
        Ok(())
    }
}

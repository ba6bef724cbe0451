use super::arrivals::{Arrivals, Random};
use crate::frameworks::TaskTemplate;
use crate::scheduler::{ConfigError, ordered, positive};
use alloc::string::String;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// Which jobs to work off, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What the tasks have in common; each job has its own command.
    pub task: TaskTemplate,
    /// Where jobs come from.
    pub arrivals: Arrivals,
    /// How often a job is started again after a start that failed or was lost.
    pub retries_max: u32,
    /// The wait before that; doubles.
    pub retry_backoff_factor: Duration,
    /// Where its doubling ends.
    pub retry_backoff_max: Duration,
    /// How long a task may be out of reach before it counts as lost.
    pub unreachable_replace_after: Duration,
    /// How often a task that nobody wants is told again to end.
    pub kill_retry_interval: Duration,
    /// At most so many jobs are there at once; the next arrives when one is over.
    pub outstanding_max: usize,
    /// How long not to be offered again what is not needed. A revive shortens it.
    pub refuse: Duration,
    /// Whether the framework ends with its last job.
    pub exit_when_done: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            task: TaskTemplate {
                name: String::from("batch"),
                ..TaskTemplate::default()
            },
            arrivals: Arrivals::Random(Random::default()),
            retries_max: 3,
            retry_backoff_factor: Duration::from_secs(1),
            retry_backoff_max: Duration::from_secs(60),
            unreachable_replace_after: Duration::from_secs(30),
            kill_retry_interval: Duration::from_secs(10),
            outstanding_max: 10_000,
            refuse: Duration::from_secs(120),
            exit_when_done: false,
        }
    }
}

impl Config {
    /// Checks every field.
    ///
    /// # Errors
    /// Names the first that makes no sense.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.task.validate()?;
        self.arrivals.validate()?;
        if self.outstanding_max == 0 {
            return Err(ConfigError::new("outstanding_max", "must be at least 1"));
        }
        positive("retry_backoff_factor", self.retry_backoff_factor)?;
        positive("kill_retry_interval", self.kill_retry_interval)?;
        ordered(
            "retry_backoff_max",
            self.retry_backoff_factor,
            self.retry_backoff_max,
        )
    }
}

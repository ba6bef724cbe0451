use crate::frameworks::TaskTemplate;
use crate::scheduler::ConfigError;
use alloc::format;
use serde::{Deserialize, Serialize};

/// The most tasks of one run.
const INSTANCES_MAX: u32 = 1_000;

/// What to execute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The task.
    pub task: TaskTemplate,
    /// How many of it.
    pub instances: u32,
    /// How often one may be launched when it is certain that it never ran.
    pub attempts_max: u32,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            task: TaskTemplate::default(),
            instances: 1,
            attempts_max: 5,
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
        if !(1..=INSTANCES_MAX).contains(&self.instances) {
            let why = format!("must be 1 to {INSTANCES_MAX}, but is {}", self.instances);
            let field = "instances";
            return Err(ConfigError { field, why });
        }
        if self.attempts_max == 0 {
            return Err(ConfigError::new("attempts_max", "must be at least 1"));
        }
        Ok(())
    }

    /// How many launches all instances together may take.
    pub(super) fn launches_max(&self) -> u64 {
        u64::from(self.instances) * u64::from(self.attempts_max)
    }
}

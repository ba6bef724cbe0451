use crate::frameworks::TaskTemplate;
use crate::scheduler::{ConfigError, ordered, positive};
use alloc::format;
use alloc::string::String;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// The most instances of one service.
pub(super) const INSTANCES_MAX: u32 = 100_000;

/// What to keep running, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// One instance.
    pub task: TaskTemplate,
    /// How many, until an operator says otherwise.
    pub instances: u32,
    /// Spread first over the values of this attribute of agents, then over agents; `hostname`,
    /// `zone` and `region` are known without an attribute. Over agents alone where none.
    pub spread_by: Option<String>,
    /// At most so many on one agent; any number where none.
    pub agent_instances_max: Option<u32>,
    /// The wait before an instance that ended early is started again; doubles.
    pub restart_backoff_factor: Duration,
    /// Where its doubling ends.
    pub restart_backoff_max: Duration,
    /// An instance that ran so long did not end early: its next start does not wait.
    pub settled_after: Duration,
    /// How long an instance may be out of reach before another one takes its place.
    pub unreachable_replace_after: Duration,
    /// How often a task that nobody wants is told again to end.
    pub kill_retry_interval: Duration,
    /// How long not to be offered again what is not needed. A revive shortens it.
    pub refuse: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            task: TaskTemplate {
                name: String::from("service"),
                ..TaskTemplate::default()
            },
            instances: 1,
            spread_by: None,
            agent_instances_max: None,
            restart_backoff_factor: Duration::from_secs(1),
            restart_backoff_max: Duration::from_secs(60),
            settled_after: Duration::from_secs(10),
            unreachable_replace_after: Duration::from_secs(30),
            kill_retry_interval: Duration::from_secs(10),
            refuse: Duration::from_secs(120),
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
        check_instances(self.instances)?;
        if self.agent_instances_max == Some(0) {
            let why = "must be at least 1, or absent for any number";
            return Err(ConfigError::new("agent_instances_max", why));
        }
        if self.spread_by.as_deref() == Some("") {
            let why = "must name an attribute, or be absent";
            return Err(ConfigError::new("spread_by", why));
        }
        positive("restart_backoff_factor", self.restart_backoff_factor)?;
        positive("kill_retry_interval", self.kill_retry_interval)?;
        ordered(
            "restart_backoff_max",
            self.restart_backoff_factor,
            self.restart_backoff_max,
        )
    }
}

pub(super) fn check_instances(instances: u32) -> Result<(), ConfigError> {
    if instances > INSTANCES_MAX {
        let field = "instances";
        let why = format!("must be at most {INSTANCES_MAX}, but is {instances}");
        return Err(ConfigError { field, why });
    }
    Ok(())
}

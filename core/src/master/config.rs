use super::leading;
use crate::ids::MasterId;
use crate::model::MasterInfo;
use crate::{log, registry};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What must fit a batch of the registry, whatever is configured: the largest single operation
/// that the master makes by itself, forgetting as many agents as it may at once.
const BATCH_BYTES_MIN: usize = 1 << 19;

/// All time-outs and bounds of a master.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Of its replica of the log and of elections; says who this master is.
    pub log: log::Config,
    /// Of the registry and its registrar.
    pub registry: registry::Config,
    /// Of what it does while it leads.
    pub leading: leading::Config,
    /// How many messages of agents and schedulers wait between the election and the moment at
    /// which the new leader is recorded; more are sent away.
    pub held_max: usize,
}

/// Why a configuration is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// The log's part.
    #[error(transparent)]
    Log(#[from] log::ConfigError),
    /// A batch of operations is too small to hold one.
    #[error("registry.batch_bytes_max is {0}: at least {BATCH_BYTES_MIN} are needed")]
    BatchSmall(usize),
    /// A batch of operations does not fit a record of the log.
    #[error(
        "registry.batch_bytes_max ({batch}) must be below half of log.value_bytes_max ({value})"
    )]
    BatchLarge {
        /// A batch.
        batch: usize,
        /// A record.
        value: usize,
    },
    /// A bound that must not be zero is.
    #[error("{0} must not be 0")]
    Zero(&'static str),
}

impl Config {
    /// The defaults for master `me` of `masters`.
    ///
    /// # Errors
    /// When `masters` is no membership or lacks `me`.
    pub fn new(me: MasterId, masters: Vec<MasterInfo>) -> Result<Config, ConfigError> {
        let config = Config {
            log: log::Config::new(me, masters)?,
            registry: registry::Config::default(),
            leading: leading::Config::default(),
            held_max: 1 << 16,
        };
        config.validate()?;
        Ok(config)
    }

    /// Checks what is changed after [`Config::new`].
    ///
    /// # Errors
    /// Says which value is wrong.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.log.validate()?;
        let (batch, value) = (self.registry.batch_bytes_max, self.log.value_bytes_max);
        if batch < BATCH_BYTES_MIN {
            return Err(ConfigError::BatchSmall(batch));
        }
        if batch > value / 2 {
            return Err(ConfigError::BatchLarge { batch, value });
        }
        let bounds = [
            (
                "registry.batch_operations_max",
                self.registry.batch_operations_max,
            ),
            (
                "registry.operations_queued_max",
                self.registry.operations_queued_max,
            ),
        ];
        match bounds.iter().find(|(_, bound)| *bound == 0) {
            Some((name, _)) => Err(ConfigError::Zero(name)),
            None => Ok(()),
        }
    }
}

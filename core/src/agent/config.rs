use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest that an agent waits for its executors after its own restart, as in Mesos: longer
/// waits would hide the agent from its master.
pub const EXECUTOR_REREGISTRATION_TIMEOUT_MAX: Duration = Duration::from_secs(15);

/// All that can be tuned about an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Addresses `host:port` of the masters; one that answers is enough.
    pub masters: Vec<String>,
    /// The first wait between two attempts to register, at most; drawn at random, doubling with
    /// each round over all masters. Shorter than Mesos' 1 s, for a quick failover.
    pub registration_backoff: Duration,
    /// Where the doubling ends.
    pub registration_backoff_max: Duration,
    /// How long a connection may take to open.
    pub connect_timeout: Duration,
    /// How long a master may take to answer a registration at first; doubles while none does, up
    /// to `registration_backoff_max`, since a master that takes back thousands is slow.
    pub answer_timeout: Duration,
    /// After a lost leader the first attempt waits at most this, drawn at random.
    pub reconnect_jitter: Duration,
    /// How long an executor may take from its launch to its subscription.
    pub executor_registration_timeout: Duration,
    /// How long the agent waits for its executors after its own restart, at most
    /// [`EXECUTOR_REREGISTRATION_TIMEOUT_MAX`].
    pub executor_reregistration_timeout: Duration,
    /// How long an executor may take to shut down before its container is destroyed.
    pub executor_shutdown_grace: Duration,
    /// Between SIGTERM and SIGKILL for tasks that do not say.
    pub kill_grace: Duration,
    /// How often a container that does not end is destroyed again.
    pub destroy_retry: Duration,
    /// How long until an unacknowledged update is sent again; doubles with each time.
    pub update_retry: Duration,
    /// Where that doubling ends.
    pub update_retry_max: Duration,
    /// After this many writes the journal is replaced by a snapshot.
    pub snapshot_after_writes: u64,
    /// More tasks than this are refused.
    pub tasks_max: usize,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            masters: vec![String::from("127.0.0.1:5050")],
            registration_backoff: Duration::from_millis(100),
            registration_backoff_max: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(2),
            answer_timeout: Duration::from_secs(5),
            reconnect_jitter: Duration::from_millis(20),
            executor_registration_timeout: Duration::from_secs(60),
            executor_reregistration_timeout: Duration::from_secs(2),
            executor_shutdown_grace: Duration::from_secs(5),
            kill_grace: Duration::from_secs(3),
            destroy_retry: Duration::from_secs(10),
            update_retry: Duration::from_secs(10),
            update_retry_max: Duration::from_secs(600),
            snapshot_after_writes: 1024,
            tasks_max: 10_000,
        }
    }
}

/// Why a configuration is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// Nobody to ask.
    #[error("masters is empty: name at least one as host:port")]
    NoMasters,
    /// A wait or a bound that must not be zero is.
    #[error("{0} must be more than 0")]
    Zero(&'static str),
    /// Doubling would end before it begins.
    #[error("{0} must be at least the first wait")]
    Order(&'static str),
}

impl Config {
    /// Checks what was changed from the defaults.
    ///
    /// # Errors
    /// Says which value is wrong.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.masters.is_empty() {
            return Err(ConfigError::NoMasters);
        }
        let positive = [
            ("registration_backoff", self.registration_backoff),
            ("connect_timeout", self.connect_timeout),
            ("answer_timeout", self.answer_timeout),
            (
                "executor_registration_timeout",
                self.executor_registration_timeout,
            ),
            ("destroy_retry", self.destroy_retry),
            ("update_retry", self.update_retry),
        ];
        if let Some((name, _)) = positive.iter().find(|(_, value)| value.is_zero()) {
            return Err(ConfigError::Zero(name));
        }
        if self.snapshot_after_writes == 0 {
            return Err(ConfigError::Zero("snapshot_after_writes"));
        }
        if self.tasks_max == 0 {
            return Err(ConfigError::Zero("tasks_max"));
        }
        if self.registration_backoff_max < self.registration_backoff {
            return Err(ConfigError::Order("registration_backoff_max"));
        }
        if self.update_retry_max < self.update_retry {
            return Err(ConfigError::Order("update_retry_max"));
        }
        Ok(())
    }
}

use core::time::Duration;
use serde::{Deserialize, Serialize};

/// All that can be tuned about an executor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long a connection and a subscription may take.
    pub connect_timeout: Duration,
    /// The first wait before the agent is tried again, at most; drawn at random, doubling.
    pub reconnect_backoff: Duration,
    /// Where the doubling ends. An agent that restarts waits about 2 s for its executors.
    pub reconnect_backoff_max: Duration,
    /// An executor whose agent stays away for this long ends its tasks and itself (MESOS-632).
    pub recovery_timeout: Duration,
    /// When an unacknowledged update is sent again.
    pub update_retry: Duration,
    /// Between SIGTERM and SIGKILL for tasks that do not say.
    pub kill_grace: Duration,
    /// How long all may take when the executor is told to shut down and its description does
    /// not say.
    pub shutdown_grace: Duration,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            connect_timeout: Duration::from_secs(5),
            reconnect_backoff: Duration::from_millis(100),
            reconnect_backoff_max: Duration::from_millis(500),
            recovery_timeout: Duration::from_secs(15 * 60),
            update_retry: Duration::from_secs(10),
            kill_grace: Duration::from_secs(3),
            shutdown_grace: Duration::from_secs(5),
        }
    }
}

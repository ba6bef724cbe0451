use crate::allocator::AgentOrder;
use alloc::string::String;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// At most `permits` in every `per`, evenly spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// How many.
    pub permits: u32,
    /// In which time.
    pub per: Duration,
}

impl RateLimit {
    /// The time between two permits.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.per / self.permits.max(1)
    }
}

/// A leading master's time-outs and bounds. Names and defaults are those of Mesos' flags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How often an agent is pinged, and how long it may take to answer.
    pub agent_ping_timeout: Duration,
    /// How many pings in a row may stay unanswered before the agent is marked unreachable.
    pub max_agent_ping_timeouts: u32,
    /// How long after an election agents of the registry may take to return.
    pub agent_reregister_timeout: Duration,
    /// How fast agents are marked unreachable; `None` for at once.
    pub agent_removal_rate_limit: Option<RateLimit>,
    /// The percentage of agents that may fail to return after an election; if it is more, the
    /// master steps down rather than remove them.
    pub recovery_agent_removal_limit_percent: u8,
    /// The cluster is looked over for offers at least this often while filters hold, and a filter
    /// lasts at least as long.
    pub allocation_interval: Duration,
    /// In which order agents are offered: at random, or by a placement policy.
    pub agent_order: AgentOrder,
    /// How long changes are gathered before they lead to offers.
    pub allocation_delay: Duration,
    /// After a change of leader nothing is offered, if any role has quota, until so many of a
    /// hundred agents are back ..
    pub quota_recovery_agents_percent: u8,
    /// .. or this long has passed: what guarantees lack is not known before.
    pub quota_recovery_timeout: Duration,
    /// How long an offer stands; `None` for as long as its agent and framework do.
    pub offer_timeout: Option<Duration>,
    /// A subscribed framework hears something at least this often.
    pub heartbeat_interval: Duration,
    /// How many ended frameworks are kept for people to see.
    pub max_completed_frameworks: usize,
    /// How many ended tasks of each framework are kept for people to see.
    pub max_completed_tasks_per_framework: usize,
    /// How many tasks of each framework are remembered on agents that are unreachable.
    pub max_unreachable_tasks_per_framework: usize,
    /// The region of the masters, by the name that agents give theirs. Agents elsewhere are
    /// offered only to frameworks that are region-aware.
    pub region: Option<String>,
}

impl Config {
    /// How long an agent may be silent.
    #[must_use]
    pub fn agent_timeout(&self) -> Duration {
        self.agent_ping_timeout * self.max_agent_ping_timeouts
    }
}

impl Default for Config {
    fn default() -> Config {
        Config {
            agent_ping_timeout: Duration::from_secs(15),
            max_agent_ping_timeouts: 5,
            agent_reregister_timeout: Duration::from_secs(10 * 60),
            agent_removal_rate_limit: None,
            recovery_agent_removal_limit_percent: 100,
            allocation_interval: Duration::from_secs(1),
            agent_order: AgentOrder::default(),
            allocation_delay: Duration::from_millis(2),
            quota_recovery_agents_percent: 80,
            quota_recovery_timeout: Duration::from_secs(10 * 60),
            offer_timeout: None,
            heartbeat_interval: Duration::from_secs(15),
            max_completed_frameworks: 50,
            max_completed_tasks_per_framework: 1_000,
            max_unreachable_tasks_per_framework: 1_000,
            region: None,
        }
    }
}

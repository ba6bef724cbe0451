//! Time-outs and bounds of a master that few clusters change.

use crate::cli::flags::duration;
use clap::Args;
use std::time::Duration;
use tepui_core::master::Config;
use tepui_core::master::leading::RateLimit;

/// Real hosts stall longer than simulated ones: by default their elections are this much slower
/// than the machine's own.
const PATIENCE: u32 = 3;

/// Flags; without them the machine's defaults hold, which are Mesos' where it has the flag.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Tuning {
    /// How often a leader lets the other masters hear of it [default: 150ms].
    #[arg(long = "log_heartbeat_interval", env = "TEPUI_LOG_HEARTBEAT_INTERVAL",
          value_parser = duration)]
    log_heartbeat_interval: Option<Duration>,
    /// A leader that a majority has not answered for so long stops acting; less than
    /// --log_election_timeout [default: 750ms].
    #[arg(long = "log_lease_timeout", env = "TEPUI_LOG_LEASE_TIMEOUT", value_parser = duration)]
    log_lease_timeout: Option<Duration>,
    /// After how long without a word of the leader a master asks for votes; it waits a random time
    /// from this to twice this. Broken connections are noticed at once [default: 900ms].
    #[arg(long = "log_election_timeout", env = "TEPUI_LOG_ELECTION_TIMEOUT",
          value_parser = duration)]
    log_election_timeout: Option<Duration>,
    /// How long the registry may take to be stored before the master steps down
    /// [default: 20secs].
    #[arg(long = "registry_store_timeout", env = "TEPUI_REGISTRY_STORE_TIMEOUT",
          value_parser = duration)]
    registry_store_timeout: Option<Duration>,
    /// How often the registry is rid of agents that were unreachable or gone for long
    /// [default: 15mins].
    #[arg(long = "registry_gc_interval", env = "TEPUI_REGISTRY_GC_INTERVAL",
          value_parser = duration)]
    registry_gc_interval: Option<Duration>,
    /// After how long such an agent is forgotten [default: 2weeks].
    #[arg(long = "registry_max_agent_age", env = "TEPUI_REGISTRY_MAX_AGENT_AGE",
          value_parser = duration)]
    registry_max_agent_age: Option<Duration>,
    /// How many of them are remembered at most [default: 102400].
    #[arg(
        long = "registry_max_agent_count",
        env = "TEPUI_REGISTRY_MAX_AGENT_COUNT"
    )]
    registry_max_agent_count: Option<usize>,
    /// How fast silent agents are marked unreachable, as in 1/10mins [default: at once].
    #[arg(long = "agent_removal_rate_limit", env = "TEPUI_AGENT_REMOVAL_RATE_LIMIT",
          value_parser = rate_limit)]
    agent_removal_rate_limit: Option<RateLimit>,
    /// How many of the agents may fail to return to a new leader; if more do, it steps down
    /// rather than mark them unreachable [default: 100%].
    #[arg(long = "recovery_agent_removal_limit", env = "TEPUI_RECOVERY_AGENT_REMOVAL_LIMIT",
          value_parser = percentage)]
    recovery_agent_removal_limit: Option<u8>,
    /// How many frameworks that ended are shown [default: 50].
    #[arg(
        long = "max_completed_frameworks",
        env = "TEPUI_MAX_COMPLETED_FRAMEWORKS"
    )]
    max_completed_frameworks: Option<usize>,
    /// How many tasks that ended are shown of each framework [default: 1000].
    #[arg(
        long = "max_completed_tasks_per_framework",
        env = "TEPUI_MAX_COMPLETED_TASKS_PER_FRAMEWORK"
    )]
    max_completed_tasks_per_framework: Option<usize>,
    /// How many unreachable tasks are remembered of each framework [default: 1000].
    #[arg(
        long = "max_unreachable_tasks_per_framework",
        env = "TEPUI_MAX_UNREACHABLE_TASKS_PER_FRAMEWORK"
    )]
    max_unreachable_tasks_per_framework: Option<usize>,
}

impl Tuning {
    /// What was given of the flags that Mesos does not have.
    pub(super) fn elections(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        let all = [
            ("log_heartbeat_interval", self.log_heartbeat_interval),
            ("log_lease_timeout", self.log_lease_timeout),
            ("log_election_timeout", self.log_election_timeout),
        ];
        all.into_iter()
            .filter_map(|(name, given)| Some((name, given?)))
    }

    /// Sets what was given.
    pub(super) fn apply(&self, config: &mut Config) {
        let log = &mut config.log;
        let patient = |own: Duration, flag: Option<Duration>| flag.unwrap_or(own * PATIENCE);
        log.heartbeat_interval = patient(log.heartbeat_interval, self.log_heartbeat_interval);
        log.lease_timeout = patient(log.lease_timeout, self.log_lease_timeout);
        log.election_timeout_min = patient(log.election_timeout_min, self.log_election_timeout);
        log.election_timeout_max = 2 * log.election_timeout_min;
        let registry = &mut config.registry;
        set(&mut registry.store_timeout, self.registry_store_timeout);
        set(&mut registry.gc_interval, self.registry_gc_interval);
        set(&mut registry.gc_age_max, self.registry_max_agent_age);
        set(&mut registry.gc_count_max, self.registry_max_agent_count);
        let leading = &mut config.leading;
        leading.agent_removal_rate_limit = self
            .agent_removal_rate_limit
            .or(leading.agent_removal_rate_limit);
        set(
            &mut leading.recovery_agent_removal_limit_percent,
            self.recovery_agent_removal_limit,
        );
        set(
            &mut leading.max_completed_frameworks,
            self.max_completed_frameworks,
        );
        set(
            &mut leading.max_completed_tasks_per_framework,
            self.max_completed_tasks_per_framework,
        );
        set(
            &mut leading.max_unreachable_tasks_per_framework,
            self.max_unreachable_tasks_per_framework,
        );
    }
}

fn set<T: Copy>(place: &mut T, flag: Option<T>) {
    *place = flag.unwrap_or(*place);
}

/// Reads a rate as Mesos writes it.
fn rate_limit(text: &str) -> Result<RateLimit, String> {
    let wrong = || format!("'{text}' is no rate: write 1/10mins");
    let (permits, per) = text.split_once('/').ok_or_else(wrong)?;
    let permits = permits.trim().parse::<u32>().ok();
    let permits = permits.filter(|count| *count > 0).ok_or_else(wrong)?;
    let per = duration(per.trim())?;
    if per.is_zero() {
        return Err(wrong());
    }
    Ok(RateLimit { permits, per })
}

/// Reads a percentage as Mesos writes it; fractions of a percent do not count.
fn percentage(text: &str) -> Result<u8, String> {
    let number = text.strip_suffix('%').map(str::trim);
    let number = number.and_then(|number| number.parse::<f64>().ok());
    match number {
        Some(percent) if (0.0..=100.0).contains(&percent) => Ok(percent as u8),
        _ => Err(format!("'{text}' is no percentage: write 30%")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_percentages_are_read_as_mesos_writes_them() {
        let limit = RateLimit {
            permits: 1,
            per: Duration::from_secs(600),
        };
        assert_eq!(rate_limit("1/10mins"), Ok(limit));
        for bad in ["", "1", "0/1mins", "1/0secs", "x/1mins", "1/2", "-1/1mins"] {
            assert!(rate_limit(bad).is_err(), "{bad}");
        }
        assert_eq!(percentage("100%"), Ok(100));
        assert_eq!(percentage("12.5%"), Ok(12));
        for bad in ["", "50", "101%", "-1%", "x%"] {
            assert!(percentage(bad).is_err(), "{bad}");
        }
    }
}

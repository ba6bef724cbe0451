//! A master's flags by Mesos' names, as tools show them: those that it has, and those of which it
//! does what Mesos does by default.

use super::Flags;
use crate::cli::flags::as_mesos_writes;
use crate::http::operator::events::LISTENERS_MAX;
use std::collections::BTreeMap;
use tepui_core::allocator::Options;
use tepui_core::master::Config;

/// What cannot be set, because it is always so.
const ALWAYS: [(&str, &str); 27] = [
    ("allocator", "hierarchical"),
    ("authenticate_agents", "false"),
    ("authenticate_frameworks", "false"),
    ("authenticate_http_frameworks", "false"),
    ("authenticate_http_readonly", "false"),
    ("authenticate_http_readwrite", "false"),
    ("filter_gpu_resources", "true"),
    ("framework_sorter", "drf"),
    // Who asks for help or the version gets that and no master.
    ("help", "false"),
    ("version", "false"),
    // A host's name is what it is called, not what a name server says.
    ("hostname_lookup", "false"),
    // Every program that links the driver has its own log.
    ("initialize_driver_logging", "true"),
    ("log_auto_initialize", "true"),
    // What is logged is written at once.
    ("logbufsecs", "0"),
    ("memory_profiling", "false"),
    ("quiet", "false"),
    ("registry", "replicated_log"),
    // A registry that disagrees with an agent is not what decides.
    ("registry_strict", "false"),
    ("require_agent_domain", "false"),
    ("role_sorter", "drf"),
    ("root_submissions", "true"),
    // Nobody is asked who he is, by whatever name that is called.
    ("authenticators", "none"),
    ("http_authenticators", "none"),
    ("authorizers", "none"),
    ("authentication_v0_timeout", "15secs"),
    // Offers are not constrained: no expression is ever compiled.
    ("offer_constraints_re2_max_mem", "0B"),
    ("offer_constraints_re2_max_program_size", "0"),
];

/// All flags.
pub(super) fn of(flags: &Flags, config: &Config) -> BTreeMap<String, String> {
    let mut all = given(flags);
    let always = ALWAYS.iter();
    all.extend(always.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    all.extend(
        configured(config)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value)),
    );
    all
}

/// What the flags themselves say.
fn given(flags: &Flags) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut set = |name: &str, value: String| all.insert(name.to_owned(), value);
    set("ip", flags.listen.ip.to_string());
    set("port", flags.port.to_string());
    set("hostname", flags.listen.host_name());
    set("work_dir", flags.work_dir.display().to_string());
    set("quorum", (flags.masters.len().max(1) / 2 + 1).to_string());
    let level = flags.logging.logging_level.to_ascii_uppercase();
    set("logging_level", level);
    let per_framework = flags.publish_per_framework_metrics;
    set("publish_per_framework_metrics", per_framework.to_string());
    let listeners = LISTENERS_MAX.to_string();
    set("max_operator_event_stream_subscribers", listeners);
    #[cfg(feature = "zookeeper")]
    {
        let timeout = as_mesos_writes(flags.zk_session_timeout);
        set("zk_session_timeout", timeout);
    }
    if let Some(ip) = flags.listen.advertise_ip {
        set("advertise_ip", ip.to_string());
    }
    if let Some(order) = flags.agent_order {
        set("agent_order", order.to_string());
    }
    if let Some(port) = flags.listen.advertise_port {
        set("advertise_port", port.to_string());
    }
    if let Some(folder) = &flags.logging.log_dir {
        set("log_dir", folder.display().to_string());
    }
    if let Some(folder) = &flags.webui_dir {
        set("webui_dir", folder.display().to_string());
    }
    for (name, time) in flags.tuning.elections() {
        set(name, as_mesos_writes(time));
    }
    if !flags.cluster.is_empty() {
        set("cluster", flags.cluster.clone());
    }
    all
}

/// What the machine does, whether a flag can change it or not.
fn configured(config: &Config) -> Vec<(&'static str, String)> {
    let (leading, registry) = (&config.leading, &config.registry);
    let time = as_mesos_writes;
    let percent = f64::from(leading.quota_recovery_agents_percent);
    let removal_limit = leading.recovery_agent_removal_limit_percent;
    let mut all = vec![
        ("agent_ping_timeout", time(leading.agent_ping_timeout)),
        (
            "agent_reregister_timeout",
            time(leading.agent_reregister_timeout),
        ),
        ("allocation_interval", time(leading.allocation_interval)),
        (
            "allocator_agent_recovery_factor",
            (percent / 1e2).to_string(),
        ),
        (
            "allocator_recovery_timeout",
            time(leading.quota_recovery_timeout),
        ),
        (
            "max_agent_ping_timeouts",
            leading.max_agent_ping_timeouts.to_string(),
        ),
        (
            "max_completed_frameworks",
            leading.max_completed_frameworks.to_string(),
        ),
        (
            "max_completed_tasks_per_framework",
            leading.max_completed_tasks_per_framework.to_string(),
        ),
        (
            "max_unreachable_tasks_per_framework",
            leading.max_unreachable_tasks_per_framework.to_string(),
        ),
        ("min_allocatable_resources", min_allocatable()),
        ("recovery_agent_removal_limit", format!("{removal_limit}%")),
        ("registry_store_timeout", time(registry.store_timeout)),
        ("registry_gc_interval", time(registry.gc_interval)),
        ("registry_max_agent_age", time(registry.gc_age_max)),
        (
            "registry_max_agent_count",
            registry.gc_count_max.to_string(),
        ),
        // A leader has the registry once its record is in it.
        ("registry_fetch_timeout", time(registry.store_timeout)),
    ];
    if let Some(timeout) = leading.offer_timeout {
        all.push(("offer_timeout", time(timeout)));
    }
    if let Some(limit) = &leading.agent_removal_rate_limit {
        let rate = format!("{}/{}", limit.permits, time(limit.per));
        all.push(("agent_removal_rate_limit", rate));
    }
    all
}

/// The least that is offered, as Mesos writes it.
fn min_allocatable() -> String {
    let options = Options::default();
    let choices = options.min_allocatable.iter().map(|least| {
        let amounts = least.iter();
        let amounts = amounts.map(|(name, milli)| format!("{name}:{}", milli as f64 / 1e3));
        amounts.collect::<Vec<_>>().join(";")
    });
    choices.collect::<Vec<_>>().join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_mesos_does() {
        assert_eq!(min_allocatable(), "cpus:0.01|mem:32");
    }
}

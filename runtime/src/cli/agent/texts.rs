//! An agent's flags as tools show them.

use super::Flags;
use crate::container::environment::duration_text;
use std::collections::BTreeMap;

/// Flags of Mesos' agents that cannot be set here: what they would say.
const FIXED: [(&str, &str); 13] = [
    ("authenticate_http_readonly", "false"),
    ("authenticate_http_readwrite", "false"),
    ("containerizers", "mesos"),
    ("default_role", "*"),
    ("http_command_executor", "false"),
    ("http_executor_domain_sockets", "false"),
    ("isolation", "posix/cpu,posix/mem"),
    ("launcher", "posix"),
    ("reconfiguration_policy", "equal"),
    ("recover", "reconnect"),
    ("strict", "true"),
    ("switch_user", "true"),
    ("quiet", "false"),
];

impl Flags {
    /// The flags by Mesos' names, as tools show them.
    pub(super) fn as_text(&self) -> BTreeMap<String, String> {
        let config = self.config();
        let log_dir = self.logging.log_dir.as_ref();
        let texts = [
            (
                "advertise_port",
                self.listen.advertise_port.map(|port| port.to_string()),
            ),
            (
                "advertise_ip",
                self.listen.advertise_ip.map(|ip| ip.to_string()),
            ),
            ("attributes", Some(self.attributes.clone())),
            ("hostname", Some(self.listen.host_name())),
            ("ip", Some(self.listen.ip.to_string())),
            ("log_dir", log_dir.map(|path| path.display().to_string())),
            ("logging_level", Some(self.logging.logging_level.clone())),
            ("master", Some(self.master.addresses().join(","))),
            ("port", Some(self.port.to_string())),
            ("resources", Some(self.resources.clone())),
            ("work_dir", Some(self.work_dir.display().to_string())),
        ];
        let registration = config.executor_registration_timeout;
        let reregistration = config.executor_reregistration_timeout;
        let durations = [
            ("executor_registration_timeout", registration),
            ("executor_reregistration_timeout", reregistration),
            (
                "executor_shutdown_grace_period",
                config.executor_shutdown_grace,
            ),
            ("recovery_timeout", self.recovery_timeout),
            ("registration_backoff_factor", config.registration_backoff),
            ("http_heartbeat_interval", self.http_heartbeat_interval),
        ];
        let durations = durations.map(|(name, value)| (name, duration_text(value)));
        let texts = texts
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let fixed = FIXED.map(|(name, value)| (name, value.to_owned()));
        let all = texts.chain(durations).chain(fixed);
        all.map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

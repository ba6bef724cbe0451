//! What Mesos tells every executor in its environment.

use super::launch::Settings;
use std::path::Path;
use std::time::Duration;
use tepui_core::agent::ContainerLaunch;

/// Mesos' units, largest first.
const UNITS_NANOS: [(&str, u128); 8] = [
    ("weeks", 604_800_000_000_000),
    ("days", 86_400_000_000_000),
    ("hrs", 3_600_000_000_000),
    ("mins", 60_000_000_000),
    ("secs", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// A duration as Mesos writes it: in the largest unit of which there is at least one.
#[must_use]
pub fn duration_text(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let unit = UNITS_NANOS.iter().find(|(_, size)| nanos >= *size);
    let (name, size) = unit.unwrap_or(&("ns", 1));
    format!("{}{name}", nanos as f64 / *size as f64)
}

/// The variables of one executor.
pub(super) fn of_executor(
    launch: &ContainerLaunch,
    settings: &Settings,
    sandbox: &Path,
) -> Vec<(&'static str, String)> {
    let sandbox = sandbox.display().to_string();
    let grace = launch
        .executor
        .shutdown_grace
        .unwrap_or(settings.shutdown_grace);
    let mut variables = vec![
        ("LIBPROCESS_PORT", String::from("0")),
        ("MESOS_FRAMEWORK_ID", launch.framework_id.to_string()),
        ("MESOS_EXECUTOR_ID", launch.executor_id.to_string()),
        ("MESOS_SLAVE_ID", launch.agent_id.to_string()),
        ("MESOS_AGENT_ID", launch.agent_id.to_string()),
        ("MESOS_SLAVE_PID", format!("slave(1)@{}", settings.endpoint)),
        ("MESOS_AGENT_ENDPOINT", settings.endpoint.clone()),
        ("MESOS_DIRECTORY", sandbox.clone()),
        ("MESOS_SANDBOX", sandbox),
        ("MESOS_CHECKPOINT", u8::from(launch.checkpoint).to_string()),
        ("MESOS_HTTP_COMMAND_EXECUTOR", String::from("0")),
        ("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", duration_text(grace)),
    ];
    if launch.checkpoint {
        let recovery = duration_text(settings.recovery_timeout);
        let backoff = duration_text(settings.reregistration_timeout);
        variables.push(("MESOS_RECOVERY_TIMEOUT", recovery));
        variables.push(("MESOS_SUBSCRIPTION_BACKOFF_MAX", backoff));
    }
    let allocated = launch
        .resources
        .iter()
        .chain(launch.executor.resources.iter());
    let task = launch.task.iter().flat_map(|task| task.resources.iter());
    let role = allocated
        .chain(task)
        .find_map(|item| item.kind.allocation.as_ref());
    if let Some(role) = role {
        variables.push(("MESOS_ALLOCATION_ROLE", role.to_string()));
    }
    if let Ok(ip) = std::env::var("LIBPROCESS_IP") {
        variables.push(("LIBPROCESS_IP", ip));
    }
    variables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_mesos_writes_them() {
        let of = |millis| duration_text(Duration::from_millis(millis));
        assert_eq!(of(5_000), "5secs");
        assert_eq!(of(900_000), "15mins");
        assert_eq!(of(90_000), "1.5mins");
        assert_eq!(of(500), "500ms");
        assert_eq!(of(0), "0ns");
        assert_eq!(of(604_800_000), "1weeks");
    }
}

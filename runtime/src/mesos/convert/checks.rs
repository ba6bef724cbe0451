//! What Mesos' master checks of a task's description besides what the core decides by: the parts
//! that travel unread. Each refusal is in Mesos' words, for the scheduler to read.

use super::ConvertError;
use crate::mesos::v1::{
    self, CheckInfo, CommandInfo, ContainerInfo, DurationInfo, ExecutorInfo, HealthCheck, Secret,
    TaskInfo, Volume, check_info, container_info, environment, executor_info, health_check, secret,
    volume,
};

type Checked = Result<(), ConvertError>;

fn fail(text: impl Into<String>) -> Checked {
    Err(ConvertError::new(text))
}

fn because(what: &'static str) -> impl Fn(ConvertError) -> ConvertError {
    move |error| ConvertError::new(format!("{what}: {error}"))
}

/// A task of a LAUNCH.
///
/// # Errors
/// What is wrong with it.
pub fn launched(info: &TaskInfo) -> Checked {
    task(info)?;
    if let Some(own) = &info.executor {
        executor(own)?;
        if own.r#type.is_some_and(|t| t != executor_info::Type::Custom) {
            return fail("'ExecutorInfo.type' must be 'CUSTOM'");
        }
        if own.command.is_none() {
            return fail("'ExecutorInfo.command' must be set");
        }
        if shares_cgroups(own.container.as_deref()) == Some(true) {
            return fail(
                "The 'share_cgroups' field cannot be set to 'true' on executor containers",
            );
        }
    }
    if shares_cgroups(info.container.as_deref()) == Some(false) {
        return fail("Only tasks in a task group may have 'share_cgroups' set to 'false'");
    }
    Ok(())
}

/// A task of a LAUNCH_GROUP.
///
/// # Errors
/// What is wrong with it.
pub fn grouped(info: &TaskInfo) -> Checked {
    task(info)?;
    let container = info.container.as_deref();
    if let Some(container) = container {
        let check = info.health_check.as_ref().and_then(|check| check.r#type);
        let remote = matches!(
            check,
            Some(health_check::Type::Http | health_check::Type::Tcp)
        );
        if !container.network_infos.is_empty() && remote {
            return fail(
                "HTTP and TCP health checks are not supported for nested containers not joining \
                 parent's network",
            );
        }
        if container.r#type == Some(container_info::Type::Docker) {
            return fail("Docker ContainerInfo is not supported on the task");
        }
    }
    if !info.limits.is_empty() && shares_cgroups(container) != Some(false) {
        return fail(
            "Resource limits may only be set for tasks within a task group when the \
             'share_cgroups' field is set to 'false'.",
        );
    }
    Ok(())
}

/// The executor of a LAUNCH_GROUP, and what its tasks have in common.
///
/// # Errors
/// What is wrong with it.
pub fn group(own: &ExecutorInfo, tasks: &[TaskInfo]) -> Checked {
    executor(own)?;
    match own.r#type {
        None => return fail("'ExecutorInfo.type' must be set"),
        Some(executor_info::Type::Unknown) => return fail("Unknown executor type"),
        Some(_) => {}
    }
    let container = own.container.as_deref();
    if container.is_some_and(|c| c.r#type == Some(container_info::Type::Docker)) {
        return fail("Docker ContainerInfo is not supported on the executor");
    }
    if shares_cgroups(container) == Some(true) {
        return fail("The 'share_cgroups' field cannot be set to 'true' on executor containers");
    }
    let mut shared = tasks
        .iter()
        .map(|task| shares_cgroups(task.container.as_deref()).unwrap_or(true));
    let first = shared.next();
    if shared.any(|other| Some(other) != first) {
        return fail(
            "If set, the value of 'share_cgroups' must be the same for all tasks in each task \
             group and under a single executor",
        );
    }
    Ok(())
}

fn shares_cgroups(container: Option<&ContainerInfo>) -> Option<bool> {
    container?.linux_info.as_ref()?.share_cgroups
}

fn task(info: &TaskInfo) -> Checked {
    let kill = info.kill_policy.as_ref();
    if is_negative(kill.and_then(|policy| policy.grace_period.as_ref())) {
        return fail("Task's 'kill_policy.grace_period' must be non-negative");
    }
    if is_negative(info.max_completion_time.as_ref()) {
        return fail("Task's `max_completion_time` must be non-negative");
    }
    if let Some(own) = &info.check {
        check(own).map_err(because("Task uses invalid check"))?;
    }
    if let Some(own) = &info.health_check {
        health(own).map_err(because("Task uses invalid health check"))?;
    }
    if let Some(own) = &info.command {
        command(own).map_err(because("Task's `CommandInfo` is invalid"))?;
    }
    if let Some(own) = &info.container {
        container(own).map_err(because("Task's `ContainerInfo` is invalid"))?;
    }
    limits(info)
}

/// An executor, whatever it is for.
fn executor(info: &ExecutorInfo) -> Checked {
    match info.r#type {
        Some(executor_info::Type::Default) => {
            if info.command.is_some() {
                return fail("'ExecutorInfo.command' must not be set for 'DEFAULT' executor");
            }
            let own = info.container.as_ref();
            if own.is_some_and(|c| c.r#type != Some(container_info::Type::Mesos)) {
                return fail(
                    "'ExecutorInfo.container.type' must be 'MESOS' for 'DEFAULT' executor",
                );
            }
            let mesos = own.and_then(|container| container.mesos.as_ref());
            if mesos.is_some_and(|mesos| mesos.image.is_some()) {
                return fail(
                    "'ExecutorInfo.container.mesos.image' must not be set for 'DEFAULT' executor",
                );
            }
        }
        Some(executor_info::Type::Custom) if info.command.is_none() => {
            return fail("'ExecutorInfo.command' must be set for 'CUSTOM' executor");
        }
        _ => {}
    }
    if is_negative(info.shutdown_grace_period.as_ref()) {
        return fail("ExecutorInfo's 'shutdown_grace_period' must be non-negative");
    }
    if let Some(own) = &info.command {
        command(own).map_err(because("Executor's `CommandInfo` is invalid"))?;
    }
    if let Some(own) = &info.container {
        container(own).map_err(because("Executor's `ContainerInfo` is invalid"))?;
    }
    Ok(())
}

fn is_negative(duration: Option<&DurationInfo>) -> bool {
    duration
        .and_then(|duration| duration.nanoseconds)
        .is_some_and(|nanoseconds| nanoseconds < 0)
}

fn limits(info: &TaskInfo) -> Checked {
    if info
        .limits
        .keys()
        .any(|name| name != "cpus" && name != "mem")
    {
        return fail("Only cpus and mem may be included in a task's resource limits");
    }
    let asked = |name: &str| {
        let own = info
            .resources
            .iter()
            .filter(|item| item.name.as_deref() == Some(name));
        let values = own.filter_map(|item| item.scalar.as_ref()?.value);
        values.reduce(|sum, more| sum + more)
    };
    let texts = [
        (
            "cpus",
            "When a CPU limit is specified, a CPU request must also be specified",
            "The cpu limit must be greater than or equal to the cpu request",
        ),
        (
            "mem",
            "When a memory limit is specified, a memory request must also be specified",
            "The memory limit must be greater than or equal to the memory request",
        ),
    ];
    for (name, missing, low) in texts {
        let Some(limit) = info.limits.get(name) else {
            continue;
        };
        match asked(name) {
            None => return fail(missing),
            Some(asked) if limit.value.unwrap_or(0.0) < asked => return fail(low),
            Some(_) => {}
        }
    }
    Ok(())
}

fn command(info: &CommandInfo) -> Checked {
    let variables = info.environment.as_ref().map(|e| e.variables.as_slice());
    variables.unwrap_or_default().iter().try_for_each(variable)
}

fn variable(info: &environment::Variable) -> Checked {
    use environment::variable::Type;
    let name = info.name.as_deref().unwrap_or_default();
    let wrong = |what: &str| fail(format!("Environment variable '{name}' {what}"));
    match info.r#type {
        Some(Type::Secret) => {
            let Some(own) = &info.secret else {
                return wrong("of type 'SECRET' must have a secret set");
            };
            if info.value.is_some() {
                return wrong("of type 'SECRET' must not have a value set");
            }
            if let Err(error) = a_secret(own) {
                return wrong(&format!("specifies an invalid secret: {error}"));
            }
            let data = own.value.as_ref().and_then(|value| value.data.as_deref());
            if data.is_some_and(|data| data.contains(&0)) {
                return wrong(
                    "specifies a secret containing null bytes, which is not allowed in the \
                     environment",
                );
            }
            Ok(())
        }
        Some(Type::Unknown) => fail("Environment variable of type 'UNKNOWN' is not allowed"),
        Some(Type::Value) | None => {
            if info.value.is_none() {
                return wrong("of type 'VALUE' must have a value set");
            }
            if info.secret.is_some() {
                return wrong("of type 'VALUE' must not have a secret set");
            }
            Ok(())
        }
    }
}

fn a_secret(info: &Secret) -> Checked {
    match info.r#type {
        Some(secret::Type::Reference) => match (&info.reference, &info.value) {
            (None, _) => fail("Secret of type REFERENCE must have the 'reference' field set"),
            (Some(reference), Some(_)) => fail(format!(
                "Secret '{}' of type REFERENCE must not have the 'value' field set",
                reference.name.as_deref().unwrap_or_default()
            )),
            (Some(_), None) => Ok(()),
        },
        Some(secret::Type::Value) if info.value.is_none() => {
            fail("Secret of type VALUE must have the 'value' field set")
        }
        Some(secret::Type::Value) if info.reference.is_some() => {
            fail("Secret of type VALUE must not have the 'reference' field set")
        }
        _ => Ok(()),
    }
}

fn container(info: &ContainerInfo) -> Checked {
    for one in &info.volumes {
        a_volume(one).map_err(because("Invalid volume"))?;
    }
    if info.r#type != Some(container_info::Type::Docker) {
        return Ok(());
    }
    let Some(docker) = &info.docker else {
        return fail("DockerInfo 'docker' is not set for DOCKER typed ContainerInfo");
    };
    let mut parameters = docker.parameters.iter();
    if parameters.any(|parameter| parameter.key.as_deref() == Some("name")) {
        return fail("Parameter in DockerInfo must not be 'name'");
    }
    Ok(())
}

fn a_volume(info: &Volume) -> Checked {
    let set = [
        info.host_path.is_some(),
        info.image.is_some(),
        info.source.is_some(),
    ];
    if set.iter().filter(|set| **set).count() != 1 {
        return fail("Only one of them should be set: 'host_path', 'image' and 'source'");
    }
    let Some(source) = &info.source else {
        return Ok(());
    };
    use volume::source::Type;
    let (is_set, text) = match source.r#type {
        Some(Type::DockerVolume) => (
            source.docker_volume.is_some(),
            "'source.docker_volume' is not set for DOCKER_VOLUME volume",
        ),
        Some(Type::HostPath) => (
            source.host_path.is_some(),
            "'source.host_path' is not set for HOST_PATH volume",
        ),
        Some(Type::SandboxPath) => (
            source.sandbox_path.is_some(),
            "'source.sandbox_path' is not set for SANDBOX_PATH volume",
        ),
        Some(Type::Secret) => (
            source.secret.is_some(),
            "'source.secret' is not set for SECRET volume",
        ),
        Some(Type::CsiVolume) => (
            source.csi_volume.is_some(),
            "'source.csi_volume' is not set for CSI volume",
        ),
        Some(Type::Unknown) | None => (false, "'source.type' is unknown"),
    };
    if is_set { Ok(()) } else { fail(text) }
}

fn check(info: &CheckInfo) -> Checked {
    use check_info::Type;
    match info.r#type {
        None => return fail("CheckInfo must specify 'type'"),
        Some(Type::Command) => {
            let Some(own) = &info.command else {
                return fail("Expecting 'command' to be set for COMMAND check");
            };
            let own = own.command.clone().unwrap_or_default();
            runs(&own, "Command check", "Check's `CommandInfo` is invalid")?;
        }
        Some(Type::Http) => {
            let Some(http) = &info.http else {
                return fail("Expecting 'http' to be set for HTTP check");
            };
            path(http.path.as_deref(), "HTTP check")?;
        }
        Some(Type::Tcp) if info.tcp.is_none() => {
            return fail("Expecting 'tcp' to be set for TCP check");
        }
        Some(Type::Tcp) => {}
        Some(Type::Unknown) => return fail("'UNKNOWN' is not a valid check type"),
    }
    not_negative(&[
        ("delay_seconds", info.delay_seconds),
        ("interval_seconds", info.interval_seconds),
        ("timeout_seconds", info.timeout_seconds),
    ])
}

fn health(info: &HealthCheck) -> Checked {
    use health_check::Type;
    // Who says no type means the one that he describes.
    let described = match (&info.command, &info.http) {
        (Some(_), None) => Some(Type::Command),
        (None, Some(_)) => Some(Type::Http),
        _ => None,
    };
    match info.r#type.or(described) {
        None => return fail("HealthCheck must specify 'type'"),
        Some(Type::Command) => {
            let Some(own) = &info.command else {
                return fail("Expecting 'command' to be set for COMMAND health check");
            };
            let what = "Health check's `CommandInfo` is invalid";
            runs(own, "Command health check", what)?;
        }
        Some(Type::Http) => {
            let Some(http) = &info.http else {
                return fail("Expecting 'http' to be set for HTTP health check");
            };
            if let Some(scheme) = http.scheme.as_deref()
                && !matches!(scheme, "http" | "https")
            {
                return fail(format!("Unsupported HTTP health check scheme: '{scheme}'"));
            }
            path(http.path.as_deref(), "HTTP health check")?;
        }
        Some(Type::Tcp) if info.tcp.is_none() => {
            return fail("Expecting 'tcp' to be set for TCP health check");
        }
        Some(Type::Tcp) => {}
        Some(Type::Unknown) => return fail("'UNKNOWN' is not a valid health check type"),
    }
    not_negative(&[
        ("delay_seconds", info.delay_seconds),
        ("grace_period_seconds", info.grace_period_seconds),
        ("interval_seconds", info.interval_seconds),
        ("timeout_seconds", info.timeout_seconds),
    ])
}

fn runs(info: &CommandInfo, who: &str, what: &'static str) -> Checked {
    if info.value.is_none() {
        let missing = match info.shell.unwrap_or(true) {
            true => "'shell command'",
            false => "'executable path'",
        };
        return fail(format!("{who} must contain {missing}"));
    }
    command(info).map_err(because(what))
}

fn path(path: Option<&str>, whose: &str) -> Checked {
    match path {
        Some(path) if !path.starts_with('/') => {
            fail(format!("The path '{path}' of {whose} must start with '/'"))
        }
        _ => Ok(()),
    }
}

fn not_negative(fields: &[(&str, Option<f64>)]) -> Checked {
    let negative = fields
        .iter()
        .find(|(_, value)| value.is_some_and(|v| v < 0.0));
    match negative {
        Some((name, _)) => fail(format!("Expecting '{name}' to be non-negative")),
        None => Ok(()),
    }
}

/// Neither LAUNCH nor LAUNCH_GROUP has a name to be told of: their tasks are.
///
/// # Errors
/// When it has.
pub fn unnamed(operation: &v1::offer::Operation, kind: &str) -> Checked {
    match operation.id {
        Some(_) => fail(format!("The `id` field cannot be set on {kind} operations")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;

//! How an executor looks at its tasks: Mesos' checks and health checks, by a command, over HTTP
//! or by a TCP connection.

use super::signal_group;
use crate::container::Reaper;
use crate::container::entry::program;
use crate::driver::Handle;
use crate::http::client;
use crate::mesos::convert::task::command_to_core;
use crate::mesos::convert::{ids, time};
use crate::mesos::protobuf;
use crate::mesos::v1::{self, check_info, check_status_info, network_info};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tepui_core::executor::{CheckKind, CheckPolicy, CommandExecutor, HealthPolicy, Input, Watch};
use tepui_core::ids::TaskId;
use tepui_core::model::{CommandInfo, TaskInfo};
use tokio::net::TcpStream;

/// What there is to do for one look.
#[derive(Clone, Debug)]
enum Look {
    Command(Box<CommandInfo>),
    Http {
        address: String,
        path: String,
        statuses: Vec<u32>,
    },
    Tcp {
        address: String,
    },
}

/// What was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Exited(i32),
    Answered(u16),
    Connected(bool),
    Nothing,
}

/// A task that is looked at.
#[derive(Debug)]
struct Watched {
    task_id: TaskId,
    sandbox: PathBuf,
    health: Option<(Look, Duration)>,
    check: Option<(Look, Duration)>,
}

/// Looks at tasks.
#[derive(Clone, Debug)]
pub struct Checks {
    reaper: Reaper,
    /// Whose account commands use unless they say otherwise.
    user: Option<String>,
    node: Handle<CommandExecutor>,
    table: Arc<Mutex<BTreeMap<TaskId, Arc<Watched>>>>,
}

/// Whether a task is to be looked at.
#[must_use]
pub fn is_watched(task: &TaskInfo) -> bool {
    let info = described(task);
    info.check.is_some() || info.health_check.is_some() || info.max_completion_time.is_some()
}

impl Checks {
    /// None yet.
    #[must_use]
    pub fn new(reaper: Reaper, user: Option<String>, node: Handle<CommandExecutor>) -> Checks {
        Checks {
            reaper,
            user,
            node,
            table: Arc::default(),
        }
    }

    fn table(&self) -> MutexGuard<'_, BTreeMap<TaskId, Arc<Watched>>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How a task that is about to start is to be watched.
    #[must_use]
    pub fn enter(&self, task: &TaskInfo, sandbox: &Path) -> Option<Watch> {
        let info = described(task);
        let environment = info
            .command
            .as_ref()
            .and_then(|own| own.environment.clone());
        let (check, health) = (info.check.as_deref(), info.health_check.as_deref());
        let watched = Watched {
            task_id: task.task_id.clone(),
            sandbox: sandbox.to_owned(),
            health: health.and_then(|info| {
                Some((
                    of_health(info, environment.as_ref())?,
                    timeout(info.timeout_seconds),
                ))
            }),
            check: check.and_then(|info| {
                Some((
                    of_check(info, environment.as_ref())?,
                    timeout(info.timeout_seconds),
                ))
            }),
        };
        let watch = Watch {
            health: health
                .filter(|_| watched.health.is_some())
                .map(health_policy),
            check: check
                .filter(|_| watched.check.is_some())
                .map(|info| check_policy(&task.task_id, info)),
            completion: info
                .max_completion_time
                .as_ref()
                .map(time::duration_to_core),
        };
        if watch == Watch::default() {
            return None;
        }
        self.table().insert(task.task_id.clone(), Arc::new(watched));
        Some(watch)
    }

    /// A task is over.
    pub fn forget(&self, task_id: &TaskId) {
        self.table().remove(task_id);
    }

    /// Looks at a task, and tells the machine.
    pub fn look(&self, task_id: &TaskId, kind: CheckKind) {
        let Some(watched) = self.table().get(task_id).cloned() else {
            return;
        };
        let checks = self.clone();
        tokio::spawn(async move {
            let looking = match kind {
                CheckKind::Health => watched.health.as_ref(),
                CheckKind::Check => watched.check.as_ref(),
            };
            let Some((look, patience)) = looking else {
                return;
            };
            let seen = checks.see(look, *patience, &watched.sandbox).await;
            tracing::debug!(task_id = %watched.task_id, ?kind, ?seen, "looked at a task");
            let checked = Input::Checked {
                task_id: watched.task_id.clone(),
                kind,
                passed: passes(look, seen),
                seen: status_bytes(&watched.task_id, look.kind(), seen),
            };
            checks.node.input(checked).await;
        });
    }

    async fn see(&self, look: &Look, patience: Duration, sandbox: &Path) -> Seen {
        match look {
            Look::Command(command) => self.run(command, patience, sandbox).await,
            Look::Http { address, path, .. } => match client::status(address, path, patience).await
            {
                Ok(status) => Seen::Answered(status),
                Err(_) => Seen::Nothing,
            },
            Look::Tcp { address } => {
                let connected = tokio::time::timeout(patience, TcpStream::connect(address)).await;
                Seen::Connected(matches!(connected, Ok(Ok(_))))
            }
        }
    }

    async fn run(&self, info: &CommandInfo, patience: Duration, sandbox: &Path) -> Seen {
        let Ok(mut command) = program(info, self.user.as_deref()) else {
            return Seen::Nothing;
        };
        prepare(&mut command, sandbox);
        let reaper = self.reaper.clone();
        let spawned = tokio::task::spawn_blocking(move || reaper.spawn(&mut command)).await;
        let Ok(Ok(child)) = spawned else {
            return Seen::Nothing;
        };
        match tokio::time::timeout(patience, child.exited).await {
            // Ended by a signal: nothing was seen.
            Ok(Ok(status)) if status <= 128 => Seen::Exited(status),
            Ok(_) => Seen::Nothing,
            Err(_) => {
                signal_group(child.pid, Signal::KILL);
                Seen::Nothing
            }
        }
    }
}

fn prepare(command: &mut Command, sandbox: &Path) {
    for ours in super::NOT_FOR_TASKS {
        command.env_remove(ours);
    }
    command
        .env("MESOS_SANDBOX", sandbox)
        .current_dir(sandbox)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
}

impl Look {
    fn kind(&self) -> check_info::Type {
        match self {
            Look::Command(_) => check_info::Type::Command,
            Look::Http { .. } => check_info::Type::Http,
            Look::Tcp { .. } => check_info::Type::Tcp,
        }
    }
}

fn described(task: &TaskInfo) -> v1::TaskInfo {
    protobuf::decode(&task.verbatim).unwrap_or_default()
}

/// A check's command sees what its task sees, and what it says itself.
fn command(info: &v1::CommandInfo, around: Option<&v1::Environment>) -> Look {
    let mut info = info.clone();
    let mut environment = around.cloned().unwrap_or_default();
    let own = info.environment.take().unwrap_or_default();
    environment.variables.extend(own.variables);
    info.environment = Some(environment);
    Look::Command(Box::new(command_to_core(&info)))
}

fn of_health(info: &v1::HealthCheck, around: Option<&v1::Environment>) -> Option<Look> {
    if let Some(http) = &info.http {
        let address = address(http.port, http.protocol);
        let path = http.path.clone().unwrap_or_else(|| String::from("/"));
        return Some(match http.scheme.as_deref() {
            Some("https") => secure(&address, &path),
            _ => Look::Http {
                address,
                path,
                statuses: http.statuses.clone(),
            },
        });
    }
    if let Some(tcp) = &info.tcp {
        let address = address(tcp.port, tcp.protocol);
        return Some(Look::Tcp { address });
    }
    Some(command(info.command.as_ref()?, around))
}

fn of_check(info: &v1::CheckInfo, around: Option<&v1::Environment>) -> Option<Look> {
    use check_info::Type;
    match info.r#type? {
        Type::Command => {
            let own = info.command.as_ref()?;
            Some(command(own.command.as_ref()?, around))
        }
        Type::Http => {
            let http = info.http.as_ref()?;
            Some(Look::Http {
                address: address(http.port, None),
                path: http.path.clone().unwrap_or_else(|| String::from("/")),
                statuses: Vec::new(),
            })
        }
        Type::Tcp => {
            let address = address(info.tcp.as_ref()?.port, None);
            Some(Look::Tcp { address })
        }
        Type::Unknown => None,
    }
}

fn address(port: Option<u32>, protocol: Option<network_info::Protocol>) -> String {
    let host = match protocol {
        Some(network_info::Protocol::Ipv6) => "[::1]",
        _ => "127.0.0.1",
    };
    format!("{host}:{}", port.unwrap_or(0))
}

/// Mesos asks with curl as well, and does not ask who answers.
fn secure(address: &str, path: &str) -> Look {
    let arguments = [
        "curl",
        "-s",
        "-S",
        "-L",
        "-k",
        "-f",
        "-g",
        "-o",
        "/dev/null",
    ];
    let url = format!("https://{address}{path}");
    let arguments = arguments.iter().map(|part| (*part).to_owned());
    Look::Command(Box::new(CommandInfo {
        shell: false,
        value: String::from("curl"),
        arguments: arguments.chain([url]).collect(),
        environment: Vec::new(),
        user: None,
    }))
}

/// A time-out of zero is none.
fn timeout(seconds: Option<f64>) -> Duration {
    let duration = seconds_or(seconds, 20.0);
    if duration.is_zero() {
        time::DURATION_MAX
    } else {
        duration
    }
}

fn seconds_or(seconds: Option<f64>, otherwise: f64) -> Duration {
    time::seconds_to_core(seconds.unwrap_or(otherwise)).unwrap_or_default()
}

fn health_policy(info: &v1::HealthCheck) -> HealthPolicy {
    HealthPolicy {
        delay: seconds_or(info.delay_seconds, 15.0),
        interval: seconds_or(info.interval_seconds, 10.0),
        grace: seconds_or(info.grace_period_seconds, 10.0),
        failures_max: info.consecutive_failures.unwrap_or(3),
    }
}

fn check_policy(task_id: &TaskId, info: &v1::CheckInfo) -> CheckPolicy {
    let kind = info.r#type.unwrap_or(check_info::Type::Unknown);
    CheckPolicy {
        delay: seconds_or(info.delay_seconds, 15.0),
        interval: seconds_or(info.interval_seconds, 10.0),
        unknown: status_bytes(task_id, kind, Seen::Nothing),
    }
}

fn passes(look: &Look, seen: Seen) -> bool {
    match seen {
        Seen::Exited(status) => status == 0,
        Seen::Answered(status) => match look {
            Look::Http { statuses, .. } if !statuses.is_empty() => {
                statuses.contains(&u32::from(status))
            }
            _ => (200..400).contains(&status),
        },
        Seen::Connected(connected) => connected,
        Seen::Nothing => false,
    }
}

/// What a status says of a check; Mesos leaves out what was not seen.
fn status_bytes(task_id: &TaskId, kind: check_info::Type, seen: Seen) -> Arc<[u8]> {
    let mut status = v1::CheckStatusInfo {
        r#type: Some(kind),
        ..v1::CheckStatusInfo::default()
    };
    match kind {
        check_info::Type::Command => {
            let exit_code = match seen {
                Seen::Exited(code) => Some(code),
                _ => None,
            };
            status.command = Some(check_status_info::Command { exit_code });
        }
        check_info::Type::Http => {
            let status_code = match seen {
                Seen::Answered(code) => Some(u32::from(code)),
                _ => None,
            };
            status.http = Some(check_status_info::Http { status_code });
        }
        check_info::Type::Tcp => {
            let succeeded = match seen {
                Seen::Connected(connected) => Some(connected),
                _ => None,
            };
            status.tcp = Some(check_status_info::Tcp { succeeded });
        }
        check_info::Type::Unknown => {}
    }
    let status = v1::TaskStatus {
        task_id: Some(ids::task_id_to_v1(task_id)),
        state: Some(v1::TaskState::Running),
        check_status: Some(Box::new(status)),
        ..v1::TaskStatus::default()
    };
    protobuf::encode(&status).into()
}

//! What runs on an agent, as messages of the v1 API.

use super::AgentHttp;
use super::convert;
use super::model;
use super::state::{seconds, usages};
use crate::container::kind::nested_id;
use crate::mesos::convert::resources::{self, Form};
use crate::mesos::convert::task::executor_to_v1;
use crate::mesos::convert::{framework, ids};
use crate::mesos::v1;
use crate::mesos::v1::agent::{call, response};
use crate::mesos::v1::executor_info::Type;
use crate::node::book::{Book, ExecutorEntry, FrameworkEntry, TaskEntry};
use std::time::SystemTime;
use tepui_core::ids::FrameworkId;
use tepui_core::model::TaskState;

/// All frameworks, those that are over last.
fn frameworks_of(book: &Book) -> impl Iterator<Item = (&FrameworkId, &FrameworkEntry)> {
    let over = book
        .completed_frameworks
        .iter()
        .map(|(id, entry)| (id, entry));
    book.frameworks.iter().chain(over)
}

fn task(framework_id: &FrameworkId, executor: &ExecutorEntry, entry: &TaskEntry) -> v1::Task {
    let executor_id = (!executor.command).then_some(&executor.info.executor_id);
    let mut task = convert::task(&entry.info, framework_id, executor_id, entry.state());
    task.statuses = entry
        .statuses
        .iter()
        .map(|status| convert::status(status))
        .collect();
    if let Some(newest) = task.statuses.last() {
        task.status_update_state = newest.state;
        task.status_update_uuid.clone_from(&newest.uuid);
    }
    task
}

/// `GET_TASKS`
pub(super) fn tasks(book: &Book) -> response::GetTasks {
    let mut lists = response::GetTasks::default();
    for (id, framework) in frameworks_of(book) {
        let over = framework.completed_executors.iter();
        for executor in framework.executors.values().chain(over) {
            for entry in executor.tasks.values() {
                let list = match entry.state() {
                    TaskState::Staging if !executor.subscribed => &mut lists.queued_tasks,
                    state if state.is_terminal() => &mut lists.terminated_tasks,
                    _ => &mut lists.launched_tasks,
                };
                list.push(task(id, executor, entry));
            }
            let completed = executor.completed_tasks.iter();
            lists
                .completed_tasks
                .extend(completed.map(|entry| task(id, executor, entry)));
        }
    }
    lists
}

/// An executor's description; of a command task, that of the agent's own executor.
fn executor_info(executor: &ExecutorEntry) -> v1::ExecutorInfo {
    let mut info = executor_to_v1(&executor.info);
    if executor.command {
        info.source = Some(model::source(executor));
        info.resources = resources::to_v1(&model::own_resources(executor), Form::Refined);
        let environment = info.command.take().and_then(|own| own.environment);
        info.command = Some(v1::CommandInfo {
            environment,
            shell: Some(false),
            value: Some(String::from("tepui")),
            arguments: vec![String::from("tepui"), String::from("command-executor")],
            ..v1::CommandInfo::default()
        });
    }
    info
}

/// `GET_EXECUTORS`
pub(super) fn executors(book: &Book) -> response::GetExecutors {
    let shown = |executor: &ExecutorEntry| response::get_executors::Executor {
        executor_info: Some(executor_info(executor)),
    };
    let living = frameworks_of(book).flat_map(|(_, framework)| framework.executors.values());
    let over = frameworks_of(book).flat_map(|(_, framework)| &framework.completed_executors);
    response::GetExecutors {
        executors: living.map(shown).collect(),
        completed_executors: over.map(shown).collect(),
    }
}

/// `GET_FRAMEWORKS`
pub(super) fn frameworks(book: &Book) -> response::GetFrameworks {
    let shown = |entry: &FrameworkEntry| {
        let info = entry.info.as_ref()?;
        Some(response::get_frameworks::Framework {
            framework_info: Some(framework::to_v1(info)),
        })
    };
    let over = book.completed_frameworks.iter();
    response::GetFrameworks {
        frameworks: book.frameworks.values().filter_map(shown).collect(),
        completed_frameworks: over.filter_map(|(_, entry)| shown(entry)).collect(),
    }
}

/// The containers that tasks of groups have within their executors'.
fn tasks_own(book: &Book) -> Vec<response::get_containers::Container> {
    let executors = book
        .frameworks
        .iter()
        .flat_map(|(id, framework)| framework.executors.values().map(move |e| (id, e)));
    let groups = executors.filter(|(_, executor)| executor.kind == Some(Type::Default));
    let mut found = Vec::new();
    for (framework_id, executor) in groups {
        let runs = |task: &&TaskEntry| {
            let state = task.state();
            state != TaskState::Staging && !state.is_terminal()
        };
        for task in executor.tasks.values().filter(runs) {
            let container_id = v1::ContainerId {
                value: Some(nested_id(&executor.container_id, &task.info.task_id)),
                parent: Some(Box::new(ids::container_id_to_v1(&executor.container_id))),
            };
            found.push(response::get_containers::Container {
                framework_id: Some(ids::framework_id_to_v1(framework_id)),
                executor_id: Some(ids::executor_id_to_v1(&executor.info.executor_id)),
                executor_name: Some(executor.info.name.clone()),
                container_id: Some(container_id.clone()),
                container_status: Some(Box::new(v1::ContainerStatus {
                    container_id: Some(container_id),
                    ..v1::ContainerStatus::default()
                })),
                ..response::get_containers::Container::default()
            });
        }
    }
    found
}

/// `GET_CONTAINERS`: those of executors and, where they are asked for, others.
pub(super) fn containers(
    agent: &AgentHttp,
    book: &Book,
    asked: &call::GetContainers,
) -> response::GetContainers {
    let usages = usages(book);
    let mut containers = Vec::new();
    for (framework_id, framework) in &book.frameworks {
        for executor in framework.executors.values() {
            let usage = usages
                .get(&executor.pid.unwrap_or(0))
                .cloned()
                .unwrap_or_default();
            let limits = model::used_by(executor);
            let mem_bytes = (limits.scalar("mem").to_f64() * f64::from(1 << 20)) as u64;
            let container_id = ids::container_id_to_v1(&executor.container_id);
            containers.push(response::get_containers::Container {
                framework_id: Some(ids::framework_id_to_v1(framework_id)),
                executor_id: Some(ids::executor_id_to_v1(&executor.info.executor_id)),
                executor_name: Some(executor.info.name.clone()),
                container_id: Some(container_id.clone()),
                container_status: Some(Box::new(v1::ContainerStatus {
                    container_id: Some(container_id),
                    executor_pid: executor.pid,
                    ..v1::ContainerStatus::default()
                })),
                resource_statistics: Some(Box::new(v1::ResourceStatistics {
                    timestamp: Some(seconds(SystemTime::now())),
                    cpus_user_time_secs: Some(usage.user_secs),
                    cpus_system_time_secs: Some(usage.system_secs),
                    cpus_soft_limit: Some(limits.scalar("cpus").to_f64()),
                    mem_limit_bytes: Some(mem_bytes),
                    mem_soft_limit_bytes: Some(mem_bytes),
                    mem_rss_bytes: Some(usage.rss_bytes),
                    ..v1::ResourceStatistics::default()
                })),
            });
        }
    }
    let nested = asked.show_nested == Some(true);
    if nested {
        containers.extend(tasks_own(book));
    }
    let standalone = asked.show_standalone == Some(true);
    containers.extend(agent.nested.shown(nested, standalone));
    response::GetContainers { containers }
}

//! What tests are about: ids, descriptions, reports.

use crate::ids::{AgentId, FrameworkId, Peer, TaskId, UpdateId};
use crate::message::agent::{AgentRun, Reregistration, TaskReport};
use crate::model::{
    AgentInfo, Capabilities, CommandInfo, FrameworkInfo, Source, TaskInfo, TaskState, TaskStatus,
};
use crate::resources::{Attributes, Resources, Role};
use crate::time::Wall;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

pub(in super::super) fn peer(number: u64) -> Peer {
    Peer::Inbound(number)
}

pub(in super::super) fn resources(text: &str) -> Resources {
    text.parse().unwrap()
}

pub(in super::super) fn agent_id(text: &str) -> AgentId {
    AgentId::new(text).unwrap()
}

pub(in super::super) fn framework_id(text: &str) -> FrameworkId {
    FrameworkId::new(text).unwrap()
}

pub(in super::super) fn task_id(text: &str) -> TaskId {
    TaskId::new(text).unwrap()
}

pub(in super::super) fn update_id(number: u8) -> UpdateId {
    UpdateId([number; 16])
}

pub(in super::super) fn role(text: &str) -> Role {
    Role::new(text).unwrap()
}

pub(in super::super) fn agent_info(id: Option<&str>) -> AgentInfo {
    AgentInfo {
        id: id.map(agent_id),
        hostname: "host".to_string(),
        ip: String::new(),
        port: 5051,
        resources: resources("cpus:4;mem:4096;disk:1000"),
        attributes: Attributes::default(),
        domain: None,
    }
}

pub(in super::super) fn framework_info(id: Option<&str>) -> FrameworkInfo {
    FrameworkInfo {
        id: id.map(framework_id),
        user: "nobody".to_string(),
        name: "web".to_string(),
        roles: [role("web")].into(),
        failover_timeout: Duration::from_secs(60),
        checkpoint: true,
        capabilities: Capabilities {
            partition_aware: true,
            ..Capabilities::default()
        },
        principal: None,
        hostname: "here".to_string(),
        webui_url: None,
        verbatim: Arc::default(),
    }
}

/// A framework that may have several roles: these.
pub(in super::super) fn multi_role(roles: &[&str]) -> FrameworkInfo {
    let mut info = framework_info(None);
    info.capabilities.multi_role = true;
    info.roles = roles.iter().map(|text| role(text)).collect();
    info
}

pub(in super::super) fn task(id: &str, agent: &AgentId) -> TaskInfo {
    TaskInfo {
        task_id: task_id(id),
        name: id.to_string(),
        agent_id: agent.clone(),
        resources: resources("cpus:1;mem:128"),
        executor: None,
        command: Some(CommandInfo::shell("sleep 1000")),
        data: Arc::from([]),
        labels: Vec::new(),
        kill_grace: None,
        verbatim: Arc::default(),
    }
}

/// A task as its agent reports it: marked for the role that it runs in.
pub(in super::super) fn report(
    framework: &str,
    info: &TaskInfo,
    state: TaskState,
    unacknowledged: Option<u8>,
) -> TaskReport {
    let mut info = info.clone();
    info.resources = info.resources.allocated_to(&role("web"));
    TaskReport {
        framework_id: framework_id(framework),
        info: Arc::new(info),
        state,
        unacknowledged: unacknowledged.map(update_id),
        latest_state: state,
    }
}

pub(in super::super) fn reregistration(
    id: &str,
    run: u64,
    tasks: Vec<TaskReport>,
) -> Reregistration {
    let mut seen = std::collections::BTreeSet::new();
    let frameworks = tasks.iter().map(|task| task.framework_id.clone());
    let frameworks: Vec<_> = frameworks.filter(|id| seen.insert(id.clone())).collect();
    Reregistration {
        info: Arc::new(agent_info(Some(id))),
        run: AgentRun(run),
        tasks,
        executors: Vec::new(),
        frameworks: frameworks
            .iter()
            .map(|id| Arc::new(framework_info(Some(id.as_str()))))
            .collect(),
        kept: Resources::EMPTY,
        operations: Vec::new(),
    }
}

pub(in super::super) fn status(
    task: &str,
    agent: &AgentId,
    state: TaskState,
    update: Option<u8>,
) -> TaskStatus {
    TaskStatus {
        task_id: task_id(task),
        state,
        source: Source::Executor,
        reason: None,
        message: String::new(),
        agent_id: Some(agent.clone()),
        executor_id: None,
        timestamp: Wall(0),
        update_id: update.map(update_id),
        healthy: None,
        data: Arc::from([]),
        unreachable_at: None,
        verbatim: Arc::default(),
    }
}

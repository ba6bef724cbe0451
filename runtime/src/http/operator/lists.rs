//! What a leader knows, as messages of the v1 operator API.

use super::document::Document;
use super::settings::drain_to_v1;
use crate::http::classic::agents::pid;
use crate::http::classic::tasks::{is_out_of_sight, restored};
use crate::http::cluster::{Cluster, Held};
use crate::http::roles;
use crate::mesos::convert::agent::{MESOS_VERSION, agent_capabilities};
use crate::mesos::convert::resources::{Form, to_v1};
use crate::mesos::convert::time::wall_to_v1;
use crate::mesos::convert::{agent, framework, ids, offer, status, task};
use crate::mesos::v1::master::response::{get_agents, get_executors, get_frameworks};
use crate::mesos::v1::{self, value};
use tepui_core::ids::FrameworkId;
use tepui_core::master::leading::{AgentPart, EndedPart, FrameworkPart};
use tepui_core::model::AgentInfo;
use tepui_core::resources::Quantities;

pub use crate::http::classic::frameworks::id_of;
pub use crate::http::classic::tasks::Task;

/// A task as tools see it.
#[must_use]
pub fn task_to_v1(shown: &Task<'_>) -> v1::Task {
    let info = shown.info;
    let more: v1::TaskInfo = restored(&info.verbatim);
    let executor = info.executor.as_ref();
    let command = info.command.as_ref();
    let command = command.or(executor.map(|executor| &executor.command));
    let newest = shown.statuses.iter().rev();
    let mut acknowledged_by_name = newest.filter_map(|s| Some((s.state, s.update_id?)));
    let named = acknowledged_by_name.next();
    v1::Task {
        name: Some(info.name.clone()),
        task_id: Some(ids::task_id_to_v1(&info.task_id)),
        framework_id: Some(ids::framework_id_to_v1(shown.framework_id)),
        executor_id: executor.map(|executor| ids::executor_id_to_v1(&executor.executor_id)),
        agent_id: Some(ids::agent_id_to_v1(&info.agent_id)),
        state: Some(task::state_to_v1(shown.state)),
        resources: to_v1(&info.resources, Form::Refined),
        statuses: shown
            .statuses
            .iter()
            .map(|one| status::to_v1(one))
            .collect(),
        status_update_state: named.map(|(state, _)| task::state_to_v1(state)),
        status_update_uuid: named.map(|(_, id)| id.0.to_vec()),
        labels: task::labels_to_v1(&info.labels),
        discovery: more.discovery,
        container: more.container,
        health_check: more.health_check,
        kill_policy: more.kill_policy,
        user: command.and_then(|command| command.user.clone()),
        limits: more.limits,
    }
}

/// `GET_TASKS`
pub fn tasks(cluster: &Cluster, document: &mut Document) {
    let living = |out_of_sight: bool| {
        cluster.snapshot.frameworks.iter().flat_map(move |part| {
            let chosen = part.tasks.iter();
            let chosen = chosen.filter(move |task| is_out_of_sight(task) == out_of_sight);
            chosen.map(|task| task_to_v1(&Task::living(id_of(&part.info), task)))
        })
    };
    document.list(("tasks", 2), living(false));
    document.list(("unreachable_tasks", 5), living(true));
    let living = cluster.snapshot.frameworks.iter();
    let of_living = living.flat_map(|part| {
        let tasks = part.tasks_ended.iter();
        tasks.map(|task| task_to_v1(&Task::ended(id_of(&part.info), task)))
    });
    let ended = cluster.snapshot.frameworks_ended.iter();
    let of_ended = ended.flat_map(|part| {
        let tasks = part.tasks.iter();
        tasks.map(|task| task_to_v1(&Task::ended(id_of(&part.info), task)))
    });
    document.list(("completed_tasks", 3), of_living.chain(of_ended));
}

/// `GET_EXECUTORS`
pub fn executors(cluster: &Cluster, document: &mut Document) {
    let agents = cluster.snapshot.agents.iter();
    let executors = agents.flat_map(|agent| {
        let executors = agent.executors.iter();
        executors.map(|executor| get_executors::Executor {
            executor_info: Some(task::executor_to_v1(executor)),
            agent_id: Some(ids::agent_id_to_v1(&agent.id)),
        })
    });
    document.list(("executors", 1), executors);
}

/// An agent as tools see it: its own resources in the form in which it gave them.
#[must_use]
pub fn agent_info_to_v1(info: &AgentInfo) -> v1::AgentInfo {
    v1::AgentInfo {
        checkpoint: Some(true),
        ..agent::to_v1(info)
    }
}

/// One agent with what is used and offered of it.
#[must_use]
pub fn agent_to_v1(cluster: &Cluster, part: &AgentPart, held: &Held) -> get_agents::Agent {
    let mark = cluster.settings.marks.get(&part.id);
    let drain_info = mark.and_then(|mark| mark.drain.as_ref()).map(drain_to_v1);
    let started_at = part.drain_started_at;
    get_agents::Agent {
        agent_info: Some(agent_info_to_v1(&part.info)),
        active: Some(cluster.is_active(part)),
        deactivated: Some(mark.is_some()),
        version: Some(MESOS_VERSION.to_owned()),
        pid: Some(pid(&part.info)),
        registered_time: Some(wall_to_v1(part.registered_at)),
        reregistered_time: part.reregistered_at.map(wall_to_v1),
        total_resources: to_v1(&part.total, Form::Both),
        allocated_resources: to_v1(&held.used, Form::Both),
        offered_resources: to_v1(&held.offered, Form::Both),
        capabilities: agent_capabilities(),
        resource_providers: Vec::new(),
        estimated_drain_start_time: drain_info.as_ref().and(started_at.map(wall_to_v1)),
        drain_info,
    }
}

/// `GET_AGENTS`
pub fn agents(cluster: &Cluster, document: &mut Document) {
    let agents = cluster.snapshot.agents.iter().zip(&cluster.agents);
    let agents = agents.map(|(part, held)| agent_to_v1(cluster, part, held));
    document.list(("agents", 1), agents);
    let recovered = cluster.snapshot.agents_recovered.iter();
    let recovered = recovered.map(|info| agent_info_to_v1(info));
    document.list(("recovered_agents", 2), recovered);
}

/// A framework that has not ended, with what it uses and is offered.
#[must_use]
pub fn framework_to_v1(part: &FrameworkPart, held: &Held) -> get_frameworks::Framework {
    let form = Form::Both;
    get_frameworks::Framework {
        framework_info: Some(framework::to_v1(&part.info)),
        active: Some(part.connected),
        connected: Some(part.connected),
        recovered: Some(part.recovered),
        registered_time: Some(wall_to_v1(part.registered_at)),
        reregistered_time: Some(wall_to_v1(part.subscribed_at)),
        unregistered_time: None,
        offers: part
            .offers
            .iter()
            .map(|one| offer::to_v1(one, form))
            .collect(),
        inverse_offers: Vec::new(),
        allocated_resources: to_v1(&held.used, form),
        offered_resources: to_v1(&held.offered, form),
        offer_constraints: Some(v1::scheduler::OfferConstraints::default()),
    }
}

/// A framework that ended.
#[must_use]
pub fn ended_to_v1(part: &EndedPart) -> get_frameworks::Framework {
    get_frameworks::Framework {
        framework_info: Some(framework::to_v1(&part.info)),
        active: Some(false),
        connected: Some(false),
        recovered: Some(false),
        registered_time: Some(wall_to_v1(part.registered_at)),
        reregistered_time: Some(wall_to_v1(part.subscribed_at)),
        unregistered_time: Some(wall_to_v1(part.at)),
        offer_constraints: Some(v1::scheduler::OfferConstraints::default()),
        ..get_frameworks::Framework::default()
    }
}

/// `GET_FRAMEWORKS`
pub fn frameworks(cluster: &Cluster, document: &mut Document) {
    let living = cluster.snapshot.frameworks.iter().zip(&cluster.frameworks);
    let living = living.map(|(part, held)| framework_to_v1(part, held));
    document.list(("frameworks", 1), living);
    let ended = cluster.snapshot.frameworks_ended.iter().map(ended_to_v1);
    document.list(("completed_frameworks", 2), ended);
}

/// `GET_STATE`
pub fn state(cluster: &Cluster, document: &mut Document) {
    document.part(("get_tasks", 1), |part| tasks(cluster, part));
    document.part(("get_executors", 2), |part| executors(cluster, part));
    document.part(("get_frameworks", 3), |part| frameworks(cluster, part));
    document.part(("get_agents", 4), |part| agents(cluster, part));
}

/// Scalars that every tool knows.
fn scalars(amounts: &Quantities) -> Vec<v1::Resource> {
    const KNOWN: [&str; 4] = ["cpus", "gpus", "mem", "disk"];
    let known = amounts.iter().filter(|(name, _)| KNOWN.contains(name));
    known
        .map(|(name, milli)| v1::Resource {
            name: Some(name.to_owned()),
            r#type: Some(value::Type::Scalar),
            scalar: Some(value::Scalar {
                value: Some(milli as f64 / 1e3),
            }),
            ..v1::Resource::default()
        })
        .collect()
}

/// `GET_ROLES`
#[must_use]
pub fn roles(cluster: &Cluster) -> Vec<v1::Role> {
    let all = roles::all(cluster);
    let id = |id: &FrameworkId| ids::framework_id_to_v1(id);
    all.iter()
        .map(|(role, sums)| v1::Role {
            name: Some(role.to_string()),
            weight: Some(cluster.weight(role)),
            frameworks: sums.frameworks.iter().map(id).collect(),
            resources: scalars(&sums.resources()),
        })
        .collect()
}

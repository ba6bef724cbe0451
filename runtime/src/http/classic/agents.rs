//! Agents as the classic pages have them.

use super::amounts::{Amounts, Named, by_role};
use super::tasks::List;
use crate::http::cluster::{Cluster, Held, place};
use crate::http::operator::settings::drain_to_v1;
use crate::mesos::convert::agent::{AGENT_PATH, MESOS_VERSION, agent_capabilities};
use crate::mesos::convert::resources::{Form, to_v1};
use crate::mesos::convert::time::wall_to_seconds;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use tepui_core::ids::FrameworkId;
use tepui_core::master::leading::AgentPart;
use tepui_core::model::{AgentInfo, TaskState};
use tepui_core::resources::Resources;

/// Where Mesos' tools find an agent.
#[must_use]
pub fn pid(info: &AgentInfo) -> String {
    let name = AGENT_PATH.trim_start_matches('/');
    let host = match info.ip.as_str() {
        "" => &info.hostname,
        ip => ip,
    };
    format!("{name}@{host}:{}", info.port)
}

/// How much of an agent a page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Amounts.
    State,
    /// Amounts, counts of tasks, and who is there.
    Summary,
    /// Amounts, and every resource with all that it is.
    Full,
}

/// An agent that this leader has heard of.
#[derive(Clone, Copy, Debug)]
pub struct Agent<'a> {
    /// All.
    pub cluster: &'a Cluster,
    /// Its place in the snapshot.
    pub at: usize,
    /// How much of it.
    pub detail: Detail,
}

impl Agent<'_> {
    fn part(&self) -> &AgentPart {
        &self.cluster.snapshot.agents[self.at]
    }

    fn held(&self) -> &Held {
        &self.cluster.agents[self.at]
    }
}

impl Serialize for Agent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (agent, held) = (self.part(), self.held());
        let mut map = serializer.serialize_map(None)?;
        identity(&agent.info, &mut map)?;
        map.serialize_entry("pid", &pid(&agent.info))?;
        map.serialize_entry("registered_time", &wall_to_seconds(agent.registered_at))?;
        if let Some(at) = agent.reregistered_at {
            map.serialize_entry("reregistered_time", &wall_to_seconds(at))?;
        }
        map.serialize_entry("resources", &Amounts(&agent.total))?;
        map.serialize_entry("used_resources", &Amounts(&held.used))?;
        map.serialize_entry("offered_resources", &Amounts(&held.offered))?;
        map.serialize_entry("reserved_resources", &ByRole(&agent.total, false))?;
        map.serialize_entry("unreserved_resources", &Amounts(&agent.total.unreserved()))?;
        let marked = self.cluster.settings.marks.get(&agent.id);
        map.serialize_entry("active", &self.cluster.is_active(agent))?;
        map.serialize_entry("deactivated", &marked.is_some())?;
        map.serialize_entry("version", MESOS_VERSION)?;
        map.serialize_entry("capabilities", &capabilities())?;
        if let Some(drain) = marked.and_then(|mark| mark.drain.as_ref()) {
            let info = drain_to_v1(drain);
            map.serialize_entry("drain_info", &crate::mesos::json::Shown(&info))?;
            if let Some(at) = agent.drain_started_at {
                let seconds = wall_to_seconds(at);
                map.serialize_entry("estimated_drain_start_time_seconds", &seconds)?;
            }
        }
        match self.detail {
            Detail::State => {}
            Detail::Summary => self.counts(&mut map)?,
            Detail::Full => self.full(&mut map)?,
        }
        map.end()
    }
}

impl Agent<'_> {
    fn counts<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        count_entries(self.held(), map)?;
        let frameworks = &self.cluster.snapshot.frameworks;
        let there = self.held().others.iter();
        let ids: Vec<_> = there
            .filter_map(|at| frameworks[*at].info.id.as_ref())
            .map(FrameworkId::as_str)
            .collect();
        map.serialize_entry("framework_ids", &ids)
    }

    fn full<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let (agent, held) = (self.part(), self.held());
        let full = |resources: &Resources| to_v1(resources, Form::Both);
        map.serialize_entry("reserved_resources_full", &ByRole(&agent.total, true))?;
        let unreserved = full(&agent.total.unreserved());
        map.serialize_entry("unreserved_resources_full", &List(&unreserved))?;
        map.serialize_entry("used_resources_full", &List(&full(&held.used)))?;
        map.serialize_entry("offered_resources_full", &List(&full(&held.offered)))
    }
}

/// Tasks in the states that the summary counts.
pub fn count_entries<M: SerializeMap>(held: &Held, map: &mut M) -> Result<(), M::Error> {
    const COUNTED: [TaskState; 10] = [
        TaskState::Staging,
        TaskState::Starting,
        TaskState::Running,
        TaskState::Killing,
        TaskState::Finished,
        TaskState::Killed,
        TaskState::Failed,
        TaskState::Lost,
        TaskState::Error,
        TaskState::Unreachable,
    ];
    for state in COUNTED {
        map.serialize_entry(state.name(), &held.tasks[place(state)])?;
    }
    Ok(())
}

fn capabilities() -> Vec<&'static str> {
    let all = agent_capabilities().into_iter();
    all.filter_map(|capability| Some(capability.r#type?.name()))
        .collect()
}

fn identity<M: SerializeMap>(info: &AgentInfo, map: &mut M) -> Result<(), M::Error> {
    let id = info.id.as_ref().map_or("", |id| id.as_str());
    map.serialize_entry("id", id)?;
    map.serialize_entry("hostname", &info.hostname)?;
    map.serialize_entry("port", &info.port)?;
    map.serialize_entry("attributes", &Named(&info.attributes))?;
    if let Some(domain) = &info.domain {
        let domain = crate::mesos::convert::agent::domain_to_v1(domain);
        map.serialize_entry("domain", &crate::mesos::json::Shown(&domain))?;
    }
    Ok(())
}

/// An agent of the registry that did not return yet.
#[derive(Clone, Copy, Debug)]
pub struct Recovered<'a>(pub &'a AgentInfo);

impl Serialize for Recovered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        identity(self.0, &mut map)?;
        map.serialize_entry("resources", &Amounts(&self.0.resources))?;
        map.end()
    }
}

/// Reserved resources by role: amounts, or each with all that it is.
struct ByRole<'a>(&'a Resources, bool);

impl Serialize for ByRole<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (role, resources) in by_role(self.0) {
            match self.1 {
                false => map.serialize_entry(role.as_str(), &Amounts(&resources))?,
                true => {
                    let full = to_v1(&resources, Form::Both);
                    map.serialize_entry(role.as_str(), &List(&full))?;
                }
            }
        }
        map.end()
    }
}

/// All agents of a page.
#[derive(Clone, Copy, Debug)]
pub struct Agents<'a> {
    /// All.
    pub cluster: &'a Cluster,
    /// Only this one.
    pub only: Option<&'a str>,
    /// How much of each.
    pub detail: Detail,
}

impl Serialize for Agents<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let agents = self.cluster.snapshot.agents.iter().enumerate();
        let chosen = agents.filter(|(_, a)| self.only.is_none_or(|only| a.id.as_str() == only));
        serializer.collect_seq(chosen.map(|(at, _)| Agent {
            cluster: self.cluster,
            at,
            detail: self.detail,
        }))
    }
}

/// Agents of the registry that did not return yet.
#[derive(Clone, Copy, Debug)]
pub struct Missing<'a> {
    /// All.
    pub cluster: &'a Cluster,
    /// Only this one.
    pub only: Option<&'a str>,
}

impl Serialize for Missing<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let missing = self.cluster.snapshot.agents_recovered.iter();
        let id = |info: &AgentInfo| info.id.as_ref().map(|id| id.as_str().to_owned());
        let chosen =
            missing.filter(|i| self.only.is_none_or(|only| id(i).as_deref() == Some(only)));
        serializer.collect_seq(chosen.map(|info| Recovered(info)))
    }
}

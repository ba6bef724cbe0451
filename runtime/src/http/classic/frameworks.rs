//! Frameworks as the classic pages have them.

use super::agents::count_entries;
use super::amounts::Amounts;
use super::tasks::{Executor, List, Offered, Task, is_out_of_sight, restored};
use crate::http::cluster::{Cluster, Held, include};
use crate::mesos::convert::framework::capabilities_to_v1;
use crate::mesos::convert::time::wall_to_seconds;
use crate::mesos::json::Shown;
use crate::mesos::v1;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use tepui_core::ids::FrameworkId;
use tepui_core::master::leading::{EndedPart, FrameworkPart};
use tepui_core::model::FrameworkInfo;
use tepui_core::resources::{Resources, Role};
use tepui_core::time::Wall;

/// The id, which every framework that a leader knows has.
#[must_use]
pub fn id_of(info: &FrameworkInfo) -> &FrameworkId {
    info.id.as_ref().expect("a leader's frameworks have ids")
}

struct Standing {
    active: bool,
    connected: bool,
    recovered: bool,
}

fn summary<M: SerializeMap>(
    info: &FrameworkInfo,
    held: &Held,
    standing: &Standing,
    map: &mut M,
) -> Result<(), M::Error> {
    map.serialize_entry("id", id_of(info).as_str())?;
    map.serialize_entry("name", &info.name)?;
    map.serialize_entry("used_resources", &Amounts(&held.used))?;
    map.serialize_entry("offered_resources", &Amounts(&held.offered))?;
    let capabilities = capabilities_to_v1(info.capabilities);
    let names = capabilities
        .iter()
        .filter_map(|one| Some(one.r#type?.name()));
    map.serialize_entry("capabilities", &names.collect::<Vec<_>>())?;
    map.serialize_entry("hostname", &info.hostname)?;
    let webui_url = info.webui_url.as_deref();
    map.serialize_entry("webui_url", webui_url.unwrap_or_default())?;
    map.serialize_entry("active", &standing.active)?;
    map.serialize_entry("connected", &standing.connected)?;
    map.serialize_entry("recovered", &standing.recovered)
}

struct Times {
    registered: Wall,
    subscribed: Wall,
    ended: Option<Wall>,
}

fn described<M: SerializeMap>(
    info: &FrameworkInfo,
    held: &Held,
    times: &Times,
    map: &mut M,
) -> Result<(), M::Error> {
    map.serialize_entry("user", &info.user)?;
    map.serialize_entry("failover_timeout", &info.failover_timeout.as_secs_f64())?;
    map.serialize_entry("checkpoint", &info.checkpoint)?;
    map.serialize_entry("registered_time", &wall_to_seconds(times.registered))?;
    let ended = times.ended.map_or(0.0, wall_to_seconds);
    map.serialize_entry("unregistered_time", &ended)?;
    if let Some(principal) = &info.principal {
        map.serialize_entry("principal", principal)?;
    }
    let mut both: Resources = held.used.clone();
    include(&mut both, &held.offered);
    map.serialize_entry("resources", &Amounts(&both))?;
    if times.subscribed != times.registered {
        map.serialize_entry("reregistered_time", &wall_to_seconds(times.subscribed))?;
    }
    let mut roles = info.roles.iter().map(Role::as_str);
    match info.capabilities.multi_role {
        true => map.serialize_entry("roles", &roles.collect::<Vec<_>>()),
        false => map.serialize_entry("role", roles.next().unwrap_or("*")),
    }
}

fn trailer<M: SerializeMap>(info: &FrameworkInfo, map: &mut M) -> Result<(), M::Error> {
    let more: v1::FrameworkInfo = restored(&info.verbatim);
    if let Some(labels) = &more.labels {
        map.serialize_entry("labels", &List(&labels.labels))?;
    }
    let none = v1::scheduler::OfferConstraints::default();
    map.serialize_entry("offer_constraints", &Shown(&none))
}

/// A framework that has not ended.
#[derive(Clone, Copy, Debug)]
pub struct Living<'a> {
    /// All.
    pub cluster: &'a Cluster,
    /// Its place in the snapshot.
    pub at: usize,
    /// Whether only its counts and agents are shown, without tasks.
    pub summary: bool,
}

impl Living<'_> {
    fn part(&self) -> &FrameworkPart {
        &self.cluster.snapshot.frameworks[self.at]
    }
}

impl Serialize for Living<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (part, held) = (self.part(), &self.cluster.frameworks[self.at]);
        let info = &*part.info;
        let standing = Standing {
            active: part.connected,
            connected: part.connected,
            recovered: part.recovered,
        };
        let mut map = serializer.serialize_map(None)?;
        summary(info, held, &standing, &mut map)?;
        if self.summary {
            count_entries(held, &mut map)?;
            let agents = &self.cluster.snapshot.agents;
            let ids = held.others.iter().map(|at| agents[*at].id.as_str());
            map.serialize_entry("slave_ids", &ids.collect::<Vec<_>>())?;
            return map.end();
        }
        let times = Times {
            registered: part.registered_at,
            subscribed: part.subscribed_at,
            ended: None,
        };
        described(info, held, &times, &mut map)?;
        let tasks = |out_of_sight| Tasks { part, out_of_sight };
        map.serialize_entry("tasks", &tasks(false))?;
        map.serialize_entry("unreachable_tasks", &tasks(true))?;
        map.serialize_entry("completed_tasks", &Completed(part))?;
        map.serialize_entry("offers", &Offers(part))?;
        let framework_id = id_of(info);
        let cluster = self.cluster;
        map.serialize_entry(
            "executors",
            &Executors {
                cluster,
                framework_id,
            },
        )?;
        trailer(info, &mut map)?;
        map.end()
    }
}

struct Tasks<'a> {
    part: &'a FrameworkPart,
    out_of_sight: bool,
}

impl Serialize for Tasks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let id = id_of(&self.part.info);
        let tasks = self.part.tasks.iter();
        let chosen = tasks.filter(|task| is_out_of_sight(task) == self.out_of_sight);
        serializer.collect_seq(chosen.map(|task| Task::living(id, task)))
    }
}

struct Completed<'a>(&'a FrameworkPart);

impl Serialize for Completed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let id = id_of(&self.0.info);
        serializer.collect_seq(self.0.tasks_ended.iter().map(|task| Task::ended(id, task)))
    }
}

struct Offers<'a>(&'a FrameworkPart);

impl Serialize for Offers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.offers.iter().map(|offer| Offered(offer)))
    }
}

struct Executors<'a> {
    cluster: &'a Cluster,
    framework_id: &'a FrameworkId,
}

impl Serialize for Executors<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let executors = self.cluster.executors_of(self.framework_id);
        serializer.collect_seq(executors.map(|(agent_id, info)| Executor { info, agent_id }))
    }
}

/// A framework that ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended<'a>(pub &'a EndedPart);

impl Serialize for Ended<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const NONE: [u8; 0] = [];
        let (part, held) = (self.0, Held::default());
        let info = &*part.info;
        let standing = Standing {
            active: false,
            connected: false,
            recovered: false,
        };
        let times = Times {
            registered: part.registered_at,
            subscribed: part.subscribed_at,
            ended: Some(part.at),
        };
        let mut map = serializer.serialize_map(None)?;
        summary(info, &held, &standing, &mut map)?;
        described(info, &held, &times, &mut map)?;
        map.serialize_entry("tasks", &NONE)?;
        map.serialize_entry("unreachable_tasks", &NONE)?;
        map.serialize_entry("completed_tasks", &EndedTasks(part))?;
        map.serialize_entry("offers", &NONE)?;
        map.serialize_entry("executors", &NONE)?;
        trailer(info, &mut map)?;
        map.end()
    }
}

struct EndedTasks<'a>(&'a EndedPart);

impl Serialize for EndedTasks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let id = id_of(&self.0.info);
        serializer.collect_seq(self.0.tasks.iter().map(|task| Task::ended(id, task)))
    }
}

/// Frameworks that have not ended.
#[derive(Clone, Copy, Debug)]
pub struct AllLiving<'a> {
    /// All.
    pub cluster: &'a Cluster,
    /// Only this one.
    pub only: Option<&'a str>,
    /// Whether only counts are shown.
    pub summary: bool,
}

impl Serialize for AllLiving<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let frameworks = self.cluster.snapshot.frameworks.iter().enumerate();
        let wanted = |info: &FrameworkInfo| {
            let only = self.only;
            only.is_none_or(|only| id_of(info).as_str() == only)
        };
        let chosen = frameworks.filter(|(_, part)| wanted(&part.info));
        serializer.collect_seq(chosen.map(|(at, _)| Living {
            cluster: self.cluster,
            at,
            summary: self.summary,
        }))
    }
}

/// Frameworks that ended.
#[derive(Clone, Copy, Debug)]
pub struct AllEnded<'a> {
    /// All.
    pub cluster: &'a Cluster,
    /// Only this one.
    pub only: Option<&'a str>,
}

impl Serialize for AllEnded<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ended = self.cluster.snapshot.frameworks_ended.iter();
        let wanted = |part: &&EndedPart| {
            let only = self.only;
            only.is_none_or(|only| id_of(&part.info).as_str() == only)
        };
        serializer.collect_seq(ended.filter(wanted).map(Ended))
    }
}

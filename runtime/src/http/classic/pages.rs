//! The classic pages of a leader, each written from one moment's view of the cluster.

use super::agents::{Agents, Detail, Missing};
use super::amounts::Counted;
use super::frameworks::{AllEnded, AllLiving, id_of};
use super::tasks::Task;
use crate::http::cluster::Cluster;
use crate::http::master::About;
use crate::http::reply::Parameters;
use crate::http::roles::{self, RoleSums};
use crate::http::version;
use crate::mesos::convert::agent::{master_to_v1, split_address};
use crate::mesos::convert::time::wall_to_seconds;
use crate::mesos::json::to_vec;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use tepui_core::resources;
use tepui_core::time::Wall;

/// How many tasks `/tasks` shows unless it is asked for more.
const TASKS_SHOWN: usize = 100;

const NONE: [u8; 0] = [];

/// `/state`.
#[must_use]
pub fn state(about: &About, cluster: &Cluster) -> Vec<u8> {
    to_vec(&State { about, cluster })
}

struct State<'a> {
    about: &'a About,
    cluster: &'a Cluster,
}

impl Serialize for State<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (about, cluster) = (self.about, self.cluster);
        let snapshot = &cluster.snapshot;
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in version::fields() {
            map.serialize_entry(name, &value)?;
        }
        map.serialize_entry("start_time", &about.started_at)?;
        map.serialize_entry("elected_time", &wall_to_seconds(snapshot.elected_at))?;
        let leader = master_to_v1(&snapshot.leader);
        let (hostname, port) = split_address(&snapshot.leader.address);
        let (id, pid) = (&leader.id, &leader.pid);
        map.serialize_entry("id", id)?;
        map.serialize_entry("pid", pid)?;
        map.serialize_entry("hostname", hostname)?;
        let capabilities = leader.capabilities.iter();
        let capabilities = capabilities.filter_map(|one| Some(one.r#type?.name()));
        map.serialize_entry("capabilities", &capabilities.collect::<Vec<_>>())?;
        let active = cluster.agents_active();
        let inactive = snapshot.agents.len() - active;
        map.serialize_entry("activated_slaves", &(active as f64))?;
        map.serialize_entry("deactivated_slaves", &(inactive as f64))?;
        let unreachable = snapshot.agents_unreachable as f64;
        map.serialize_entry("unreachable_slaves", &unreachable)?;
        map.serialize_entry("leader", pid)?;
        #[derive(Serialize)]
        struct Info<'a> {
            id: &'a Option<String>,
            pid: &'a Option<String>,
            port: u16,
            hostname: &'a str,
        }
        let info = Info {
            id,
            pid,
            port,
            hostname,
        };
        map.serialize_entry("leader_info", &info)?;
        if !about.cluster.is_empty() {
            map.serialize_entry("cluster", &about.cluster)?;
        }
        if let Some(log_dir) = about.flags.get("log_dir") {
            map.serialize_entry("log_dir", log_dir)?;
        }
        map.serialize_entry("flags", &about.flags)?;
        slaves_entries(cluster, None, Detail::State, &mut map)?;
        frameworks_entries(cluster, None, &mut map)?;
        map.serialize_entry("orphan_tasks", &NONE)?;
        map.serialize_entry("unregistered_frameworks", &NONE)?;
        map.end()
    }
}

fn slaves_entries<M: SerializeMap>(
    cluster: &Cluster,
    only: Option<&str>,
    detail: Detail,
    map: &mut M,
) -> Result<(), M::Error> {
    let agents = Agents {
        cluster,
        only,
        detail,
    };
    map.serialize_entry("slaves", &agents)?;
    map.serialize_entry("recovered_slaves", &Missing { cluster, only })
}

fn frameworks_entries<M: SerializeMap>(
    cluster: &Cluster,
    only: Option<&str>,
    map: &mut M,
) -> Result<(), M::Error> {
    let living = AllLiving {
        cluster,
        only,
        summary: false,
    };
    map.serialize_entry("frameworks", &living)?;
    map.serialize_entry("completed_frameworks", &AllEnded { cluster, only })
}

/// `/state-summary`.
#[must_use]
pub fn state_summary(about: &About, cluster: &Cluster) -> Vec<u8> {
    #[derive(Serialize)]
    struct Summary<'a> {
        hostname: &'a str,
        #[serde(skip_serializing_if = "str::is_empty")]
        cluster: &'a str,
        slaves: Agents<'a>,
        frameworks: AllLiving<'a>,
    }
    to_vec(&Summary {
        hostname: split_address(&cluster.snapshot.leader.address).0,
        cluster: &about.cluster,
        slaves: Agents {
            cluster,
            only: None,
            detail: Detail::Summary,
        },
        frameworks: AllLiving {
            cluster,
            only: None,
            summary: true,
        },
    })
}

/// `/slaves`, or one of them.
#[must_use]
pub fn slaves(cluster: &Cluster, asked: &Parameters) -> Vec<u8> {
    struct Page<'a>(&'a Cluster, Option<&'a str>);
    impl Serialize for Page<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            slaves_entries(self.0, self.1, Detail::Full, &mut map)?;
            map.end()
        }
    }
    to_vec(&Page(cluster, asked.get("slave_id")))
}

/// `/frameworks`, or one of them.
#[must_use]
pub fn frameworks(cluster: &Cluster, asked: &Parameters) -> Vec<u8> {
    struct Page<'a>(&'a Cluster, Option<&'a str>);
    impl Serialize for Page<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            frameworks_entries(self.0, self.1, &mut map)?;
            map.serialize_entry("unregistered_frameworks", &NONE)?;
            map.end()
        }
    }
    to_vec(&Page(cluster, asked.get("framework_id")))
}

/// `/tasks`: newest first unless `order=asc`, from `offset` on, `limit` of them.
#[must_use]
pub fn tasks(cluster: &Cluster, asked: &Parameters) -> Vec<u8> {
    #[derive(Serialize)]
    struct Page<'a> {
        tasks: &'a [Task<'a>],
    }
    let number = |name: &str| asked.get(name).and_then(|text| text.parse::<usize>().ok());
    let limit = number("limit").unwrap_or(TASKS_SHOWN);
    let offset = number("offset").unwrap_or(0);
    let mut tasks = chosen_tasks(cluster, asked);
    let first_said = |task: &Task<'_>| -> Option<Wall> { Some(task.statuses.first()?.timestamp) };
    match asked.get("order") {
        Some("asc") => tasks.sort_by_key(first_said),
        _ => tasks.sort_by_key(|task| std::cmp::Reverse(first_said(task))),
    }
    let from = offset.min(tasks.len());
    let to = offset.saturating_add(limit).min(tasks.len());
    to_vec(&Page {
        tasks: &tasks[from..to],
    })
}

fn chosen_tasks<'a>(cluster: &'a Cluster, asked: &Parameters) -> Vec<Task<'a>> {
    let framework = asked.get("framework_id");
    let wanted = |id: &str| framework.is_none_or(|only| only == id);
    let mut tasks = Vec::new();
    for part in &cluster.snapshot.frameworks {
        let id = id_of(&part.info);
        if wanted(id.as_str()) {
            tasks.extend(part.tasks.iter().map(|task| Task::living(id, task)));
            tasks.extend(part.tasks_ended.iter().map(|task| Task::ended(id, task)));
        }
    }
    for part in &cluster.snapshot.frameworks_ended {
        let id = id_of(&part.info);
        if wanted(id.as_str()) {
            tasks.extend(part.tasks.iter().map(|task| Task::ended(id, task)));
        }
    }
    if let Some(only) = asked.get("task_id") {
        tasks.retain(|task| task.info.task_id.as_str() == only);
    }
    tasks
}

/// `/roles`.
#[must_use]
pub fn roles(cluster: &Cluster) -> Vec<u8> {
    #[derive(Serialize)]
    struct Page {
        roles: Vec<Role>,
    }
    let known = roles::all(cluster);
    to_vec(&Page {
        roles: known
            .iter()
            .map(|(role, sums)| shown_role(cluster, role, sums))
            .collect(),
    })
}

#[derive(Serialize)]
struct Role {
    name: String,
    weight: f64,
    quota: Quota,
    resources: Counted,
    allocated: Counted,
    offered: Counted,
    reserved: Counted,
    frameworks: Vec<String>,
}

#[derive(Serialize)]
struct Quota {
    role: String,
    guarantee: Counted,
    limit: Counted,
    consumed: Counted,
}

fn shown_role(cluster: &Cluster, role: &resources::Role, sums: &RoleSums) -> Role {
    let quota = cluster.settings.quotas.get(role);
    let guarantees = quota.map(|quota| Counted::from(&quota.guarantees));
    let limits = quota.map(|quota| Counted::from(&quota.limits));
    let frameworks = sums.frameworks.iter();
    Role {
        name: role.to_string(),
        weight: cluster.weight(role),
        quota: Quota {
            role: role.to_string(),
            guarantee: guarantees.unwrap_or_default(),
            limit: limits.unwrap_or_default(),
            consumed: Counted::from(&sums.consumed),
        },
        resources: Counted::from(&sums.resources()),
        allocated: Counted::from(&sums.allocated),
        offered: Counted::from(&sums.offered),
        reserved: Counted::from(&sums.reserved),
        frameworks: frameworks.map(|id| id.as_str().to_owned()).collect(),
    }
}

//! What the master of a simulated cluster says: who has what, and what waits and why.

use super::cluster::Cluster;
use super::instances::Standing;
use crate::capacity::amounts::Resource;
use crate::capacity::fit::{Lacks, on_machine};
use crate::capacity::offered;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tepui_core::model::Quota;
use tepui_core::placement::{Free, Shape};
use tepui_core::resources::{Quantities, Role};

/// The resources that have shares and quota.
const SHARED: [Resource; 4] = [
    Resource::Cpu,
    Resource::Memory,
    Resource::Disk,
    Resource::Gpu,
];

/// An application of a role.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApplicationState {
    /// Whose.
    pub role: String,
    /// Its name; empty for tasks that name none.
    pub application: String,
    /// How many of its tasks are to run.
    pub wanted: usize,
    /// How many run.
    pub runs: usize,
    /// How many wait for an offer that will do.
    pub waits: usize,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RoleState {
    /// Its name.
    pub role: String,
    /// Its weight.
    pub weight: f64,
    /// The largest part that it has of any resource, in percent, not weighted.
    pub dominant_share_pct: f64,
    /// Of which resource.
    pub dominant: Option<&'static str>,
    /// How many tasks of it and the roles below it run.
    pub runs: usize,
    /// How many wait.
    pub waits: usize,
    /// What it lacks of its guarantees, by resource; nothing where it has all that it wants.
    pub lacks: BTreeMap<&'static str, f64>,
    /// Whether it has what is guaranteed to it, or wants no more than it has; nothing without a
    /// guarantee.
    pub guarantee_met: Option<bool>,
    /// The resources of which it has all that its limits allow.
    pub at_limit: Vec<&'static str>,
}

/// How much of something could still be placed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Room {
    /// The shape, for people.
    pub shape: String,
    /// How many tasks of it fit on what is free and not reserved.
    pub fit_more: i64,
}

/// Why tasks wait.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Waiting {
    /// Whose.
    pub role: String,
    /// Of which application.
    pub application: String,
    /// How many.
    pub tasks: usize,
    /// What each asks for, for people.
    pub shape: String,
    /// Machines on which a resource is short, by resource.
    pub short_on: BTreeMap<&'static str, usize>,
    /// Machines where a constraint forbids it, by constraint.
    pub forbidden_on: BTreeMap<String, usize>,
    /// Machines where it would fit, but is not offered it: what is free there is kept for
    /// guarantees of others, or beyond its role's limits.
    pub kept_from_it_on: usize,
    /// What the master said of it, where it was refused.
    pub refused: Option<String>,
}

/// A cluster at rest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct State {
    /// Machines that are there.
    pub machines: usize,
    /// Tasks that run.
    pub runs: usize,
    /// Tasks that wait.
    pub waits: usize,
    /// Of all GPUs of the machines that are there, the part that is idle and of no use to the
    /// tasks that usually come, in percent; nothing without GPUs.
    pub frag_pct: Option<f64>,
    /// Roles, by name.
    pub roles: Vec<RoleState>,
    /// Applications, by role and name.
    pub applications: Vec<ApplicationState>,
    /// What waits, and why.
    pub waiting: Vec<Waiting>,
    /// How many of some shapes still fit.
    pub headroom: Vec<Room>,
}

/// A machine that is there: its place, and what is free on it for one role.
type FreeFor = Vec<(usize, Free)>;

fn free_for(cluster: &Cluster, role: &Role) -> FreeFor {
    let agents = cluster.leading().known_agents();
    let views = agents.filter_map(|(id, _)| cluster.leading().agent(id));
    let open = views.filter(|view| !view.deactivated && view.connected);
    let mut all: FreeFor = open
        .filter_map(|view| {
            let machine = cluster.plan.machine_of(&view.info.hostname)?;
            let free = view.free.allocatable_to(role);
            Some((
                machine,
                offered::free(&free, &cluster.plan.machines[machine]),
            ))
        })
        .collect();
    all.sort_unstable_by_key(|(machine, _)| *machine);
    all
}

impl State {
    /// What a cluster is like now; `shapes` are those whose headroom is wanted.
    #[must_use]
    pub fn of(cluster: &Cluster, shapes: &[Shape]) -> State {
        let applications = applications(cluster);
        let everybody = free_for(cluster, &Role::any());
        let room = |shape: &Shape| Room {
            shape: shape.to_string(),
            fit_more: everybody
                .iter()
                .map(|(_, free)| on_machine(free, shape).0)
                .sum(),
        };
        let leading = cluster.leading();
        State {
            machines: leading.known_agents().count(),
            runs: applications.iter().map(|one| one.runs).sum(),
            waits: applications.iter().map(|one| one.waits).sum(),
            frag_pct: fragmentation(cluster),
            roles: roles(cluster, &applications),
            waiting: waiting(cluster),
            headroom: shapes.iter().map(room).collect(),
            applications,
        }
    }
}

fn applications(cluster: &Cluster) -> Vec<ApplicationState> {
    let mut all: BTreeMap<(Arc<str>, Arc<str>), ApplicationState> = BTreeMap::new();
    for (unit, standing) in cluster.standings() {
        let unit = &cluster.plan.units[unit];
        let entry = all.entry((unit.role.clone(), unit.application.clone()));
        let state = entry.or_insert_with(|| ApplicationState {
            role: unit.role.to_string(),
            application: unit.application.to_string(),
            wanted: 0,
            runs: 0,
            waits: 0,
        });
        match standing {
            Standing::ToCome => continue,
            Standing::Launched { runs: true, .. } => state.runs += 1,
            _ => state.waits += 1,
        }
        state.wanted += 1;
    }
    all.into_values().collect()
}

/// The idle GPUs of machines that are there, as far as they are fragments.
fn fragmentation(cluster: &Cluster) -> Option<f64> {
    let plan = &cluster.plan;
    let leading = cluster.leading();
    let (mut fragment, mut capacity) = (0, 0);
    for (id, _) in leading.known_agents() {
        let view = leading.agent(id)?;
        let machine = &plan.machines[plan.machine_of(&view.info.hostname)?];
        capacity += machine.capacity.gpu_milli();
        fragment += plan.measure.of(&offered::free(&view.free, machine));
    }
    let count = plan.measure.count;
    (capacity > 0 && count > 0).then(|| 100.0 * fragment as f64 / count as f64 / capacity as f64)
}

fn roles(cluster: &Cluster, applications: &[ApplicationState]) -> Vec<RoleState> {
    let leading = cluster.leading();
    let mut totals = Quantities::ZERO;
    for (id, _) in leading.known_agents() {
        if let Some(view) = leading.agent(id) {
            totals.add(&view.total.quantities());
        }
    }
    let all = leading.roles().into_iter().map(|view| {
        let covered = applications.iter().filter(|one| {
            let role = Role::new(&one.role);
            role.is_ok_and(|role| view.role.covers(&role))
        });
        let (runs, waits) = covered.fold((0, 0), |(runs, waits), one| {
            (runs + one.runs, waits + one.waits)
        });
        let share = |resource: &Resource| {
            let (own, total) = (
                view.allocated.milli(resource.name()),
                totals.milli(resource.name()),
            );
            let percent = 100.0 * own as f64 / total.max(1) as f64;
            (own > 0 && total > 0).then_some((percent, resource.name()))
        };
        let dominant = SHARED.iter().filter_map(share);
        let dominant = dominant.max_by(|left, right| left.0.total_cmp(&right.0));
        let lacks = lacks(&view.quota, &view.consumed);
        let guaranteed = !view.quota.guarantees.is_zero();
        RoleState {
            role: view.role.as_str().to_owned(),
            weight: view.weight.to_f64(),
            dominant_share_pct: dominant.map_or(0.0, |(percent, _)| percent),
            dominant: dominant.map(|(_, name)| name),
            runs,
            waits,
            guarantee_met: guaranteed.then_some(lacks.is_empty() || waits == 0),
            lacks: if waits > 0 { lacks } else { BTreeMap::new() },
            at_limit: at_limit(&view.quota, &view.consumed),
        }
    });
    all.collect()
}

fn lacks(quota: &Quota, consumed: &Quantities) -> BTreeMap<&'static str, f64> {
    let unmet = quota.guarantees.saturating_sub(consumed);
    let lacking = |resource: &Resource| {
        let amount = offered::amount(*resource, unmet.milli(resource.name()));
        (resource.name(), resource.shown(amount))
    };
    let all = SHARED.iter().map(lacking);
    all.filter(|(_, lacking)| *lacking > 0.0).collect()
}

fn at_limit(quota: &Quota, consumed: &Quantities) -> Vec<&'static str> {
    let all = SHARED.iter().map(|resource| resource.name());
    all.filter(|name| {
        let limit = quota.limits.milli(name);
        limit.is_some_and(|limit| consumed.milli(name) >= limit)
    })
    .collect()
}

fn lack_name(lacks: Lacks) -> &'static str {
    match lacks {
        Lacks::Cpu => "cpus",
        Lacks::Memory => "mem",
        Lacks::Disk => "disk",
        Lacks::Ports => "ports",
        Lacks::Gpu => "gpus",
        Lacks::Model => "gpu model",
    }
}

/// Role, application, shape, and why it was refused, if it was.
type Kind = (Arc<str>, Arc<str>, Shape, Option<String>);

/// What waits, in kinds of the same role, application and shape.
fn waiting(cluster: &Cluster) -> Vec<Waiting> {
    let plan = &cluster.plan;
    let mut frees: BTreeMap<Arc<str>, FreeFor> = BTreeMap::new();
    let mut all: BTreeMap<Kind, Waiting> = BTreeMap::new();
    for (logic, framework) in cluster.instances().zip(&plan.frameworks) {
        let mut seen = BTreeSet::new();
        for (unit, standing) in logic.units() {
            let refused = match standing {
                Standing::Waiting => None,
                Standing::Refused(why) => Some(why.clone()),
                Standing::ToCome | Standing::Launched { .. } => continue,
            };
            let unit = &plan.units[*unit];
            let key = (
                unit.role.clone(),
                unit.application.clone(),
                unit.shape,
                refused,
            );
            if !seen.insert(key.clone()) {
                all.get_mut(&key).expect("seen before").tasks += 1;
                continue;
            }
            let free = frees.entry(unit.role.clone()).or_insert_with(|| {
                let role = Role::new(&framework.role);
                free_for(cluster, &role.expect("a framework subscribed in it"))
            });
            let mut waiting = Waiting {
                role: unit.role.to_string(),
                application: unit.application.to_string(),
                tasks: 1,
                shape: unit.shape.to_string(),
                short_on: BTreeMap::new(),
                forbidden_on: BTreeMap::new(),
                kept_from_it_on: 0,
                refused: key.3.clone(),
            };
            for (machine, free) in free.iter() {
                let (fits, lacks) = on_machine(free, &unit.shape);
                if fits == 0 {
                    *waiting.short_on.entry(lack_name(lacks)).or_insert(0) += 1;
                } else if let Some(constraint) = logic.forbids(&unit.application, *machine) {
                    *waiting.forbidden_on.entry(constraint).or_insert(0) += 1;
                } else {
                    waiting.kept_from_it_on += 1;
                }
            }
            all.insert(key, waiting);
        }
    }
    all.into_values().collect()
}

impl Waiting {
    /// In words: `14 tasks of role web wait (2 cpus, 1024 MiB each): mem is short on 40 machines`.
    #[must_use]
    pub fn words(&self) -> String {
        let (tasks, verb) = match self.tasks {
            1 => ("1 task".to_owned(), "waits"),
            tasks => (format!("{tasks} tasks"), "wait"),
        };
        let of = match self.application.as_str() {
            "" => format!("of role {}", self.role),
            name => format!("of '{name}' in role {}", self.role),
        };
        let machines = |count: usize| match count {
            1 => "1 machine".to_owned(),
            count => format!("{count} machines"),
        };
        let mut reasons = Vec::new();
        if let Some(why) = &self.refused {
            reasons.push(format!("the master refused: {why}"));
        } else {
            let short = self.short_on.iter();
            reasons.extend(short.map(|(name, on)| match *name {
                "gpu model" => format!("{} have another GPU model", machines(*on)),
                name => format!("{name} is short on {}", machines(*on)),
            }));
            let forbidden = self.forbidden_on.iter();
            reasons.extend(forbidden.map(|(what, on)| format!("{what} forbids {}", machines(*on))));
            if self.kept_from_it_on > 0 {
                reasons.push(format!(
                    "it would fit on {}, but its role is at a limit, or that is kept for others' \
                     guarantees",
                    machines(self.kept_from_it_on)
                ));
            }
            if reasons.is_empty() {
                reasons.push("no machine is left".to_owned());
            }
        }
        format!(
            "{tasks} {of} {verb} ({} each): {}",
            self.shape,
            reasons.join("; ")
        )
    }
}

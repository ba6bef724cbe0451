//! A cluster as its master describes it: `/state`, `/slaves` and `/roles`, live or saved.
//!
//! `/state` alone is enough. `/slaves` adds of which reservations the agents' tasks use what, and
//! which disks are volumes; `/roles` adds weights and quota.
//!
//! What executors use, and other things that are no tasks, counts as if the agent did not have it.
//! A task that is over does not count. A task belongs to the application that its label
//! `application` names, or else to `framework/name`: the name of its framework, and its own
//! without a number at the end (`web.3`, `web-3` and `web_3` are instances of `web`).

use super::models::ModelNames;
use super::pages::{Agent, Flat, Framework, Item, Page, RolePage, TaskPage};
use super::texts;
use super::{AMOUNT_MAX, Given};
use crate::capacity::amounts::{Amounts, Resource};
use crate::capacity::error::PlanError;
use crate::capacity::machine::Machine;
use crate::capacity::roles::{RoleSettings, Roles, covers, named};
use crate::capacity::snapshot::{Running, Snapshot};
use crate::capacity::task::Task;
use std::collections::BTreeMap;
use std::sync::Arc;
use tepui_core::placement::{Capacity, Free, GPUS_MAX, Shape, WHOLE_GPU_MILLI};

/// The label of a task that names its application.
pub const APPLICATION_LABEL: &str = "application";

/// The label of a task that says what it costs to move it, in whole numbers.
pub const COST_LABEL: &str = "cost";

/// The attribute of an agent that names the model of its GPUs.
pub const MODEL_ATTRIBUTE: &str = "gpu_model";

/// States in which a task has its resources.
const LIVE: [&str; 4] = [
    "TASK_STAGING",
    "TASK_STARTING",
    "TASK_RUNNING",
    "TASK_KILLING",
];

/// Pages of one master, each as the bytes of its body.
#[derive(Debug, Default)]
pub struct Pages<'a> {
    state: Option<Page<'a>>,
    slaves: Option<Page<'a>>,
    roles: Option<Page<'a>>,
}

impl<'a> Pages<'a> {
    /// Adds a page; what it is, is seen from what it holds. `name` is for messages.
    ///
    /// # Errors
    /// When it is none of the three.
    pub fn add(&mut self, name: &str, body: &'a [u8]) -> Result<(), PlanError> {
        let page: Page<'a> = serde_json::from_slice(body).map_err(|error| PlanError::Line {
            path: name.to_owned(),
            line: error.line(),
            problem: format!("this is not what a master answers: {error}"),
        })?;
        let place = match (&page.frameworks, &page.slaves, &page.roles) {
            (Some(_), Some(_), _) => &mut self.state,
            (None, Some(_), _) => &mut self.slaves,
            (None, None, Some(_)) => &mut self.roles,
            _ => {
                return Err(PlanError::Mismatch(format!(
                    "{name}: this is neither a master's /state nor its /slaves nor its /roles"
                )));
            }
        };
        *place = Some(page);
        Ok(())
    }

    /// The cluster.
    ///
    /// # Errors
    /// When no page lists agents, or one has more than can be planned with.
    pub fn given(self) -> Result<Given, PlanError> {
        let agents = |page: Option<Page<'a>>| page.and_then(|page| page.slaves);
        let (mut frameworks, mut listed) = (Vec::new(), None);
        if let Some(state) = self.state {
            frameworks = state.frameworks.unwrap_or_default();
            listed = state.slaves;
        }
        // The page that says more about the agents is the one that counts.
        let Some(mut agents) = agents(self.slaves).or(listed) else {
            let text = "no page lists agents: save the master's /state or /slaves";
            return Err(PlanError::Mismatch(text.to_owned()));
        };
        agents.sort_by(|left, right| left.id.cmp(&right.id));
        let mut snapshot = Snapshot::default();
        let tasks = tasks_by_agent(&frameworks, &agents);
        let mut models = ModelNames::default();
        for (place, (agent, tasks)) in agents.iter().zip(tasks).enumerate() {
            let (machine, running) = cut_out(agent, tasks, place, &mut models)?;
            snapshot.machines.push(machine);
            snapshot.running.extend(running);
        }
        snapshot.running.sort_by(|left, right| {
            (&left.task.name, left.machine).cmp(&(&right.task.name, right.machine))
        });
        snapshot.models = models.0;
        let roles = self.roles.and_then(|page| page.roles).unwrap_or_default();
        snapshot.roles = Roles(roles.iter().filter_map(settings).collect());
        Ok(Given {
            snapshot,
            arrivals: Vec::new(),
        })
    }
}

/// The tasks that hold resources, by the places of their agents.
fn tasks_by_agent(frameworks: &[Framework<'_>], agents: &[Agent<'_>]) -> Vec<Vec<Task>> {
    let mut by_agent = vec![Vec::new(); agents.len()];
    let mut texts = Texts::default();
    for framework in frameworks {
        for task in &framework.tasks {
            let agent = agents.binary_search_by(|agent| agent.id.cmp(&task.slave_id));
            if let (Ok(agent), true) = (agent, LIVE.contains(&&*task.state.0)) {
                let role = task.role.as_ref().or(framework.role.as_ref());
                by_agent[agent].push(Task {
                    name: task.id.0.clone().into_owned(),
                    application: texts.shared(&application(framework, task)),
                    role: texts.shared(named(role.map_or("", |role| &role.0))),
                    shape: shape(&task.resources),
                    cost: label(task, COST_LABEL).map_or(0, |cost| cost.parse().unwrap_or(0)),
                });
            }
        }
    }
    for tasks in &mut by_agent {
        tasks.sort_by(|left, right| left.name.cmp(&right.name));
    }
    by_agent
}

/// Texts that come many times, each kept once.
#[derive(Default)]
struct Texts(std::collections::BTreeSet<Arc<str>>);

impl Texts {
    fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(text);
        self.0.insert(Arc::clone(&new));
        new
    }
}

fn application(framework: &Framework<'_>, task: &TaskPage<'_>) -> String {
    match label(task, APPLICATION_LABEL) {
        Some(name) => name.to_owned(),
        None => format!("{}/{}", framework.name.0, stem(&task.name.0)),
    }
}

fn label<'t>(task: &'t TaskPage<'_>, key: &str) -> Option<&'t str> {
    let mut labels = task.labels.iter().flatten();
    let found = labels.find(|label| label.key.0 == key)?;
    found.value.as_ref().map(|value| &*value.0)
}

/// A name without a number at its end.
fn stem(name: &str) -> &str {
    let stem = name.trim_end_matches(|char: char| char.is_ascii_digit());
    match stem.strip_suffix(['.', '-', '_']) {
        Some(stem) if !stem.is_empty() && name.len() > stem.len() + 1 => stem,
        _ => name,
    }
}

/// What a task asks for; parts of a MiB are whole ones.
fn shape(resources: &Flat<'_>) -> Shape {
    let exact = resources.exact();
    let up = |resource: Resource| {
        let units = 1000 / resource.units();
        (exact[resource] + units - 1) / units
    };
    let gpu_milli = up(Resource::Gpu).min(GPUS_MAX as i64 * i64::from(WHOLE_GPU_MILLI));
    let (gpus, each) = match gpu_milli {
        0 => (0, 0),
        share if share < i64::from(WHOLE_GPU_MILLI) => (1, share as i32),
        whole => (
            (whole as u64).div_ceil(WHOLE_GPU_MILLI as u64) as u32,
            WHOLE_GPU_MILLI,
        ),
    };
    Shape {
        cpu_milli: up(Resource::Cpu),
        memory_mib: up(Resource::Memory),
        disk_mib: up(Resource::Disk),
        ports: up(Resource::Ports),
        gpus,
        gpu_milli: each,
        ..Shape::default()
    }
}

/// What is left, in whole units.
fn down(exact: &Amounts) -> Amounts {
    let mut whole = Amounts::default();
    for (resource, amount) in exact.iter() {
        whole[resource] = (amount / (1000 / resource.units())).clamp(0, AMOUNT_MAX);
    }
    whole
}

/// An agent as a machine: what is free on it, and what its tasks have.
fn cut_out(
    agent: &Agent<'_>,
    tasks: Vec<Task>,
    place: usize,
    models: &mut ModelNames,
) -> Result<(Machine, Vec<Running>), PlanError> {
    let left = Left::of(agent, &tasks);
    let mut all = left.free;
    tasks
        .iter()
        .for_each(|task| all += Amounts::of_shape(&task.shape));
    let id = &agent.id.0;
    let wrong = |why: String| PlanError::Mismatch(format!("agent {id}: {why}"));
    let (mut running, gpus) = with_devices(tasks, place).map_err(wrong)?;
    // The pages do not say whose task uses a volume, so any of the role may.
    let used = agent.used_resources_full.iter().flatten();
    let bound: Vec<&str> = used.filter_map(Item::bound_for).collect();
    for running in &mut running {
        let role = named(&running.task.role);
        running.pinned = bound
            .iter()
            .any(|reserved| reserved.is_empty() || covers(reserved, role));
    }
    let whole = i64::from(WHOLE_GPU_MILLI);
    // Shares of GPUs may leave no whole one where the sum would.
    all[Resource::Gpu] = (all[Resource::Gpu] / whole).max(gpus as i64) * whole;
    let attributes = agent.attributes();
    let mut capacity: Capacity = texts::capacity(&all).map_err(wrong)?;
    if let Some(model) = attributes.get(MODEL_ATTRIBUTE) {
        capacity.model = models.bit(model).map_err(wrong)?;
    }
    let machine = Machine {
        name: id.clone().into_owned(),
        hostname: agent.hostname.0.clone().into_owned(),
        capacity,
        reserved: left.reserved,
        attributes,
        price_milli: None,
        closed: !agent.active || agent.deactivated,
    };
    Ok((machine, running))
}

/// Gives tasks their GPUs: whole ones first, then shares, each in the order of names.
fn with_devices(tasks: Vec<Task>, machine: usize) -> Result<(Vec<Running>, usize), String> {
    let mut free = Free::all_of(&Capacity {
        gpus: GPUS_MAX,
        ..Capacity::default()
    });
    let mut running: Vec<Running> = Vec::with_capacity(tasks.len());
    let mut used = 0_u32;
    let (shares, whole): (Vec<Task>, Vec<Task>) =
        tasks.into_iter().partition(|task| task.shape.is_share());
    for task in whole.into_iter().chain(shares) {
        let gpus_only = Shape {
            gpus: task.shape.gpus,
            gpu_milli: task.shape.gpu_milli,
            ..Shape::default()
        };
        if !free.fits(&gpus_only) {
            return Err(format!("its tasks have more than {GPUS_MAX} GPUs"));
        }
        let devices = free.usual_devices(&gpus_only);
        free.take(&gpus_only, devices);
        used |= devices.0;
        running.push(Running {
            task,
            machine,
            devices,
            pinned: false,
        });
    }
    Ok((running, (u32::BITS - used.leading_zeros()) as usize))
}

/// What is left on an agent.
struct Left {
    /// By anybody.
    free: Amounts,
    /// How much the agent has to reserve so that its tasks leave of it what is left.
    reserved: BTreeMap<Arc<str>, Amounts>,
}

impl Left {
    fn of(agent: &Agent<'_>, tasks: &[Task]) -> Left {
        match agent.unreserved_resources_full.is_some() {
            true => Left::by_reservations(agent, tasks),
            false => Left::by_sums(agent),
        }
    }

    /// From sums alone: tasks are taken to use what is reserved for them first.
    fn by_sums(agent: &Agent<'_>) -> Left {
        let mut free = agent.resources.exact();
        free -= agent.used_resources.exact();
        let reserved = agent.reserved_resources.iter();
        let reserved = reserved.map(|(role, amounts)| (Arc::from(&**role), down(&amounts.exact())));
        Left {
            free: down(&free),
            reserved: reserved.collect(),
        }
    }

    /// It is known what of each reservation is used. A role that uses what is reserved for nobody
    /// while some of its own is left has that much more reserved: its tasks keep what they have.
    fn by_reservations(agent: &Agent<'_>, tasks: &[Task]) -> Left {
        let (pools, free) = pools(agent);
        let mut left = Left {
            free,
            reserved: BTreeMap::new(),
        };
        let mut held = vec![false; tasks.len()];
        let mut from_below: BTreeMap<&str, Amounts> = BTreeMap::new();
        // A role is behind those above it.
        for (role, pool) in pools.iter().rev() {
            let mut used = from_below.remove(role).unwrap_or_default();
            for (task, held) in tasks.iter().zip(&mut held) {
                if !*held && covers(role, &task.role) {
                    *held = true;
                    used += Amounts::of_shape(&task.shape);
                }
            }
            let (free, in_use) = (down(&pool.left), down(&pool.used));
            let (mut own, mut beyond) = (free, used);
            for resource in Resource::ALL {
                own[resource] += match free[resource] {
                    0 => used[resource].min(in_use[resource]),
                    _ => used[resource],
                };
                beyond[resource] -= own[resource] - free[resource];
            }
            left.free += free;
            left.reserved.insert(Arc::from(*role), own);
            let mut above = pools.keys().rev();
            if let Some(above) = above.find(|above| above != &role && covers(above, role)) {
                *from_below.entry(above).or_default() += beyond;
            }
        }
        left
    }
}

/// What of a reservation is left, and what is used, in thousandths.
#[derive(Default)]
struct Pool {
    left: Amounts,
    used: Amounts,
}

/// Reservations by role, and what is left of what is reserved for nobody.
fn pools<'p>(agent: &'p Agent<'_>) -> (BTreeMap<&'p str, Pool>, Amounts) {
    let mut pools: BTreeMap<&str, Pool> = BTreeMap::new();
    let used = agent.used_resources_full.iter().flatten();
    let used = used.map(|item| (item, true));
    for (item, is_used) in agent.full_items().map(|item| (item, false)).chain(used) {
        let Some(role) = item.reserved_for() else {
            continue;
        };
        let pool = pools.entry(role).or_default();
        if is_used {
            item.add_to(&mut pool.used, 1);
            item.add_to(&mut pool.left, -1);
        } else {
            item.add_to(&mut pool.left, 1);
        }
    }
    let open = pools.remove("").unwrap_or_default();
    (pools, down(&open.left))
}

/// What `/roles` says of one role; nothing of those for which nothing is set.
fn settings(role: &RolePage<'_>) -> Option<(Arc<str>, RoleSettings)> {
    let amounts = |page: &BTreeMap<String, f64>, round: fn(f64) -> f64| {
        let known = Resource::ALL.into_iter().filter_map(|resource| {
            let amount = page.get(resource.name())?;
            Some((resource, round(amount * resource.units() as f64) as i64))
        });
        known.collect()
    };
    let mut set = RoleSettings {
        weight_milli: (role.weight * 1000.0).round() as i64,
        ..RoleSettings::default()
    };
    if let Some(quota) = &role.quota {
        set.guarantees = amounts(&quota.guarantee, f64::ceil);
        set.limits = amounts(&quota.limit, f64::floor);
    }
    let any = set != RoleSettings::default();
    any.then(|| (Arc::from(&*role.name.0), set))
}

impl<'a> Agent<'a> {
    fn full_items(&self) -> impl Iterator<Item = &Item<'a>> {
        let reserved = self.reserved_resources_full.values().flatten();
        self.unreserved_resources_full
            .iter()
            .flatten()
            .chain(reserved)
    }
}

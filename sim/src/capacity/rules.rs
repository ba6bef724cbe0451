//! Who may use what is free: reservations, limits of quota, constraints, and machines that take no
//! more tasks. All of it is above the question whether a task fits into what is free at all.
//!
//! **Reservations.** A task of role `a/b` may use what is reserved for `a/b`, for `a`, and what is
//! reserved for nobody, and uses it in this order. Amounts are not bound to tasks: what each role
//! uses in all on a machine decides how much is left of what, not the order in which tasks came or
//! went. So a place can be looked at without the history behind it.
//!
//! **Limits.** A role's limit bounds what is reserved for it and the roles below it, used or not,
//! and what these use beyond that; as the allocator counts it.

use super::amounts::{Amounts, Resource};
use super::constraints::{Constraint, Spread};
use super::machine::Machine;
use super::roles::{Roles, covers, named};
use super::room::Room;
use super::task::Task;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use tepui_core::placement::{Free, Shape};

/// What of a task decides where it may go.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Demand {
    /// What it asks for.
    pub shape: Shape,
    /// Its role; empty: `*`.
    pub role: Arc<str>,
    /// Of which application it is an instance; empty: of none.
    pub application: Arc<str>,
}

impl Demand {
    /// A task's.
    #[must_use]
    pub fn of(task: &Task) -> Demand {
        Demand {
            shape: task.shape,
            role: Arc::clone(&task.role),
            application: Arc::clone(&task.application),
        }
    }
}

/// Why a task does not go to a machine where something is free.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// The machine takes no more tasks.
    Closed,
    /// There is too little of it for anybody.
    Short(Resource),
    /// Its GPUs are of a model that will not do.
    Model,
    /// There would be enough, were it not reserved for others.
    Reserved(Resource),
    /// This constraint of its application.
    Constraint(String),
    /// The limit of this role.
    Limit(Arc<str>, Resource),
}

/// As it is called in tables and in JSON.
impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::Closed => f.write_str("closed"),
            Obstacle::Short(resource) => write!(f, "{resource}"),
            Obstacle::Model => f.write_str("gpu_model"),
            Obstacle::Reserved(resource) => write!(f, "reserved {resource}"),
            Obstacle::Constraint(constraint) => write!(f, "constraint {constraint}"),
            Obstacle::Limit(role, resource) => write!(f, "limit of {role} on {resource}"),
        }
    }
}

/// A demand, with its role and its application looked up.
#[derive(Clone, Debug)]
pub struct Tenant {
    shape: Shape,
    asked: Amounts,
    /// The roles for which something is reserved somewhere that it may use, the nearest first.
    chain: Vec<u32>,
    limit: Option<usize>,
    spread: Option<usize>,
}

impl Tenant {
    /// Whether what happens on one machine decides about others too.
    #[must_use]
    pub fn is_bound_elsewhere(&self) -> bool {
        self.limit.is_some() || self.spread.is_some()
    }

    /// Whether it has constraints.
    #[must_use]
    pub fn is_constrained(&self) -> bool {
        self.spread.is_some()
    }

    /// What it asks for.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }
}

/// A role's limit, and how much of it is used.
#[derive(Clone, Debug)]
struct Limit {
    role: Arc<str>,
    limits: BTreeMap<Resource, i64>,
    used: Amounts,
}

/// The rules, with all that runs.
#[derive(Clone, Debug)]
pub struct Rules {
    closed: Vec<bool>,
    /// By machine; nothing where nothing is reserved.
    rooms: Vec<Option<Box<Room>>>,
    /// All roles for which something is reserved, sorted.
    reserving: Vec<Arc<str>>,
    limits: Vec<Limit>,
    spreads: Vec<Spread>,
    spread_of: BTreeMap<Arc<str>, usize>,
}

impl Rules {
    /// For these machines, by whose order they are numbered; nothing runs on them yet.
    #[must_use]
    pub fn new<'a>(
        machines: impl IntoIterator<Item = &'a Machine>,
        roles: &Roles,
        constraints: &BTreeMap<Arc<str>, Vec<Constraint>>,
    ) -> Rules {
        let machines: Vec<&Machine> = machines.into_iter().collect();
        let mut reserving: Vec<Arc<str>> = machines
            .iter()
            .flat_map(|machine| machine.reserved.keys().cloned())
            .collect();
        reserving.sort_unstable();
        reserving.dedup();
        let limited = roles.0.iter().filter(|(_, set)| !set.limits.is_empty());
        let limits = limited.map(|(role, set)| Limit {
            role: Arc::clone(role),
            limits: set.limits.clone(),
            used: reserved_for(&machines, role),
        });
        let (mut spreads, mut spread_of) = (Vec::new(), BTreeMap::new());
        for (application, constraints) in constraints {
            if !constraints.is_empty() {
                spread_of.insert(Arc::clone(application), spreads.len());
                spreads.push(Spread::new(constraints, &machines));
            }
        }
        let room = |machine: &Machine| {
            let has = !machine.reserved.is_empty();
            has.then(|| Box::new(Room::new(machine, &reserving)))
        };
        Rules {
            closed: machines.iter().map(|machine| machine.closed).collect(),
            rooms: machines.iter().copied().map(room).collect(),
            limits: limits.collect(),
            spreads,
            spread_of,
            reserving,
        }
    }

    /// Whether there are none, but for machines that take no more tasks.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.reserving.is_empty() && self.limits.is_empty() && self.spreads.is_empty()
    }

    /// Whether a machine takes no more tasks.
    #[must_use]
    pub fn is_closed(&self, machine: usize) -> bool {
        self.closed[machine]
    }

    /// Looks up whose a demand is.
    #[must_use]
    pub fn tenant(&self, demand: &Demand) -> Tenant {
        let role = named(&demand.role);
        let mut chain: Vec<u32> = (0..self.reserving.len() as u32)
            .filter(|name| covers(&self.reserving[*name as usize], role))
            .collect();
        // A role sorts behind those above it.
        chain.reverse();
        Tenant {
            asked: Amounts::of_shape(&demand.shape),
            shape: demand.shape,
            chain,
            limit: self
                .limits
                .iter()
                .position(|limit| covers(&limit.role, role)),
            spread: self.spread_of.get(&demand.application).copied(),
        }
    }

    /// What is free on a machine for a tenant, constraints and limits aside.
    #[must_use]
    pub fn view(&self, machine: usize, free: &Free, tenant: &Tenant) -> Free {
        let mut view = *free;
        if self.closed[machine] {
            return nothing_of(free);
        }
        if let Some(room) = &self.rooms[machine] {
            let most = room.available(&tenant.chain);
            view.cpu_milli = view.cpu_milli.min(most[Resource::Cpu]);
            view.memory_mib = view.memory_mib.min(most[Resource::Memory]);
            view.disk_mib = view.disk_mib.min(most[Resource::Disk]);
            view.ports = view.ports.min(most[Resource::Ports]);
            view.gpu_milli = view.gpu_milli.min(most[Resource::Gpu]);
        }
        view
    }

    /// Whether one more may go to a machine on which so much is free.
    #[must_use]
    pub fn allows(&self, machine: usize, free: &Free, tenant: &Tenant) -> bool {
        if self.closed[machine] || !free.fits(&tenant.shape) {
            return false;
        }
        if let Some(room) = &self.rooms[machine]
            && !room.available(&tenant.chain).contains(&tenant.asked)
        {
            return false;
        }
        self.forbids(machine, tenant).is_none() && self.beyond(machine, tenant).is_none()
    }

    /// Every reason why one more may not go to a machine; none if it may.
    #[must_use]
    pub fn obstacles(&self, machine: usize, free: &Free, tenant: &Tenant) -> Vec<Obstacle> {
        if self.closed[machine] {
            return vec![Obstacle::Closed];
        }
        let mut all = short_of(free, &tenant.shape);
        if let Some(room) = &self.rooms[machine] {
            let most = room.available(&tenant.chain);
            for (resource, asked) in tenant.asked.iter() {
                let short = Obstacle::Short(resource);
                if asked > most[resource] && asked > 0 && !all.contains(&short) {
                    all.push(Obstacle::Reserved(resource));
                }
            }
        }
        let forbids = self.forbids(machine, tenant);
        all.extend(forbids.map(|one| Obstacle::Constraint(one.to_string())));
        let beyond = self.beyond(machine, tenant);
        all.extend(beyond.map(|(role, resource)| Obstacle::Limit(role, resource)));
        all
    }

    /// What a tenant's constraints see of a machine.
    #[must_use]
    pub fn values(&self, machine: usize, tenant: &Tenant) -> Vec<u32> {
        match tenant.spread {
            Some(spread) => self.spreads[spread].values(machine),
            None => Vec::new(),
        }
    }

    /// Whether a tenant's first task decides where all others go.
    #[must_use]
    pub fn clusters(&self, tenant: &Tenant) -> bool {
        tenant
            .spread
            .is_some_and(|spread| self.spreads[spread].clusters())
    }

    /// Whether a constraint keeps one more off a machine; that may change with the others.
    #[must_use]
    pub fn waits(&self, machine: usize, tenant: &Tenant) -> bool {
        self.forbids(machine, tenant).is_some()
    }

    fn forbids(&self, machine: usize, tenant: &Tenant) -> Option<&Constraint> {
        self.spreads[tenant.spread?].forbids(machine)
    }

    /// The limit that one more on this machine would break.
    fn beyond(&self, machine: usize, tenant: &Tenant) -> Option<(Arc<str>, Resource)> {
        let limit = &self.limits[tenant.limit?];
        let more = self.beyond_reservations(machine, tenant);
        let broken = limit.limits.iter().find(|(resource, most)| {
            more[**resource] > 0 && limit.used[**resource] + more[**resource] > **most
        });
        broken.map(|(resource, _)| (Arc::clone(&limit.role), *resource))
    }

    /// What one more would use on a machine of what is reserved for nobody.
    fn beyond_reservations(&self, machine: usize, tenant: &Tenant) -> Amounts {
        let mut more = tenant.asked;
        if let Some(room) = &self.rooms[machine] {
            more -= room.reserved_left(&tenant.chain).min(&more);
        }
        more
    }

    /// One more is on a machine now.
    pub fn add(&mut self, machine: usize, tenant: &Tenant) {
        if let Some(limit) = tenant.limit {
            let more = self.beyond_reservations(machine, tenant);
            self.limits[limit].used += more;
        }
        if let Some(room) = &mut self.rooms[machine] {
            room.add(&tenant.chain, &tenant.asked);
        }
        if let Some(spread) = tenant.spread {
            self.spreads[spread].add(machine);
        }
    }

    /// One has left a machine.
    pub fn remove(&mut self, machine: usize, tenant: &Tenant) {
        if let Some(spread) = tenant.spread {
            self.spreads[spread].remove(machine);
        }
        if let Some(room) = &mut self.rooms[machine] {
            room.remove(&tenant.chain, &tenant.asked);
        }
        if let Some(limit) = tenant.limit {
            let less = self.beyond_reservations(machine, tenant);
            self.limits[limit].used -= less;
        }
    }
}

/// What is reserved for a role and those below it on all machines.
fn reserved_for(machines: &[&Machine], role: &str) -> Amounts {
    let mut sum = Amounts::default();
    for (reserved, amounts) in machines.iter().flat_map(|machine| &machine.reserved) {
        if covers(role, reserved) {
            sum += *amounts;
        }
    }
    sum
}

/// What is too small for a shape, whoever asks.
fn short_of(free: &Free, shape: &Shape) -> Vec<Obstacle> {
    let (have, asked) = (Amounts::of_free(free), Amounts::of_shape(shape));
    let short = |resource: &Resource| match resource {
        Resource::Gpu if shape.gpus == 0 => false,
        Resource::Gpu => {
            let enough = free.devices().iter().filter(|d| **d >= shape.gpu_milli);
            enough.count() < shape.gpus as usize
        }
        resource => have[*resource] < asked[*resource],
    };
    let mut all: Vec<Obstacle> = Vec::new();
    if shape.gpus > 0 && !shape.models.allow(free.model) {
        all.push(Obstacle::Model);
    }
    let all_short = Resource::ALL.into_iter().filter(short);
    all.extend(all_short.map(Obstacle::Short));
    all
}

/// A machine like this one that has nothing left.
fn nothing_of(free: &Free) -> Free {
    let mut nothing = Free::all_of(&tepui_core::placement::Capacity::default());
    nothing.model = free.model;
    nothing
}

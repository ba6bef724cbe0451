//! A snapshot on which more tasks are put: how many more fit, and why no more do.

use super::amounts::{Amounts, Resource};
use super::fit::{self, Lacks};
use super::rules::{Demand, Obstacle, Rules, Tenant};
use super::snapshot::Snapshot;
use std::collections::BTreeMap;
use tepui_core::placement::{Free, Shape};

/// What is free, and who may use it.
#[derive(Clone, Debug)]
pub struct Occupied {
    free: Vec<Free>,
    rules: Rules,
}

/// How much of a resource is missing for one more task, over all machines that have too little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// How many machines have too little.
    pub machines: usize,
    /// On how many of them nothing else is in the way.
    pub alone: usize,
    /// What is missing where the least is.
    pub least: i64,
    /// What is missing at the median, the lower one of two.
    pub median: i64,
}

/// Why one more task goes to none of the machines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WhyNot {
    /// How many machines there are.
    pub machines: usize,
    /// How many of them would still take one.
    pub would_take: usize,
    /// How many machines each obstacle is in the way on; often there is more than one.
    pub obstacles: BTreeMap<Obstacle, usize>,
    /// By resource, reserved for others or used.
    pub shortfalls: BTreeMap<Resource, Shortfall>,
}

impl Occupied {
    /// As the snapshot is.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Occupied {
        Occupied {
            free: snapshot.free(),
            rules: snapshot.rules(),
        }
    }

    /// Looks up whose a demand is.
    #[must_use]
    pub fn tenant(&self, demand: &Demand) -> Tenant {
        self.rules.tenant(demand)
    }

    /// What is free, machine by machine.
    #[must_use]
    pub fn free(&self) -> &[Free] {
        &self.free
    }

    /// What is free for a tenant, machine by machine, constraints and limits aside.
    pub fn views<'a>(&'a self, tenant: &'a Tenant) -> impl Iterator<Item = Free> + 'a {
        let free = self.free.iter().enumerate();
        free.map(|(machine, free)| self.rules.view(machine, free, tenant))
    }

    /// How many more fit: by a formula for each machine, or one by one where what happens on one
    /// machine decides about others.
    #[must_use]
    pub fn fit_more(&self, tenant: &Tenant) -> i64 {
        if tenant.is_bound_elsewhere() {
            return self.clone().place(tenant, i64::MAX);
        }
        let views = self.views(tenant);
        views
            .map(|view| fit::on_machine(&view, tenant.shape()).0)
            .sum()
    }

    /// How many more the sums of what is free for a tenant promise.
    #[must_use]
    pub fn by_totals(&self, tenant: &Tenant) -> i64 {
        let views: Vec<Free> = self.views(tenant).collect();
        fit::by_totals(&views, tenant.shape())
    }

    /// On how many machines each resource is the one that runs out first.
    #[must_use]
    pub fn runs_out(&self, tenant: &Tenant) -> BTreeMap<Lacks, usize> {
        let mut lacks = BTreeMap::new();
        for (machine, view) in self.views(tenant).enumerate() {
            if !self.rules.is_closed(machine) {
                let (_, first) = fit::on_machine(&view, tenant.shape());
                *lacks.entry(first).or_insert(0) += 1;
            }
        }
        lacks
    }

    /// Puts up to `most` tasks on the machines, and says how many it could.
    ///
    /// Without constraints, machines are filled one after another. With them, machines that are
    /// alike to all constraints take turns with the others, one task at a time, as often as any of
    /// them may take one: that is how even groups grow. A `CLUSTER` that has no instance yet
    /// begins where the most would fit.
    pub fn place(&mut self, tenant: &Tenant, most: i64) -> i64 {
        let mut groups = self.groups(tenant);
        let mut placed = 0;
        while placed < most {
            let before = placed;
            for group in &mut groups {
                let all_at_once = !tenant.is_constrained();
                while placed < most && self.place_in(group, tenant) {
                    placed += 1;
                    if !all_at_once {
                        break;
                    }
                }
            }
            if placed == before {
                break;
            }
            groups.retain(|group| !group.is_empty());
        }
        placed
    }

    /// Machines on which at least one more fits, apart by what constraints see of them, in the
    /// order in which they take tasks; the first of a group is last.
    fn groups(&self, tenant: &Tenant) -> Vec<Vec<usize>> {
        let mut by_values: BTreeMap<Vec<u32>, (i64, Vec<usize>)> = BTreeMap::new();
        for (machine, view) in self.views(tenant).enumerate() {
            let (fit, _) = fit::on_machine(&view, tenant.shape());
            if fit > 0 {
                let values = self.rules.values(machine, tenant);
                let group = by_values.entry(values).or_default();
                group.0 += fit;
                group.1.push(machine);
            }
        }
        let mut groups: Vec<(i64, Vec<usize>)> = by_values.into_values().collect();
        groups
            .iter_mut()
            .for_each(|(_, machines)| machines.reverse());
        if self.rules.clusters(tenant) {
            groups
                .sort_by_key(|(fit, machines)| (std::cmp::Reverse(*fit), machines.last().copied()));
        } else {
            groups.sort_by_key(|(_, machines)| machines.last().copied());
        }
        groups.into_iter().map(|(_, machines)| machines).collect()
    }

    /// Puts one task on a machine of a group. Machines that are full leave it; all of them do when
    /// a limit is reached, for that lets none of them take more later.
    fn place_in(&mut self, group: &mut Vec<usize>, tenant: &Tenant) -> bool {
        let mut waiting = Vec::new();
        let mut placed = false;
        while let Some(machine) = group.last().copied() {
            let free = &self.free[machine];
            if self.rules.allows(machine, free, tenant) {
                let devices = free.usual_devices(tenant.shape());
                self.free[machine].take(tenant.shape(), devices);
                self.rules.add(machine, tenant);
                placed = true;
                break;
            }
            if self.rules.waits(machine, tenant) {
                // To constraints, the whole group is like this machine.
                break;
            }
            let view = self.rules.view(machine, free, tenant);
            let full = fit::on_machine(&view, tenant.shape()).0 == 0;
            group.pop();
            if !full {
                waiting.push(machine);
            }
        }
        // Where only a limit is in the way, others may use what is reserved for them; then these
        // stay, and go with the last of them.
        if placed {
            group.splice(0..0, waiting.into_iter().rev());
        }
        placed
    }

    /// Why one more goes to none of the machines, or only to few.
    #[must_use]
    pub fn why_not(&self, tenant: &Tenant) -> WhyNot {
        let mut why = WhyNot {
            machines: self.free.len(),
            ..WhyNot::default()
        };
        let mut missing: BTreeMap<Resource, (Vec<i64>, usize)> = BTreeMap::new();
        for (machine, free) in self.free.iter().enumerate() {
            let obstacles = self.rules.obstacles(machine, free, tenant);
            if obstacles.is_empty() {
                why.would_take += 1;
            }
            let alone = usize::from(obstacles.len() == 1);
            for obstacle in obstacles {
                if let Obstacle::Short(resource) | Obstacle::Reserved(resource) = obstacle {
                    let view = self.rules.view(machine, free, tenant);
                    let entry = missing.entry(resource).or_default();
                    entry.0.push(short_by(&view, tenant.shape(), resource));
                    entry.1 += alone;
                }
                *why.obstacles.entry(obstacle).or_insert(0) += 1;
            }
        }
        let shortfall = |(resource, (mut amounts, alone)): (Resource, (Vec<i64>, usize))| {
            amounts.sort_unstable();
            let shortfall = Shortfall {
                machines: amounts.len(),
                alone,
                least: amounts[0],
                median: amounts[(amounts.len() - 1) / 2],
            };
            (resource, shortfall)
        };
        why.shortfalls = missing.into_iter().map(shortfall).collect();
        why
    }
}

/// How much of a resource is missing for one more task. Of GPUs, it is what is missing on those
/// that have the most free.
fn short_by(view: &Free, shape: &Shape, resource: Resource) -> i64 {
    let asked = Amounts::of_shape(shape)[resource];
    let sum = asked - Amounts::of_free(view)[resource];
    if resource != Resource::Gpu {
        return sum;
    }
    let mut devices = view.devices().to_vec();
    devices.sort_unstable_by_key(|free| std::cmp::Reverse(*free));
    devices.resize(devices.len().max(shape.gpus as usize), 0);
    let best = devices.iter().take(shape.gpus as usize);
    let each: i64 = best
        .map(|free| i64::from((shape.gpu_milli - free).max(0)))
        .sum();
    each.max(sum)
}

impl Snapshot {
    /// The rules, with all that runs; machines are numbered as in the snapshot.
    #[must_use]
    pub fn rules(&self) -> Rules {
        let mut rules = Rules::new(&self.machines, &self.roles, &self.constraints);
        if rules.is_plain() {
            return rules;
        }
        let mut tenants: BTreeMap<Demand, Tenant> = BTreeMap::new();
        for running in &self.running {
            let demand = Demand::of(&running.task);
            let tenant = tenants
                .entry(demand)
                .or_insert_with_key(|of| rules.tenant(of));
            rules.add(running.machine, tenant);
        }
        rules
    }
}

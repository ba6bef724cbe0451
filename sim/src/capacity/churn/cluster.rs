//! The machines, the allocator that offers them, and the frameworks that use them.

use super::load::Arrival;
use super::{CYCLE, Options, Point};
use crate::capacity::error::PlanError;
use crate::capacity::workload::Workload;
use std::collections::BTreeMap;
use std::time::Duration;
use tepui_core::allocator::{
    AgentIndex, Allocation, Allocator, AllocatorError, FrameworkIndex, Options as Allocating,
};
use tepui_core::frameworks::Room;
use tepui_core::ids::{AgentId, FrameworkId};
use tepui_core::placement::{Capacity, Devices, Free, Measure, Mix, Models, Shape};
use tepui_core::resources::{Resource, ResourceKind, Resources, Role, Scalar, Value};
use tepui_core::rng::Rng;
use tepui_core::time::Time;

/// How long a framework refuses what it cannot use while tasks wait: Mesos' default.
const REFUSE: Duration = Duration::from_secs(5);

/// What one cycle came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cycle {
    pub(super) offers: u64,
    pub(super) given_up: u64,
    pub(super) given_up_large: u64,
    pub(super) waited_s: u64,
}

#[derive(Debug)]
struct Framework {
    index: FrameworkIndex,
    role: Role,
    /// The oldest first.
    waiting: Vec<Arrival>,
    suppressed: bool,
}

#[derive(Debug)]
struct Running {
    framework: usize,
    machine: usize,
    shape: usize,
    devices: Devices,
    resources: Resources,
}

#[derive(Debug)]
pub(super) struct Cluster<'a> {
    allocator: Allocator,
    shapes: &'a [Shape],
    asked: Vec<Resources>,
    models: Vec<Models>,
    agents: Vec<AgentIndex>,
    places: BTreeMap<AgentIndex, usize>,
    frameworks: Vec<Framework>,
    by_index: BTreeMap<FrameworkIndex, usize>,
    /// What no task uses, machine by machine.
    idle: Vec<Free>,
    /// Of each machine, in thousandths of the measure.
    fragments: Vec<Option<i64>>,
    gpu_milli: i64,
    mix: Mix,
    /// What ends when.
    ends: BTreeMap<u64, Vec<Running>>,
    cycle: Vec<Allocation>,
}

fn refused(why: &AllocatorError) -> PlanError {
    PlanError::Mismatch(format!("the allocator refuses: {why}"))
}

/// Amounts as agents offer and tasks ask for them.
fn resources(cpu_milli: i64, memory_mib: i64, gpus: i64) -> Result<Resources, PlanError> {
    let amounts = [
        ("cpus", cpu_milli),
        ("mem", memory_mib.saturating_mul(1000)),
        ("gpus", gpus * 1000),
    ];
    let mut items = Vec::new();
    for (name, milli) in amounts.into_iter().filter(|(_, milli)| *milli > 0) {
        let amount = Scalar::from_milli(milli);
        let amount = amount.map_err(|why| PlanError::Mismatch(format!("{name}: {why}")))?;
        items.push(Resource::new(
            ResourceKind::plain(name),
            Value::Scalar(amount),
        ));
    }
    Resources::new(items).map_err(|why| PlanError::Mismatch(why.to_string()))
}

fn time(second: u64) -> Time {
    // A cycle at the beginning, too, is one interval after nothing.
    Time::ZERO + CYCLE * u32::try_from(second + 1).expect("bounded by the options")
}

impl<'a> Cluster<'a> {
    pub(super) fn new(
        workload: &Workload,
        shapes: &'a [Shape],
        options: &Options,
    ) -> Result<Cluster<'a>, PlanError> {
        let allocating = Allocating {
            allocation_interval: CYCLE,
            agent_order: options.order,
            ..Allocating::default()
        };
        let rng = Rng::from_seed(options.seed, "allocator");
        let asked = shapes.iter();
        let asked = asked.map(|s| resources(s.cpu_milli, s.memory_mib, i64::from(s.gpus)));
        let mut cluster = Cluster {
            allocator: Allocator::new(allocating, rng),
            shapes,
            asked: asked.collect::<Result<_, _>>()?,
            models: Vec::new(),
            agents: Vec::new(),
            places: BTreeMap::new(),
            frameworks: Vec::new(),
            by_index: BTreeMap::new(),
            idle: Vec::new(),
            fragments: vec![None; workload.machines.len()],
            gpu_milli: workload.gpu_milli(),
            mix: Mix::default(),
            ends: BTreeMap::new(),
            cycle: Vec::new(),
        };
        for machine in &workload.machines {
            cluster.add_agent(&machine.name, &machine.capacity)?;
        }
        for number in 0..options.frameworks {
            cluster.add_framework(number)?;
        }
        Ok(cluster)
    }

    fn add_agent(&mut self, name: &str, capacity: &Capacity) -> Result<(), PlanError> {
        let bad = |why: String| PlanError::Mismatch(format!("machine '{name}': {why}"));
        let id = AgentId::new(name).map_err(|why| bad(why.to_string()))?;
        let total = resources(
            capacity.cpu_milli,
            capacity.memory_mib,
            capacity.gpus as i64,
        )?;
        let agent = self.allocator.add_agent(id, total, &[]);
        let agent = agent.map_err(|why| refused(&why))?;
        self.places.insert(agent, self.agents.len());
        self.agents.push(agent);
        self.models.push(capacity.model);
        self.idle.push(Free::all_of(capacity));
        Ok(())
    }

    fn add_framework(&mut self, number: usize) -> Result<(), PlanError> {
        let id = FrameworkId::new(&format!("framework-{number:04}")).expect("an id");
        let role = Role::new(&format!("role-{number:04}")).expect("a role");
        let roles = std::slice::from_ref(&role);
        let index = self.allocator.add_framework(id, roles, roles);
        let index = index.map_err(|why| refused(&why))?;
        self.allocator
            .activate_framework(index)
            .expect("it was just added");
        self.by_index.insert(index, number);
        self.frameworks.push(Framework {
            index,
            role,
            waiting: Vec::new(),
            suppressed: true,
        });
        Ok(())
    }

    pub(super) fn allocator(&self) -> &Allocator {
        &self.allocator
    }

    pub(super) fn arrive(&mut self, arrival: Arrival) {
        let framework = &mut self.frameworks[arrival.framework];
        framework.waiting.push(arrival);
        if framework.suppressed {
            framework.suppressed = false;
            self.allocator
                .revive(framework.index, &[])
                .expect("it is never removed");
        }
    }

    /// What ends in this second ends; what waited too long is given up; what is free is offered,
    /// and used or refused at once.
    pub(super) fn cycle(&mut self, second: u64, patience_s: u64) -> Cycle {
        let mut done = Cycle::default();
        self.end_tasks(second);
        for framework in &mut self.frameworks {
            framework.waiting.retain(|task| {
                let stays = second < task.at_s + patience_s;
                done.given_up += u64::from(!stays);
                done.given_up_large += u64::from(!stays && self.shapes[task.shape].gpus > 1);
                stays
            });
        }
        self.allocator.heed(&self.mix);
        let mut cycle = std::mem::take(&mut self.cycle);
        self.allocator.allocate(time(second), &mut cycle);
        done.offers = cycle.len() as u64;
        let mut received: BTreeMap<usize, Vec<Allocation>> = BTreeMap::new();
        for allocation in cycle.drain(..) {
            let framework = self.by_index[&allocation.framework];
            received.entry(framework).or_default().push(allocation);
        }
        self.cycle = cycle;
        for (number, offers) in received {
            let rooms = offers
                .iter()
                .map(|offer| self.launch(number, offer, second, &mut done));
            let rooms: Vec<Room> = rooms.collect();
            self.give_back(number, offers, rooms, second);
        }
        for number in 0..self.frameworks.len() {
            self.suppress_if_idle(number);
        }
        done
    }

    fn end_tasks(&mut self, second: u64) {
        for task in self.ends.remove(&second).unwrap_or_default() {
            let shape = &self.shapes[task.shape];
            self.idle[task.machine].give_back(shape, task.devices);
            self.fragments[task.machine] = None;
            self.mix.remove(shape);
            let framework = &self.frameworks[task.framework];
            let (index, role) = (framework.index, &framework.role);
            let agent = self.agents[task.machine];
            let back = self.allocator.recover_resources(
                time(second),
                index,
                role,
                agent,
                task.resources,
                None,
            );
            back.expect("a task uses what it was offered");
        }
    }

    /// Launches on an offer the oldest tasks that fit; returns what is left of it.
    fn launch(&mut self, number: usize, offer: &Allocation, second: u64, done: &mut Cycle) -> Room {
        let machine = self.places[&offer.agent];
        let mut room = Room::new(&offer.resources);
        let mut waiting = std::mem::take(&mut self.frameworks[number].waiting);
        let mut too_large = Vec::new();
        waiting.retain(|task| {
            let shape = &self.shapes[task.shape];
            let allowed = shape.gpus == 0 || shape.models.allow(self.models[machine]);
            if !allowed || too_large.contains(&task.shape) {
                return true;
            }
            let Some(resources) = room.take(&self.asked[task.shape]) else {
                too_large.push(task.shape);
                return true;
            };
            let devices = self.idle[machine].usual_devices(shape);
            self.idle[machine].take(shape, devices);
            self.fragments[machine] = None;
            self.mix.add(*shape);
            done.waited_s += second - task.at_s;
            let ends = self.ends.entry(second + task.lasts_s).or_default();
            ends.push(Running {
                framework: number,
                machine,
                shape: task.shape,
                devices,
                resources,
            });
            false
        });
        self.frameworks[number].waiting = waiting;
        room
    }

    fn give_back(&mut self, number: usize, offers: Vec<Allocation>, rooms: Vec<Room>, second: u64) {
        for (offer, room) in offers.into_iter().zip(rooms) {
            let left = room.left().clone();
            if left.is_empty() {
                continue;
            }
            let Allocation {
                framework,
                role,
                agent,
                ..
            } = offer;
            let refuse = (!self.frameworks[number].waiting.is_empty()).then_some(REFUSE);
            let back = self.allocator.recover_resources(
                time(second),
                framework,
                &role,
                agent,
                left,
                refuse,
            );
            back.expect("it holds what it was offered");
        }
    }

    fn suppress_if_idle(&mut self, number: usize) {
        let framework = &mut self.frameworks[number];
        if framework.waiting.is_empty() && !framework.suppressed {
            framework.suppressed = true;
            self.allocator
                .suppress(framework.index, &[])
                .expect("it is never removed");
        }
    }

    /// The cluster as it is after a cycle.
    pub(super) fn look(&mut self, second: u64, measure: &Measure) -> Point {
        let (mut fragments, mut idle) = (0, 0);
        for (free, known) in self.idle.iter().zip(&mut self.fragments) {
            fragments += *known.get_or_insert_with(|| measure.of(free));
            idle += free.gpu_milli;
        }
        let fragments = fragments as f64 / measure.count.max(1) as f64;
        let percent = |part: f64, whole: i64| 100.0 * part / whole.max(1) as f64;
        let used = (self.gpu_milli - idle) as f64;
        let competing = self.frameworks.iter().filter(|one| !one.waiting.is_empty());
        let shares = competing.filter_map(|one| self.allocator.role_share(&one.role));
        let (least, most) = shares.fold((f64::MAX, 0.0_f64), |(least, most), share| {
            (least.min(share), most.max(share))
        });
        Point {
            at_s: second,
            alloc_pct: percent(used, self.gpu_milli),
            frag_pct: percent(fragments, self.gpu_milli),
            frag_idle_pct: percent(fragments, idle),
            waiting: self.frameworks.iter().map(|one| one.waiting.len()).sum(),
            spread_pct: 100.0 * (most - least).max(0.0),
        }
    }
}

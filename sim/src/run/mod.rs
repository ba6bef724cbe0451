//! One run of one scenario with one seed: build the world, let things break, heal, judge.

mod build;
mod faults;
mod goals;
mod network_faults;
mod operators;
mod outcome;
mod plan;
mod random;
mod requests;
mod steps;
mod targets;
mod workload;

pub use goals::GOALS;
pub use outcome::{COUNTS, Judged, Outcome, Verdict};
pub use plan::Plan;

use crate::net::{Cut, RuleKey};
use crate::node::NodeIndex;
use crate::scenario::Core;
use crate::time::SimTime;
use crate::world::World;
use std::collections::BTreeMap;
use std::time::Duration;
use tepui_core::ids::AgentId;
use tepui_core::model::ResourceOperation;

/// How often the goals are looked at while the cluster converges.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What is kept of a run, besides its verdict.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// A timeline for people.
    pub timeline: bool,
    /// With every little thing in it.
    pub chatty: bool,
    /// All inputs and effects.
    pub record: bool,
}

/// Something that a step began and that ends later.
#[derive(Debug)]
enum Undo {
    Heal(Vec<Cut>),
    Unclog(Vec<NodeIndex>),
    Start(Vec<NodeIndex>),
    Resume(Vec<NodeIndex>),
    EndRule(RuleKey),
    MendDisk(Vec<NodeIndex>),
    Quiet,
}

/// What a planned step of the world means.
#[derive(Debug)]
enum Planned {
    /// A step of the scenario; how often it happened before.
    Step(usize, u32),
    /// A random fault of a kind.
    Random(usize),
    /// The end of something.
    Undo(Undo),
    /// One more node of a clog that goes from node to node.
    ClogOne(NodeIndex, Duration),
    /// A client of the log comes up with a value.
    Client(u32),
    /// An operator's wish that is not fulfilled yet.
    Operator(u64),
    /// An operator takes a machine down, or up again.
    Down(NodeIndex),
    Up(NodeIndex),
    /// An operator takes an agent into use again.
    Reactivate(AgentId),
    /// An operator takes a role's quota away.
    NoQuota(String),
    /// An operator destroys a volume, or takes a reservation off.
    Unmake(AgentId, ResourceOperation),
    /// Nothing any more.
    Spent,
}

/// A run under way.
#[derive(Debug)]
pub struct Run<'a> {
    plan: &'a Plan,
    seed: u64,
    world: World,
    planned: Vec<Planned>,
    free: Vec<u32>,
    /// Steps that wait for something, with how often it happened.
    waiting: BTreeMap<usize, u64>,
    healing: bool,
    clients: workload::Clients,
    operators: operators::Operators,
    converged_at: Option<SimTime>,
}

impl<'a> Run<'a> {
    /// A run that has not begun.
    #[must_use]
    pub fn new(plan: &'a Plan, seed: u64, options: Options) -> Run<'a> {
        let world = build::world(plan, seed, options);
        let mut run = Run {
            plan,
            seed,
            world,
            planned: Vec::new(),
            free: Vec::new(),
            waiting: BTreeMap::new(),
            healing: false,
            clients: workload::Clients::default(),
            operators: operators::Operators::default(),
            converged_at: None,
        };
        run.plan_steps();
        run.plan_random();
        run.start_clients();
        run
    }

    /// Runs to the end.
    #[must_use]
    pub fn finish(mut self) -> (Outcome, World) {
        let heals_at = SimTime::ZERO + self.plan.scenario.heals_at();
        self.advance(heals_at);
        if self.world.observer.violations().is_empty() {
            self.heal();
            self.converge(heals_at);
        }
        self.check_all();
        let outcome = outcome::judge(&mut self);
        (outcome, self.world)
    }

    /// Lets time pass up to `until`, doing what is planned on the way.
    fn advance(&mut self, until: SimTime) {
        while self.world.now < until && self.world.observer.violations().is_empty() {
            if let Some(index) = self.world.run_until(until) {
                self.on_planned(index);
            }
            for (id, answer) in self.world.observer.take_answers() {
                self.on_operator_answer(id, &answer);
            }
            for occurrence in self.world.observer.take_occurrences() {
                self.on_occurrence(&occurrence);
            }
        }
    }

    fn plan(&mut self, at: SimTime, what: Planned) {
        let index = match self.free.pop() {
            Some(index) => {
                self.planned[index as usize] = what;
                index
            }
            None => {
                self.planned.push(what);
                (self.planned.len() - 1) as u32
            }
        };
        self.world.plan_step(at, index);
    }

    fn on_planned(&mut self, index: u32) {
        let what = std::mem::replace(&mut self.planned[index as usize], Planned::Spent);
        self.free.push(index);
        match what {
            Planned::Step(step, times) => self.on_step(step, times),
            Planned::Random(kind) => self.on_random(kind),
            Planned::Undo(undo) => self.undo(undo),
            Planned::ClogOne(node, delay) => {
                if !self.healing {
                    self.world.net.clog(node, delay);
                }
            }
            Planned::Client(client) => self.on_client(client),
            Planned::Operator(wish) => self.ask(wish),
            what @ (Planned::Down(_)
            | Planned::Up(_)
            | Planned::Reactivate(_)
            | Planned::Unmake(..)
            | Planned::NoQuota(_)) => self.undo_request(what),
            Planned::Spent => unreachable!("a step is planned once"),
        }
    }

    /// Everything is healed: walls fall, stopped processes go on, dead ones come back, unless
    /// they are meant to stay dead.
    fn heal(&mut self) {
        self.healing = true;
        self.waiting.clear();
        self.world.observer.watched = self.clients.any();
        let now = self.world.now;
        self.world
            .observer
            .announce(now, "everything is healed; the cluster is to converge");
        self.heal_network();
        let lost = self.written_off();
        for node in self.world.indices() {
            if lost.contains(&node) {
                self.world.nodes[node.slot()].written_off = true;
                continue;
            }
            if let Some(faults) = self.world.disk_faults(node) {
                *faults = crate::disk::DiskFaults::default();
            }
            self.world.resume(node);
            if self.world.node(node).role != crate::node::Role::Executor {
                self.world.start(node);
            }
        }
        self.put_in_order();
    }

    /// Those that stay dead: of a majority core, the dead masters beyond the majority.
    fn written_off(&self) -> Vec<NodeIndex> {
        if self.plan.scenario.liveness.core == Core::All {
            return Vec::new();
        }
        let masters = self.world.masters();
        let spare = masters.len() - (masters.len() / 2 + 1);
        let dead = masters
            .iter()
            .filter(|node| self.world.node(**node).machine.is_none());
        dead.take(spare).copied().collect()
    }

    fn converge(&mut self, healed_at: SimTime) {
        let phase = self.plan.scenario.liveness.within.0;
        let end = healed_at + phase;
        let mut open = self.goals();
        loop {
            self.look(&mut open, healed_at);
            if open.iter().all(|goal| goal.reached.is_some()) {
                self.converged_at = Some(self.world.now);
                break;
            }
            if self.world.now >= end || !self.world.observer.violations().is_empty() {
                break;
            }
            let next = (self.world.now + LOOK_EVERY).min(end);
            self.advance(next);
        }
        self.clients.goals = open;
    }

    /// Every invariant of every node, once more.
    fn check_all(&mut self) {
        for node in self.world.indices() {
            self.world.check_node(node);
        }
    }
}

//! A simulated cluster of a plan: a master, an agent for each machine, a scheduler for each
//! application, all of them the core's own, in the simulator's world.

use super::change::{QuotaChange, WeightChange};
use super::instances::{Instances, Standing, request};
use super::plan::{Framework, Plan};
use crate::capacity::error::PlanError;
use crate::capacity::offered;
use crate::clock::Clock;
use crate::disk::DiskConfig;
use crate::machine::{AgentSpec, FrameworkSpec, Logic, SimNode, Spec};
use crate::net::NetworkConfig;
use crate::node::{NodeIndex, Role};
use crate::observe::{Observer, OperatorAnswer, Tallies, Timeline};
use crate::time::SimTime;
use crate::world::{Death, Delivery, World};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tepui_core::allocator::AgentOrder;
use tepui_core::ids::{AgentId, MasterId};
use tepui_core::master::leading::Leading;
use tepui_core::message::operator::{Amount, QuotaConfig, Request, RequestId, WeightConfig};
use tepui_core::model::{AgentInfo, Capabilities, FrameworkInfo, MasterInfo};
use tepui_core::resources::Attributes;
use tepui_core::{agent, executor, master, scheduler};

/// How often it is looked whether something is over.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// So many looks without any offer, launch or loss are rest: longer than the allocator's interval
/// and all that is on its way.
const STILL_LOOKS: u32 = 5;

/// In so many looks everything must have come to rest.
const LOOKS_MAX: u32 = 24 * 3600;

/// How long the master gathers what changed before it makes offers.
const GATHER: Duration = Duration::from_millis(500);

/// How long an operator waits for an answer.
const ANSWER_LOOKS_MAX: u32 = 60;

/// The cluster.
pub struct Cluster {
    /// What it is made of.
    pub plan: Arc<Plan>,
    world: World,
    agents: Vec<NodeIndex>,
    frameworks: Vec<NodeIndex>,
    asked: u64,
}

fn broken(what: impl std::fmt::Display) -> PlanError {
    PlanError::Mismatch(format!("the simulated cluster {what}"))
}

impl Cluster {
    /// A cluster at work: every task of the snapshot that can be is where the snapshot has it.
    ///
    /// # Errors
    /// When the machines' resources are no agents' resources, or it does not come to rest.
    pub fn start(
        plan: &Arc<Plan>,
        agent_order: AgentOrder,
        seed: u64,
    ) -> Result<Cluster, PlanError> {
        let observer = Observer::new(Timeline::new(false, false));
        let network = NetworkConfig::default();
        let world = World::new(seed, network, DiskConfig::default(), observer);
        let mut cluster = Cluster {
            plan: plan.clone(),
            world,
            agents: Vec::new(),
            frameworks: Vec::new(),
            asked: 0,
        };
        cluster.add_master(agent_order)?;
        for machine in 0..plan.machines.len() {
            cluster.add_agent(machine)?;
        }
        for (number, framework) in plan.frameworks.iter().enumerate() {
            cluster.add_framework(number, framework, seed)?;
        }
        let nodes = cluster.world.masters().iter().chain(&cluster.frameworks);
        let present = &cluster.agents[..plan.present];
        for node in nodes.chain(present).copied().collect::<Vec<_>>() {
            cluster.world.start(node);
        }
        cluster.wait_for_agents(plan.present)?;
        cluster.rest()?;
        cluster.tell_frameworks(request::ANYWHERE);
        cluster.rest()?;
        Ok(cluster)
    }

    fn add_node(&mut self, name: &str, role: Role, spec: Spec) -> NodeIndex {
        let clock = Clock::new(SimTime::ZERO, 0, 0);
        self.world.add_node(name, role, spec, clock)
    }

    fn add_master(&mut self, agent_order: AgentOrder) -> Result<(), PlanError> {
        let id = MasterId(1);
        let info = MasterInfo {
            id,
            address: address(),
        };
        let mut config = master::Config::new(id, vec![info]).map_err(broken)?;
        // Whoever lost tasks at the same moment competes for the same offers.
        config.leading.allocation_delay = GATHER;
        config.leading.agent_order = agent_order;
        self.add_node(
            &id.to_string(),
            Role::Master,
            Spec::Master(Box::new(config)),
        );
        Ok(())
    }

    fn add_agent(&mut self, machine: usize) -> Result<(), PlanError> {
        let name = Plan::hostname(machine);
        let info = AgentInfo {
            id: None,
            hostname: name.clone(),
            ip: String::new(),
            port: 5051,
            resources: offered::machine(&self.plan.machines[machine])?,
            attributes: Attributes::default(),
            domain: None,
        };
        let spec = AgentSpec {
            config: agent::Config {
                masters: vec![address()],
                ..agent::Config::default()
            },
            executor: executor::Config::default(),
            info,
        };
        let node = self.add_node(&name, Role::Agent, Spec::Agent(Box::new(spec)));
        self.agents.push(node);
        Ok(())
    }

    fn add_framework(
        &mut self,
        number: usize,
        framework: &Framework,
        seed: u64,
    ) -> Result<(), PlanError> {
        let name = format!("framework-{number}");
        let info = FrameworkInfo {
            id: None,
            user: String::from("root"),
            name: framework.name.clone(),
            roles: vec![offered::role(&framework.role)?],
            failover_timeout: Duration::from_secs(7 * 24 * 3600),
            checkpoint: true,
            capabilities: Capabilities {
                partition_aware: true,
                gpu_resources: true,
                task_killing_state: true,
                reservation_refinement: true,
                ..Capabilities::default()
            },
            principal: None,
            hostname: name.clone(),
            webui_url: None,
            verbatim: Arc::default(),
        };
        let seed = seed.wrapping_mul(1 << 20).wrapping_add(number as u64);
        let logic = Instances::new(self.plan.clone(), &framework.units, seed);
        let spec = FrameworkSpec {
            config: scheduler::Config {
                // Nothing is lost on the way: there is nothing to ask about again.
                reconcile_interval: Duration::ZERO,
                ..scheduler::Config::default()
            },
            info,
            logic: Logic::Instances(Box::new(logic)),
            masters: vec![address()],
        };
        let node = self.add_node(&name, Role::Framework, Spec::Framework(Box::new(spec)));
        self.frameworks.push(node);
        Ok(())
    }

    /// Lets time pass; answers to operators are kept for the caller.
    fn pass(&mut self, span: Duration) -> Result<Vec<OperatorAnswer>, PlanError> {
        let until = self.world.now + span;
        let mut answers = Vec::new();
        while self.world.now < until {
            let step = self.world.run_until(until);
            assert_eq!(step, None, "no steps are planned");
            answers.extend(self.world.observer.take_answers());
            self.world.observer.take_occurrences();
            if let Some(violation) = self.world.observer.violations().first() {
                return Err(broken(format!("broke a promise: {violation:?}")));
            }
        }
        Ok(answers)
    }

    /// The master at work.
    ///
    /// # Panics
    /// When there is none, which only is before the first agents came.
    #[must_use]
    pub fn leading(&self) -> &Leading {
        self.leader().expect("the only master leads")
    }

    fn leader(&self) -> Option<&Leading> {
        let node = self.world.masters()[0];
        match &self.world.node(node).machine {
            Some(SimNode::Master(master)) => master.leading(),
            _ => None,
        }
    }

    fn wait_for_agents(&mut self, wanted: usize) -> Result<(), PlanError> {
        for _ in 0..LOOKS_MAX {
            let known = self.leader().map_or(0, |leading| {
                leading
                    .known_agents()
                    .filter(|(_, connected)| *connected)
                    .count()
            });
            if known == wanted {
                return Ok(());
            }
            self.pass(LOOK_EVERY)?;
        }
        Err(broken(format!("never had all of its {wanted} agents")))
    }

    /// Lets time pass until nothing is offered, launched or lost any more.
    ///
    /// # Errors
    /// When that never is.
    pub fn rest(&mut self) -> Result<(), PlanError> {
        let moves = |tallies: &Tallies| {
            let lost = tallies.tasks_lost + tallies.tasks_unreachable + tallies.tasks_failed;
            (tallies.offers, tallies.task_starts, lost)
        };
        let mut before = moves(&self.world.observer.tallies);
        let mut still = 0;
        for _ in 0..LOOKS_MAX {
            self.pass(LOOK_EVERY)?;
            let after = moves(&self.world.observer.tallies);
            still = if after == before { still + 1 } else { 0 };
            before = after;
            if still == STILL_LOOKS {
                return Ok(());
            }
        }
        Err(broken("does not come to rest"))
    }

    /// An operator asks the master.
    ///
    /// # Errors
    /// Says why the master will not.
    pub fn ask(&mut self, request: Request) -> Result<Result<(), String>, PlanError> {
        self.asked += 1;
        let id = RequestId(self.asked);
        let (now, master) = (self.world.now, self.world.masters()[0]);
        let delivery = Delivery::Operator { id, request };
        self.world.plan_local(now, master, delivery);
        for _ in 0..ANSWER_LOOKS_MAX {
            for (answered, answer) in self.pass(LOOK_EVERY)? {
                if answered == id {
                    return Ok(answer.map(|_| ()).map_err(|why| why.to_string()));
                }
            }
        }
        Err(broken("has a master that does not answer"))
    }

    /// Sets a role's weight.
    ///
    /// # Errors
    /// As [`Cluster::ask`].
    pub fn set_weight(&mut self, change: &WeightChange) -> Result<Result<(), String>, PlanError> {
        let weights = vec![WeightConfig {
            role: change.role.clone(),
            weight: change.weight_milli as f64 / 1000.0,
        }];
        self.ask(Request::UpdateWeights { weights })
    }

    /// Sets a role's quota. With `force`, even if the cluster has less, or the role uses more.
    ///
    /// # Errors
    /// As [`Cluster::ask`].
    pub fn set_quota(
        &mut self,
        change: &QuotaChange,
        force: bool,
    ) -> Result<Result<(), String>, PlanError> {
        let amounts = |amounts: &BTreeMap<crate::capacity::amounts::Resource, i64>| {
            let each = amounts.iter().map(|(resource, amount)| Amount {
                name: resource.name().to_owned(),
                value: offered::scalar_milli(*resource, *amount) as f64 / 1000.0,
            });
            each.collect()
        };
        let configs = vec![QuotaConfig {
            role: change.role.clone(),
            guarantees: amounts(&change.guarantees),
            limits: amounts(&change.limits),
        }];
        self.ask(Request::UpdateQuota { configs, force })
    }

    /// Offers nothing of a machine any more.
    ///
    /// # Errors
    /// When the master will not.
    pub fn close(&mut self, machine: usize) -> Result<(), PlanError> {
        let agent_id = self.agent_id(machine)?;
        let done = self.ask(Request::DeactivateAgent { agent_id })?;
        done.map_err(broken)
    }

    fn agent_id(&self, machine: usize) -> Result<AgentId, PlanError> {
        let node = self.world.masters()[0];
        let registry = self.world.registry(node);
        let registry = registry.ok_or_else(|| broken("has no master"))?;
        let name = Plan::hostname(machine);
        let mut all = registry.admitted().iter();
        let found = all.find(|(_, admission)| admission.info.hostname == name);
        let found = found.map(|(id, _)| AgentId::clone(id));
        found.ok_or_else(|| broken(format!("does not know machine {machine}")))
    }

    /// Machines go dark, with all that runs on them, and are given up for good.
    ///
    /// # Errors
    /// When the master will not.
    pub fn lose(&mut self, machines: &[usize]) -> Result<(), PlanError> {
        let mut agents = Vec::new();
        for machine in machines {
            agents.push(self.agent_id(*machine)?);
            self.world.crash(self.agents[*machine], Death::PowerCut);
        }
        let (now, master) = (self.world.now, self.world.masters()[0]);
        for agent_id in agents {
            self.asked += 1;
            let id = RequestId(self.asked);
            let request = Request::MarkAgentGone { agent_id };
            let delivery = Delivery::Operator { id, request };
            self.world.plan_local(now, master, delivery);
        }
        let mut open = machines.len();
        for _ in 0..ANSWER_LOOKS_MAX {
            for (_, answer) in self.pass(LOOK_EVERY)? {
                answer.map_err(broken)?;
                open -= 1;
            }
            if open == 0 {
                return Ok(());
            }
        }
        Err(broken("has a master that does not answer"))
    }

    /// The machines that the plan adds come up.
    ///
    /// # Errors
    /// When they do not.
    pub fn add_machines(&mut self) -> Result<(), PlanError> {
        for node in &self.agents[self.plan.present..] {
            self.world.start(*node);
        }
        self.wait_for_agents(self.agents.len())
    }

    /// The tasks that are to come, come.
    pub fn grow(&mut self) {
        self.tell_frameworks(request::GROW);
    }

    fn tell_frameworks(&mut self, body: &[u8]) {
        for node in self.frameworks.clone() {
            let delivery = Delivery::Request {
                body: Arc::from(body),
            };
            self.world.plan_local(self.world.now, node, delivery);
        }
    }

    /// The schedulers, in the plan's order.
    pub fn instances(&self) -> impl Iterator<Item = &Instances> {
        self.frameworks.iter().map(|node| {
            let machine = &self.world.node(*node).machine;
            let Some(SimNode::Framework(framework)) = machine else {
                unreachable!("schedulers never end");
            };
            framework.instances().expect("all are of this kind")
        })
    }

    /// How each task stands, by its place in the plan.
    #[must_use]
    pub fn standings(&self) -> BTreeMap<usize, &Standing> {
        let all = self.instances().flat_map(Instances::units);
        all.map(|(unit, standing)| (*unit, standing)).collect()
    }
}

fn address() -> String {
    format!("{}:5050", MasterId(1))
}

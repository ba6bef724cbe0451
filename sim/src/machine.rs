//! The machines of the core, as the simulator holds them: an enum, never a trait object.

use crate::capacity::what_if::Instances;
use crate::host::ExecutorSim;
use crate::replica::LogReplica;
use tepui_core::agent::AgentNode;
use tepui_core::frameworks::batch::{self, Batch};
use tepui_core::frameworks::execute::{self, Execute};
use tepui_core::frameworks::reserver::{self, Reserver};
use tepui_core::frameworks::service::{self, Service};
use tepui_core::invariant::{self, Cost, Violation};
use tepui_core::machine::Machine;
use tepui_core::master::MasterNode;
use tepui_core::model::{AgentInfo, FrameworkInfo};
use tepui_core::outbox::Outbox;
use tepui_core::rng::Rng;
use tepui_core::scheduler::{self, FrameworkNode, SchedulerDriver};
use tepui_core::time::{Now, Time};
use tepui_core::{agent, executor, log, master};

/// What runs in a node.
#[derive(Debug)]
pub enum SimNode {
    /// A bare replica of the log under a small state machine: clusters of kind `log`.
    Log(Box<LogReplica>),
    /// A master.
    Master(Box<MasterNode>),
    /// An agent.
    Agent(Box<AgentNode>),
    /// An executor with its tasks' processes.
    Executor(Box<ExecutorSim>),
    /// A framework's scheduler.
    Framework(Box<Framework>),
}

impl SimNode {
    /// When it next wants a tick.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        match self {
            SimNode::Log(replica) => replica.node.deadline(),
            SimNode::Master(master) => master.deadline(),
            SimNode::Agent(agent) => agent.deadline(),
            SimNode::Executor(executor) => executor.node.deadline(),
            SimNode::Framework(framework) => framework.deadline(),
        }
    }

    /// Which of the core's own invariants do not hold.
    #[must_use]
    pub fn check(&self) -> Vec<Violation> {
        match self {
            SimNode::Log(replica) => {
                invariant::check(log::invariants::INVARIANTS, &replica.node, Cost::Linear)
            }
            SimNode::Executor(_) => Vec::new(),
            SimNode::Master(master) => master.check(Cost::Linear),
            SimNode::Agent(agent) => agent.check(Cost::Linear),
            SimNode::Framework(framework) => framework.violations(),
        }
    }
}

/// A scheduler, by what it decides.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "each lives in a box of its own")]
pub enum Framework {
    /// Runs commands to their end.
    Execute(FrameworkNode<Execute>),
    /// Keeps instances running.
    Service(FrameworkNode<Service>),
    /// Works off jobs.
    Batch(FrameworkNode<Batch>),
    /// Reserves resources and makes volumes.
    Reserver(FrameworkNode<Reserver>),
    /// Keeps the tasks of a plan running.
    Instances(FrameworkNode<Instances>),
}

/// Says the same of whatever logic it is.
macro_rules! each {
    ($framework:expr, $node:ident => $what:expr) => {
        match $framework {
            Framework::Execute($node) => $what,
            Framework::Service($node) => $what,
            Framework::Batch($node) => $what,
            Framework::Reserver($node) => $what,
            Framework::Instances($node) => $what,
        }
    };
}

impl Framework {
    /// Its driver.
    #[must_use]
    pub fn driver(&self) -> &SchedulerDriver {
        each!(self, node => node.driver())
    }

    /// Whether it has what it wants: all instances, all jobs.
    ///
    /// # Errors
    /// Says what is missing.
    pub fn settled(&self) -> Result<(), String> {
        match self {
            Framework::Execute(node) => {
                let instances = node.logic().instances();
                let over = |i: &&execute::Standing| matches!(i, execute::Standing::Over { .. });
                let missing = instances.len() - instances.iter().filter(over).count();
                missing_none(missing as u64, "tasks are not over")
            }
            Framework::Service(node) => {
                let logic = node.logic();
                let (running, wanted) = (logic.running(), logic.wanted());
                if logic.is_settled() {
                    return Ok(());
                }
                let strays = logic.strays();
                Err(format!(
                    "{running} of {wanted} instances run, {strays} tasks are to end"
                ))
            }
            Framework::Batch(node) => {
                if node.logic().is_done() {
                    return Ok(());
                }
                let missing = node.logic().outstanding().max(1) as u64;
                missing_none(missing, "jobs are not over")
            }
            Framework::Reserver(node) => {
                missing_none(node.logic().outstanding(), "operations are not over")
            }
            Framework::Instances(node) => missing_none(node.logic().waiting() as u64, "tasks wait"),
        }
    }

    /// What it decides, if that is to keep the tasks of a plan running.
    #[must_use]
    pub fn instances(&self) -> Option<&Instances> {
        match self {
            Framework::Instances(node) => Some(node.logic()),
            _ => None,
        }
    }

    fn violations(&self) -> Vec<Violation> {
        each!(self, node => node.violations(Cost::Linear))
    }

    fn deadline(&self) -> Option<Time> {
        each!(self, node => node.deadline())
    }

    /// Hands in an input.
    pub fn handle(
        &mut self,
        now: Now,
        input: scheduler::Input,
        fx: &mut Outbox<scheduler::Effect>,
    ) {
        each!(self, node => node.handle(now, input, fx));
    }
}

fn missing_none(missing: u64, what: &str) -> Result<(), String> {
    match missing {
        0 => Ok(()),
        missing => Err(format!("{missing} {what}")),
    }
}

/// What a framework decides, as configured.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there are few")]
pub enum Logic {
    /// Runs commands to their end.
    Execute(execute::Config),
    /// Keeps instances running.
    Service(service::Config),
    /// Works off jobs, drawn from a stream of their own.
    Batch(batch::Config, Rng),
    /// Reserves resources and makes volumes, at random.
    Reserver(reserver::Config, Rng),
    /// Keeps the tasks of a plan running.
    Instances(Box<Instances>),
}

/// All that a scheduler is started with.
#[derive(Clone, Debug)]
pub struct FrameworkSpec {
    /// Of its driver.
    pub config: scheduler::Config,
    /// How it describes itself.
    pub info: FrameworkInfo,
    /// What it decides.
    pub logic: Logic,
    /// Addresses.
    pub masters: Vec<String>,
}

impl FrameworkSpec {
    /// The scheduler, as it comes back to what it wrote.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn build(
        &self,
        rng: &Rng,
        now: Now,
        writes: Vec<scheduler::Write>,
    ) -> Result<Framework, scheduler::RecoverError> {
        let (config, info) = (self.config.clone(), self.info.clone());
        let masters = self.masters.clone();
        match &self.logic {
            Logic::Execute(logic) => {
                let logic = Execute::new(logic.clone()).expect("checked when it was read");
                FrameworkNode::recover(config, info, logic, rng, masters, now, writes)
                    .map(Framework::Execute)
            }
            Logic::Service(logic) => {
                let logic = Service::new(logic.clone()).expect("checked when it was read");
                FrameworkNode::recover(config, info, logic, rng, masters, now, writes)
                    .map(Framework::Service)
            }
            Logic::Batch(logic, jobs) => {
                // The same jobs in every run of the scheduler.
                let logic = Batch::new(logic.clone(), jobs).expect("checked when it was read");
                FrameworkNode::recover(config, info, logic, rng, masters, now, writes)
                    .map(Framework::Batch)
            }
            Logic::Reserver(logic, dice) => {
                let role = info.roles[0].clone();
                let logic = Reserver::new(logic.clone(), role, dice.clone());
                let logic = logic.expect("checked when it was read");
                FrameworkNode::recover(config, info, logic, rng, masters, now, writes)
                    .map(Framework::Reserver)
            }
            Logic::Instances(logic) => {
                let logic = Instances::clone(logic);
                FrameworkNode::recover(config, info, logic, rng, masters, now, writes)
                    .map(Framework::Instances)
            }
        }
    }
}

/// All that an agent is started with.
#[derive(Clone, Debug)]
pub struct AgentSpec {
    /// Of the agent.
    pub config: agent::Config,
    /// Of its own executor.
    pub executor: executor::Config,
    /// How it describes itself.
    pub info: AgentInfo,
}

/// From what a node is built at each start, besides its disk.
#[derive(Debug)]
pub enum Spec {
    /// A bare replica.
    Log(Box<log::Config>),
    /// A master.
    Master(Box<master::Config>),
    /// An agent.
    Agent(Box<AgentSpec>),
    /// A scheduler.
    Framework(Box<FrameworkSpec>),
    /// An executor: never started a second time.
    Executor,
}

//! What a healed cluster is to reach.

use super::Run;
use crate::machine::SimNode;
use crate::node::{NodeIndex, Role};
use crate::scenario::Kind;
use crate::time::SimTime;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tepui_core::ids::FrameworkId;
use tepui_core::log::Status;
use tepui_core::model::TaskState;

/// Every goal, in the order in which they are looked at.
pub const GOALS: &[&str] = &[
    "leader",
    "log.replicas-agree",
    "agents.registered",
    "frameworks.subscribed",
    "tasks.all-running",
    "views.agree",
    "connections.no-leak",
    "operators.done",
];

/// A goal under way.
#[derive(Clone, Debug)]
pub(super) struct Goal {
    pub name: &'static str,
    pub within: Option<Duration>,
    pub reached: Option<SimTime>,
    /// What was missing when it was last looked at.
    pub missing: String,
    pub too_late: bool,
}

impl Run<'_> {
    /// The goals of this scenario: as written, or all that apply.
    pub(super) fn goals(&self) -> Vec<Goal> {
        let goal = |name, within| Goal {
            name,
            within,
            reached: None,
            missing: String::new(),
            too_late: false,
        };
        if let Some(written) = &self.plan.scenario.expect.eventually {
            let known = |name: &str| GOALS.iter().find(|known| **known == name);
            let goals = written
                .iter()
                .filter_map(|entry| Some(goal(known(&entry.goal)?, entry.within)));
            return goals.collect();
        }
        let log_only = self.plan.scenario.cluster.kind == Kind::Log;
        let applies = |name: &&&str| match **name {
            "leader" | "log.replicas-agree" => true,
            "agents.registered" => !self.plan.agents.is_empty(),
            "frameworks.subscribed" | "tasks.all-running" => !self.plan.frameworks.is_empty(),
            "operators.done" => self.plan.scenario.has_requests(),
            _ => !log_only,
        };
        let all = GOALS.iter().filter(applies);
        all.map(|name| goal(name, None)).collect()
    }

    /// Looks at all goals. All must hold at the same time: a goal that was reached and is lost
    /// again is open again.
    pub(super) fn look(&mut self, goals: &mut [Goal], healed_at: SimTime) {
        for goal in goals {
            match self.reached(goal.name) {
                Ok(()) if goal.reached.is_none() => {
                    goal.reached = Some(self.world.now);
                    let took = self.world.now.since(healed_at);
                    goal.too_late |= goal.within.is_some_and(|within| took > within);
                }
                Ok(()) => {}
                Err(missing) => {
                    goal.reached = None;
                    goal.missing = missing;
                }
            }
        }
    }

    fn reached(&self, goal: &str) -> Result<(), String> {
        match goal {
            "leader" => self.has_leader(),
            "log.replicas-agree" => self.replicas_agree(),
            "agents.registered" => self.agents_registered(),
            "frameworks.subscribed" => self.frameworks_subscribed(),
            "tasks.all-running" => self.frameworks_settled(),
            "views.agree" => self.views_agree(),
            "connections.no-leak" => self.no_leak(),
            "operators.done" => self.operators_are_done(),
            other => unreachable!("{other} is not in the list of goals"),
        }
    }

    fn machines(&self, role: Role) -> impl Iterator<Item = (NodeIndex, &SimNode)> {
        let nodes = self.world.indices();
        nodes
            .filter(move |node| self.world.node(*node).role == role)
            .filter_map(|node| Some((node, self.world.node(node).machine.as_ref()?)))
    }

    fn has_leader(&self) -> Result<(), String> {
        let acting: Vec<NodeIndex> = self
            .machines(Role::Master)
            .filter(|(_, machine)| match machine {
                SimNode::Log(replica) => replica.node.acting().is_some(),
                SimNode::Master(master) => master.leading().is_some(),
                _ => false,
            })
            .map(|(node, _)| node)
            .collect();
        match acting.as_slice() {
            [_] => Ok(()),
            [] => Err("nobody leads".into()),
            many => Err(format!("{} lead at once", self.names(many))),
        }
    }

    fn replicas_agree(&self) -> Result<(), String> {
        let mut through = BTreeMap::new();
        for (node, machine) in self.machines(Role::Master) {
            let replica = match machine {
                SimNode::Log(replica) => &replica.node,
                SimNode::Master(master) => master.log(),
                _ => continue,
            };
            if replica.status() != Status::Voting {
                let name = self.names(&[node]);
                return Err(format!("{name} is {:?}", replica.status()));
            }
            through.insert(node, replica.learned_through());
        }
        let most = through.values().max().copied().unwrap_or_default();
        // Clients go on while we look: a few entries may be under way.
        let slack = if self.clients.any() { 4_096 } else { 0 };
        let behind = through.iter().find(|(_, at)| at.0 + slack < most.0);
        match behind {
            None => Ok(()),
            Some((node, at)) => Err(format!(
                "{} has learned through {at}, others through {most}",
                self.names(&[*node])
            )),
        }
    }

    fn agents_registered(&self) -> Result<(), String> {
        let missing: Vec<NodeIndex> = self
            .machines(Role::Agent)
            .filter(|(_, machine)| {
                !matches!(machine, SimNode::Agent(agent) if agent.registered_with().is_some())
            })
            .map(|(node, _)| node)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(format!("not registered: {}", self.names(&missing)))
    }

    fn frameworks_subscribed(&self) -> Result<(), String> {
        let missing: Vec<NodeIndex> = self
            .machines(Role::Framework)
            .filter(|(_, machine)| {
                !matches!(machine, SimNode::Framework(f) if f.driver().is_subscribed())
            })
            .map(|(node, _)| node)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(format!("not subscribed: {}", self.names(&missing)))
    }

    fn frameworks_settled(&self) -> Result<(), String> {
        for (node, machine) in self.machines(Role::Framework) {
            if let SimNode::Framework(framework) = machine {
                let settled = framework.settled();
                settled.map_err(|why| format!("{}: {why}", self.names(&[node])))?;
            }
        }
        Ok(())
    }

    /// What schedulers were told is what agents know is what runs, and masters and agents agree on
    /// who is registered.
    fn views_agree(&self) -> Result<(), String> {
        // What a framework that is over was told last says nothing.
        let alive = |framework: &FrameworkId| {
            self.machines(Role::Framework)
                .any(|(node, _)| self.world.observer.frameworks.get(&node) == Some(framework))
        };
        let told = self.world.observer.tasks.disagreements(alive);
        if let Some(first) = told.first() {
            return Err(format!("{first} (and {} more)", told.len() - 1));
        }
        let mut running = 0;
        for (_, machine) in self.machines(Role::Agent) {
            if let SimNode::Agent(agent) = machine {
                let live = agent
                    .tasks()
                    .filter(|(.., state)| *state == TaskState::Running);
                running += live.count();
            }
        }
        let runs = self.world.observer.tasks.running();
        if running != runs {
            return Err(format!("agents know {running} running tasks, {runs} run"));
        }
        self.registrations_agree()
    }

    /// An agent that believes itself registered is registered, and connected, for the leader.
    fn registrations_agree(&self) -> Result<(), String> {
        let mut connected = BTreeSet::new();
        for (_, machine) in self.machines(Role::Master) {
            if let SimNode::Master(master) = machine
                && let Some(leading) = master.leading()
            {
                let known = leading.known_agents();
                connected.extend(known.filter(|(_, is)| *is).map(|(id, _)| id));
            }
        }
        for (node, machine) in self.machines(Role::Agent) {
            if let SimNode::Agent(agent) = machine
                && agent.registered_with().is_some()
                && let Some(id) = &agent.checkpoint().agent_id
                && !connected.contains(id)
            {
                let name = self.names(&[node]);
                return Err(format!(
                    "{name} thinks it is registered, the leader does not"
                ));
            }
        }
        Ok(())
    }

    /// Nobody holds connections that nobody uses.
    fn no_leak(&self) -> Result<(), String> {
        for node in self.world.indices() {
            let node = self.world.node(node);
            let (role, open) = (node.role, node.outbound.len());
            if matches!(role, Role::Agent | Role::Framework | Role::Executor) && open > 1 {
                return Err(format!("{} holds {open} connections open", node.name));
            }
        }
        Ok(())
    }
}

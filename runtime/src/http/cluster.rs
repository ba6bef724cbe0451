//! What pages and tools ask of a leader's snapshot: sums by agent, framework and role.
//!
//! Made on a thread of its own, from a snapshot that cost the node next to nothing.

use std::collections::{BTreeSet, HashMap};
use tepui_core::ids::{AgentId, FrameworkId, MasterId};
use tepui_core::master::leading::{AgentPart, FrameworkPart, Snapshot};
use tepui_core::model::{ExecutorInfo, MasterInfo, TaskState};
use tepui_core::registry::OperatorState;
use tepui_core::resources::{Resources, Role};

/// A snapshot with its sums.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// What the leader knows.
    pub snapshot: Snapshot,
    /// What operators have set.
    pub settings: OperatorState,
    /// Of each agent of the snapshot, in its order.
    pub agents: Vec<Held>,
    /// Of each framework of the snapshot, in its order.
    pub frameworks: Vec<Held>,
    places: HashMap<AgentId, usize>,
    /// Agent and place among its executors, by framework.
    executors: HashMap<FrameworkId, Vec<(usize, usize)>>,
}

/// What is not free.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// By tasks and executors.
    pub used: Resources,
    /// By offers.
    pub offered: Resources,
    /// How many tasks are in each state, in the order of [`TaskState::ALL`].
    pub tasks: [usize; 14],
    /// The places of frameworks on an agent, or of agents that a framework is on.
    pub others: BTreeSet<usize>,
}

impl Held {
    fn count(&mut self, state: TaskState) {
        self.tasks[place(state)] += 1;
    }
}

/// The place of a state in [`TaskState::ALL`], which has all of them.
#[must_use]
pub fn place(state: TaskState) -> usize {
    let found = TaskState::ALL.iter().position(|other| *other == state);
    found.expect("the list has all of them")
}

/// Adds `part`. What does not add up was never one agent's, and is not on its account.
pub fn include(sum: &mut Resources, part: &Resources) {
    for item in part.iter() {
        let _ = sum.include(item);
    }
}

impl Cluster {
    /// Adds up what is in a snapshot.
    #[must_use]
    pub fn new(snapshot: Snapshot, settings: OperatorState) -> Cluster {
        let places = snapshot.agents.iter().enumerate();
        let mut cluster = Cluster {
            places: places.map(|(at, agent)| (agent.id.clone(), at)).collect(),
            agents: vec![Held::default(); snapshot.agents.len()],
            frameworks: vec![Held::default(); snapshot.frameworks.len()],
            snapshot,
            settings,
            executors: HashMap::new(),
        };
        let frameworks = std::mem::take(&mut cluster.snapshot.frameworks);
        for (at, framework) in frameworks.iter().enumerate() {
            cluster.add(at, framework);
        }
        cluster.snapshot.frameworks = frameworks;
        cluster.add_executors();
        cluster
    }

    /// Of one agent alone, of which nothing is used.
    #[must_use]
    pub fn of_agent(part: AgentPart, settings: OperatorState) -> Cluster {
        let info = MasterInfo {
            id: MasterId(0),
            address: String::new(),
        };
        let snapshot = Snapshot {
            leader: info,
            elected_at: part.registered_at,
            agents: vec![part],
            agents_recovered: Vec::new(),
            agents_unreachable: 0,
            agents_gone: 0,
            frameworks: Vec::new(),
            frameworks_ended: Vec::new(),
        };
        Cluster::new(snapshot, settings)
    }

    /// The place of an agent in the snapshot.
    #[must_use]
    pub fn place(&self, id: &AgentId) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// The executors of a framework, with their agents.
    pub fn executors_of(
        &self,
        id: &FrameworkId,
    ) -> impl Iterator<Item = (&AgentId, &ExecutorInfo)> {
        let places = self.executors.get(id).into_iter().flatten();
        places.map(|(at, number)| {
            let agent = &self.snapshot.agents[*at];
            (&agent.id, &*agent.executors[*number])
        })
    }

    fn add(&mut self, at: usize, framework: &FrameworkPart) {
        let sums = &mut self.frameworks[at];
        for task in &framework.tasks {
            let agent = self.places.get(&task.info.agent_id).copied();
            sums.count(task.state);
            if task.occupies {
                include(&mut sums.used, &task.info.resources);
            }
            let Some(agent) = agent else { continue };
            let of_agent = &mut self.agents[agent];
            of_agent.count(task.state);
            if task.occupies {
                include(&mut of_agent.used, &task.info.resources);
            }
            of_agent.others.insert(at);
            sums.others.insert(agent);
        }
        for ended in &framework.tasks_ended {
            sums.count(ended.state());
            let Some(agent) = self.places.get(&ended.info().agent_id).copied() else {
                continue;
            };
            self.agents[agent].count(ended.state());
            self.agents[agent].others.insert(at);
            sums.others.insert(agent);
        }
        for offer in &framework.offers {
            let resources = offer.resources.unallocated().allocated_to(&offer.role);
            include(&mut sums.offered, &resources);
            if let Some(agent) = self.places.get(&offer.agent_id) {
                include(&mut self.agents[*agent].offered, &resources);
            }
        }
    }

    fn add_executors(&mut self) {
        let frameworks = self.snapshot.frameworks.iter().enumerate();
        let by_id: HashMap<_, usize> = frameworks
            .filter_map(|(at, framework)| Some((framework.info.id.clone()?, at)))
            .collect();
        for (at, agent) in self.snapshot.agents.iter().enumerate() {
            for (number, executor) in agent.executors.iter().enumerate() {
                let id = executor.framework_id.clone();
                self.executors.entry(id).or_default().push((at, number));
                include(&mut self.agents[at].used, &executor.resources);
                if let Some(framework) = by_id.get(&executor.framework_id) {
                    include(&mut self.frameworks[*framework].used, &executor.resources);
                    self.frameworks[*framework].others.insert(at);
                    self.agents[at].others.insert(*framework);
                }
            }
        }
    }

    /// Whether an agent takes part: it is connected, and no operator said otherwise.
    #[must_use]
    pub fn is_active(&self, agent: &AgentPart) -> bool {
        agent.connected && !self.settings.marks.contains_key(&agent.id)
    }

    /// How many agents take part.
    #[must_use]
    pub fn agents_active(&self) -> usize {
        let agents = self.snapshot.agents.iter();
        agents.filter(|agent| self.is_active(agent)).count()
    }

    /// The weight of a role, 1 unless an operator said otherwise.
    #[must_use]
    pub fn weight(&self, role: &Role) -> f64 {
        let set = self.settings.weights.get(role);
        set.map_or(1.0, |weight| weight.to_f64())
    }
}

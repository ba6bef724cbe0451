//! Random conversations: nothing that agents and schedulers say, in whatever order, breaks an
//! invariant or panics.

use super::harness::{
    Harness, agent_info, framework_info, peer, reregistration, resources, role, task, task_id,
    update_id,
};
use super::steps::{Step, step};
use crate::ids::{AgentId, ExecutorId, FrameworkId, OfferId};
use crate::master::leading::{Config, RateLimit};
use crate::message::agent::{AgentRun, TaskReport, ToMaster};
use crate::message::scheduler::Call;
use crate::model::{
    CommandInfo, ExecutorInfo, Filters, OfferOperation, StatusUpdate, TaskInfo, TaskState,
};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use proptest::prelude::*;

struct World {
    harness: Harness,
    agents: Vec<AgentId>,
    frameworks: Vec<FrameworkId>,
    /// Connections are never used again once broken: which one each number stands for now.
    peers: [u64; 8],
}

fn config() -> Config {
    Config {
        agent_removal_rate_limit: Some(RateLimit {
            permits: 1,
            per: Duration::from_secs(20),
        }),
        agent_reregister_timeout: Duration::from_secs(100),
        offer_timeout: Some(Duration::from_secs(30)),
        max_completed_frameworks: 2,
        max_completed_tasks_per_framework: 2,
        max_unreachable_tasks_per_framework: 2,
        ..Config::default()
    }
}

impl World {
    fn new() -> World {
        let mut harness = Harness::new(&config());
        harness.prompt = false;
        World {
            harness,
            agents: Vec::new(),
            frameworks: Vec::new(),
            peers: [0, 1, 2, 3, 4, 5, 6, 7],
        }
    }

    fn learn(&mut self) {
        let view = self.harness.leading.view();
        for agent in &view.agents {
            let id = agent.info.id.clone().unwrap();
            if !self.agents.contains(&id) {
                self.agents.push(id);
            }
        }
        for framework in &view.frameworks {
            let id = framework.info.id.clone().unwrap();
            if !self.frameworks.contains(&id) {
                self.frameworks.push(id);
            }
        }
    }

    fn agent(&self, number: usize) -> AgentId {
        let known = self.agents.get(self.agents.len().wrapping_sub(1 + number));
        known
            .cloned()
            .unwrap_or_else(|| AgentId::new("nobody").unwrap())
    }

    fn framework(&self, number: usize) -> FrameworkId {
        let known = self
            .frameworks
            .get(self.frameworks.len().wrapping_sub(1 + number));
        known
            .cloned()
            .unwrap_or_else(|| FrameworkId::new("nobody").unwrap())
    }

    fn offer(&self, number: usize) -> OfferId {
        let offers: Vec<_> = self.harness.leading.standing_offers().collect();
        match offers.get(number) {
            Some((id, _)) => (*id).clone(),
            None => OfferId::new("1.1-O1").unwrap(),
        }
    }

    fn executor(&self, framework: usize) -> ExecutorInfo {
        ExecutorInfo {
            executor_id: ExecutorId::new("e").unwrap(),
            framework_id: self.framework(framework),
            command: CommandInfo::shell("run"),
            resources: resources("cpus:0.5;mem:32;disk:1"),
            name: String::new(),
            data: Arc::from([]),
            shutdown_grace: None,
            verbatim: Arc::default(),
        }
    }

    fn tasks(&self, offer: &OfferId, wanted: &[(usize, bool)]) -> Vec<Arc<TaskInfo>> {
        let mut offers = self.harness.leading.standing_offers();
        let offer = offers.find(|(id, _)| *id == offer).map(|(_, offer)| offer);
        let agent = offer.map_or_else(|| self.agent(0), |offer| offer.agent_id.clone());
        let framework = offer.map_or_else(|| self.framework(0), |offer| offer.framework_id.clone());
        let tasks = wanted.iter().map(|(name, custom)| {
            let mut task = task(&alloc::format!("t{name}"), &agent);
            if *custom {
                let mut executor = self.executor(0);
                executor.framework_id = framework.clone();
                task.executor = Some(Arc::new(executor));
                task.command = None;
            }
            Arc::new(task)
        });
        tasks.collect()
    }

    fn fresh_peer(&mut self, number: u64) {
        self.peers[number as usize] = self.peers.iter().max().unwrap() + 1;
    }

    fn report(&self, agent: &AgentId, reported: (usize, usize, usize)) -> TaskReport {
        let (framework, name, state) = reported;
        let mut info = task(&alloc::format!("t{name}"), agent);
        info.resources = info.resources.allocated_to(&role("web"));
        TaskReport {
            framework_id: self.framework(framework),
            info: Arc::new(info),
            state: TaskState::ALL[state],
            unacknowledged: (name % 2 == 0).then(|| update_id(name as u8)),
            latest_state: TaskState::ALL[state],
        }
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Register { .. }
            | Step::Reregister { .. }
            | Step::Pong { .. }
            | Step::Update { .. }
            | Step::Exited { .. }
            | Step::Unregister { .. } => self.run_agent(step),
            Step::Gone { agent } => {
                let agent = self.agent(agent);
                let _ = self.harness.mark_gone(&agent);
            }
            Step::Disconnect { peer } => {
                self.harness.disconnect(self.peers[peer as usize]);
                self.fresh_peer(peer);
            }
            Step::Store => {
                self.harness.store();
            }
            Step::RefuseStore => {
                if !self.harness.stores.is_empty() {
                    self.harness.refuse_store();
                }
            }
            Step::Wait { millis } => self.harness.wait(Duration::from_millis(millis)),
            Step::FailOver => {
                let before = core::mem::replace(self, World::new());
                self.agents = before.agents;
                self.frameworks = before.frameworks;
                self.harness = before.harness.fail_over();
                self.harness.prompt = false;
            }
            step => self.run_scheduler(step),
        }
    }

    fn run_agent(&mut self, step: Step) {
        match step {
            Step::Register { peer, nonce, run } => self.harness.agent(
                self.peers[peer as usize],
                ToMaster::Register {
                    info: Arc::new(agent_info(None)),
                    run: AgentRun(run),
                    nonce,
                    kept: crate::resources::Resources::EMPTY,
                },
            ),
            Step::Reregister {
                peer,
                agent,
                run,
                tasks,
                small,
            } => {
                let id = self.agent(agent);
                let reports = tasks.into_iter().map(|task| self.report(&id, task));
                let mut report = reregistration(id.as_str(), run, reports.collect());
                if small {
                    let mut info = (*report.info).clone();
                    info.resources = resources("cpus:2;mem:256");
                    report.info = Arc::new(info);
                }
                let message = ToMaster::Reregister(Arc::new(report));
                self.harness.agent(self.peers[peer as usize], message);
            }
            Step::Pong { peer } => self
                .harness
                .agent(self.peers[peer as usize], ToMaster::Pong),
            Step::Update {
                peer,
                framework,
                task,
                state,
                latest,
                id,
            } => {
                let mut status = super::harness::status(
                    &alloc::format!("t{task}"),
                    &self.agent(0),
                    TaskState::ALL[state],
                    id,
                );
                status.agent_id = None;
                let update = StatusUpdate {
                    framework_id: self.framework(framework),
                    status: Arc::new(status),
                    latest_state: TaskState::ALL[latest],
                };
                let message = ToMaster::Update(update);
                self.harness.agent(self.peers[peer as usize], message);
            }
            Step::Exited { peer, framework } => self.harness.agent(
                self.peers[peer as usize],
                ToMaster::ExecutorExited {
                    framework_id: self.framework(framework),
                    executor_id: ExecutorId::new("e").unwrap(),
                    status: 0,
                },
            ),
            Step::Unregister { peer } => {
                self.harness
                    .agent(self.peers[peer as usize], ToMaster::Unregister);
            }
            _ => unreachable!("only agents' steps"),
        }
    }

    fn run_scheduler(&mut self, step: Step) {
        let (peer, call) = match step {
            step @ (Step::Accept { .. } | Step::Decline { .. }) => self.offer_call(step),
            Step::Subscribe {
                peer,
                framework,
                aware,
                two,
            } => {
                let mut info = framework_info(None);
                info.id = framework.map(|framework| self.framework(framework));
                info.capabilities.partition_aware = aware;
                info.capabilities.multi_role = true;
                if two {
                    info.roles.push(role("db"));
                }
                let call = Call::Subscribe {
                    framework: Arc::new(info),
                    suppressed_roles: Vec::new(),
                };
                (peer, call)
            }
            Step::Teardown { peer } => (peer, Call::Teardown),
            Step::Suppress { peer, revive: true } => (peer, Call::Revive { roles: Vec::new() }),
            Step::Suppress { peer, .. } => (peer, Call::Suppress { roles: Vec::new() }),
            Step::Kill { peer, task, agent } => {
                let call = Call::Kill {
                    task_id: task_id(&alloc::format!("t{task}")),
                    agent_id: agent.map(|agent| self.agent(agent)),
                    grace: None,
                };
                (peer, call)
            }
            Step::Acknowledge {
                peer,
                agent,
                task,
                id,
            } => {
                let call = Call::Acknowledge {
                    agent_id: self.agent(agent),
                    task_id: task_id(&alloc::format!("t{task}")),
                    update_id: update_id(id),
                };
                (peer, call)
            }
            Step::Reconcile {
                peer,
                task,
                agent,
                all,
            } => {
                let task = task_id(&alloc::format!("t{task}"));
                let agent = agent.map(|agent| self.agent(agent));
                let tasks = if all {
                    Vec::new()
                } else {
                    [(task, agent)].into()
                };
                (peer, Call::Reconcile { tasks })
            }
            _ => unreachable!("only schedulers' steps"),
        };
        self.harness.call(self.peers[peer as usize], call);
    }

    fn offer_call(&self, step: Step) -> (u64, Call) {
        match step {
            Step::Accept {
                peer,
                offer,
                tasks,
                group,
            } => {
                let offer = self.offer(offer);
                let tasks = self.tasks(&offer, &tasks);
                let mut executor = self.executor(0);
                if let Some(info) = tasks.first().and_then(|task| task.executor.clone()) {
                    executor = (*info).clone();
                }
                let executor = Arc::new(executor);
                let operation = match group {
                    true => OfferOperation::LaunchGroup { executor, tasks },
                    false => OfferOperation::Launch(tasks),
                };
                let call = Call::Accept {
                    offer_ids: [offer].into(),
                    operations: [operation].into(),
                    filters: Filters::NONE,
                };
                (peer, call)
            }
            Step::Decline { peer, offer } => {
                let offer_ids = [self.offer(offer)].into();
                let filters = Filters::DEFAULT;
                (peer, Call::Decline { offer_ids, filters })
            }
            _ => unreachable!("only what is done with offers"),
        }
    }

    /// Connections that the leader closed are not used again either.
    fn replace_closed(&mut self) {
        for effect in self.harness.take() {
            if let crate::master::leading::Effect::Close { peer: closed } = effect
                && let Some(number) = self.peers.iter().position(|p| peer(*p) == closed)
            {
                self.fresh_peer(number as u64);
            }
        }
        self.harness.notices.clear();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// The harness checks every invariant and the registry after every input.
    #[test]
    fn no_conversation_breaks_an_invariant(steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::new();
        for step in steps {
            world.run(step);
            world.learn();
            world.replace_closed();
        }
    }
}

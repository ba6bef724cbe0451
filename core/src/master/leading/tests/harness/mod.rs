//! A leader with a registry that stores when told to, and short names for what is said to it.

mod made;
mod told;

pub(super) use made::*;
pub(super) use told::*;

use crate::ids::{AgentId, FrameworkId, MasterId, OfferId};
use crate::invariant::Cost;
use crate::log::Ballot;
use crate::master::leading::{Config, Effect, Leading, Notice, OperateError};
use crate::message::agent::{AgentRun, ToAgent, ToMaster};
use crate::message::operator::{Answer, Refusal, Request, RequestId};
use crate::message::scheduler::{self, Call, CallId, Event, ToScheduler};
use crate::model::{
    Filters, FrameworkInfo, MasterInfo, Offer, OfferOperation, ResourceOperation, StatusUpdate,
    TaskInfo, TaskState, TaskStatus,
};
use crate::outbox::Outbox;
use crate::registry::{Operation, Registry};
use crate::resources::Resources;
use crate::rng::Rng;
use crate::time::{Now, Time, Wall};
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use std::collections::VecDeque;

pub(super) struct Harness {
    pub(super) leading: Leading,
    pub(super) registry: Registry,
    pub(super) now: Duration,
    pub(super) stores: VecDeque<Operation>,
    /// Store at once what the leader wants stored.
    pub(super) prompt: bool,
    /// What was said since it was last taken, without notices.
    pub(super) said: Vec<Effect>,
    pub(super) notices: Vec<Notice>,
    /// What operators were told.
    pub(super) answers: Vec<(RequestId, Result<Answer, Refusal>)>,
    requests: u64,
}

impl Harness {
    pub(super) fn new(config: &Config) -> Harness {
        Harness::over(config, Registry::default(), 1)
    }

    /// A leader that finds this registry, under a ballot of this round.
    pub(super) fn over(config: &Config, registry: Registry, round: u64) -> Harness {
        let proposer = MasterId(1);
        let me = MasterInfo {
            id: proposer,
            address: "m1:5050".to_string(),
        };
        let ballot = Ballot { round, proposer };
        let rng = Rng::from_seed(round, "test");
        let now = Now::default();
        Harness {
            leading: Leading::new(config, &rng, ballot, me, &registry, now),
            registry,
            now: Duration::ZERO,
            stores: VecDeque::new(),
            prompt: true,
            said: Vec::new(),
            notices: Vec::new(),
            answers: Vec::new(),
            requests: 0,
        }
    }

    /// The next leader, with what is in the registry and nothing else.
    pub(super) fn fail_over(self) -> Harness {
        let round = self.leading.ballot().round + 1;
        Harness::over(self.leading.config(), self.registry, round)
    }

    pub(super) fn at(&self) -> Now {
        Now {
            mono: Time::ZERO + self.now,
            wall: Wall(i64::try_from(self.now.as_millis()).unwrap()),
        }
    }

    fn with(&mut self, input: impl FnOnce(&mut Leading, Now, &mut Outbox<Effect>)) {
        let mut fx = Outbox::new(100_000);
        let now = self.at();
        input(&mut self.leading, now, &mut fx);
        for effect in fx.drain() {
            match effect {
                Effect::Store { operation } => self.stores.push_back(operation),
                Effect::Notice(notice) => {
                    assert!(!notice.to_string().is_empty());
                    self.notices.push(notice);
                }
                Effect::ToOperator { id, answer } => self.answers.push((id, answer)),
                effect => self.said.push(effect),
            }
        }
        self.check();
        if self.prompt {
            self.store_all();
        }
    }

    pub(super) fn check(&self) {
        let broken = self.leading.check(Cost::Linear);
        assert_eq!(broken, [], "after {:?}", self.said.last());
        assert_eq!(self.leading.matches(&self.registry), Ok(()));
    }

    /// Stores the oldest operation that waits, and tells the leader.
    pub(super) fn store(&mut self) -> bool {
        let Some(operation) = self.stores.pop_front() else {
            return false;
        };
        let result = operation.apply(&mut self.registry);
        self.with(|leading, now, fx| leading.on_stored(now, &operation, &result, fx));
        true
    }

    pub(super) fn store_all(&mut self) {
        while self.store() {}
    }

    /// The registrar is full.
    pub(super) fn refuse_store(&mut self) {
        let operation = self.stores.pop_front().unwrap();
        self.with(|leading, now, fx| leading.on_store_refused(now, &operation, fx));
    }

    /// What was said since last asked.
    pub(super) fn take(&mut self) -> Vec<Effect> {
        core::mem::take(&mut self.said)
    }

    pub(super) fn agent(&mut self, from: u64, message: ToMaster) {
        self.with(|leading, now, fx| leading.on_agent(now, peer(from), message, fx));
    }

    pub(super) fn call_as(&mut self, from: u64, framework: Option<&FrameworkId>, call: Call) {
        let message = scheduler::ToMaster {
            id: CallId(0),
            framework_id: framework.cloned(),
            call,
        };
        self.with(|leading, now, fx| leading.on_scheduler(now, peer(from), message, fx));
    }

    pub(super) fn call(&mut self, from: u64, call: Call) {
        self.call_as(from, None, call);
    }

    /// A call whose answer is wanted.
    pub(super) fn ask(&mut self, from: u64, call: Call) -> Result<(), crate::message::Reject> {
        let message = scheduler::ToMaster {
            id: CallId(7),
            framework_id: None,
            call,
        };
        self.with(|leading, now, fx| leading.on_scheduler(now, peer(from), message, fx));
        let answer = self.said.iter().rev().find_map(|effect| match effect {
            Effect::ToScheduler {
                message: ToScheduler::Reply { id, result },
                ..
            } if id.0 == 7 => Some(result.clone()),
            _ => None,
        });
        answer.expect("a call with an id is answered")
    }

    pub(super) fn disconnect(&mut self, from: u64) {
        self.with(|leading, now, fx| leading.on_disconnected(now, peer(from), fx));
    }

    /// An operator asks for something; what he is told, if that is known already.
    pub(super) fn operator(&mut self, request: Request) -> Option<Result<Answer, Refusal>> {
        self.requests += 1;
        let id = RequestId(self.requests);
        self.with(|leading, now, fx| leading.on_operator(now, id, request, fx));
        let answer = self.answers.iter().find(|(other, _)| *other == id);
        answer.map(|(_, answer)| answer.clone())
    }

    pub(super) fn mark_gone(&mut self, id: &AgentId) -> Result<Answer, Refusal> {
        let agent_id = id.clone();
        let answer = self.operator(Request::MarkAgentGone { agent_id });
        answer.unwrap_or(Ok(Answer::Done))
    }

    pub(super) fn operate(
        &mut self,
        id: &AgentId,
        operation: &ResourceOperation,
        principal: Option<&str>,
    ) -> Result<(), OperateError> {
        let mut result = Ok(());
        self.with(|leading, now, fx| result = leading.operate(now, id, operation, principal, fx));
        result
    }

    /// Lets time pass, with a tick whenever one is due.
    pub(super) fn wait(&mut self, duration: Duration) {
        let until = self.now + duration;
        loop {
            let due = self.leading.deadline();
            let due = due
                .map(|due| due.since(Time::ZERO))
                .filter(|due| *due <= until);
            let Some(due) = due else { break };
            self.now = self.now.max(due);
            self.with(Leading::on_tick);
        }
        self.now = until;
    }

    /// A new agent through this connection; its id.
    pub(super) fn register(&mut self, from: u64) -> AgentId {
        self.agent(
            from,
            ToMaster::Register {
                info: Arc::new(agent_info(None)),
                run: AgentRun(1),
                nonce: from,
                kept: Resources::EMPTY,
            },
        );
        self.store_all();
        let told = self.said.iter().rev().find_map(|effect| match effect {
            Effect::ToAgent {
                message: ToAgent::Registered { agent_id, .. },
                ..
            } => Some(agent_id.clone()),
            _ => None,
        });
        self.said.clear();
        told.expect("a stored agent is told its id")
    }

    /// A framework through this connection; its id.
    pub(super) fn subscribe(&mut self, from: u64, info: FrameworkInfo) -> FrameworkId {
        let framework = Arc::new(info);
        let suppressed_roles = Vec::new();
        self.call(
            from,
            Call::Subscribe {
                framework,
                suppressed_roles,
            },
        );
        let told = self.said.iter().rev().find_map(|effect| match effect {
            Effect::ToScheduler {
                message: ToScheduler::Event(Event::Subscribed { framework_id, .. }),
                ..
            } => Some(framework_id.clone()),
            _ => None,
        });
        self.said.clear();
        told.expect("who subscribes is told so first")
    }

    /// Waits for offers; all that came.
    pub(super) fn offers(&mut self) -> Vec<Arc<Offer>> {
        self.wait(Duration::from_secs(1));
        let mut all = Vec::new();
        for effect in self.take() {
            if let Effect::ToScheduler {
                message: ToScheduler::Event(Event::Offers(offers)),
                ..
            } = effect
            {
                all.extend(offers);
            }
        }
        all
    }

    pub(super) fn accept(&mut self, from: u64, offer: &OfferId, tasks: &[TaskInfo]) {
        let tasks = tasks.iter().cloned().map(Arc::new).collect();
        self.call(
            from,
            Call::Accept {
                offer_ids: [offer.clone()].into(),
                operations: [OfferOperation::Launch(tasks)].into(),
                filters: Filters::DEFAULT,
            },
        );
    }

    /// An update from an agent, with its state as the newest.
    pub(super) fn update(&mut self, from: u64, framework: &FrameworkId, status: TaskStatus) {
        let latest = status.state;
        self.update_with(from, framework, status, latest);
    }

    pub(super) fn update_with(
        &mut self,
        from: u64,
        framework: &FrameworkId,
        status: TaskStatus,
        latest_state: TaskState,
    ) {
        self.agent(
            from,
            ToMaster::Update(StatusUpdate {
                framework_id: framework.clone(),
                status: Arc::new(status),
                latest_state,
            }),
        );
    }

    pub(super) fn acknowledge(&mut self, from: u64, agent: &AgentId, task: &str, update: u8) {
        self.call(
            from,
            Call::Acknowledge {
                agent_id: agent.clone(),
                task_id: task_id(task),
                update_id: update_id(update),
            },
        );
    }

    /// One agent at connection 1, one framework at connection 2, and an offer.
    pub(super) fn with_offer() -> (Harness, OfferId) {
        let mut harness = Harness::new(&Config::default());
        harness.register(1);
        harness.subscribe(2, framework_info(None));
        let offer = harness.offers()[0].id.clone();
        (harness, offer)
    }

    /// One agent at connection 1, one framework at connection 2, and a task that runs.
    pub(super) fn with_running_task(config: &Config) -> (Harness, AgentId, FrameworkId) {
        let mut harness = Harness::new(config);
        let agent = harness.register(1);
        let framework = harness.subscribe(2, framework_info(None));
        let offers = harness.offers();
        harness.accept(2, &offers[0].id, &[task("t", &agent)]);
        harness.update(
            1,
            &framework,
            status("t", &agent, TaskState::Running, Some(1)),
        );
        harness.acknowledge(2, &agent, "t", 1);
        harness.take();
        (harness, agent, framework)
    }
}

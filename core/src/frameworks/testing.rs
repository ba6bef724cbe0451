//! What the tests of all frameworks need: offers, statuses, and the logic's answers.

use crate::ids::{AgentId, FrameworkId, MasterId, OfferId, TaskId, UpdateId};
use crate::invariant::{Cost, check};
use crate::message::scheduler::Call;
use crate::model::{MasterInfo, Offer, OfferOperation, Source, TaskInfo, TaskState, TaskStatus};
use crate::outbox::Outbox;
use crate::resources::Role;
use crate::scheduler::{Action, Event, Logic};
use crate::time::{Now, Time, Wall};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

pub(super) fn task_id(text: &str) -> TaskId {
    TaskId::new(text).unwrap()
}

pub(super) fn offer(number: u32, resources: &str) -> Arc<Offer> {
    Arc::new(Offer {
        id: OfferId::new(&format!("O{number}")).unwrap(),
        framework_id: FrameworkId::new("F0").unwrap(),
        agent_id: AgentId::new(&format!("S{number}")).unwrap(),
        hostname: format!("host{number}"),
        port: 5051,
        role: Role::new("web").unwrap(),
        resources: resources.parse().unwrap(),
        attributes: format!("rack:r{}", number % 2).parse().unwrap(),
        domain: None,
        executor_ids: Vec::new(),
        unavailability: None,
    })
}

pub(super) fn status(task_id: &TaskId, agent: &str, state: TaskState) -> Arc<TaskStatus> {
    Arc::new(TaskStatus {
        task_id: task_id.clone(),
        state,
        source: Source::Executor,
        reason: None,
        message: String::new(),
        agent_id: Some(AgentId::new(agent).unwrap()),
        executor_id: None,
        timestamp: Wall(0),
        update_id: Some(UpdateId([state as u8; 16])),
        healthy: None,
        data: Arc::default(),
        unreachable_at: None,
        verbatim: Arc::default(),
    })
}

/// A logic without a driver, its clock, and what it did last.
pub(super) struct Bench<F> {
    pub(super) logic: F,
    pub(super) now: Now,
}

impl<F: Logic> Bench<F> {
    pub(super) fn new(logic: F) -> Bench<F> {
        Bench {
            logic,
            now: Now::default(),
        }
    }

    fn run(&mut self, step: impl FnOnce(&mut F, Now, &mut Outbox<Action>)) -> Vec<Action> {
        let mut out = Outbox::new(100_000);
        step(&mut self.logic, self.now, &mut out);
        assert_eq!(check(F::INVARIANTS, &self.logic, Cost::Linear), []);
        out.drain().collect()
    }

    pub(super) fn event(&mut self, event: &Event) -> Vec<Action> {
        self.run(|logic, now, out| logic.on_event(now, event, out))
    }

    pub(super) fn subscribe(&mut self) -> Vec<Action> {
        self.event(&Event::Subscribed {
            framework_id: FrameworkId::new("F0").unwrap(),
            master: MasterInfo {
                id: MasterId(0),
                address: String::from("m0:1"),
            },
        })
    }

    pub(super) fn offers(&mut self, offers: &[Arc<Offer>]) -> Vec<Action> {
        self.event(&Event::Offers(offers.to_vec()))
    }

    pub(super) fn update(&mut self, id: &TaskId, agent: &str, state: TaskState) -> Vec<Action> {
        let status = status(id, agent, state);
        self.event(&Event::Update { status })
    }

    pub(super) fn request(&mut self, body: &[u8]) -> Vec<Action> {
        self.run(|logic, now, out| logic.on_request(now, body, out))
    }

    /// Lets time pass, with a tick at every deadline.
    pub(super) fn pass(&mut self, time: Duration) -> Vec<Action> {
        let end = self.now.mono + time;
        let mut actions = Vec::new();
        while let Some(due) = self.logic.deadline().filter(|due| *due <= end) {
            self.now.mono = due.max(self.now.mono);
            actions.extend(self.run(F::on_tick));
            assert!(
                actions.len() < 100_000,
                "a tick at {due:?} leads to the next"
            );
        }
        self.now.mono = end.max(Time::ZERO);
        actions
    }

    /// What a restart makes of it: `fresh`, with every record of `history` replayed.
    pub(super) fn recover(&self, mut fresh: F, history: &[Vec<u8>]) -> Bench<F> {
        for record in history {
            fresh.replay(self.now, record).unwrap();
        }
        assert_eq!(check(F::INVARIANTS, &fresh, Cost::Linear), []);
        Bench {
            logic: fresh,
            now: self.now,
        }
    }
}

pub(super) fn records(actions: &[Action]) -> Vec<Vec<u8>> {
    let records = actions.iter().filter_map(|action| match action {
        Action::Persist(record) => Some(record.clone()),
        _ => None,
    });
    records.collect()
}

pub(super) fn calls(actions: &[Action]) -> Vec<Call> {
    let calls = actions.iter().filter_map(|action| match action {
        Action::Call(call) => Some(call.clone()),
        _ => None,
    });
    calls.collect()
}

pub(super) fn launched(actions: &[Action]) -> Vec<Arc<TaskInfo>> {
    let mut tasks = Vec::new();
    for call in calls(actions) {
        let Call::Accept { operations, .. } = call else {
            continue;
        };
        for operation in operations {
            let OfferOperation::Launch(launch) = operation else {
                panic!("no groups yet");
            };
            tasks.extend(launch);
        }
    }
    tasks
}

pub(super) fn killed(actions: &[Action]) -> Vec<TaskId> {
    let killed = calls(actions).into_iter().filter_map(|call| match call {
        Call::Kill { task_id, .. } => Some(task_id),
        _ => None,
    });
    killed.collect()
}

pub(super) fn suppress() -> Call {
    Call::Suppress { roles: vec![] }
}

pub(super) fn revive() -> Call {
    Call::Revive { roles: vec![] }
}

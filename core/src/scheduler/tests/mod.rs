//! What the driver does, one behaviour at a time; `random` tries everything at once against a
//! master that crashes, forgets, repeats and drops.

mod links;
mod random;

mod stopping;
mod tasks;
mod world;

use super::*;
use crate::durable::WriteSequence;
use crate::ids::{AgentId, FrameworkId, MasterId, OfferId, Peer, TaskId, UpdateId};
use crate::invariant::Invariant;
use crate::machine::Machine;
use crate::message::Reject;
use crate::message::scheduler::{Call, CallId, Event as FromMaster, ToScheduler};
use crate::model::{
    Capabilities, Filters, FrameworkInfo, MasterInfo, OfferOperation, Source, TaskInfo, TaskState,
    TaskStatus,
};
use crate::outbox::Outbox;
use crate::resources::{Resources, Role};
use crate::rng::Rng;
use crate::time::{Now, Time, Wall};
use crate::wire::{self, DecodeError};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

fn info() -> FrameworkInfo {
    FrameworkInfo {
        id: None,
        user: String::from("root"),
        name: String::from("test"),
        roles: vec![Role::new("web").unwrap()],
        failover_timeout: Duration::from_secs(60),
        checkpoint: true,
        capabilities: Capabilities {
            partition_aware: true,
            ..Capabilities::default()
        },
        principal: None,
        hostname: String::from("here"),
        webui_url: None,
        verbatim: Arc::default(),
    }
}

fn framework_id(text: &str) -> FrameworkId {
    FrameworkId::new(text).unwrap()
}

fn task_id(text: &str) -> TaskId {
    TaskId::new(text).unwrap()
}

fn status(task: &str, state: TaskState, update: Option<u8>) -> Arc<TaskStatus> {
    Arc::new(TaskStatus {
        task_id: task_id(task),
        state,
        source: Source::Executor,
        reason: None,
        message: String::new(),
        agent_id: Some(AgentId::new("S0").unwrap()),
        executor_id: None,
        timestamp: Wall(0),
        update_id: update.map(|byte| UpdateId([byte; 16])),
        healthy: None,
        data: Arc::default(),
        unreachable_at: None,
        verbatim: Arc::default(),
    })
}

/// A logic that does what the test said, and remembers what it was told.
#[derive(Clone, Debug, Default)]
struct Probe {
    events: Vec<Event>,
    /// Done at the next event.
    script: Vec<Action>,
    tasks: Vec<TaskId>,
    replayed: Vec<Vec<u8>>,
}

impl Logic for Probe {
    fn on_event(&mut self, _now: Now, event: &Event, out: &mut Outbox<Action>) {
        self.events.push(event.clone());
        for action in self.script.drain(..) {
            out.push(action);
        }
    }

    fn on_tick(&mut self, _now: Now, _out: &mut Outbox<Action>) {}

    fn deadline(&self) -> Option<Time> {
        None
    }

    fn tasks(&self) -> Vec<(TaskId, Option<AgentId>)> {
        let agent = Some(AgentId::new("S0").unwrap());
        let tasks = self.tasks.iter();
        tasks.map(|id| (id.clone(), agent.clone())).collect()
    }

    fn snapshot(&self) -> Vec<u8> {
        wire::encode("snapshot")
    }

    fn restore(&mut self, _now: Now, snapshot: &[u8]) -> Result<(), DecodeError> {
        wire::decode::<String>(snapshot).map(|_| ())
    }

    fn replay(&mut self, _now: Now, record: &[u8]) -> Result<(), DecodeError> {
        wire::decode::<String>(record)?;
        self.replayed.push(record.to_vec());
        Ok(())
    }

    const INVARIANTS: &'static [Invariant<Probe>] = &[];
}

/// A node and its clock.
struct Pair {
    node: FrameworkNode<Probe>,
    now: Now,
}

impl Pair {
    fn new() -> Pair {
        Pair::with(Probe::default(), Vec::new(), Config::default())
    }

    fn with(logic: Probe, writes: Vec<Write>, config: Config) -> Pair {
        let masters = ["m0:1", "m1:1", "m2:1"].map(String::from).to_vec();
        let now = Now::default();
        let rng = Rng::from_seed(1, "framework");
        let node = FrameworkNode::recover(config, info(), logic, &rng, masters, now, writes);
        Pair {
            node: node.unwrap(),
            now,
        }
    }

    /// One input; what follows, without what is only for people.
    fn input(&mut self, input: Input) -> Vec<Effect> {
        let mut fx = Outbox::new(1_000_000);
        self.node.handle(self.now, input, &mut fx);
        fx.drain()
            .filter(|effect| !matches!(effect, Effect::Notice(_)))
            .collect()
    }

    fn tick(&mut self) -> Vec<Effect> {
        self.input(Input::Tick)
    }

    /// Lets time pass, with a tick at every deadline.
    fn pass(&mut self, time: Duration) -> Vec<Effect> {
        let end = self.now.mono + time;
        let mut effects = Vec::new();
        while let Some(due) = self.node.deadline().filter(|due| *due <= end) {
            self.now.mono = due.max(self.now.mono);
            effects.extend(self.tick());
        }
        self.now.mono = end;
        effects
    }

    /// Until a connection is asked for; answers it.
    fn connect(&mut self) -> (Peer, Vec<Effect>) {
        for _ in 0..20 {
            for effect in self.tick() {
                if let Effect::Connect { peer, .. } = effect {
                    return (peer, self.input(Input::Connected { peer }));
                }
            }
            self.now.mono = self.node.deadline().unwrap();
        }
        panic!("it does not try to connect");
    }

    fn event(&mut self, peer: Peer, event: FromMaster) -> Vec<Effect> {
        let message = ToScheduler::Event(event);
        self.input(Input::FromMaster { peer, message })
    }

    fn reply(&mut self, peer: Peer, id: CallId, result: Result<(), Reject>) -> Vec<Effect> {
        let message = ToScheduler::Reply { id, result };
        self.input(Input::FromMaster { peer, message })
    }

    fn subscribed(&mut self, peer: Peer) -> Vec<Effect> {
        self.event(
            peer,
            FromMaster::Subscribed {
                framework_id: framework_id("F0"),
                heartbeat_interval: Duration::from_secs(15),
                master: MasterInfo {
                    id: MasterId(0),
                    address: String::from("m0:1"),
                },
            },
        )
    }

    fn persisted(&mut self, up_to: u64) -> Vec<Effect> {
        let up_to = WriteSequence(up_to);
        self.input(Input::Persisted { up_to })
    }

    /// A node that a master took, with its id on disk.
    fn up() -> (Pair, Peer) {
        let mut pair = Pair::new();
        let (peer, _) = pair.connect();
        pair.subscribed(peer);
        pair.persisted(1);
        pair.node_events();
        (pair, peer)
    }

    /// What the logic was told since the last time.
    fn node_events(&mut self) -> Vec<Event> {
        core::mem::take(&mut self.node.logic.events)
    }

    fn update(&mut self, peer: Peer, status: &Arc<TaskStatus>) -> Vec<Effect> {
        let status = Arc::clone(status);
        self.event(peer, FromMaster::Update { status })
    }
}

/// What goes to the master.
fn calls(effects: &[Effect]) -> Vec<Call> {
    let calls = effects.iter().filter_map(|effect| match effect {
        Effect::ToMaster { message, .. } => Some(message.call.clone()),
        _ => None,
    });
    calls.collect()
}

fn call_id(effects: &[Effect]) -> CallId {
    let mut ids = effects.iter().filter_map(|effect| match effect {
        Effect::ToMaster { message, .. } => Some(message.id),
        _ => None,
    });
    ids.next_back().unwrap()
}

fn acknowledge(status: &TaskStatus) -> Call {
    Call::Acknowledge {
        agent_id: status.agent_id.clone().unwrap(),
        task_id: status.task_id.clone(),
        update_id: status.update_id.unwrap(),
    }
}

fn revive() -> Call {
    Call::Revive { roles: Vec::new() }
}

fn accept(task: &str) -> Call {
    Call::Accept {
        offer_ids: vec![OfferId::new("O0").unwrap()],
        operations: vec![OfferOperation::Launch(vec![Arc::new(TaskInfo {
            task_id: task_id(task),
            name: String::from("t"),
            agent_id: AgentId::new("S0").unwrap(),
            resources: Resources::default(),
            executor: None,
            command: None,
            data: Arc::default(),
            labels: Vec::new(),
            kill_grace: None,
            verbatim: Arc::default(),
        })])],
        filters: Filters::DEFAULT,
    }
}

//! A host, its executors and a master in miniature, around one agent that may be cut anywhere.

use super::bench::*;
use crate::agent::{
    AgentNode, Checkpoint, Config, EFFECTS_MAX, Effect, Input, Notice, Probe, Recovered, Write,
};
use crate::durable::WriteSequence;
use crate::executor::{self, CommandExecutor};
use crate::ids::{ContainerId, FrameworkId, Peer, TaskId, UpdateId};
use crate::invariant::Cost;
use crate::machine::Machine;
use crate::message::agent::{ToAgent, ToMaster};
use crate::model::{TaskInfo, TaskState, TaskStatus};
use crate::outbox::Outbox;
use crate::rng::Rng;
use crate::time::{Now, Time, Wall};
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

/// What is under way, in order within each lane.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    /// To the agent from its driver and over all its connections to masters.
    Agent,
    ToMaster(Peer),
    /// From an executor to the agent, over one connection.
    FromExecutor(ContainerId, u64),
    /// To an executor, from its driver and its agent.
    Executor(ContainerId),
    /// What the host tells the agent of a container.
    Host(ContainerId),
}

#[derive(Clone, Debug)]
pub(super) enum Item {
    Agent(Input),
    Master(ToMaster),
    Executor(executor::Input),
}

pub(super) struct Container {
    pub(super) node: CommandExecutor,
    /// The agent's and the executor's name of the connection.
    pub(super) connection: Option<(Peer, Peer)>,
    pub(super) processes: BTreeSet<TaskId>,
}

/// What a master believes of a task.
#[derive(Default)]
pub struct Believed {
    /// Updates in the order in which they came first.
    pub updates: Vec<Arc<TaskStatus>>,
}

impl Believed {
    pub fn terminal(&self) -> Option<&Arc<TaskStatus>> {
        self.updates.iter().find(|s| s.state.is_terminal())
    }
}

pub struct World {
    pub agent: AgentNode,
    pub(super) config: Config,
    pub(super) now: Now,
    pub(super) fx: Outbox<Effect>,
    pub(super) executor_fx: Outbox<executor::Effect>,
    pub(super) durable: Vec<Write>,
    pub(super) pending: VecDeque<(WriteSequence, Write)>,
    pub(super) lanes: BTreeMap<Lane, VecDeque<Item>>,
    pub(super) containers: BTreeMap<ContainerId, Container>,
    /// All that there ever were, and whose each update is: names are never used again.
    pub(super) launched: BTreeSet<ContainerId>,
    pub(super) named: BTreeMap<UpdateId, TaskId>,
    pub(super) peers: u64,
    pub(super) boots: u32,
    pub(super) link: Option<Peer>,
    pub(super) round: u64,
    /// Whether acknowledgements get lost.
    pub lossy: bool,
    pub tasks: BTreeMap<TaskId, Believed>,
    pub torn_down: bool,
    pub starts: BTreeMap<TaskId, u32>,
    /// What executors were told is safe, and what they said, in order.
    pub acknowledged: BTreeSet<(TaskId, UpdateId)>,
    pub said: BTreeMap<TaskId, Vec<(UpdateId, TaskState)>>,
    pub probes: BTreeSet<Probe>,
}

impl World {
    pub fn new() -> World {
        let config = Config {
            snapshot_after_writes: 12,
            ..Config::default()
        };
        let now = Now {
            mono: Time::ZERO,
            wall: Wall(0),
        };
        let agent = AgentNode::new(config.clone(), rng(), agent_info(), now, "boot 0");
        World {
            agent,
            config,
            now,
            fx: Outbox::new(EFFECTS_MAX),
            executor_fx: Outbox::new(1000),
            durable: Vec::new(),
            pending: VecDeque::new(),
            lanes: BTreeMap::new(),
            containers: BTreeMap::new(),
            launched: BTreeSet::new(),
            named: BTreeMap::new(),
            peers: 0,
            boots: 0,
            link: None,
            round: 1,
            lossy: false,
            tasks: BTreeMap::new(),
            torn_down: false,
            starts: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            said: BTreeMap::new(),
            probes: BTreeSet::new(),
        }
    }

    /// The first `count` writes under way become durable.
    pub fn persist(&mut self, count: usize) {
        let count = count.min(self.pending.len());
        let mut up_to = None;
        for (sequence, write) in self.pending.drain(..count) {
            if matches!(write, Write::Snapshot(_)) {
                self.durable.clear();
            }
            self.durable.push(write);
            up_to = Some(sequence);
        }
        if let Some(up_to) = up_to {
            self.tell_agent(Input::Persisted { up_to });
        }
    }

    /// The agent dies; of the writes under way the first `kept` turn out to be on disk.
    pub fn crash(&mut self, kept: usize, reboot: bool) {
        let all: Vec<_> = self
            .pending
            .iter()
            .map(|(_, write)| write.clone())
            .collect();
        let whole: Vec<_> = self.durable.iter().chain(&all).cloned().collect();
        let kept = kept.min(all.len());
        for write in &all[..kept] {
            if matches!(write, Write::Snapshot(_)) {
                self.durable.clear();
            }
            self.durable.push(write.clone());
        }
        assert_eq!(
            Checkpoint::replay(&whole),
            *self.agent.checkpoint(),
            "the journal tells all"
        );
        self.pending.clear();
        self.link = None;
        self.lanes
            .retain(|lane, _| matches!(lane, Lane::Executor(_)));
        if reboot {
            self.boots += 1;
            self.containers.clear();
            self.lanes.clear();
        }
        let connected: Vec<_> = self.containers.keys().cloned().collect();
        for container_id in connected {
            self.break_executor(&container_id, false);
        }
        self.now.wall.0 += 1;
        let recovered = Recovered {
            writes: self.durable.clone(),
            live_containers: self.containers.keys().cloned().collect(),
            boot_id: format!("boot {}", self.boots),
        };
        let config = self.config.clone();
        self.agent = AgentNode::recover(config, rng(), agent_info(), self.now, recovered);
        self.tell_agent(Input::Tick);
    }

    pub(super) fn tell_agent(&mut self, input: Input) {
        self.agent.handle(self.now, input, &mut self.fx);
        let broken = self.agent.check(Cost::Linear);
        assert!(broken.is_empty(), "{broken:?}");
        let effects: Vec<_> = self.fx.drain().collect();
        for effect in effects {
            self.on_agent_effect(effect);
        }
    }

    pub(super) fn put(&mut self, lane: Lane, item: Item) {
        self.lanes.entry(lane).or_default().push_back(item);
    }

    fn on_agent_effect(&mut self, effect: Effect) {
        match effect {
            Effect::Persist { sequence, write } => self.pending.push_back((sequence, write)),
            Effect::Notice(Notice::Probe(probe)) => {
                self.probes.insert(probe);
            }
            Effect::Notice(_) => {}
            Effect::Connect { peer, .. } => {
                self.link = Some(peer);
                self.put(Lane::Agent, Item::Agent(Input::Connected { peer }));
            }
            Effect::Close { peer } => self.on_close(peer),
            Effect::ToMaster { peer, message } if self.link == Some(peer) => {
                self.put(Lane::ToMaster(peer), Item::Master(message));
            }
            Effect::ToMaster { .. } => {}
            Effect::ToExecutor { peer, event } => {
                let all = self.containers.iter();
                let found = all
                    .filter_map(|(id, container)| Some((id, container.connection?)))
                    .find(|(_, (theirs, _))| *theirs == peer);
                if let Some((id, (_, ours))) = found {
                    let lane = Lane::Executor(id.clone());
                    let input = executor::Input::FromAgent { peer: ours, event };
                    self.put(lane, Item::Executor(input));
                }
            }
            Effect::Launch(launch) => self.launch(&launch),
            Effect::Destroy { container_id } => {
                if self.containers.contains_key(&container_id) {
                    self.end_container(&container_id, Some(137));
                } else {
                    self.say_exited(container_id, None);
                }
            }
            Effect::WipeVolumes { .. } => {}
            Effect::Exit | Effect::Halt(_) => panic!("nobody asked the agent to end: {effect:?}"),
        }
    }

    fn on_close(&mut self, peer: Peer) {
        if self.link == Some(peer) {
            self.link = None;
            self.lanes.remove(&Lane::ToMaster(peer));
        }
        let mut all = self.containers.iter();
        let found = all.find(|(_, c)| c.connection.is_some_and(|(theirs, _)| theirs == peer));
        if let Some(container_id) = found.map(|(id, _)| id.clone()) {
            self.break_executor(&container_id, false);
        }
    }

    pub fn break_master(&mut self) {
        if let Some(peer) = self.link.take() {
            self.lanes.remove(&Lane::ToMaster(peer));
            let items = self.lanes.remove(&Lane::Agent).unwrap_or_default();
            drop(items);
            self.tell_agent(Input::Disconnected { peer });
        }
    }

    pub fn change_leader(&mut self) {
        self.round += 1;
        self.break_master();
    }

    /// Whatever the `index`th lane that holds something delivers first.
    pub fn deliver(&mut self, index: usize) {
        let lanes = self.lanes.iter().filter(|(_, items)| !items.is_empty());
        let lanes: Vec<_> = lanes.map(|(lane, _)| lane.clone()).collect();
        if lanes.is_empty() {
            return;
        }
        let lane = lanes[index % lanes.len()].clone();
        let items = self.lanes.get_mut(&lane).expect("just listed");
        let item = items.pop_front().expect("it holds something");
        if items.is_empty() {
            self.lanes.remove(&lane);
        }
        match (item, lane) {
            (Item::Agent(input), _) => self.tell_agent(input),
            (Item::Master(message), _) => self.on_master(message),
            (Item::Executor(input), Lane::Executor(id)) => self.tell_executor(&id, input),
            (item, lane) => unreachable!("{item:?} on {lane:?}"),
        }
    }

    fn on_master(&mut self, message: ToMaster) {
        match message {
            ToMaster::Register { .. } => self.say_as_master(ToAgent::Registered {
                agent_id: agent_id(),
                ballot: ballot(self.round),
                ping_timeout: PING_TIMEOUT,
            }),
            ToMaster::Reregister(sent) => {
                if self.torn_down {
                    let framework_id = framework_id();
                    self.say_as_master(reregistered(self.round, Vec::new()));
                    self.say_as_master(ToAgent::ShutdownFramework { framework_id });
                    return;
                }
                let reported: BTreeSet<_> =
                    sent.tasks.iter().map(|t| t.info.task_id.clone()).collect();
                let missing = self.tasks.iter().filter(|(task_id, believed)| {
                    believed.terminal().is_none() && !reported.contains(*task_id)
                });
                let missing: Vec<(FrameworkId, TaskId)> = missing
                    .map(|(task_id, _)| (framework_id(), task_id.clone()))
                    .collect();
                self.say_as_master(reregistered(self.round, missing));
            }
            ToMaster::Operation(report) => {
                let (uuid, update_id) = (report.uuid, report.status.update_id);
                let update_id = update_id.expect("an outcome is acknowledged by its name");
                self.say_as_master(ToAgent::AcknowledgeOperation { uuid, update_id });
            }
            ToMaster::Update(update) => {
                if self.torn_down {
                    return;
                }
                let status = update.status;
                let task_id = status.task_id.clone();
                let Some(id) = status.update_id else {
                    self.believe_unknown(&task_id, status);
                    return;
                };
                let owner = self.named.entry(id).or_insert_with(|| task_id.clone());
                assert_eq!(*owner, task_id, "two updates of one name");
                let believed = self
                    .tasks
                    .get_mut(&task_id)
                    .expect("of a task it was given");
                if !believed.updates.iter().any(|s| s.update_id == Some(id)) {
                    let over = believed.terminal().is_some();
                    assert!(!over, "{status:?} after {:?}", believed.terminal());
                    believed.updates.push(status);
                }
                if !self.lossy {
                    self.say_as_master(ToAgent::Acknowledge {
                        framework_id: framework_id(),
                        task_id,
                        update_id: id,
                    });
                }
            }
            ToMaster::Pong | ToMaster::ExecutorExited { .. } => {}
            other => panic!("{other:?}"),
        }
    }

    /// The agent does not know a task: it never got it, or all was said of it before.
    fn believe_unknown(&mut self, task_id: &TaskId, status: Arc<TaskStatus>) {
        assert!(status.state.is_terminal(), "{status:?}");
        let believed = self
            .tasks
            .get_mut(task_id)
            .expect("of a task that was named");
        if believed.terminal().is_none() {
            believed.updates.push(status);
        }
    }

    fn say_as_master(&mut self, message: ToAgent) {
        if let Some(peer) = self.link {
            let input = Input::FromMaster { peer, message };
            self.put(Lane::Agent, Item::Agent(input));
        }
    }

    /// The master wants tasks run. It does so only while it holds the agent registered.
    pub fn run(&mut self, tasks: Vec<Arc<TaskInfo>>, group: bool) {
        if self.torn_down || self.agent.registered_with() != Some(ballot(self.round)) {
            return;
        }
        for task in &tasks {
            self.tasks.entry(task.task_id.clone()).or_default();
        }
        self.say_as_master(ToAgent::Run {
            framework: framework(true),
            tasks,
            group,
        });
    }

    pub fn kill_some(&mut self, index: usize) {
        if let Some(task_id) = nth(&self.tasks, index) {
            if self.torn_down || self.tasks[&task_id].terminal().is_some() {
                return;
            }
            self.say_as_master(ToAgent::Kill {
                framework_id: framework_id(),
                task_id,
                grace: None,
            });
        }
    }

    pub fn tear_down(&mut self) {
        self.torn_down = true;
        let framework_id = framework_id();
        self.say_as_master(ToAgent::ShutdownFramework { framework_id });
    }

    pub fn ping(&mut self, registered: bool) {
        self.say_as_master(ToAgent::Ping { registered });
    }

    /// Time passes to the next deadline of anything, at most `longest`.
    pub fn advance(&mut self, longest: Duration) {
        let executors = self.containers.values().map(|c| c.node.deadline());
        let all = executors.chain([self.agent.deadline()]).flatten();
        let end = self.now.mono + longest;
        let next = all.min().map_or(end, |next| next.min(end));
        self.now.mono = self.now.mono.max(next);
        self.tell_agent(Input::Tick);
        let ids: Vec<_> = self.containers.keys().cloned().collect();
        for id in ids {
            self.tell_executor(&id, executor::Input::Tick);
        }
    }

    fn is_quiet(&self) -> bool {
        let tasks = self.agent.checkpoint().tasks().count();
        self.lanes.is_empty() && self.pending.is_empty() && tasks == 0
    }

    /// Everything works again and every process ends: what remains must come to rest.
    pub fn heal(&mut self) {
        self.lossy = false;
        for round in 0..20_000 {
            let count = self.pending.len();
            self.persist(count);
            self.deliver(round);
            if self.lanes.is_empty() && self.pending.is_empty() {
                self.end_some_process(0, 0);
                if round % 50 == 0 {
                    self.ping(true);
                }
                self.advance(Duration::from_secs(5));
                let reached = self.agent.registered_with() == Some(ballot(self.round));
                let over = self.tasks.values().all(|b| b.terminal().is_some());
                if reached && self.is_quiet() && (over || self.torn_down) {
                    return;
                }
            }
        }
        let open: Vec<_> = self.agent.tasks().collect();
        panic!("no rest: {open:?}, {:?}", self.lanes);
    }

    pub fn has_only_shared_containers(&self) -> bool {
        let shared = |id: &str| id.starts_with('e');
        let mut executors = self.agent.checkpoint().executors();
        executors.all(|(_, id, _)| shared(id.as_str()))
    }

    pub fn durable_writes(&self) -> usize {
        self.durable.len()
    }

    pub fn pending_writes(&self) -> usize {
        self.pending.len()
    }
}

/// The agent's driver gives every process of the same agent the same stream.
fn rng() -> Rng {
    Rng::from_seed(2, "agent")
}

pub(super) fn nth<K: Clone + Ord, V>(map: &BTreeMap<K, V>, index: usize) -> Option<K> {
    if map.is_empty() {
        return None;
    }
    map.keys().nth(index % map.len()).cloned()
}

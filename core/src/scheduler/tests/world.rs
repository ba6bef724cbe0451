//! A master, agents, a network and a disk around one framework, and what may go wrong with them.

use super::*;
use crate::invariant::{Cost, check};
use crate::message::scheduler::ToMaster;
use crate::model::Offer;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::format;

mod master;

/// So many tasks fit on one agent.
const SLOTS: usize = 4;

/// A logic, and the updates with ids that it was told in this run.
pub(super) struct Watched<F> {
    pub(super) inner: F,
    told: Vec<(TaskId, UpdateId)>,
}

impl<F: Logic> Logic for Watched<F> {
    fn on_event(&mut self, now: Now, event: &Event, out: &mut Outbox<Action>) {
        if let Event::Update { status } = event
            && let Some(id) = status.update_id
        {
            self.told.push((status.task_id.clone(), id));
        }
        self.inner.on_event(now, event, out);
    }
    fn on_tick(&mut self, now: Now, out: &mut Outbox<Action>) {
        self.inner.on_tick(now, out);
    }
    fn deadline(&self) -> Option<Time> {
        self.inner.deadline()
    }
    fn tasks(&self) -> Vec<(TaskId, Option<AgentId>)> {
        self.inner.tasks()
    }
    fn snapshot(&self) -> Vec<u8> {
        self.inner.snapshot()
    }
    fn restore(&mut self, now: Now, snapshot: &[u8]) -> Result<(), DecodeError> {
        self.inner.restore(now, snapshot)
    }
    fn replay(&mut self, now: Now, record: &[u8]) -> Result<(), DecodeError> {
        self.inner.replay(now, record)
    }
    const INVARIANTS: &'static [Invariant<Watched<F>>] = &[];
}

#[derive(Default)]
pub(super) struct Link {
    open: bool,
    /// Nothing passes any more, and nobody says so.
    dead: bool,
    to_master: VecDeque<ToMaster>,
    to_node: VecDeque<ToScheduler>,
}

pub(super) struct Task {
    /// Those not acknowledged, oldest first.
    pub(super) updates: VecDeque<(UpdateId, TaskState)>,
    pub(super) state: TaskState,
    ends: Option<(Time, TaskState)>,
}

#[derive(Default)]
pub(super) struct Agent {
    registered: bool,
    unreachable: bool,
    pub(super) tasks: BTreeMap<TaskId, Task>,
}

pub(super) struct World<F> {
    make: Box<dyn Fn() -> F>,
    pub(super) rng: Rng,
    pub(super) now: Now,
    pub(super) node: FrameworkNode<Watched<F>>,
    disk: Vec<Write>,
    writing: VecDeque<Write>,
    written: u64,
    links: BTreeMap<Peer, Link>,
    leading: bool,
    subscribed: Option<Peer>,
    suppressed: bool,
    offers: BTreeMap<OfferId, usize>,
    pub(super) agents: Vec<Agent>,
    serial: u64,
    /// Every task ever accepted.
    pub(super) launched: BTreeSet<TaskId>,
    /// Tasks whose command finished.
    pub(super) finished: Vec<TaskId>,
    /// Updates that a logic handled, in this run or an earlier one.
    handled: BTreeSet<UpdateId>,
}

fn node<F: Logic>(inner: F, now: Now, writes: Vec<Write>) -> FrameworkNode<Watched<F>> {
    let masters = ["m0:1", "m1:1"].map(String::from).to_vec();
    let rng = Rng::from_seed(1, "framework");
    let told = Vec::new();
    let logic = Watched { inner, told };
    let config = Config {
        snapshot_after_writes: 16,
        ..Config::default()
    };
    FrameworkNode::recover(config, info(), logic, &rng, masters, now, writes).unwrap()
}

impl<F: Logic> World<F> {
    pub(super) fn new(seed: u64, make: impl Fn() -> F + 'static) -> World<F> {
        let now = Now::default();
        let agent = |_| Agent {
            registered: true,
            ..Agent::default()
        };
        World {
            rng: Rng::from_seed(seed, "world"),
            node: node(make(), now, Vec::new()),
            make: Box::new(make),
            now,
            disk: Vec::new(),
            writing: VecDeque::new(),
            written: 0,
            links: BTreeMap::new(),
            leading: true,
            subscribed: None,
            suppressed: false,
            offers: BTreeMap::new(),
            agents: (0..3).map(agent).collect(),
            serial: 0,
            launched: BTreeSet::new(),
            finished: Vec::new(),
            handled: BTreeSet::new(),
        }
    }

    pub(super) fn logic(&self) -> &F {
        &self.node.logic().inner
    }

    fn input(&mut self, input: Input) {
        let mut fx = Outbox::new(1_000_000);
        let told_before = self.node.logic().told.len();
        self.node.handle(self.now, input, &mut fx);
        assert_eq!(self.node.violations(Cost::Linear), []);
        assert_eq!(check(F::INVARIANTS, self.logic(), Cost::Linear), []);
        let told = &self.node.logic().told;
        for (at, (task_id, id)) in told.iter().enumerate().skip(told_before) {
            // Ids grow within each task's stream: in order, and each once in one run.
            let behind = told[..at].iter().find(|(t, i)| t == task_id && i >= id);
            assert_eq!(behind, None, "{task_id} was told {id} after another");
            self.handled.insert(*id);
        }
        for effect in fx.drain() {
            self.on_effect(effect);
        }
    }

    fn on_effect(&mut self, effect: Effect) {
        match effect {
            Effect::Connect { peer, .. } => {
                let before = self.links.insert(peer, Link::default());
                assert!(before.is_none(), "a name of a connection was used again");
            }
            Effect::Close { peer } => {
                self.links.remove(&peer);
            }
            Effect::ToMaster { peer, message } => {
                self.links
                    .get_mut(&peer)
                    .expect("it spoke on a closed connection")
                    .to_master
                    .push_back(message);
            }
            Effect::Persist { sequence, write } => {
                self.writing.push_back(write);
                assert_eq!(sequence.0, self.written + self.writing.len() as u64);
            }
            Effect::Notice(_) => {}
            Effect::Exit(exit) => panic!("it ended: {exit:?}"),
        }
    }

    fn say(&mut self, event: FromMaster) {
        let link = self.subscribed.and_then(|peer| self.links.get_mut(&peer));
        if let Some(link) = link {
            link.to_node.push_back(ToScheduler::Event(event));
        }
    }

    fn say_status(
        &mut self,
        agent: usize,
        id: &TaskId,
        state: TaskState,
        update: Option<UpdateId>,
    ) {
        let mut said = (*status(id.as_str(), state, None)).clone();
        said.update_id = update;
        said.agent_id = Some(AgentId::new(&format!("S{agent}")).unwrap());
        let status = Arc::new(said);
        self.say(FromMaster::Update { status });
    }

    /// One thing moves on one connection.
    pub(super) fn deliver(&mut self) -> bool {
        let ready = |(_, link): &(&Peer, &Link)| {
            let waits = !link.to_master.is_empty() || !link.to_node.is_empty();
            !link.dead && (!link.open || waits)
        };
        let peers: Vec<Peer> = self.links.iter().filter(ready).map(|(p, _)| *p).collect();
        if peers.is_empty() {
            return false;
        }
        let peer = peers[self.rng.below(peers.len() as u64) as usize];
        let up = self.rng.chance(1, 2);
        let link = self.links.get_mut(&peer).unwrap();
        if !link.open {
            link.open = true;
            self.input(Input::Connected { peer });
        } else if up || link.to_node.is_empty() {
            if let Some(message) = link.to_master.pop_front() {
                self.on_call(peer, message);
            }
        } else if let Some(message) = link.to_node.pop_front() {
            self.input(Input::FromMaster { peer, message });
        }
        true
    }

    /// Agents send the heads of their streams, again and again.
    pub(super) fn resend(&mut self, all: bool) {
        for agent in 0..self.agents.len() {
            if !self.agents[agent].registered {
                continue;
            }
            let streams = self.agents[agent].tasks.iter();
            let heads: Vec<_> = streams
                .filter_map(|(id, task)| Some((id.clone(), *task.updates.front()?)))
                .collect();
            for (id, (update, state)) in heads {
                if all || self.rng.chance(1, 2) {
                    self.say_status(agent, &id, state, Some(update));
                }
            }
        }
    }

    pub(super) fn offer(&mut self) {
        if self.suppressed || self.subscribed.is_none() {
            return;
        }
        let mut offers = Vec::new();
        for agent in 0..self.agents.len() {
            let live = self.live().into_iter().filter(|(on, _)| *on == agent);
            let free = SLOTS.saturating_sub(live.count());
            let offered = self.offers.values().any(|on| *on == agent);
            if free == 0 || offered || !self.agents[agent].registered {
                continue;
            }
            self.serial += 1;
            let id = OfferId::new(&format!("O{}", self.serial)).unwrap();
            self.offers.insert(id.clone(), agent);
            let resources = format!("cpus:0.{free};mem:{}", free * 32);
            offers.push(Arc::new(Offer {
                id,
                framework_id: framework_id("F"),
                agent_id: AgentId::new(&format!("S{agent}")).unwrap(),
                hostname: format!("host{agent}"),
                port: 5051,
                role: Role::new("web").unwrap(),
                resources: resources.parse().unwrap(),
                attributes: crate::resources::Attributes::default(),
                domain: None,
                executor_ids: Vec::new(),
                unavailability: None,
            }));
        }
        if !offers.is_empty() {
            self.say(FromMaster::Offers(offers));
        }
    }

    /// Every task that is not over, with its agent.
    pub(super) fn live(&self) -> Vec<(usize, TaskId)> {
        let mut live = Vec::new();
        for (number, agent) in self.agents.iter().enumerate() {
            let tasks = agent.tasks.iter();
            let tasks = tasks.filter(|(_, task)| !task.state.is_terminal());
            live.extend(tasks.map(|(id, _)| (number, id.clone())));
        }
        live
    }

    /// One write reaches the disk.
    pub(super) fn write(&mut self) -> bool {
        let Some(write) = self.writing.pop_front() else {
            return false;
        };
        if write.supersedes_all_before() {
            self.disk.clear();
        }
        self.disk.push(write);
        self.written += 1;
        let up_to = WriteSequence(self.written);
        self.input(Input::Persisted { up_to });
        true
    }

    pub(super) fn advance(&mut self, most: Duration) {
        let end = self.now.mono + most;
        let due = self.node.deadline().unwrap_or(Time::MAX);
        self.now.mono = due.min(end).max(self.now.mono);
        for agent in 0..self.agents.len() {
            let tasks = core::mem::take(&mut self.agents[agent].tasks);
            for (id, mut task) in tasks {
                let ends = task.ends.filter(|(at, _)| *at <= self.now.mono);
                if let (Some((_, state)), false) = (ends, task.state.is_terminal()) {
                    self.move_on(&mut task, state);
                    if state == TaskState::Finished {
                        self.finished.push(id.clone());
                    }
                }
                self.agents[agent].tasks.insert(id, task);
            }
        }
        self.input(Input::Tick);
    }

    pub(super) fn break_link(&mut self) {
        let Some(peer) = self.links.keys().next_back().copied() else {
            return;
        };
        if self.subscribed == Some(peer) {
            self.subscribed = None;
        }
        self.links.remove(&peer);
        self.input(Input::Disconnected { peer });
    }

    pub(super) fn deaden_link(&mut self) {
        if let Some(mut link) = self.links.last_entry() {
            link.get_mut().dead = true;
        }
    }

    /// The leader is gone, with all that it knew.
    pub(super) fn fail_over(&mut self) {
        self.leading = false;
        self.subscribed = None;
        self.offers.clear();
        for agent in &mut self.agents {
            agent.registered = false;
        }
        for peer in self.links.keys().copied().collect::<Vec<_>>() {
            self.links.remove(&peer);
            self.input(Input::Disconnected { peer });
        }
    }

    pub(super) fn elect(&mut self) {
        self.leading = true;
    }

    pub(super) fn lose_agent(&mut self) {
        let number = self.rng.below(self.agents.len() as u64) as usize;
        let agent = &mut self.agents[number];
        if agent.registered {
            agent.registered = false;
            agent.unreachable = true;
            let lost: Vec<_> = agent.tasks.keys().cloned().collect();
            for id in lost {
                self.say_status(number, &id, TaskState::Unreachable, None);
            }
        }
    }

    pub(super) fn register_agent(&mut self) {
        let number = self.rng.below(self.agents.len() as u64) as usize;
        let agent = &mut self.agents[number];
        if agent.registered || !self.leading {
            return;
        }
        agent.registered = true;
        if core::mem::take(&mut agent.unreachable) {
            let back = agent.tasks.iter();
            let back: Vec<_> = back
                .map(|(id, task)| {
                    let head = task.updates.front();
                    (id.clone(), head.map_or(task.state, |head| head.1))
                })
                .collect();
            for (id, state) in back {
                self.say_status(number, &id, state, None);
            }
        }
    }

    /// The scheduler's process dies; what was being written may or may not be on disk.
    pub(super) fn crash(&mut self) {
        let kept = self.rng.below(self.writing.len() as u64 + 1) as usize;
        for write in self.writing.drain(..).take(kept) {
            if write.supersedes_all_before() {
                self.disk.clear();
            }
            self.disk.push(write);
        }
        self.written = 0;
        self.links.clear();
        self.subscribed = None;
        self.node = node((self.make)(), self.now, self.disk.clone());
    }

    /// Everything works for `time`.
    pub(super) fn heal(&mut self, time: Duration) {
        self.elect();
        let end = self.now.mono + time;
        while self.now.mono < end {
            let mut steps = 0;
            while self.deliver() || self.write() {
                steps += 1;
                assert!(steps < 100_000, "it never comes to rest");
            }
            self.register_agent();
            self.resend(true);
            self.offer();
            if !self.links.values().any(|link| link.dead) {
                self.say(FromMaster::Heartbeat);
            }
            self.advance(Duration::from_secs(1));
        }
    }
}

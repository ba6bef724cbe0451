//! A few masters on a network and disks that only delay, driven by one queue of events.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tepui_core::durable::WriteSequence;
use tepui_core::ids::{MasterId, Peer};
use tepui_core::invariant::Cost;
use tepui_core::log::{self, Action, Lane, Recovered, Snapshot, Write};
use tepui_core::machine::Machine;
use tepui_core::master::{Config, Effect, Input, MasterNode};
use tepui_core::message::{agent, scheduler};
use tepui_core::model::MasterInfo;
use tepui_core::outbox::Outbox;
use tepui_core::rng::Rng;
use tepui_core::time::{Now, Time, Wall};

/// One way, between masters.
const NETWORK_DELAY: Duration = Duration::from_micros(500);
/// From a write to its being durable.
const DISK_DELAY: Duration = Duration::from_millis(1);
/// More events than this without reaching what was waited for is a livelock.
const EVENTS_MAX: usize = 2_000_000;

/// What a master said to those outside of the masters, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    pub at: Time,
    pub by: MasterId,
    pub effect: Effect,
}

enum Event {
    Input(Input),
    Wake,
    Durable(Lane, WriteSequence, Box<Write>),
}

#[derive(Clone, Debug, Default)]
struct Disk {
    writes: Vec<Write>,
    snapshot: Option<Snapshot>,
}

struct Host {
    config: Config,
    node: Option<MasterNode>,
    disk: Disk,
    /// Counts restarts: what was meant for an earlier run is lost.
    run: u64,
    wake_at: Option<Time>,
}

/// Decides which messages between masters are lost.
type Filter = Box<dyn Fn(MasterId, MasterId, &log::Message) -> bool>;

pub struct Cluster {
    seed: u64,
    hosts: BTreeMap<MasterId, Host>,
    now: Time,
    queue: BTreeMap<(Time, u64), (MasterId, u64, Event)>,
    events: u64,
    lost: Filter,
    pub said: Vec<Said>,
    peers: u64,
    fx: Outbox<Effect>,
}

impl Cluster {
    /// Starts so many masters on empty disks.
    pub fn start(masters: u32, seed: u64) -> Cluster {
        Cluster::start_with(masters, seed, |_| {})
    }

    pub fn start_with(masters: u32, seed: u64, change: impl Fn(&mut Config)) -> Cluster {
        let infos: Vec<MasterInfo> = (1..=masters)
            .map(|id| MasterInfo {
                id: MasterId(id),
                address: format!("10.0.0.{id}:5050"),
            })
            .collect();
        let hosts = infos.iter().map(|info| {
            let mut config = Config::new(info.id, infos.clone()).unwrap();
            change(&mut config);
            config.validate().unwrap();
            let host = Host {
                config,
                node: None,
                disk: Disk::default(),
                run: 0,
                wake_at: None,
            };
            (info.id, host)
        });
        let mut cluster = Cluster {
            seed,
            hosts: hosts.collect(),
            now: Time::ZERO,
            queue: BTreeMap::new(),
            events: 0,
            lost: Box::new(|_, _, _| false),
            said: Vec::new(),
            peers: 0,
            fx: Outbox::new(MasterNode::EFFECTS_MAX),
        };
        for info in infos {
            cluster.restart(info.id);
        }
        cluster
    }

    pub fn ids(&self) -> Vec<MasterId> {
        self.hosts.keys().copied().collect()
    }

    /// The master, which must be up.
    pub fn node(&self, id: MasterId) -> &MasterNode {
        self.hosts[&id].node.as_ref().expect("this master is down")
    }

    /// Those that serve agents and schedulers.
    pub fn serving(&self) -> Vec<MasterId> {
        let up = self.hosts.iter();
        up.filter(|(_, host)| {
            host.node
                .as_ref()
                .is_some_and(|node| node.leading().is_some())
        })
        .map(|(id, _)| *id)
        .collect()
    }

    /// Ends a master at once; what was not durable is lost.
    pub fn kill(&mut self, id: MasterId) {
        let host = self.hosts.get_mut(&id).unwrap();
        host.node = None;
        host.run += 1;
        for other in self.ids() {
            if other != id {
                let input = Input::LinkBroken { with: id };
                self.schedule(NETWORK_DELAY, other, Event::Input(input));
            }
        }
    }

    /// Starts a master from what is on its disk.
    pub fn restart(&mut self, id: MasterId) {
        let now = self.moment();
        let host = self.hosts.get_mut(&id).unwrap();
        assert!(host.node.is_none(), "this master is up");
        host.run += 1;
        host.wake_at = None;
        let rng = Rng::from_seed(self.seed, &format!("{id} run {}", host.run));
        let recovered = Recovered {
            writes: host.disk.writes.clone(),
            snapshot: host.disk.snapshot.clone(),
            damage: None,
        };
        let config = host.config.clone();
        let fx = &mut self.fx;
        host.node = Some(MasterNode::recover(config, &rng, now, recovered, fx));
        self.carry(id);
    }

    /// Loses all messages between masters for which `lost` says so.
    pub fn lose(&mut self, lost: impl Fn(MasterId, MasterId, &log::Message) -> bool + 'static) {
        self.lost = Box::new(lost);
    }

    /// Cuts `id` off from all other masters, silently.
    pub fn isolate(&mut self, id: MasterId) {
        self.lose(move |from, to, _| from == id || to == id);
    }

    pub fn heal(&mut self) {
        self.lose(|_, _, _| false);
    }

    /// A connection that was never used before.
    pub fn connect(&mut self) -> Peer {
        self.peers += 1;
        Peer::Inbound(self.peers)
    }

    pub fn agent_says(&mut self, to: MasterId, peer: Peer, message: agent::ToMaster) {
        self.input(to, Input::FromAgent { peer, message });
    }

    pub fn scheduler_says(&mut self, to: MasterId, peer: Peer, message: scheduler::ToMaster) {
        self.input(to, Input::FromScheduler { peer, message });
    }

    /// Hands an input to a master now.
    pub fn input(&mut self, to: MasterId, input: Input) {
        let now = self.moment();
        let host = self.hosts.get_mut(&to).unwrap();
        let node = host.node.as_mut().expect("this master is down");
        node.handle(now, input, &mut self.fx);
        self.carry(to);
    }

    /// What was said to `peer`, oldest first.
    pub fn to_agent(&self, peer: Peer) -> Vec<&agent::ToAgent> {
        let said = self.said.iter();
        said.filter_map(|said| match &said.effect {
            Effect::ToAgent { peer: to, message } if *to == peer => Some(message),
            _ => None,
        })
        .collect()
    }

    pub fn to_scheduler(&self, peer: Peer) -> Vec<&scheduler::ToScheduler> {
        let said = self.said.iter();
        said.filter_map(|said| match &said.effect {
            Effect::ToScheduler { peer: to, message } if *to == peer => Some(message),
            _ => None,
        })
        .collect()
    }

    /// Whether `peer` was told to go, by whomever.
    pub fn closed(&self, peer: Peer) -> bool {
        let mut said = self.said.iter();
        said.any(|said| said.effect == Effect::Close { peer })
    }

    /// On how many disks a record holds these bytes.
    pub fn disks_holding(&self, bytes: &[u8]) -> usize {
        let holds = |action: &Action| match action {
            Action::Append(value) => value.windows(bytes.len()).any(|window| window == bytes),
            _ => false,
        };
        let disks = self.hosts.values().map(|host| &host.disk);
        disks
            .filter(|disk| {
                disk.writes.iter().any(|write| match write {
                    Write::Accept { actions, .. } | Write::Learn { actions, .. } => {
                        actions.iter().any(holds)
                    }
                    Write::Checkpoint(checkpoint) => {
                        let entries = checkpoint.entries.iter().flatten();
                        entries.clone().any(|(_, action)| holds(action))
                    }
                    _ => false,
                })
            })
            .count()
    }

    pub fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.step(end) {}
        self.now = end;
    }

    /// Runs until `reached`, and panics if that takes longer than `within`.
    pub fn run_until(&mut self, within: Duration, reached: impl Fn(&Cluster) -> bool) {
        let end = self.now + within;
        while !reached(self) {
            assert!(self.step(end), "not reached within {within:?}");
        }
    }

    /// Runs until exactly one master serves.
    pub fn elect(&mut self) -> MasterId {
        self.run_until(Duration::from_secs(30), |c| c.serving().len() == 1);
        self.serving()[0]
    }

    /// One event, if one is due by `end`.
    fn step(&mut self, end: Time) -> bool {
        let Some((&(at, number), _)) = self.queue.first_key_value() else {
            return false;
        };
        if at > end {
            return false;
        }
        self.events += 1;
        assert!(self.events < EVENTS_MAX as u64, "the masters never rest");
        self.now = at;
        let (to, run, event) = self.queue.remove(&(at, number)).unwrap();
        let host = self.hosts.get_mut(&to).unwrap();
        if host.run != run || host.node.is_none() {
            return true;
        }
        match event {
            Event::Input(input) => self.input(to, input),
            Event::Wake => {
                if host.wake_at == Some(at) {
                    host.wake_at = None;
                    self.input(to, Input::Tick);
                }
            }
            Event::Durable(lane, up_to, write) => {
                match *write {
                    Write::Snapshot(snapshot) => host.disk.snapshot = Some(*snapshot),
                    write => {
                        if write.is_checkpoint() {
                            host.disk.writes.clear();
                        }
                        host.disk.writes.push(write);
                    }
                }
                self.input(to, Input::Persisted { lane, up_to });
            }
        }
        true
    }

    fn schedule(&mut self, delay: Duration, to: MasterId, event: Event) {
        let run = self.hosts[&to].run;
        self.events += 1;
        let at = self.now + delay;
        self.queue.insert((at, self.events), (to, run, event));
    }

    /// Does what `from` wants done, and checks what must hold after every input.
    fn carry(&mut self, from: MasterId) {
        let effects: Vec<Effect> = self.fx.drain().collect();
        for effect in effects {
            match effect {
                Effect::ToMaster { to, message } => {
                    assert_ne!(to, from, "nobody sends to himself");
                    if !(self.lost)(from, to, &message) && self.hosts[&to].node.is_some() {
                        let input = Input::FromMaster { from, message };
                        self.schedule(NETWORK_DELAY, to, Event::Input(input));
                    }
                }
                Effect::Persist {
                    lane,
                    sequence,
                    write,
                } => {
                    let event = Event::Durable(lane, sequence, Box::new(write));
                    self.schedule(DISK_DELAY, from, event);
                }
                Effect::Halt(fatal) => panic!("{from} halted: {fatal:?}"),
                effect => self.said.push(Said {
                    at: self.now,
                    by: from,
                    effect,
                }),
            }
        }
        self.check(from);
        let host = self.hosts.get_mut(&from).unwrap();
        let due = host.node.as_ref().and_then(MasterNode::deadline);
        if let Some(due) = due
            && host.wake_at != Some(due.max(self.now))
        {
            let at = due.max(self.now);
            host.wake_at = Some(at);
            self.schedule(at.since(self.now), from, Event::Wake);
        }
    }

    fn check(&self, touched: MasterId) {
        if let Some(node) = &self.hosts[&touched].node {
            assert_eq!(node.check(Cost::Linear), [], "{touched}");
        }
        // At most one master acts under one ballot, and of equal versions there is one registry.
        let mut ballots = BTreeSet::new();
        for id in self.serving() {
            let ballot = self.node(id).leading().unwrap().ballot();
            assert!(ballots.insert(ballot), "two masters act under {ballot}");
        }
    }

    /// That all masters that are up have the same registry.
    pub fn assert_agreed(&self) {
        let up: Vec<MasterId> = self
            .ids()
            .into_iter()
            .filter(|id| self.is_up(*id))
            .collect();
        for pair in up.windows(2) {
            assert_eq!(self.node(pair[0]).registry(), self.node(pair[1]).registry());
        }
    }

    pub fn is_up(&self, id: MasterId) -> bool {
        self.hosts[&id].node.is_some()
    }

    /// Something that is the same when, and only when, two runs went the same way.
    pub fn trace(&self) -> String {
        format!("{:?} {} {:?}", self.now, self.events, self.said)
    }

    /// So much later, by the clock of whoever slept.
    pub fn moment_after(&self, slept: Duration) -> Now {
        let mut now = self.moment();
        now.mono = now.mono + slept;
        now
    }

    /// A copy of a master hears one agent, and nobody hears it.
    pub fn handle_alone(
        node: &mut MasterNode,
        now: Now,
        peer: Peer,
        message: agent::ToMaster,
    ) -> Vec<Effect> {
        let mut fx = Outbox::new(MasterNode::EFFECTS_MAX);
        node.handle(now, Input::FromAgent { peer, message }, &mut fx);
        fx.drain().collect()
    }

    fn moment(&self) -> Now {
        Now {
            mono: self.now,
            wall: Wall(1_700_000_000_000 + (self.now.as_nanos() / 1_000_000) as i64),
        }
    }
}

/// Shared, for messages.
pub fn shared<T>(value: T) -> Arc<T> {
    Arc::new(value)
}

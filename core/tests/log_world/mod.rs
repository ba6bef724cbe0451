//! A small hostile world for the log: a network that loses, doubles, delays and cuts one way,
//! disks that lose unsynced writes, are wiped or rot, and checks after every event.

#![allow(dead_code)]

pub mod chaos;
pub mod checks;
pub mod disk;
mod scenarios;
pub mod steps;

use checks::Checks;
use disk::Disk;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tepui_core::durable::WriteSequence;
use tepui_core::ids::MasterId;
use tepui_core::log::{Config, Effect, Input, Lane, Message, Node, Notice, Recovered, Status};
use tepui_core::machine::Machine;
use tepui_core::model::MasterInfo;
use tepui_core::outbox::Outbox;
use tepui_core::rng::Rng;
use tepui_core::time::{Now, Time, Wall};

#[derive(Clone, Debug)]
enum Event {
    Deliver {
        from: usize,
        to: usize,
        message: Message,
    },
    Synced {
        node: usize,
        lane: Lane,
        up_to: WriteSequence,
        run: u64,
    },
    SnapshotReady {
        node: usize,
        through: tepui_core::log::Position,
        state: Arc<[u8]>,
        run: u64,
    },
}

/// The replicated state: a digest of all that was applied, so that snapshots can be compared.
#[derive(Clone, Default)]
struct Machine0 {
    state: Vec<u8>,
}

pub struct World {
    pub nodes: Vec<Option<Node>>,
    count: usize,
    seed: u64,
    rng: Rng,
    now: Time,
    /// Where time is not one: each master's own.
    clocks: Vec<Time>,
    events: BTreeMap<(Time, u64), Event>,
    next_event: u64,
    disks: Vec<Disk>,
    states: Vec<Machine0>,
    runs: Vec<u64>,
    /// Lost their votes and have not got a new life yet.
    impaired: BTreeSet<usize>,
    cuts: BTreeSet<(usize, usize)>,
    loss_percent: u64,
    double_percent: u64,
    delay_ms: u64,
    next_token: u64,
    pub checks: Checks,
    fx: Outbox<Effect>,
    configure: fn(&mut Config),
    pub trace: Option<Vec<String>>,
}

pub fn config(me: usize, count: usize) -> Config {
    let masters = (0..count).map(|id| MasterInfo {
        id: MasterId(id as u32),
        address: format!("10.0.0.{id}:5050"),
    });
    let mut config = Config::new(MasterId(me as u32), masters.collect()).expect("valid");
    config.store_timeout = Duration::from_secs(3);
    config.window_messages = 4;
    config.batch_actions_max = 3;
    config.chunk_entries_max = 3;
    config.snapshot_chunk_bytes = 16;
    config.gap_max = 40;
    config.snapshot_every = 12;
    config.retain = 4;
    config.learned_flush = Duration::from_millis(30);
    config
}

impl World {
    pub fn new(seed: u64, count: usize) -> World {
        World::configured(seed, count, |_| ())
    }

    pub fn configured(seed: u64, count: usize, configure: fn(&mut Config)) -> World {
        let mut world = World {
            nodes: (0..count).map(|_| None).collect(),
            count,
            seed,
            rng: Rng::from_seed(seed, "world"),
            now: Time::ZERO,
            clocks: Vec::new(),
            events: BTreeMap::new(),
            next_event: 0,
            disks: (0..count)
                .map(|_| Disk {
                    sync_ms: 2,
                    ..Disk::default()
                })
                .collect(),
            states: vec![Machine0::default(); count],
            runs: vec![0; count],
            impaired: BTreeSet::new(),
            cuts: BTreeSet::new(),
            loss_percent: 0,
            double_percent: 0,
            delay_ms: 4,
            next_token: 1,
            checks: Checks::new(count),
            fx: Outbox::new(1 << 20),
            trace: None,
            configure,
        };
        for node in 0..count {
            world.start(node);
        }
        world
    }

    fn clock(&mut self, id: usize) -> Now {
        self.now = self.clocks.get(id).copied().unwrap_or(self.now);
        Now {
            mono: self.now,
            wall: Wall(0),
        }
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        let now = self.now.as_nanos() / 1_000;
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{now:>9}us {}", line()));
        }
    }

    /// What happened since the trace began.
    pub fn story(&self) -> String {
        self.trace.as_deref().unwrap_or_default().join("\n")
    }

    fn at(&mut self, after: Duration, event: Event) {
        self.next_event += 1;
        self.events
            .insert((self.now + after, self.next_event), event);
    }

    fn start(&mut self, id: usize) {
        if self.nodes[id].is_some() {
            return;
        }
        self.runs[id] += 1;
        let name = format!("node {id} run {}", self.runs[id]);
        let rng = Rng::from_seed(self.seed, &name);
        let disk = &mut self.disks[id];
        let recovered = Recovered {
            writes: disk.log.clone(),
            snapshot: disk.snapshot.clone(),
            damage: disk.damage.clone(),
        };
        self.states[id] = Machine0::default();
        self.note(|| format!("start {name}: {} records", recovered.writes.len()));
        let damaged = recovered.damage.is_some();
        let mut config = config(id, self.count);
        (self.configure)(&mut config);
        let mut fx = std::mem::replace(&mut self.fx, Outbox::new(1 << 20));
        let now = self.clock(id);
        let node = Node::recover(config, rng, recovered, now, &mut fx);
        self.checks
            .on_restart(id, &node, &self.disks[id].log, damaged);
        self.nodes[id] = Some(node);
        self.fx = fx;
        self.settle(id);
    }

    fn stop(&mut self, id: usize, kept_percent: u8) {
        if self.nodes[id].take().is_some() {
            self.note(|| format!("crash node {id}, keeping {kept_percent}%"));
            self.disks[id].crash(kept_percent);
            self.checks.on_crash(id);
        }
    }

    fn may_impair(&self, id: usize) -> bool {
        let mut impaired = self.impaired.clone();
        impaired.insert(id);
        impaired.len() <= (self.count - 1) / 2
    }

    fn input(&mut self, id: usize, input: Input) {
        if self.nodes[id].is_none() {
            return;
        }
        self.note(|| format!("node {id} <- {input:?}"));
        let now = self.clock(id);
        let node = self.nodes[id].as_mut().expect("looked at just now");
        let before = Checks::glance(node);
        node.handle(now, input, &mut self.fx);
        self.checks.on_handled(id, node, &before);
        self.settle(id);
    }

    fn settle(&mut self, id: usize) {
        let effects: Vec<Effect> = self.fx.drain().collect();
        for effect in effects {
            self.note(|| format!("node {id} -> {effect:?}"));
            self.effect(id, effect);
        }
    }

    fn effect(&mut self, id: usize, effect: Effect) {
        match effect {
            Effect::Send { to, message } => {
                self.checks.on_sent(id, &message);
                self.send(id, to.0 as usize, &message);
            }
            Effect::Persist {
                lane,
                sequence,
                write,
            } => {
                let disk = &mut self.disks[id];
                match lane {
                    Lane::Log => disk.log_pending.push_back((sequence, write)),
                    Lane::Snapshot => disk.snapshot_pending.push_back((sequence, write)),
                }
                let after = Duration::from_micros(disk.sync_ms * 1000 + self.rng.below(500));
                let run = self.runs[id];
                self.at(
                    after,
                    Event::Synced {
                        node: id,
                        lane,
                        up_to: sequence,
                        run,
                    },
                );
            }
            Effect::Apply { position, action } => {
                let state = &mut self.states[id].state;
                self.checks.on_apply(id, position, &action, state);
            }
            Effect::InstallSnapshot { through, state } => {
                self.states[id].state = state.to_vec();
                self.checks.on_install(id, through, &state);
            }
            Effect::TakeSnapshot { through } => {
                let state = Arc::from(self.states[id].state.as_slice());
                let run = self.runs[id];
                let after = Duration::from_millis(self.rng.below(20));
                self.at(
                    after,
                    Event::SnapshotReady {
                        node: id,
                        through,
                        state,
                        run,
                    },
                );
            }
            Effect::Elected { ballot, through } => self.checks.on_elected(id, ballot, through),
            Effect::Demoted { ballot, .. } => self.checks.on_demoted(id, ballot),
            Effect::Appended { token, position } => {
                let own = self.disks[id].holds(position);
                self.checks.on_appended(id, token, position, own);
            }
            Effect::Rejected { token, why } => self.checks.on_rejected(token, why),
            Effect::LeaderChanged { .. } => {}
            Effect::Notice(Notice::StatusChanged {
                status: Status::Voting,
            }) => {
                self.impaired.remove(&id);
            }
            Effect::Notice(notice) => self.checks.on_notice(&notice),
            Effect::Halt(fatal) => panic!("node {id} halted: {fatal:?}"),
        }
    }

    fn send(&mut self, from: usize, to: usize, message: &Message) {
        assert_ne!(from, to, "a letter to oneself never leaves");
        let copies = 1 + u64::from(self.rng.chance(self.double_percent, 100));
        for _ in 0..copies {
            if self.rng.chance(self.loss_percent, 100) {
                continue;
            }
            let most = Duration::from_millis(self.delay_ms);
            let mut after = self.rng.between(Duration::from_micros(200), most);
            // A few stray copies come very late.
            if self.double_percent > 0 && self.rng.chance(1, 50) {
                after += self.rng.between(most, Duration::from_secs(3));
            }
            let message = message.clone();
            self.at(after, Event::Deliver { from, to, message });
        }
    }

    /// The next thing due, no later than `until`; false if there is none.
    fn advance(&mut self, until: Time) -> bool {
        let tick = self.nodes.iter().enumerate().filter_map(|(id, node)| {
            let deadline = node.as_ref()?.deadline()?;
            Some((deadline.max(self.now), id))
        });
        let tick = tick.min();
        let event = self.events.first_key_value().map(|((at, _), _)| *at);
        let tick_first = match (tick, event) {
            (None, None) => return false,
            (Some((at, _)), Some(event)) => at < event,
            (Some(_), None) => true,
            (None, Some(_)) => false,
        };
        if tick_first {
            let (at, id) = tick.expect("it is first");
            if at > until {
                return false;
            }
            self.now = at;
            self.input(id, Input::Tick);
            return true;
        }
        let ((at, _), _) = self.events.first_key_value().expect("it is first");
        if *at > until {
            return false;
        }
        let ((at, _), event) = self.events.pop_first().expect("looked at just now");
        self.now = at;
        self.happen(event);
        true
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Deliver { from, to, message } => {
                if !self.cuts.contains(&(from, to)) {
                    let from = MasterId(from as u32);
                    self.input(to, Input::Received { from, message });
                }
            }
            Event::Synced {
                node,
                lane,
                up_to,
                run,
            } => {
                if self.runs[node] == run && self.nodes[node].is_some() {
                    self.disks[node].sync(lane, up_to);
                    self.input(node, Input::Persisted { lane, up_to });
                }
            }
            Event::SnapshotReady {
                node,
                through,
                state,
                run,
            } => {
                if self.runs[node] == run {
                    self.input(node, Input::SnapshotTaken { through, state });
                }
            }
        }
    }

    pub fn run(&mut self, duration: Duration) {
        let until = self.now + duration;
        let mut events = 0_u64;
        while self.advance(until) {
            events += 1;
            assert!(events < 2_000_000, "the world never comes to rest");
        }
        self.now = until;
    }

    pub fn leaders(&self) -> Vec<usize> {
        let acting = |node: &Option<Node>| node.as_ref().and_then(Node::acting).is_some();
        (0..self.count)
            .filter(|id| acting(&self.nodes[*id]))
            .collect()
    }

    fn append(&mut self, count: u8) {
        for _ in 0..count {
            let token = self.next_token;
            self.next_token += 1;
            let leaders = self.leaders();
            let id = match leaders.len() {
                0 => self.rng.below(self.count as u64) as usize,
                some => leaders[self.rng.below(some as u64) as usize],
            };
            let value: Arc<[u8]> = Arc::from(token.to_le_bytes().as_slice());
            self.checks.on_append(token);
            self.input(id, Input::Append { token, value });
        }
    }

    /// Everything healed and everybody up: a leader must emerge, an append must be learned, and
    /// all must come to agree, within so many simulated seconds.
    pub fn converge(&mut self, seconds: u64) {
        self.cuts.clear();
        (self.loss_percent, self.double_percent, self.delay_ms) = (0, 0, 4);
        for id in 0..self.count {
            self.disks[id].sync_ms = 2;
            self.start(id);
        }
        let until = self.now + Duration::from_secs(seconds);
        let mut appended = false;
        while self.now < until {
            self.run(Duration::from_millis(100));
            if self.leaders().is_empty() {
                continue;
            }
            if !appended {
                self.append(3);
                appended = true;
            } else if self.agree() {
                self.checks.at_end();
                return;
            }
        }
        let lines: Vec<String> = self.nodes.iter().flatten().map(describe).collect();
        panic!("no agreement after {seconds} s:\n{}", lines.join("\n"));
    }

    fn agree(&self) -> bool {
        let nodes: Vec<&Node> = self.nodes.iter().flatten().collect();
        let last = self.checks.last_chosen();
        nodes.len() == self.count
            && nodes
                .iter()
                .all(|node| node.status() == Status::Voting && node.learned_through() >= last)
            && self.leaders().len() == 1
    }
}

fn describe(node: &Node) -> String {
    format!(
        "{} {:?} {:?} promised {} begin {} learned {} end {} acting {:?} leader {:?}",
        node.me(),
        node.status(),
        node.incarnation(),
        node.promised(),
        node.begin(),
        node.learned_through(),
        node.end(),
        node.acting(),
        node.leader()
    )
}

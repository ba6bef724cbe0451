//! The world: all nodes, what lies between them, and the one loop that moves time.

mod agent_node;
mod deliver;
mod event;
mod executor_node;
mod framework_node;
mod log_node;
mod master_node;
mod process;
mod storage;
mod stream;

pub use event::{Delivery, Event, Payload};
pub use process::Death;

use crate::disk::DiskConfig;
use crate::hash::TraceHash;
use crate::host::HostConfig;
use crate::machine::SimNode;
use crate::net::{Network, NetworkConfig};
use crate::node::{Node, NodeIndex, Process};
use crate::observe::Observer;
use crate::queue::Queue;
use crate::record::Recorder;
use crate::slab::Slab;
use crate::time::SimTime;
use std::collections::BTreeMap;
use tepui_core::ids::MasterId;
use tepui_core::master::MasterNode;
use tepui_core::outbox::Outbox;
use tepui_core::rng::Rng;
use tepui_core::{agent, executor, log, master, scheduler};

/// Streams of the run's randomness: one more draw in one shifts no other.
#[derive(Debug)]
pub struct Streams {
    /// For seeds of nodes, by name and run.
    pub nodes: Rng,
    /// Latencies and survivors of disks.
    pub disk: Rng,
    /// Which messages go through bytes.
    pub sample: Rng,
    /// What faults hit.
    pub faults: Rng,
    /// What clients do.
    pub workload: Rng,
}

/// Counts of one run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Inputs that nodes handled.
    pub events: u64,
    /// Messages sent between nodes.
    pub messages: u64,
    /// Of those, how many went through bytes and back.
    pub round_trips: u64,
    /// Writes made durable.
    pub writes: u64,
    /// Faults that happened.
    pub faults: u64,
}

/// A simulated cluster.
#[derive(Debug)]
pub struct World {
    /// The present moment.
    pub now: SimTime,
    /// All nodes that ever were.
    pub nodes: Vec<Node>,
    /// Between their hosts.
    pub net: Network,
    /// How disks are.
    pub disks: DiskConfig,
    /// How fast hosts are.
    pub hosts: HostConfig,
    /// Who watches.
    pub observer: Observer,
    /// Who takes everything down.
    pub recorder: Recorder,
    /// What was counted.
    pub counts: Counts,
    /// Over everything that nodes did.
    pub trace: TraceHash,
    /// Randomness.
    pub streams: Streams,
    queue: Queue<Event>,
    payloads: Slab<Payload>,
    deliveries: Slab<Delivery>,
    dials: Slab<stream::Dial>,
    addresses: BTreeMap<String, NodeIndex>,
    masters: Vec<NodeIndex>,
    executors_free: Vec<NodeIndex>,
    log_fx: Outbox<log::Effect>,
    log_scratch: Vec<log::Effect>,
    master_fx: Outbox<master::Effect>,
    master_scratch: Vec<master::Effect>,
    agent_fx: Outbox<agent::Effect>,
    agent_scratch: Vec<agent::Effect>,
    executor_fx: Outbox<executor::Effect>,
    executor_scratch: Vec<executor::Effect>,
    framework_fx: Outbox<scheduler::Effect>,
    framework_scratch: Vec<scheduler::Effect>,
}

/// More effects of one input than this are a bug in the core.
const EFFECTS_MAX: usize = MasterNode::EFFECTS_MAX;

impl World {
    /// An empty world.
    #[must_use]
    pub fn new(seed: u64, network: NetworkConfig, disks: DiskConfig, observer: Observer) -> World {
        let root = Rng::from_seed(seed, "simulation");
        World {
            now: SimTime::ZERO,
            nodes: Vec::new(),
            net: Network::new(network, root.fork("network")),
            disks,
            hosts: HostConfig::default(),
            observer,
            recorder: Recorder::default(),
            counts: Counts::default(),
            trace: TraceHash::default(),
            streams: Streams {
                nodes: root.fork("nodes"),
                disk: root.fork("disk"),
                sample: root.fork("sample"),
                faults: root.fork("faults"),
                workload: root.fork("workload"),
            },
            queue: Queue::default(),
            payloads: Slab::default(),
            deliveries: Slab::default(),
            dials: Slab::default(),
            addresses: BTreeMap::new(),
            masters: Vec::new(),
            executors_free: Vec::new(),
            log_fx: Outbox::new(EFFECTS_MAX),
            log_scratch: Vec::new(),
            master_fx: Outbox::new(EFFECTS_MAX),
            master_scratch: Vec::new(),
            agent_fx: Outbox::new(EFFECTS_MAX),
            agent_scratch: Vec::new(),
            executor_fx: Outbox::new(EFFECTS_MAX),
            executor_scratch: Vec::new(),
            framework_fx: Outbox::new(EFFECTS_MAX),
            framework_scratch: Vec::new(),
        }
    }

    /// Handles everything up to `until`. Stops early at a step of the scenario, which is handed
    /// to the caller, who knows what it means; when a watcher has something to say; and at the
    /// first violation.
    pub fn run_until(&mut self, until: SimTime) -> Option<u32> {
        while let Some((at, event)) = self.queue.pop_until(until) {
            assert!(at >= self.now, "time never goes back");
            self.now = at;
            if let Event::Step { index } = event {
                return Some(index);
            }
            self.on_event(event);
            if self.observer.wants_attention() {
                return None;
            }
        }
        self.now = self.now.max(until);
        None
    }

    /// Plans a step of the scenario.
    pub fn plan_step(&mut self, at: SimTime, index: u32) {
        self.queue.push(at.max(self.now), Event::Step { index });
    }

    /// The number over everything that happened, the next draw of each stream included.
    #[must_use]
    pub fn unseed(&mut self) -> u128 {
        let mut trace = self.trace;
        trace.word(self.counts.events);
        trace.word(self.now.0);
        let streams = &mut self.streams;
        for rng in [
            &mut streams.disk,
            &mut streams.sample,
            &mut streams.faults,
            &mut streams.workload,
        ] {
            trace.word(rng.next_u64());
        }
        trace.finish()
    }

    /// A node.
    #[must_use]
    pub fn node(&self, index: NodeIndex) -> &Node {
        &self.nodes[index.slot()]
    }

    /// All nodes of the run, by index.
    pub fn indices(&self) -> impl Iterator<Item = NodeIndex> + use<> {
        (0..self.nodes.len() as u32).map(NodeIndex)
    }

    /// The nodes of the masters, in the order of their numbers, which start at one.
    #[must_use]
    pub fn masters(&self) -> &[NodeIndex] {
        &self.masters
    }

    /// The node of a master.
    #[must_use]
    pub fn master(&self, id: MasterId) -> Option<NodeIndex> {
        self.masters.get((id.0 as usize).wrapping_sub(1)).copied()
    }

    /// The number of the master in a node.
    #[must_use]
    pub fn master_id(&self, index: NodeIndex) -> Option<MasterId> {
        let place = self.masters.iter().position(|master| *master == index)?;
        Some(MasterId(place as u32 + 1))
    }

    /// The registry of a master, if it runs.
    #[must_use]
    pub fn registry(&self, index: NodeIndex) -> Option<&tepui_core::registry::Registry> {
        match &self.nodes[index.slot()].machine {
            Some(SimNode::Master(master)) => Some(master.registry()),
            _ => None,
        }
    }

    /// How many events are planned.
    #[must_use]
    pub fn planned(&self) -> usize {
        self.queue.len()
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Datagram { from, to, payload } => {
                let payload = self.payloads.take(payload);
                self.on_datagram(from, to, payload);
            }
            Event::Arrival { key, from, payload } => self.on_arrival(key, from, payload),
            Event::Resume { key, from } => self.on_resume(key, from),
            Event::StallTimeout { key, from, stall } => self.on_stall_timeout(key, from, stall),
            Event::Tick { node } => self.on_tick(node),
            Event::Synced { node, run, lane } => self.on_synced(node, run, lane),
            Event::Local {
                node,
                run,
                delivery,
            } => {
                let delivery = self.deliveries.take(delivery);
                if self.nodes[node.slot()].run == run {
                    self.deliver(node, delivery);
                }
            }
            Event::Dial { attempt } => self.on_dial(attempt),
            Event::Step { .. } => unreachable!("steps are handed to the caller"),
        }
    }

    /// Plans something for one node's present run.
    pub fn plan_local(&mut self, at: SimTime, node: NodeIndex, delivery: Delivery) {
        let run = self.nodes[node.slot()].run;
        let delivery = self.deliveries.insert(delivery);
        self.queue.push(
            at,
            Event::Local {
                node,
                run,
                delivery,
            },
        );
    }

    fn on_tick(&mut self, index: NodeIndex) {
        let node = &mut self.nodes[index.slot()];
        if node.tick_at != self.now {
            return;
        }
        node.tick_at = SimTime::MAX;
        if node.process == Process::Paused {
            // Its timers fire late, when it wakes.
            return;
        }
        let Some(machine) = &node.machine else { return };
        match machine.deadline() {
            Some(deadline) if deadline <= node.clock.mono(self.now) => {
                self.deliver(index, Delivery::Tick);
            }
            _ => self.plan_tick(index),
        }
    }

    /// Keeps one entry in the queue for the node's deadline. An entry that is too early finds
    /// that out when it comes; only a deadline that moved forward needs another.
    fn plan_tick(&mut self, index: NodeIndex) {
        let node = &mut self.nodes[index.slot()];
        let Some(deadline) = node.machine.as_ref().and_then(SimNode::deadline) else {
            return;
        };
        let at = node.clock.moment_of(deadline, self.now);
        if at < node.tick_at {
            node.tick_at = at;
            self.queue.push(at, Event::Tick { node: index });
        }
    }
}

//! From the queue into a node, and from a master to another.

use super::{Delivery, Event, Payload, World};
use crate::machine::SimNode;
use crate::net::{Held, RuleAction};
use crate::node::{NodeIndex, Process};
use tepui_core::ids::MasterId;
use tepui_core::{log, wire};

/// What arrives while a process is stopped waits here; more is lost, as a full socket buffer
/// loses it.
const BACKLOG_MAX: usize = 1 << 16;

/// After one input in so many the node that handled it is checked in full: often at first, since
/// most scenarios are short, and less in long runs, whose states are large.
const CHECK_ONE_IN: u64 = 64;
const CHECK_ONE_IN_LATER: u64 = 512;
const LATER: u64 = 50_000;

/// One message in so many goes through bytes and back.
const ROUND_TRIP_ONE_IN: u64 = 100;

impl World {
    /// Lets something happen to a node: at once if it runs, later if it is stopped, not at all if
    /// it is dead.
    pub(super) fn deliver(&mut self, index: NodeIndex, delivery: Delivery) {
        let node = &mut self.nodes[index.slot()];
        match node.process {
            Process::Up => self.hand_over(index, delivery),
            Process::Paused if node.backlog.len() < BACKLOG_MAX => {
                node.backlog.push_back(delivery);
            }
            Process::Paused | Process::Down => {}
        }
    }

    /// Hands an input to the machine and does what it wants done.
    pub(super) fn hand_over(&mut self, index: NodeIndex, delivery: Delivery) {
        self.counts.events += 1;
        match self.nodes[index.slot()].machine.as_ref() {
            Some(SimNode::Log(_)) => self.step_log(index, delivery),
            Some(SimNode::Master(_)) => self.step_master(index, delivery),
            Some(SimNode::Agent(_)) => self.step_agent(index, delivery),
            Some(SimNode::Executor(_)) => self.step_executor(index, delivery),
            Some(SimNode::Framework(_)) => self.step_framework(index, delivery),
            None => return,
        }
        self.plan_tick(index);
        let one_in = match self.counts.events {
            0..LATER => CHECK_ONE_IN,
            _ => CHECK_ONE_IN_LATER,
        };
        if self.counts.events.is_multiple_of(one_in) {
            self.check_node(index);
        }
    }

    /// Checks the core's own invariants of a node, those that walk its state included.
    pub fn check_node(&mut self, index: NodeIndex) {
        let Some(machine) = &self.nodes[index.slot()].machine else {
            return;
        };
        for violation in machine.check() {
            let found = violation.found;
            self.observer
                .violate(self.now, index, violation.invariant, found);
        }
    }

    /// A master sends to another.
    pub(super) fn send_datagram(&mut self, from: NodeIndex, to: MasterId, message: log::Message) {
        self.counts.messages += 1;
        let Some(to) = self.master(to) else { return };
        let message = self.round_trip(message);
        if self.net.rules.is_empty() {
            self.send_freely(from, to, message);
        } else {
            self.send_by_rule(from, to, message);
        }
    }

    fn send_freely(&mut self, from: NodeIndex, to: NodeIndex, message: log::Message) {
        let fate = self.net.datagram(self.now, from, to);
        if let Some(at) = fate.second {
            let payload = self.payloads.insert(Payload::Log(message.clone()));
            self.queue.push(at, Event::Datagram { from, to, payload });
        }
        if let Some(at) = fate.first {
            let payload = self.payloads.insert(Payload::Log(message));
            self.queue.push(at, Event::Datagram { from, to, payload });
        }
    }

    fn send_by_rule(&mut self, from: NodeIndex, to: NodeIndex, message: log::Message) {
        let Some((key, action)) = self.net.rules.judge(from, to, &message) else {
            self.send_freely(from, to, message);
            return;
        };
        self.counts.faults += 1;
        match action {
            RuleAction::Drop => {}
            RuleAction::Delay(by) => {
                let at = self.now + self.net.latency(from, to) + by;
                let payload = self.payloads.insert(Payload::Log(message));
                self.queue.push(at, Event::Datagram { from, to, payload });
            }
            RuleAction::Hold => {
                let payload = self.payloads.insert(Payload::Log(message));
                self.net.rules.hold(key, Held { from, to, payload });
            }
            RuleAction::Duplicate => {
                self.send_freely(from, to, message.clone());
                self.send_freely(from, to, message);
            }
        }
    }

    /// Sends on what a rule had held back.
    pub fn send_held(&mut self, held: Vec<Held>) {
        for Held { from, to, payload } in held {
            let at = self.now + self.net.latency(from, to);
            self.queue.push(at, Event::Datagram { from, to, payload });
        }
    }

    pub(super) fn on_datagram(&mut self, from: NodeIndex, to: NodeIndex, payload: Payload) {
        if self.net.partitions.blocks(from, to) {
            return;
        }
        let Payload::Log(message) = payload else {
            unreachable!("only messages of the log travel as datagrams");
        };
        let from = self.master_id(from).expect("only masters send datagrams");
        self.deliver(to, Delivery::Datagram { from, message });
    }

    pub(super) fn round_trip_payload(&mut self, payload: Payload) -> Payload {
        match payload {
            Payload::Log(message) => Payload::Log(self.round_trip(message)),
            Payload::AgentToMaster(message) => Payload::AgentToMaster(self.round_trip(message)),
            Payload::MasterToAgent(message) => Payload::MasterToAgent(self.round_trip(message)),
            Payload::SchedulerToMaster(message) => {
                Payload::SchedulerToMaster(self.round_trip(message))
            }
            Payload::MasterToScheduler(message) => {
                Payload::MasterToScheduler(self.round_trip(message))
            }
            Payload::ExecutorToAgent(message) => Payload::ExecutorToAgent(self.round_trip(message)),
            Payload::AgentToExecutor(message) => Payload::AgentToExecutor(self.round_trip(message)),
            Payload::End => Payload::End,
        }
    }

    /// One message in a hundred is encoded and decoded, and must come out equal.
    pub(super) fn round_trip<T>(&mut self, message: T) -> T
    where
        T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
    {
        if !self.streams.sample.chance(1, ROUND_TRIP_ONE_IN) {
            return message;
        }
        self.counts.round_trips += 1;
        let decoded = wire::decode::<T>(&wire::encode(&message));
        assert_eq!(
            decoded.as_ref(),
            Ok(&message),
            "what goes over the wire comes out as it went in"
        );
        message
    }
}

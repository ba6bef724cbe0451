//! Connections between nodes.

use super::{Delivery, Event, Payload, World};
use crate::net::{ConnectionKey, RuleAction, Side};
use crate::node::{NodeIndex, Process};
use crate::time::SimTime;
use std::time::Duration;
use tepui_core::ids::Peer;

/// After a wall falls, the sender's next attempt comes within this.
const RETRANSMIT_MAX: Duration = Duration::from_millis(500);

/// An attempt to connect.
#[derive(Debug)]
pub(super) struct Dial {
    from: NodeIndex,
    run: u32,
    peer: Peer,
    to: Option<NodeIndex>,
    local: bool,
    since: SimTime,
}

impl World {
    /// A node opens a connection to an address.
    pub(super) fn dial(&mut self, from: NodeIndex, peer: Peer, address: &str) {
        let to = self.addresses.get(address).copied();
        self.dial_node(from, peer, to, false);
    }

    /// A node opens a connection to another node.
    pub(super) fn dial_node(
        &mut self,
        from: NodeIndex,
        peer: Peer,
        to: Option<NodeIndex>,
        local: bool,
    ) {
        let run = self.nodes[from.slot()].run;
        let takes = match to {
            Some(to) => self.one_way(from, to, local),
            None => self.net.config.loopback,
        };
        let attempt = self.dials.insert(Dial {
            from,
            run,
            peer,
            to,
            local,
            since: self.now,
        });
        self.queue.push(self.now + takes, Event::Dial { attempt });
    }

    fn one_way(&mut self, from: NodeIndex, to: NodeIndex, local: bool) -> Duration {
        if local {
            self.net.config.loopback
        } else {
            self.net.latency(from, to)
        }
    }

    pub(super) fn on_dial(&mut self, attempt: u32) {
        let dial = self.dials.take(attempt);
        let opener = &mut self.nodes[dial.from.slot()];
        if opener.run != dial.run || opener.process == Process::Down {
            return;
        }
        if let Some(place) = opener.cancelled.iter().position(|peer| *peer == dial.peer) {
            opener.cancelled.swap_remove(place);
            return;
        }
        let peer = dial.peer;
        let Some(to) = dial.to else {
            // Nobody has this address: the host says so at once.
            self.plan_local(self.now, dial.from, Delivery::Disconnected { peer });
            return;
        };
        let cut = !dial.local
            && (self.net.partitions.blocks(dial.from, to)
                || self.net.partitions.blocks(to, dial.from));
        if cut || !self.nodes[to.slot()].host_up {
            let at = (dial.since + self.net.config.connect_timeout).max(self.now);
            self.plan_local(at, dial.from, Delivery::Disconnected { peer });
            return;
        }
        let back = self.now + self.one_way(to, dial.from, dial.local);
        if self.nodes[to.slot()].process == Process::Down {
            self.plan_local(back, dial.from, Delivery::Disconnected { peer });
            return;
        }
        let key = self.net.connections.open(dial.from, peer, to, dial.local);
        let connection = self.net.connections.find(key).expect("opened just now");
        // Nothing that the acceptor says overtakes the news that the connection is open.
        connection.lane(Side::Acceptor).last_arrival = back;
        self.nodes[dial.from.slot()].outbound.push((peer, key));
        self.plan_local(back, dial.from, Delivery::Connected { peer });
    }

    /// The connection that a node calls `peer`, and its side of it.
    fn resolve(&mut self, node: NodeIndex, peer: Peer) -> Option<(ConnectionKey, Side)> {
        let (key, side) = match peer {
            Peer::Inbound(name) => (ConnectionKey::of_inbound(name), Side::Acceptor),
            Peer::Outbound(_) => {
                let outbound = &self.nodes[node.slot()].outbound;
                let (_, key) = outbound.iter().find(|(known, _)| *known == peer)?;
                (*key, Side::Opener)
            }
        };
        let end = self.net.connections.find(key)?.end(side);
        (end.node == node && end.open).then_some((key, side))
    }

    /// A node says something on a connection. What it says on a dead one is lost.
    pub(super) fn send_stream(&mut self, from: NodeIndex, peer: Peer, payload: Payload) {
        self.counts.messages += 1;
        let Some((key, side)) = self.resolve(from, peer) else {
            return;
        };
        let payload = self.round_trip_payload(payload);
        let mut extra = Duration::ZERO;
        if !self.net.rules.is_empty() {
            let connection = self.net.connections.find(key).expect("resolved");
            let to = connection.end(side.other()).node;
            match payload.judge(&mut self.net.rules, from, to) {
                Some((_, RuleAction::Drop | RuleAction::Hold)) => {
                    self.counts.faults += 1;
                    self.sever(key);
                    return;
                }
                Some((_, RuleAction::Delay(by))) => {
                    self.counts.faults += 1;
                    extra = by;
                }
                Some((_, RuleAction::Duplicate)) | None => {}
            }
        }
        self.push_stream(key, side, payload, extra);
    }

    fn push_stream(&mut self, key: ConnectionKey, side: Side, payload: Payload, extra: Duration) {
        let connection = self.net.connections.find(key).expect("resolved");
        let (from, to) = (connection.end(side).node, connection.end(side.other()).node);
        let local = connection.local;
        let takes = self.one_way(from, to, local) + extra;
        let connection = self.net.connections.find(key).expect("resolved");
        let lane = connection.lane(side);
        let at = (self.now + takes).max(SimTime(lane.last_arrival.0 + 1));
        lane.last_arrival = at;
        let payload = self.payloads.insert(payload);
        let event = Event::Arrival {
            key,
            from: side,
            payload,
        };
        self.queue.push(at, event);
    }

    pub(super) fn on_arrival(&mut self, key: ConnectionKey, side: Side, payload: u32) {
        let Some(connection) = self.net.connections.find(key) else {
            self.payloads.take(payload);
            return;
        };
        let (from, to) = (connection.end(side).node, connection.end(side.other()).node);
        let local = connection.local;
        let queued = !connection.lane(side).held.is_empty();
        if !queued && (local || !self.walled(from, to)) {
            self.arrive(key, side, payload);
            return;
        }
        let connection = self.net.connections.find(key).expect("found above");
        let lane = connection.lane(side);
        lane.held.push_back(payload);
        if queued {
            return;
        }
        lane.stall = lane.stall.wrapping_add(1);
        let stall = lane.stall;
        let event = Event::StallTimeout {
            key,
            from: side,
            stall,
        };
        let at = self.now + self.net.config.stall_timeout;
        self.queue.push(at, event);
        self.net.connections.mark_stalled(key);
    }

    /// Whether nothing gets from here to there now, and nobody says so.
    fn walled(&self, from: NodeIndex, to: NodeIndex) -> bool {
        self.net.partitions.blocks(from, to) || !self.nodes[to.slot()].host_up
    }

    fn arrive(&mut self, key: ConnectionKey, side: Side, payload: u32) {
        let payload = self.payloads.take(payload);
        let Some(connection) = self.net.connections.find(key) else {
            return;
        };
        let end = *connection.end(side.other());
        if end.open {
            let peer = end.peer;
            if payload == Payload::End {
                self.close_end(key, side.other());
                self.deliver(end.node, Delivery::Disconnected { peer });
            } else {
                self.deliver(end.node, Delivery::Message { peer, payload });
            }
        } else if payload != Payload::End && connection.end(side).open {
            // Nobody is there any more: the host answers with a reset.
            self.push_stream(key, side.other(), Payload::End, Duration::ZERO);
        }
    }

    /// Walls fell: what waits behind them is tried again.
    pub fn resume_stalled(&mut self) {
        for key in self.net.connections.take_stalled() {
            for side in [Side::Opener, Side::Acceptor] {
                let Some(connection) = self.net.connections.find(key) else {
                    break;
                };
                if connection.lane(side).held.is_empty() {
                    continue;
                }
                let wait = self.streams.faults.between(Duration::ZERO, RETRANSMIT_MAX);
                let event = Event::Resume { key, from: side };
                self.queue.push(self.now + wait, event);
            }
        }
    }

    pub(super) fn on_resume(&mut self, key: ConnectionKey, side: Side) {
        let Some(connection) = self.net.connections.find(key) else {
            return;
        };
        let (from, to) = (connection.end(side).node, connection.end(side.other()).node);
        if self.walled(from, to) {
            self.net.connections.mark_stalled(key);
            return;
        }
        while let Some(connection) = self.net.connections.find(key) {
            let lane = connection.lane(side);
            let Some(payload) = lane.held.pop_front() else {
                // The time-out of this stall means nothing any more.
                lane.stall = lane.stall.wrapping_add(1);
                break;
            };
            self.arrive(key, side, payload);
        }
    }

    pub(super) fn on_stall_timeout(&mut self, key: ConnectionKey, side: Side, stall: u16) {
        let Some(connection) = self.net.connections.find(key) else {
            return;
        };
        let end = *connection.end(side);
        let lane = connection.lane(side);
        if lane.stall != stall || lane.held.is_empty() {
            return;
        }
        for payload in std::mem::take(&mut lane.held) {
            self.payloads.take(payload);
        }
        // The sender gives up. The other side knows nothing: it believes until it speaks.
        if end.open {
            self.close_end(key, side);
            self.deliver(end.node, Delivery::Disconnected { peer: end.peer });
        }
    }

    /// A node closes a connection; the other side hears of it after everything sent before.
    pub(super) fn close_stream(&mut self, node: NodeIndex, peer: Peer) {
        if let Some((key, side)) = self.resolve(node, peer) {
            self.push_stream(key, side, Payload::End, Duration::ZERO);
            self.close_end(key, side);
        } else if matches!(peer, Peer::Outbound(_)) {
            self.nodes[node.slot()].cancelled.push(peer);
        }
    }

    fn close_end(&mut self, key: ConnectionKey, side: Side) {
        let Some(connection) = self.net.connections.find(key) else {
            return;
        };
        let end = *connection.end(side);
        self.nodes[end.node.slot()]
            .outbound
            .retain(|(_, known)| *known != key);
        for payload in self.net.connections.close(key, side).unwrap_or_default() {
            self.payloads.take(payload);
        }
    }

    /// Both sides lose the connection.
    pub fn sever(&mut self, key: ConnectionKey) {
        for side in [Side::Opener, Side::Acceptor] {
            let Some(connection) = self.net.connections.find(key) else {
                return;
            };
            let end = *connection.end(side);
            if end.open {
                let peer = end.peer;
                let at = self.now + self.net.config.loopback;
                self.plan_local(at, end.node, Delivery::Disconnected { peer });
                self.close_end(key, side);
            }
        }
    }

    /// Every connection of a node that it believes in.
    pub fn connections_of(&mut self, node: NodeIndex) -> Vec<(ConnectionKey, Side)> {
        let keys: Vec<_> = self.net.connections.keys().collect();
        let mut found = Vec::new();
        for key in keys {
            let connection = self.net.connections.find(key).expect("listed just now");
            for side in [Side::Opener, Side::Acceptor] {
                let end = connection.end(side);
                if end.node == node && end.open {
                    found.push((key, side));
                }
            }
        }
        found
    }

    /// A process died: if its host lives, the other sides hear of it.
    pub(super) fn drop_connections(&mut self, node: NodeIndex) {
        let says_so = self.nodes[node.slot()].host_up;
        for (key, side) in self.connections_of(node) {
            let connection = self.net.connections.find(key);
            if says_so && connection.is_some_and(|c| c.end(side.other()).open) {
                self.push_stream(key, side, Payload::End, Duration::ZERO);
            }
            self.close_end(key, side);
        }
        let node = &mut self.nodes[node.slot()];
        node.outbound.clear();
        node.cancelled.clear();
    }
}

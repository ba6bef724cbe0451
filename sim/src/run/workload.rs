//! Clients of a log.

use super::goals::Goal;
use super::{Planned, Run};
use crate::node::NodeIndex;
use crate::observe::Occurrence;
use crate::scenario::Workload;
use crate::world::Delivery;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A client that got no answer tries again after this.
const PATIENCE: Duration = Duration::from_millis(500);

/// All clients, and what they wait for.
#[derive(Debug, Default)]
pub(super) struct Clients {
    every: Vec<Duration>,
    bytes: Vec<usize>,
    next_token: u64,
    /// Which client waits for which token.
    waits: BTreeMap<u64, u32>,
    pub(super) goals: Vec<Goal>,
}

impl Clients {
    pub(super) fn any(&self) -> bool {
        !self.every.is_empty()
    }
}

impl Run<'_> {
    pub(super) fn start_clients(&mut self) {
        for entry in &self.plan.scenario.workload {
            if let Workload::Append(append) = entry {
                for _ in 0..append.clients {
                    let client = self.clients.every.len() as u32;
                    self.clients.every.push(append.every.0);
                    self.clients.bytes.push(append.bytes);
                    let now = self.world.now;
                    self.plan(now, Planned::Client(client));
                }
            }
        }
        self.world.observer.watched |= self.clients.any();
    }

    /// A client comes up with a value, or loses patience with the one before.
    pub(super) fn on_client(&mut self, client: u32) {
        self.clients.waits.retain(|_, waiting| *waiting != client);
        let now = self.world.now;
        if let Some(leader) = self.leader() {
            let token = self.next_token();
            self.clients.waits.insert(token, client);
            let mut value = vec![0; self.clients.bytes[client as usize].max(8)];
            value[..8].copy_from_slice(&token.to_le_bytes());
            let delivery = Delivery::Append {
                token,
                value: Arc::from(value),
            };
            self.world.plan_local(now, leader, delivery);
        }
        self.plan(now + PATIENCE, Planned::Client(client));
    }

    fn next_token(&mut self) -> u64 {
        self.clients.next_token += 1;
        self.clients.next_token
    }

    /// A scripted value.
    pub(super) fn append(&mut self, node: NodeIndex, value: Arc<[u8]>) {
        let token = self.next_token();
        let now = self.world.now;
        self.world
            .plan_local(now, node, Delivery::Append { token, value });
    }

    /// An answer to a client.
    pub(super) fn on_client_occurrence(&mut self, occurrence: &Occurrence) {
        let Occurrence::Appended { node, token } = occurrence else {
            return;
        };
        let Some(client) = self.clients.waits.remove(token) else {
            return;
        };
        let every = self.clients.every[client as usize];
        let token = self.next_token();
        self.clients.waits.insert(token, client);
        let mut value = vec![0; self.clients.bytes[client as usize].max(8)];
        value[..8].copy_from_slice(&token.to_le_bytes());
        let delivery = Delivery::Append {
            token,
            value: Arc::from(value),
        };
        let at = self.world.now + every;
        self.world.plan_local(at, *node, delivery);
    }
}

//! The network: what becomes of a message between two hosts.

mod connection;
mod latency;
mod partition;
mod rules;

pub use connection::{Connection, ConnectionKey, Connections, End, Side};
pub use latency::Latency;
pub use partition::{CUTS_MAX, Cut, Partitions};
pub use rules::{Held, Rule, RuleAction, RuleKey, Rules};

use crate::node::NodeIndex;
use crate::time::SimTime;
use crate::units::Chance;
use std::time::Duration;
use tepui_core::rng::Rng;

/// How the network is when nothing is broken on purpose.
#[derive(Clone, Copy, Debug)]
pub struct NetworkConfig {
    /// Between hosts, one way.
    pub latency: Latency,
    /// Of datagrams between masters.
    pub loss: Chance,
    /// Of datagrams between masters.
    pub duplication: Chance,
    /// How much later the second copy comes, at most.
    pub duplication_delay: Duration,
    /// Between processes of one host, one way.
    pub loopback: Duration,
    /// How long a connection's unacknowledged data waits behind a wall before it breaks.
    pub stall_timeout: Duration,
    /// How long an attempt to connect into silence takes to fail.
    pub connect_timeout: Duration,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        NetworkConfig {
            latency: Latency::Uniform(
                crate::units::Span(Duration::from_micros(200)),
                crate::units::Span(Duration::from_millis(2)),
            ),
            loss: Chance::NEVER,
            duplication: Chance::NEVER,
            duplication_delay: Duration::from_millis(50),
            loopback: Duration::from_micros(20),
            stall_timeout: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(3),
        }
    }
}

/// When a datagram arrives, if at all, and when a second copy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fate {
    /// The first copy.
    pub first: Option<SimTime>,
    /// The second one.
    pub second: Option<SimTime>,
}

/// A slow stretch of the network: everything to and from some nodes takes longer.
#[derive(Clone, Copy, Debug, Default)]
struct Slowness {
    extra: Duration,
}

/// The network between hosts.
#[derive(Debug)]
pub struct Network {
    /// Its settings.
    pub config: NetworkConfig,
    /// Who cannot reach whom.
    pub partitions: Partitions,
    /// Ordered connections.
    pub connections: Connections,
    /// Scripted faults on single messages.
    pub rules: Rules,
    slow: Vec<Slowness>,
    slow_count: u32,
    rng: Rng,
}

impl Network {
    /// A network in which every draw comes from `rng`.
    #[must_use]
    pub fn new(config: NetworkConfig, rng: Rng) -> Network {
        Network {
            config,
            partitions: Partitions::default(),
            connections: Connections::default(),
            rules: Rules::default(),
            slow: Vec::new(),
            slow_count: 0,
            rng,
        }
    }

    /// Makes room for one more node.
    pub fn add_node(&mut self) {
        self.partitions.add_node();
        self.slow.push(Slowness::default());
    }

    /// Clogs a node: everything to and from it takes this much longer, until it is set to zero.
    pub fn clog(&mut self, node: NodeIndex, extra: Duration) {
        let slow = &mut self.slow[node.slot()];
        let (before, after) = (slow.extra > Duration::ZERO, extra > Duration::ZERO);
        slow.extra = extra;
        match (before, after) {
            (false, true) => self.slow_count += 1,
            (true, false) => self.slow_count -= 1,
            _ => {}
        }
    }

    /// All walls fall and nothing is slow any more.
    pub fn heal_all(&mut self) {
        self.partitions.heal_all();
        self.slow.fill(Slowness::default());
        self.slow_count = 0;
    }

    /// One way, one message.
    pub fn latency(&mut self, from: NodeIndex, to: NodeIndex) -> Duration {
        let base = self.config.latency.draw(&mut self.rng);
        if self.slow_count == 0 {
            return base;
        }
        let most = self.slow[from.slot()].extra.max(self.slow[to.slot()].extra);
        // Clogged, not just far away: the delay varies, so that messages overtake each other.
        base + self.rng.between(most / 2, most)
    }

    /// Draws what becomes of a datagram.
    pub fn datagram(&mut self, now: SimTime, from: NodeIndex, to: NodeIndex) -> Fate {
        if self.partitions.blocks(from, to) || self.config.loss.draw(&mut self.rng) {
            return Fate {
                first: None,
                second: None,
            };
        }
        let first = now + self.latency(from, to);
        let second = self.config.duplication.draw(&mut self.rng).then(|| {
            let later = self.config.duplication_delay;
            first + self.rng.between(Duration::ZERO, later)
        });
        Fate {
            first: Some(first),
            second,
        }
    }
}

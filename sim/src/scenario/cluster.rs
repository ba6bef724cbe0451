//! What there is: masters, agents, the network, disks and clocks.

use super::Settings;
use crate::net::Latency;
use crate::units::{Chance, Span};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use tepui_core::allocator::AgentOrder;

/// What the nodes of a cluster are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Masters, agents, frameworks.
    #[default]
    Whole,
    /// Bare replicas of the log.
    Log,
}

/// The cluster.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cluster {
    /// What its nodes are.
    pub kind: Kind,
    /// How many masters.
    pub masters: u32,
    /// How many agents, or groups of them.
    pub agents: Agents,
    /// What each agent has, unless its group says otherwise.
    pub resources: String,
    /// Attributes of each agent, unless its group says otherwise; `{n}` is its number.
    pub attributes: String,
    /// In which order masters offer agents: `random`, or a placement policy such as `bestfit`.
    pub agent_order: Option<AgentOrder>,
    /// Changes to the masters' configuration.
    pub master: Settings,
    /// Changes to the agents' configuration.
    pub agent: Settings,
    /// Changes to the executors' configuration.
    pub executor: Settings,
    /// Changes to the schedulers' configuration.
    pub scheduler: Settings,
    /// The network when nothing is broken on purpose.
    pub network: Net,
    /// Disks when nothing is broken on purpose.
    pub disk: Disks,
    /// Clocks when nothing is broken on purpose.
    pub clock: Clocks,
}

impl Default for Cluster {
    fn default() -> Self {
        Cluster {
            kind: Kind::Whole,
            masters: 3,
            agents: Agents::Count(0),
            resources: String::from("cpus:16;mem:65536;disk:102400;ports:[31000-32000]"),
            attributes: String::new(),
            agent_order: None,
            master: Settings::default(),
            agent: Settings::default(),
            executor: Settings::default(),
            scheduler: Settings::default(),
            network: Net::default(),
            disk: Disks::default(),
            clock: Clocks::default(),
        }
    }
}

/// How many agents there are.
#[derive(Clone, Debug)]
pub enum Agents {
    /// All alike.
    Count(u32),
    /// In groups, numbered through.
    Groups(Vec<AgentGroup>),
}

impl Agents {
    /// How many in all.
    #[must_use]
    pub fn count(&self) -> u32 {
        match self {
            Agents::Count(count) => *count,
            Agents::Groups(groups) => groups.iter().map(|group| group.count).sum(),
        }
    }
}

/// Agents that are alike.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentGroup {
    /// How many.
    pub count: u32,
    /// What each has.
    pub resources: Option<String>,
    /// Attributes of each; `{n}` is its number.
    pub attributes: Option<String>,
}

struct AgentsVisitor;

impl<'de> Visitor<'de> for AgentsVisitor {
    type Value = Agents;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of agents, or a list of groups with a count each")
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Agents, E> {
        let count = u32::try_from(value).map_err(|_| E::custom("too many agents"))?;
        Ok(Agents::Count(count))
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Agents, E> {
        let count = u32::try_from(value).map_err(|_| E::custom("not a number of agents"))?;
        Ok(Agents::Count(count))
    }
    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Agents, A::Error> {
        let mut groups = Vec::new();
        while let Some(group) = seq.next_element()? {
            groups.push(group);
        }
        Ok(Agents::Groups(groups))
    }
}

impl<'de> Deserialize<'de> for Agents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Agents, D::Error> {
        deserializer.deserialize_any(AgentsVisitor)
    }
}

/// The network's settings; what is absent is as by default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Net {
    /// One way, between hosts.
    pub latency: Option<Latency>,
    /// Of datagrams between masters.
    pub loss: Chance,
    /// Of datagrams between masters.
    pub duplication: Chance,
    /// How much later a second copy comes, at most.
    pub duplication_delay: Option<Span>,
    /// How long a connection waits behind a partition before it breaks.
    pub stall_timeout: Option<Span>,
    /// How long connecting into silence takes to fail.
    pub connect_timeout: Option<Span>,
}

/// The disks' settings; what is absent is as by default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Disks {
    /// Of a write with its sync.
    pub latency: Option<Latency>,
    /// That a sync stalls.
    pub stall: Chance,
    /// For how long, at most.
    pub stall_for: Option<Span>,
}

/// The clocks' settings: each node draws its own within these bounds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Clocks {
    /// How wrong wall clocks are, either way.
    pub skew: Option<Span>,
    /// How many millionths monotonic clocks run fast or slow.
    pub drift_ppm: u32,
}

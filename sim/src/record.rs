//! A recording of a run: every input of every node with its moment, and every effect, so that
//! another driver can be shown to do the same.

use crate::node::NodeIndex;
use serde::{Deserialize, Serialize};
use tepui_core::model::AgentInfo;
use tepui_core::time::Now;
use tepui_core::{agent, executor, log, master, scheduler, wire};

/// One entry. Inputs and effects are envelopes of the core's own types.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Entry {
    /// A node starts.
    Start {
        /// Which.
        node: u32,
        /// The name of its stream of randomness, forked from the world's
        /// [`Streams::nodes`](crate::world::Streams::nodes).
        stream: String,
        /// When, by its own clocks.
        now: Now,
        /// From what.
        start: Box<Start>,
    },
    /// A node handles an input.
    Input {
        /// Which.
        node: u32,
        /// When, by its own clocks.
        now: Now,
        /// What, in an envelope.
        input: Vec<u8>,
    },
    /// An effect of the input or start before it.
    Effect {
        /// Whose.
        node: u32,
        /// What, in an envelope.
        effect: Vec<u8>,
    },
}

/// What a node was built from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "each is in a box of its own")]
pub enum Start {
    /// A master.
    Master {
        /// As configured.
        config: master::Config,
        /// What was on its disk.
        recovered: log::Recovered,
    },
    /// An agent.
    Agent {
        /// As configured.
        config: agent::Config,
        /// As it describes itself.
        info: AgentInfo,
        /// What was on its disk and host.
        recovered: agent::Recovered,
    },
    /// An executor.
    Executor {
        /// As configured.
        config: executor::Config,
        /// Which.
        identity: executor::Identity,
        /// How long it lives.
        mode: executor::Mode,
    },
    /// A framework; the rest is in its node's [`FrameworkSpec`](crate::machine::FrameworkSpec).
    Framework {
        /// What was on its disk.
        writes: Vec<scheduler::Write>,
    },
}

/// Takes down what happens, if anybody wants it.
#[derive(Debug, Default)]
pub struct Recorder {
    entries: Option<Vec<Entry>>,
}

impl Recorder {
    /// From now on everything is taken down.
    pub fn enable(&mut self) {
        self.entries.get_or_insert_default();
    }

    /// What was taken down.
    #[must_use]
    pub fn take(&mut self) -> Vec<Entry> {
        self.entries.take().unwrap_or_default()
    }

    /// A node starts.
    #[inline]
    pub fn start(
        &mut self,
        node: NodeIndex,
        stream: &str,
        now: Now,
        start: impl FnOnce() -> Start,
    ) {
        if let Some(entries) = &mut self.entries {
            entries.push(Entry::Start {
                node: node.0,
                stream: stream.to_owned(),
                now,
                start: Box::new(start()),
            });
        }
    }

    /// A node handles an input.
    #[inline]
    pub fn input<T: Serialize>(&mut self, node: NodeIndex, now: Now, input: &T) {
        if let Some(entries) = &mut self.entries {
            entries.push(Entry::Input {
                node: node.0,
                now,
                input: wire::encode(input),
            });
        }
    }

    /// A node wants something done.
    #[inline]
    pub fn effect<T: Serialize>(&mut self, node: NodeIndex, effect: &T) {
        if let Some(entries) = &mut self.entries {
            entries.push(Entry::Effect {
                node: node.0,
                effect: wire::encode(effect),
            });
        }
    }
}

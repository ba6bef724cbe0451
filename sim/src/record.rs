//! A recording of a run: every input of every node with its moment, and every effect, so that
//! another driver can be shown to do the same.

use crate::node::NodeIndex;
use serde::{Deserialize, Serialize};
use tepui_core::time::Now;
use tepui_core::wire;

/// One entry. Inputs and effects are envelopes of the core's own types.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Entry {
    /// A node starts: what it was built from, encoded by [`crate::record::Start`].
    Start {
        /// Which.
        node: u32,
        /// What.
        start: Vec<u8>,
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
    pub fn start<T: Serialize>(&mut self, node: NodeIndex, start: &T) {
        if let Some(entries) = &mut self.entries {
            entries.push(Entry::Start {
                node: node.0,
                start: wire::encode(start),
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

//! What clusters of kind `log` run: the core's log under the smallest state machine that notices
//! a wrong order, a gap or a lost value.

use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tepui_core::log::{self, Action, Position};
use tepui_core::wire;

/// A fold over everything applied: equal at equal positions or the replicas differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// The last applied position.
    pub through: Position,
    /// Over all actions so far.
    pub digest: u64,
}

impl Applied {
    /// Applies one entry.
    pub fn apply(&mut self, position: Position, action: &Action) {
        assert_eq!(
            position.0,
            self.through.0 + 1,
            "entries are applied in order, without gaps"
        );
        self.through = position;
        let mut hash = crate::hash::TraceHash::default();
        hash.word(self.digest);
        hash.value(action);
        self.digest = hash.finish() as u64;
    }

    /// The state machine's snapshot.
    #[must_use]
    pub fn encode(&self) -> Arc<[u8]> {
        Arc::from(wire::encode(self))
    }

    /// Becomes what a snapshot says.
    ///
    /// # Panics
    /// When the bytes are not a snapshot: the log handed over something it was never given.
    pub fn install(&mut self, through: Position, state: &[u8]) {
        let snapshot: Applied = wire::decode(state).expect("the log gives back what it was given");
        assert_eq!(
            snapshot.through, through,
            "a snapshot covers what it says it covers"
        );
        *self = snapshot;
    }
}

/// One replica.
#[derive(Debug)]
pub struct LogReplica {
    /// The core's part.
    pub node: log::Node,
    /// The state machine above it.
    pub applied: Applied,
}

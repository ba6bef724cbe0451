//! What stands at a position.

use super::membership::Membership;
use alloc::sync::Arc;
use serde::{Deserialize, Serialize};

/// The value of one position. Shared, because it goes to the disk, to every peer and to the state
/// machine at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Fills a hole that a dead coordinator left.
    Nop,
    /// Somebody's bytes.
    Append(#[serde(with = "crate::wire::bytes")] Arc<[u8]>),
    /// Who votes from here on.
    Membership(Arc<Membership>),
}

impl Action {
    /// Roughly what it weighs, for bounds on messages.
    #[must_use]
    pub fn weight_bytes(&self) -> usize {
        match self {
            Action::Nop => 16,
            Action::Append(value) => 16 + value.len(),
            Action::Membership(membership) => 16 + 64 * membership.count(),
        }
    }
}

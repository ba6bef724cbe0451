//! The registry as bytes: what a replica keeps instead of the log's beginning, and what it sends
//! to one that has missed too much.

use super::operator::OperatorState;
use super::registry::{Admission, Leader, Registry, Unreachable};
use crate::ids::AgentId;
use crate::time::Wall;
use crate::wire::{self, DecodeError};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a snapshot was refused. The registry was not changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SnapshotError {
    /// The bytes are not a snapshot that this build reads.
    #[error("the registry's snapshot cannot be read: {0}")]
    Decode(#[from] DecodeError),
    /// An agent without an id.
    #[error("the registry's snapshot holds an agent without an id: it was not written by a master")]
    NoId,
    /// An agent or a first registration in two places.
    #[error("the registry's snapshot holds agent {0} twice: it was not written by a master")]
    Twice(AgentId),
    /// Every version but 0 comes from a leader.
    #[error(
        "the registry's snapshot at version {0} lacks a leader, or has one \
         at version 0: it was not written by a master"
    )]
    Leaderless(u64),
    /// What operators set is not what they can set.
    #[error("the registry's snapshot holds what no operator can set: {0}")]
    Operator(String),
}

/// The shape of the record. Keys that follow from the values are left out.
#[derive(Serialize, Deserialize)]
struct Record {
    version: u64,
    leader: Option<Leader>,
    admitted: Vec<Arc<Admission>>,
    unreachable: Vec<Unreachable>,
    gone: BTreeMap<AgentId, Wall>,
    operator: OperatorState,
}

/// The bytes of a snapshot.
#[must_use]
pub fn encode(registry: &Registry) -> Arc<[u8]> {
    Arc::from(wire::encode(&Record {
        version: registry.version,
        leader: registry.leader.clone(),
        admitted: registry.admitted.values().cloned().collect(),
        unreachable: registry.unreachable.values().cloned().collect(),
        gone: registry.gone.clone(),
        operator: registry.operator.clone(),
    }))
}

/// Reads a snapshot back, and refuses one that no sequence of operations leads to.
///
/// # Errors
/// When the bytes are not exactly one snapshot, or agents are not where they may be.
pub fn decode(bytes: &[u8]) -> Result<Registry, SnapshotError> {
    let record: Record = wire::decode(bytes)?;
    if record.leader.is_some() != (record.version > 0) {
        return Err(SnapshotError::Leaderless(record.version));
    }
    let mut registry = Registry {
        version: record.version,
        leader: record.leader,
        gone: record.gone,
        ..Registry::default()
    };
    for admission in record.admitted {
        let id = enter(&mut registry, &admission)?;
        registry.admitted.insert(id, admission);
    }
    for unreachable in record.unreachable {
        let id = enter(&mut registry, &unreachable.admission)?;
        registry.unreachable.insert(id, unreachable);
    }
    registry.operator = record.operator;
    match registry.operator_flaw() {
        Some(flaw) => Err(SnapshotError::Operator(flaw)),
        None => Ok(registry),
    }
}

fn enter(registry: &mut Registry, admission: &Admission) -> Result<AgentId, SnapshotError> {
    let id = admission.info.id.clone().ok_or(SnapshotError::NoId)?;
    if registry.refuse_known(&id).is_err() {
        return Err(SnapshotError::Twice(id));
    }
    if let Some(nonce) = admission.nonce
        && registry.registrations.insert(nonce, id.clone()).is_some()
    {
        return Err(SnapshotError::Twice(id));
    }
    Ok(id)
}

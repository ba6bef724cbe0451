//! Tests of the registry and the registrar.

mod operations;
mod properties;
mod registrar;
mod snapshots;

use super::*;
use crate::ids::{AgentId, MasterId};
use crate::invariant::{self, Cost};
use crate::log::Ballot;
use crate::model::{AgentInfo, MasterInfo};
use crate::resources::{Attributes, Resources};
use crate::time::Wall;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

fn agent_id(number: u64) -> AgentId {
    AgentId::new(&format!("1.1-S{number}")).unwrap()
}

fn info_at(number: u64, port: u16) -> Arc<AgentInfo> {
    Arc::new(AgentInfo {
        id: Some(agent_id(number)),
        hostname: format!("host-{number}"),
        ip: String::new(),
        port,
        resources: Resources::default(),
        attributes: Attributes::default(),
        domain: None,
    })
}

fn info(number: u64) -> Arc<AgentInfo> {
    info_at(number, 5051)
}

fn ballot(round: u64, master: u32) -> Ballot {
    Ballot {
        round,
        proposer: MasterId(master),
    }
}

fn set_leader(round: u64, master: u32) -> Operation {
    Operation::SetLeader {
        master: MasterInfo {
            id: MasterId(master),
            address: format!("10.0.0.{master}:5050"),
        },
        ballot: ballot(round, master),
    }
}

fn admit(number: u64) -> Operation {
    Operation::AdmitAgent {
        info: info(number),
        nonce: 1_000 + number,
    }
}

fn unreachable(number: u64, at: i64) -> Operation {
    Operation::MarkUnreachable {
        agent_id: agent_id(number),
        at: Wall(at),
    }
}

fn gone(number: u64, at: i64) -> Operation {
    Operation::MarkGone {
        agent_id: agent_id(number),
        at: Wall(at),
    }
}

fn remove(number: u64) -> Operation {
    Operation::RemoveAgent {
        agent_id: agent_id(number),
    }
}

fn reachable(number: u64) -> Operation {
    Operation::MarkReachable { info: info(number) }
}

/// A registry that master 1 leads by ballot 1.1.
fn led() -> Registry {
    let mut registry = Registry::default();
    let batch = Batch {
        expected_version: 0,
        ballot: ballot(1, 1),
        operations: vec![set_leader(1, 1)],
    };
    assert_eq!(registry.apply(&batch), Outcome::Effective(vec![Ok(())]));
    registry
}

/// Applies one batch of the leader of record.
fn run(registry: &mut Registry, operations: &[Operation]) -> Vec<Result<(), Reject>> {
    let batch = Batch {
        expected_version: registry.version(),
        ballot: registry.leader().unwrap().ballot,
        operations: operations.to_vec(),
    };
    match registry.apply(&batch) {
        Outcome::Effective(results) => results,
        Outcome::Void(void) => panic!("{void}"),
    }
}

fn assert_sound(registry: &Registry) {
    assert_eq!(
        invariant::check(INVARIANTS, registry, Cost::Linear),
        Vec::new()
    );
}

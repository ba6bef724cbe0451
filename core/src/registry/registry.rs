use super::batch::{Batch, Outcome, Void};
use super::config::Config;
use super::operation::{Operation, Reject};
use super::operator::OperatorState;
use crate::ids::AgentId;
use crate::log::Ballot;
use crate::model::{AgentInfo, MasterInfo};
use crate::time::Wall;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// How many ids one [`Operation::Prune`] names at most, of each kind.
pub const PRUNE_AGENTS_MAX: usize = 512;

/// What all masters agree on. A clone shares every agent's description, so that a snapshot can
/// be taken without a pause.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registry {
    pub(super) version: u64,
    pub(super) leader: Option<Leader>,
    pub(super) admitted: BTreeMap<AgentId, Arc<Admission>>,
    pub(super) unreachable: BTreeMap<AgentId, Unreachable>,
    pub(super) gone: BTreeMap<AgentId, Wall>,
    pub(super) operator: OperatorState,
    /// First registrations, by nonce, of admitted and unreachable agents. Derived: snapshots
    /// leave it out.
    pub(super) registrations: BTreeMap<u64, AgentId>,
}

/// The leader of record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leader {
    /// Who.
    pub master: MasterInfo,
    /// Under which ballot it was elected.
    pub ballot: Ballot,
}

/// An agent of the cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Admission {
    /// As it described itself last, with its id.
    pub info: Arc<AgentInfo>,
    /// Of its first registration; unknown for an agent that was forgotten in between.
    pub nonce: Option<u64>,
}

/// An agent that did not answer. What was known of it stays, for the day it returns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unreachable {
    /// When it was marked.
    pub since: Wall,
    /// As it was admitted.
    pub admission: Arc<Admission>,
}

/// What the registry says of one agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentStanding {
    /// Of the cluster.
    Admitted,
    /// Did not answer since.
    Unreachable(Wall),
    /// Never to return, since.
    Gone(Wall),
    /// Never seen, or forgotten.
    Unknown,
}

impl Registry {
    /// The number of batches that had effect.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Who leads by the record; `None` before the first leader.
    #[must_use]
    pub const fn leader(&self) -> Option<&Leader> {
        self.leader.as_ref()
    }

    /// The agents of the cluster.
    #[must_use]
    pub const fn admitted(&self) -> &BTreeMap<AgentId, Arc<Admission>> {
        &self.admitted
    }

    /// The agents that did not answer.
    #[must_use]
    pub const fn unreachable(&self) -> &BTreeMap<AgentId, Unreachable> {
        &self.unreachable
    }

    /// The agents that never return, with the time at which that was said.
    #[must_use]
    pub const fn gone(&self) -> &BTreeMap<AgentId, Wall> {
        &self.gone
    }

    /// What operators have set.
    #[must_use]
    pub const fn operator(&self) -> &OperatorState {
        &self.operator
    }

    /// What is known of `id`.
    #[must_use]
    pub fn standing(&self, id: &AgentId) -> AgentStanding {
        if self.admitted.contains_key(id) {
            return AgentStanding::Admitted;
        }
        if let Some(unreachable) = self.unreachable.get(id) {
            return AgentStanding::Unreachable(unreachable.since);
        }
        self.gone
            .get(id)
            .map_or(AgentStanding::Unknown, |at| AgentStanding::Gone(*at))
    }

    /// Under which id the first registration of this nonce was admitted.
    #[must_use]
    pub fn registered_as(&self, nonce: u64) -> Option<&AgentId> {
        self.registrations.get(&nonce)
    }

    /// Applies one record of the log. The outcome is decided by the registry and the batch alone:
    /// all replicas agree on it without a word.
    pub fn apply(&mut self, batch: &Batch) -> Outcome {
        if let Some(void) = self.void(batch) {
            return Outcome::Void(void);
        }
        let results = batch
            .operations
            .iter()
            .map(|operation| operation.apply(self))
            .collect();
        self.version += 1;
        assert!(
            self.leader
                .as_ref()
                .is_some_and(|l| l.ballot == batch.ballot),
            "only the leader of record changes the registry"
        );
        Outcome::Effective(results)
    }

    /// Why `batch` has no effect, if so.
    fn void(&self, batch: &Batch) -> Option<Void> {
        if batch.expected_version != self.version {
            return Some(Void::Version {
                expected: batch.expected_version,
                found: self.version,
            });
        }
        let current = self.leader.as_ref().map(|leader| leader.ballot);
        let mut records = batch
            .operations
            .iter()
            .filter_map(Operation::recorded_leader);
        let first = batch.operations.first();
        let opens = first.and_then(Operation::recorded_leader) == Some(batch.ballot)
            && batch.ballot > current.unwrap_or(Ballot::NONE);
        // Nobody records anybody but himself as the leader.
        if (current == Some(batch.ballot) || opens) && records.all(|b| b == batch.ballot) {
            return None;
        }
        Some(Void::NotLeader {
            ballot: batch.ballot,
        })
    }

    /// What may be forgotten at `now`, the oldest first, bounded so that it fits one batch;
    /// `None` when there is nothing.
    #[must_use]
    pub fn prunable(&self, now: Wall, config: &Config) -> Option<Operation> {
        let unreachable = oldest(
            self.unreachable.iter().map(|(id, u)| (u.since, id)),
            now,
            config,
        );
        let gone = oldest(self.gone.iter().map(|(id, at)| (*at, id)), now, config);
        if unreachable.is_empty() && gone.is_empty() {
            return None;
        }
        Some(Operation::Prune { unreachable, gone })
    }

    pub(super) fn take_admitted(&mut self, id: &AgentId) -> Result<Arc<Admission>, Reject> {
        if let Some(admission) = self.admitted.remove(id) {
            return Ok(admission);
        }
        Err(match self.standing(id) {
            AgentStanding::Unreachable(_) => Reject::Unreachable(id.clone()),
            AgentStanding::Gone(_) => Reject::Gone(id.clone()),
            AgentStanding::Admitted | AgentStanding::Unknown => Reject::NotAdmitted(id.clone()),
        })
    }

    pub(super) fn refuse_known(&self, id: &AgentId) -> Result<(), Reject> {
        match self.standing(id) {
            AgentStanding::Admitted => Err(Reject::AlreadyAdmitted(id.clone())),
            AgentStanding::Unreachable(_) => Err(Reject::Unreachable(id.clone())),
            AgentStanding::Gone(_) => Err(Reject::Gone(id.clone())),
            AgentStanding::Unknown => Ok(()),
        }
    }

    pub(super) fn forget_registration(&mut self, admission: &Admission) {
        if let Some(nonce) = admission.nonce {
            let forgotten = self.registrations.remove(&nonce);
            assert!(
                forgotten == admission.info.id,
                "a registration is remembered for exactly one agent"
            );
        }
    }
}

/// Those beyond the age or the count, oldest first. Ages follow wall clocks: a clock that was set
/// back only makes the registry forget later.
fn oldest<'a>(
    marked: impl Iterator<Item = (Wall, &'a AgentId)>,
    now: Wall,
    config: &Config,
) -> Vec<AgentId> {
    let mut marked: Vec<(Wall, &AgentId)> = marked.collect();
    marked.sort_unstable();
    let age_max_ms = i64::try_from(config.gc_age_max.as_millis()).unwrap_or(i64::MAX);
    let beyond_count = marked.len().saturating_sub(config.gc_count_max);
    marked
        .iter()
        .enumerate()
        .take_while(|(index, (at, _))| {
            *index < beyond_count || now.0.saturating_sub(at.0) > age_max_ms
        })
        .take(PRUNE_AGENTS_MAX)
        .map(|(_, (_, id))| (*id).clone())
        .collect()
}

use super::operator;
use super::registry::{Admission, Leader, Registry, Unreachable};
use crate::ids::{AgentId, MasterId};
use crate::log::Ballot;
use crate::model::{AgentInfo, DrainConfig, MachineId, MasterInfo, Quota, Window};
use crate::resources::{Role, Scalar};
use crate::time::Wall;
use alloc::sync::Arc;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One change of the registry, as the log keeps it. New variants go to the end, since records
/// number them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Operation {
    /// A new leader writes itself down before it serves.
    SetLeader {
        /// Who.
        master: MasterInfo,
        /// Under which ballot it was elected; always higher than the leader's before it.
        ballot: Ballot,
    },
    /// A new agent, under the id that its info carries.
    AdmitAgent {
        /// With its id.
        info: Arc<AgentInfo>,
        /// Names the agent's first registration, so that a duplicate of it, also at the next
        /// leader, gets the same id.
        nonce: u64,
    },
    /// An admitted agent did not answer for too long.
    MarkUnreachable {
        /// Which.
        agent_id: AgentId,
        /// When that was found.
        at: Wall,
    },
    /// An agent that was unreachable, or so long that it is forgotten, is back.
    MarkReachable {
        /// As it describes itself now, with its id.
        info: Arc<AgentInfo>,
    },
    /// The operator says that the agent never comes back. Final.
    MarkGone {
        /// Which, admitted or unreachable.
        agent_id: AgentId,
        /// When that was said.
        at: Wall,
    },
    /// An admitted agent said farewell.
    RemoveAgent {
        /// Which.
        agent_id: AgentId,
    },
    /// An admitted agent describes itself anew.
    UpdateAgent {
        /// The new description, with its id.
        info: Arc<AgentInfo>,
    },
    /// Forgets unreachable and gone agents; those that are neither any more are passed over.
    Prune {
        /// Unreachable ones.
        unreachable: Vec<AgentId>,
        /// Gone ones.
        gone: Vec<AgentId>,
    },
    /// Sets quotas of top-level roles; one that says nothing takes the role's quota away.
    UpdateQuota {
        /// Which.
        quotas: Vec<(Role, Quota)>,
    },
    /// Sets weights of roles.
    UpdateWeights {
        /// Which.
        weights: Vec<(Role, Scalar)>,
    },
    /// Replaces the schedule of maintenance. Machines that are new to it are draining.
    UpdateSchedule {
        /// The new one.
        windows: Vec<Window>,
    },
    /// Takes machines of the schedule down.
    StartMaintenance {
        /// Which.
        machines: Vec<MachineId>,
    },
    /// Takes machines up, and off the schedule.
    StopMaintenance {
        /// Which.
        machines: Vec<MachineId>,
    },
    /// Marks an agent as one that is drained.
    DrainAgent {
        /// Which, admitted or unreachable.
        agent_id: AgentId,
        /// How.
        config: DrainConfig,
    },
    /// Nothing runs any more on an agent that is drained.
    MarkDrained {
        /// Which, admitted or unreachable.
        agent_id: AgentId,
    },
    /// Marks an agent as one that is not offered.
    DeactivateAgent {
        /// Which, admitted or unreachable.
        agent_id: AgentId,
    },
    /// Takes such marks off an agent.
    ReactivateAgent {
        /// Which, admitted or unreachable.
        agent_id: AgentId,
    },
}

/// Why an operation had no effect, the same on every replica. The registry was not changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
pub enum Reject {
    /// An agent's description carries no id.
    #[error("the agent's description carries no id")]
    NoId,
    /// The id, or the first registration, is admitted already.
    #[error("agent {0} is admitted already")]
    AlreadyAdmitted(AgentId),
    /// The agent is not admitted.
    #[error("agent {0} is not admitted")]
    NotAdmitted(AgentId),
    /// The agent is unreachable already, or cannot be admitted anew for that reason.
    #[error("agent {0} is marked unreachable")]
    Unreachable(AgentId),
    /// The agent is gone for ever.
    #[error("agent {0} was marked gone and stays so")]
    Gone(AgentId),
    /// Another master leads since.
    #[error("a leader was recorded under ballot {current}, which is not below {ballot}")]
    StaleLeader {
        /// Of the operation.
        ballot: Ballot,
        /// Of the leader of record.
        current: Ballot,
    },
    /// The ballot is another master's.
    #[error("ballot {ballot} is not one of {master}")]
    ForeignBallot {
        /// Of the operation.
        ballot: Ballot,
        /// Of the operation.
        master: MasterId,
    },
    /// The agent is not being drained.
    #[error("agent {0} is not being drained")]
    NotDraining(AgentId),
    /// The agent carries no mark.
    #[error("agent {0} is neither drained nor deactivated")]
    NotDeactivated(AgentId),
    /// The machine is not on the schedule, or not in the mode that it should be in.
    #[error("machine {0} is not in the mode for that")]
    MachineMode(MachineId),
    /// A machine is named twice, or by nothing.
    #[error("machine {0} is named twice, or has no name")]
    MachineTwice(MachineId),
    /// The quota or weight is not one that a role may have.
    #[error("role {0} cannot have that quota or weight")]
    RoleSetting(Role),
}

impl Operation {
    /// Which agent it is about, if it is about one.
    #[must_use]
    pub fn agent_id(&self) -> Option<&AgentId> {
        match self {
            Operation::AdmitAgent { info, .. }
            | Operation::MarkReachable { info }
            | Operation::UpdateAgent { info } => info.id.as_ref(),
            Operation::MarkUnreachable { agent_id, .. }
            | Operation::MarkGone { agent_id, .. }
            | Operation::RemoveAgent { agent_id }
            | Operation::DrainAgent { agent_id, .. }
            | Operation::MarkDrained { agent_id }
            | Operation::DeactivateAgent { agent_id }
            | Operation::ReactivateAgent { agent_id } => Some(agent_id),
            Operation::SetLeader { .. }
            | Operation::Prune { .. }
            | Operation::UpdateQuota { .. }
            | Operation::UpdateWeights { .. }
            | Operation::UpdateSchedule { .. }
            | Operation::StartMaintenance { .. }
            | Operation::StopMaintenance { .. } => None,
        }
    }

    /// Under which ballot it records a leader, if it legally does.
    pub(super) fn recorded_leader(&self) -> Option<Ballot> {
        match self {
            Operation::SetLeader { master, ballot } if ballot.proposer == master.id => {
                Some(*ballot)
            }
            _ => None,
        }
    }

    /// A short name, for notices and for people.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Operation::SetLeader { .. } => "set-leader",
            Operation::AdmitAgent { .. } => "admit-agent",
            Operation::MarkUnreachable { .. } => "mark-unreachable",
            Operation::MarkReachable { .. } => "mark-reachable",
            Operation::MarkGone { .. } => "mark-gone",
            Operation::RemoveAgent { .. } => "remove-agent",
            Operation::UpdateAgent { .. } => "update-agent",
            Operation::Prune { .. } => "prune",
            Operation::UpdateQuota { .. } => "update-quota",
            Operation::UpdateWeights { .. } => "update-weights",
            Operation::UpdateSchedule { .. } => "update-schedule",
            Operation::StartMaintenance { .. } => "start-maintenance",
            Operation::StopMaintenance { .. } => "stop-maintenance",
            Operation::DrainAgent { .. } => "drain-agent",
            Operation::MarkDrained { .. } => "mark-drained",
            Operation::DeactivateAgent { .. } => "deactivate-agent",
            Operation::ReactivateAgent { .. } => "reactivate-agent",
        }
    }

    /// Changes the registry, or says why that is not legal now. Decided by the operation and the
    /// registry alone, so that every replica does the same.
    ///
    /// # Errors
    /// When the operation is not legal now; nothing was changed.
    pub fn apply(&self, registry: &mut Registry) -> Result<(), Reject> {
        self.apply_to_agents(registry)?;
        registry.operator.note(self);
        Ok(())
    }

    fn apply_to_agents(&self, registry: &mut Registry) -> Result<(), Reject> {
        match self {
            Operation::SetLeader { master, ballot } => set_leader(registry, master, *ballot),
            Operation::AdmitAgent { info, nonce } => admit(registry, info, *nonce),
            Operation::MarkUnreachable { agent_id, at } => {
                mark_unreachable(registry, agent_id, *at)
            }
            Operation::MarkReachable { info } => mark_reachable(registry, info),
            Operation::MarkGone { agent_id, at } => mark_gone(registry, agent_id, *at),
            Operation::RemoveAgent { agent_id } => {
                let removed = registry.take_admitted(agent_id)?;
                registry.forget_registration(&removed);
                Ok(())
            }
            Operation::UpdateAgent { info } => update(registry, info),
            Operation::Prune { unreachable, gone } => {
                prune(registry, unreachable, gone);
                Ok(())
            }
            Operation::UpdateQuota { .. }
            | Operation::UpdateWeights { .. }
            | Operation::UpdateSchedule { .. }
            | Operation::StartMaintenance { .. }
            | Operation::StopMaintenance { .. }
            | Operation::DrainAgent { .. }
            | Operation::MarkDrained { .. }
            | Operation::DeactivateAgent { .. }
            | Operation::ReactivateAgent { .. } => operator::check(registry, self),
        }
    }
}

fn id_of(info: &AgentInfo) -> Result<AgentId, Reject> {
    info.id.clone().ok_or(Reject::NoId)
}

fn set_leader(registry: &mut Registry, master: &MasterInfo, ballot: Ballot) -> Result<(), Reject> {
    if ballot.proposer != master.id {
        let master = master.id;
        return Err(Reject::ForeignBallot { ballot, master });
    }
    if let Some(current) = registry.leader.as_ref().map(|leader| leader.ballot)
        && ballot <= current
    {
        return Err(Reject::StaleLeader { ballot, current });
    }
    registry.leader = Some(Leader {
        master: master.clone(),
        ballot,
    });
    Ok(())
}

fn admit(registry: &mut Registry, info: &Arc<AgentInfo>, nonce: u64) -> Result<(), Reject> {
    let id = id_of(info)?;
    registry.refuse_known(&id)?;
    if let Some(before) = registry.registered_as(nonce) {
        return Err(Reject::AlreadyAdmitted(before.clone()));
    }
    registry.registrations.insert(nonce, id.clone());
    let admission = Admission {
        info: info.clone(),
        nonce: Some(nonce),
    };
    registry.admitted.insert(id, Arc::new(admission));
    Ok(())
}

fn mark_unreachable(registry: &mut Registry, id: &AgentId, at: Wall) -> Result<(), Reject> {
    let admission = registry.take_admitted(id)?;
    let before = registry.unreachable.insert(
        id.clone(),
        Unreachable {
            since: at,
            admission,
        },
    );
    assert!(before.is_none(), "an admitted agent was unreachable");
    Ok(())
}

/// Mesos takes back an agent that it has forgotten under the id that the agent names, since only
/// gone agents may never return; so do we.
fn mark_reachable(registry: &mut Registry, info: &Arc<AgentInfo>) -> Result<(), Reject> {
    let id = id_of(info)?;
    let nonce = match registry.unreachable.get(&id) {
        Some(unreachable) => unreachable.admission.nonce,
        None => {
            registry.refuse_known(&id)?;
            None
        }
    };
    registry.unreachable.remove(&id);
    let admission = Admission {
        info: info.clone(),
        nonce,
    };
    registry.admitted.insert(id, Arc::new(admission));
    Ok(())
}

fn mark_gone(registry: &mut Registry, id: &AgentId, at: Wall) -> Result<(), Reject> {
    let admission = match registry.unreachable.remove(id) {
        Some(unreachable) => unreachable.admission,
        None => registry.take_admitted(id)?,
    };
    registry.forget_registration(&admission);
    let before = registry.gone.insert(id.clone(), at);
    assert!(before.is_none(), "an agent of the cluster was gone");
    Ok(())
}

fn update(registry: &mut Registry, info: &Arc<AgentInfo>) -> Result<(), Reject> {
    let id = id_of(info)?;
    let before = registry.take_admitted(&id)?;
    let admission = Admission {
        info: info.clone(),
        nonce: before.nonce,
    };
    registry.admitted.insert(id, Arc::new(admission));
    Ok(())
}

fn prune(registry: &mut Registry, unreachable: &[AgentId], gone: &[AgentId]) {
    for id in unreachable {
        if let Some(forgotten) = registry.unreachable.remove(id) {
            registry.forget_registration(&forgotten.admission);
            registry.operator.forget(id);
        }
    }
    for id in gone {
        registry.gone.remove(id);
    }
}

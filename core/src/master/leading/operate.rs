//! Which operations on an agent's resources are allowed, and those that operators ask for.

use super::Leading;
use super::agents::Agent;
use super::arena::Index;
use super::operations::Author;
use super::{Effect, Notice};
use crate::ids::AgentId;
use crate::model::{FrameworkInfo, ResourceOperation};
use crate::outbox::Outbox;
use crate::resources::{Conversion, Resources, Role};
use crate::time::Now;
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use thiserror::Error;

/// Why an operator's operation is not done. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OperateError {
    /// Not a registered agent.
    #[error("No agent found with specified ID")]
    UnknownAgent,
    /// It makes no sense, or not for this agent.
    #[error("Invalid {name} operation on agent {agent_id}: {why}")]
    Invalid {
        /// The operation's.
        name: &'static str,
        /// Which agent.
        agent_id: AgentId,
        /// What is wrong.
        why: String,
    },
    /// What it is about is not there, or in use.
    #[error("{0}")]
    Conflict(String),
}

/// Whoever asks.
pub(super) struct Asker<'a> {
    pub(super) principal: Option<&'a str>,
    /// With the role that it was made the offer for; none for an operator.
    pub(super) framework: Option<(&'a FrameworkInfo, &'a Role)>,
}

impl Leading {
    /// An operator reserves or unreserves resources, or makes, destroys or resizes volumes, of
    /// what is free. What is offered is taken back as far as it is needed.
    ///
    /// # Errors
    /// When the operation makes no sense, or there is not enough that nobody uses.
    pub fn operate(
        &mut self,
        now: Now,
        agent_id: &AgentId,
        operation: &ResourceOperation,
        principal: Option<&str>,
        fx: &mut Outbox<Effect>,
    ) -> Result<(), OperateError> {
        self.allocation.advance(now.mono);
        let done = self.try_operate(agent_id, operation, principal, fx);
        self.relieve(fx);
        self.arm_allocation(now);
        done
    }

    fn try_operate(
        &mut self,
        agent_id: &AgentId,
        operation: &ResourceOperation,
        principal: Option<&str>,
        fx: &mut Outbox<Effect>,
    ) -> Result<(), OperateError> {
        let Some(agent) = self.agents.find(agent_id) else {
            return Err(OperateError::UnknownAgent);
        };
        if self.agents.arena[agent].peer.is_none() {
            let why = alloc::format!("agent {agent_id} is not connected");
            return Err(OperateError::Conflict(why));
        }
        let invalid = |why: String| OperateError::Invalid {
            name: operation.name(),
            agent_id: agent_id.clone(),
            why,
        };
        let asker = Asker {
            principal,
            framework: None,
        };
        let checked = self.check_operation(agent, operation, &asker);
        let (operation, steps) = checked.map_err(invalid)?;
        self.free_for(agent, &steps, fx)
            .map_err(OperateError::Conflict)?;
        let author = Author {
            framework: None,
            id: None,
        };
        self.start_operation(agent, author, None, operation, &steps, fx)
            .map_err(OperateError::Conflict)
    }

    /// Takes back offers until what is to be converted is free; none when all of them would not
    /// be enough.
    fn free_for(
        &mut self,
        agent: Index<Agent>,
        steps: &[Conversion],
        fx: &mut Outbox<Effect>,
    ) -> Result<(), String> {
        let host = &self.agents.arena[agent];
        host.total.apply(steps).map_err(|error| error.to_string())?;
        let wanted = |resources: &Resources| {
            let consumed = steps.iter().flat_map(|step| step.consumed.iter());
            let mut kinds = consumed.map(|item| &item.kind);
            kinds.any(|kind| resources.find(kind).is_some())
        };
        let free = self.allocation.free(agent);
        let mut free = free.cloned().unwrap_or_default();
        let mut numbers: Vec<u64> = Vec::new();
        let offered = host.offers.iter().copied();
        for number in offered {
            let resources = &self.offers.by_number[&number].offer.resources;
            let shared = steps.iter().any(|step| step.last);
            if !wanted(resources) || !shared && free.apply(steps).is_ok() {
                continue;
            }
            let more = free.checked_add(&resources.exclusive());
            free = more.map_err(|error| error.to_string())?;
            numbers.push(number);
        }
        free.apply(steps).map_err(|error| error.to_string())?;
        self.rescind(&numbers, fx);
        Ok(())
    }

    /// Whether an operation may be asked for on this agent. Returns it as the agent lists its
    /// resources, and what it does.
    pub(super) fn check_operation(
        &self,
        agent: Index<Agent>,
        operation: &ResourceOperation,
        asker: &Asker<'_>,
    ) -> Result<(ResourceOperation, Vec<Conversion>), String> {
        let role = asker.framework.map(|(_, role)| role);
        let operation = operation.unmarked(role);
        let operation = operation.map_err(|error| error.to_string())?;
        operation.validate().map_err(|error| error.to_string())?;
        match &operation {
            ResourceOperation::Reserve { source, resources } => {
                check_reservation(source, resources, asker)?;
            }
            ResourceOperation::Create { volumes } => self.check_creation(agent, volumes, asker)?,
            ResourceOperation::Destroy { volumes } => self.check_destruction(agent, volumes)?,
            ResourceOperation::Unreserve { .. }
            | ResourceOperation::Grow { .. }
            | ResourceOperation::Shrink { .. } => {}
        }
        let steps = operation.conversions();
        let steps = steps.map_err(|error| error.to_string())?;
        Ok((operation, steps))
    }

    fn check_creation(
        &self,
        agent: Index<Agent>,
        volumes: &Resources,
        asker: &Asker<'_>,
    ) -> Result<(), String> {
        let mut names = BTreeSet::new();
        let there = self.agents.arena[agent].total.volumes();
        for item in there.iter().chain(volumes) {
            let id = item.kind.volume().map(|volume| &volume.id);
            let Some((id, role)) = id.zip(item.kind.reserved_role()) else {
                continue;
            };
            if !names.insert((role, id)) {
                return Err(alloc::format!("Persistence ID '{id}' is not unique"));
            }
        }
        for item in volumes {
            if let Some((info, _)) = asker.framework
                && item.kind.shared
                && !info.capabilities.shared_resources
            {
                return Err(alloc::format!(
                    "{item} is to be shared, which needs the capability SHARED_RESOURCES"
                ));
            }
            let named = item.kind.volume().and_then(|v| v.principal.as_deref());
            check_principal(&item.to_string(), asker.principal, named)?;
        }
        Ok(())
    }

    fn check_destruction(&self, agent: Index<Agent>, volumes: &Resources) -> Result<(), String> {
        let there = &self.agents.arena[agent].total;
        if !there.contains_single(volumes) {
            return Err(String::from("Persistent volumes not found"));
        }
        // One that is not shared is in no offer and in nobody's books while it is used.
        if volumes.iter().any(|item| self.uses(agent, item)) {
            return Err(String::from("Persistent volumes in use"));
        }
        Ok(())
    }

    /// Takes back every offer of a shared volume that is to be destroyed.
    pub(super) fn rescind_shared(
        &mut self,
        agent: Index<Agent>,
        steps: &[Conversion],
        fx: &mut Outbox<Effect>,
    ) {
        let last = steps.iter().filter(|step| step.last);
        let gone: Vec<_> = last.flat_map(|step| step.consumed.iter()).collect();
        if gone.is_empty() {
            return;
        }
        let holds = |number: &u64| {
            let resources = &self.offers.by_number[number].offer.resources;
            gone.iter().any(|item| resources.find(&item.kind).is_some())
        };
        let offers = self.agents.arena[agent].offers.iter().copied();
        let numbers: Vec<u64> = offers.filter(holds).collect();
        if !numbers.is_empty() {
            fx.push(Effect::Notice(Notice::Probe(super::Probe::SharedRescinded)));
        }
        self.rescind(&numbers, fx);
    }
}

fn check_reservation(
    source: &Resources,
    resources: &Resources,
    asker: &Asker<'_>,
) -> Result<(), String> {
    if asker.framework.is_some() && !source.is_empty() {
        return Err(String::from(
            "a framework cannot move a reservation: unreserve and reserve instead",
        ));
    }
    for item in resources {
        let Some(level) = item.kind.reservations.last() else {
            continue;
        };
        check_principal(
            &item.to_string(),
            asker.principal,
            level.principal.as_deref(),
        )?;
        if let Some((_, role)) = asker.framework
            && *role != level.role
        {
            return Err(alloc::format!(
                "{item} is to be reserved for role '{}', but was offered to role '{role}'",
                level.role
            ));
        }
    }
    Ok(())
}

/// Whoever says who they are signs with that name.
fn check_principal(item: &str, asks: Option<&str>, named: Option<&str>) -> Result<(), String> {
    match (asks, named) {
        (Some(asks), Some(named)) if asks != named => Err(alloc::format!(
            "{item} is signed by principal '{named}', but principal '{asks}' asks"
        )),
        (Some(asks), None) => Err(alloc::format!(
            "{item} is not signed, but principal '{asks}' asks"
        )),
        _ => Ok(()),
    }
}

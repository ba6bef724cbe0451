//! What the offers of one accept hold, and what operations on resources make of it.

use super::agents::Agent;
use super::arena::Index;
use super::frameworks::Framework;
use super::offers::capped;
use super::operate::Asker;
use super::operations::Author;
use super::validation::Place;
use super::{Effect, Leading};
use crate::ids::OperationId;
use crate::model::{Filters, ResourceOperation};
use crate::outbox::Outbox;
use crate::resources::{Resources, Role};
use alloc::string::{String, ToString};

/// What the offers of one accept hold together.
pub(super) struct Pool {
    pub(super) framework: Index<Framework>,
    pub(super) agent: Index<Agent>,
    pub(super) role: Role,
    /// What they held to begin with.
    pub(super) offered: Resources,
    pub(super) left: Resources,
    /// Volumes that were resized, and what they gave away.
    pub(super) resized: Resources,
}

impl Pool {
    pub(super) fn place(&self) -> Place<'_> {
        Place {
            framework: self.framework,
            agent: self.agent,
            role: &self.role,
        }
    }
}

impl Leading {
    /// Gives back what is left over: as it was offered, it is refused for a while; what became of
    /// something else is offered again at once.
    pub(super) fn give_back_rest(&mut self, pool: &Pool, filters: Filters) {
        let mut all = pool.left.clone();
        if !pool.resized.is_empty() {
            let sum = all.checked_add(&pool.resized);
            all = sum.expect("both are parts of one agent");
        }
        let refused = all.intersection(&pool.offered);
        let converted = all.checked_sub(&refused);
        let converted = converted.expect("an intersection lies within both");
        let (framework, agent, role) = (pool.framework, pool.agent, &pool.role);
        if !refused.is_empty() {
            let filters = Some(capped(filters));
            self.allocation
                .recover(framework, agent, role, &refused, filters);
        }
        if !converted.is_empty() {
            self.allocation
                .recover(framework, agent, role, &converted, None);
        }
    }

    /// Reserves, makes volumes, or undoes it. What later operations find is the outcome; only
    /// resized volumes are not used before they are offered anew, as in Mesos.
    pub(super) fn convert(
        &mut self,
        pool: &mut Pool,
        id: Option<&OperationId>,
        operation: &ResourceOperation,
        fx: &mut Outbox<Effect>,
    ) {
        let framework = pool.framework;
        if let Err(why) = self.try_convert(pool, id, operation, fx) {
            let why = alloc::format!("Invalid {} operation: {why}", operation.name());
            self.refuse_operation(framework, id, &why, fx);
        }
    }

    fn try_convert(
        &mut self,
        pool: &mut Pool,
        id: Option<&OperationId>,
        operation: &ResourceOperation,
        fx: &mut Outbox<Effect>,
    ) -> Result<(), String> {
        let info = self.frameworks.arena[pool.framework].info.clone();
        let asker = Asker {
            principal: info.principal.as_deref(),
            framework: Some((&*info, &pool.role)),
        };
        let (operation, steps) = self.check_operation(pool.agent, operation, &asker)?;
        let left = pool.left.apply(&steps).map_err(|e| e.to_string())?;
        self.rescind_shared(pool.agent, &steps, fx);
        let resizes = matches!(
            operation,
            ResourceOperation::Grow { .. } | ResourceOperation::Shrink { .. }
        );
        let author = Author {
            framework: Some(pool.framework),
            id: id.cloned(),
        };
        let role = Some(&pool.role);
        self.start_operation(pool.agent, author, role, operation, &steps, fx)?;
        pool.left = left;
        if resizes {
            for step in &steps {
                let rest = pool.left.checked_sub(&step.converted);
                pool.left = rest.expect("just converted");
                let sum = pool.resized.checked_add(&step.converted);
                pool.resized = sum.expect("both are parts of one agent");
            }
        }
        Ok(())
    }
}

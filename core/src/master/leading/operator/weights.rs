//! Weights of roles.

use super::super::{Effect, Leading};
use crate::message::operator::{Refusal, WeightConfig};
use crate::outbox::Outbox;
use crate::registry::Operation;
use crate::resources::{Role, Scalar};
use alloc::string::String;
use alloc::vec::Vec;

pub(super) fn check(configs: &[WeightConfig]) -> Result<Operation, Refusal> {
    let mut weights = Vec::with_capacity(configs.len());
    for WeightConfig { role, weight } in configs {
        let text = role.trim();
        let refuse = |why: String| {
            let what = "Failed to validate update weights request JSON";
            Refusal::Invalid(alloc::format!("{what}{why}"))
        };
        let role = Role::new(text)
            .map_err(|why| refuse(alloc::format!(": Invalid role '{text}': {why}")))?;
        // What rounds to nothing would divide by nothing.
        let scalar = Scalar::from_f64(*weight).ok();
        let scalar = scalar.filter(|scalar| !scalar.is_zero()).ok_or_else(|| {
            let what = alloc::format!(" for role '{text}': Invalid weight '{weight}'");
            refuse(alloc::format!("{what}: Weights must be positive"))
        })?;
        weights.push((role, scalar));
    }
    Ok(Operation::UpdateWeights { weights })
}

impl Leading {
    /// What is offered was shared out by other weights: it is shared out anew, if anybody in
    /// these roles can gain by it.
    pub(super) fn on_weights_updated(
        &mut self,
        weights: &[(Role, Scalar)],
        fx: &mut Outbox<Effect>,
    ) {
        for (role, weight) in weights {
            self.allocation.set_weight(role, *weight);
        }
        let frameworks = self.frameworks.arena.iter();
        let mut roles = frameworks.flat_map(|(_, framework)| &framework.info.roles);
        if roles.any(|role| weights.iter().any(|(other, _)| other.covers(role))) {
            drop(roles);
            let numbers: Vec<u64> = self.offers.by_number.keys().copied().collect();
            self.rescind(&numbers, fx);
        }
    }
}

//! What operators ask of the leader. Exactly one request is given.

use super::Target;
use crate::units::Span;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One request, asked again, of whoever leads then, until it is answered.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OperatorStep {
    /// A role is to have this quota.
    pub quota: Option<QuotaStep>,
    /// Roles are to have these weights.
    pub weights: Option<BTreeMap<String, f64>>,
    /// Agents are to be emptied.
    pub drain: Option<Target>,
    /// With `drain`: no task gets longer than this to end.
    pub max_grace: Option<Span>,
    /// With `drain`: they are gone for ever once they are empty.
    pub then_gone: bool,
    /// Nothing of these agents is to be offered.
    pub deactivate: Option<Target>,
    /// Agents that were drained or deactivated are to be used again.
    pub reactivate: Option<Target>,
    /// Agents are gone for ever.
    pub mark_gone: Option<Target>,
    /// The machines of these agents, and no others, will be away.
    pub maintenance: Option<Target>,
    /// The machines of these agents go down.
    pub machines_down: Option<Target>,
    /// The machines of these agents come up again.
    pub machines_up: Option<Target>,
}

/// The quota of a role. Without amounts it has none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuotaStep {
    /// Which role.
    pub role: String,
    /// What it is sure to get.
    pub guarantee: BTreeMap<String, f64>,
    /// What it may have at most.
    pub limit: BTreeMap<String, f64>,
}

impl OperatorStep {
    /// Whom it names.
    #[must_use]
    pub fn targets(&self) -> Vec<&Target> {
        let all = [
            &self.drain,
            &self.deactivate,
            &self.reactivate,
            &self.mark_gone,
            &self.maintenance,
            &self.machines_down,
            &self.machines_up,
        ];
        all.into_iter().flatten().collect()
    }

    /// What is wrong with it, if anything.
    ///
    /// # Errors
    /// Says what to write.
    pub fn validate(&self) -> Result<(), String> {
        let amounts = usize::from(self.quota.is_some()) + usize::from(self.weights.is_some());
        match amounts + self.targets().len() {
            1 => Ok(()),
            _ => Err(
                "an operator asks for one thing: quota, weights, drain, deactivate, \
                      reactivate, mark_gone, maintenance, machines_down or machines_up"
                    .into(),
            ),
        }
    }
}

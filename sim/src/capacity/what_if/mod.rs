//! What if: machines are lost or added, applications grow, weights and quota change.
//!
//! Nothing is reckoned here: a cluster is simulated, of the core's own masters, agents and
//! schedulers, as the snapshot has it; the change happens to it; and when everything has come to
//! rest the master is asked what runs. So reservations, quota, weights and constraints count as
//! they do in production. A machine that is lost loses its power and is marked as gone.
//!
//! Of two tasks that ran, a simulation may keep one where production keeps the other, for the
//! allocator visits agents in a drawn order; take several seeds to see how much that matters.

mod change;
mod cluster;
mod instances;
mod losses;
mod plan;
mod state;

pub use change::{Addition, Changes, GrowBy, Growth, Loss, QuotaChange, WeightChange, values};
pub use cluster::Cluster;
pub use instances::Instances;
pub use losses::{ALL_MAX, Losses, any};
pub use plan::{AGENTS_MAX, FRAMEWORKS_MAX, Plan, TASKS_MAX, Unit};
pub use state::{ApplicationState, RoleState, Room, State, Waiting};

use super::error::PlanError;
use super::snapshot::Snapshot;
use super::task::Task;
use serde::Serialize;
use std::sync::Arc;
use tepui_core::allocator::AgentOrder;
use tepui_core::placement::{Policy, Shape};

/// How a simulation is run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How frameworks choose among offers.
    pub policy: Policy,
    /// In which order the master offers agents.
    pub agent_order: AgentOrder,
    /// Draws what is random in the cluster.
    pub seed: u64,
    /// The shapes whose headroom is wanted.
    pub shapes: Vec<Shape>,
}

/// A moment at which the cluster had come to rest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stage {
    /// After what: `now`, `changed` or `lost`.
    pub after: &'static str,
    /// How it was.
    pub state: State,
}

/// What becomes of the cluster.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// What was lost, for people; empty when nothing was.
    pub lost: String,
    /// The seed.
    pub seed: u64,
    /// Whether every task that ran before runs after it, and everything new too, and the master
    /// took what operators asked for.
    pub survives: bool,
    /// The cluster now, with what changes but losses, and after the losses.
    pub stages: Vec<Stage>,
    /// What the master refused to operators.
    pub refused: Vec<String>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

impl Answer {
    /// The cluster as it is now.
    #[must_use]
    pub fn before(&self) -> &State {
        &self.stages.first().expect("there is a first").state
    }

    /// The cluster after everything.
    #[must_use]
    pub fn after(&self) -> &State {
        &self.stages.last().expect("there is a last").state
    }

    /// How many tasks wait that did not before.
    #[must_use]
    pub fn more_waiting(&self) -> usize {
        let before = |one: &ApplicationState| {
            let mut all = self.before().applications.iter();
            let same = |other: &&ApplicationState| {
                (&other.role, &other.application) == (&one.role, &one.application)
            };
            all.find(same).map_or(0, |other| other.waits)
        };
        let after = self.after().applications.iter();
        after.map(|one| one.waits.saturating_sub(before(one))).sum()
    }
}

/// Simulates one future of a cluster and of the tasks that wait beside it: all changes, and then
/// all losses at once.
///
/// # Errors
/// When the cluster is too large to simulate, or a change names what is not there.
pub fn what_if(
    now: (&Snapshot, &[Task]),
    changes: &Changes,
    settings: &Settings,
) -> Result<Answer, PlanError> {
    let plan = Arc::new(Plan::new(now, changes, settings.policy)?);
    let mut lost = Vec::new();
    for loss in &changes.lose {
        lost.extend(loss.machines(&plan.machines[..plan.present])?);
    }
    lost.sort_unstable();
    lost.dedup();
    let mut cluster = Cluster::start(&plan, settings.agent_order, settings.seed)?;
    let mut refused = present_settings(&mut cluster)?;
    let stage = |cluster: &Cluster, after| Stage {
        after,
        state: State::of(cluster, &settings.shapes),
    };
    let mut stages = vec![stage(&cluster, "now")];
    let mut notes = plan.notes.clone();
    if stages[0].state.waits > 0 {
        notes.push(format!(
            "{} tasks wait before anything changes",
            stages[0].state.waits
        ));
    }
    if changes.change_more_than_losses() {
        refused.extend(apply(&mut cluster, changes)?);
        stages.push(stage(&cluster, "changed"));
    }
    if !lost.is_empty() {
        cluster.lose(&lost)?;
        cluster.rest()?;
        stages.push(stage(&cluster, "lost"));
    }
    let named: Vec<String> = changes.lose.iter().map(ToString::to_string).collect();
    let mut answer = Answer {
        lost: named.join(", "),
        seed: settings.seed,
        survives: false,
        stages,
        notes,
        refused,
    };
    answer.survives = answer.more_waiting() == 0 && answer.refused.is_empty();
    Ok(answer)
}

/// What is set in the snapshot: machines that take no more tasks, weights and quota.
fn present_settings(cluster: &mut Cluster) -> Result<Vec<String>, PlanError> {
    let mut refused = Vec::new();
    let plan = cluster.plan.clone();
    let closed = plan.machines[..plan.present].iter().enumerate();
    for (machine, _) in closed.filter(|(_, machine)| machine.closed) {
        cluster.close(machine)?;
    }
    for (role, settings) in &plan.roles.0 {
        let weight = WeightChange {
            role: role.to_string(),
            weight_milli: settings.weight_milli,
        };
        if settings.weight_milli != 1000
            && let Err(why) = cluster.set_weight(&weight)?
        {
            refused.push(format!("weight {weight}: {why}"));
        }
        let quota = QuotaChange::of(role, settings);
        let none = quota.guarantees.is_empty() && quota.limits.is_empty();
        if !none && let Err(why) = cluster.set_quota(&quota, true)? {
            refused.push(format!("quota {quota}: {why}"));
        }
    }
    cluster.rest()?;
    Ok(refused)
}

/// All changes but losses. Says what the master refused.
fn apply(cluster: &mut Cluster, changes: &Changes) -> Result<Vec<String>, PlanError> {
    let mut refused = Vec::new();
    cluster.add_machines()?;
    for weight in &changes.weights {
        if let Err(why) = cluster.set_weight(weight)? {
            refused.push(format!("weight {weight}: {why}"));
        }
    }
    for quota in &changes.quotas {
        if let Err(why) = cluster.set_quota(quota, false)? {
            refused.push(format!("quota {quota}: {why}"));
        }
    }
    cluster.grow();
    cluster.rest()?;
    Ok(refused)
}

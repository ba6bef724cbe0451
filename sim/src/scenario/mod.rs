//! Scenarios: a cluster, what it is to do, what breaks, and what must hold, in one YAML file.
//!
//! A key that nobody knows is an error that names the line, never a fault that silently does not
//! happen.

mod cluster;
mod expect;
mod load;
mod operator;
mod random;
mod settings;
mod step;
mod suggest;
mod target;
mod workload;

pub use cluster::{AgentGroup, Agents, Clocks, Cluster, Disks, Kind, Net};
pub use expect::{Always, AtMost, Core, Eventually, Expect, Liveness, Within};
pub use load::{Bad, explain, load, parse};
pub use operator::{OperatorStep, QuotaStep};
pub use random::{REQUESTS, Random, Rate};
pub use settings::{BadSetting, Setting, Settings, apply};
pub use step::{
    AppendStep, ClockDrift, ClockJump, Clog, Condition, Direction, Disk, Partition, Scale, Script,
    Step, When,
};
pub use target::Target;
pub use workload::{
    Append, Batch, Execute, FrameworkSettings, Reserver, Service, Workload, numbered,
};

use crate::units::Span;
use serde::Deserialize;

/// A whole scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The seed when the command line names none.
    #[serde(default)]
    pub seed: Option<u64>,
    /// What there is.
    #[serde(default)]
    pub cluster: Cluster,
    /// What it is to do.
    #[serde(default)]
    pub workload: Vec<Workload>,
    /// What breaks, at a time or on a condition.
    #[serde(default)]
    pub faults: Vec<Step>,
    /// What operators and clients do, at a time or on a condition.
    #[serde(default)]
    pub operations: Vec<Step>,
    /// What breaks at random.
    #[serde(default)]
    pub random: Option<Random>,
    /// When everything is healed, and how long the cluster then has.
    #[serde(default)]
    pub liveness: Liveness,
    /// What must hold.
    #[serde(default)]
    pub expect: Expect,
}

impl Scenario {
    /// Whether operators ask for something at random.
    #[must_use]
    pub fn has_random_requests(&self) -> bool {
        let random = self.random.iter().flat_map(Random::rates);
        random.into_iter().any(|(kind, _)| REQUESTS.contains(&kind))
    }

    /// Whether operators ask for anything.
    #[must_use]
    pub fn has_requests(&self) -> bool {
        let mut steps = self.faults.iter().chain(&self.operations);
        self.has_random_requests() || steps.any(|step| step.operator.is_some())
    }

    /// When healing begins: as written, or some time after the last fault at a fixed time.
    #[must_use]
    pub fn heals_at(&self) -> std::time::Duration {
        if let Some(Span(after)) = self.liveness.after {
            return after;
        }
        let steps = self.faults.iter().chain(&self.operations);
        let ends = steps.map(|step| {
            let at = step.at.unwrap_or_default().0 + step.after.unwrap_or_default().0;
            at + step.lasts.unwrap_or_default().0
        });
        let last = ends.max().unwrap_or_default();
        let random = self.random.as_ref().and_then(|random| random.until);
        last.max(random.unwrap_or_default().0) + std::time::Duration::from_secs(20)
    }
}

//! Where clusters and workloads come from: lists of machines and tasks, a YAML file, or what a
//! master says. All of it comes to [`Given`].

mod cluster;
mod lists;
mod models;
mod order;
mod pages;
mod state;
mod texts;

pub use cluster::{load as read_cluster, parse as parse_cluster, read_release};
pub use lists::{Mapping, read, read_lists, read_machines};
pub use models::ModelNames;
pub use order::{read_arrivals, read_order};
pub use state::{APPLICATION_LABEL, COST_LABEL, MODEL_ATTRIBUTE, Pages};
pub use texts::{parse_resources, role as read_role};

use super::error::PlanError;
use super::snapshot::Snapshot;
use super::task::Task;
use super::workload::Workload;
use std::fs;
use std::path::Path;

/// The largest amount of anything: sums of all of them still fit.
const AMOUNT_MAX: i64 = 1 << 40;

/// A cluster as it is, and what is to come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// The machines, and what runs on them.
    pub snapshot: Snapshot,
    /// Tasks that are to come.
    pub arrivals: Vec<Task>,
}

impl Given {
    /// Empty machines, and what is to come.
    #[must_use]
    pub fn arrivals(&self) -> Workload {
        self.with_tasks(self.arrivals.clone())
    }

    /// Empty machines, and everything that runs and that is to come as arrivals.
    #[must_use]
    pub fn workload(&self) -> Workload {
        let running = self.snapshot.running.iter().map(|running| &running.task);
        self.with_tasks(running.chain(&self.arrivals).cloned().collect())
    }

    fn with_tasks(&self, tasks: Vec<Task>) -> Workload {
        Workload::ruled(
            self.snapshot.machines.clone(),
            tasks,
            self.snapshot.models.clone(),
            self.snapshot.roles.clone(),
            self.snapshot.constraints.clone(),
        )
    }
}

fn read_text(path: &Path) -> Result<String, PlanError> {
    fs::read_to_string(path).map_err(|source| PlanError::File {
        path: path.display().to_string(),
        source,
    })
}

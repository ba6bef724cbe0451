//! What a cluster is to do.

use super::Settings;
use crate::units::Span;
use serde::Deserialize;
use std::time::Duration;

/// One entry of the workload.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Workload {
    /// Keep instances running.
    Service(Service),
    /// Run jobs to their end.
    Batch(Batch),
    /// Run one command a few times.
    Execute(Execute),
    /// Reserve resources and make volumes.
    Reserver(Reserver),
    /// Append values to the log of a cluster of kind `log`.
    Append(Append),
}

/// What all frameworks have in common.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FrameworkSettings {
    /// How long its tasks outlive its scheduler.
    pub failover_timeout: Span,
    /// Whether its executors survive the agent's restart.
    pub checkpoint: bool,
    /// Whether it wants to hear of partitions.
    pub partition_aware: bool,
    /// Its role.
    pub role: String,
    /// Changes to its driver's configuration.
    pub scheduler: Settings,
    /// Which scheduler's framework id it claims: the same framework a second time.
    pub same_framework_as: Option<String>,
}

impl Default for FrameworkSettings {
    fn default() -> Self {
        FrameworkSettings {
            failover_timeout: Span(Duration::from_secs(600)),
            checkpoint: true,
            partition_aware: true,
            role: String::from("*"),
            scheduler: Settings::default(),
            same_framework_as: None,
        }
    }
}

/// Instances that are kept running.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its name, and the first part of its tasks' ids.
    #[serde(default = "service_name")]
    pub name: String,
    /// How many such frameworks; numbered when more than one.
    #[serde(default = "one")]
    pub frameworks: u32,
    /// How many instances each.
    pub instances: u32,
    /// Of one instance.
    #[serde(default = "small")]
    pub resources: String,
    /// What it runs.
    #[serde(default = "forever")]
    pub command: String,
    /// Whether its processes ignore SIGTERM.
    #[serde(default)]
    pub ignores_sigterm: bool,
    /// As a framework.
    #[serde(default)]
    pub framework: FrameworkSettings,
    /// Changes to its logic's configuration.
    #[serde(default)]
    pub settings: Settings,
}

/// Jobs that come and end.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Its name, and the first part of its tasks' ids.
    #[serde(default = "batch_name")]
    pub name: String,
    /// How many such frameworks; numbered when more than one.
    #[serde(default = "one")]
    pub frameworks: u32,
    /// How many jobs each.
    pub jobs: u64,
    /// The mean time between two arrivals.
    #[serde(default = "second")]
    pub every: Span,
    /// How long jobs run: between these.
    #[serde(default = "few_seconds")]
    pub lasts: (Span, Span),
    /// Of one job.
    #[serde(default = "small")]
    pub resources: String,
    /// As a framework.
    #[serde(default)]
    pub framework: FrameworkSettings,
    /// Changes to its logic's configuration.
    #[serde(default)]
    pub settings: Settings,
}

/// One command, run a few times.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Execute {
    /// Its name, and the first part of its tasks' ids.
    #[serde(default = "execute_name")]
    pub name: String,
    /// How many such frameworks; numbered when more than one.
    #[serde(default = "one")]
    pub frameworks: u32,
    /// How many tasks each.
    #[serde(default = "one")]
    pub instances: u32,
    /// Of one task.
    #[serde(default = "small")]
    pub resources: String,
    /// What it runs.
    #[serde(default = "forever")]
    pub command: String,
    /// As a framework.
    #[serde(default)]
    pub framework: FrameworkSettings,
    /// Changes to its logic's configuration.
    #[serde(default)]
    pub settings: Settings,
}

/// Reservations and volumes, made and unmade.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reserver {
    /// Its name.
    #[serde(default = "reserver_name")]
    pub name: String,
    /// How many such frameworks; numbered when more than one.
    #[serde(default = "one")]
    pub frameworks: u32,
    /// How many operations each.
    pub operations: u64,
    /// As a framework; its role is not `*`.
    pub framework: FrameworkSettings,
    /// Changes to its logic's configuration.
    #[serde(default)]
    pub settings: Settings,
}

/// Clients of the log.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Append {
    /// How many clients; each has one value under way.
    #[serde(default = "one")]
    pub clients: u32,
    /// How long a client waits between two values.
    #[serde(default)]
    pub every: Span,
    /// How long a value is.
    #[serde(default = "value_bytes")]
    pub bytes: usize,
}

const fn one() -> u32 {
    1
}

const fn second() -> Span {
    Span(Duration::from_secs(1))
}

const fn few_seconds() -> (Span, Span) {
    (second(), Span(Duration::from_secs(10)))
}

const fn value_bytes() -> usize {
    64
}

fn small() -> String {
    String::from("cpus:0.5;mem:128")
}

fn forever() -> String {
    String::from("sleep infinity")
}

fn service_name() -> String {
    String::from("service")
}

fn batch_name() -> String {
    String::from("batch")
}

fn execute_name() -> String {
    String::from("execute")
}

fn reserver_name() -> String {
    String::from("reserver")
}

/// The names of several alike frameworks.
#[must_use]
pub fn numbered(name: &str, count: u32) -> Vec<String> {
    if count == 1 {
        return vec![name.to_owned()];
    }
    (1..=count).map(|n| format!("{name}-{n}")).collect()
}

impl Workload {
    /// The names of its frameworks' nodes.
    #[must_use]
    pub fn framework_names(&self) -> Vec<String> {
        match self {
            Workload::Service(service) => numbered(&service.name, service.frameworks),
            Workload::Batch(batch) => numbered(&batch.name, batch.frameworks),
            Workload::Execute(execute) => numbered(&execute.name, execute.frameworks),
            Workload::Reserver(reserver) => numbered(&reserver.name, reserver.frameworks),
            Workload::Append(_) => Vec::new(),
        }
    }
}

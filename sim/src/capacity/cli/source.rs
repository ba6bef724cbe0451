//! Where a command's machines and tasks come from: the same flags for all of them.

use super::Ask;
use crate::capacity::error::PlanError;
use crate::capacity::input::{self, Given, Mapping, Pages};
use crate::capacity::random::SplitMix64;
use crate::capacity::snapshot::Snapshot;
use crate::capacity::task::Task;
use crate::capacity::workload::{Order, Workload};
use crate::draw::Cell;
use clap::Args;
use std::fs;
use std::path::{Path, PathBuf};
use tepui_core::placement::{Measure, Policy};

/// Pages of a master that are asked for; one that has no `/roles` sets nothing for them.
const PAGES: [&str; 3] = ["/state", "/slaves", "/roles"];

/// How a workload is placed before anything is looked at.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "What is to come")]
pub(super) struct Filling {
    /// Place arrivals until this much of all GPUs, in percent, was asked for; all of them without.
    #[arg(long, value_name = "PERCENT")]
    pub(super) load: Option<u32>,
    /// How they are placed.
    #[arg(long, default_value = "FirstFit")]
    pub(super) policy: Policy,
    /// Draws the order, if none is given.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
}

/// Machines and tasks: lists, a YAML file, a master, or what a master said.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input, one of")]
pub(super) struct Source {
    /// Machines, as comma-separated values: sn, `cpu_milli`, `memory_mib`, gpu; and, if they are
    /// there, model, `disk_mib`, ports, attributes (`rack=r1;zone=z1`), reservations
    /// (`cpus(web):2;mem(web):1024`, part of the others), hostname, price.
    #[arg(long, value_name = "FILE")]
    nodes: Option<PathBuf>,
    /// With --nodes: tasks that are to come, as comma-separated values: name, `cpu_milli`,
    /// `memory_mib`, `num_gpu`; and, if they are there, `gpu_milli`, `gpu_spec`, `disk_mib`, ports,
    /// role, application, constraints (`hostname:UNIQUE;rack:GROUP_BY:3`).
    #[arg(long, value_name = "FILE", requires = "nodes")]
    tasks: Option<PathBuf>,
    /// With --tasks: in which order they come and machines win ties: JSON with `arrivals` and
    /// `nodes`, places in the lists sorted by name. By default the seed draws it.
    #[arg(long, value_name = "FILE", requires = "tasks")]
    order: Option<PathBuf>,
    /// The name of a column that is not called as above; may be given more than once.
    #[arg(long = "column", value_name = "USUAL=THEIRS", value_parser = parse_column)]
    columns: Vec<(String, String)>,
    /// A column of --nodes that is an attribute; may be given more than once.
    #[arg(long = "attribute-column", value_name = "NAME", requires = "nodes")]
    attributes: Vec<String>,
    /// A cluster as YAML: machines, roles, running applications, arrivals.
    #[arg(long, value_name = "FILE")]
    cluster: Option<PathBuf>,
    /// A live cluster: one of its masters.
    #[arg(long, value_name = "HOST:PORT")]
    from: Option<String>,
    /// What a master answered to /state, /slaves or /roles; may be given once for each.
    #[arg(long = "state", value_name = "FILE")]
    states: Vec<PathBuf>,
}

impl Source {
    /// The cluster as it is, and what is to come. What runs in a YAML file is placed by `policy`.
    pub(super) fn given(&self, ask: Ask<'_>, policy: Policy) -> Result<Given, PlanError> {
        let sources = [
            self.nodes.is_some(),
            self.cluster.is_some(),
            self.from.is_some(),
            !self.states.is_empty(),
        ];
        if sources.iter().filter(|given| **given).count() != 1 {
            return Err(PlanError::Mismatch(
                "name one cluster: --nodes FILE with --tasks FILE, --cluster FILE, --from \
                 HOST:PORT or --state FILE"
                    .to_owned(),
            ));
        }
        if let Some(nodes) = &self.nodes {
            let mapping = Mapping {
                columns: self.columns.clone(),
                attributes: self.attributes.clone(),
            };
            return input::read_lists(nodes, self.tasks.as_deref(), &mapping);
        }
        if let Some(cluster) = &self.cluster {
            return input::read_cluster(cluster, policy);
        }
        match &self.from {
            Some(master) => live(master, ask),
            None => saved(&self.states),
        }
    }

    /// The cluster with what is to come, up to a load, and the tasks that found no place.
    pub(super) fn filled(
        &self,
        given: &Given,
        filling: &Filling,
    ) -> Result<(Snapshot, Vec<Task>), PlanError> {
        if given.arrivals.is_empty() {
            return match filling.load {
                None => Ok((given.snapshot.clone(), Vec::new())),
                Some(_) => Err(PlanError::Mismatch(
                    "--load needs tasks that are to come: --tasks, or arrivals in --cluster".into(),
                )),
            };
        }
        let arrivals = given.arrivals();
        let order = self.order(&arrivals, filling.seed)?;
        let measure = given.workload().measure();
        let seeded = (filling.load.unwrap_or(u32::MAX), filling.seed);
        let start = given.snapshot.clone();
        Ok(start.filled_up(&arrivals, &order, &measure, filling.policy, seeded))
    }

    /// Empty machines, and all tasks as arrivals.
    pub(super) fn read(&self, ask: Ask<'_>) -> Result<(Workload, Measure), PlanError> {
        let workload = self.given(ask, Policy::FirstFit)?.workload();
        if workload.tasks.is_empty() {
            let text = "there are no tasks to place: --tasks is needed with --nodes";
            return Err(PlanError::Mismatch(text.to_owned()));
        }
        let measure = workload.measure();
        Ok((workload, measure))
    }

    /// Which inputs there are, and what is in them.
    pub(super) fn described(&self, workload: &Workload) -> Vec<(String, String)> {
        let shown = |path: &PathBuf| path.display().to_string();
        let machines = Cell::from(workload.machines.len()).shown();
        let gpus = Cell::from(workload.gpu_milli() / 1000).shown();
        let machines = format!("{machines} machines, {gpus} GPUs");
        let shapes = Cell::from(workload.shapes.len()).shown();
        let tasks = Cell::from(workload.tasks.len()).shown();
        let tasks = format!("{tasks} tasks of {shapes} shapes");
        let both = format!("{machines}; {tasks}");
        let mut inputs = Vec::new();
        inputs.extend(
            self.nodes
                .iter()
                .map(|path| (shown(path), machines.clone())),
        );
        inputs.extend(self.tasks.iter().map(|path| (shown(path), tasks.clone())));
        let order = "the order of arrivals".to_owned();
        inputs.extend(self.order.iter().map(|path| (shown(path), order.clone())));
        inputs.extend(self.cluster.iter().map(|path| (shown(path), both.clone())));
        inputs.extend(self.from.iter().map(|from| (from.clone(), both.clone())));
        let pages = self.states.iter();
        inputs.extend(pages.map(|path| (shown(path), "what a master answered".to_owned())));
        if self.states.len() == 1 {
            inputs[0].1 = both;
        }
        inputs
    }

    /// The order that was given, or one that a seed draws.
    pub(super) fn order(&self, workload: &Workload, seed: u64) -> Result<Order, PlanError> {
        match &self.order {
            Some(path) => input::read_order(path, workload),
            None => {
                let mut random = SplitMix64::new(seed);
                Ok(Order {
                    arrivals: random.shuffled(workload.tasks.len()),
                    machines: random.shuffled(workload.machines.len()),
                })
            }
        }
    }

    /// In which order tasks come, where the machines' order does not matter.
    pub(super) fn arrivals(&self, workload: &Workload, seed: u64) -> Result<Order, PlanError> {
        match &self.order {
            Some(path) => input::read_arrivals(path, workload),
            None => self.order(workload, seed),
        }
    }
}

/// Asks a master.
fn live(master: &str, ask: Ask<'_>) -> Result<Given, PlanError> {
    let address = master.trim_start_matches("http://").trim_end_matches('/');
    let mut bodies = Vec::new();
    for page in PAGES {
        let body = ask(address, page).map_err(PlanError::Mismatch)?;
        bodies.push((format!("{address}{page}"), body));
    }
    let mut pages = Pages::default();
    for (name, body) in &bodies {
        pages.add(name, body)?;
    }
    pages.given()
}

/// Reads what a master said.
fn saved(paths: &[PathBuf]) -> Result<Given, PlanError> {
    let read = |path: &PathBuf| {
        fs::read(path).map_err(|source| PlanError::File {
            path: path.display().to_string(),
            source,
        })
    };
    let bodies: Result<Vec<Vec<u8>>, PlanError> = paths.iter().map(read).collect();
    let bodies = bodies?;
    let mut pages = Pages::default();
    for (path, body) in paths.iter().zip(&bodies) {
        pages.add(&Path::display(path).to_string(), body)?;
    }
    pages.given()
}

fn parse_column(text: &str) -> Result<(String, String), String> {
    let (usual, theirs) = text
        .split_once('=')
        .ok_or_else(|| format!("'{text}' names no two columns: write memory_mib=ram"))?;
    Ok((usual.to_owned(), theirs.to_owned()))
}

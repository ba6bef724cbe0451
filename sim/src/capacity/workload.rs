//! Machines and tasks, as they are read, and the order in which they count.

use super::constraints::Constraint;
use super::error::PlanError;
use super::machine::Machine;
use super::roles::Roles;
use super::rules::{Demand, Rules, Tenant};
use super::task::Task;
use std::collections::BTreeMap;
use std::sync::Arc;
use tepui_core::placement::{Class, Free, Measure, Models, Shape, typical};

/// A cluster and what is to run on it.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Sorted by name.
    pub machines: Vec<Machine>,
    /// Sorted by name.
    pub tasks: Vec<Task>,
    /// The names of GPU models; bit `n` of [`Models`] is the `n`th.
    pub models: Vec<String>,
    /// All shapes of tasks. Where a role or an application decides where a task may go, a shape
    /// comes once for each.
    pub shapes: Vec<Shape>,
    /// Who asks for each of these; roles and applications only where they decide.
    pub demands: Vec<Demand>,
    /// The shape of each task.
    pub shape_of: Vec<usize>,
    /// What is set for roles.
    pub roles: Roles,
    /// Which machines an application's instances may share or must share, by its name.
    pub constraints: BTreeMap<Arc<str>, Vec<Constraint>>,
}

impl Workload {
    /// Sorts both by name, and finds the shapes. Everybody may use everything.
    #[must_use]
    pub fn new(machines: Vec<Machine>, tasks: Vec<Task>, models: Vec<String>) -> Workload {
        Workload::ruled(machines, tasks, models, Roles::default(), BTreeMap::new())
    }

    /// The same, with what is set for roles and applications.
    #[must_use]
    pub fn ruled(
        mut machines: Vec<Machine>,
        mut tasks: Vec<Task>,
        models: Vec<String>,
        roles: Roles,
        constraints: BTreeMap<Arc<str>, Vec<Constraint>>,
    ) -> Workload {
        machines.sort_by(|left, right| left.name.cmp(&right.name));
        tasks.sort_by(|left, right| left.name.cmp(&right.name));
        let only = |text: &Arc<str>, decides: bool| match decides {
            true => Arc::clone(text),
            false => Arc::default(),
        };
        let roles_decide = roles.limit_any() || machines.iter().any(|m| !m.reserved.is_empty());
        let demand = |task: &Task| Demand {
            shape: task.shape,
            role: only(&task.role, roles_decide),
            application: only(
                &task.application,
                constraints.contains_key(&task.application),
            ),
        };
        let mut numbers: BTreeMap<Demand, usize> = BTreeMap::new();
        let mut demands: Vec<Demand> = Vec::new();
        let mut shape_of = Vec::with_capacity(tasks.len());
        for task in &tasks {
            let demand = demand(task);
            let number = *numbers.entry(demand).or_insert_with_key(|demand| {
                demands.push(demand.clone());
                demands.len() - 1
            });
            shape_of.push(number);
        }
        Workload {
            machines,
            tasks,
            models,
            shapes: demands.iter().map(|demand| demand.shape).collect(),
            demands,
            shape_of,
            roles,
            constraints,
        }
    }

    /// The rules for some of the machines, and who asks for each shape; nothing where everybody
    /// may use everything.
    #[must_use]
    pub fn rules(&self, machines: &[usize]) -> Option<(Rules, Vec<Tenant>)> {
        let ruled = |machine: &Machine| machine.closed || !machine.reserved.is_empty();
        let any = self.roles.limit_any() || !self.constraints.is_empty();
        if !any && !self.machines.iter().any(ruled) {
            return None;
        }
        let machines = machines.iter().map(|place| &self.machines[*place]);
        let rules = Rules::new(machines, &self.roles, &self.constraints);
        let tenants = self.demands.iter().map(|demand| rules.tenant(demand));
        let tenants = tenants.collect();
        Some((rules, tenants))
    }

    /// The names of some models, as a list of them is written: `A|B`; empty for any.
    #[must_use]
    pub fn models_text(&self, models: Models) -> String {
        let named = self.models.iter().enumerate();
        let named = named.filter(|(bit, _)| models.0 >> bit & 1 == 1);
        let named: Vec<&str> = named.map(|(_, name)| name.as_str()).collect();
        named.join("|")
    }

    /// The typical classes of all tasks.
    #[must_use]
    pub fn classes(&self) -> Vec<Class> {
        typical(self.tasks.iter().map(|task| &task.shape), |models| {
            self.models_text(models)
        })
    }

    /// The measure of fragmentation for all tasks.
    #[must_use]
    pub fn measure(&self) -> Measure {
        let models = self.machines.iter().map(|machine| machine.capacity.model);
        Measure::new(&self.classes(), models)
    }

    /// What these machines have, in this order.
    #[must_use]
    pub fn free(&self, machines: &[usize]) -> Vec<Free> {
        let machines = machines.iter().map(|place| &self.machines[*place]);
        machines.map(Machine::free).collect()
    }

    /// What all GPUs have together.
    #[must_use]
    pub fn gpu_milli(&self) -> i64 {
        self.machines
            .iter()
            .map(|machine| machine.capacity.gpu_milli())
            .sum()
    }
}

/// In which order tasks come, and machines win ties: places in the lists sorted by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The tasks, one for each arrival; a task may come more than once, as another.
    pub arrivals: Vec<usize>,
    /// The machines.
    pub machines: Vec<usize>,
}

impl Order {
    /// By name.
    #[must_use]
    pub fn by_name(workload: &Workload) -> Order {
        Order {
            arrivals: (0..workload.tasks.len()).collect(),
            machines: (0..workload.machines.len()).collect(),
        }
    }

    /// Checks that it is one of this workload.
    ///
    /// # Errors
    /// Says what is named that is not there, or named twice.
    pub fn check(&self, workload: &Workload) -> Result<(), PlanError> {
        let tasks = workload.tasks.len();
        if let Some(wrong) = self.arrivals.iter().find(|task| **task >= tasks) {
            return Err(PlanError::Mismatch(format!(
                "the order names task {wrong}, but there are {tasks}: is it another trace's?"
            )));
        }
        let mut sorted = self.machines.clone();
        sorted.sort_unstable();
        if sorted.iter().copied().eq(0..workload.machines.len()) {
            return Ok(());
        }
        Err(PlanError::Mismatch(format!(
            "the order does not name each of the {} machines once: is it another cluster's?",
            workload.machines.len()
        )))
    }
}

//! What is simulated: a snapshot with all that may come to it.

use super::change::{Addition, Changes, Growth};
use crate::capacity::constraints::Constraint;
use crate::capacity::error::PlanError;
use crate::capacity::machine::Machine;
use crate::capacity::offered;
use crate::capacity::roles::{self, Roles};
use crate::capacity::snapshot::Snapshot;
use crate::capacity::task::Task;
use std::collections::BTreeMap;
use std::sync::Arc;
use tepui_core::placement::{Devices, Measure, Policy, Shape};
use tepui_core::resources::Resources;

/// Beyond so many agents, or tasks, a simulation takes minutes and more memory than most have.
pub const AGENTS_MAX: usize = 5_000;
/// The same for tasks.
pub const TASKS_MAX: usize = 50_000;
/// With more applications than this those of a role share a framework: every framework is offered
/// every machine.
pub const FRAMEWORKS_MAX: usize = 200;

/// A task.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Its name.
    pub name: String,
    /// Of which it is an instance.
    pub application: Arc<str>,
    /// Whose.
    pub role: Arc<str>,
    /// What it asks for.
    pub shape: Shape,
    /// The same, as frameworks cut it out of offers.
    pub amounts: Resources,
    /// Where it runs in the snapshot, and on which GPUs; nothing if it waits.
    pub home: Option<(usize, Devices)>,
    /// Whether it comes only with the change.
    pub to_come: bool,
}

impl Unit {
    fn new(task: &Task, home: Option<(usize, Devices)>) -> Result<Unit, PlanError> {
        Ok(Unit {
            name: task.name.clone(),
            application: task.application.clone(),
            role: Arc::from(roles::named(&task.role)),
            shape: task.shape,
            amounts: offered::task(&task.shape)?,
            home,
            to_come: false,
        })
    }
}

/// A framework of the plan.
#[derive(Clone, Debug)]
pub struct Framework {
    /// As people see it.
    pub name: String,
    /// Its role.
    pub role: Arc<str>,
    /// Its tasks, by place.
    pub units: Vec<usize>,
}

/// All that a simulation is made of.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Those of the snapshot, and then those that come with the change.
    pub machines: Vec<Machine>,
    /// How many of them the snapshot has.
    pub present: usize,
    /// Tasks.
    pub units: Vec<Unit>,
    /// Frameworks, by role and name.
    pub frameworks: Vec<Framework>,
    /// What is set for roles in the snapshot.
    pub roles: Roles,
    /// Of applications.
    pub constraints: BTreeMap<Arc<str>, Vec<Constraint>>,
    /// Of fragmentation.
    pub measure: Measure,
    /// How frameworks choose among offers.
    pub policy: Policy,
    /// The names of GPU models.
    pub models: Vec<String>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

impl Plan {
    /// A snapshot, the tasks that wait beside it, and what the changes add.
    ///
    /// # Errors
    /// When it is too large, or the changes name what is not there.
    pub fn new(
        (snapshot, pending): (&Snapshot, &[Task]),
        changes: &Changes,
        policy: Policy,
    ) -> Result<Plan, PlanError> {
        let mut plan = Plan {
            present: snapshot.machines.len(),
            machines: snapshot.machines.clone(),
            units: Vec::new(),
            frameworks: Vec::new(),
            roles: snapshot.roles.clone(),
            constraints: snapshot.constraints.clone(),
            measure: snapshot.workload().measure(),
            models: snapshot.models.clone(),
            policy,
            notes: Vec::new(),
        };
        for running in &snapshot.running {
            let home = (running.machine, running.devices);
            plan.units.push(Unit::new(&running.task, Some(home))?);
        }
        for task in pending {
            plan.units.push(Unit::new(task, None)?);
        }
        for addition in &changes.add {
            plan.add(addition)?;
        }
        for growth in &changes.grow {
            plan.grow(growth)?;
        }
        plan.leave_out_nothing();
        let (agents, tasks) = (plan.machines.len(), plan.units.len());
        if agents > AGENTS_MAX || tasks > TASKS_MAX {
            return Err(PlanError::Mismatch(format!(
                "{agents} machines with {tasks} tasks are too many to simulate: at most \
                 {AGENTS_MAX} and {TASKS_MAX}; take a part of the cluster"
            )));
        }
        plan.make_frameworks();
        Ok(plan)
    }

    fn add(&mut self, addition: &Addition) -> Result<(), PlanError> {
        let model = addition.like(&self.machines[..self.present])?;
        for _ in 0..addition.count {
            let number = self.machines.len() - self.present + 1;
            self.machines.push(Machine {
                name: format!("added-{number}"),
                hostname: String::new(),
                closed: false,
                reserved: BTreeMap::new(),
                ..model.clone()
            });
        }
        Ok(())
    }

    fn grow(&mut self, growth: &Growth) -> Result<(), PlanError> {
        let instances = self.units.iter().filter(|unit| !unit.to_come);
        let instances: Vec<Unit> = instances
            .filter(|unit| unit.application == growth.application)
            .cloned()
            .collect();
        let more = growth.more(instances.len());
        let (Some(more), false) = (more, instances.is_empty()) else {
            return Err(PlanError::Mismatch(format!(
                "no application '{}' runs that could grow: {}",
                growth.application,
                self.known_applications()
            )));
        };
        for (number, like) in instances.iter().cycle().take(more).enumerate() {
            self.units.push(Unit {
                name: format!("{}+{}", growth.application, number + 1),
                home: None,
                to_come: true,
                ..like.clone()
            });
        }
        Ok(())
    }

    fn known_applications(&self) -> String {
        let all = self.units.iter().map(|unit| &*unit.application);
        let all: std::collections::BTreeSet<&str> = all.filter(|name| !name.is_empty()).collect();
        let some: Vec<&str> = all.iter().take(10).copied().collect();
        match some.is_empty() {
            true => "the tasks name no applications".to_owned(),
            false => format!("there are {}, such as {}", all.len(), some.join(", ")),
        }
    }

    /// A task that asks for nothing needs no place, and no master takes it.
    fn leave_out_nothing(&mut self) {
        let before = self.units.len();
        self.units
            .retain(|unit| !unit.amounts.is_empty() || unit.shape.ports > 0);
        let left_out = before - self.units.len();
        if left_out > 0 {
            let note = format!("{left_out} tasks ask for nothing and are left out");
            self.notes.push(note);
        }
    }

    fn make_frameworks(&mut self) {
        let applications: std::collections::BTreeSet<_> = self
            .units
            .iter()
            .map(|unit| (unit.role.clone(), unit.application.clone()))
            .collect();
        let together = applications.len() > FRAMEWORKS_MAX;
        if together {
            self.notes.push(format!(
                "{} applications are more than {FRAMEWORKS_MAX}: those of a role share a \
                 framework",
                applications.len()
            ));
        }
        let mut frameworks: BTreeMap<(Arc<str>, Arc<str>), Vec<usize>> = BTreeMap::new();
        for (number, unit) in self.units.iter().enumerate() {
            let application = match together {
                true => Arc::from(""),
                false => unit.application.clone(),
            };
            let units = frameworks.entry((unit.role.clone(), application));
            units.or_default().push(number);
        }
        self.frameworks = frameworks
            .into_iter()
            .map(|((role, application), units)| Framework {
                name: format!("{role}.{application}"),
                role,
                units,
            })
            .collect();
    }

    /// How a machine's host is called in the simulation.
    #[must_use]
    pub fn hostname(machine: usize) -> String {
        format!("machine-{machine}")
    }

    /// The machine whose host is called so.
    #[must_use]
    pub fn machine_of(&self, hostname: &str) -> Option<usize> {
        let number: usize = hostname.strip_prefix("machine-")?.parse().ok()?;
        (number < self.machines.len()).then_some(number)
    }
}

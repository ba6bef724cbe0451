//! A cluster as a YAML file: what machines there are, what runs on them, what is to come, and what
//! is set for roles. A key that nobody knows is an error that names the line.
//!
//! ```yaml
//! machines:
//!   - name: web
//!     count: 4
//!     resources: cpus:16;mem:65536;disk:100000;ports:[31000-32000]
//!     attributes: { rack: [r1, r2], zone: z1 }   # the values of a list are taken in turn
//!     reservations: { shop: cpus:4;mem:8192 }
//!     price: 1.25
//!   - name: gpu
//!     resources: cpus:64;mem:262144;gpus:8
//!     gpu_model: A100
//! roles:
//!   shop: { weight: 2, guarantee: cpus:8, limit: cpus:40;mem:100000 }
//! running:
//!   - name: cart
//!     role: shop
//!     instances: 6
//!     shape: cpus=1,mem=2048
//!     constraints: [hostname:UNIQUE]
//!     cost: 5                  # to move one of them
//!     pinned: false            # true: they cannot be moved
//!     on: [web-1, web-2]   # in turn; where the policy wants them if it is absent
//! arrivals:
//!   - { name: search, instances: 10, shape: "cpus=2,mem=4096" }
//! ```
//!
//! A group of machines with a count has `name-1`, `name-2` and so on; one without is called `name`.

use super::models::ModelNames;
use super::texts;
use super::{Given, read_text};
use crate::capacity::amounts::{Amounts, Resource};
use crate::capacity::constraints::Constraint;
use crate::capacity::error::PlanError;
use crate::capacity::machine::Machine;
use crate::capacity::placer::Placer;
use crate::capacity::roles::{ANY, RoleSettings};
use crate::capacity::snapshot::{Running, Snapshot};
use crate::capacity::task::Task;
use crate::capacity::wanted::Wanted;
use serde::Deserialize;
use serde_saphyr::Spanned;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tepui_core::placement::Policy;

/// The most machines or instances of one entry.
const COUNT_MAX: u32 = 1_000_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    machines: Vec<Spanned<Group>>,
    #[serde(default)]
    roles: BTreeMap<String, Spanned<RoleEntry>>,
    #[serde(default)]
    running: Vec<Spanned<Application>>,
    #[serde(default)]
    arrivals: Vec<Spanned<Application>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    applications: Vec<Spanned<Application>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    count: Option<u32>,
    resources: Spanned<String>,
    gpu_model: Option<String>,
    #[serde(default)]
    attributes: BTreeMap<String, Values>,
    #[serde(default)]
    reservations: BTreeMap<String, Spanned<String>>,
    price: Option<f64>,
    #[serde(default)]
    closed: bool,
}

/// One value for all machines of a group, or several that are taken in turn.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Several(Vec<String>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleEntry {
    weight: Option<f64>,
    guarantee: Option<Spanned<String>>,
    limit: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Application {
    name: String,
    role: Option<Spanned<String>>,
    #[serde(default = "one")]
    instances: u32,
    shape: Spanned<String>,
    #[serde(default)]
    constraints: Vec<Spanned<String>>,
    /// What it costs to move an instance.
    #[serde(default)]
    cost: u32,
    /// Whether its instances must stay where they are.
    #[serde(default)]
    pinned: bool,
    #[serde(default)]
    on: Vec<Spanned<String>>,
}

fn one() -> u32 {
    1
}

/// Reads a file. Tasks that run somewhere are placed by a policy.
///
/// # Errors
/// Names the file and the line, and says what is wrong there.
pub fn load(path: &Path, policy: Policy) -> Result<Given, PlanError> {
    parse(&path.display().to_string(), &read_text(path)?, policy)
}

/// Reads a release: `applications`, a list of what is to run in addition, as under `running`.
///
/// # Errors
/// Names the file and the line, and says what is wrong there.
pub fn read_release(path: &Path) -> Result<Vec<Wanted>, PlanError> {
    let file = path.display().to_string();
    let release: Release = parse_file(&file, &read_text(path)?)?;
    let wanted = |entry: &Spanned<Application>| entry.value.wanted(line(entry));
    let all: Result<Vec<Wanted>, Wrong> = release.applications.iter().map(wanted).collect();
    all.map_err(|wrong| wrong_line(&file, wrong))
}

/// Reads a file's text; `file` is for messages.
///
/// # Errors
/// Names the file and the line, and says what is wrong there.
pub fn parse(file: &str, text: &str, policy: Policy) -> Result<Given, PlanError> {
    let parsed: File = parse_file(file, text)?;
    build(&parsed, policy).map_err(|wrong| wrong_line(file, wrong))
}

fn parse_file<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, PlanError> {
    serde_saphyr::from_str(text).map_err(|error| {
        let line = error.location().map_or(1, |at| at.line() as usize);
        let problem = crate::scenario::explain(&error.without_snippet().to_string());
        wrong_line(file, (line, problem))
    })
}

fn wrong_line(file: &str, (line, problem): Wrong) -> PlanError {
    PlanError::Line {
        path: file.to_owned(),
        line,
        problem,
    }
}

/// A line, and what is wrong there.
type Wrong = (usize, String);

fn line<T>(of: &Spanned<T>) -> usize {
    of.referenced.line() as usize
}

/// What a text means, or the line where it is wrong.
fn read<T>(
    text: &Spanned<String>,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, Wrong> {
    read(&text.value).map_err(|why| (line(text), why))
}

fn build(file: &File, policy: Policy) -> Result<Given, Wrong> {
    let mut models = ModelNames::default();
    let mut snapshot = Snapshot::default();
    for group in &file.machines {
        group
            .value
            .add_to(line(group), &mut snapshot.machines, &mut models)?;
    }
    let machines = &mut snapshot.machines;
    machines.sort_by(|left, right| left.name.cmp(&right.name));
    if machines.is_empty() {
        return Err((1, "there is no machine in it".to_owned()));
    }
    if let Some(twice) = machines.windows(2).find(|two| two[0].name == two[1].name) {
        let at = file.machines.last().map_or(1, line);
        return Err((
            at,
            format!("there are two machines called '{}'", twice[0].name),
        ));
    }
    for (role, entry) in &file.roles {
        let (role, settings) = entry.value.settings(role, line(entry))?;
        snapshot.roles.0.insert(role, settings);
    }
    let mut apps: Vec<(usize, Vec<Task>, &Application)> = Vec::new();
    let mut known = BTreeMap::new();
    for (entry, number) in file.running.iter().chain(&file.arrivals).zip(0..) {
        let app = &entry.value;
        let first = *known
            .entry(app.name.as_str())
            .or_insert((line(entry), 0_u32));
        if number < file.running.len() && first.0 != line(entry) {
            let name = &app.name;
            return Err((
                line(entry),
                format!("'{name}' is already on line {}", first.0),
            ));
        }
        let tasks = app.tasks(first.1, &mut models, line(entry))?;
        known.insert(&app.name, (first.0, first.1 + app.instances));
        app.constrain(&mut snapshot.constraints, line(entry))?;
        apps.push((line(entry), tasks, app));
    }
    snapshot.models = models.0;
    let arrivals = apps.split_off(file.running.len());
    place(&mut snapshot, &apps, policy)?;
    Ok(Given {
        snapshot,
        arrivals: arrivals
            .into_iter()
            .flat_map(|(_, tasks, _)| tasks)
            .collect(),
    })
}

impl Group {
    fn add_to(
        &self,
        at: usize,
        machines: &mut Vec<Machine>,
        models: &mut ModelNames,
    ) -> Result<(), Wrong> {
        let count = self.count.unwrap_or(1);
        if count > COUNT_MAX {
            return Err((at, format!("count must be at most {COUNT_MAX}")));
        }
        let by_role = read(&self.resources, texts::parse_resources)?;
        let mut all = Amounts::default();
        by_role.values().for_each(|amounts| all += *amounts);
        let mut capacity = read(&self.resources, |_| texts::capacity(&all))?;
        if let Some(model) = &self.gpu_model {
            capacity.model = models.bit(model).map_err(|why| (at, why))?;
        }
        let mut reserved = by_role;
        for (role, text) in &self.reservations {
            let role = texts::role(role).map_err(|why| (line(text), why))?;
            let amounts = read(text, for_all)?;
            *reserved.entry(role).or_default() += amounts;
        }
        let reserved = texts::reservations(reserved, &capacity);
        let reserved = reserved.map_err(|why| (line(&self.resources), why))?;
        let price = self.price.map(|price| texts::price(&price.to_string()));
        let price_milli = price.transpose().map_err(|why| (at, why))?;
        for number in 0..count {
            let value = |values: &Values| match values {
                Values::One(value) => Some(value.clone()),
                Values::Several(values) => {
                    values.get(number as usize % values.len().max(1)).cloned()
                }
            };
            let attributes = self.attributes.iter();
            let attributes = attributes.filter_map(|(name, of)| Some((name.clone(), value(of)?)));
            machines.push(Machine {
                name: match self.count {
                    Some(_) => format!("{}-{}", self.name, number + 1),
                    None => self.name.clone(),
                },
                capacity,
                reserved: reserved.clone(),
                attributes: attributes.collect(),
                price_milli,
                closed: self.closed,
                ..Machine::default()
            });
        }
        Ok(())
    }
}

/// Amounts that are for nobody in particular.
fn for_all(text: &str) -> Result<Amounts, String> {
    let mut by_role = texts::parse_resources(text)?;
    let all = by_role.remove(ANY).unwrap_or_default();
    match by_role.keys().next() {
        None => Ok(all),
        Some(role) => Err(format!("'{role}' must not be named here")),
    }
}

impl RoleEntry {
    fn settings(&self, role: &str, at: usize) -> Result<(Arc<str>, RoleSettings), Wrong> {
        let name = texts::role(role).map_err(|why| (at, why))?;
        let mut set = RoleSettings::default();
        if let Some(weight) = self.weight {
            if !(0.001..=1e6).contains(&weight) {
                return Err((
                    at,
                    format!("weight is {weight}: it must be from 0.001 to 1000000"),
                ));
            }
            set.weight_milli = (weight * 1000.0).round() as i64;
        }
        let quota = |text: &Option<Spanned<String>>| -> Result<BTreeMap<Resource, i64>, Wrong> {
            let Some(text) = text else {
                return Ok(BTreeMap::new());
            };
            if role.contains('/') {
                let why = "quota is set for roles at the top, not for those below them";
                return Err((line(text), why.to_owned()));
            }
            let amounts = read(text, for_all)?;
            let named = |(resource, _): &(Resource, i64)| {
                let mut names = text
                    .value
                    .split(';')
                    .filter_map(|part| part.split(':').next());
                names.any(|name| name.trim() == resource.name())
            };
            Ok(amounts.iter().filter(named).collect())
        };
        set.guarantees = quota(&self.guarantee)?;
        set.limits = quota(&self.limit)?;
        Ok((name, set))
    }
}

impl Application {
    /// All instances of it.
    fn wanted(&self, at: usize) -> Result<Wanted, Wrong> {
        if self.instances > COUNT_MAX {
            return Err((at, format!("instances must be at most {COUNT_MAX}")));
        }
        if let Some(machine) = self.on.first() {
            let why = "what is to run goes where it fits: leave 'on' out";
            return Err((line(machine), why.to_owned()));
        }
        let mut wanted = self.amounts()?;
        wanted.role = self.role()?;
        wanted.application = Arc::from(self.name.as_str());
        wanted.constraints = self.constraints()?;
        wanted.count = Some(i64::from(self.instances));
        Ok(wanted)
    }

    /// Its instances, numbered from `first` on.
    fn tasks(&self, first: u32, models: &mut ModelNames, at: usize) -> Result<Vec<Task>, Wrong> {
        if self.instances > COUNT_MAX {
            return Err((at, format!("instances must be at most {COUNT_MAX}")));
        }
        let role = self.role()?;
        let demand = self.amounts()?.demand(models, &role);
        let demand = demand.map_err(|why| (at, why))?;
        let application: Arc<str> = Arc::from(self.name.as_str());
        let task = |number: u32| Task {
            name: format!("{}-{:05}", self.name, number + 1),
            application: Arc::clone(&application),
            role: Arc::clone(&demand.role),
            shape: demand.shape,
            cost: i64::from(self.cost),
        };
        Ok((first..first + self.instances).map(task).collect())
    }

    fn amounts(&self) -> Result<Wanted, Wrong> {
        let wanted = read(&self.shape, str::parse::<Wanted>)?;
        let amounts_only = Wanted {
            shape: wanted.shape,
            models: wanted.models.clone(),
            ..Wanted::default()
        };
        if wanted == amounts_only {
            return Ok(wanted);
        }
        let why = "a shape here has amounts and models only: the rest has keys of its own";
        Err((line(&self.shape), why.to_owned()))
    }

    fn role(&self) -> Result<Arc<str>, Wrong> {
        match &self.role {
            Some(role) => read(role, texts::role),
            None => Ok(Arc::default()),
        }
    }

    fn constraints(&self) -> Result<Vec<Constraint>, Wrong> {
        let constraint = |text: &str| text.parse::<Constraint>().map_err(|why| why.to_string());
        let all = self.constraints.iter();
        all.map(|text| read(text, constraint)).collect()
    }

    /// All entries of one application have the same constraints, or none.
    fn constrain(
        &self,
        all: &mut BTreeMap<Arc<str>, Vec<Constraint>>,
        at: usize,
    ) -> Result<(), Wrong> {
        let own = self.constraints()?;
        if own.is_empty() {
            return Ok(());
        }
        let name = Arc::from(self.name.as_str());
        let known = all.entry(name).or_insert_with(|| own.clone());
        match *known == own {
            true => Ok(()),
            false => Err((at, format!("'{}' had other constraints before", self.name))),
        }
    }
}

/// Places what runs: where the file says, or else where the policy wants it.
fn place(
    snapshot: &mut Snapshot,
    apps: &[(usize, Vec<Task>, &Application)],
    policy: Policy,
) -> Result<(), Wrong> {
    let given = Given {
        snapshot: std::mem::take(snapshot),
        arrivals: apps
            .iter()
            .flat_map(|(_, tasks, _)| tasks.clone())
            .collect(),
    };
    let workload = given.workload();
    let measure = workload.measure();
    let all: Vec<usize> = (0..workload.machines.len()).collect();
    let mut placer = Placer::of(&workload, &all, &measure, policy, 0);
    let mut running = Vec::new();
    for (at, tasks, app) in apps {
        let mut on = Vec::new();
        for name in &app.on {
            let found = workload
                .machines
                .binary_search_by(|one| one.name.cmp(&name.value));
            let why = || (line(name), format!("there is no machine '{}'", name.value));
            on.push(found.map_err(|_| why())?);
        }
        for (number, task) in tasks.iter().enumerate() {
            let place = workload
                .tasks
                .binary_search_by(|other| other.name.cmp(&task.name));
            let shape = workload.shape_of[place.expect("it is one of them")];
            let placed = match on.get(number % on.len().max(1)) {
                Some(machine) => placer.place_on(shape, *machine),
                None => placer.place(shape),
            };
            let Some(placement) = placed else {
                return Err((*at, format!("{} fits nowhere: {} do", task.name, number)));
            };
            running.push(Running {
                task: task.clone(),
                machine: placement.place,
                devices: placement.devices,
                pinned: app.pinned,
            });
        }
    }
    running.sort_by(|left: &Running, right| left.task.name.cmp(&right.task.name));
    *snapshot = Snapshot {
        running,
        ..given.snapshot
    };
    Ok(())
}

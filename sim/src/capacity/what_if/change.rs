//! What is to change, as people write it.

use crate::capacity::amounts::{Amounts, Resource};
use crate::capacity::error::PlanError;
use crate::capacity::machine::Machine;
use crate::capacity::roles::RoleSettings;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use tepui_core::placement::{Capacity, GPUS_MAX};

/// The most machines, or instances, that one change adds.
const COUNT_MAX: usize = 100_000;

/// Machines that are lost together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Loss {
    /// `host`, or the name of an attribute.
    pub field: String,
    /// Its value on those machines.
    pub value: String,
}

/// Machines that are added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addition {
    /// As what: amounts, the name of a machine, or the value of an attribute `type`.
    pub what: String,
    /// How many.
    pub count: usize,
}

/// An application that grows.
#[derive(Clone, Debug, PartialEq)]
pub struct Growth {
    /// Which.
    pub application: Arc<str>,
    /// To how much.
    pub by: GrowBy,
}

/// How much more of an application there will be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GrowBy {
    /// So many times the instances.
    Factor(f64),
    /// So many more.
    More(usize),
}

/// The quota that a role will have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaChange {
    /// Which role.
    pub role: String,
    /// What the cluster will keep for it.
    pub guarantees: BTreeMap<Resource, i64>,
    /// The most that it will have.
    pub limits: BTreeMap<Resource, i64>,
}

/// The weight that a role will have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightChange {
    /// Which role.
    pub role: String,
    /// In thousandths.
    pub weight_milli: i64,
}

/// All that changes. Machines are lost last, from a cluster that has settled after the rest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Machines lost.
    pub lose: Vec<Loss>,
    /// Machines added.
    pub add: Vec<Addition>,
    /// Applications grown.
    pub grow: Vec<Growth>,
    /// Quota set.
    pub quotas: Vec<QuotaChange>,
    /// Weights set.
    pub weights: Vec<WeightChange>,
}

/// Changes in a file: lists of what the flags take.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    lose: Vec<String>,
    add: Vec<String>,
    grow: Vec<String>,
    quota: Vec<String>,
    weight: Vec<String>,
}

impl Changes {
    /// Reads a YAML file: the keys `lose`, `add`, `grow`, `quota` and `weight`, each with a list
    /// of what the flags of these names take. `path` is for messages.
    ///
    /// # Errors
    /// When it is none, or says what cannot be.
    pub fn read(path: &str, text: &str) -> Result<Changes, PlanError> {
        let bad = |why: String| PlanError::Mismatch(format!("{path}: {why}"));
        let written: Written =
            serde_saphyr::from_str(text).map_err(|error| bad(error.to_string()))?;
        fn all<T: FromStr<Err = String>>(key: &str, list: &[String]) -> Result<Vec<T>, String> {
            let parsed = list.iter().map(|text| text.parse());
            let parsed: Result<Vec<T>, String> = parsed.collect();
            parsed.map_err(|why| format!("{key}: {why}"))
        }
        Ok(Changes {
            lose: all("lose", &written.lose).map_err(bad)?,
            add: all("add", &written.add).map_err(bad)?,
            grow: all("grow", &written.grow).map_err(bad)?,
            quotas: all("quota", &written.quota).map_err(bad)?,
            weights: all("weight", &written.weight).map_err(bad)?,
        })
    }

    /// Both.
    pub fn extend(&mut self, more: Changes) {
        self.lose.extend(more.lose);
        self.add.extend(more.add);
        self.grow.extend(more.grow);
        self.quotas.extend(more.quotas);
        self.weights.extend(more.weights);
    }

    /// Whether something else than a loss is to happen.
    #[must_use]
    pub fn change_more_than_losses(&self) -> bool {
        let Changes {
            lose: _,
            add,
            grow,
            quotas,
            weights,
        } = self;
        !(add.is_empty() && grow.is_empty() && quotas.is_empty() && weights.is_empty())
    }
}

impl FromStr for Loss {
    type Err = String;

    fn from_str(text: &str) -> Result<Loss, String> {
        let parts = text.split_once('=');
        let (field, value) = parts.ok_or_else(|| {
            format!("'{text}' names no machines: write rack=r1, zone=z1 or host=NAME")
        })?;
        Ok(Loss {
            field: field.trim().to_owned(),
            value: value.trim().to_owned(),
        })
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.field, self.value)
    }
}

/// What a machine has as this field.
fn value<'a>(machine: &'a Machine, field: &str) -> Option<&'a str> {
    match field {
        "host" => Some(machine.host()),
        field => machine.value(field),
    }
}

/// All values of a field, sorted.
///
/// # Errors
/// When no machine has any.
pub fn values(machines: &[Machine], field: &str) -> Result<Vec<String>, PlanError> {
    let all: BTreeSet<&str> = machines.iter().filter_map(|m| value(m, field)).collect();
    if all.is_empty() {
        return Err(PlanError::Mismatch(format!(
            "no machine has an attribute '{field}'"
        )));
    }
    Ok(all.into_iter().map(str::to_owned).collect())
}

impl Loss {
    /// The machines that it names, by place.
    ///
    /// # Errors
    /// When there are none.
    pub fn machines(&self, machines: &[Machine]) -> Result<Vec<usize>, PlanError> {
        let named = |machine: &Machine| {
            let by_name = self.field == "host" && machine.name == self.value;
            by_name || value(machine, &self.field) == Some(self.value.as_str())
        };
        let all = machines.iter().enumerate();
        let found: Vec<usize> = all
            .filter(|(_, machine)| named(machine))
            .map(|(place, _)| place)
            .collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let known = values(machines, &self.field)?;
        let some: Vec<&str> = known.iter().take(10).map(String::as_str).collect();
        Err(PlanError::Mismatch(format!(
            "no machine has {self}: there are {}, such as {}",
            known.len(),
            some.join(", ")
        )))
    }
}

impl FromStr for Addition {
    type Err = String;

    fn from_str(text: &str) -> Result<Addition, String> {
        let (what, count) = text.rsplit_once('*').unwrap_or((text, "1"));
        let count = count.trim().parse().ok();
        let count = count.filter(|count| (1..=COUNT_MAX).contains(count));
        let count = count.ok_or_else(|| {
            format!("'{text}' adds nothing: write MACHINE*3, TYPE*3 or cpus=32,mem=65536*3")
        })?;
        Ok(Addition {
            what: what.trim().to_owned(),
            count,
        })
    }
}

impl fmt::Display for Addition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}*{}", self.what, self.count)
    }
}

impl Addition {
    /// What each of them is like: a machine of this name, the first of this type, or one of these
    /// amounts.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn like(&self, machines: &[Machine]) -> Result<Machine, PlanError> {
        let named = machines.iter().find(|machine| machine.name == self.what);
        let of_type = || {
            let mut all = machines.iter();
            all.find(|machine| machine.value("type") == Some(self.what.as_str()))
        };
        if let Some(machine) = named.or_else(of_type) {
            return Ok(machine.clone());
        }
        let amounts = amounts(&self.what).map_err(|why| {
            PlanError::Mismatch(format!(
                "'{}' is no machine's name or attribute 'type', and no amounts: {why}",
                self.what
            ))
        })?;
        let gpus = amounts[Resource::Gpu];
        if gpus % 1000 != 0 || gpus > 1000 * GPUS_MAX as i64 {
            let why = format!("'{}': a machine has up to {GPUS_MAX} whole GPUs", self.what);
            return Err(PlanError::Mismatch(why));
        }
        Ok(Machine {
            capacity: Capacity {
                cpu_milli: amounts[Resource::Cpu],
                memory_mib: amounts[Resource::Memory],
                disk_mib: amounts[Resource::Disk],
                ports: amounts[Resource::Ports],
                gpus: (gpus / 1000) as usize,
                ..Capacity::default()
            },
            ..Machine::default()
        })
    }
}

/// One resource and how much of it, such as `cpus=1.5`.
fn amount(text: &str) -> Result<(Resource, i64), String> {
    let wrong = || format!("'{text}' is no amount: write cpus=1.5 or mem=2048");
    let (name, value) = text.split_once('=').ok_or_else(wrong)?;
    let mut all = Resource::ALL.into_iter();
    let resource = all.find(|resource| resource.name() == name.trim());
    let resource = resource.ok_or_else(wrong)?;
    let value: f64 = value.trim().parse().map_err(|_| wrong())?;
    if !(0.0..=1e12).contains(&value) {
        return Err(format!("'{text}' is too small or too large"));
    }
    Ok((resource, (value * resource.units() as f64).round() as i64))
}

fn amounts(text: &str) -> Result<Amounts, String> {
    let mut amounts = Amounts::default();
    for part in text.split(',') {
        let (resource, value) = amount(part)?;
        amounts[resource] = value;
    }
    Ok(amounts)
}

impl FromStr for Growth {
    type Err = String;

    fn from_str(text: &str) -> Result<Growth, String> {
        let wrong = || format!("'{text}' grows nothing: write web*1.5 or web+10");
        let (at, _) = text.rmatch_indices(['*', '+']).next().ok_or_else(wrong)?;
        let (application, by) = (text[..at].trim(), text[at + 1..].trim());
        let by = match &text[at..=at] {
            "*" => GrowBy::Factor(by.parse().map_err(|_| wrong())?),
            _ => GrowBy::More(by.parse().map_err(|_| wrong())?),
        };
        let enough = match by {
            GrowBy::Factor(factor) => (1.0..=1e6).contains(&factor),
            GrowBy::More(more) => (1..=COUNT_MAX).contains(&more),
        };
        if application.is_empty() || !enough {
            return Err(wrong());
        }
        Ok(Growth {
            application: Arc::from(application),
            by,
        })
    }
}

impl Growth {
    /// How many instances come to those that are there; nothing where that is too many.
    #[must_use]
    pub fn more(&self, instances: usize) -> Option<usize> {
        let more = match self.by {
            GrowBy::More(more) => more,
            GrowBy::Factor(factor) => (instances as f64 * (factor - 1.0)).ceil() as usize,
        };
        (more <= COUNT_MAX).then_some(more)
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.by {
            GrowBy::Factor(factor) => write!(f, "{}*{factor}", self.application),
            GrowBy::More(more) => write!(f, "{}+{more}", self.application),
        }
    }
}

impl FromStr for QuotaChange {
    type Err = String;

    fn from_str(text: &str) -> Result<QuotaChange, String> {
        let wrong = || format!("'{text}' is no quota: write web:cpus=10,mem=20480,max.cpus=40");
        let (role, rest) = text.split_once(':').ok_or_else(wrong)?;
        let mut change = QuotaChange {
            role: role.trim().to_owned(),
            guarantees: BTreeMap::new(),
            limits: BTreeMap::new(),
        };
        for part in rest.split(',').map(str::trim) {
            let (into, part) = match part.strip_prefix("max.") {
                Some(limit) => (&mut change.limits, limit),
                None => (&mut change.guarantees, part),
            };
            let (resource, value) = amount(part)?;
            if resource == Resource::Ports {
                return Err("ports have no quota".to_owned());
            }
            into.insert(resource, value);
        }
        Ok(change)
    }
}

fn shown(amounts: &BTreeMap<Resource, i64>, prefix: &str) -> Vec<String> {
    let all = amounts.iter();
    all.map(|(resource, amount)| format!("{prefix}{resource}={}", resource.shown(*amount)))
        .collect()
}

impl fmt::Display for QuotaChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = shown(&self.guarantees, "");
        parts.extend(shown(&self.limits, "max."));
        write!(f, "{}:{}", self.role, parts.join(","))
    }
}

impl QuotaChange {
    /// What a role's settings say.
    #[must_use]
    pub fn of(role: &str, settings: &RoleSettings) -> QuotaChange {
        QuotaChange {
            role: role.to_owned(),
            guarantees: settings.guarantees.clone(),
            limits: settings.limits.clone(),
        }
    }
}

impl FromStr for WeightChange {
    type Err = String;

    fn from_str(text: &str) -> Result<WeightChange, String> {
        let wrong = || format!("'{text}' is no weight: write web=2");
        let (role, weight) = text.split_once('=').ok_or_else(wrong)?;
        let weight: f64 = weight.trim().parse().map_err(|_| wrong())?;
        let weight_milli = (weight * 1000.0).round();
        if !(1.0..=1e9).contains(&weight_milli) {
            return Err(wrong());
        }
        Ok(WeightChange {
            role: role.trim().to_owned(),
            weight_milli: weight_milli as i64,
        })
    }
}

impl fmt::Display for WeightChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.role, self.weight_milli as f64 / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_read_back_as_they_are_shown() {
        fn same<T: FromStr<Err = String> + fmt::Display>(text: &str) {
            let read: Result<T, String> = text.parse();
            assert_eq!(read.map(|change| change.to_string()), Ok(text.to_owned()));
        }
        same::<Loss>("rack=r1");
        same::<Addition>("cpus=32,mem=65536*3");
        same::<Growth>("web*1.5");
        same::<Growth>("a+b+10");
        same::<QuotaChange>("web:cpus=1.5,mem=2048,max.cpus=3");
        same::<WeightChange>("web=2.5");
        assert!("rack".parse::<Loss>().is_err());
        assert!("m*0".parse::<Addition>().is_err());
        assert!("web*0.5".parse::<Growth>().is_err() && "web".parse::<Growth>().is_err());
        assert!("web:ports=1".parse::<QuotaChange>().is_err());
        assert!("web=0".parse::<WeightChange>().is_err());
    }

    #[test]
    fn a_file_says_what_flags_say() {
        let read = Changes::read("c.yaml", "lose: [rack=r1]\ngrow: [web+2]\n").unwrap();
        assert_eq!(read.lose, ["rack=r1".parse().unwrap()]);
        assert_eq!(read.grow, ["web+2".parse().unwrap()]);
        let bad = Changes::read("c.yaml", "loose: [rack=r1]\n").unwrap_err();
        assert!(bad.to_string().starts_with("c.yaml: "), "{bad}");
        let bad = Changes::read("c.yaml", "grow: [web]\n").unwrap_err();
        assert!(bad.to_string().contains("grow: 'web'"), "{bad}");
    }
}

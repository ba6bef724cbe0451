//! The parts of a master's pages that capacity is planned with. Everything else is passed over
//! without being kept: a large cluster's `/state` is mostly that.

use crate::capacity::amounts::{Amounts, Resource};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A text that is kept where it was read, unless it holds escapes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// Any of the pages.
#[derive(Debug, Deserialize)]
pub(super) struct Page<'a> {
    #[serde(borrow)]
    pub(super) slaves: Option<Vec<Agent<'a>>>,
    #[serde(borrow)]
    pub(super) frameworks: Option<Vec<Framework<'a>>>,
    #[serde(borrow)]
    pub(super) roles: Option<Vec<RolePage<'a>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Framework<'a> {
    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) role: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) tasks: Vec<TaskPage<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TaskPage<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) slave_id: Text<'a>,
    #[serde(borrow)]
    pub(super) state: Text<'a>,
    #[serde(borrow, default)]
    pub(super) resources: Flat<'a>,
    #[serde(borrow)]
    pub(super) role: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) labels: Option<Vec<Label<'a>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Label<'a> {
    #[serde(borrow)]
    pub(super) key: Text<'a>,
    #[serde(borrow)]
    pub(super) value: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RolePage<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(default = "one")]
    pub(super) weight: f64,
    pub(super) quota: Option<QuotaPage>,
}

fn one() -> f64 {
    1.0
}

#[derive(Debug, Deserialize)]
pub(super) struct QuotaPage {
    #[serde(default)]
    pub(super) guarantee: BTreeMap<String, f64>,
    #[serde(default)]
    pub(super) limit: BTreeMap<String, f64>,
}

/// An agent; the fields whose names end in `full` are those of `/slaves`.
#[derive(Debug, Deserialize)]
pub(super) struct Agent<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) hostname: Text<'a>,
    #[serde(default)]
    pub(super) active: bool,
    #[serde(default)]
    pub(super) deactivated: bool,
    #[serde(default)]
    attributes: BTreeMap<String, serde_json::Value>,
    #[serde(borrow, default)]
    pub(super) resources: Flat<'a>,
    #[serde(borrow, default)]
    pub(super) used_resources: Flat<'a>,
    #[serde(borrow, default)]
    pub(super) reserved_resources: BTreeMap<String, Flat<'a>>,
    #[serde(borrow)]
    pub(super) unreserved_resources_full: Option<Vec<Item<'a>>>,
    #[serde(borrow, default)]
    pub(super) reserved_resources_full: BTreeMap<String, Vec<Item<'a>>>,
    #[serde(borrow)]
    pub(super) used_resources_full: Option<Vec<Item<'a>>>,
}

impl Agent<'_> {
    /// Its attributes as texts.
    pub(super) fn attributes(&self) -> BTreeMap<String, String> {
        let text = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let all = self.attributes.iter();
        all.map(|(name, value)| (name.clone(), text(value)))
            .collect()
    }
}

/// Sums of resources. What may be taken back has names of its own, and is not among them.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Flat<'a> {
    #[serde(default)]
    cpus: f64,
    #[serde(default)]
    mem: f64,
    #[serde(default)]
    disk: f64,
    #[serde(default)]
    gpus: f64,
    #[serde(borrow)]
    ports: Option<Text<'a>>,
}

impl Flat<'_> {
    /// In thousandths, all of them.
    pub(super) fn exact(&self) -> Amounts {
        let mut exact = Amounts::default();
        exact[Resource::Cpu] = thousandths(self.cpus);
        exact[Resource::Memory] = thousandths(self.mem);
        exact[Resource::Disk] = thousandths(self.disk);
        exact[Resource::Gpu] = thousandths(self.gpus);
        let ports = self.ports.as_ref().map_or(0, |ports| count(&ports.0));
        exact[Resource::Ports] = 1000 * ports;
        exact
    }
}

fn thousandths(value: f64) -> i64 {
    (value * 1000.0).round() as i64
}

/// How many numbers there are in `[31000-31999, 32500-32500]`.
fn count(ranges: &str) -> i64 {
    let ranges = ranges.trim_matches(['[', ']']).split(',');
    let length = |range: &str| {
        let (begin, end) = range.trim().split_once('-')?;
        let (begin, end): (i64, i64) = (begin.parse().ok()?, end.parse().ok()?);
        Some((end - begin + 1).max(0))
    };
    ranges.filter_map(length).sum()
}

/// One resource with all that it is.
#[derive(Debug, Deserialize)]
pub(super) struct Item<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    scalar: Option<Scalar>,
    ranges: Option<Ranges>,
    #[serde(borrow, default)]
    reservations: Vec<Reservation<'a>>,
    disk: Option<Disk>,
    revocable: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Scalar {
    value: f64,
}

#[derive(Debug, Deserialize)]
struct Ranges {
    #[serde(default)]
    range: Vec<Range>,
}

#[derive(Debug, Deserialize)]
struct Range {
    begin: u64,
    end: u64,
}

#[derive(Debug, Deserialize)]
struct Reservation<'a> {
    #[serde(borrow)]
    role: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
struct Disk {
    persistence: Option<serde::de::IgnoredAny>,
    source: Option<serde::de::IgnoredAny>,
}

impl Item<'_> {
    /// For whom it is reserved: empty for nobody. Nothing for what tasks are not planned on: what
    /// may be taken back, volumes, and disks of their own.
    pub(super) fn reserved_for(&self) -> Option<&str> {
        if self.revocable.is_some() || self.bound_for().is_some() {
            return None;
        }
        let last = self.reservations.last();
        let role = last.and_then(|reservation| reservation.role.as_ref());
        Some(role.map_or("", |role| &role.0))
    }

    /// For whom it is reserved, if it is a volume or a disk of its own: tasks that use it cannot
    /// go without it.
    pub(super) fn bound_for(&self) -> Option<&str> {
        let disk = self.disk.as_ref()?;
        let own = disk.persistence.is_some() || disk.source.is_some();
        let last = self.reservations.last();
        let role = last.and_then(|reservation| reservation.role.as_ref());
        own.then(|| role.map_or("", |role| &role.0))
    }

    /// Adds it, in thousandths.
    pub(super) fn add_to(&self, sum: &mut Amounts, sign: i64) {
        let mut named = Resource::ALL.into_iter();
        let Some(resource) = named.find(|resource| resource.name() == self.name.0) else {
            return;
        };
        let scalar = self.scalar.as_ref().map_or(0.0, |scalar| scalar.value);
        let ranges = self.ranges.iter().flat_map(|ranges| &ranges.range);
        let numbers: u64 = ranges
            .map(|range| (range.end + 1).saturating_sub(range.begin))
            .sum();
        sum[resource] += sign * (thousandths(scalar) + 1000 * numbers as i64);
    }
}

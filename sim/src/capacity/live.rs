//! What is free on the agents of a live cluster, as its master's `/slaves` tells, for tasks of one
//! role.

use super::error::PlanError;
use super::machine::Machine;
use serde::Deserialize;
use std::collections::BTreeMap;
use tepui_core::placement::{Capacity, Free, GPUS_MAX, Models};

#[derive(Deserialize)]
struct Slaves {
    slaves: Vec<Agent>,
}

#[derive(Deserialize)]
struct Agent {
    id: String,
    hostname: String,
    #[serde(default)]
    active: bool,
    #[serde(default)]
    deactivated: bool,
    #[serde(default)]
    attributes: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    unreserved_resources_full: Vec<Item>,
    #[serde(default)]
    reserved_resources_full: BTreeMap<String, Vec<Item>>,
    #[serde(default)]
    used_resources_full: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    name: String,
    scalar: Option<Scalar>,
    ranges: Option<Ranges>,
    #[serde(default)]
    reservations: Vec<Reservation>,
    disk: Option<Disk>,
    revocable: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Scalar {
    value: f64,
}

#[derive(Deserialize)]
struct Ranges {
    #[serde(default)]
    range: Vec<Range>,
}

#[derive(Deserialize)]
struct Range {
    begin: u64,
    end: u64,
}

#[derive(Deserialize)]
struct Reservation {
    role: Option<String>,
}

#[derive(Deserialize)]
struct Disk {
    persistence: Option<serde_json::Value>,
    source: Option<serde_json::Value>,
}

/// An agent that takes tasks.
#[derive(Clone, Debug)]
pub struct LiveAgent {
    /// Its host.
    pub hostname: String,
    /// All that tasks of the role may use, and what of that is free.
    pub machine: Machine,
    /// What is free.
    pub free: Free,
}

/// Reads the agents that are connected and neither drained nor deactivated.
///
/// # Errors
/// When it is no answer of a master's `/slaves`.
pub fn agents(json: &[u8], role: &str) -> Result<Vec<LiveAgent>, PlanError> {
    let slaves: Slaves = serde_json::from_slice(json).map_err(|error| {
        PlanError::Mismatch(format!(
            "this is not what a master's /slaves answers: {error}"
        ))
    })?;
    let takes_tasks = |agent: &Agent| agent.active && !agent.deactivated;
    let agents = slaves.slaves.into_iter().filter(takes_tasks);
    let mut agents: Vec<LiveAgent> = agents.map(|agent| agent.for_role(role)).collect();
    agents.sort_by(|left, right| left.machine.name.cmp(&right.machine.name));
    Ok(agents)
}

/// Amounts of what can be planned with.
#[derive(Clone, Copy, Debug, Default)]
struct Amounts {
    cpu_milli: i64,
    memory_mib: i64,
    disk_mib: i64,
    ports: i64,
    gpus: i64,
}

impl Amounts {
    fn add(&mut self, item: &Item, sign: i64) {
        let value = item.scalar.as_ref().map_or(0.0, |scalar| scalar.value);
        let whole = sign * value.floor() as i64;
        match item.name.as_str() {
            "cpus" => self.cpu_milli += sign * (value * 1000.0).round() as i64,
            "mem" => self.memory_mib += whole,
            "disk" => self.disk_mib += whole,
            "gpus" => self.gpus += whole,
            "ports" => {
                let ranges = item.ranges.iter().flat_map(|ranges| &ranges.range);
                let count = |range: &Range| range.end.saturating_sub(range.begin) + 1;
                self.ports += sign * ranges.map(count).sum::<u64>() as i64;
            }
            _ => {}
        }
    }
}

impl Item {
    /// Whether tasks of a role may use it: what is not reserved, or for the role or one above it.
    /// Volumes and disks of their own hold nothing else.
    fn serves(&self, role: &str) -> bool {
        if self.revocable.is_some() {
            return false;
        }
        let own = |disk: &Disk| disk.persistence.is_some() || disk.source.is_some();
        if self.disk.as_ref().is_some_and(own) {
            return false;
        }
        let Some(reserved) = self.reservations.last() else {
            return true;
        };
        let reserved = reserved.role.as_deref().unwrap_or("*");
        let below = role.strip_prefix(reserved);
        below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
    }
}

impl Agent {
    fn for_role(self, role: &str) -> LiveAgent {
        let mut all = Amounts::default();
        let reserved = self.reserved_resources_full.values().flatten();
        for item in self.unreserved_resources_full.iter().chain(reserved) {
            if item.serves(role) {
                all.add(item, 1);
            }
        }
        let mut free = all;
        for item in self
            .used_resources_full
            .iter()
            .filter(|item| item.serves(role))
        {
            free.add(item, -1);
        }
        let capacity = |amounts: Amounts| Capacity {
            cpu_milli: amounts.cpu_milli.max(0),
            memory_mib: amounts.memory_mib.max(0),
            disk_mib: amounts.disk_mib.max(0),
            ports: amounts.ports.max(0),
            gpus: amounts.gpus.clamp(0, GPUS_MAX as i64) as usize,
            model: Models::default(),
        };
        let text = |value: serde_json::Value| match value {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        LiveAgent {
            free: Free::all_of(&capacity(free)),
            machine: Machine {
                name: self.id,
                capacity: capacity(all),
                attributes: self
                    .attributes
                    .into_iter()
                    .map(|(k, v)| (k, text(v)))
                    .collect(),
                ..Machine::default()
            },
            hostname: self.hostname,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::fit::fit_more;
    use serde_json::json;
    use tepui_core::placement::Shape;

    #[test]
    fn a_role_sees_what_is_free_for_it() {
        let cpus = |value: f64, role: Option<&str>| {
            let reservations: Vec<_> = role.iter().map(|role| json!({ "role": role })).collect();
            json!({ "name": "cpus", "type": "SCALAR", "scalar": { "value": value },
                    "reservations": reservations })
        };
        let agent = |id: &str, active: bool| {
            json!({
                "id": id, "hostname": "h", "active": active, "attributes": { "rack": "r1" },
                "unreserved_resources_full": [cpus(4.0, None)],
                "reserved_resources_full": { "web": [cpus(2.0, Some("web"))] },
                "used_resources_full": [cpus(1.0, None), cpus(0.5, Some("web"))],
            })
        };
        let body = json!({ "slaves": [agent("a", true), agent("b", false)] }).to_string();
        let fit = |role: &str| {
            let agents = agents(body.as_bytes(), role).unwrap();
            assert_eq!(agents.len(), 1);
            assert_eq!(agents[0].machine.attributes["rack"], "r1");
            let free: Vec<Free> = agents.iter().map(|agent| agent.free).collect();
            fit_more(
                &free,
                &Shape {
                    cpu_milli: 500,
                    ..Shape::default()
                },
            )
        };
        assert_eq!(
            [fit("*"), fit("web"), fit("web/a"), fit("webber")],
            [6, 9, 9, 6]
        );
        assert!(agents(b"{}", "*").is_err());
    }
}

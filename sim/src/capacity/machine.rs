//! Machines of a cluster.

use super::amounts::Amounts;
use std::collections::BTreeMap;
use std::sync::Arc;
use tepui_core::placement::{Capacity, Free};

/// One machine, empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Its name, or the id of an agent.
    pub name: String,
    /// Its host; empty: as its name.
    pub hostname: String,
    /// What it has, reserved or not.
    pub capacity: Capacity,
    /// How much of that is reserved for which role: `role` or one below it. What is left is for
    /// everybody. GPUs are reserved by their number: which of them is open until they are taken.
    pub reserved: BTreeMap<Arc<str>, Amounts>,
    /// Where and of what kind it is, by the names of attributes.
    pub attributes: BTreeMap<String, String>,
    /// What it costs, in thousandths, in whatever unit the input uses for all of them.
    pub price_milli: Option<i64>,
    /// Whether it takes no more tasks, such as an agent that is drained or deactivated.
    pub closed: bool,
}

impl Machine {
    /// All that it has.
    #[must_use]
    pub fn free(&self) -> Free {
        Free::all_of(&self.capacity)
    }

    /// Its host.
    #[must_use]
    pub fn host(&self) -> &str {
        match self.hostname.as_str() {
            "" => &self.name,
            host => host,
        }
    }

    /// The value of `hostname` or of an attribute.
    #[must_use]
    pub fn value(&self, field: &str) -> Option<&str> {
        match field {
            "hostname" | "@hostname" => Some(self.host()),
            field => self.attributes.get(field).map(String::as_str),
        }
    }
}

//! Machines of a cluster.

use std::collections::BTreeMap;
use tepui_core::placement::{Capacity, Free};

/// One machine, empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Its name, or the id of an agent.
    pub name: String,
    /// What it has.
    pub capacity: Capacity,
    /// Where and of what kind it is, by the names of attributes.
    pub attributes: BTreeMap<String, String>,
}

impl Machine {
    /// All that it has.
    #[must_use]
    pub fn free(&self) -> Free {
        Free::all_of(&self.capacity)
    }
}

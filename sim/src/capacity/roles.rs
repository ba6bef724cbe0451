//! Roles: whose reservations a task may use, and how much a role may use in all.

use super::amounts::Resource;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The role of tasks that name none.
pub const ANY: &str = "*";

/// What is set for a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleSettings {
    /// Its weight among the roles beside it, in thousandths.
    pub weight_milli: i64,
    /// What the cluster keeps for it.
    pub guarantees: BTreeMap<Resource, i64>,
    /// The most that it and all roles below it may use; what is not named is not limited.
    pub limits: BTreeMap<Resource, i64>,
}

impl Default for RoleSettings {
    fn default() -> Self {
        RoleSettings {
            weight_milli: 1000,
            guarantees: BTreeMap::new(),
            limits: BTreeMap::new(),
        }
    }
}

/// By role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles(pub BTreeMap<Arc<str>, RoleSettings>);

impl Roles {
    /// Whether any role has a limit.
    #[must_use]
    pub fn limit_any(&self) -> bool {
        self.0.values().any(|set| !set.limits.is_empty())
    }
}

/// Whether tasks of `role` may use what is reserved for `reserved`: the same role, or one above.
#[must_use]
pub fn covers(reserved: &str, role: &str) -> bool {
    let below = role.strip_prefix(reserved);
    below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
}

/// A task's role; those that name none have `*`.
#[must_use]
pub fn named(role: &str) -> &str {
    if role.is_empty() { ANY } else { role }
}

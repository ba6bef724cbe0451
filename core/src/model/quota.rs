use crate::resources::{Quantities, Scalar};
use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::sync::Arc;
use core::fmt;
use serde::{Deserialize, Serialize};

/// Upper bounds, by the name of a scalar resource. What is not named is not bounded; a bound of
/// nothing is one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits(BTreeMap<Arc<str>, Scalar>);

impl Limits {
    /// Bounds nothing.
    pub const NONE: Limits = Limits(BTreeMap::new());

    /// Whether nothing is bounded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bounds `name`.
    pub fn set(&mut self, name: &str, limit: Scalar) {
        self.0.insert(Arc::from(name), limit);
    }

    /// The bound on `name`, in thousandths, if there is one.
    #[must_use]
    pub fn milli(&self, name: &str) -> Option<i64> {
        self.0.get(name).map(|limit| limit.milli())
    }

    /// Names and bounds.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Scalar)> {
        self.0.iter().map(|(name, limit)| (&**name, *limit))
    }

    /// Whether none of `amounts` is beyond its bound.
    #[must_use]
    pub fn contains(&self, amounts: &Quantities) -> bool {
        let mut bounds = self.0.iter();
        bounds.all(|(name, limit)| amounts.milli(name) <= limit.milli())
    }
}

/// As operators are told: `cpus:2; mem:1024`, or `{}`.
impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("{}");
        }
        for (i, (name, limit)) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{name}:{limit}")?;
        }
        Ok(())
    }
}

/// What a top-level role, together with the roles below it, is sure to get and may have at most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Kept free for it until it has so much.
    pub guarantees: Quantities,
    /// It is offered nothing that would lead beyond.
    pub limits: Limits,
}

impl Quota {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.guarantees.is_zero() && self.limits.is_empty()
    }
}

/// Amounts as operators are told: `cpus:2; mem:1024`, or `{}`.
#[must_use]
pub fn listed(amounts: &Quantities) -> alloc::string::String {
    if amounts.is_zero() {
        return "{}".to_string();
    }
    let mut sorted = Limits::NONE;
    for (name, milli) in amounts.iter() {
        let amount = Scalar::from_milli(milli.min(Scalar::MAX.milli()));
        sorted.set(name, amount.expect("capped, and never negative"));
    }
    sorted.to_string()
}

//! What must hold.

use crate::units::Span;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Who is alive after the healing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Core {
    /// Everybody.
    #[default]
    All,
    /// A majority of the masters, and all others; what else is dead stays dead.
    Majority,
}

/// The liveness phase.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Liveness {
    /// When everything is healed; some time after the last fault if absent.
    pub after: Option<Span>,
    /// How long the cluster then has to converge.
    pub within: Span,
    /// Who is alive from then on.
    pub core: Core,
}

impl Default for Liveness {
    fn default() -> Self {
        Liveness {
            after: None,
            within: Span(Duration::from_secs(60)),
            core: Core::All,
        }
    }
}

/// What must hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expect {
    /// Nothing more needs to be said: all invariants hold always, and are checked always.
    pub always: Option<Always>,
    /// What is reached after the healing; everything that applies if absent.
    pub eventually: Option<Vec<Eventually>>,
    /// Counts that may not be exceeded.
    pub at_most: AtMost,
    /// Counts that must be reached: a run in which nothing happened shows nothing.
    pub at_least: AtMost,
    /// Rare paths that must have been taken.
    pub probes: Vec<String>,
}

impl Expect {
    /// Whether the scenario names this invariant.
    #[must_use]
    pub fn names(&self, invariant: &str) -> bool {
        match &self.always {
            Some(Always::List(list)) => list.iter().any(|name| name == invariant),
            _ => false,
        }
    }
}

/// `always: all`, or a list, to be read by people: every invariant is checked in every run.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Always {
    /// One word.
    Word(String),
    /// Names of invariants that this scenario is about.
    List(Vec<String>),
}

/// Bounds by the name of a count.
pub type AtMost = BTreeMap<String, u64>;

/// Something to be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eventually {
    /// What.
    pub goal: String,
    /// How soon after the healing, if sooner than the phase ends.
    pub within: Option<Duration>,
}

/// The options of a goal.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Within {
    /// How soon after the healing.
    pub within: Option<Span>,
}

struct EventuallyVisitor;

impl<'de> Visitor<'de> for EventuallyVisitor {
    type Value = Eventually;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a goal such as tasks.all-running or { tasks.all-running: { within: 30s } }")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Eventually, E> {
        Ok(Eventually {
            goal: text.to_owned(),
            within: None,
        })
    }
    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Eventually, A::Error> {
        let Some((goal, within)) = map.next_entry::<String, Within>()? else {
            return Err(de::Error::custom("a goal has a name"));
        };
        if map.next_key::<String>()?.is_some() {
            return Err(de::Error::custom("one goal in an entry"));
        }
        Ok(Eventually {
            goal,
            within: within.within.map(|span| span.0),
        })
    }
}

impl<'de> Deserialize<'de> for Eventually {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Eventually, D::Error> {
        deserializer.deserialize_any(EventuallyVisitor)
    }
}

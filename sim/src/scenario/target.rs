//! Whom a fault hits, as scenarios write it: `leader`, `agent-3`, `40% of agents`.

use crate::node::Role;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// Whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The master that leads.
    Leader,
    /// The masters that do not.
    Followers,
    /// One node, by name.
    Named(String),
    /// So many of a kind, drawn at random.
    Random(u32, Role),
    /// One or more followers, drawn at random.
    RandomFollower,
    /// A share of a kind, in per cent, drawn at random.
    Share(u32, Role),
    /// All of a kind.
    All(Role),
    /// Every process on a host of its own.
    Everyone,
    /// Several.
    List(Vec<Target>),
}

/// What can be written, for error messages.
const FORMS: &str = "leader, follower, followers, everyone, all agents, random agent, 3 agents, \
                     40% of agents, or a node's name such as master-1, agent-3 or a framework's";

fn role(text: &str) -> Option<Role> {
    match text {
        "master" | "masters" => Some(Role::Master),
        "agent" | "agents" => Some(Role::Agent),
        "framework" | "frameworks" => Some(Role::Framework),
        "executor" | "executors" => Some(Role::Executor),
        _ => None,
    }
}

impl Target {
    /// Reads one.
    ///
    /// # Errors
    /// When it is none; says what would be.
    pub fn parse(text: &str) -> Result<Target, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let wrong = || format!("'{text}' names nobody: write {FORMS}");
        match words.as_slice() {
            ["leader"] => Ok(Target::Leader),
            ["followers"] => Ok(Target::Followers),
            ["follower"] => Ok(Target::RandomFollower),
            ["everyone"] => Ok(Target::Everyone),
            ["all", kind] => role(kind).map(Target::All).ok_or_else(wrong),
            ["random", kind] => role(kind).map(|r| Target::Random(1, r)).ok_or_else(wrong),
            [share, "of", kind] => {
                let share = share.strip_suffix('%').and_then(|n| n.parse().ok());
                let share: u32 = share.filter(|share| *share <= 100).ok_or_else(wrong)?;
                role(kind)
                    .map(|r| Target::Share(share, r))
                    .ok_or_else(wrong)
            }
            [count, kind] if role(kind).is_some() => {
                let count = count.parse().map_err(|_| wrong())?;
                role(kind)
                    .map(|r| Target::Random(count, r))
                    .ok_or_else(wrong)
            }
            [plural @ ("masters" | "agents" | "frameworks" | "executors")] => {
                role(plural).map(Target::All).ok_or_else(wrong)
            }
            [name] => Ok(Target::Named((*name).to_owned())),
            _ => Err(wrong()),
        }
    }

    /// The names in it, to be checked against the cluster.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Target::Named(name) => vec![name],
            Target::List(list) => list.iter().flat_map(Target::names).collect(),
            _ => Vec::new(),
        }
    }
}

struct TargetVisitor;

impl<'de> Visitor<'de> for TargetVisitor {
    type Value = Target;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{FORMS}; or a list of those")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Target, E> {
        Target::parse(text).map_err(E::custom)
    }
    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Target, A::Error> {
        let mut list = Vec::new();
        while let Some(target) = seq.next_element()? {
            list.push(target);
        }
        Ok(Target::List(list))
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Target, D::Error> {
        deserializer.deserialize_any(TargetVisitor)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = |role: &Role| match role {
            Role::Master => "masters",
            Role::Agent => "agents",
            Role::Executor => "executors",
            Role::Framework => "frameworks",
        };
        match self {
            Target::Leader => f.write_str("leader"),
            Target::Followers => f.write_str("followers"),
            Target::RandomFollower => f.write_str("follower"),
            Target::Named(name) => f.write_str(name),
            Target::Random(count, role) => write!(f, "{count} {}", kind(role)),
            Target::Share(share, role) => write!(f, "{share}% of {}", kind(role)),
            Target::All(role) => write!(f, "all {}", kind(role)),
            Target::Everyone => f.write_str("everyone"),
            Target::List(list) => {
                let names: Vec<String> = list.iter().map(ToString::to_string).collect();
                f.write_str(&names.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_read_as_people_write_them() {
        for (text, target) in [
            ("leader", Target::Leader),
            ("40% of agents", Target::Share(40, Role::Agent)),
            ("random master", Target::Random(1, Role::Master)),
            ("3 agents", Target::Random(3, Role::Agent)),
            ("agents", Target::All(Role::Agent)),
            ("agent-3", Target::Named("agent-3".into())),
        ] {
            assert_eq!(Target::parse(text), Ok(target), "{text}");
        }
        for bad in [
            "",
            "140% of agents",
            "some of agents",
            "random thing",
            "a b c d",
        ] {
            assert!(Target::parse(bad).is_err(), "{bad}");
        }
    }
}

//! What is done to a cluster at a time or on a condition: faults, and what operators and clients
//! do.

use super::{OperatorStep, Target};
use crate::units::Span;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// One step. Exactly one of the actions is given, and one of `at` and `when`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Step {
    /// At this time.
    pub at: Option<Span>,
    /// When something happens.
    pub when: Option<When>,
    /// Only when it happens to one of these.
    pub of: Option<Target>,
    /// The how-manieth time that it happens; the first if absent.
    pub nth: Option<u32>,
    /// Then this much later.
    pub after: Option<Span>,
    /// And again and again, this much later each time.
    pub every: Option<Span>,
    /// So many times in all; once if absent, without end if only `every` is given.
    pub times: Option<u32>,
    /// How long it lasts; until the healing if absent.
    #[serde(rename = "for")]
    pub lasts: Option<Span>,

    /// `kill -9`. With `for`, started again afterwards.
    pub crash: Option<Target>,
    /// The host loses power: unsynced writes are lost, agents' containers with it. With `for`,
    /// it boots again afterwards.
    pub power_cut: Option<Target>,
    /// Started again, if dead.
    pub start: Option<Target>,
    /// Killed, its disk replaced by an empty one, started again (after `for`, if given).
    pub wipe: Option<Target>,
    /// SIGSTOP; with `for`, SIGCONT afterwards.
    pub pause: Option<Target>,
    /// SIGCONT.
    pub resume: Option<Target>,
    /// All connections of these are reset.
    pub reset: Option<Target>,
    /// The network falls apart.
    pub partition: Option<Partition>,
    /// All partitions, clogs and message rules end.
    pub heal: Option<bool>,
    /// Everything to and from some nodes gets slow.
    pub clog: Option<Clog>,
    /// These messages are lost; a connection breaks with it.
    pub drop: Option<Script>,
    /// These messages come late.
    pub delay: Option<Script>,
    /// These messages (of masters among themselves) wait for a release.
    pub hold: Option<Script>,
    /// These messages (of masters among themselves) come twice.
    pub duplicate: Option<Script>,
    /// Rules of this name end; what they held back is sent on.
    pub release: Option<String>,
    /// Something is wrong with disks.
    pub disk: Option<Disk>,
    /// Wall clocks jump.
    pub clock_jump: Option<ClockJump>,
    /// Monotonic clocks run fast or slow.
    pub clock_drift: Option<ClockDrift>,

    /// A client appends a value at a master of a cluster of kind `log`.
    pub append: Option<AppendStep>,
    /// A service is to have another number of instances.
    pub scale: Option<Scale>,
    /// A scheduler is told to end, and its framework with it.
    pub teardown: Option<Target>,
    /// A scheduler is told to end; its framework waits for the next one.
    pub stop: Option<Target>,
    /// Agents are shut down for good.
    pub shutdown: Option<Target>,
    /// An operator asks the leader for something.
    pub operator: Option<OperatorStep>,
}

/// A condition: something that happens, or that has happened so often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// It happens.
    Happens(Condition),
    /// So many are so now, or it has happened so often.
    Reaches(Condition, u64),
}

/// The name of something that may happen; see [`crate::observe::OCCURRENCES`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition(pub String);

impl Condition {
    fn parse<E: de::Error>(text: &str) -> Result<Condition, E> {
        let known = crate::observe::OCCURRENCES;
        if known.contains(&text) {
            return Ok(Condition(text.to_owned()));
        }
        let hint = super::suggest::nearest(text, known.iter().copied());
        Err(E::custom(format!(
            "nothing is called '{text}'{}",
            hint.map_or_else(
                || format!(": it may be {}", known.join(", ")),
                |near| format!(": did you mean '{near}'?")
            )
        )))
    }
}

struct WhenVisitor;

impl<'de> Visitor<'de> for WhenVisitor {
    type Value = When;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a condition such as leader-elected or { task-running: 10 }")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<When, E> {
        Ok(When::Happens(Condition::parse(text)?))
    }
    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<When, A::Error> {
        let Some((name, count)) = map.next_entry::<String, u64>()? else {
            return Err(de::Error::custom("a condition has a name"));
        };
        if map.next_key::<String>()?.is_some() {
            return Err(de::Error::custom("one condition at a time"));
        }
        Ok(When::Reaches(Condition::parse(&name)?, count))
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<When, D::Error> {
        deserializer.deserialize_any(WhenVisitor)
    }
}

/// Which way a partition cuts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Both ways.
    #[default]
    Both,
    /// What the named nodes send is lost.
    Out,
    /// What is sent to the named nodes is lost.
    In,
}

/// How the network falls apart. Exactly one of the shapes is given.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Partition {
    /// These against `against`.
    pub isolate: Option<Target>,
    /// Each of these against `against` and against each other.
    pub scatter: Option<Target>,
    /// Two random halves of these against each other.
    pub halves: Option<Target>,
    /// Two random halves of the masters that only this one can talk to both of.
    pub bridge: Option<Target>,
    /// Groups that do not hear each other.
    pub groups: Option<Vec<Target>>,
    /// A ring: every master of these hears only a majority, each another one.
    pub majorities_ring: Option<Target>,
    /// Against whom; everyone else if absent.
    pub against: Option<Target>,
    /// Which way.
    pub direction: Direction,
}

/// A slow stretch of the network.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clog {
    /// Whose messages, to and from.
    pub nodes: Target,
    /// By how much, at most.
    pub delay: Span,
    /// One after the other, this far apart, and unclogged in random order (FoundationDB's
    /// swizzle).
    #[serde(default)]
    pub swizzle: Option<Span>,
}

/// Which messages a rule hits.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// Whose; anybody's if absent.
    pub from: Option<Target>,
    /// To whom; anybody if absent.
    pub to: Option<Target>,
    /// Which, such as `accept` or `update.finished`; all if absent.
    pub kind: Option<String>,
    /// So many are let through first.
    pub skip: u32,
    /// Then so many are hit; all if absent.
    pub count: Option<u32>,
    /// How late they come.
    pub by: Option<Span>,
    /// By which a release finds the rule.
    pub name: Option<String>,
}

/// What is wrong with a disk.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// Whose.
    pub of: Target,
    /// No space is left.
    #[serde(default)]
    pub full: bool,
    /// The next sync fails, and says afterwards that all is well.
    #[serde(default)]
    pub fail_sync: bool,
    /// Everything takes this much longer.
    #[serde(default)]
    pub slow: Option<Span>,
    /// A record that was durable rots: the node is killed, a byte of its journal changes, and it
    /// is started again.
    #[serde(default)]
    pub rot: bool,
    /// The node is killed in the middle of a write, which is cut at a random byte, and started
    /// again.
    #[serde(default)]
    pub torn: bool,
}

/// Wall clocks jump.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockJump {
    /// Whose.
    pub of: Target,
    /// By how much.
    pub by: Span,
    /// Back instead of forward.
    #[serde(default)]
    pub back: bool,
}

/// Monotonic clocks run fast or slow.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockDrift {
    /// Whose.
    pub of: Target,
    /// By how many millionths; negative is slow.
    pub ppm: i32,
}

/// One value of a client.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppendStep {
    /// At whom.
    pub to: Target,
    /// What.
    pub value: String,
}

/// A service's new size.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// Which.
    pub service: Target,
    /// How many.
    pub instances: u32,
}

impl Step {
    /// The names of the actions given: one, if the step is right.
    #[must_use]
    pub fn actions(&self) -> Vec<&'static str> {
        let given = [
            ("crash", self.crash.is_some()),
            ("power_cut", self.power_cut.is_some()),
            ("start", self.start.is_some()),
            ("wipe", self.wipe.is_some()),
            ("pause", self.pause.is_some()),
            ("resume", self.resume.is_some()),
            ("reset", self.reset.is_some()),
            ("partition", self.partition.is_some()),
            ("heal", self.heal.is_some()),
            ("clog", self.clog.is_some()),
            ("drop", self.drop.is_some()),
            ("delay", self.delay.is_some()),
            ("hold", self.hold.is_some()),
            ("duplicate", self.duplicate.is_some()),
            ("release", self.release.is_some()),
            ("disk", self.disk.is_some()),
            ("clock_jump", self.clock_jump.is_some()),
            ("clock_drift", self.clock_drift.is_some()),
            ("append", self.append.is_some()),
            ("scale", self.scale.is_some()),
            ("teardown", self.teardown.is_some()),
            ("stop", self.stop.is_some()),
            ("shutdown", self.shutdown.is_some()),
            ("operator", self.operator.is_some()),
        ];
        let given = given.iter().filter(|(_, is)| *is);
        given.map(|(name, _)| *name).collect()
    }

    /// What is wrong with the step, if anything.
    ///
    /// # Errors
    /// Says what to write.
    pub fn validate(&self) -> Result<(), String> {
        match self.actions().as_slice() {
            [_] => {}
            [] => return Err("a step without an action: write crash, partition, drop ..".into()),
            many => {
                return Err(format!(
                    "a step does one thing, this one has {}: make it {} steps",
                    many.join(" and "),
                    many.len()
                ));
            }
        }
        match (self.at, &self.when) {
            (None, None) => return Err("a step needs `at: 20s` or `when: leader-elected`".into()),
            (Some(_), Some(_)) => {
                return Err("a step has either `at` or `when`; `after` delays a `when`".into());
            }
            _ => {}
        }
        if self
            .delay
            .as_ref()
            .is_some_and(|script| script.by.is_none())
        {
            return Err("a delay says by how much: `by: 2s`".into());
        }
        if let Some(operator) = &self.operator {
            operator.validate()?;
        }
        match &self.partition {
            Some(partition) => partition.validate(),
            None => Ok(()),
        }
    }

    /// Every target in it.
    #[must_use]
    pub fn targets(&self) -> Vec<&Target> {
        let mut all: Vec<&Target> = [
            &self.of,
            &self.crash,
            &self.power_cut,
            &self.start,
            &self.wipe,
            &self.pause,
            &self.resume,
            &self.reset,
            &self.teardown,
            &self.stop,
            &self.shutdown,
        ]
        .into_iter()
        .flatten()
        .collect();
        for script in [&self.drop, &self.delay, &self.hold, &self.duplicate] {
            let script = script.iter();
            all.extend(script.flat_map(|script| script.from.iter().chain(&script.to)));
        }
        if let Some(p) = &self.partition {
            let one = [
                &p.isolate,
                &p.scatter,
                &p.halves,
                &p.bridge,
                &p.majorities_ring,
                &p.against,
            ];
            all.extend(one.into_iter().flatten());
            all.extend(p.groups.iter().flatten());
        }
        all.extend(self.clog.iter().map(|clog| &clog.nodes));
        all.extend(self.disk.iter().map(|disk| &disk.of));
        all.extend(self.clock_jump.iter().map(|jump| &jump.of));
        all.extend(self.clock_drift.iter().map(|drift| &drift.of));
        all.extend(self.append.iter().map(|append| &append.to));
        all.extend(self.operator.iter().flat_map(OperatorStep::targets));
        all.extend(self.scale.iter().map(|scale| &scale.service));
        all
    }
}

impl Partition {
    fn validate(&self) -> Result<(), String> {
        let shapes = [
            self.isolate.is_some(),
            self.scatter.is_some(),
            self.halves.is_some(),
            self.bridge.is_some(),
            self.groups.is_some(),
            self.majorities_ring.is_some(),
        ];
        if shapes.iter().filter(|given| **given).count() == 1 {
            return Ok(());
        }
        Err(
            "a partition has one shape: isolate, scatter, halves, bridge, groups or \
             majorities_ring"
                .into(),
        )
    }
}

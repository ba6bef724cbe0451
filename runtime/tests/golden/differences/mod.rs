//! Where our answers differ from a real Mesos', and why.

pub mod agent;
pub mod master;

use std::fmt;

/// In what an answer differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The status.
    Status,
    /// The media type.
    ContentType,
    /// The methods that would be allowed.
    Allow,
    /// The text of a refusal.
    Reason,
    /// A key that is not there.
    Missing,
    /// A key that Mesos does not have.
    More,
    /// A value of another type.
    Type,
}

/// One difference. Patterns may end with `*`.
#[derive(Debug)]
pub struct Difference {
    /// In which captures.
    pub captures: &'static [&'static str],
    /// In what.
    pub kind: Kind,
    /// Where, or what is there instead.
    pub what: &'static [&'static str],
    /// The reason.
    pub why: &'static str,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference {
            captures,
            kind,
            what,
            why,
        } = self;
        write!(f, "{captures:?}: {kind:?}: {what:?} ({why})")
    }
}

//! What happened, as people read it.

use crate::time::SimTime;
use std::fmt;

/// A run that says more than this says nothing: later lines are counted, not kept.
const LINES_MAX: usize = 20_000;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: SimTime,
    /// Who; empty for what was done to the cluster from outside.
    pub who: String,
    /// What.
    pub text: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = if self.who.is_empty() {
            "* fault"
        } else {
            &self.who
        };
        write!(f, "{}s  {:<12} {}", self.at, who, self.text)
    }
}

/// The lines of a run, in order.
#[derive(Debug, Default)]
pub struct Timeline {
    enabled: bool,
    chatty: bool,
    lines: Vec<Line>,
    dropped: u64,
}

impl Timeline {
    /// One that keeps nothing unless `enabled`, and every little thing if `chatty`.
    #[must_use]
    pub fn new(enabled: bool, chatty: bool) -> Timeline {
        Timeline {
            enabled: enabled || chatty,
            chatty,
            ..Timeline::default()
        }
    }

    /// Whether every little thing is wanted.
    #[inline]
    #[must_use]
    pub fn chatty(&self) -> bool {
        self.chatty
    }

    /// Whether lines are kept: nobody formats what nobody reads.
    #[inline]
    #[must_use]
    pub fn enabled(&self) -> bool {
        self.enabled
    }

    /// Adds a line.
    pub fn push(&mut self, at: SimTime, who: String, text: String) {
        if !self.enabled {
            return;
        }
        if self.lines.len() < LINES_MAX {
            self.lines.push(Line { at, who, text });
        } else {
            self.dropped += 1;
        }
    }

    /// The lines kept.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// How many more there were.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

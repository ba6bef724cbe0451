//! What a master has only while it campaigns or leads: without it, it cannot act.

use super::ballot::{Ballot, Position};
use super::campaign::Campaign;
use super::fences::Fences;
use super::life::Lives;
use super::pipeline::Pipeline;
use crate::election::Lease;
use crate::time::Time;

/// The proposer of one ballot.
#[derive(Clone, Debug)]
pub(super) struct Coordinator {
    pub ballot: Ballot,
    pub phase: Phase,
    /// What is known of lives; votes of void ones are not counted.
    pub lives: Lives,
}

/// How far a coordinator has got.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    /// Collecting promises.
    Preparing(Campaign),
    /// A quorum has promised: it proposes.
    Leading(Leading),
}

/// The part of a coordinator that proposes.
#[derive(Clone, Debug)]
pub(super) struct Leading {
    pub pipeline: Pipeline,
    pub lease: Lease,
    pub fences: Fences,
    pub heartbeat_at: Time,
    /// Everything up to here was accepted by somebody before: it is proposed again, and must be
    /// chosen before this coordinator is elected.
    pub fill_through: Position,
    /// Elected, and since when.
    pub acting_since: Option<Time>,
}

impl Coordinator {
    /// The part that proposes, once a quorum has promised.
    pub fn leading(&self) -> Option<&Leading> {
        match &self.phase {
            Phase::Preparing(_) => None,
            Phase::Leading(leading) => Some(leading),
        }
    }

    /// The same, to be changed.
    pub fn leading_mut(&mut self) -> Option<&mut Leading> {
        match &mut self.phase {
            Phase::Preparing(_) => None,
            Phase::Leading(leading) => Some(leading),
        }
    }
}

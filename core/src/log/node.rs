//! One master's part of the log, composed of its machines.

use super::ballot::{Ballot, Position};
use super::config::Config;
use super::effect::{Effect, Input};
use super::life::Incarnation;
use super::membership::Membership;
use super::replica::Status;
use super::write::Recovered;
use crate::ids::MasterId;
use crate::machine::Machine;
use crate::outbox::Outbox;
use crate::rng::Rng;
use crate::time::{Now, Time};

/// One master's log: election, replica, coordinator, catch-up and recovery.
#[derive(Clone, Debug)]
pub struct Node {
    config: Config,
    membership: Membership,
}

impl Node {
    /// Builds the node from what is on its disk and pushes what follows from it: the snapshot
    /// and everything learned, to be applied; first writes.
    ///
    /// `config` must have passed [`Config::validate`].
    #[must_use]
    pub fn recover(
        config: Config,
        _rng: Rng,
        _recovered: Recovered,
        _now: Now,
        _fx: &mut Outbox<Effect>,
    ) -> Node {
        let membership = config.bootstrap.clone();
        Node { config, membership }
    }

    /// This master.
    #[must_use]
    pub fn me(&self) -> MasterId {
        self.config.me
    }

    /// How far this replica has got.
    #[must_use]
    pub fn status(&self) -> Status {
        Status::Empty
    }

    /// This replica's life.
    #[must_use]
    pub fn incarnation(&self) -> Incarnation {
        Incarnation::default()
    }

    /// The masters as the log knows them.
    #[must_use]
    pub fn membership(&self) -> &Membership {
        &self.membership
    }

    /// No ballot below this one is answered any more.
    #[must_use]
    pub fn promised(&self) -> Ballot {
        Ballot::NONE
    }

    /// The first position that is not truncated.
    #[must_use]
    pub fn begin(&self) -> Position {
        Position::FIRST
    }

    /// The highest accepted or learned position.
    #[must_use]
    pub fn end(&self) -> Position {
        Position::ZERO
    }

    /// Everything up to here is learned and applied.
    #[must_use]
    pub fn learned_through(&self) -> Position {
        Position::ZERO
    }

    /// The ballot that this master acts with as the leader, and since when.
    #[must_use]
    pub fn acting(&self) -> Option<(Ballot, Time)> {
        None
    }

    /// Who leads, as far as this master knows.
    #[must_use]
    pub fn leader(&self) -> Option<MasterId> {
        None
    }
}

impl Machine for Node {
    type Input = Input;
    type Effect = Effect;

    fn handle(&mut self, _now: Now, _input: Input, _fx: &mut Outbox<Effect>) {}

    fn deadline(&self) -> Option<Time> {
        None
    }
}

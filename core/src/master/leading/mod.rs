//! All that a master needs in order to act: agents, frameworks, offers and tasks.
//!
//! [`Leading`] exists only while the master leads: a master without leadership has nothing to act
//! with. What must survive a change of leader is in the [`registry`](crate::registry); everything
//! else is told again by agents when they re-register and by frameworks when they subscribe.

mod config;
mod notice;

pub use config::{Config, RateLimit};
pub use notice::{Notice, Probe};

use crate::ids::Peer;
use crate::log::Ballot;
use crate::message::{agent, scheduler};
use crate::model::MasterInfo;
use crate::outbox::Outbox;
use crate::registry::{self, Operation, Registry};
use crate::rng::Rng;
use crate::time::{Now, Time};
use alloc::string::String;

/// What a leading master wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Say something to an agent.
    ToAgent {
        /// On which connection.
        peer: Peer,
        /// What.
        message: agent::ToAgent,
    },
    /// Say something to a scheduler.
    ToScheduler {
        /// On which connection.
        peer: Peer,
        /// What.
        message: scheduler::ToScheduler,
    },
    /// Close a connection; nothing more is wanted of it.
    Close {
        /// Which.
        peer: Peer,
    },
    /// Store this in the registry; answered by [`Leading::on_stored`] or
    /// [`Leading::on_store_refused`]. At most one operation for each agent is under way.
    Store {
        /// What.
        operation: Operation,
    },
    /// Give up leading.
    StepDown {
        /// Why.
        why: String,
    },
    /// What happened, for people.
    Notice(Notice),
}

/// All that a master needs in order to act. It exists only while the master leads.
#[derive(Clone, Debug)]
pub struct Leading {
    config: Config,
    ballot: Ballot,
    me: MasterInfo,
}

impl Leading {
    /// `ballot` is the one that `me` was elected with, `registry` what masters agree on at that
    /// time, this leader's own record included.
    #[must_use]
    pub fn new(
        config: &Config,
        _rng: &Rng,
        ballot: Ballot,
        me: MasterInfo,
        _registry: &Registry,
        _now: Now,
    ) -> Leading {
        Leading {
            config: config.clone(),
            ballot,
            me,
        }
    }

    /// An agent says something.
    pub fn on_agent(
        &mut self,
        _now: Now,
        _peer: Peer,
        _message: agent::ToMaster,
        _fx: &mut Outbox<Effect>,
    ) {
    }

    /// A scheduler says something.
    pub fn on_scheduler(
        &mut self,
        _now: Now,
        _peer: Peer,
        _message: scheduler::ToMaster,
        _fx: &mut Outbox<Effect>,
    ) {
    }

    /// A connection broke, of whomever.
    pub fn on_disconnected(&mut self, _now: Now, _peer: Peer, _fx: &mut Outbox<Effect>) {}

    /// An operation is durable and applied, or was rejected. Also for operations that the owner
    /// stored by itself, such as [`Operation::Prune`].
    pub fn on_stored(
        &mut self,
        _now: Now,
        _operation: &Operation,
        _result: &Result<(), registry::Reject>,
        _fx: &mut Outbox<Effect>,
    ) {
    }

    /// An operation was not taken by the registrar: too much waits. It is tried again later.
    pub fn on_store_refused(
        &mut self,
        _now: Now,
        _operation: &Operation,
        _fx: &mut Outbox<Effect>,
    ) {
    }

    /// The deadline came.
    pub fn on_tick(&mut self, _now: Now, _fx: &mut Outbox<Effect>) {}

    /// When [`Leading::on_tick`] is next due.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        None
    }

    /// The ballot it leads with.
    #[must_use]
    pub const fn ballot(&self) -> Ballot {
        self.ballot
    }

    /// Who leads.
    #[must_use]
    pub const fn me(&self) -> &MasterInfo {
        &self.me
    }

    /// Its time-outs and bounds.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }
}

use super::leading::Leading;
use crate::ids::Peer;
use crate::log::Ballot;
use crate::message::{agent, operator, scheduler};
use crate::registry::Registrar;
use crate::time::Time;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// What a master may do. The state that is needed to act exists only in
/// [`Standing::Leading`]: a master that does not lead has nothing to act with.
#[derive(Clone, Debug)]
pub(super) enum Standing {
    /// Applies the log, and sends agents and schedulers to the leader.
    Following,
    /// Elected; serves as soon as the registry says so, durably.
    Recording(Box<Recording>),
    /// Recorded as the leader.
    Leading(Box<Serving>),
    /// Has asked the log to step down, and no longer acts.
    SteppingDown {
        /// The ballot it led with.
        ballot: Ballot,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Recording {
    pub(super) ballot: Ballot,
    pub(super) registrar: Registrar,
    /// What came meanwhile, in order.
    pub(super) held: Vec<Held>,
}

#[derive(Clone, Debug)]
pub(super) struct Serving {
    pub(super) registrar: Registrar,
    pub(super) leading: Leading,
    /// When to look for what the registry may forget.
    pub(super) gc_at: Time,
}

impl Serving {
    pub(super) fn deadline(&self) -> Time {
        let leading = self.leading.deadline();
        leading.map_or(self.gc_at, |at| at.min(self.gc_at))
    }
}

/// Something that came while the new leader was being recorded.
#[derive(Clone, Debug)]
pub(super) enum Held {
    Agent(Peer, agent::ToMaster),
    Scheduler(Peer, scheduler::ToMaster),
    Operator(operator::RequestId, operator::Request),
    /// At most one for each connection that something is held of.
    Disconnected(Peer),
}

impl Standing {
    /// The ballot of this leadership, from the election to its end.
    pub(super) fn ballot(&self) -> Option<Ballot> {
        match self {
            Standing::Following => None,
            Standing::Recording(recording) => Some(recording.ballot),
            Standing::Leading(serving) => Some(serving.leading.ballot()),
            Standing::SteppingDown { ballot } => Some(*ballot),
        }
    }

    pub(super) fn registrar(&self) -> Option<&Registrar> {
        match self {
            Standing::Recording(recording) => Some(&recording.registrar),
            Standing::Leading(serving) => Some(&serving.registrar),
            Standing::Following | Standing::SteppingDown { .. } => None,
        }
    }

    pub(super) fn registrar_mut(&mut self) -> Option<&mut Registrar> {
        match self {
            Standing::Recording(recording) => Some(&mut recording.registrar),
            Standing::Leading(serving) => Some(&mut serving.registrar),
            Standing::Following | Standing::SteppingDown { .. } => None,
        }
    }
}

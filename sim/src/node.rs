//! What a simulated process is, besides the machine that runs in it.

use crate::clock::Clock;
use crate::disk::Disk;
use crate::host::Host;
use crate::machine::{SimNode, Spec};
use crate::time::SimTime;
use crate::world::Delivery;
use std::collections::VecDeque;
use tepui_core::ids::Peer;

/// Names a node for the length of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(pub u32);

impl NodeIndex {
    /// Its place in lists of nodes.
    #[must_use]
    pub const fn slot(self) -> usize {
        self.0 as usize
    }
}

/// What a node is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A master, or a bare replica of the log.
    Master,
    /// An agent.
    Agent,
    /// An executor in a container of an agent.
    Executor,
    /// A framework's scheduler.
    Framework,
}

/// How a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    /// It runs.
    Up,
    /// It was stopped (SIGSTOP): what comes in waits.
    Paused,
    /// It is dead.
    Down,
}

/// One process.
#[derive(Debug)]
pub struct Node {
    /// Such as `master-1`.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// How it is.
    pub process: Process,
    /// Whether its host has power; a dead process on a live host answers with a reset.
    pub host_up: bool,
    /// Counts its runs: what was meant for an old run is dropped.
    pub run: u32,
    /// What runs in it; none while it is down.
    pub machine: Option<SimNode>,
    /// From what it is built at each start.
    pub spec: Spec,
    /// Its clocks.
    pub clock: Clock,
    /// Its disk.
    pub disk: Disk,
    /// What else is on an agent's host.
    pub host: Host,
    /// The one pending tick in the queue; an entry with another time is stale.
    pub tick_at: SimTime,
    /// What came in while it was paused.
    pub backlog: VecDeque<Delivery>,
    /// Connections it asked for: few.
    pub outbound: Vec<(Peer, crate::net::ConnectionKey)>,
    /// Attempts to connect that it gave up before they arrived.
    pub cancelled: Vec<Peer>,
    /// Whether it stays down in the liveness phase (a permanent failure).
    pub written_off: bool,
    /// Why it ended by itself, if it did.
    pub halted: Option<String>,
    /// Whether it has done its work and ended well: it is not started again.
    pub left: bool,
}

impl Node {
    /// Whether inputs reach it now.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.process == Process::Up
    }
}

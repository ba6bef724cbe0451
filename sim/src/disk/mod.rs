//! Disks: what is durable, what is about to be, and what can go wrong in between.

mod bytes;
mod lane;
mod storage;

pub use lane::Lane;
pub use storage::{Record, Storage};

use crate::net::Latency;
use crate::units::{Chance, Span};
use std::time::Duration;
use tepui_core::rng::Rng;
use tepui_core::{agent, log, scheduler};

/// How disks are when nothing is broken on purpose.
#[derive(Clone, Copy, Debug)]
pub struct DiskConfig {
    /// Of a write with its sync.
    pub latency: Latency,
    /// That a sync stalls, as disks do now and then.
    pub stall: Chance,
    /// For how long it then stalls, at most.
    pub stall_for: Duration,
}

impl Default for DiskConfig {
    fn default() -> Self {
        DiskConfig {
            latency: Latency::Lognormal {
                median: Span(Duration::from_micros(150)),
                spread_percent: 60,
            },
            stall: Chance::NEVER,
            stall_for: Duration::from_millis(500),
        }
    }
}

/// Faults of one node's disk that wait to happen or hold now.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiskFaults {
    /// No space is left: the next write ends the process.
    pub full: bool,
    /// The next sync fails, after which the pages count as clean: whoever syncs again is told
    /// that all is well.
    pub fail_sync: bool,
    /// Everything takes this much longer.
    pub slow: Duration,
}

/// What a node keeps, by what it is.
#[derive(Debug)]
pub enum Disk {
    /// A master's journal and snapshot.
    Master(Storage<log::Write>),
    /// An agent's journal.
    Agent(Storage<agent::Write>),
    /// A framework's journal.
    Framework(Storage<scheduler::Write>),
    /// Executors keep nothing.
    None,
}

impl Disk {
    /// The lane of a master's snapshot; everything else is lane 0.
    pub const SNAPSHOT_LANE: u8 = 1;

    /// What is wrong with it; none where there is no disk.
    pub fn faults_mut(&mut self) -> Option<&mut DiskFaults> {
        match self {
            Disk::Master(storage) => Some(&mut storage.faults),
            Disk::Agent(storage) => Some(&mut storage.faults),
            Disk::Framework(storage) => Some(&mut storage.faults),
            Disk::None => None,
        }
    }

    /// Starts a sync of a lane.
    pub fn start_sync(&mut self, lane: u8) {
        match self {
            Disk::Master(storage) => storage.start_sync(lane),
            Disk::Agent(storage) => storage.start_sync(lane),
            Disk::Framework(storage) => storage.start_sync(lane),
            Disk::None => 0,
        };
    }

    /// The process died with writes under way.
    pub fn crash(&mut self, rng: &mut Rng, see: impl FnMut(&log::Write)) {
        match self {
            Disk::Master(storage) => storage.crash(rng, see),
            Disk::Agent(storage) => storage.crash(rng, |_| {}),
            Disk::Framework(storage) => storage.crash(rng, |_| {}),
            Disk::None => {}
        }
    }

    /// Now and then a restart reads the journal as bytes.
    pub fn check_bytes(&self, rng: &mut Rng) {
        match self {
            Disk::Master(storage) => storage.check_bytes(rng),
            Disk::Agent(storage) => storage.check_bytes(rng),
            Disk::Framework(storage) => storage.check_bytes(rng),
            Disk::None => {}
        }
    }

    /// An empty disk takes its place.
    pub fn wipe(&mut self) {
        match self {
            Disk::Master(storage) => storage.wipe(),
            Disk::Agent(storage) => storage.wipe(),
            Disk::Framework(storage) => storage.wipe(),
            Disk::None => {}
        }
    }

    /// Writes that a crash now could lose.
    #[must_use]
    pub fn unsynced(&self) -> usize {
        match self {
            Disk::Master(storage) => storage.unsynced(),
            Disk::Agent(storage) => storage.unsynced(),
            Disk::Framework(storage) => storage.unsynced(),
            Disk::None => 0,
        }
    }

    /// A record that was durable cannot be read any more.
    pub fn rot(&mut self, rng: &mut Rng) {
        if let Disk::Master(storage) = self {
            storage.rot(rng);
        }
    }
}

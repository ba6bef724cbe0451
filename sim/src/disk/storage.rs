//! What is on one node's disk.

use super::{DiskFaults, Lane, bytes};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use tepui_core::durable::WriteSequence;
use tepui_core::rng::Rng;
use tepui_core::{agent, log, scheduler};

/// A record of some journal.
pub trait Record: Clone + Debug + PartialEq + Serialize + DeserializeOwned {
    /// Whether everything before it in its lane may be forgotten.
    fn replaces_all_before(&self) -> bool;
}

impl Record for log::Write {
    fn replaces_all_before(&self) -> bool {
        matches!(self, log::Write::Checkpoint(_) | log::Write::Snapshot(_))
    }
}

impl Record for agent::Write {
    fn replaces_all_before(&self) -> bool {
        matches!(self, agent::Write::Snapshot(_))
    }
}

impl Record for scheduler::Write {
    fn replaces_all_before(&self) -> bool {
        self.supersedes_all_before()
    }
}

/// The lanes of one disk.
const LANES: usize = 2;

/// One restart in so many reads its journal as bytes, unless it is very long.
const BYTES_ONE_IN: u64 = 16;
const BYTES_RECORDS_MAX: usize = 4_096;

/// One crash in so many that loses a write tears it.
const TORN_ONE_IN: u64 = 4;

/// One disk: what is durable and what is under way.
#[derive(Debug)]
pub struct Storage<W> {
    lanes: [Lane<W>; LANES],
    durable: [Vec<W>; LANES],
    damage: Option<log::Damage>,
    /// What is wrong with it.
    pub faults: DiskFaults,
}

impl<W> Default for Storage<W> {
    fn default() -> Self {
        Storage {
            lanes: [Lane::default(), Lane::default()],
            durable: [Vec::new(), Vec::new()],
            damage: None,
            faults: DiskFaults::default(),
        }
    }
}

impl<W: Record> Storage<W> {
    /// Takes a write; true when a sync is to be started.
    pub fn push(&mut self, lane: u8, sequence: WriteSequence, write: W) -> bool {
        self.lanes[lane as usize].push(sequence, write)
    }

    /// Starts a sync; says how many writes it covers.
    pub fn start_sync(&mut self, lane: u8) -> usize {
        self.lanes[lane as usize].start()
    }

    /// A sync is done: says up to where all is durable, and whether more waits. Each write is
    /// shown to `see` on its way.
    pub fn finish_sync(&mut self, lane: u8, mut see: impl FnMut(&W)) -> (WriteSequence, bool) {
        // What was damaged is replaced by the first that a new run makes durable.
        self.damage = None;
        let durable = &mut self.durable[lane as usize];
        let up_to = self.lanes[lane as usize].finish(|write| {
            see(&write);
            keep(durable, write);
        });
        (up_to, self.lanes[lane as usize].waits())
    }

    /// Writes that no sync covers yet, at worst lost by a crash.
    #[must_use]
    pub fn unsynced(&self) -> usize {
        self.lanes.iter().map(Lane::unsynced).sum()
    }

    /// The writes of a lane that no sync covers yet.
    pub fn under_way(&self, lane: u8) -> impl Iterator<Item = &W> {
        self.lanes[lane as usize].under_way()
    }

    /// The process died. What was handed to the disk but not synced survives up to a random
    /// point: nothing, all, or something in between, each often.
    pub fn crash(&mut self, rng: &mut Rng, mut see: impl FnMut(&W)) {
        for (lane, durable) in self.lanes.iter_mut().zip(&mut self.durable) {
            let unsynced = lane.unsynced();
            let survivors = match rng.below(4) {
                0 => 0,
                1 => unsynced,
                _ => rng.below(unsynced as u64 + 1) as usize,
            };
            if survivors > 0 {
                self.damage = None;
            }
            let lost = lane.crash(survivors, |write| {
                see(&write);
                keep(durable, write);
            });
            if let Some(lost) = lost
                && durable.len() < BYTES_RECORDS_MAX
                && rng.chance(1, TORN_ONE_IN)
            {
                bytes::check_torn(durable, &lost, rng);
            }
        }
    }

    /// The disk is replaced by an empty one.
    pub fn wipe(&mut self) {
        *self = Storage::default();
    }

    /// One byte of the journal rots: a restart reads up to it and no further.
    pub fn rot(&mut self, rng: &mut Rng) {
        if let Some(read) = bytes::rot(&self.durable[0], rng) {
            self.durable[0] = read.writes;
            self.damage = self.damage.take().or(read.damage);
        }
    }

    /// Now and then a restart goes through bytes.
    pub fn check_bytes(&self, rng: &mut Rng) {
        let writes = &self.durable[0];
        if writes.len() < BYTES_RECORDS_MAX && rng.chance(1, BYTES_ONE_IN) {
            bytes::check_round_trip(writes);
        }
    }

    /// What a restart cannot read.
    #[must_use]
    pub fn damage(&self) -> Option<&log::Damage> {
        self.damage.as_ref()
    }

    /// What a restart finds in a lane.
    #[must_use]
    pub fn durable(&self, lane: u8) -> &[W] {
        &self.durable[lane as usize]
    }
}

fn keep<W: Record>(durable: &mut Vec<W>, write: W) {
    if write.replaces_all_before() {
        durable.clear();
    }
    durable.push(write);
}

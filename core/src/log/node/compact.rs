//! Keeping the log short: the own snapshots, and those of peers.

use super::Node;
use crate::durable::WriteSequence;
use crate::ids::MasterId;
use crate::log::ballot::Position;
use crate::log::effect::{Effect, Notice};
use crate::log::message::{Message, SnapshotChunk};
use crate::log::out::Out;
use crate::log::write::{Lane, Snapshot, Write};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;

/// Durable snapshots kept to be served: the latest, and the one before it, which a peer may be
/// in the middle of.
const SERVED_MAX: usize = 2;

/// What a node knows of snapshots.
#[derive(Clone, Debug, Default)]
pub(in crate::log) struct Compaction {
    /// Durable, oldest first.
    served: VecDeque<Snapshot>,
    /// The owner was asked for its state as of here.
    taking: Option<Position>,
    /// On its way to the disk.
    writing: Option<(WriteSequence, Snapshot)>,
    issued: WriteSequence,
}

impl Compaction {
    pub fn new(snapshot: Option<Snapshot>) -> Compaction {
        Compaction {
            served: snapshot.into_iter().collect(),
            ..Compaction::default()
        }
    }

    /// What the latest durable snapshot covers.
    pub fn through(&self) -> Position {
        self.served.back().map_or(Position::ZERO, |s| s.through)
    }

    /// Whether a peer's snapshot beyond what is learned is on its way to the disk.
    pub fn is_installing(&self, learned_through: Position) -> bool {
        let writing = self.writing.as_ref();
        writing.is_some_and(|(_, snapshot)| snapshot.through > learned_through)
    }
}

impl Node {
    /// Asks the owner for a snapshot once enough was applied since the last one.
    pub(super) fn consider_snapshot(&mut self, out: &mut Out<'_>) {
        let compaction = &mut self.compaction;
        let through = self.replica.learned_through;
        let due = through.beyond(compaction.through()) >= self.config.snapshot_every;
        if due && compaction.taking.is_none() && compaction.writing.is_none() {
            compaction.taking = Some(through);
            out.fx.push(Effect::TakeSnapshot { through });
        }
    }

    pub(super) fn on_snapshot_taken(
        &mut self,
        through: Position,
        state: Arc<[u8]>,
        out: &mut Out<'_>,
    ) {
        if self.compaction.taking != Some(through) {
            return;
        }
        self.compaction.taking = None;
        if self.compaction.writing.is_some() || through <= self.compaction.through() {
            return;
        }
        // Changes of the membership are not built yet: it is the same at `through` as now.
        let membership = self.replica.membership.clone();
        let snapshot = Snapshot {
            through,
            membership,
            state,
        };
        self.write_snapshot(snapshot, out);
    }

    fn write_snapshot(&mut self, snapshot: Snapshot, out: &mut Out<'_>) {
        assert!(self.compaction.writing.is_none(), "one snapshot at a time");
        self.compaction.issued = self.compaction.issued.next();
        let sequence = self.compaction.issued;
        self.compaction.writing = Some((sequence, snapshot.clone()));
        out.fx.push(Effect::Persist {
            lane: Lane::Snapshot,
            sequence,
            write: Write::Snapshot(Box::new(snapshot)),
        });
    }

    /// Only a durable snapshot replaces entries.
    pub(super) fn on_snapshot_persisted(&mut self, up_to: WriteSequence, out: &mut Out<'_>) {
        assert!(
            up_to <= self.compaction.issued,
            "a snapshot was acknowledged that was never issued"
        );
        let written = self.compaction.writing.take();
        let Some((_, snapshot)) = written.filter(|(sequence, _)| *sequence <= up_to) else {
            return;
        };
        let through = snapshot.through;
        if through > self.replica.learned_through {
            let membership = snapshot.membership.clone();
            let state = Arc::clone(&snapshot.state);
            out.fx.push(Effect::InstallSnapshot { through, state });
            self.replica.install(through, membership, out);
            out.notice(Notice::SnapshotInstalled { through });
        } else {
            let begin = Position(through.next().0.saturating_sub(self.config.retain).max(1));
            let begin = begin.max(self.replica.entries.begin());
            self.replica.truncate(begin, out);
        }
        let begin = self.replica.entries.begin();
        out.notice(Notice::Truncated { begin });
        self.compaction.served.push_back(snapshot);
        if self.compaction.served.len() > SERVED_MAX {
            self.compaction.served.pop_front();
        }
        self.drive_fetch(out);
        self.after_apply(out);
        self.consider_voting(out);
    }

    pub(super) fn on_fetch_snapshot(
        &mut self,
        from: MasterId,
        through: Position,
        offset: u64,
        out: &mut Out<'_>,
    ) {
        let served = &self.compaction.served;
        let asked = served.iter().find(|snapshot| snapshot.through == through);
        let (snapshot, offset) = match (asked, served.back()) {
            (Some(snapshot), _) => (snapshot, offset),
            (None, Some(latest)) => (latest, 0),
            (None, None) => return,
        };
        let state = &snapshot.state;
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(state.len());
        let end = (start + self.config.snapshot_chunk_bytes).min(state.len());
        let chunk = SnapshotChunk {
            through: snapshot.through,
            membership: snapshot.membership.clone(),
            offset: start as u64,
            total_bytes: state.len() as u64,
            bytes: state[start..end].to_vec(),
        };
        out.send(from, Message::SnapshotChunk(Box::new(chunk)));
    }

    pub(super) fn on_snapshot_chunk(
        &mut self,
        from: MasterId,
        chunk: &SnapshotChunk,
        out: &mut Out<'_>,
    ) {
        let whole = self.fetch.on_chunk(from, chunk, &self.config, out);
        let Some(snapshot) = whole else {
            return;
        };
        let news = snapshot.through > self.replica.learned_through;
        if news && self.compaction.writing.is_none() {
            self.write_snapshot(snapshot, out);
        } else {
            self.drive_fetch(out);
        }
    }
}

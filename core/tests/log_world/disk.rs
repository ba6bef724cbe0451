//! A disk with two lanes: a crash keeps any prefix of what was not synced.

use std::collections::VecDeque;
use tepui_core::durable::WriteSequence;
use tepui_core::log::{Damage, Lane, Position, Snapshot, Write};

#[derive(Default)]
pub struct Disk {
    pub log: Vec<Write>,
    pub log_pending: VecDeque<(WriteSequence, Write)>,
    pub snapshot: Option<Snapshot>,
    pub snapshot_pending: VecDeque<(WriteSequence, Write)>,
    pub sync_ms: u64,
    pub damage: Option<Damage>,
}

impl Disk {
    /// Makes durable what was written up to `up_to`.
    pub fn sync(&mut self, lane: Lane, up_to: WriteSequence) {
        let pending = match lane {
            Lane::Log => &mut self.log_pending,
            Lane::Snapshot => &mut self.snapshot_pending,
        };
        while pending
            .front()
            .is_some_and(|(sequence, _)| *sequence <= up_to)
        {
            let (_, write) = pending.pop_front().expect("looked at just now");
            match write {
                Write::Snapshot(snapshot) => self.snapshot = Some(*snapshot),
                write => {
                    if write.is_checkpoint() {
                        // A new file: what rotted is in the old one.
                        self.log.clear();
                        self.damage = None;
                    }
                    self.log.push(write);
                }
            }
        }
    }

    /// A crash keeps any prefix of what was not synced, of each lane for itself.
    pub fn crash(&mut self, kept_percent: u8) {
        for lane in [Lane::Log, Lane::Snapshot] {
            let pending = match lane {
                Lane::Log => &self.log_pending,
                Lane::Snapshot => &self.snapshot_pending,
            };
            let kept = pending.len() * usize::from(kept_percent) / 100;
            if let Some((up_to, _)) = kept.checked_sub(1).and_then(|last| pending.get(last)) {
                let up_to = *up_to;
                self.sync(lane, up_to);
            }
        }
        self.log_pending.clear();
        self.snapshot_pending.clear();
    }

    /// Whether an accepted value for `position` is durable here.
    pub fn holds(&self, position: Position) -> bool {
        let snapped = self
            .snapshot
            .as_ref()
            .is_some_and(|s| s.through >= position);
        snapped
            || self.log.iter().any(|write| match write {
                Write::Accept { first, actions, .. } | Write::Learn { first, actions } => {
                    *first <= position && position < first.after(actions.len() as u64)
                }
                Write::Checkpoint(checkpoint) => {
                    let held = checkpoint.begin.after(checkpoint.entries.len() as u64);
                    position < held
                }
                _ => false,
            })
    }
}

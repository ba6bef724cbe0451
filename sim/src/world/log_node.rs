//! Nodes of clusters of kind `log`.

use super::{Delivery, World};
use crate::disk::Disk;
use crate::machine::SimNode;
use crate::node::NodeIndex;
use crate::replica::LogReplica;
use std::time::Duration;
use tepui_core::log;
use tepui_core::machine::Machine as _;

/// The lane's number on the disk.
pub(super) const fn lane_number(lane: log::Lane) -> u8 {
    match lane {
        log::Lane::Log => 0,
        log::Lane::Snapshot => Disk::SNAPSHOT_LANE,
    }
}

/// The other way round.
pub(super) const fn lane_of(number: u8) -> log::Lane {
    match number {
        Disk::SNAPSHOT_LANE => log::Lane::Snapshot,
        _ => log::Lane::Log,
    }
}

impl World {
    pub(super) fn step_log(&mut self, index: NodeIndex, delivery: Delivery) {
        let input = match delivery {
            Delivery::Tick => log::Input::Tick,
            Delivery::Datagram { from, message } => log::Input::Received { from, message },
            Delivery::LinkBroken { with } => log::Input::LinkBroken { with },
            Delivery::Persisted { lane, up_to } => log::Input::Persisted {
                lane: lane_of(lane),
                up_to,
            },
            Delivery::Append { token, value } => log::Input::Append { token, value },
            Delivery::SnapshotTaken { through, state } => {
                log::Input::SnapshotTaken { through, state }
            }
            other => unreachable!("nobody sends {other:?} to a bare replica"),
        };
        let node = &mut self.nodes[index.slot()];
        let now = node.clock.read(self.now);
        let Some(SimNode::Log(replica)) = &mut node.machine else {
            unreachable!("the caller looked");
        };
        replica.node.handle(now, input, &mut self.log_fx);
        self.settle_log(index);
    }

    /// Does what a replica wants done.
    pub(super) fn settle_log(&mut self, index: NodeIndex) {
        let mut effects = std::mem::take(&mut self.log_scratch);
        self.log_fx.swap_into(&mut effects);
        for effect in effects.drain(..) {
            if self.nodes[index.slot()].machine.is_none() {
                // It ended itself: the rest was never done.
                break;
            }
            self.trace.value(&effect);
            self.on_log_effect(index, effect);
        }
        self.log_scratch = effects;
        if let Some(SimNode::Log(replica)) = &self.nodes[index.slot()].machine {
            self.observer.on_replica(self.now, index, &replica.node);
        }
    }

    fn on_log_effect(&mut self, index: NodeIndex, effect: log::Effect) {
        use log::Effect as E;
        match effect {
            E::Send { to, message } => {
                let learned = self.replica_mut(index).node.learned_through();
                self.observer
                    .on_log_message(self.now, index, learned, &message);
                self.send_datagram(index, to, message);
            }
            E::Persist {
                lane,
                sequence,
                write,
            } => self.persist_master(index, lane_number(lane), sequence, write),
            E::Apply { position, action } => {
                let applied = &mut self.replica_mut(index).applied;
                applied.apply(position, &action);
                let digest = applied.digest;
                self.observer
                    .on_applied(self.now, index, position, &action, digest);
            }
            E::InstallSnapshot { through, state } => {
                let applied = &mut self.replica_mut(index).applied;
                applied.install(through, &state);
                let digest = applied.digest;
                self.observer.on_installed(self.now, index, through, digest);
            }
            E::TakeSnapshot { through } => {
                let applied = self.replica_mut(index).applied;
                assert_eq!(applied.through, through, "asked for what was just applied");
                let state = applied.encode();
                let at = self.now + Duration::from_micros(100);
                self.plan_local(at, index, Delivery::SnapshotTaken { through, state });
            }
            E::Halt(fatal) => self.halt(index, &format!("{fatal:?}")),
            other => self.observer.on_log_event(self.now, index, &other),
        }
    }

    fn replica_mut(&mut self, index: NodeIndex) -> &mut LogReplica {
        let Some(SimNode::Log(replica)) = &mut self.nodes[index.slot()].machine else {
            unreachable!("only replicas of the log apply");
        };
        replica
    }
}

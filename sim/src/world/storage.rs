//! Writes on their way to disks.

use super::{Delivery, Event, World};
use crate::disk::{Disk, DiskFaults};
use crate::node::NodeIndex;
use std::time::Duration;
use tepui_core::durable::WriteSequence;
use tepui_core::{agent, log, scheduler};

impl World {
    pub(super) fn persist_master(
        &mut self,
        index: NodeIndex,
        lane: u8,
        sequence: WriteSequence,
        write: log::Write,
    ) {
        self.observer.on_log_write(self.now, index, &write);
        let Disk::Master(storage) = &mut self.nodes[index.slot()].disk else {
            unreachable!("masters have masters' disks");
        };
        if storage.faults.full {
            self.halt(index, "no space left on device");
        } else if storage.push(lane, sequence, write) {
            self.start_sync(index, lane);
        }
    }

    pub(super) fn persist_agent(
        &mut self,
        index: NodeIndex,
        sequence: WriteSequence,
        write: agent::Write,
    ) {
        self.observer.on_agent_write(self.now, index, &write);
        let Disk::Agent(storage) = &mut self.nodes[index.slot()].disk else {
            unreachable!("agents have agents' disks");
        };
        if storage.faults.full {
            self.halt(index, "no space left on device");
        } else if storage.push(0, sequence, write) {
            self.start_sync(index, 0);
        }
    }

    pub(super) fn persist_framework(
        &mut self,
        index: NodeIndex,
        sequence: WriteSequence,
        write: scheduler::Write,
    ) {
        let Disk::Framework(storage) = &mut self.nodes[index.slot()].disk else {
            unreachable!("frameworks have frameworks' disks");
        };
        if storage.faults.full {
            self.halt(index, "no space left on device");
        } else if storage.push(0, sequence, write) {
            self.start_sync(index, 0);
        }
    }

    /// What is wrong with a node's disk.
    pub fn disk_faults(&mut self, index: NodeIndex) -> Option<&mut DiskFaults> {
        self.nodes[index.slot()].disk.faults_mut()
    }

    fn start_sync(&mut self, index: NodeIndex, lane: u8) {
        let mut takes = self.disks.latency.draw(&mut self.streams.disk);
        if self.disks.stall.draw(&mut self.streams.disk) {
            let most = self.disks.stall_for;
            takes += self.streams.disk.between(Duration::ZERO, most);
        }
        let node = &mut self.nodes[index.slot()];
        node.disk.start_sync(lane);
        takes += node.disk.faults_mut().map_or(Duration::ZERO, |f| f.slow);
        let event = Event::Synced {
            node: index,
            run: node.run,
            lane,
        };
        self.queue.push(self.now + takes, event);
    }

    pub(super) fn on_synced(&mut self, index: NodeIndex, run: u32, lane: u8) {
        let node = &mut self.nodes[index.slot()];
        if node.run != run || node.machine.is_none() {
            return;
        }
        let failed = node
            .disk
            .faults_mut()
            .is_some_and(|faults| std::mem::take(&mut faults.fail_sync));
        if failed {
            // The kernel now counts these pages as clean, so that a second sync would "succeed".
            // Nothing may be said to be durable any more: the process ends.
            self.halt(index, "fsync failed: input/output error");
            return;
        }
        let observer = &mut self.observer;
        let now = self.now;
        let (up_to, waits) = match &mut node.disk {
            Disk::Master(storage) => {
                storage.finish_sync(lane, |write| observer.on_log_durable(now, index, write))
            }
            Disk::Agent(storage) => storage.finish_sync(lane, |_| {}),
            Disk::Framework(storage) => storage.finish_sync(lane, |_| {}),
            Disk::None => unreachable!("nobody syncs what is not there"),
        };
        self.counts.writes += 1;
        if waits {
            self.start_sync(index, lane);
        }
        self.deliver(index, Delivery::Persisted { lane, up_to });
    }
}

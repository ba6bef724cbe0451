//! What can happen to a world of logs.

use super::World;
use super::disk::Disk;
use proptest::prelude::*;
use std::time::Duration;
use tepui_core::ids::MasterId;
use tepui_core::log::{Damage, Input};

/// What happens to the world, in order.
#[derive(Clone, Debug)]
pub enum Step {
    /// Time passes.
    Run { ms: u64 },
    /// Clients append through whoever leads.
    Append { count: u8 },
    /// A node dies; so much of what it had not synced is on its disk all the same.
    Crash { node: u8, kept_percent: u8 },
    /// Whoever leads dies, and its peers see the connection break or not.
    CrashLeader { kept_percent: u8, hint: bool },
    /// A dead node starts.
    Restart { node: u8 },
    /// A node dies and loses its disk, if a majority keeps theirs.
    Wipe { node: u8 },
    /// A node dies and part of its journal rots, if a majority's is well.
    Rot { node: u8, kept_percent: u8 },
    /// What one says no longer reaches the other.
    Cut { from: u8, to: u8 },
    /// A node hears nobody, or nobody hears it, or both.
    Isolate {
        node: u8,
        inbound: bool,
        outbound: bool,
    },
    /// All cuts end.
    Heal,
    /// A node is told that its connection broke, true or not.
    BreakLink { node: u8, with: u8 },
    /// The network becomes so bad.
    Network {
        loss_percent: u8,
        double_percent: u8,
        delay_ms: u8,
    },
    /// A disk becomes so slow.
    Disk { node: u8, sync_ms: u16 },
}

/// Any step, with the weights of a bad month.
pub fn step() -> impl Strategy<Value = Step> {
    let node = 0_u8..5;
    let percent = 0_u8..101;
    prop_oneof![
        12 => (1_u64..900).prop_map(|ms| Step::Run { ms }),
        10 => (1_u8..14).prop_map(|count| Step::Append { count }),
        3 => (node.clone(), percent.clone())
            .prop_map(|(node, kept_percent)| Step::Crash { node, kept_percent }),
        3 => (percent.clone(), any::<bool>())
            .prop_map(|(kept_percent, hint)| Step::CrashLeader { kept_percent, hint }),
        6 => node.clone().prop_map(|node| Step::Restart { node }),
        1 => node.clone().prop_map(|node| Step::Wipe { node }),
        1 => (node.clone(), percent)
            .prop_map(|(node, kept_percent)| Step::Rot { node, kept_percent }),
        2 => (node.clone(), node.clone()).prop_map(|(from, to)| Step::Cut { from, to }),
        2 => (node.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(node, inbound, outbound)| Step::Isolate { node, inbound, outbound }),
        4 => Just(Step::Heal),
        1 => (node.clone(), node.clone()).prop_map(|(node, with)| Step::BreakLink { node, with }),
        2 => (0_u8..30, 0_u8..30, 1_u8..60).prop_map(|(loss_percent, double_percent, delay_ms)| {
            Step::Network { loss_percent, double_percent, delay_ms }
        }),
        1 => (node, 0_u16..400).prop_map(|(node, sync_ms)| Step::Disk { node, sync_ms }),
    ]
}

impl World {
    pub fn step(&mut self, step: &Step) {
        self.note(|| format!("== {step:?}"));
        let of = |node: u8| usize::from(node) % self.count;
        match *step {
            Step::Run { ms } => self.run(Duration::from_millis(ms)),
            Step::Append { count } => self.append(count),
            Step::Crash { node, kept_percent } => self.stop(of(node), kept_percent),
            Step::CrashLeader { kept_percent, hint } => self.crash_leader(kept_percent, hint),
            Step::Restart { node } => self.start(of(node)),
            Step::Wipe { node } => self.wipe(of(node)),
            Step::Rot { node, kept_percent } => self.rot(of(node), kept_percent),
            Step::Cut { from, to } => {
                let (from, to) = (of(from), of(to));
                self.cuts.insert((from, to));
            }
            Step::Isolate {
                node,
                inbound,
                outbound,
            } => {
                let id = of(node);
                for other in (0..self.count).filter(|other| *other != id) {
                    if inbound {
                        self.cuts.insert((other, id));
                    }
                    if outbound {
                        self.cuts.insert((id, other));
                    }
                }
            }
            Step::Heal => self.cuts.clear(),
            Step::BreakLink { node, with } => {
                let with = MasterId(of(with) as u32);
                self.input(of(node), Input::LinkBroken { with });
            }
            Step::Network {
                loss_percent,
                double_percent,
                delay_ms,
            } => {
                self.loss_percent = u64::from(loss_percent);
                self.double_percent = u64::from(double_percent);
                self.delay_ms = u64::from(delay_ms.max(1));
            }
            Step::Disk { node, sync_ms } => {
                let id = of(node);
                self.disks[id].sync_ms = u64::from(sync_ms);
            }
        }
    }

    fn crash_leader(&mut self, kept_percent: u8, hint: bool) {
        let Some(id) = self.leaders().first().copied() else {
            return;
        };
        self.stop(id, kept_percent);
        // A connection breaks after all that came through it.
        self.run(Duration::from_millis(self.delay_ms));
        let with = MasterId(id as u32);
        for peer in 0..self.count {
            if hint {
                self.input(peer, Input::LinkBroken { with });
            }
        }
    }

    pub fn wipe(&mut self, id: usize) {
        if self.may_impair(id) {
            self.stop(id, 0);
            self.impaired.insert(id);
            let sync_ms = self.disks[id].sync_ms;
            self.disks[id] = Disk {
                sync_ms,
                ..Disk::default()
            };
            self.checks.on_wiped(id);
        }
    }

    pub fn rot(&mut self, id: usize, kept_percent: u8) {
        if self.may_impair(id) && self.disks[id].log.len() > 1 {
            self.stop(id, 0);
            self.impaired.insert(id);
            let disk = &mut self.disks[id];
            let kept = disk.log.len() * usize::from(kept_percent.min(99)) / 100;
            disk.log.truncate(kept);
            disk.damage = Some(Damage {
                at_bytes: kept as u64,
                why: "rot".into(),
            });
            self.checks.on_wiped(id);
        }
    }
}

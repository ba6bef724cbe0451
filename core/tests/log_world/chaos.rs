//! A world without time: any message in flight, however old, may be the next to arrive, any
//! master's clock the next to move. Deep interleavings that a network with delays would need
//! ages for come up at once.

use super::{Event, World};
use std::time::Duration;
use tepui_core::ids::MasterId;
use tepui_core::log::{Config, Input, Message};
use tepui_core::machine::Machine;

/// More in flight than this are dropped, at random.
const IN_FLIGHT_MAX: usize = 40;

/// Half of the time one of so many newest is the next.
const NEWEST: u64 = 6;

/// Leases and suspicion hardly ever end by themselves; a broken link is what starts an election.
pub fn unhurried(config: &mut Config) {
    config.lease_timeout = Duration::from_secs(20);
    config.election_timeout_min = Duration::from_secs(30);
    config.election_timeout_max = Duration::from_secs(60);
    config.campaign_timeout = Duration::from_secs(30);
    config.store_timeout = Duration::from_secs(30);
}

impl World {
    /// So many moves of anything.
    pub fn chaos(&mut self, moves: u32) {
        self.clocks = vec![self.now; self.count];
        for _ in 0..moves {
            let id = self.rng.below(self.count as u64) as usize;
            self.lose_some();
            match self.rng.below(1000) {
                0..600 => self.any_event(),
                600..760 => self.any_tick(id),
                760..860 => self.append(1),
                860..900 => self.doubt_the_leader(id),
                900..910 => {
                    let kept_percent = self.rng.below(101) as u8;
                    self.stop(id, kept_percent);
                }
                910..980 => self.start(id),
                980..990 => {
                    self.wipe(id);
                    self.start(id);
                }
                _ => {
                    let kept_percent = self.rng.below(100) as u8;
                    self.rot(id, kept_percent);
                    self.start(id);
                }
            }
        }
        let last = std::mem::take(&mut self.clocks).into_iter().max();
        self.now = self.now.max(last.expect("there are masters"));
    }

    fn any_event(&mut self) {
        if self.events.is_empty() {
            return;
        }
        let count = self.events.len() as u64;
        let newest = self.rng.chance(1, 2);
        let at = match newest {
            true => count - 1 - self.rng.below(count.min(NEWEST)),
            false => self.rng.below(count),
        };
        let (key, event) = self.events.iter().nth(at as usize).expect("one of them");
        let (key, event) = (*key, event.clone());
        let message = matches!(event, Event::Deliver { .. });
        // A copy may stay behind, to arrive any time later.
        if !(message && self.rng.chance(1, 8)) {
            self.events.remove(&key);
        }
        self.happen(event);
    }

    fn any_tick(&mut self, id: usize) {
        let deadline = self.nodes[id].as_ref().and_then(Machine::deadline);
        if let Some(deadline) = deadline {
            self.clocks[id] = self.clocks[id].max(deadline);
            self.input(id, Input::Tick);
        }
    }

    /// Some masters, at least `id`, lose touch with whoever they follow.
    fn doubt_the_leader(&mut self, id: usize) {
        let everybody = self.rng.chance(1, 2);
        for other in 0..self.count {
            if other != id && !(everybody && self.rng.chance(3, 4)) {
                continue;
            }
            for with in 0..self.count as u32 {
                let with = MasterId(with);
                self.input(other, Input::LinkBroken { with });
            }
        }
    }

    /// Of what is said all the time little is kept; of the rest, a bounded number.
    fn lose_some(&mut self) {
        while self.events.len() > IN_FLIGHT_MAX {
            let at = self.rng.below(self.events.len() as u64) as usize;
            let key = *self.events.keys().nth(at).expect("it is one of them");
            let common = match &self.events[&key] {
                Event::Deliver { message, .. } => matches!(
                    message,
                    Message::Heartbeat { .. }
                        | Message::HeartbeatAck { .. }
                        | Message::StatusRequest { .. }
                        | Message::StatusReply { .. }
                        | Message::PreVoteReply { granted: false, .. }
                ),
                _ => continue,
            };
            if common || self.rng.chance(1, 4) {
                self.events.remove(&key);
            }
        }
    }
}

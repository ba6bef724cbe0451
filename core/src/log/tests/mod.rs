//! What the parts of a node do, each for itself.

mod campaign;
mod fences;
mod fetch;
mod pipeline;
mod recover;
mod replica;

use super::action::Action;
use super::ballot::{Ballot, Position};
use super::config::Config;
use super::effect::{Effect, Notice};
use super::life::{Incarnation, Life, Stamp};
use super::membership::{MasterInfo, Membership};
use super::message::Message;
use super::out::Out;
use super::replica::{Replica, Status};
use crate::ids::MasterId;
use crate::outbox::Outbox;
use crate::time::Time;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

const ME: MasterId = MasterId(1);
const PEER: MasterId = MasterId(2);
const OTHER: MasterId = MasterId(3);

/// Everything around a part, with what it said.
struct Around {
    fx: Outbox<Effect>,
    loopback: VecDeque<Message>,
    now: Time,
}

impl Around {
    fn new() -> Around {
        Around {
            fx: Outbox::new(1000),
            loopback: VecDeque::new(),
            now: Time::ZERO,
        }
    }

    fn out(&mut self) -> Out<'_> {
        Out {
            me: ME,
            now: self.now,
            fx: &mut self.fx,
            loopback: &mut self.loopback,
        }
    }

    /// What was sent since the last time, to peers and to itself.
    fn sent(&mut self) -> Vec<(MasterId, Message)> {
        let to_me = self.loopback.drain(..).map(|message| (ME, message));
        let effects = self.fx.drain().filter_map(|effect| match effect {
            Effect::Send { to, message } => Some((to, message)),
            _ => None,
        });
        effects.chain(to_me).collect()
    }
}

fn config(count: u32) -> Config {
    let masters = (1..=count).map(|id| MasterInfo {
        id: MasterId(id),
        address: String::new(),
    });
    Config::new(ME, masters.collect()).unwrap()
}

fn membership(count: u32) -> Membership {
    config(count).bootstrap
}

fn ballot(round: u64, proposer: MasterId) -> Ballot {
    Ballot { round, proposer }
}

fn value(text: &str) -> Action {
    Action::Append(Arc::from(text.as_bytes()))
}

fn values(texts: &[&str]) -> Arc<[Action]> {
    texts.iter().map(|text| value(text)).collect()
}

fn life(round: u64, count: u64, incarnation: u64) -> Life {
    let ballot = ballot(round, ME);
    Life {
        fenced: Stamp { ballot, count },
        incarnation: Incarnation(incarnation),
    }
}

/// A voter with nothing in its log and nothing on its way to the disk.
fn voter(around: &mut Around) -> Replica {
    let mut replica = Replica::new(Incarnation(7), membership(3));
    replica.set_status(Status::Starting, None, &mut around.out());
    sync(&mut replica, around);
    replica.set_status(Status::Voting, None, &mut around.out());
    sync(&mut replica, around);
    around.fx.drain().for_each(drop);
    replica
}

/// Everything written so far is durable.
fn sync(replica: &mut Replica, around: &mut Around) {
    let last = around.fx.as_slice().iter().rev().find_map(|e| match e {
        Effect::Persist { sequence, .. } => Some(*sequence),
        _ => None,
    });
    if let Some(up_to) = last {
        replica.on_persisted(up_to, &mut around.out());
    }
}

fn is_notice(effect: &Effect, wanted: &Notice) -> bool {
    matches!(effect, Effect::Notice(notice) if notice == wanted)
}

#[test]
fn a_configuration_that_cannot_work_says_which_value_is_wrong() {
    let mut swapped = config(3);
    swapped.lease_timeout = swapped.election_timeout_max;
    let error = swapped.validate().unwrap_err();
    assert!(alloc::format!("{error}").contains("lease_timeout"));
    let mut wide = config(3);
    wide.window_messages = 1 << 20;
    let error = wide.validate().unwrap_err();
    assert!(alloc::format!("{error}").contains("gap_max"));
    let mut stranger = config(3);
    stranger.me = MasterId(9);
    assert!(stranger.validate().is_err());
    assert_eq!(Position(3).previous().next(), Position(3));
}

//! Where the machines of one node put what they want: effects for the driver, and the node's
//! letters to itself, which take the same path as everybody's.

use super::effect::{Effect, Notice};
use super::membership::Membership;
use super::message::Message;
use crate::ids::MasterId;
use crate::outbox::Outbox;
use crate::time::Time;
use alloc::collections::VecDeque;

/// The surroundings of one input.
pub(super) struct Out<'a> {
    pub me: MasterId,
    pub now: Time,
    pub fx: &'a mut Outbox<Effect>,
    pub loopback: &'a mut VecDeque<Message>,
}

impl Out<'_> {
    pub fn send(&mut self, to: MasterId, message: Message) {
        if to == self.me {
            self.loopback.push_back(message);
        } else {
            self.fx.push(Effect::Send { to, message });
        }
    }

    /// To every master but this one.
    pub fn send_others(&mut self, membership: &Membership, message: &Message) {
        for to in membership.others(self.me) {
            self.fx.push(Effect::Send {
                to,
                message: message.clone(),
            });
        }
    }

    /// To every master, this one last.
    pub fn send_all(&mut self, membership: &Membership, message: Message) {
        self.send_others(membership, &message);
        self.loopback.push_back(message);
    }

    pub fn notice(&mut self, notice: Notice) {
        self.fx.push(Effect::Notice(notice));
    }
}

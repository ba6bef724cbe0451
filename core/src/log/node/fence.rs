//! The leader's side of a join: see [`crate::log`] for why a joiner is fenced in.

use super::Node;
use crate::ids::MasterId;
use crate::log::effect::Notice;
use crate::log::fences::Joining;
use crate::log::life::Incarnation;
use crate::log::message::{Fenced, Message};
use crate::log::out::Out;
use alloc::boxed::Box;

impl Node {
    /// A replica that lost its votes asks to be fenced in. Only an elected leader does that.
    pub(super) fn on_join(&mut self, from: MasterId, incarnation: Incarnation, out: &mut Out<'_>) {
        if self.acting().is_none() || from == out.me {
            return;
        }
        let resend_at = out.now + self.config.resend_min;
        let Some(coordinator) = &mut self.coordinator else {
            return;
        };
        let ballot = coordinator.ballot;
        let Some(leading) = coordinator.leading_mut() else {
            return;
        };
        let membership = &self.replica.membership;
        match leading
            .fences
            .on_join(membership, ballot, from, incarnation, resend_at)
        {
            Joining::Wait => {}
            Joining::Granted => self.grant(from, out),
            Joining::Fence(life) => {
                coordinator.lives.record(from, life);
                for to in membership.masters().iter().map(|master| master.id) {
                    if to != from {
                        out.send(
                            to,
                            Message::Fence {
                                ballot,
                                joiner: from,
                                life,
                            },
                        );
                    }
                }
            }
        }
    }

    pub(super) fn fence_again(&mut self, out: &mut Out<'_>) {
        let next = out.now + self.config.resend_max;
        let membership = &self.replica.membership;
        let Some(coordinator) = &mut self.coordinator else {
            return;
        };
        let ballot = coordinator.ballot;
        let Some(leading) = coordinator.leading_mut() else {
            return;
        };
        for (joiner, life, votes) in leading.fences.due(out.now, next) {
            for to in membership.masters().iter().map(|master| master.id) {
                if to != joiner && !membership.voted(votes, to) {
                    out.send(
                        to,
                        Message::Fence {
                            ballot,
                            joiner,
                            life,
                        },
                    );
                }
            }
        }
    }

    pub(super) fn on_fenced(&mut self, from: MasterId, fenced: &Fenced, out: &mut Out<'_>) {
        let Some(coordinator) = &mut self.coordinator else {
            return;
        };
        if coordinator.ballot != fenced.ballot {
            return;
        }
        coordinator.lives.merge(&fenced.lives);
        if coordinator.lives.supersede(from, fenced.incarnation) {
            out.notice(Notice::VoidVoteIgnored { from });
            return;
        }
        let Some(leading) = coordinator.leading_mut() else {
            return;
        };
        let membership = &self.replica.membership;
        if leading.fences.on_fenced(membership, from, fenced) {
            out.notice(Notice::Fenced {
                joiner: fenced.joiner,
                incarnation: fenced.life.incarnation,
            });
            self.grant(fenced.joiner, out);
        }
    }

    fn grant(&mut self, joiner: MasterId, out: &mut Out<'_>) {
        let Some(coordinator) = &self.coordinator else {
            return;
        };
        let Some(leading) = coordinator.leading() else {
            return;
        };
        let proposed = leading.pipeline.proposed_through();
        let end = proposed.max(self.replica.end());
        if let Some(grant) = leading.fences.grant(joiner, coordinator.ballot, end) {
            out.send(joiner, Message::Grant(Box::new(grant)));
        }
    }
}

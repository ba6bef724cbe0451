//! Phase two: what a leader proposes, sends again and learns, and the lease it acts under.

use super::Node;
use crate::ids::MasterId;
use crate::log::action::Action;
use crate::log::ballot::{Ballot, Position};
use crate::log::coordinator::{Coordinator, Phase};
use crate::log::effect::{Demotion, Effect, Notice, Reject};
use crate::log::life::Incarnation;
use crate::log::message::Message;
use crate::log::out::Out;
use crate::log::pipeline::{Batch, Proposal};
use crate::time::Time;
use alloc::sync::Arc;

impl Node {
    pub(super) fn on_append(&mut self, token: u64, value: Arc<[u8]>, out: &mut Out<'_>) {
        let unsnapped = self.replica.entries.len() as u64;
        let acting = self.acting().is_some();
        let leading = self.coordinator.as_mut().and_then(Coordinator::leading_mut);
        let refused = match leading {
            Some(leading) if acting => {
                if value.len() > self.config.value_bytes_max {
                    let bytes_max = self.config.value_bytes_max as u64;
                    Some(Reject::TooLarge { bytes_max })
                } else if leading.pipeline.queued_count() >= self.config.queue_max
                    || unsnapped >= self.config.entries_max
                {
                    Some(Reject::Overloaded)
                } else {
                    leading.pipeline.push(Proposal {
                        token: Some(token),
                        action: Action::Append(value),
                    });
                    None
                }
            }
            _ => Some(Reject::NotLeading {
                leader: self.election.leader(),
            }),
        };
        match refused {
            Some(why) => out.fx.push(Effect::Rejected { token, why }),
            None => self.pump(out),
        }
    }

    /// Sends what the window has room for.
    pub(super) fn pump(&mut self, out: &mut Out<'_>) {
        let learned_through = self.replica.learned_through;
        let Some(coordinator) = &mut self.coordinator else {
            return;
        };
        let ballot = coordinator.ballot;
        let Some(leading) = coordinator.leading_mut() else {
            return;
        };
        for _ in 0..self.config.window_messages {
            let Some(batch) = leading.pipeline.issue(out.now, &self.config) else {
                break;
            };
            let accept = Message::Accept {
                ballot,
                first: batch.first,
                learned_through,
                actions: Arc::clone(&batch.actions),
            };
            out.send_all(&self.replica.membership, accept);
        }
    }

    pub(super) fn on_accepted(
        &mut self,
        from: MasterId,
        ballot: Ballot,
        (first, count): (Position, u32),
        incarnation: Incarnation,
        out: &mut Out<'_>,
    ) {
        let Some(coordinator) = &mut self.coordinator else {
            return;
        };
        if coordinator.ballot != ballot {
            return;
        }
        if coordinator.lives.supersede(from, incarnation) {
            out.notice(Notice::VoidVoteIgnored { from });
            out.send(from, Message::Superseded { incarnation });
            return;
        }
        let Some(leading) = coordinator.leading_mut() else {
            return;
        };
        let membership = &self.replica.membership;
        if leading.pipeline.on_accepted(membership, from, first, count) {
            self.choose(out);
        }
    }

    /// Learns, in order, whatever a quorum has accepted.
    fn choose(&mut self, out: &mut Out<'_>) {
        let mut any = false;
        while let Some((ballot, batch)) = self.pop_chosen() {
            any = true;
            let learned = self.replica.learn(ballot, batch.last(), out);
            assert!(
                learned,
                "a leader accepts what it proposes before others do"
            );
            for (offset, token) in &batch.tokens {
                let position = batch.first.after(u64::from(*offset));
                out.fx.push(Effect::Appended {
                    token: *token,
                    position,
                });
            }
        }
        if !any {
            return;
        }
        self.after_apply(out);
        self.pump(out);
        self.announce(out);
        self.consider_elected(out);
    }

    fn pop_chosen(&mut self) -> Option<(Ballot, Batch)> {
        let coordinator = self.coordinator.as_mut()?;
        let ballot = coordinator.ballot;
        let leading = coordinator.leading_mut()?;
        let batch = leading.pipeline.pop_chosen(&self.replica.membership)?;
        Some((ballot, batch))
    }

    /// Says what is learned at once, if no write is about to.
    fn announce(&mut self, out: &mut Out<'_>) {
        let Some(coordinator) = &self.coordinator else {
            return;
        };
        let idle = coordinator.leading().is_some_and(|l| l.pipeline.is_idle());
        if idle {
            let message = Message::Learned {
                ballot: coordinator.ballot,
                through: self.replica.learned_through,
            };
            out.send_others(&self.replica.membership, &message);
        }
    }

    pub(super) fn heartbeat(&mut self, out: &mut Out<'_>) {
        let learned_through = self.replica.learned_through;
        let Some(coordinator) = &mut self.coordinator else {
            return;
        };
        let ballot = coordinator.ballot;
        let Some(leading) = coordinator.leading_mut() else {
            return;
        };
        leading.heartbeat_at = out.now + self.config.heartbeat_interval;
        let membership = &self.replica.membership;
        // The leader hears itself: what it takes from others is the rest of a quorum.
        leading
            .lease
            .on_answer(out.now, membership, out.me, out.now);
        let message = Message::Heartbeat {
            ballot,
            sent: out.now,
            learned_through,
        };
        out.send_others(membership, &message);
    }

    pub(super) fn on_heartbeat_ack(
        &mut self,
        from: MasterId,
        ballot: Ballot,
        sent: Time,
        incarnation: Incarnation,
        out: &mut Out<'_>,
    ) {
        let Some(coordinator) = &mut self.coordinator else {
            return;
        };
        if coordinator.ballot != ballot {
            return;
        }
        if coordinator.lives.supersede(from, incarnation) {
            out.notice(Notice::VoidVoteIgnored { from });
            out.send(from, Message::Superseded { incarnation });
            return;
        }
        if let Some(leading) = coordinator.leading_mut() {
            let membership = &self.replica.membership;
            leading.lease.on_answer(out.now, membership, from, sent);
        }
    }

    pub(super) fn check_lease(&mut self, out: &mut Out<'_>) {
        let leading = self.coordinator.as_ref().and_then(Coordinator::leading);
        if self.replica.membership.quorum() == 1 {
            // A lone master is its own quorum, however long it slept.
            return;
        }
        if leading.is_some_and(|leading| out.now >= leading.lease.until()) {
            self.demote(Demotion::LeaseExpired, out);
        }
    }

    pub(super) fn tick_leading(&mut self, out: &mut Out<'_>) {
        match self.coordinator.as_ref().map(|c| &c.phase) {
            None => {}
            Some(Phase::Preparing(campaign)) => {
                if out.now >= campaign.give_up_at {
                    self.demote(Demotion::CampaignTimeout, out);
                } else if out.now >= campaign.retry_at {
                    self.prepare_again(out);
                }
            }
            Some(Phase::Leading(leading)) => {
                let oldest = leading.pipeline.oldest_issued();
                let late = |issued: Time| out.now >= issued + self.config.store_timeout;
                if oldest.is_some_and(late) {
                    self.demote(Demotion::StoreTimeout, out);
                    return;
                }
                if out.now >= leading.heartbeat_at {
                    self.heartbeat(out);
                }
                self.accept_again(out);
                self.fence_again(out);
            }
        }
    }

    fn accept_again(&mut self, out: &mut Out<'_>) {
        let learned_through = self.replica.learned_through;
        let membership = &self.replica.membership;
        let Some(coordinator) = &mut self.coordinator else {
            return;
        };
        let ballot = coordinator.ballot;
        let Some(leading) = coordinator.leading_mut() else {
            return;
        };
        for batch in leading.pipeline.due(out.now, &self.config) {
            for to in membership.others(out.me) {
                if batch.accepted_by(membership, to) {
                    continue;
                }
                let actions = Arc::clone(&batch.actions);
                let first = batch.first;
                out.send(
                    to,
                    Message::Accept {
                        ballot,
                        first,
                        learned_through,
                        actions,
                    },
                );
            }
        }
    }

    pub(super) fn leading_deadline(&self) -> Option<Time> {
        match &self.coordinator.as_ref()?.phase {
            Phase::Preparing(campaign) => Some(campaign.retry_at.min(campaign.give_up_at)),
            Phase::Leading(leading) => {
                let pipeline = &leading.pipeline;
                let store = pipeline
                    .oldest_issued()
                    .map(|at| at + self.config.store_timeout);
                let deadlines = [
                    Some(leading.heartbeat_at),
                    Some(leading.lease.until()),
                    pipeline.resend_at(),
                    store,
                    leading.fences.resend_at(),
                ];
                deadlines.into_iter().flatten().min()
            }
        }
    }
}

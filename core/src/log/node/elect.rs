//! Becoming a leader, and ceasing to be one: phase one, filling, demotion.

use super::Node;
use crate::election::Lease;
use crate::ids::MasterId;
use crate::log::action::Action;
use crate::log::ballot::Ballot;
use crate::log::campaign::{Campaign, Step};
use crate::log::coordinator::{Coordinator, Leading, Phase};
use crate::log::effect::{Demotion, Effect, Notice, Reject};
use crate::log::fences::Fences;
use crate::log::life::Lives;
use crate::log::message::{Message, Promise};
use crate::log::out::Out;
use crate::log::pipeline::{Pipeline, Proposal};
use crate::log::replica::Status;
use alloc::sync::Arc;

impl Node {
    /// Phase one, at a ballot higher than any met. The own replica is asked like the others.
    pub(super) fn campaign(&mut self, out: &mut Out<'_>) {
        assert!(self.coordinator.is_none(), "one coordinator at a time");
        assert_eq!(self.replica.status, Status::Voting, "only voters campaign");
        let highest = self.election.highest().max(self.replica.promised);
        let ballot = Ballot {
            round: highest.round.saturating_add(1),
            proposer: out.me,
        };
        self.election.meet(ballot);
        self.election.close();
        let first = self.replica.learned_through.next();
        let retry_at = out.now + self.config.resend_min;
        let give_up_at = out.now + self.config.campaign_timeout;
        self.coordinator = Some(Coordinator {
            ballot,
            phase: Phase::Preparing(Campaign::new(ballot, first, retry_at, give_up_at)),
            lives: Lives::default(),
        });
        out.notice(Notice::Campaigning { ballot });
        let message = Message::Prepare { ballot, first };
        out.send_all(&self.replica.membership, message);
    }

    pub(super) fn on_promise(&mut self, from: MasterId, promise: Promise, out: &mut Out<'_>) {
        let Some(Coordinator { ballot, phase, .. }) = &mut self.coordinator else {
            return;
        };
        let Phase::Preparing(campaign) = phase else {
            return;
        };
        let has = promise.learned_through;
        let incarnation = promise.incarnation;
        let membership = &self.replica.membership;
        let step = campaign.on_promise(membership, &self.config, from, promise);
        if campaign.lives.supersede(from, incarnation) {
            out.notice(Notice::VoidVoteIgnored { from });
            out.send(from, Message::Superseded { incarnation });
        }
        match step {
            Step::Ignored | Step::Wait => {}
            Step::More(first) => {
                let ballot = *ballot;
                out.send(from, Message::Prepare { ballot, first });
            }
            Step::Behind => {
                self.fetch.want(from, has);
                self.demote(Demotion::Behind, out);
                self.drive_fetch(out);
            }
            Step::Ready => self.fill(out),
        }
    }

    /// A quorum has promised: proposes again whatever may have been chosen, and fills holes.
    fn fill(&mut self, out: &mut Out<'_>) {
        let Some(coordinator) = &mut self.coordinator else {
            return;
        };
        let Phase::Preparing(campaign) = &coordinator.phase else {
            return;
        };
        let first = campaign.first();
        let mut pipeline = Pipeline::new(first);
        let mut position = first;
        let mut founded = self.replica.membership.epoch() > 0;
        for planned in campaign.plan() {
            if planned.is_none() {
                out.notice(Notice::HoleFilled { position });
            }
            founded |= matches!(planned, Some(Action::Membership(_)));
            let action = planned.unwrap_or(Action::Nop);
            pipeline.push(Proposal {
                token: None,
                action,
            });
            position = position.next();
        }
        if !founded {
            // The first leader ever writes down who the masters are.
            let membership = Arc::new(self.config.bootstrap.at_epoch(1));
            let action = Action::Membership(membership);
            pipeline.push(Proposal {
                token: None,
                action,
            });
            position = position.next();
        }
        let last = position.previous();
        if last >= first {
            out.notice(Notice::Filling { first, last });
        }
        coordinator.lives = campaign.lives.clone();
        coordinator.phase = Phase::Leading(Leading {
            pipeline,
            lease: Lease::new(out.now, self.config.lease_timeout),
            fences: Fences::default(),
            heartbeat_at: out.now,
            fill_through: last,
            acting_since: None,
        });
        self.heartbeat(out);
        self.pump(out);
        self.consider_elected(out);
    }

    pub(super) fn consider_elected(&mut self, out: &mut Out<'_>) {
        let learned_through = self.replica.learned_through;
        let Some(coordinator) = &mut self.coordinator else {
            return;
        };
        let ballot = coordinator.ballot;
        let Some(leading) = coordinator.leading_mut() else {
            return;
        };
        if leading.acting_since.is_some() || learned_through < leading.fill_through {
            return;
        }
        leading.acting_since = Some(out.now);
        out.fx.push(Effect::Elected {
            ballot,
            through: learned_through,
        });
        self.set_leader(Some(out.me), out);
    }

    /// Gives up the ballot. Whatever was in flight has an unknown fate.
    pub(super) fn demote(&mut self, why: Demotion, out: &mut Out<'_>) {
        let acting = self.acting().is_some();
        let Some(coordinator) = self.coordinator.take() else {
            return;
        };
        let ballot = coordinator.ballot;
        if acting {
            out.fx.push(Effect::Demoted { ballot, why });
        } else {
            out.notice(Notice::CampaignFailed { ballot, why });
        }
        if self.election.leader() == Some(out.me) {
            self.set_leader(None, out);
        }
        self.election.retry_soon(out.now, &self.config);
        let Phase::Leading(leading) = coordinator.phase else {
            return;
        };
        let (unknown, queued) = leading.pipeline.abandon();
        for token in unknown {
            let why = Reject::Unknown;
            out.fx.push(Effect::Rejected { token, why });
        }
        for token in queued {
            let leader = self.election.leader();
            let why = Reject::NotLeading { leader };
            out.fx.push(Effect::Rejected { token, why });
        }
    }

    /// The owner cannot lead: somebody else gets the time of an election first.
    pub(super) fn step_down(&mut self, out: &mut Out<'_>) {
        if self.coordinator.is_some() {
            self.demote(Demotion::SteppedDown, out);
            let wait = self.config.election_timeout_max;
            self.election.yield_to_other(out.now, &self.config, wait);
        }
    }

    /// Gives up if somebody was promised more than the own ballot.
    pub(super) fn yield_to(&mut self, by: Ballot, out: &mut Out<'_>) {
        self.election.meet(by);
        if self.coordinator.as_ref().is_some_and(|c| c.ballot < by) {
            self.demote(Demotion::Superseded { by }, out);
        }
    }

    pub(super) fn on_nack(&mut self, ballot: Ballot, promised: Ballot, out: &mut Out<'_>) {
        self.election.meet(promised);
        let refused = self
            .coordinator
            .as_ref()
            .is_some_and(|c| c.ballot == ballot);
        if refused && promised > ballot {
            self.demote(Demotion::Superseded { by: promised }, out);
        }
    }

    pub(super) fn prepare_again(&mut self, out: &mut Out<'_>) {
        let Some(coordinator) = &mut self.coordinator else {
            return;
        };
        let ballot = coordinator.ballot;
        let Phase::Preparing(campaign) = &mut coordinator.phase else {
            return;
        };
        campaign.retry_at = out.now + self.config.resend_min;
        for to in self.replica.membership.others(out.me) {
            if let Some(first) = campaign.awaited(to) {
                out.send(to, Message::Prepare { ballot, first });
            }
        }
    }
}

//! A leader's writes: queued, batched, in flight within a window, chosen in order.

use super::action::Action;
use super::ballot::Position;
use super::config::Config;
use super::membership::{Membership, Votes};
use crate::ids::MasterId;
use crate::time::Time;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

/// Something to be proposed; what somebody waits for has a token.
#[derive(Clone, Debug)]
pub(super) struct Proposal {
    pub token: Option<u64>,
    pub action: Action,
}

/// Consecutive positions, proposed together.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub first: Position,
    pub actions: Arc<[Action]>,
    /// Which positions somebody waits for: how far into the batch, and the token.
    pub tokens: Vec<(u32, u64)>,
    votes: Votes,
    issued: Time,
    resend_at: Time,
    resend_after: Duration,
}

impl Batch {
    /// The last position.
    pub fn last(&self) -> Position {
        Position(self.first.0 + self.actions.len() as u64 - 1)
    }

    /// Whether `master` said that it accepted.
    pub fn accepted_by(&self, membership: &Membership, master: MasterId) -> bool {
        membership.voted(self.votes, master)
    }
}

/// What a leader has proposed and is about to propose.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    next: Position,
    in_flight: VecDeque<Batch>,
    queued: VecDeque<Proposal>,
}

impl Pipeline {
    /// Proposes from `first` on.
    pub fn new(first: Position) -> Pipeline {
        Pipeline {
            next: first,
            in_flight: VecDeque::new(),
            queued: VecDeque::new(),
        }
    }

    /// The highest position ever proposed.
    pub fn proposed_through(&self) -> Position {
        self.next.previous()
    }

    /// How many messages are in flight.
    pub fn in_flight_count(&self) -> usize {
        self.in_flight.len()
    }

    /// How many proposals wait for the window.
    pub fn queued_count(&self) -> usize {
        self.queued.len()
    }

    /// Whether nothing is in flight or queued.
    pub fn is_idle(&self) -> bool {
        self.in_flight.is_empty() && self.queued.is_empty()
    }

    pub fn push(&mut self, proposal: Proposal) {
        self.queued.push_back(proposal);
    }

    /// The next batch to send, if the window has room and anything is queued.
    pub fn issue(&mut self, now: Time, config: &Config) -> Option<&Batch> {
        if self.queued.is_empty() || self.in_flight.len() >= config.window_messages {
            return None;
        }
        let mut count = 0;
        let mut bytes = 0;
        for proposal in self.queued.iter().take(config.batch_actions_max) {
            bytes += proposal.action.weight_bytes();
            if count > 0 && bytes > config.batch_bytes_max {
                break;
            }
            count += 1;
        }
        assert!(count > 0, "a batch holds at least one action");
        let mut tokens = Vec::new();
        let mut offset = 0;
        let actions: Arc<[Action]> = self
            .queued
            .drain(..count)
            .map(|proposal| {
                if let Some(token) = proposal.token {
                    tokens.push((offset, token));
                }
                offset += 1;
                proposal.action
            })
            .collect();
        let first = self.next;
        self.next = first.after(count as u64);
        self.in_flight.push_back(Batch {
            first,
            actions,
            tokens,
            votes: Votes::default(),
            issued: now,
            resend_at: now + config.resend_min,
            resend_after: config.resend_min,
        });
        assert!(
            self.in_flight.len() <= config.window_messages,
            "the window bounds what is in flight"
        );
        self.in_flight.back()
    }

    /// Counts one replica's acceptance; false for one of something no longer in flight.
    pub fn on_accepted(
        &mut self,
        membership: &Membership,
        from: MasterId,
        first: Position,
        count: u32,
    ) -> bool {
        match self.in_flight.binary_search_by_key(&first, |b| b.first) {
            Ok(i) if self.in_flight[i].actions.len() == count as usize => {
                membership.vote(&mut self.in_flight[i].votes, from);
                true
            }
            _ => false,
        }
    }

    /// Takes out the oldest batch once a quorum accepted it. Later ones wait for it, so that
    /// what is learned stays a prefix.
    pub fn pop_chosen(&mut self, membership: &Membership) -> Option<Batch> {
        let oldest = self.in_flight.front()?;
        if !membership.is_quorum(oldest.votes) {
            return None;
        }
        self.in_flight.pop_front()
    }

    /// Batches that are due to be sent again; the next time for each is set, backing off.
    pub fn due(&mut self, now: Time, config: &Config) -> impl Iterator<Item = &Batch> + '_ {
        let most = config.resend_max;
        self.in_flight.iter_mut().filter_map(move |batch| {
            if batch.resend_at > now {
                return None;
            }
            batch.resend_after = (batch.resend_after * 2).min(most);
            batch.resend_at = now + batch.resend_after;
            Some(&*batch)
        })
    }

    /// When the next batch is due to be sent again.
    pub fn resend_at(&self) -> Option<Time> {
        self.in_flight.iter().map(|batch| batch.resend_at).min()
    }

    /// When the oldest write was issued: the base of the store time-out.
    pub fn oldest_issued(&self) -> Option<Time> {
        self.in_flight.front().map(|batch| batch.issued)
    }

    /// Takes everything apart: tokens whose fate is unknown, then tokens never proposed.
    pub fn abandon(self) -> (Vec<u64>, Vec<u64>) {
        let unknown = self.in_flight.iter();
        let unknown = unknown.flat_map(|batch| batch.tokens.iter().map(|(_, token)| *token));
        let queued = self.queued.iter().filter_map(|proposal| proposal.token);
        (unknown.collect(), queued.collect())
    }
}

//! The durable part of a master's log: what it promised, accepted and learned.
//!
//! The acceptor and learner of Multi-Paxos (Lamport, "Paxos Made Simple", section 3), with two
//! rules that the textbook leaves to the reader. To accept at a ballot is to promise it: an
//! acceptor that took ballot 7 must not take ballot 6 afterwards, or a value already chosen at 7
//! can be overwritten at one position and be lost to the next candidate. And nothing that
//! vouches for a write leaves before the write is durable.

use super::action::Action;
use super::ballot::{Ballot, Position};
use super::config::Config;
use super::effect::{Effect, Fatal, Notice};
use super::entries::{Entries, Entry};
use super::life::{Incarnation, Life, Lives};
use super::membership::Membership;
use super::message::{Fenced, Message, Promise, PromisedEntry};
use super::out::Out;
use super::write::{Checkpoint, Lane, Write};
use crate::durable::{Parked, WriteSequence};
use crate::ids::MasterId;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// How far a replica has got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Status {
    /// A disk never used, or lost: nothing is known, and no vote is given.
    #[default]
    Empty,
    /// All masters were seen to be new: this one may vote as soon as the others know it too.
    Starting,
    /// A full member: promises and accepts.
    Voting,
    /// Its votes are lost; it joins as a new incarnation, and gives no vote until then.
    Recovering,
}

/// What waits for the disk.
#[derive(Clone, Debug)]
enum Parcel {
    /// A message that vouches for a write.
    Letter(MasterId, Message),
    /// A status that is to be true once it is durable.
    Status(Status),
}

/// One acceptor and learner.
#[derive(Clone, Debug)]
pub(super) struct Replica {
    pub incarnation: Incarnation,
    pub status: Status,
    /// The status under way to the disk.
    pub next_status: Option<Status>,
    pub promised: Ballot,
    pub lives: Lives,
    pub membership: Membership,
    pub entries: Entries,
    /// Everything up to here is learned, and was applied.
    pub learned_through: Position,
    /// What some issued write says about `learned_through`.
    pub learned_written: Position,
    parked: Parked<Parcel>,
}

impl Replica {
    pub fn new(incarnation: Incarnation, membership: Membership) -> Replica {
        Replica {
            incarnation,
            status: Status::Empty,
            next_status: None,
            promised: Ballot::NONE,
            lives: Lives::default(),
            membership,
            entries: Entries::new(Position::FIRST),
            learned_through: Position::ZERO,
            learned_written: Position::ZERO,
            parked: Parked::default(),
        }
    }

    /// The highest position that is accepted or learned here.
    pub fn end(&self) -> Position {
        self.entries.end().max(self.learned_through)
    }

    fn persist(&mut self, write: Write, out: &mut Out<'_>) {
        let sequence = self.parked.issue();
        out.fx.push(Effect::Persist {
            lane: Lane::Log,
            sequence,
            write,
        });
    }

    /// Sends `message` once everything written so far is durable.
    pub fn vouch(&mut self, to: MasterId, message: Message, out: &mut Out<'_>) {
        if let Some(Parcel::Letter(to, message)) = self.parked.park(Parcel::Letter(to, message)) {
            out.send(to, message);
        }
    }

    /// The driver's word: sends what waited. Says whether the status changed.
    pub fn on_persisted(&mut self, up_to: WriteSequence, out: &mut Out<'_>) -> bool {
        self.parked.persisted(up_to);
        let mut changed = false;
        while let Some(parcel) = self.parked.pop() {
            match parcel {
                Parcel::Letter(to, message) => out.send(to, message),
                Parcel::Status(status) => {
                    self.become_status(status, out);
                    changed = true;
                }
            }
        }
        changed
    }

    fn become_status(&mut self, status: Status, out: &mut Out<'_>) {
        assert_eq!(self.next_status, Some(status), "statuses change one by one");
        self.next_status = None;
        self.status = status;
        out.notice(Notice::StatusChanged { status });
    }

    /// Writes a status; it is true once it is durable.
    pub fn set_status(&mut self, status: Status, write: Option<Write>, out: &mut Out<'_>) {
        assert!(self.next_status.is_none(), "one change of status at a time");
        assert!(
            self.status != Status::Voting || status == Status::Recovering,
            "a voter loses its vote only by joining anew"
        );
        let write = write.unwrap_or(Write::Standing {
            incarnation: self.incarnation,
            status,
        });
        self.next_status = Some(status);
        self.persist(write, out);
        // A write was issued just now, so the parcel always waits.
        let at_once = self.parked.park(Parcel::Status(status));
        assert!(at_once.is_none(), "nothing is durable before it is written");
    }

    /// Phase one. Says whether the promise was raised.
    pub fn on_prepare(
        &mut self,
        from: MasterId,
        ballot: Ballot,
        first: Position,
        config: &Config,
        out: &mut Out<'_>,
    ) -> bool {
        if self.status != Status::Voting || self.next_status.is_some() {
            return false;
        }
        if ballot < self.promised {
            let promised = self.promised;
            out.send(from, Message::Nack { ballot, promised });
            return false;
        }
        let raised = ballot > self.promised;
        if raised {
            self.promised = ballot;
            self.persist(Write::Promise { ballot }, out);
        }
        assert!(self.promised >= ballot, "a promise covers its ballot");
        let promise = self.promise(ballot, first, config);
        self.vouch(from, Message::Promise(Box::new(promise)), out);
        raised
    }

    fn promise(&self, ballot: Ballot, first: Position, config: &Config) -> Promise {
        let mut entries = Vec::new();
        let mut next = None;
        let mut bytes = 0;
        for (position, entry) in self.entries.from(first) {
            bytes += entry.action.weight_bytes();
            let full = entries.len() >= config.chunk_entries_max || bytes > config.chunk_bytes_max;
            if full && !entries.is_empty() {
                next = Some(position);
                break;
            }
            entries.push(PromisedEntry {
                position,
                ballot: entry.ballot,
                action: entry.action.clone(),
            });
        }
        Promise {
            ballot,
            first,
            next,
            begin: self.entries.begin(),
            learned_through: self.learned_through,
            end: self.end(),
            incarnation: self.incarnation,
            lives: self.lives.clone(),
            entries,
        }
    }

    /// Phase two. Says whether the promise was raised.
    ///
    /// A position that is learned already stays as it is, whatever arrives (MESOS-1271).
    pub fn on_accept(
        &mut self,
        from: MasterId,
        ballot: Ballot,
        first: Position,
        actions: &Arc<[Action]>,
        config: &Config,
        out: &mut Out<'_>,
    ) -> Result<bool, Fatal> {
        if self.status != Status::Voting || self.next_status.is_some() || actions.is_empty() {
            return Ok(false);
        }
        if ballot < self.promised {
            let promised = self.promised;
            out.send(from, Message::Nack { ballot, promised });
            return Ok(false);
        }
        let count = actions.len() as u64;
        let last = first.after(count - 1);
        if first == Position::ZERO || last.beyond(self.learned_through) > config.gap_max {
            // Too far ahead to hold: catching up comes first, and the leader asks again.
            return Ok(false);
        }
        let fresh = self.check_accept(from, ballot, first, actions, out)?;
        let raised = ballot > self.promised;
        self.promised = ballot;
        if fresh {
            self.put_accepted(ballot, first, actions);
            self.learned_written = self.learned_through;
            let write = Write::Accept {
                ballot,
                first,
                learned_through: self.learned_through,
                actions: Arc::clone(actions),
            };
            self.persist(write, out);
        } else if raised {
            self.persist(Write::Promise { ballot }, out);
        }
        let accepted = Message::Accepted {
            ballot,
            first,
            count: count as u32,
            incarnation: self.incarnation,
        };
        self.vouch(from, accepted, out);
        Ok(raised)
    }

    /// Whether anything of a write is new; an error if it contradicts what is learned.
    fn check_accept(
        &self,
        from: MasterId,
        ballot: Ballot,
        first: Position,
        actions: &[Action],
        out: &mut Out<'_>,
    ) -> Result<bool, Fatal> {
        let mut fresh = false;
        let mut late = None;
        for (i, action) in actions.iter().enumerate() {
            let position = first.after(i as u64);
            if position < self.entries.begin() {
                late = late.or(Some(position));
                continue;
            }
            match self.entries.at(position) {
                Some(known) if position <= self.learned_through => {
                    late = late.or(Some(position));
                    if known.action != *action {
                        return Err(Fatal::Diverged { position, from });
                    }
                }
                Some(known) if known.ballot == ballot => {
                    if known.action != *action {
                        return Err(Fatal::Diverged { position, from });
                    }
                }
                Some(known) => {
                    assert!(known.ballot < ballot, "accepted never exceeds promised");
                    fresh = true;
                }
                None => fresh = true,
            }
        }
        if let Some(position) = late {
            out.notice(Notice::LateWriteIgnored { position });
        }
        Ok(fresh)
    }

    fn put_accepted(&mut self, ballot: Ballot, first: Position, actions: &[Action]) {
        for (i, action) in actions.iter().enumerate() {
            let position = first.after(i as u64);
            if position <= self.learned_through || position < self.entries.begin() {
                continue;
            }
            let action = action.clone();
            self.entries.put(position, Entry { ballot, action });
        }
    }

    /// The leader of `ballot` says that everything up to `through` is chosen. Only what was
    /// accepted at that very ballot is known to be what was chosen. Says whether all of it is
    /// learned now.
    pub fn learn(&mut self, ballot: Ballot, through: Position, out: &mut Out<'_>) -> bool {
        while self.learned_through < through {
            let position = self.learned_through.next();
            match self.entries.at(position) {
                Some(entry) if entry.ballot == ballot => {
                    let action = entry.action.clone();
                    self.apply(position, action, out);
                }
                _ => return false,
            }
        }
        true
    }

    /// Learned values from a peer, in order. Those that are known already are skipped.
    pub fn learn_fetched(&mut self, first: Position, actions: &Arc<[Action]>, out: &mut Out<'_>) {
        let next = self.learned_through.next();
        let last = first.after(actions.len() as u64).previous();
        if first == Position::ZERO || first > next || last < next {
            return;
        }
        let skip = next.beyond(first) as usize;
        let fresh = match skip {
            0 => Arc::clone(actions),
            _ => Arc::from(&actions[skip..]),
        };
        self.persist(
            Write::Learn {
                first: next,
                actions: Arc::clone(&fresh),
            },
            out,
        );
        for (i, action) in fresh.iter().enumerate() {
            let position = next.after(i as u64);
            self.put_learned(position, action.clone());
            self.apply(position, action.clone(), out);
        }
        self.learned_written = self.learned_through;
    }

    /// Puts a value that is known to be chosen, keeping the ballot of an own vote.
    pub fn put_learned(&mut self, position: Position, action: Action) {
        let ballot = self
            .entries
            .at(position)
            .map_or(Ballot::NONE, |entry| entry.ballot);
        self.entries.put(position, Entry { ballot, action });
    }

    fn apply(&mut self, position: Position, action: Action, out: &mut Out<'_>) {
        assert_eq!(
            position,
            self.learned_through.next(),
            "entries are applied in order"
        );
        self.learned_through = position;
        if let Action::Membership(membership) = &action {
            self.membership = Membership::clone(membership);
        }
        out.fx.push(Effect::Apply { position, action });
    }

    /// Applies what a restart found learned on the disk.
    pub fn replay(&mut self, from: Position, through: Position, out: &mut Out<'_>) {
        self.learned_through = from;
        while self.learned_through < through {
            let position = self.learned_through.next();
            let entry = self.entries.at(position);
            let action = entry.expect("a learned prefix has no holes").action.clone();
            self.apply(position, action, out);
        }
    }

    /// Writes down what is learned, if no other write did.
    pub fn flush_learned(&mut self, out: &mut Out<'_>) {
        if self.learned_written < self.learned_through {
            let through = self.learned_through;
            self.learned_written = through;
            self.persist(Write::Learned { through }, out);
        }
    }

    /// A joiner's new life, to be remembered for ever. Says whether the promise was raised.
    pub fn on_fence(
        &mut self,
        from: MasterId,
        ballot: Ballot,
        joiner: MasterId,
        life: Life,
        out: &mut Out<'_>,
    ) -> bool {
        if self.status != Status::Voting || self.next_status.is_some() || joiner == out.me {
            return false;
        }
        if ballot < self.promised {
            let promised = self.promised;
            out.send(from, Message::Nack { ballot, promised });
            return false;
        }
        let raised = ballot > self.promised;
        self.promised = ballot;
        if self.lives.record(joiner, life) || raised {
            self.persist(
                Write::Fence {
                    ballot,
                    joiner,
                    life,
                },
                out,
            );
        }
        let fenced = Fenced {
            ballot,
            joiner,
            life,
            incarnation: self.incarnation,
            lives: self.lives.clone(),
        };
        self.vouch(from, Message::Fenced(Box::new(fenced)), out);
        raised
    }

    /// The vote comes back: fenced in at `ballot` and caught up.
    pub fn join(&mut self, ballot: Ballot, lives: &Lives, out: &mut Out<'_>) {
        assert_eq!(self.status, Status::Recovering, "only a joiner joins");
        self.promised = self.promised.max(ballot);
        self.lives.merge(lives);
        let write = Write::Joined {
            ballot: self.promised,
            incarnation: self.incarnation,
            lives: Box::new(self.lives.clone()),
        };
        self.set_status(Status::Voting, Some(write), out);
    }

    /// Starts a new life: keeps what is learned, which is true whoever says it, and drops every
    /// vote.
    pub fn begin_anew(&mut self, incarnation: Incarnation, out: &mut Out<'_>) {
        assert_ne!(incarnation, self.incarnation, "a new life has a new name");
        assert!(self.next_status.is_none(), "one change of status at a time");
        self.incarnation = incarnation;
        self.promised = Ballot::NONE;
        self.entries.truncate_after(self.learned_through);
        self.entries.forget_ballots();
        self.status = Status::Recovering;
        let checkpoint = self.checkpoint(Status::Recovering);
        self.set_status(Status::Recovering, Some(checkpoint), out);
    }

    /// A peer's or the own snapshot covers everything up to `through`; keeps entries from
    /// `begin` on and tells the disk that the rest may go.
    pub fn truncate(&mut self, begin: Position, out: &mut Out<'_>) {
        assert!(
            begin <= self.learned_through.next(),
            "only what is learned is ever truncated"
        );
        if begin > self.entries.begin() {
            self.entries.truncate_before(begin);
        }
        let write = self.checkpoint(self.next_status.unwrap_or(self.status));
        self.learned_written = self.learned_through;
        self.persist(write, out);
    }

    /// Replaces everything up to `through` by a snapshot, which is durable already.
    pub fn install(&mut self, through: Position, membership: Membership, out: &mut Out<'_>) {
        assert!(through > self.learned_through, "learned never goes back");
        self.learned_through = through;
        self.membership = membership;
        self.truncate(through.next(), out);
    }

    fn checkpoint(&self, status: Status) -> Write {
        let slots = self.entries.slots();
        Write::Checkpoint(Box::new(Checkpoint {
            incarnation: self.incarnation,
            status,
            promised: self.promised,
            lives: self.lives.clone(),
            begin: self.entries.begin(),
            learned_through: self.learned_through,
            entries: slots
                .map(|slot| slot.map(|entry| (entry.ballot, entry.action.clone())))
                .collect(),
        }))
    }
}

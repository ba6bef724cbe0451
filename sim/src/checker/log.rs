//! White-box promises of the log: what a replica promised, accepted and learned never goes back,
//! between writes and across restarts, and nothing is vouched for that is not on disk.
//!
//! Watching the writes finds planted bugs in a handful of seeds that comparing values needs
//! thousands for.

use super::Broken;
use super::positions::Positions;
use std::collections::BTreeMap;
use tepui_core::log::message::Promise;
use tepui_core::log::{Action, Ballot, Incarnation, Message, Node, Position, Status, Write};

/// What is on one replica's disk, as far as votes go.
#[derive(Clone, Debug, Default)]
struct Durable {
    incarnation: Option<Incarnation>,
    promised: Ballot,
    accepted: Positions<(Ballot, u64)>,
    learned: Position,
    begin: Position,
    /// What the snapshot covers. It lies in a lane of its own: it may be durable before the
    /// journal says how it came about.
    snapshot: Position,
}

/// One replica.
#[derive(Clone, Debug, Default)]
struct Replica {
    durable: Durable,
    /// What was handed to the disk, durable or not: the newest promise of this run.
    promised: Ballot,
    /// What the running machine last said of itself.
    seen_promised: Ballot,
    seen_learned: Position,
    seen_incarnation: Option<Incarnation>,
    /// The life that the disk was lost of, and what had been acknowledged by then, perhaps with
    /// its vote: to be learned again before another life votes.
    owed: Option<(Option<Incarnation>, Position)>,
}

/// All replicas of a cluster.
#[derive(Debug, Default)]
pub struct LogChecker {
    replicas: Vec<Replica>,
    /// A fold over everything up to a position, by whoever applied it first.
    digests: Positions<u64>,
    /// Who leads with a ballot.
    ballots: BTreeMap<Ballot, usize>,
    /// The last position acknowledged to a client, with its ballot's leader.
    acknowledged: Position,
    /// The last position that anybody applied.
    applied: Position,
}

/// Old ballots say nothing new.
const BALLOTS_KEPT: usize = 4_096;

impl LogChecker {
    /// One more replica.
    pub fn add_replica(&mut self) {
        self.replicas.push(Replica::default());
    }

    /// The last position that anybody applied.
    #[must_use]
    pub fn applied(&self) -> Position {
        self.applied
    }

    /// The last position that was acknowledged to a client.
    #[must_use]
    pub fn acknowledged(&self) -> Position {
        self.acknowledged
    }

    /// A process died: what it had not written is forgotten, rightly.
    pub fn on_death(&mut self, replica: usize) {
        if let Some(replica) = self.replicas.get_mut(replica) {
            replica.promised = replica.durable.promised;
            replica.seen_promised = Ballot::default();
            replica.seen_learned = Position::default();
        }
    }

    /// A disk was lost, with everything on it.
    pub fn on_wipe(&mut self, replica: usize) {
        let replica = &mut self.replicas[replica];
        let former = replica.durable.incarnation.or(replica.seen_incarnation);
        *replica = Replica {
            owed: Some((former, self.acknowledged)),
            ..Replica::default()
        };
    }

    /// A restart begins.
    ///
    /// # Errors
    /// Never yet; the first look at the machine finds what was forgotten.
    pub fn on_recovered(&mut self, replica: usize) -> Result<(), Broken> {
        let replica = &mut self.replicas[replica];
        replica.promised = replica.durable.promised;
        // From the first input on the machine must stand where its disk stands.
        replica.seen_promised = replica.durable.promised;
        replica.seen_learned = Position::default();
        Ok(())
    }

    /// A machine handled an input.
    ///
    /// # Errors
    /// When its promise or its learned prefix went back, or it votes too early.
    pub fn on_replica(&mut self, index: usize, node: &Node) -> Result<(), Broken> {
        let replica = &mut self.replicas[index];
        let (promised, learned) = (node.promised(), node.learned_through());
        let incarnation = Some(node.incarnation());
        if replica.seen_incarnation != incarnation {
            // The votes of the former life are void, and with them its promises.
            replica.seen_incarnation = incarnation;
            replica.seen_promised = Ballot::default();
        }
        if node.status() == Status::Voting
            && let Some((former, owed)) = replica.owed.take()
        {
            let caught_up = former == incarnation || learned >= owed;
            Broken::unless(caught_up, "log.votes-when-caught-up", || {
                format!("votes with {learned} learned, its life before may have voted for {owed}")
            })?;
        }
        let before = replica.seen_promised;
        Broken::unless(promised >= before, "log.promise-never-goes-back", || {
            format!("promised {promised} after {before}")
        })?;
        let before = replica.seen_learned;
        Broken::unless(learned >= before, "log.learned-never-goes-back", || {
            format!("learned through {learned} after {before}")
        })?;
        replica.seen_promised = promised;
        replica.seen_learned = learned;
        Ok(())
    }

    /// A write is handed to the disk.
    ///
    /// # Errors
    /// When it breaks an earlier promise.
    pub fn on_write(&mut self, index: usize, write: &Write) -> Result<(), Broken> {
        let replica = &mut self.replicas[index];
        if let Some(incarnation) = life_of(write)
            && replica.durable.incarnation != Some(incarnation)
        {
            replica.promised = Ballot::default();
        }
        let Some(ballot) = ballot_of(write) else {
            return Ok(());
        };
        let promised = replica.promised;
        Broken::unless(ballot >= promised, "log.promise-is-kept", || {
            format!("writes for ballot {ballot} after promising {promised}")
        })?;
        replica.promised = ballot;
        Ok(())
    }

    /// A write is durable.
    ///
    /// # Errors
    /// When it contradicts what was durable before.
    pub fn on_durable(&mut self, index: usize, write: &Write) -> Result<(), Broken> {
        let durable = &mut self.replicas[index].durable;
        if let Some(incarnation) = life_of(write)
            && durable.incarnation != Some(incarnation)
        {
            durable.incarnation = Some(incarnation);
            durable.promised = Ballot::default();
        }
        if let Some(ballot) = ballot_of(write) {
            durable.promised = durable.promised.max(ballot);
        }
        match write {
            Write::Accept {
                ballot,
                first,
                learned_through,
                actions,
            } => {
                for (position, action) in (first.0..).map(Position).zip(actions.iter()) {
                    durable.accept(position, *ballot, action)?;
                }
                durable.learned = durable.learned.max(*learned_through);
            }
            Write::Learn { first, actions } => {
                for (position, action) in (first.0..).map(Position).zip(actions.iter()) {
                    durable.learn(position, action)?;
                }
                let last = Position((first.0 + actions.len() as u64).saturating_sub(1));
                durable.learned = durable.learned.max(last);
            }
            Write::Learned { through } => durable.learned = durable.learned.max(*through),
            Write::Checkpoint(checkpoint) => {
                let (promised, before) = (checkpoint.promised, durable.promised);
                Broken::unless(promised >= before, "log.promise-never-goes-back", || {
                    format!("a checkpoint says {promised} where {before} was promised")
                })?;
                durable.learned = durable.learned.max(checkpoint.learned_through);
                durable.begin = durable.begin.max(checkpoint.begin);
                durable.accepted = Positions::default();
                for (position, entry) in (checkpoint.begin.0..).zip(&checkpoint.entries) {
                    if let Some((ballot, action)) = entry {
                        let entry = (*ballot, fingerprint(action));
                        durable.accepted.set(Position(position), entry);
                    }
                }
            }
            Write::Snapshot(snapshot) => {
                durable.snapshot = durable.snapshot.max(snapshot.through);
            }
            _ => {}
        }
        Ok(())
    }

    /// A replica that has learned everything up to `learned` speaks.
    ///
    /// # Errors
    /// When it vouches for what is not on its disk.
    pub fn on_message(
        &mut self,
        index: usize,
        learned: Position,
        message: &Message,
    ) -> Result<(), Broken> {
        let durable = &self.replicas[index].durable;
        match message {
            Message::Promise(promise) => {
                let (said, kept) = (promise.ballot, durable.promised);
                Broken::unless(kept >= said, "log.vouched-is-durable", || {
                    format!("says it promised {said}, its disk says {kept}")
                })?;
                durable.remembers(promise)
            }
            Message::Accepted {
                ballot,
                first,
                count,
                ..
            } => (first.0..first.0 + u64::from(*count))
                .map(Position)
                // What is chosen already needs no vote: to vouch for it costs nothing.
                .filter(|position| *position > learned)
                .try_for_each(|position| durable.vouches(position, *ballot)),
            _ => Ok(()),
        }
    }

    /// Somebody applied an entry or took over a snapshot; `digest` covers everything up to there.
    ///
    /// # Errors
    /// When another history was applied elsewhere.
    pub fn on_applied(&mut self, position: Position, digest: u64) -> Result<(), Broken> {
        self.applied = self.applied.max(position);
        match self.digests.find(position) {
            Some(known) => Broken::unless(*known == digest, "log.one-value", || {
                format!("another history up to position {position} was applied elsewhere")
            }),
            None => {
                self.digests.set(position, digest);
                Ok(())
            }
        }
    }

    /// A client was told that its value stands at `position`.
    ///
    /// # Errors
    /// When the leader had not applied it.
    pub fn on_appended(&mut self, _: usize, token: u64, position: Position) -> Result<(), Broken> {
        let applied = self.applied;
        Broken::unless(position <= applied, "log.acknowledged-is-applied", || {
            format!("append {token} acknowledged at {position}, applied only up to {applied}")
        })?;
        self.acknowledged = self.acknowledged.max(position);
        Ok(())
    }

    /// A master leads.
    ///
    /// # Errors
    /// When somebody else led with that ballot, or it lacks what was acknowledged.
    pub fn on_elected(
        &mut self,
        index: usize,
        ballot: Ballot,
        through: Position,
    ) -> Result<(), Broken> {
        let acknowledged = self.acknowledged;
        Broken::unless(through >= acknowledged, "log.acknowledged-survives", || {
            format!("leads with a log through {through}, but {acknowledged} was acknowledged")
        })?;
        let other = self.ballots.insert(ballot, index);
        if self.ballots.len() > BALLOTS_KEPT {
            self.ballots.pop_first();
        }
        Broken::unless(other.is_none(), "log.one-leader-per-ballot", || {
            format!("ballot {ballot} was led with before")
        })
    }
}

impl Durable {
    /// A promise reports each position at no lower ballot than that at which the disk says it was
    /// accepted: a candidate would adopt another's value. What is learned is beyond doubt, and what
    /// was accepted at the promised ballot itself came while the promise waited for the disk.
    fn remembers(&self, promise: &Promise) -> Result<(), Broken> {
        for entry in &promise.entries {
            let kept = self
                .accepted
                .find(entry.position)
                .map(|(ballot, _)| *ballot);
            let forgotten = entry.position > promise.learned_through
                && kept.is_some_and(|kept| entry.ballot < kept && kept < promise.ballot);
            Broken::unless(!forgotten, "log.accepted-never-goes-back", || {
                let (position, said) = (entry.position, entry.ballot);
                format!("says it accepted {position} at {said}, its disk says {kept:?}")
            })?;
        }
        Ok(())
    }

    fn accept(
        &mut self,
        position: Position,
        ballot: Ballot,
        action: &Action,
    ) -> Result<(), Broken> {
        let value = fingerprint(action);
        if let Some((before, known)) = self.accepted.find(position) {
            Broken::unless(ballot >= *before, "log.accepted-never-goes-back", || {
                format!("position {position}: accepted at {ballot} after {before}")
            })?;
            let same_ballot_same_value = ballot != *before || value == *known;
            Broken::unless(same_ballot_same_value, "log.one-value-per-ballot", || {
                format!("position {position}: two values at ballot {ballot}")
            })?;
            let is_final = position <= self.learned && position > self.snapshot;
            let final_value = !is_final || value == *known;
            Broken::unless(final_value, "log.learned-is-final", || {
                format!("position {position}: another value was learned there")
            })?;
        }
        self.accepted.set(position, (ballot, value));
        Ok(())
    }

    /// What is learned may replace another value that was accepted, but never one that was
    /// learned.
    fn learn(&mut self, position: Position, action: &Action) -> Result<(), Broken> {
        let value = fingerprint(action);
        let known = self.accepted.find(position).copied();
        let (ballot, before) = known.unwrap_or((Ballot::default(), value));
        let is_final = position <= self.learned && position > self.snapshot;
        let same = !is_final || value == before;
        Broken::unless(same, "log.learned-is-final", || {
            format!("position {position}: learned twice, with two values")
        })?;
        self.accepted.set(position, (ballot, value));
        Ok(())
    }

    fn vouches(&self, position: Position, ballot: Ballot) -> Result<(), Broken> {
        let known = self.accepted.find(position).map(|(ballot, _)| *ballot);
        let kept = position <= self.learned.max(self.snapshot)
            || position < self.begin
            || known.is_some_and(|known| known >= ballot);
        Broken::unless(kept, "log.vouched-is-durable", || {
            format!("says it accepted position {position} at {ballot}, its disk says {known:?}")
        })
    }
}

/// A write that promises.
fn ballot_of(write: &Write) -> Option<Ballot> {
    match write {
        Write::Promise { ballot }
        | Write::Accept { ballot, .. }
        | Write::Fence { ballot, .. }
        | Write::Joined { ballot, .. } => Some(*ballot),
        _ => None,
    }
}

/// A write that says which life of the replica it belongs to.
fn life_of(write: &Write) -> Option<Incarnation> {
    match write {
        Write::Standing { incarnation, .. } | Write::Joined { incarnation, .. } => {
            Some(*incarnation)
        }
        Write::Checkpoint(checkpoint) => Some(checkpoint.incarnation),
        _ => None,
    }
}

fn fingerprint(action: &Action) -> u64 {
    let mut hash = crate::hash::TraceHash::default();
    hash.value(action);
    hash.finish() as u64
}

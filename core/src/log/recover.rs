//! Building a replica from what is on its disk.

use super::ballot::Position;
use super::config::Config;
use super::effect::{Effect, Notice};
use super::entries::{Entries, Entry};
use super::life::Incarnation;
use super::node::Node;
use super::out::Out;
use super::replica::{Replica, Status};
use super::write::{Checkpoint, Damage, Recovered, Snapshot, Write};
use crate::rng::Rng;
use alloc::string::String;
use alloc::sync::Arc;

/// What a restart comes to.
pub(super) struct Restored {
    pub replica: Replica,
    pub snapshot: Option<Snapshot>,
    /// The disk was damaged: peers are to repair it.
    pub repairing: bool,
    pub halted: bool,
}

/// Replays the journal over the snapshot, then applies everything learned.
pub(super) fn restore(
    config: &Config,
    rng: &mut Rng,
    recovered: Recovered,
    out: &mut Out<'_>,
) -> Restored {
    let Recovered {
        writes,
        snapshot,
        mut damage,
    } = recovered;
    let blank = writes.is_empty() && snapshot.is_none() && damage.is_none();
    let mut replica = Replica::new(Incarnation::default(), config.bootstrap.clone());
    for write in writes {
        if let Err(why) = replay(&mut replica, write) {
            damage = damage.or(Some(Damage { at_bytes: 0, why }));
            break;
        }
    }
    let covered = snapshot.as_ref().map_or(Position::ZERO, |s| s.through);
    if replica.entries.begin() > covered.next() {
        // The entries before `begin` are gone and so is what stood for them.
        let why = String::from("the snapshot that the journal builds on is missing");
        damage = damage.or(Some(Damage { at_bytes: 0, why }));
        replica.entries = Entries::new(Position::FIRST);
        replica.learned_through = Position::ZERO;
    }
    let jumped = covered > replica.learned_through;
    apply(&mut replica, snapshot.as_ref(), out);
    let mut restored = Restored {
        replica,
        snapshot,
        repairing: false,
        halted: false,
    };
    if blank || (restored.replica.incarnation == Incarnation::default() && damage.is_none()) {
        restored.replica.incarnation = draw(rng);
        let status = restored.replica.status;
        restored.replica.set_status(status, None, out);
    }
    if let Some(damage) = damage {
        repair(&mut restored, config, rng, damage, out);
    } else if jumped {
        // A peer's snapshot became durable, and the node died before the journal said so. What
        // is written from here on builds on the snapshot.
        let begin = restored.replica.entries.begin();
        restored.replica.truncate(begin, out);
    }
    restored
}

/// What was acknowledged cannot be read: votes may be lost, so this replica joins as a new life
/// and fetches what it lacks. The damaged record itself is never served.
fn repair(
    restored: &mut Restored,
    config: &Config,
    rng: &mut Rng,
    damage: Damage,
    out: &mut Out<'_>,
) {
    if config.bootstrap.count() == 1 && restored.replica.membership.count() == 1 {
        let fatal = Node::unrepairable(damage.at_bytes, damage.why);
        out.fx.push(Effect::Halt(fatal));
        restored.halted = true;
        return;
    }
    restored.repairing = true;
    let incarnation = draw(rng);
    out.notice(Notice::Joining {
        incarnation,
        why: alloc::format!("damage at byte {}: {}", damage.at_bytes, damage.why),
    });
    restored.replica.begin_anew(incarnation, out);
}

/// Never the default, which means "none yet".
fn draw(rng: &mut Rng) -> Incarnation {
    Incarnation(rng.next_u64().max(1))
}

/// Hands the snapshot and every learned entry beyond it to the state machine.
fn apply(replica: &mut Replica, snapshot: Option<&Snapshot>, out: &mut Out<'_>) {
    let learned_through = replica.learned_through;
    let mut from = Position::ZERO;
    if let Some(snapshot) = snapshot {
        from = snapshot.through;
        replica.membership = snapshot.membership.clone();
        out.fx.push(Effect::InstallSnapshot {
            through: snapshot.through,
            state: Arc::clone(&snapshot.state),
        });
        if snapshot.through > learned_through {
            // Whatever else was accepted up to there, this is what was chosen.
            replica.entries.truncate_before(from.next());
        }
    }
    replica.replay(from, learned_through.max(from), out);
    replica.learned_written = replica.learned_through;
}

/// One record of the journal. An error is a record that cannot follow those before it.
fn replay(replica: &mut Replica, write: Write) -> Result<(), String> {
    match write {
        Write::Standing {
            incarnation,
            status,
        } => {
            replica.incarnation = incarnation;
            replica.status = status;
        }
        Write::Promise { ballot } => replica.promised = replica.promised.max(ballot),
        Write::Accept {
            ballot,
            first,
            learned_through,
            actions,
        } => {
            replica.promised = replica.promised.max(ballot);
            replay_learned(replica, learned_through)?;
            for (i, action) in actions.iter().enumerate() {
                let position = first.after(i as u64);
                if position >= replica.entries.begin() && position > replica.learned_through {
                    let action = action.clone();
                    replica.entries.put(position, Entry { ballot, action });
                }
            }
        }
        Write::Learn { first, actions } => {
            if first != replica.learned_through.next() {
                replay_learned(replica, first.previous())?;
            }
            for (i, action) in actions.iter().enumerate() {
                let position = first.after(i as u64);
                if position > replica.learned_through {
                    replica.put_learned(position, action.clone());
                    replica.learned_through = position;
                }
            }
        }
        Write::Learned { through } => replay_learned(replica, through)?,
        Write::Fence {
            ballot,
            joiner,
            life,
        } => {
            replica.promised = replica.promised.max(ballot);
            replica.lives.record(joiner, life);
        }
        Write::Joined {
            ballot,
            incarnation,
            lives,
        } => {
            replica.promised = replica.promised.max(ballot);
            replica.incarnation = incarnation;
            replica.status = Status::Voting;
            replica.lives.merge(&lives);
        }
        Write::Checkpoint(checkpoint) => replay_checkpoint(replica, *checkpoint),
        Write::Snapshot(_) => return Err(String::from("a snapshot in the journal")),
    }
    Ok(())
}

fn replay_checkpoint(replica: &mut Replica, checkpoint: Checkpoint) {
    let Checkpoint {
        incarnation,
        status,
        promised,
        lives,
        begin,
        learned_through,
        entries,
    } = checkpoint;
    replica.incarnation = incarnation;
    replica.status = status;
    replica.promised = promised;
    replica.lives = lives;
    replica.learned_through = learned_through;
    replica.entries = Entries::new(begin);
    let mut position = begin;
    for slot in entries {
        if let Some((ballot, action)) = slot {
            replica.entries.put(position, Entry { ballot, action });
        }
        position = position.next();
    }
}

/// Learned is a prefix without holes, on disk as in memory.
fn replay_learned(replica: &mut Replica, through: Position) -> Result<(), String> {
    while replica.learned_through < through {
        let position = replica.learned_through.next();
        if replica.entries.at(position).is_none() {
            return Err(alloc::format!(
                "position {position} is said to be learned, but nothing was accepted there"
            ));
        }
        replica.learned_through = position;
    }
    Ok(())
}

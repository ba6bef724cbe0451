//! What is true of a node after every input.

use super::Node;
use super::ballot::Position;
use super::coordinator::Coordinator;
use super::replica::Status;
use crate::invariant::{Cost, Invariant};
use alloc::format;
use alloc::string::String;

/// The table; the cheap ones are asserted after every input, in every build.
pub const INVARIANTS: &[Invariant<Node>] = &[
    Invariant {
        id: "log.proposer-has-promised",
        why: "A coordinator's own replica has promised exactly its ballot.",
        cost: Cost::Constant,
        holds: proposer_has_promised,
    },
    Invariant {
        id: "log.only-voters-propose",
        why: "A replica that is empty, starting or recovering neither campaigns nor leads.",
        cost: Cost::Constant,
        holds: only_voters_propose,
    },
    Invariant {
        id: "log.window-bounds-writes",
        why: "A leader never has more messages in flight than its window.",
        cost: Cost::Constant,
        holds: window_bounds_writes,
    },
    Invariant {
        id: "log.truncated-is-learned",
        why: "Only learned entries that a durable snapshot covers are truncated.",
        cost: Cost::Constant,
        holds: truncated_is_learned,
    },
    Invariant {
        id: "log.acting-has-learned",
        why: "A leader acts only after every position before its election is chosen and applied.",
        cost: Cost::Constant,
        holds: acting_has_learned,
    },
    Invariant {
        id: "log.accepted-within-promised",
        why: "No entry was accepted at a ballot above the promised one.",
        cost: Cost::Linear,
        holds: accepted_within_promised,
    },
    Invariant {
        id: "log.learned-has-no-holes",
        why: "Every learned position that is not truncated has a value.",
        cost: Cost::Linear,
        holds: learned_has_no_holes,
    },
    Invariant {
        id: "log.voteless-accept-nothing",
        why: "A replica without a vote holds learned entries only.",
        cost: Cost::Linear,
        holds: voteless_accept_nothing,
    },
];

fn proposer_has_promised(node: &Node) -> Result<(), String> {
    match node.proposing() {
        Some(ballot) if ballot != node.promised() => Err(format!(
            "proposes at {ballot}, promised {}",
            node.promised()
        )),
        _ => Ok(()),
    }
}

fn only_voters_propose(node: &Node) -> Result<(), String> {
    match node.proposing() {
        Some(ballot) if node.status() != Status::Voting => {
            Err(format!("proposes at {ballot} while {:?}", node.status()))
        }
        _ => Ok(()),
    }
}

fn window_bounds_writes(node: &Node) -> Result<(), String> {
    let (in_flight, _) = node.window();
    let most = node.config.window_messages;
    if in_flight > most {
        return Err(format!("{in_flight} in flight of at most {most}"));
    }
    Ok(())
}

fn truncated_is_learned(node: &Node) -> Result<(), String> {
    let begin = node.begin();
    let covered = node.compaction.through();
    if begin > node.learned_through().next() || begin > covered.next() {
        return Err(format!(
            "begins at {begin}, learned through {}, snapshot through {covered}",
            node.learned_through()
        ));
    }
    Ok(())
}

fn acting_has_learned(node: &Node) -> Result<(), String> {
    let leading = node.coordinator.as_ref().and_then(Coordinator::leading);
    match leading {
        Some(leading)
            if leading.acting_since.is_some() && node.learned_through() < leading.fill_through =>
        {
            Err(format!(
                "acts, but has learned {} of {}",
                node.learned_through(),
                leading.fill_through
            ))
        }
        _ => Ok(()),
    }
}

fn accepted_within_promised(node: &Node) -> Result<(), String> {
    let promised = node.promised();
    let mut entries = node.replica.entries.from(Position::FIRST);
    match entries.find(|(_, entry)| entry.ballot > promised) {
        Some((position, entry)) => Err(format!(
            "position {position} at {}, promised {promised}",
            entry.ballot
        )),
        None => Ok(()),
    }
}

fn learned_has_no_holes(node: &Node) -> Result<(), String> {
    let mut position = node.begin();
    while position <= node.learned_through() {
        if node.entry(position).is_none() {
            return Err(format!("a hole at learned position {position}"));
        }
        position = position.next();
    }
    Ok(())
}

fn voteless_accept_nothing(node: &Node) -> Result<(), String> {
    let end = node.replica.entries.end();
    if node.status() != Status::Voting && end > node.learned_through() {
        return Err(format!(
            "{:?} with entries to {end}, learned through {}",
            node.status(),
            node.learned_through()
        ));
    }
    Ok(())
}

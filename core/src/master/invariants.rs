use super::node::MasterNode;
use super::standing::Standing;
use crate::invariant::{Cost, Invariant};
use alloc::format;
use alloc::string::String;

/// What is true of every master.
pub const INVARIANTS: &[Invariant<MasterNode>] = &[
    Invariant {
        id: "master.acts-only-while-elected",
        why: "A master has what it needs to act on agents and frameworks only between its \
              election and its demotion by the log.",
        cost: Cost::Constant,
        holds: acts_only_while_elected,
    },
    Invariant {
        id: "master.serves-only-when-recorded",
        why: "A master serves agents and frameworks only after the registry, durably, names it \
              as the leader.",
        cost: Cost::Constant,
        holds: serves_only_when_recorded,
    },
    Invariant {
        id: "master.registrar-sees-the-registry",
        why: "A leader's registrar stores against the registry's own version.",
        cost: Cost::Constant,
        holds: registrar_sees_the_registry,
    },
    Invariant {
        id: "master.memory-equals-registry",
        why: "A leader knows exactly the registry's agents, each as the registry has it.",
        cost: Cost::Linear,
        holds: memory_equals_registry,
    },
    Invariant {
        id: "master.holds-a-bounded-number",
        why: "What waits for a new leader to be recorded is bounded.",
        cost: Cost::Constant,
        holds: holds_a_bounded_number,
    },
    Invariant {
        id: "master.nothing-hangs-on-a-follower",
        why: "No connection outlives the leadership that it served.",
        cost: Cost::Constant,
        holds: nothing_hangs_on_a_follower,
    },
    Invariant {
        id: "master.followers-owe-no-answers",
        why: "Operators are answered at the latest when the leadership that they asked ends.",
        cost: Cost::Constant,
        holds: followers_owe_no_answers,
    },
    Invariant {
        id: "master.operators-are-answered-once",
        why: "Exactly those requests of operators are unanswered that the leader has not done.",
        cost: Cost::Linear,
        holds: operators_are_answered_once,
    },
];

fn operators_are_answered_once(node: &MasterNode) -> Result<(), String> {
    let Standing::Leading(serving) = &node.standing else {
        return Ok(());
    };
    let (asked, open) = (node.asked.len(), serving.leading.requests());
    if asked == open {
        return Ok(());
    }
    Err(format!("{asked} operators wait, {open} requests are open"))
}

fn followers_owe_no_answers(node: &MasterNode) -> Result<(), String> {
    let owed = node.asked.len();
    match &node.standing {
        Standing::Following | Standing::SteppingDown { .. } if owed > 0 => {
            Err(format!("{owed} operators wait for an answer"))
        }
        _ => Ok(()),
    }
}

fn acts_only_while_elected(node: &MasterNode) -> Result<(), String> {
    let elected = node.log.acting().map(|(ballot, _)| ballot);
    match &node.standing {
        Standing::Following if elected.is_none() => Ok(()),
        Standing::SteppingDown { .. } => Ok(()),
        standing if elected.is_some() && standing.ballot() == elected => Ok(()),
        standing => Err(format!(
            "acts under {:?}, elected under {elected:?}",
            standing.ballot()
        )),
    }
}

fn serves_only_when_recorded(node: &MasterNode) -> Result<(), String> {
    let Standing::Leading(serving) = &node.standing else {
        return Ok(());
    };
    let recorded = node.registry.leader().map(|leader| leader.ballot);
    if recorded == Some(serving.leading.ballot()) {
        return Ok(());
    }
    let serving = serving.leading.ballot();
    Err(format!("serves under {serving}, recorded is {recorded:?}"))
}

fn registrar_sees_the_registry(node: &MasterNode) -> Result<(), String> {
    let Some(registrar) = node.standing.registrar() else {
        return Ok(());
    };
    let (seen, real) = (registrar.version(), node.registry.version());
    if seen == real {
        return Ok(());
    }
    Err(format!(
        "the registrar is at {seen}, the registry at {real}"
    ))
}

fn memory_equals_registry(node: &MasterNode) -> Result<(), String> {
    match &node.standing {
        Standing::Leading(serving) => serving.leading.matches(&node.registry),
        _ => Ok(()),
    }
}

fn holds_a_bounded_number(node: &MasterNode) -> Result<(), String> {
    let Standing::Recording(recording) = &node.standing else {
        return Ok(());
    };
    // For every connection that something is held of, its end may be held as well.
    let (held, bound) = (recording.held.len(), 2 * node.config.held_max);
    if held <= bound {
        return Ok(());
    }
    Err(format!("{held} messages are held, more than {bound}"))
}

fn nothing_hangs_on_a_follower(node: &MasterNode) -> Result<(), String> {
    let hanging = node.connections.len();
    match &node.standing {
        Standing::Following | Standing::SteppingDown { .. } if hanging > 0 => {
            Err(format!("{hanging} connections of an earlier leadership"))
        }
        _ => Ok(()),
    }
}

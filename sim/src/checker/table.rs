//! Everything that is checked in every run, by name.

use tepui_core::{agent, allocator, log, master, registry, scheduler};

/// What the simulator checks over the whole cluster: the name and what it promises. What each
/// machine checks of itself stands in the core, next to its state.
pub const CLUSTER_INVARIANTS: &[(&str, &str)] = &[
    (
        "log.promise-never-goes-back",
        "a replica's promise only grows, between writes and across restarts",
    ),
    (
        "log.promise-is-kept",
        "a replica writes nothing for a ballot below its promise",
    ),
    (
        "log.learned-never-goes-back",
        "what a replica has learned only grows while it runs",
    ),
    (
        "log.accepted-never-goes-back",
        "the ballot at which a position was accepted only grows",
    ),
    (
        "log.one-value-per-ballot",
        "a replica accepts one value for a position at a ballot",
    ),
    (
        "log.learned-is-final",
        "a learned position never gets another value",
    ),
    (
        "log.vouched-is-durable",
        "a replica vouches for nothing that is not on its disk",
    ),
    (
        "log.votes-when-caught-up",
        "a replica that lost its votes has learned all that was acknowledged until then before it \
         votes again",
    ),
    (
        "log.one-value",
        "all replicas apply one history, position by position",
    ),
    (
        "log.acknowledged-is-applied",
        "a value is acknowledged only once it is applied",
    ),
    (
        "log.acknowledged-survives",
        "whoever leads has applied everything that was ever acknowledged",
    ),
    (
        "log.one-leader-per-ballot",
        "no two leaders ever act with one ballot",
    ),
    (
        "log.recovers-what-it-wrote",
        "a replica takes back whatever journal its own writes left behind",
    ),
    (
        "masters.one-acting-leader",
        "no two masters act as the leader at once, as long as clocks run alike (checked where a \
         scenario names it)",
    ),
    (
        "registry.replicas-agree",
        "replicas of the registry are equal at equal positions",
    ),
    (
        "operators.done-is-kept",
        "what an operator was told is done is so in the registry of whoever leads from then on",
    ),
    (
        "operators.set-aside-is-not-offered",
        "nothing is offered of an agent once an operator was told that it is drained, deactivated \
         or gone, or that its machine is down",
    ),
    (
        "operators.set-aside-is-not-used",
        "nothing is launched on an agent once an operator was told that it is drained, deactivated \
         or gone",
    ),
    (
        "operators.offers-are-within-limits",
        "with what a role is offered it has no more than its quota's limits, added up anew from \
         the leader's tasks, reservations and offers",
    ),
    (
        "volumes.data-is-kept",
        "a volume that an agent said was made is there, and is not emptied, until someone asks \
         for its end",
    ),
    (
        "frameworks.one-identity",
        "no framework id is given to two schedulers",
    ),
    (
        "tasks.never-two-live-runs",
        "two processes of one task never run at once",
    ),
    (
        "tasks.terminal-is-final",
        "a task that is over never runs again and is never called anything else",
    ),
    (
        "tasks.no-false-terminal",
        "no task is called over while its process runs",
    ),
    (
        "tasks.updates-in-order",
        "a scheduler hears of a task's states in their order",
    ),
    (
        "tasks.updates-until-acknowledged",
        "an agent keeps an update until that very update was acknowledged",
    ),
    (
        "agents.vouched-is-durable",
        "an agent tells the master of no update, and of no outcome of an operation, that is not on \
         its disk",
    ),
];

/// All names, those of the core's own tables included.
#[must_use]
pub fn known_invariants() -> Vec<&'static str> {
    let mut known: Vec<&str> = CLUSTER_INVARIANTS.iter().map(|(id, _)| *id).collect();
    known.extend(log::invariants::INVARIANTS.iter().map(|i| i.id));
    known.extend(registry::INVARIANTS.iter().map(|i| i.id));
    known.extend(registry::REGISTRAR_INVARIANTS.iter().map(|i| i.id));
    known.extend(allocator::INVARIANTS.iter().map(|i| i.id));
    known.extend(master::INVARIANTS.iter().map(|i| i.id));
    known.extend(master::leading::INVARIANTS.iter().map(|i| i.id));
    known.extend(agent::INVARIANTS.iter().map(|i| i.id));
    known.extend(scheduler::INVARIANTS.iter().map(|i| i.id));
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_for_one_promise() {
        let mut known = known_invariants();
        let count = known.len();
        known.sort_unstable();
        known.dedup();
        assert_eq!(known.len(), count);
    }
}

//! What is true of a leader after every input.

use super::agents::Agent;
use super::arena::Index;
use super::operations;
use super::{Leading, Owner, Timer};
use crate::allocator;
use crate::invariant::{self, Cost, Invariant, Violation};
use crate::placement::{Mix, Shape};
use crate::registry::Registry;
use crate::resources::Resources;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What is true of a leader after every input.
pub const INVARIANTS: &[Invariant<Leading>] = &[
    Invariant {
        id: "master.missing-agents-are-timed",
        why: "While agents are missing after an election, their time to return is running out.",
        cost: Cost::Constant,
        holds: missing_agents_are_timed,
    },
    Invariant {
        id: "master.agent-sets-disjoint",
        why: "No agent is at once two of missing, known, unreachable and gone.",
        cost: Cost::Linear,
        holds: agent_sets_disjoint,
    },
    Invariant {
        id: "master.connections-have-one-owner",
        why: "A connection belongs to at most one agent or framework, and each of these has one.",
        cost: Cost::Linear,
        holds: connections_have_one_owner,
    },
    Invariant {
        id: "master.agents-are-pinged",
        why: "Every agent that is known will be asked whether it is there.",
        cost: Cost::Linear,
        holds: agents_are_pinged,
    },
    Invariant {
        id: "master.absent-frameworks-are-timed",
        why: "A framework whose scheduler is away has a failover time-out running; one that is \
              subscribed has none, and hears heartbeats.",
        cost: Cost::Linear,
        holds: absent_frameworks_are_timed,
    },
    Invariant {
        id: "master.offers-name-the-living",
        why: "An offer names one connected agent and one subscribed framework in one of its roles.",
        cost: Cost::Linear,
        holds: offers_name_the_living,
    },
    Invariant {
        id: "master.no-double-offer",
        why: "For each agent, total == free + offered + used: nothing is offered or used twice.",
        cost: Cost::Linear,
        holds: books_balance,
    },
    Invariant {
        id: "master.tasks-sit-on-agents",
        why: "Every task sits on an agent that is known or unreachable, and nowhere else.",
        cost: Cost::Linear,
        holds: tasks_sit_on_agents,
    },
    Invariant {
        id: "master.terminal-tasks-use-nothing",
        why: "Only a live task on an agent in sight is charged for resources.",
        cost: Cost::Linear,
        holds: terminal_tasks_use_nothing,
    },
    Invariant {
        id: "master.mix-is-a-recount",
        why: "The mix of tasks, by which agents are ordered, is that of the tasks charged for.",
        cost: Cost::Linear,
        holds: mix_is_a_recount,
    },
    Invariant {
        id: "master.task-ids-unique",
        why: "A framework has each task id at most once, and every task is found under its own.",
        cost: Cost::Linear,
        holds: task_ids_unique,
    },
    Invariant {
        id: "master.presence-is-a-recount",
        why: "On how many agents a framework has something is what a recount gives.",
        cost: Cost::Linear,
        holds: presence_is_a_recount,
    },
    Invariant {
        id: "master.operations-sit-on-agents",
        why: "Every operation on resources sits on an agent that is known, under one name.",
        cost: Cost::Linear,
        holds: operations::sit_on_agents,
    },
    Invariant {
        id: "master.operations-keep-quantities",
        why: "Whatever was reserved or made into volumes, an agent has as much as it says.",
        cost: Cost::Linear,
        holds: operations::keep_quantities,
    },
    Invariant {
        id: "master.history-is-bounded",
        why: "What is kept only for people to see, or on agents out of sight, stays within bounds.",
        cost: Cost::Linear,
        holds: history_is_bounded,
    },
    Invariant {
        id: "master.set-aside-agents-are-not-offered",
        why: "Nothing is offered of an agent that is drained or deactivated, or whose machine is \
              down and which is therefore being removed.",
        cost: Cost::Linear,
        holds: set_aside_agents_are_not_offered,
    },
    Invariant {
        id: "master.offers-are-within-limits",
        why: "A role that has consumed more than a limit of its quota, because it is a new one or \
              tasks came back, is offered nothing of what that limits.",
        cost: Cost::Linear,
        holds: offers_are_within_limits,
    },
    Invariant {
        id: "master.inverse-offers-name-the-living",
        why: "An inverse offer asks one subscribed framework to leave one connected agent, which \
              is on the schedule of maintenance.",
        cost: Cost::Linear,
        holds: inverse_offers_name_the_living,
    },
];

impl Leading {
    /// What is broken, of the leader's invariants and its allocator's that cost at most `cost`.
    #[must_use]
    pub fn check(&self, cost: Cost) -> Vec<Violation> {
        let mut violations = invariant::check(INVARIANTS, self, cost);
        let allocator = self.allocation.allocator();
        violations.extend(invariant::check(allocator::INVARIANTS, allocator, cost));
        violations
    }

    /// Whether memory equals the registry: the same agents are admitted, unreachable and gone.
    ///
    /// # Errors
    /// Says what differs.
    pub fn matches(&self, registry: &Registry) -> Result<(), String> {
        let agents = &self.agents;
        if agents.unreachable != *registry.unreachable() {
            return Err(format!(
                "{} agents are unreachable, {} in the registry",
                agents.unreachable.len(),
                registry.unreachable().len()
            ));
        }
        if agents.gone != *registry.gone() {
            return Err(String::from("other agents are gone in the registry"));
        }
        if self.operator.state != *registry.operator() {
            return Err(String::from("operators' words are others in the registry"));
        }
        let admitted = agents.recovered.len() + agents.arena.len();
        if admitted != registry.admitted().len() {
            let stored = registry.admitted().len();
            return Err(format!(
                "{admitted} agents are admitted, {stored} in the registry"
            ));
        }
        for (id, stored) in registry.admitted() {
            let same = match agents.find(id) {
                Some(index) => self.admission_of(&agents.arena[index]) == **stored,
                None => agents.recovered.get(id) == Some(stored),
            };
            if !same {
                return Err(format!("agent {id} is another in the registry"));
            }
        }
        Ok(())
    }
}

fn require(holds: bool, found: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(found()) }
}

fn missing_agents_are_timed(leading: &Leading) -> Result<(), String> {
    let agents = &leading.agents;
    let timed = leading.timers.at(&Timer::Reregister).is_some()
        || !agents.removals.is_empty()
        || !agents.pending.is_empty();
    require(agents.recovered.is_empty() || timed, || {
        format!("nobody waits for {} agents", agents.recovered.len())
    })
}

fn agent_sets_disjoint(leading: &Leading) -> Result<(), String> {
    let agents = &leading.agents;
    require(agents.by_id.len() == agents.arena.len(), || {
        format!(
            "{} ids of {} agents",
            agents.by_id.len(),
            agents.arena.len()
        )
    })?;
    for (id, index) in &agents.by_id {
        require(agents.arena[*index].id == *id, || {
            format!("{id} names another")
        })?;
    }
    let known = agents.by_id.keys();
    let missing = agents.recovered.keys();
    let unreachable = agents.unreachable.keys();
    let gone = agents.gone.keys();
    let mut sets: BTreeMap<&crate::ids::AgentId, u32> = BTreeMap::new();
    for id in known.chain(missing).chain(unreachable).chain(gone) {
        *sets.entry(id).or_default() += 1;
    }
    match sets.iter().find(|(_, sets)| **sets > 1) {
        Some((id, sets)) => Err(format!("agent {id} is in {sets} sets")),
        None => Ok(()),
    }
}

fn connections_have_one_owner(leading: &Leading) -> Result<(), String> {
    for (peer, owner) in &leading.peers {
        let theirs = match owner {
            Owner::Agent(index) => leading.agents.arena[*index].peer,
            Owner::Framework(index) => leading.frameworks.arena[*index].peer,
        };
        require(theirs == Some(*peer), || {
            format!("{owner:?} is not at {peer:?}")
        })?;
    }
    let agents = leading.agents.arena.iter();
    let agents = agents.filter(|(_, agent)| agent.peer.is_some()).count();
    let frameworks = leading.frameworks.arena.iter();
    let frameworks = frameworks.filter(|(_, f)| f.peer.is_some()).count();
    require(leading.peers.len() == agents + frameworks, || {
        let peers = leading.peers.len();
        format!("{peers} connections of {agents} agents and {frameworks} frameworks")
    })
}

fn agents_are_pinged(leading: &Leading) -> Result<(), String> {
    for (index, agent) in leading.agents.arena.iter() {
        let timed = leading.timers.at(&Timer::Ping(index)).is_some();
        require(timed, || format!("nobody pings {}", agent.id))?;
    }
    Ok(())
}

fn absent_frameworks_are_timed(leading: &Leading) -> Result<(), String> {
    for (index, framework) in leading.frameworks.arena.iter() {
        let away = framework.peer.is_none();
        let ends_at = leading.timers.at(&Timer::Failover(index));
        let heartbeat = leading.timers.at(&Timer::Heartbeat(index)).is_some();
        let timed = away == ends_at.is_some() && ends_at == framework.ends_at;
        require(timed && away != heartbeat, || {
            let id = &framework.id;
            format!("{id} is away: {away}, ends at {ends_at:?}, heartbeat: {heartbeat}")
        })?;
        let named = leading.frameworks.find(&framework.id) == Some(index);
        let removed = leading.frameworks.is_removed(&framework.id);
        require(named && !removed, || format!("{} has ended", framework.id))?;
    }
    let (ids, count) = (
        leading.frameworks.by_id.len(),
        leading.frameworks.arena.len(),
    );
    require(ids == count, || format!("{ids} ids of {count} frameworks"))
}

fn offers_name_the_living(leading: &Leading) -> Result<(), String> {
    for (number, offered) in &leading.offers.by_number {
        let id = &offered.offer.id;
        let agent = leading.agents.arena.get(offered.agent);
        let connected = agent.is_some_and(|agent| {
            agent.peer.is_some()
                && agent.offers.contains(number)
                && agent.id == offered.offer.agent_id
        });
        require(connected, || format!("{id} is one of no connected agent"))?;
        let framework = leading.frameworks.arena.get(offered.framework);
        let subscribed = framework.is_some_and(|framework| {
            framework.peer.is_some()
                && framework.offers.contains(number)
                && framework.id == offered.offer.framework_id
                && framework.info.roles.contains(&offered.offer.role)
        });
        require(subscribed, || format!("{id} is for nobody who wants it"))?;
    }
    let count = leading.offers.by_number.len();
    let agents = leading.agents.arena.iter();
    let at_agents: usize = agents.map(|(_, agent)| agent.offers.len()).sum();
    let frameworks = leading.frameworks.arena.iter();
    let at_frameworks: usize = frameworks.map(|(_, f)| f.offers.len()).sum();
    require(at_agents == count && at_frameworks == count, || {
        format!("{count} offers, {at_agents} of agents, {at_frameworks} of frameworks")
    })
}

fn books_balance(leading: &Leading) -> Result<(), String> {
    for (index, agent) in leading.agents.arena.iter() {
        agent_books_balance(leading, index, agent).map_err(|why| format!("{}: {why}", agent.id))?;
    }
    Ok(())
}

fn agent_books_balance(
    leading: &Leading,
    index: Index<Agent>,
    agent: &Agent,
) -> Result<(), String> {
    let Some(free) = leading.allocation.free(index) else {
        return Err(String::from("the allocator does not know it"));
    };
    let mut sum = free.exclusive();
    let mut include = |more: &Resources| -> Result<(), String> {
        let shared = more.shared();
        if !shared.is_empty() && !agent.shrank && !agent.total.contains_single(&shared) {
            return Err(format!("{shared} is held, but is not there"));
        }
        let mut items = more.iter().filter(|item| !item.kind.shared);
        items.try_for_each(|item| sum.include(item).map_err(|error| error.to_string()))
    };
    for number in &agent.offers {
        include(&leading.offers.by_number[number].offer.resources)?;
    }
    for task in &agent.tasks {
        let task = &leading.tasks[*task];
        if task.charged {
            include(&task.info.resources.unallocated())?;
        }
    }
    for executor in agent.executors.values().filter(|e| e.charged) {
        include(&executor.info.resources.unallocated())?;
    }
    let total = &agent.total.exclusive();
    // After an agent came back with less, what runs there may be more than it has.
    let balanced = sum == *total || agent.shrank && sum.contains(total);
    require(balanced, || {
        format!("free, offered and used are {sum}, total is {total}")
    })
}

fn tasks_sit_on_agents(leading: &Leading) -> Result<(), String> {
    for (index, task) in leading.tasks.iter() {
        let name = &task.info.task_id;
        let agent_id = &task.info.agent_id;
        let placed = match task.agent {
            Some(agent) => leading
                .agents
                .arena
                .get(agent)
                .is_some_and(|agent| agent.tasks.contains(&index) && agent.id == *agent_id),
            None => {
                let lost = leading.out_of_sight.get(agent_id);
                lost.is_some_and(|lost| lost.contains(&index))
                    && leading.agents.unreachable.contains_key(agent_id)
                    && task.lost_as.is_some()
            }
        };
        require(placed, || format!("task {name} is not on {agent_id}"))?;
    }
    let count = leading.tasks.len();
    let agents = leading.agents.arena.iter();
    let in_sight: usize = agents.map(|(_, agent)| agent.tasks.len()).sum();
    let lost: usize = leading.out_of_sight.values().map(BTreeSet::len).sum();
    require(in_sight + lost == count, || {
        format!("{count} tasks, {in_sight} on agents and {lost} out of sight")
    })
}

fn terminal_tasks_use_nothing(leading: &Leading) -> Result<(), String> {
    for (_, task) in leading.tasks.iter() {
        require(!task.charged || task.occupies(), || {
            format!("task {} is charged in {}", task.info.task_id, task.state)
        })?;
    }
    Ok(())
}

fn mix_is_a_recount(leading: &Leading) -> Result<(), String> {
    let mut mix = Mix::default();
    let charged = leading.tasks.iter().filter(|(_, task)| task.charged);
    charged.for_each(|(_, task)| mix.add(Shape::of(&task.info.resources)));
    require(mix == *leading.allocation.mix(), || {
        format!("{} tasks are charged for", mix.total())
    })
}

fn task_ids_unique(leading: &Leading) -> Result<(), String> {
    let mut found = 0;
    for (index, framework) in leading.frameworks.arena.iter() {
        for (id, task) in &framework.tasks {
            let task = leading.tasks.get(*task);
            let own = task.is_some_and(|t| t.framework == index && t.info.task_id == *id);
            require(own, || format!("task {id} of {} is another", framework.id))?;
        }
        found += framework.tasks.len();
    }
    require(found == leading.tasks.len(), || {
        format!("{found} of {} tasks have a framework", leading.tasks.len())
    })
}

fn presence_is_a_recount(leading: &Leading) -> Result<(), String> {
    let mut counts = BTreeMap::new();
    for (index, agent) in leading.agents.arena.iter() {
        let tasks = agent
            .tasks
            .iter()
            .map(|task| leading.tasks[*task].framework);
        let executors = agent.executors.keys().map(|key| key.0);
        for framework in tasks.chain(executors) {
            *counts.entry((framework, index)).or_insert(0_u32) += 1;
        }
    }
    for (index, framework) in leading.frameworks.arena.iter() {
        for (agent, count) in &framework.presence {
            let recount = counts.remove(&(index, *agent)).unwrap_or(0);
            require(recount == *count, || {
                format!(
                    "{}: {count} on {agent:?}, recounted {recount}",
                    framework.id
                )
            })?;
        }
    }
    require(counts.is_empty(), || format!("uncounted: {counts:?}"))
}

fn set_aside_agents_are_not_offered(leading: &Leading) -> Result<(), String> {
    for (_, agent) in leading.agents.arena.iter() {
        let aside = leading.operator.is_deactivated(&agent.id);
        require(agent.offers.is_empty() || !aside, || {
            format!("{} offers of {} stand", agent.offers.len(), agent.id)
        })?;
    }
    Ok(())
}

fn offers_are_within_limits(leading: &Leading) -> Result<(), String> {
    let allocator = leading.allocation.allocator();
    for (role, limits) in allocator.beyond_limits() {
        let consumed = allocator.consumed(role);
        let beyond = limits
            .iter()
            .filter(|(name, limit)| consumed.milli(name) > limit.milli());
        let beyond: Vec<&str> = beyond.map(|(name, _)| name).collect();
        for offered in leading.offers.by_number.values() {
            let held = offered.offer.resources.unreserved().quantities();
            let helps = beyond.iter().any(|name| held.milli(name) > 0);
            require(!helps || !role.covers(&offered.offer.role), || {
                format!("{role} has {consumed} and is offered {held}, limits {limits}")
            })?;
        }
    }
    Ok(())
}

fn inverse_offers_name_the_living(leading: &Leading) -> Result<(), String> {
    let standing = leading.operator.inverse.standing();
    let standing = standing.map_err(|number| format!("inverse offer {number} is misplaced"))?;
    for (agent, framework) in standing {
        let agent = leading.agents.arena.get(agent);
        let framework = leading.frameworks.arena.get(framework);
        let living = agent.is_some_and(|agent| agent.peer.is_some())
            && framework.is_some_and(|framework| framework.peer.is_some());
        require(living, || String::from("an inverse offer names the absent"))?;
    }
    Ok(())
}

fn history_is_bounded(leading: &Leading) -> Result<(), String> {
    let config = &leading.config;
    let ended = leading.frameworks.completed.len();
    require(ended <= config.max_completed_frameworks, || {
        format!("{ended} ended frameworks are kept")
    })?;
    for (_, framework) in leading.frameworks.arena.iter() {
        let (ended, lost) = (framework.completed.len(), framework.out_of_sight.len());
        let bounded = ended <= config.max_completed_tasks_per_framework
            && lost <= config.max_unreachable_tasks_per_framework;
        require(bounded, || {
            format!(
                "{}: {ended} ended and {lost} lost tasks are kept",
                framework.id
            )
        })?;
    }
    Ok(())
}

//! What is true of the allocator after every verb.

use super::Allocator;
use super::bits::Bits;
use super::quota::recounted;
use crate::invariant::{Cost, Invariant};
use crate::resources::{Quantities, Resources};
use alloc::format;
use alloc::string::String;
use alloc::vec;

/// See each entry.
pub const INVARIANTS: &[Invariant<Allocator>] = &[
    Invariant {
        id: "allocator.books-balance",
        why: "on every agent, what is free and what is allocated are exactly its total",
        cost: Cost::Linear,
        holds: books_balance,
    },
    Invariant {
        id: "allocator.no-double-offer",
        why: "nothing is free, or in the hands of two frameworks, that is in someone's hands",
        cost: Cost::Linear,
        holds: no_double_offer,
    },
    Invariant {
        id: "allocator.shares-are-recounts",
        why: "every share and every order in the role tree is what a recount from scratch gives",
        cost: Cost::Linear,
        holds: shares_are_recounts,
    },
    Invariant {
        id: "allocator.totals-are-recounts",
        why: "the cluster's total is the sum of its agents' totals",
        cost: Cost::Linear,
        holds: totals_are_recounts,
    },
    Invariant {
        id: "allocator.only-willing-clients",
        why: "an inactive framework or a suppressed role is never a candidate for an offer",
        cost: Cost::Linear,
        holds: only_willing_clients,
    },
    Invariant {
        id: "allocator.nobody-is-forgotten",
        why: "what an agent has free is wanted by nobody, or waits for the next cycle",
        cost: Cost::Linear,
        holds: nobody_is_forgotten,
    },
    Invariant {
        id: "allocator.filters-are-known",
        why: "every filter is known to its client, so that a revive finds it",
        cost: Cost::Linear,
        holds: filters_are_known,
    },
    Invariant {
        id: "allocator.limits-are-kept",
        why: "no role is ever handed more than its quota's limits leave, offers included",
        cost: Cost::Linear,
        holds: limits_are_kept,
    },
    Invariant {
        id: "allocator.guarantees-are-kept",
        why: "nobody, beyond his own guarantee, is handed what the guarantees of others lack",
        cost: Cost::Linear,
        holds: guarantees_are_kept,
    },
    Invariant {
        id: "allocator.quota-books-are-recounts",
        why: "what counts towards the headroom, and each client's quota, are what a recount gives",
        cost: Cost::Linear,
        holds: quota_books_are_recounts,
    },
];

fn require(holds: bool, found: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(found()) }
}

fn books_balance(allocator: &Allocator) -> Result<(), String> {
    for (_, agent) in allocator.agents.iter() {
        let total = agent.ledger.total.exclusive();
        let all = total.checked_add(&agent.ledger.deficit);
        let allocated = all.and_then(|all| all.checked_sub(&agent.free.exclusive()));
        let allocated = allocated.map_err(|error| format!("agent {}: {error}", agent.ledger.id))?;
        let mut held = Quantities::ZERO;
        for holder in &agent.holders {
            held.add(&holder.held);
        }
        require(allocated.quantities() == held, || {
            format!(
                "agent {}: {held} held, but {allocated} allocated",
                agent.ledger.id
            )
        })?;
        let cached = (&agent.free_quantities, &agent.ledger.total_quantities);
        let free = agent.free.exclusive();
        let fresh = (free.quantities(), agent.ledger.total.quantities());
        require(cached == (&fresh.0, &fresh.1), || {
            format!(
                "agent {}: free {} and total {}",
                agent.ledger.id, cached.0, cached.1
            )
        })?;
    }
    Ok(())
}

fn no_double_offer(allocator: &Allocator) -> Result<(), String> {
    for (_, agent) in allocator.agents.iter() {
        let (total, free) = (agent.ledger.total.shared(), agent.free.shared());
        let none = total.is_empty() && free.is_empty();
        require(none || total.single() == free, || {
            format!(
                "agent {}: of {total}, {free} is offered to all",
                agent.ledger.id
            )
        })?;
        require(agent.ledger.total.contains(&agent.free), || {
            format!(
                "agent {}: {} free of {}",
                agent.ledger.id, agent.free, agent.ledger.total
            )
        })?;
        let both: Resources = agent.free.intersection(&agent.ledger.deficit);
        require(both.is_empty(), || {
            format!("agent {}: {both} is free and owed", agent.ledger.id)
        })?;
        for (at, holder) in agent.holders.iter().enumerate() {
            let name = (holder.client, holder.generation);
            let mut before = agent.holders[..at].iter();
            require(
                before.all(|other| (other.client, other.generation) != name),
                || format!("agent {}: a client holds twice", agent.ledger.id),
            )?;
        }
    }
    Ok(())
}

fn shares_are_recounts(allocator: &Allocator) -> Result<(), String> {
    let tree = &allocator.tree;
    let mut held = vec![Quantities::ZERO; tree.standings.len()];
    for (_, agent) in allocator.agents.iter() {
        for holder in &agent.holders {
            if allocator.clients.is_live(holder.client, holder.generation) {
                held[allocator.clients.at(holder.client).node as usize].add(&holder.held);
            }
        }
    }
    for (_, client) in allocator.clients.iter() {
        let (cached, fresh) = (
            &tree.nodes.at(client.node).allocated,
            &held[client.node as usize],
        );
        require(cached == fresh, || {
            format!(
                "a client in role {}: {cached}, recounted {fresh}",
                client.role
            )
        })?;
    }
    for (node, entry) in tree.nodes.iter() {
        let fresh = tree.recount(node);
        require(entry.allocated == fresh, || {
            format!("node {node}: {}, recounted {fresh}", entry.allocated)
        })?;
        require(tree.is_in_order(node), || {
            format!("node {node} is out of order")
        })?;
    }
    Ok(())
}

fn totals_are_recounts(allocator: &Allocator) -> Result<(), String> {
    let mut sum = Quantities::ZERO;
    for (_, agent) in allocator.agents.iter() {
        sum.add(&agent.ledger.total_quantities);
    }
    let cached = allocator.tree.totals.quantities();
    require(*cached == sum, || format!("{cached}, recounted {sum}"))
}

fn only_willing_clients(allocator: &Allocator) -> Result<(), String> {
    let mut willing = Bits::new();
    for (client, entry) in allocator.clients.iter() {
        let framework = allocator.frameworks.at(entry.framework.slot);
        let takes_part = framework.active && entry.subscribed && !entry.suppressed;
        willing.put(client, takes_part);
        let in_tree = allocator.tree.nodes.at(entry.node).active == 1;
        require(in_tree == takes_part, || {
            format!("framework {} in role {}", framework.id, entry.role)
        })?;
    }
    require(willing == allocator.active, || {
        String::from("the set of active clients is not that of the willing")
    })?;
    let woken = allocator.woken.iter();
    let mut strangers = woken.filter(|client| !allocator.active.has(*client));
    require(strangers.next().is_none(), || {
        String::from("a sleeper is woken")
    })
}

fn nobody_is_forgotten(allocator: &Allocator) -> Result<(), String> {
    for (slot, agent) in allocator.agents.iter() {
        let available = agent.active && allocator.is_allocatable(&agent.free_quantities);
        require(available == allocator.available.has(slot), || {
            format!("agent {} is available: {available}", agent.ledger.id)
        })?;
        if !available || allocator.dirty.has(slot) {
            continue;
        }
        let asleep = allocator
            .active
            .iter()
            .filter(|client| !allocator.woken.has(*client));
        if allocator.quota.held_back.has(slot) {
            continue;
        }
        for client in asleep {
            require(!allocator.is_eligible(slot, client), || {
                format!("agent {} has {} for a client", agent.ledger.id, agent.free)
            })?;
        }
    }
    Ok(())
}

fn limits_are_kept(allocator: &Allocator) -> Result<(), String> {
    let breach = &allocator.quota.breach;
    breach.limit.clone().map_or(Ok(()), Err)
}

fn guarantees_are_kept(allocator: &Allocator) -> Result<(), String> {
    let breach = &allocator.quota.breach;
    breach.guarantee.clone().map_or(Ok(()), Err)
}

fn quota_books_are_recounts(allocator: &Allocator) -> Result<(), String> {
    let quota = &allocator.quota;
    if !quota.is_on() {
        return require(quota.free.is_zero() && quota.reserved.is_empty(), || {
            String::from("books are kept although nobody has quota")
        });
    }
    let (free, reserved) = recounted(&allocator.agents);
    require((&quota.free, &quota.reserved) == (&free, &reserved), || {
        format!("{} is free, recounted {free}", quota.free)
    })?;
    let mut required = Quantities::ZERO;
    for (at, bound) in quota.bounds.iter().enumerate() {
        required.add(&bound.unmet);
        for (client, entry) in allocator.clients.iter() {
            let below = bound.role.covers(&entry.role);
            let same = (entry.bound == at as u32) == below && bound.clients.has(client) == below;
            require(same, || {
                format!("a client of {} is bound wrongly", entry.role)
            })?;
        }
    }
    require(required == quota.required, || {
        format!("{} is required, recounted {required}", quota.required)
    })
}

fn filters_are_known(allocator: &Allocator) -> Result<(), String> {
    for (slot, agent) in allocator.agents.iter() {
        for group in &agent.filters.groups {
            let awaited = allocator.expiries.contains(&(group.expires, slot))
                || allocator.late.contains(&slot);
            require(awaited || group.clients.is_empty(), || {
                format!("agent {}: a filter that never ends", agent.ledger.id)
            })?;
            for client in group.clients.iter() {
                let known = allocator.clients.find(client);
                require(known.is_some_and(|known| known.filtered.has(slot)), || {
                    format!("agent {}: client {client} forgot a filter", agent.ledger.id)
                })?;
            }
        }
    }
    Ok(())
}

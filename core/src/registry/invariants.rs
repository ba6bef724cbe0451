use super::registry::Registry;
use crate::invariant::{Cost, Invariant};
use alloc::format;
use alloc::string::String;

/// What is true of every replica's registry.
pub const INVARIANTS: &[Invariant<Registry>] = &[
    Invariant {
        id: "registry.version-counts-batches",
        why: "The registry's version grows by one with every batch that took effect; the first \
              one records a leader.",
        cost: Cost::Constant,
        holds: |registry| match (registry.version, &registry.leader) {
            (0, None) | (1.., Some(_)) => Ok(()),
            (version, leader) => Err(format!("version {version} with leader {leader:?}")),
        },
    },
    Invariant {
        id: "registry.agent-sets-disjoint",
        why: "No agent is at once two of admitted, unreachable and gone.",
        cost: Cost::Linear,
        holds: sets_disjoint,
    },
    Invariant {
        id: "registry.agents-under-their-ids",
        why: "Every agent is recorded under the id that its description carries.",
        cost: Cost::Linear,
        holds: under_their_ids,
    },
    Invariant {
        id: "registry.one-id-per-registration",
        why: "A first registration, however often repeated, is admitted under exactly one id.",
        cost: Cost::Linear,
        holds: one_id_per_registration,
    },
    Invariant {
        id: "registry.operators-words-are-sound",
        why: "Marks are on agents of the cluster only, quotas on top-level roles with guarantees \
              within limits, and the machines are those of the schedule.",
        cost: Cost::Linear,
        holds: |registry| registry.operator_flaw().map_or(Ok(()), Err),
    },
];

fn sets_disjoint(registry: &Registry) -> Result<(), String> {
    let twice = registry
        .gone
        .keys()
        .find(|id| registry.admitted.contains_key(*id) || registry.unreachable.contains_key(*id))
        .or_else(|| {
            registry
                .unreachable
                .keys()
                .find(|id| registry.admitted.contains_key(*id))
        });
    twice.map_or(Ok(()), |id| Err(format!("agent {id} is in two sets")))
}

fn under_their_ids(registry: &Registry) -> Result<(), String> {
    let unreachable = registry
        .unreachable
        .iter()
        .map(|(id, u)| (id, &u.admission));
    registry
        .admitted
        .iter()
        .chain(unreachable)
        .find(|(id, admission)| admission.info.id.as_ref() != Some(id))
        .map_or(Ok(()), |(id, admission)| {
            Err(format!("{:?} is recorded under {id}", admission.info.id))
        })
}

fn one_id_per_registration(registry: &Registry) -> Result<(), String> {
    let unreachable = registry.unreachable.values().map(|u| &u.admission);
    let mut with_nonce = 0;
    for admission in registry.admitted.values().chain(unreachable) {
        let Some(nonce) = admission.nonce else {
            continue;
        };
        with_nonce += 1;
        if registry.registered_as(nonce) != admission.info.id.as_ref() {
            return Err(format!(
                "registration {nonce} of {:?} is remembered as of {:?}",
                admission.info.id,
                registry.registered_as(nonce)
            ));
        }
    }
    if with_nonce != registry.registrations.len() {
        return Err(format!(
            "{with_nonce} agents registered, {} registrations are remembered",
            registry.registrations.len()
        ));
    }
    Ok(())
}

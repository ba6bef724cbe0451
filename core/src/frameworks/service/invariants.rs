use super::placement::Census;
use super::{Service, Timer};
use crate::invariant::{Cost, Invariant};
use crate::model::TaskState;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;

/// What is always true of a service.
pub(super) const INVARIANTS: &[Invariant<Service>] = &[
    Invariant {
        id: "service.instances-are-the-wanted",
        why: "there are exactly as many instances as wanted, each with at most one task",
        cost: Cost::Constant,
        holds: |service| {
            let (have, wanted) = (service.instances.len(), service.wanted);
            let highest = service.instances.last_key_value();
            let fits = highest.is_none_or(|(number, _)| *number < wanted);
            if have == wanted as usize && fits {
                return Ok(());
            }
            Err(format!("{have} instances, {wanted} wanted"))
        },
    },
    Invariant {
        id: "service.task-id-never-reused",
        why: "every task has a serial of its own, given out once and for ever",
        cost: Cost::Linear,
        holds: serials_are_unique,
    },
    Invariant {
        id: "service.no-instance-forgotten",
        why: "an instance without a task waits for an offer or for its back-off",
        cost: Cost::Linear,
        holds: nobody_is_forgotten,
    },
    Invariant {
        id: "service.running-counted",
        why: "the numbers by which instances are counted and spread are right",
        cost: Cost::Linear,
        holds: counts_are_right,
    },
    Invariant {
        id: "service.strays-are-told",
        why: "a task that nobody wants is told to end until it does",
        cost: Cost::Linear,
        holds: |service| service.strays.check(),
    },
];

fn serials_are_unique(service: &Service) -> Result<(), String> {
    let mut ids = BTreeSet::new();
    for (number, instance) in &service.instances {
        if let Some(run) = &instance.run {
            ids.insert(service.task_id(*number, run));
        }
    }
    ids.extend(service.strays.ids().cloned());
    let mut seen = BTreeSet::new();
    let parsed = ids.iter().filter_map(|id| service.config.task.parse(id));
    for (_, serial) in parsed {
        if serial > service.serial {
            return Err(format!("serial {serial} was never given out"));
        }
        if !seen.insert(serial) {
            return Err(format!("serial {serial} was given out twice"));
        }
    }
    Ok(())
}

fn nobody_is_forgotten(service: &Service) -> Result<(), String> {
    for (number, instance) in &service.instances {
        let waits = service.waiting.contains(number);
        let delayed = service.timers.at(&Timer::Start(*number)).is_some();
        let ways = u32::from(instance.run.is_some()) + u32::from(waits) + u32::from(delayed);
        if ways != 1 {
            return Err(format!("instance {number} is in {ways} places"));
        }
    }
    let beyond = service.waiting.range(service.wanted..).next();
    match beyond {
        Some(number) => Err(format!("instance {number} waits but is not wanted")),
        None => Ok(()),
    }
}

fn counts_are_right(service: &Service) -> Result<(), String> {
    let mut census = Census::default();
    let mut running = 0;
    for run in service.instances.values().filter_map(|i| i.run.as_ref()) {
        census.add(&run.agent_id, &run.group);
        running += u32::from(run.state == TaskState::Running);
    }
    if running != service.running || census != service.census {
        return Err(format!(
            "{running} run, {} counted; {census:?} against {:?}",
            service.running, service.census
        ));
    }
    Ok(())
}

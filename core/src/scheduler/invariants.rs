use super::SchedulerDriver;
use crate::invariant::{Cost, Invariant};
use alloc::format;
use alloc::string::String;

/// What is always true of a scheduler driver.
pub const INVARIANTS: &[Invariant<SchedulerDriver>] = &[
    Invariant {
        id: "scheduler.acknowledged-was-handled",
        why: "an update is acknowledged only after the framework handled it",
        cost: Cost::Constant,
        holds: acknowledged_was_handled,
    },
    Invariant {
        id: "scheduler.bounded",
        why: "calls that wait for the disk and remembered updates are bounded",
        cost: Cost::Constant,
        holds: bounded,
    },
    Invariant {
        id: "scheduler.id-before-anything",
        why: "nothing is done under a framework's id before the id is durable",
        cost: Cost::Constant,
        holds: id_before_anything,
    },
];

fn acknowledged_was_handled(driver: &SchedulerDriver) -> Result<(), String> {
    let counters = driver.counters();
    let handled = counters.updates_handled + counters.updates_again;
    if counters.acknowledgements > handled {
        let acknowledged = counters.acknowledgements;
        return Err(format!("{acknowledged} acknowledged, {handled} handled"));
    }
    Ok(())
}

fn bounded(driver: &SchedulerDriver) -> Result<(), String> {
    let (parked, parked_max) = (driver.outgoing.len(), driver.config.calls_parked_max);
    if parked > parked_max {
        return Err(format!("{parked} calls wait, at most {parked_max} may"));
    }
    let (completed, completed_max) = (
        driver.updates.completed(),
        driver.config.completed_tasks_max,
    );
    if completed > completed_max {
        return Err(format!("{completed} tasks that are over are remembered"));
    }
    Ok(())
}

fn id_before_anything(driver: &SchedulerDriver) -> Result<(), String> {
    if driver.is_subscribed() && driver.framework_id().is_none() {
        return Err(String::from("subscribed without an id"));
    }
    if driver.id_write > driver.outgoing.issued() {
        return Err(String::from("the id's write was never issued"));
    }
    Ok(())
}

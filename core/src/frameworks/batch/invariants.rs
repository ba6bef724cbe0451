use super::{Batch, Timer};
use crate::invariant::{Cost, Invariant};
use alloc::format;
use alloc::string::String;

/// What is always true of a batch scheduler.
pub(super) const INVARIANTS: &[Invariant<Batch>] = &[
    Invariant {
        id: "batch.job-ends-once",
        why: "every job that arrived is outstanding, done or failed, and exactly one of these",
        cost: Cost::Constant,
        holds: |batch| {
            let totals = batch.totals;
            let outstanding = batch.outstanding.len() as u64;
            if totals.arrived == outstanding + totals.done + totals.failed {
                return Ok(());
            }
            Err(format!("{outstanding} outstanding of {totals:?}"))
        },
    },
    Invariant {
        id: "batch.outstanding-bounded",
        why: "jobs wait outside while too many are there",
        cost: Cost::Constant,
        holds: |batch| {
            let (have, most) = (batch.outstanding.len(), batch.config.outstanding_max);
            if have <= most {
                return Ok(());
            }
            Err(format!("{have} outstanding, at most {most} may be"))
        },
    },
    Invariant {
        id: "batch.task-id-never-reused",
        why: "every start of a job has a number of its own",
        cost: Cost::Linear,
        holds: |batch| {
            for (job, outstanding) in &batch.outstanding {
                let Some(run) = &outstanding.run else {
                    continue;
                };
                if run.attempt == 0 || run.attempt > outstanding.attempts {
                    return Err(format!("job {job} never had start {}", run.attempt));
                }
                if batch.strays.contains(&batch.task_id(*job, run.attempt)) {
                    return Err(format!("the start of job {job} is being killed"));
                }
            }
            Ok(())
        },
    },
    Invariant {
        id: "batch.no-job-forgotten",
        why: "a job that is not over runs, waits for an offer, or for its back-off",
        cost: Cost::Linear,
        holds: nobody_is_forgotten,
    },
    Invariant {
        id: "batch.strays-are-told",
        why: "a task that nobody wants is told to end until it does",
        cost: Cost::Linear,
        holds: |batch| batch.strays.check(),
    },
];

fn nobody_is_forgotten(batch: &Batch) -> Result<(), String> {
    for (job, outstanding) in &batch.outstanding {
        let waits = batch.waiting.contains(job);
        let delayed = batch.timers.at(&Timer::Retry(*job)).is_some();
        let ways = u32::from(outstanding.run.is_some()) + u32::from(waits) + u32::from(delayed);
        if ways != 1 {
            return Err(format!("job {job} is in {ways} places"));
        }
    }
    if batch.waiting.len() > batch.outstanding.len() {
        return Err(String::from("a job that is over waits"));
    }
    Ok(())
}

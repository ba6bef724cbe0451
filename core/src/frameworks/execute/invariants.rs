use super::{Execute, Standing};
use crate::invariant::{Cost, Invariant};
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;

/// What is always true of an execution.
pub(super) const INVARIANTS: &[Invariant<Execute>] = &[Invariant {
    id: "execute.task-id-never-reused",
    why: "every launch has an id of its own",
    cost: Cost::Linear,
    holds: ids_are_unique,
}];

fn ids_are_unique(execute: &Execute) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for standing in &execute.instances {
        let Standing::Launched { task_id, .. } = standing else {
            continue;
        };
        let parsed = execute.config.task.parse(task_id);
        let Some((_, serial)) = parsed.filter(|(_, serial)| *serial <= execute.serial) else {
            return Err(format!("{task_id} was never given out"));
        };
        if !seen.insert(serial) {
            return Err(format!("{task_id} was given out twice"));
        }
    }
    Ok(())
}

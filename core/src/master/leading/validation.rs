//! What frameworks may ask for: the checks that Mesos' master makes, with its words where a
//! scheduler gets to read them. Every refusal says what is wrong, and changes nothing.

use super::Leading;
use super::agents::Agent;
use super::arena::Index;
use super::frameworks::Framework;
use crate::model::{ExecutorInfo, FrameworkInfo, TaskInfo, TaskState, check_resources};
use crate::resources::{Resources, Role};
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The most roles of one framework.
const ROLES_MAX: usize = 1_024;

/// The least that the executor of a task group uses of CPUs, in thousandths.
const GROUP_EXECUTOR_CPUS_MILLI: i64 = 10;
/// And of memory, in thousandths of a megabyte.
const GROUP_EXECUTOR_MEM_MILLI: i64 = 32_000;

/// Whether a framework describes itself well.
pub(super) fn framework(info: &FrameworkInfo) -> Result<(), String> {
    if info.roles.len() > ROLES_MAX {
        return Err(format!("at most {ROLES_MAX} roles are allowed"));
    }
    if !info.capabilities.multi_role && info.roles.len() != 1 {
        return Err(match info.roles.is_empty() {
            true => String::from("a framework that is not MULTI_ROLE capable has one role"),
            false => String::from(
                "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE \
                 capable",
            ),
        });
    }
    let mut seen = BTreeSet::new();
    let twice = info.roles.iter().filter(|role| !seen.insert(*role));
    let twice: BTreeSet<&Role> = twice.collect();
    if !twice.is_empty() {
        let roles = listed(&twice);
        return Err(format!(
            "'FrameworkInfo.roles' contains duplicate items: {roles}"
        ));
    }
    Ok(())
}

/// Whether a framework is in all roles that it suppresses.
pub(super) fn suppressed(info: &FrameworkInfo, suppressed: &[Role]) -> Result<(), String> {
    let other = suppressed.iter().filter(|role| !info.roles.contains(role));
    let others: BTreeSet<&Role> = other.collect();
    if others.is_empty() {
        return Ok(());
    }
    let roles = listed(&others);
    Err(format!(
        "Suppressed roles {roles} are not contained in the set of roles"
    ))
}

fn listed(roles: &BTreeSet<&Role>) -> String {
    let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    format!("{{ {} }}", roles.join(", "))
}

/// Whether the scheduler of `new` may be that of `old`. What it was is not told.
pub(super) fn same_principal(old: &FrameworkInfo, new: &FrameworkInfo) -> Result<(), String> {
    if old.principal == new.principal {
        return Ok(());
    }
    Err(String::from(
        "Changing framework's principal is not allowed.",
    ))
}

/// Whether a framework may describe itself anew as `new`.
pub(super) fn same_framework(old: &FrameworkInfo, new: &FrameworkInfo) -> Result<(), String> {
    same_principal(old, new)?;
    let changed = |field: &str, from: &str, to: &str| {
        Err(format!(
            "Updating 'FrameworkInfo.{field}' is unsupported; attempted to update from '{from}' \
             to '{to}'"
        ))
    };
    if old.user != new.user {
        return changed("user", &old.user, &new.user);
    }
    if old.checkpoint != new.checkpoint {
        let (from, to) = (old.checkpoint.to_string(), new.checkpoint.to_string());
        return changed("checkpoint", &from, &to);
    }
    Ok(())
}

/// What a task takes out of the offers that it is launched with.
pub(super) struct Need {
    /// The task's own.
    pub(super) task: Resources,
    /// The executor's, if it is to be started for this task.
    pub(super) executor: Option<(Arc<ExecutorInfo>, Resources)>,
}

/// Where something is launched: by whom, on which agent, in which role.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) framework: Index<Framework>,
    pub(super) agent: Index<Agent>,
    pub(super) role: &'a Role,
}

/// Resources as the agent lists them.
fn unmarked(resources: &Resources, role: &Role) -> Result<Resources, String> {
    let marked = |r: &crate::resources::Resource| r.kind.allocation.clone();
    if let Some(other) = resources.iter().filter_map(marked).find(|m| m != role) {
        return Err(format!(
            "the resources are allocated to role '{other}', but were offered to role '{role}'"
        ));
    }
    check_resources(resources).map_err(|error| error.to_string())?;
    if let Some(name) = mixes_revocable(resources) {
        return Err(format!(
            "Cannot use both revocable and non-revocable '{name}' at the same time"
        ));
    }
    Ok(resources.unallocated())
}

/// Something of which a part may be taken back at any time, and a part may not.
fn mixes_revocable(resources: &Resources) -> Option<&str> {
    // Sorted by name first.
    let mut last: Option<(&str, bool)> = None;
    for item in resources.iter() {
        let this = (item.name(), item.kind.revocable);
        if last.is_some_and(|last| last.0 == this.0 && last.1 != this.1) {
            return Some(this.0);
        }
        last = Some(this);
    }
    None
}

impl Leading {
    /// Whether a task may be launched at `place` out of `pool`.
    pub(super) fn check_task(
        &self,
        place: Place<'_>,
        pool: &Resources,
        task: &TaskInfo,
    ) -> Result<Need, String> {
        let own = self.check_description(place, task)?;
        if task.executor.is_some() == task.command.is_some() {
            return Err(String::from(
                "Task should have at least one (but not both) of CommandInfo or ExecutorInfo \
                 present",
            ));
        }
        let mut all = own.clone();
        let mut executor = None;
        if let Some(info) = &task.executor {
            let theirs = self.check_executor(place, info)?;
            let both = own.checked_add(&theirs);
            let both = both.map_err(|_| {
                format!(
                    "There are overlapping resources in the task resources {own} and executor \
                     resources {theirs}"
                )
            })?;
            if let Some(name) = mixes_revocable(&both) {
                return Err(format!(
                    "Task and its executor mix revocable and non-revocable resources: Cannot use \
                     both revocable and non-revocable '{name}' at the same time"
                ));
            }
            if !self.runs_executor(place, info) {
                all = both;
                executor = Some((info.clone(), theirs));
            }
        }
        if !pool.contains_single(&all) {
            let (all, pool) = (all.allocated_to(place.role), pool.allocated_to(place.role));
            return Err(format!(
                "Total resources {all} required by task and its executor is more than available \
                 {pool}"
            ));
        }
        let task = own;
        Ok(Need { task, executor })
    }

    /// Whether a task group may be launched at `place` out of `pool`: what each task needs, the
    /// first with the executor if that is to be started.
    pub(super) fn check_group(
        &self,
        place: Place<'_>,
        pool: &Resources,
        executor: &Arc<ExecutorInfo>,
        tasks: &[Arc<TaskInfo>],
    ) -> Result<Vec<Need>, String> {
        let mut seen = BTreeSet::new();
        let mut needs = Vec::new();
        for task in tasks {
            let id = &task.task_id;
            let own = match seen.insert(id) {
                true => self.check_description(place, task),
                false => Err(format!("Task has duplicate ID: {id}")),
            };
            let task = own.map_err(|why| format!("Task '{id}' is invalid: {why}"))?;
            let executor = None;
            needs.push(Need { task, executor });
        }
        let theirs = self.check_executor(place, executor)?;
        let id = &executor.executor_id;
        for task in tasks {
            if task.executor.as_ref().is_some_and(|own| own != executor) {
                return Err(format!(
                    "The `ExecutorInfo` of task '{}' is different from executor '{id}'",
                    task.task_id
                ));
            }
        }
        group_executor(executor, &theirs)?;
        let mut all = theirs.clone();
        for need in &needs {
            let sum = all.checked_add(&need.task);
            all = sum.map_err(|_| {
                String::from(
                    "There are overlapping resources in the task group's task resources and/or \
                     executor resources",
                )
            })?;
        }
        if let Some(name) = mixes_revocable(&all) {
            return Err(format!(
                "Task group and executor mix revocable and non-revocable resources: Cannot use \
                 both revocable and non-revocable '{name}' at the same time"
            ));
        }
        if self.runs_executor(place, executor) {
            let rest = all.checked_sub(&theirs);
            all = rest.expect("just added");
        } else if let Some(first) = needs.first_mut() {
            first.executor = Some((executor.clone(), theirs));
        }
        if !pool.contains_single(&all) {
            let (all, pool) = (all.allocated_to(place.role), pool.allocated_to(place.role));
            return Err(format!(
                "Total resources {all} required by task group and its executor are more than \
                 available {pool}"
            ));
        }
        Ok(needs)
    }

    /// Whether a task may be launched at `place` by what it says of itself, its executor left out.
    /// Returns its resources.
    fn check_description(&self, place: Place<'_>, task: &TaskInfo) -> Result<Resources, String> {
        let owner = &self.frameworks.arena[place.framework];
        let host = &self.agents.arena[place.agent];
        let id = &task.task_id;
        if let Some(known) = owner.tasks.get(id) {
            let known = &self.tasks[*known];
            if known.agent.is_some() {
                return Err(format!("Task has duplicate ID: {id}"));
            }
            // What was declared lost may be tried again under its name; should its agent return,
            // the old one is killed.
            if known.state != TaskState::Lost {
                return Err(format!("Task reuses the ID of an unreachable task: {id}"));
            }
        }
        if task.agent_id != host.id {
            return Err(format!(
                "Task uses invalid agent {} while agent {} is expected",
                task.agent_id, host.id
            ));
        }
        if task.resources.is_empty() {
            return Err(String::from("Task uses no resources"));
        }
        let own = unmarked(&task.resources, place.role);
        own.map_err(|why| format!("Invalid task resources: {why}"))
    }

    /// Whether an executor may run at `place`. Returns its resources.
    fn check_executor(
        &self,
        place: Place<'_>,
        info: &Arc<ExecutorInfo>,
    ) -> Result<Resources, String> {
        let framework_id = &self.frameworks.arena[place.framework].id;
        if info.framework_id != *framework_id {
            return Err(format!(
                "ExecutorInfo has an invalid FrameworkID (Actual: {} vs Expected: {framework_id})",
                info.framework_id
            ));
        }
        let own = unmarked(&info.resources, place.role);
        let own = own.map_err(|why| format!("Invalid executor resources: {why}"))?;
        let key = (place.framework, info.executor_id.clone());
        if let Some(running) = self.agents.arena[place.agent].executors.get(&key) {
            let mut theirs = (*running.info).clone();
            theirs.resources = theirs.resources.unallocated();
            let mut ours = (**info).clone();
            ours.resources = own.clone();
            if theirs != ours {
                return Err(format!(
                    "ExecutorInfo is not compatible with existing ExecutorInfo with same \
                     ExecutorID '{}'",
                    info.executor_id
                ));
            }
        }
        if own.iter().any(|item| item.kind.shared) {
            return Err(format!(
                "Executor resources {own} should not contain any shared resources"
            ));
        }
        Ok(own)
    }

    fn runs_executor(&self, place: Place<'_>, info: &ExecutorInfo) -> bool {
        let key = (place.framework, info.executor_id.clone());
        let executors = &self.agents.arena[place.agent].executors;
        executors.contains_key(&key)
    }
}

/// The executor of a group does something itself, which takes room.
fn group_executor(info: &ExecutorInfo, resources: &Resources) -> Result<(), String> {
    let id = &info.executor_id;
    let least = [
        ("cpus", "CPUs", GROUP_EXECUTOR_CPUS_MILLI, "0.01"),
        ("mem", "memory", GROUP_EXECUTOR_MEM_MILLI, "32MB"),
    ];
    for (name, what, milli, text) in least {
        let own = resources.scalar(name);
        if own.milli() < milli {
            return Err(format!(
                "Executor '{id}' uses less {what} ({own}) than the minimum required ({text})"
            ));
        }
    }
    if resources.scalar("disk").is_zero() {
        return Err(format!("Executor '{id}' uses no disk"));
    }
    Ok(())
}

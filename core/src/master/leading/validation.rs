//! What frameworks may ask for. Every refusal says what is wrong, and changes nothing.

use super::Leading;
use super::agents::Agent;
use super::arena::Index;
use super::frameworks::Framework;
use crate::message::Reject;
use crate::model::{ExecutorInfo, FrameworkInfo, TaskInfo, TaskState};
use crate::resources::{Resources, Role};
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::sync::Arc;

/// The most roles of one framework.
const ROLES_MAX: usize = 1_024;

/// Whether a framework describes itself well.
pub(super) fn framework(info: &FrameworkInfo, suppressed: &[Role]) -> Result<(), Reject> {
    let invalid = |why: String| Err(Reject::Invalid(why));
    if info.roles.is_empty() {
        return invalid("a framework needs at least one role".into());
    }
    if info.roles.len() > ROLES_MAX {
        return invalid(alloc::format!("at most {ROLES_MAX} roles are allowed"));
    }
    if info.roles.len() > 1 && !info.capabilities.multi_role {
        return invalid("several roles need the capability MULTI_ROLE".into());
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = info.roles.iter().find(|role| !seen.insert(*role)) {
        return invalid(alloc::format!("role '{twice}' is named twice"));
    }
    if let Some(other) = suppressed.iter().find(|role| !info.roles.contains(role)) {
        return invalid(alloc::format!(
            "role '{other}' cannot be suppressed: the framework is not in it"
        ));
    }
    Ok(())
}

/// Whether `new` may be the same framework as `old`.
pub(super) fn same_framework(old: &FrameworkInfo, new: &FrameworkInfo) -> Result<(), Reject> {
    let differs = if old.principal != new.principal {
        "principal"
    } else if old.checkpoint != new.checkpoint {
        "checkpoint"
    } else {
        return Ok(());
    };
    let why = alloc::format!("a framework's '{differs}' cannot change");
    Err(Reject::Invalid(why))
}

/// What a task takes out of the offers that it is launched with.
pub(super) struct Need {
    /// The task's own.
    pub(super) task: Resources,
    /// The executor's, if it is to be started for this task.
    pub(super) executor: Option<(Arc<ExecutorInfo>, Resources)>,
}

/// Resources as the agent lists them.
pub(super) fn unmarked(resources: &Resources, role: &Role) -> Result<Resources, String> {
    let marked = |r: &crate::resources::Resource| r.kind.allocation.clone();
    if let Some(other) = resources.iter().filter_map(marked).find(|m| m != role) {
        return Err(alloc::format!(
            "its resources are marked for role '{other}', but were offered to '{role}'"
        ));
    }
    Ok(resources.unallocated())
}

impl Leading {
    /// Whether a task may be launched on `agent` out of `pool`.
    pub(super) fn check_task(
        &self,
        framework: Index<Framework>,
        agent: Index<Agent>,
        role: &Role,
        pool: &Resources,
        task: &TaskInfo,
    ) -> Result<Need, String> {
        let owner = &self.frameworks.arena[framework];
        let host = &self.agents.arena[agent];
        if task.agent_id != host.id {
            return Err(alloc::format!(
                "it names agent {}, but the offer is one of {}",
                task.agent_id,
                host.id
            ));
        }
        if let Some(known) = owner.tasks.get(&task.task_id) {
            // What was declared lost may be tried again under its name; should its agent return,
            // the old one is killed.
            let known = &self.tasks[*known];
            if known.agent.is_some() || known.state != TaskState::Lost {
                return Err(String::from("a task of this id exists already"));
            }
        }
        if task.resources.is_empty() {
            return Err(String::from("it uses no resources"));
        }
        let own = unmarked(&task.resources, role)?;
        let executor = self.check_executor(framework, agent, role, task)?;
        let mut all = own.clone();
        if let Some((_, more)) = &executor {
            all = all.checked_add(more).map_err(|e| e.to_string())?;
        }
        if !pool.contains(&all) {
            return Err(alloc::format!(
                "it uses {all}, but only {pool} of the offers is left"
            ));
        }
        let task = own;
        Ok(Need { task, executor })
    }

    /// Whether a task says what runs it. Returns the executor if it has to be started.
    fn check_executor(
        &self,
        framework: Index<Framework>,
        agent: Index<Agent>,
        role: &Role,
        task: &TaskInfo,
    ) -> Result<Option<(Arc<ExecutorInfo>, Resources)>, String> {
        let info = match (&task.executor, &task.command) {
            (None, None) => return Err(String::from("it has neither a command nor an executor")),
            (Some(_), Some(_)) => {
                return Err(String::from("it has both a command and an executor"));
            }
            (None, Some(_)) => return Ok(None),
            (Some(info), None) => info,
        };
        if info.framework_id != self.frameworks.arena[framework].id {
            return Err(alloc::format!(
                "its executor is one of framework {}",
                info.framework_id
            ));
        }
        let own = unmarked(&info.resources, role)?;
        let key = (framework, info.executor_id.clone());
        let Some(running) = self.agents.arena[agent].executors.get(&key) else {
            return Ok(Some((info.clone(), own)));
        };
        let mut theirs = (*running.info).clone();
        theirs.resources = theirs.resources.unallocated();
        let mut ours = (**info).clone();
        ours.resources = own;
        if theirs != ours {
            return Err(alloc::format!(
                "executor {} runs there with another description",
                info.executor_id
            ));
        }
        Ok(None)
    }
}

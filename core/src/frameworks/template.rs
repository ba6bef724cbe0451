//! What every task of a framework has in common.

use crate::ids::TaskId;
use crate::model::{CommandInfo, Label, Offer, TaskInfo};
use crate::resources::Resources;
use crate::scheduler::ConfigError;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// The longest name, so that every id made of it fits.
const NAME_BYTES_MAX: usize = 200;

/// A task before it has an id and a place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TaskTemplate {
    /// The first part of every task's id.
    pub name: String,
    /// Plain amounts; which reservations they come from is decided offer by offer.
    pub resources: Resources,
    /// What to run.
    pub command: CommandInfo,
    /// For people and tools.
    pub labels: Vec<Label>,
    /// Time between SIGTERM and SIGKILL; the agent's default where none.
    pub kill_grace: Option<Duration>,
}

impl Default for TaskTemplate {
    /// A tenth of a CPU and 32 MB, for ever.
    fn default() -> Self {
        let resources = Resources::parse("cpus:0.1;mem:32", &crate::resources::Role::any());
        TaskTemplate {
            name: String::from("task"),
            resources: resources.expect("a constant that reads"),
            command: super::Script::FOREVER.to_command(),
            labels: Vec::new(),
            kill_grace: None,
        }
    }
}

impl TaskTemplate {
    /// Checks every field.
    ///
    /// # Errors
    /// Names the first that makes no sense.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let fail = |field, why: String| Err(ConfigError { field, why });
        if self.name.len() > NAME_BYTES_MAX {
            return fail("name", format!("must have at most {NAME_BYTES_MAX} bytes"));
        }
        if let Err(why) = TaskId::new(&self.name) {
            return fail("name", format!("{why}"));
        }
        if self.resources.is_empty() {
            return fail(
                "resources",
                String::from("must name at least one, such as cpus:0.1"),
            );
        }
        if self.resources != self.resources.flatten() {
            let why = "must be plain amounts: reservations are used where offered";
            return fail("resources", String::from(why));
        }
        if self.command.value.is_empty() {
            return fail("command", String::from("must say what to run"));
        }
        Ok(())
    }

    /// The id of a numbered part of the framework in its `serial`th start. Serials never repeat
    /// within a framework, so neither do ids.
    pub(super) fn task_id(&self, part: u64, serial: u64) -> TaskId {
        TaskId::new(&format!("{}.{part}.{serial}", self.name))
            .expect("a validated name and two numbers make an id")
    }

    /// The reverse of [`Self::task_id`]: part and serial of one of our own ids.
    pub(super) fn parse(&self, task_id: &TaskId) -> Option<(u64, u64)> {
        let numbers = task_id.as_str().strip_prefix(self.name.as_str())?;
        let (part, serial) = numbers.strip_prefix('.')?.split_once('.')?;
        Some((part.parse().ok()?, serial.parse().ok()?))
    }

    /// The task, on the offer's agent, with what was cut out of the offer.
    pub(super) fn task(
        &self,
        task_id: TaskId,
        command: CommandInfo,
        offer: &Offer,
        resources: Resources,
    ) -> Arc<TaskInfo> {
        Arc::new(TaskInfo {
            task_id,
            name: self.name.clone(),
            agent_id: offer.agent_id.clone(),
            resources,
            executor: None,
            command: Some(command),
            data: Arc::default(),
            labels: self.labels.clone(),
            kill_grace: self.kill_grace,
            verbatim: Arc::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_named() {
        assert_eq!(TaskTemplate::default().validate(), Ok(()));
        let bad = |change: fn(&mut TaskTemplate)| {
            let mut template = TaskTemplate::default();
            change(&mut template);
            template.validate().unwrap_err().field
        };
        assert_eq!(bad(|t| t.name = String::from("../x")), "name");
        assert_eq!(bad(|t| t.name = "x".repeat(201)), "name");
        assert_eq!(bad(|t| t.resources = Resources::EMPTY), "resources");
        assert_eq!(
            bad(|t| t.resources = "cpus(web):1".parse().unwrap()),
            "resources"
        );
        assert_eq!(bad(|t| t.command.value.clear()), "command");
    }

    #[test]
    fn ids_read_back_even_with_dots_in_the_name() {
        let template = TaskTemplate {
            name: String::from("web.v2"),
            ..TaskTemplate::default()
        };
        let id = template.task_id(3, 17);
        assert_eq!(id.as_str(), "web.v2.3.17");
        assert_eq!(template.parse(&id), Some((3, 17)));
        assert_eq!(template.parse(&TaskId::new("web.v3.3.17").unwrap()), None);
        assert_eq!(template.parse(&TaskId::new("other").unwrap()), None);
    }
}

//! Which program an executor is, and which files it wants.

use crate::mesos::protobuf;
use crate::mesos::v1::{self, command_info::Uri, executor_info::Type};
use tepui_core::agent::ContainerLaunch;
use tepui_core::model::CommandInfo;

/// What an executor is.
#[derive(Debug)]
pub(super) enum Program {
    /// The agent's own, for one command task.
    Command { uris: Vec<Uri> },
    /// The agent's own, for groups of tasks.
    Groups { uris: Vec<Uri> },
    /// The framework's own.
    Custom {
        command: CommandInfo,
        uris: Vec<Uri>,
    },
}

impl Program {
    pub(super) fn of(launch: &ContainerLaunch) -> Program {
        let executor: v1::ExecutorInfo =
            protobuf::decode(&launch.executor.verbatim).unwrap_or_default();
        let uris = executor
            .command
            .map(|command| command.uris)
            .unwrap_or_default();
        match &launch.command {
            Some(_) if executor.r#type == Some(Type::Default) => Program::Groups { uris },
            Some(command) => Program::Custom {
                command: command.clone(),
                uris,
            },
            None => {
                let task = launch.task.as_ref();
                let task = task.and_then(|task| protobuf::decode(&task.verbatim).ok());
                let task: v1::TaskInfo = task.unwrap_or_default();
                let uris = task.command.map(|command| command.uris).unwrap_or_default();
                Program::Command { uris }
            }
        }
    }

    pub(super) fn uris(&self) -> &[Uri] {
        match self {
            Program::Command { uris } | Program::Groups { uris } => uris,
            Program::Custom { uris, .. } => uris,
        }
    }
}

//! Which program an executor is, and what it wants in its sandbox.

use crate::mesos::protobuf;
use crate::mesos::v1::{self, command_info::Uri, executor_info::Type};
use tepui_core::agent::ContainerLaunch;
use tepui_core::ids::{ContainerId, TaskId, UpdateId};
use tepui_core::model::CommandInfo;

/// Which program an executor is.
#[derive(Debug)]
pub(super) enum Program {
    /// The agent's own, for one command task.
    Command,
    /// The agent's own, for groups of tasks.
    Groups,
    /// The framework's own.
    Custom(CommandInfo),
}

/// Names the container of one task of a group, within its executor's. Both the agent and the
/// executor know it without telling each other (FNV-1a, twice, over both names).
#[must_use]
pub fn nested_id(container_id: &ContainerId, task_id: &TaskId) -> String {
    let hash = |seed: u64| {
        let names = [container_id.as_str(), "/", task_id.as_str()];
        let bytes = names.iter().flat_map(|name| name.bytes());
        bytes.fold(seed, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    };
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&hash(0xcbf2_9ce4_8422_2325).to_be_bytes());
    bytes[8..].copy_from_slice(&hash(0x8422_2325_cbf2_9ce4).to_be_bytes());
    UpdateId(bytes).to_string()
}

/// An executor as its container needs to know it.
#[derive(Debug)]
pub(super) struct Kind {
    /// Which program it is.
    pub(super) program: Program,
    /// Files that it wants.
    pub(super) uris: Vec<Uri>,
}

impl Kind {
    pub(super) fn of(launch: &ContainerLaunch) -> Kind {
        let executor: v1::ExecutorInfo =
            protobuf::decode(&launch.executor.verbatim).unwrap_or_default();
        let (program, command) = match &launch.command {
            Some(_) if executor.r#type == Some(Type::Default) => {
                (Program::Groups, executor.command)
            }
            Some(command) => {
                let program = Program::Custom(command.clone());
                (program, executor.command)
            }
            None => {
                let task = launch.task.as_ref();
                let task = task.and_then(|task| protobuf::decode(&task.verbatim).ok());
                let task: v1::TaskInfo = task.unwrap_or_default();
                (Program::Command, task.command)
            }
        };
        Kind {
            program,
            uris: command.map(|command| command.uris).unwrap_or_default(),
        }
    }
}

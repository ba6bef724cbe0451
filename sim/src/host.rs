//! An agent's host: containers that outlive the agent's process, and the processes of tasks.

use crate::node::NodeIndex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tepui_core::agent::ContainerLaunch;
use tepui_core::executor::CommandExecutor;
use tepui_core::frameworks::Script;
use tepui_core::ids::{ContainerId, TaskId};

/// What is on an agent's host, besides the agent.
#[derive(Debug, Default)]
pub struct Host {
    /// Counts boots.
    pub boot: u32,
    /// Containers that run.
    pub containers: BTreeMap<ContainerId, NodeIndex>,
    /// The last process id given out; ids repeat after a boot (MESOS-9501).
    pub last_pid: u32,
}

impl Host {
    /// The boot's id, as the kernel would say it.
    #[must_use]
    pub fn boot_id(&self) -> String {
        format!("boot-{}", self.boot)
    }

    /// The next process id.
    pub fn next_pid(&mut self) -> u32 {
        self.last_pid += 1;
        self.last_pid
    }
}

/// How long things take on a host.
#[derive(Clone, Copy, Debug)]
pub struct HostConfig {
    /// From the agent's wish to a running container.
    pub launch: Duration,
    /// From the executor's wish to a running process.
    pub spawn: Duration,
    /// From a signal to the end of a process that obeys it.
    pub die: Duration,
}

impl Default for HostConfig {
    fn default() -> Self {
        HostConfig {
            launch: Duration::from_millis(10),
            spawn: Duration::from_millis(2),
            die: Duration::from_millis(5),
        }
    }
}

/// One process of a task.
#[derive(Clone, Copy, Debug)]
pub struct TaskProcess {
    /// Tells the runs of a task's id apart.
    pub serial: u64,
    /// Whether it shrugs off SIGTERM.
    pub stubborn: bool,
}

/// An executor and the processes that it started.
#[derive(Debug)]
pub struct ExecutorSim {
    /// The machine.
    pub node: CommandExecutor,
    /// On whose host.
    pub agent: NodeIndex,
    /// What it was started with.
    pub launch: Arc<ContainerLaunch>,
    /// Processes of tasks that run.
    pub processes: BTreeMap<TaskId, TaskProcess>,
    /// The last serial given out.
    pub serial: u64,
}

/// The label by which a scenario makes a task ignore SIGTERM.
pub const STUBBORN_LABEL: &str = "sim.ignores-sigterm";

/// What a command does, as far as it can be told: what is not understood runs for ever.
#[must_use]
pub fn script_of(command: Option<&tepui_core::model::CommandInfo>) -> Script {
    command
        .and_then(|command| Script::of(command).ok())
        .unwrap_or(Script::FOREVER)
}

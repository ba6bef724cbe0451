//! Command executors that are part of the agent: the same machine as in a process of its own,
//! with the agent at the other end of a queue instead of a connection.

use crate::container::Containers;
use crate::driver::{Clock, Ended, Handle, NodeLoop, Ports};
use crate::http::executor::ExecutorApi;
use crate::node::executor::checks::is_watched;
use crate::node::executor::{describe, signal_group};
use crate::node::fresh_rng;
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use tepui_core::agent::{ContainerLaunch, Input as AgentInput};
use tepui_core::executor::{CommandExecutor, Config, Effect, Identity, Input, Mode};
use tepui_core::ids::Peer;
use tepui_core::model::TaskInfo;
use tepui_core::time::Now;
use tokio::sync::{Notify, mpsc};

/// Whether a container's executor may be part of the agent: it runs one command, nobody wants it
/// to outlive the agent, and nobody looks at its task meanwhile.
#[must_use]
pub fn is_direct(launch: &ContainerLaunch) -> bool {
    let watched = launch.task.as_ref().is_some_and(|task| is_watched(task));
    launch.command.is_none() && !launch.checkpoint && !watched
}

/// Runs one until its task is over and its last update acknowledged.
pub fn launch(launch: Arc<ContainerLaunch>, containers: Containers, agent: ExecutorApi) {
    let (node, inputs) = Handle::queue();
    containers.open_direct(&launch, node.clone());
    let (said, to_say) = mpsc::unbounded_channel();
    let ports = DirectPorts {
        launch: Arc::clone(&launch),
        containers: containers.clone(),
        agent: agent.clone(),
        node,
        said,
        peers: BTreeMap::new(),
        process: Arc::default(),
    };
    tokio::spawn(async move {
        let speaking = tokio::spawn(speak(to_say, agent));
        let process = Arc::clone(&ports.process);
        let clock = Clock::start();
        let identity = Identity {
            framework_id: launch.framework_id.clone(),
            executor_id: launch.executor_id.clone(),
            container_id: launch.container_id.clone(),
        };
        let Ok(rng) = fresh_rng("executor") else {
            containers.close_direct(&launch, None).await;
            return;
        };
        let config = Config::default();
        let machine = CommandExecutor::new(config, identity, Mode::Single, &rng, clock.now());
        let mut node_loop = NodeLoop::new(machine, ports);
        let ended = node_loop.run(clock, inputs, Arc::new(Notify::new())).await;
        let (_, ports) = node_loop.into_parts();
        for peer in ports.peers.values() {
            ports.agent.links.close(*peer);
            ports.say(AgentInput::Disconnected { peer: *peer });
        }
        // Its end closes the queue to the agent.
        drop(ports);
        // It never panics; were it to, there would be nothing left to say.
        let _ = speaking.await;
        let is_over = *process.lock().unwrap_or_else(PoisonError::into_inner) == Process::Over;
        let status = (ended == Ended::Done && is_over).then_some(0);
        containers.close_direct(&launch, status).await;
    });
}

/// Brings what an executor says to the agent, in its order.
async fn speak(mut to_say: mpsc::UnboundedReceiver<AgentInput>, agent: ExecutorApi) {
    while let Some(input) = to_say.recv().await {
        if !agent.node.input(input).await {
            return;
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Process {
    #[default]
    None,
    Running(u32),
    Over,
}

#[derive(Debug)]
struct DirectPorts {
    launch: Arc<ContainerLaunch>,
    containers: Containers,
    agent: ExecutorApi,
    node: Handle<CommandExecutor>,
    said: mpsc::UnboundedSender<AgentInput>,
    /// The agent's names for the executor's connections.
    peers: BTreeMap<Peer, Peer>,
    process: Arc<Mutex<Process>>,
}

impl Ports<CommandExecutor> for DirectPorts {
    fn perform(&mut self, _now: Now, effect: Effect) -> ControlFlow<Ended> {
        match effect {
            Effect::Connect { peer } => self.connect(peer),
            Effect::Close { peer } => {
                if let Some(theirs) = self.peers.remove(&peer) {
                    self.agent.links.close(theirs);
                    self.say(AgentInput::Disconnected { peer: theirs });
                }
            }
            Effect::ToAgent { peer, message } => {
                if let Some(peer) = self.peers.get(&peer).copied() {
                    let message = self.agent.located(message);
                    self.say(AgentInput::FromExecutor { peer, message });
                }
            }
            Effect::Start { task } => self.start(task),
            Effect::Signal { force, .. } => {
                let signal = if force { Signal::KILL } else { Signal::TERM };
                let process = *self.process.lock().unwrap_or_else(PoisonError::into_inner);
                if let Process::Running(leader) = process {
                    signal_group(leader, signal);
                }
            }
            // A task that is to be looked at has an executor of its own.
            Effect::Check { .. } => {}
            Effect::Exit => return ControlFlow::Break(Ended::Done),
        }
        ControlFlow::Continue(())
    }
}

impl DirectPorts {
    fn say(&self, input: AgentInput) {
        // Who would listen is gone only when the agent ends.
        let _ = self.said.send(input);
    }

    fn connect(&mut self, peer: Peer) {
        let theirs = self.agent.names.next();
        self.peers.insert(peer, theirs);
        let mut wishes = self.agent.links.open(theirs);
        let node = self.node.clone();
        tokio::spawn(async move {
            node.input(Input::Connected { peer }).await;
            while let Some(event) = wishes.queue.recv().await {
                if !node.input(Input::FromAgent { peer, event }).await {
                    return;
                }
            }
            node.input(Input::Disconnected { peer }).await;
        });
    }

    fn start(&self, task: Arc<TaskInfo>) {
        let (containers, launch) = (self.containers.clone(), Arc::clone(&self.launch));
        let (node, process) = (self.node.clone(), Arc::clone(&self.process));
        tokio::spawn(async move {
            let set = |now| *process.lock().unwrap_or_else(PoisonError::into_inner) = now;
            let task_id = task.task_id.clone();
            let (status, message) = match containers.start_direct(&launch, &task).await {
                Err(message) => (None, message),
                Ok(child) => {
                    let pid = child.pid;
                    set(Process::Running(pid));
                    let task_id = task_id.clone();
                    node.input(Input::ProcessStarted { task_id, pid }).await;
                    let status = child.exited.await.ok();
                    (status, describe(status))
                }
            };
            set(Process::Over);
            let ended = Input::ProcessExited {
                task_id,
                status,
                message,
            };
            node.input(ended).await;
        });
    }
}

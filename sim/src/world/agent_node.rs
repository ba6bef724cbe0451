//! Agents and their hosts.

use super::{Delivery, Payload, World};
use crate::clock::Clock;
use crate::disk::Disk;
use crate::host::ExecutorSim;
use crate::machine::{SimNode, Spec};
use crate::node::{NodeIndex, Process, Role};
use crate::record::Start;
use std::collections::BTreeMap;
use std::sync::Arc;
use tepui_core::agent::{ContainerLaunch, Effect, Input};
use tepui_core::executor::{CommandExecutor, Identity, Mode};
use tepui_core::ids::{ContainerId, Peer};
use tepui_core::machine::Machine as _;
use tepui_core::message::agent::ToMaster;

/// The exit status of a container that was destroyed: 128 + SIGKILL.
const DESTROYED: i32 = 137;

impl World {
    pub(super) fn step_agent(&mut self, index: NodeIndex, delivery: Delivery) {
        let input = match delivery {
            Delivery::Tick => Input::Tick,
            Delivery::Persisted { up_to, .. } => Input::Persisted { up_to },
            Delivery::Connected { peer } => Input::Connected { peer },
            Delivery::Disconnected { peer } => Input::Disconnected { peer },
            Delivery::Message { peer, payload } => match payload {
                Payload::MasterToAgent(message) => Input::FromMaster { peer, message },
                Payload::ExecutorToAgent(message) => Input::FromExecutor { peer, message },
                other => unreachable!("nobody sends {other:?} to an agent"),
            },
            Delivery::LaunchContainer(launch) => {
                let Some(input) = self.launch_container(index, launch) else {
                    return;
                };
                input
            }
            Delivery::ContainerExited {
                container_id,
                status,
            } => Input::ContainerExited {
                container_id,
                status,
                message: String::new(),
            },
            Delivery::Shutdown => Input::Shutdown,
            other => unreachable!("nobody sends {other:?} to an agent"),
        };
        let node = &mut self.nodes[index.slot()];
        let now = node.clock.read(self.now);
        let Some(SimNode::Agent(agent)) = &mut node.machine else {
            unreachable!("the caller looked");
        };
        self.recorder.input(index, now, &input);
        agent.handle(now, input, &mut self.agent_fx);
        self.settle_agent(index);
    }

    /// Does what an agent wants done.
    pub(super) fn settle_agent(&mut self, index: NodeIndex) {
        let mut effects = std::mem::take(&mut self.agent_scratch);
        self.agent_fx.swap_into(&mut effects);
        for effect in effects.drain(..) {
            if self.nodes[index.slot()].machine.is_none() {
                // It ended itself: the rest was never done.
                break;
            }
            self.trace.value(&effect);
            self.recorder.effect(index, &effect);
            self.on_agent_effect(index, effect);
        }
        self.agent_scratch = effects;
    }

    fn on_agent_effect(&mut self, index: NodeIndex, effect: Effect) {
        match effect {
            Effect::Connect { peer, address } => self.dial(index, peer, &address),
            Effect::Close { peer } => self.close_stream(index, peer),
            Effect::ToMaster { peer, message } => {
                self.watch_agent(index, &message);
                self.send_stream(index, peer, Payload::AgentToMaster(message));
            }
            Effect::ToExecutor { peer, event } => {
                self.send_stream(index, peer, Payload::AgentToExecutor(event));
            }
            Effect::Launch(launch) => {
                let at = self.now + self.hosts.launch;
                self.plan_local(at, index, Delivery::LaunchContainer(launch));
            }
            // Simulated hosts keep no files: it is enough to know that they would be gone.
            Effect::WipeVolumes { volumes } => {
                self.observer.on_volumes_wiped(self.now, index, &volumes);
            }
            Effect::Destroy { container_id } => self.destroy_container(index, &container_id),
            Effect::Persist { sequence, write } => self.persist_agent(index, sequence, write),
            Effect::Notice(notice) => self.observer.on_agent_notice(self.now, index, &notice),
            Effect::Exit => self.leave(index, "shut down for good"),
            Effect::Halt(fatal) => self.halt(index, &fatal.to_string()),
        }
    }

    /// What an agent says to a master, for the checkers.
    fn watch_agent(&mut self, index: NodeIndex, message: &ToMaster) {
        let node = &self.nodes[index.slot()];
        let (Disk::Agent(storage), Some(SimNode::Agent(agent))) = (&node.disk, &node.machine)
        else {
            unreachable!("the caller looked");
        };
        let now = self.now;
        match message {
            ToMaster::Update(update) => {
                let unsynced = storage.under_way(0);
                self.observer
                    .on_agent_update(now, index, &update.status, unsynced);
            }
            ToMaster::Operation(report) => {
                let unsynced = storage.under_way(0);
                self.observer
                    .on_agent_operation(now, index, report, unsynced);
            }
            ToMaster::Register { .. } | ToMaster::Reregister(_) => {
                self.observer.on_agent_report(now, index, agent.total());
            }
            _ => {}
        }
    }

    /// The host has made a container: its executor starts. `None` when the agent's process died
    /// meanwhile and took the attempt with it.
    fn launch_container(
        &mut self,
        agent: NodeIndex,
        launch: Arc<ContainerLaunch>,
    ) -> Option<Input> {
        let Spec::Agent(spec) = &self.nodes[agent.slot()].spec else {
            unreachable!("only agents launch containers");
        };
        let config = spec.executor.clone();
        let container_id = launch.container_id.clone();
        let name = format!("{}/{}", self.nodes[agent.slot()].name, container_id);
        let clock = self.nodes[agent.slot()].clock;
        let index = self.executor_slot(&name, clock);
        let host = &mut self.nodes[agent.slot()].host;
        let pid = host.next_pid();
        host.containers.insert(container_id.clone(), index);

        let identity = Identity {
            framework_id: launch.framework_id.clone(),
            executor_id: launch.executor_id.clone(),
            container_id: container_id.clone(),
        };
        // Executors of a framework's own run its tasks until they are told to end.
        let mode = match launch.command {
            None => Mode::Single,
            Some(_) => Mode::Shared,
        };
        let node = &mut self.nodes[index.slot()];
        node.run += 1;
        node.process = Process::Up;
        node.clock.restart(self.now);
        let stream = format!("{name}#{}", node.run);
        let rng = self.streams.nodes.fork(&stream);
        let now = node.clock.read(self.now);
        self.recorder
            .start(index, &stream, now, || Start::Executor {
                config: config.clone(),
                identity: identity.clone(),
                mode,
            });
        let machine = CommandExecutor::new(config, identity, mode, &rng, now);
        node.machine = Some(SimNode::Executor(Box::new(ExecutorSim {
            node: machine,
            agent,
            launch,
            processes: BTreeMap::new(),
            serial: 0,
        })));
        self.plan_tick(index);
        Some(Input::ContainerStarted { container_id, pid })
    }

    /// A node for a new executor: one that is long dead, if there is any.
    fn executor_slot(&mut self, name: &str, clock: Clock) -> NodeIndex {
        if let Some(index) = self.executors_free.pop() {
            let node = &mut self.nodes[index.slot()];
            name.clone_into(&mut node.name);
            node.clock = clock;
            node.host_up = true;
            self.observer.rename(index, name);
            return index;
        }
        self.add_node(name, Role::Executor, Spec::Executor, clock)
    }

    fn destroy_container(&mut self, agent: NodeIndex, container_id: &ContainerId) {
        let host = &self.nodes[agent.slot()].host;
        match host.containers.get(container_id).copied() {
            Some(executor) => self.end_container(executor, Some(DESTROYED)),
            // It is over already, or was never started: the agent hears that it is over.
            None => {
                let delivery = Delivery::ContainerExited {
                    container_id: container_id.clone(),
                    status: None,
                };
                let at = self.now + self.hosts.die;
                self.plan_local(at, agent, delivery);
            }
        }
    }

    /// A container is over, with all its processes. The agent hears of it if it lives.
    pub(super) fn end_container(&mut self, executor: NodeIndex, status: Option<i32>) {
        let Some((agent, container_id)) = self.remove_container(executor) else {
            return;
        };
        let delivery = Delivery::ContainerExited {
            container_id,
            status,
        };
        let at = self.now + self.hosts.die;
        self.plan_local(at, agent, delivery);
    }

    /// Ends an executor and everything that it runs, without a word to anybody but its
    /// connections.
    pub(super) fn remove_container(
        &mut self,
        executor: NodeIndex,
    ) -> Option<(NodeIndex, ContainerId)> {
        let node = &mut self.nodes[executor.slot()];
        let Some(SimNode::Executor(machine)) = node.machine.take() else {
            return None;
        };
        node.process = Process::Down;
        node.backlog.clear();
        node.tick_at = crate::time::SimTime::MAX;
        self.drop_connections(executor);
        for task in machine.processes.keys() {
            let framework = &machine.launch.framework_id;
            self.observer
                .on_process_end(self.now, executor, framework, task);
        }
        let container_id = machine.launch.container_id.clone();
        let host = &mut self.nodes[machine.agent.slot()].host;
        host.containers.remove(&container_id);
        // Its run's number goes up with the next container, so that nothing meant for this one
        // reaches that.
        self.executors_free.push(executor);
        Some((machine.agent, container_id))
    }

    /// Whether a connection of an agent leads to a master.
    #[must_use]
    pub fn is_outbound(peer: Peer) -> bool {
        matches!(peer, Peer::Outbound(_))
    }
}

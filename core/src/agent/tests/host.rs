//! The world's host: containers with executors in them, and processes in those.

use super::world::{Container, Item, Lane, World, nth};
use crate::agent::{ContainerLaunch, Input};
use crate::executor::{self, CommandExecutor, Identity, Mode};
use crate::ids::{ContainerId, Peer, TaskId};
use crate::machine::Machine;
use crate::message::executor::{Call, Event};
use crate::model::TaskStatus;
use crate::rng::Rng;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

impl World {
    pub(super) fn launch(&mut self, launch: &ContainerLaunch) {
        let identity = Identity {
            framework_id: launch.framework_id.clone(),
            executor_id: launch.executor_id.clone(),
            container_id: launch.container_id.clone(),
        };
        let mode = match launch.command {
            None => Mode::Single,
            Some(_) => Mode::Shared,
        };
        let rng = Rng::from_seed(3, "executors");
        let config = executor::Config::default();
        let node = CommandExecutor::new(config, identity, mode, &rng, self.now);
        let container_id = launch.container_id.clone();
        let is_new = self.launched.insert(container_id.clone());
        assert!(is_new, "one container, launched twice");
        let container = Container {
            node,
            connection: None,
            processes: BTreeSet::new(),
        };
        self.containers.insert(container_id.clone(), container);
        let lane = Lane::Host(container_id.clone());
        let pid = 1;
        let started = Input::ContainerStarted { container_id, pid };
        self.put(lane, Item::Agent(started));
    }

    pub(super) fn say_exited(&mut self, container_id: ContainerId, status: Option<i32>) {
        let lane = Lane::Host(container_id.clone());
        let exited = Input::ContainerExited {
            container_id,
            status,
            message: String::new(),
        };
        self.put(lane, Item::Agent(exited));
    }

    pub(super) fn end_container(&mut self, container_id: &ContainerId, status: Option<i32>) {
        self.break_executor(container_id, true);
        self.containers.remove(container_id);
        self.lanes.remove(&Lane::Executor(container_id.clone()));
        self.say_exited(container_id.clone(), status);
    }

    /// An executor's connection breaks; the agent hears of it after what was sent before.
    pub(super) fn break_executor(&mut self, container_id: &ContainerId, tell_agent: bool) {
        let Some(container) = self.containers.get_mut(container_id) else {
            return;
        };
        let Some((theirs, ours)) = container.connection.take() else {
            return;
        };
        let broken = executor::Input::Disconnected { peer: ours };
        self.put(Lane::Executor(container_id.clone()), Item::Executor(broken));
        if tell_agent {
            let Peer::Inbound(number) = theirs else {
                unreachable!("executors come in")
            };
            let lane = Lane::FromExecutor(container_id.clone(), number);
            self.put(lane, Item::Agent(Input::Disconnected { peer: theirs }));
        }
    }

    pub fn break_some_executor(&mut self, index: usize) {
        if let Some(id) = nth(&self.containers, index) {
            self.break_executor(&id, true);
        }
    }

    pub fn kill_some_container(&mut self, index: usize) {
        if let Some(id) = nth(&self.containers, index) {
            self.end_container(&id, Some(139));
        }
    }

    /// Some process ends by itself.
    pub fn end_some_process(&mut self, index: usize, status: i32) {
        let all: Vec<_> = self
            .containers
            .iter()
            .flat_map(|(id, c)| {
                c.processes
                    .iter()
                    .map(move |task| (id.clone(), task.clone()))
            })
            .collect();
        if all.is_empty() {
            return;
        }
        let (container_id, task_id) = all[index % all.len()].clone();
        self.end_process(&container_id, task_id, status);
    }

    pub(super) fn end_process(&mut self, container_id: &ContainerId, task_id: TaskId, status: i32) {
        let container = self.containers.get_mut(container_id);
        if !container.is_some_and(|c| c.processes.remove(&task_id)) {
            return;
        }
        let exited = executor::Input::ProcessExited {
            task_id,
            status: Some(status),
            message: String::new(),
        };
        let lane = Lane::Executor(container_id.clone());
        self.put(lane, Item::Executor(exited));
    }

    pub(super) fn tell_executor(&mut self, container_id: &ContainerId, input: executor::Input) {
        if let executor::Input::FromAgent {
            event: Event::Acknowledged { task_id, update_id },
            ..
        } = &input
        {
            self.acknowledged.insert((task_id.clone(), *update_id));
        }
        let Some(container) = self.containers.get_mut(container_id) else {
            return;
        };
        container
            .node
            .handle(self.now, input, &mut self.executor_fx);
        let effects: Vec<_> = self.executor_fx.drain().collect();
        for effect in effects {
            self.on_executor_effect(container_id, effect);
        }
    }

    pub(super) fn on_executor_effect(
        &mut self,
        container_id: &ContainerId,
        effect: executor::Effect,
    ) {
        let lane = Lane::Executor(container_id.clone());
        match effect {
            executor::Effect::Connect { peer } => {
                self.peers += 1;
                let theirs = Peer::Inbound(self.peers);
                let container = self.containers.get_mut(container_id);
                container.expect("it speaks").connection = Some((theirs, peer));
                let connected = executor::Input::Connected { peer };
                self.put(lane, Item::Executor(connected));
            }
            executor::Effect::Close { .. } => self.break_executor(container_id, true),
            executor::Effect::ToAgent { peer, message } => {
                match &message.call {
                    Call::Update { status } => self.note_said(status),
                    Call::Subscribe {
                        unacknowledged_updates,
                        ..
                    } => unacknowledged_updates
                        .iter()
                        .for_each(|s| self.note_said(s)),
                    Call::Message { .. } => {}
                }
                let container = &self.containers[container_id];
                let Some((theirs, ours)) = container.connection else {
                    return;
                };
                let Peer::Inbound(number) = theirs else {
                    unreachable!("executors come in")
                };
                if ours == peer {
                    let lane = Lane::FromExecutor(container_id.clone(), number);
                    let peer = theirs;
                    let input = Input::FromExecutor { peer, message };
                    self.put(lane, Item::Agent(input));
                }
            }
            executor::Effect::Start { task } => {
                let task_id = task.task_id.clone();
                *self.starts.entry(task_id.clone()).or_default() += 1;
                let container = self.containers.get_mut(container_id);
                container
                    .expect("it speaks")
                    .processes
                    .insert(task_id.clone());
                let started = executor::Input::ProcessStarted { task_id, pid: 2 };
                self.put(lane, Item::Executor(started));
            }
            executor::Effect::Signal { task_id, force } => {
                self.end_process(container_id, task_id, if force { 137 } else { 143 });
            }
            // No task is watched here.
            executor::Effect::Check { .. } => {}
            executor::Effect::Exit => self.end_container(container_id, Some(0)),
        }
    }

    pub(super) fn note_said(&mut self, status: &TaskStatus) {
        let said = self.said.entry(status.task_id.clone()).or_default();
        let id = status.update_id.expect("executors name their updates");
        if !said.contains(&(id, status.state)) {
            said.push((id, status.state));
        }
    }
}

//! Executors, and the processes of tasks.

use super::{Delivery, Payload, World};
use crate::host::{STUBBORN_LABEL, TaskProcess, script_of};
use crate::machine::SimNode;
use crate::node::NodeIndex;
use std::sync::Arc;
use tepui_core::executor::{Effect, Input};
use tepui_core::ids::TaskId;
use tepui_core::machine::Machine as _;
use tepui_core::model::TaskInfo;

/// The exit statuses of a process that a signal ended: 128 + SIGTERM, 128 + SIGKILL.
const TERMINATED: i32 = 143;
const KILLED: i32 = 137;

impl World {
    pub(super) fn step_executor(&mut self, index: NodeIndex, delivery: Delivery) {
        let input = match delivery {
            Delivery::Tick => Input::Tick,
            Delivery::Connected { peer } => Input::Connected { peer },
            Delivery::Disconnected { peer } => Input::Disconnected { peer },
            Delivery::Message {
                peer,
                payload: Payload::AgentToExecutor(event),
            } => Input::FromAgent { peer, event },
            Delivery::ProcessStarted { task_id } => {
                let executor = self.executor_mut(index);
                if !executor.processes.contains_key(&task_id) {
                    return;
                }
                let agent = executor.agent;
                let pid = self.nodes[agent.slot()].host.next_pid();
                Input::ProcessStarted { task_id, pid }
            }
            Delivery::ProcessExited {
                task_id,
                serial,
                status,
            } => {
                let executor = self.executor_mut(index);
                let known = executor.processes.get(&task_id);
                if known.is_none_or(|process| process.serial != serial) {
                    return;
                }
                executor.processes.remove(&task_id);
                let framework = executor.launch.framework_id.clone();
                self.observer
                    .on_process_end(self.now, index, &framework, &task_id);
                Input::ProcessExited {
                    task_id,
                    status: Some(status),
                    message: String::new(),
                }
            }
            other => unreachable!("nobody sends {other:?} to an executor"),
        };
        let node = &mut self.nodes[index.slot()];
        let now = node.clock.read(self.now);
        let Some(SimNode::Executor(executor)) = &mut node.machine else {
            unreachable!("the caller looked");
        };
        self.recorder.input(index, now, &input);
        executor.node.handle(now, input, &mut self.executor_fx);
        let mut effects = std::mem::take(&mut self.executor_scratch);
        self.executor_fx.swap_into(&mut effects);
        for effect in effects.drain(..) {
            if self.nodes[index.slot()].machine.is_none() {
                // It ended itself: the rest was never done.
                break;
            }
            self.trace.value(&effect);
            self.recorder.effect(index, &effect);
            self.on_executor_effect(index, effect);
        }
        self.executor_scratch = effects;
    }

    fn executor_mut(&mut self, index: NodeIndex) -> &mut crate::host::ExecutorSim {
        let Some(SimNode::Executor(executor)) = &mut self.nodes[index.slot()].machine else {
            unreachable!("only executors run tasks");
        };
        executor
    }

    fn on_executor_effect(&mut self, index: NodeIndex, effect: Effect) {
        if self.nodes[index.slot()].machine.is_none() {
            return;
        }
        match effect {
            Effect::Connect { peer } => {
                let agent = self.executor_mut(index).agent;
                self.dial_node(index, peer, Some(agent), true);
            }
            Effect::Close { peer } => self.close_stream(index, peer),
            Effect::ToAgent { peer, message } => {
                self.send_stream(index, peer, Payload::ExecutorToAgent(message));
            }
            Effect::Start { task } => self.start_process(index, &task),
            Effect::Signal { task_id, force } => self.signal(index, &task_id, force),
            // No task is watched here.
            Effect::Check { .. } => {}
            Effect::Exit => self.end_container(index, Some(0)),
        }
    }

    fn start_process(&mut self, index: NodeIndex, task: &Arc<TaskInfo>) {
        let script = script_of(task.command.as_ref());
        let stubborn = task.labels.iter().any(|label| label.key == STUBBORN_LABEL);
        let executor = self.executor_mut(index);
        executor.serial += 1;
        let serial = executor.serial;
        let process = TaskProcess { serial, stubborn };
        executor.processes.insert(task.task_id.clone(), process);
        let framework = executor.launch.framework_id.clone();
        self.observer
            .on_process_start(self.now, index, &framework, &task.task_id);
        let started = self.now + self.hosts.spawn;
        let task_id = task.task_id.clone();
        let start = Delivery::ProcessStarted {
            task_id: task_id.clone(),
        };
        self.plan_local(started, index, start);
        if let Some(runs_for) = script.runs_for {
            let end = Delivery::ProcessExited {
                task_id,
                serial,
                status: i32::from(script.exit_code),
            };
            self.plan_local(started + runs_for, index, end);
        }
    }

    fn signal(&mut self, index: NodeIndex, task_id: &TaskId, force: bool) {
        let at = self.now + self.hosts.die;
        let Some(process) = self.executor_mut(index).processes.get(task_id).copied() else {
            return;
        };
        if process.stubborn && !force {
            return;
        }
        let end = Delivery::ProcessExited {
            task_id: task_id.clone(),
            serial: process.serial,
            status: if force { KILLED } else { TERMINATED },
        };
        self.plan_local(at, index, end);
    }
}

//! What the master and its agents do with a framework's calls.

use super::super::*;
use super::{Agent, SLOTS, Task, World};
use crate::frameworks::Script;
use crate::message::scheduler::ToMaster;
use alloc::collections::VecDeque;
use alloc::format;

impl<F: Logic> World<F> {
    pub(super) fn on_call(&mut self, peer: Peer, message: ToMaster) {
        if let Call::Subscribe {
            suppressed_roles, ..
        } = &message.call
        {
            self.on_subscribe(peer, &message, !suppressed_roles.is_empty());
            return;
        }
        if self.subscribed != Some(peer) {
            return;
        }
        let id = message
            .framework_id
            .expect("only a first subscription has no id");
        assert!(
            self.is_durable(&id),
            "{:?} before the id is durable",
            message.call
        );
        match message.call {
            Call::Accept {
                offer_ids,
                operations,
                ..
            } => self.on_accept(&offer_ids[0], operations),
            Call::Decline { offer_ids, .. } => {
                for id in offer_ids {
                    self.offers.remove(&id);
                }
            }
            Call::Revive { .. } => self.suppressed = false,
            Call::Suppress { .. } => self.suppressed = true,
            Call::Kill { task_id, .. } => self.on_kill(&task_id),
            Call::Acknowledge {
                task_id, update_id, ..
            } => self.on_acknowledge(&task_id, update_id),
            Call::Reconcile { tasks } => self.on_reconcile(tasks),
            other => panic!("unexpected {other:?}"),
        }
    }

    fn is_durable(&self, id: &FrameworkId) -> bool {
        self.disk.iter().any(|write| match write {
            Write::Framework(stored) => stored == id,
            Write::Snapshot { framework_id, .. } => framework_id.as_ref() == Some(id),
            Write::Logic(_) => false,
        })
    }

    fn on_subscribe(&mut self, peer: Peer, message: &ToMaster, suppressed: bool) {
        if !self.leading {
            let id = message.id;
            let result = Err(Reject::NotLeading { leader: None });
            let link = self.links.get_mut(&peer).unwrap();
            link.to_node.push_back(ToScheduler::Reply { id, result });
            return;
        }
        if self.subscribed.is_some_and(|old| old != peer) {
            let message = String::from("Framework failed over");
            self.say(FromMaster::Error { message });
        }
        self.subscribed = Some(peer);
        self.suppressed = suppressed;
        self.offers.clear();
        self.serial += 1;
        let new = framework_id(&format!("F{}", self.serial));
        self.say(FromMaster::Subscribed {
            framework_id: message.framework_id.clone().unwrap_or(new),
            heartbeat_interval: Duration::from_secs(15),
            master: MasterInfo {
                id: MasterId(0),
                address: String::from("m0:1"),
            },
        });
    }

    fn on_accept(&mut self, offer_id: &OfferId, operations: Vec<OfferOperation>) {
        let agent = self.offers.remove(offer_id);
        for operation in operations {
            let OfferOperation::Launch(tasks) = operation else {
                panic!("no groups yet");
            };
            for task in tasks {
                let id = task.task_id.clone();
                assert!(self.launched.insert(id.clone()), "{id} was launched twice");
                match agent {
                    Some(agent) => self.launch(agent, &task),
                    None => self.say_status(0, &id, TaskState::Dropped, None),
                }
            }
        }
    }

    fn launch(&mut self, agent: usize, info: &TaskInfo) {
        let script = Script::of(info.command.as_ref().unwrap()).unwrap();
        let end = if script.exit_code == 0 {
            TaskState::Finished
        } else {
            TaskState::Failed
        };
        let mut task = Task {
            updates: VecDeque::new(),
            state: TaskState::Staging,
            ends: script.runs_for.map(|time| (self.now.mono + time, end)),
        };
        self.move_on(&mut task, TaskState::Starting);
        self.move_on(&mut task, TaskState::Running);
        self.agents[agent].tasks.insert(info.task_id.clone(), task);
        let live = self.live().into_iter().filter(|(on, _)| *on == agent);
        assert!(live.count() <= SLOTS, "more was launched than offered");
    }

    pub(super) fn move_on(&mut self, task: &mut Task, state: TaskState) {
        self.serial += 1;
        let mut bytes = [0; 16];
        bytes[8..].copy_from_slice(&self.serial.to_be_bytes());
        task.updates.push_back((UpdateId(bytes), state));
        task.state = state;
    }

    fn agent_of(&self, task_id: &TaskId) -> Option<usize> {
        let has = |agent: &Agent| agent.tasks.contains_key(task_id);
        self.agents.iter().position(has)
    }

    fn on_kill(&mut self, task_id: &TaskId) {
        let Some(agent) = self.agent_of(task_id) else {
            self.say_status(0, task_id, TaskState::Unknown, None);
            return;
        };
        let mut task = self.agents[agent].tasks.remove(task_id).unwrap();
        if !task.state.is_terminal() && self.agents[agent].registered {
            self.move_on(&mut task, TaskState::Killed);
        }
        self.agents[agent].tasks.insert(task_id.clone(), task);
    }

    fn on_acknowledge(&mut self, task_id: &TaskId, id: UpdateId) {
        assert!(
            self.handled.contains(&id),
            "acknowledged before it was handled"
        );
        let Some(agent) = self.agent_of(task_id) else {
            return;
        };
        let tasks = &mut self.agents[agent].tasks;
        let task = tasks.get_mut(task_id).unwrap();
        if task.updates.front().is_some_and(|(head, _)| *head == id) {
            task.updates.pop_front();
        }
        if task.updates.is_empty() && task.state.is_terminal() {
            tasks.remove(task_id);
        }
    }

    fn on_reconcile(&mut self, mut tasks: Vec<(TaskId, Option<AgentId>)>) {
        if tasks.is_empty() {
            let known = self.agents.iter().flat_map(|agent| agent.tasks.keys());
            tasks = known.map(|id| (id.clone(), None)).collect();
        }
        for (id, told) in tasks {
            let number = told.map(|told| told.as_str()[1..].parse().unwrap());
            let Some(at) = self.agent_of(&id).or(number) else {
                self.say_status(0, &id, TaskState::Unknown, None);
                continue;
            };
            let agent = &self.agents[at];
            let state = match agent.tasks.get(&id) {
                _ if agent.unreachable => TaskState::Unreachable,
                _ if !agent.registered => continue,
                None => TaskState::Gone,
                Some(task) => task.updates.front().map_or(task.state, |head| head.1),
            };
            self.say_status(at, &id, state, None);
        }
    }
}

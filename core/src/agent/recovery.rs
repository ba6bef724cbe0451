//! After a restart: what survived, what did not, and when the master may be told.

use super::executors::{ExecutorRun, ExecutorState};
use super::node::{AgentNode, Stage, Timer};
use super::{EXECUTOR_REREGISTRATION_TIMEOUT_MAX, Effect, Fatal, Notice, Probe, Write};
use crate::ids::{ContainerId, ExecutorId, FrameworkId};
use crate::message::agent::AgentRun;
use crate::model::{AgentInfo, Reason, TaskState};
use crate::outbox::Outbox;
use crate::time::Now;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// What a driver finds when it starts an agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recovered {
    /// The journal: what was acknowledged as durable, plus possibly more.
    pub writes: Vec<Write>,
    /// Containers of this agent that are alive, found by their ids.
    pub live_containers: Vec<ContainerId>,
    /// Which boot of the host this is: after another one no container is alive, whatever its
    /// process ids say (MESOS-9501).
    pub boot_id: String,
}

impl AgentNode {
    /// The first thing of all: sorts out what survived.
    pub(super) fn start(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        let rebooted =
            !self.checkpoint.boot_id.is_empty() && self.checkpoint.boot_id != self.boot_id;
        if rebooted {
            fx.push(Effect::Notice(Notice::Probe(Probe::Rebooted)));
        }
        if let Some(changed) = self.incompatible() {
            if self.checkpoint.frameworks.is_empty() || rebooted {
                self.retire(fx);
            } else {
                self.stage = Stage::Ended;
                self.say(Effect::Halt(Fatal::Incompatible { changed }), fx);
                return;
            }
        }
        match self
            .info
            .resources
            .unallocated()
            .remade(&self.checkpoint.kept)
        {
            Ok(total) => self.total = total,
            Err(error) => {
                self.stage = Stage::Ended;
                let changed = alloc::format!("resources ({error})");
                self.say(Effect::Halt(Fatal::Incompatible { changed }), fx);
                return;
            }
        }
        let run = AgentRun(self.checkpoint.run.0 + 1);
        // Ids drawn by this run must not repeat those of an earlier one.
        let stream = alloc::format!("run {} {} {}", run.0, self.boot_id, now.wall.0);
        self.rng = self.rng.fork(&stream);
        let nonce = self.checkpoint.nonce;
        let write = Write::Started {
            run,
            boot_id: self.boot_id.clone(),
            nonce: nonce.unwrap_or_else(|| self.rng.next_u64()),
            info: self.info.clone(),
        };
        self.persist(write, fx);
        fx.push(Effect::Notice(Notice::Started { run }));
        self.destroy_orphans(rebooted, fx);
        let lost = self.sort_executors(now, rebooted, fx);
        self.lost_in_recovery = lost;
        self.end_tasks_without_executor(now, fx);
        self.stage = Stage::Recovering;
        let patience = self
            .config
            .executor_reregistration_timeout
            .min(EXECUTOR_REREGISTRATION_TIMEOUT_MAX);
        self.timers.set(Timer::Recovery, now.mono + patience);
        self.finish_recovery_early(now, fx);
    }

    /// What about the agent's description does not fit what it was, if anything.
    fn incompatible(&self) -> Option<String> {
        let before: &AgentInfo = self.checkpoint.info.as_ref()?;
        self.checkpoint.agent_id.as_ref()?;
        let changed = [
            ("host name", before.hostname != self.info.hostname),
            ("resources", before.resources != self.info.resources),
            ("attributes", before.attributes != self.info.attributes),
            ("domain", before.domain != self.info.domain),
        ];
        let changed = changed.iter().find(|(_, is_changed)| *is_changed);
        changed.map(|(what, _)| String::from(*what))
    }

    /// Becomes a new agent: nothing of the old one is left but the count of its runs and what
    /// came to be of its resources.
    pub(super) fn retire(&mut self, fx: &mut Outbox<Effect>) {
        self.pause_updates();
        self.persist(Write::Retired, fx);
    }

    /// Containers that no record knows were left over by an agent that was retired.
    fn destroy_orphans(&mut self, rebooted: bool, fx: &mut Outbox<Effect>) {
        if rebooted {
            self.live_containers.clear();
        }
        let known: BTreeSet<&ContainerId> = self
            .checkpoint
            .executors()
            .map(|(_, _, executor)| &executor.container_id)
            .collect();
        let orphans: Vec<_> = self
            .live_containers
            .iter()
            .filter(|id| !known.contains(id))
            .cloned()
            .collect();
        for container_id in orphans {
            fx.push(Effect::Notice(Notice::Probe(Probe::OrphanDestroyed)));
            self.say(Effect::Destroy { container_id }, fx);
        }
    }

    /// Waits for the executors that are alive and buries the others, whose number is returned.
    fn sort_executors(&mut self, now: Now, rebooted: bool, fx: &mut Outbox<Effect>) -> usize {
        let executors: Vec<(FrameworkId, ExecutorId, ContainerId, bool)> = self
            .checkpoint
            .executors()
            .map(|(framework_id, executor_id, executor)| {
                let container_id = executor.container_id.clone();
                let ending = executor.terminating || self.is_torn_down(framework_id);
                (
                    framework_id.clone(),
                    executor_id.clone(),
                    container_id,
                    ending,
                )
            })
            .collect();
        let why = if rebooted {
            (Reason::AgentRestarted, String::from("the host booted"))
        } else {
            let message = String::from("the executor ended while the agent was down");
            (Reason::ExecutorTerminated, message)
        };
        let mut lost = 0;
        for (framework_id, executor_id, container_id, ending) in executors {
            if !self.live_containers.contains(&container_id) {
                lost += 1;
                self.forget_executor(now, &framework_id, &executor_id, &why, None, fx);
                continue;
            }
            let state = ExecutorState::Reregistering;
            let run = ExecutorRun::new(&framework_id, &executor_id, state);
            self.runs.insert(container_id.clone(), run);
            if ending {
                self.destroy(now, &container_id, fx);
            }
        }
        self.live_containers.clear();
        lost
    }

    /// A cut between an executor's last write and its tasks' leaves tasks that nothing runs.
    fn end_tasks_without_executor(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        let orphaned: Vec<_> = self
            .checkpoint
            .tasks()
            .filter(|(_, _, task)| task.is_live())
            .filter(|(framework_id, _, task)| {
                let launched = task.launched.as_ref();
                launched.is_none_or(|launched| {
                    let executor = &launched.executor_id;
                    self.checkpoint.executor(framework_id, executor).is_none()
                })
            })
            .map(|(framework_id, task_id, _)| (framework_id.clone(), task_id.clone()))
            .collect();
        for (framework_id, task_id) in orphaned {
            let message = "the agent restarted before the executor did";
            let told = (TaskState::Failed, Reason::AgentRestarted, message);
            self.end_task(now, &framework_id, &task_id, told, fx);
        }
    }

    /// Ends the wait as soon as nobody is waited for.
    pub(super) fn finish_recovery_early(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        let waits = |run: &ExecutorRun| run.state == ExecutorState::Reregistering;
        if self.stage == Stage::Recovering && !self.runs.values().any(waits) {
            self.finish_recovery(now, fx);
        }
    }

    /// Executors that did not come back are ended. Only now may a master be told of the rest.
    pub(super) fn finish_recovery(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        if self.stage != Stage::Recovering {
            return;
        }
        self.stage = Stage::Serving;
        self.timers.cancel(&Timer::Recovery);
        let late: Vec<_> = self
            .runs
            .iter()
            .filter(|(_, run)| run.state == ExecutorState::Reregistering)
            .map(|(container_id, _)| container_id.clone())
            .collect();
        for container_id in &late {
            if let Some(run) = self.runs.get_mut(container_id) {
                let message = String::from("the executor did not come back in time");
                run.why = Some((Reason::ExecutorReregistrationTimeout, message));
            }
            self.destroy(now, container_id, fx);
        }
        let live = self
            .checkpoint
            .tasks()
            .filter(|(_, _, task)| task.is_live());
        let notice = Notice::Recovered {
            tasks: live.count(),
            executors: self.runs.len() - late.len(),
            lost: self.lost_in_recovery + late.len(),
        };
        if self.checkpoint.run > AgentRun(1) {
            fx.push(Effect::Notice(notice));
        }
        self.seek(now, Duration::ZERO);
    }
}

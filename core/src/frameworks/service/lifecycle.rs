//! How instances get and lose their tasks.

use super::placement::{Needs, place};
use super::record::{Launch, Record, Snapshot};
use super::{Instance, Run, Service, Timer};
use crate::frameworks::offers::answer;
use crate::model::{Filters, Offer, TaskInfo, TaskState};
use crate::outbox::Outbox;
use crate::scheduler::{Action, KillCause, Notice};
use crate::timers::Timers;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

impl Service {
    /// Wants another number: new instances wait for offers, the highest ones end.
    pub(super) fn resize(&mut self, wanted: u32) {
        for number in self.wanted..wanted {
            self.instances.insert(number, Instance::default());
            self.waiting.insert(number);
        }
        for number in wanted..self.wanted {
            self.timers.cancel(&Timer::Start(number));
            self.waiting.remove(&number);
            let serial = self.instances[&number].run.as_ref().map(|run| run.serial);
            if let Some(run) = serial.and_then(|serial| self.take_run(number, serial)) {
                let task_id = self.task_id(number, &run);
                let agent_id = Some(run.agent_id);
                self.strays.add(task_id, agent_id, KillCause::ScaledDown);
            }
            self.instances.remove(&number);
        }
        self.wanted = wanted;
        assert_eq!(self.instances.len(), wanted as usize);
    }

    /// The instance has this task now; whatever it had before is given up.
    pub(super) fn place_run(&mut self, launch: Launch) {
        self.serial = self.serial.max(launch.serial);
        let Some(instance) = self.instances.get_mut(&launch.instance) else {
            return;
        };
        if let Some(old) = instance.run.take() {
            self.forget(launch.instance, &old);
        }
        self.census.add(&launch.agent_id, &launch.group);
        self.set_run(launch);
    }

    /// As [`Self::place_run`], where the place was counted already.
    fn set_run(&mut self, launch: Launch) {
        self.serial = self.serial.max(launch.serial);
        self.waiting.remove(&launch.instance);
        self.timers.cancel(&Timer::Start(launch.instance));
        let run = Run {
            serial: launch.serial,
            agent_id: launch.agent_id,
            hostname: launch.hostname,
            state: TaskState::Staging,
            group: launch.group,
            running_since: None,
        };
        if let Some(instance) = self.instances.get_mut(&launch.instance) {
            instance.run = Some(run);
        }
    }

    /// Takes the task with this serial from the instance, if it has that one.
    pub(super) fn take_run(&mut self, number: u32, serial: u64) -> Option<Run> {
        let instance = self.instances.get_mut(&number)?;
        let run = instance.run.take_if(|run| run.serial == serial)?;
        self.forget(number, &run);
        Some(run)
    }

    fn forget(&mut self, number: u32, run: &Run) {
        self.census.remove(&run.agent_id, &run.group);
        self.timers.cancel(&Timer::Replace(number));
        let task_id = self.task_id(number, run);
        self.strays.remove(&task_id);
        if run.state == TaskState::Running {
            self.running -= 1;
        }
    }

    /// Launches what waits, gives back the rest.
    pub(super) fn on_offers(&mut self, offers: &[Arc<Offer>], out: &mut Outbox<Action>) {
        let needs = Needs {
            resources: &self.config.task.resources,
            spread_by: self.config.spread_by.as_deref(),
            agent_instances_max: self.config.agent_instances_max,
        };
        let places = place(offers, self.waiting.len(), &needs, &mut self.census);
        let mut tasks: Vec<Vec<Arc<TaskInfo>>> = vec![Vec::new(); offers.len()];
        let mut launches = Vec::with_capacity(places.len());
        for placement in places {
            let number = self.waiting.first().copied();
            let number = number.expect("no more places than instances that wait");
            let offer = &offers[placement.offer];
            let launch = Launch {
                instance: number,
                serial: self.serial + 1,
                agent_id: offer.agent_id.clone(),
                hostname: offer.hostname.clone(),
                group: placement.group,
            };
            let template = &self.config.task;
            let task_id = template.task_id(u64::from(number), launch.serial);
            out.push(Action::Notice(Notice::Launching {
                task_id: task_id.clone(),
                agent_id: launch.agent_id.clone(),
                hostname: launch.hostname.clone(),
            }));
            let command = template.command.clone();
            let task = template.task(task_id, command, offer, placement.resources);
            tasks[placement.offer].push(task);
            self.set_run(launch.clone());
            launches.push(launch);
            self.counters.launched += 1;
        }
        if !launches.is_empty() {
            Service::persist(&Record::Launched(launches), out);
        }
        let filters = if self.waiting.is_empty() {
            Filters {
                refuse: self.config.refuse,
            }
        } else {
            // Too small, or too crowded: more of the agent may be free soon.
            Filters::DEFAULT
        };
        answer(offers, tasks, filters, out);
    }

    /// The instance's task has been out of reach for too long.
    pub(super) fn replace(&mut self, number: u32, out: &mut Outbox<Action>) {
        let instance = self.instances.get(&number);
        let Some(run) = instance.and_then(|instance| instance.run.as_ref()) else {
            return;
        };
        if run.state != TaskState::Unreachable {
            return;
        }
        let serial = run.serial;
        let task_id = self.task_id(number, run);
        self.take_run(number, serial);
        self.waiting.insert(number);
        self.counters.replaced += 1;
        out.push(Action::Notice(Notice::Replacing { task_id }));
    }

    /// An operator wants the instance anew: the next task comes once this one is over.
    pub(super) fn restart(&mut self, number: u32) -> bool {
        let instance = self.instances.get(&number);
        let Some(run) = instance.and_then(|instance| instance.run.as_ref()) else {
            return false;
        };
        let task_id = self.task_id(number, run);
        let agent_id = Some(run.agent_id.clone());
        self.strays.add(task_id, agent_id, KillCause::Requested);
        true
    }

    pub(super) fn to_snapshot(&self) -> Snapshot {
        let runs = self.instances.iter().filter_map(|(number, instance)| {
            let run = instance.run.as_ref()?;
            Some(Launch {
                instance: *number,
                serial: run.serial,
                agent_id: run.agent_id.clone(),
                hostname: run.hostname.clone(),
                group: run.group.clone(),
            })
        });
        Snapshot {
            wanted: self.wanted,
            serial: self.serial,
            runs: runs.collect(),
            strays: self.strays.tasks(),
        }
    }

    pub(super) fn become_snapshot(&mut self, snapshot: Snapshot) {
        self.resize(0);
        self.strays.clear();
        self.timers = Timers::default();
        self.resize(snapshot.wanted);
        for launch in snapshot.runs {
            self.place_run(launch);
        }
        self.serial = self.serial.max(snapshot.serial);
        for (task_id, agent_id) in snapshot.strays {
            self.strays.add(task_id, agent_id, KillCause::ScaledDown);
        }
    }
}

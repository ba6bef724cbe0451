//! When the steps of a scenario happen.

use super::{Planned, Run, Undo};
use crate::observe::Occurrence;
use crate::scenario::{Step, When};
use crate::time::SimTime;
use std::time::Duration;

/// A step that finds nobody to hit (no leader yet) looks again so often.
const RETRY_EVERY: Duration = Duration::from_millis(20);

impl Run<'_> {
    fn step(&self, index: usize) -> &Step {
        let faults = &self.plan.scenario.faults;
        match index.checked_sub(faults.len()) {
            None => &faults[index],
            Some(index) => &self.plan.scenario.operations[index],
        }
    }

    fn steps(&self) -> usize {
        self.plan.scenario.faults.len() + self.plan.scenario.operations.len()
    }

    pub(super) fn plan_steps(&mut self) {
        for index in 0..self.steps() {
            let step = self.step(index);
            match step.at {
                Some(at) => {
                    let after = step.after.unwrap_or_default().0;
                    let at = SimTime::ZERO + at.0 + after;
                    self.plan(at, Planned::Step(index, 0));
                }
                None => {
                    self.waiting.insert(index, 0);
                }
            }
        }
        self.world.observer.watched = !self.waiting.is_empty();
    }

    /// Something happened that a step may wait for.
    pub(super) fn on_occurrence(&mut self, occurrence: &Occurrence) {
        self.on_client_occurrence(occurrence);
        let waiting: Vec<usize> = self.waiting.keys().copied().collect();
        for index in waiting {
            if self.fits(index, occurrence) {
                self.waiting.remove(&index);
                let after = self.step(index).after.unwrap_or_default().0;
                let at = self.world.now + after;
                self.plan(at, Planned::Step(index, 0));
            }
        }
    }

    fn fits(&mut self, index: usize, occurrence: &Occurrence) -> bool {
        let plan = self.plan;
        let faults = &plan.scenario.faults;
        let step = match index.checked_sub(faults.len()) {
            None => &faults[index],
            Some(index) => &plan.scenario.operations[index],
        };
        let (condition, needed) = match &step.when {
            Some(When::Happens(condition)) => (condition, u64::from(step.nth.unwrap_or(1))),
            Some(When::Reaches(condition, count)) => (condition, *count),
            None => return false,
        };
        if condition.0 != occurrence.name() {
            return false;
        }
        if let Some(of) = &step.of
            && !self.resolve(of).contains(&occurrence.node())
        {
            return false;
        }
        if condition.0 == "task-running" && matches!(step.when, Some(When::Reaches(..))) {
            return self.world.observer.tasks.running_told() as u64 >= needed;
        }
        let seen = self.waiting.get_mut(&index).expect("it waits");
        *seen += 1;
        *seen >= needed
    }

    pub(super) fn on_step(&mut self, index: usize, times: u32) {
        if self.healing {
            return;
        }
        let plan = self.plan;
        let faults = &plan.scenario.faults;
        let (step, is_fault) = match index.checked_sub(faults.len()) {
            None => (&faults[index], true),
            Some(index) => (&plan.scenario.operations[index], false),
        };
        if !self.act(step) {
            let at = self.world.now + RETRY_EVERY;
            self.plan(at, Planned::Step(index, times));
            return;
        }
        self.world.counts.faults += u64::from(is_fault);
        if let Some(every) = step.every {
            let done = times + 1;
            if step.times.is_none_or(|wanted| done < wanted) {
                let at = self.world.now + every.0;
                self.plan(at, Planned::Step(index, done));
            }
        }
    }

    /// Ends something later, if a step says when.
    pub(super) fn later(&mut self, lasts: Option<Duration>, undo: Undo) {
        if let Some(lasts) = lasts {
            let at = self.world.now + lasts;
            self.plan(at, Planned::Undo(undo));
        }
    }

    pub(super) fn undo(&mut self, undo: Undo) {
        if self.healing {
            // The healing did it all.
            return;
        }
        match undo {
            Undo::Heal(cuts) => {
                for cut in cuts {
                    self.world.net.partitions.heal(cut);
                }
                self.announce("the partition heals");
                self.world.resume_stalled();
            }
            Undo::Unclog(nodes) => {
                for node in nodes {
                    self.world.net.clog(node, Duration::ZERO);
                }
            }
            Undo::Start(nodes) => {
                for node in nodes {
                    self.world.start(node);
                }
            }
            Undo::Resume(nodes) => {
                for node in nodes {
                    self.world.resume(node);
                }
            }
            Undo::EndRule(key) => {
                let held = self.world.net.rules.remove(key);
                self.world.send_held(held);
            }
            Undo::MendDisk(nodes) => {
                for node in nodes {
                    if let Some(faults) = self.world.disk_faults(node) {
                        faults.full = false;
                        faults.slow = Duration::ZERO;
                    }
                    self.world.start(node);
                }
            }
            Undo::Quiet => {
                self.world.net.config.loss = self.plan.network.loss;
            }
        }
    }

    /// A line about what is done to the cluster.
    pub(super) fn announce(&mut self, text: &str) {
        let now = self.world.now;
        self.world.observer.announce(now, text);
    }
}

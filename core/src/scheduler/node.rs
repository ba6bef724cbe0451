//! The composition: driver and logic, their events, actions and records.

use super::driver::SchedulerDriver;
use super::{Action, Config, Effect, Event, Exit, INVARIANTS, Input, Logic, RecoverError, Write};
use crate::invariant::{Cost, Violation, check};
use crate::machine::Machine;
use crate::model::FrameworkInfo;
use crate::outbox::Outbox;
use crate::rng::Rng;
use crate::time::{Now, Time};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Events that cause events: a dropped call is reported once, and the answer to that is not
/// dropped again. More rounds than this are a logic that talks to itself.
const SETTLE_ROUNDS_MAX: usize = 8;
/// What one event may make a logic do. Logics keep far below it by working in portions.
const ACTIONS_MAX: usize = 100_000;

/// A framework's process: the driver, and the logic `F` that decides what to run.
#[derive(Clone, Debug)]
pub struct FrameworkNode<F> {
    driver: SchedulerDriver,
    pub(super) logic: F,
    events: Outbox<Event>,
    events_scratch: Vec<Event>,
    actions: Outbox<Action>,
    actions_scratch: Vec<Action>,
    writes_since_snapshot: u64,
}

/// What became of the actions of one event.
enum Outcome {
    Done,
    Stop { teardown: bool, exit: Exit },
    Aborted,
}

impl<F: Logic> FrameworkNode<F> {
    /// A scheduler that starts for the first time.
    #[must_use]
    pub fn new(
        config: Config,
        info: FrameworkInfo,
        logic: F,
        rng: &Rng,
        masters: Vec<String>,
        now: Now,
    ) -> FrameworkNode<F> {
        let events_max = config.calls_parked_max + 64;
        FrameworkNode {
            driver: SchedulerDriver::new(config, info, masters, rng, now),
            logic,
            events: Outbox::new(events_max),
            events_scratch: Vec::new(),
            actions: Outbox::new(ACTIONS_MAX),
            actions_scratch: Vec::new(),
            writes_since_snapshot: 0,
        }
    }

    /// A scheduler that comes back: with `logic` as at its first start, and all that it had made
    /// durable, oldest first.
    ///
    /// # Errors
    /// When a record cannot be read; it says which.
    pub fn recover(
        config: Config,
        mut info: FrameworkInfo,
        mut logic: F,
        rng: &Rng,
        masters: Vec<String>,
        now: Now,
        writes: Vec<Write>,
    ) -> Result<FrameworkNode<F>, RecoverError> {
        for (index, write) in writes.into_iter().enumerate() {
            let read = match write {
                Write::Framework(id) => {
                    info.id = Some(id);
                    Ok(())
                }
                Write::Logic(record) => logic.replay(now, &record),
                Write::Snapshot {
                    framework_id,
                    logic: snapshot,
                } => {
                    info.id = framework_id;
                    logic.restore(now, &snapshot)
                }
            };
            read.map_err(|why| RecoverError { index, why })?;
        }
        Ok(FrameworkNode::new(config, info, logic, rng, masters, now))
    }

    /// The driver, for those who watch.
    #[must_use]
    pub fn driver(&self) -> &SchedulerDriver {
        &self.driver
    }

    /// The logic, for those who watch.
    #[must_use]
    pub fn logic(&self) -> &F {
        &self.logic
    }

    /// Which invariants of driver and logic do not hold.
    #[must_use]
    pub fn violations(&self, cost: Cost) -> Vec<Violation> {
        let mut found = check(INVARIANTS, &self.driver, cost);
        found.extend(check(F::INVARIANTS, &self.logic, cost));
        found
    }

    /// Hands events to the logic and its actions to the driver until neither has any more.
    fn settle(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        for _ in 0..SETTLE_ROUNDS_MAX {
            if self.events.is_empty() {
                self.snapshot_when_due(fx);
                return;
            }
            let mut events = core::mem::take(&mut self.events_scratch);
            self.events.swap_into(&mut events);
            for event in events.drain(..) {
                // Once it is stopping, what comes in is the next scheduler's to handle.
                if self.driver.is_ended() || self.driver.is_stopping() {
                    continue;
                }
                self.deliver(now, &event, fx);
            }
            self.events_scratch = events;
        }
        panic!("driver and logic did not settle");
    }

    fn deliver(&mut self, now: Now, event: &Event, fx: &mut Outbox<Effect>) {
        self.logic.on_event(now, event, &mut self.actions);
        let outcome = self.act(fx);
        if matches!(outcome, Outcome::Aborted) {
            return;
        }
        match event {
            Event::Update { status } => self.driver.on_handled(status, &mut self.events, fx),
            Event::Subscribed { .. } if matches!(outcome, Outcome::Done) => {
                let tasks = self.logic.tasks();
                self.driver.reconcile(now, tasks, &mut self.events, fx);
            }
            _ => {}
        }
        self.finish(now, outcome, fx);
    }

    /// Does what the logic wants, in its order.
    fn act(&mut self, fx: &mut Outbox<Effect>) -> Outcome {
        let mut actions = core::mem::take(&mut self.actions_scratch);
        self.actions.swap_into(&mut actions);
        let mut outcome = Outcome::Done;
        for action in actions.drain(..) {
            match action {
                Action::Call(call) => self.driver.on_logic_call(call, &mut self.events, fx),
                Action::Persist(record) => {
                    self.writes_since_snapshot += 1;
                    self.driver.persist(Write::Logic(Arc::from(record)), fx);
                }
                Action::Notice(notice) => fx.push(Effect::Notice(notice)),
                Action::Stop { teardown, exit } => outcome = Outcome::Stop { teardown, exit },
                Action::Abort { message } => {
                    self.driver.fail(message, fx);
                    outcome = Outcome::Aborted;
                    break;
                }
            }
        }
        self.actions_scratch = actions;
        outcome
    }

    fn finish(&mut self, now: Now, outcome: Outcome, fx: &mut Outbox<Effect>) {
        if let Outcome::Stop { teardown, exit } = outcome {
            self.driver.stop(now, teardown, exit, &mut self.events, fx);
        }
    }

    fn snapshot_when_due(&mut self, fx: &mut Outbox<Effect>) {
        if self.writes_since_snapshot < self.driver.config.snapshot_after_writes
            || self.driver.is_ended()
        {
            return;
        }
        self.writes_since_snapshot = 0;
        let write = Write::Snapshot {
            framework_id: self.driver.framework_id().cloned(),
            logic: Arc::from(self.logic.snapshot()),
        };
        self.driver.persist(write, fx);
    }
}

impl<F: Logic> Machine for FrameworkNode<F> {
    type Input = Input;
    type Effect = Effect;

    fn handle(&mut self, now: Now, input: Input, fx: &mut Outbox<Effect>) {
        if self.driver.is_ended() {
            return;
        }
        let events = &mut self.events;
        match input {
            Input::Tick => {
                self.driver.on_tick(now, events, fx);
                if !self.driver.is_ended() && !self.driver.is_stopping() {
                    self.logic.on_tick(now, &mut self.actions);
                    let outcome = self.act(fx);
                    self.finish(now, outcome, fx);
                }
            }
            Input::Connected { peer } => self.driver.on_connected(now, peer, fx),
            Input::Disconnected { peer } => self.driver.on_disconnected(now, peer, events, fx),
            Input::FromMaster { peer, message } => {
                self.driver.on_message(now, peer, message, events, fx);
            }
            Input::Persisted { up_to } => self.driver.on_persisted(up_to, events, fx),
            Input::Request { body } if !self.driver.is_stopping() => {
                self.logic.on_request(now, &body, &mut self.actions);
                let outcome = self.act(fx);
                self.finish(now, outcome, fx);
            }
            Input::Request { .. } => {}
            Input::Stop { teardown } => {
                self.driver.stop(now, teardown, Exit::SUCCESS, events, fx);
            }
        }
        self.settle(now, fx);
        let violations = self.violations(Cost::Constant);
        assert!(violations.is_empty(), "invariants broken: {violations:?}");
    }

    fn deadline(&self) -> Option<Time> {
        if self.driver.is_ended() {
            return None;
        }
        let logic = if self.driver.is_stopping() {
            None
        } else {
            self.logic.deadline()
        };
        [self.driver.deadline(), logic].into_iter().flatten().min()
    }
}

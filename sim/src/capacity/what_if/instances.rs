//! A framework that keeps given tasks running: what every application is in a what-if.
//!
//! Each task first waits for the machine on which the snapshot has it. Once it is lost, or told
//! that any machine will do, it takes the machine that the policy scores best among those
//! that are offered. What is of no use is refused for long: only what changes is offered again.

use super::plan::{Plan, Unit};
use crate::capacity::constraints::Spread;
use crate::capacity::machine::Machine;
use crate::capacity::offered;
use crate::capacity::random::SplitMix64;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tepui_core::frameworks::{Room, Script};
use tepui_core::ids::{AgentId, TaskId};
use tepui_core::invariant::Invariant;
use tepui_core::message::scheduler::Call;
use tepui_core::model::{Filters, Offer, OfferOperation, TaskInfo, TaskState, TaskStatus};
use tepui_core::outbox::Outbox;
use tepui_core::placement::{Devices, Free, Policy, Shape};
use tepui_core::scheduler::{Action, Event, Logic};
use tepui_core::time::{Now, Time};
use tepui_core::wire::DecodeError;

/// What is refused is not wanted for as long as a plan can take.
const REFUSE: Filters = Filters {
    refuse: Duration::from_secs(30 * 24 * 3600),
};

/// Tasks that are lost together are asked for together.
const GATHER: Duration = Duration::from_millis(20);

/// What a framework is asked to do.
pub mod request {
    /// Tasks that could not get their own machines take any.
    pub const ANYWHERE: &[u8] = b"anywhere";
    /// The tasks that are to come, come.
    pub const GROW: &[u8] = b"grow";
}

/// How a task stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is not wanted yet.
    ToCome,
    /// It waits for an offer.
    Waiting,
    /// It was launched.
    Launched {
        /// In which launch of the framework.
        serial: u64,
        /// The machine's place.
        machine: usize,
        /// Which of its GPUs.
        devices: Devices,
        /// Whether it is known to run.
        runs: bool,
    },
    /// The master will not have it.
    Refused(String),
}

/// The logic.
#[derive(Clone, Debug)]
pub struct Instances {
    plan: Arc<Plan>,
    /// Its tasks, by their places in the plan.
    units: BTreeMap<usize, Standing>,
    /// Those that take any machine.
    anywhere: BTreeSet<usize>,
    waiting: BTreeSet<usize>,
    /// Where the instances of each application with constraints are.
    spreads: BTreeMap<Arc<str>, Spread>,
    random: SplitMix64,
    serial: u64,
    subscribed: bool,
    suppressed: bool,
    revive_at: Option<Time>,
}

/// An offer, and what is launched on it.
struct Place<'a> {
    offer: &'a Offer,
    machine: usize,
    room: Room,
    free: Free,
    tasks: Vec<Arc<TaskInfo>>,
}

impl Instances {
    /// One with these tasks of a plan.
    #[must_use]
    pub fn new(plan: Arc<Plan>, units: &[usize], seed: u64) -> Instances {
        let standing = |unit: &Unit| match unit.to_come {
            true => Standing::ToCome,
            false => Standing::Waiting,
        };
        let units: BTreeMap<usize, Standing> = units
            .iter()
            .map(|unit| (*unit, standing(&plan.units[*unit])))
            .collect();
        let waiting = units.iter().filter(|(_, s)| **s == Standing::Waiting);
        let machines: Vec<&Machine> = plan.machines.iter().collect();
        let applications = units.keys().map(|unit| &plan.units[*unit].application);
        let applications: BTreeSet<&Arc<str>> = applications.collect();
        let spreads = applications.into_iter().filter_map(|application| {
            let constraints = plan.constraints.get(application)?;
            Some((application.clone(), Spread::new(constraints, &machines)))
        });
        let spreads = spreads.collect();
        Instances {
            waiting: waiting.map(|(unit, _)| *unit).collect(),
            spreads,
            anywhere: BTreeSet::new(),
            random: SplitMix64::new(seed),
            serial: 0,
            subscribed: false,
            suppressed: false,
            revive_at: None,
            plan,
            units,
        }
    }

    /// How each of its tasks stands.
    #[must_use]
    pub fn units(&self) -> &BTreeMap<usize, Standing> {
        &self.units
    }

    /// How many tasks wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The constraint that keeps one more instance of an application off a machine.
    #[must_use]
    pub fn forbids(&self, application: &str, machine: usize) -> Option<String> {
        let spread = self.spreads.get(application)?;
        spread.forbids(machine).map(ToString::to_string)
    }

    fn wait(&mut self, now: Now, unit: usize) {
        self.units.insert(unit, Standing::Waiting);
        self.waiting.insert(unit);
        self.revive_at.get_or_insert(now.mono + GATHER);
    }

    fn on_offers(&mut self, offers: &[Arc<Offer>], out: &mut Outbox<Action>) {
        let mut places: Vec<Place<'_>> = offers.iter().filter_map(|o| self.place(o)).collect();
        places.sort_by_key(|place| place.machine);
        // Of a kind that found no place, no second one does.
        let mut hopeless: BTreeSet<(Shape, Arc<str>)> = BTreeSet::new();
        for unit in self.waiting.clone() {
            let plan = self.plan.clone();
            let wanted = &plan.units[unit];
            if !self.anywhere.contains(&unit) {
                let Some((machine, devices)) = wanted.home else {
                    continue;
                };
                let found = places.binary_search_by_key(&machine, |place| place.machine);
                if let Ok(found) = found {
                    self.launch(unit, &mut places[found], devices);
                }
                continue;
            }
            let kind = (wanted.shape, wanted.application.clone());
            if hopeless.contains(&kind) {
                continue;
            }
            let launched = self
                .choose(wanted, &places)
                .is_some_and(|(found, devices)| self.launch(unit, &mut places[found], devices));
            if !launched {
                hopeless.insert(kind);
            }
        }
        answer(offers, places, out);
    }

    fn place<'a>(&self, offer: &'a Offer) -> Option<Place<'a>> {
        let machine = self.plan.machine_of(&offer.hostname)?;
        Some(Place {
            offer,
            machine,
            room: Room::new(&offer.resources),
            free: offered::free(&offer.resources, &self.plan.machines[machine]),
            tasks: Vec::new(),
        })
    }

    /// The offer that the policy likes best among those on which a task fits, and the GPUs.
    fn choose(&mut self, unit: &Unit, places: &[Place<'_>]) -> Option<(usize, Devices)> {
        let plan = self.plan.clone();
        let spread = self.spreads.get(&unit.application);
        let fits = |place: &Place<'_>| {
            let allowed = spread.is_none_or(|spread| spread.forbids(place.machine).is_none());
            allowed
                && place.free.fits(&unit.shape)
                && place.room.clone().take(&unit.amounts).is_some()
        };
        let fitting = places.iter().enumerate().filter(|(_, place)| fits(place));
        if plan.policy == Policy::Random {
            let fitting: Vec<usize> = fitting.map(|(found, _)| found).collect();
            let drawn = self.random.below(fitting.len().max(1));
            let found = *fitting.get(drawn)?;
            return Some((found, places[found].free.usual_devices(&unit.shape)));
        }
        let mut best: Option<(i64, usize, Devices)> = None;
        for (found, place) in fitting {
            let before = plan.measure.of(&place.free);
            let (policy, measure) = (plan.policy, &plan.measure);
            let (score, devices) = policy.score(&place.free, &unit.shape, measure, before);
            if best.is_none_or(|(most, ..)| score > most) {
                best = Some((score, found, devices));
            }
        }
        best.map(|(_, found, devices)| (found, devices))
    }

    fn launch(&mut self, number: usize, place: &mut Place<'_>, devices: Devices) -> bool {
        let unit = &self.plan.units[number];
        let cut = offered::cut(&mut place.room, &unit.amounts, &unit.shape, devices);
        let Some(resources) = cut else {
            return false;
        };
        place.free.take(&unit.shape, devices);
        self.serial += 1;
        let id = format!("{number}.{}", self.serial);
        place.tasks.push(Arc::new(TaskInfo {
            task_id: TaskId::new(&id).expect("numbers are an id"),
            name: unit.name.clone(),
            agent_id: place.offer.agent_id.clone(),
            resources,
            executor: None,
            command: Some(Script::FOREVER.to_command()),
            data: Arc::default(),
            labels: Vec::new(),
            kill_grace: None,
            verbatim: Arc::default(),
        }));
        if let Some(spread) = self.spreads.get_mut(&unit.application) {
            spread.add(place.machine);
        }
        self.waiting.remove(&number);
        let launched = Standing::Launched {
            serial: self.serial,
            machine: place.machine,
            devices,
            runs: false,
        };
        self.units.insert(number, launched);
        true
    }

    /// The task that an id names, while it is the newest of its unit.
    fn find(&self, task_id: &TaskId) -> Option<usize> {
        let (number, launch) = task_id.as_str().split_once('.')?;
        let (number, launch): (usize, u64) = (number.parse().ok()?, launch.parse().ok()?);
        match self.units.get(&number)? {
            Standing::Launched { serial, .. } if *serial == launch => Some(number),
            _ => None,
        }
    }

    fn on_update(&mut self, now: Now, status: &TaskStatus) {
        use TaskState as S;
        let Some(number) = self.find(&status.task_id) else {
            return;
        };
        match status.state {
            S::Staging | S::Starting | S::Killing => {}
            S::Running => {
                if let Some(Standing::Launched { runs, .. }) = self.units.get_mut(&number) {
                    *runs = true;
                }
            }
            S::Error | S::Failed => {
                self.leave(number);
                let why = Standing::Refused(status.message.clone());
                self.units.insert(number, why);
            }
            _ => self.lost(now, number),
        }
    }

    fn leave(&mut self, number: usize) {
        let application = &self.plan.units[number].application;
        if let Some(Standing::Launched { machine, .. }) = self.units.get(&number)
            && let Some(spread) = self.spreads.get_mut(application)
        {
            spread.remove(*machine);
        }
    }

    fn lost(&mut self, now: Now, number: usize) {
        self.leave(number);
        self.anywhere.insert(number);
        self.wait(now, number);
    }

    /// Wants offers exactly while a task waits for one.
    fn update_interest(&mut self, now: Now, out: &mut Outbox<Action>) {
        if !self.subscribed {
            return;
        }
        let due = self.revive_at.is_some_and(|at| at <= now.mono);
        let roles = Vec::new;
        if due {
            self.revive_at = None;
        }
        if due && !self.waiting.is_empty() {
            self.suppressed = false;
            out.push(Action::Call(Call::Revive { roles: roles() }));
        }
        if self.waiting.is_empty() && !self.suppressed {
            self.suppressed = true;
            out.push(Action::Call(Call::Suppress { roles: roles() }));
        }
    }
}

/// Every offer is answered at once: used or given back.
fn answer(offers: &[Arc<Offer>], places: Vec<Place<'_>>, out: &mut Outbox<Action>) {
    let mut used = BTreeSet::new();
    for place in places.into_iter().filter(|place| !place.tasks.is_empty()) {
        used.insert(place.offer.id.clone());
        out.push(Action::Call(Call::Accept {
            offer_ids: vec![place.offer.id.clone()],
            operations: vec![OfferOperation::Launch(place.tasks)],
            filters: REFUSE,
        }));
    }
    let unused = offers.iter().map(|offer| offer.id.clone());
    let unused: Vec<_> = unused.filter(|id| !used.contains(id)).collect();
    if !unused.is_empty() {
        out.push(Action::Call(Call::Decline {
            offer_ids: unused,
            filters: REFUSE,
        }));
    }
}

impl Logic for Instances {
    fn on_event(&mut self, now: Now, event: &Event, out: &mut Outbox<Action>) {
        match event {
            Event::Subscribed { .. } => self.subscribed = true,
            Event::Disconnected => self.subscribed = false,
            Event::Offers(offers) => self.on_offers(offers, out),
            Event::Update { status } => self.on_update(now, status),
            Event::LaunchDropped { task_ids } => {
                let dropped = task_ids.iter().filter_map(|id| self.find(id));
                for number in dropped.collect::<Vec<_>>() {
                    self.lost(now, number);
                }
            }
            Event::Rescind { .. }
            | Event::Message { .. }
            | Event::Failure { .. }
            | Event::InverseOffers(_)
            | Event::RescindInverseOffer { .. }
            | Event::Operation { .. }
            | Event::Reconciled => {}
        }
        self.update_interest(now, out);
    }

    fn on_tick(&mut self, now: Now, out: &mut Outbox<Action>) {
        self.update_interest(now, out);
    }

    fn deadline(&self) -> Option<Time> {
        self.revive_at.filter(|_| self.subscribed)
    }

    fn on_request(&mut self, now: Now, body: &[u8], out: &mut Outbox<Action>) {
        let waiting: Vec<usize> = match body {
            request::ANYWHERE => {
                self.anywhere.extend(self.units.keys());
                self.waiting.iter().copied().collect()
            }
            _ => {
                assert_eq!(body, request::GROW, "there are two requests");
                let units = self.units.iter();
                let to_come = units.filter(|(_, standing)| **standing == Standing::ToCome);
                to_come.map(|(unit, _)| *unit).collect()
            }
        };
        for unit in waiting {
            self.wait(now, unit);
        }
        self.update_interest(now, out);
    }

    fn tasks(&self) -> Vec<(TaskId, Option<AgentId>)> {
        Vec::new()
    }

    // A what-if's schedulers never restart: there is nothing to come back to.

    fn snapshot(&self) -> Vec<u8> {
        Vec::new()
    }

    fn restore(&mut self, _now: Now, _snapshot: &[u8]) -> Result<(), DecodeError> {
        Ok(())
    }

    fn replay(&mut self, _now: Now, _record: &[u8]) -> Result<(), DecodeError> {
        Ok(())
    }

    const INVARIANTS: &'static [Invariant<Instances>] = &[];
}

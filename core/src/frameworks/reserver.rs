//! Reserves resources, makes volumes, resizes and destroys them, at random and so many times:
//! a load for simulations, and an example of operations with feedback.

use crate::ids::{AgentId, OperationId};
use crate::invariant::{Cost, Invariant};
use crate::message::scheduler::Call;
use crate::model::{
    Filters, Offer, OfferOperation, OperationState, OperationStatus, ResourceOperation,
};
use crate::outbox::Outbox;
use crate::resources::{
    Disk, Reservation, ReservationType, Resource, ResourceKind, Resources, Role, Scalar, Value,
    Volume,
};
use crate::rng::Rng;
use crate::scheduler::{Action, ConfigError, Event, Logic};
use crate::time::{Now, Time};
use crate::wire::{self, DecodeError};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// So many outcomes are remembered, to see whether later ones contradict them.
const REMEMBERED_MAX: usize = 4_096;

/// What to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How many operations, in all.
    pub operations: u64,
    /// The size of a new volume, in megabytes.
    pub volume_mb: u32,
    /// How much of each agent's CPUs is reserved with it, in thousandths.
    pub cpus_milli: i64,
    /// How long until it asks what became of operations of which it has not heard.
    pub reconcile_after: Duration,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            operations: 100,
            volume_mb: 64,
            cpus_milli: 100,
            reconcile_after: Duration::from_secs(15),
        }
    }
}

impl Config {
    /// Checks every field.
    ///
    /// # Errors
    /// Names the first that makes no sense.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.volume_mb < 4 {
            return Err(ConfigError::new("volume_mb", "must be at least 4"));
        }
        if !(1..=1_000_000).contains(&self.cpus_milli) {
            return Err(ConfigError::new("cpus_milli", "must be 1 to 1000000"));
        }
        if self.reconcile_after.is_zero() {
            return Err(ConfigError::new("reconcile_after", "must be more than 0"));
        }
        Ok(())
    }
}

/// The logic.
#[derive(Clone, Debug)]
pub struct Reserver {
    config: Config,
    role: Role,
    rng: Rng,
    /// The last number given out. Not to be repeated: a name is one operation's for ever.
    serial: u64,
    /// Of whose outcome it has not heard, by the agent that was to do them.
    pending: BTreeMap<OperationId, AgentId>,
    outcomes: BTreeMap<OperationId, OperationState>,
    contradiction: Option<String>,
    ask_at: Option<Time>,
    connected: bool,
}

impl Reserver {
    /// A fresh one, for a framework in `role`, which is not `*`.
    ///
    /// # Errors
    /// Names the setting that makes no sense.
    pub fn new(config: Config, role: Role, rng: Rng) -> Result<Reserver, ConfigError> {
        config.validate()?;
        if role.is_any() {
            return Err(ConfigError::new("role", "nothing can be reserved for '*'"));
        }
        Ok(Reserver {
            config,
            role,
            rng,
            serial: 0,
            pending: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            contradiction: None,
            ask_at: None,
            connected: false,
        })
    }

    /// Of how many operations it has not heard yet, or that it has not asked for yet.
    #[must_use]
    pub fn outstanding(&self) -> u64 {
        let unasked = self.config.operations.saturating_sub(self.serial);
        unasked + self.pending.len() as u64
    }

    fn on_offer(&mut self, now: Now, offer: &Offer, out: &mut Outbox<Action>) {
        let chosen = match self.serial < self.config.operations {
            true => self.choose(&offer.resources),
            false => Vec::new(),
        };
        if chosen.is_empty() {
            let refuse = Duration::from_secs(if self.outstanding() == 0 { 3_600 } else { 5 });
            return out.push(Action::Call(Call::Decline {
                offer_ids: [offer.id.clone()].into(),
                filters: Filters { refuse },
            }));
        }
        self.serial += chosen.len() as u64;
        // Before anything leaves: after a restart no name is used again.
        out.push(Action::Persist(wire::encode(&self.serial)));
        let first = self.serial - chosen.len() as u64 + 1;
        let mut operations = Vec::new();
        for (number, operation) in (first..).zip(chosen) {
            let id = OperationId::new(&format!("operation-{number}"));
            let id = id.expect("a word and a number make an id");
            self.pending.insert(id.clone(), offer.agent_id.clone());
            let id = Some(id);
            operations.push(OfferOperation::Resources { id, operation });
        }
        self.ask_at = Some(now.mono + self.config.reconcile_after);
        out.push(Action::Call(Call::Accept {
            offer_ids: [offer.id.clone()].into(),
            operations,
            filters: Filters {
                refuse: Duration::from_secs(1),
            },
        }));
    }

    /// What to do with an offer: undo, resize or make.
    fn choose(&mut self, offered: &Resources) -> Vec<ResourceOperation> {
        let plain: Vec<Resource> = offered.unallocated().iter().cloned().collect();
        let volume = plain.iter().find(|item| item.kind.volume().is_some());
        let space = plain.iter().find(|item| self.is_reserved(item, "disk"));
        let cpus = plain.iter().find(|item| self.is_reserved(item, "cpus"));
        let dice = self.rng.below(4);
        match (volume, space) {
            (Some(volume), _) if dice == 0 => destroy(volume),
            (Some(volume), Some(space)) if dice == 1 => grow(volume, space),
            (Some(volume), _) if dice == 2 => self.shrink(volume),
            (Some(_), _) => Vec::new(),
            (None, Some(space)) if dice < 2 => self.make(space),
            (None, Some(space)) => {
                let rest = core::iter::once(space).chain(cpus).cloned();
                let resources = sum(rest);
                [ResourceOperation::Unreserve { resources }].into()
            }
            (None, None) => self.reserve(&plain),
        }
    }

    fn is_reserved(&self, item: &Resource, name: &str) -> bool {
        item.name() == name
            && item.kind.volume().is_none()
            && item.kind.is_dynamically_reserved()
            && item.kind.reserved_role() == Some(&self.role)
    }

    /// Reserves space and CPUs, and makes a volume of half of the space.
    fn reserve(&mut self, plain: &[Resource]) -> Vec<ResourceOperation> {
        let wanted = [
            ("disk", i64::from(self.config.volume_mb) * 2_000),
            ("cpus", self.config.cpus_milli),
        ];
        let mut reserved = Vec::new();
        for (name, milli) in wanted {
            let kind = ResourceKind::plain(name);
            let there = plain.iter().find(|item| item.kind == kind);
            let there = there.and_then(|item| item.value.scalar());
            if there.is_none_or(|there| there.milli() < milli) {
                return Vec::new();
            }
            let mut item = scalar(kind, milli);
            item.kind.reservations.push(Reservation {
                kind: ReservationType::Dynamic,
                role: self.role.clone(),
                principal: None,
                labels: Vec::new(),
            });
            reserved.push(item);
        }
        let mut operations = Vec::new();
        operations.push(ResourceOperation::Reserve {
            source: Resources::EMPTY,
            resources: sum(reserved.iter().cloned()),
        });
        operations.extend(self.make(&reserved[0]));
        operations
    }

    /// Makes a volume of space that is reserved.
    fn make(&mut self, space: &Resource) -> Vec<ResourceOperation> {
        let milli = i64::from(self.config.volume_mb) * 1_000;
        let enough = space
            .value
            .scalar()
            .is_some_and(|there| there.milli() >= milli);
        if !enough {
            return Vec::new();
        }
        let mut volume = scalar(space.kind.clone(), milli);
        // One more than the operation's own number, at most: never used before.
        let id = format!("volume-{}-{}", self.serial + 1, self.rng.below(1 << 32));
        volume.kind.disk = Some(Disk {
            volume: Some(Volume::new(&id, "data")),
            source: None,
        });
        let volumes = sum([volume]);
        [ResourceOperation::Create { volumes }].into()
    }

    fn shrink(&self, volume: &Resource) -> Vec<ResourceOperation> {
        let by = i64::from(self.config.volume_mb) * 250;
        let size = volume.value.scalar().map_or(0, Scalar::milli);
        match Scalar::from_milli(by) {
            Ok(subtract) if size > 2 * by => {
                let volume = sum([volume.clone()]);
                [ResourceOperation::Shrink { volume, subtract }].into()
            }
            _ => Vec::new(),
        }
    }

    fn on_operation(&mut self, status: &OperationStatus, out: &mut Outbox<Action>) {
        let (Some(id), state) = (&status.operation_id, status.state) else {
            return;
        };
        if let (Some(update_id), Some(agent_id)) = (status.update_id, &status.agent_id) {
            out.push(Action::Call(Call::AcknowledgeOperationStatus {
                agent_id: agent_id.clone(),
                operation_id: id.clone(),
                update_id,
            }));
        }
        if state.is_terminal() {
            let before = self.outcomes.insert(id.clone(), state);
            if before.is_some_and(|before| before != state) {
                self.contradiction = Some(format!("{id} was {before:?} and is {state}"));
            }
            if self.outcomes.len() > REMEMBERED_MAX {
                self.outcomes.pop_first();
            }
        }
        if state.is_terminal() || state == OperationState::Unknown {
            self.pending.remove(id);
        }
    }

    fn ask(&mut self, now: Now, out: &mut Outbox<Action>) {
        self.ask_at = None;
        if self.pending.is_empty() {
            return;
        }
        self.ask_at = Some(now.mono + self.config.reconcile_after);
        if !self.connected {
            return;
        }
        let pending = self.pending.iter();
        let operations = pending.map(|(id, agent)| (id.clone(), Some(agent.clone())));
        let operations = operations.collect();
        out.push(Action::Call(Call::ReconcileOperations { operations }));
    }
}

fn scalar(kind: ResourceKind, milli: i64) -> Resource {
    let amount = Scalar::from_milli(milli);
    let amount = amount.expect("settings are checked to be amounts");
    Resource::new(kind, Value::Scalar(amount))
}

fn sum(items: impl IntoIterator<Item = Resource>) -> Resources {
    Resources::new(items).expect("parts of one offer fit together")
}

fn destroy(volume: &Resource) -> Vec<ResourceOperation> {
    let volumes = sum([volume.clone()]);
    let Ok(resources) = volumes.without_volumes() else {
        return Vec::new();
    };
    [
        ResourceOperation::Destroy { volumes },
        ResourceOperation::Unreserve { resources },
    ]
    .into()
}

fn grow(volume: &Resource, space: &Resource) -> Vec<ResourceOperation> {
    let (volume, addition) = (sum([volume.clone()]), sum([space.clone()]));
    [ResourceOperation::Grow { volume, addition }].into()
}

impl Logic for Reserver {
    fn on_event(&mut self, now: Now, event: &Event, out: &mut Outbox<Action>) {
        match event {
            Event::Subscribed { .. } => {
                self.connected = true;
                self.ask(now, out);
            }
            Event::Disconnected => self.connected = false,
            Event::Offers(offers) => {
                for offer in offers {
                    self.on_offer(now, offer, out);
                }
            }
            Event::Operation { status } => self.on_operation(status, out),
            _ => {}
        }
    }

    fn on_tick(&mut self, now: Now, out: &mut Outbox<Action>) {
        if self.ask_at.is_some_and(|at| at <= now.mono) {
            self.ask(now, out);
        }
    }

    fn deadline(&self) -> Option<Time> {
        self.ask_at
    }

    fn tasks(&self) -> Vec<(crate::ids::TaskId, Option<AgentId>)> {
        Vec::new()
    }

    fn snapshot(&self) -> Vec<u8> {
        wire::encode(&self.serial)
    }

    fn restore(&mut self, _: Now, snapshot: &[u8]) -> Result<(), DecodeError> {
        self.serial = wire::decode(snapshot)?;
        Ok(())
    }

    fn replay(&mut self, _: Now, record: &[u8]) -> Result<(), DecodeError> {
        self.serial = self.serial.max(wire::decode(record)?);
        Ok(())
    }

    const INVARIANTS: &'static [Invariant<Self>] = &[Invariant {
        id: "reserver.outcomes-are-final",
        why: "what was said to be done, or never to be, is not said to be otherwise later",
        cost: Cost::Constant,
        holds: |reserver| match &reserver.contradiction {
            Some(what) => Err(what.clone()),
            None => Ok(()),
        },
    }];
}

//! Tasks placed by way of offers: the core's own [`Allocator`] decides who is offered what, and
//! frameworks launch what they can of what waits with them.
//!
//! Machines are its agents. A framework looks at what it is offered in one cycle in an order drawn
//! anew, since the order in which offers come means nothing; launches the first of its tasks that
//! fit; and refuses the rest for good. Who wants nothing is offered nothing. That goes on, cycle
//! after cycle, until nobody is offered anything: then every task that still waits was looked at
//! beside all that its framework may have, and fits nowhere.
//!
//! The allocator counts GPUs in sums ([`offered`]); which of a machine's GPUs have how much free
//! is looked at by the framework.

use super::error::PlanError;
use super::offered::{self, Reserved};
use super::random::SplitMix64;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use tepui_core::allocator::{
    AgentIndex, Allocation, Allocator, AllocatorError, FrameworkIndex, Options,
};
use tepui_core::frameworks::Room;
use tepui_core::ids::{AgentId, FrameworkId};
use tepui_core::placement::{Devices, Free, Shape};
use tepui_core::resources::{Resources, Role};
use tepui_core::rng::Rng;
use tepui_core::time::Time;

/// Longer than any plan takes: what is refused is not offered again until the framework asks.
const FOR_GOOD: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// How much frameworks launch on one offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appetite {
    /// All that fits, as services do.
    AllThatFits,
    /// One task, so that shares are compared after each: progressive filling.
    OneTask,
}

/// A task that was launched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Launch {
    /// Whose.
    pub framework: usize,
    /// Its shape's place in the list of shapes.
    pub shape: usize,
    /// The machine's place.
    pub place: usize,
    /// Which of its GPUs.
    pub devices: Devices,
}

#[derive(Debug)]
struct Framework {
    index: FrameworkIndex,
    role: Role,
    /// Shapes of tasks, in the order in which they came.
    waiting: VecDeque<usize>,
    suppressed: bool,
}

/// An offer in its framework's hands.
#[derive(Debug)]
struct Offer {
    place: usize,
    agent: AgentIndex,
    room: Room,
    used: bool,
}

/// A cluster that fills up by offers.
#[derive(Debug)]
pub struct Offers<'a> {
    allocator: Allocator,
    appetite: Appetite,
    shapes: &'a [Shape],
    asked: Vec<Resources>,
    free: Vec<Free>,
    places: BTreeMap<AgentIndex, usize>,
    frameworks: Vec<Framework>,
    by_index: BTreeMap<FrameworkIndex, usize>,
    random: SplitMix64,
    now: Time,
}

fn refused(why: &AllocatorError) -> PlanError {
    PlanError::Mismatch(format!("the allocator refuses: {why}"))
}

impl<'a> Offers<'a> {
    /// Machines of which so much is free, with what of it is reserved, and frameworks by their
    /// roles. Tasks will have one of `shapes`.
    ///
    /// # Errors
    /// When there is more of something than the allocator counts.
    pub fn new(
        machines: Vec<(Free, &Reserved)>,
        roles: &[Role],
        shapes: &'a [Shape],
        appetite: Appetite,
        seed: u64,
    ) -> Result<Offers<'a>, PlanError> {
        let asked = shapes.iter().map(offered::task);
        let rng = Rng::from_seed(seed, "allocator");
        let mut offers = Offers {
            allocator: Allocator::new(Options::default(), rng),
            appetite,
            shapes,
            asked: asked.collect::<Result<_, _>>()?,
            places: BTreeMap::new(),
            frameworks: Vec::new(),
            by_index: BTreeMap::new(),
            random: SplitMix64::new(seed),
            now: Time::ZERO,
            free: machines.iter().map(|(free, _)| *free).collect(),
        };
        for (place, (free, reserved)) in machines.into_iter().enumerate() {
            let name = format!("{place:07}");
            let total = offered::amounts_of(&name, &free, reserved)?;
            let id = AgentId::new(&name).expect("digits are an id");
            let agent = offers.allocator.add_agent(id, total, &[]);
            let agent = agent.map_err(|why| refused(&why))?;
            offers.places.insert(agent, place);
        }
        for (number, role) in roles.iter().enumerate() {
            let id = FrameworkId::new(&format!("{number:07}")).expect("digits are an id");
            let all = std::slice::from_ref(role);
            let added = offers.allocator.add_framework(id, all, all);
            let index = added.map_err(|why| refused(&why))?;
            let activated = offers.allocator.activate_framework(index);
            activated.expect("it was just added");
            offers.by_index.insert(index, number);
            offers.frameworks.push(Framework {
                index,
                role: role.clone(),
                waiting: VecDeque::new(),
                suppressed: true,
            });
        }
        Ok(offers)
    }

    /// Who decides: to set weights and quota.
    pub fn allocator(&mut self) -> &mut Allocator {
        &mut self.allocator
    }

    /// What is free, machine by machine.
    #[must_use]
    pub fn free(&self) -> &[Free] {
        &self.free
    }

    /// A task of one of the shapes comes to its framework, and waits there.
    pub fn arrive(&mut self, framework: usize, shape: usize) {
        assert!(shape < self.shapes.len(), "one of the shapes");
        self.frameworks[framework].waiting.push_back(shape);
    }

    /// Lets offers be made until nobody is offered anything. What waits then fits nowhere and is
    /// given up; says how many those were.
    pub fn settle(&mut self, mut launched: impl FnMut(Launch, &Free)) -> usize {
        for framework in &mut self.frameworks {
            if !framework.waiting.is_empty() {
                let revived = self.allocator.revive(framework.index, &[]);
                revived.expect("it is never removed");
                framework.suppressed = false;
            }
        }
        let mut cycle = Vec::new();
        // It ends: every round launches something, or has somebody refuse a machine for good.
        while self.frameworks.iter().any(|one| !one.waiting.is_empty()) {
            self.now = self.now + Options::default().allocation_interval;
            self.allocator.allocate(self.now, &mut cycle);
            if cycle.is_empty() {
                break;
            }
            for (framework, offers) in self.received(&mut cycle) {
                self.use_offers(framework, offers, &mut launched);
            }
        }
        let mut given_up = 0;
        for number in 0..self.frameworks.len() {
            given_up += self.frameworks[number].waiting.len();
            self.frameworks[number].waiting.clear();
            self.suppress(number);
        }
        given_up
    }

    /// A cycle's offers, framework by framework.
    fn received(&mut self, cycle: &mut Vec<Allocation>) -> BTreeMap<usize, Vec<Offer>> {
        let mut received: BTreeMap<usize, Vec<Offer>> = BTreeMap::new();
        for allocation in cycle.drain(..) {
            let framework = self.by_index[&allocation.framework];
            received.entry(framework).or_default().push(Offer {
                place: self.places[&allocation.agent],
                agent: allocation.agent,
                room: Room::new(&allocation.resources),
                used: false,
            });
        }
        for offers in received.values_mut() {
            for last in (1..offers.len()).rev() {
                offers.swap(last, self.random.below(last + 1));
            }
        }
        received
    }

    fn use_offers(
        &mut self,
        number: usize,
        mut offers: Vec<Offer>,
        launched: &mut impl FnMut(Launch, &Free),
    ) {
        let mut waiting = std::mem::take(&mut self.frameworks[number].waiting);
        // Of a shape that found no place, no second one does.
        let mut hopeless = Vec::new();
        waiting.retain(|shape| {
            if hopeless.contains(shape) {
                return true;
            }
            let Some((place, devices)) = self.launch(*shape, &mut offers) else {
                hopeless.push(*shape);
                return true;
            };
            let launch = Launch {
                framework: number,
                shape: *shape,
                place,
                devices,
            };
            launched(launch, &self.free[place]);
            false
        });
        self.frameworks[number].waiting = waiting;
        self.give_back(number, offers);
        if self.frameworks[number].waiting.is_empty() {
            self.suppress(number);
        }
    }

    /// Launches a task on the first offer on which it fits.
    fn launch(&mut self, shape: usize, offers: &mut [Offer]) -> Option<(usize, Devices)> {
        let asked = &self.shapes[shape];
        for offer in offers {
            let free = &mut self.free[offer.place];
            let sated = offer.used && self.appetite == Appetite::OneTask;
            if sated || !free.fits(asked) || offer.room.take(&self.asked[shape]).is_none() {
                continue;
            }
            let devices = free.usual_devices(asked);
            free.take(asked, devices);
            offer.used = true;
            return Some((offer.place, devices));
        }
        None
    }

    /// What was not used goes back: refused, but by who would take one more task of it.
    fn give_back(&mut self, number: usize, offers: Vec<Offer>) {
        let framework = &self.frameworks[number];
        for offer in offers {
            let left = offer.room.left().clone();
            if left.is_empty() {
                continue;
            }
            let again = offer.used && self.appetite == Appetite::OneTask;
            let refuse = (!again).then_some(FOR_GOOD);
            let (index, role) = (framework.index, &framework.role);
            let recovered =
                self.allocator
                    .recover_resources(self.now, index, role, offer.agent, left, refuse);
            recovered.expect("it holds what it was offered");
        }
    }

    fn suppress(&mut self, number: usize) {
        let framework = &mut self.frameworks[number];
        if !framework.suppressed {
            framework.suppressed = true;
            let suppressed = self.allocator.suppress(framework.index, &[]);
            suppressed.expect("it is never removed");
        }
    }
}

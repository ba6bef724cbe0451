//! In which order a cycle serves agents.
//!
//! DRF says who is next; the order of agents says what he gets. Drawn at random, as Mesos draws
//! it, tasks spread over all agents, and what is left lies in crumbs everywhere. Under a placement
//! [`Policy`] the agents that a typical task had better go to are served, and offered, first: see
//! [`Policy::rank`]. Who is served does not depend on it but through what he is handed.

use super::Allocator;
use super::cycle::mix;
use crate::ids::AgentId;
use crate::placement::{Capacity, Class, Free, Measure, Mix, Models, Policy, Rank};
use crate::resources::DENSE;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// More typical classes than these are not told apart: a rank is asked of each.
pub const CLASSES_MAX: usize = 16;
/// What is typical is looked at anew when one in so many of the tasks came or went: then every
/// agent's place must be computed anew as well.
const STALE_SHARE: u64 = 16;

/// The order of agents: by a placement policy, at random by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AgentOrder(Policy);

impl Default for AgentOrder {
    fn default() -> AgentOrder {
        AgentOrder(Policy::Random)
    }
}

/// There is no such order.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no order of agents '{given}': use one of {names}")]
pub struct UnknownOrder {
    given: String,
    names: String,
}

impl AgentOrder {
    /// All of them. Clustering is none: the allocator does not know the kinds of tasks on agents.
    pub fn all() -> impl Iterator<Item = AgentOrder> {
        let policies = Policy::all().filter(|policy| *policy != Policy::GpuClustering);
        policies.map(AgentOrder)
    }

    /// The policy behind it.
    #[must_use]
    pub const fn policy(self) -> Policy {
        self.0
    }

    /// Whether agents are drawn anew for each cycle.
    #[must_use]
    pub fn is_random(self) -> bool {
        self.0 == Policy::Random
    }

    /// Whether it depends on which tasks are typical.
    #[must_use]
    pub fn heeds_tasks(self) -> bool {
        let same_for_all = [
            Policy::Random,
            Policy::FirstFit,
            Policy::BestFit,
            Policy::WorstFit,
        ];
        !same_for_all.contains(&self.0)
    }

    /// An agent's place in the order, lowest first, by the columns of what it has free.
    pub(super) fn place(self, id: &AgentId, free: &[i64; DENSE], typical: &Measure) -> Place {
        let free = Free::all_of(&Capacity::of_columns(free));
        Place {
            rank: self.0.rank(&free, typical),
            tie: tie(id),
        }
    }
}

impl fmt::Display for AgentOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_string().to_ascii_lowercase())
    }
}

impl FromStr for AgentOrder {
    type Err = UnknownOrder;

    fn from_str(text: &str) -> Result<AgentOrder, UnknownOrder> {
        let same = |order: &AgentOrder| order.to_string().eq_ignore_ascii_case(text);
        AgentOrder::all().find(same).ok_or_else(|| {
            let names: Vec<String> = AgentOrder::all().map(|order| order.to_string()).collect();
            UnknownOrder {
                given: text.to_string(),
                names: names.join(", "),
            }
        })
    }
}

impl TryFrom<String> for AgentOrder {
    type Error = UnknownOrder;

    fn try_from(text: String) -> Result<AgentOrder, UnknownOrder> {
        text.parse()
    }
}

impl From<AgentOrder> for String {
    fn from(order: AgentOrder) -> String {
        format!("{order}")
    }
}

/// An agent's place in an order: by rank, then in an order that is the same under every leader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    rank: Rank,
    tie: u64,
}

/// A number that stands for an agent: the hash FNV-1a of its id, spread. In the order of these
/// agents that came together do not lie together, so that no rack fills up first.
fn tie(id: &AgentId) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in id.as_str().bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    mix(hash)
}

/// Places that were computed already, for agents of which nothing has changed since.
#[derive(Clone, Debug)]
pub(super) struct Places {
    typical: Measure,
    /// Counts the changes of what is typical.
    version: u32,
    /// How many tasks had come or gone when that was looked at.
    seen: u64,
    by_slot: Vec<Option<Known>>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    version: u32,
    generation: u32,
    free: [i64; DENSE],
    place: Place,
}

impl Places {
    pub(super) fn new() -> Places {
        Places {
            typical: measure(&[]),
            version: 0,
            seen: 0,
            by_slot: Vec::new(),
        }
    }
}

/// The measure of fragmentation for GPUs of which no model is told.
fn measure(classes: &[Class]) -> Measure {
    Measure::new(classes, [Models::default()])
}

impl Allocator {
    /// Finds out, where the order depends on it, which tasks are typical of those there are.
    pub fn heed(&mut self, mix: &Mix) {
        let changes = mix.changes().wrapping_sub(self.places.seen);
        let stale = changes > 0 && changes * STALE_SHARE >= mix.total().unsigned_abs();
        if stale && self.options.agent_order.heeds_tasks() {
            self.set_typical(&mix.classes(CLASSES_MAX));
            self.places.seen = mix.changes();
        }
    }

    /// Says which tasks are typical, for orders that heed them.
    pub fn set_typical(&mut self, classes: &[Class]) {
        assert!(classes.len() <= CLASSES_MAX, "a rank is asked of each");
        if self.places.typical.classes() != classes {
            self.places.typical = measure(classes);
            self.places.version = self.places.version.wrapping_add(1);
        }
    }

    /// Which tasks are typical.
    #[must_use]
    pub fn typical(&self) -> &[Class] {
        self.places.typical.classes()
    }

    /// The order in which agents are served.
    #[must_use]
    pub fn agent_order(&self) -> AgentOrder {
        self.options.agent_order
    }

    /// Where an agent comes in the order, by what it has free now.
    pub(super) fn place(&mut self, slot: u32) -> Place {
        let agent = self.agents.at(slot);
        let (free, generation) = (agent.free_quantities.dense(), self.agents.generation(slot));
        let places = &mut self.places;
        if places.by_slot.len() <= slot as usize {
            places.by_slot.resize(slot as usize + 1, None);
        }
        let version = places.version;
        let known = &mut places.by_slot[slot as usize];
        match known {
            Some(known)
                if (known.version, known.generation) == (version, generation)
                    && known.free == *free =>
            {
                known.place
            }
            _ => {
                let order = self.options.agent_order;
                let place = order.place(&agent.ledger.id, free, &places.typical);
                *known = Some(Known {
                    version,
                    generation,
                    free: *free,
                    place,
                });
                place
            }
        }
    }

    /// Some agents, in the order of this moment.
    pub(super) fn in_order(&mut self, slots: &[u32]) -> Vec<u32> {
        let mut ordered: Vec<(Place, u32)> = Vec::with_capacity(slots.len());
        for slot in slots {
            ordered.push((self.place(*slot), *slot));
        }
        ordered.sort_unstable();
        ordered.into_iter().map(|(_, slot)| slot).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allocator::Options;
    use crate::placement::Shape;
    use crate::resources::{Resources, Role};
    use crate::rng::Rng;
    use crate::time::Time;
    use alloc::vec;
    use core::time::Duration;

    #[test]
    fn orders_have_the_planners_names() {
        for order in AgentOrder::all() {
            let text = order.to_string();
            assert_eq!(text.parse(), Ok(order));
            assert_eq!(text.to_uppercase().parse(), Ok(order));
            assert_eq!(text, order.policy().to_string().to_lowercase());
        }
        let error = "tetris".parse::<AgentOrder>().unwrap_err().to_string();
        assert_eq!(
            error,
            "there is no order of agents 'tetris': use one of random, firstfit, bestfit, \
             worstfit, dotprod, gpupacking, fgd, fgdx, fgdq40"
        );
        assert!("gpuclustering".parse::<AgentOrder>().is_err());
        assert!(AgentOrder::default().is_random());
    }

    fn allocator(order: &str, agents: &[&str]) -> Allocator {
        let options = Options {
            agent_order: order.parse().unwrap(),
            ..Options::default()
        };
        let mut allocator = Allocator::new(options, Rng::from_seed(7, "allocator"));
        for (number, total) in agents.iter().enumerate() {
            let id = AgentId::new(&format!("agent-{number}")).unwrap();
            let total: Resources = total.parse().unwrap();
            allocator.add_agent(id, total, &[]).unwrap();
        }
        allocator
    }

    fn offered(allocator: &mut Allocator, after_s: u64) -> Vec<String> {
        let mut out = vec![];
        let now = Time::ZERO + Duration::from_secs(after_s);
        allocator.allocate(now, &mut out);
        let cpus = out
            .iter()
            .map(|offer| offer.resources.scalar("cpus").to_string());
        cpus.collect()
    }

    #[test]
    fn offers_come_in_the_order_of_agents() {
        let agents = [
            "cpus:4;mem:99",
            "cpus:1;mem:99",
            "cpus(a):3;mem:99",
            "cpus:2;mem:99",
        ];
        for (order, expected) in [
            ("bestfit", ["1", "2", "3", "4"]),
            ("worstfit", ["4", "3", "2", "1"]),
        ] {
            let mut allocator = allocator(order, &agents);
            let id = crate::ids::FrameworkId::new("f").unwrap();
            let framework = allocator
                .add_framework(id, &[Role::new("a").unwrap()], &[])
                .unwrap();
            allocator.activate_framework(framework).unwrap();
            assert_eq!(offered(&mut allocator, 1), expected, "{order}");
        }
    }

    #[test]
    fn equals_keep_their_order_under_another_leader() {
        let agents = ["cpus:2;mem:99"; 6];
        let mut one = allocator("bestfit", &agents);
        let mut other = allocator("firstfit", &[]);
        for number in (0..6).rev() {
            let id = AgentId::new(&format!("agent-{number}")).unwrap();
            other
                .add_agent(id, agents[0].parse().unwrap(), &[])
                .unwrap();
        }
        let slots: Vec<u32> = (0..6).collect();
        let ids = |allocator: &mut Allocator| {
            let ordered = allocator.in_order(&slots);
            let ids = ordered
                .into_iter()
                .map(|slot| allocator.agents.at(slot).ledger.id.clone());
            ids.collect::<Vec<_>>()
        };
        assert_eq!(ids(&mut one), ids(&mut other));
    }

    #[test]
    fn what_is_typical_is_looked_at_when_enough_has_changed() {
        let mut mix = Mix::default();
        let shape = |text: &str| Shape::of(&text.parse().unwrap());
        let mut fgd = allocator("fgd", &[]);
        let mut best = allocator("bestfit", &[]);
        for _ in 0..100 {
            mix.add(shape("cpus:1"));
        }
        fgd.heed(&mix);
        best.heed(&mix);
        assert_eq!((fgd.typical().len(), best.typical().len()), (1, 0));
        for more in 1..=7 {
            mix.add(shape("cpus:2;gpus:1"));
            fgd.heed(&mix);
            // Seven of 107 are more than one in sixteen.
            assert_eq!(fgd.typical().len(), if more < 7 { 1 } else { 2 });
        }
    }

    #[test]
    fn a_place_is_computed_anew_when_something_changed() {
        let mut allocator = allocator("fgdx", &["cpus:2;mem:99;gpus:4", "cpus:8;mem:99;gpus:1"]);
        let class = |cpus: i64, gpus: u32| Class {
            cpu_milli: cpus * 1_000,
            gpu_milli: 1_000,
            gpus,
            models: Models::default(),
            count: 1,
        };
        let mut first = |classes: &[Class]| {
            allocator.set_typical(classes);
            assert_eq!(allocator.typical(), classes);
            allocator.in_order(&[0, 1])[0]
        };
        // Whoever wants what is typical is to find the other one as it is.
        assert_eq!([first(&[class(1, 4)]), first(&[class(4, 0)])], [1, 0]);
    }
}

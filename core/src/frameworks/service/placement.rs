//! Which offer an instance goes to: where the fewest are, by group and then by agent.

use crate::frameworks::Room;
use crate::ids::AgentId;
use crate::model::Offer;
use crate::resources::Resources;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// How many instances there are in each place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Census {
    pub(super) by_agent: BTreeMap<AgentId, u32>,
    pub(super) by_group: BTreeMap<String, u32>,
}

impl Census {
    pub(super) fn add(&mut self, agent_id: &AgentId, group: &str) {
        *self.by_agent.entry(agent_id.clone()).or_default() += 1;
        match self.by_group.get_mut(group) {
            Some(count) => *count += 1,
            None => {
                self.by_group.insert(String::from(group), 1);
            }
        }
    }

    pub(super) fn remove(&mut self, agent_id: &AgentId, group: &str) {
        if let Some(count) = self.by_agent.get_mut(agent_id) {
            *count -= 1;
            if *count == 0 {
                self.by_agent.remove(agent_id);
            }
        }
        if let Some(count) = self.by_group.get_mut(group) {
            *count -= 1;
            if *count == 0 {
                self.by_group.remove(group);
            }
        }
    }

    fn crowd(&self, agent_id: &AgentId, group: &str) -> Crowd {
        Crowd {
            in_group: self.by_group.get(group).copied().unwrap_or(0),
            on_agent: self.by_agent.get(agent_id).copied().unwrap_or(0),
        }
    }
}

/// How crowded a place is; the order is the order of preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Crowd {
    in_group: u32,
    on_agent: u32,
}

/// What every instance needs of a place.
pub(super) struct Needs<'a> {
    pub(super) resources: &'a Resources,
    pub(super) spread_by: Option<&'a str>,
    pub(super) agent_instances_max: Option<u32>,
}

/// One instance's place: which offer, and what was cut out of it.
pub(super) struct Place {
    pub(super) offer: usize,
    pub(super) group: String,
    pub(super) resources: Resources,
}

/// Finds places for up to `count` instances and counts them in `census`. Counts only grow while
/// it runs, so that a candidate whose key is old is simply put back further behind.
pub(super) fn place(
    offers: &[Arc<Offer>],
    count: usize,
    needs: &Needs<'_>,
    census: &mut Census,
) -> Vec<Place> {
    if count == 0 {
        return Vec::new();
    }
    let group_of = |offer: &Offer| group(offer, needs.spread_by);
    let mut rooms: Vec<Room> = offers.iter().map(|o| Room::new(&o.resources)).collect();
    let groups: Vec<String> = offers.iter().map(|offer| group_of(offer)).collect();
    let mut candidates: BTreeSet<(Crowd, usize)> = BTreeSet::new();
    for (index, offer) in offers.iter().enumerate() {
        candidates.insert((census.crowd(&offer.agent_id, &groups[index]), index));
    }
    let mut places = Vec::new();
    while places.len() < count {
        let Some((key, index)) = candidates.pop_first() else {
            break;
        };
        let agent_id = &offers[index].agent_id;
        let crowd = census.crowd(agent_id, &groups[index]);
        assert!(crowd >= key, "places only fill up here");
        if crowd != key {
            candidates.insert((crowd, index));
            continue;
        }
        if needs
            .agent_instances_max
            .is_some_and(|max| crowd.on_agent >= max)
        {
            continue;
        }
        let Some(resources) = rooms[index].take(needs.resources) else {
            continue;
        };
        census.add(agent_id, &groups[index]);
        candidates.insert((census.crowd(agent_id, &groups[index]), index));
        places.push(Place {
            offer: index,
            group: groups[index].clone(),
            resources,
        });
    }
    places
}

/// The group that an offer belongs to; agents that do not say are a group of their own.
fn group(offer: &Offer, spread_by: Option<&str>) -> String {
    let domain = offer.domain.as_ref();
    match spread_by {
        None => String::new(),
        Some("hostname") => offer.hostname.clone(),
        Some("zone") if domain.is_some() => domain.map_or_else(String::new, |d| d.zone.clone()),
        Some("region") if domain.is_some() => domain.map_or_else(String::new, |d| d.region.clone()),
        Some(name) => {
            let value = offer.attributes.find(name);
            value.map_or_else(String::new, ToString::to_string)
        }
    }
}

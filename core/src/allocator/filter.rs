//! Offers that frameworks refused, per agent.
//!
//! A filter keeps an agent's free resources from a client for as long as they are no more than
//! what it refused. Clients that refused the same resources until the same moment share one
//! group, so that ten million filters of a thousand frameworks take a bit each, and "does everyone
//! filter this agent?" is answered sixty-four clients at a time. To make groups few, a filter ends
//! up to 1/64 later than asked for.

use super::bits::Bits;
use crate::resources::{Resource, Resources};
use crate::time::Time;
use alloc::vec::Vec;
use core::time::Duration;

/// The most groups on one agent. Beyond it the one that would end first is forgotten, which costs
/// an offer that will be refused again.
pub(super) const GROUPS_MAX: usize = 128;

/// Clients that refused the same until the same moment.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) refused: Resources,
    pub(super) expires: Time,
    /// The last cycle that ended before the newest member joined.
    cycle: u64,
    pub(super) clients: Bits,
    /// Whether what is free and unreserved is no more than what was refused.
    covers_unreserved: bool,
}

/// All filters on one agent.
#[derive(Clone, Debug, Default)]
pub(super) struct Filters {
    pub(super) groups: Vec<Group>,
    /// The version of the agent's free resources that [`Group::covers_unreserved`] is about.
    version: u64,
}

/// When a filter set at `now` for `refuse` ends: rounded up to a power of two nanoseconds that is
/// at most 1/64 of the duration.
pub(super) fn expiry(now: Time, refuse: Duration) -> Time {
    let nanos = u64::try_from(refuse.as_nanos()).unwrap_or(u64::MAX);
    let quantum = 1_u64 << nanos.max(64).ilog2().saturating_sub(6);
    let end = (now + refuse).as_nanos();
    Time::from_nanos(end.checked_next_multiple_of(quantum).unwrap_or(u64::MAX))
}

impl Filters {
    /// Installs one. Says whether a group was made, so that its end must be awaited.
    pub(super) fn insert(
        &mut self,
        client: u32,
        refused: &Resources,
        expires: Time,
        cycle: u64,
    ) -> bool {
        for group in &mut self.groups {
            if !group.clients.has(client) {
                continue;
            }
            let is_younger = group.expires >= expires && group.cycle == cycle;
            if is_younger && group.refused.contains(refused) {
                return false;
            }
            if group.expires <= expires && refused.contains(&group.refused) {
                group.clients.unset(client);
            }
        }
        let same = |group: &&mut Group| group.expires == expires && group.refused == *refused;
        if let Some(group) = self.groups.iter_mut().find(same) {
            group.clients.set(client);
            group.cycle = cycle;
            return false;
        }
        self.groups.retain(|group| !group.clients.is_empty());
        if self.groups.len() == GROUPS_MAX {
            let ends = self
                .groups
                .iter()
                .enumerate()
                .min_by_key(|(_, group)| group.expires);
            let (first, _) = ends.expect("the list is full, not empty");
            self.groups.swap_remove(first);
        }
        let mut clients = Bits::new();
        clients.set(client);
        self.groups.push(Group {
            refused: refused.clone(),
            expires,
            cycle,
            clients,
            covers_unreserved: false,
        });
        self.version = u64::MAX;
        assert!(self.groups.len() <= GROUPS_MAX, "bounded");
        true
    }

    /// Forgets the filters of `client`.
    pub(super) fn remove_client(&mut self, client: u32) {
        for group in &mut self.groups {
            group.clients.unset(client);
        }
        self.groups.retain(|group| !group.clients.is_empty());
    }

    /// Forgets those that have ended, collecting their clients; says whether one has ended that
    /// must still wait: no filter goes before a cycle has been run with it (MESOS-4302: on a slow
    /// allocator filters ended before they ever had an effect).
    pub(super) fn expire(&mut self, now: Time, cycle: u64, ended: &mut Bits) -> bool {
        let mut waits = false;
        self.groups.retain(|group| {
            let is_over = group.expires <= now;
            let is_used = group.cycle < cycle;
            if is_over && is_used {
                ended.add_all(&group.clients);
            }
            waits |= is_over && !is_used;
            !(is_over && is_used)
        });
        waits
    }

    /// Takes out of `clients` all who refused what is now free and unreserved, which is at
    /// `version`.
    pub(super) fn remove_blocked(&mut self, clients: &mut Bits, free: &Resources, version: u64) {
        assert_ne!(version, u64::MAX, "marks an unknown version");
        if self.version != version {
            self.version = version;
            for group in &mut self.groups {
                let unreserved = |item: &Resource| item.kind.reservations.is_empty();
                // Mostly the very same comes back that was refused.
                group.covers_unreserved =
                    group.refused == *free || covers(&group.refused, free, unreserved);
            }
        }
        for group in self.groups.iter().filter(|group| group.covers_unreserved) {
            clients.remove_all(&group.clients);
        }
    }

    /// Whether `client` refused what of `free` is `offered`.
    pub(super) fn blocks(
        &self,
        client: u32,
        free: &Resources,
        offered: impl Fn(&Resource) -> bool,
    ) -> bool {
        self.groups
            .iter()
            .any(|group| group.clients.has(client) && covers(&group.refused, free, &offered))
    }

    pub(super) fn has(&self, client: u32) -> bool {
        self.groups.iter().any(|group| group.clients.has(client))
    }
}

/// Whether `refused` contains the `offered` part of `free`.
fn covers(refused: &Resources, free: &Resources, offered: impl Fn(&Resource) -> bool) -> bool {
    let mut items = free.iter().filter(|item| offered(item));
    items.all(|item| refused.contains_item(item))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_ends_at_most_a_64th_late_and_never_early() {
        for seconds in [1, 5, 60, 86_400, 365 * 86_400] {
            for now in [0, 1, 999_999_999, 123_456_789_012_345] {
                let (now, refuse) = (Time::from_nanos(now), Duration::from_secs(seconds));
                let late = expiry(now, refuse).since(now + refuse);
                assert!(expiry(now, refuse) >= now + refuse && late <= refuse / 64);
            }
        }
        assert_eq!(expiry(Time::from_nanos(7), Duration::MAX), Time::MAX);
        assert_eq!(
            expiry(Time::from_nanos(7), Duration::ZERO),
            Time::from_nanos(7)
        );
    }

    #[test]
    fn the_wider_and_longer_of_two_filters_stays() {
        let [small, large]: [Resources; 2] = ["cpus:1", "cpus:2"].map(|text| text.parse().unwrap());
        let [soon, late] = [5, 9].map(Time::from_nanos);
        let mut filters = Filters::default();
        assert!(filters.insert(1, &small, soon, 0));
        assert!(filters.insert(1, &large, late, 0));
        assert_eq!(filters.groups.len(), 1);
        assert!(
            !filters.insert(1, &small, soon, 0),
            "the other says more already"
        );
        assert!(!filters.insert(1, &large, soon, 0) && filters.groups.len() == 1);
        let mut ended = Bits::new();
        assert!(
            filters.expire(late, 0, &mut ended) && ended.is_empty(),
            "not used yet"
        );
        assert!(!filters.expire(late, 1, &mut ended) && ended.has(1) && !filters.has(1));
    }
}

//! What a leader counts for each framework, by Mesos' names.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use tepui_core::ids::{FrameworkId, Peer};
use tepui_core::message::scheduler::{Call, Event};
use tepui_core::model::{OfferOperation, TaskState};

/// Calls, in the order in which they are counted.
const CALLS: [&str; 17] = [
    "subscribe",
    "teardown",
    "accept",
    "decline",
    "revive",
    "suppress",
    "kill",
    "shutdown",
    "acknowledge",
    "reconcile",
    "message",
    "update_framework",
    "accept_inverse_offers",
    "decline_inverse_offers",
    "acknowledge_operation_status",
    "reconcile_operations",
    "request",
];

const fn place_of_call(call: &Call) -> usize {
    match call {
        Call::Subscribe { .. } => 0,
        Call::Teardown => 1,
        Call::Accept { .. } => 2,
        Call::Decline { .. } => 3,
        Call::Revive { .. } => 4,
        Call::Suppress { .. } => 5,
        Call::Kill { .. } => 6,
        Call::Shutdown { .. } => 7,
        Call::Acknowledge { .. } => 8,
        Call::Reconcile { .. } => 9,
        Call::Message { .. } => 10,
        Call::UpdateFramework { .. } => 11,
        Call::AcceptInverseOffers { .. } => 12,
        Call::DeclineInverseOffers { .. } => 13,
        Call::AcknowledgeOperationStatus { .. } => 14,
        Call::ReconcileOperations { .. } => 15,
        Call::Request => 16,
    }
}

/// Events, in the order in which they are counted.
const EVENTS: [&str; 11] = [
    "subscribed",
    "offers",
    "rescind",
    "update",
    "message",
    "failure",
    "error",
    "heartbeat",
    "inverse_offers",
    "rescind_inverse_offer",
    "update_operation_status",
];

const HEARTBEAT: usize = 7;

const fn place_of_event(event: &Event) -> usize {
    match event {
        Event::Subscribed { .. } => 0,
        Event::Offers(_) => 1,
        Event::Rescind { .. } => 2,
        Event::Update { .. } | Event::Malformed { .. } => 3,
        Event::Message { .. } => 4,
        Event::Failure { .. } => 5,
        Event::Error { .. } => 6,
        Event::Heartbeat => HEARTBEAT,
        Event::InverseOffers(_) => 8,
        Event::RescindInverseOffer { .. } => 9,
        Event::UpdateOperationStatus { .. } => 10,
    }
}

/// What an offer may be used for.
pub const OPERATIONS: [&str; 10] = [
    "launch",
    "launch_group",
    "reserve",
    "unreserve",
    "create",
    "destroy",
    "grow_volume",
    "shrink_volume",
    "create_disk",
    "destroy_disk",
];

/// The operation's place in [`OPERATIONS`]; none for what could not even be read.
fn place_of_operation(operation: &OfferOperation) -> Option<usize> {
    let name = match operation {
        OfferOperation::Launch(_) | OfferOperation::Malformed { group: false, .. } => "launch",
        OfferOperation::LaunchGroup { .. } | OfferOperation::Malformed { group: true, .. } => {
            "launch_group"
        }
        OfferOperation::Resources { operation, .. } => &operation.name().to_ascii_lowercase(),
        OfferOperation::MalformedResources { .. } => return None,
    };
    OPERATIONS.iter().position(|known| *known == name)
}

/// One framework's counts.
#[derive(Clone, Debug, Default)]
pub struct Framework {
    calls: [u64; CALLS.len()],
    events: [u64; EVENTS.len()],
    operations: [u64; OPERATIONS.len()],
    offers_sent: u64,
    offers_accepted: u64,
    offers_declined: u64,
    offers_rescinded: u64,
    /// In the order of [`TaskState::ALL`]: how many are, or, of ends, how many were.
    tasks: [u64; TaskState::ALL.len()],
}

impl Framework {
    /// Tells all of it, with names below `prefix`.
    pub fn tell(&self, prefix: &str, add: &mut impl FnMut(&str, f64)) {
        let mut kind = |kind: &str, names: &[&str], counts: &[u64]| {
            add(
                &format!("{prefix}{kind}"),
                counts.iter().sum::<u64>() as f64,
            );
            for (name, count) in names.iter().zip(counts) {
                add(&format!("{prefix}{kind}/{name}"), *count as f64);
            }
        };
        kind("calls", &CALLS, &self.calls);
        kind("events", &EVENTS, &self.events);
        kind("operations", &OPERATIONS, &self.operations);
        for (name, count) in [
            ("sent", self.offers_sent),
            ("accepted", self.offers_accepted),
            ("declined", self.offers_declined),
            ("rescinded", self.offers_rescinded),
        ] {
            add(&format!("{prefix}offers/{name}"), count as f64);
        }
        for (state, count) in TaskState::ALL.iter().zip(self.tasks) {
            let kind = if state.is_terminal() {
                "terminal"
            } else {
                "active"
            };
            let name = state.name().to_ascii_lowercase();
            add(&format!("{prefix}tasks/{kind}/{name}"), count as f64);
        }
    }
}

/// All frameworks that are not forgotten.
#[derive(Clone, Debug, Default)]
pub struct Frameworks {
    by_id: BTreeMap<FrameworkId, Framework>,
    peers: BTreeMap<Peer, FrameworkId>,
    /// Those that subscribe without an id.
    nameless: BTreeSet<Peer>,
    /// Oldest first.
    ended: VecDeque<FrameworkId>,
}

impl Frameworks {
    /// A scheduler called.
    pub fn heard(&mut self, peer: Peer, id: Option<&FrameworkId>, call: &Call) {
        let Some(id) = id else {
            if matches!(call, Call::Subscribe { .. }) {
                self.nameless.insert(peer);
            }
            return;
        };
        // A framework of an earlier leader becomes known when it is subscribed.
        if matches!(call, Call::Subscribe { .. }) && !self.by_id.contains_key(id) {
            self.nameless.insert(peer);
            return;
        }
        if let Some(framework) = self.by_id.get_mut(id) {
            framework.calls[place_of_call(call)] += 1;
            if let Call::Decline { offer_ids, .. } = call {
                framework.offers_declined += offer_ids.len() as u64;
            }
        }
    }

    /// An accept was valid.
    pub fn accepted(&mut self, id: &FrameworkId, offers: u64, operations: &[usize]) {
        if let Some(framework) = self.by_id.get_mut(id) {
            framework.offers_accepted += offers;
            for place in operations {
                framework.operations[*place] += 1;
            }
        }
    }

    /// What an accept is for, by place in [`OPERATIONS`].
    pub fn places(operations: &[OfferOperation]) -> Vec<usize> {
        operations.iter().filter_map(place_of_operation).collect()
    }

    /// A scheduler is told something.
    pub fn told(&mut self, peer: Peer, event: &Event) {
        if let Event::Subscribed { framework_id, .. } = event {
            self.peers.insert(peer, framework_id.clone());
            let framework = self.by_id.entry(framework_id.clone()).or_default();
            if self.nameless.remove(&peer) {
                framework.calls[0] += 1;
            }
        }
        let known = self.peers.get(&peer).and_then(|id| self.by_id.get_mut(id));
        let Some(framework) = known else { return };
        framework.events[place_of_event(event)] += 1;
        match event {
            Event::Offers(offers) => framework.offers_sent += offers.len() as u64,
            Event::Rescind { .. } => framework.offers_rescinded += 1,
            _ => {}
        }
    }

    /// A scheduler hears the heartbeat that begins its stream, of which the core knows nothing.
    pub fn greeted(&mut self, id: &FrameworkId) {
        if let Some(framework) = self.by_id.get_mut(id) {
            framework.events[HEARTBEAT] += 1;
        }
    }

    /// A connection is over.
    pub fn hung_up(&mut self, peer: Peer) {
        self.peers.remove(&peer);
        self.nameless.remove(&peer);
    }

    /// A framework became known through its tasks.
    pub fn recovered(&mut self, id: &FrameworkId) {
        self.by_id.entry(id.clone()).or_default();
    }

    /// A task is in another state.
    pub fn task(&mut self, id: &FrameworkId, from: Option<TaskState>, to: TaskState) {
        let framework = self.by_id.entry(id.clone()).or_default();
        let place = |state| TaskState::ALL.iter().position(|known| *known == state);
        if let Some(from) = from.filter(|from| !from.is_terminal()).and_then(place) {
            framework.tasks[from] = framework.tasks[from].saturating_sub(1);
        }
        if let Some(to) = place(to) {
            framework.tasks[to] += 1;
        }
    }

    /// A framework ended. `kept_max` of them are kept.
    pub fn ended(&mut self, id: &FrameworkId, kept_max: usize) {
        self.ended.push_back(id.clone());
        while self.ended.len() > kept_max {
            if let Some(oldest) = self.ended.pop_front() {
                self.by_id.remove(&oldest);
            }
        }
    }

    /// One framework's counts.
    #[must_use]
    pub fn get(&self, id: &FrameworkId) -> Option<&Framework> {
        self.by_id.get(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tepui_core::model::Filters;

    fn told(framework: &Framework) -> BTreeMap<String, f64> {
        let mut all = BTreeMap::new();
        framework.tell("", &mut |name: &str, value| {
            all.insert(name.to_owned(), value);
        });
        all
    }

    #[test]
    fn a_framework_is_counted_from_its_first_call() {
        let id = FrameworkId::new("f").unwrap();
        let peer = Peer::Inbound(3);
        let mut frameworks = Frameworks::default();
        let subscribed = Event::Subscribed {
            framework_id: id.clone(),
            heartbeat_interval: std::time::Duration::from_secs(15),
            master: tepui_core::model::MasterInfo {
                id: tepui_core::ids::MasterId(1),
                address: String::new(),
            },
        };
        frameworks.nameless.insert(peer);
        frameworks.told(peer, &subscribed);
        frameworks.greeted(&id);
        let decline = Call::Decline {
            offer_ids: Vec::new(),
            filters: Filters::DEFAULT,
        };
        frameworks.heard(peer, Some(&id), &decline);
        frameworks.accepted(&id, 2, &[0, 0]);
        let all = told(frameworks.get(&id).unwrap());
        assert_eq!((all["calls"], all["calls/subscribe"]), (2.0, 1.0));
        assert_eq!((all["events"], all["events/heartbeat"]), (2.0, 1.0));
        assert_eq!(
            (all["offers/accepted"], all["operations/launch"]),
            (2.0, 2.0)
        );
    }

    #[test]
    fn tasks_are_counted_where_they_are_and_ends_once() {
        let id = FrameworkId::new("f").unwrap();
        let mut frameworks = Frameworks::default();
        frameworks.task(&id, None, TaskState::Staging);
        frameworks.task(&id, Some(TaskState::Staging), TaskState::Running);
        frameworks.task(&id, None, TaskState::Running);
        frameworks.task(&id, Some(TaskState::Running), TaskState::Failed);
        let all = told(frameworks.get(&id).unwrap());
        assert_eq!(all["tasks/active/task_running"], 1.0);
        assert_eq!(all["tasks/active/task_staging"], 0.0);
        assert_eq!(all["tasks/terminal/task_failed"], 1.0);
    }

    #[test]
    fn few_that_ended_are_kept() {
        let mut frameworks = Frameworks::default();
        for number in 0..5 {
            let id = FrameworkId::new(&format!("f{number}")).unwrap();
            frameworks.recovered(&id);
            frameworks.ended(&id, 2);
        }
        assert_eq!(frameworks.by_id.len(), 2);
    }
}

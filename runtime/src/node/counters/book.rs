//! What a leader counts by framework and by operation, and what it measures.

use super::frameworks::Frameworks;
use super::timing::Timings;
use std::collections::BTreeMap;
use std::time::Instant;
use tepui_core::ids::{FrameworkId, Peer};
use tepui_core::master::leading::{self, Probe};
use tepui_core::master::{MasterNode, Notice};
use tepui_core::message::scheduler::Call;
use tepui_core::model::OperationState;
use tepui_core::time::{Now, Time};

/// An accept that is being handled.
#[derive(Clone, Debug)]
pub(super) struct Accepting {
    framework_id: FrameworkId,
    offers: u64,
    operations: Vec<usize>,
}

/// See the module. All of it is of the current leadership but the time that things took.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// By framework.
    pub frameworks: Frameworks,
    /// How many operations of each name ended in each way.
    pub operations_ended: BTreeMap<(String, OperationState), u64>,
    /// What an input took that ran an allocation cycle: next to nothing but the cycle.
    pub allocation_run: Timings,
    /// How late cycles were.
    pub allocation_latency: Timings,
    /// How long it took to store something in the registry.
    pub state_store: Timings,
    /// How long it took a leader to have the registry.
    pub state_fetch: Timings,
    pub(super) accepting: Option<Accepting>,
    now: Now,
    begun: Option<Instant>,
    elected_at: Option<Time>,
    allocation_due: Option<Time>,
    allocation_runs: u64,
    /// When what is being stored in the registry was handed over.
    storing_since: Option<Time>,
    ended_max: usize,
}

fn milliseconds(from: Time, until: Time) -> f64 {
    until.since(from).as_secs_f64() * 1e3
}

impl Book {
    /// An input comes in.
    pub(super) fn begin(&mut self, now: Now) {
        self.now = now;
        // A cycle is only ever run by an input that comes when one is due.
        let is_due = self.allocation_due.is_some_and(|due| due <= now.mono);
        self.begun = is_due.then(Instant::now);
    }

    pub(super) fn heard(&mut self, peer: Peer, id: Option<&FrameworkId>, call: &Call) {
        self.frameworks.heard(peer, id, call);
        if let (
            Some(id),
            Call::Accept {
                offer_ids,
                operations,
                ..
            },
        ) = (id, call)
        {
            self.accepting = Some(Accepting {
                framework_id: id.clone(),
                offers: offer_ids.len() as u64,
                operations: Frameworks::places(operations),
            });
        }
    }

    pub(super) fn noticed(&mut self, now: Now, notice: &Notice) {
        match notice {
            Notice::Elected { .. } => self.elected_at = Some(now.mono),
            Notice::Leading { .. } => {
                if let Some(elected_at) = self.elected_at.take() {
                    self.state_fetch.note(milliseconds(elected_at, now.mono));
                }
            }
            Notice::Demoted { .. } => self.forget(),
            Notice::Stored { .. } => {
                if let Some(since) = self.storing_since {
                    self.state_store.note(milliseconds(since, now.mono));
                }
            }
            Notice::Cluster(notice) => self.noticed_of_cluster(notice),
            _ => {}
        }
    }

    fn noticed_of_cluster(&mut self, notice: &leading::Notice) {
        use leading::Notice as N;
        match notice {
            N::TaskState {
                framework_id,
                from,
                to,
                ..
            } => self.frameworks.task(framework_id, *from, *to),
            N::FrameworkRecovered { framework_id } => self.frameworks.recovered(framework_id),
            N::FrameworkRemoved { framework_id, .. } => {
                self.frameworks.ended(framework_id, self.ended_max);
            }
            N::Operation { name, state, .. } if state.is_terminal() => {
                let key = (name.to_ascii_lowercase(), *state);
                *self.operations_ended.entry(key).or_default() += 1;
            }
            N::Probe(Probe::InvalidOffers) => self.accepting = None,
            _ => {}
        }
    }

    /// This master leads no more: nothing is left of what it counted as the leader.
    fn forget(&mut self) {
        self.frameworks = Frameworks::default();
        self.operations_ended.clear();
        self.accepting = None;
        self.allocation_due = None;
        self.allocation_runs = 0;
        self.storing_since = None;
    }

    pub(super) fn settle(&mut self, node: &MasterNode) {
        if let Some(accepting) = self.accepting.take() {
            let Accepting {
                framework_id,
                offers,
                operations,
            } = accepting;
            self.frameworks.accepted(&framework_id, offers, &operations);
        }
        self.ended_max = node.config().leading.max_completed_frameworks;
        let store_timeout = node.config().registry.store_timeout;
        let given_up_at = node
            .registrar()
            .and_then(tepui_core::registry::Registrar::deadline);
        self.storing_since =
            given_up_at.map(|at| Time::ZERO + at.since(Time::ZERO + store_timeout));
        let Some(leading) = node.leading() else {
            return;
        };
        let runs = leading.allocation_runs();
        if runs > self.allocation_runs {
            if let Some(begun) = self.begun {
                let took = begun.elapsed().as_secs_f64() * 1e3;
                self.allocation_run.note(took);
            }
            if let Some(due) = self.allocation_due {
                let late = milliseconds(due, self.now.mono.max(due));
                self.allocation_latency.note(late);
            }
        }
        self.allocation_runs = runs;
        self.allocation_due = leading.allocation_due();
    }
}

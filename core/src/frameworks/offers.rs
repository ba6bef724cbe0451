//! How frameworks answer offers, and say whether they want any.

use crate::message::scheduler::Call;
use crate::model::{Filters, Offer, OfferOperation, TaskInfo};
use crate::outbox::Outbox;
use crate::scheduler::Action;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// Whether the master was told that offers are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Interest {
    suppressed: bool,
}

impl Interest {
    /// Says so where it changed.
    pub(super) fn update(&mut self, wants: bool, out: &mut Outbox<Action>) {
        if wants != self.suppressed {
            return;
        }
        self.suppressed = !wants;
        let roles = Vec::new();
        out.push(Action::Call(if wants {
            Call::Revive { roles }
        } else {
            Call::Suppress { roles }
        }));
    }
}

/// Answers every offer at once: it is used for its tasks, or given back.
pub(super) fn answer(
    offers: &[Arc<Offer>],
    tasks: Vec<Vec<Arc<TaskInfo>>>,
    filters: Filters,
    out: &mut Outbox<Action>,
) {
    let mut unused = Vec::new();
    for (offer, tasks) in offers.iter().zip(tasks) {
        if tasks.is_empty() {
            unused.push(offer.id.clone());
            continue;
        }
        out.push(Action::Call(Call::Accept {
            offer_ids: vec![offer.id.clone()],
            operations: vec![OfferOperation::Launch(tasks)],
            filters,
        }));
    }
    if !unused.is_empty() {
        out.push(Action::Call(Call::Decline {
            offer_ids: unused,
            filters,
        }));
    }
}

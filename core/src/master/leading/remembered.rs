//! Ids of what is over, to refuse whoever names one again.

use alloc::collections::{BTreeSet, VecDeque};

/// The latest of them, as many as it may hold.
#[derive(Clone, Debug)]
pub(super) struct Remembered<Id> {
    ids: BTreeSet<Id>,
    /// The oldest first.
    order: VecDeque<Id>,
}

impl<Id> Default for Remembered<Id> {
    fn default() -> Remembered<Id> {
        Remembered {
            ids: BTreeSet::new(),
            order: VecDeque::new(),
        }
    }
}

impl<Id: Clone + Ord> Remembered<Id> {
    pub(super) fn contains(&self, id: &Id) -> bool {
        self.ids.contains(id)
    }

    /// Remembers one more; the oldest is forgotten where there are more than `most`.
    pub(super) fn insert(&mut self, id: Id, most: usize) {
        if !self.ids.insert(id.clone()) {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > most
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut remembered = Remembered::default();
        for id in [1, 2, 1, 3] {
            remembered.insert(id, 2);
        }
        assert!(!remembered.contains(&1) && remembered.contains(&2) && remembered.contains(&3));
    }
}

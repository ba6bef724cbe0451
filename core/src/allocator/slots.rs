//! Generational slots: dense numbers that are used again, and notice when they are stale.

use alloc::vec::Vec;

/// Values in numbered slots; a freed slot is used again under a new generation.
#[derive(Clone, Debug)]
pub(super) struct Slots<T> {
    entries: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
}

impl<T> Slots<T> {
    pub(super) const fn new() -> Slots<T> {
        Slots {
            entries: Vec::new(),
            free: Vec::new(),
        }
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// The slot and generation that the next [`Slots::insert`] gives.
    pub(super) fn insert(&mut self, value: T) -> (u32, u32) {
        if let Some(slot) = self.free.pop() {
            let entry = &mut self.entries[slot as usize];
            assert!(entry.1.is_none(), "a free slot is empty");
            entry.1 = Some(value);
            return (slot, entry.0);
        }
        let slot = u32::try_from(self.entries.len()).expect("bounded by the callers");
        self.entries.push((0, Some(value)));
        (slot, 0)
    }

    /// Empties `slot`; whoever still names its generation is stale from now on.
    pub(super) fn remove(&mut self, slot: u32) -> T {
        let entry = &mut self.entries[slot as usize];
        entry.0 = entry.0.wrapping_add(1);
        self.free.push(slot);
        entry.1.take().expect("only occupied slots are removed")
    }

    /// Whether `slot` is occupied under `generation`.
    pub(super) fn is_live(&self, slot: u32, generation: u32) -> bool {
        let entry = self.entries.get(slot as usize);
        entry.is_some_and(|entry| entry.0 == generation && entry.1.is_some())
    }

    pub(super) fn generation(&self, slot: u32) -> u32 {
        self.entries[slot as usize].0
    }

    pub(super) fn find(&self, slot: u32) -> Option<&T> {
        self.entries.get(slot as usize)?.1.as_ref()
    }

    pub(super) fn at(&self, slot: u32) -> &T {
        let value = self.entries[slot as usize].1.as_ref();
        value.expect("the slot is occupied")
    }

    pub(super) fn at_mut(&mut self, slot: u32) -> &mut T {
        let value = self.entries[slot as usize].1.as_mut();
        value.expect("the slot is occupied")
    }

    /// Slot and value, lowest slot first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let entries = self.entries.iter().enumerate();
        entries.filter_map(|(slot, (_, value))| Some((slot as u32, value.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reused_slot_does_not_answer_to_its_old_name() {
        let mut slots = Slots::new();
        let (a, first) = slots.insert('a');
        assert_eq!(slots.remove(a), 'a');
        let (b, second) = slots.insert('b');
        assert_eq!((a, slots.len()), (b, 1));
        assert!(!slots.is_live(a, first) && slots.is_live(b, second));
    }
}
